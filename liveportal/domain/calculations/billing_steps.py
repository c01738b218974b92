"""How a session's times became its money: each step with what it comes to, and its rule."""

from __future__ import annotations

from liveportal.domain.calculations.billing import (
    SECOND_US,
    active_time,
    after_trial,
    gross_of,
    shaped,
)
from liveportal.domain.clock import microseconds
from liveportal.domain.entities import Session
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy, Rounding, TrialBilled
from liveportal.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class BillingStep:
    """One step of a derivation: what is reckoned, what it comes to, and by which rule or switch."""

    what: str
    comes_to: str
    rule: str = ""


def bill_steps(session: Session, policy: Policy) -> list[BillingStep]:
    """Return the steps from an ended session's timer to the expert's share, as it now stands."""
    steps = gross_steps(session, policy)
    if not steps:
        return []
    return [
        *steps,
        BillingStep(
            f"Less the platform's {policy.fee.percent} %",
            _amount(-session.fee_minor, session),
            "R11, fee.percent",
        ),
        BillingStep("The expert's share", _amount(session.share_minor, session), "R11"),
    ]


def gross_steps(session: Session, policy: Policy) -> list[BillingStep]:
    """Return the steps from an ended session's timer to what the customer paid for it."""
    if session.start is None or session.end is None:
        return []
    elapsed_us = microseconds(session.end - session.start)
    active_us = active_time(session.start, session.end, session.pauses)
    billable_us = after_trial(active_us, policy.trial)
    billed_us = shaped(billable_us, policy.billing)
    expected = gross_of(session.rate, billed_us)
    gross = Money(session.gross_minor, session.currency)
    steps = [
        BillingStep("From the start to the end", span(elapsed_us)),
        BillingStep("Less the pauses", span(active_us - elapsed_us), "R6"),
        BillingStep("Time on the timer", span(active_us)),
        BillingStep("Time to bill", span(billable_us), _trial(policy, billable_us, active_us)),
    ]
    if billed_us != billable_us:
        steps.append(BillingStep("Time billed", span(billed_us), _rounding(policy)))
    rate = f"{session.rate} {session.currency}"
    steps.append(BillingStep(f"Times {rate} a minute", f"{expected} {session.currency}", "R1, R4"))
    if gross != expected:
        steps.append(BillingStep("Billed by the platform", f"{gross} {session.currency}", "stands"))
    return steps


def span(length_us: int) -> str:
    """Write a length of time as `1:02:03`, with its fraction where it has one."""
    sign = "-" if length_us < 0 else ""
    seconds, rest_us = divmod(abs(length_us), SECOND_US)
    hours, minutes = divmod(seconds // 60, 60)
    clock = f"{hours}:{minutes:02d}:{seconds % 60:02d}"
    fraction = f".{rest_us:06d}".rstrip("0") if rest_us else ""
    return f"{sign}{clock}{fraction}"


def _amount(minor: int, session: Session) -> str:
    return f"{Money(minor, session.currency)} {session.currency}"


def _trial(policy: Policy, billable_us: int, active_us: int) -> str:
    trial = policy.trial
    if trial.billed is TrialBilled.NONE:
        return "there is no trial (trial.billed)"
    if not billable_us:
        return f"within the trial of {trial.minutes} minutes (R5)"
    if billable_us == active_us:
        return f"past the trial of {trial.minutes} minutes, all is billed (R5, trial.billed)"
    return f"without the trial of {trial.minutes} minutes (R5, trial.billed)"


def _rounding(policy: Policy) -> str:
    billing = policy.billing
    said = []
    if billing.rounding is not Rounding.EXACT:
        said.append(f"rounded {billing.rounding} to {billing.increment_seconds} s")
    if billing.minimum_minutes:
        said.append(f"at least {billing.minimum_minutes} minutes")
    return f"{', '.join(said)} (billing.*)"
