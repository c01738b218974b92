"""The expert's diary: what is booked, the hours, the buffers and the vacations, as one value.

Asked by whoever weighs a time (`slots`, `declining`); the door itself asks `requests`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from liveportal.domain.clock import MICROSECOND, local_date, shifted
from liveportal.domain.events.types import Buffers, Vacation
from liveportal.domain.schedule.working_hours import Availability, is_within, open_spans
from liveportal.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class Booked:
    """A session that is agreed, and when: [start, end)."""

    session: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """What the expert's time looks like. `zone` is the expert's own; no hours: always there."""

    zone: str
    booked: tuple[Booked, ...] = ()
    availability: Availability | None = None
    buffers: Buffers | None = None
    vacations: tuple[Vacation, ...] = ()

    def conflicts(self, start: datetime, end: datetime) -> list[str]:
        """Return the sessions that [start, end) overlaps, by id."""
        return sorted(each.session for each in self.booked if each.start < end and start < each.end)

    def too_close(self, start: datetime, end: datetime) -> list[str]:
        """Return the sessions that [start, end) leaves less than the buffers to, by id.

        Between two sessions the minutes after the one and before the other may be the same.
        """
        if self.buffers is None:
            return []
        buffer = timedelta(minutes=max(self.buffers.before or 0, self.buffers.after or 0))
        wide = self.conflicts(shifted(start, -buffer), shifted(end, buffer))
        return [name for name in wide if name not in self.conflicts(start, end)]

    def is_away(self, start: datetime, end: datetime) -> bool:
        """Tell whether any of [start, end) is in a vacation."""
        first = local_date(start, self.zone)
        last = local_date(max(start, end - MICROSECOND), self.zone)
        return any(each.start <= last and first <= each.end for each in self.vacations)

    def is_within_hours(self, start: datetime, end: datetime) -> bool:
        """Tell whether all of [start, end) is in the expert's hours."""
        if self.availability is None:
            return True
        return is_within(start, end, open_spans(self.availability, start, end, self.zone))
