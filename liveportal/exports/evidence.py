"""What goes into an evidence pack: the dossier, the transcript, and the files themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

from liveportal.domain.case import Case, Said
from liveportal.domain.clock import LAST, short_text
from liveportal.domain.money import Money
from liveportal.domain.text import clean
from liveportal.exports.dossier import Dossier, Figure, Moment
from liveportal.exports.exhibits import Filed, Rules, blackened, filed
from liveportal.exports.pack import PackEntry
from liveportal.exports.pages import CURRENT, FIRST, Page

LARGEST_FILE = 100_000_000
"""Bytes; a larger file is not packed but named with its hash."""


def about(case: Case, rules: Rules) -> dict[str, Any]:
    """Return the manifest's own facts: what it is of, and where in the journal that stands."""
    redact = rules.redact
    facts: dict[str, Any] = {
        "claim": case.claim,
        "session": case.session.id,
        "redacted": redact is not None,
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
    if rules.page.number == FIRST:
        return facts
    if redact is not None:
        for each in facts["events"]:
            each |= {name: redact(each[name]) for name in ("source", "id")}
    return facts | {"page": rules.page.number, "largest": rules.largest}


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
            largest = manifest.get("largest", LARGEST_FILE)
            counts = isinstance(largest, int) and _is_place(largest + 1)
            return (
                counts
                and _is_place(last)
                and _is_place(manifest.get("page", FIRST))
                and all(
                    isinstance(each, Mapping)
                    and isinstance(each.get("hash"), str)
                    and _is_place(each.get("seq"))
                    for each in events
                )
            )
    return False


def _is_place(seq: object) -> bool:
    return isinstance(seq, int) and 0 < seq < 2**63  # More than that no journal holds.


def parts(case: Case, rules: Rules) -> list[PackEntry]:
    """Return the files of a pack. A redacted one has other people blacked out of every text.

    What cannot be blacked out is withheld. Reads each packed text once, and no other file.
    """
    redact, page = rules.redact, rules.page
    shown = blackened(case, redact, guessable=page.guessable) if redact else case
    files = filed(case, rules)
    whole: dict[str, bytes] = {}
    if redact and page.guessable:
        whole = texts(case, filed(case, Rules(page, rules.largest)), page)
    found = []
    for name, content in texts(shown, files, page).items():
        original = sha256(whole[name]).hexdigest() if name in whole else None
        found.append(PackEntry(name, content, *TEXT_FILES[name], original))
    return found + [_file(each, page) for each in files if each.exhibit.file is not None]


def dossier(case: Case, files: Sequence[Filed], page: Page = CURRENT) -> Dossier:
    """Return what a pack says: the claim, the session in order of time, the bill, the files."""
    return Dossier(
        title=f"Evidence for claim {case.claim}",
        zone=case.zone,
        facts=tuple(_facts(case)),
        timeline=tuple(_timeline(case, page)),
        figures=tuple(
            Figure(step.what, step.comes_to, step.rule)
            for step in page.bill(case.session, case.policy)
        ),
        exhibits=tuple(each.exhibit for each in files),
        footer=(
            f"The journal had {case.journal_length} events; its head was {case.head}.",
            f"manifest.json has the SHA-256 of every file of this pack. {page.proof}",
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


def _timeline(case: Case, page: Page) -> list[Moment]:
    moments = [
        Moment(each.time, page.sentence(each.kind, each.data), None, each.seq)
        for each in case.events
        if each.tells
    ]
    began = case.session.start
    for said in case.messages:
        time = None if began is None or said.offset is None else began + said.offset
        moments.append(Moment(time, said.text, said.speaker))
    # What has no time of its own stands at the end, in the order it was said.
    return sorted(moments, key=lambda each: (each.time or LAST, each.seq or 0))


UNKNOWN_TYPE = "application/octet-stream"
TRANSCRIPT = "transcript.txt"
TEXT_FILES = {
    "index.html": ("What happened, in order of time, with the bill and all files.", "text/html"),
    "index.md": ("The same as text.", "text/markdown"),
    TRANSCRIPT: ("What was said, from all transcripts.", "text/plain"),
}
PAGE_FILES = ("index.html", "index.md")


def texts(case: Case, files: Sequence[Filed], page: Page) -> dict[str, bytes]:
    """Return the texts that are written for the pack, by their file names."""
    whole = dossier(case, files, page)
    written = {"index.html": page.html(whole), "index.md": page.markdown(whole)}
    if case.messages:
        written[TRANSCRIPT] = "".join(map(_message_line, case.messages))
    return {name: text.encode() for name, text in written.items()}


def _message_line(said: Said) -> str:
    seconds = None if said.offset is None else said.offset // timedelta(seconds=1)
    stamp = "" if seconds is None else f"[{seconds // 60}:{seconds % 60:02d}] "
    speaker = f"{clean(said.speaker)}: " if said.speaker else ""
    return f"{stamp}{speaker}{clean(said.text)}\n"


def _file(each: Filed, page: Page) -> PackEntry:
    kept, exhibit = each.kept, each.exhibit
    media_type = exhibit.media_type or UNKNOWN_TYPE
    assert exhibit.file is not None  # noqa: S101 (what is withheld is not asked for)
    assert kept.path is not None  # noqa: S101 (what has no file is withheld)
    if each.black is None:
        return PackEntry(exhibit.file, kept.path, exhibit.shows, media_type)
    original = kept.sha256 if page.guessable else None
    return PackEntry(exhibit.file, each.black, exhibit.shows, media_type, original)
