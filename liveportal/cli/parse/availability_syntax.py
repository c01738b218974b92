"""Parse hours, rules and sizes as people type them, and format them in the same syntax."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from liveportal.cli.parse.times import WEEKDAYS as DAY_NAMES
from liveportal.cli.parse.times import read_length
from liveportal.domain.errors import InvalidEvent, InvalidValue, about
from liveportal.domain.events.fields import decode, split
from liveportal.domain.events.types import Vacation
from liveportal.domain.money import Money
from liveportal.domain.patterns import pattern
from liveportal.domain.schedule.auto_decline import DeclineRule
from liveportal.domain.schedule.working_hours import (
    ONE_DAY,
    WEEKDAYS,
    DayException,
    Recurrence,
    Week,
)

MOST_DAYS = 10_000
MEGABYTE = 1_000_000

_SHORTEST_NAME = 3
_SPACES = pattern(r"\s*([-,\u2013])\s*")
_CLOCK = r"([0-9]{1,2})(?::([0-9]{2}))?"
_HOURS_PATTERN = pattern(rf"{_CLOCK}[-\u2013]{_CLOCK}", re.ASCII)
_RECURRING_PATTERN = pattern(
    r"(?P<rule>\S+) from (?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[ t]"
    r"(?P<hour>[0-9]{1,2})(?P<minute>:[0-9]{2}(?::[0-9]{2})?) for (?P<length>.+)",
    re.ASCII | re.IGNORECASE,
)
_SIZE_PATTERN = pattern(r"([0-9]{1,19})(?:\.([0-9]{1,9}))?\s*([a-z]*)", re.ASCII)
_DECIMAL_UNITS = {"": 1, "b": 1, "bytes": 1, "kb": 1_000, "mb": MEGABYTE, "gb": 1_000 * MEGABYTE}
_UNITS = {**_DECIMAL_UNITS, "kib": 1024, "mib": 1024**2, "gib": 1024**3}
_LONGEST_LISTED_RUN = 2


# --- hours ------------------------------------------------------------------------------------


def read_hours(texts: Iterable[str]) -> dict[str, list[str]]:
    """Parse a week such as `mon-fri 09:00-12:30 13:30-18:00`; raises `InvalidValue`."""
    week: dict[str, list[str]] = {}
    for text in texts:
        days, *spans = _split_words(text)
        if not spans:
            raise InvalidValue(f"{_quote(text)} has no hours.", hint=_HOURS_HINT)
        hours = [_parse_hours(span) for span in spans]
        for day in _parse_weekdays(days):
            week.setdefault(day, []).extend(hours)
    return {day: sorted(set(week[day])) for day in WEEKDAYS if day in week}


_HOURS_HINT = "Write it like mon-fri 09:00-12:30 13:30-18:00, or sat,sun 10-14."


def _split_words(text: str) -> list[str]:
    """Split a text into words; a range or list is one word, whatever its spacing."""
    return _SPACES.sub(r"\1", text.casefold()).split()


def _parse_weekdays(words: str) -> list[str]:
    """Parse days such as `mon-fri`, `mon,wed` or `fri-mon`."""
    days = []
    for part in words.split(","):
        first, _, last = part.replace("\u2013", "-").partition("-")
        start = _parse_weekday(first)
        length = (_parse_weekday(last) - start) % 7 if last else 0
        days += [WEEKDAYS[(start + n) % 7] for n in range(length + 1)]
    return days


def _parse_weekday(word: str) -> int:
    for place, name in enumerate(DAY_NAMES):
        if len(word) >= _SHORTEST_NAME and name.startswith(word):
            return place
    raise InvalidValue(
        f"{_quote(word)} is not a day of the week.",
        hint=f"The days are {', '.join(WEEKDAYS)}. {_HOURS_HINT}",
    )


def _parse_hours(word: str) -> str:
    """Parse hours such as `09:00-12:30`, `9-17`, `22:00-02:00` or `18-24`."""
    match = _HOURS_PATTERN.fullmatch(word)
    if match:
        from_hour, from_minute, to_hour, to_minute = (int(digits or 0) for digits in match.groups())
        to_midnight = (to_hour, to_minute) == (24, 0)
        if from_hour < 24 and (to_hour < 24 or to_midnight) and max(from_minute, to_minute) < 60:  # noqa: PLR2004 (what a clock has)
            return f"{from_hour:02}:{from_minute:02}-{to_hour:02}:{to_minute:02}"
    raise InvalidValue(
        f"{_quote(word)} is not a span of hours.",
        hint="Write it like 09:00-12:30, 9-17 or 22:00-02:00. A day ends at 24:00.",
    )


def hours_words(week: Week) -> list[str]:
    """Format a week; days with the same hours share a line."""
    days: dict[tuple[str, ...], list[int]] = {}
    for place, day in enumerate(WEEKDAYS):
        if hours := getattr(week, day):
            days.setdefault(hours, []).append(place)
    return [f"{_format_days(places)} {' '.join(hours)}" for hours, places in days.items()]


def _format_days(places: Sequence[int]) -> str:
    runs = []
    for _, run in groupby(enumerate(places), lambda pair: pair[1] - pair[0]):
        names = [WEEKDAYS[place] for _, place in run]
        runs += names if len(names) <= _LONGEST_LISTED_RUN else [f"{names[0]}-{names[-1]}"]
    return ",".join(runs)


# --- recurring hours, exceptions and vacations --------------------------------------------------


def read_recurring(text: str) -> dict[str, Any]:
    """Parse `FREQ=WEEKLY;BYDAY=SA from 2026-10-03 10:00 for 3h`; raises `InvalidValue`."""
    hint = "Write it like FREQ=WEEKLY;INTERVAL=2;BYDAY=SA from 2026-10-03 10:00 for 3h."
    match = _RECURRING_PATTERN.fullmatch(" ".join(text.split()))
    if match is None:
        raise InvalidValue(f"{_quote(text)} is not a rule with a start and a length.", hint=hint)
    length = read_length(match["length"])
    document = {
        "rrule": match["rule"].upper(),
        "start": f"{match['day']}T{match['hour']:0>2}{match['minute']}",
        "minutes": length // timedelta(minutes=1),
    }
    try:
        decode(Recurrence, document)
    except InvalidEvent as error:
        typed = {"rrule": match["rule"], "minutes": match["length"]}
        shown = typed.get(error.field, f"{match['day']} {match['hour']}{match['minute']}")
        raise InvalidValue(about(_quote(shown), error.reason), hint=hint) from None
    return document


def rule_words(rule: Recurrence) -> str:
    """Format recurring hours."""
    start = rule.start.isoformat(" ").removesuffix(":00")
    return f"{rule.rrule} from {start} for {_format_minutes(rule.minutes)}"


def _format_minutes(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return f"{f'{hours}h' if hours else ''}{f'{rest}m' if rest else ''}"


def read_exceptions(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Parse days such as `2026-12-24 09:00-12:00`, or `2026-12-25..2026-12-26` without hours."""
    days: dict[date, list[str]] = {}
    for text in texts:
        words, *spans = _SPACES.sub(r"\1", re.sub(r"\s*\.\.\s*", "..", text)).split()
        hours = [_parse_hours(span) for span in spans]
        first, last = read_days(words, "a day")
        if (last - first).days >= MOST_DAYS - len(days):
            raise InvalidValue(
                f"There can be at most {MOST_DAYS} days with other hours.",
                hint="Give a shorter span of days.",
            )
        for number in range((last - first).days + 1):
            days.setdefault(first + number * ONE_DAY, []).extend(hours)
    return [
        {"date": day.isoformat(), "hours": sorted(set(hours))}
        for day, hours in sorted(days.items())
    ]


def exception_words(exceptions: Iterable[DayException]) -> list[str]:
    """Format exceptions; consecutive days with the same hours share a line."""
    runs: list[tuple[date, date, tuple[str, ...]]] = []
    for exception in exceptions:
        first, last, hours = runs[-1] if runs else (None, None, None)
        if (
            first
            and last
            and last.toordinal() + 1 == exception.date.toordinal()
            and hours == exception.hours
        ):
            runs[-1] = (first, exception.date, exception.hours)
        else:
            runs.append((exception.date, exception.date, exception.hours))
    return [
        " ".join((str(first) if first == last else f"{first}..{last}", *hours))
        for first, last, hours in runs
    ]


def read_vacation(text: str) -> Vacation:
    """Parse days off such as `2026-12-24..2027-01-02`; raises `InvalidValue`."""
    start, end = read_days(text, "a vacation")
    return Vacation(start=start, end=end)


def read_days(text: str, what: str) -> tuple[date, date]:
    """Parse a day, or a first and last day joined by `..`; raises `InvalidValue`."""
    first, dots, last = text.partition("..")
    try:
        start = date.fromisoformat(first.strip())
        end = date.fromisoformat(last.strip()) if dots else start
    except ValueError:
        raise InvalidValue(
            f"{_quote(text)} is not {what}.", hint="Write it like 2026-12-24..2027-01-02."
        ) from None
    if end < start:
        raise InvalidValue(
            f"{_quote(text)} ends before it begins.", hint="Give the earlier day first."
        )
    return start, end


# --- rules that decline requests ----------------------------------------------------------------

_PHRASES: dict[str, tuple[str, Any]] = {
    "instant": ("kind", "instant"),
    "scheduled": ("kind", "scheduled"),
    "not my skills": ("unmatched", True),
    "my skills": ("unmatched", False),
    "outside my hours": ("outside_hours", True),
    "within my hours": ("outside_hours", False),
    "on vacation": ("on_vacation", True),
    "not on vacation": ("on_vacation", False),
}
_DECLINING_HINT = (
    "Write conditions joined by `and`, a colon and the reason, such as 'below 2.50 and instant:"
    " pays too little'. `liveportal preferences set --help` lists the conditions."
)
_SHORTER = pattern(r"shorter than ([0-9]{1,4})(?: ?(?:m|min|minutes))?", re.ASCII)


def read_declining(text: str, amount: Callable[[str], Money]) -> dict[str, Any]:
    """Parse `below 2.50 and instant: pays less than I take`; raises `InvalidValue`.

    An id may contain colons: the reason starts after the first colon that a space follows.
    """
    colon = re.search(r":\s", text) or re.search(":", text)
    reason = text[colon.end() :].strip() if colon else ""
    if colon is None or not reason:
        raise InvalidValue(f"{_quote(text)} does not give a reason.", hint=_DECLINING_HINT)
    values: dict[str, Any] = {}
    for condition in re.split(r"\s+and\s+", text[: colon.start()].strip(), flags=re.IGNORECASE):
        name, value = _parse_condition(" ".join(condition.split()), amount)
        if name in values:
            raise InvalidValue(
                f"{_quote(condition)} is a second condition of the same kind.",
                hint="Make two rules.",
            )
        values[name] = value
    try:
        return split(DeclineRule(reason=reason, **values))[0]
    except InvalidEvent as error:
        raise InvalidValue(
            about(f"The {error.field} of {_quote(text)}", error.reason), hint=_DECLINING_HINT
        ) from None


def _parse_condition(words: str, amount: Callable[[str], Money]) -> tuple[str, Any]:
    folded = words.casefold()
    if folded in _PHRASES:
        return _PHRASES[folded]
    first, _, rest = words.partition(" ")
    if first.casefold() == "below" and rest:
        return "below_rate", amount(rest)
    if match := _SHORTER.fullmatch(folded):
        return "shorter_than", int(match[1])
    if first.casefold() in ("customer", "customers") and rest:
        return "customers", tuple(rest.replace(",", " ").split())
    raise InvalidValue(f"{_quote(words)} is not a condition.", hint=_DECLINING_HINT)


def declining_words(rule: DeclineRule) -> str:
    """Format a rule that declines requests."""
    conditions = []
    if rule.below_rate is not None:
        conditions.append(f"below {rule.below_rate} {rule.below_rate.currency}")
    for phrase, (name, value) in _PHRASES.items():
        if getattr(rule, name) == value:
            conditions.append(phrase)
    if rule.shorter_than is not None:
        conditions.append(f"shorter than {rule.shorter_than}")
    if rule.customers is not None:
        conditions.append(f"customer {', '.join(rule.customers)}")
    return f"{' and '.join(conditions)}: {rule.reason}"


# --- sizes ------------------------------------------------------------------------------------


def read_size(text: str) -> int:
    """Parse a size such as `500MB`, `1.5 GiB` or `2048`, in bytes; raises `InvalidValue`."""
    match = _SIZE_PATTERN.fullmatch(text.strip().casefold())
    unit = _UNITS.get(match[3]) if match else None
    if match is None or unit is None:
        raise InvalidValue(
            f"{_quote(text)} is not a size.",
            hint="Write it like 500MB (KB, MB, GB), 500MiB (KiB, MiB, GiB), or in bytes.",
        )
    fraction = match[2] or ""
    scale: int = 10 ** len(fraction)
    size, rest = divmod(int(match[1] + fraction) * unit, scale)
    if rest:
        raise InvalidValue(
            f"{_quote(text)} is not a whole number of bytes.", hint="Give fewer decimal places."
        )
    return size


def size_words(size: int) -> str:
    """Format a size in bytes as megabytes, exactly."""
    whole, rest = divmod(size, MEGABYTE)
    return f"{whole}.{rest:06}".rstrip("0").rstrip(".") + " MB"


def _quote(text: str) -> str:
    """Quote a text for a message, cut to 40 characters."""
    return repr(text if len(text) <= 40 else text[:40] + "\u2026")  # noqa: PLR2004
