"""What `ledger import` could not bring: values of the payout profile, and attached files.

No event holds them, so no export does. They are written down beside the journal, in two tables, and
an entry goes when the value is entered again or the file is attached again. Whatever else is not
there is damage, and `verify` says so (`deposited`).
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
from liveportal.ledger.storage.schema.sql import INSERT

# What commands set and cleared: only they have values to seal.
_CHANGES = """
    SELECT mark.key, recorded.seq, mark.type <> 'null', event.id, recorded_at, body
    FROM statement AS recorded
    JOIN event ON event.seq = recorded.seq
    LEFT JOIN event_personal ON event_personal.seq = event.seq,
        json_each(facts, '$.fingerprints') AS mark
    WHERE recorded.thing = 'book' AND recorded.type = ? AND recorded.source = ?
    ORDER BY recorded.seq
"""
_ROWS = """
    SELECT field, seq FROM sealed_value UNION ALL SELECT field, seq FROM profile_fact
    ORDER BY field
"""


@dataclass(slots=True)
class Setting:
    """How a field of the payout profile was set: by which events, one of which its value is of.

    `is_certain` tells that there must be a value. A journal of an earlier version may hold lines of
    a feed that look like a command's; those set and clear nothing for certain (`attribution`).
    """

    seqs: tuple[int, ...] = ()
    is_certain: bool = False


def settings(db: Connection) -> dict[str, Setting]:
    """Return how each field of the payout profile was set last."""
    found: dict[str, Setting] = {}
    for field, seq, is_set, event_id, recorded_at, body in _changes(db):
        setting = found.setdefault(field, Setting())
        if is_from_command(event_id, recorded_at, body):
            setting.seqs, setting.is_certain = (seq,) if is_set else (), is_set
        elif is_set:
            setting.seqs = (*setting.seqs, seq)
        else:
            setting.is_certain = False
    return found


def _changes(db: Connection) -> list[tuple[str, int, bool, str, str, str | None]]:
    rows = db.execute(_CHANGES, (PayoutProfileChanged.TYPE, CLI_SOURCE)).fetchall()
    return [(field, seq, bool(is_set), *by) for field, seq, is_set, *by in rows if field in FIELDS]


def rows(db: Connection) -> dict[str, int]:
    """Return the fields of the payout profile that have a value, each with its event."""
    return dict(db.execute(_ROWS).fetchall())


def noted_values(db: Connection) -> dict[str, int]:
    """Return the fields whose values an import could not bring, each with its event."""
    found = dict(db.execute("SELECT field, seq FROM missing_value").fetchall())
    return {field: found[field] for field in (*FIELDS, *found) if field in found}


def noted_files(db: Connection) -> frozenset[int]:
    """Return the artifacts whose files an import could not bring."""
    return frozenset(seq for (seq,) in db.execute("SELECT artifact FROM missing_file").fetchall())


def note(db: Connection, vault: Vault, *, since: int) -> bool:
    """Write down what the events from `since` on need and the ledger does not have.

    Return True if an older value was dropped: of a field that these events set or cleared, the
    value in force is another one. Inside the transaction of the import.
    """
    changed = {field: (seq, is_set) for field, seq, is_set, *_ in _changes(db) if seq >= since}
    stale = [(each,) for each in rows(db) if DERIVED_FROM.get(each, each) in changed]
    db.executemany("DELETE FROM sealed_value WHERE field = ?", stale)
    db.executemany("DELETE FROM profile_fact WHERE field = ?", stale)
    entered(db, changed)
    absent = [(field, seq) for field, (seq, is_set) in changed.items() if is_set]
    db.executemany(INSERT["missing_value"], absent)
    gone = {
        (each.artifact,)
        for each in index.attached(db)
        if each.seq >= since and (_is_unread(each) or not vault.holds(each.sha256))
    }
    db.executemany(f"{INSERT['missing_file']} ON CONFLICT DO NOTHING", sorted(gone))
    return bool(stale)


def _is_unread(each: index.Attached) -> bool:
    """Return True for a transcript of which no message was kept, though its file may be here."""
    return each.kind == "transcript" and not each.has_messages


def entered(db: Connection, fields: Iterable[str]) -> None:
    """Remove the entries of fields that are set again, or cleared."""
    db.executemany("DELETE FROM missing_value WHERE field = ?", [(each,) for each in fields])


def attached(db: Connection, artifact: int) -> None:
    """Remove the entry of a file that is attached again."""
    db.execute("DELETE FROM missing_file WHERE artifact = ?", (artifact,))
