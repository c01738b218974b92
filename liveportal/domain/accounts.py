"""What each event means in double entry.

A transaction is as many transfers as it needs; each debits one account and credits another by one
positive amount, so nothing can be out of balance. The sign convention, said once: a transfer adds
to the account it debits and takes from the account it credits.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from liveportal.domain.values import dataclass


class Account(StrEnum):
    """The expert's accounts."""

    PLATFORM = "assets:platform"  # Owed to the expert.
    HELD = "assets:platform:held"  # Owed, but claimed back by a customer.
    TRANSIT = "assets:transit"  # Sent, not arrived.
    BANK = "assets:bank"
    SESSIONS = "income:sessions"
    REFUNDS = "income:refunds"
    TIPS = "income:tips"
    ADJUSTMENTS = "income:adjustments"
    FEE = "expenses:platform-fee"


ASSETS = (Account.PLATFORM, Account.HELD, Account.TRANSIT, Account.BANK)


class TransactionKind(StrEnum):
    """The kinds of transactions, as the Transaction Record names them."""

    EARNING = "earning"
    HOLD = "hold"
    RELEASE = "release"
    REFUND = "refund"
    TIP = "tip"
    ADJUSTMENT = "adjustment"
    PAYOUT = "payout"
    PAYOUT_PAID = "payout_paid"
    PAYOUT_FAILED = "payout_failed"
    PAYOUT_RETURNED = "payout_returned"
    CORRECTION = "correction"
    REVERSAL = "reversal"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Debits one account and credits another by one positive amount: it cannot fail to balance."""

    debit: Account
    credit: Account
    minor: int

    def __post_init__(self) -> None:
        if self.minor <= 0:
            raise ValueError("a transfer moves more than nothing")
        if self.debit is self.credit:
            raise ValueError(f"a transfer needs two accounts, not {self.debit} twice")


@dataclass(frozen=True, slots=True)
class Transaction:
    """What one step moved. `period` is the month (rulebook 5) that it counts in."""

    kind: TransactionKind
    time: datetime
    period: str
    transfers: tuple[Transfer, ...]
    session: str | None = None
    claim: str | None = None
    payout: str | None = None
    adjustment: str | None = None

    def effect_on(self, *accounts: Account) -> int:
        """Return what the transaction adds to the accounts together, in minor units."""
        effect = 0
        for each in self.transfers:
            if each.debit in accounts:
                effect += each.minor
            if each.credit in accounts:
                effect -= each.minor
        return effect

    @property
    def net_minor(self) -> int:
        """The effect on what the expert has earned: whatever changed the assets as a whole."""
        return self.effect_on(*ASSETS)


def transfers(*moves: tuple[Account, Account, int]) -> tuple[Transfer, ...]:
    """Make transfers of (debit, credit, minor units); what moves nothing is left out."""
    return tuple([Transfer(debit, credit, minor) for debit, credit, minor in moves if minor])


def reverse(original: tuple[Transfer, ...]) -> tuple[Transfer, ...]:
    """Return the exact inverse: the same amounts the other way."""
    return tuple(Transfer(each.credit, each.debit, each.minor) for each in original)


def earning(share_minor: int, fee_minor: int) -> tuple[Transfer, ...]:
    """Bill a session: the share is owed, the fee is the platform's (R11)."""
    return transfers(
        (Account.PLATFORM, Account.SESSIONS, share_minor),
        (Account.FEE, Account.SESSIONS, fee_minor),
    )


def hold(minor: int) -> tuple[Transfer, ...]:
    """Set aside what a claim may take."""
    return transfers((Account.HELD, Account.PLATFORM, minor))


def release(minor: int) -> tuple[Transfer, ...]:
    """Give back what a claim held."""
    return transfers((Account.PLATFORM, Account.HELD, minor))


def refund(refunded_minor: int, cost_minor: int, held_minor: int) -> tuple[Transfer, ...]:
    """Close a claim's hold and deduct its cost; the platform bears the rest of the refund.

    The cost is the share taken back or, where refunds deduct the gross, all of the refund. What the
    cost and the hold differ by goes through what is owed (rulebook 4).
    """
    return transfers(
        (Account.REFUNDS, Account.HELD, min(cost_minor, held_minor)),
        (Account.REFUNDS, Account.PLATFORM, max(cost_minor - held_minor, 0)),
        (Account.PLATFORM, Account.HELD, max(held_minor - cost_minor, 0)),
        (Account.REFUNDS, Account.FEE, refunded_minor - cost_minor),
    )


def tip(minor: int) -> tuple[Transfer, ...]:
    """Receive a tip; the platform takes nothing of it."""
    return transfers((Account.PLATFORM, Account.TIPS, minor))


def adjustment(minor: int) -> tuple[Transfer, ...]:
    """Receive a bonus, or pay a fee of the platform."""
    if minor < 0:
        return transfers((Account.ADJUSTMENTS, Account.PLATFORM, -minor))
    return transfers((Account.PLATFORM, Account.ADJUSTMENTS, minor))


PAYOUT_MOVES: dict[TransactionKind, tuple[Account, Account]] = {
    TransactionKind.PAYOUT: (Account.TRANSIT, Account.PLATFORM),
    TransactionKind.PAYOUT_PAID: (Account.BANK, Account.TRANSIT),
    TransactionKind.PAYOUT_FAILED: (Account.PLATFORM, Account.TRANSIT),
    TransactionKind.PAYOUT_RETURNED: (Account.PLATFORM, Account.BANK),
}
"""Debit and credit of each step of a payout."""


def payout(step: TransactionKind, minor: int) -> tuple[Transfer, ...]:
    """Move a payout one step on, or back."""
    debit, credit = PAYOUT_MOVES[step]
    return transfers((debit, credit, minor))
