"""Parse the times in chats, and convert them to offsets from the session's start."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from liveportal.domain.clock import zone
from liveportal.feeds.transcripts.lines import HEAD, Clock, Stamp

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
MILLISECOND = timedelta(milliseconds=1)
FARTHEST = timedelta(days=366)
"""No session is that long: the offset of a time beyond it is unknown."""

HOURS_OF_A_DAY = 24

_DAY = r"(?:([0-9]{4}-[0-9]{2}-[0-9]{2})[T \t]+)?"
# A date in a local format, or `Yesterday`: it is skipped, since the session's date is known.
_OTHER_DAY = r"(?:[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4},?[ \t\u00a0\u202f]+)?"
_BRACKETED_DAY = re.compile(
    r"[ \t]*\[[^\[\]]{1,40}?[ \u00a0\u202f](?=[0-9]{1,2}:[0-9]{2}[^\[\]]{0,16}\])"
)
_TIME = re.compile(
    rf"[ \t]*[\[(]?{_DAY}{_OTHER_DAY}([0-9]{{1,3}}):([0-9]{{2}})"
    r"(?::([0-9]{2})(?:[.,]([0-9]{1,3}))?)?"
    r"(?:[ \u00a0\u202f]?([AaPp])\.?[Mm]\.?)?[\])]?(?:[ \t]+-)?(?:[ \t\u00a0]+|$)"
)
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]")
_NOON = 12
_LAST_MINUTE, _LAST_SECOND = 59, 59


class Time(NamedTuple):
    """A time at the beginning of a line, and the index at which it ends."""

    stamp: Stamp
    end: int


def read_time(line: str) -> Time | None:
    """Return the time at the beginning of a line, or None; its stamp is None if it is invalid."""
    head = line[:HEAD]
    day_end = _BRACKETED_DAY.match(head)
    skipped = day_end.end() if day_end and not _ISO_DAY.search(day_end[0]) else 0
    match = _TIME.match(head, skipped)
    if not match:
        return None
    day, hour, minute, second, fraction, am_pm = match.groups()
    hours = int(hour)
    end = match.end()
    if am_pm and 1 <= hours <= _NOON:
        hours = hours % _NOON + (_NOON if am_pm in "Pp" else 0)
    elif am_pm:
        end = match.start(6)  # "14:02 am I late?"
    milliseconds = int((fraction or "0").ljust(3, "0"))
    stamp = stamp_of(day, hours, int(minute), int(second) if second else None, milliseconds)
    return Time(stamp, end)


def stamp_of(
    day: str | None, hour: int, minute: int, second: int | None, millisecond: int = 0
) -> Stamp:
    """Return the stamp for a time in a chat, or None for an invalid time."""
    if minute > _LAST_MINUTE or (second or 0) > _LAST_SECOND:
        return None
    if day is None:
        return Clock(hour, minute, second, millisecond)
    if hour >= HOURS_OF_A_DAY:
        return None
    try:
        date_written = date.fromisoformat(day)
    except ValueError:
        return None
    # Local time, in the expert's zone.
    return datetime.combine(date_written, time(hour, minute, second or 0, millisecond * 1000))


class Timeline:
    """The times of one transcript, in order.

    `14:02` may be a clock time, or 14 minutes and 2 seconds into the session. The first such time
    decides for all: the interpretation nearer to the start is used, and a clock time without
    seconds within an hour of the start is always one. A clock time gets the date that brings it
    nearest to the previous message, which handles midnight and repeated hours at the end of
    daylight saving time.
    """

    def __init__(self, began: datetime, timezone: str) -> None:
        self._began = began
        self._zone = zone(timezone)
        self._last = began
        self._clocks: bool | None = None

    def offset_ms(self, stamp: Stamp) -> int | None:
        """Return the milliseconds from the start to a time; negative if it was earlier."""
        try:
            span = self._span(stamp)
        except (OverflowError, ValueError):  # Near the first or last year of the calendar.
            return None
        if span is None or abs(span) > FARTHEST:
            return None
        return span // MILLISECOND

    def _span(self, stamp: Stamp) -> timedelta | None:
        match stamp:
            case Clock():
                return self._clock_span(stamp)
            case int():
                return timedelta(milliseconds=stamp)
            case datetime():
                local = stamp if stamp.tzinfo else stamp.replace(tzinfo=self._zone)
                return local.astimezone(UTC) - self._began
        return None

    def _clock_span(self, clock: Clock) -> timedelta:
        timer = _timer_span(clock)
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
            return timedelta()  # Within the minute in which the session began.
        return instant - self._began

    def _nearest(self, clock: Clock) -> datetime:
        shown = time(clock.hour, clock.minute, clock.second or 0, clock.millisecond * 1000)
        today = self._last.astimezone(self._zone).date()
        days = (today + offset * DAY for offset in (0, -1, 1))
        candidates = [self._instant(day, shown, fold) for day in days for fold in (0, 1)]
        return min(candidates, key=lambda instant: abs(instant - self._last))

    def _instant(self, day: date, shown: time, fold: int) -> datetime:
        return datetime.combine(day, shown.replace(fold=fold), self._zone).astimezone(UTC)


def _timer_span(clock: Clock) -> timedelta:
    """Return the span that a timer shows: `14:02` is 14 minutes and 2 seconds."""
    if clock.second is None:
        return timedelta(minutes=clock.hour, seconds=clock.minute)
    return timedelta(
        hours=clock.hour,
        minutes=clock.minute,
        seconds=clock.second,
        milliseconds=clock.millisecond,
    )
