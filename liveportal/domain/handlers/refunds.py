"""Claims and disputes: money is held while undecided, then deducted or released in full.

open -> disputed -> accepted (released) | rejected (deducted) | dispute withdrawn -> open
open -> conceded | granted (deducted) | denied (released); open | disputed -> withdrawn (released)
"""

from __future__ import annotations

from datetime import datetime

from liveportal.domain import accounts
from liveportal.domain.accounts import Transaction, TransactionKind, Transfer
from liveportal.domain.calculations.refund_window import cost_of, window_closes
from liveportal.domain.clock import month_of, readable
from liveportal.domain.entities import (
    RELEASED,
    UNDECIDED,
    Claim,
    ClaimState,
    DisputeFiling,
    Session,
)
from liveportal.domain.errors import (
    ClaimNotOpen,
    ClaimOpen,
    ImpossibleTime,
    LateClaim,
    NothingToRefund,
    PartialRefund,
    RefundTooLarge,
    WrongState,
)
from liveportal.domain.events.envelope import Event, EventData
from liveportal.domain.events.types import (
    ClaimClosed,
    DisputeAccepted,
    DisputeFiled,
    DisputeRejected,
    DisputeRuled,
    DisputeWithdrawn,
    RefundClaimed,
    RefundConceded,
    RefundDenied,
    RefundGranted,
    RefundWithdrawn,
)
from liveportal.domain.frozen import replace
from liveportal.domain.handlers.context import Decision, Rule, RuleContext, next_state, require
from liveportal.domain.handlers.refusals import already_exists
from liveportal.domain.handlers.requests import check_currency
from liveportal.domain.handlers.sessions import require_ended
from liveportal.domain.hint import Hint
from liveportal.domain.money import Money, take_back
from liveportal.domain.policy import Policy

MOVES = {
    (ClaimState.OPEN, "dispute.filed"): ClaimState.DISPUTED,
    (ClaimState.OPEN, "refund.conceded"): ClaimState.CONCEDED,
    (ClaimState.OPEN, "refund.granted"): ClaimState.GRANTED,
    (ClaimState.OPEN, "refund.denied"): ClaimState.DENIED,
    (ClaimState.OPEN, "refund.withdrawn"): ClaimState.WITHDRAWN,
    (ClaimState.DISPUTED, "refund.withdrawn"): ClaimState.WITHDRAWN,
    (ClaimState.DISPUTED, "dispute.withdrawn"): ClaimState.OPEN,
    (ClaimState.DISPUTED, "dispute.accepted"): ClaimState.ACCEPTED,
    (ClaimState.DISPUTED, "dispute.rejected"): ClaimState.REJECTED,
}


def on_claimed(data: RefundClaimed, event: Event, context: RuleContext) -> Decision:
    """Record a refund claim; its possible cost is held until it is decided (R8)."""
    if context.claim(data.claim):
        raise already_exists("claim", data.claim)
    session = require_ended(event, data.session, context)
    policy = context.policy_at(session.policy)
    amount_minor = claim_amount_minor(session, data.amount, policy)
    late = is_late(session, event.time, policy)
    claim = Claim(
        id=data.claim,
        session=session.id,
        state=ClaimState.OPEN,
        amount_minor=amount_minor,
        hold_minor=take_back(amount_minor, session.refunded_minor, policy.fee.percent),
        claimed_at=event.time,
        period=month_of(event.time, context.policy.period.timezone),
        late=late,
    )
    session = replace(session, claim=claim.id, claim_undecided=True)
    hold = _entry(TransactionKind.HOLD, event, claim, accounts.hold(claim.hold_minor), context)
    return Decision(
        entities=(claim, session),
        transactions=(hold,),
        cautions=(_late_caution(session, policy),) if late else (),
    )


def claim_amount_minor(session: Session, amount: Money | None, policy: Policy) -> int:
    """Return the amount of a claim in minor units; by default the whole unrefunded gross.

    Raises `ClaimOpen`, `NothingToRefund`, `CurrencyMismatch`, `RefundTooLarge` or `PartialRefund`.
    """
    if session.claim_undecided:
        raise ClaimOpen(
            f"Session {session.id} already has a claim, {session.claim}, that is not decided yet.",
            hint=Hint(
                "A session can have only one undecided claim. {The_claim} shows its state.",
                claim=session.claim,
            ),
            id=session.id,
            claim=session.claim,
        )
    if not session.left_minor:
        why = "did not bill anything" if not session.gross_minor else "was already refunded in full"
        raise NothingToRefund(
            f"Session {session.id} {why}, so there is nothing to refund.",
            hint=Hint("{The_session} shows its money.", session=session.id),
            id=session.id,
        )
    if amount is None:
        return session.left_minor
    left = Money(session.left_minor, session.currency)
    check_currency(amount, policy)
    if amount > left:
        raise RefundTooLarge(
            f"A refund of {amount} is more than the {left} that can still be refunded for session"
            f" {session.id}.",
            hint="Give a smaller amount, or leave it out to claim all that is left.",
            id=session.id,
            left=str(left),
        )
    if amount < left and not policy.refund.partial:
        raise PartialRefund(
            f"The policy allows full refunds only: {left} for session {session.id}, not {amount}.",
            hint="Leave the amount out.",
            id=session.id,
            left=str(left),
        )
    return amount.minor


def is_late(session: Session, at: datetime, policy: Policy) -> bool:
    """Return True if a claim comes after the refund window; exactly at its end is in time (R8)."""
    until = window_closes(session, policy)
    return until is not None and at > until


def on_dispute_filed(data: DisputeFiled, event: Event, context: RuleContext) -> Decision:
    """Dispute a claim; the money remains held."""
    claim, _ = _advance(data.claim, event, context)
    period = month_of(event.time, context.policy.period.timezone)
    filing = DisputeFiling(context.next_seq, claim.id, event.time, period)
    return Decision(entities=(replace(claim, disputed_at=event.time), filing))


def on_dispute_withdrawn(data: DisputeWithdrawn, event: Event, context: RuleContext) -> Decision:
    """Withdraw a dispute: the claim is open again."""
    claim, _ = _advance(data.claim, event, context)
    return Decision(entities=(replace(claim, disputed_at=None),))


def on_decided(data: ClaimClosed | DisputeRuled, event: Event, context: RuleContext) -> Decision:
    """Decide a claim: its whole hold is deducted or released (R8, R9)."""
    claim, session = _advance(data.claim, event, context)
    claim = replace(claim, decided_at=event.time)
    if claim.state in RELEASED:
        session = replace(session, claim_undecided=False)
        legs = accounts.release(claim.hold_minor)
        release = _entry(TransactionKind.RELEASE, event, claim, legs, context)
        return Decision(entities=(claim, session), transactions=(release,))
    policy = context.policy_at(session.policy)
    claim = replace(claim, cost_minor=cost_of(claim.amount_minor, session.refunded_minor, policy))
    refunded_minor = session.refunded_minor + claim.amount_minor
    session = replace(session, claim_undecided=False, refunded_minor=refunded_minor)
    legs = accounts.refund(claim.amount_minor, claim.cost_minor, claim.hold_minor)
    refund = _entry(TransactionKind.REFUND, event, claim, legs, context)
    return Decision(entities=(claim, session), transactions=(refund,))


def _advance(claim_id: str, event: Event, context: RuleContext) -> tuple[Claim, Session]:
    claim = require("claim", claim_id, context.claim(claim_id))
    opens = (ClaimState.OPEN, event.data.TYPE) in MOVES
    error = ClaimNotOpen if opens and claim.state != ClaimState.OPEN else WrongState
    if claim.state == ClaimState.OPEN and isinstance(event.data, DisputeRuled):
        raise WrongState(
            f"Claim {claim.id} is not disputed, so no ruling can be recorded.",
            hint=Hint("File the dispute first: `{dispute_it}`.", claim=claim.id),
            id=claim.id,
            state=claim.state,
        )
    state = next_state(MOVES, claim, event, error)
    decides = state not in UNDECIDED
    if event.time < claim.claimed_at and (decides or not context.former_rules):
        raise ImpossibleTime(
            f"Claim {claim.id} was made at {readable(claim.claimed_at)}, which is after the time"
            " that you gave.",
            hint=Hint("Give {a_later_time}."),
            id=claim.id,
        )
    session = require("session", claim.session, context.session(claim.session))
    return replace(claim, state=state), session


def _entry(
    kind: TransactionKind,
    event: Event,
    claim: Claim,
    legs: tuple[Transfer, ...],
    context: RuleContext,
) -> Transaction:
    period = month_of(event.time, context.policy.period.timezone)
    return Transaction(kind, event.time, period, legs, session=claim.session, claim=claim.id)


def _late_caution(session: Session, policy: Policy) -> LateClaim:
    last = window_closes(session, policy)
    ended = f" at {readable(last)}" if last else ""
    return LateClaim(
        f"The {policy.refund.window_hours} hours in which the customer could claim a refund for"
        f" session {session.id} ended{ended}.",
        hint=Hint("{Overriding_this} records the claim, marked as late."),
        id=session.id,
    )


RULES: dict[type[EventData], Rule] = {
    RefundClaimed: on_claimed,
    RefundConceded: on_decided,
    RefundGranted: on_decided,
    RefundDenied: on_decided,
    RefundWithdrawn: on_decided,
    DisputeFiled: on_dispute_filed,
    DisputeWithdrawn: on_dispute_withdrawn,
    DisputeAccepted: on_decided,
    DisputeRejected: on_decided,
}
