"""From transactions to months: the same figures that the ledger's views give, in plain Python.

The two are held against each other by a property test. Amounts are minor units.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from liveportal.domain.billing import MINUTE_US
from liveportal.domain.clock import months_between
from liveportal.domain.money import Money, format_minor, half_up
from liveportal.domain.posting import Account, Transaction, TransactionKind
from liveportal.domain.values import dataclass

if TYPE_CHECKING:
    from liveportal.domain.things import Claim, DisputeFiling, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What a month came to, and the balance at its end."""

    month: str
    sessions: int = 0
    free_sessions: int = 0
    billed_us: int = 0
    gross_minor: int = 0
    fee_minor: int = 0
    refund_claims: int = 0
    disputes: int = 0
    refunds: int = 0
    refunded_minor: int = 0
    deducted_minor: int = 0
    tips_minor: int = 0
    adjustments_minor: int = 0
    owed_minor: int = 0
    held_minor: int = 0
    in_transit_minor: int = 0
    paid_out_minor: int = 0

    @property
    def earned_minor(self) -> int:
        """What the sessions earned the expert, before refunds."""
        return self.gross_minor - self.fee_minor

    @property
    def net_minor(self) -> int:
        """What the month earned in all."""
        return self.earned_minor - self.deducted_minor + self.tips_minor + self.adjustments_minor

    def row(self, timezone: str, currency: str) -> dict[str, object]:
        """Return the month as `earnings --json` shows it."""

        def money(minor: int) -> Money:
            return Money(minor, currency)

        return {
            "month": self.month,
            "timezone": timezone,
            "currency": currency,
            "sessions": self.sessions,
            "free_sessions": self.free_sessions,
            "minutes": minutes_text(self.billed_us),
            "gross": money(self.gross_minor),
            "platform_fee": money(self.fee_minor),
            "earned": money(self.earned_minor),
            "refund_claims": self.refund_claims,
            "disputes": self.disputes,
            "refunds": self.refunds,
            "refunded": money(self.refunded_minor),
            "deducted": money(self.deducted_minor),
            "tips": money(self.tips_minor),
            "adjustments": money(self.adjustments_minor),
            "net": money(self.net_minor),
            "balance": {
                "owed": money(self.owed_minor),
                "held": money(self.held_minor),
                "in_transit": money(self.in_transit_minor),
                "paid_out": money(self.paid_out_minor),
            },
        }


def minutes_text(span_us: int) -> str:
    """Write a length of time as minutes, rounded half-up to two digits."""
    return format_minor(half_up(span_us * 100, MINUTE_US), 2)


def added(month: Month, other: Month) -> Month:
    """Return the first month with all figures of the other added."""
    figures = [part.name for part in fields(Month) if part.name != "month"]
    return replace(month, **{name: getattr(month, name) + getattr(other, name) for name in figures})


def in_a_row(months: Mapping[str, Month]) -> list[Month]:
    """Return the months without gaps, oldest first, with the balances of flows run up."""
    if not months:
        return []
    found: list[Month] = []
    last = Month(month="")
    for name in months_between(min(months), max(months)):
        flow = months.get(name, Month(month=name))
        last = replace(
            flow,
            owed_minor=last.owed_minor + flow.owed_minor,
            held_minor=last.held_minor + flow.held_minor,
            in_transit_minor=last.in_transit_minor + flow.in_transit_minor,
            paid_out_minor=last.paid_out_minor + flow.paid_out_minor,
        )
        found.append(last)
    return found


def fold(
    entries: Iterable[Transaction],
    sessions: Iterable[Session],
    claims: Iterable[Claim],
    disputes: Iterable[DisputeFiling],
) -> list[Month]:
    """Fold a book into its months."""
    months: dict[str, Month] = {}

    def add(period: str, **figures: int) -> None:
        month = months.get(period, Month(month=period))
        months[period] = added(month, Month(month=period, **figures))

    for entry in entries:
        # A release of nothing moves nothing and makes no month; a refund is counted all the same.
        if entry.transfers or entry.kind is TransactionKind.REFUND:
            add(entry.period, **effects(entry))
    for session in sessions:
        if session.period is None:
            continue
        if session.gross_minor:
            add(session.period, sessions=1, billed_us=session.billed_us)
        else:
            add(session.period, free_sessions=1)
    for claim in claims:
        add(claim.period, refund_claims=1)
    for dispute in disputes:
        add(dispute.period, disputes=1)
    return in_a_row(months)


def effects(entry: Transaction) -> dict[str, int]:
    """Return what a transaction adds to the figures of a month."""
    moved = {
        "owed_minor": entry.effect_on(Account.PLATFORM),
        "held_minor": entry.effect_on(Account.HELD),
        "in_transit_minor": entry.effect_on(Account.TRANSIT),
        "paid_out_minor": entry.effect_on(Account.BANK),
        "tips_minor": -entry.effect_on(Account.TIPS),
        "adjustments_minor": -entry.effect_on(Account.ADJUSTMENTS),
        "gross_minor": -entry.effect_on(Account.SESSIONS),
    }
    if entry.kind is TransactionKind.REFUND:
        refund = entry.effect_on(Account.REFUNDS)
        return moved | {
            "refunds": 1,
            "refunded_minor": refund,
            "deducted_minor": -entry.net_minor,
        }
    return moved | {"fee_minor": entry.effect_on(Account.FEE)}
