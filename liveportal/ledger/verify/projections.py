"""The derived tables against a rebuild of them, and the views against the pure fold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from liveportal.domain.calculations.months import MonthlyTotals
from liveportal.ledger.queries import earnings
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.replay.memory import MemoryBook
from liveportal.ledger.replay.replay import ReplayResult
from liveportal.ledger.replay.replay_journal import RuleDrift
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.verify.chain import failed

KEYS = {
    "statement": 3,
    "reversal": 1,
    "policy": 1,
    "customer": 1,
    "request": 1,
    "session": 1,
    "session_alias": 1,
    "claim": 1,
    "dispute": 1,
    "adjustment": 1,
    "artifact": 1,
    "review": 2,
    "item": 1,
    "payout": 1,
    "payout_line": 2,
    "preferences": 1,
    "profile_field": 1,
}
"""The tables that are derived by rules, and how many of their first columns are the key."""

DERIVED = ("transaction", "transfer", "month_flow", "session_count", *KEYS)
"""All tables that follow from the journal."""

_BY_SEQ = {
    "statement": 2,
    "reversal": 0,
    "policy": 0,
    "preferences": 0,
    "dispute": 0,
    "artifact": 0,
}
"""Tables whose rows are an event's, and the column that says which one's."""

_TOLD_ONCE = {
    "customer": (0, "customer"),
    "review": (0, "session"),
    "session_alias": (1, "session"),
}
"""Tables whose rows no booking changes: the column and the kind of the thing they belong to."""

_THINGS = ("request", "session", "claim", "adjustment", "payout")


def check_flows(db: Connection) -> None:
    """Check that what is kept of each month's flows is what its transfers add up to."""
    kept = set(db.execute("SELECT period, debit, credit, amount, count FROM month_flow"))
    flows = set(
        db.execute(
            "SELECT period, debit, credit, sum(amount), count(*) FROM transfer"
            " GROUP BY period, debit, credit"
        )
    )
    for period, debit, credit, *_ in sorted(kept ^ flows):
        raise failed(f"the sums of {period} from {credit} to {debit} are not its transfers'")


def check_views(db: Connection, fold: MonthlyTotals) -> None:
    """Check that the views show, of every month, what plain Python makes of the transactions."""
    reader = Reader(db, Path())
    claims, disputes = (db.execute(f"SELECT period FROM {each}") for each in ("claim", "dispute"))  # noqa: S608
    folded = fold.months((period for (period,) in claims), (each for (each,) in disputes))
    zone, currency = reader.timezone, reader.currency
    shown = {row["month"]: row for row in earnings.months(reader)}
    for month in folded:
        row = month.row(zone, currency)
        seen: Mapping[str, object] = shown.pop(month.month, {})
        if row != seen:
            names = ", ".join(name for name in row if row[name] != seen.get(name))
            raise failed(
                f"the views show {month.month} otherwise than its transactions add up: {names}",
                month=month.month,
            )
    for name in shown:
        raise failed(f"the views show a month {name} in which nothing happened", month=name)


def check_derived(db: Connection, played: ReplayResult) -> list[RuleDrift]:
    """Compare every derived table with the rebuild's.

    Returns what differs of the things that today's rules judged otherwise; anything else that
    differs is a failure.
    """
    found: list[RuleDrift] = []
    excused = ExpectedDifferences(db, played) if played.changes else None
    for table, width in KEYS.items():
        for ours, theirs in _differing(db, played.book, table, width):
            row = ours or theirs or ()
            cause = excused.cause(table, row) if excused else None
            name = " ".join(str(each) for each in row[:width])
            if cause is None:
                raise failed(_otherwise(db, table, name, ours, theirs), table=table)
            what = f"{table} {name} would stand otherwise today"
            found.append(RuleDrift(cause, _type(db, cause), what))
    return found


def _type(db: Connection, seq: int) -> str:
    (kind,) = db.execute("SELECT type FROM event WHERE seq = ?", (seq,)).fetchone()
    return str(kind)


def _otherwise(
    db: Connection, table: str, name: str, ours: tuple[Any, ...], theirs: tuple[Any, ...]
) -> str:
    """Say what is wrong with a row: it should be there, should not, or is another."""
    if not ours:
        return f"{table} {name} is missing"
    if not theirs:
        return f"{table} {name} is in no event"
    names = [row[1] for row in db.execute(f'PRAGMA table_info("{table}")')]
    fields = [name for name, mine, other in zip(names, ours, theirs, strict=True) if mine != other]
    return f"{table} {name} is not what the journal says: {', '.join(fields)}"


Pair = tuple[tuple[Any, ...], tuple[Any, ...]]


def _differing(db: Connection, book: MemoryBook, table: str, width: int) -> Iterator[Pair]:
    """Yield the rows of a table that differ, by key; () for one that is not there."""
    statement = f'SELECT * FROM "{table}"'  # noqa: S608
    if not book.has_exactly(table, db.execute(statement)):
        yield from _merged(db.execute(statement), book.rows(table), width)


def _merged(
    ours: Iterable[tuple[Any, ...]], theirs: Iterable[tuple[Any, ...]], width: int
) -> Iterator[Pair]:
    mine = {row[:width]: row for row in ours}
    other = {row[:width]: row for row in theirs}
    for key in sorted(mine.keys() | other.keys()):
        pair = mine.get(key, ()), other.get(key, ())
        if pair[0] != pair[1]:
            yield pair


class ExpectedDifferences:
    """Which rows may stand otherwise, since an event that they depend on is judged otherwise."""

    def __init__(self, db: Connection, played: ReplayResult) -> None:
        self._touched = played.touched
        self._entries = dict(db.execute('SELECT id, seq FROM "transaction"'))
        self._items = {
            item
            for lines in (
                db.execute("SELECT payout, item, amount_minor FROM payout_line"),
                played.book.rows("payout_line"),
            )
            for payout, item, _ in lines
            if payout in self._touched.payouts
        }
        claims = {*db.execute("SELECT id, session FROM claim")}
        claims |= {row[:2] for row in played.book.rows("claim")}
        for claim, session in claims:
            names = {f"claim:{claim}", f"session:{session}"}
            if (cause := self._touched.cause(names)) is not None:
                self._touched.by(cause, cause, names)

    def cause(self, table: str, row: tuple[Any, ...]) -> int | None:
        """Return the event by which a row may differ, or None."""
        touched, first = self._touched, min(self._touched.seqs)
        if table in _THINGS:
            return touched.cause({f"{table}:{row[0]}"})
        if table in _BY_SEQ:
            return touched.seqs.get(row[_BY_SEQ[table]])
        if table in _TOLD_ONCE:
            column, kind = _TOLD_ONCE[table]
            return touched.lost.get(f"{kind}:{row[column]}")
        if table == "payout_line":
            return first if row[0] in touched.payouts else None
        if table == "item" and row[0] not in self._items:
            return touched.seqs.get(self._entries.get(row[0], 0))
        return first if table == "item" else touched.profile
