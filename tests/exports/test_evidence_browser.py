"""A pack's page in a real browser: it shows its contents, runs nothing, and prints."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest

from liveportal.domain.case import Case, CaseMessage
from liveportal.exports.document import Document, to_html
from liveportal.exports.dossier import Figure, TimelineEntry, html
from liveportal.exports.evidence import LARGEST_FILE, manifest_fields, pack_entries
from liveportal.exports.exhibits import ExhibitRules
from liveportal.exports.pack import write_pack
from liveportal.exports.pages import CURRENT
from tests.exports.test_document import document
from tests.exports.test_dossier import HOSTILE, dossier
from tests.kit.pack_case import MESSAGES, case, file, happened

pytestmark = pytest.mark.slow

BROWSER = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    None,
)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
RULES = ExhibitRules(CURRENT, LARGEST_FILE)
WIDE = 37
"""Pixels: as wide as no icon of a browser."""

PROBES = (
    "<script>document.title='ran'</script>",
    "<img src=x onerror=\"document.title='ran'\">",
    '"><svg onload="document.title=\'ran\'"></svg>',
    "<style>main{display:none}</style>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv='refresh' content='0;url=https://evil.example/'>",
    "<iframe src='javascript:parent.document.title=1'></iframe>",
    "</title><script>document.title='ran'</script>",
)


def picture() -> bytes:
    """Return a PNG of one row of grey pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + crc

    header = struct.pack(">IIBBBBB", WIDE, 1, 8, 0, 0, 0, 0)
    row = zlib.compress(b"\0" + b"\x7f" * WIDE)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", header), chunk(b"IDAT", row), chunk(b"IEND", b""))
    )


def browse(folder: Path, page: Path, *flags: str) -> str:
    """Open a page in a separate browser, and return its output."""
    if BROWSER is None:
        pytest.skip("there is no Chromium on this machine")
    profile = folder / "profile"
    command = [BROWSER, *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    return done.stdout.decode()


def index(folder: Path, made: Case) -> Path:
    """Write the page of a case alone, and return where."""
    page = folder / "index.html"
    (content,) = (part.content for part in pack_entries(made, RULES) if part.name == page.name)
    assert isinstance(content, bytes)
    page.write_bytes(content)
    return page


def pages(content: bytes) -> int:
    """Return how many pages a PDF has."""
    assert content.startswith(b"%PDF-")
    return len(re.findall(rb"/Type\s*/Page\b", content))


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """Return the folder of a complete pack, with a picture and a file."""
    kept = (
        file(tmp_path, "before.png", picture(), "attachment", "image/png"),
        file(tmp_path, "Fix.shader", b"float4 x;", "code", "text/plain"),
    )
    made = case(kept=kept)
    pack = tmp_path / "pack.zip"
    with pack.open("wb") as stream:
        write_pack(stream, pack_entries(made, RULES), manifest_fields(made, RULES))
    with zipfile.ZipFile(pack) as archive:
        archive.extractall(tmp_path / "unpacked")
    return tmp_path / "unpacked"


def test_the_page_of_a_pack_shows_all_of_it(tmp_path: Path, unpacked: Path) -> None:
    """The browser's DOM has the timeline, the bill and the files."""
    seen = browse(tmp_path, unpacked / "index.html", "--dump-dom")
    for text in (
        *("Evidence on refund claim CL-1", "Not solved, says Mina", "saw it fixed at 14:17:03."),
        *("The timer was paused.", "It is fixed now, mina.", "2026-10-05 16:12:31", "12:31"),
        *("Length of the session", "21 min 0 s", "1 min 0 s", "42.00 USD", "Fix.shader"),
        *("Exhibit 1: before.png", "How to check this pack"),
    ):
        assert text in seen
    assert seen.count("<tr>") == 1 + 10 + 1 + 7 + 1 + 2


def test_the_page_finds_its_picture(tmp_path: Path, unpacked: Path) -> None:
    """The page's own rule lets it show the pictures that lie beside it, and prints them."""
    with_picture = tmp_path / "with.pdf"
    without = tmp_path / "without.pdf"
    browse(tmp_path, unpacked / "index.html", f"--print-to-pdf={with_picture}")
    (unpacked / "files" / "01-before.png").unlink()
    browse(tmp_path, unpacked / "index.html", f"--print-to-pdf={without}")
    assert f"/Width {WIDE}\n".encode() in with_picture.read_bytes()
    assert f"/Width {WIDE}\n".encode() not in without.read_bytes()
    assert pages(with_picture.read_bytes()) >= 1


def test_a_long_case_prints_on_several_pages(tmp_path: Path) -> None:
    """A session of many words is printed whole."""
    said = tuple(CaseMessage(MESSAGES[0].offset, "Ana", f"word {number}") for number in range(300))
    page = index(tmp_path, case(messages=said))
    pdf = tmp_path / "page.pdf"
    browse(tmp_path, page, f"--print-to-pdf={pdf}")
    assert pages(pdf.read_bytes()) > 3


def test_nothing_that_was_said_runs(tmp_path: Path) -> None:
    """A stranger's text is shown as it is, in every place."""
    probe = "".join(PROBES)
    made = case(
        reason=probe,
        title=probe,
        summary=probe,
        customer_name=probe,
        messages=tuple(CaseMessage(None, each, each) for each in PROBES),
        events=(happened(1, "10-05 14:00", "refund.claimed", reason=probe),),
        kept=tuple(file(tmp_path, each, b"x", "attachment", "image/png") for each in PROBES),
    )
    seen = browse(tmp_path, index(tmp_path, made), "--dump-dom")
    assert "<title>Evidence on refund claim CL-1</title>" in seen
    assert not re.search(r"<(script|svg|iframe|base)|refresh|\son\w+=\"", _without_text(seen))
    assert seen.count("<style>") == 1


def _without_text(seen: str) -> str:
    """Return a page's elements without the text between them."""
    return "".join(re.findall(r"<[^<>]*>", re.sub(r'(alt|href|src)="[^"]*"', "", seen)))


def test_every_hostile_text_leaves_the_page_as_it_is(tmp_path: Path) -> None:
    """The browser sees the same elements for every text."""
    outlines = set()
    for texts in (HOSTILE, ("x",) * len(HOSTILE)):
        page = tmp_path / "page.html"
        made = dossier(
            facts=tuple((text, text) for text in texts),
            timeline=tuple(TimelineEntry(None, text, text) for text in texts),
            figures=tuple(Figure(text, text, text) for text in texts),
        )
        blocks = tuple(block for text in texts for block in document(text).blocks)
        for content in (html(made), to_html(Document(texts[0], blocks))):
            page.write_text(content, "utf-8")
            seen = browse(tmp_path, page, "--dump-dom")
            outlines.add(tuple(re.findall(r"<(?!br)/?[a-z1-6]+", seen)))
    assert len(outlines) == 2, "one outline for each kind of page"
