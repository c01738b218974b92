"""A ledger in which every untrusted text is hostile, and every command run over it.

In every format, on a terminal with colours and without, and in every file that a command writes:
nothing that a terminal obeys or that misleads, nothing that a spreadsheet runs, no element,
attribute or address on a page but the template's. The network is never used.
"""

from __future__ import annotations

import csv
import io
import json
import re
import socket
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from tests.commands.test_sync import feed, opened
from tests.commands.test_terminal import Screen
from tests.kit.events import FEED as SOURCE
from tests.kit.events import amount, line
from tests.kit.pages import check_page
from tests.kit.shell import Shell, assert_no_traceback
from tests.kit.states import READS, WRITES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands.conftest import Prepare

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

LINKS = "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07\x1b]52;c;ZXZpbA==\x07\x1bP1$r\x1b\\"
HIDDEN = "\U000e0041\U000e0042\u3164\uffa0\U0001d173\U0001bca0\u17b4\u2066"
PAGE = (
    "</td></script></style></title><script>alert(1)</script><img src=x onerror=alert(1)>"
    "<svg onload=alert(1)><a href='javascript:alert(1)'>x</a>\"' onmouseover=\"alert(1)"
    "<!-- ]]> &#x3c;b&#x3e; {{7*7}} <meta http-equiv=refresh content='0;url=//evil.example'>"
)
SHEET = "=cmd|' /C calc'!A0;=1+1; @SUM(A1)"
EVIL = f"{SHEET} {ESCAPES} {LINKS} {BIDI} {HIDDEN} {BREAKS} {PAGE}"
PRINTABLE = re.sub("[\x00-\x1f\x7f-\x9f\ud800-\udfff]", "", EVIL)
MISLEADING = re.compile("[\U000e0000-\U000e0fff\u3164\uffa0\U0001d173-\U0001d17a\U0001bca0\u17b4]")
COLOUR = re.compile("\x1b\\[[0-9;]*m|\x1b\\[(?:\\?25[lh]|2K|1A)|\r")  # And a progress bar.

MORE = (
    *("requests show R-H", "sessions show S-H", "sessions show S-H --transcript"),
    *("sessions search evilword", "sessions explain S-H", "refunds show CL-H", "dispute show CL-H"),
    *("payout show PO-H", "payout explain PO-H", "preferences export", "sessions calendar"),
    *("earnings explain 2026-11", "sessions reviews --customer C-H", "due"),
    *("earnings months --compare-zones", "sessions upcoming", "ledger verify", "ledger path"),
)
COMMANDS = (*READS, *(command for command in MORE if command not in READS))
DOCUMENTS = ("preferences export", "sessions calendar", "earnings explain 2026-11")
FORMATS = (("--header",), ("--csv",), ("--json",), ("--jsonl",))


def _feed() -> tuple[bytes, ...]:
    """Return events with a hostile text in every field that a stranger or the platform can fill."""
    text = EVIL
    customer = {"id": "C-H", "name": text, "timezone": text, "language": text}
    output = {"title": text, "description": text, "skills": [text], "customer": customer}
    asked: dict[str, Any] = {"kind": "instant", "rate": amount("3.00"), **output}
    slot = {"start": "2026-12-09T09:00:00Z", "minutes": 30}
    return (
        line("request.opened", "11-20 09:00", id="h1", request="R-H", **asked),
        line("request.accepted", "11-20 09:01", id="h2", request="R-H", session="S-H"),
        line("session.ended", "11-20 09:31", id="h3", session="S-H"),
        line("review.posted", "11-20 09:32", id="h4", session="S-H", by="customer", rating=1)[:-3]
        + f', "text": {json.dumps(text)}}}}}\n'.encode(),
        line("refund.claimed", "11-20 10:00", id="h5", claim="CL-H", session="S-H", reason=text),
        line("dispute.filed", "11-20 11:00", id="h6", claim="CL-H", summary=text),
        line("dispute.rejected", "11-20 12:00", id="h7", claim="CL-H", note=text),
        line(
            "artifact.added",
            "11-20 09:40",
            id="h8",
            session="S-H",
            kind="attachment",
            name=f"../../{PRINTABLE}/..\\evil.html",
            sha256="0" * 64,
            bytes=1,
            media_type="text/html",
        ),
        line("request.opened", "11-20 13:00", id="h9", request="R-H2", **asked),
        line("request.declined", "11-20 13:01", id="h10", request="R-H2", reason=text),
        line(
            *("request.opened", "11-20 14:00"),
            id="h11",
            request="R-H3",
            **(asked | {"kind": "scheduled", "slots": [slot]}),
        ),
        line("request.accepted", "11-20 14:01", id="h12", request="R-H3", session="S-H3", slot=1),
        line("request.opened", "11-20 15:00", id="h13", request="R-H4", **asked),
        line(
            *("adjustment.posted", "11-20 16:00"),
            id="h14",
            adjustment="AD-H",
            amount=amount("50.00"),
            reason=text,
        ),
        line(
            *("payout.sent", "11-21 09:00"),
            id="h15",
            payout="PO-H",
            amount=amount("1.00"),
            method="paypal",
            reference=PRINTABLE[:256],
        ),
        line("payout.failed", "11-22 09:00", id="h16", payout="PO-H", reason=text),
        line(
            *("preferences.changed", "11-22 10:00"),
            id="h17",
            role=PRINTABLE,
            verification=PRINTABLE,
        ),
    )


TRANSCRIPT = (
    "WEBVTT\n\n00:01.000 --> 00:02.000\n"
    f"<v {PAGE[:9]}\x1b[31mMina\u202e>evilword {PRINTABLE}\n\n{EVIL}"
)


@pytest.fixture
def hostile(states: Shell, prepared: Prepare, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Give a ledger with all of these events; network calls fail."""

    def calling(*_args: object, **_more: object) -> NoReturn:
        pytest.fail("the program calls somebody over the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, calling)
    monkeypatch.setattr(socket, "getaddrinfo", calling)
    return prepared("hostile everywhere", states, _fill)


def _fill(states: Shell) -> None:
    states.ok("sync", states.file("hostile.jsonl", b"".join(_feed())))
    own: dict[str, Any] = {"skills": [PRINTABLE], "languages": [PRINTABLE]}
    states.says(line("preferences.changed", "11-22 10:00", id="h18", **own))
    call = states.file("call.vtt", TRANSCRIPT.encode("utf-8", "replace"))
    states.ok("sessions", "attach", "S-H", call, "--name", PRINTABLE)
    page = states.file("evil.html", PAGE)
    states.ok("sessions", "attach", "S-H", page, "--name", f"/etc/../{PRINTABLE}.html")


@pytest.mark.slow
def test_every_command_in_every_format(hostile: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, JSON, tables with colours and without: clean for any content."""
    monkeypatch.setenv("COLUMNS", "200")
    seen = kept = 0
    for number, command in enumerate(COMMANDS):
        argv = command.split()
        for form in FORMATS if command != "preferences export" else ((),):
            ran = hostile.run(*argv, *form)
            assert ran.code in (0, 10), (command, ran)
            seen += "cmd|" in ran.out
            if form in (("--json",), ("--jsonl",)):
                assert ran.out.isascii()
                assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", ran.out)
                kept += json.dumps(EVIL) in ran.out
            else:
                _check_clean(_unfolded(ran.out), command)
            if form == ("--csv",):
                _check_sheet(ran.out, command)
            if form in (("--csv",), ("--header",)) and command not in DOCUMENTS:
                _check_table(ran.out, "," if form == ("--csv",) else "\t")
        term = ("dumb", "xterm-256color")[number % 2]
        monkeypatch.setenv("TERM", term)
        ran = hostile.run(*argv, terminal=True)
        assert_no_traceback(ran.err)
        shown = _unfolded(ran.out + ran.err)
        _check_clean(COLOUR.sub("", shown) if term != "dumb" else shown, command)
    assert seen > 50, "the hostile texts are not shown at all"
    assert kept > 20, "JSON does not hold the text as it came"


@pytest.mark.slow
@pytest.mark.parametrize("command", ["requests list", "sessions show S-H", "dispute show CL-H"])
def test_a_terminal_of_its_own(hostile: Shell, command: str) -> None:
    """The same under a pseudo terminal, where all streams are one."""
    shown = Screen(hostile)(*command.split(), columns=120)
    assert shown.code == 0
    assert "cmd|" in shown.out
    _check_clean(COLOUR.sub("", shown.out), command)


@pytest.mark.slow
def test_every_write_and_every_error(hostile: Shell) -> None:
    """The same rule applies to text that a user gives and to text quoted in errors."""
    for write in WRITES:
        argv = [EVIL if word in ("busy", "slow", "x", "ill") else word for word in write.argv]
        for form in ((), ("--csv",)):
            ran = hostile.run(*argv, "--at", write.at, "--yes", "--dry-run", *form)
            assert_no_traceback(ran.err)
            _check_clean(ran.out + ran.err, write.name)
        broken = hostile.run(*write.argv[:2], PRINTABLE, "--at", EVIL, terminal=True)
        assert broken.code
        _check_clean(COLOUR.sub("", broken.out + broken.err), write.name)
        assert_no_traceback(broken.err)
    hostile.run("ledger", "reverse", "h14", "--source", SOURCE, "--reason", EVIL, "--yes")
    _check_clean(hostile.output_of("ledger", "info"), "ledger info")


@pytest.mark.slow
def test_pages_hold_the_templates_elements_only(hostile: Shell) -> None:
    """Statements and packs: nothing of a stranger's is an element, an attribute or an address."""
    hostile.ok("earnings", "statement", "2026", "-o", "year.html")
    hostile.ok("dispute", "evidence", "CL-H", "-o", "case.zip")
    hostile.ok("dispute", "evidence", "CL-H", "--redact", "-o", "public.zip")
    hostile.ok("dispute", "verify", "case.zip")
    statement = (hostile.folder / "year.html").read_text("utf-8")
    _check_clean(statement, "page")
    check_page(statement, addresses=set())
    for pack in ("case.zip", "public.zip"):
        with zipfile.ZipFile(hostile.folder / pack) as archive:
            names = archive.namelist()
            page = archive.read("index.html").decode()
            for text in ("index.md", "transcript.txt"):
                for text_line in archive.read(text).decode().split("\n"):
                    _check_clean(text_line, text)
        assert all(re.fullmatch(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", n) for n in names)
        files = {name for name in names if name.startswith("files/")}
        assert not any(path.endswith((".html", ".svg", ".exe")) for path in files)
        _check_clean(page, pack)
        check_page(page, addresses=files)
        assert "evilword" in page


@pytest.mark.slow
def test_statements_as_rows_and_as_paper(hostile: Shell) -> None:
    """A statement holds nothing personal, so nothing of a stranger's, in any form."""
    for suffix in ("csv", "pdf", "html"):
        hostile.ok("earnings", "statement", "2026", "-o", f"year.{suffix}")
        content = (hostile.folder / f"year.{suffix}").read_bytes()
        if suffix == "pdf":  # Compressed streams may have any two bytes in a row.
            streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
            content = b"".join(map(zlib.decompress, streams))
            assert b"BT" in content
        for piece in (b"cmd|", b"alert", b"evil", b"\x1b]"):
            assert piece not in content
    _check_sheet((hostile.folder / "year.csv").read_text(), "statement")


def test_files_stay_where_they_belong(hostile: Shell) -> None:
    """Untrusted names are never paths: every file written is in the ledger's folder."""
    hostile.ok("dispute", "evidence", "CL-H", "-o", "case.zip")
    hostile.ok("sessions", "calendar", "-o", "sessions.ics")
    expected = re.compile(
        r"ledger\.db(\.vault|\.key|-wal|-shm)?|home|.*\.(toml|jsonl|vtt|html|zip|ics)"
    )
    assert all(expected.fullmatch(path.name) for path in hostile.folder.iterdir())
    vault = hostile.folder / "ledger.db.vault"
    files = [path for path in vault.rglob("*") if path.is_file()]
    assert len(files) == 2
    assert all(re.fullmatch("[0-9a-f]{64}", path.name) for path in files)


@pytest.mark.parametrize(
    "argv",
    [
        ("requests", "list", "--csv"),
        ("preferences", "export"),
        ("earnings", "statement", "2026"),
        ("dispute", "evidence", "CL-H"),
        ("sessions", "calendar"),
    ],
    ids=lambda argv: argv[1],
)
def test_no_output_goes_through_a_link(hostile: Shell, argv: tuple[str, ...]) -> None:
    """An output path that is a link is refused: its target belongs to someone else."""
    suffix = {"statement": ".html", "evidence": ".zip"}.get(argv[1], ".txt")
    target = hostile.file(f"precious{suffix}", "precious")
    link = hostile.folder / f"link{suffix}"
    for to in (target, hostile.folder / "nowhere", link):
        link.unlink(missing_ok=True)
        link.symlink_to(to)
        ran = hostile.run(*argv, "-o", link)
        assert ran.code == 74, ran
        assert link.is_symlink()
        assert target.read_text() == "precious"
        assert not (hostile.folder / "nowhere").exists()
    assert _parts(hostile.folder) == []


def _parts(folder: Path) -> list[Path]:
    return list(folder.glob(".*.part"))


# --- texts of one kind ----------------------------------------------------------------------------


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


def test_a_spreadsheet_runs_nothing(empty: Shell) -> None:
    """Text that a spreadsheet would run is neutralised in CSV, and only there."""
    texts = (FORMULA, "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\uff1d1")
    lines = [
        opened(f"R-{number}", f"10-05 09:0{number}", customer={"id": "C-1"}, title=text)
        for number, text in enumerate(texts)
    ]
    empty.ok("sync", feed(empty, "formulas.jsonl", *lines))
    for row in csv.reader(io.StringIO(empty.output_of("requests", "list", "--all", "--csv"))):
        for cell in row:
            assert cell.lstrip(" ")[:1] not in tuple("=+-@\uff1d\t"), cell
    titles = empty.output_of("requests", "list", "--all", "--field", "title")
    assert titles.splitlines() == [text.replace("\t", " ") for text in texts]
    assert [row["title"] for row in empty.ok("requests", "list", "--all")] == list(texts)


@pytest.mark.slow
def test_a_title_of_a_megabyte(empty: Shell) -> None:
    """Nothing is cut off, and nothing takes long."""
    title = "x\x1b]\u202e" * 60_000
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
    given = {"customer": {"id": "C-1", "name": text}, "title": text}
    empty.ok("sync", feed(empty, "scripts.jsonl", opened("R-1", "10-05 09:00", **given)))
    shown = empty.output_of("requests", "show", "R-1", "--fields", "title,customer.name")
    assert shown == f"{text}\t{text}\n"
    assert empty.ok("requests", "show", "R-1")["title"] == text


def test_ids_are_plain(empty: Shell) -> None:
    """An id is letters, digits and four punctuation marks; others are refused from any source."""
    argv = ("requests", "add", "--customer", "C-1", "--title", "x", "--rate", "3")
    for name in ("a b", "", "x" * 65, "é", "a/b", "a\n", "a\x00", "'; DROP TABLE event; --", "<b>"):
        assert empty.run("sync", feed(empty, "bad.jsonl", opened(name, "10-05 09:00"))).code == 1
        assert empty.run(*argv, f"--id={name}").code == 1
        assert empty.run(*argv[:2], *argv[4:], "--customer", name).code == 1
    assert empty.ok("requests", "list", "--all") == []


# --- what is looked at ----------------------------------------------------------------------------


def _check_clean(text: str, what: str) -> None:
    for pattern in (FORBIDDEN, MISLEADING):
        match = pattern.search(text)
        assert not match, (what, ascii(text[max(0, match.start() - 40) : match.end() + 9]))


def _check_sheet(text: str, what: str) -> None:
    """No cell begins like a formula, whichever of the two signs parts cells."""
    for delimiter in (",", ";"):
        for row in csv.reader(io.StringIO(text), delimiter=delimiter):
            for cell in row:
                bare = cell.lstrip(" ")
                number = re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", bare.partition(",")[0])
                assert number or bare[:1] not in tuple("=+-@\t"), (what, delimiter, cell[:80])


def _check_table(text: str, delimiter: str) -> None:
    """No tab and no line break gets into a cell."""
    widths = {len(row) for row in csv.reader(io.StringIO(text), delimiter=delimiter)}
    assert len(widths) <= 1


def _unfolded(text: str) -> str:
    """Join the folded lines of a calendar, whose line endings are CRLF as the standard says."""
    return text.replace("\r\n ", "").replace("\r\n", "\n")
