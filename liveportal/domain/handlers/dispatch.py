"""Every event has one rule; the table of all of them, and the rules that have no machine."""

from __future__ import annotations

from dataclasses import replace

from liveportal.domain import accounts
from liveportal.domain.accounts import Transaction, TransactionKind
from liveportal.domain.changing import changed
from liveportal.domain.clock import month_of, short_text
from liveportal.domain.entities import Adjustment, Profile
from liveportal.domain.errors import (
    AlreadyExists,
    ImpossibleTime,
    NotReversible,
    PeriodFixed,
    UnknownThing,
)
from liveportal.domain.events.envelope import Event, EventData
from liveportal.domain.events.types import (
    AdjustmentPosted,
    CustomerForgotten,
    EntryReversed,
    ErasureRequested,
    PayoutProfileChanged,
    PayoutProfileRevealed,
    PayoutSent,
    PayoutStatusChanged,
    PolicyAdopted,
    TipReceived,
)
from liveportal.domain.handlers import payouts, preferences, refunds, requests, sessions
from liveportal.domain.handlers.context import (
    Decision,
    Entity,
    RecordedEvent,
    Rule,
    RuleContext,
    require,
)
from liveportal.domain.handlers.sessions import period_of


def decide(event: Event, context: RuleContext) -> Decision:
    """Judge an event against the book as it stands: what it changes, or why it cannot be.

    Raises a `Refused`, or an `InvalidEvent` for what no book could take.
    """
    return HANDLERS[type(event.data)](event.data, event, context)


def adjusted(data: AdjustmentPosted, event: Event, context: RuleContext) -> Decision:
    """A bonus, or a fee of the platform."""
    known_one = context.adjustment(data.adjustment)
    if known_one and not context.is_reversed(known_one.seq):
        raise AlreadyExists(
            f"adjustment {data.adjustment} exists already", kind="adjustment", id=data.adjustment
        )
    requests.check_currency(data.amount, context.policy)
    minor = data.amount.minor
    entry = Transaction(
        TransactionKind.ADJUSTMENT,
        event.time,
        month_of(event.time, context.policy.period.timezone),
        accounts.adjustment(minor),
        adjustment=data.adjustment,
    )
    adjustment = Adjustment(data.adjustment, minor, event.time, context.next_seq)
    return Decision(things=(adjustment,), transactions=(entry,))


def reversed_(data: EntryReversed, event: Event, context: RuleContext) -> Decision:
    """Book the exact inverse of an entry made by mistake, once; its id is free again."""
    past = _reversible(data, event, context)
    period = month_of(event.time, context.policy.period.timezone)
    entries = tuple(
        replace(
            each,
            kind=TransactionKind.REVERSAL,
            time=event.time,
            period=period,
            transfers=accounts.reverse(each.transfers),
        )
        for each in past.transactions
    )
    things: tuple[Entity, ...] = ()
    if isinstance(past.event.data, PayoutSent | PayoutStatusChanged):
        payout_id = past.event.data.payout
        payout = require("payout", payout_id, context.payout(payout_id))
        things = payouts.undo_step(payout, past.event.data, context)
    return Decision(things=things, transactions=entries, reverses=past.seq)


def _reversible(data: EntryReversed, event: Event, context: RuleContext) -> RecordedEvent:
    past = context.past(data.event.source, data.event.id)
    if past is None:
        raise UnknownThing(
            f"there is no event {data.event.id} of {data.event.source}",
            hint="`liveportal sessions show` and `payout show` name events.",
        )
    kind = past.event.data.TYPE
    if not isinstance(
        past.event.data, TipReceived | AdjustmentPosted | PayoutSent | PayoutStatusChanged
    ):
        raise NotReversible(
            f"{kind} cannot be reversed: only tips, adjustments and payouts can",
            hint="Correct a session with `liveportal sessions correct`.",
            type=kind,
        )
    if past.reversed:
        raise NotReversible(f"event {data.event.id} was reversed already")
    if event.time < past.event.time and not context.former_rules:
        raise ImpossibleTime(
            f"Event {data.event.id} is dated {short_text(past.event.time)}, which is later.",
            hint="Give a later --at.",
        )
    return past


def profiled(data: PayoutProfileChanged, event: Event, context: RuleContext) -> Decision:
    """Fields of the payout profile are filled in, or cleared where their fingerprint is null.

    Only their names and fingerprints are told.
    """
    marks = data.fingerprints if isinstance(data.fingerprints, dict) else {}
    cleared = {name for name in data.fields if name in marks and marks[name] is None}
    return Decision(things=(Profile((context.profile.fields | set(data.fields)) - cleared),))


def revealed(data: PayoutProfileRevealed, event: Event, context: RuleContext) -> Decision:
    """Somebody looked at sealed fields: that it happened is the whole of it."""
    return Decision()


def erasure_requested(data: ErasureRequested, event: Event, context: RuleContext) -> Decision:
    """A customer asks to be forgotten: `due` shows it, and only the expert carries it out."""
    require("customer", data.customer, context.customer(data.customer))
    return Decision()


def forgotten(data: CustomerForgotten, event: Event, context: RuleContext) -> Decision:
    """A customer's personal data is erased; the facts stay."""
    require("customer", data.customer, context.customer(data.customer))
    return Decision(forgets=data.customer)


def adopted(data: PolicyAdopted, event: Event, context: RuleContext) -> Decision:
    """Another policy from now on; what was agreed keeps the policy that it froze."""
    was, now = context.policy, data.policy
    if (was.period, was.currency) == (now.period, now.currency):
        return Decision(policy=now)
    # Without a transaction all ended sessions were free; they move with the months.
    ended = tuple(context.ended_sessions()) if context.next_transaction == 1 else ()
    if context.next_transaction > 1 or (
        was.currency != now.currency and _has_sessions(context, ended)
    ):
        fixed = ("currency", "period.timezone", "period.session_month")
        differing = [name for name in fixed if was.switches()[name] != now.switches()[name]]
        raise PeriodFixed(
            f"{now.name} changes {', '.join(differing)}, which is fixed once the book has entries",
            hint="Keep another ledger for it, or leave the switch out of the policy file.",
            switches=differing,
        )
    moved = tuple(changed(each, period=period_of(each, now)) for each in ended)
    return Decision(things=moved, policy=now)


def _has_sessions(context: RuleContext, ended: tuple[object, ...]) -> bool:
    return bool(ended) or any(True for _ in context.agenda())


HANDLERS: dict[type[EventData], Rule] = {
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
