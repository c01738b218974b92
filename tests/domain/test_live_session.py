"""The live figures: the amount so far is the bill if the session ended now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from liveportal.domain.calculations.live_session import LiveSession, expected, running, starts_in
from liveportal.domain.clock import MICROSECOND, shifted, utc_text
from liveportal.domain.entities import Session, SessionState
from liveportal.domain.money import LARGEST_MINOR, Money
from liveportal.domain.policy import Policy
from tests.kit.books import Book, NewBook, book
from tests.kit.events import amount, at, policy
from tests.kit.pools import GAPS, SPANS, policy_of

MINUTE = timedelta(minutes=1)
policies = st.randoms(use_true_random=False).map(lambda random: policy_of(random.choice))


def figures(books: Book, when: str | datetime, name: str = "S-1") -> LiveSession:
    """Return a session's live figures at an instant, by the policy that it froze."""
    session = books.session(name)
    now = at(when) if isinstance(when, str) else when
    live = running(session, books.journal.book.policy_at(session.policy), now)
    assert live
    return live


def minutes(us: int | None) -> float | None:
    """Return microseconds as minutes."""
    return None if us is None else us / 60_000_000


# --- worked examples ------------------------------------------------------------------------------


def test_a_live_session_counts_and_a_pause_does_not(books: Book) -> None:
    """Twenty minutes from the start, five of them paused: fifteen are billed, at $5 (R6)."""
    books.live(when="10-05 09:00", rate="5.00")
    books.record("session.paused", "10-05 09:10", session="S-1")
    books.record("session.resumed", "10-05 09:15", session="S-1")
    now = figures(books, "10-05 09:20")
    assert [minutes(each) for each in (now.elapsed_us, now.paused_us, now.active_us)] == [20, 5, 15]
    assert (minutes(now.billed_us), str(now.gross), str(now.earned)) == (15, "75.00", "52.50")
    assert (now.trial_ends, now.trial_left_us) == (None, None)


def test_the_trial_is_counted_down(books: Book) -> None:
    """Nothing is earned in the trial, and its end is shown (R5)."""
    books.live(when="10-05 09:00")
    now = figures(books, "10-05 09:02")
    assert (str(now.gross), str(now.earned), now.billed_us) == ("0.00", "0.00", 0)
    assert (now.trial_ends, minutes(now.trial_left_us)) == (at("10-05 09:05"), 3)


def test_a_pause_in_the_trial_stops_its_end(books: Book) -> None:
    """The end of a paused trial is unknown; the rest of the trial stays the same."""
    books.live(when="10-05 09:00")
    books.record("session.paused", "10-05 09:02", session="S-1")
    for when in ("10-05 09:02", "10-05 09:30", "10-06 09:00"):
        now = figures(books, when)
        assert (now.trial_ends, minutes(now.trial_left_us)) == (None, 3)
        assert (minutes(now.active_us), now.billed_us) == (2, 0)
    books.record("session.resumed", "10-05 09:30", session="S-1")
    assert figures(books, "10-05 09:31").trial_ends == at("10-05 09:33")


@pytest.mark.parametrize(
    ("boundary", "ends", "gross"),
    [("over", at("10-05 09:05"), "0.00"), ("from", None, "25.00")],
)
def test_exactly_five_minutes(
    new_book: NewBook, boundary: str, ends: datetime | None, gross: str
) -> None:
    """At 5:00.000 the trial still runs where it must be outlasted, and is over where it is met."""
    books = new_book(trial={"boundary": boundary})
    books.live(when="10-05 09:00", rate="5.00")
    now = figures(books, "10-05 09:05")
    assert (now.trial_ends, str(now.gross)) == (ends, gross)
    after = figures(books, at("10-05 09:05") + MICROSECOND)
    assert (after.trial_ends, str(after.gross)) == (None, "25.00")


@pytest.mark.parametrize("trial", [{"billed": "none"}, {"minutes": 0}])
def test_no_trial_has_no_end(new_book: NewBook, trial: dict[str, object]) -> None:
    """Without a trial there is no countdown."""
    books = new_book(trial=trial)
    books.live(when="10-05 09:00")
    now = figures(books, "10-05 09:00")
    assert (now.trial_ends, now.trial_left_us) == (None, None)


def test_the_frozen_policy_counts(books: Book) -> None:
    """A policy adopted while a session runs does not affect its earning (R4)."""
    books.live(when="10-05 09:00", rate="5.00")
    books.record("policy.adopted", "10-05 09:01", policy=policy(fee={"percent": 90}).document)
    assert str(figures(books, "10-05 09:10").earned) == "35.00"


def test_what_begins_in_the_future_has_not_begun(books: Book) -> None:
    """A feed may be ahead of the clock: nothing is negative, and the trial is still whole."""
    books.live(when="10-05 09:00")
    books.record("session.paused", "10-05 09:10", session="S-1")
    books.record("session.resumed", "10-05 09:20", session="S-1")
    before = figures(books, "10-05 08:00")
    assert (before.elapsed_us, before.paused_us, before.active_us, before.billed_us) == (0, 0, 0, 0)
    assert before.trial_ends == at("10-05 09:05")
    within = figures(books, "10-05 09:15")
    assert [minutes(each) for each in (within.elapsed_us, within.paused_us)] == [15, 5]


def test_more_than_the_books_can_hold_is_no_failure(books: Book) -> None:
    """Amounts that could never be billed are left out; the timer is still shown."""
    books.live(when="10-05 09:00", rate="92233720368547758.07")
    now = figures(books, "10-05 09:30")
    assert (now.gross, now.earned, minutes(now.billed_us)) == (None, None, 30)


def test_only_what_runs_has_figures(books: Book) -> None:
    """An ended session has a bill, and an upcoming one starts in a while: neither runs."""
    books.live(when="10-05 09:00")
    live = books.session()
    books.record("session.ended", "10-05 09:30", session="S-1")
    assert running(books.session(), Policy(), at("10-05 10:00")) is None
    upcoming = replace(
        live, state=SessionState.UPCOMING, start=None, planned_start=at("10-05 09:00")
    )
    assert running(upcoming, Policy(), at("10-05 10:00")) is None
    assert starts_in(upcoming, at("10-05 08:00")) == timedelta(hours=1)
    assert starts_in(upcoming, at("10-05 09:30")) == -timedelta(minutes=30)
    assert starts_in(live, at("10-05 08:00")) is None


@pytest.mark.parametrize(
    ("length", "rate", "earned"),
    [(60, 300, "126.00"), (5, 300, "0.00"), (60, LARGEST_MINOR, None), (None, 300, None)],
)
def test_what_a_plan_would_earn(
    books: Book, length: int | None, rate: int, earned: str | None
) -> None:
    """An hour at $3.00 earns 70 % of $180; one that is all trial earns nothing."""
    books.live()
    planned = replace(books.session(), planned_minutes=length, rate=Money(rate, "USD"))
    forecast = expected(planned, Policy())
    assert (None if forecast is None else str(forecast)) == earned


# --- the property ---------------------------------------------------------------------------------


@pytest.mark.slow
@given(
    policies,
    st.lists(st.sampled_from(SPANS), min_size=1, max_size=6),
    st.sampled_from((*GAPS, timedelta(days=400))),
    st.integers(1, 9),
)
def test_at_the_end_it_is_what_is_billed(
    rules: Policy, steps: list[timedelta], ahead: timedelta, rate: int
) -> None:
    """For every policy the figures at the end are the bill, and never decrease on the way."""
    start = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    price = amount(str(Money(rate, rules.currency)), rules.currency)
    with book(rules) as books:
        books.open("R-1", utc_text(start), rate=price)
        books.record("request.accepted", utc_text(start), request="R-1", session="S-1")
        now = start
        for number, step in enumerate(steps):
            kind = "session.resumed" if number % 2 else "session.paused"
            now += step
            if number < len(steps) - 1:
                books.record(kind, utc_text(now), session="S-1")
        frozen = books.journal.book.policy_at(books.session().policy)
        seen = [start - ahead, start, *(start + (now - start) * n / 3 for n in range(4)), now]
        shown = [running(books.session(), frozen, moment) for moment in seen]
        state = books.session().state
        books.record("session.ended", utc_text(now), session="S-1")
        ended = books.session()
    figures_by_time = [each for each in shown if each]
    assert len(figures_by_time) == len(seen)
    for each in figures_by_time:
        assert each.active_us + each.paused_us == each.elapsed_us
        assert min(each.active_us, each.paused_us, each.elapsed_us, each.billed_us) >= 0
        assert each.trial_ends is None or state == "live"
        assert each.trial_left_us is None or each.trial_left_us >= 0
    for earlier, later in pairwise(figures_by_time):
        assert earlier.elapsed_us <= later.elapsed_us
        assert earlier.active_us <= later.active_us
    last = figures_by_time[-1]
    assert last.gross is not None
    assert last.earned is not None
    assert (last.active_us, last.billed_us) == (ended.active_us, ended.billed_us)
    assert (last.gross.minor, last.earned.minor) == (ended.gross_minor, ended.share_minor)
    event(f"{state}, {'billed' if ended.gross_minor else 'free'}")


@given(policies, st.sampled_from(SPANS), st.sampled_from((timedelta(0), *SPANS)))
def test_the_trial_ends_when_it_says(rules: Policy, before: timedelta, paused: timedelta) -> None:
    """Until then ending is free, and a microsecond later it is not (but for roundings down)."""
    start = datetime(2026, 3, 29, 0, 58, tzinfo=UTC)
    session = Session(
        *("S-1", "C-1", SessionState.LIVE, Money(1_000_000, rules.currency), 1, 1, start),
        start=start,
        pauses=((start, shifted(start, paused)),),
    )
    now = start + paused + before
    live = running(session, rules, now)
    assert live
    if live.trial_ends is None:
        return
    assert live.trial_ends >= now
    at_end = running(session, rules, live.trial_ends)
    just_before = running(session, rules, max(now, live.trial_ends - MICROSECOND))
    after = running(session, rules, live.trial_ends + MICROSECOND)
    assert at_end and just_before and after  # noqa: PT018 -- All three run.
    assert just_before.billed_us == 0
    assert after.trial_left_us is None
    assert at_end.active_us == rules.trial.minutes * 60_000_000
