"""From the timer to the money: each step follows from the previous one, for every policy."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.calculations.billing import active_time, bill
from liveportal.domain.calculations.billing_steps import BillingStep, bill_steps, span
from liveportal.domain.clock import Pause
from liveportal.domain.entities import Session, SessionState
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy
from tests.kit.events import at, policy
from tests.kit.pack_case import SESSION
from tests.kit.pools import SPANS, policy_of
from tests.properties import arithmetic

MINUTE_US = 60_000_000


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Draw a policy with any interpretation of every switch."""
    return policy_of(draw(st.randoms(use_true_random=False)).choice)


@st.composite
def ended(draw: st.DrawFn, rules: Policy) -> Session:
    """A session of edges, billed by a policy or by the platform."""
    marks = [at("10-05 14:00")]
    for gap in draw(st.lists(st.sampled_from((*SPANS, timedelta(minutes=60))), max_size=5)):
        marks.append(marks[-1] + gap)
    pauses: tuple[Pause, ...] = tuple(zip(marks[1:-1:2], marks[2:-1:2], strict=False))
    rate = Money(draw(st.integers(1, 999)), rules.currency)
    active_us = active_time(marks[0], marks[-1], pauses)
    billed = bill(active_us, rate, rules)
    gross = draw(st.one_of(st.just(billed.gross.minor), st.integers(0, 9_999)))
    return replace(
        SESSION,
        rate=rate,
        start=marks[0],
        end=marks[-1],
        pauses=pauses,
        active_us=active_us,
        billed_us=billed.billed_us,
        gross_minor=gross,
        fee_minor=gross - arithmetic.share(gross, rules),
        expected_minor=billed.gross.minor,
    )


def length(text: str) -> int:
    """Read a length of time back, in microseconds."""
    match = re.fullmatch(r"(-?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?", text)
    assert match, text
    sign, hours, minutes, seconds, fraction = match.groups()
    duration_us = (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 1_000_000
    duration_us += int((fraction or "0").ljust(6, "0"))
    return -duration_us if sign else duration_us


def minor(step: BillingStep, currency: str) -> int:
    """Read an amount back, in minor units."""
    number, _, named = step.comes_to.partition(" ")
    assert named == currency
    return arithmetic.minor(number, currency)


@given(st.data())
def test_every_step_follows_from_the_one_before(data: st.DataObject) -> None:
    """For every trial, billing and fee switch the last step is the expert's share."""
    rules = data.draw(policies())
    session = data.draw(ended(rules))
    steps = bill_steps(session, rules)
    named = {step.what: step for step in steps}
    assert len(named) == len(steps)
    elapsed, pauses, timer, to_bill = (length(step.comes_to) for step in steps[:4])
    assert [step.what for step in steps[:4]] == [
        *("From the start to the end", "Less the pauses", "Time on the timer", "Time to bill"),
    ]

    # Times: each step begins with the result of the previous one.
    assert elapsed + pauses == timer == session.active_us
    assert pauses <= 0
    assert to_bill in (0, timer, timer - rules.trial.minutes * MINUTE_US)
    billed = length(named["Time billed"].comes_to) if "Time billed" in named else to_bill
    assert billed == session.billed_us
    minutes = arithmetic.minutes_to_bill(Fraction(timer, MINUTE_US), rules)
    assert Fraction(billed, MINUTE_US) == minutes, "as the arithmetic written a second time"
    if "Time billed" not in named:
        assert rules.billing.minimum_minutes * MINUTE_US <= to_bill or not to_bill

    # Money: the same, down to the share.
    rate = f"Times {session.rate} {rules.currency} a minute"
    expected = minor(named[rate], rules.currency)
    assert expected == arithmetic.gross(session.rate.minor, minutes) == session.expected_minor
    gross = expected
    if "Billed by the platform" in named:
        gross = minor(named["Billed by the platform"], rules.currency)
        assert gross != expected
    assert gross == session.gross_minor
    fee, share = (minor(step, rules.currency) for step in steps[-2:])
    assert gross + fee == share == session.share_minor
    assert steps[-1].what == "The expert's share"
    assert all(step.rule for step in steps[1:2] + steps[3:])


@given(st.integers(-(10**15), 10**15))
def test_a_span_can_be_read_back(length_us: int) -> None:
    """Exact to the microsecond, and no longer than it has to be."""
    written = span(length_us)
    assert length(written) == length_us
    assert not re.search(r"\.\d*0$|\.$", written)


def test_a_session_that_is_not_over_has_no_bill() -> None:
    """Nothing has been calculated yet."""
    live = replace(SESSION, state=SessionState.LIVE, end=None)
    assert bill_steps(live, Policy()) == []


@pytest.mark.parametrize(
    ("tables", "rule"),
    [
        ({}, "past the trial of 5 minutes, all is billed (R5, trial.billed)"),
        ({"trial": {"billed": "after-trial"}}, "without the trial of 5 minutes (R5, trial.billed)"),
        ({"trial": {"billed": "none"}}, "there is no trial (trial.billed)"),
        ({"trial": {"minutes": 20}}, "within the trial of 20 minutes (R5)"),
    ],
)
def test_the_trial_is_explained_as_the_policy_reads_it(
    tables: dict[str, dict[str, object]], rule: str
) -> None:
    """R5, in the words of the policy's interpretation."""
    (step,) = (
        step for step in bill_steps(SESSION, policy(**tables)) if step.what == "Time to bill"
    )
    assert step.rule == rule


def test_rounding_is_explained_where_it_changed_something() -> None:
    """A step that changes nothing is left out; the text names the switch's value."""
    rules = policy(billing={"rounding": "up", "increment_seconds": 360, "minimum_minutes": 15})
    (step,) = (step for step in bill_steps(SESSION, rules) if step.what == "Time billed")
    assert step == BillingStep(
        "Time billed", "0:24:00", "rounded up to 360 s, at least 15 minutes (billing.*)"
    )
    assert "Time billed" not in [step.what for step in bill_steps(SESSION, Policy())]


def test_any_seed_is_a_policy() -> None:
    """The pool contains every value of the trial and rounding switches."""
    tried = {
        (str(each.trial.billed), str(each.billing.rounding))
        for each in (policy_of(Random(seed).choice) for seed in range(300))  # noqa: S311
    }
    assert len(tried) == 12
