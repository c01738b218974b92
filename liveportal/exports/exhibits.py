"""The files of a session in a pack: which ones are packed, and why others are withheld."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from liveportal.domain.artifacts import NAMELESS, safe_name
from liveportal.domain.case import Case, CaseFile, CaseMessage
from liveportal.domain.frozen import frozen
from liveportal.exports.dossier import Exhibit
from liveportal.exports.pages import Page, Redact

TextReader = Callable[[bytes, str], str]
"""Returns the text that the program's transcript reader finds in a file with that name."""

_UNSAFE_CHARACTERS = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 80
SHOWS = {
    "transcript": "What was said, message by message.",
    "recording": "The session as it was recorded.",
    "code": "Code that was worked on.",
    "attachment": "A file of the session.",
}
TEXT_FIELDS = ("title", "description", "reason", "summary", "note", "text", "name")


def no_reader(_content: bytes, _name: str) -> str:
    """Return no text: the file is only searched as it is."""
    return ""


@frozen
class ExhibitRules:
    """How the files of a pack are chosen: page format, largest size in bytes, and redaction."""

    page: Page
    largest: int
    redact: Redact | None = None
    reads: TextReader = no_reader


@frozen
class ExhibitFile:
    """A file of the session with its exhibit; `redacted`, if given, is packed in its place."""

    kept: CaseFile
    exhibit: Exhibit
    redacted: bytes | None = None


def exhibit_files(case: Case, rules: ExhibitRules) -> list[ExhibitFile]:
    """Return the files of a case with their exhibits, in the order of their numbers."""
    return [_exhibit_file(number, artifact, rules) for number, artifact in enumerate(case.kept, 1)]


def prefix(number: int) -> str:
    """Return the beginning of the path in a pack of the file with this number."""
    return f"files/{number:02d}-"


def _exhibit_file(number: int, artifact: CaseFile, rules: ExhibitRules) -> ExhibitFile:
    redact, reasons = rules.redact, rules.page.reasons
    name = artifact.name if redact is None else redact(artifact.name)
    redacted = reason = None
    if artifact.path is None:
        reason = reasons.absent
    elif artifact.bytes > rules.largest:
        reason = reasons.too_large.format(largest=rules.largest)
    elif redact is not None:
        redacted = _redact_file(artifact, artifact.path, rules)
        if redacted is None:
            reason = reasons.unreadable
    exhibit = Exhibit(
        name=name,
        kind=artifact.kind,
        shows=SHOWS[artifact.kind],
        bytes=artifact.bytes,
        sha256=artifact.sha256,
        file=None if reason else f"{prefix(number)}{_archive_name(name)}",
        media_type=artifact.media_type,
        time=artifact.time,
        why=reason,
    )
    if redact is not None and not rules.page.guessable:
        exhibit = _without_hash(exhibit, artifact, redacted, rules)
    return ExhibitFile(artifact, exhibit, redacted)


def _archive_name(name: str) -> str:
    archive_name = _UNSAFE_CHARACTERS.sub("-", safe_name(name))[-_LONGEST_NAME:].strip("-.")
    return safe_name(archive_name or NAMELESS)  # The shortened name must be safe, too.


def _redact_file(artifact: CaseFile, path: Path, rules: ExhibitRules) -> bytes | None:
    """Return a file with other people blacked out; None for other files, and if names remain."""
    redact = rules.redact
    assert redact is not None  # noqa: S101 (called for redacted packs only)
    if not _is_text(artifact):
        return None
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        return None
    redacted = redact.document(text)
    if redacted is None or redact.finds_name(rules.reads(redacted.encode(), artifact.name)):
        return None
    return redacted.encode()


def _is_text(artifact: CaseFile) -> bool:
    return artifact.kind in ("transcript", "code") or (artifact.media_type or "").startswith(
        "text/"
    )


def _without_hash(
    exhibit: Exhibit, artifact: CaseFile, redacted: bytes | None, rules: ExhibitRules
) -> Exhibit:
    """Return an exhibit without the hash and size that a blacked out text could be guessed from.

    A packed file has the hash of its redacted content. Recordings and pictures keep their hash.
    """
    redact = rules.redact
    assert redact is not None  # noqa: S101 (called for redacted packs only)
    media_type = artifact.media_type
    if media_type and redact(media_type) != media_type:
        media_type = None
    exhibit = replace(exhibit, media_type=media_type)
    if redacted is not None:
        return replace(exhibit, bytes=len(redacted), sha256=sha256(redacted).hexdigest())
    if not (_is_text(artifact) or _reads_as_text(artifact, rules)):
        return exhibit
    reason = (exhibit.why or "").partition(";")[0]
    return replace(exhibit, sha256="", why=f"{reason}{rules.page.reasons.without_hash}")


def _reads_as_text(artifact: CaseFile, rules: ExhibitRules) -> bool:
    if artifact.path is None or artifact.kind == "recording":
        return False
    return bool(rules.reads(artifact.path.read_bytes(), artifact.name))


# --- redaction of the case ------------------------------------------------------------------------


def redact_case(case: Case, redact: Redact, *, guessable: bool) -> Case:
    """Return a case with other people blacked out of every text except the names of its files."""

    def redact_text(value: str | None) -> str | None:
        return None if value is None else redact(value)

    return replace(
        case,
        reason=redact_text(case.reason),
        summary=redact_text(case.summary),
        title=redact_text(case.title),
        customer=case.customer if guessable else redact(case.customer),
        customer_name=redact_text(case.customer_name),
        events=[
            replace(event, data=_redact_data(event.data, redact, guessable=guessable))
            for event in case.events
        ],
        messages=[
            CaseMessage(message.offset, redact_text(message.speaker), redact(message.text))
            for message in case.messages
        ],
    )


def _redact_data(data: Mapping[str, Any], redact: Redact, *, guessable: bool) -> dict[str, Any]:
    return {
        name: redact(value) if name in TEXT_FIELDS and isinstance(value, str) else value
        for name, value in data.items()
        # The size of a file reveals the length of a blacked out name.
        if guessable or name != "bytes"
    }
