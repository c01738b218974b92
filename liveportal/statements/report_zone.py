"""The time zone of a report that does not name it, found by elimination and never guessed.

Some instants in a report are known from elsewhere: midnight UTC, or a column in UTC beside the
local one. Every zone that contradicts one of them is ruled out. Where all zones that are left agree
on the offset of a local time, it is proved; elsewhere the time stays unknown, and the day is kept.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from liveportal.domain.clock import zone
from liveportal.tables.zones import instants

_NOT_OF_PLACES = ("posix", "right", "localtime", "Factory")


@cache
def _known() -> tuple[ZoneInfo, ...]:
    """Return every zone of a place; those that always agreed are all kept, to be exact."""
    names = sorted(available_timezones())
    return tuple(ZoneInfo(name) for name in names if name.split("/")[0] not in _NOT_OF_PLACES)


class ReportZone:
    """The zones that a report can be in; `given` is the zone that the user named."""

    def __init__(self, given: str | None) -> None:
        self.given = given
        self.is_proved = False
        self._zones: list[ZoneInfo] | None = None
        self._seen: set[tuple[datetime, datetime | None]] = set()
        self._days: dict[str, str | None] = {}

    def contradicts(self, local: datetime, instant: datetime | None) -> bool:
        """Rule out zones in which a local time is not an instant (None: not midnight UTC).

        Return whether no zone is left; then this pair is not taken into account.
        """
        if (local, instant) in self._seen:
            return False
        if self._zones is None:
            self._zones = [zone(self.given)] if self.given else list(_known())
        left = [each for each in self._zones if _agrees(local, each, instant)]
        if not left:
            return True
        self._seen.add((local, instant))
        self._zones, self.is_proved = left, True
        return False

    def offset(self, local: datetime) -> str | None:
        """Return the zone of a local time as a text: a name or an offset; None if it is open."""
        if self.given:
            return self.given
        if self._zones is None:
            return None
        day = local.date().isoformat()
        if day not in self._days:
            start = datetime.combine(local.date(), time())
            self._days[day] = self._common([start, start + timedelta(days=1)])
        return self._days[day] or self._common([local])

    def _common(self, moments: list[datetime]) -> str | None:
        offsets = {
            moment.replace(tzinfo=each, fold=fold).utcoffset()
            for each in self._zones or ()
            for moment in moments
            for fold in (0, 1)
        }
        offset = offsets.pop() if len(offsets) == 1 else None
        if offset is None or offset.seconds % 60:
            return None
        minutes = int(offset.total_seconds() // 60)
        sign = "-" if minutes < 0 else "+"
        return f"UTC{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _agrees(local: datetime, tz: ZoneInfo, instant: datetime | None) -> bool:
    possible = instants(local, tz)
    if instant is not None:
        return instant in possible
    return any(each.astimezone(UTC).time() == time() for each in possible)
