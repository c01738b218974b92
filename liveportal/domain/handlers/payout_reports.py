"""A payout's step that is reported again: with details, or by the platform after a statement."""

from __future__ import annotations

from liveportal.domain import accounts
from liveportal.domain.accounts import Account, Transaction
from liveportal.domain.calculations.payout_window import may_arrive_at
from liveportal.domain.entities import Payout, PayoutState
from liveportal.domain.events.envelope import Event, EventData, is_experts, is_statement
from liveportal.domain.events.types import PayoutPaid, PayoutReturned, PayoutSent
from liveportal.domain.frozen import replace
from liveportal.domain.handlers.context import Decision, RecordedEvent, RuleContext, require
from liveportal.domain.handlers.payouts import (
    STEPS,
    debited_minor_of,
    entry_of,
    fee_minor_of,
    with_details,
)

# --- a payout that was first seen in a statement --------------------------------------------------

MATCHED_BY_AMOUNT = "matched_by_amount"
"""The flag of a payout that a statement showed first, and that the platform reported later."""


def seen_in_statement(
    data: PayoutSent, event: Event, context: RuleContext
) -> tuple[int, Payout] | None:
    """Return the payout that a statement showed first, and that the platform reports now; or None.

    It has the same amount and arrived within the window of its method. Of several, each with the
    same amount, it is the oldest; each is matched once. The number is the position of the event
    that recorded its sending.
    """
    if is_experts(event.source) or context.payout(data.payout) is not None:
        return None
    if data.amount.currency != context.policy.currency:
        return None
    for payout in sorted(context.statement_payouts(), key=lambda each: (each.sent_at, each.id)):
        if (
            payout.amount_minor == data.amount.minor
            and payout.state != PayoutState.REVERSED
            and may_arrive_at(event.time, payout.method, payout.sent_at)
            and (seq := _reported_by_statements_only(payout, context))
        ):
            return seq, payout
    return None


def _reported_by_statements_only(payout: Payout, context: RuleContext) -> int | None:
    """Return the event that recorded a payout's sending; None if a platform reported it."""
    reports = context.assertions(f"payout:{payout.id}", PayoutSent.TYPE)
    for first in reports:
        if first.confirms is None and not context.is_reversed(first.seq):
            others = (item.source for item in reports if item.confirms == first.seq)
            own = is_statement(first.source) and all(map(is_experts, others))
            return first.seq if own else None
    return None


def match_by_amount(alias: str, payout: Payout) -> Decision:
    """Give a payout that a statement showed first the id that the platform has for it."""
    flags = tuple(dict.fromkeys((*payout.flags, MATCHED_BY_AMOUNT)))
    return Decision(
        entities=(replace(payout, flags=flags),),
        flags=(MATCHED_BY_AMOUNT,),
        payout_alias=(alias, payout.id),
    )


def is_matched_by_amount(data: PayoutSent, context: RuleContext) -> bool:
    """Return True if the payout was matched by its amount: the platform may describe it freely."""
    payout = context.payout(data.payout)
    return payout is not None and MATCHED_BY_AMOUNT in payout.flags


# --- the same step, reported again ----------------------------------------------------------------


def adds_details(data: EventData) -> bool:
    """Return True if a report of a payout's step has details that an earlier report may lack."""
    if isinstance(data, PayoutPaid):
        return any(detail is not None for detail in (data.fee, data.received, data.evidence))
    return isinstance(data, PayoutReturned) and data.debited is not None


def differing_detail(data: EventData, context: RuleContext) -> str | None:
    """Return the amount in which a report of a step contradicts earlier reports, or None."""
    if not isinstance(data, PayoutPaid | PayoutReturned) or not adds_details(data):
        return None
    payout = require("payout", data.payout, context.payout(data.payout))
    name, given, known_minor = (
        ("fee", data.fee, payout.fee_minor)
        if isinstance(data, PayoutPaid)
        else ("debited", data.debited, payout.debited_minor)
    )
    if given is None or known_minor is None or given.currency != context.policy.currency:
        return None
    return name if given.minor != known_minor else None


def add_details(
    first_seq: int, data: PayoutPaid | PayoutReturned, event: Event, context: RuleContext
) -> Decision:
    """Add what another report of a payout's step states, which does not contradict the first.

    A fee, or an amount debited, that was not known is booked as a difference from what the first
    report, event `first_seq`, booked; in the month of this report's own time. Raises
    `CurrencyMismatch`, `FeeTooLarge`.
    """
    payout = require("payout", data.payout, context.payout(data.payout))
    more_minor = 0
    if isinstance(data, PayoutPaid):
        fee_minor = fee_minor_of(data, payout, context)
        if fee_minor is not None and payout.fee_minor is None:
            more_minor = fee_minor
    else:
        debited_minor = debited_minor_of(data, context)
        if debited_minor is not None and payout.debited_minor is None:
            booked = context.transactions_of(first_seq)
            more_minor = debited_minor + sum(entry.effect_on(Account.BANK) for entry in booked)
    after = with_details(payout, data, event)
    kind = STEPS[PayoutState(data.TYPE.partition(".")[2])]
    transfers = accounts.more_transfer_fee(more_minor)
    return Decision(
        entities=(after,) if after != payout else (),
        transactions=(entry_of(kind, payout, transfers, event, context),) if transfers else (),
    )


def booked_by_step(recorded: RecordedEvent, context: RuleContext) -> tuple[Transaction, ...]:
    """Return what a payout's step booked, with what later reports of the same step added."""
    data = recorded.event.data
    entries = list(recorded.transactions)
    if isinstance(data, PayoutPaid | PayoutReturned):
        payout = require("payout", data.payout, context.payout(data.payout))
        for assertion in context.assertions(f"payout:{payout.id}", data.TYPE):
            if assertion.confirms == recorded.seq:
                entries += context.transactions_of(assertion.seq)
    return tuple(entries)
