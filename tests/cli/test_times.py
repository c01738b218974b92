"""Times as people type them: parsed exactly, or refused with the possible meanings."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.cli.clock import use_clock, utc_now
from liveportal.cli.parse.spans import read_span
from liveportal.cli.parse.times import read_as_known, read_month, read_time
from liveportal.domain.clock import short_text, zone
from liveportal.domain.errors import InvalidMonth, InvalidTime, InvalidValue, LiveportalError

NOW = datetime(2026, 10, 9, 10, 0, 30, tzinfo=UTC)  # A Friday; 12:00:30 in Paris.
PARIS = "Europe/Paris"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("now", "2026-10-09T10:00:30Z"),
        (" NOW ", "2026-10-09T10:00:30Z"),
        ("2026-10-05 09:00", "2026-10-05T07:00:00Z"),
        ("2026-10-05T09:00:30.25", "2026-10-05T07:00:30.250000Z"),
        ("2026-10-05T09:00:00Z", "2026-10-05T09:00:00Z"),
        ("2026-10-05T09:00:00.9999999Z", "2026-10-05T09:00:00.999999Z"),
        ("2026-10-05 09:00:30.123456789", "2026-10-05T07:00:30.123456Z"),
        ("2026-10-05 09:00 UTC", "2026-10-05T09:00:00Z"),
        ("2026-10-05 9am -0930", "2026-10-05T18:30:00Z"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00Z"),
        ("today 00:00", "2026-10-08T22:00:00Z"),
        ("14:00", "2026-10-09T12:00:00Z"),
        ("tomorrow at 9:30 pm", "2026-10-10T19:30:00Z"),
        ("9am tomorrow", "2026-10-10T07:00:00Z"),
        ("yesterday noon", "2026-10-08T10:00:00Z"),
        ("12am", "2026-10-08T22:00:00Z"),
        ("12:15 pm", "2026-10-09T10:15:00Z"),
        ("5 Oct 2025 9pm", "2025-10-05T19:00:00Z"),
        ("October 5th, 2025 at 9pm", "2025-10-05T19:00:00Z"),
        ("1st of january 2026 0:00", "2025-12-31T23:00:00Z"),
        ("last friday 9am", "2026-10-02T07:00:00Z"),
        ("last thursday 9am", "2026-10-08T07:00:00Z"),
        ("last sat 9am", "2026-10-03T07:00:00Z"),
        ("2 hours ago", "2026-10-09T08:00:30Z"),
        ("1h30m ago", "2026-10-09T08:30:30Z"),
        ("in 90 min", "2026-10-09T11:30:30Z"),
        ("in 3 days", "2026-10-12T10:00:30Z"),
        ("in 2 weeks 1 hour", "2026-10-23T11:00:30Z"),
        ("8 months ago", "2026-02-09T11:00:30Z"),
        ("in 1 year", "2027-10-09T10:00:30Z"),
    ],
)
def test_what_people_write(text: str, instant: str) -> None:
    """Read in the zone named; hours are exact, days and longer keep the clock."""
    assert short_text(read_time(text, PARIS, NOW)) == instant
    assert read_time(text, PARIS, NOW).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "latest", "following"),
    [
        ("friday 9am", "2026-10-09T07:00:00Z", "2026-10-16T07:00:00Z"),
        ("on fri 13:00", "2026-10-02T11:00:00Z", "2026-10-09T11:00:00Z"),
        ("wednesday 9am", "2026-10-07T07:00:00Z", "2026-10-14T07:00:00Z"),
        ("5 oct 9:00", "2026-10-05T07:00:00Z", "2027-10-05T07:00:00Z"),
        ("oct 9 9:00", "2026-10-09T07:00:00Z", "2027-10-09T07:00:00Z"),
        ("dec 5 9:00", "2025-12-05T08:00:00Z", "2026-12-05T08:00:00Z"),
    ],
)
def test_a_day_without_week_or_year(text: str, latest: str, following: str) -> None:
    """The caller chooses the direction: past for what happened, future for a plan."""
    assert short_text(read_time(text, PARIS, NOW, past=True)) == latest
    assert short_text(read_time(text, PARIS, NOW)) == following


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "9", "31", "2026", "hello 5", "now now", "9:00 CET", "25:00", "24:00", "9:60"),
        *("13pm", "0am", "march 9:00", "31 feb 9:00", "5 mon 9:00", "next friday 9am", "9.30"),
        *("in 1 fortnight", "in", "ago", "2 hours", "in two hours", "in 999999 years", "-1 h ago"),
        *("09:00-10:00", "tomorrow 9:00 +02:00", "2026-10-05 9:00 +15:00", "2026-10-05 9:00+02:60"),
        *(
            "0001-01-01 00:00",
            "9999-12-31 23:59 -05:00",
            "\u0663:\u0660\u0660",
            "2026-10-05 09:00 x",
            "now" * 99,
        ),
        *("tomorrow", "2026-10-05", "2026-10-5 9:00", "mo 9:00"),
    ],
)
def test_what_is_not_read(text: str) -> None:
    """No guessing: any other format is refused with an example."""
    with pytest.raises(InvalidTime) as caught:
        read_time(text, PARIS, NOW)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("05/06/2026 9:00", ["2026-05-06", "2026-06-05"]),
        ("25.12.2026 9:00", ["2026-12-25"]),
        ("5-6-26 9:00", ["2005-06-26", "2026-05-06", "2026-06-05"]),
        ("2026/10/05 9:00", ["2026-10-05"]),
        ("99/99/99 9:00", []),
    ],
)
def test_numeric_dates_are_refused(text: str, readings: list[str]) -> None:
    """05/06 is a day in May or in June: the error names both."""
    for read in (read_time, read_as_known):
        with pytest.raises(InvalidTime, match="which number is the day") as caught:
            read(text, PARIS, NOW)
        assert caught.value.details["readings"] == readings
        assert all(reading in str(caught.value.hint) for reading in readings)


def test_a_day_that_is_not_in_the_calendar() -> None:
    """30 February is not moved to March."""
    with pytest.raises(InvalidTime, match="The date 2026-02-30 does not exist"):
        read_time("2026-02-30 9:00", PARIS, NOW)


def test_a_zone_that_is_none() -> None:
    """The zone is checked, not replaced by UTC."""
    with pytest.raises(InvalidValue):
        read_time("9:00", "Nowhere/Else", NOW)


def test_a_date_alone_where_it_is_allowed() -> None:
    """The day's first moment, which is not midnight everywhere: Beirut skips it in spring."""
    assert short_text(read_time("tomorrow", PARIS, NOW, date_only=True)) == "2026-10-09T22:00:00Z"
    first = read_time("2026-03-29", "Asia/Beirut", NOW, date_only=True)
    assert first.astimezone(zone("Asia/Beirut")).isoformat() == "2026-03-29T01:00:00+03:00"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-10-05", "2026-10-05T21:59:59.999999Z"),
        ("2026-10-25", "2026-10-25T22:59:59.999999Z"),
        ("yesterday", "2026-10-08T21:59:59.999999Z"),
        ("friday", "2026-10-09T21:59:59.999999Z"),
        ("dec 5", "2025-12-05T22:59:59.999999Z"),
        ("2026-10-05 09:00", "2026-10-05T07:00:00Z"),
        ("friday 9am", "2026-10-09T07:00:00Z"),
        ("2 hours ago", "2026-10-09T08:00:30Z"),
    ],
)
def test_what_was_known(text: str, instant: str) -> None:
    """A bare date is the end of that day in the zone."""
    assert short_text(read_as_known(text, PARIS, NOW)) == instant


@pytest.mark.parametrize("text", ["9999-12-31", "x", "2026-02-30", "31 feb"])
def test_what_was_known_at_no_time(text: str) -> None:
    """The end of the calendar has no following day."""
    with pytest.raises(InvalidTime):
        read_as_known(text, PARIS, NOW)


@pytest.mark.parametrize("text", ["2026-10-05 09:00-10:00", "2026-10-05 4:00-05:00"])
def test_a_span_where_a_moment_is_asked_for(text: str) -> None:
    """Its end is not parsed as an offset: it is refused with a spelling of each interpretation."""
    for read in (read_time, read_as_known):
        with pytest.raises(InvalidTime, match="could be a span of time, or one moment") as caught:
            read(text, PARIS, NOW)
        readings = caught.value.details["readings"]
        assert isinstance(readings, list)
        assert read_span(readings[0], PARIS, NOW)
        assert read_time(readings[1], PARIS, NOW).tzinfo is UTC
    assert short_text(read_time("2026-10-05 09:00-05:00", PARIS, NOW)) == "2026-10-05T14:00:00Z"


def test_midnight_as_an_end() -> None:
    """24:00 is the end of a day, where something ends."""
    assert short_text(read_time("2026-10-05 24:00", PARIS, NOW, is_end=True)) == (
        "2026-10-05T22:00:00Z"
    )
    assert short_text(read_time("2026-10-05 24:00:00Z", PARIS, NOW, is_end=True)) == (
        "2026-10-06T00:00:00Z"
    )
    with pytest.raises(InvalidTime):
        read_time("2026-10-05 24:01", PARIS, NOW, is_end=True)


# --- clocks that change -----------------------------------------------------------------------

ZONES = (
    *("Africa/Cairo", "Africa/Casablanca", "America/Havana", "America/New_York", "America/Nuuk"),
    *("America/St_Johns", "Asia/Beirut", "Asia/Gaza", "Asia/Kolkata", "Atlantic/Azores"),
    *("Australia/Lord_Howe", "Europe/Dublin", "Europe/Paris", "Pacific/Auckland"),
    *("Pacific/Apia", "Pacific/Chatham", "America/Santiago", "Antarctica/Troll", "UTC"),
)


def changes(zone_name: str, first: int, last: int) -> list[datetime]:
    """Return the local times, to the quarter of an hour, around which a zone's clocks change."""
    place = zone(zone_name)
    quarter = timedelta(minutes=15)
    starts = []
    moment = datetime(first, 1, 1, tzinfo=UTC)
    while moment.year <= last:
        after = moment + timedelta(days=1)
        if moment.astimezone(place).utcoffset() != after.astimezone(place).utcoffset():
            while (moment + quarter).astimezone(place).utcoffset() == moment.astimezone(
                place
            ).utcoffset():
                moment += quarter
            starts.append(moment.astimezone(place).replace(tzinfo=None))
        moment = after.replace(hour=0, minute=0)
    return starts


@pytest.mark.slow
@pytest.mark.parametrize("zone_name", ZONES)
def test_every_local_time_around_a_change(zone_name: str) -> None:
    """A time that the clocks show once is read, one they skip or show twice is refused.

    Judged by brute force: which instants of those two days does the zone show as that local time?
    """
    place = zone(zone_name)
    seen = set()
    for change in changes(zone_name, 2010, 2013) + changes(zone_name, 2025, 2026):
        for quarters in range(-8, 9):
            local = (change + timedelta(minutes=15) * quarters).replace(second=0)
            start = local.replace(tzinfo=UTC) - timedelta(hours=30)
            minutes = (start + timedelta(minutes=15 * n) for n in range(240))
            shown = [m for m in minutes if m.astimezone(place).replace(tzinfo=None) == local]
            seen.add(len(shown))
            if len(shown) == 1:
                assert read_time(f"{local:%Y-%m-%d %H:%M}", zone_name, NOW) == shown[0]
                continue
            with pytest.raises(InvalidTime) as caught:
                read_time(f"{local:%Y-%m-%d %H:%M}", zone_name, NOW)
            readings = caught.value.details["readings"]
            assert isinstance(readings, list)
            instants = [read_time(reading, zone_name, NOW) for reading in readings]
            assert len(set(instants)) == 2
            assert not shown or sorted(instants) == shown
            assert all(reading in str(caught.value.hint) for reading in readings)
    # Every kind of hour must have occurred, or the test proves nothing.
    steady = {"UTC": set(), "Asia/Kolkata": set(), "Pacific/Apia": {0, 1, 2}}
    assert seen == steady.get(zone_name, {0, 1, 2})


def test_a_count_of_days_that_ends_in_a_gap() -> None:
    """A day after half past two is refused where that is skipped; 24 hours are exact."""
    now = datetime(2026, 3, 28, 1, 30, tzinfo=UTC)
    with pytest.raises(InvalidTime, match="does not exist"):
        read_time("in 1 day", PARIS, now)
    assert short_text(read_time("in 24 hours", PARIS, now)) == "2026-03-29T01:30:00Z"


# --- months -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "month"),
    [
        *(
            ("2026-10", "2026-10"),
            ("this", "2026-10"),
            ("last", "2026-09"),
            ("Last  Month", "2026-09"),
        ),
        *(("oct", "2026-10"), ("October", "2026-10"), ("nov", "2025-11"), ("sept", "2026-09")),
        *(("oct 2025", "2025-10"), ("december 2030", "2030-12"), ("may", "2026-05")),
    ],
)
def test_months(text: str, month: str) -> None:
    """A name without a year is the latest such month that has begun."""
    assert read_month(text, date(2026, 10, 9)) == month


def test_the_month_before_january() -> None:
    """Is December of the year before."""
    assert read_month("last", date(2026, 1, 31)) == "2025-12"


@pytest.mark.parametrize(
    "text", ["", "10", "2026-13", "2026-1", "10/2026", "o", "octopus", "0000-01", "oct 0000"]
)
def test_months_that_are_not_read(text: str) -> None:
    """Refused with the forms there are."""
    with pytest.raises(InvalidMonth) as caught:
        read_month(text, date(2026, 10, 9))
    assert "oct 2025" in str(caught.value.hint)


# --- whatever is typed ------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        *("now", "today", "tomorrow", "yesterday", "last", "friday", "in", "ago", "at", "on", "of"),
        *("9", "09:00", "9am", "noon", "25:00", "23:59:59.5", "Z", "+02:00", "-", "to", "paused"),
        *("2026-10-05", "2026-02-30", "0001-01-01", "9999-12-31", "5", "oct", "feb", "29", "2024"),
        *("05/06/2026", "hours", "1h", "99999", "years", "months", ",", "é", "\x00", "²"),
    ]
)


@pytest.mark.slow
@given(st.lists(WORDS, max_size=7).map(" ".join) | st.text(max_size=20), st.sampled_from(ZONES))
def test_any_text_is_read_or_refused(text: str, zone_name: str) -> None:
    """The result is an instant in UTC or one of our failures."""
    for past in (True, False):
        try:
            times = [
                read_time(text, zone_name, NOW, past=past, date_only=past),
                read_as_known(text, zone_name, NOW),
            ]
        except LiveportalError:
            continue
        assert all(moment.tzinfo is UTC for moment in times)
    with contextlib.suppress(LiveportalError):
        start, end, _ = read_span(text, zone_name, NOW)
        assert start.tzinfo is end.tzinfo is UTC
    with contextlib.suppress(InvalidMonth):
        read_month(text, NOW.date())


@pytest.mark.slow
def test_what_is_slow_to_import_waits() -> None:
    """ISO times, this and last month and named days need neither pendulum nor dateutil."""
    code = """if True:
        import sys
        from liveportal.cli.clock import utc_now
        from liveportal.cli.parse.spans import read_span
        from liveportal.cli.parse.times import *
        now = utc_now()
        read_time("2026-10-05 09:00", "Europe/Paris", now)
        read_time("friday 9am", "Europe/Paris", now)
        read_as_known("2026-10-05", "UTC", now)
        read_span("yesterday 14:00-14:45", "UTC", now)
        [read_month(text, now.date()) for text in ("this", "last", "oct", "2026-10")]
        slow = {name.partition(".")[0] for name in sys.modules} & {"pendulum", "dateutil"}
        assert not slow, slow
        read_time("2 hours ago", "UTC", now), read_time("5 oct 9:00", "UTC", now)
        assert {"pendulum", "dateutil"} <= sys.modules.keys()
    """
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_now_is_in_utc() -> None:
    """It is the system's, or that of the run."""
    assert utc_now().tzinfo is UTC
    with use_clock(lambda: NOW):
        assert utc_now() is NOW
    assert utc_now() is not NOW
