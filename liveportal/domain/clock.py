"""Instants, zones and months.

An instant is an aware `datetime`; it compares by what it means, whatever its offset. Stored and
printed instants are UTC; a month is `YYYY-MM` in a named zone (`period.timezone`) and reaches from
its first instant up to, and without, the next month's.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

from liveportal.domain.errors import InvalidMonth, InvalidTime, InvalidValue
from liveportal.domain.patterns import pattern

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_INSTANT = pattern(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_MONTH = pattern(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)
_MICROSECOND_DIGITS = 6
MICROSECOND = timedelta(microseconds=1)
FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)
"""The ends of the calendar."""

Pause = tuple[datetime, datetime]
"""From when to when a timer was paused."""


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 time with an offset, to the microsecond; raises `InvalidTime`.

    Finer digits, such as the seven of .NET and the nine of Java, are cut off, never rounded up.
    """
    match = _INSTANT.fullmatch(text)
    if not match:
        raise InvalidTime(
            f"{text[:40]!r} is not a time with an offset such as 2026-10-05T09:00:00Z"
        )
    if match[1] and len(match[1]) > _MICROSECOND_DIGITS + 1:
        text = text[: match.start(1) + 1 + _MICROSECOND_DIGITS] + match[2]
    try:
        instant = datetime.fromisoformat(text.upper())  # RFC 3339 allows `t` and `z`.
        if not FIRST.year < instant.year < LAST.year:
            instant.astimezone(UTC)  # The first and last day of the calendar may not exist there.
    except (ValueError, OverflowError):
        raise InvalidTime(f"{text[:40]!r} is not a date and time that exists") from None
    return instant


def shifted(instant: datetime, span: timedelta) -> datetime:
    """Return an instant that much later (or earlier), or the end of the calendar."""
    try:
        return instant + span
    except OverflowError:
        return LAST if span > timedelta() else FIRST


def utc_text(instant: datetime) -> str:
    """Write an instant in UTC as stored: fixed width, so that text sorts as time does."""
    # Equal instants have equal texts, but that two of one named zone can be equal and apart.
    return _cached_text(instant) if type(instant.tzinfo) is timezone else _utc_text(instant)


def _utc_text(instant: datetime) -> str:
    text = (instant if instant.tzinfo is UTC else instant.astimezone(UTC)).isoformat()
    return f"{text[:-6]}.000000Z" if instant.microsecond == 0 else f"{text[:-6]}Z"


_cached_text = lru_cache(maxsize=8192)(_utc_text)
"""An event's time is written several times: with it, with what it books and what it changes."""


def short_text(instant: datetime) -> str:
    """Write an instant in UTC as printed: without the microseconds when there are none."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def from_text(text: str) -> datetime:
    """Read back what `utc_text` wrote."""
    return datetime.fromisoformat(text)


def microseconds(span: timedelta) -> int:
    """Return a length of time as whole microseconds; exact, unlike `total_seconds`."""
    return span // MICROSECOND


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """Return the IANA zone of that name; raises `InvalidValue` for a name that is none."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # 2 ms; most books are kept in UTC.

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidValue(
            f"{name[:64]!r} is not a time zone",
            hint="Use a name such as Europe/Paris, America/New_York or UTC.",
        ) from None


def month_of(instant: datetime, zone_name: str) -> str:
    """Return the month, `YYYY-MM`, that an instant falls in, as the zone's calendars have it."""
    return local_date(instant, zone_name).isoformat()[:7]


def local_date(instant: datetime, zone_name: str) -> date:
    """Return the calendar day that an instant falls on in a zone."""
    if zone_name == "UTC":
        return instant.astimezone(UTC).date()
    try:
        return instant.astimezone(zone(zone_name)).date()
    except OverflowError:  # The last hours of the year 9999, east of Greenwich.
        return instant.astimezone(UTC).date()


def check_month(text: str) -> str:
    """Return a month as it was given; raises `InvalidMonth` unless it is `YYYY-MM`."""
    if not _MONTH.fullmatch(text) or text.startswith("0000"):
        raise InvalidMonth(f"{text[:40]!r} is not a month such as 2026-10")
    return text


def last_day(month: str) -> date:
    """Return the last calendar day of a month."""
    year, number = int(month[:4]), int(month[5:])
    if month == "9999-12":
        return date.max
    following = date(year + number // 12, number % 12 + 1, 1)
    return following - timedelta(days=1)


def month_ends(month: str, zone_name: str) -> datetime:
    """Return the last instant of a month in a zone, to the microsecond."""
    return day_ends(last_day(month), zone_name)


def day_ends(day: date, zone_name: str) -> datetime:
    """Return the last instant of a day in a zone, to the microsecond."""
    try:
        local = UTC if zone_name == "UTC" else zone(zone_name)
        following = datetime.combine(day + timedelta(days=1), time(), local)
        return following.astimezone(UTC) - MICROSECOND
    except OverflowError:
        return LAST


def months_between(first: str, last: str) -> list[str]:
    """Return every month from the first to the last, both included, oldest first."""
    start, stop = (int(m[:4]) * 12 + int(m[5:]) - 1 for m in (first, last))
    return [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(start, stop + 1)]
