"""Untrusted text, through a feed and then every listing in every format."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.commands.test_sync import feed, opened
from tests.kit.events import amount, line

if TYPE_CHECKING:
    from tests.kit.shell import Shell

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b1mbold\x90q\x9c"
BIDI = "\u202egnp.exe\u2066\u2069\u200f\u061c\ufeff\u200b"
BREAKS = "one\ttwo\r\nthree\u2028four\x85five\x0bsix"
CONTROLS = "a\x00b\x08c\x7fd\ud800e\udfff"
FORMULA = "=cmd|' /C calc'!A0"
HOSTILE = (ESCAPES, BIDI, BREAKS, CONTROLS)
# Characters that a terminal obeys, that reorder text, or that end a row.
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff]"
)

SLOT = {"start": "2026-10-09T09:00:00Z", "minutes": 30}
LISTINGS = (
    "requests list --all",
    "requests show R-1",
    "sessions list",
    "sessions show S-1",
    "sessions upcoming",
    "sessions reviews",
    "sessions reviews --customer C-1",
    "due",
    "earnings --month 2026-10 --by customer",
    "earnings --month 2026-10 --by skill",
    "refunds list",
    "refunds show CL-1",
    "dispute list",
    "dispute show CL-1",
    "earnings transactions",
    "payout list",
    "preferences show",
)


def _book(text: str) -> tuple[bytes, ...]:
    """Return a feed with a hostile text in every field that a stranger can fill."""
    customer = {"id": "C-1", "name": text, "timezone": "UTC", "language": text}
    output = {"title": text, "description": text, "skills": [text, text]}
    return (
        opened("R-1", "10-05 09:00", customer=customer, **output),
        line("request.accepted", "10-05 09:01", id="a", request="R-1", session="S-1"),
        line("session.ended", "10-05 09:31", id="b", session="S-1"),
        line(
            "artifact.added",
            "10-05 09:32",
            id="c",
            session="S-1",
            kind="attachment",
            name=text,
            sha256="0" * 64,
            bytes=1,
        ),
        line("review.posted", "10-05 09:32", id="d", session="S-1", by="customer", rating=1)[:-3]
        + f', "text": {json.dumps(text)}}}}}\n'.encode(),
        line("refund.claimed", "10-05 10:00", id="e", claim="CL-1", session="S-1", reason=text),
        line("dispute.filed", "10-05 11:00", id="f", claim="CL-1", summary=text),
        line("dispute.accepted", "10-05 12:00", id="g", claim="CL-1", note=text),
        line(
            "adjustment.posted",
            "10-05 12:00",
            id="h",
            adjustment="AD-1",
            amount=amount("-1.00"),
            reason=text,
        ),
        line(
            "payout.sent",
            "10-06 12:00",
            id="i",
            payout="PO-1",
            amount=amount("5.00"),
            method="paypal",
            reference=re.sub("[\x00-\x1f\x7f-\x9f\ud800-\udfff]", "", text),
        ),
        line("preferences.changed", "10-07 09:00", id="j", role=text, verification=text),
        opened("R-2", "10-07 10:00", customer=customer, kind="scheduled", slots=[SLOT], **output),
        line("request.accepted", "10-07 10:01", id="k", request="R-2", session="S-2", slot=1),
    )


def _texts(value: Any) -> list[str]:  # noqa: ANN401 -- Whatever JSON holds.
    if isinstance(value, dict):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) else []


@pytest.fixture
def hostile(empty: Shell) -> Shell:
    """Give a ledger whose every text is hostile in every way."""
    lines = _book(" ".join(HOSTILE))
    assert empty.ok("sync", feed(empty, "hostile.jsonl", *lines))["recorded"] == len(lines)
    return empty


@pytest.mark.parametrize("command", LISTINGS)
def test_rows_are_clean(hostile: Shell, command: str) -> None:
    """Rows have no escape, control, bidi or invisible character; one result a line."""
    argv = command.split()
    rows = hostile.ok(*argv)
    count = len(rows) if isinstance(rows, list) else 1
    for option in ("--tsv", "--header", "--csv"):
        text = hostile.output_of(*argv, option)
        assert not FORBIDDEN.search(text)
        assert text.count("\n") == count + (option != "--tsv")
        delimiter = "," if option == "--csv" else "\t"
        widths = {len(row) for row in csv.reader(io.StringIO(text), delimiter=delimiter)}
        assert len(widths) <= 1, "a tab or a line break got into a cell"
        if "one" in text and command != "payout list":  # A reference has no line breaks at all.
            assert "one two" in text


@pytest.mark.parametrize("command", LISTINGS)
def test_json_escapes_and_keeps(hostile: Shell, command: str) -> None:
    """JSON is ASCII, so that a terminal obeys nothing in it, and holds the text as it came."""
    argv = command.split()
    for option in ("--json", "--jsonl"):
        text = hostile.output_of(*argv, option)
        assert text.isascii()
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", text)
    texts = _texts(hostile.ok(*argv))
    if command != "payout list":
        assert " ".join(HOSTILE) in texts


def test_errors_are_clean(hostile: Shell) -> None:
    """What is quoted of the user's or a stranger's text obeys the same rule."""
    for argv in (
        ("requests", "show", ESCAPES + BIDI),
        ("requests", "list", "--fields", ESCAPES),
        ("sessions", "pause", "S-1", "--at", ESCAPES + BREAKS),
        ("sync", hostile.folder / f"no{BIDI}\x1b[31m.jsonl"),
        ("requests", ESCAPES),
        ("requests", "list", f"--{ESCAPES}"),
        ("policy", "use", ESCAPES),
        ("requests", "list", "--ledger", f"/no{ESCAPES}"),
    ):
        words, document = hostile.run(*argv), hostile.run(*argv, "--json")
        assert words.code == document.code in (1, 2, 3)
        assert not FORBIDDEN.search(words.err)
        assert document.err.isascii()
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", document.err)


def test_rejects_are_clean(empty: Shell) -> None:
    """Bad lines are kept as they came, in JSON, which escapes them."""
    bad = feed(empty, "bad.jsonl", f'{{"{ESCAPES}{BIDI}'.encode() + b"\xff\n")
    assert empty.run("sync", bad, "--rejects", "r.jsonl").code == 1
    text = (empty.folder / "r.jsonl").read_text("utf-8")
    assert text.isascii()
    assert json.loads(text)["raw"].startswith(f'{{"{ESCAPES}')


@pytest.mark.parametrize("text", [FORMULA, "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\uff1d1"])
def test_a_spreadsheet_runs_nothing(empty: Shell, text: str) -> None:
    """Text that a spreadsheet would run is neutralised in CSV, and only there."""
    empty.ok("sync", feed(empty, "formula.jsonl", *_book(text)))
    for command in LISTINGS:
        for row in csv.reader(io.StringIO(empty.output_of(*command.split(), "--csv"))):
            for cell in row:
                bare = re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", cell)
                # Amounts are numbers: `-1.00` is no text.
                assert bare or cell.lstrip(" ")[:1] not in tuple("=+-@\uff1d\t"), (command, cell)
    title = empty.output_of("requests", "show", "R-1", "--field", "title")
    assert title == f"{text}\n".replace("\t", " ")
    assert empty.ok("requests", "list", "--all")[0]["title"] == text


def test_a_title_of_a_megabyte(empty: Shell) -> None:
    """Nothing is cut off, and nothing takes long."""
    title = "x\x1b]\u202e" * 250_000
    given = {"customer": {"id": "C-1"}, "title": title}
    empty.ok("sync", feed(empty, "long.jsonl", opened("R-1", "10-05 09:00", **given)))
    assert empty.ok("requests", "list", "--all")[0]["title"] == title
    for option in ("--tsv", "--csv"):
        cleaned = empty.output_of("requests", "list", "--all", option, "--field", "title")
        assert not FORBIDDEN.search(cleaned)
    plain = "y" * 1_000_000
    given["title"] = plain
    empty.ok("sync", feed(empty, "plain.jsonl", opened("R-2", "10-05 09:01", **given)))
    assert empty.output_of("requests", "list", "--all", "--field", "title").splitlines()[1] == plain


def test_text_of_every_script_stays(empty: Shell) -> None:
    """Cleaning removes misleading characters, not ordinary text."""
    text = "Zoë 한국어 עברית العربية می‌خواهم 👩‍👩‍👧 ½ “quoted”"
    empty.ok("sync", feed(empty, "scripts.jsonl", *_book(text)))
    assert empty.output_of("requests", "show", "R-1", "--field", "title") == f"{text}\n"
    assert empty.ok("dispute", "show", "CL-1")["summary"] == text


@pytest.mark.parametrize(
    "name", ["a b", "", "x" * 65, "é", "a/b", "a\n", "a\x00", "'; DROP TABLE event; --", "<b>"]
)
def test_ids_are_plain(empty: Shell, name: str) -> None:
    """An id is letters, digits and four punctuation marks; others are refused from any source."""
    bad = feed(empty, "bad.jsonl", opened(name, "10-05 09:00"))
    ran = empty.run("sync", bad)
    assert ran.code == 1
    argv = ("requests", "add", "--customer", "C-1", "--title", "x", "--rate", "3")
    assert empty.run(*argv, f"--id={name}").code == 1
    assert empty.run("requests", "add", "--title", "x", "--rate", "3", "--customer", name).code == 1
    assert empty.ok("requests", "list", "--all") == []
