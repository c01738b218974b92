"""Answers to claims: the deadline, the next step, and the consequence of silence.

Time alone never moves money: the consequences are only shown, and booked when the platform reports
them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from liveportal.domain.clock import shifted
from liveportal.domain.entities import RELEASED, UNDECIDED, ClaimState
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy, Silence
from liveportal.domain.row import Row, row

NO_DEADLINE = "no stated deadline"


@row
class DisputeRecord(Row):
    """How many of the expert's disputes had each outcome.

    A claim can be disputed again after a withdrawal, and then counts twice.
    """

    IS_CELL = True

    filed: int = 0
    accepted: int = 0
    rejected: int = 0
    withdrawn: int = 0

    def __str__(self) -> str:
        return (
            f"{self.filed} filed, {self.accepted} accepted, {self.rejected} rejected,"
            f" {self.withdrawn} withdrawn"
        )

    @property
    def warning(self) -> str | None:
        """A warning if disputes were rejected, which puts the account at risk (R10), or None."""
        if not self.rejected:
            return None
        times = "once" if self.rejected == 1 else f"{self.rejected} times"
        return (
            f"The platform ruled against you {times}. Repeated unwarranted disputes can close an"
            " account."
        )


def answer_by(claimed_at: datetime, policy: Policy) -> datetime | None:
    """Return the deadline for an answer to a claim; None: not stated (`dispute.window_hours`)."""
    hours = policy.dispute.window_hours
    return None if hours is None else shifted(claimed_at, timedelta(hours=hours))


def next_step(state: str, cost: Money) -> str:
    """Return the next step of a claim in this state; `cost` is its actual or possible cost."""
    price = f"{cost} {cost.currency}"
    if state == ClaimState.OPEN:
        return "Dispute it and describe what happened, or concede it."
    if state == ClaimState.DISPUTED:  # R9
        return (
            "A community manager hears both sides. If your dispute is accepted, nothing is"
            f" deducted. If it is rejected, {price} is deducted."
        )
    if state in RELEASED:
        return "It is decided. Nothing was deducted."
    # R15
    return f"It is decided. {price} was deducted, and reaches the customer in two working days."


def if_silent(state: str, cost: Money, policy: Policy) -> str | None:
    """Return the consequence of doing nothing; None once the claim is decided."""
    if state not in UNDECIDED:
        return None
    if state == ClaimState.DISPUTED:
        return "The platform decides. You do not have to do anything more."
    if policy.dispute.silence is Silence.NONE:
        return (
            "The platform does not state what happens without an answer. The money stays held until"
            " it decides."
        )
    return f"No answer counts as consent: {cost} {cost.currency} is deducted."
