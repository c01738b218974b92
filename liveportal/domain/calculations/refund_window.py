"""Until when a customer can claim a refund, and what it costs the expert (R8, `refund.deducts`).

Apart from the handlers, so that reads do not import these.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from liveportal.domain.clock import shifted
from liveportal.domain.money import take_back
from liveportal.domain.policy import Deducts, Policy

if TYPE_CHECKING:
    from liveportal.domain.entities import Session


def closes(end: datetime, policy: Policy) -> datetime:
    """Return the last instant at which a session that ended then can be claimed in time (R8)."""
    return shifted(end, timedelta(hours=policy.refund.window_hours))


def window_closes(session: Session, policy: Policy) -> datetime | None:
    """Return the last instant at which a claim is in time, or None while nothing is ended."""
    return None if session.end is None else closes(session.end, policy)


def cost_of(amount_minor: int, session: Session, policy: Policy) -> int:
    """Return what a refund takes from the expert, as calculated now (`refund.deducts`)."""
    if policy.refund.deducts is Deducts.GROSS:
        return amount_minor
    return take_back(amount_minor, session.refunded_minor, policy.fee.percent)
