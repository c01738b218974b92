"""When the expert is there: weekly hours, recurring ones, and days that are different.

Hours are what the clock on the expert's wall shows, in `preferences.timezone`: 07:30 stays 07:30
when the clocks change, and only then becomes an instant. A span is [start, end): it begins when the
clock first shows its start or a later time, and lasts until the clock last shows less than its end.
So a time that is skipped is where the clocks skip, and of hours that come twice both are within.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from liveportal.domain.clock import FIRST, LAST, MICROSECOND, local_date, shifted, zone
from liveportal.domain.errors import InvalidEvent
from liveportal.domain.events.envelope import event_data
from liveportal.domain.events.fields import (
    Day,
    EventRecord,
    FieldType,
    Integer,
    ListOf,
    Pattern,
    Struct,
    Text,
    of,
)
from liveportal.domain.patterns import pattern

if TYPE_CHECKING:
    from dateutil.rrule import rrule as Rule  # noqa: N812 (a class, whatever it is called)

Span = tuple[datetime, datetime]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ONE_DAY = timedelta(days=1)
ALWAYS = ("00:00-24:00",)
A_CENTURY = timedelta(days=36_525)
"""For how long a rule is followed; one that has not come by then never comes."""

_LONGEST_RULE = 500
_CALENDAR_YEARS = 400  # After as many years, weekdays and leap years are the same again.
_DAY = "(MO|TU|WE|TH|FR|SA|SU)"
_MONTH = "(0?[1-9]|1[0-2])"
_MONTH_DAY = "([+-]?(0?[1-9]|[12][0-9]|3[01]))"
_PLACE = "([+-]?[1-9][0-9]{0,2})"
_UNTIL = pattern("(?<=UNTIL=)[0-9]{8}")
_RULE_PARTS = {
    "FREQ": ("DAILY|WEEKLY|MONTHLY|YEARLY", "DAILY, WEEKLY, MONTHLY or YEARLY"),
    "INTERVAL": ("[1-9][0-9]{0,2}", "from 1 to 999"),
    "BYDAY": (f"([+-]?[1-9][0-9]?)?{_DAY}(,([+-]?[1-9][0-9]?)?{_DAY})*", "of days such as SA,SU"),
    "BYMONTH": (f"{_MONTH}(,{_MONTH})*", "of months from 1 to 12"),
    "BYMONTHDAY": (f"{_MONTH_DAY}(,{_MONTH_DAY})*", "of days from 1 to 31, or from -31 to -1"),
    "BYSETPOS": (f"{_PLACE}(,{_PLACE})*", "of places such as 1 or -1"),
    "COUNT": ("[1-9][0-9]{0,5}", "from 1 to 999999"),
    "UNTIL": ("[0-9]{8}(T[0-9]{6})?", "of a local time such as 20261231T235959, without a Z"),
    "WKST": (_DAY, "of a day such as MO"),
}
_EARLIEST_RULE = datetime(1970, 1, 1)  # noqa: DTZ001 (what a clock on the wall shows)
_HOURS = pattern(r"(?P<from>[0-9]{2}:[0-9]{2})-(?P<to>[0-9]{2}:[0-9]{2})", re.ASCII)


class LocalTime(FieldType):
    """A date and time of day without an offset: what a clock on the wall shows."""

    def read(self, path: str, raw: Any) -> datetime:
        try:
            found = datetime.fromisoformat(raw)
        except (TypeError, ValueError):
            raise InvalidEvent(path, "must be a local time such as 2026-10-05T09:00") from None
        self.check(path, found)
        return found

    def check(self, path: str, value: Any) -> None:
        if not isinstance(value, datetime) or value.tzinfo or value < _EARLIEST_RULE:
            raise InvalidEvent(path, "must be a local time from 1970 on, without an offset")

    def write(self, value: datetime) -> str:
        return value.isoformat().removesuffix(":00")  # Seconds are seldom given.


LOCAL_TIME = LocalTime()


class RuleText(Text):
    """A recurrence rule (RFC 5545) by days, weeks, months or years."""

    def check(self, path: str, value: Any) -> None:
        super().check(path, value)
        if len(value) > _LONGEST_RULE or not value.isascii():
            raise InvalidEvent(path, f"must be at most {_LONGEST_RULE} characters of ASCII")
        parts = [part.partition("=")[::2] for part in value.upper().split(";")]
        given = dict(parts)
        if len(given) < len(parts) or not given.keys() <= _RULE_PARTS.keys():
            raise InvalidEvent(path, f"may have only {', '.join(_RULE_PARTS)}, each once")
        for name, setting in {"FREQ": "", **given}.items():
            pattern, form = _RULE_PARTS[name]
            if not re.fullmatch(pattern, setting):
                raise InvalidEvent(path, f"must have {name} {form}")
        if given.keys() >= {"COUNT", "UNTIL"}:
            raise InvalidEvent(path, "may have COUNT or UNTIL, not both")
        numbers = re.findall("[0-9]+", given.get("BYDAY", ""))
        if any(int(number) > _most_of_a_day(given) for number in numbers):
            raise InvalidEvent(path, "may number a BYDAY only up to 5 in a month, 53 in a year")


def _most_of_a_day(given: Mapping[str, str]) -> int:
    """Return how often a weekday may come in what a rule counts it in; 0 where it counts none."""
    if given["FREQ"] == "YEARLY" and "BYMONTH" not in given:
        return 53
    return 5 if given["FREQ"] in ("MONTHLY", "YEARLY") else 0


HOURS = Pattern(
    r"([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)",
    "hours such as 09:00-12:30",
)
"""From one time of day to another; one that is not later is on the next day."""


@event_data
class Week(EventRecord):
    """The usual hours of each weekday; a day that is not named has none."""

    mon: tuple[str, ...] | None = of(ListOf(HOURS), default=None)
    tue: tuple[str, ...] | None = of(ListOf(HOURS), default=None)
    wed: tuple[str, ...] | None = of(ListOf(HOURS), default=None)
    thu: tuple[str, ...] | None = of(ListOf(HOURS), default=None)
    fri: tuple[str, ...] | None = of(ListOf(HOURS), default=None)
    sat: tuple[str, ...] | None = of(ListOf(HOURS), default=None)
    sun: tuple[str, ...] | None = of(ListOf(HOURS), default=None)


@event_data
class Recurrence(EventRecord):
    """Hours that come again by a rule: the first begin at `start` and last `minutes`."""

    rrule: str = of(RuleText())
    start: datetime = of(LOCAL_TIME)
    minutes: int = of(Integer(1, 24 * 60))

    def check_whole(self) -> None:
        """Refuse a rule that cannot be read, or never comes."""
        try:
            _rule(self.rrule, self.start)
            first = _first(self.rrule, self.start)
        except (ValueError, TypeError, OverflowError) as error:
            raise InvalidEvent("rrule", f"cannot be read: {error}") from None
        if first is None or first > A_CENTURY:
            raise InvalidEvent("rrule", "never comes")

    def starts(self, since: datetime) -> Iterator[datetime]:
        """Yield the local times from `since` on at which the hours begin, in order."""
        last = _later(self.start, A_CENTURY)
        try:
            for start in _rule(self.rrule, self._near(since)):
                if start > last:
                    return
                if start >= since:
                    yield start
        except (ValueError, OverflowError):
            return  # At the end of the calendar dateutil goes one week too far.

    def _near(self, since: datetime) -> datetime:
        """Return a later start from which the rule gives all that it gives from `since` on.

        Days and weeks come again after so many whole weeks; they would be followed one by one.
        """
        parts = dict(part.partition("=")[::2] for part in self.rrule.upper().split(";"))
        if "COUNT" in parts or parts["FREQ"] not in ("DAILY", "WEEKLY"):
            return self.start
        step = int(parts.get("INTERVAL", 1)) * timedelta(weeks=1)
        return self.start + max((since - self.start) // step, 0) * step


@lru_cache(maxsize=256)  # Asked for each time that the rule is read.
def _first(text: str, start: datetime) -> timedelta | None:
    """Return how long after its start a rule first comes; None if it never does.

    It is looked for day by day up to the end of the calendar; so that this is not far off, at the
    same place of the calendar near its end.
    """
    years = (date.max.year - 100 - start.year) // _CALENDAR_YEARS * _CALENDAR_YEARS
    moved = start.replace(year=start.year + years)
    rule = _rule(_UNTIL.sub(lambda m: _years_later(m[0], years), text.upper()), moved)
    first = next(iter(rule), None)
    return None if first is None else first - moved


def _years_later(until: str, years: int) -> str:
    year = int(until[:4]) + years
    return f"{year:04d}{until[4:]}" if year <= date.max.year else "99991231"


def _rule(text: str, start: datetime) -> Rule:
    from dateutil.rrule import rrulestr  # Few experts need rules, and no other read does.

    return rrulestr(text, dtstart=start)  # type: ignore[return-value]


@event_data
class Exception_(EventRecord):  # noqa: N801 (the word for it, but for Python's own)
    """A day whose hours are others, or none, whatever the week and the rules say."""

    date: date = of(Day())
    hours: tuple[str, ...] = of(ListOf(HOURS))


@event_data
class Availability(EventRecord):
    """The hours in which the expert is there.

    Where there is neither a week nor a rule, that is always, but for the exceptions.
    """

    weekly: Week | None = of(Struct(Week), default=None)
    rules: tuple[Recurrence, ...] | None = of(ListOf(Struct(Recurrence), 0, 100), default=None)
    exceptions: tuple[Exception_, ...] | None = of(ListOf(Struct(Exception_)), default=None)


def open_spans(
    availability: Availability, first: datetime, last: datetime, zone_name: str
) -> list[Span]:
    """Return the hours that touch [first, last) as instants in UTC, merged and in order."""
    spans = sorted(
        span
        for span in _spans(availability, first, last, zone_name)
        if span[0] < last and first < span[1]
    )
    return _merged(spans)


def open_this_week(availability: Availability, moment: datetime, zone_name: str) -> list[Span]:
    """Return the hours of the calendar week that an instant is in, cut off at the week's ends."""
    day = local_date(moment, zone_name)
    monday = datetime.combine(day - day.weekday() * ONE_DAY, time())
    first, last = _opening(monday, zone_name), _closing(_later(monday, 7 * ONE_DAY), zone_name)
    spans = open_spans(availability, first, last, zone_name)
    return [(max(since, first), min(until, last)) for since, until in spans]


def next_starts(
    availability: Availability, rule: Recurrence, moment: datetime, zone_name: str
) -> Iterator[datetime]:
    """Yield when the hours of a rule begin, from an instant on; not on days that are different."""
    different = {each.date for each in availability.exceptions or ()}
    for start in rule.starts(datetime.combine(local_date(moment, zone_name), time())):
        begins = _opening(start, zone_name)
        if start.date() not in different and begins >= moment:
            yield begins


def is_within(start: datetime, end: datetime, spans: Iterable[Span]) -> bool:
    """Tell whether [start, end) lies within one of the merged spans."""
    return any(since <= start and end <= until for since, until in spans)


def _spans(
    availability: Availability, first: datetime, last: datetime, zone_name: str
) -> Iterator[Span]:
    """Yield the hours that begin on the days of [first, last] and on the days beside them.

    Hours may reach into the next day, and a zone's day is not that of UTC.
    """
    different = {each.date: each.hours for each in availability.exceptions or ()}
    always = ALWAYS if availability.weekly is None and not availability.rules else None
    days = [*_days(local_date(first, zone_name), local_date(last, zone_name))]
    for day in days:
        usual = getattr(availability.weekly, WEEKDAYS[day.weekday()], always)
        for hours in different.get(day, usual) or ():
            yield _span(day, hours, zone_name)
    for each in availability.rules or ():
        for start in each.starts(datetime.combine(days[0], time())):
            if start.date() > days[-1]:
                break
            if start.date() not in different:
                end = _later(start, timedelta(minutes=each.minutes))
                yield _opening(start, zone_name), _closing(end, zone_name)


def _days(first: date, last: date) -> Iterator[date]:
    """Yield the days from the one before the first to the one after the last."""
    lowest = max(first.toordinal() - 1, date.min.toordinal())
    highest = min(last.toordinal() + 1, date.max.toordinal())
    return map(date.fromordinal, range(lowest, highest + 1))


def _span(day: date, hours: str, zone_name: str) -> Span:
    match = _HOURS.fullmatch(hours)
    assert match is not None  # noqa: S101 (checked when the hours were made)
    start = datetime.combine(day, time.fromisoformat(match["from"]))
    clock = time() if match["to"] == "24:00" else time.fromisoformat(match["to"])
    end = datetime.combine(day, clock)
    if end <= start:
        end = _later(end, ONE_DAY)
    return _opening(start, zone_name), _closing(end, zone_name)


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for since, until in spans:
        if merged and since <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], until))
        elif since < until:
            merged.append((since, until))
    return merged


# --- what the clock on the wall shows -------------------------------------------------------------


def _opening(local: datetime, zone_name: str) -> datetime:
    """Return the first instant at which the clocks show a local time, or a later one."""
    first, last = _readings(local, zone_name)
    return first if first <= last else _skip(local, last, first, zone_name)


def _closing(local: datetime, zone_name: str) -> datetime:
    """Return the instant up to which the clocks last show less than a local time."""
    first, last = _readings(local - MICROSECOND, zone_name)
    return shifted(last, MICROSECOND) if first <= last else _skip(local, last, first, zone_name)


def _readings(local: datetime, zone_name: str) -> Span:
    """Return both instants of a local time; they differ where it comes twice.

    Where it is skipped, the first is the later one.
    """
    aware = local.replace(tzinfo=zone(zone_name))
    try:
        return aware.astimezone(UTC), aware.replace(fold=1).astimezone(UTC)
    except OverflowError:  # The ends of the calendar may not exist in UTC.
        end = LAST if local.year > 1 else FIRST
        return end, end


def _skip(local: datetime, before: datetime, after: datetime, zone_name: str) -> datetime:
    """Return the instant, between two, from which the clocks show a local time or a later one."""
    here = zone(zone_name)

    def is_over(steps: int) -> bool:
        shown = (before + steps * MICROSECOND).astimezone(here)
        return shown.replace(tzinfo=None) >= local

    steps = bisect_left(range((after - before) // MICROSECOND), x=True, key=is_over)
    return before + steps * MICROSECOND


def _later(local: datetime, span: timedelta) -> datetime:
    """Return a local time that much later, or the end of the calendar."""
    try:
        return local + span
    except OverflowError:
        return datetime.max  # noqa: DTZ901 (what a clock on the wall shows)
