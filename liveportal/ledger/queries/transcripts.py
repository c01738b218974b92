"""What was said in sessions: the messages of attached transcripts, and other evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from liveportal.domain.clock import from_text, shifted
from liveportal.domain.errors import UnknownThing
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.queries.reader import Reader, Row

MESSAGE_FIELDS = ("at_seconds", "speaker", "text", "time", "artifact")
ARTIFACT_FIELDS = ("kind", "name", "sha256", "bytes", "media_type", "stored", "messages")

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


def began(reader: Reader, artifact: int) -> datetime:
    """Return when the session of an artifact began, or is planned to."""
    found = reader.one(
        "SELECT coalesce(session.start, session.planned_start) AS began FROM artifact"
        " JOIN session ON session.id = artifact.session WHERE artifact.seq = ?",
        artifact,
    )
    if not found or found["began"] is None:
        raise ValueError("a session has a start, or a plan")
    return from_text(found["began"])


# --- artifacts ------------------------------------------------------------------------------------


def artifacts(reader: Reader, session_id: str) -> list[dict[str, Any]]:
    """Return the evidence of a session, in the order in which it was told of.

    `stored` is whether the file is in the vault now, whatever was known when.
    """
    found = reader.all(f"{_ARTIFACTS} WHERE session = ? ORDER BY seq", session_id)
    return _artifacts(reader, found)


def artifact(reader: Reader, seq: int) -> Row:
    """Return one piece of evidence."""
    (row,) = _artifacts(reader, reader.all(f"{_ARTIFACTS} WHERE artifact.seq = ?", seq))
    return row


def _artifacts(reader: Reader, found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    vault = Vault(reader.path)
    return [
        {
            "kind": row["kind"],
            "name": personal(row["body"]).get("name"),
            "sha256": row["sha256"],
            "bytes": row["bytes"],
            "media_type": row["media_type"],
            "stored": vault.holds(row["sha256"]),
            "messages": row["messages"],
        }
        for row in found
    ]


def named(reader: Reader, session_id: str, text: str) -> dict[str, Any]:
    """Return the evidence of a session that a text names: by its name, or its number from 1.

    Raises `UnknownThing`.
    """
    found = artifacts(reader, session_id)
    for each in found:
        if each["name"] == text:
            return each
    if text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= len(found):
        return found[int(text[:9]) - 1]
    hint = "`liveportal sessions show` lists what there is."
    if found:
        hint = f"There are {len(found)}: --open 1 opens the first."
    raise UnknownThing(
        f"session {session_id} has no evidence {text}", hint=hint, kind="artifact", id=text
    )


# --- messages -------------------------------------------------------------------------------------


def messages(reader: Reader, session_id: str) -> list[Row]:
    """Return what was said in a session, transcript by transcript, in the order of each."""
    return [
        {**when(row), "speaker": row["speaker"], "text": row["text"], "artifact": _name(row)}
        for row in reader.all(_MESSAGES, session_id)
    ]


def when(row: dict[str, Any]) -> Row:
    """Return when a message was said, of its offset and when its session began."""
    if row["offset_ms"] is None:
        return {"at_seconds": None, "time": None}
    offset = timedelta(milliseconds=row["offset_ms"])
    return {"at_seconds": offset, "time": shifted(from_text(row["began"]), offset)}


def _name(row: dict[str, Any]) -> str | None:
    name = personal(row["named_body"]).get("name")
    return str(name) if name is not None else None
