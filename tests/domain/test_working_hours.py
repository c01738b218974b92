"""When the expert is available: local hours become instants as the local clock shows them."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import event as happened
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.clock import FIRST, LAST, zone
from liveportal.domain.events.fields import decode
from liveportal.domain.schedule.working_hours import (
    WEEKDAYS,
    Availability,
    Recurrence,
    Span,
    is_within,
    open_spans,
    open_this_week,
)
from tests.kit.events import at

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
PARIS = "Europe/Paris"
EVERY_DAY = {day: ["07:30-09:00"] for day in WEEKDAYS}


def hours(**document: Any) -> Availability:  # noqa: ANN401 (JSON)
    """Read hours as a feed writes them."""
    decoded: Availability = decode(Availability, document, "availability")
    return decoded


def rule(rrule: str, start: str = "2026-10-03T10:00", minutes: int = 60) -> dict[str, Any]:
    """Return a rule as a feed writes it."""
    return {"rrule": rrule, "start": start, "minutes": minutes}


def in_zone(spans: list[Span], name: str = "UTC") -> list[str]:
    """Return intervals in the local time of a zone."""
    local = [(since.astimezone(zone(name)), until.astimezone(zone(name))) for since, until in spans]
    return [f"{since:%m-%d %H:%M} {until:%m-%d %H:%M}" for since, until in local]


# --- against a model that checks every minute -----------------------------------------------------


class Season(NamedTuple):
    """Some days in a zone, around something that its clocks do."""

    name: str
    zone: str
    first: date


SEASONS = (
    Season("an hour skipped", PARIS, date(2026, 3, 28)),
    Season("an hour doubled", PARIS, date(2026, 10, 24)),
    Season("an hour doubled, and a new month", "America/New_York", date(2026, 10, 31)),
    Season("a day skipped", "Pacific/Apia", date(2011, 12, 29)),
    Season("midnight skipped", "America/Sao_Paulo", date(2018, 11, 3)),
    Season("the hour before midnight doubled", "America/Sao_Paulo", date(2018, 2, 16)),
    Season("midnight skipped on a Friday", "Africa/Cairo", date(2026, 4, 23)),
    Season("the hour after midnight doubled", "America/Havana", date(2026, 10, 31)),
    Season("half an hour doubled", "Australia/Lord_Howe", date(2026, 4, 4)),
    Season("nothing but a new year", "Asia/Kathmandu", date(2026, 12, 30)),
)
SHOWN_DAYS = 4
PAD = 4


class Minutes(NamedTuple):
    """Every minute of a season and of some days around it, with the local time.

    `reached` is the latest local time so far, `left` the earliest that is still to come.
    """

    instants: list[datetime]
    reached: list[datetime]
    left: list[datetime]


@cache
def minutes(season: Season) -> Minutes:
    """Return the local time of every minute."""
    start = datetime.combine(season.first - PAD * DAY, time(), UTC)
    instants = [start + n * MINUTE for n in range((SHOWN_DAYS + 2 * PAD) * 24 * 60)]
    shown = [instant.astimezone(zone(season.zone)).replace(tzinfo=None) for instant in instants]
    return Minutes(instants, [*accumulate(shown, max)], [*accumulate(reversed(shown), min)][::-1])


def open_minutes(availability: Availability, season: Season) -> set[datetime]:
    """Return the minutes at which the expert is available, checked one by one."""
    seen = minutes(season)
    found: set[datetime] = set()
    for start, end in local_spans(availability, season):
        opens = bisect_left(seen.reached, start)
        closes = bisect_left(seen.left, end)
        found.update(seen.instants[opens:closes])
    return found


def local_spans(availability: Availability, season: Season) -> list[tuple[datetime, datetime]]:
    """Return the hours by the clock alone, of every day around a season."""
    different = {exception.date: exception.hours for exception in availability.exceptions or ()}
    intervals = []
    for number in range(-PAD + 1, SHOWN_DAYS + PAD - 1):
        day = season.first + number * DAY
        midnight = datetime.combine(day, time())
        for text in different.get(day, usual(availability, day)):
            start, end = (midnight + since_midnight(part) for part in text.split("-"))
            intervals.append((start, end if end > start else end + DAY))
        for each in availability.rules or ():
            if day not in different and comes(each, day):
                begins = datetime.combine(day, each.start.time())
                intervals.append((begins, begins + each.minutes * MINUTE))
    return intervals


def usual(availability: Availability, day: date) -> tuple[str, ...]:
    """Return the hours of a day that is not different."""
    if availability.weekly is None:
        return () if availability.rules else ("00:00-24:00",)
    return getattr(availability.weekly, WEEKDAYS[day.weekday()]) or ()


def since_midnight(text: str) -> timedelta:
    """Read a time of day, up to 24:00."""
    return timedelta(hours=int(text[:2]), minutes=int(text[3:]))


def comes(each: Recurrence, day: date) -> bool:
    """Return True if a rule of the kinds below includes this day."""
    first = each.start.date()
    parts = dict(part.split("=") for part in each.rrule.split(";"))
    every = int(parts["INTERVAL"])
    if day < first:
        return False
    if parts["FREQ"] == "DAILY":
        return (day - first).days % every == 0
    weeks = (day - day.weekday() * DAY - (first - first.weekday() * DAY)).days // 7
    return weeks % every == 0 and WEEKDAYS[day.weekday()][:2].upper() in parts["BYDAY"].split(",")


clocks = st.sampled_from(
    [
        *("00:00", "00:30", "01:00", "01:45", "02:00", "02:15", "02:30", "03:00", "07:30"),
        *("12:00", "22:00", "23:00", "23:30", "23:59"),
    ]
)
some_hours = st.lists(st.builds("{}-{}".format, clocks, clocks | st.just("24:00")), max_size=3)
some_rules = st.builds(
    rule,
    st.builds("FREQ=DAILY;INTERVAL={}".format, st.integers(1, 3))
    | st.builds(
        "FREQ=WEEKLY;INTERVAL={};BYDAY={}".format,
        st.integers(1, 2),
        st.lists(
            st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, unique=True
        ).map(",".join),
    ),
    st.builds("2011-12-0{}T{}".format, st.integers(1, 9), clocks),
    st.sampled_from([1, 90, 600, 1440]),
)


@st.composite
def availabilities(draw: st.DrawFn, season: Season) -> Availability:
    """Hours of all sorts, with exceptions on the days that matter."""
    days = st.integers(-1, SHOWN_DAYS).map(lambda n: (season.first + n * DAY).isoformat())
    exceptions = st.lists(
        st.fixed_dictionaries({"date": days, "hours": some_hours}),
        max_size=2,
        unique_by=lambda each: str(each["date"]),
    )
    document = st.fixed_dictionaries(
        {},
        optional={
            "weekly": st.dictionaries(st.sampled_from(WEEKDAYS), some_hours),
            "rules": st.lists(some_rules, max_size=2),
            "exceptions": exceptions,
        },
    )
    return hours(**draw(document))


@pytest.mark.slow
@given(st.data(), st.sampled_from(SEASONS))
def test_hours_are_what_the_clock_on_the_wall_shows(data: st.DataObject, season: Season) -> None:
    """The open minutes are those of a check minute by minute; intervals are disjoint and sorted."""
    availability = data.draw(availabilities(season))
    everything = SHOWN_DAYS * 24 * 60
    offset = data.draw(st.integers(0, everything - 1))
    length = data.draw(st.integers(1, everything - offset))
    first = datetime.combine(season.first, time(), UTC) + offset * MINUTE
    last = first + length * MINUTE
    spans = open_spans(availability, first, last, season.zone)
    window = {first + n * MINUTE for n in range(length)}
    covered = {
        since + n * MINUTE for since, until in spans for n in range((until - since) // MINUTE)
    }
    assert covered & window == open_minutes(availability, season) & window
    assert all(since < until for since, until in spans)
    assert all(one[1] < other[0] for one, other in pairwise(spans))
    assert all(since < last and first < until for since, until in spans)
    happened(f"{season.name}, {'open' if covered & window else 'closed'}")


@pytest.mark.parametrize(
    ("name", "day", "text", "shown"),
    [
        (PARIS, "2026-03-29", "01:00-02:30", ["03-29 01:00 03-29 03:00"]),
        (PARIS, "2026-03-29", "02:30-05:00", ["03-29 03:00 03-29 05:00"]),
        (PARIS, "2026-03-29", "02:10-02:50", []),
        (PARIS, "2026-10-25", "01:00-02:00", ["10-25 01:00 10-25 02:00"]),
        (PARIS, "2026-10-25", "02:30-04:00", ["10-25 02:30 10-25 04:00"]),
        ("Pacific/Apia", "2011-12-30", "09:00-17:00", []),
        ("Pacific/Apia", "2011-12-29", "22:00-02:00", ["12-29 22:00 12-31 00:00"]),
        ("America/Sao_Paulo", "2018-11-04", "00:00-06:00", ["11-04 01:00 11-04 06:00"]),
        ("America/Sao_Paulo", "2018-11-03", "20:00-24:00", ["11-03 20:00 11-04 01:00"]),
        ("Africa/Cairo", "2026-04-23", "20:00-24:00", ["04-23 20:00 04-24 01:00"]),
        ("UTC", "2026-12-31", "22:00-02:00", ["12-31 22:00 01-01 02:00"]),
        ("UTC", "2026-12-31", "09:00-09:00", ["12-31 09:00 01-01 09:00"]),
    ],
)
def test_a_day_whose_clocks_change(name: str, day: str, text: str, shown: list[str]) -> None:
    """A skipped time starts at the jump; a repeated time is included from first to last."""
    there = hours(weekly={}, exceptions=[{"date": day, "hours": [text]}])
    noon = datetime.combine(date.fromisoformat(day), time(12), UTC)
    assert in_zone(open_spans(there, noon - 2 * DAY, noon + 2 * DAY, name), name) == shown


@pytest.mark.parametrize(
    ("name", "day", "text", "shown"),
    [
        (PARIS, "2026-10-25", "02:00-03:00", "10-25 00:00 10-25 02:00"),
        (PARIS, "2026-10-25", "02:30-02:45", "10-25 00:30 10-25 01:45"),
        (PARIS, "2026-10-25", "01:00-02:00", "10-24 23:00 10-25 00:00"),
        (PARIS, "2026-10-25", "03:00-04:00", "10-25 02:00 10-25 03:00"),
        ("America/Havana", "2026-10-31", "20:00-24:00", "11-01 00:00 11-01 04:00"),
        ("America/Sao_Paulo", "2018-02-17", "22:00-24:00", "02-18 00:00 02-18 03:00"),
    ],
)
def test_what_comes_twice(name: str, day: str, text: str, shown: str) -> None:
    """Hours run from the first occurrence of the start to the last of the end."""
    there = hours(weekly={}, exceptions=[{"date": day, "hours": [text]}])
    noon = datetime.combine(date.fromisoformat(day), time(12), UTC)
    assert in_zone(open_spans(there, noon - 2 * DAY, noon + 2 * DAY, name)) == [shown]


@pytest.mark.parametrize("name", [PARIS, "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo"])
def test_0730_stays_0730(name: str) -> None:
    """All year the hours begin at the same local time, so in UTC they move when the clocks do."""
    spans = open_spans(hours(weekly=EVERY_DAY), at("01-01 00:00"), at("12-31 00:00"), name)
    local = [since.astimezone(zone(name)) for since, _ in spans]
    assert len({each.date() for each in local}) == len(spans) >= 363
    assert {each.time() for each in local} == {time(7, 30)}
    in_utc = {since.time() for since, _ in spans}
    assert len(in_utc) == (1 if name == "Asia/Tokyo" else 2)


def test_an_hour_earlier_in_utc_from_march_on() -> None:
    """In Paris 07:30 is 06:30 UTC in winter, and 05:30 in summer."""
    spans = open_spans(hours(weekly=EVERY_DAY), at("03-28 00:00"), at("03-29 12:00"), PARIS)
    assert in_zone(spans) == ["03-28 06:30 03-28 08:00", "03-29 05:30 03-29 07:00"]


def test_neighbours_are_one() -> None:
    """Hours that touch or overlap are one span, also over midnight, and a rule among them."""
    there = hours(
        weekly={"mon": ["09:00-12:30", "10:00-11:00", "12:00-13:00", "13:00-14:00", "22:00-02:00"]},
        rules=[rule("FREQ=WEEKLY;BYDAY=TU", "2026-10-06T02:00", 30)],
    )
    spans = open_spans(there, at("10-05 00:00"), at("10-07 00:00"), "UTC")
    assert in_zone(spans) == ["10-05 09:00 10-05 14:00", "10-05 22:00 10-06 02:30"]
    assert is_within(at("10-05 23:00"), at("10-06 02:30"), spans)
    assert not is_within(at("10-05 13:00"), at("10-05 14:01"), spans)


def test_only_what_touches_the_window() -> None:
    """Hours that end where the interval begins, or begin where it ends, are excluded."""
    there = hours(weekly={"mon": ["09:00-10:00", "11:00-12:00", "13:00-14:00"]})
    assert in_zone(open_spans(there, at("10-05 10:00"), at("10-05 13:00"), "UTC")) == [
        "10-05 11:00 10-05 12:00"
    ]
    assert in_zone(open_spans(there, at("10-05 09:59"), at("10-05 11:01"), "UTC")) == [
        *("10-05 09:00 10-05 10:00", "10-05 11:00 10-05 12:00"),
    ]


@pytest.mark.parametrize(
    ("document", "closed"),
    [
        ({}, 0),
        ({"rules": []}, 0),
        ({"exceptions": [{"date": "2026-10-06", "hours": []}]}, 1440),
        ({"exceptions": [{"date": "2026-10-06", "hours": ["09:00-12:00"]}]}, 1260),
        ({"weekly": {}}, 3 * 1440),
        ({"rules": [rule("FREQ=DAILY;COUNT=1")]}, 3 * 1440),
    ],
)
def test_without_a_week_and_rules_it_is_always(document: dict[str, Any], closed: int) -> None:
    """Neither a week nor a rule means always, but for the exceptions; an empty week means never."""
    first, last = at("10-05 00:00"), at("10-08 00:00")
    spans = open_spans(hours(**document), first, last, "UTC")
    there = sum(((min(until, last) - max(since, first)) for since, until in spans), timedelta())
    assert there == 3 * DAY - closed * MINUTE


# --- the ends of the calendar ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", PARIS, "America/New_York"]
)
@pytest.mark.parametrize(
    "document",
    [
        {},
        {"weekly": {day: ["00:00-24:00", "23:00-01:00"] for day in WEEKDAYS}},
        {"rules": [rule("FREQ=DAILY", "9999-12-01T23:59", 1440)]},
        {"exceptions": [{"date": day, "hours": ["00:00-24:00"]} for day in ("0001-01-01",)]},
        {"exceptions": [{"date": day, "hours": ["22:00-09:00"]} for day in ("9999-12-31",)]},
    ],
)
def test_the_ends_of_the_calendar(name: str, document: dict[str, Any]) -> None:
    """The first and last days of all have hours like any other, as far as they exist."""
    there = hours(**document)
    for first, last in ((FIRST, FIRST + DAY), (LAST - DAY, LAST), (FIRST, FIRST), (LAST, LAST)):
        spans = open_spans(there, first, last, name)
        assert all(since < until for since, until in spans)
    for moment in (FIRST, LAST):
        spans = open_this_week(there, moment, name)
        assert bool(spans) is ("rules" not in document or moment == LAST)


# --- this week ------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["10-05 00:00", "10-08 12:00", "10-11 21:59:59"])
def test_a_week_is_from_monday_to_sunday(moment: str) -> None:
    """The week is that of the zone; hours that reach over its ends are cut off there."""
    there = hours(weekly={"sun": ["22:00-02:00"], "wed": ["09:00-10:00"]})
    assert in_zone(open_this_week(there, at(moment), PARIS), PARIS) == [
        "10-05 00:00 10-05 02:00",
        "10-07 09:00 10-07 10:00",
        "10-11 22:00 10-12 00:00",
    ]


def test_a_week_of_every_hour_is_one_span() -> None:
    """Someone always available has one interval from Monday midnight to the next."""
    spans = open_this_week(hours(), at("10-25 12:00"), PARIS)
    assert in_zone(spans, PARIS) == ["10-19 00:00 10-26 00:00"]
    assert spans[0][1] - spans[0][0] == timedelta(days=7, hours=1)
