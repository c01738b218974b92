"""The contents of a pack: the session in order of time, the bill, the words, the files."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from liveportal.domain.case import Case, CaseFile, CaseMessage
from liveportal.exports import evidence
from liveportal.exports.evidence import LARGEST_FILE, has_manifest_fields
from liveportal.exports.exhibits import ExhibitRules, TextReader, no_reader
from liveportal.exports.pack import PackEntry, verify_pack, write_pack
from liveportal.exports.pages import CURRENT, Redact
from liveportal.exports.redaction import redactor
from liveportal.exports.redaction_1 import BLACK
from tests.kit.pack_case import MESSAGES, case, file, happened

MINA = redactor(["Mina Harker"])


def parts(
    made: Case,
    *,
    redact: Redact | None = None,
    largest: int = LARGEST_FILE,
    reads: TextReader = no_reader,
) -> list[PackEntry]:
    """Return the parts of a pack in the current format."""
    return evidence.pack_entries(made, ExhibitRules(CURRENT, largest, redact, reads))


def about(made: Case, *, redact: Redact | None = None) -> dict[str, Any]:
    """Return a manifest's header fields in the current format."""
    return evidence.manifest_fields(made, ExhibitRules(CURRENT, LARGEST_FILE, redact))


def by_name(found: list[PackEntry]) -> dict[str, PackEntry]:
    """Return the entries of a pack by their names, which are unique."""
    named = {part.name: part for part in found}
    assert len(named) == len(found)
    return named


def text(part: PackEntry) -> str:
    """Return the text of an entry."""
    content = part.content if isinstance(part.content, bytes) else part.content.read_bytes()
    return content.decode()


# --- the text -------------------------------------------------------------------------------------


def test_a_transcript_is_the_words_of_all() -> None:
    """Each message with its offset in the session, on one line, whatever it contains."""
    said = (*MESSAGES, CaseMessage(timedelta(minutes=75, seconds=1), "A\nna", "two\nlines\x1b[2J"))
    written = by_name(parts(case(messages=said)))["transcript.txt"]
    assert text(written).splitlines() == [
        "[1:00] Mina Harker: Call me: +33 6 12 34 56 78",
        "[12:31] Ana: It is fixed now, mina.",
        "mail mina@example.com",
        "[75:01] A na: two lines",
    ]
    assert "transcript.txt" not in by_name(parts(case(messages=())))


@pytest.mark.parametrize("changes", [{"reason": None}, {"title": None, "customer_name": None}])
def test_what_was_erased_is_missing(changes: dict[str, Any]) -> None:
    """A forgotten customer's words are gone, and the pack is still made."""
    made = case(**changes, summary=None, messages=(), events=())
    page = by_name(parts(made))["index.html"]
    assert "None</dd>" not in text(page)


# --- the files ------------------------------------------------------------------------------------


def test_files_are_packed_as_they_are(tmp_path: Path) -> None:
    """Each under its number and its own name, with its hash on the page."""
    kept = (
        file(tmp_path, "Fix.shader", b"float4 x;\r\n", "code", None),
        file(tmp_path, "shot 1.png", b"\x89PNG", "attachment", "image/png"),
        file(tmp_path, "Fix.shader", b"float4 y;", "code", "text/plain"),
    )
    named = by_name(parts(case(kept=kept)))
    assert sorted(named) == [
        *("files/01-Fix.shader", "files/02-shot-1.png", "files/03-Fix.shader"),
        *("index.html", "index.md", "transcript.txt"),
    ]
    assert named["files/02-shot-1.png"].content == kept[1].path
    page = text(named["index.html"])
    for each in kept:
        assert each.sha256 in page
    assert '<img src="files/02-shot-1.png"' in page


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("../../etc/passwd", "files/01-passwd"),
        ("C:\\evil.exe", "files/01-evil.exe.txt"),
        ("run.html", "files/01-run.html.txt"),
        ("run.SVG", "files/01-run.SVG.txt"),
        ("\u202egnp.exe", "files/01-gnp.exe.txt"),
        ("\ud800", "files/01-evidence"),
        ("", "files/01-evidence"),
        ("...", "files/01-evidence"),
        ("-rf", "files/01-rf"),
        ("Ünïcödé.txt", "files/01-n-c-d-.txt"),
        ("x" * 400 + ".png", "files/01-" + "x" * 76 + ".png"),
        ("a\nb|c<script>.md", "files/01-a-b_c_script_.md"),
        ("CON", "files/01-_CON"),
        ("x.html\u00e9", "files/01-x.html.txt"),
        ("x.exe\u674e", "files/01-x.exe.txt"),
    ],
    ids=ascii,
)
def test_a_strangers_name_is_made_safe(tmp_path: Path, name: str, packed: str) -> None:
    """It contains no path and no executable extension: a reader may click on it."""
    named = by_name(parts(case(kept=(file(tmp_path, name, b"x", "attachment", None),))))
    assert [each for each in named if each.startswith("files/")] == [packed]


def test_what_is_not_packed_is_named_with_its_hash(tmp_path: Path) -> None:
    """A file that is too large, or that only the platform has, can be shown later and known."""
    large = file(tmp_path, "call.mp4", b"12345678", "recording", "video/mp4")
    absent = CaseFile("gone.txt", "transcript", 9, "ef" * 32, None, None, None)
    named = by_name(parts(case(kept=(large, absent)), largest=7))
    assert not [each for each in named if each.startswith("files/")]
    page = text(named["index.html"])
    assert "larger than 7 bytes" in page
    assert "the expert does not have it" in page
    assert large.sha256 in page
    assert absent.sha256 in page
    assert "files/01-call.mp4" in by_name(parts(case(kept=(large,)), largest=8))


# --- redacted -------------------------------------------------------------------------------------


def test_no_other_name_is_left(tmp_path: Path) -> None:
    """Not in a text, a file, a file's name; times, amounts and hashes stay."""
    kept = (file(tmp_path, "mina.txt", b"MINA: hello\r\n\tharker", "transcript", "text/plain"),)
    entries = parts(case(kept=kept), redact=MINA)
    for part in entries:
        assert not re.search("mina|harker|12 34|example.com", text(part) + part.name, re.IGNORECASE)
        assert kept[0].sha256 not in text(part)
    named = by_name(entries)
    assert text(named["files/01-_____.txt"]) == (f"{BLACK}: hello\r\n\t{BLACK}")
    page = text(named["index.html"])
    black = sha256(text(named["files/01-_____.txt"]).encode()).hexdigest()
    for stays in ("42.00 USD", "2026-10-05 16:00:00", "14:17:03", black, "C-7", "Ana"):
        assert stays in page


def test_no_hash_lets_a_name_be_guessed(tmp_path: Path) -> None:
    """A text has the hash of its redacted version; a withheld picture has its own."""
    kept = (
        file(tmp_path, "chat.txt", b"mina: hello", "transcript", "text/plain"),
        file(tmp_path, "shot.png", b"\x89PNG", "attachment", "image/png"),
        file(tmp_path, "wide.txt", "Mina".encode("utf-16"), "transcript", None),
        file(tmp_path, "note", b"Mina", "attachment", None),
        file(tmp_path, "long.txt", b"Mina " * 30, "transcript", None),
        replace(file(tmp_path, "feed.txt", b"x", "transcript", None), path=None),
    )
    attached = {"kind": "transcript", "name": "x", "bytes": 61}
    made = case(
        kept=kept,
        events=(replace(happened(9, "10-05 14:40", "artifact.added"), data=attached),),
    )
    decoded = parts(
        made,
        redact=MINA,
        largest=100,
        reads=lambda content, _: (
            content.decode("ascii", "ignore") if content[:1] != b"\x89" else ""
        ),
    )
    shown = "".join(map(text, decoded)) + json.dumps(about(made, redact=MINA))
    assert [each.sha256 in shown for each in kept] == [False, True, False, False, False, False]
    assert "61 bytes" not in shown
    assert shown.count("its SHA-256 is not shown either") == 2 * 4
    assert not any(part.original_sha256 for part in decoded)
    named = by_name(decoded)["files/01-chat.txt"].content
    assert isinstance(named, bytes)
    assert shown.count(sha256(named).hexdigest()) == 2


def test_what_the_reader_still_reads_as_a_name_is_withheld(tmp_path: Path) -> None:
    """The program's own reader has the last word: a spelling that only it knows is not packed."""
    kept = (file(tmp_path, "chat.txt", b"anim: hello", "transcript", "text/plain"),)
    made = case(kept=kept, messages=())
    read = by_name(parts(made, redact=MINA, reads=lambda content, _: content.decode()))
    assert "files/01-chat.txt" in read
    backwards = by_name(parts(made, redact=MINA, reads=lambda content, _: content[3::-1].decode()))
    assert not [backward for backward in backwards if backward.startswith("files/")]
    assert "names cannot be blacked out" in text(backwards["index.html"])


@pytest.mark.parametrize(
    ("content", "kind", "media_type"),
    [
        (b"\x89PNG mina", "attachment", "image/png"),
        (b"mina", "recording", None),
        (b"Jos\xe9", "transcript", "text/plain"),
        ("Mina".encode("utf-16"), "code", None),
        (b"mina", "attachment", "application/pdf"),
    ],
)
def test_what_cannot_be_read_is_withheld(
    tmp_path: Path, content: bytes, kind: str, media_type: str | None
) -> None:
    """A picture, a recording, a text that is not UTF-8: nothing in it could be blacked out."""
    kept = file(tmp_path, "x.dat", content, kind, media_type)
    named = by_name(parts(case(kept=(kept,)), redact=MINA))
    assert not [each for each in named if each.startswith("files/")]
    page = text(named["index.html"])
    assert "names cannot be blacked out" in page
    is_text = kind in ("transcript", "code")
    assert (kept.sha256 in page) is not is_text


# --- as a pack ------------------------------------------------------------------------------------


def test_the_same_case_gives_the_same_bytes(tmp_path: Path) -> None:
    """Complete and redacted, and each verifies."""
    kept = (file(tmp_path, "chat.txt", b"mina: hello", "transcript", "text/plain"),)
    for redact in (None, MINA):
        packs = set()
        for _ in range(2):
            stream = BytesIO()
            manifest = about(case(kept=kept), redact=redact)
            write_pack(stream, parts(case(kept=kept), redact=redact), manifest)
            packs.add(stream.getvalue())
        (content,) = packs
        (tmp_path / "pack.zip").write_bytes(content)
        checked = verify_pack(tmp_path / "pack.zip")
        assert checked.problems == []
        assert has_manifest_fields(checked.manifest)
        assert b"Mina" in content or redact


@pytest.mark.parametrize(
    "changes",
    [
        *({"claim": None}, {"session": 5}, {"redacted": 0}, {"ledger": None}, {"events": {}}),
        *({"events": [5]}, {"events": [{}]}, {"events": [{"seq": 1}]}, {"ledger": {}}),
        *({"events": [{"seq": "1", "hash": "x"}]}, {"events": [{"seq": 2**63, "hash": "x"}]}),
        *({"events": [{"seq": 0, "hash": "x"}]}, {"events": [{"seq": 1.5, "hash": "x"}]}),
        *({"ledger": {"events": 2**63, "head": "x"}}, {"ledger": {"events": -1, "head": "x"}}),
        *({"ledger": {"events": "1", "head": "x"}}, {"ledger": {"events": 1, "head": None}}),
        *({"page": 0}, {"page": "2"}, {"page": None}, {"page": 2**63}, {"page": 1.5}),
        *({"largest": -1}, {"largest": "1"}, {"largest": None}, {"largest": 2**63}),
    ],
    ids=str,
)
def test_a_manifest_that_says_less_is_of_no_claim(changes: dict[str, object]) -> None:
    """A reader copes with a manifest whose fields a forger removed."""
    manifest = about(case())
    assert has_manifest_fields(manifest)
    assert not has_manifest_fields(manifest | changes)
    if not changes.keys() & {"page", "largest"}:  # The first format, which had neither.
        assert not has_manifest_fields(
            {name: manifest[name] for name in manifest if name not in changes}
        )
