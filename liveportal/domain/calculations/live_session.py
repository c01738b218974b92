"""The current figures of a session that is not over; the clock is an argument."""

from __future__ import annotations

from datetime import datetime, timedelta

from liveportal.domain.calculations.billing import MINUTE_US, bill
from liveportal.domain.clock import MICROSECOND, microseconds, shifted
from liveportal.domain.entities import Session, SessionState
from liveportal.domain.errors import AmountTooLarge
from liveportal.domain.frozen import frozen
from liveportal.domain.money import Money, share_of
from liveportal.domain.policy import Policy, TrialBilled, TrialBoundary

RUNNING = (SessionState.LIVE, SessionState.PAUSED)


@frozen
class LiveSession:
    """Live figures: durations in microseconds; `active_us` + `paused_us` = `elapsed_us`.

    `gross` and `earned` are what ending the session now would bill and earn; None if that exceeds
    the largest amount. `trial_left_us` is None once the trial is over, or without one;
    `trial_ends` is also None while the timer is paused.
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
    """Return the figures of a live or paused session at an instant; None in other states.

    `policy` is the one it was agreed under, so these are the figures if it ends now. A session that
    a feed reports ahead of the clock has not begun yet: no figure is ever negative.
    """
    if session.state not in RUNNING or session.start is None:
        return None
    elapsed_us = max(0, microseconds(now - session.start))
    paused_us = _paused_us(session, now)
    active_us = elapsed_us - paused_us
    gross, earned, billed_us = _calculate(session, policy, active_us)
    left_us = _trial_left_us(active_us, policy)
    ends = None
    if left_us is not None and session.state == SessionState.LIVE:
        ends = shifted(max(now, session.start), left_us * MICROSECOND)
    return LiveSession(elapsed_us, paused_us, active_us, billed_us, gross, earned, left_us, ends)


def expected(session: Session, policy: Policy) -> Money | None:
    """Return the earnings if the session takes as long as planned; None without a plan."""
    if session.planned_minutes is None:
        return None
    return _calculate(session, policy, session.planned_minutes * MINUTE_US)[1]


def starts_in(session: Session, now: datetime) -> timedelta | None:
    """Return the time until an upcoming session starts; negative if it is overdue."""
    if session.state != SessionState.UPCOMING or session.planned_start is None:
        return None
    return session.planned_start - now


def _paused_us(session: Session, now: datetime) -> int:
    """Return the pauses so far in microseconds, including a current one (R6)."""
    pauses = list(session.pauses)
    if session.paused_since is not None:
        pauses.append((session.paused_since, now))
    return sum(max(0, microseconds(min(until, now) - since)) for since, until in pauses)


def _calculate(
    session: Session, policy: Policy, active_us: int
) -> tuple[Money | None, Money | None, int]:
    """Return the gross, the expert's share and the billed time for this time on the timer."""
    try:
        billed = bill(active_us, session.rate, policy)
    except AmountTooLarge:  # Ending it would be refused, but its times can still be shown.
        return None, None, bill(active_us, Money(0, session.currency), policy).billed_us
    earned_minor = share_of(billed.gross.minor, policy.fee.percent)
    return billed.gross, Money(earned_minor, session.currency), billed.billed_us


def _trial_left_us(active_us: int, policy: Policy) -> int | None:
    """Return the rest of the trial; None if it is over, or without one (R5)."""
    trial = policy.trial
    if trial.billed is TrialBilled.NONE or not trial.minutes:
        return None
    left_us = trial.minutes * MINUTE_US - active_us
    # With boundary `over`, the customer can still leave for free exactly at its end.
    over = left_us < 0 or (left_us == 0 and trial.boundary is TrialBoundary.FROM)
    return None if over else left_us
