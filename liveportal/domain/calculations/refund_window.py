"""The refund window, and what a refund costs the expert (R8, `refund.deducts`).

Separate from the handlers, so that queries do not import them.
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
    """Return the last instant at which a claim on a session with this end is in time (R8)."""
    return shifted(end, timedelta(hours=policy.refund.window_hours))


def window_closes(session: Session, policy: Policy) -> datetime | None:
    """Return the last instant at which a claim is in time; None before the session's end."""
    return None if session.end is None else closes(session.end, policy)


def cost_of(amount_minor: int, refunded_minor: int, policy: Policy) -> int:
    """Return the cost of a refund to the expert, in minor units (`refund.deducts`).

    `refunded_minor` is what was refunded of the same session before.
    """
    if policy.refund.deducts is Deducts.GROSS:
        return amount_minor
    return take_back(amount_minor, refunded_minor, policy.fee.percent)
