"""The messages of attached transcripts, and the evidence of a session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from liveportal.domain.clock import from_text, shifted
from liveportal.domain.errors import UnknownEntity
from liveportal.domain.hint import Hint
from liveportal.domain.row import Row, row
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.queries.reader import Reader


@row
class MessageRow(Row):
    """A message of a transcript. Without an offset from the session's start it has no time."""

    at_seconds: timedelta | None
    speaker: str | None
    text: str
    time: datetime | None
    artifact: str | None


@row
class ArtifactRow(Row):
    """A file of a session's evidence; `stored` is whether the vault holds it now."""

    kind: str
    name: str | None
    sha256: str
    bytes: int
    media_type: str | None
    stored: bool
    messages: int


_MESSAGES = """
    SELECT message.artifact, message.offset_ms, message.speaker, message.text,
           coalesce(session.start, session.planned_start) AS began, named.body AS named_body
    FROM message
    JOIN artifact ON artifact.seq = message.artifact
    JOIN session ON session.id = artifact.session
    LEFT JOIN event_personal AS named ON named.seq = artifact.seq
    WHERE artifact.session = ?
    ORDER BY message.artifact, message.n
"""
_ARTIFACTS = """
    SELECT artifact.seq, kind, sha256, bytes, media_type, body,
           (SELECT count(*) FROM message WHERE message.artifact = artifact.seq) AS messages
    FROM artifact LEFT JOIN event_personal USING (seq)
"""


def session_start(reader: Reader, artifact: int) -> datetime:
    """Return the start (UTC) of an artifact's session, or its planned start."""
    row = reader.one(
        "SELECT coalesce(session.start, session.planned_start) AS began FROM artifact"
        " JOIN session ON session.id = artifact.session WHERE artifact.seq = ?",
        artifact,
    )
    if not row or row["began"] is None:
        raise ValueError("a session has a start, or a plan")
    return from_text(row["began"])


# --- artifacts ------------------------------------------------------------------------------------


def artifacts(reader: Reader, session_id: str) -> list[ArtifactRow]:
    """Return the evidence of a session, in the order in which it was recorded.

    `stored` does not depend on the reader's `as_of`.
    """
    rows = reader.all(f"{_ARTIFACTS} WHERE session = ? ORDER BY seq", session_id)
    return _artifacts(reader, rows)


def artifact(reader: Reader, seq: int) -> ArtifactRow:
    """Return the artifact that event `seq` recorded."""
    (row,) = _artifacts(reader, reader.all(f"{_ARTIFACTS} WHERE artifact.seq = ?", seq))
    return row


def _artifacts(reader: Reader, rows: Sequence[dict[str, Any]]) -> list[ArtifactRow]:
    from liveportal.ledger.attachments.vault import Vault  # No list needs it.

    vault = Vault(reader.path)
    return [
        ArtifactRow(
            kind=row["kind"],
            name=personal(row["body"]).get("name"),
            sha256=row["sha256"],
            bytes=row["bytes"],
            media_type=row["media_type"],
            stored=vault.holds(row["sha256"]),
            messages=row["messages"],
        )
        for row in rows
    ]


def find_artifact(reader: Reader, session_id: str, text: str) -> ArtifactRow:
    """Return the evidence of a session that `text` names: by its name, or by its number from 1.

    Raises `UnknownEntity`.
    """
    evidence = artifacts(reader, session_id)
    for item in evidence:
        if item.name == text:
            return item
    if text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= len(evidence):
        return evidence[int(text[:9]) - 1]
    hint = Hint("{The_session} lists the evidence.", session=session_id)
    if evidence:
        hint = Hint(
            "{The_session} lists its {count} files; {number_1} opens the first.",
            session=session_id,
            count=len(evidence),
        )
    raise UnknownEntity(
        f"Session {session_id} has no evidence {text}.", hint=hint, kind="artifact", id=text
    )


# --- messages -------------------------------------------------------------------------------------


def messages(reader: Reader, session_id: str) -> list[MessageRow]:
    """Return the messages of a session, transcript by transcript, in their order."""
    return [
        MessageRow(
            at_seconds=(offset := message_offset(row["offset_ms"])),
            speaker=row["speaker"],
            text=row["text"],
            time=message_time(row["began"], offset),
            artifact=personal(row["named_body"]).get("name"),
        )
        for row in reader.all(_MESSAGES, session_id)
    ]


def message_offset(milliseconds: int | None) -> timedelta | None:
    """Return the offset of a message from the start of its session; None stays None."""
    return None if milliseconds is None else timedelta(milliseconds=milliseconds)


def message_time(began: str, offset: timedelta | None) -> datetime | None:
    """Return when (UTC) a message was said in a session that began then; None if it is unknown."""
    return None if offset is None else shifted(from_text(began), offset)
