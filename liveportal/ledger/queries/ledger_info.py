"""Information about the ledger: policies, preferences, extent and the journal's head."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from liveportal.domain.errors import UnknownEntity
from liveportal.domain.events.envelope import CLI_SOURCE, STATEMENT_PREFIX, Event
from liveportal.domain.events.fields import decode
from liveportal.domain.events.types import PreferencesChanged
from liveportal.domain.hint import Hint
from liveportal.domain.money import Money
from liveportal.domain.row import Row, columns, row
from liveportal.ledger.format.serialisation import stored_event
from liveportal.ledger.queries.reader import Reader, instant
from liveportal.ledger.storage import driver
from liveportal.ledger.storage.ledger_paths import read_header


@row
class PreferencesRow(Row):
    """The preferences as they were recorded; None for each that is not set.

    A structured one is a JSON document, of the platform's own form if a feed reported it.
    """

    verification: str | None
    role: str | None
    skills: list[str] | None
    languages: list[str] | None
    experience_years: int | None
    minimum_rate: Money | None
    direct_rate: Money | None
    timezone: str | None
    availability: Any
    buffers: Mapping[str, int] | None
    vacations: list[Mapping[str, str]] | None
    auto_decline: Any
    notifications: Any
    attachment_limit: int | None


@row
class LedgerInfo(Row):
    """The ledger's file, schema version (`form`), policy, extent and the journal's head (hex)."""

    path: str
    form: int
    journal_mode: str
    sqlite: str
    currency: str
    timezone: str
    own_timezone: str
    policy: str
    events: int
    transactions: int
    first_recorded: datetime | None
    last_recorded: datetime | None
    head: str | None
    bytes: int


def preferences(reader: Reader) -> PreferencesRow:
    """Return the preferences in force."""
    document = dict(reader.preferences)
    values = decode(PreferencesChanged, document) if document else PreferencesChanged()
    recorded = {name: document.get(name) for name in columns(PreferencesRow)}
    rates = {"minimum_rate": values.minimum_rate, "direct_rate": values.direct_rate}
    return PreferencesRow(**recorded | rates)


def preferences_before(
    reader: Reader, source: str, key: str | None
) -> tuple[int, Mapping[str, Any]]:
    """Return the seq of the event that set the preferences in force, and their document.

    If the event with this source and key is already recorded, return the preferences before it, so
    that a repeated command has the same meaning as the first time. (0, {}) if none were set.
    """
    before = reader.one(
        "SELECT seq, document FROM preferences WHERE seq < coalesce("
        "(SELECT seq FROM event WHERE source = ? AND id = ?), 9223372036854775807)"
        " ORDER BY seq DESC LIMIT 1",
        source,
        key,
    )
    return (before["seq"], json.loads(before["document"])) if before else (0, {})


def preferences_replaced(reader: Reader) -> int:
    """Return the seq of the preferences before those in force; 0 if there were none."""
    before = reader.one("SELECT seq FROM preferences ORDER BY seq DESC LIMIT 1 OFFSET 1")
    return before["seq"] if before else 0


def info(reader: Reader) -> LedgerInfo:
    """Return what the ledger holds, and how its file keeps it."""
    last = reader.one("SELECT seq, recorded_at, hash FROM event ORDER BY seq DESC LIMIT 1")
    first = reader.one("SELECT recorded_at FROM event ORDER BY seq LIMIT 1")
    entries = reader.one('SELECT coalesce(max(id), 0) AS n FROM "transaction"')
    return LedgerInfo(
        path=str(reader.path),
        form=_pragma(reader, "user_version"),
        journal_mode=_journal_mode(reader),
        sqlite=driver.SQLITE_VERSION,
        currency=reader.currency,
        timezone=reader.timezone,
        own_timezone=reader.own_timezone,
        policy=reader.policy.name,
        events=last["seq"] if last else 0,
        transactions=entries["n"] if entries else 0,
        first_recorded=instant(first["recorded_at"]) if first else None,
        last_recorded=instant(last["recorded_at"]) if last else None,
        head=last["hash"].hex() if last else None,
        bytes=reader.path.stat().st_size,
    )


def _journal_mode(reader: Reader) -> str:
    mode: str = _pragma(reader, "journal_mode")
    head = read_header(reader.path) if mode == "delete" else None
    # In a read-only folder the ledger is opened without its WAL, but the mode remains WAL.
    return "wal" if head and head.wal else mode


def _pragma(reader: Reader, name: str) -> Any:  # noqa: ANN401 -- A number or a word.
    return reader.db.execute(f"PRAGMA {name}").fetchone()[0]


def event_of(reader: Reader, source: str, event_id: str) -> Event:
    """Return a recorded event by its source and id; raises `UnknownEntity`."""
    stored = stored_event(reader.db, source, event_id)
    if stored is None:
        raise UnknownEntity(f"There is no event {event_id} from {source}.", id=event_id)
    return stored.event


def reversible(reader: Reader, name: str, source: str) -> tuple[str, str]:
    """Return the source and id of the event that `name` means.

    The id of an adjustment or a payout means the event that created it; for the last such
    event if it was reversed and recorded again. An event from a statement is found without its
    source, too, if no other statement has that id. Raises `UnknownEntity`.
    """
    event = reader.one("SELECT source, id FROM event WHERE source = ? AND id = ?", source, name)
    if event is None and source == CLI_SOURCE:
        shown = reader.all(
            "SELECT source, id FROM event WHERE id = ?2 AND source >= ?1 AND source < ?1 || '~'",
            STATEMENT_PREFIX,
            name,
        )
        event = shown[0] if len(shown) == 1 else None
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
            f"There is no event {name} from {source}.",
            hint=Hint(
                "{Payouts_and_sessions} show the ids of events. For an event of a feed,"
                " add {a_source}."
            ),
            id=name,
        )
    return event["source"], event["id"]
