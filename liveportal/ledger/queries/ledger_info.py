"""Information about the ledger: policies, preferences, extent and the journal's head."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from liveportal.domain.errors import UnknownEntity
from liveportal.domain.events.fields import decode, field_specs
from liveportal.domain.events.types import PreferencesChanged
from liveportal.domain.hint import Hint
from liveportal.ledger.queries.reader import Reader, Row, instant
from liveportal.ledger.storage import connection, driver

PREFERENCE_FIELDS = tuple(name for name, *_ in field_specs(PreferencesChanged))
INFO_FIELDS = (
    *("path", "form", "journal_mode", "sqlite", "currency", "timezone", "own_timezone", "policy"),
    *("events", "transactions", "first_recorded", "last_recorded", "head", "bytes"),
)


def preferences(reader: Reader) -> Row:
    """Return the preferences in force; None for each that is not set."""
    document = dict(reader.preferences)
    values = decode(PreferencesChanged, document) if document else PreferencesChanged()
    row: Row = {name: document.get(name) for name in PREFERENCE_FIELDS}
    return row | {"minimum_rate": values.minimum_rate, "direct_rate": values.direct_rate}


def preferences_before(
    reader: Reader, source: str, key: str | None
) -> tuple[int, Mapping[str, Any]]:
    """Return the seq of the event that set the preferences in force, and their document.

    If the event with this source and key is already recorded, return the preferences before it, so
    that a repeated command has the same meaning as the first time. (0, {}) if none were set.
    """
    row = reader.one(
        "SELECT seq, document FROM preferences WHERE seq < coalesce("
        "(SELECT seq FROM event WHERE source = ? AND id = ?), 9223372036854775807)"
        " ORDER BY seq DESC LIMIT 1",
        source,
        key,
    )
    return (row["seq"], json.loads(row["document"])) if row else (0, {})


def preferences_replaced(reader: Reader) -> int:
    """Return the seq of the preferences before those in force; 0 if there were none."""
    row = reader.one("SELECT seq FROM preferences ORDER BY seq DESC LIMIT 1 OFFSET 1")
    return row["seq"] if row else 0


def policies(reader: Reader) -> list[Row]:
    """Return the policies that the book adopted, in journal order."""
    rows = reader.all(
        "SELECT policy.seq, name, currency, timezone, event.time, document"
        " FROM policy JOIN event USING (seq) ORDER BY seq"
    )
    return [
        {
            "seq": row["seq"],
            "name": row["name"],
            "adopted_at": instant(row["time"]),
            "document": json.loads(row["document"]),
        }
        for row in rows
    ]


def info(reader: Reader) -> Row:
    """Return the ledger's file, schema version, policy, extent and the journal's head (hex)."""
    last = reader.one("SELECT seq, recorded_at, hash FROM event ORDER BY seq DESC LIMIT 1")
    first = reader.one("SELECT recorded_at FROM event ORDER BY seq LIMIT 1")
    entries = reader.one('SELECT coalesce(max(id), 0) AS n FROM "transaction"')
    return {
        "path": str(reader.path),
        "form": _pragma(reader, "user_version"),
        "journal_mode": _journal_mode(reader),
        "sqlite": driver.SQLITE_VERSION,
        "currency": reader.currency,
        "timezone": reader.timezone,
        "own_timezone": reader.own_timezone,
        "policy": reader.policy.name,
        "events": last["seq"] if last else 0,
        "transactions": entries["n"] if entries else 0,
        "first_recorded": instant(first["recorded_at"]) if first else None,
        "last_recorded": instant(last["recorded_at"]) if last else None,
        "head": last["hash"].hex() if last else None,
        "bytes": reader.path.stat().st_size,
    }


def _journal_mode(reader: Reader) -> object:
    mode = _pragma(reader, "journal_mode")
    head = connection.read_header(reader.path) if mode == "delete" else None
    # In a read-only folder the ledger is opened without its WAL, but the mode remains WAL.
    return "wal" if head and head.wal else mode


def _pragma(reader: Reader, name: str) -> object:
    return reader.db.execute(f"PRAGMA {name}").fetchone()[0]


def reversible(reader: Reader, name: str, source: str) -> tuple[str, str]:
    """Return the source and id of the event that `name` stands for.

    The id of an adjustment or a payout stands for the event that created it; for the last such
    event if it was reversed and recorded again. Raises `UnknownEntity`.
    """
    event = reader.one("SELECT source, id FROM event WHERE source = ? AND id = ?", source, name)
    for kind, event_type in (("adjustment", "adjustment.posted"), ("payout", "payout.sent")):
        event = event or reader.one(
            "SELECT event.source, event.id FROM statement JOIN event USING (seq)"
            " WHERE thing = ? AND statement.type = ? AND confirms IS NULL"
            " ORDER BY seq DESC LIMIT 1",
            f"{kind}:{name}",
            event_type,
        )
    if event is None:
        raise UnknownEntity(
            f"there is no event {name} of {source}",
            hint=Hint("{Payouts_and_sessions} name events; {a_source} names a feed's own."),
            id=name,
        )
    return event["source"], event["id"]
