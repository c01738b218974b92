"""Verify the derived tables by a replay of the journal, compared by `EXCEPT` both ways."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnClause, Select, Table, select, sql
from sqlalchemy.dialects.sqlite import dialect

from liveportal.ledger.journal.rule_drift import RuleDrift
from liveportal.ledger.replay.replay import ReplayResult
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.models import LedgerRow
from liveportal.ledger.verify.chain import failed

COMPARED = (
    *("statement", "reversal", "policy", "customer", "request", "session", "session_alias"),
    *("claim", "dispute", "adjustment", "artifact", "review", "item", "payout", "payout_line"),
    *("payout_alias", "preferences", "profile_field"),
)
"""The tables that are derived by rules, in the order in which they are compared."""

DERIVED = ("transaction", "transfer", "month_flow", "session_count", *COMPARED)
"""All tables that follow from the journal."""

Row = tuple[Any, ...]

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
    "payout_alias": (1, "payout"),
}
"""Tables whose rows no booking changes: the column and the kind of the thing they belong to."""

_THINGS = ("request", "session", "claim", "adjustment", "payout")


def check_derived(db: Connection, played: ReplayResult) -> list[RuleDrift]:
    """Compare every derived table with the rebuild's.

    Returns what differs of the things that today's rules judged otherwise; anything else that
    differs is a failure.
    """
    found: list[RuleDrift] = []
    excused = ExpectedDifferences(db, played) if played.changes else None
    for name in COMPARED:
        table = LedgerRow.metadata.tables[name]
        for ours, theirs in _differing(db, played.schema, table):
            row = ours or theirs
            cause = excused.cause(name, row) if excused else None
            if cause is None:
                raise failed(_describe(table, ours, theirs), table=name)
            what = f"Under today's rules, {name} {_key_text(table, row)} would be different."
            found.append(RuleDrift(cause, _type(db, cause), what))
    return found


def _type(db: Connection, seq: int) -> str:
    (kind,) = db.execute("SELECT type FROM event WHERE seq = ?", (seq,)).fetchone()
    return str(kind)


def _describe(table: Table, ours: Row, theirs: Row) -> str:
    """Say what is wrong with a row: it should be there, should not, or is another."""
    name = f"{table.name} {_key_text(table, ours or theirs)}"
    if not ours:
        return f"{name} is missing"
    if not theirs:
        return f"{name} comes from no event"
    names = table.columns.keys()
    fields = [name for name, mine, other in zip(names, ours, theirs, strict=True) if mine != other]
    return f"{name} differs from the journal in {' and '.join(fields)}"


def _key_text(table: Table, row: Row) -> str:
    return " ".join(str(value) for value in row[: len(table.primary_key)])


def _differing(db: Connection, schema: str, table: Table) -> Iterator[tuple[Row, Row]]:
    """Yield the rows that differ between the ledger and its replay, by key; () for no such row.

    Ordered by the key, both sides are read as they are stored, and memory use is constant.
    """
    width = len(table.primary_key)
    mine = ((row[:width], 0, row) for row in db.execute(_except(table, "main", schema)))
    other = ((row[:width], 1, row) for row in db.execute(_except(table, schema, "main")))
    for _, rows in groupby(merge(mine, other), key=itemgetter(0)):
        by_side = {side: row for _, side, row in rows}
        yield by_side.get(0, ()), by_side.get(1, ())


def _rows_of(table: Table, schema: str) -> Select[Any]:
    return select(sql.table(table.name, *map(sql.column, table.columns.keys()), schema=schema))


@cache
def _except(table: Table, schema: str, other: str) -> str:
    """Return the query for the rows that are in the first schema only."""
    key: list[ColumnClause[Any]] = [sql.column(column.name) for column in table.primary_key]
    rows = _rows_of(table, schema).except_(_rows_of(table, other))
    return str(rows.order_by(*key).compile(dialect=dialect()))


class ExpectedDifferences:
    """Which rows may differ, because today an event that they depend on is judged differently."""

    def __init__(self, db: Connection, played: ReplayResult) -> None:
        self._affected = played.affected
        self._db = db
        schemas = ("main", played.schema)
        self._items = {
            item
            for schema in schemas
            for payout, item in db.execute(f"SELECT payout, item FROM {schema}.payout_line")  # noqa: S608
            if payout in self._affected.payouts
        }
        claims = " UNION ".join(f"SELECT id, session FROM {schema}.claim" for schema in schemas)  # noqa: S608
        for claim, session in db.execute(claims):
            names = {f"claim:{claim}", f"session:{session}"}
            if (cause := self._affected.cause(names)) is not None:
                self._affected.by(cause, cause, names)

    def cause(self, table: str, row: tuple[Any, ...]) -> int | None:
        """Return the event by which a row may differ, or None."""
        affected, first = self._affected, min(self._affected.seqs)
        if table in _THINGS:
            return affected.cause({f"{table}:{row[0]}"})
        if table in _BY_SEQ:
            return affected.seqs.get(row[_BY_SEQ[table]])
        if table in _TOLD_ONCE:
            column, kind = _TOLD_ONCE[table]
            return affected.lost.get(f"{kind}:{row[column]}")
        if table == "payout_line":
            return first if row[0] in affected.payouts else None
        if table == "item" and row[0] not in self._items:
            query = 'SELECT seq FROM "transaction" WHERE id = ?'
            (seq,) = self._db.execute(query, row[:1]).fetchone() or (0,)
            return affected.seqs.get(seq)
        return first if table == "item" else affected.profile
