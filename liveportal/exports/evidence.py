"""What goes into an evidence pack: the dossier, the transcript, and the files themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from liveportal.domain.artifacts import NAMELESS, safe_name
from liveportal.domain.case import Case, Kept, Said
from liveportal.domain.clock import LAST, short_text
from liveportal.domain.explaining import bill_steps
from liveportal.domain.money import Money
from liveportal.domain.sentences import sentence
from liveportal.domain.text import clean
from liveportal.exports.dossier import Dossier, Exhibit, Figure, Moment, html, markdown
from liveportal.exports.pack import Part
from liveportal.exports.redaction import Redact

LARGEST_FILE = 100_000_000
"""Bytes; a larger file is not packed but named with its hash."""

_PROOF = "`liveportal dispute verify FILE` proves that nothing was changed."
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 80
_SHOWS = {
    "transcript": "What was said, message by message.",
    "recording": "The session as it was recorded.",
    "code": "Code that was worked on.",
    "attachment": "A file of the session.",
}


def about(case: Case, *, redacted: bool) -> dict[str, Any]:
    """Return the manifest's own facts: what it is of, and where in the journal that stands."""
    return {
        "claim": case.claim,
        "session": case.session.id,
        "redacted": redacted,
        "ledger": {"events": case.journal_length, "head": case.head},
        "events": [
            {
                "seq": each.seq,
                "source": each.source,
                "id": each.id,
                "type": each.kind,
                "time": short_text(each.time),
                "hash": each.hash,
            }
            for each in case.events
        ],
    }


def is_about(manifest: Mapping[str, Any]) -> bool:
    """Tell whether a manifest says all that `about` says: one that was forged may say anything."""
    match manifest:
        case {
            "claim": str(),
            "session": str(),
            "redacted": bool(),
            "ledger": {"events": int(last), "head": str()},
            "events": list(events),
        }:
            return _is_place(last) and all(
                isinstance(each, Mapping)
                and isinstance(each.get("hash"), str)
                and _is_place(each.get("seq"))
                for each in events
            )
    return False


def _is_place(seq: object) -> bool:
    return isinstance(seq, int) and 0 < seq < 2**63  # More than that no journal holds.


def parts(case: Case, *, redact: Redact | None = None, largest: int = LARGEST_FILE) -> list[Part]:
    """Return the files of a pack. With `redact` other people are blacked out of every text.

    A redacted file names the SHA-256 of what it was made from, so that the whole one can be shown
    later and be known for the same; what cannot be blacked out is withheld, with its hash.
    """
    shown = blackened(case, redact) if redact else case
    exhibits = _exhibits(shown, largest, redacted=redact is not None)
    whole = _texts(case, _exhibits(case, largest, redacted=False)) if redact else {}
    found = []
    for name, content in _texts(shown, exhibits).items():
        original = sha256(whole[name]).hexdigest() if redact else None
        found.append(Part(name, content, *_TEXTS[name], original))
    for kept, exhibit in zip(case.kept, exhibits, strict=True):
        if exhibit.file is not None and kept.path is not None:
            found.append(_file(kept, exhibit.file, exhibit.shows, redact))
    return found


def dossier(case: Case, exhibits: Sequence[Exhibit]) -> Dossier:
    """Return what a pack says: the claim, the session in order of time, the bill, the files."""
    return Dossier(
        title=f"Evidence for claim {case.claim}",
        zone=case.zone,
        facts=tuple(_facts(case)),
        timeline=tuple(_timeline(case)),
        figures=tuple(
            Figure(step.what, step.comes_to, step.rule)
            for step in bill_steps(case.session, case.policy)
        ),
        exhibits=tuple(exhibits),
        footer=(
            f"The journal had {case.journal_length} events; its head was {case.head}.",
            f"manifest.json has the SHA-256 of every file of this pack. {_PROOF}",
        ),
        start=case.session.start,
        end=case.session.end,
    )


def _facts(case: Case) -> Iterator[tuple[str, str]]:
    yield "Claim", f"{case.claim}, {case.state}{', late' if case.late else ''}"
    yield "Claimed back", f"{case.amount} {case.amount.currency}"
    yield "The customer's reason", case.reason or "none was given"
    if case.summary:
        yield "What the expert says", case.summary
    yield "Session", f"{case.session.id}{f': {case.title}' if case.title else ''}"
    name = f" ({case.customer_name})" if case.customer_name else ""
    yield "Customer", f"{case.customer}{name}"
    gross = Money(case.session.gross_minor, case.session.currency)
    yield "Billed", f"{gross} {gross.currency}"
    yield "At stake for the expert", f"{case.cost} {case.cost.currency}"


def _timeline(case: Case) -> list[Moment]:
    moments = [
        Moment(each.time, sentence(each.kind, each.data), None, each.seq)
        for each in case.events
        if each.tells
    ]
    began = case.session.start
    for said in case.messages:
        time = None if began is None or said.offset is None else began + said.offset
        moments.append(Moment(time, said.text, said.speaker))
    # What has no time of its own stands at the end, in the order it was said.
    return sorted(moments, key=lambda each: (each.time or LAST, each.seq or 0))


def _exhibits(case: Case, largest: int, *, redacted: bool) -> list[Exhibit]:
    found = []
    for number, kept in enumerate(case.kept, 1):
        why = _why_withheld(kept, largest, redacted=redacted)
        plain = _UNSAFE.sub("-", safe_name(kept.name))[-_LONGEST_NAME:].strip("-.")
        name = safe_name(plain or NAMELESS)  # Of what is left without its letters, too.
        found.append(
            Exhibit(
                name=kept.name,
                kind=kept.kind,
                shows=_SHOWS[kept.kind],
                bytes=kept.bytes,
                sha256=kept.sha256,
                file=None if why else f"files/{number:02d}-{name}",
                media_type=kept.media_type,
                time=kept.time,
                why=why,
            )
        )
    return found


def _why_withheld(kept: Kept, largest: int, *, redacted: bool) -> str | None:
    if kept.path is None:
        return "the file is not in the vault; this is its hash as the platform told it"
    if kept.bytes > largest:
        return f"larger than {largest} bytes; it can be shown, and known by its hash"
    if redacted and not _is_text(kept, kept.path):
        return "withheld, since nothing in it can be blacked out; it can be known by its hash"
    return None


def _is_text(kept: Kept, path: Path) -> bool:
    """Tell whether a file is text of which every word can be read, and so be blacked out."""
    if kept.kind not in ("transcript", "code") and not (kept.media_type or "").startswith("text/"):
        return False
    try:
        path.read_bytes().decode()
    except UnicodeDecodeError:
        return False
    return True


_TEXTS = {
    "index.html": ("What happened, in order of time, with the bill and all files.", "text/html"),
    "index.md": ("The same as text.", "text/markdown"),
    "transcript.txt": ("What was said, from all transcripts.", "text/plain"),
}


def _texts(case: Case, exhibits: Sequence[Exhibit]) -> dict[str, bytes]:
    """Return the texts that are written for the pack, by their file names."""
    whole = dossier(case, exhibits)
    texts = {"index.html": html(whole), "index.md": markdown(whole)}
    if case.messages:
        texts["transcript.txt"] = "".join(map(_message_line, case.messages))
    return {name: text.encode() for name, text in texts.items()}


def _message_line(said: Said) -> str:
    seconds = None if said.offset is None else said.offset // timedelta(seconds=1)
    stamp = "" if seconds is None else f"[{seconds // 60}:{seconds % 60:02d}] "
    speaker = f"{clean(said.speaker)}: " if said.speaker else ""
    return f"{stamp}{speaker}{clean(said.text)}\n"


def _file(kept: Kept, file: str, shows: str, redact: Redact | None) -> Part:
    media_type = kept.media_type or "application/octet-stream"
    assert kept.path is not None  # noqa: S101 (what has no file is not packed)
    if redact is None:
        return Part(file, kept.path, shows, media_type)
    black = redact(kept.path.read_bytes().decode())
    return Part(file, black.encode(), shows, media_type, kept.sha256)


# --- blacking out ---------------------------------------------------------------------------------


def blackened(case: Case, redact: Redact) -> Case:
    """Return a case with other people blacked out of every text."""

    def text(value: str | None) -> str | None:
        return None if value is None else redact(value)

    return replace(
        case,
        reason=text(case.reason),
        summary=text(case.summary),
        title=text(case.title),
        customer_name=text(case.customer_name),
        events=[replace(each, data=_black_data(each.data, redact)) for each in case.events],
        messages=[
            Said(each.offset, text(each.speaker), redact(each.text)) for each in case.messages
        ],
        kept=[replace(each, name=redact(each.name)) for each in case.kept],
    )


def _black_data(data: Mapping[str, Any], redact: Redact) -> dict[str, Any]:
    texts = ("title", "description", "reason", "summary", "note", "text", "name")
    return {
        name: redact(value) if name in texts and isinstance(value, str) else value
        for name, value in data.items()
    }
