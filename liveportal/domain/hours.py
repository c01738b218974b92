"""When the expert is there: weekly hours, recurring ones, and days that are different.

Hours are what the clock on the expert's wall shows, in `preferences.timezone`: 07:30 stays 07:30
when the clocks change, and only then becomes an instant. A span is [start, end).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from liveportal.domain.clock import local_date, zone
from liveportal.domain.codec import Day, Kind, ListOf, Pattern, Record, Struct, Text, Whole, of
from liveportal.domain.envelope import record
from liveportal.domain.errors import InvalidEvent

if TYPE_CHECKING:
    from dateutil.rrule import rrule as Rule  # noqa: N812 (a class, whatever it is called)

Span = tuple[datetime, datetime]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ONE_DAY = timedelta(days=1)
_LONGEST_RULE = 500
_RULE_KEYS = {
    *("FREQ", "INTERVAL", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS", "COUNT", "UNTIL", "WKST"),
}
_RULE_FREQUENCIES = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
_INTERVAL = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)
_EARLIEST_RULE = datetime(1970, 1, 1)  # noqa: DTZ001 (what a clock on the wall shows)
_HOURS = re.compile(r"(?P<from>[0-9]{2}:[0-9]{2})-(?P<to>[0-9]{2}:[0-9]{2})", re.ASCII)


class LocalTime(Kind):
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
        return value.isoformat(timespec="minutes")


class RuleText(Text):
    """A recurrence rule (RFC 5545) by days, weeks, months or years."""

    def check(self, path: str, value: Any) -> None:
        super().check(path, value)
        parts = dict(part.partition("=")[::2] for part in value.upper().split(";"))
        if len(value) > _LONGEST_RULE or not parts.keys() <= _RULE_KEYS:
            raise InvalidEvent(path, f"may have only {', '.join(sorted(_RULE_KEYS))}")
        if parts.get("FREQ") not in _RULE_FREQUENCIES:
            raise InvalidEvent(path, f"must have a FREQ of {', '.join(sorted(_RULE_FREQUENCIES))}")
        if not _INTERVAL.fullmatch(parts.get("INTERVAL", "1")):
            raise InvalidEvent(path, "must have an INTERVAL from 1 to 999")


HOURS = Pattern(
    r"([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)",
    "hours such as 09:00-12:30",
)
"""From one time of day to another; one that is not later is on the next day."""


@record
class Week(Record):
    """The usual hours of each weekday; a day that is not named has none."""

    mon: tuple[str, ...] | None = of(ListOf(HOURS), default=None)
    tue: tuple[str, ...] | None = of(ListOf(HOURS), default=None)
    wed: tuple[str, ...] | None = of(ListOf(HOURS), default=None)
    thu: tuple[str, ...] | None = of(ListOf(HOURS), default=None)
    fri: tuple[str, ...] | None = of(ListOf(HOURS), default=None)
    sat: tuple[str, ...] | None = of(ListOf(HOURS), default=None)
    sun: tuple[str, ...] | None = of(ListOf(HOURS), default=None)


@record
class Recurrence(Record):
    """Hours that come again by a rule: the first begin at `start` and last `minutes`."""

    rrule: str = of(RuleText())
    start: datetime = of(LocalTime())
    minutes: int = of(Whole(1, 24 * 60))

    def __post_init__(self) -> None:
        super(Recurrence, self).__post_init__()  # noqa: UP008 (a slotted dataclass is made anew)
        try:
            first = next(iter(self.rule()), None)
        except (ValueError, TypeError, OverflowError) as error:
            raise InvalidEvent("rrule", f"cannot be read: {error}") from None
        if first is None:
            raise InvalidEvent("rrule", "never comes")

    def rule(self) -> Rule:
        """Return the rule, ready to be asked for its local times."""
        from dateutil.rrule import rrulestr  # Few experts need rules, and no other read does.

        return rrulestr(self.rrule, dtstart=self.start)  # type: ignore[return-value]


@record
class Exception_(Record):  # noqa: N801 (the word for it, but for Python's own)
    """A day whose hours are others, or none, whatever the week and the rules say."""

    date: date = of(Day())
    hours: tuple[str, ...] = of(ListOf(HOURS))


@record
class Availability(Record):
    """The hours in which the expert is there."""

    weekly: Week | None = of(Struct(Week), default=None)
    rules: tuple[Recurrence, ...] | None = of(ListOf(Struct(Recurrence), 0, 100), default=None)
    exceptions: tuple[Exception_, ...] | None = of(ListOf(Struct(Exception_)), default=None)


def open_spans(
    availability: Availability, first: datetime, last: datetime, zone_name: str
) -> list[Span]:
    """Return the hours that touch [first, last) as instants in UTC, merged and in order."""
    # Hours may reach into the next day, and a zone's day is not that of UTC.
    days = _days(local_date(first, zone_name) - ONE_DAY, local_date(last, zone_name) + ONE_DAY)
    spans = sorted(
        span for span in _spans(availability, days, zone_name) if span[0] < last and first < span[1]
    )
    return _merged(spans)


def is_within(start: datetime, end: datetime, spans: Iterable[Span]) -> bool:
    """Tell whether [start, end) lies within one of the merged spans."""
    return any(since <= start and end <= until for since, until in spans)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _spans(availability: Availability, days: Sequence[date], zone_name: str) -> Iterator[Span]:
    different = {each.date: each.hours for each in availability.exceptions or ()}
    for day in days:
        usual = getattr(availability.weekly, WEEKDAYS[day.weekday()], None)
        for hours in different.get(day, usual) or ():
            yield _span(day, hours, zone_name)
    for each in availability.rules or ():
        lowest = datetime.combine(days[0], time())
        highest = datetime.combine(days[-1], time.max)
        for start in each.rule().between(lowest, highest, inc=True):
            if start.date() not in different:
                end = start + timedelta(minutes=each.minutes)
                yield _instant(start, zone_name), _instant(end, zone_name, fold=1)


def _span(day: date, hours: str, zone_name: str) -> Span:
    match = _HOURS.fullmatch(hours)
    assert match is not None  # noqa: S101 (checked when the hours were made)
    start = datetime.combine(day, time.fromisoformat(match["from"]))
    if match["to"] == "24:00":
        end = datetime.combine(day + ONE_DAY, time())
    else:
        end = datetime.combine(day, time.fromisoformat(match["to"]))
        end = end if end > start else end + ONE_DAY
    return _instant(start, zone_name), _instant(end, zone_name, fold=1)


def _instant(local: datetime, zone_name: str, *, fold: int = 0) -> datetime:
    """Return the instant of a local time; of one that comes twice the first, or by `fold` the last.

    One that the clocks skip is as much later as they skip.
    """
    return local.replace(tzinfo=zone(zone_name), fold=fold).astimezone(UTC)


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for since, until in spans:
        if merged and since <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], until))
        elif since < until:
            merged.append((since, until))
    return merged
