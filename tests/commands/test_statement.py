"""Statements: the same figures on the page, on paper and in rows, verified by the ledger."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from tests.commands.test_sync import feed, opened

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kit.shell import Shell

pytestmark = pytest.mark.slow

FORMATS = ("html", "pdf", "csv")
every_format = pytest.mark.parametrize("suffix", FORMATS)


class Cells(HTMLParser):
    """The texts of a page's cells, and its links to anything outside."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.outside: list[str] = []
        self._within = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record a cell, and anything that would be loaded."""
        self._within = tag in ("td", "th")
        self.outside += [str(value) for name, value in attrs if name in ("src", "href")]
        assert tag != "script"

    def handle_data(self, data: str) -> None:
        """Keep the text of a cell."""
        if self._within and data.strip():
            self.cells.append(data.strip())


def _written(shell: Shell, suffix: str, period: str = "2026-10") -> Path:
    path = shell.folder / f"{period}.{suffix}"
    shell.ok("earnings", "statement", period, "-o", path)
    return path


@every_format
def test_the_same_ledger_gives_the_same_bytes_and_proves_them(states: Shell, suffix: str) -> None:
    """Also after the ledger has grown; the file is its owner's alone."""
    path = _written(states, suffix)
    first = path.read_bytes()
    assert _written(states, suffix).read_bytes() == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert states.ok("ledger", "verify", "--statement", path)["statement"] == "2026-10"
    states.ok("sessions", "tip", "S-1002", "5.00", "--at", "2026-10-31 12:00")
    assert states.ok("ledger", "verify", "--statement", path)["statement"] == "2026-10"
    assert _written(states, suffix).read_bytes() != first


@pytest.mark.parametrize("suffix", ["html", "csv"])
def test_a_changed_figure_is_found(october: Shell, suffix: str) -> None:
    """Any change of the file: exit 6, and the ledger is reported as sound."""
    path = _written(october, suffix)
    changed = path.read_bytes().replace(b"210.55", b"310.55")
    assert changed != path.read_bytes()
    path.write_bytes(changed)
    assert october.refuses(6, "ledger", "verify", "--statement", path)["code"] == (
        "statement_changed"
    )


def test_every_byte_of_a_pdf_counts(october: Shell) -> None:
    """A byte that was changed anywhere, the seal included, is found."""
    path = _written(october, "pdf")
    whole = path.read_bytes()
    for place in (*range(0, len(whole), max(1, len(whole) // 12)), len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert october.run("ledger", "verify", "--statement", path).code in (1, 6), place


def test_another_ledger_does_not_prove_it(october: Shell, made: Path) -> None:
    """The head of its journal is another."""
    path = _written(october, "html")
    other = october.folder / "other.db"
    shutil.copyfile(made / "states", other)
    error = october.refuses(6, "ledger", "verify", "--ledger", other, "--statement", path)
    assert error["code"] == "statement_changed"


def test_what_is_no_statement(october: Shell) -> None:
    """Each kind is named in the error, and nothing is written."""
    note = october.file("note.html", "<p>hello</p>")
    assert october.refuses(1, "ledger", "verify", "--statement", note)["code"] == "not_a_statement"
    missing = october.folder / "missing.pdf"
    error = october.refuses(1, "ledger", "verify", "--statement", missing)
    assert error["code"] == "unreadable_file"
    assert october.run("earnings", "statement", "2026-10", "-o", "x.doc").code == 2
    assert october.refuses(74, "earnings", "statement", "2026-10", "-o", "missing/x.html")
    assert october.refuses(1, "earnings", "statement", "soon", "-o", "x.csv")["code"] == (
        "invalid_month"
    )


def test_its_figures_are_those_of_earnings(states: Shell) -> None:
    """Page, rows and `earnings --json` agree on the month and the year."""
    month = states.ok("earnings", "--month", "2026-10")
    cells = Cells(_written(states, "html").read_text("utf-8")).cells
    for name in ("gross", "platform_fee", "earned", "deducted", "tips", "net", "minutes"):
        assert month[name] in cells, name
    for amount in month["balance"].values():
        assert amount in cells
    rows = list(csv.reader(io.StringIO(_written(states, "csv").read_text("utf-8"))))
    summary = {row[1]: row[2] for row in rows if row[0] == "summary"}
    for name in ("gross", "platform_fee", "earned", "net"):
        assert summary[name] == month[name]
    assert summary["balance.owed"] == month["balance"]["owed"]
    booked = states.ok("earnings", "transactions", "--month", "2026-10")
    assert [row[1] for row in rows if row[0] == "transaction"] == [
        str(row["transaction"]) for row in booked
    ]


def test_a_year_says_what_tax_forms_ask_for(states: Shell) -> None:
    """Gross as a 1099-K counts it, before fees and refunds, with the threshold and its source."""
    states.ok("refunds", "concede", "CL-2", "--at", "2026-10-21 09:00", "--yes")
    year = states.ok("earnings", "--year", "2026")
    page = _written(states, "html", "2026").read_text("utf-8")
    assert "For the tax return" in page
    assert year["gross"] in Cells(page).cells
    assert "Fact Sheet 2025-08" in page
    assert "is not above" in page
    assert "<svg" in page
    assert "<desc" in page
    assert Cells(page).outside == []
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page


def test_nothing_personal_is_in_it(empty: Shell) -> None:
    """No title, no name: it can be shared, and verifies after a customer is forgotten."""
    given = {"customer": {"id": "C-1", "name": "CANARY"}, "title": "CANARY"}
    empty.ok("sync", feed(empty, "feed.jsonl", opened("R-1", "10-05 09:00", **given)))
    empty.ok("requests", "accept", "R-1", "--at", "2026-10-05 09:01")
    empty.ok("sessions", "end", "R-1", "--at", "2026-10-05 09:31")
    for suffix in FORMATS:
        assert b"CANARY" not in _written(empty, suffix).read_bytes()


def test_a_month_without_anything_is_a_statement(october: Shell) -> None:
    """Zeros, with the balance as it was."""
    for suffix in FORMATS:
        path = _written(october, suffix, "2026-12")
        assert october.ok("ledger", "verify", "--statement", path)["statement"] == "2026-12"
    assert "None." in (october.folder / "2026-12.html").read_text("utf-8")


def test_the_pages_of_the_pdf_hold_the_figures(states: Shell) -> None:
    """A PDF reader finds the net of the month on it."""
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("there is no pdftotext")
    path = _written(states, "pdf")
    text = subprocess.run([reader, path, "-"], capture_output=True, text=True, check=True).stdout
    assert states.ok("earnings", "--month", "2026-10")["net"] in text


def test_a_browser_shows_the_page(states: Shell) -> None:
    """Headless Chromium renders it, chart and all, and runs nothing."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next((program for name in names if (program := shutil.which(name))), None)
    if browser is None:
        pytest.skip("there is no Chromium")
    path = _written(states, "html", "2026")
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --dump-dom"
    still = "--disable-background-networking --disable-component-update --disable-sync"
    ran = subprocess.run(
        [
            browser,
            *flags.split(),
            *still.split(),
            f"--user-data-dir={states.folder}/c",
            f"file://{path}",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert re.search(r"<rect[^>]*class=\"net\"", ran.stdout)
    assert states.ok("earnings", "--year", "2026")["net"] in ran.stdout


def test_the_summary_of_the_command(october: Shell) -> None:
    """What it wrote, and by which head and digest it can be proved."""
    row = october.ok("earnings", "statement", "2026-10", "-o", "x.html")
    assert (row["statement"], row["net"], row["transactions"]) == ("2026-10", "210.55", 5)
    page = (october.folder / "x.html").read_text("utf-8")
    assert row["digest"] in page
    assert row["head"] in page
    assert json.dumps(row["events"]) in page
