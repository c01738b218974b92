"""The expert's schedule: agreed sessions, working hours, buffers and vacations, as one value.

For advice about times (`slots`, `auto_decline`); the write path uses the handlers of `requests`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from liveportal.domain.clock import MICROSECOND, local_date, shifted
from liveportal.domain.events.types import Buffers, Vacation
from liveportal.domain.frozen import frozen
from liveportal.domain.schedule.working_hours import Availability, is_within, open_spans


@frozen
class Booked:
    """An agreed session and its planned interval [start, end)."""

    session: str
    start: datetime
    end: datetime


@frozen
class OwnEvent:
    """An event of the expert's own calendar, [start, end)."""

    title: str
    start: datetime
    end: datetime


@frozen
class Schedule:
    """The expert's schedule in the zone `zone`; without `availability`, all hours are open."""

    zone: str
    booked: tuple[Booked, ...] = ()
    availability: Availability | None = None
    buffers: Buffers | None = None
    vacations: tuple[Vacation, ...] = ()
    own: tuple[OwnEvent, ...] = ()

    def conflicts(self, start: datetime, end: datetime) -> list[str]:
        """Return the ids of the sessions that overlap [start, end)."""
        return sorted(b.session for b in self.booked if b.start < end and start < b.end)

    def own_conflicts(self, start: datetime, end: datetime) -> list[OwnEvent]:
        """Return the events of the expert's own calendar that overlap [start, end)."""
        return [event for event in self.own if event.start < end and start < event.end]

    def too_close(self, start: datetime, end: datetime) -> list[str]:
        """Return the ids of the sessions that are closer to [start, end) than the buffers.

        The buffers after one session and before the next may overlap.
        """
        if self.buffers is None:
            return []
        buffer = timedelta(minutes=max(self.buffers.before or 0, self.buffers.after or 0))
        wide = self.conflicts(shifted(start, -buffer), shifted(end, buffer))
        return [name for name in wide if name not in self.conflicts(start, end)]

    def is_away(self, start: datetime, end: datetime) -> bool:
        """Return True if part of [start, end) is in a vacation."""
        first = local_date(start, self.zone)
        last = local_date(max(start, end - MICROSECOND), self.zone)
        return any(v.start <= last and first <= v.end for v in self.vacations)

    def is_within_hours(self, start: datetime, end: datetime) -> bool:
        """Return True if all of [start, end) is within the expert's hours."""
        if self.availability is None:
            return True
        return is_within(start, end, open_spans(self.availability, start, end, self.zone))
