"""Attachments in the ledger: recorded artifacts, their messages, and orphaned files.

Only a command attaches a file and puts it into the vault; a feed only reports files. In a journal
of an earlier version, a feed's event may look like a command's (see `attribution`); its file may
never have been in the vault.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from liveportal.domain.events.envelope import CLI_SOURCE
from liveportal.domain.events.types import ArtifactAdded
from liveportal.ledger.attachments import message_index
from liveportal.ledger.format.attribution import is_from_command
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.tables import insert

_RECORDED = """
    SELECT artifact.seq, artifact.kind, artifact.media_type, min(own.seq)
    FROM artifact
    LEFT JOIN statement AS own ON own.thing = 'session:' || artifact.session
        AND own.type = 'artifact.added' AND coalesce(own.confirms, own.seq) = artifact.seq
        AND own.source = ?
    WHERE artifact.session = ? AND artifact.sha256 = ?
    GROUP BY artifact.seq
    ORDER BY min(own.seq) IS NULL, artifact.seq
"""
# The join on event_personal leaves out erased customers: their files are gone.
_ATTACHED = """
    SELECT artifact.seq, artifact.session, artifact.kind, sha256, bytes, own.seq, body,
           event.id, event.recorded_at,
           EXISTS (SELECT 1 FROM message WHERE message.artifact = artifact.seq)
    FROM artifact
    JOIN statement AS own ON own.thing = 'session:' || artifact.session
        AND own.type = ? AND coalesce(own.confirms, own.seq) = artifact.seq AND own.source = ?
    JOIN event ON event.seq = own.seq
    JOIN event_personal ON event_personal.seq = own.seq
    ORDER BY artifact.seq
"""
# Every report of a file has its name as personal data, and an erased customer has none left.
_ORPHANED = """
    SELECT sha256 FROM artifact
    EXCEPT
    SELECT sha256 FROM artifact
    JOIN statement AS stated ON stated.thing = 'session:' || artifact.session
        AND stated.type = 'artifact.added' AND coalesce(stated.confirms, stated.seq) = artifact.seq
    JOIN event_personal ON event_personal.seq = stated.seq
"""


class RecordedArtifact(NamedTuple):
    """A recorded file: its artifact, and the seq of the event if a command attached it."""

    artifact: int
    kind: str
    media_type: str | None
    own_seq: int | None


class Attached(NamedTuple):
    """A file that an event of the expert's own source attached; `body` is its personal data."""

    artifact: int
    session: str
    kind: str
    sha256: str
    bytes: int
    seq: int
    body: str
    event: str
    recorded_at: str
    has_messages: int

    def __str__(self) -> str:
        return f"the file {self.sha256[:12]}… of session {self.session} (event {self.seq})"

    @property
    def name(self) -> str:
        """The name under which the file was attached."""
        return str(personal(self.body).get("name", ""))

    @property
    def is_certain(self) -> bool:
        """Whether a command certainly attached the file, so that the vault held it.

        That is the case if its messages were stored, or if its event is certainly a command's.
        """
        return bool(self.has_messages) or is_from_command(self.event, self.recorded_at, self.body)


def attached(db: Connection) -> list[Attached]:
    """Return the files that events of the expert's own source attached, in journal order."""
    rows = db.execute(_ATTACHED, (ArtifactAdded.TYPE, CLI_SOURCE)).fetchall()
    return [Attached(*row) for row in rows]


def recorded_artifact(db: Connection, session: str, sha256: str) -> RecordedArtifact | None:
    """Return the artifact recorded for a file of a session, preferably one from a command."""
    row = db.execute(_RECORDED, (CLI_SOURCE, session, sha256)).fetchone()
    return RecordedArtifact(*row) if row else None


def orphaned_hashes(db: Connection) -> list[str]:
    """Return the hashes of the files that belong only to erased customers."""
    return [sha256 for (sha256,) in db.execute(_ORPHANED).fetchall()]


def artifact_of(db: Connection, seq: int) -> int:
    """Return the artifact that an event reports: its own, or the one that it confirms."""
    cursor = db.execute("SELECT coalesce(confirms, seq) FROM statement WHERE seq = ?", (seq,))
    return int(cursor.fetchone()[0])


def is_erased(db: Connection, seq: int) -> bool:
    """Return True if the personal data of an event has been erased."""
    return db.execute("SELECT 1 FROM event_personal WHERE seq = ?", (seq,)).fetchone() is None


def keep_messages(
    db: Connection,
    artifact: int,
    messages: Sequence[tuple[int | None, str | None, str]],
    *,
    reader: int,
) -> None:
    """Store the messages of a transcript, as read by version `reader` of the transcript readers.

    They replace the messages that an earlier version read; an empty list changes nothing.
    """
    if not messages:
        return
    if db.execute("SELECT 1 FROM message WHERE artifact = ?", (artifact,)).fetchone():
        if reader_of(db, artifact) >= reader:
            return
        db.execute("DELETE FROM message WHERE artifact = ?", (artifact,))
        message_index.rebuild(db)
    rows = ((None, artifact, n, *message) for n, message in enumerate(messages, 1))
    db.executemany(insert("message"), rows)
    added = db.execute("SELECT id, text FROM message WHERE artifact = ? ORDER BY id", (artifact,))
    message_index.add(db, added.fetchall())
    db.execute("DELETE FROM transcript WHERE artifact = ?", (artifact,))
    db.execute(insert("transcript"), (artifact, reader))


def reader_of(db: Connection, artifact: int) -> int:
    """Return the version of the transcript readers that read an artifact's messages."""
    row = db.execute("SELECT reader FROM transcript WHERE artifact = ?", (artifact,)).fetchone()
    return int(row[0]) if row else 1
