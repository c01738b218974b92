"""The rows of a reconciliation: the files, and what they say of the payouts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from liveportal.domain.hint import Hint
from liveportal.domain.money import Money
from liveportal.domain.row import Row, row

MORE_THAN_OWED = "more_than_owed"
"""The code at the beginning of the note about unknown money that the books cannot hold."""


@row
class ProofRow(Row):
    """A proof of a file: `proved` of `rows` are right."""

    proof: str
    rows: int
    proved: int


@row
class StatementFileRow(Row):
    """A file that was read, with its proofs, and its rows by what each of them is.

    `unrecognised_types` are words of the provider that are not known, `unproved` are sentences that
    say what the file does not prove; `first` and `last` are the days of its rows.
    """

    file: str
    format: str
    rows: int
    account: str | None
    proofs: list[ProofRow]
    rows_by_kind: Mapping[str, int]
    unrecognised_types: list[str]
    unproved: list[str]
    ignored_columns: int
    first: date | None
    last: date | None


@row
class FindingRow(Row):
    """What the files say about a payout, or about money that no payout explains.

    `date` is the day of the row, else of the sending; `days` how long a payout is missing.
    `debited` is what left the account again. `recordable` is True if it is certain and new.
    """

    finding: str
    payout: str | None
    file: str | None
    line: int | None
    row: str | None
    time: datetime | None
    amount: Money
    fee: Money | None
    received: Money | None
    received_currency: str | None
    currency: str
    payer: str | None
    candidates: list[str]
    note: Hint | None
    date: date
    days: int | None
    debited: Money | None
    recordable: bool


@row
class ReconciledRow(Row):
    """What statements say about the payouts, and how many events were recorded.

    `recorded_before` are the payouts with an arrival in the files that was recorded earlier.
    """

    files: list[StatementFileRow]
    findings: list[FindingRow]
    applied: bool
    recorded: int
    replayed: int
    currency: str
    recorded_before: list[str]
