"""What a session that is not over comes to so far: the clock is an argument, as everywhere."""

from __future__ import annotations

from datetime import datetime, timedelta

from liveportal.domain.calculations.billing import MINUTE_US, bill
from liveportal.domain.clock import MICROSECOND, microseconds, shifted
from liveportal.domain.entities import Session
from liveportal.domain.errors import AmountTooLarge
from liveportal.domain.money import Money, share_of
from liveportal.domain.policy import Policy, TrialBilled, TrialBoundary
from liveportal.domain.values import dataclass

RUNNING = ("live", "paused")


@dataclass(frozen=True, slots=True)
class LiveSession:
    """The live figures: spans in microseconds; `active_us` and `paused_us` make up `elapsed_us`.

    `gross` and `earned` are what ending it now would bill and earn; None where that is more than
    the books can hold. `trial_left_us` is None once the trial is over, or where there is none;
    `trial_ends` also while the timer stands still.
    """

    elapsed_us: int
    paused_us: int
    active_us: int
    billed_us: int
    gross: Money | None
    earned: Money | None
    trial_left_us: int | None
    trial_ends: datetime | None


def running(session: Session, policy: Policy, now: datetime) -> LiveSession | None:
    """Return what a live or paused session comes to at an instant; None for any other.

    `policy` is the one that the session froze, so at its end this is what it is billed. What a feed
    reports ahead of the clock has not begun yet: no figure is ever negative.
    """
    if session.state not in RUNNING or session.start is None:
        return None
    elapsed_us = max(0, microseconds(now - session.start))
    paused_us = _paused_us(session, now)
    active_us = elapsed_us - paused_us
    gross, earned, billed_us = _billed(session, policy, active_us)
    left_us = _trial_left_us(active_us, policy)
    ends = None
    if left_us is not None and session.state == "live":
        ends = shifted(max(now, session.start), left_us * MICROSECOND)
    return LiveSession(elapsed_us, paused_us, active_us, billed_us, gross, earned, left_us, ends)


def expected(session: Session, policy: Policy) -> Money | None:
    """Return what a session would earn if it lasts as long as is planned; None without a plan."""
    if session.planned_minutes is None:
        return None
    return _billed(session, policy, session.planned_minutes * MINUTE_US)[1]


def starts_in(session: Session, now: datetime) -> timedelta | None:
    """Return how long it is until an upcoming session starts; below zero it is overdue."""
    if session.state != "upcoming" or session.planned_start is None:
        return None
    return session.planned_start - now


def _paused_us(session: Session, now: datetime) -> int:
    """Return the pauses so far, the one that runs included (R6)."""
    pauses = list(session.pauses)
    if session.paused_since is not None:
        pauses.append((session.paused_since, now))
    return sum(max(0, microseconds(min(until, now) - since)) for since, until in pauses)


def _billed(
    session: Session, policy: Policy, active_us: int
) -> tuple[Money | None, Money | None, int]:
    """Return the gross and the share of so much time on the timer, and the time billed."""
    try:
        billed = bill(active_us, session.rate, policy)
    except AmountTooLarge:  # The end would be refused; what runs can be looked at all the same.
        return None, None, bill(active_us, Money(0, session.currency), policy).billed_us
    earned_minor = share_of(billed.gross.minor, policy.fee.percent)
    return billed.gross, Money(earned_minor, session.currency), billed.billed_us


def _trial_left_us(active_us: int, policy: Policy) -> int | None:
    """Return what is left of the trial; None if it is over, or there is none (R5)."""
    trial = policy.trial
    if trial.billed is TrialBilled.NONE or not trial.minutes:
        return None
    left_us = trial.minutes * MINUTE_US - active_us
    # Exactly at its end the customer may still leave for free where the boundary is `over`.
    over = left_us < 0 or (left_us == 0 and trial.boundary is TrialBoundary.FROM)
    return None if over else left_us
