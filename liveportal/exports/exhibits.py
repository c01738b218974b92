"""The files of a session in a pack: which are packed, as what, and why others are withheld."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from liveportal.domain.artifacts import NAMELESS, safe_name
from liveportal.domain.case import Case, Kept, Said
from liveportal.exports.dossier import Exhibit
from liveportal.exports.pages import Page, Redact

Reads = Callable[[bytes, str], str]
"""What the program's own reader of transcripts finds in a file of that name."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 80
SHOWS = {
    "transcript": "What was said, message by message.",
    "recording": "The session as it was recorded.",
    "code": "Code that was worked on.",
    "attachment": "A file of the session.",
}
_GUESSABLE = "; its hash is withheld, too, since a short text could be guessed from it"
_HASHED = "; it can be known by its hash"
TEXTS = ("title", "description", "reason", "summary", "note", "text", "name")


def no_reader(_content: bytes, _name: str) -> str:
    """Read nothing: nothing but the text itself is looked at."""
    return ""


@dataclass(frozen=True, slots=True)
class Rules:
    """How the files of a pack are chosen: its page format, who is blacked out, the largest file."""

    page: Page
    largest: int
    redact: Redact | None = None
    reads: Reads = no_reader


@dataclass(frozen=True, slots=True)
class Filed:
    """A file of the session as the pack shows it; `black` is what is packed in its place."""

    kept: Kept
    exhibit: Exhibit
    black: bytes | None = None


def filed(case: Case, rules: Rules) -> list[Filed]:
    """Return the files of a case as a pack shows them, in the order of their numbers."""
    return [_filed(number, kept, rules) for number, kept in enumerate(case.kept, 1)]


def prefix(number: int) -> str:
    """Return how the name of a file of this number begins in a pack."""
    return f"files/{number:02d}-"


def _filed(number: int, kept: Kept, rules: Rules) -> Filed:
    redact = rules.redact
    name = kept.name if redact is None else redact(kept.name)
    black = why = None
    if kept.path is None:
        why = "the file is not in the vault; this is its hash as the platform told it"
    elif kept.bytes > rules.largest:
        why = f"larger than {rules.largest} bytes; it can be shown, and known by its hash"
    elif redact is not None:
        black = _black(kept, kept.path, rules)
        if black is None:
            why = "withheld, since nothing in it can be blacked out; it can be known by its hash"
    exhibit = Exhibit(
        name=name,
        kind=kept.kind,
        shows=SHOWS[kept.kind],
        bytes=kept.bytes,
        sha256=kept.sha256,
        file=None if why else f"{prefix(number)}{_plain(name)}",
        media_type=kept.media_type,
        time=kept.time,
        why=why,
    )
    if redact is not None and not rules.page.guessable:
        exhibit = _unguessable(exhibit, kept, black, rules)
    return Filed(kept, exhibit, black)


def _plain(name: str) -> str:
    plain = _UNSAFE.sub("-", safe_name(name))[-_LONGEST_NAME:].strip("-.")
    return safe_name(plain or NAMELESS)  # Of what is left without its letters, too.


def _black(kept: Kept, path: Path, rules: Rules) -> bytes | None:
    """Return a file with other people blacked out; None where it is no text, or names are left."""
    redact = rules.redact
    assert redact is not None  # noqa: S101 (only a redacted pack asks)
    if not _is_text(kept):
        return None
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        return None
    black = redact.document(text)
    if black is None or redact.finds_name(rules.reads(black.encode(), kept.name)):
        return None
    return black.encode()


def _is_text(kept: Kept) -> bool:
    return kept.kind in ("transcript", "code") or (kept.media_type or "").startswith("text/")


def _unguessable(exhibit: Exhibit, kept: Kept, black: bytes | None, rules: Rules) -> Exhibit:
    """Return an exhibit without what a blacked out text could be guessed from: its hash, its size.

    What is packed has the hash of what is packed. A hash of a recording or a picture stays.
    """
    redact = rules.redact
    assert redact is not None  # noqa: S101 (only a redacted pack asks)
    media_type = kept.media_type
    if media_type and redact(media_type) != media_type:
        media_type = None
    exhibit = replace(exhibit, media_type=media_type)
    if black is not None:
        return replace(exhibit, bytes=len(black), sha256=sha256(black).hexdigest())
    if not (_is_text(kept) or _reads_as_text(kept, rules)):
        return exhibit
    why = (exhibit.why or "").partition(";")[0]
    return replace(exhibit, sha256="", why=f"{why}{_GUESSABLE}")


def _reads_as_text(kept: Kept, rules: Rules) -> bool:
    if kept.path is None or kept.kind == "recording":
        return False
    return bool(rules.reads(kept.path.read_bytes(), kept.name))


# --- blacking out ---------------------------------------------------------------------------------


def blackened(case: Case, redact: Redact, *, guessable: bool) -> Case:
    """Return a case with other people blacked out of every text but the names of its files."""

    def text(value: str | None) -> str | None:
        return None if value is None else redact(value)

    return replace(
        case,
        reason=text(case.reason),
        summary=text(case.summary),
        title=text(case.title),
        customer=case.customer if guessable else redact(case.customer),
        customer_name=text(case.customer_name),
        events=[
            replace(each, data=_black_data(each.data, redact, guessable=guessable))
            for each in case.events
        ],
        messages=[
            Said(each.offset, text(each.speaker), redact(each.text)) for each in case.messages
        ],
    )


def _black_data(data: Mapping[str, Any], redact: Redact, *, guessable: bool) -> dict[str, Any]:
    return {
        name: redact(value) if name in TEXTS and isinstance(value, str) else value
        for name, value in data.items()
        # How long a file is tells how long a name in it is.
        if guessable or name != "bytes"
    }
