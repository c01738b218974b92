"""Preferences as typed text: formatting a value and parsing it again gives the same value."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.cli.parse.availability_syntax import (
    declining_words,
    exception_words,
    hours_words,
    read_declining,
    read_exceptions,
    read_hours,
    read_recurring,
    read_size,
    rule_words,
    size_words,
)
from liveportal.domain.events.fields import decode
from liveportal.domain.money import Money
from liveportal.domain.schedule.auto_decline import DeclineRule
from liveportal.domain.schedule.working_hours import WEEKDAYS, DayException, Recurrence, Week
from tests.kit.events import usd

clock = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 30, 59]))
spans = st.lists(
    st.builds("{}-{}".format, clock, clock | st.just("24:00")), min_size=1, max_size=3, unique=True
).map(sorted)
TYPED = {
    "mon-wed,fri 9-12 14-18": {
        day: ["09:00-12:00", "14:00-18:00"] for day in ["mon", "tue", "wed", "fri"]
    },
    "Monday , thursday 9:05 - 9:55": {day: ["09:05-09:55"] for day in ("mon", "thu")},
    "sat-mon 22:00\u201302:00": {day: ["22:00-02:00"] for day in ("mon", "sat", "sun")},
    "tues 0-24": {"tue": ["00:00-24:00"]},
    "wed 14-15 9-10 9-10": {"wed": ["09:00-10:00", "14:00-15:00"]},
}


@pytest.mark.parametrize(("text", "week"), TYPED.items())
def test_hours_as_people_write_them(text: str, week: dict[str, list[str]]) -> None:
    """Names, ranges and lists of days; hours with and without minutes; in order, each once."""
    assert read_hours([text]) == week


def test_a_day_that_is_named_twice_has_all_its_hours() -> None:
    """Each `--hours` adds to the week."""
    week = read_hours(["mon-tue 9-12", "mon 8-9", "mon 14-15"])
    assert week == {"mon": ["08:00-09:00", "09:00-12:00", "14:00-15:00"], "tue": ["09:00-12:00"]}
    days = read_exceptions(["2026-12-24", "2026-12-23..2026-12-24 9-12"])
    assert days == [{"date": f"2026-12-{day}", "hours": ["09:00-12:00"]} for day in (23, 24)]


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(WEEKDAYS), spans))
def test_a_week_is_formatted_as_it_is_parsed(week: dict[str, list[str]]) -> None:
    """Any week is formatted as text that parses to the same week."""
    assert read_hours(hours_words(decode(Week, week))) == week


@pytest.mark.slow
@given(st.dictionaries(st.dates(date(2026, 12, 20), date(2027, 1, 10)), spans | st.just([])))
def test_exceptions_are_formatted_as_they_are_parsed(days: dict[date, list[str]]) -> None:
    """Consecutive days are formatted together, and parsed back one by one."""
    document = [{"date": day.isoformat(), "hours": days[day]} for day in sorted(days)]
    assert (
        read_exceptions(exception_words([decode(DayException, row) for row in document]))
        == document
    )


local_times = st.builds(
    time, st.integers(0, 23), st.sampled_from([0, 5, 59]), st.sampled_from([0, 7])
)


@given(
    st.sampled_from(["FREQ=DAILY", "FREQ=MONTHLY;BYDAY=-1FR"]),
    st.builds(datetime.combine, st.dates(date(1970, 1, 1), date(9000, 1, 1)), local_times),
    st.integers(1, 1440),
)
def test_rules_are_formatted_as_they_are_parsed(rrule: str, start: datetime, minutes: int) -> None:
    """The rule, its start and its length."""
    rule = Recurrence(rrule=rrule, start=start, minutes=minutes)
    assert decode(Recurrence, read_recurring(rule_words(rule))) == rule


@given(
    st.fixed_dictionaries(
        {"reason": st.sampled_from(["no", "too little: below: all", "and so on"])},
        optional={
            "kind": st.sampled_from(["instant", "scheduled"]),
            "below_rate": st.sampled_from([usd("0.01"), usd("2.50")]),
            "unmatched": st.booleans(),
            "outside_hours": st.booleans(),
            "on_vacation": st.booleans(),
            "shorter_than": st.integers(1, 1440),
            "customers": st.lists(
                st.sampled_from(["C-1", "c", "instant", "a:b", "x:", "and"]), min_size=1
            ).map(tuple),
        },
    ).filter(lambda given: len(given) > 1)
)
def test_declining_is_formatted_as_it_is_parsed(values: dict[str, Any]) -> None:
    """Each condition, and ids with colons."""
    rule = DeclineRule(**values)

    def dollars(text: str) -> Money:
        return usd(text.removesuffix(" USD"))

    assert decode(DeclineRule, read_declining(declining_words(rule), dollars)) == rule


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("BELOW 2.5 And Instant : no", "below 2.50 USD and instant: no"),
        ("shorter than 15 min: no", "shorter than 15: no"),
        ("customers C-1 C-2: no", "customer C-1, C-2: no"),
        ("on vacation:away", "on vacation: away"),
        ("my skills and within my hours and not on vacation: no", None),
    ],
)
def test_what_is_declined_as_people_write_it(text: str, words: str | None) -> None:
    """Small and capital letters, with and without spaces."""
    assert declining_words(decode(DeclineRule, read_declining(text, usd))) == (words or text)


@pytest.mark.parametrize(
    ("text", "size", "words"),
    [
        ("500MB", 500_000_000, "500 MB"),
        ("500 mib", 524_288_000, "524.288 MB"),
        ("1.5GB", 1_500_000_000, "1500 MB"),
        ("2 KiB", 2048, "0.002048 MB"),
        ("3kb", 3000, "0.003 MB"),
        ("1", 1, "0.000001 MB"),
        ("10 bytes", 10, "0.00001 MB"),
        ("9223372036854775807", 2**63 - 1, "9223372036854.775807 MB"),
    ],
)
def test_sizes(text: str, size: int, words: str) -> None:
    """Decimal and binary units; formatted in megabytes, exact to the byte."""
    assert read_size(text) == size
    assert size_words(size) == words
