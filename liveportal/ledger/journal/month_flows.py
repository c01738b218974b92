"""The sums of what was booked: by month and pair of accounts, the turnover and the balance owed."""

from __future__ import annotations

from collections.abc import Iterable

from liveportal.domain.accounts import Account, Transaction
from liveportal.domain.errors import AmountTooLarge
from liveportal.domain.money import LARGEST_MINOR
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.tables import add_flow

_SUMS = """
    SELECT coalesce(sum(amount), 0),
           coalesce(sum(amount * ((debit = ?1) - (credit = ?1))), 0)
    FROM month_flow
"""


class MonthFlows:
    """The flows between accounts by month; `owed_minor` is what the platform owes, minor units."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._flows: dict[tuple[str, Account, Account], list[int]] = {}
        self._turnover_minor: int
        self.owed_minor: int
        self._turnover_minor, self.owed_minor = db.execute(
            _SUMS, (str(Account.PLATFORM),)
        ).fetchone()

    def check_turnover(self, transactions: Iterable[Transaction]) -> None:
        """Raise `AmountTooLarge` if the turnover would exceed the largest amount (rulebook 9)."""
        moved_minor = sum(
            [move.minor for transaction in transactions for move in transaction.transfers]
        )
        if self._turnover_minor + moved_minor > LARGEST_MINOR:
            raise AmountTooLarge(
                "The turnover of the books would exceed the largest amount that they can hold.",
                hint=f"The largest turnover is {LARGEST_MINOR} minor units.",
            )

    def add(self, transaction: Transaction) -> None:
        """Add the transfers of a transaction."""
        for move in transaction.transfers:
            flow = self._flows.setdefault((transaction.period, move.debit, move.credit), [0, 0])
            flow[0] += move.minor
            flow[1] += 1
            self._turnover_minor += move.minor
        self.owed_minor += transaction.effect_on(Account.PLATFORM)

    def flush(self) -> None:
        """Write the flows that were added."""
        if not self._flows:
            return
        rows = [
            (period, str(debit), str(credit), minor, count)
            for (period, debit, credit), (minor, count) in self._flows.items()
        ]
        self._db.executemany(add_flow(), rows)
        self._flows.clear()
