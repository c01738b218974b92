"""The bill of a pack's page: each step can be calculated from what the page shows."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.entities import SessionState
from liveportal.domain.policy import Policy
from liveportal.exports.local_time import span_text
from liveportal.exports.review_bill import BillStep, PlatformRules, bill_steps
from tests.domain.test_billing_steps import ended, policies
from tests.kit.events import at, policy
from tests.kit.pack_case import SESSION
from tests.properties import arithmetic

ZONE = "Europe/Paris"
STATED = Policy(
    source={"trial.minutes": "R5", "fee.percent": "R11", "billing.rounding": "silent; exact"}
)


def seconds(text: str) -> Fraction:
    """Read a span back as seconds."""
    match = re.fullmatch(r"(\d+) min (\d+(?:\.\d+)?) s", text)
    assert match, text
    return int(match[1]) * 60 + Fraction(match[2])


def calculated(how: str) -> Fraction:
    """Return what a pocket calculator shows for the factors at the start of a step."""
    formula = re.split(r", rounded|\. ", how)[0]
    first, *rest = re.split(r" ([×÷−]) ", formula)  # noqa: RUF001 (as they are on the page)
    value = Fraction(first)
    for sign, number in zip(rest[::2], rest[1::2], strict=True):
        if sign == "÷":
            value /= Fraction(number)
        else:
            value = value * Fraction(number) if sign == "\u00d7" else value - Fraction(number)
    return value


def amount(step: BillStep) -> Fraction:
    """Read an amount back."""
    return Fraction(step.result.split()[0])


@given(st.data())
def test_a_calculator_gives_every_step(data: st.DataObject) -> None:
    """For every trial, billing and fee switch, from the times to the fee."""
    rules = data.draw(policies())
    session = data.draw(ended(rules))
    steps = {step.name: step for step in bill_steps(session, rules, ZONE)}
    timer = seconds(steps["Length of the session"].result)
    if "Pauses" in steps:
        timer -= seconds(steps["Pauses"].result)
        assert timer == seconds(steps["Time on the timer"].result)
    assert timer * 1_000_000 == session.active_us
    to_bill = seconds(steps["Time to bill"].result) if "Time to bill" in steps else timer
    assert to_bill in (0, timer, timer - rules.trial.minutes * 60)
    billed = seconds(steps["Time billed"].result) if "Time billed" in steps else to_bill
    assert billed / 60 == arithmetic.minutes_to_bill(timer / 60, rules)

    price = steps["Price by the timer"]
    unit = Fraction(1, 10 ** len(str(session.rate).partition(".")[2]))
    assert abs(calculated(price.how) - amount(price)) <= unit / 2
    assert ("rounded" in price.how) is (calculated(price.how) != amount(price))
    paid = amount(steps.get("Amount billed", price))
    assert paid == session.gross_minor * unit
    share, fee = steps["The expert's share"], steps["The platform's fee"]
    assert abs(calculated(share.how) - amount(share)) <= unit / 2
    assert calculated(fee.how) == amount(fee) == paid - amount(share)


def test_the_steps_of_a_plain_session() -> None:
    """In words, with the platform's rules by their codes."""
    assert [(step.name, step.how, step.result) for step in bill_steps(SESSION, STATED, ZONE)] == [
        (
            "Length of the session",
            "From 2026-10-05 16:00:00 to 2026-10-05 16:21:00",
            "21 min 0 s",
        ),
        ("Pauses", "2026-10-05 16:05:00 to 2026-10-05 16:06:00", "1 min 0 s"),
        (
            "Time on the timer",
            "21 min 0 s \u2212 1 min 0 s. Paused time is not charged (platform rule R6).",
            "20 min 0 s",
        ),
        (
            "Time to bill",
            (
                "The trial of 5 minutes is free (platform rule R5). The timer ran for more than 5"
                " minutes, so all of its time is charged."
            ),
            "20 min 0 s",
        ),
        (
            "Price by the timer",
            (
                "20 \u00d7 3.00. The rate is 3.00 USD a minute; it was agreed before the session"
                " (platform rule R4)."
            ),
            "60.00 USD",
        ),
        (
            "The expert's share",
            (
                "60.00 \u00d7 70 \u00f7 100. The platform keeps 30 % of what the customer paid"
                " (platform rule R11)."
            ),
            "42.00 USD",
        ),
        ("The platform's fee", "60.00 \u2212 42.00", "18.00 USD"),
    ]


@pytest.mark.parametrize(
    ("tables", "text"),
    [
        (
            {"trial": {"billed": "after-trial"}},
            (
                "The trial of 5 minutes is free. Only the time after it is charged:"
                " 20 min 0 s \u2212 5 min 0 s"
            ),
        ),
        (
            {"trial": {"minutes": 20}},
            (
                "The trial of 20 minutes is free. The timer ran for not more than 20 minutes,"
                " so nothing is charged."
            ),
        ),
        (
            {"trial": {"minutes": 1, "boundary": "from"}},
            (
                "The trial of 1 minute is free. The timer ran for at least 1 minute,"
                " so all of its time is charged."
            ),
        ),
        (
            {"trial": {"minutes": 21, "boundary": "from"}},
            (
                "The trial of 21 minutes is free. The timer ran for less than 21 minutes,"
                " so nothing is charged."
            ),
        ),
        (
            {"billing": {"rounding": "up", "increment_seconds": 360, "minimum_minutes": 15}},
            "Rounded up to a multiple of 360 seconds, and at least 15 minutes",
        ),
    ],
)
def test_a_policy_is_explained_as_it_is_read(
    tables: dict[str, dict[str, object]], text: str
) -> None:
    """Without a code where the policy names no rule of the platform as its source."""
    assert text in [step.how for step in bill_steps(SESSION, policy(**tables), ZONE)]


@pytest.mark.parametrize("trial", [{"billed": "none"}, {"minutes": 0}])
def test_a_step_that_changes_nothing_is_left_out(trial: dict[str, object]) -> None:
    """No trial, no pauses: no steps."""
    session = replace(SESSION, pauses=())
    names = [step.name for step in bill_steps(session, policy(trial=trial), ZONE)]
    assert names[:2] == ["Length of the session", "Price by the timer"]


def test_the_platforms_bill_applies() -> None:
    """Its own amount is beside ours, and the share is that of its amount."""
    session = replace(SESSION, gross_minor=5000, fee_minor=1500)
    steps = {step.name: step for step in bill_steps(session, STATED, ZONE)}
    assert steps["Price by the timer"].result == "60.00 USD"
    assert steps["Amount billed"].result == "50.00 USD"
    assert steps["The expert's share"].how.startswith("50.00 \u00d7 70 \u00f7 100.")


def test_a_share_that_was_booked_otherwise_has_no_formula() -> None:
    """A formula that gives another amount would be wrong."""
    steps = bill_steps(replace(SESSION, fee_minor=1000), STATED, ZONE)
    assert steps[-2].how == "The platform keeps 30 % of what the customer paid (platform rule R11)."
    assert steps[-2].result == "50.00 USD"


def test_fractions_of_a_second_can_be_checked() -> None:
    """They are in the bill, though other times are to the second."""
    start = at("10-05 14:00:00.25")
    (step, *_) = bill_steps(replace(SESSION, start=start, pauses=()), Policy(), ZONE)
    assert step.how == "From 2026-10-05 16:00:00.25 to 2026-10-05 16:21:00"
    assert step.result == "20 min 59.75 s"


def test_a_session_that_is_not_over_has_no_bill() -> None:
    """Nothing has been calculated yet."""
    assert bill_steps(replace(SESSION, state=SessionState.LIVE, end=None), Policy(), ZONE) == []


def test_a_rule_is_cited_only_if_it_is_the_policys_source() -> None:
    """R8 means nothing to the reviewer of a platform that has no such rule."""
    rules = PlatformRules(STATED)
    assert rules.cite("fee.percent") == " (platform rule R11)"
    assert rules.cite("billing.rounding") == ""
    assert rules.cite("refund.window_hours") == ""
    assert rules.cite_code("R6") == " (platform rule R6)"
    assert PlatformRules(Policy()).cite_code("R6") == ""


@given(st.integers(0, 10**13))
def test_a_span_can_be_read_back(length_us: int) -> None:
    """Exact to the microsecond."""
    assert seconds(span_text(length_us)) * 1_000_000 == length_us
