"""The calculation of a bill as steps, each with its result and its rule."""

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
from liveportal.domain.frozen import frozen
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy, Rounding, TrialBilled

COUNTS, NO_TRIAL = "stands", "there is no trial (trial.billed)"
"""Two rules of steps: the platform's own amount counts, and the policy has no free trial."""


@frozen
class BillingStep:
    """One step of the calculation: its description, its result, and its rule or switch."""

    what: str
    comes_to: str
    rule: str = ""


def bill_steps(session: Session, policy: Policy) -> list[BillingStep]:
    """Return the steps from an ended session's timer to the expert's current share."""
    steps = gross_steps(session, policy)
    if not steps:
        return []
    return [
        *steps,
        BillingStep(
            f"Less the platform's {policy.fee.percent} %",
            _format_amount(-session.fee_minor, session),
            "R11, fee.percent",
        ),
        BillingStep("The expert's share", _format_amount(session.share_minor, session), "R11"),
    ]


def gross_steps(session: Session, policy: Policy) -> list[BillingStep]:
    """Return the steps from an ended session's timer to the gross."""
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
        BillingStep("Time to bill", span(billable_us), _trial_rule(policy, billable_us, active_us)),
    ]
    if billed_us != billable_us:
        steps.append(BillingStep("Time billed", span(billed_us), _rounding_rule(policy)))
    rate = f"{session.rate} {session.currency}"
    steps.append(BillingStep(f"Times {rate} a minute", f"{expected} {session.currency}", "R1, R4"))
    if gross != expected:
        steps.append(BillingStep("Billed by the platform", f"{gross} {session.currency}", COUNTS))
    return steps


def span(length_us: int) -> str:
    """Format a duration as `1:02:03`, with a fraction if it is not zero."""
    sign = "-" if length_us < 0 else ""
    seconds, rest_us = divmod(abs(length_us), SECOND_US)
    hours, minutes = divmod(seconds // 60, 60)
    clock = f"{hours}:{minutes:02d}:{seconds % 60:02d}"
    fraction = f".{rest_us:06d}".rstrip("0") if rest_us else ""
    return f"{sign}{clock}{fraction}"


def _format_amount(minor: int, session: Session) -> str:
    return f"{Money(minor, session.currency)} {session.currency}"


def _trial_rule(policy: Policy, billable_us: int, active_us: int) -> str:
    trial = policy.trial
    if trial.billed is TrialBilled.NONE:
        return NO_TRIAL
    if not billable_us:
        return f"within the trial of {trial.minutes} minutes (R5)"
    if billable_us == active_us:
        return f"past the trial of {trial.minutes} minutes, all is billed (R5, trial.billed)"
    return f"without the trial of {trial.minutes} minutes (R5, trial.billed)"


def _rounding_rule(policy: Policy) -> str:
    billing = policy.billing
    effects = []
    if billing.rounding is not Rounding.EXACT:
        effects.append(f"rounded {billing.rounding} to {billing.increment_seconds} s")
    if billing.minimum_minutes:
        effects.append(f"at least {billing.minimum_minutes} minutes")
    return f"{', '.join(effects)} (billing.*)"
