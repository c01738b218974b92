"""Attach a file to a session: store it in the vault, record the event, read its messages."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from pathlib import Path

from liveportal.domain.artifacts import guessed_kind
from liveportal.domain.errors import Conflict
from liveportal.domain.events.envelope import CLI_SOURCE, Event, EventData
from liveportal.domain.events.fields import field_specs
from liveportal.domain.events.types import ArtifactAdded
from liveportal.domain.frozen import replace
from liveportal.feeds import transcripts
from liveportal.ledger import missing
from liveportal.ledger.attachments import index
from liveportal.ledger.attachments.vault import LIMIT_BYTES, StagedFile, Vault
from liveportal.ledger.format.serialisation import event_at, stored_event
from liveportal.ledger.journal.deduplication import subject_of
from liveportal.ledger.journal.journal import Allow, Journal, Outcome
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.queries import transcripts as transcript_queries
from liveportal.ledger.queries.reader import Reader

MakeEvent = Callable[[ArtifactAdded, set[str]], Event]
"""Makes the event of its data, and of the names of the fields that were not given."""


def attach(  # noqa: PLR0913 (keyword-only options)
    file: LedgerFile,
    session: str,
    source: Path,
    make_event: MakeEvent,
    *,
    kind: str | None,
    name: str | None,
    allow: Allow,
    progress: Callable[[int], None],
    read_back: Callable[[Reader, Outcome], object],
) -> Outcome:
    """See `Portal.attach`."""
    file.check_writable()
    given = {
        "session": session,
        "kind": guessed_kind(source.name) if kind is None else kind,
        "name": source.name if name is None else name,
    }
    for field, field_type, *_ in field_specs(ArtifactAdded):
        if field in given:  # Checked before the file is read, which may take long.
            field_type.check(field, given[field])
    limit = file.reader().preferences.get("attachment_limit") or LIMIT_BYTES
    vault, db = Vault(file.path), file.db
    with (
        vault.taking(source, limit=int(limit), keep=file.keep, progress=progress) as staged,
        file.writing() as journal,
    ):
        added = ArtifactAdded(
            **given,
            sha256=staged.sha256,
            bytes=staged.bytes,
            media_type=mimetypes.guess_type(source.name)[0],
        )
        assumed = {"media_type", *_omitted(kind=kind, name=name)}
        outcome = _record(file, journal, added, assumed, make_event, allow)
        journal.flush()
        artifact = index.artifact_of(db, outcome.seq)
        # Recording it again must not restore erased data.
        if not index.is_erased(db, outcome.seq):
            flags = _read_messages(file, artifact, outcome.event.data, staged)
            missing.attached(db, artifact)
            outcome = outcome._replace(flags=(*outcome.flags, *flags))
            if file.keep:
                vault.place(staged)
        with file.as_after(outcome) as reader:
            read_back(reader, outcome)
    return outcome


def _omitted(**given: str | None) -> list[str]:
    return [name for name, value in given.items() if value is None]


def _record(  # noqa: PLR0913, PLR0917 (what `attach` found out)
    file: LedgerFile,
    journal: Journal,
    added: ArtifactAdded,
    assumed: set[str],
    make_event: MakeEvent,
    allow: Allow,
) -> Outcome:
    """Record that a file is attached; if it was attached before, return that as a replay."""
    recorded = index.recorded_artifact(file.db, added.session, added.sha256)
    if recorded:
        kind = recorded.kind if "kind" in assumed else added.kind
        added = replace(added, kind=kind, media_type=recorded.media_type)
    event = make_event(added, assumed)
    if recorded and added.kind != recorded.kind:
        raise Conflict(
            subject_of(added), ["kind"], hint=f"The file is already recorded as {recorded.kind}."
        )
    if recorded and recorded.own_seq and not stored_event(file.db, CLI_SOURCE, event.id):
        return Outcome("replayed", recorded.own_seq, event_at(file.db, recorded.own_seq).event)
    return journal.record(event, allow=allow)


def _read_messages(
    file: LedgerFile, artifact: int, data: EventData, staged: StagedFile
) -> tuple[str, ...]:
    """Store the messages of a transcript, and return the flags of the transcript."""
    if not isinstance(data, ArtifactAdded) or data.kind != "transcript":
        return ()
    reader = file.reader()
    began, zone = transcript_queries.session_start(reader, artifact), reader.own_timezone
    transcript = transcripts.read(staged.stream, data.name, began=began, timezone=zone)
    rows = [(message.offset_ms, message.speaker, message.text) for message in transcript.messages]
    index.keep_messages(file.db, artifact, rows, reader=transcript.reader)
    return transcript.flags
