"""Parse times and months as people type them; ambiguous ones are refused, never guessed.

A day is given by name (`yesterday`, `friday`), in words (`5 oct 2026`) or as `2026-10-05`; numeric
dates in another order are refused. Times are in the caller's zone, unless an offset follows an ISO
date. All functions return instants in UTC. Slow modules are imported only by the functions that
need them. Spans of time are parsed by `spans`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import NamedTuple

from liveportal.domain.clock import MICROSECOND, check_month, local_date, zone
from liveportal.domain.errors import InvalidMonth, InvalidTime
from liveportal.domain.patterns import pattern

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_UNITS = {
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "minutes"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "hours"),
    **dict.fromkeys(("d", "day", "days"), "days"),
    **dict.fromkeys(("w", "week", "weeks"), "weeks"),
    **dict.fromkeys(("month", "months"), "months"),
    **dict.fromkeys(("year", "years"), "years"),
}
_EXACT_UNITS = ("minutes", "hours")
_LENGTHS = {word: unit for word, unit in _UNITS.items() if unit not in ("months", "years")}
_SHORTEST_NAME = 3  # "mon", "oct"
_LONGEST_TEXT = 200
_WIDEST_OFFSETS = {"-": timedelta(hours=12), "+": timedelta(hours=14)}
_ONE_DAY = timedelta(days=1)

CLOCK = (
    r"(?:noon|[0-9]{1,2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:\s?[ap]m)?|\s?[ap]m))"
    r"(?:\s?(?:z|utc|[+-][0-9]{2}:?[0-9]{2}))?"
)
_CLOCK_PARTS = pattern(
    r"(?:noon|(?P<hour>[0-9]+)(?::(?P<minute>[0-9]+))?(?::(?P<second>[0-9]+))?"
    r"(?:\.(?P<fraction>[0-9]+))?\s?(?P<half>[ap]m)?)\s?(?P<offset>z|utc|[+-].*)?"
)
_MIDNIGHT = pattern(r"24:00(?::00)?\s?")
_DAY_THEN_CLOCK = pattern(rf"(?:(.*\S)\s+)??({CLOCK})")
_CLOCK_THEN_DAY = pattern(rf"({CLOCK})\s+(.*\S)")
_DATE_TIME_SEPARATOR = pattern("(?<=[0-9])t(?=[0-9])")
_LIKE_A_SPAN = pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2} ([0-9]{1,2}:[0-9]{2})-([0-9]{2}:[0-9]{2})")
_AMOUNT = pattern(r"([0-9]{1,6})\s?([a-z]+)\s?")
ISO_DATE = pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMERIC_DATE_PATTERN = pattern(r"([0-9]{1,4})[/.-]([0-9]{1,2})[/.-]([0-9]{1,4})")
_DATE_PATTERN = pattern(
    r"(?:[0-9]{1,2}(?:st|nd|rd|th)?(?: of)? ([a-z]+)|([a-z]+) [0-9]{1,2}(?:st|nd|rd|th)?)"
    r"( [0-9]{4})?"
)
_MONTH_PATTERN = pattern(r"([a-z]+)(?: ([0-9]{4}))?")


# --- texts as people type them ------------------------------------------------------------------


def read_time(
    text: str,
    zone_name: str,
    now: datetime,
    *,
    past: bool = False,
    date_only: bool = False,
    is_end: bool = False,
) -> datetime:
    """Parse an instant such as `now`, `tomorrow 9am`, `2 hours ago` or `2026-10-05 09:00`.

    A weekday, or a date without a year, is the next one, or with `past` the latest. A date alone is
    refused unless `date_only`; then it means the start of the day. 24:00 is accepted for ends
    (`is_end`). Raises `InvalidTime`, also for a time that the zone's clocks skip or show twice and
    for a span of time, whose end could be an offset; `InvalidValue` for an unknown zone.
    """
    words = normalise(text)
    today = local_date(now, zone_name)
    if not has_date_time_separator(text):
        _check_no_span(words)
    try:
        if words == "now":
            return now.astimezone(UTC)
        if words.endswith(" ago") or words.startswith("in "):
            return _relative_time(words, zone_name, now)
        if match := _DAY_THEN_CLOCK.fullmatch(words):
            day_words, clock = match[1] or "today", read_clock(match[2])
        elif match := _CLOCK_THEN_DAY.fullmatch(words):
            day_words, clock = match[2], read_clock(match[1])
        else:
            day_words, clock = words, None
        if clock and (is_end or not clock.is_midnight):
            return _resolve(day_words, clock, zone_name, now, past=past)
        day = _parse_day(words, today, past=past)
        if not date_only:
            raise InvalidTime(f"{words!r} has no time of day.", hint=f"Write it like {day} 09:00.")
        return _start_of_day(day, zone_name)
    except (OverflowError, ValueError):
        raise unreadable_time(text) from None


def read_as_known(text: str, zone_name: str, now: datetime) -> datetime:
    """Parse the instant of `--as-known`; a date alone is the last microsecond of that day.

    Raises as `read_time` does.
    """
    try:
        day = _parse_day(normalise(text), local_date(now, zone_name), past=True)
    except (InvalidTime, ValueError):
        return read_time(text, zone_name, now, past=True)
    try:
        return _start_of_day(day + timedelta(days=1), zone_name) - MICROSECOND
    except OverflowError:  # The calendar ends there.
        raise unreadable_time(text) from None


def read_length(text: str) -> timedelta:
    """Parse a length of time such as `48h`, `90 min`, `2h30m` or `7d`; raises `InvalidTime`."""
    words = text.strip().casefold()
    parts = _AMOUNT.findall(words) if re.fullmatch(f"(?:{_AMOUNT.pattern})+", words) else []
    if not parts or any(unit not in _LENGTHS for _, unit in parts):
        raise InvalidTime(
            f"{text[:40]!r} is not a length of time.", hint="Write it like 48h, 90 min or 7d."
        )
    lengths = (timedelta(**{_LENGTHS[unit]: int(number)}) for number, unit in parts)
    try:
        return sum(lengths, timedelta())
    except OverflowError:
        raise InvalidTime(
            f"{text[:40]!r} is longer than the calendar.", hint="Give a shorter length of time."
        ) from None


def read_month(text: str, today: date) -> str:
    """Parse a month such as `2026-10`, `oct`, `oct 2025`, `this` or `last` to `YYYY-MM`.

    A name without a year is the latest such month that has started. Raises `InvalidMonth`.
    """
    words = " ".join(text.casefold().split()).removesuffix(" month")
    if words == "this":
        return today.isoformat()[:7]
    if words == "last":
        return (today.replace(day=1) - timedelta(days=1)).isoformat()[:7]
    match = _MONTH_PATTERN.fullmatch(words)
    if match and (number := _position_of(match[1], MONTHS)):
        year = int(match[2] or today.year - (number > today.month))
        words = f"{year:04d}-{number:02d}"
    try:
        return check_month(words)
    except InvalidMonth as error:
        hint = "Write 2026-10, oct, oct 2025, this or last."
        raise InvalidMonth(error.message, hint=hint) from None


# --- from words to instants -------------------------------------------------------------------


class Clock(NamedTuple):
    """A time of day and its offset, if one was given; `is_midnight` marks 24:00."""

    time: time
    offset: timezone | None = None
    is_midnight: bool = False


class LocalTime(NamedTuple):
    """A local time and the instants that it can mean: two if clocks show it twice or skip it."""

    local: datetime
    instants: tuple[datetime, ...]
    is_ambiguous: bool = False
    is_skipped: bool = False

    def error(self, zone_name: str) -> InvalidTime:
        """Return the error for a time that clocks show twice or skip, with both instants."""
        texts = [instant.astimezone(self.local.tzinfo).isoformat() for instant in self.instants]
        why = "does not exist" if self.is_skipped else "occurs twice"
        return InvalidTime(
            f"The time {self.local.replace(tzinfo=None).isoformat(' ')} {why} in {zone_name},"
            " because the clocks change.",
            hint=f"Write {' or '.join(texts)}.",
            timezone=zone_name,
            readings=texts,
        )


def has_date_time_separator(text: str) -> bool:
    """Return True if a T joins the date and the time, as in ISO 8601."""
    return _DATE_TIME_SEPARATOR.search(text.casefold()) is not None


def normalise(text: str) -> str:
    """Return a text in lower case and with single spaces, without `at` and `on`."""
    if len(text) > _LONGEST_TEXT:
        raise unreadable_time(text)
    words = _DATE_TIME_SEPARATOR.sub(" ", text.casefold()).split()
    return " ".join(word for word in words if word not in ("at", "on"))


def unreadable_time(text: str) -> InvalidTime:
    """Return the error for a text that cannot be parsed, with examples of valid ones."""
    return InvalidTime(
        f"{text[:40]!r} is not a time.",
        hint="Write it like 2026-10-05 09:00, tomorrow 9am, yesterday 14:00 or 2 hours ago.",
    )


def _check_no_span(words: str) -> None:
    """Refuse `2026-10-05 09:00-10:00`: it may be a span, or an instant with an offset."""
    match = _LIKE_A_SPAN.fullmatch(words)
    if match and match[1].zfill(5) < match[2]:
        instant = f"{match[0].replace(' ', 'T').removesuffix(f'-{match[2]}')}:00-{match[2]}"
        raise InvalidTime(
            f"{words!r} could be a span of time, or one moment {match[2]} behind UTC.",
            hint=f"Write one moment, such as {match[0][: -len(match[2]) - 1]} or {instant}.",
            readings=[match[0].replace("-" + match[2], f" to {match[2]}"), instant],
        )


def _resolve(
    day_words: str, clock: Clock, zone_name: str, now: datetime, *, past: bool
) -> datetime:
    """Return the instant of a day and a time of day; an offset requires an ISO date."""
    if clock.offset and not ISO_DATE.fullmatch(day_words):
        raise ValueError(day_words)
    tz = zone(zone_name)
    day = resolve_day(day_words, clock, now, tz, past=past)
    return _only_instant(local_instants(day, clock, clock.offset or tz), zone_name)


def resolve_day(words: str, clock: Clock, now: datetime, tz: tzinfo, *, past: bool) -> date:
    """Return the day that words mean, such that the time of day is in the past or the future."""
    local_now = now.astimezone(tz)
    today = local_now.date()
    day = _parse_day(words, today, past=past)
    if day == today and words not in _DAYS and (clock.time > local_now.time()) == past:
        # "friday 9am" on a Friday: today if 9am is on the required side, else a week away.
        return _parse_day(words, today + timedelta(days=-1 if past else 1), past=past)
    return day


def local_instants(day: date, clock: Clock, tz: tzinfo) -> LocalTime:
    """Return the instants that a time of day can mean on a day in a zone."""
    local = datetime.combine(day + _ONE_DAY * clock.is_midnight, clock.time, tz)
    instants = tuple(local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if instants[0] == instants[1]:
        return LocalTime(local, instants[:1])
    round_trip = instants[0].astimezone(tz).replace(tzinfo=None)
    is_skipped = round_trip != local.replace(tzinfo=None)
    return LocalTime(local, instants, is_ambiguous=True, is_skipped=is_skipped)


def _only_instant(local: LocalTime, zone_name: str) -> datetime:
    """Return the only instant of a local time; raises `InvalidTime` if it is ambiguous."""
    if local.is_ambiguous:
        raise local.error(zone_name)
    return local.instants[0]


def _relative_time(words: str, zone_name: str, now: datetime) -> datetime:
    """Parse `in 3 days` or `1 h 30 min ago`: hours are exact, days keep the time of day."""
    import pendulum

    sign = -1 if words.endswith(" ago") else 1
    amounts = words.removesuffix(" ago").removeprefix("in ")
    if not re.fullmatch(f"(?:{_AMOUNT.pattern})+", amounts):
        raise unreadable_time(words)
    calendar_units: dict[str, int] = {}
    for number, unit in _AMOUNT.findall(amounts):
        if (name := _UNITS.get(unit)) is None:
            raise unreadable_time(words)
        calendar_units[name] = calendar_units.get(name, 0) + sign * int(number)
    exact_span = timedelta(
        **{name: calendar_units.pop(name) for name in _EXACT_UNITS if name in calendar_units}
    )
    if not calendar_units:
        return now.astimezone(UTC) + exact_span
    local = pendulum.instance(now).in_timezone(zone_name).naive()
    shifted = datetime.fromisoformat(local.add(**calendar_units).isoformat())
    return (
        _only_instant(
            local_instants(shifted.date(), Clock(shifted.time()), zone(zone_name)), zone_name
        )
        + exact_span
    )


# --- days and clocks --------------------------------------------------------------------------


def _parse_day(words: str, today: date, *, past: bool) -> date:
    """Parse a day; one without a week or year is the nearest in its direction, or today."""
    words = " ".join(words.replace(",", " ").split())
    if words in _DAYS:
        return today + timedelta(days=_DAYS[words])
    if ISO_DATE.fullmatch(words):
        return _parse_iso_date(words)
    if match := _NUMERIC_DATE_PATTERN.fullmatch(words):
        raise _ambiguous_date(words, *match.groups())
    last, _, name = words.rpartition(" ")
    if (weekday := _position_of(name, WEEKDAYS)) and last in ("", "last"):
        if last:
            return today - timedelta(days=(today.weekday() - weekday) % 7 + 1)
        ahead = (weekday - 1 - today.weekday()) % 7
        return today + timedelta(days=-(-ahead % 7) if past else ahead)
    match = _DATE_PATTERN.fullmatch(words)
    if match and _position_of(match[1] or match[2], MONTHS):
        return _parse_date_in_words(words, today, past=past, has_year=match[3] is not None)
    raise unreadable_time(words)


def _parse_date_in_words(words: str, today: date, *, past: bool, has_year: bool) -> date:
    """Parse a date whose syntax was checked, such as `5 oct` or `october 5th 2026`."""
    from dateutil.parser import parse

    def in_year(year: int) -> date:
        return parse(words, default=datetime(year, 1, 1)).date()  # noqa: DTZ001 -- A calendar day.

    day = in_year(today.year)
    if has_year or day == today or (day < today) == past:
        return day
    return in_year(today.year + (-1 if past else 1))


def _parse_iso_date(iso: str) -> date:
    try:
        return date.fromisoformat(iso)
    except ValueError:
        raise InvalidTime(f"The date {iso} does not exist.", hint="Check the date.") from None


def _ambiguous_date(words: str, *numbers: str) -> InvalidTime:
    """Return the error for a numeric date, with the dates that it could mean."""
    first, second, third = (int(number) for number in numbers)
    readings = set()
    for year, month, day in (
        (third, second, first),
        (third, first, second),
        (first, second, third),
    ):
        try:
            readings.add(date(year if year > 99 else 2000 + year, month, day).isoformat())  # noqa: PLR2004
        except ValueError:
            continue
    return InvalidTime(
        f"In {words!r} it is not clear which number is the day.",
        hint=f"Write {' or '.join(sorted(readings)) or 'it like 2026-10-05'}.",
        readings=sorted(readings),
    )


def _position_of(word: str, names: tuple[str, ...]) -> int | None:
    """Return the position, from 1, of the name that a word abbreviates; None without one."""
    if len(word) < _SHORTEST_NAME:
        return None
    return next((position for position, name in enumerate(names, 1) if name.startswith(word)), None)


def read_clock(words: str) -> Clock:
    """Parse a time of day, with its offset if it has one; raises `ValueError`."""
    if (match := _CLOCK_PARTS.fullmatch(words)) is None:
        raise ValueError(words)
    offset = _parse_offset(match["offset"])
    if _MIDNIGHT.fullmatch(words[: match.start("offset")] if match["offset"] else words):
        return Clock(time(), offset, is_midnight=True)
    hour = int(match["hour"] or 12)
    if match["half"]:
        if not 1 <= hour <= 12:  # noqa: PLR2004 -- What a clock face has.
            raise ValueError(words)
        hour = hour % 12 + (12 if match["half"] == "pm" else 0)
    time_of_day = time(
        hour,
        int(match["minute"] or 0),
        int(match["second"] or 0),
        int((match["fraction"] or "")[:6].ljust(6, "0")),  # Digits below a microsecond are dropped.
    )
    return Clock(time_of_day, offset)


def _parse_offset(words: str | None) -> timezone | None:
    if words is None or words in ("z", "utc"):
        return UTC if words else None
    hours, minutes = int(words[1:3]), int(words[-2:])
    span = timedelta(hours=hours, minutes=minutes)
    if minutes >= 60 or span > _WIDEST_OFFSETS[words[0]]:  # noqa: PLR2004 -- Minutes of an hour.
        raise ValueError(words)
    return timezone(-span if words[0] == "-" else span)


def _start_of_day(day: date, zone_name: str) -> datetime:
    """Return the start of a day, even if clocks go forward at midnight."""
    return datetime.combine(day, time(), zone(zone_name)).astimezone(UTC)
