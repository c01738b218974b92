"""What was said in sessions: the messages of attached transcripts, and searching them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from liveportal.domain.clock import from_text, shifted
from liveportal.domain.errors import UnknownThing
from liveportal.domain.patterns import pattern
from liveportal.ledger.reader import Reader, Row, personal
from liveportal.ledger.vault import Vault
from liveportal.ledger.windows import people

MESSAGE_FIELDS = ("at_seconds", "speaker", "text", "time", "artifact")
SEARCH_FIELDS = (
    *("session", "artifact", "customer", "customer_name", "at_seconds", "time", "speaker"),
    *("snippet", "text"),
)
ARTIFACT_FIELDS = ("kind", "name", "sha256", "bytes", "media_type", "stored", "messages")

HIT = ("\x02", "\x03")
"""What stands around a hit in a snippet; no message holds these characters."""

SNIPPET_WORDS = 24

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TERM = pattern(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*+)"?|(?P<word>[^\s"*]++))(?P<star>\*?)')
_BREAKING = pattern("[\x00\ud800-\udfff]")  # SQLite's end of text, and what UTF-8 cannot hold.

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
_SEARCH = """
    SELECT artifact.session, session.customer, message.offset_ms, message.speaker, message.text,
           coalesce(session.start, session.planned_start) AS began,
           named.body AS named_body, described.body AS described_body,
           snippet(message_index, 0, ?, ?, '…', ?) AS snippet
    FROM message_index
    JOIN message ON message.id = message_index.rowid
    JOIN artifact ON artifact.seq = message.artifact
    JOIN session ON session.id = artifact.session
    JOIN customer ON customer.id = session.customer
    LEFT JOIN event_personal AS named ON named.seq = artifact.seq
    LEFT JOIN event_personal AS described ON described.seq = customer.described_seq
"""
# When a message was said, to the millisecond; where only its session is known, when that began.
_SAID_MS = """
    strftime('%s', coalesce(session.start, session.planned_start)) * 1000
    + substr(coalesce(session.start, session.planned_start), 21, 3) + coalesce(offset_ms, 0)
"""
_ORDER = " ORDER BY message_index.rank, began, message.artifact, message.n LIMIT ?"
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
        {**_when(row), "speaker": row["speaker"], "text": row["text"], "artifact": _name(row)}
        for row in reader.all(_MESSAGES, session_id)
    ]


class Where(NamedTuple):
    """Which messages are searched: a customer's, a session's, a speaker's, those from then on."""

    customer: str | None = None
    session: str | None = None
    speaker: str | None = None
    since: datetime | None = None


def search(reader: Reader, match: str, where: Where, limit: int | None = None) -> list[Row]:
    """Return the messages that an expression of `matching` finds, the best first."""
    conditions = ["message_index MATCH ?"]
    values: list[object] = [_expression(match, where.speaker)]
    for column, value in (("session.customer", where.customer), ("session.id", where.session)):
        if value is not None:
            conditions.append(f"{column} = ?")
            values.append(value)
    if where.since is not None:
        conditions.append(f"{_SAID_MS} >= ?")
        values.append(_milliseconds(where.since))
    found = reader.all(
        f"{_SEARCH} WHERE {' AND '.join(conditions)}{_ORDER}",
        *HIT,
        SNIPPET_WORDS,
        *values,
        -1 if limit is None else limit,
    )
    latest = {row["customer"]: row["described_body"] for row in found}
    told = people.customers(reader, latest)
    return [
        {
            "session": row["session"],
            "artifact": _name(row),
            "customer": row["customer"],
            "customer_name": told[row["customer"]].get("name"),
            **_when(row),
            "speaker": row["speaker"],
            "snippet": row["snippet"],
            "text": row["text"],
        }
        for row in found
    ]


def _when(row: dict[str, Any]) -> Row:
    if row["offset_ms"] is None:
        return {"at_seconds": None, "time": None}
    offset = timedelta(milliseconds=row["offset_ms"])
    return {"at_seconds": offset, "time": shifted(from_text(row["began"]), offset)}


def _name(row: dict[str, Any]) -> str | None:
    name = personal(row["named_body"]).get("name")
    return str(name) if name is not None else None


def _milliseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(milliseconds=1)


# --- what people type -----------------------------------------------------------------------------


def matching(words: Sequence[str]) -> str | None:
    """Return an expression for `search` from words as people type them; None if there are none.

    An argument with blanks in it is a phrase, as is what stands in quotes; `-word` leaves out,
    `mali*` is a beginning. Everything is quoted: to the index it is text, whatever it looks like.
    """
    wanted: dict[str, None] = {}
    unwanted: dict[str, None] = {}
    for argument in words:
        for minus, text, star in _terms(argument):
            # What has no letter or digit is in no index, and would make all of it match nothing.
            if any(each.isalnum() for each in text):
                quoted = f'"{_BREAKING.sub(" ", text)}"'  # No quote is left in it.
                (unwanted if minus else wanted)[f"{quoted} *" if star else quoted] = None
    if not wanted:
        return None
    expression = f"({' AND '.join(wanted)})"
    return f"({expression} NOT ({' OR '.join(unwanted)}))" if unwanted else expression


def _terms(argument: str) -> list[tuple[str, str, str]]:
    """Return the terms of an argument: a minus or not, the text, a star or not."""
    argument = argument.strip()
    if '"' not in argument and len(argument.split()) > 1:  # The shell took the quotes.
        bare = argument.removeprefix("-")
        star = "*" if bare.endswith("*") else ""
        argument = f'{argument[: -len(bare)]}"{bare}"{star}'
    return [
        (match["minus"], match["phrase"] or match["word"] or "", match["star"])
        for match in _TERM.finditer(argument)
    ]


def _expression(match: str, speaker: str | None) -> str:
    if speaker is None:
        return f"text : {match}"
    quoted = _BREAKING.sub(" ", speaker).replace('"', '""')
    return f'(text : {match}) AND (speaker : "{quoted}")'
