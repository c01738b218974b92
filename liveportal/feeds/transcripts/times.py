"""From the times of a transcript to offsets since the session's start."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from liveportal.domain.clock import zone
from liveportal.feeds.transcripts.lines import Clock, Stamp

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
MILLISECOND = timedelta(milliseconds=1)
FARTHEST = timedelta(days=366)
"""No session is that long: a time farther off belongs to something else, and is not known."""

HOURS_OF_A_DAY = 24


class Timeline:
    """The times of one transcript in their order.

    `14:02` may be two past two, or 14 minutes and 2 seconds into the session. Whichever is nearer
    to the start is meant, by the first such time and then by all; without seconds a clock within
    an hour of the start is taken for one. A clock's day is that which brings it nearest to the
    message before, so midnight, and an hour that a zone has twice, are crossed.
    """

    def __init__(self, began: datetime, timezone: str) -> None:
        self._began = began
        self._zone = zone(timezone)
        self._last = began
        self._clocks: bool | None = None

    def offset_ms(self, stamp: Stamp) -> int | None:
        """Return the milliseconds from the start to a time; below zero for what was before it."""
        try:
            span = self._span(stamp)
        except (OverflowError, ValueError):  # The ends of the calendar.
            return None
        if span is None or abs(span) > FARTHEST:
            return None
        return span // MILLISECOND

    def _span(self, stamp: Stamp) -> timedelta | None:
        match stamp:
            case Clock():
                return self._of_clock(stamp)
            case int():
                return timedelta(milliseconds=stamp)
            case datetime():
                local = stamp if stamp.tzinfo else stamp.replace(tzinfo=self._zone)
                return local.astimezone(UTC) - self._began
        return None

    def _of_clock(self, clock: Clock) -> timedelta:
        timer = _as_timer(clock)
        if clock.hour >= HOURS_OF_A_DAY or self._clocks is False:
            return timer
        instant = self._nearest(clock)
        far = abs(instant - self._began)
        if self._clocks is None:
            self._clocks = far < timer or (clock.second is None and far <= HOUR)
            if not self._clocks:
                return timer
        self._last = instant
        if clock.second is None and -MINUTE < instant - self._began < timedelta():
            return timedelta()  # The minute that the session began in.
        return instant - self._began

    def _nearest(self, clock: Clock) -> datetime:
        shown = time(clock.hour, clock.minute, clock.second or 0, clock.millisecond * 1000)
        today = self._last.astimezone(self._zone).date()
        around = (today + days * DAY for days in (0, -1, 1))
        found = [self._instant(day, shown, fold) for day in around for fold in (0, 1)]
        return min(found, key=lambda instant: abs(instant - self._last))

    def _instant(self, day: date, shown: time, fold: int) -> datetime:
        return datetime.combine(day, shown.replace(fold=fold), self._zone).astimezone(UTC)


def _as_timer(clock: Clock) -> timedelta:
    """Return what a timer means that shows this: `14:02` is 14 minutes and 2 seconds."""
    if clock.second is None:
        return timedelta(minutes=clock.hour, seconds=clock.minute)
    return timedelta(
        hours=clock.hour,
        minutes=clock.minute,
        seconds=clock.second,
        milliseconds=clock.millisecond,
    )
