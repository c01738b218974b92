"""Payouts: which items they pay, when they are due, and what stands in the way (rulebook 8).

sent -> paid | failed; paid -> returned. A step that was recorded by mistake is reversed, the later
one first; when the sending itself is reversed, the id of the payout is free again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

from liveportal.domain import accounts
from liveportal.domain.accounts import Transaction, TransactionKind
from liveportal.domain.calculations.refund_window import closes
from liveportal.domain.changing import changed
from liveportal.domain.clock import last_day, local_date, month_of, shifted, short_text
from liveportal.domain.entities import NOT_LOOKED_UP, Line, OpenItem, Payout
from liveportal.domain.errors import (
    AlreadyExists,
    Caution,
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
from liveportal.domain.handlers.context import Decision, Rule, RuleContext, next_state, require
from liveportal.domain.handlers.requests import check_currency
from liveportal.domain.money import Money, digits_of, format_minor, half_up
from liveportal.domain.policy import Counts, Policy
from liveportal.domain.values import dataclass

MOVES = {
    ("sent", "payout.paid"): "paid",
    ("sent", "payout.failed"): "failed",
    ("paid", "payout.returned"): "returned",
}
_DUPLICATE_WITHIN = timedelta(days=60)
STEPS = {
    "paid": TransactionKind.PAYOUT_PAID,
    "failed": TransactionKind.PAYOUT_FAILED,
    "returned": TransactionKind.PAYOUT_RETURNED,
}


# --- what is due, and what would be paid ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PayoutBlocker:
    """Why nothing would be paid out."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a payout on a day would be. Amounts in minor units; `eligible_minor` is signed."""

    as_of: date
    eligible_minor: int
    carried_minor: int
    due_on: date | None
    blocked: tuple[PayoutBlocker, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutPosition:
    """What payouts are worked out from, in minor units.

    `missing_on` returns the requirements of the payout profile that are not met on a day.
    """

    owed_minor: int
    items: Sequence[OpenItem]
    first_billed_end: datetime | None
    missing_on: Callable[[date], Iterable[str]]
    policy: Policy


def preview(standing: PayoutPosition, on: date) -> Preview:
    """Reckon what would be paid on a day, and what blocks it."""
    items, policy = standing.items, standing.policy
    eligible = standing.owed_minor - not_due_minor(items, on, policy)
    lines = lines_for(items, eligible) if eligible > 0 else ()
    blocked = tuple(_blocks(standing, on, eligible, lines))
    return Preview(
        as_of=on,
        eligible_minor=eligible,
        carried_minor=eligible if blocked else 0,
        due_on=next_due(items, policy),
        blocked=blocked,
        lines=lines,
    )


def due_date(period: str, policy: Policy) -> date:
    """Return the day on which a month's earnings are due, and from which they count (R13)."""
    return _days_after(period, policy.payout.due_days_after_month_end)


@lru_cache(maxsize=1024)  # Thousands of items are of a few months.
def _days_after(period: str, days: int) -> date:
    try:
        return last_day(period) + timedelta(days=days)
    except OverflowError:
        return date.max


def not_due_minor(items: Iterable[OpenItem], on: date, policy: Policy) -> int:
    """Return the open parts of what was earned in months that are not due yet."""
    return sum(
        item.open_minor
        for item in items
        if item.open_minor > 0 and due_date(item.period, policy) > on
    )


def open_by_month(items: Iterable[OpenItem]) -> list[tuple[str, int]]:
    """Return what is open of each month, signed, the oldest first; months settled are left out."""
    months: dict[str, int] = {}
    for item in items:
        months[item.period] = months.get(item.period, 0) + item.open_minor
    return [(month, minor) for month, minor in sorted(months.items()) if minor]


def next_due(items: Iterable[OpenItem], policy: Policy) -> date | None:
    """Return the earliest due date of what is open, or None when nothing is."""
    return min(
        (due_date(item.period, policy) for item in items if item.open_minor > 0), default=None
    )


def lines_for(items: Sequence[OpenItem], amount_minor: int) -> tuple[Line, ...]:
    """Choose what a payout pays: all open negatives whole, then what was earned, oldest first."""
    ordered = sorted(items, key=lambda item: (item.time, item.transaction))
    taken = [Line(item.transaction, item.open_minor) for item in ordered if item.open_minor < 0]
    wanted = amount_minor - sum(line.minor for line in taken)
    for item in ordered:
        if wanted <= 0:
            break
        if item.open_minor > 0:
            part = min(item.open_minor, wanted)
            taken.append(Line(item.transaction, part))
            wanted -= part
    return tuple(taken)


def _blocks(
    standing: PayoutPosition, on: date, eligible_minor: int, lines: Sequence[Line]
) -> Iterable[PayoutBlocker]:
    policy = standing.policy
    if missing := sorted(standing.missing_on(on)):
        what = ", ".join(missing)
        yield PayoutBlocker("profile_incomplete", f"the payout profile is not complete: {what}")
    if eligible_minor <= 0:
        yield PayoutBlocker("nothing_eligible", "nothing is due to be paid out")
    elif counted(lines, standing.items, policy) < policy.payout_minimum.minor:
        yield PayoutBlocker(
            "below_minimum", f"it is below the minimum of {policy.payout_minimum} {policy.currency}"
        )
    wait_until = first_wait(standing.first_billed_end, policy)
    if wait_until and on < wait_until:
        yield PayoutBlocker(
            "first_payout_wait", f"the first payout comes on {wait_until} at the earliest"
        )


def counted(lines: Iterable[Line], items: Iterable[OpenItem], policy: Policy) -> int:
    """Return what counts towards the payout minimum (`payout.minimum_counts`)."""
    if policy.payout.minimum_counts is Counts.SHARE:
        return sum(line.minor for line in lines)
    paid = {item.transaction: item for item in items}
    total = 0
    for line in lines:
        item = paid[line.item]
        if item.gross_minor is None:
            total += line.minor
        else:  # Part of an earning counts for the same part of its gross.
            total += half_up(item.gross_minor * line.minor, abs(item.face_minor))
    return total


def first_wait(first_billed_end: datetime | None, policy: Policy) -> date | None:
    """Return the first day on which anything is paid out at all (R13), or None before that."""
    if first_billed_end is None:
        return None
    first = local_date(first_billed_end, policy.period.timezone)
    try:
        return first + timedelta(days=policy.payout.first_wait_days)
    except OverflowError:
        return date.max


# --- the rules ------------------------------------------------------------------------------------


def sent(data: PayoutSent, event: Event, context: RuleContext) -> Decision:
    """The platform pays: refused only if it is more than what is owed; all else is a flag."""
    known_one = context.payout(data.payout)
    if known_one and known_one.state != "reversed":
        raise AlreadyExists(f"payout {data.payout} exists already", kind="payout", id=data.payout)
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
        state="sent",
        sent_at=event.time,
        reference=data.reference,
        lines=lines,
        flags=(*(caution.code for caution in cautions), *flags),
    )
    if "payout" in event.assumed:
        # The id was made up, so only the amount and the method can tell a payout recorded twice. It
        # is no flag of the payout: a replay does not know what was made up.
        cautions = (*cautions, *_duplicate_cautions(data, event, context))
    entry = _entry(TransactionKind.PAYOUT, payout, event, context)
    settled = _settled(lines, items)
    return Decision(
        things=(payout, *settled), transactions=(entry,), cautions=cautions, flags=flags
    )


def transition(data: PayoutStatusChanged, event: Event, context: RuleContext) -> Decision:
    """A payout arrives, or comes back and gives its lines back."""
    payout = require("payout", data.payout, context.payout(data.payout))
    state = next_state(MOVES, payout, event)
    if event.time < payout.sent_at and not context.former_rules:
        raise ImpossibleTime(
            f"Payout {payout.id} was sent at {short_text(payout.sent_at)}, which is later.",
            hint="Give a later --at.",
            id=payout.id,
        )
    entry = _entry(STEPS[state], payout, event, context)
    freed = () if state == "paid" else reopened_items(payout, context)
    return Decision(things=(changed(payout, state=state), *freed), transactions=(entry,))


REVERSALS: dict[tuple[str, type[EventData]], str] = {
    ("sent", PayoutSent): "reversed",
    ("paid", PayoutPaid): "sent",
    ("failed", PayoutFailed): "sent",
    ("returned", PayoutReturned): "paid",
}
"""The state before a payout's last step, by the state after it and the step (rulebook 6)."""


def undo_step(
    payout: Payout, data: EventData, context: RuleContext
) -> tuple[Payout | OpenItem, ...]:
    """Undo a payout's last step, which was recorded by mistake; return what that changes.

    A payout that is sent again takes lines as a new one would. Raises `NotReversible` if a later
    step follows, and `PayoutTooLarge` if the payout is more than what is owed by now.
    """
    state = REVERSALS.get((payout.state, type(data)))
    if state is None:
        raise NotReversible(
            f"Payout {payout.id} is {payout.state}, so an earlier step cannot be reversed.",
            hint=f"Reverse the later step first; `liveportal payout show {payout.id}` names its"
            " event.",
            id=payout.id,
            state=payout.state,
        )
    if isinstance(data, PayoutSent):
        return changed(payout, state=state), *reopened_items(payout, context)
    if isinstance(data, PayoutPaid):
        return (changed(payout, state=state),)
    _check_owed(Money(payout.amount_minor, context.policy.currency), context)
    items = context.open_items()
    lines = lines_for(items, payout.amount_minor)
    return changed(payout, state=state, lines=lines), *_settled(lines, items)


def reopened_items(payout: Payout, context: RuleContext) -> tuple[OpenItem, ...]:
    """Return the payout's items with its lines given back."""
    return tuple(
        changed(item, settled_minor=item.settled_minor - line.minor)
        for item, line in _paired(payout.lines, context)
    )


def _check_owed(amount: Money, context: RuleContext) -> None:
    """Refuse a payout of more than what is owed, with `PayoutTooLarge` (rulebook 8)."""
    owed_minor = context.owed_minor()
    if amount.minor > owed_minor:
        owed = format_minor(owed_minor, digits_of(amount.currency))
        raise PayoutTooLarge(
            f"a payout of {amount} is more than the {owed} that is owed",
            hint="Record what was earned first; `liveportal earnings` shows what is owed.",
            owed=owed,
        )


def _settled(lines: Iterable[Line], items: Iterable[OpenItem]) -> tuple[OpenItem, ...]:
    """Return the items of these lines as paid, without what was only looked up with them."""
    paid = {item.transaction: item for item in items}
    return tuple(
        changed(
            paid[line.item],
            settled_minor=paid[line.item].settled_minor + line.minor,
            **NOT_LOOKED_UP,
        )
        for line in lines
    )


def _paired(lines: Iterable[Line], context: RuleContext) -> Iterable[tuple[OpenItem, Line]]:
    return ((context.item(line.item), line) for line in lines)


def _entry(
    kind: TransactionKind, payout: Payout, event: Event, context: RuleContext
) -> Transaction:
    return Transaction(
        kind,
        event.time,
        month_of(event.time, context.policy.period.timezone),
        accounts.payout(kind, payout.amount_minor),
        payout=payout.id,
    )


def _method_cautions(method: str, policy: Policy) -> tuple[UnlistedMethod, ...]:
    if method in policy.payout.methods:
        return ()
    return (
        UnlistedMethod(
            f"{method} is not among the policy's methods: {', '.join(policy.payout.methods)}",
            hint="--anyway records it all the same.",
        ),
    )


def _duplicate_cautions(
    data: PayoutSent, event: Event, context: RuleContext
) -> Iterable[PossibleDuplicate]:
    """Return a caution if a payout of the last 60 days has the same amount and method."""
    for other in context.payouts_since(shifted(event.time, -_DUPLICATE_WITHIN)):
        same = (other.amount_minor, other.method) == (data.amount.minor, data.method)
        if same and other.state in ("sent", "paid"):
            yield PossibleDuplicate(
                f"Payout {other.id} of {data.amount} by {data.method} is recorded already, sent at"
                f" {short_text(other.sent_at)}.",
                hint="--anyway records one more; --id names a payout as the platform does.",
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
    """Say what is unusual about a payout; the platform pays when it pays."""
    policy = context.policy
    on = local_date(event.time, policy.period.timezone)
    if amount.minor > context.owed_minor() - not_due_minor(items, on, policy):
        yield "early"
    if counted(lines, items, policy) < policy.payout_minimum.minor:
        yield "below_minimum"
    paid = {item.transaction: item for item in items}
    if any(_claimable(paid[line.item], event.time, context) for line in lines):
        yield "claimable"
    wait_until = first_wait(context.first_billed_end(), policy)
    if wait_until and on < wait_until:
        yield "first_payout_wait"
    if context.profile.missing:
        yield "profile_incomplete"


def _claimable(item: OpenItem, at: datetime, context: RuleContext) -> bool:
    """Tell whether what a line pays can still be claimed back: its refund window is open (R8)."""
    if item.ended is None or item.policy is None or not item.gross_minor:
        return False
    return at <= closes(item.ended, context.policy_at(item.policy))


RULES: dict[type[EventData], Rule] = {
    PayoutSent: sent,
    PayoutPaid: transition,
    PayoutFailed: transition,
    PayoutReturned: transition,
}
