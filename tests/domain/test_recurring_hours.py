"""Recurring hours: the supported rules, and invalid ones refused in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import islice, takewhile
from typing import Any

import pytest
from dateutil.rrule import rrulestr
from hypothesis import event as happened
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.clock import LAST, zone
from liveportal.domain.errors import InvalidEvent
from liveportal.domain.events.fields import split
from liveportal.domain.schedule.preferences import parse_error
from liveportal.domain.schedule.working_hours import (
    A_CENTURY,
    Recurrence,
    next_starts,
    open_spans,
    open_this_week,
)
from tests.domain.test_working_hours import DAY, EVERY_DAY, PARIS, hours, in_zone, rule
from tests.kit.events import at, short
from tests.kit.work import calls


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        (rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=SA"), ["10-03", "10-17", "10-31"]),
        (
            rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", "2020-01-04T10:00"),
            ["10-03", "10-17", "10-31"],
        ),
        (rule("freq=monthly;byday=-1fr"), ["10-30", "11-27", "12-25"]),
        (rule("FREQ=MONTHLY;BYMONTHDAY=31"), ["10-31", "12-31", "01-31"]),
        (rule("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"), ["10-30", "11-30", "12-31"]),
        (rule("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24"), ["12-24", "12-24", "12-24"]),
        (rule("FREQ=YEARLY", "2024-02-29T10:00"), ["02-29", "02-29", "02-29"]),
        (rule("FREQ=DAILY;UNTIL=20261004T235959"), ["10-03", "10-04"]),
        (rule("FREQ=DAILY;UNTIL=99991231;INTERVAL=999"), ["10-03", "06-28", "03-23"]),
        (rule("FREQ=DAILY;COUNT=1;WKST=SU"), ["10-03"]),
        (rule("FREQ=YEARLY;BYDAY=53MO"), ["12-31", "12-31", "12-31"]),
        (rule("FREQ=YEARLY;BYMONTH=11;BYDAY=-5SU,1MO"), ["11-01", "11-02", "11-01"]),
        (rule("FREQ=WEEKLY;BYDAY=SA", "9999-12-24T10:00"), ["12-25"]),
    ],
)
def test_rules_that_come_again(document: dict[str, Any], shown: list[str]) -> None:
    """Days, weeks, months and years, from the start on."""
    each = hours(rules=[document])
    assert each.rules
    starts = next_starts(each, each.rules[0], at("10-01 00:00"), PARIS)
    local_starts = [start.astimezone(zone(PARIS)) for start in islice(starts, 3)]
    assert [f"{start:%m-%d}" for start in local_starts] == shown
    assert {start.time() for start in local_starts} == {time(10)}


def test_a_rule_begins_after_the_moment_and_not_on_days_that_are_different() -> None:
    """A start at that instant is next; a day with its own hours has only those."""
    there = hours(
        rules=[rule("FREQ=DAILY")],
        exceptions=[{"date": "2026-10-05", "hours": ["06:00-07:00"]}],
    )
    assert there.rules
    starts = islice(next_starts(there, there.rules[0], at("10-04 10:00"), "UTC"), 2)
    assert [*starts] == [at("10-04 10:00"), at("10-06 10:00")]
    spans = open_spans(there, at("10-05 00:00"), at("10-06 00:00"), "UTC")
    assert in_zone(spans) == ["10-05 06:00 10-05 07:00"]


@pytest.mark.parametrize(
    ("rrule", "says"),
    [
        ("FREQ=SECONDLY", "FREQ"),
        ("FREQ=HOURLY", "FREQ"),
        ("FREQ=", "FREQ"),
        ("INTERVAL=2", "FREQ"),
        ("", "FREQ"),
        ("nonsense", "may have only"),
        ("FREQ=DAILY;BYHOUR=9", "may have only"),
        ("FREQ=DAILY;", "may have only"),
        ("FREQ=DAILY;FREQ=WEEKLY", "once"),
        ("RRULE:FREQ=DAILY", "may have only"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=1000", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL"),
        ("FREQ=DAILY;COUNT=0", "COUNT"),
        ("FREQ=DAILY;COUNT=3\nRRULE:FREQ=SECONDLY", "COUNT"),
        ("FREQ=DAILY;UNTIL=20261231T235959Z", "UNTIL"),
        ("FREQ=DAILY;UNTIL=10", "UNTIL"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20261231", "not have both"),
        ("FREQ=DAILY;UNTIL=20261332", "cannot be read"),
        ("FREQ=DAILY;UNTIL=20200101", "never occurs"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY"),
        ("FREQ=WEEKLY;BYDAY=2SA", "5 in a month"),
        ("FREQ=MONTHLY;BYDAY=6SA", "5 in a month"),
        ("FREQ=YEARLY;BYDAY=SA,-54SA", "53 in a year"),
        ("FREQ=YEARLY;BYMONTH=2;BYDAY=6SA", "5 in a month"),
        ("FREQ=WEEKLY;BYDAY=\u017fA", "ASCII"),
        ("FREQ=MONTHLY;BYDAY=0SA", "BYDAY"),
        ("FREQ=YEARLY;BYMONTH=13", "BYMONTH"),
        ("FREQ=YEARLY;BYMONTHDAY=32", "BYMONTHDAY"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never occurs"),
        ("FREQ=YEARLY;INTERVAL=150;BYMONTH=1;BYMONTHDAY=1", "never occurs"),
        ("FREQ=YEARLY;BYSETPOS=0", "BYSETPOS"),
        ("FREQ=YEARLY;BYSETPOS=999", "cannot be read"),
        ("FREQ=DAILY;BYMONTH=" + ",".join(["1"] * 300), "500"),
    ],
    ids=short,
)
def test_what_is_no_rule(rrule: str, says: str) -> None:
    """Rules go by days and longer, never by the hour; the error names the field and the part."""
    with pytest.raises(InvalidEvent) as caught:
        hours(rules=[rule("FREQ=DAILY"), rule(rrule)])
    assert caught.value.field == "availability.rules[2].rrule"
    assert says in caught.value.reason


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"weekly": {"mon": ["9:00-12:00"]}}, "availability.weekly.mon[1]"),
        ({"weekly": {"mon": ["09:00-24:30"]}}, "availability.weekly.mon[1]"),
        ({"weekly": {"mon": ["24:00-09:00"]}}, "availability.weekly.mon[1]"),
        ({"weekly": {"mon": "09:00-12:00"}}, "availability.weekly.mon"),
        ({"weekly": {"monday": []}}, "availability.weekly.monday"),
        ({"exceptions": [{"date": "2026-02-30", "hours": []}]}, "availability.exceptions[1].date"),
        ({"exceptions": [{"date": "2026-02-01"}]}, "availability.exceptions[1].hours"),
        ({"rules": [rule("FREQ=DAILY", minutes=0)]}, "availability.rules[1].minutes"),
        ({"rules": [rule("FREQ=DAILY", "1969-12-31T23:59")]}, "availability.rules[1].start"),
        ({"rules": [rule("FREQ=DAILY", "2026-10-03T10:00Z")]}, "availability.rules[1].start"),
        ({"rules": [rule("FREQ=DAILY", "soon")]}, "availability.rules[1].start"),
        ({"rules": [rule("FREQ=DAILY")] * 101}, "availability.rules"),
        ({"hours": []}, "availability.hours"),
    ],
)
def test_what_are_no_hours(document: dict[str, Any], field: str) -> None:
    """Each error names the field."""
    with pytest.raises(InvalidEvent) as caught:
        hours(**document)
    assert caught.value.field == field


def test_hours_are_written_as_they_are_read() -> None:
    """Nothing is lost on the way, not the seconds of a start either."""
    for start in ("2026-10-03T10:00", "2026-10-03T10:00:30"):
        document = {"weekly": EVERY_DAY, "rules": [rule("FREQ=DAILY", start)], "exceptions": []}
        assert split(hours(**document))[0] == document


HOSTILE = (
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;BYSETPOS=2",
    "FREQ=DAILY;INTERVAL=1;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
    "FREQ=YEARLY;BYMONTHDAY=" + ",".join(["30"] * 100) + ";BYMONTH=2",
    "FREQ=YEARLY;BYDAY=53MO;BYMONTHDAY=31;BYMONTH=2",
    "FREQ=DAILY;COUNT=999999",
    "FREQ=DAILY",
)
MOST_CALLS = 4_000_000
"""Twice what the slowest of these rules takes, which is followed day by day to its end."""


@pytest.mark.slow
@pytest.mark.parametrize("start", ["1970-01-01T00:00", "9999-12-31T23:59"])
@pytest.mark.parametrize("rrule", HOSTILE, ids=short)
def test_a_hostile_rule_does_not_hang(rrule: str, start: str) -> None:
    """A rule that never comes is refused, and one that does is followed, in so many calls."""
    document = {"rules": [rule(rrule, start)]}

    def follow() -> None:
        if not parse_error("availability", document):
            there = hours(**document)
            open_spans(there, at("10-05 00:00"), at("10-06 00:00"), PARIS)
            open_spans(there, LAST - DAY, LAST, PARIS)
            open_this_week(there, LAST, PARIS)

    assert calls(follow, MOST_CALLS) > 0


parts = st.sampled_from(
    [
        *("INTERVAL=7", "COUNT=2", "BYDAY=MO", "BYDAY=-5FR,+1MO", "BYDAY=53SU", "BYMONTH=2"),
        *("BYMONTHDAY=-31,29", "BYSETPOS=-366", "BYSETPOS=1", "UNTIL=20280229", "WKST=SU"),
        *("UNTIL=00010101T000000", "UNTIL=99990229", "FREQ=DAILY", "=", "COUNT="),
    ]
)
rrules = st.builds(
    "FREQ={}{}".format,
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.lists(parts.map(";{}".format), max_size=3, unique=True).map("".join),
)


@pytest.mark.slow
@given(
    rrules | st.text(max_size=20),
    st.sampled_from(["1970-01-01T00:00", "2028-02-29T02:30", "9999-12-31T23:59"]),
)
def test_any_text_is_a_rule_or_refused(rrule: str, start: str) -> None:
    """Any text is parsed or refused as malformed; no other error is raised."""
    document = {"rules": [rule(rrule, start, 1440)]}
    error = parse_error("availability", document)
    happened("refused" if error else "read")
    if error:
        assert error.field == "availability.rules[1].rrule"
        return
    for moment in (at("10-05 00:00"), datetime(2028, 2, 29, tzinfo=UTC), LAST):
        open_spans(hours(**document), moment - DAY, moment, PARIS)


SETTINGS = st.fixed_dictionaries(
    {"FREQ": st.sampled_from(("DAILY", "WEEKLY", "MONTHLY", "YEARLY"))},
    optional={
        "INTERVAL": st.integers(1, 30).map(str),
        "BYDAY": st.sampled_from(("SA", "MO,TU,WE", "SU,FR")),
        "BYMONTH": st.sampled_from(("2", "3,10")),
        "BYMONTHDAY": st.sampled_from(("29", "-1", "1,15")),
        "BYSETPOS": st.sampled_from(("1", "-1", "1,2")),
        "COUNT": st.sampled_from(("3", "4000")),
        "WKST": st.sampled_from(("SU", "WE")),
    },
)


@pytest.mark.slow
@given(SETTINGS, st.datetimes(datetime(2001, 1, 1), datetime(2027, 1, 1)), st.integers(-9, 9_999))  # noqa: DTZ001 -- What a clock on the wall shows.
def test_a_rule_is_followed_from_nearby(
    settings: dict[str, str], start: datetime, days: int
) -> None:
    """The occurrences from a day on are the later part of all occurrences."""
    text = ";".join(f"{name}={value}" for name, value in settings.items())
    start = start.replace(second=0, microsecond=0)
    try:
        followed = Recurrence(rrule=text, start=start, minutes=60)
    except InvalidEvent:
        happened("refused")
        return
    since = start + timedelta(days=days)
    last = start + A_CENTURY
    until = takewhile(lambda each: each <= last, rrulestr(text, dtstart=start))
    every = (moment for moment in until if moment >= since)
    assert [*islice(followed.starts(since), 5)] == [*islice(every, 5)]
    happened(f"{settings['FREQ']}, {'COUNT' in settings}")


@pytest.mark.parametrize(
    "text", ["FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;BYDAY=MO,FR", "FREQ=DAILY;WKST=SU"]
)
def test_an_old_rule_takes_no_longer_than_a_new_one(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred rules that began in 1970 would be followed through millions of days."""
    looked_at = 0

    def counting(text: str, start: datetime) -> Iterator[datetime]:
        nonlocal looked_at
        for moment in rrulestr(text, dtstart=start):
            looked_at += 1
            yield moment

    old = Recurrence(rrule=text, start=datetime(1970, 1, 5, 9), minutes=60)  # noqa: DTZ001
    monkeypatch.setattr("liveportal.domain.schedule.working_hours._rule", counting)
    assert len([*islice(old.starts(datetime(2026, 10, 5)), 5)]) == 5  # noqa: DTZ001
    assert looked_at <= 15
