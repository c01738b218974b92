"""The tables of a ledger, each declared once, and the SQL that writes and reads their rows.

An entity's table is declared with its class in `domain/entities.py`, the others here; the numbered
SQL in `migrations` makes the same tables, and says what the columns hold. The parameters of the
statements are the columns of the table in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from liveportal.domain import entities
from liveportal.domain.entities import Table, table_of


def _table(name: str, columns: str, *, key: int = 1, **references: str) -> Table:
    """Declare a table: its columns, the first `key` of which are the primary key.

    `references` are the tables that columns refer to.
    """
    types = dict(column.split(": ") for column in columns.split(", "))
    return Table(name, types, tuple(types)[:key], references)


_DECLARED = (
    _table(
        "event",
        "seq: int, source: str, id: str, type: str, time: str, recorded_at: str, facts: str, "
        "personal_digest: bytes, effects_digest: bytes, prev_hash: bytes, hash: bytes",
    ),
    _table("event_personal", "seq: int, salt: bytes, body: str", seq="event"),
    _table(
        "statement",
        "thing: str, type: str, seq: int, source: str, confirms: int | None",
        key=3,
        seq="event",
        confirms="event",
    ),
    _table("reversal", "seq: int, reversed_seq: int", seq="event", reversed_seq="event"),
    _table(
        "transaction",
        "id: int, seq: int, kind: str, time: str, period: str, session: str | None, "
        "claim: str | None, payout: str | None, adjustment: str | None",
        seq="event",
    ),
    _table(
        "transfer",
        "transaction: int, n: int, debit: str, credit: str, amount: int, period: str",
        key=2,
        transaction="transaction",
    ),
    table_of(entities.SessionCount),
    _table("month_flow", "period: str, debit: str, credit: str, amount: int, count: int", key=3),
    _table(
        "policy",
        "seq: int, name: str, currency: str, timezone: str, document: str",
        seq="event",
    ),
    _table("former_rules", "edition: int, until_seq: int"),
    table_of(entities.Customer),
    table_of(entities.Request),
    table_of(entities.Session),
    _table("session_alias", "alias: str, session: str", session="session"),
    table_of(entities.Claim),
    table_of(entities.DisputeFiling),
    table_of(entities.Adjustment),
    table_of(entities.Artifact),
    _table(
        "message",
        "id: int, artifact: int, n: int, offset_ms: int | None, speaker: str | None, text: str",
        artifact="artifact",
    ),
    _table("transcript", "artifact: int, reader: int", artifact="artifact"),
    table_of(entities.Review),
    table_of(entities.Item),
    table_of(entities.Payout),
    _table(
        "payout_line",
        "payout: str, item: int, amount_minor: int",
        key=2,
        payout="payout",
        item="item",
    ),
    _table("payout_alias", "alias: str, payout: str", payout="payout"),
    _table("preferences", "seq: int, document: str", seq="event"),
    _table("profile_field", "name: str"),
    _table(
        "sealed_value",
        "field: str, seq: int, key_id: str, nonce: bytes, body: bytes",
        seq="event",
    ),
    _table("profile_fact", "field: str, seq: int, value: str", seq="event"),
    _table("fingerprint_key", "key_id: str, sealed_by: str, nonce: bytes, body: bytes"),
    _table("identity_key", "key_id: str"),
    _table("missing_value", "field: str, seq: int", seq="event"),
    _table("missing_file", "artifact: int", artifact="artifact"),
)
TABLES = {table.name: table for table in _DECLARED}
"""All tables by name, in an order in which few refer to a later one."""


@cache
def insert(name: str) -> str:
    """Return the statement that adds a row to a table."""
    return insert_into(TABLES[name])


@cache
def select(name: str) -> str:
    """Return the statement that reads all columns of a table, without a WHERE clause."""
    return f'SELECT {quoted(TABLES[name].columns)} FROM "{name}"'  # noqa: S608 (names of our own)


@cache
def upsert(name: str) -> str:
    """Return the statement that adds a row, or replaces all but the key of the row with its key."""
    return upsert_into(TABLES[name])


@cache
def add_flow() -> str:
    """Return the statement that adds a flow to those of its month between the same accounts."""
    sums = ", ".join(
        f"{name} = month_flow.{name} + excluded.{name}" for name in ("amount", "count")
    )
    return f"{insert('month_flow')} ON CONFLICT (period, debit, credit) DO UPDATE SET {sums}"


def insert_into(table: Table) -> str:
    """Return the INSERT statement of a table."""
    values = ", ".join("?" for _ in table.columns)
    return f'INSERT INTO "{table.name}" ({quoted(table.columns)}) VALUES ({values})'  # noqa: S608


def upsert_into(table: Table) -> str:
    """Return the INSERT statement of a table that updates a row whose key is known."""
    rest = (name for name in table.columns if name not in table.key)
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in rest)
    return f"{insert_into(table)} ON CONFLICT ({quoted(table.key)}) DO UPDATE SET {changes}"


def quoted(names: Iterable[str]) -> str:
    """Return names as SQL: quoted, since some are words of SQL, and separated by commas."""
    return ", ".join(f'"{name}"' for name in names)
