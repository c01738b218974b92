"""The chart of accounts, and the double-entry transfers of each kind of transaction.

A transaction consists of transfers, each of which debits one account and credits another by one
positive amount, so it always balances. Sign convention: a transfer increases the account it debits
and decreases the account it credits.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from liveportal.domain.frozen import frozen


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
    TRANSFER_FEE = "expenses:transfer-fee"  # Charged on a payout by a payment service or a bank.


ASSETS = (Account.PLATFORM, Account.HELD, Account.TRANSIT, Account.BANK)
PAID_OUT = (Account.BANK, Account.TRANSFER_FEE)
"""The accounts of what the platform paid: what arrived, and what was charged on the way."""


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


@frozen
class Transfer:
    """Debits one account and credits another by one positive amount in minor units."""

    debit: Account
    credit: Account
    minor: int

    def __post_init__(self) -> None:
        if self.minor <= 0:
            raise ValueError("The amount of a transfer must be above zero.")
        if self.debit is self.credit:
            raise ValueError("A transfer needs two different accounts.")


@frozen
class Transaction:
    """The transfers of one step. `period` is the month (rulebook 5) in which they count."""

    kind: TransactionKind
    time: datetime
    period: str
    transfers: tuple[Transfer, ...]
    session: str | None = None
    claim: str | None = None
    payout: str | None = None
    adjustment: str | None = None

    def effect_on(self, *accounts: Account) -> int:
        """Return the total change of the given accounts, in minor units."""
        effect = 0
        for transfer in self.transfers:
            if transfer.debit in accounts:
                effect += transfer.minor
            if transfer.credit in accounts:
                effect -= transfer.minor
        return effect

    @property
    def net_minor(self) -> int:
        """The effect on what the expert has earned: the change of all assets together.

        A fee that someone charges on a payout costs assets, but no earnings.
        """
        return self.effect_on(*ASSETS, Account.TRANSFER_FEE)


def transfers(*moves: tuple[Account, Account, int]) -> tuple[Transfer, ...]:
    """Build transfers from (debit, credit, minor units); zero amounts are left out."""
    return tuple([Transfer(debit, credit, minor) for debit, credit, minor in moves if minor])


def reverse(original: tuple[Transfer, ...]) -> tuple[Transfer, ...]:
    """Return the exact inverse: the same amounts in the other direction."""
    return tuple(Transfer(t.credit, t.debit, t.minor) for t in original)


def earning(share_minor: int, fee_minor: int) -> tuple[Transfer, ...]:
    """Return the transfers of a bill: the share is owed, the fee is the platform's (R11)."""
    return transfers(
        (Account.PLATFORM, Account.SESSIONS, share_minor),
        (Account.FEE, Account.SESSIONS, fee_minor),
    )


def hold(minor: int) -> tuple[Transfer, ...]:
    """Return the transfers that hold what a claim may cost."""
    return transfers((Account.HELD, Account.PLATFORM, minor))


def release(minor: int) -> tuple[Transfer, ...]:
    """Return the transfers that release a claim's hold."""
    return transfers((Account.PLATFORM, Account.HELD, minor))


def refund(refunded_minor: int, cost_minor: int, held_minor: int) -> tuple[Transfer, ...]:
    """Return the transfers that close a claim's hold and deduct its cost.

    The cost is the share taken back or, where refunds deduct the gross, the whole refund; the
    platform bears the rest of the refund. A difference between cost and hold is booked to
    what is owed (rulebook 4).
    """
    return transfers(
        (Account.REFUNDS, Account.HELD, min(cost_minor, held_minor)),
        (Account.REFUNDS, Account.PLATFORM, max(cost_minor - held_minor, 0)),
        (Account.PLATFORM, Account.HELD, max(held_minor - cost_minor, 0)),
        (Account.REFUNDS, Account.FEE, refunded_minor - cost_minor),
    )


def tip(minor: int) -> tuple[Transfer, ...]:
    """Return the transfers of a tip; there is no fee on tips."""
    return transfers((Account.PLATFORM, Account.TIPS, minor))


def adjustment(minor: int) -> tuple[Transfer, ...]:
    """Return the transfers of a bonus (positive) or a fee of the platform (negative)."""
    if minor < 0:
        return transfers((Account.ADJUSTMENTS, Account.PLATFORM, -minor))
    return transfers((Account.PLATFORM, Account.ADJUSTMENTS, minor))


def sent(minor: int) -> tuple[Transfer, ...]:
    """Return the transfers of a payout that was sent."""
    return transfers((Account.TRANSIT, Account.PLATFORM, minor))


def arrived(minor: int, fee_minor: int) -> tuple[Transfer, ...]:
    """Return the transfers of a payout that arrived, less what was charged for the transfer."""
    return transfers(
        (Account.BANK, Account.TRANSIT, minor - fee_minor),
        (Account.TRANSFER_FEE, Account.TRANSIT, fee_minor),
    )


def failed(minor: int) -> tuple[Transfer, ...]:
    """Return the transfers of a payout that did not arrive."""
    return transfers((Account.PLATFORM, Account.TRANSIT, minor))


def returned(minor: int, debited_minor: int) -> tuple[Transfer, ...]:
    """Return the transfers of a payout that came back to the platform.

    The platform owes the whole amount again. What left the bank may be less, if the fee was paid
    back, or more, if the return was charged for.
    """
    return transfers(
        (Account.PLATFORM, Account.BANK, min(minor, debited_minor)),
        (Account.PLATFORM, Account.TRANSFER_FEE, max(minor - debited_minor, 0)),
        (Account.TRANSFER_FEE, Account.BANK, max(debited_minor - minor, 0)),
    )


def more_transfer_fee(minor: int) -> tuple[Transfer, ...]:
    """Return the transfers of a transfer fee that becomes known later; negative for a lower one.

    What arrived, or is left after a return, is so much less.
    """
    if minor < 0:
        return transfers((Account.BANK, Account.TRANSFER_FEE, -minor))
    return transfers((Account.TRANSFER_FEE, Account.BANK, minor))
