"""Note what `ledger import` could not bring: values of the payout profile, and attached files.

No event holds them, so no export does. They are noted in two tables, and a note is removed when the
value is entered or the file attached again. Anything else that is missing is damage, which
`ledger verify` reports (`verify.attachments`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from liveportal.domain.events.envelope import CLI_SOURCE
from liveportal.domain.events.types import PayoutProfileChanged
from liveportal.domain.profile.fields import DERIVED_FROM, FIELDS
from liveportal.ledger.attachments import index
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.format.attribution import is_from_command
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.tables import insert

# The fields that commands set and cleared: only commands have values to seal.
_CHANGES = """
    SELECT mark.key, recorded.seq, mark.type <> 'null', event.id, recorded_at, body
    FROM statement AS recorded
    JOIN event ON event.seq = recorded.seq
    LEFT JOIN event_personal ON event_personal.seq = event.seq,
        json_each(facts, '$.fingerprints') AS mark
    WHERE recorded.thing = 'book' AND recorded.type = ? AND recorded.source = ?
    ORDER BY recorded.seq
"""
_STORED_VALUES = """
    SELECT field, seq FROM sealed_value UNION ALL SELECT field, seq FROM profile_fact
    ORDER BY field
"""


@dataclass(slots=True)
class Setting:
    """How a field of the payout profile was set: its value belongs to one of the events `seqs`.

    `is_certain` is True if there must be a value. A journal of an earlier version may hold events
    of a feed that look like a command's; it is uncertain whether those set or cleared anything
    (`attribution`).
    """

    seqs: tuple[int, ...] = ()
    is_certain: bool = False


def settings(db: Connection) -> dict[str, Setting]:
    """Return the last setting of each field of the payout profile."""
    by_field: dict[str, Setting] = {}
    for field, seq, is_set, event_id, recorded_at, body in _changes(db):
        setting = by_field.setdefault(field, Setting())
        if is_from_command(event_id, recorded_at, body):
            setting.seqs, setting.is_certain = (seq,) if is_set else (), is_set
        elif is_set:
            setting.seqs = (*setting.seqs, seq)
        else:
            setting.is_certain = False
    return by_field


def _changes(db: Connection) -> list[tuple[str, int, bool, str, str, str | None]]:
    rows = db.execute(_CHANGES, (PayoutProfileChanged.TYPE, CLI_SOURCE)).fetchall()
    return [(field, seq, bool(is_set), *by) for field, seq, is_set, *by in rows if field in FIELDS]


def rows(db: Connection) -> dict[str, int]:
    """Return the fields of the payout profile that have a value, each with its event's `seq`."""
    return dict(db.execute(_STORED_VALUES).fetchall())


def noted_values(db: Connection) -> dict[str, int]:
    """Return the fields whose values an import could not bring, each with its event's `seq`."""
    seqs = dict(db.execute("SELECT field, seq FROM missing_value").fetchall())
    return {field: seqs[field] for field in (*FIELDS, *seqs) if field in seqs}


def noted_files(db: Connection) -> frozenset[int]:
    """Return the `seq`s of the artifacts whose files an import could not bring."""
    return frozenset(seq for (seq,) in db.execute("SELECT artifact FROM missing_file").fetchall())


def lacking(db: Connection) -> list[index.Attached]:
    """Return the files that an import could not bring, as they were attached."""
    noted = noted_files(db)
    return [file for file in index.attached(db) if file.artifact in noted]


def note(db: Connection, vault: Vault, *, since: int) -> bool:
    """Note the values and files that the events from `since` on need and the ledger does not have.

    Values of fields that these events set or cleared are out of date, and are deleted; return True
    if there were any. Runs inside the transaction of the import.
    """
    changed = {field: (seq, is_set) for field, seq, is_set, *_ in _changes(db) if seq >= since}
    stale = [(field,) for field in rows(db) if DERIVED_FROM.get(field, field) in changed]
    db.executemany("DELETE FROM sealed_value WHERE field = ?", stale)
    db.executemany("DELETE FROM profile_fact WHERE field = ?", stale)
    entered(db, changed)
    absent = [(field, seq) for field, (seq, is_set) in changed.items() if is_set]
    db.executemany(insert("missing_value"), absent)
    missing_files = {
        (file.artifact,)
        for file in index.attached(db)
        if file.seq >= since and (_lacks_messages(file) or not vault.holds(file.sha256))
    }
    db.executemany(f"{insert('missing_file')} ON CONFLICT DO NOTHING", sorted(missing_files))
    return bool(stale)


def _lacks_messages(file: index.Attached) -> bool:
    """Return True for a transcript without stored messages, though its file may be in the vault."""
    return file.kind == "transcript" and not file.has_messages


def entered(db: Connection, fields: Iterable[str]) -> None:
    """Remove the notes of fields that are entered again, or cleared."""
    db.executemany("DELETE FROM missing_value WHERE field = ?", [(field,) for field in fields])


def attached(db: Connection, artifact: int) -> None:
    """Remove the note of a file that is attached again."""
    db.execute("DELETE FROM missing_file WHERE artifact = ?", (artifact,))
