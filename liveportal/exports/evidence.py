"""The content of an evidence pack: the dossier, the transcript and the session's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

from liveportal.domain.case import Case, CaseMessage
from liveportal.domain.clock import short_text
from liveportal.domain.text import clean
from liveportal.exports.exhibits import ExhibitFile, ExhibitRules, exhibit_files, redact_case
from liveportal.exports.pack import PackEntry
from liveportal.exports.pages import FIRST, Page

LARGEST_FILE = 100_000_000
"""In bytes; a larger file is not packed, but listed with its hash."""


def manifest_fields(case: Case, rules: ExhibitRules) -> dict[str, Any]:
    """Return the manifest's own fields: the claim, and its events and the head of the journal."""
    redact = rules.redact
    facts: dict[str, Any] = {
        "claim": case.claim,
        "session": case.session.id,
        "redacted": redact is not None,
        "ledger": {"events": case.journal_length, "head": case.head},
        "events": [
            {
                "seq": event.seq,
                "source": event.source,
                "id": event.id,
                "type": event.kind,
                "time": short_text(event.time),
                "hash": event.hash,
            }
            for event in case.events
        ],
    }
    if rules.page.number == FIRST:
        return facts
    if redact is not None:
        for event in facts["events"]:
            event |= {name: redact(event[name]) for name in ("source", "id")}
    return facts | {"page": rules.page.number, "largest": rules.largest}


def has_manifest_fields(manifest: Mapping[str, Any]) -> bool:
    """Return True if a manifest has these fields: a forged one may hold anything."""
    match manifest:
        case {
            "claim": str(),
            "session": str(),
            "redacted": bool(),
            "ledger": {"events": int(last), "head": str()},
            "events": list(events),
        }:
            largest = manifest.get("largest", LARGEST_FILE)
            has_valid_limit = isinstance(largest, int) and _is_sequence_number(largest + 1)
            return (
                has_valid_limit
                and _is_sequence_number(last)
                and _is_sequence_number(manifest.get("page", FIRST))
                and all(
                    isinstance(event, Mapping)
                    and isinstance(event.get("hash"), str)
                    and _is_sequence_number(event.get("seq"))
                    for event in events
                )
            )
    return False


def _is_sequence_number(number: object) -> bool:
    return isinstance(number, int) and 0 < number < 2**63  # The largest id of SQLite.


def pack_entries(case: Case, rules: ExhibitRules) -> list[PackEntry]:
    """Return the files of a pack. A redacted pack has other people blacked out of every text.

    Files that cannot be redacted are withheld. Reads each packed text once, and no other file.
    """
    redact, page = rules.redact, rules.page
    shown_case = redact_case(case, redact, guessable=page.guessable) if redact else case
    files = exhibit_files(case, rules)
    unredacted: dict[str, bytes] = {}
    if redact and page.guessable:
        unredacted = texts(case, exhibit_files(case, ExhibitRules(page, rules.largest)), page)
    entries = []
    for name, content in texts(shown_case, files, page).items():
        original = sha256(unredacted[name]).hexdigest() if name in unredacted else None
        entries.append(PackEntry(name, content, *TEXT_FILES[name], original))
    return entries + [_file_entry(file, page) for file in files if file.exhibit.file is not None]


UNKNOWN_TYPE = "application/octet-stream"
TRANSCRIPT = "transcript.txt"
TEXT_FILES = {
    "index.html": ("What happened, in order of time, with the bill and all files.", "text/html"),
    "index.md": ("The same as text.", "text/markdown"),
    TRANSCRIPT: ("What was said, from all transcripts.", "text/plain"),
}
PAGE_FILES = ("index.html", "index.md")


def texts(case: Case, files: Sequence[ExhibitFile], page: Page) -> dict[str, bytes]:
    """Return the texts that are written for the pack, by file name."""
    pages = dict(page.write(case, [file.exhibit for file in files]))
    if case.messages:
        pages[TRANSCRIPT] = "".join(map(_message_line, case.messages))
    return {name: text.encode() for name, text in pages.items()}


def _message_line(message: CaseMessage) -> str:
    seconds = None if message.offset is None else message.offset // timedelta(seconds=1)
    stamp = "" if seconds is None else f"[{seconds // 60}:{seconds % 60:02d}] "
    speaker = f"{clean(message.speaker)}: " if message.speaker else ""
    return f"{stamp}{speaker}{clean(message.text)}\n"


def _file_entry(file: ExhibitFile, page: Page) -> PackEntry:
    artifact, exhibit = file.kept, file.exhibit
    media_type = exhibit.media_type or UNKNOWN_TYPE
    assert exhibit.file is not None  # noqa: S101 (the caller skips withheld files)
    assert artifact.path is not None  # noqa: S101 (missing files are withheld)
    if file.redacted is None:
        return PackEntry(exhibit.file, artifact.path, exhibit.shows, media_type)
    original = artifact.sha256 if page.guessable else None
    return PackEntry(exhibit.file, file.redacted, exhibit.shows, media_type, original)
