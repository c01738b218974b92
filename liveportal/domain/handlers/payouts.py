"""Payouts: sent, paid, failed, returned, and reversals of these steps (rulebook 6 and 8).

sent -> paid | failed; paid -> returned. A step that was recorded by mistake is reversed, the
latest one first; when the sending itself is reversed, the payout's id can be used again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from liveportal.domain import accounts
from liveportal.domain.accounts import Transaction, TransactionKind, Transfer
from liveportal.domain.calculations.payout_plan import counted, first_wait, lines_for, not_due_minor
from liveportal.domain.calculations.refund_window import closes
from liveportal.domain.clock import local_date, month_of, readable, shifted, to_second
from liveportal.domain.entities import Item, Line, OpenItem, Payout, PayoutState
from liveportal.domain.errors import (
    Caution,
    FeeTooLarge,
    ImpossibleTime,
    NotReversible,
    PayoutTooLarge,
    PossibleDuplicate,
    UnlistedMethod,
)
from liveportal.domain.events.envelope import Event, EventData
from liveportal.domain.events.types import (
    PayoutFailed,
    PayoutPaid,
    PayoutReturned,
    PayoutSent,
    PayoutStatusChanged,
)
from liveportal.domain.frozen import replace
from liveportal.domain.handlers.context import Decision, Rule, RuleContext, next_state, require
from liveportal.domain.handlers.refusals import already_exists, state_of
from liveportal.domain.handlers.requests import check_currency
from liveportal.domain.hint import Hint
from liveportal.domain.money import Money, digits_of, format_minor
from liveportal.domain.policy import Policy

MOVES = {
    (PayoutState.SENT, "payout.paid"): PayoutState.PAID,
    (PayoutState.SENT, "payout.failed"): PayoutState.FAILED,
    (PayoutState.PAID, "payout.returned"): PayoutState.RETURNED,
}
_DUPLICATE_WITHIN = timedelta(days=60)
STEPS = {
    PayoutState.PAID: TransactionKind.PAYOUT_PAID,
    PayoutState.FAILED: TransactionKind.PAYOUT_FAILED,
    PayoutState.RETURNED: TransactionKind.PAYOUT_RETURNED,
}


def on_sent(data: PayoutSent, event: Event, context: RuleContext) -> Decision:
    """Record a payout; refused only if it exceeds what is owed. Other oddities are flagged."""
    existing = context.payout(data.payout)
    if existing and existing.state != PayoutState.REVERSED:
        raise already_exists("payout", data.payout)
    check_currency(data.amount, context.policy)
    _check_owed(data.amount, context)
    items = context.open_items()
    lines = lines_for(items, data.amount.minor)
    cautions: tuple[Caution, ...] = _method_cautions(data.method, context.policy)
    flags = tuple(_flags(data.amount, event, lines, items, context))
    payout = Payout(
        id=data.payout,
        amount_minor=data.amount.minor,
        method=data.method,
        state=PayoutState.SENT,
        sent_at=event.time,
        reference=data.reference,
        lines=lines,
        flags=(*(caution.code for caution in cautions), *flags),
    )
    if "payout" in event.assumed:
        # The id was generated, so only the amount and the method can reveal a duplicate. The payout
        # gets no flag for it: a replay does not know which ids were generated.
        cautions = (*cautions, *_duplicate_cautions(data, event, context))
    transfers = accounts.sent(payout.amount_minor)
    entry = entry_of(TransactionKind.PAYOUT, payout, transfers, event, context)
    settled = _settle_items(lines, items)
    return Decision(
        entities=(payout, *settled), transactions=(entry,), cautions=cautions, flags=flags
    )


def on_status_changed(data: PayoutStatusChanged, event: Event, context: RuleContext) -> Decision:
    """Record that a payout arrived, or that it came back, which reopens its items."""
    payout = require("payout", data.payout, context.payout(data.payout))
    state = next_state(MOVES, payout, event)
    if event.time < payout.sent_at and not context.former_rules:
        raise ImpossibleTime(
            f"Payout {payout.id} was sent at {readable(payout.sent_at)}, which is after the time"
            " that you gave.",
            hint=Hint("Give {a_later_time}."),
            id=payout.id,
        )
    entry = entry_of(STEPS[state], payout, _moved(data, payout, context), event, context)
    freed = () if state == PayoutState.PAID else reopened_items(payout, context)
    after = replace(with_details(payout, data, event), state=state)
    return Decision(entities=(after, *freed), transactions=(entry,))


def _moved(data: PayoutStatusChanged, payout: Payout, context: RuleContext) -> tuple[Transfer, ...]:
    """Return the transfers of a payout's step."""
    minor = payout.amount_minor
    if isinstance(data, PayoutPaid):
        return accounts.arrived(minor, fee_minor_of(data, payout, context) or 0)
    if isinstance(data, PayoutReturned):
        arrived_minor = minor - (payout.fee_minor or 0)
        debited_minor = debited_minor_of(data, context)
        return accounts.returned(minor, arrived_minor if debited_minor is None else debited_minor)
    return accounts.failed(minor)


def fee_minor_of(data: PayoutPaid, payout: Payout, context: RuleContext) -> int | None:
    """Return the fee of an arrival; raises `CurrencyMismatch`, `FeeTooLarge`."""
    if data.fee is None:
        return None
    check_currency(data.fee, context.policy)
    if data.fee.minor > payout.amount_minor:
        amount = Money(payout.amount_minor, context.policy.currency)
        raise FeeTooLarge(
            f"A fee of {data.fee} is more than payout {payout.id} of {amount}.",
            hint="The fee is what was charged for the transfer, not what was received.",
            id=payout.id,
            amount=str(amount),
        )
    return data.fee.minor


def debited_minor_of(data: PayoutReturned, context: RuleContext) -> int | None:
    """Return what left the account in a return, if it is stated; raises `CurrencyMismatch`."""
    if data.debited is None:
        return None
    check_currency(data.debited, context.policy)
    return data.debited.minor


def with_details(payout: Payout, data: PayoutStatusChanged, event: Event) -> Payout:
    """Return the payout with what a report states of its arrival or return, and was not known."""
    if isinstance(data, PayoutReturned) and data.debited is not None:
        return replace(payout, debited_minor=data.debited.minor)
    if not isinstance(data, PayoutPaid):
        return payout
    known: dict[str, Any] = {"arrived_at": payout.arrived_at or event.time}
    if data.fee is not None:
        known["fee_minor"] = data.fee.minor
    if data.received is not None and payout.received_minor is None:
        known["received_minor"] = data.received.minor
        known["received_currency"] = str(data.received.currency)
    if payout.evidence is None:
        known["evidence"] = data.evidence
    return replace(payout, **known)


# --- reversals ------------------------------------------------------------------------------------


REVERSALS: dict[tuple[PayoutState, type[EventData]], PayoutState] = {
    (PayoutState.SENT, PayoutSent): PayoutState.REVERSED,
    (PayoutState.PAID, PayoutPaid): PayoutState.SENT,
    (PayoutState.FAILED, PayoutFailed): PayoutState.SENT,
    (PayoutState.RETURNED, PayoutReturned): PayoutState.PAID,
}
"""The state before a payout's last step, by the state after it and the step (rulebook 6)."""


def undo_step(payout: Payout, data: EventData, context: RuleContext) -> tuple[Payout | Item, ...]:
    """Undo a payout's last step, recorded by mistake; return the entities that this changes.

    A payout that returns to `sent` takes new lines, as a new payout would. Raises `NotReversible`
    if a later step follows, and `PayoutTooLarge` if the payout exceeds what is owed now.
    """
    state = REVERSALS.get((payout.state, type(data)))
    if state is None:
        raise NotReversible(
            f"{state_of(payout)}, so its earlier steps cannot be reversed.",
            hint=Hint(
                "Reverse the latest step first: {the_payout} names its event.", payout=payout.id
            ),
            id=payout.id,
            state=payout.state,
        )
    if isinstance(data, PayoutSent):
        return replace(payout, state=state), *reopened_items(payout, context)
    if isinstance(data, PayoutPaid):
        return (replace(payout, state=state, **_NOT_ARRIVED),)
    _check_owed(Money(payout.amount_minor, context.policy.currency), context)
    items = context.open_items()
    lines = lines_for(items, payout.amount_minor)
    sent = replace(payout, state=state, lines=lines, debited_minor=None)
    return sent, *_settle_items(lines, items)


_NOT_ARRIVED: dict[str, None] = dict.fromkeys(
    ("arrived_at", "fee_minor", "received_minor", "received_currency", "evidence")
)


def reopened_items(payout: Payout, context: RuleContext) -> tuple[Item, ...]:
    """Return the payout's items with the amounts of its lines open again."""
    return tuple(context.item(line.item).settle(-line.minor) for line in payout.lines)


def _check_owed(amount: Money, context: RuleContext) -> None:
    """Raise `PayoutTooLarge` if a payout exceeds what is owed (rulebook 8)."""
    owed_minor = context.owed_minor()
    if amount.minor > owed_minor:
        owed = format_minor(owed_minor, digits_of(amount.currency))
        raise PayoutTooLarge(
            f"A payout of {amount} is more than the {owed} that the platform owes you.",
            hint=Hint("Record the missing earnings first. {The_balance} shows what is owed."),
            owed=owed,
        )


def _settle_items(lines: Iterable[Line], items: Iterable[OpenItem]) -> tuple[Item, ...]:
    """Return the items of these lines as settled."""
    items_by_id = {open_item.item.transaction: open_item.item for open_item in items}
    return tuple(items_by_id[line.item].settle(line.minor) for line in lines)


def entry_of(
    kind: TransactionKind,
    payout: Payout,
    transfers: tuple[Transfer, ...],
    event: Event,
    context: RuleContext,
) -> Transaction:
    """Return the transaction of a payout's step, in the month of the event's time."""
    return Transaction(
        kind,
        event.time,
        month_of(event.time, context.policy.period.timezone),
        transfers,
        payout=payout.id,
    )


def _method_cautions(method: str, policy: Policy) -> tuple[UnlistedMethod, ...]:
    if method in policy.payout.methods:
        return ()
    return (
        UnlistedMethod(
            f"The policy does not list the payout method {method}. It lists"
            f" {', '.join(policy.payout.methods)}.",
            hint=Hint("{Overriding_this} records it regardless."),
        ),
    )


def _duplicate_cautions(
    data: PayoutSent, event: Event, context: RuleContext
) -> Iterable[PossibleDuplicate]:
    """Yield a caution if a payout of the last 60 days has the same amount and method."""
    for other in context.payouts_since(shifted(event.time, -_DUPLICATE_WITHIN)):
        same = (other.amount_minor, other.method) == (data.amount.minor, data.method)
        if same and other.state in (PayoutState.SENT, PayoutState.PAID):
            yield PossibleDuplicate(
                f"Payout {other.id} of {data.amount} by {data.method} is already recorded, sent at"
                f" {to_second(other.sent_at)}.",
                hint=Hint(
                    "If this is another payout, {overriding_this} records it, or {an_id} gives it"
                    " the platform's id."
                ),
                payout=other.id,
            )
            return


def _flags(
    amount: Money,
    event: Event,
    lines: Sequence[Line],
    items: Sequence[OpenItem],
    context: RuleContext,
) -> Iterable[str]:
    """Yield the flags of an unusual payout. None refuses it: the platform decides when it pays."""
    policy = context.policy
    on = local_date(event.time, policy.period.timezone)
    if amount.minor > context.owed_minor() - not_due_minor(items, on, policy):
        yield "early"
    if counted(lines, items, policy) < policy.payout_minimum.minor:
        yield "below_minimum"
    items_by_id = {open_item.item.transaction: open_item for open_item in items}
    if any(_is_claimable(items_by_id[line.item], event.time, context) for line in lines):
        yield "claimable"
    wait_until = first_wait(context.first_billed_end(), policy)
    if wait_until and on < wait_until:
        yield "first_payout_wait"
    if context.profile.missing:
        yield "profile_incomplete"


def _is_claimable(item: OpenItem, at: datetime, context: RuleContext) -> bool:
    """Return True if what a line pays can still be claimed back: the refund window is open (R8)."""
    if item.ended is None or item.policy is None or not item.gross_minor:
        return False
    return at <= closes(item.ended, context.policy_at(item.policy))


RULES: dict[type[EventData], Rule] = {
    PayoutSent: on_sent,
    PayoutPaid: on_status_changed,
    PayoutFailed: on_status_changed,
    PayoutReturned: on_status_changed,
}
