"""Confirmation: another source asserts a fact that is recorded already (2-events, *Identity*).

It is compared with what was asserted first, and with what that came to then; never with the state
of the thing now. So a fact that is reported again undoes no later correction, decision or reversal.
"""

from __future__ import annotations

from typing import NamedTuple

from liveportal.domain.books import Books, Change, known
from liveportal.domain.changing import changed
from liveportal.domain.envelope import Data, Event
from liveportal.domain.events import (
    RefundClaimed,
    RequestAccepted,
    SessionCorrected,
    SessionEnded,
    SessionLogged,
    SessionRescheduled,
)
from liveportal.domain.money import Money
from liveportal.domain.posting import Account, TransactionKind
from liveportal.domain.requests import alias_of, check_currency
from liveportal.domain.sessions import rebilled, rebilled_formerly
from liveportal.domain.telling import contradictions
from liveportal.domain.things import Session

BILLED_DIFFERS = "billed_differs"
"""The flag of a session whose bill, as another source reports it, is not the bill in the books."""


class Assertion(NamedTuple):
    """The first event that asserted a fact: its position, and its data with canonical ids."""

    seq: int
    data: Data


def contradicting(first: Assertion, data: Data, books: Books) -> list[str]:
    """Return the fields in which an event contradicts the first assertion of a fact."""
    if books.former_rules:
        return _contradicting_formerly(first, data, books)
    found = contradictions(first.data, data)
    if not found and isinstance(first.data, RefundClaimed) and isinstance(data, RefundClaimed):
        amounts = [_claimed(each, first.seq, books) for each in (first.data, data)]
        return ["amount"] if amounts[0] != amounts[1] else []
    return found


def confirmed(first: Assertion, event: Event, data: Data, books: Books) -> Change:
    """Return the effects of a confirmation: another id of the session, or another bill.

    `data` is the event's, with canonical ids. Raises `AlreadyExists` for the id of another session,
    and `CurrencyMismatch`.
    """
    if isinstance(data, RequestAccepted) and isinstance(first.data, RequestAccepted):
        ours = first.data.session or first.data.request
        return Change(alias=alias_of(ours, data.session or data.request, books))
    if isinstance(data, SessionRescheduled):
        return Change(alias=alias_of(data.session, data.alias, books))
    if isinstance(data, SessionEnded | SessionLogged) and data.billed is not None:
        session = known("session", data.session, books.session(data.session))
        if books.former_rules:
            return _billed_formerly(session, data, event, books)
        return _billed_again(first, session, data.billed, event, books)
    return Change()


def _claimed(data: RefundClaimed, seq: int, books: Books) -> Money:
    """Return what a claim is for; without an amount, all that was left when it was first made."""
    if data.amount is not None:
        return data.amount
    session = known("session", data.session, books.session(data.session))
    return Money(books.left_minor_before(session.id, seq), session.currency)


def _billed_again(
    first: Assertion, session: Session, billed: Money, event: Event, books: Books
) -> Change:
    """Book the difference between a bill and what the first assertion of the end came to.

    It counts in the month of the confirming event's own time. A bill is only flagged if a
    correction followed, or if it is below what was refunded and claimed.
    """
    check_currency(billed, books.policy)
    if billed.minor == session.gross_minor == session.billed_minor:
        return Change()  # As nearly always: nothing has to be looked up.
    came_to = _came_to(first.seq, books)
    followed = (
        session.state != "ended"
        or session.gross_minor != came_to
        or bool(books.statements(f"session:{session.id}", SessionCorrected.TYPE))
    )
    if billed.minor == came_to:
        is_new = not followed and session.billed_minor != billed.minor
        return Change(things=(changed(session, billed_minor=billed.minor),) if is_new else ())
    claim = books.claim(session.claim) if session.claim_undecided and session.claim else None
    least = session.refunded_minor + (claim.amount_minor if claim else 0)
    if not followed and billed.minor >= least:
        return rebilled(session, billed, event.time, books)
    if billed.minor == session.gross_minor:
        return Change()
    flags = dict.fromkeys((*session.flags, BILLED_DIFFERS))
    return Change(things=(changed(session, flags=tuple(flags)),), flags=(BILLED_DIFFERS,))


def _came_to(seq: int, books: Books) -> int:
    """Return the gross that an event billed, in minor units; a free session booked nothing."""
    return -sum(
        entry.effect_on(Account.SESSIONS)
        for entry in books.transactions_of(seq)
        if entry.kind is TransactionKind.EARNING
    )


# --- the rules of earlier versions, for what was recorded under them ------------------------------


def _contradicting_formerly(first: Assertion, data: Data, books: Books) -> list[str]:
    found = contradictions(first.data, data)
    if isinstance(data, SessionLogged):
        found = [name for name in found if name != "pauses"]
    if isinstance(data, RefundClaimed) and data.amount is not None and "amount" not in found:
        claim = books.claim(data.claim)
        if claim and claim.amount_minor != data.amount.minor:
            found.append("amount")
    return found


def _billed_formerly(
    session: Session, data: SessionEnded | SessionLogged, event: Event, books: Books
) -> Change:
    if isinstance(data, SessionLogged) or data.billed is None:
        return Change()
    check_currency(data.billed, books.policy)
    if session.gross_minor == data.billed.minor:
        return Change(things=(changed(session, billed_minor=data.billed.minor),))
    return rebilled_formerly(session, data.billed, event.time, books)
