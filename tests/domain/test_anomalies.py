"""The anomalies of `sessions check`, each by an example; overlaps against a plain model."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from liveportal.domain.calculations.anomalies import CODES, Anomaly, SessionSpan, find, overlaps
from liveportal.domain.clock import microseconds
from liveportal.domain.entities import Session, SessionState
from liveportal.domain.hint import Hint
from liveportal.domain.money import Money
from tests.kit.events import at
from tests.kit.work import stopped_if_endless

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NOON = at("10-05 12:00")


def session(name: str = "S-1", state: str = "ended", **more: Any) -> Session:  # noqa: ANN401
    """Return a session without anomalies, except for the given fields."""
    start = more.get("start")
    last = more.get("end") or more.get("paused_since") or start or at("10-01 00:00")
    made = Session(name, "C-1", SessionState(state), Money(300, "USD"), 1, 1, last, **more)
    if made.start is None or made.end is None:
        return made
    paused = sum((until - since for since, until in made.pauses), timedelta())
    active_us = microseconds(made.end - made.start - paused)
    billed_us = active_us if active_us > 300_000_000 else 0
    return replace(made, active_us=active_us, billed_us=billed_us)


def held(name: str, start: str, end: str, **more: Any) -> Session:  # noqa: ANN401
    """Return an ended session."""
    return session(name, start=at(f"10-05 {start}"), end=at(f"10-05 {end}"), **more)


def codes(*sessions: Session, now: datetime = NOON, **more: timedelta) -> list[tuple[str, str]]:
    """Return the anomalies, each as its code and its session."""
    return [(anomaly.code, anomaly.session) for anomaly in find(sessions, now, **more)]


def only(*sessions: Session, now: datetime = NOON) -> Anomaly:
    """Return the one finding that there is."""
    (anomaly,) = find(sessions, now)
    return anomaly


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    """Sessions one after the other, one live for an hour, one to come."""
    live = session("S-3", "live", start=NOON - HOUR)
    ahead = session("S-4", "upcoming", planned_start=NOON + HOUR, planned_minutes=60)
    cancelled = replace(ahead, id="S-5", state=SessionState.CANCELLED)
    assert codes(held("S-1", "08:00", "09:00"), held("S-2", "09:00", "10:00"), live, ahead) == []
    assert codes(ahead, cancelled) == []
    assert find((), NOON) == []


# --- timers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "elapsed", "forgotten"),
    [
        (None, 4 * HOUR, False),
        (None, 4 * HOUR + MINUTE, True),
        (30, 60 * MINUTE, False),  # Twice as long as was agreed.
        (30, 61 * MINUTE, True),
        (300, 5 * HOUR, False),  # The agreed length, whatever the limit for other sessions is.
        (300, 5 * HOUR + MINUTE, True),
    ],
)
@pytest.mark.parametrize("state", ["live", "paused"])
def test_a_timer_is_forgotten(
    minutes: int | None, elapsed: timedelta, forgotten: bool, state: str
) -> None:
    """Longer than is believed of any session, or twice as long as was agreed; never before that."""
    start = NOON - elapsed
    paused = start + MINUTE if state == "paused" else None
    running = session(state=state, start=start, planned_minutes=minutes, paused_since=paused)
    running = replace(running, planned_start=start if minutes else None)
    expected = [("forgotten_timer", "S-1")] if forgotten else []
    assert codes(running) == expected


def test_the_bound_can_be_given() -> None:
    """`--longer-than` applies to sessions without a plan, or with a longer one."""
    live = session(state="live", start=NOON - HOUR)
    assert codes(live, longer_than=HOUR) == []
    assert codes(live, longer_than=HOUR - MINUTE) == [("forgotten_timer", "S-1")]


def test_a_forgotten_timer_says_when_it_may_have_ended() -> None:
    """At its pause, or as was planned; where neither can be, the expert has to say."""
    start = at("10-04 09:00")
    planned = session(state="live", start=start, planned_start=start, planned_minutes=60)
    assert only(planned).hint == Hint("{end_it_then}", session="S-1", end="2026-10-04T10:00:00Z")
    paused = session(state="paused", start=start, paused_since=start + 5 * MINUTE)
    assert only(paused).hint == Hint("{end_it_then}", session="S-1", end="2026-10-04T09:05:00Z")
    unknown = Hint("{end_it}", session="S-1")
    assert only(session(state="live", start=start)).hint == unknown
    resumed = replace(planned, last_time=start + 2 * HOUR)
    assert only(resumed).hint == unknown


def test_two_timers_at_once() -> None:
    """Live in two sessions: one is to be paused; a paused session makes room for another (R6)."""
    first, second = (
        session(name, "live", start=NOON - minutes * MINUTE)
        for name, minutes in (("A", 30), ("B", 20))
    )
    anomaly = only(first, second)
    assert (anomaly.code, anomaly.session, anomaly.other) == ("several_live", "B", "A")
    assert anomaly.since == second.start
    paused = replace(first, state=SessionState.PAUSED, paused_since=NOON - 25 * MINUTE)
    assert codes(paused, second) == []
    third = session("C", "live", start=NOON - MINUTE)
    assert codes(third, second, first) == [("several_live", "B"), ("several_live", "C")]


def test_a_forgotten_timer_is_reported_once() -> None:
    """It overlaps all later sessions, which are not to blame; their own anomalies are reported."""
    forgotten = session("S-0", "live", start=at("10-01 09:00"))
    others = [held("S-1", "08:00", "09:00"), held("S-2", "08:30", "09:30")]
    assert codes(forgotten, *others) == [("forgotten_timer", "S-0"), ("overlap", "S-2")]


# --- overlaps -------------------------------------------------------------------------------------


def test_two_sessions_on_the_timer_at_the_same_time() -> None:
    """The later one is named, with the other, the start, the length, and the remedy."""
    anomaly = only(held("S-2", "09:30", "10:30"), held("S-1", "09:00", "10:00"))
    assert (anomaly.code, anomaly.session, anomaly.other) == ("overlap", "S-2", "S-1")
    assert anomaly.since == at("10-05 09:30")
    assert anomaly.message == "Its timer ran at the same time as that of session S-1, for 30 min."
    assert anomaly.hint == Hint("{correct_its_times}", session="S-2")


def test_a_pause_leaves_room_for_another_session() -> None:
    """A session within the pause of another is no overlap."""
    pause = (at("10-05 09:20"), at("10-05 09:50"))
    long = held("S-1", "09:00", "10:30", pauses=(pause,))
    assert codes(long, held("S-2", "09:20", "09:50")) == []
    assert codes(long, held("S-2", "09:20", "09:51")) == [("overlap", "S-1")]
    assert codes(long, held("S-2", "09:10", "10:00")) == [("overlap", "S-2")]


def test_a_live_session_overlaps_what_has_ended() -> None:
    """The ended session can be corrected, so it is the one that is named."""
    live = session("S-2", "live", start=NOON - 30 * MINUTE)
    anomaly = only(held("S-1", "11:00", "11:45"), live)
    assert (anomaly.code, anomaly.session, anomaly.other) == ("overlap", "S-1", "S-2")


def test_two_bookings_at_the_same_time() -> None:
    """The session that can still be moved is named; if both have begun, the timers show it."""
    first = session("S-1", "upcoming", planned_start=NOON + HOUR, planned_minutes=60)
    second = replace(first, id="S-2", planned_start=NOON + HOUR + 59 * MINUTE)
    anomaly = only(first, second)
    assert (anomaly.code, anomaly.session, anomaly.other) == ("double_booked", "S-2", "S-1")
    assert anomaly.hint == Hint("{reschedule_it}", session="S-2")
    touching = replace(second, planned_start=NOON + 2 * HOUR)
    assert codes(first, touching) == []
    begun = replace(second, state=SessionState.LIVE, start=NOON)
    anomaly = only(first, begun)
    assert (anomaly.session, anomaly.other) == ("S-1", "S-2")
    assert (
        codes(replace(first, state=SessionState.PAUSED, start=NOON, paused_since=NOON), begun) == []
    )


# --- plans and lengths ----------------------------------------------------------------------------


@pytest.mark.parametrize(("late", "found"), [(HOUR, False), (HOUR + MINUTE, True)])
def test_a_session_that_never_started(late: timedelta, found: bool) -> None:
    """An hour after its start it is neither started, nor missed, nor cancelled."""
    planned = session(state="upcoming", planned_start=NOON - late, planned_minutes=30)
    assert codes(planned) == ([("not_started", "S-1")] if found else [])
    assert codes(replace(planned, state=SessionState.MISSED)) == []


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("10-04 00:00", "10-04 12:00", []),
        ("10-04 00:00", "10-04 12:01", ["too_long"]),
        ("10-05 09:00", "10-05 09:00", ["zero_length"]),
        ("10-05 11:30", "10-05 12:30", ["ahead_of_clock"]),
    ],
)
def test_lengths_that_cannot_be_meant(start: str, end: str, found: list[str]) -> None:
    """Over twelve hours, zero, or into the future."""
    ended = session(start=at(start), end=at(end))
    assert [code for code, _ in codes(ended)] == found


def test_what_begins_in_the_future_is_no_forgotten_timer() -> None:
    """A clock or an offset is wrong, and the message says so."""
    assert codes(session(state="live", start=NOON + 9 * HOUR)) == [("ahead_of_clock", "S-1")]


def test_billed_although_it_was_free() -> None:
    """A trial that the platform billed may come back as a refund claim."""
    free = held("S-1", "09:00", "09:04")
    assert codes(free) == []
    anomaly = only(replace(free, gross_minor=1200))
    assert (anomaly.code, anomaly.hint) == (
        "billed_in_trial",
        Hint("{bill_nothing}", session="S-1"),
    )


@pytest.mark.parametrize(
    ("resumed", "found"),
    [("09:30", []), ("09:31", ["long_pause"])],
)
def test_a_pause_that_was_never_ended(resumed: str, found: list[str]) -> None:
    """It was paused for longer than it was on the timer, and not for a few minutes only."""
    pause = (at("10-05 09:10"), at(f"10-05 {resumed}"))
    assert [code for code, _ in codes(held("S-1", "09:00", "09:40", pauses=(pause,)))] == found
    short = (at("10-05 09:01"), at("10-05 09:16"))
    assert codes(held("S-1", "09:00", "09:17", pauses=(short,))) == []


def test_the_most_serious_comes_first_and_then_time_decides() -> None:
    """A timer that runs costs money now; a short session is only odd."""
    anomaly_codes = codes(
        held("S-3", "09:00", "09:00"),
        held("S-2", "08:00", "08:00"),
        session("S-4", "upcoming", planned_start=NOON - 2 * HOUR, planned_minutes=30),
        session("S-5", "live", start=NOON - 9 * HOUR),
    )
    assert anomaly_codes == [
        ("forgotten_timer", "S-5"),
        ("not_started", "S-4"),
        ("zero_length", "S-2"),
        ("zero_length", "S-3"),
    ]


# --- against a plain model ------------------------------------------------------------------------

MOMENTS = [datetime(2026, 10, 25, tzinfo=UTC) + n * 10 * MINUTE for n in range(8)]
spans = st.lists(
    st.tuples(st.sampled_from(MOMENTS), st.sampled_from(MOMENTS), st.sampled_from("ABCDE")).map(
        lambda each: SessionSpan(min(each[:2]), max(each[:2]), each[2])
    ),
    max_size=8,
)


def overlap(one: SessionSpan, other: SessionSpan) -> bool:
    """Return True if two intervals share an instant."""
    return any(one.start <= t < one.end and other.start <= t < other.end for t in MOMENTS)


@example(
    [
        SessionSpan(MOMENTS[n], MOMENTS[m], name)
        for n, m, name in ((0, 7, "A"), (1, 2, "B"), (3, 4, "C"))
    ]
)
@given(spans)
def test_overlaps_are_those_of_every_pair(drawn: list[SessionSpan]) -> None:
    """Every reported session overlaps another, and every overlapping session is reported."""
    anomalies = overlaps(drawn)
    clashing = [pair for pair in combinations(drawn, 2) if overlap(*pair)]
    assert all(overlap(*pair) and pair[1].start <= pair[0].start for pair in anomalies)
    assert {span for pair in anomalies for span in pair} == {
        span for pair in clashing for span in pair
    }
    assert len(anomalies) < max(1, len(drawn))
    event(f"{min(len(clashing), 3)} overlaps")


states = st.sampled_from(["upcoming", "live", "paused", "ended", "cancelled", "missed"])


@st.composite
def anything(draw: st.DrawFn) -> Session:
    """Any session: of a few names, over a few moments around the change of the clocks."""
    first, second, third = sorted(draw(st.lists(st.sampled_from(MOMENTS), min_size=3, max_size=3)))
    state = draw(states)
    begun = state in ("live", "paused", "ended")
    return session(
        draw(st.sampled_from("ABCDE")),
        state,
        start=first if begun else None,
        end=third if state == "ended" else None,
        paused_since=second if state == "paused" else None,
        pauses=((first, second),) if begun and state != "paused" and draw(st.booleans()) else (),
        planned_start=draw(st.sampled_from(MOMENTS)) if not begun or draw(st.booleans()) else None,
        planned_minutes=draw(st.sampled_from([10, 30])),
        gross_minor=draw(st.sampled_from([0, 100])),
    )


@given(st.lists(anything(), max_size=5, unique_by=lambda each: each.id), st.sampled_from(MOMENTS))
def test_anomalies_are_always_well_formed(drawn: list[Session], now: datetime) -> None:
    """In order, no duplicates, about existing sessions, each command with its session's name."""
    anomalies = find(drawn, now, longer_than=20 * MINUTE)
    names = {one_session.id for one_session in drawn}
    order = [(CODES.index(anomaly.code), anomaly.since) for anomaly in anomalies]
    assert order == sorted(order)
    for anomaly in anomalies:
        assert anomaly.session in names
        assert anomaly.other in names - {anomaly.session} or anomaly.other is None
        assert anomaly.hint.details["session"] in names
        assert anomaly.message
        event(anomaly.code)
    pairs = [(anomaly.code, frozenset((anomaly.session, anomaly.other))) for anomaly in anomalies]
    assert len(pairs) == len(set(pairs))
    assert find(drawn[::-1], now, longer_than=20 * MINUTE) == anomalies


def test_a_sweep_takes_no_longer_than_sorting() -> None:
    """Ten thousand sessions of which all overlap are looked through at once."""
    start = MOMENTS[0]
    many = [
        SessionSpan(start + n * MINUTE, start + 30_000 * MINUTE, f"S-{n}") for n in range(10_000)
    ]
    with stopped_if_endless(1):
        assert len(overlaps(many)) == len(many) - 1
