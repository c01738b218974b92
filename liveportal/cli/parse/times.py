"""Times and months as people type them; never guessed, refused where two readings differ.

A day is given by name (`yesterday`, `friday`), in words (`5 oct 2026`) or as `2026-10-05`; numeric
dates in another order are refused. Times are in the zone that the caller names, unless an offset
follows an ISO date. All functions return instants in UTC. What is slow to import is imported by the
forms that need it. Spans of time are read by `spans`.
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
_T = pattern("(?<=[0-9])t(?=[0-9])")
_LIKE_A_SPAN = pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2} ([0-9]{1,2}:[0-9]{2})-([0-9]{2}:[0-9]{2})")
_AMOUNT = pattern(r"([0-9]{1,6})\s?([a-z]+)\s?")
ISO_DATE = pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMERIC_DATE = pattern(r"([0-9]{1,4})[/.-]([0-9]{1,2})[/.-]([0-9]{1,4})")
_DATE_IN_WORDS = pattern(
    r"(?:[0-9]{1,2}(?:st|nd|rd|th)?(?: of)? ([a-z]+)|([a-z]+) [0-9]{1,2}(?:st|nd|rd|th)?)"
    r"( [0-9]{4})?"
)
_MONTH_IN_WORDS = pattern(r"([a-z]+)(?: ([0-9]{4}))?")


def utc_now() -> datetime:
    """Return what time it is; nothing below the command line asks."""
    return datetime.now(UTC)


# --- what people type -------------------------------------------------------------------------


def read_time(
    text: str,
    zone_name: str,
    now: datetime,
    *,
    past: bool = False,
    date_only: bool = False,
    is_end: bool = False,
) -> datetime:
    """Read a moment such as `now`, `tomorrow 9am`, `2 hours ago` or `2026-10-05 09:00`.

    A weekday, or a date without its year, is the next one, or the latest if `past`. A date alone is
    refused unless `date_only`; then it is the day's first moment. 24:00 is read where something
    ends (`is_end`). Raises `InvalidTime`, above all for a time that the zone's clocks skip or show
    twice, and for a span of time, whose end could be an offset; `InvalidValue` for the zone.
    """
    words = words_of(text)
    today = local_date(now, zone_name)
    if not has_t(text):
        _check_no_span(words)
    try:
        if words == "now":
            return now.astimezone(UTC)
        if words.endswith(" ago") or words.startswith("in "):
            return _counted_from_now(words, zone_name, now)
        if match := _DAY_THEN_CLOCK.fullmatch(words):
            day_words, clock = match[1] or "today", read_clock(match[2])
        elif match := _CLOCK_THEN_DAY.fullmatch(words):
            day_words, clock = match[2], read_clock(match[1])
        else:
            day_words, clock = words, None
        if clock and (is_end or not clock.is_midnight):
            return _moment(day_words, clock, zone_name, now, past=past)
        day = _day(words, today, past=past)
        if not date_only:
            raise InvalidTime(f"{words!r} has no time of day", hint=f"Write it like {day} 09:00.")
        return _first_moment(day, zone_name)
    except (OverflowError, ValueError):
        raise unreadable(text) from None


def as_known(text: str, zone_name: str, now: datetime) -> datetime:
    """Read a moment up to which to look; a date alone is the last microsecond of that day.

    Raises as `read_time` does.
    """
    try:
        day = _day(words_of(text), local_date(now, zone_name), past=True)
    except (InvalidTime, ValueError):
        return read_time(text, zone_name, now, past=True)
    try:
        return _first_moment(day + timedelta(days=1), zone_name) - MICROSECOND
    except OverflowError:  # The calendar ends there.
        raise unreadable(text) from None


def read_length(text: str) -> timedelta:
    """Read a length of time such as `48h`, `90 min`, `2h30m` or `7d`; raises `InvalidTime`."""
    words = text.strip().casefold()
    parts = _AMOUNT.findall(words) if re.fullmatch(f"(?:{_AMOUNT.pattern})+", words) else []
    if not parts or any(unit not in _LENGTHS for _, unit in parts):
        raise InvalidTime(
            f"{text[:40]!r} is not a length of time", hint="Write it like 48h, 90 min or 7d."
        )
    lengths = (timedelta(**{_LENGTHS[unit]: int(number)}) for number, unit in parts)
    try:
        return sum(lengths, timedelta())
    except OverflowError:
        raise InvalidTime(f"{text[:40]!r} is longer than the calendar") from None


def read_month(text: str, today: date) -> str:
    """Read a month such as `2026-10`, `oct`, `oct 2025`, `this` or `last` as `YYYY-MM`.

    A name without a year is the latest such month that has begun. Raises `InvalidMonth`.
    """
    words = " ".join(text.casefold().split()).removesuffix(" month")
    if words == "this":
        return today.isoformat()[:7]
    if words == "last":
        return (today.replace(day=1) - timedelta(days=1)).isoformat()[:7]
    match = _MONTH_IN_WORDS.fullmatch(words)
    if match and (number := _place(match[1], MONTHS)):
        year = int(match[2] or today.year - (number > today.month))
        words = f"{year:04d}-{number:02d}"
    try:
        return check_month(words)
    except InvalidMonth as error:
        hint = "Write 2026-10, oct, oct 2025, this or last."
        raise InvalidMonth(error.message, hint=hint) from None


# --- from words to instants -------------------------------------------------------------------


class Clock(NamedTuple):
    """A time of day, and the offset that it was given with; 24:00 is `is_midnight`."""

    time: time
    offset: timezone | None = None
    is_midnight: bool = False


class Local(NamedTuple):
    """A local time, and the instants that it can mean: two if the clocks show it twice or never."""

    shown: datetime
    instants: tuple[datetime, ...]
    doubt: bool = False
    is_skipped: bool = False

    def error(self, zone_name: str) -> InvalidTime:
        """Return the refusal of a time that the clocks show twice or never, with both readings."""
        texts = [each.astimezone(self.shown.tzinfo).isoformat() for each in self.instants]
        why = "does not exist" if self.is_skipped else "comes twice"
        return InvalidTime(
            f"{self.shown.replace(tzinfo=None).isoformat(' ')} {why} in {zone_name}, where the"
            f" clocks change: it could mean {' or '.join(texts)}",
            hint=f"Write {' or '.join(texts)}.",
            timezone=zone_name,
            readings=texts,
        )


def has_t(text: str) -> bool:
    """Return True if a date and a time are joined by a T, as they are in an instant."""
    return _T.search(text.casefold()) is not None


def words_of(text: str) -> str:
    """Return a text in small letters and with single spaces, without words that say nothing."""
    if len(text) > _LONGEST_TEXT:
        raise unreadable(text)
    words = _T.sub(" ", text.casefold()).split()
    return " ".join(word for word in words if word not in ("at", "on"))


def unreadable(text: str) -> InvalidTime:
    """Return the refusal of a text that is in no form, with examples of those that are."""
    return InvalidTime(
        f"{text[:40]!r} cannot be read as a time",
        hint="Write it like 2026-10-05 09:00, tomorrow 9am, yesterday 14:00 or 2 hours ago.",
    )


def _check_no_span(words: str) -> None:
    """Refuse `2026-10-05 09:00-10:00`, which is a span, or an instant with an offset."""
    match = _LIKE_A_SPAN.fullmatch(words)
    if match and match[1].zfill(5) < match[2]:
        instant = f"{match[0].replace(' ', 'T').removesuffix(f'-{match[2]}')}:00-{match[2]}"
        raise InvalidTime(
            f"{words!r} is a span of time, or an instant {match[2]} behind UTC",
            hint=f"Write one moment, such as {match[0][: -len(match[2]) - 1]} or {instant}.",
            readings=[match[0].replace("-" + match[2], f" to {match[2]}"), instant],
        )


def _moment(day_words: str, clock: Clock, zone_name: str, now: datetime, *, past: bool) -> datetime:
    """Return the instant of a day and a time of day; an offset needs an ISO date before it."""
    if clock.offset and not ISO_DATE.fullmatch(day_words):
        raise ValueError(day_words)
    place = zone(zone_name)
    day = day_of(day_words, clock, now, place, past=past)
    return _single(local_time(day, clock, clock.offset or place), zone_name)


def day_of(words: str, clock: Clock, now: datetime, place: tzinfo, *, past: bool) -> date:
    """Return the day that words mean, of which a time of day is on the side that is meant."""
    local = now.astimezone(place)
    today = local.date()
    day = _day(words, today, past=past)
    if day == today and words not in _DAYS and (clock.time > local.time()) == past:
        # "friday 9am", on a Friday: the nearest 9am on the side that is meant.
        return _day(words, today + timedelta(days=-1 if past else 1), past=past)
    return day


def local_time(day: date, clock: Clock, place: tzinfo) -> Local:
    """Return what a time of a day can mean in a zone."""
    local = datetime.combine(day + _ONE_DAY * clock.is_midnight, clock.time, place)
    instants = tuple(local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if instants[0] == instants[1]:
        return Local(local, instants[:1])
    back = instants[0].astimezone(place).replace(tzinfo=None)
    is_skipped = back != local.replace(tzinfo=None)
    return Local(local, instants, doubt=True, is_skipped=is_skipped)


def _single(local: Local, zone_name: str) -> datetime:
    """Return the one instant of a local time; raises `InvalidTime` if there are none or two."""
    if local.doubt:
        raise local.error(zone_name)
    return local.instants[0]


def _counted_from_now(words: str, zone_name: str, now: datetime) -> datetime:
    """Read `in 3 days` or `1 h 30 min ago`: hours are exact, days and longer keep the clock."""
    import pendulum

    sign = -1 if words.endswith(" ago") else 1
    amounts = words.removesuffix(" ago").removeprefix("in ")
    if not re.fullmatch(f"(?:{_AMOUNT.pattern})+", amounts):
        raise unreadable(words)
    counted: dict[str, int] = {}
    for number, unit in _AMOUNT.findall(amounts):
        if (name := _UNITS.get(unit)) is None:
            raise unreadable(words)
        counted[name] = counted.get(name, 0) + sign * int(number)
    exact = timedelta(**{name: counted.pop(name) for name in _EXACT_UNITS if name in counted})
    if not counted:
        return now.astimezone(UTC) + exact
    local = pendulum.instance(now).in_timezone(zone_name).naive()
    moved = datetime.fromisoformat(local.add(**counted).isoformat())
    return (
        _single(local_time(moved.date(), Clock(moved.time()), zone(zone_name)), zone_name) + exact
    )


# --- days and clocks --------------------------------------------------------------------------


def _day(words: str, today: date, *, past: bool) -> date:
    """Read a day; one without a week or year is the nearest on its side, today included."""
    words = " ".join(words.replace(",", " ").split())
    if words in _DAYS:
        return today + timedelta(days=_DAYS[words])
    if ISO_DATE.fullmatch(words):
        return _in_calendar(words)
    if match := _NUMERIC_DATE.fullmatch(words):
        raise _ambiguous(words, *match.groups())
    last, _, name = words.rpartition(" ")
    if (weekday := _place(name, WEEKDAYS)) and last in ("", "last"):
        if last:
            return today - timedelta(days=(today.weekday() - weekday) % 7 + 1)
        ahead = (weekday - 1 - today.weekday()) % 7
        return today + timedelta(days=-(-ahead % 7) if past else ahead)
    match = _DATE_IN_WORDS.fullmatch(words)
    if match and _place(match[1] or match[2], MONTHS):
        return _date_in_words(words, today, past=past, has_year=match[3] is not None)
    raise unreadable(words)


def _date_in_words(words: str, today: date, *, past: bool, has_year: bool) -> date:
    """Read a date whose form is known to be good, such as `5 oct` or `october 5th 2026`."""
    from dateutil.parser import parse

    def in_year(year: int) -> date:
        return parse(words, default=datetime(year, 1, 1)).date()  # noqa: DTZ001 -- A calendar day.

    day = in_year(today.year)
    if has_year or day == today or (day < today) == past:
        return day
    return in_year(today.year + (-1 if past else 1))


def _in_calendar(iso: str) -> date:
    try:
        return date.fromisoformat(iso)
    except ValueError:
        raise InvalidTime(f"{iso} is not in the calendar") from None


def _ambiguous(words: str, *numbers: str) -> InvalidTime:
    """Refuse a numeric date, naming what it could mean."""
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
        f"{words!r} does not say which number is the day",
        hint=f"Write {' or '.join(sorted(readings)) or 'it like 2026-10-05'}.",
        readings=sorted(readings),
    )


def _place(word: str, names: tuple[str, ...]) -> int | None:
    """Return the place, from 1, of the name that a word is or begins; None if there is none."""
    if len(word) < _SHORTEST_NAME:
        return None
    return next((place for place, name in enumerate(names, 1) if name.startswith(word)), None)


def read_clock(words: str) -> Clock:
    """Read a time of day, with its offset if it has one; raises `ValueError`."""
    if (match := _CLOCK_PARTS.fullmatch(words)) is None:
        raise ValueError(words)
    offset = _offset(match["offset"])
    if _MIDNIGHT.fullmatch(words[: match.start("offset")] if match["offset"] else words):
        return Clock(time(), offset, is_midnight=True)
    hour = int(match["hour"] or 12)
    if match["half"]:
        if not 1 <= hour <= 12:  # noqa: PLR2004 -- What a clock face has.
            raise ValueError(words)
        hour = hour % 12 + (12 if match["half"] == "pm" else 0)
    moment = time(
        hour,
        int(match["minute"] or 0),
        int(match["second"] or 0),
        int((match["fraction"] or "")[:6].ljust(6, "0")),  # Finer digits are cut off.
    )
    return Clock(moment, offset)


def _offset(words: str | None) -> timezone | None:
    if words is None or words in ("z", "utc"):
        return UTC if words else None
    hours, minutes = int(words[1:3]), int(words[-2:])
    span = timedelta(hours=hours, minutes=minutes)
    if minutes >= 60 or span > _WIDEST_OFFSETS[words[0]]:  # noqa: PLR2004 -- Minutes of an hour.
        raise ValueError(words)
    return timezone(-span if words[0] == "-" else span)


def _first_moment(day: date, zone_name: str) -> datetime:
    """Return when a day begins, even where the clocks go forward at midnight."""
    return datetime.combine(day, time(), zone(zone_name)).astimezone(UTC)
