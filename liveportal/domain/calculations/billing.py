"""Billing: from a session's times to the gross. Pure arithmetic in whole microseconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from liveportal.domain.clock import Pause, microseconds
from liveportal.domain.money import Money, half_up
from liveportal.domain.policy import (
    BillingTerms,
    Policy,
    Rounding,
    TrialBilled,
    TrialBoundary,
    TrialTerms,
)

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US


class Bill(NamedTuple):
    """The bill of a session: time on the timer and time billed (microseconds), and the gross."""

    active_us: int
    billed_us: int
    gross: Money


def bill(active_us: int, rate: Money, policy: Policy) -> Bill:
    """Return the bill of a session by its policy. `active_us` excludes pauses (R6)."""
    billable_us = after_trial(active_us, policy.trial)
    billed_us = shaped(billable_us, policy.billing)
    return Bill(active_us, billed_us, gross_of(rate, billed_us))


def active_time(start: datetime, end: datetime, pauses: Sequence[Pause]) -> int:
    """Return the time on the timer in microseconds: from start to end, minus pauses (R6)."""
    paused = sum(microseconds(until - since) for since, until in pauses)
    return microseconds(end - start) - paused


def after_trial(active_us: int, trial: TrialTerms) -> int:
    """Return the billable part of the active time, in microseconds (R5, `trial.*`)."""
    if trial.billed is TrialBilled.NONE:
        return active_us
    trial_us = trial.minutes * MINUTE_US
    is_free = active_us < trial_us or (
        active_us == trial_us and trial.boundary is TrialBoundary.OVER
    )
    if is_free:
        return 0
    return active_us if trial.billed is TrialBilled.WHOLE_SESSION else active_us - trial_us


def shaped(billable_us: int, billing: BillingTerms) -> int:
    """Round billable time to the increment, then raise it to the minimum (`billing.*`)."""
    if not billable_us:
        return 0  # The minimum applies only if there is time to bill.
    step_us = billing.increment_seconds * SECOND_US
    rounded_us = billable_us
    match billing.rounding:
        case Rounding.UP:
            rounded_us = -(-billable_us // step_us) * step_us
        case Rounding.DOWN:
            rounded_us = billable_us // step_us * step_us
        case Rounding.NEAREST:
            rounded_us = half_up(billable_us, step_us) * step_us
        case Rounding.EXACT:
            pass
    return max(rounded_us, billing.minimum_minutes * MINUTE_US)


def gross_of(rate: Money, billed_us: int) -> Money:
    """Return rate x billed time, rounded half-up: the only rounding of a bill."""
    return Money(half_up(rate.minor * billed_us, MINUTE_US), rate.currency)
