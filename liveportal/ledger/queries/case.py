"""The case of a claim: the session, its events with their hashes, the messages and the files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from liveportal.domain.case import Case, CaseEvent, CaseFile, CaseMessage
from liveportal.domain.events.envelope import CLI_SOURCE
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.format.row_mapping import SESSION
from liveportal.ledger.queries.claims import claim as find_claim
from liveportal.ledger.queries.history import history
from liveportal.ledger.queries.reader import Reader, instant
from liveportal.ledger.storage import connection

_MESSAGES = """
    SELECT offset_ms, speaker, text, artifact
    FROM message JOIN artifact ON artifact.seq = message.artifact
    WHERE session = ? ORDER BY offset_ms IS NULL, offset_ms, artifact, n
"""
_FILES = """
    SELECT artifact.seq, artifact.kind, artifact.bytes, artifact.sha256, artifact.media_type,
        event.time, body,
        EXISTS (
            SELECT 1 FROM artifact AS same JOIN statement AS own
                ON own.thing = 'session:' || same.session AND own.type = 'artifact.added'
                AND coalesce(own.confirms, own.seq) = same.seq
            WHERE same.session = artifact.session AND same.sha256 = artifact.sha256
                AND own.source = ?
        ) AS attached
    FROM artifact JOIN event USING (seq) LEFT JOIN event_personal USING (seq)
    WHERE session = ? ORDER BY event.time, seq
"""


def case(reader: Reader, claim_id: str, now: datetime) -> Case:
    """Return the complete case of a claim, as of `now`."""
    claim = find_claim(reader, claim_id, now)
    row = reader.db.execute(f"{SESSION.select} WHERE id = ?", (claim.session,)).fetchone()
    session = SESSION.read(row, reader.currency)
    (last,) = reader.all("SELECT max(seq) AS seq FROM event")
    return Case(
        claim=claim_id,
        state=claim.state,
        amount=claim.amount,
        cost=claim.cost,
        reason=claim.reason,
        late=claim.late,
        summary=claim.summary,
        title=claim.title,
        customer=session.customer,
        customer_name=claim.customer_name,
        session=session,
        policy=reader.policy_at(session.policy),
        zone=reader.timezone,
        events=_events(reader, claim_id, session.id, session.request),
        messages=[_message(row) for row in reader.all(_MESSAGES, session.id)],
        kept=_files(reader, session.id),
        head=_hashes(reader, [last["seq"]])[last["seq"]],
        journal_length=last["seq"],
    )


def _events(
    reader: Reader, claim_id: str, session_id: str, request_id: str | None
) -> list[CaseEvent]:
    entities = [f"claim:{claim_id}", f"session:{session_id}"]
    if request_id:
        entities.append(f"request:{request_id}")
    events = history(reader, *entities)
    hashes = _hashes(reader, [event.seq for event in events])
    reversed_ = {row["reversed_seq"] for row in reader.all("SELECT reversed_seq FROM reversal")}
    speakers: dict[int, list[str]] = {}
    for event in events:
        if event.seq not in reversed_:
            speakers.setdefault(event.confirms or event.seq, []).append(event.speaker)
    return [
        CaseEvent(
            seq=event.seq,
            time=event.time,
            kind=event.type,
            data=event.data,
            source=event.source,
            id=event.event,
            hash=hashes[event.seq],
            tells=event.seq not in reversed_ and (not event.confirms or _reports_bill(event.data)),
            reported_by=tuple(dict.fromkeys(speakers.get(event.seq, ()))),
        )
        for event in events
    ]


def _reports_bill(data: Mapping[str, Any]) -> bool:
    """Return True if a confirming event reports the bill, which the first event may lack."""
    return "billed" in data


def _hashes(reader: Reader, seqs: Sequence[int]) -> dict[int, str]:
    """Return the events' hashes from the ledger itself: a replayed copy has different ones."""
    if reader.as_of is not None:
        with closing(connection.open_file(reader.path, readonly=True)) as db:
            return _hashes(Reader(db, reader.path), seqs)
    rows = reader.all(
        "SELECT seq, hash FROM event WHERE seq IN (SELECT value FROM json_each(?))",
        json.dumps(seqs),
    )
    return {row["seq"]: row["hash"].hex() for row in rows}


def _message(row: dict[str, Any]) -> CaseMessage:
    offset = None if row["offset_ms"] is None else timedelta(milliseconds=row["offset_ms"])
    return CaseMessage(offset, row["speaker"], row["text"], row["artifact"])


def _files(reader: Reader, session_id: str) -> list[CaseFile]:
    vault = Vault(reader.path)
    return [
        CaseFile(
            name=personal(row["body"]).get("name") or row["kind"],
            kind=row["kind"],
            bytes=row["bytes"],
            sha256=row["sha256"],
            media_type=row["media_type"],
            time=instant(row["time"]),
            path=vault.path(row["sha256"]) if vault.holds(row["sha256"]) else None,
            attached=bool(row["attached"]),
            seq=row["seq"],
        )
        for row in reader.all(_FILES, CLI_SOURCE, session_id)
    ]
