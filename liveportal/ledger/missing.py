"""What `ledger import` could not bring: values of the payout profile, and attached files.

No event holds them, so no export does. They are written down beside the journal, in two tables, and
an entry goes when the value is entered again or the file is attached again. Whatever else is not
there is damage, and `verify` says so (`deposited`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from liveportal.domain.envelope import CLI_SOURCE
from liveportal.domain.events import ArtifactAdded, PayoutProfileChanged
from liveportal.domain.profile import DERIVED_FROM, FIELDS
from liveportal.ledger.driver import Connection
from liveportal.ledger.reader import personal
from liveportal.ledger.statements import INSERT
from liveportal.ledger.vault import Vault

# The last event of a command that set or cleared a field: only commands have values to seal. With
# max() SQLite takes the other columns from the row that has it.
_PROFILE = """
    SELECT mark.key, max(recorded.seq), mark.type
    FROM statement AS recorded
    JOIN event ON event.seq = recorded.seq, json_each(facts, '$.fingerprints') AS mark
    WHERE recorded.thing = 'book' AND recorded.type = ? AND recorded.source = ?
    GROUP BY mark.key
"""
_ROWS = """
    SELECT field, seq FROM sealed_value UNION ALL SELECT field, seq FROM profile_fact
    ORDER BY field
"""
# Only a command attaches a file; a feed may name files that never were here. The files of a
# forgotten customer are gone, and so are their names.
ATTACHED = f"""
    FROM artifact
    JOIN statement AS own ON own.thing = 'session:' || artifact.session
        AND own.type = '{ArtifactAdded.TYPE}'
        AND coalesce(own.confirms, own.seq) = artifact.seq AND own.source = '{CLI_SOURCE}'
    JOIN event_personal ON event_personal.seq = own.seq
"""

# A transcript in the vault of which no message was kept is to be read again, too.
_NEW_FILES = f"""
    SELECT DISTINCT artifact.seq, sha256, artifact.kind = 'transcript'
        AND NOT EXISTS (SELECT 1 FROM message WHERE message.artifact = artifact.seq)
    {ATTACHED} WHERE own.seq >= ?
"""  # noqa: S608 (no part of it is from outside)


@dataclass(frozen=True, slots=True)
class MissingFile:
    """A file that an import could not bring: what it is of, and what it is called."""

    session: str
    name: str
    kind: str
    sha256: str


def set_by(db: Connection) -> dict[str, int]:
    """Return the fields of the payout profile that must have a value, each with its event.

    That is the last event of a command that set the field; a field cleared since has none.
    """
    return {field: seq for field, (seq, is_set) in _last_changes(db).items() if is_set}


def _last_changes(db: Connection) -> dict[str, tuple[int, bool]]:
    found = db.execute(_PROFILE, (PayoutProfileChanged.TYPE, CLI_SOURCE)).fetchall()
    return {field: (seq, kind != "null") for field, seq, kind in found if field in FIELDS}


def rows(db: Connection) -> dict[str, int]:
    """Return the fields of the payout profile that have a value, each with its event."""
    return dict(db.execute(_ROWS).fetchall())


def noted_values(db: Connection) -> dict[str, int]:
    """Return the fields whose values an import could not bring, each with its event."""
    found = dict(db.execute("SELECT field, seq FROM missing_value").fetchall())
    return {field: found[field] for field in (*FIELDS, *found) if field in found}


def noted_files(db: Connection) -> tuple[MissingFile, ...]:
    """Return the files that an import could not bring, in the order of their events."""
    found = db.execute(
        f"SELECT artifact.session, body, artifact.kind, sha256 {ATTACHED}"
        " JOIN missing_file ON missing_file.artifact = artifact.seq"
        " GROUP BY artifact.seq ORDER BY artifact.seq"
    ).fetchall()
    return tuple(
        MissingFile(session, str(personal(body).get("name", "")), kind, sha256)
        for session, body, kind, sha256 in found
    )


def note(db: Connection, vault: Vault, *, since: int) -> bool:
    """Write down what the events from `since` on need and the ledger does not have.

    Return True if an older value was dropped: of a field that these events set or cleared, the
    value in force is another one. Inside the transaction of the import.
    """
    changed = {field: last for field, last in _last_changes(db).items() if last[0] >= since}
    stale = [(each,) for each in rows(db) if DERIVED_FROM.get(each, each) in changed]
    db.executemany("DELETE FROM sealed_value WHERE field = ?", stale)
    db.executemany("DELETE FROM profile_fact WHERE field = ?", stale)
    db.executemany("DELETE FROM missing_value WHERE field = ?", [(each,) for each in changed])
    absent = [(field, seq) for field, (seq, is_set) in changed.items() if is_set]
    db.executemany(INSERT["missing_value"], absent)
    files = db.execute(_NEW_FILES, (since,)).fetchall()
    gone = [(seq,) for seq, sha256, is_unread in files if is_unread or not vault.holds(sha256)]
    db.executemany(f"{INSERT['missing_file']} ON CONFLICT DO NOTHING", gone)
    return bool(stale)


def entered(db: Connection, fields: Iterable[str]) -> None:
    """Remove the entries of fields that are set again, or cleared."""
    db.executemany("DELETE FROM missing_value WHERE field = ?", [(each,) for each in fields])


def attached(db: Connection, artifact: int) -> None:
    """Remove the entry of a file that is attached again."""
    db.execute("DELETE FROM missing_file WHERE artifact = ?", (artifact,))
