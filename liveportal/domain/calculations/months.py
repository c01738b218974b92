"""Monthly figures from transactions, equal to those of the ledger's views, in plain Python.

A property test compares the two. Amounts are minor units.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from liveportal.domain.accounts import ASSETS, PAID_OUT, Account, Transaction, TransactionKind
from liveportal.domain.calculations.billing import MINUTE_US
from liveportal.domain.clock import month_numbered, months_between, number_of
from liveportal.domain.frozen import frozen
from liveportal.domain.money import Money, format_minor, half_up
from liveportal.domain.row import Row, row

if TYPE_CHECKING:
    from liveportal.domain.entities import Claim, DisputeFiling, SessionCount

COUNTED = ("billed_us", "sessions", "free_sessions")
"""The figures of a session count that months add up."""


@row
class Balance(Row):
    """What the platform owes and holds, and what is in transit or was paid out, at an instant."""

    owed: Money
    held: Money
    in_transit: Money
    paid_out: Money


@row
class Figures(Row):
    """The totals of a month, or of a part; `minutes` has two digits after the point."""

    sessions: int
    free_sessions: int
    minutes: str
    gross: Money
    platform_fee: Money
    earned: Money
    refund_claims: int
    disputes: int
    refunds: int
    refunded: Money
    deducted: Money
    tips: Money
    adjustments: Money
    net: Money


@row
class _Period(Row):
    month: str
    timezone: str
    currency: str


@row
class MonthRow(Figures, _Period):  # The fields of the last base come first.
    """A month or a span of months as reports show it, with the balance at its end.

    `transfer_fees` were charged on payouts; they are no part of `net`.
    """

    LATER = ("transfer_fees",)

    balance: Balance
    transfer_fees: Money


@frozen(kw_only=True)
class Month:
    """The figures of a month, and the balances at its end."""

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
    transfer_fees_minor: int = 0

    @property
    def earned_minor(self) -> int:
        """The expert's share of the sessions, before refunds."""
        return self.gross_minor - self.fee_minor

    @property
    def net_minor(self) -> int:
        """The month's total earnings."""
        return self.earned_minor - self.deducted_minor + self.tips_minor + self.adjustments_minor

    def row(self, timezone: str, currency: str) -> MonthRow:
        """Return the month as reports show it."""

        def money(minor: int) -> Money:
            return Money(minor, currency)

        return MonthRow(
            month=self.month,
            timezone=timezone,
            currency=currency,
            sessions=self.sessions,
            free_sessions=self.free_sessions,
            minutes=minutes_text(self.billed_us),
            gross=money(self.gross_minor),
            platform_fee=money(self.fee_minor),
            earned=money(self.earned_minor),
            refund_claims=self.refund_claims,
            disputes=self.disputes,
            refunds=self.refunds,
            refunded=money(self.refunded_minor),
            deducted=money(self.deducted_minor),
            tips=money(self.tips_minor),
            adjustments=money(self.adjustments_minor),
            net=money(self.net_minor),
            balance=Balance(
                owed=money(self.owed_minor),
                held=money(self.held_minor),
                in_transit=money(self.in_transit_minor),
                paid_out=money(self.paid_out_minor),
            ),
            transfer_fees=money(self.transfer_fees_minor),
        )


def minutes_text(span_us: int) -> str:
    """Format a duration as minutes, rounded half-up to two digits."""
    return format_minor(half_up(span_us * 100, MINUTE_US), 2)


def add(month: Month, other: Month) -> Month:
    """Return the first month with all figures of the other added."""
    figures = [spec.name for spec in fields(Month) if spec.name != "month"]
    return replace(month, **{name: getattr(month, name) + getattr(other, name) for name in figures})


LONGEST_GAP = 120
"""The longest run of empty months that is shown (rulebook 9)."""


def monthly_series(months: Mapping[str, Month]) -> list[Month]:
    """Return the months of a book, oldest first, with running balances.

    From the first to the last month that has any figure; see `fill_gaps`.
    """
    figures = {name: month for name, month in months.items() if month != Month(month=name)}
    return with_running_balances(figures, fill_gaps(figures))


def fill_gaps(months: Iterable[str]) -> list[str]:
    """Return the months, oldest first, with gaps filled unless they exceed 120 months."""
    names: list[str] = []
    for name in sorted(months):
        if names and number_of(name) - number_of(names[-1]) - 1 <= LONGEST_GAP:
            names += months_between(names.pop(), name)
        else:
            names.append(name)
    return names


def gaps_in(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return the first and last month of each gap left between these names."""
    numbers = [number_of(name) for name in names]
    return [
        (month_numbered(one + 1), month_numbered(other - 1))
        for one, other in pairwise(numbers)
        if other - one > 1
    ]


def with_running_balances(months: Mapping[str, Month], names: Iterable[str]) -> list[Month]:
    """Return the months with these names, with running balances.

    The names must be in order and include every month that has a figure.
    """
    result: list[Month] = []
    last = Month(month="")
    for name in names:
        flow = months.get(name, Month(month=name))
        last = replace(
            flow,
            owed_minor=last.owed_minor + flow.owed_minor,
            held_minor=last.held_minor + flow.held_minor,
            in_transit_minor=last.in_transit_minor + flow.in_transit_minor,
            paid_out_minor=last.paid_out_minor + flow.paid_out_minor,
        )
        result.append(last)
    return result


class MonthlyTotals:
    """Sums up the months of a book from its transactions and counts."""

    def __init__(self) -> None:
        self._months: dict[str, dict[str, int]] = {}
        self._moved: dict[tuple[str, bool, Account, Account], int] = {}
        """Amounts by month, refund or not (they count differently), debit and credit account."""

    def book(self, entry: Transaction) -> None:
        """Add a transaction."""
        period, refund = entry.period, entry.kind is TransactionKind.REFUND
        for move in entry.transfers:
            self.move(period, move.debit, move.credit, move.minor, refund=refund)
        if refund:  # A refund counts even if it moves no money.
            self.add(period, {"refunds": 1})

    def move(
        self, period: str, debit: Account, credit: Account, minor: int, *, refund: bool
    ) -> None:
        """Add an amount that a month's transactions moved, by refunds or by others."""
        key = period, refund, debit, credit
        self._moved[key] = self._moved.get(key, 0) + minor

    def count(self, entry: SessionCount) -> None:
        """Add the counts of a bill or a correction."""
        figures = {name: getattr(entry, name) for name in COUNTED}
        self.add(entry.period, figures)

    def months(self, claims: Iterable[str], disputes: Iterable[str]) -> list[Month]:
        """Return the months, including the given months of claims and disputes.

        Call it once, after all transactions. Amounts that cancel out create no month.
        """
        for (period, refund, debit, credit), minor in self._moved.items():
            self.add(period, _figures({debit: minor, credit: -minor}, refund=refund))
        for period in claims:
            self.add(period, {"refund_claims": 1})
        for period in disputes:
            self.add(period, {"disputes": 1})
        return monthly_series(
            {
                name: Month(month=name, **sums)
                for name, sums in self._months.items()
                if any(sums.values())  # Transactions that cancel each other out create no month.
            }
        )

    def add(self, period: str, figures: Mapping[str, int]) -> None:
        """Add figures to those of a month."""
        month = self._months.setdefault(period, {})
        for name, figure in figures.items():
            month[name] = month.get(name, 0) + figure


def fold(
    entries: Iterable[Transaction],
    counts: Iterable[SessionCount],
    claims: Iterable[Claim],
    disputes: Iterable[DisputeFiling],
) -> list[Month]:
    """Sum up a book into its months."""
    totals = MonthlyTotals()
    for entry in entries:
        totals.book(entry)
    for count in counts:
        totals.count(count)
    return totals.months(
        (claim.period for claim in claims), (dispute.period for dispute in disputes)
    )


def effects(entry: Transaction) -> dict[str, int]:
    """Return the changes that a transaction makes to a month's figures."""
    by_account: dict[Account, int] = {}
    for transfer in entry.transfers:
        by_account[transfer.debit] = by_account.get(transfer.debit, 0) + transfer.minor
        by_account[transfer.credit] = by_account.get(transfer.credit, 0) - transfer.minor
    if entry.kind is TransactionKind.REFUND:
        return _figures(by_account, refund=True) | {"refunds": 1}
    return _figures(by_account, refund=False)


def _figures(moved: Mapping[Account, int], *, refund: bool) -> dict[str, int]:
    """Return the changes of a month's figures for these changes of accounts."""
    by_account = dict.fromkeys(Account, 0) | dict(moved)
    figures = {
        "owed_minor": by_account[Account.PLATFORM],
        "held_minor": by_account[Account.HELD],
        "in_transit_minor": by_account[Account.TRANSIT],
        "paid_out_minor": sum(by_account[account] for account in PAID_OUT),
        "transfer_fees_minor": by_account[Account.TRANSFER_FEE],
        "tips_minor": -by_account[Account.TIPS],
        "adjustments_minor": -by_account[Account.ADJUSTMENTS],
        "gross_minor": -by_account[Account.SESSIONS],
    }
    if refund:
        net = sum(by_account[account] for account in ASSETS)
        return figures | {"refunded_minor": by_account[Account.REFUNDS], "deducted_minor": -net}
    return figures | {"fee_minor": by_account[Account.FEE]}
