"""Confirmation: another source asserts a fact that is already recorded.

It is compared with the first assertion and its effects at that time, never with the current state
of the entity. So a fact that is reported again does not undo a later correction, decision or
reversal.
"""

from __future__ import annotations

from typing import NamedTuple

from liveportal.domain.accounts import Account, TransactionKind
from liveportal.domain.entities import Session, SessionState
from liveportal.domain.events.deduplication import contradictions
from liveportal.domain.events.envelope import Event, EventData
from liveportal.domain.events.types import (
    PayoutPaid,
    PayoutReturned,
    PayoutSent,
    RefundClaimed,
    RequestAccepted,
    SessionCorrected,
    SessionEnded,
    SessionLogged,
    SessionRescheduled,
)
from liveportal.domain.frozen import replace
from liveportal.domain.handlers import payout_reports
from liveportal.domain.handlers.context import Decision, RuleContext, require
from liveportal.domain.handlers.requests import alias_of, check_currency
from liveportal.domain.handlers.sessions import rebill, rebill_formerly
from liveportal.domain.money import Money

BILLED_DIFFERS = "billed_differs"
"""The flag of a session for which another source reports a bill that differs from the books."""


class FirstAssertion(NamedTuple):
    """The first event that asserted a fact: its position, and its data with canonical ids."""

    seq: int
    data: EventData


def contradicted_fields(first: FirstAssertion, data: EventData, context: RuleContext) -> list[str]:
    """Return the fields in which an event contradicts the first assertion of a fact."""
    if context.former_rules:
        return _contradictions_formerly(first, data, context)
    fields = contradictions(first.data, data)
    if not fields and isinstance(first.data, RefundClaimed) and isinstance(data, RefundClaimed):
        amounts = [
            _claimed_amount(claim_data, first.seq, context) for claim_data in (first.data, data)
        ]
        return ["amount"] if amounts[0] != amounts[1] else []
    if isinstance(data, PayoutSent) and payout_reports.is_matched_by_amount(data, context):
        return [name for name in fields if name == "amount"]
    if not fields and (name := payout_reports.differing_detail(data, context)):
        return [name]
    return fields


def confirm(first: FirstAssertion, event: Event, data: EventData, context: RuleContext) -> Decision:
    """Return the effects of a confirmation: an alias of the session, another bill, a transfer fee.

    `data` is the event's data with canonical ids. Raises `AlreadyExists` if the alias is the id of
    another session, `CurrencyMismatch`, and `FeeTooLarge`.
    """
    if isinstance(data, RequestAccepted) and isinstance(first.data, RequestAccepted):
        ours = first.data.session or first.data.request
        return Decision(alias=alias_of(ours, data.session or data.request, context))
    if isinstance(data, SessionRescheduled):
        return Decision(alias=alias_of(data.session, data.alias, context))
    if isinstance(data, SessionEnded | SessionLogged) and data.billed is not None:
        session = require("session", data.session, context.session(data.session))
        if context.former_rules:
            return _confirm_bill_formerly(session, data, event, context)
        return _confirm_bill(first, session, data.billed, event, context)
    if isinstance(data, PayoutPaid | PayoutReturned) and payout_reports.adds_details(data):
        return payout_reports.add_details(first.seq, data, event, context)
    return Decision()


def _claimed_amount(data: RefundClaimed, seq: int, context: RuleContext) -> Money:
    """Return the amount of a claim; by default all that was unrefunded when it was first made."""
    if data.amount is not None:
        return data.amount
    session = require("session", data.session, context.session(data.session))
    return Money(context.left_minor_before(session.id, seq), session.currency)


def _confirm_bill(
    first: FirstAssertion, session: Session, billed: Money, event: Event, context: RuleContext
) -> Decision:
    """Book the difference between a bill and the one booked by the first assertion of the end.

    It counts in the month of the confirming event's own time. The bill is only flagged if a
    correction followed, or if it is below the amount refunded and claimed.
    """
    check_currency(billed, context.policy)
    if billed.minor == session.gross_minor == session.billed_minor:
        return Decision()  # The usual case, which needs no lookups.
    booked_minor = _booked_gross(first.seq, context)
    was_changed = (
        session.state != SessionState.ENDED
        or session.gross_minor != booked_minor
        or bool(context.assertions(f"session:{session.id}", SessionCorrected.TYPE))
    )
    if billed.minor == booked_minor:
        is_new = not was_changed and session.billed_minor != billed.minor
        return Decision(entities=(replace(session, billed_minor=billed.minor),) if is_new else ())
    claim = context.claim(session.claim) if session.claim_undecided and session.claim else None
    least = session.refunded_minor + (claim.amount_minor if claim else 0)
    if not was_changed and billed.minor >= least:
        return rebill(session, billed, event.time, context)
    if billed.minor == session.gross_minor:
        return Decision()
    flags = dict.fromkeys((*session.flags, BILLED_DIFFERS))
    return Decision(entities=(replace(session, flags=tuple(flags)),), flags=(BILLED_DIFFERS,))


def _booked_gross(seq: int, context: RuleContext) -> int:
    """Return the gross that an event billed, in minor units; 0 for a free session."""
    return -sum(
        entry.effect_on(Account.SESSIONS)
        for entry in context.transactions_of(seq)
        if entry.kind is TransactionKind.EARNING
    )


# --- rules of earlier versions, for events recorded under them ------------------------------------


def _contradictions_formerly(
    first: FirstAssertion, data: EventData, context: RuleContext
) -> list[str]:
    fields = contradictions(first.data, data)
    if isinstance(data, SessionLogged):
        fields = [name for name in fields if name != "pauses"]
    if isinstance(data, RefundClaimed) and data.amount is not None and "amount" not in fields:
        claim = context.claim(data.claim)
        if claim and claim.amount_minor != data.amount.minor:
            fields.append("amount")
    return fields


def _confirm_bill_formerly(
    session: Session, data: SessionEnded | SessionLogged, event: Event, context: RuleContext
) -> Decision:
    if isinstance(data, SessionLogged) or data.billed is None:
        return Decision()
    check_currency(data.billed, context.policy)
    if session.gross_minor == data.billed.minor:
        return Decision(entities=(replace(session, billed_minor=data.billed.minor),))
    return rebill_formerly(session, data.billed, event.time, context)
