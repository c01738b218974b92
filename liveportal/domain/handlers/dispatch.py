"""The table of all rules by event type, and the rules without a state machine."""

from __future__ import annotations

from liveportal.domain import accounts
from liveportal.domain.accounts import Transaction, TransactionKind
from liveportal.domain.clock import month_of, readable
from liveportal.domain.entities import (
    Adjustment,
    ClaimState,
    PayoutState,
    Profile,
    RequestState,
    SessionState,
)
from liveportal.domain.errors import (
    ImpossibleTime,
    NotReversible,
    PeriodFixed,
    UnknownEntity,
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
from liveportal.domain.frozen import replace
from liveportal.domain.handlers import (
    payout_reports,
    payouts,
    preferences,
    refunds,
    requests,
    sessions,
)
from liveportal.domain.handlers.context import (
    Decision,
    Entity,
    RecordedEvent,
    Rule,
    RuleContext,
    require,
)
from liveportal.domain.handlers.refusals import already_exists
from liveportal.domain.handlers.sessions import period_of
from liveportal.domain.hint import Hint


def decide(event: Event, context: RuleContext) -> Decision:
    """Apply the rules to an event and return its effects.

    Raises a `Refused`, or `InvalidEvent` for data that is invalid in any book.
    """
    return HANDLERS[type(event.data)](event.data, event, context)


def on_adjustment_posted(data: AdjustmentPosted, event: Event, context: RuleContext) -> Decision:
    """Record a bonus, or a fee of the platform."""
    existing = context.adjustment(data.adjustment)
    if existing and not context.is_reversed(existing.seq):
        raise already_exists("adjustment", data.adjustment)
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
    return Decision(entities=(adjustment,), transactions=(entry,))


def on_entry_reversed(data: EntryReversed, event: Event, context: RuleContext) -> Decision:
    """Book the exact inverse of a mistaken entry, once; its id can then be used again."""
    recorded = _reversible(data, event, context)
    period = month_of(event.time, context.policy.period.timezone)
    entries = tuple(
        replace(
            entry,
            kind=TransactionKind.REVERSAL,
            time=event.time,
            period=period,
            transfers=accounts.reverse(entry.transfers),
        )
        for entry in payout_reports.booked_by_step(recorded, context)
    )
    entities: tuple[Entity, ...] = ()
    if isinstance(recorded.event.data, PayoutSent | PayoutStatusChanged):
        payout_id = recorded.event.data.payout
        payout = require("payout", payout_id, context.payout(payout_id))
        entities = payouts.undo_step(payout, recorded.event.data, context)
    return Decision(entities=entities, transactions=entries, reverses=recorded.seq)


def _reversible(data: EntryReversed, event: Event, context: RuleContext) -> RecordedEvent:
    recorded = context.recorded_event(data.event.source, data.event.id)
    if recorded is None:
        raise UnknownEntity(
            f"There is no event {data.event.id} from {data.event.source}.",
            hint=Hint("{Sessions_and_payouts} show the ids of events."),
        )
    kind = recorded.event.data.TYPE
    if not isinstance(
        recorded.event.data, TipReceived | AdjustmentPosted | PayoutSent | PayoutStatusChanged
    ):
        raise NotReversible(
            f"An event of the type {kind} cannot be reversed. Only tips, adjustments and payouts"
            " can.",
            hint=Hint("To change what a session billed, use {a_correction}."),
            type=kind,
        )
    if recorded.reversed:
        raise NotReversible(
            f"Event {data.event.id} has already been reversed.",
            hint="You do not have to do anything more.",
        )
    if event.time < recorded.event.time and not context.former_rules:
        raise ImpossibleTime(
            f"Event {data.event.id} is dated {readable(recorded.event.time)}, which is after the"
            " time that you gave.",
            hint=Hint("Give {a_later_time}."),
        )
    return recorded


def on_profile_changed(data: PayoutProfileChanged, event: Event, context: RuleContext) -> Decision:
    """Mark fields of the payout profile as filled in, or cleared if their fingerprint is null.

    Events carry only the names and fingerprints of these fields, never their values.
    """
    fingerprints = data.fingerprints if isinstance(data.fingerprints, dict) else {}
    cleared = {name for name in data.fields if name in fingerprints and fingerprints[name] is None}
    return Decision(entities=(Profile((context.profile.fields | set(data.fields)) - cleared),))


def on_profile_revealed(
    data: PayoutProfileRevealed, event: Event, context: RuleContext
) -> Decision:
    """Record that encrypted fields were shown; there is no other effect."""
    return Decision()


def on_erasure_requested(data: ErasureRequested, event: Event, context: RuleContext) -> Decision:
    """Record an erasure request: `due` shows it, and only the expert can carry it out."""
    require("customer", data.customer, context.customer(data.customer))
    return Decision()


def on_customer_forgotten(data: CustomerForgotten, event: Event, context: RuleContext) -> Decision:
    """Erase a customer's personal data; the facts are kept."""
    require("customer", data.customer, context.customer(data.customer))
    return Decision(forgets=data.customer)


def on_policy_adopted(data: PolicyAdopted, event: Event, context: RuleContext) -> Decision:
    """Adopt a policy for what is agreed from now on; earlier agreements keep theirs."""
    current, new = context.policy, data.policy
    if (current.period, current.currency) == (new.period, new.currency):
        return Decision(policy=new)
    # Without any transaction, all ended sessions were free; the new month rules apply to them too.
    ended = tuple(context.ended_sessions()) if context.next_transaction == 1 else ()
    if context.next_transaction > 1 or (
        current.currency != new.currency and _has_sessions(context, ended)
    ):
        fixed = ("currency", "period.timezone", "period.session_month")
        differing = [name for name in fixed if current.switches()[name] != new.switches()[name]]
        raise PeriodFixed(
            f"The policy {new.name} changes {' and '.join(differing)}, which cannot change once"
            " money is recorded.",
            hint="Leave this out of the policy file, or keep another ledger for that policy.",
            switches=differing,
        )
    moved = tuple(replace(session, period=period_of(session, new)) for session in ended)
    return Decision(entities=moved, policy=new)


def _has_sessions(context: RuleContext, ended: tuple[object, ...]) -> bool:
    return bool(ended) or any(True for _ in context.agenda())


HANDLERS: dict[type[EventData], Rule] = {
    **requests.RULES,
    **sessions.RULES,
    **refunds.RULES,
    **payouts.RULES,
    **preferences.RULES,
    AdjustmentPosted: on_adjustment_posted,
    EntryReversed: on_entry_reversed,
    PayoutProfileChanged: on_profile_changed,
    PayoutProfileRevealed: on_profile_revealed,
    ErasureRequested: on_erasure_requested,
    CustomerForgotten: on_customer_forgotten,
    PolicyAdopted: on_policy_adopted,
}

STATE_AFTER: dict[str, str] = {
    **{
        kind: state
        for moves in (requests.MOVES, sessions.MOVES, refunds.MOVES, payouts.MOVES)
        for (_, kind), state in moves.items()
    },
    "request.opened": RequestState.OPEN,
    "session.logged": SessionState.ENDED,
    "session.corrected": SessionState.ENDED,
    "refund.claimed": ClaimState.OPEN,
    "payout.sent": PayoutState.SENT,
}
"""The state of an entity after an event of each type, where the entity has states."""
