"""What a claim asks of the expert, in words: the deadline, the next step, the effect of silence."""

from __future__ import annotations

from datetime import timedelta

import pytest

from liveportal.domain.calculations.claim_answers import (
    DisputeRecord,
    answer_by,
    if_silent,
    next_step,
)
from liveportal.domain.clock import LAST
from liveportal.domain.entities import RELEASED, UNDECIDED
from liveportal.domain.handlers.refunds import MOVES
from liveportal.domain.policy import Policy
from tests.kit.events import at, policy, usd

STATES = sorted({"open", *MOVES.values()})
COST = usd("42.00")


def test_a_deadline_is_counted_from_the_claim() -> None:
    """`dispute.window_hours` after the claim, to the microsecond; no deadline if not set."""
    made = at("10-06 11:00:00.000001")
    assert answer_by(made, Policy()) is None
    assert answer_by(made, policy(dispute={"window_hours": 48})) == made + timedelta(hours=48)
    assert answer_by(made, policy(dispute={"window_hours": 0})) == made
    # No refund window extends beyond the calendar.
    assert answer_by(LAST, policy(dispute={"window_hours": 1_000_000})) == LAST


@pytest.mark.parametrize("state", STATES)
def test_every_state_says_what_comes_next(state: str) -> None:
    """A decided claim gives its cost; an open one gives both possible ends."""
    said = next_step(state, COST)
    assert said.endswith(".")
    assert ("42.00 USD" in said) is (state not in RELEASED | {"open"})
    assert said.startswith("It is decided.") is (state not in UNDECIDED)
    assert ("two working days" in said) is (state in {"conceded", "granted", "rejected"})  # R15


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("silence", ["deduct", "none"])
def test_silence_means_what_the_policy_says(state: str, silence: str) -> None:
    """Silence costs money only where a claim is open and the rules say so; time moves nothing."""
    said = if_silent(state, COST, policy(dispute={"silence": silence}))
    assert (said is None) is (state not in UNDECIDED)
    assert ("42.00 USD" in (said or "")) is (state == "open" and silence == "deduct")
    if state == "open" and silence == "none":
        assert "held until it decides" in (said or "")


@pytest.mark.parametrize(
    ("record", "said", "warned"),
    [
        (DisputeRecord(), "0 filed, 0 accepted, 0 rejected, 0 withdrawn", None),
        (
            DisputeRecord(filed=3, accepted=2, rejected=0, withdrawn=1),
            "3 filed, 2 accepted, 0 rejected, 1 withdrawn",
            None,
        ),
        (
            DisputeRecord(filed=2, accepted=1, rejected=1, withdrawn=0),
            "2 filed, 1 accepted, 1 rejected, 0 withdrawn",
            "against you once.",
        ),
        (
            DisputeRecord(filed=9, accepted=1, rejected=4, withdrawn=0),
            "9 filed, 1 accepted, 4 rejected, 0 withdrawn",
            "against you 4 times.",
        ),
    ],
)
def test_a_record_warns_once_it_has_to(
    record: DisputeRecord, said: str, warned: str | None
) -> None:
    """R10: repeated unwarranted disputes can close an account."""
    assert str(record) == said
    if warned is None:
        assert record.warning is None
    else:
        assert warned in (record.warning or "")
        assert "close an account" in (record.warning or "")
