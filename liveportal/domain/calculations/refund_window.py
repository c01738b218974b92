"""Until when a customer can claim a refund; apart from the rules, so that a read stays light."""

from __future__ import annotations

from datetime import datetime, timedelta

from liveportal.domain.clock import shifted
from liveportal.domain.policy import Policy


def closes(end: datetime, policy: Policy) -> datetime:
    """Return the last instant at which a session that ended then can be claimed in time (R8)."""
    return shifted(end, timedelta(hours=policy.refund.window_hours))
