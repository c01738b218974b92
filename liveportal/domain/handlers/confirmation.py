"""Confirmation: another source asserts a fact that is recorded already (2-events, *Identity*).

It is compared with what was asserted first, and with what that came to then; never with the state
of the thing now. So a fact that is reported again undoes no later correction, decision or reversal.
"""

from __future__ import annotations

from typing import NamedTuple

from liveportal.domain.accounts import Account, TransactionKind
from liveportal.domain.changing import changed
from liveportal.domain.entities import Session
from liveportal.domain.events.deduplication import contradictions
from liveportal.domain.events.envelope import Event, EventData
from liveportal.domain.events.types import (
    RefundClaimed,
    RequestAccepted,
    SessionCorrected,
    SessionEnded,
    SessionLogged,
    SessionRescheduled,
)
from liveportal.domain.handlers.context import Decision, RuleContext, require
from liveportal.domain.handlers.requests import alias_of, check_currency
from liveportal.domain.handlers.sessions import rebilled, rebilled_formerly
from liveportal.domain.money import Money

BILLED_DIFFERS = "billed_differs"
"""The flag of a session whose bill, as another source reports it, is not the bill in the books."""


class FirstAssertion(NamedTuple):
    """The first event that asserted a fact: its position, and its data with canonical ids."""

    seq: int
    data: EventData


def contradicting(first: FirstAssertion, data: EventData, context: RuleContext) -> list[str]:
    """Return the fields in which an event contradicts the first assertion of a fact."""
    if context.former_rules:
        return _contradicting_formerly(first, data, context)
    found = contradictions(first.data, data)
    if not found and isinstance(first.data, RefundClaimed) and isinstance(data, RefundClaimed):
        amounts = [_claimed(each, first.seq, context) for each in (first.data, data)]
        return ["amount"] if amounts[0] != amounts[1] else []
    return found


def confirmed(
    first: FirstAssertion, event: Event, data: EventData, context: RuleContext
) -> Decision:
    """Return the effects of a confirmation: another id of the session, or another bill.

    `data` is the event's, with canonical ids. Raises `AlreadyExists` for the id of another session,
    and `CurrencyMismatch`.
    """
    if isinstance(data, RequestAccepted) and isinstance(first.data, RequestAccepted):
        ours = first.data.session or first.data.request
        return Decision(alias=alias_of(ours, data.session or data.request, context))
    if isinstance(data, SessionRescheduled):
        return Decision(alias=alias_of(data.session, data.alias, context))
    if isinstance(data, SessionEnded | SessionLogged) and data.billed is not None:
        session = require("session", data.session, context.session(data.session))
        if context.former_rules:
            return _billed_formerly(session, data, event, context)
        return _billed_again(first, session, data.billed, event, context)
    return Decision()


def _claimed(data: RefundClaimed, seq: int, context: RuleContext) -> Money:
    """Return what a claim is for; without an amount, all that was left when it was first made."""
    if data.amount is not None:
        return data.amount
    session = require("session", data.session, context.session(data.session))
    return Money(context.left_minor_before(session.id, seq), session.currency)


def _billed_again(
    first: FirstAssertion, session: Session, billed: Money, event: Event, context: RuleContext
) -> Decision:
    """Book the difference between a bill and what the first assertion of the end came to.

    It counts in the month of the confirming event's own time. A bill is only flagged if a
    correction followed, or if it is below what was refunded and claimed.
    """
    check_currency(billed, context.policy)
    if billed.minor == session.gross_minor == session.billed_minor:
        return Decision()  # As nearly always: nothing has to be looked up.
    came_to = _came_to(first.seq, context)
    followed = (
        session.state != "ended"
        or session.gross_minor != came_to
        or bool(context.statements(f"session:{session.id}", SessionCorrected.TYPE))
    )
    if billed.minor == came_to:
        is_new = not followed and session.billed_minor != billed.minor
        return Decision(things=(changed(session, billed_minor=billed.minor),) if is_new else ())
    claim = context.claim(session.claim) if session.claim_undecided and session.claim else None
    least = session.refunded_minor + (claim.amount_minor if claim else 0)
    if not followed and billed.minor >= least:
        return rebilled(session, billed, event.time, context)
    if billed.minor == session.gross_minor:
        return Decision()
    flags = dict.fromkeys((*session.flags, BILLED_DIFFERS))
    return Decision(things=(changed(session, flags=tuple(flags)),), flags=(BILLED_DIFFERS,))


def _came_to(seq: int, context: RuleContext) -> int:
    """Return the gross that an event billed, in minor units; a free session booked nothing."""
    return -sum(
        entry.effect_on(Account.SESSIONS)
        for entry in context.transactions_of(seq)
        if entry.kind is TransactionKind.EARNING
    )


# --- the rules of earlier versions, for what was recorded under them ------------------------------


def _contradicting_formerly(
    first: FirstAssertion, data: EventData, context: RuleContext
) -> list[str]:
    found = contradictions(first.data, data)
    if isinstance(data, SessionLogged):
        found = [name for name in found if name != "pauses"]
    if isinstance(data, RefundClaimed) and data.amount is not None and "amount" not in found:
        claim = context.claim(data.claim)
        if claim and claim.amount_minor != data.amount.minor:
            found.append("amount")
    return found


def _billed_formerly(
    session: Session, data: SessionEnded | SessionLogged, event: Event, context: RuleContext
) -> Decision:
    if isinstance(data, SessionLogged) or data.billed is None:
        return Decision()
    check_currency(data.billed, context.policy)
    if session.gross_minor == data.billed.minor:
        return Decision(things=(changed(session, billed_minor=data.billed.minor),))
    return rebilled_formerly(session, data.billed, event.time, context)
