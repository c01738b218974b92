"""The expert's working hours: weekly, recurring by rule, and exceptions.

Hours are local times in `preferences.timezone`: 07:30 remains 07:30 when the clocks change, and is
converted to an instant only then. A span is [start, end): it begins when the local clock first
shows its start or a later time, and ends when the clock last shows a time before its end. So a
skipped time is the moment of the clock change, and both occurrences of a repeated hour are
included.
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
from liveportal.domain.events.field_types import Day, FieldType, Integer, ListOf, Pattern, Text
from liveportal.domain.events.fields import EventRecord, Struct, of
from liveportal.domain.patterns import pattern

if TYPE_CHECKING:
    from dateutil.rrule import rrule as Rule  # noqa: N812 (it is a class)

Span = tuple[datetime, datetime]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ONE_DAY = timedelta(days=1)
ALWAYS = ("00:00-24:00",)
A_CENTURY = timedelta(days=36_525)
"""How far a rule is expanded; one without an occurrence by then counts as never occurring."""

_LONGEST_RULE = 500
_CALENDAR_YEARS = 400  # The cycle after which weekdays and leap years repeat.
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
_EARLIEST_RULE = datetime(1970, 1, 1)  # noqa: DTZ001 (a local time)
_HOURS = pattern(r"(?P<from>[0-9]{2}:[0-9]{2})-(?P<to>[0-9]{2}:[0-9]{2})", re.ASCII)


class LocalTime(FieldType):
    """A local date and time of day, without an offset."""

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "description": "local time such as 2026-10-05T09:00"}

    def parse(self, path: str, raw: Any) -> datetime:
        try:
            return datetime.fromisoformat(raw)
        except (TypeError, ValueError):
            raise InvalidEvent(path, "must be a local time, such as 2026-10-05T09:00") from None

    def check(self, path: str, value: Any) -> None:
        if not isinstance(value, datetime) or value.tzinfo or value < _EARLIEST_RULE:
            raise InvalidEvent(path, "must be a local time from 1970 on, without an offset")

    def write(self, value: datetime) -> str:
        return value.isoformat().removesuffix(":00")  # Seconds are rarely given.


LOCAL_TIME = LocalTime()


class RuleText(Text):
    """A recurrence rule (RFC 5545) by days, weeks, months or years."""

    def check(self, path: str, value: Any) -> None:
        super().check(path, value)
        if len(value) > _LONGEST_RULE or not value.isascii():
            raise InvalidEvent(path, f"must be at most {_LONGEST_RULE} ASCII characters")
        parts = [part.partition("=")[::2] for part in value.upper().split(";")]
        given = dict(parts)
        if len(given) < len(parts) or not given.keys() <= _RULE_PARTS.keys():
            raise InvalidEvent(path, f"may have only {', '.join(_RULE_PARTS)}, and each only once")
        for name, setting in {"FREQ": "", **given}.items():
            pattern, form = _RULE_PARTS[name]
            if not re.fullmatch(pattern, setting):
                raise InvalidEvent(path, f"must have {name} {form}")
        if given.keys() >= {"COUNT", "UNTIL"}:
            raise InvalidEvent(path, "must not have both COUNT and UNTIL")
        numbers = re.findall("[0-9]+", given.get("BYDAY", ""))
        if any(int(number) > _max_ordinal(given) for number in numbers):
            raise InvalidEvent(
                path, "must not number a BYDAY above 5 in a month, or above 53 in a year"
            )


def _max_ordinal(given: Mapping[str, str]) -> int:
    """Return the highest ordinal of a weekday in the rule's period; 0 if it allows none."""
    if given["FREQ"] == "YEARLY" and "BYMONTH" not in given:
        return 53
    return 5 if given["FREQ"] in ("MONTHLY", "YEARLY") else 0


HOURS = Pattern(
    r"([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)",
    "hours such as 09:00-12:30",
)
"""From one time of day to another; an end that is not later is on the next day."""


@event_data
class Week(EventRecord):
    """The usual hours of each weekday; a weekday that is not given has none."""

    mon: tuple[str, ...] | None = of(ListOf(HOURS), default=None, doc="The hours on Mondays.")
    tue: tuple[str, ...] | None = of(ListOf(HOURS), default=None, doc="The hours on Tuesdays.")
    wed: tuple[str, ...] | None = of(ListOf(HOURS), default=None, doc="The hours on Wednesdays.")
    thu: tuple[str, ...] | None = of(ListOf(HOURS), default=None, doc="The hours on Thursdays.")
    fri: tuple[str, ...] | None = of(ListOf(HOURS), default=None, doc="The hours on Fridays.")
    sat: tuple[str, ...] | None = of(ListOf(HOURS), default=None, doc="The hours on Saturdays.")
    sun: tuple[str, ...] | None = of(ListOf(HOURS), default=None, doc="The hours on Sundays.")


@event_data
class Recurrence(EventRecord):
    """Hours that recur by a rule: the first begin at `start` and last `minutes`."""

    rrule: str = of(RuleText(), doc="A recurrence rule (RFC 5545), such as `FREQ=WEEKLY;BYDAY=SA`.")
    start: datetime = of(LOCAL_TIME, doc="When the first of these hours begin.")
    minutes: int = of(Integer(1, 24 * 60), doc="How many minutes they last.")

    def check_whole(self) -> None:
        """Raise `InvalidEvent` for a rule that cannot be parsed, or that never occurs."""
        try:
            _rule(self.rrule, self.start)
            first = _first_occurrence(self.rrule, self.start)
        except (ValueError, TypeError, OverflowError) as error:
            raise InvalidEvent("rrule", f"cannot be read as a rule: {error}") from None
        if first is None or first > A_CENTURY:
            raise InvalidEvent("rrule", "never occurs")

    def starts(self, since: datetime) -> Iterator[datetime]:
        """Yield the local start times of the hours from `since` on, in order."""
        last = _shift_local(self.start, A_CENTURY)
        try:
            for start in _rule(self.rrule, self._nearby_start(since)):
                if start > last:
                    return
                if start >= since:
                    yield start
        except (ValueError, OverflowError):
            return  # At the end of the calendar, dateutil goes one week too far.

    def _nearby_start(self, since: datetime) -> datetime:
        """Return a later start from which the rule has the same occurrences from `since` on.

        Daily and weekly rules repeat after a whole number of weeks; dateutil would expand them one
        by one.
        """
        parts = dict(part.partition("=")[::2] for part in self.rrule.upper().split(";"))
        if "COUNT" in parts or parts["FREQ"] not in ("DAILY", "WEEKLY"):
            return self.start
        step = int(parts.get("INTERVAL", 1)) * timedelta(weeks=1)
        return self.start + max((since - self.start) // step, 0) * step


@lru_cache(maxsize=256)  # Called each time the rule is parsed.
def _first_occurrence(text: str, start: datetime) -> timedelta | None:
    """Return the time from a rule's start to its first occurrence; None if it never occurs.

    dateutil searches day by day up to the end of the calendar. To keep that short, the rule is
    moved to an equivalent place of the calendar near its end.
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
    from dateutil.rrule import rrulestr  # Imported late: few experts use rules.

    return rrulestr(text, dtstart=start)  # type: ignore[return-value]


@event_data
class DayException(EventRecord):
    """A day with other hours, or none, instead of those of the week and the rules."""

    date: date = of(Day(), doc="The day.")
    hours: tuple[str, ...] = of(ListOf(HOURS), doc="The hours on that day; an empty list for none.")


@event_data
class Availability(EventRecord):
    """The hours in which the expert is available.

    Without a week and rules, the expert is always available, except on the exceptions.
    """

    weekly: Week | None = of(Struct(Week), default=None, doc="The usual hours of each weekday.")
    rules: tuple[Recurrence, ...] | None = of(
        ListOf(Struct(Recurrence), 0, 100), default=None, doc="Hours that recur by a rule."
    )
    exceptions: tuple[DayException, ...] | None = of(
        ListOf(Struct(DayException)), default=None, doc="Days with other hours, or none."
    )


def open_spans(
    availability: Availability, first: datetime, last: datetime, zone_name: str
) -> list[Span]:
    """Return the hours that touch [first, last) as instants in UTC, merged and in order."""
    spans = sorted(
        span
        for span in _all_spans(availability, first, last, zone_name)
        if span[0] < last and first < span[1]
    )
    return _merge(spans)


def open_this_week(availability: Availability, moment: datetime, zone_name: str) -> list[Span]:
    """Return the hours in the calendar week of an instant, clipped to the week."""
    day = local_date(moment, zone_name)
    monday = datetime.combine(day - day.weekday() * ONE_DAY, time())
    first, last = (
        _opening(monday, zone_name),
        _closing(_shift_local(monday, 7 * ONE_DAY), zone_name),
    )
    spans = open_spans(availability, first, last, zone_name)
    return [(max(since, first), min(until, last)) for since, until in spans]


def next_starts(
    availability: Availability, rule: Recurrence, moment: datetime, zone_name: str
) -> Iterator[datetime]:
    """Yield the starts of a rule's hours from an instant on, except on days with exceptions."""
    exceptions = {exception.date for exception in availability.exceptions or ()}
    for start in rule.starts(datetime.combine(local_date(moment, zone_name), time())):
        begins = _opening(start, zone_name)
        if start.date() not in exceptions and begins >= moment:
            yield begins


def is_within(start: datetime, end: datetime, spans: Iterable[Span]) -> bool:
    """Return True if [start, end) lies within one of the merged spans."""
    return any(since <= start and end <= until for since, until in spans)


def _all_spans(
    availability: Availability, first: datetime, last: datetime, zone_name: str
) -> Iterator[Span]:
    """Yield the hours that begin on the days of [first, last], or a day before or after.

    Hours may extend into the next day, and the days of a zone are not those of UTC.
    """
    exceptions = {exception.date: exception.hours for exception in availability.exceptions or ()}
    always = ALWAYS if availability.weekly is None and not availability.rules else None
    days = [*_days(local_date(first, zone_name), local_date(last, zone_name))]
    for day in days:
        usual = getattr(availability.weekly, WEEKDAYS[day.weekday()], always)
        for hours in exceptions.get(day, usual) or ():
            yield _to_span(day, hours, zone_name)
    for rule in availability.rules or ():
        for start in rule.starts(datetime.combine(days[0], time())):
            if start.date() > days[-1]:
                break
            if start.date() not in exceptions:
                end = _shift_local(start, timedelta(minutes=rule.minutes))
                yield _opening(start, zone_name), _closing(end, zone_name)


def _days(first: date, last: date) -> Iterator[date]:
    """Yield the days from the one before `first` to the one after `last`."""
    lowest = max(first.toordinal() - 1, date.min.toordinal())
    highest = min(last.toordinal() + 1, date.max.toordinal())
    return map(date.fromordinal, range(lowest, highest + 1))


def _to_span(day: date, hours: str, zone_name: str) -> Span:
    match = _HOURS.fullmatch(hours)
    assert match is not None  # noqa: S101 (checked on construction)
    start = datetime.combine(day, time.fromisoformat(match["from"]))
    clock = time() if match["to"] == "24:00" else time.fromisoformat(match["to"])
    end = datetime.combine(day, clock)
    if end <= start:
        end = _shift_local(end, ONE_DAY)
    return _opening(start, zone_name), _closing(end, zone_name)


def _merge(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for since, until in spans:
        if merged and since <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], until))
        elif since < until:
            merged.append((since, until))
    return merged


# --- local times and instants ---------------------------------------------------------------------


def _opening(local: datetime, zone_name: str) -> datetime:
    """Return the first instant at which the local clock shows this time, or a later one."""
    first, last = _instants_of(local, zone_name)
    return first if first <= last else _clock_change(local, last, first, zone_name)


def _closing(local: datetime, zone_name: str) -> datetime:
    """Return the instant until which the local clock last shows an earlier time."""
    first, last = _instants_of(local - MICROSECOND, zone_name)
    return (
        shifted(last, MICROSECOND)
        if first <= last
        else _clock_change(local, last, first, zone_name)
    )


def _instants_of(local: datetime, zone_name: str) -> Span:
    """Return both instants of a local time; they differ if it occurs twice.

    If it is skipped, the first is the later one.
    """
    aware = local.replace(tzinfo=zone(zone_name))
    try:
        return aware.astimezone(UTC), aware.replace(fold=1).astimezone(UTC)
    except OverflowError:  # The ends of the calendar may not exist in UTC.
        end = LAST if local.year > 1 else FIRST
        return end, end


def _clock_change(local: datetime, before: datetime, after: datetime, zone_name: str) -> datetime:
    """Return the instant, between two, from which the local clock shows a time or a later one."""
    here = zone(zone_name)

    def is_over(steps: int) -> bool:
        shown = (before + steps * MICROSECOND).astimezone(here)
        return shown.replace(tzinfo=None) >= local

    steps = bisect_left(range((after - before) // MICROSECOND), x=True, key=is_over)
    return before + steps * MICROSECOND


def _shift_local(local: datetime, span: timedelta) -> datetime:
    """Return a local time moved by a span, limited to the end of the calendar."""
    try:
        return local + span
    except OverflowError:
        return datetime.max  # noqa: DTZ901 (a local time)
