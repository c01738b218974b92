"""Verify the sums: the flows against the transfers, and the views against the pure fold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from liveportal.domain.accounts import Account, TransactionKind
from liveportal.domain.calculations.months import COUNTED, MonthlyTotals
from liveportal.ledger.format.journal_entries import JournalEntry
from liveportal.ledger.queries import earnings
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.verify.chain import failed


class BookedSums:
    """What events booked, added up from their rows by month and accounts, in minor units."""

    def __init__(self) -> None:
        self._moved: dict[tuple[str, bool, str, str, str], list[int]] = defaultdict(lambda: [0, 0])
        """Amount and number of transfers, by the transaction's month, whether it is a refund, and
        the transfer's month, debit and credit account."""
        self._refunds: dict[str, int] = defaultdict(int)
        self._counted: dict[str, list[int]] = defaultdict(lambda: [0] * len(COUNTED))

    def adding(self, events: Iterable[JournalEntry]) -> Iterator[JournalEntry]:
        """Yield the events, and add what they booked."""
        for event in events:
            for number, _, kind, _, period, *_ in event.entries:
                refund = kind == TransactionKind.REFUND
                if refund:  # A refund counts even if it moves no money.
                    self._refunds[period] += 1
                for transaction, _, debit, credit, minor, month in event.transfers:
                    if transaction == number:
                        moved = self._moved[period, refund, month, debit, credit]
                        moved[0] += minor
                        moved[1] += 1
            for _, _, _, _, _, period, _, _, *figures, _ in event.counts:
                counted = self._counted[period]
                for place, figure in enumerate(figures):
                    counted[place] += figure
            yield event

    def flows(self) -> dict[tuple[str, str, str], list[int]]:
        """Return the amount and the number of transfers, by month, debit and credit account."""
        flows: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
        for (_, _, period, debit, credit), (minor, count) in self._moved.items():
            sums = flows[period, debit, credit]
            sums[0] += minor
            sums[1] += count
        return flows

    def totals(self) -> MonthlyTotals:
        """Return the totals of the months, without claims and disputes."""
        totals = MonthlyTotals()
        for (period, refund, _, debit, credit), (minor, _) in self._moved.items():
            totals.move(period, _account(debit), _account(credit), minor, refund=refund)
        for period, refunds in self._refunds.items():
            totals.add(period, {"refunds": refunds})
        for period, figures in self._counted.items():
            totals.add(period, dict(zip(COUNTED, figures, strict=True)))
        return totals


def _account(name: str) -> Account:
    try:
        return Account(name)
    except ValueError:
        raise failed(f"a transfer names an unknown account, {name}") from None


def check_flows(db: Connection, sums: BookedSums) -> None:
    """Check that what is kept of each month's flows is what its transfers add up to."""
    kept = set(db.execute("SELECT period, debit, credit, amount, count FROM month_flow"))
    flows = {(*flow, *moved) for flow, moved in sums.flows().items()}
    for period, debit, credit, *_ in sorted(kept ^ flows):
        raise failed(f"the sums of {period} from {credit} to {debit} differ from the transfers")


def check_views(db: Connection, sums: BookedSums) -> None:
    """Check that the views show, of every month, what plain Python makes of the transactions."""
    reader = Reader(db, Path())
    claims, disputes = (db.execute(f"SELECT period FROM {each}") for each in ("claim", "dispute"))  # noqa: S608
    folded = sums.totals().months((period for (period,) in claims), (each for (each,) in disputes))
    zone, currency = reader.timezone, reader.currency
    shown = {row["month"]: row for row in earnings.months(reader)}
    for month in folded:
        row = month.row(zone, currency)
        viewed = shown.pop(month.month, None)
        if row != viewed:
            names = ", ".join(name for name in row if viewed is None or row[name] != viewed[name])
            raise failed(
                f"the views of {month.month} differ from its transactions in {names}",
                month=month.month,
            )
    for name in shown:
        raise failed(f"the views show {name}, a month in which nothing happened", month=name)
