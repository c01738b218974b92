"""Every event has one rule; the table of all of them, and the rules that have no machine."""

from __future__ import annotations

from dataclasses import replace

from liveportal.domain import payouts, posting, preferences, refunds, requests, sessions
from liveportal.domain.books import Books, Change, Past, Rule, Thing, known
from liveportal.domain.changing import changed
from liveportal.domain.clock import month_of, short_text
from liveportal.domain.envelope import Data, Event
from liveportal.domain.errors import (
    AlreadyExists,
    ImpossibleTime,
    NotReversible,
    PeriodFixed,
    UnknownThing,
)
from liveportal.domain.events import (
    AdjustmentPosted,
    CustomerForgotten,
    EntryReversed,
    ErasureRequested,
    PayoutMoved,
    PayoutProfileChanged,
    PayoutProfileRevealed,
    PayoutSent,
    PolicyAdopted,
    TipReceived,
)
from liveportal.domain.posting import Transaction, TransactionKind
from liveportal.domain.sessions import period_of
from liveportal.domain.things import Adjustment, Profile


def decide(event: Event, books: Books) -> Change:
    """Judge an event against the book as it stands: what it changes, or why it cannot be.

    Raises a `Refused`, or an `InvalidEvent` for what no book could take.
    """
    return RULES[type(event.data)](event.data, event, books)


def adjusted(data: AdjustmentPosted, event: Event, books: Books) -> Change:
    """A bonus, or a fee of the platform."""
    known_one = books.adjustment(data.adjustment)
    if known_one and not books.is_reversed(known_one.seq):
        raise AlreadyExists(
            f"adjustment {data.adjustment} exists already", kind="adjustment", id=data.adjustment
        )
    requests.check_currency(data.amount, books.policy)
    minor = data.amount.minor
    entry = Transaction(
        TransactionKind.ADJUSTMENT,
        event.time,
        month_of(event.time, books.policy.period.timezone),
        posting.adjustment(minor),
        adjustment=data.adjustment,
    )
    adjustment = Adjustment(data.adjustment, minor, event.time, books.next_seq)
    return Change(things=(adjustment,), transactions=(entry,))


def reversed_(data: EntryReversed, event: Event, books: Books) -> Change:
    """Book the exact inverse of an entry made by mistake, once; its id is free again."""
    past = _reversible(data, event, books)
    period = month_of(event.time, books.policy.period.timezone)
    entries = tuple(
        replace(
            each,
            kind=TransactionKind.REVERSAL,
            time=event.time,
            period=period,
            transfers=posting.reverse(each.transfers),
        )
        for each in past.transactions
    )
    things: tuple[Thing, ...] = ()
    if isinstance(past.event.data, PayoutSent | PayoutMoved):
        payout_id = past.event.data.payout
        payout = known("payout", payout_id, books.payout(payout_id))
        things = payouts.taken_back(payout, past.event.data, books)
    return Change(things=things, transactions=entries, reverses=past.seq)


def _reversible(data: EntryReversed, event: Event, books: Books) -> Past:
    past = books.past(data.event.source, data.event.id)
    if past is None:
        raise UnknownThing(
            f"there is no event {data.event.id} of {data.event.source}",
            hint="`liveportal sessions show` and `payout show` name events.",
        )
    kind = past.event.data.TYPE
    if not isinstance(past.event.data, TipReceived | AdjustmentPosted | PayoutSent | PayoutMoved):
        raise NotReversible(
            f"{kind} cannot be reversed: only tips, adjustments and payouts can",
            hint="Correct a session with `liveportal sessions correct`.",
            type=kind,
        )
    if past.reversed:
        raise NotReversible(f"event {data.event.id} was reversed already")
    if event.time < past.event.time and not books.former_rules:
        raise ImpossibleTime(
            f"Event {data.event.id} is dated {short_text(past.event.time)}, which is later.",
            hint="Give a later --at.",
        )
    return past


def profiled(data: PayoutProfileChanged, event: Event, books: Books) -> Change:
    """Fields of the payout profile are filled in, or cleared where their fingerprint is null.

    Only their names and fingerprints are told.
    """
    marks = data.fingerprints if isinstance(data.fingerprints, dict) else {}
    cleared = {name for name in data.fields if name in marks and marks[name] is None}
    return Change(things=(Profile((books.profile.fields | set(data.fields)) - cleared),))


def revealed(data: PayoutProfileRevealed, event: Event, books: Books) -> Change:
    """Somebody looked at sealed fields: that it happened is the whole of it."""
    return Change()


def erasure_requested(data: ErasureRequested, event: Event, books: Books) -> Change:
    """A customer asks to be forgotten: `due` shows it, and only the expert carries it out."""
    known("customer", data.customer, books.customer(data.customer))
    return Change()


def forgotten(data: CustomerForgotten, event: Event, books: Books) -> Change:
    """A customer's personal data is erased; the facts stay."""
    known("customer", data.customer, books.customer(data.customer))
    return Change(forgets=data.customer)


def adopted(data: PolicyAdopted, event: Event, books: Books) -> Change:
    """Another policy from now on; what was agreed keeps the policy that it froze."""
    was, now = books.policy, data.policy
    if (was.period, was.currency) == (now.period, now.currency):
        return Change(policy=now)
    # Without a transaction all ended sessions were free; they move with the months.
    ended = tuple(books.ended_sessions()) if books.next_transaction == 1 else ()
    if books.next_transaction > 1 or (was.currency != now.currency and _has_sessions(books, ended)):
        fixed = ("currency", "period.timezone", "period.session_month")
        differing = [name for name in fixed if was.switches()[name] != now.switches()[name]]
        raise PeriodFixed(
            f"{now.name} changes {', '.join(differing)}, which is fixed once the book has entries",
            hint="Keep another ledger for it, or leave the switch out of the policy file.",
            switches=differing,
        )
    moved = tuple(changed(each, period=period_of(each, now)) for each in ended)
    return Change(things=moved, policy=now)


def _has_sessions(books: Books, ended: tuple[object, ...]) -> bool:
    return bool(ended) or any(True for _ in books.agenda())


RULES: dict[type[Data], Rule] = {
    **requests.RULES,
    **sessions.RULES,
    **refunds.RULES,
    **payouts.RULES,
    **preferences.RULES,
    AdjustmentPosted: adjusted,
    EntryReversed: reversed_,
    PayoutProfileChanged: profiled,
    PayoutProfileRevealed: revealed,
    ErasureRequested: erasure_requested,
    CustomerForgotten: forgotten,
    PolicyAdopted: adopted,
}

STATE_AFTER: dict[str, str] = {
    **{
        kind: state
        for moves in (requests.MOVES, sessions.MOVES, refunds.MOVES, payouts.MOVES)
        for (_, kind), state in moves.items()
    },
    "request.opened": "open",
    "session.logged": "ended",
    "session.corrected": "ended",
    "refund.claimed": "open",
    "payout.sent": "sent",
}
"""The state that a thing is in after an event of each type, for those that have states."""
