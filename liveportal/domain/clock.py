"""Instants, time zones and months.

An instant is an aware `datetime`; instants are compared by value, independent of their offsets.
Stored and printed instants are in UTC. A month is `YYYY-MM` in a named zone (`period.timezone`); it
includes its first instant and excludes the first instant of the next month.
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
"""The first and last instant that a `datetime` can hold."""

Pause = tuple[datetime, datetime]
"""The start and end of a pause."""


def parse_instant(text: str) -> datetime:
    """Parse an RFC 3339 time with an offset, to the microsecond; raises `InvalidTime`.

    Further digits, such as the seven of .NET or the nine of Java, are truncated, never rounded.
    """
    match = _INSTANT.fullmatch(text)
    if not match:
        raise InvalidTime(
            f"{text[:40]!r} is not a time with an offset, such as 2026-10-05T09:00:00Z."
        )
    if match[1] and len(match[1]) > _MICROSECOND_DIGITS + 1:
        text = text[: match.start(1) + 1 + _MICROSECOND_DIGITS] + match[2]
    try:
        instant = datetime.fromisoformat(text.upper())  # RFC 3339 allows `t` and `z`.
        if not FIRST.year < instant.year < LAST.year:
            instant.astimezone(UTC)  # May overflow on the first and last day of the calendar.
    except (ValueError, OverflowError):
        raise InvalidTime(f"The date and time {text[:40]!r} does not exist.") from None
    return instant


def shifted(instant: datetime, span: timedelta) -> datetime:
    """Return an instant moved by a span, limited to `FIRST` and `LAST`."""
    try:
        return instant + span
    except OverflowError:
        return LAST if span > timedelta() else FIRST


def utc_text(instant: datetime) -> str:
    """Format an instant in UTC as stored: fixed width, so that texts sort by time."""
    # Cached for fixed offsets only: in a named zone, equal datetimes can be different instants.
    return _cached_text(instant) if type(instant.tzinfo) is timezone else _utc_text(instant)


def _utc_text(instant: datetime) -> str:
    text = (instant if instant.tzinfo is UTC else instant.astimezone(UTC)).isoformat()
    return f"{text[:-6]}.000000Z" if instant.microsecond == 0 else f"{text[:-6]}Z"


_cached_text = lru_cache(maxsize=8192)(_utc_text)
"""Cached because an event's time is stored several times: in the event and in what it changes."""


def short_text(instant: datetime) -> str:
    """Format an instant in UTC for output, without microseconds if they are zero."""
    in_utc = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return in_utc.isoformat()[:-6] + "Z"


def readable(instant: datetime) -> str:
    """Format an instant for a sentence, such as `2026-10-05 09:00 UTC`; no digit is lost."""
    text = instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    return f"{text.removesuffix(':00')} UTC"


def to_second(instant: datetime) -> str:
    """Format an instant as `readable` does, but only to the second."""
    return readable(instant.replace(microsecond=0))


def from_text(text: str) -> datetime:
    """Parse the output of `utc_text`."""
    return datetime.fromisoformat(text)


def microseconds(span: timedelta) -> int:
    """Return a duration in whole microseconds; exact, unlike `total_seconds`."""
    return span // MICROSECOND


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """Return the IANA time zone with this name; raises `InvalidValue` if there is no such zone."""
    from zoneinfo import (
        ZoneInfo,
        ZoneInfoNotFoundError,
    )  # Imported late (2 ms): most books use UTC.

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidValue(
            f"{name[:64]!r} is not a time zone.",
            hint="Use a name such as Europe/Paris, America/New_York or UTC.",
        ) from None


def month_of(instant: datetime, zone_name: str) -> str:
    """Return the month, `YYYY-MM`, of an instant in a zone."""
    return local_date(instant, zone_name).isoformat()[:7]


def local_date(instant: datetime, zone_name: str) -> date:
    """Return the calendar day of an instant in a zone."""
    if zone_name == "UTC":
        return instant.astimezone(UTC).date()
    try:
        return instant.astimezone(zone(zone_name)).date()
    except OverflowError:  # The last hours of the year 9999, east of Greenwich.
        return instant.astimezone(UTC).date()


def check_month(text: str) -> str:
    """Return the month unchanged; raises `InvalidMonth` unless it is `YYYY-MM`."""
    if not _MONTH.fullmatch(text) or text.startswith("0000"):
        raise InvalidMonth(f"{text[:40]!r} is not a month, such as 2026-10.")
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
    """Return all months from the first to the last, both included, oldest first."""
    return [month_numbered(n) for n in range(number_of(first), number_of(last) + 1)]


def number_of(month: str) -> int:
    """Return the number of a month, counted from the year 0."""
    return int(month[:4]) * 12 + int(month[5:]) - 1


def month_numbered(number: int) -> str:
    """Return the month with this number, `YYYY-MM`."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"
