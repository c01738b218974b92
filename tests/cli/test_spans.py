"""Spans of time as people type them: parsed to the intended interval, or refused with examples."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liveportal.cli.parse.spans import read_pause, read_span
from liveportal.domain.clock import zone
from liveportal.domain.errors import InvalidTime
from tests.cli.test_times import PARIS

NOW = datetime(2026, 10, 9, 10, 0, 30, tzinfo=UTC)  # A Friday; 12:00:30 in Paris.
NEW_YORK = "America/New_York"


def shown(instant: datetime) -> str:
    """Return an instant as these tests write them."""
    return f"{instant:%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize(
    ("text", "start", "end", "pauses"),
    [
        ("14:00-14:45", "2026-10-09T12:00", "2026-10-09T12:45", []),
        ("yesterday 2pm to 2:45pm", "2026-10-08T12:00", "2026-10-08T12:45", []),
        ("fri 14:00 \u2013 15:00", "2026-10-02T12:00", "2026-10-02T13:00", []),
        ("14:00-14:00", "2026-10-09T12:00", "2026-10-09T12:00", []),
        (
            "yesterday 14:00-14:45, paused 14:10-14:15",
            *("2026-10-08T12:00", "2026-10-08T12:45"),
            [("2026-10-08T12:10", "2026-10-08T12:15")],
        ),
        (
            "5 oct, 2026 23:30-00:15 paused 23:50-00:05 and 00:06-00:07, 00:08-00:09",
            *("2026-10-05T21:30", "2026-10-05T22:15"),
            [
                ("2026-10-05T21:50", "2026-10-05T22:05"),
                ("2026-10-05T22:06", "2026-10-05T22:07"),
                ("2026-10-05T22:08", "2026-10-05T22:09"),
            ],
        ),
        ("2026-10-05 23:30 to 2026-10-07 00:15", "2026-10-05T21:30", "2026-10-06T22:15", []),
        ("2026-10-05T14:00Z-14:45Z", "2026-10-05T14:00", "2026-10-05T14:45", []),
        ("2026-10-25 01:50+02:00-02:10+01:00", "2026-10-24T23:50", "2026-10-25T01:10", []),
        ("14:00-15:00 paused today 14:10-14:20", "2026-10-09T12:00", "2026-10-09T13:00", [
            ("2026-10-09T12:10", "2026-10-09T12:20")
        ]),
        # A zone at either side applies to both, and to the pauses.
        ("14:00-15:00 UTC", "2026-10-09T14:00", "2026-10-09T15:00", []),
        ("14:00Z-15:00Z", "2026-10-09T14:00", "2026-10-09T15:00", []),
        ("2026-10-05 14:00 utc to 15:00", "2026-10-05T14:00", "2026-10-05T15:00", []),
        ("2026-10-05 14:00-15:00 +05:30", "2026-10-05T08:30", "2026-10-05T09:30", []),
        (
            "yesterday 14:00-15:00 UTC, paused 14:10-14:20",
            *("2026-10-08T14:00", "2026-10-08T15:00"),
            [("2026-10-08T14:10", "2026-10-08T14:20")],
        ),
        # An offset is never read as an end, nor an end as an offset.
        ("2026-10-05 09:00-10:00-05:00", "2026-10-05T14:00", "2026-10-05T15:00", []),
        ("09:00-10:00-05:00", "2026-10-09T14:00", "2026-10-09T15:00", []),
        ("2026-10-05 09:00-10:00", "2026-10-05T07:00", "2026-10-05T08:00", []),
        ("2026-10-25 01:30-03:30", "2026-10-24T23:30", "2026-10-25T02:30", []),
        ("yesterday 23:30-01:00", "2026-10-08T21:30", "2026-10-08T23:00", []),
        ("2026-10-05 23:30-04:30", "2026-10-05T21:30", "2026-10-06T02:30", []),
        ("14:00-13:00", "2026-10-09T12:00", "2026-10-10T11:00", []),
        # 24:00 is an end.
        ("yesterday 23:00-24:00", "2026-10-08T21:00", "2026-10-08T22:00", []),
        ("2026-10-05 23:00 to 2026-10-05 24:00 UTC", "2026-10-05T23:00", "2026-10-06T00:00", []),
        (
            "yesterday 23:00-00:30, paused 23:50-24:00",
            *("2026-10-08T21:00", "2026-10-08T22:30"),
            [("2026-10-08T21:50", "2026-10-08T22:00")],
        ),
    ],
)  # fmt: skip
def test_spans(text: str, start: str, end: str, pauses: list[tuple[str, str]]) -> None:
    """An end that is earlier by the clock than its start is on the next day."""
    began, ended, paused = read_span(text, PARIS, NOW)
    assert (shown(began), shown(ended)) == (start, end)
    assert [(shown(a), shown(b)) for a, b in paused] == pauses


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "14:00", "yesterday", "14-15", "14:00-25:00", "paused 14:00-15:00"),
        *("14:00-15:00 paused", "14:00-15:00 paused x", "24:00-01:00", "14:00-24:30"),
        *("14:00-15:00, paused 13:00-13:10", "14:00-15:00, paused 14:50-15:10"),
        *("2026-10-25 01:50-02:10", "05/06/2026 14:00-15:00", "9999-12-31 23-1"),
        *("2026-10-05T14:00:00+02:00", "2026-10-05 14:00Z", "9999-12-31 23:00-24:00"),
        *("2026-10-05 14:00-15:00-16:00", "14:00 UTC", "14:00-15:00-16:00-17:00"),
    ],
)
def test_spans_that_are_not_read(text: str) -> None:
    """A pause outside its span, and an hour that comes twice, are refused, too."""
    with pytest.raises(InvalidTime) as caught:
        read_span(text, PARIS, NOW)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "zone_name", "readings"),
    [
        # A single instant with an offset is no span of fifteen hours.
        (
            "2026-11-05T14:00:00-05:00",
            NEW_YORK,
            ["2026-11-05T14:00:00-05:00", "2026-11-05T14:00:00-05:00 to 2026-11-06T05:00:00-05:00"],
        ),
        (
            "2026-11-05 20:00-05:00",
            NEW_YORK,
            ["2026-11-05T20:00:00-05:00", "2026-11-05T20:00:00-05:00 to 2026-11-06T05:00:00-05:00"],
        ),
        (
            "2026-11-05 04:00:00-05:00",
            NEW_YORK,
            ["2026-11-05T04:00:00-05:00", "2026-11-05T04:00:00-05:00 to 2026-11-05T05:00:00-05:00"],
        ),
        (
            "2026-11-05T04:00-05:00",
            NEW_YORK,
            ["2026-11-05T04:00:00-05:00", "2026-11-05T04:00:00-05:00 to 2026-11-05T05:00:00-05:00"],
        ),
        # 09:00-04:00 may be a start with an offset or a span with one; both are short.
        (
            "2026-10-05 09:00-04:00-10:00",
            PARIS,
            ["2026-10-05T15:00:00+02:00 to 2026-10-05T16:00:00+02:00"],
        ),
        (
            "2026-10-05 20:00-02:00-04:00",
            PARIS,
            [
                "2026-10-06T02:00:00+02:00 to 2026-10-06T08:00:00+02:00",
                "2026-10-06T00:00:00+02:00 to 2026-10-06T08:00:00+02:00",
            ],
        ),
        # On the day of a clock change an offset may only select one of two hours.
        (
            "2026-10-25 02:30+02:00-03:30",
            PARIS,
            [
                "2026-10-25T02:30:00+02:00 to 2026-10-25T02:30:00+01:00",
                "2026-10-25T02:30:00+02:00 to 2026-10-25T03:30:00+01:00",
            ],
        ),
        # It is today in the one zone and tomorrow in the other.
        (
            "08:00-09:00 +14:00",
            PARIS,
            [
                "2026-10-08T20:00:00+02:00 to 2026-10-08T21:00:00+02:00",
                "2026-10-09T20:00:00+02:00 to 2026-10-09T21:00:00+02:00",
            ],
        ),
        # A zone that only the pause has.
        (
            "2026-10-05 14:00-18:00, paused 14:30-14:40 UTC",
            PARIS,
            [
                "2026-10-05T14:00:00+02:00 to 2026-10-05T18:00:00+02:00",
                "2026-10-05T16:00:00+02:00 to 2026-10-05T20:00:00+02:00",
            ],
        ),
    ],
)
def test_two_readings_are_refused_with_both(text: str, zone_name: str, readings: list[str]) -> None:
    """Both interpretations are shown, each in a spelling that parses to it."""
    if len(readings) == 1:
        start, end, _ = read_span(text, zone_name, NOW)
        assert (start, end) == read_span(readings[0], zone_name, NOW)[:2]
        return
    with pytest.raises(InvalidTime) as caught:
        read_span(text, zone_name, NOW + timedelta(hours=1))
    assert caught.value.details["readings"] == readings
    assert all(reading in str(caught.value.hint) for reading in readings)
    for reading in readings[1:]:
        start, end, _ = read_span(reading, zone_name, NOW)
        back = (instant.astimezone(zone(zone_name)).isoformat() for instant in (start, end))
        assert " to ".join(back) == reading


def test_what_the_hint_of_an_hour_that_comes_twice_proposes_is_read() -> None:
    """The hint shows whole spans; each of them parses as shown."""
    with pytest.raises(InvalidTime, match="02:30:00 occurs twice") as caught:
        read_span("2026-10-25 02:30-03:30", PARIS, NOW)
    assert caught.value.details["readings"] == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:30:00+01:00",
    ]
    lengths = [end - start for start, end in proposed(caught.value, PARIS)]
    assert lengths == [timedelta(hours=2), timedelta(hours=1)]


def test_a_pause_outside_is_reported_on_its_own_date() -> None:
    """13:00 is on the day of the session, and not on the next one."""
    session = read_span("yesterday 14:00-15:00", PARIS, NOW)[:2]
    with pytest.raises(InvalidTime, match=r"pause from 2026-10-08T13:00:00\+02:00"):
        read_pause("13:00-13:10", PARIS, session, NOW)
    with pytest.raises(InvalidTime, match=r"pause from 2026-10-08T13:00:00\+02:00"):
        read_span("yesterday 14:00-15:00, paused 13:00-13:10", PARIS, NOW)


def test_a_pause_after_midnight() -> None:
    """It is on the day that places it within the session."""
    session = read_span("2026-10-05 23:30-00:15", PARIS, NOW)[:2]
    since, until = read_pause("00:05-00:10", PARIS, session, NOW)
    assert (shown(since), shown(until)) == ("2026-10-05T22:05", "2026-10-05T22:10")


def test_a_pause_that_can_be_on_two_days() -> None:
    """In a session of over a day it is not guessed."""
    session = read_span("2026-10-05 12:00 to 2026-10-07 12:00", PARIS, NOW)[:2]
    with pytest.raises(InvalidTime, match="several ways"):
        read_pause("13:00-13:10", PARIS, session, NOW)


# --- whatever is meant ------------------------------------------------------------------------


def proposed(error: InvalidTime, zone_name: str) -> list[tuple[datetime, datetime]]:
    """Return the spans that a refusal proposes, each parsed as shown."""
    texts = re.findall(r"\S+ to [^\s,]+(?<!\.)", str(error.hint))
    return [read_span(text, zone_name, NOW)[:2] for text in texts]


class Meant(NamedTuple):
    """An intended span, how it is spelt, and the current time."""

    text: str
    span: tuple[datetime, datetime]
    zone_name: str
    now: datetime


CHANGES = {  # Days of clock changes, and one without.
    PARIS: (date(2026, 10, 25), date(2026, 3, 29), date(2026, 6, 1)),
    NEW_YORK: (date(2026, 11, 1), date(2026, 3, 8), date(2026, 6, 1)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4), date(2026, 6, 1)),
    "Asia/Beirut": (date(2026, 10, 25), date(2026, 3, 29), date(2026, 6, 1)),
    "Asia/Kolkata": (date(2026, 6, 1),),
    "UTC": (date(2026, 6, 1),),
    "Pacific/Apia": (date(2011, 12, 29), date(2011, 12, 31)),
}
OFFSETS = [timezone(timedelta(hours=hours)) for hours in (-11, -5, -4, -1, 1, 2, 3, 10, 11, 14)]
OFFSETS += [timezone(timedelta(hours=-3, minutes=-30)), timezone(timedelta(hours=5, minutes=30))]


def _clock(instant: datetime, *, twelve: bool) -> str:
    if twelve and instant.minute == 0:
        return f"{instant.hour % 12 or 12}{'pm' if instant.hour >= 12 else 'am'}"
    return f"{instant:%H:%M}"


def _offset(instant: datetime, *, joined: bool) -> str:
    text = instant.isoformat()[-6:]
    return text if joined else f" {text}"


@st.composite
def meant(draw: st.DrawFn) -> Meant:
    """Draw an interval and a spelling of it."""
    zone_name = draw(st.sampled_from(list(CHANGES)))
    day = draw(st.sampled_from(CHANGES[zone_name]))
    minutes = draw(st.integers(0, 27 * 60 // 5)) * 5
    start = datetime.combine(day, time(), zone(zone_name)).astimezone(UTC)
    start += timedelta(minutes=minutes)
    end = start + timedelta(minutes=draw(st.integers(1, 12 * 12)) * 5)
    side = draw(st.sampled_from(["none", "first", "last", "both", "each", "hour"]))
    own: tzinfo = zone(zone_name)
    if side in ("first", "last", "both"):
        own = draw(st.sampled_from([UTC, *OFFSETS]))
    places = [own, own]
    if side in ("each", "hour"):  # The zone's own; at one side only it selects the hour.
        spans = [instant.astimezone(own).utcoffset() or timedelta() for instant in (start, end)]
        places = [timezone(span) for span in spans]
    first, last = (each.astimezone(there) for each, there in zip((start, end), places, strict=True))
    joined = draw(st.booleans())
    twelve = draw(st.booleans())
    clocks = [_clock(instant, twelve=twelve) for instant in (first, last)]
    if clocks[1] == "00:00" and last.date() > first.date() and draw(st.booleans()):
        clocks[1] = "24:00"
    own_day = ""
    if clocks[1] != "24:00" and draw(st.booleans()):
        own_day = f"{last.date()}{draw(st.sampled_from([' ', 'T']))}"
    if side == "hour":
        side = draw(st.sampled_from(["first", "last"]))
    if side in ("first", "both", "each"):
        clocks[0] += _offset(first, joined=joined)
    if side in ("last", "both", "each"):
        clocks[1] += " UTC" if places[1] is UTC and not joined else _offset(last, joined=joined)
    separator = draw(st.sampled_from(["-", " - ", " to ", "\u2013"]))
    now = start + timedelta(days=draw(st.integers(0, 2)), hours=draw(st.integers(0, 20)))
    behind = (now.astimezone(zone(zone_name)).date() - first.date()).days
    words = ["", "today "] if behind == 0 else ["yesterday "] if behind == 1 else []
    day_words = draw(st.sampled_from([f"{first.date()} ", f"{first.date()}T", *words]))
    text = f"{day_words}{clocks[0]}{separator}{own_day}{clocks[1]}"
    return Meant(text, (start, end), zone_name, now)


def test_the_interval_that_is_meant_or_a_refusal_that_shows_it() -> None:
    """Never a third interval, in any zone, offset, day or spelling."""
    seen = set()

    @settings(max_examples=450)
    @given(meant())
    def check(case: Meant) -> None:
        try:
            start, end, _ = read_span(case.text, case.zone_name, case.now)
        except InvalidTime as error:
            refusal = error
        else:
            seen.add("read")
            assert (start, end) == case.span, case
            return
        seen.add(re.sub(r".*(occurs twice|not exist|several ways).*", r"\1", refusal.message))
        readings = refusal.details["readings"]
        assert isinstance(readings, list)
        assert len(readings) > 1
        assert case.span in proposed(refusal, case.zone_name), (case, refusal.message)

    check()
    # Every outcome must have occurred, or the test proves nothing.
    assert seen >= {"read", "occurs twice", "several ways"}
