"""How long a payout may take to arrive, by the way in which it was sent."""

from __future__ import annotations

from datetime import datetime, timedelta

from liveportal.domain.clock import shifted
from liveportal.domain.entities import Payout, PayoutState

DAYS = {"paypal": 3, "wise": 5, "bank": 7}
"""The days within which a payout arrives, by its method; any other method is like a bank."""

DATED_EARLIER = timedelta(days=1)
"""How much earlier than its sending an arrival may be dated: the sources use different clocks."""


def window_days(method: str) -> int:
    """Return the days within which a payout by this method arrives."""
    return DAYS.get(method.strip().casefold(), DAYS["bank"])


def expected_by(payout: Payout) -> datetime:
    """Return the instant by which a payout that was sent should have arrived."""
    return shifted(payout.sent_at, timedelta(days=window_days(payout.method)))


def is_late(payout: Payout, now: datetime) -> bool:
    """Return True if a payout was sent, has not arrived, and should have."""
    return payout.state == PayoutState.SENT and expected_by(payout) < now


def may_arrive_at(sent_at: datetime, method: str, arrived_at: datetime) -> bool:
    """Return True if what arrived then may be a payout that was sent at `sent_at`."""
    last = shifted(sent_at, timedelta(days=window_days(method)))
    return shifted(sent_at, -DATED_EARLIER) <= arrived_at <= last
