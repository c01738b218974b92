"""The expert's decline rules: each condition alone, all together, the first match."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from liveportal.domain.events.types import Slot, Vacation
from liveportal.domain.money import Money
from liveportal.domain.schedule.auto_decline import (
    DeclineRule,
    RequestFacts,
    matched,
    reason_to_decline,
)
from liveportal.domain.schedule.schedule import Schedule
from liveportal.domain.schedule.working_hours import Availability, Week
from tests.kit.events import at, usd

# Monday 5 October 2026, 09:00 in Paris; the expert is there on Mondays, and away from the 12th on.
NOW = at("10-05 07:00")
DIARY = Schedule(
    zone="Europe/Paris",
    availability=Availability(weekly=Week(mon=("09:00-17:00",))),
    vacations=(Vacation(start=date(2026, 10, 12), end=date(2026, 10, 13)),),
)
OWN = ("Shaders", "urp")
AT_ONCE = RequestFacts(kind="instant", customer="C-1", rate=usd("2.00"), skills=("netcode",))


def planned(*starts: str, minutes: int = 30) -> RequestFacts:
    """Ask for help at one of several times."""
    slots = tuple(Slot(start=at(start), minutes=minutes) for start in starts)
    return replace(AT_ONCE, kind="scheduled", slots=slots)


IN_HOURS, OUT_OF_HOURS, AWAY = "10-05 08:00", "10-06 08:00", "10-12 08:00"


def declines(asked: RequestFacts, own: tuple[str, ...] = OWN, **conditions: Any) -> bool:  # noqa: ANN401
    """Return True if a rule with these conditions declines the request."""
    rule = DeclineRule(reason="no", **conditions)
    refusal = reason_to_decline([rule], asked, own, DIARY, NOW)
    assert refusal in (None, "no")
    return refusal is not None


@pytest.mark.parametrize(
    ("asked", "conditions", "holds"),
    [
        (AT_ONCE, {"kind": "instant"}, True),
        (AT_ONCE, {"kind": "scheduled"}, False),
        (AT_ONCE, {"below_rate": usd("2.01")}, True),
        (AT_ONCE, {"below_rate": usd("2.00")}, False),
        (AT_ONCE, {"below_rate": Money(500, "EUR")}, False),
        (AT_ONCE, {"unmatched": True}, True),
        (AT_ONCE, {"unmatched": False}, False),
        (replace(AT_ONCE, skills=("x", "URP")), {"unmatched": True}, False),
        (replace(AT_ONCE, skills=("x", "URP")), {"unmatched": False}, True),
        (replace(AT_ONCE, skills=()), {"unmatched": True}, False),
        (AT_ONCE, {"customers": ("C-2", "C-1")}, True),
        (AT_ONCE, {"customers": ("C-2", "c-1", "C-11")}, False),
        (AT_ONCE, {"customers": ()}, False),
        (AT_ONCE, {"outside_hours": True}, False),
        (AT_ONCE, {"outside_hours": False}, True),
        (AT_ONCE, {"on_vacation": True}, False),
        (AT_ONCE, {"shorter_than": 1440}, False),
        (planned(IN_HOURS), {"outside_hours": True}, False),
        (planned(OUT_OF_HOURS), {"outside_hours": True}, True),
        (planned(OUT_OF_HOURS, IN_HOURS), {"outside_hours": True}, False),
        (planned(OUT_OF_HOURS, AWAY), {"on_vacation": True}, False),
        (planned(AWAY, AWAY), {"on_vacation": True}, True),
        (planned(IN_HOURS), {"on_vacation": False}, True),
        (planned(IN_HOURS), {"shorter_than": 30}, False),
        (planned(IN_HOURS), {"shorter_than": 31}, True),
        (replace(AT_ONCE, slots=(planned(IN_HOURS).slots[0],)), {"shorter_than": 31}, True),
    ],
)
def test_a_condition_alone(asked: RequestFacts, conditions: dict[str, Any], holds: bool) -> None:
    """Each condition is exact: to the cent, the minute and the letter."""
    assert declines(asked, **conditions) is holds


def test_one_slot_that_is_long_enough_is_enough() -> None:
    """A condition on slots declines only if all slots match."""
    both = replace(
        AT_ONCE,
        slots=(
            Slot(start=at(IN_HOURS), minutes=15),
            Slot(start=at(IN_HOURS), minutes=60),
        ),
    )
    assert not declines(both, shorter_than=30)
    assert declines(both, shorter_than=61)


@pytest.mark.parametrize(
    ("now", "outside"),
    [
        ("10-05 06:59:59.999999", True),
        ("10-05 07:00", False),
        ("10-05 14:59:59.999999", False),
        ("10-05 15:00", True),
    ],
)
def test_an_instant_request_is_now(now: str, outside: bool) -> None:
    """Help at once is asked for now: within the hours from their first moment to their last."""
    rule = DeclineRule(reason="late", outside_hours=True)
    refusal = reason_to_decline([rule], AT_ONCE, OWN, DIARY, at(now))
    assert refusal == ("late" if outside else None)


def test_who_set_no_skills_matches_all() -> None:
    """Without a list of skills every request matches (R3)."""
    assert not declines(AT_ONCE, own=(), unmatched=True)
    assert not declines(replace(AT_ONCE, skills=()), own=(), unmatched=True)


def test_matched_skills_are_as_they_were_asked_for() -> None:
    """Capitals do not count, in any alphabet; the order and spelling are the customer's."""
    assert matched(["URP", "netcode", "shaders", "STRASSE"], ["Shaders", "urp", "straße"]) == [
        *("URP", "shaders", "STRASSE"),
    ]


def test_the_first_rule_whose_conditions_all_hold_gives_the_reason() -> None:
    """All conditions of a rule must hold; later rules are not evaluated."""
    rules = [
        DeclineRule(reason="scheduled and cheap", kind="scheduled", below_rate=usd("5.00")),
        DeclineRule(reason="cheap", below_rate=usd("2.50")),
        DeclineRule(reason="instant", kind="instant"),
    ]
    assert reason_to_decline(rules, AT_ONCE, OWN, DIARY, NOW) == "cheap"
    assert reason_to_decline(rules[::-1], AT_ONCE, OWN, DIARY, NOW) == "instant"
    assert reason_to_decline(rules[:1], AT_ONCE, OWN, DIARY, NOW) is None
    assert reason_to_decline([], AT_ONCE, OWN, DIARY, NOW) is None


conditions = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["instant", "scheduled"]),
        "below_rate": st.sampled_from([usd("2.00"), usd("2.01")]),
        "unmatched": st.booleans(),
        "outside_hours": st.booleans(),
        "on_vacation": st.booleans(),
        "shorter_than": st.sampled_from([30, 31]),
        "customers": st.sampled_from([("C-1",), ("C-2",)]),
    },
).filter(bool)
requests = st.sampled_from(
    [AT_ONCE, planned(IN_HOURS), planned(OUT_OF_HOURS), planned(AWAY, OUT_OF_HOURS), planned(AWAY)]
)


@given(requests, st.lists(conditions, min_size=1, max_size=3))
def test_a_rule_is_the_conjunction_of_its_conditions(
    asked: RequestFacts, given_rules: list[dict[str, Any]]
) -> None:
    """A rule declines exactly what all of its conditions decline; the first match counts."""
    rules = [DeclineRule(reason=f"{n}", **given_rule) for n, given_rule in enumerate(given_rules)]
    holding = [
        rule.reason
        for rule, each in zip(rules, given_rules, strict=True)
        if all(declines(asked, **{name: value}) for name, value in each.items())
    ]
    event(f"{len(holding)} of {len(rules)}")
    assert reason_to_decline(rules, asked, OWN, DIARY, NOW) == (holding[0] if holding else None)


def test_every_condition_is_asked() -> None:
    """A condition that is never evaluated would decline everything."""
    asked = {"kind", "below_rate", "unmatched", "outside_hours", "on_vacation", "shorter_than"}
    assert {field.name for field in fields(DeclineRule)} == {*asked, "customers", "reason"}
