"""Statements: the same figures on the page, on paper and in rows, verified by the ledger."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
import subprocess
from decimal import Decimal
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from liveportal.domain.statement import Document, seal_of
from liveportal.exports import statement_1
from liveportal.exports.statement import negated, sections_of
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries import statement as queries
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


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a statement's CSV, each with all columns of the header."""
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8"))))
    assert {len(row) for row in rows} == {len(rows[0])}, "it is not ragged"
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


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
    for name in ("gross", "earned", "tips", "net", "minutes"):
        assert month[name] in cells, name
    for name in ("platform_fee", "deducted"):
        assert negated(month[name]) in cells, name
    for amount in month["balance"].values():
        assert amount in cells
    rows = rows_of(_written(states, "csv"))
    summary = {row["item"]: row["value"] for row in rows if row["row"] == "summary"}
    for name in ("gross", "platform_fee", "earned", "net"):
        assert summary[name] == month[name]
    assert summary["balance.owed"] == month["balance"]["owed"]
    booked = states.ok("earnings", "transactions", "--month", "2026-10")
    assert [row["transaction"] for row in rows if row["row"] == "transaction"] == [
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
    assert "No sessions in this period." in (october.folder / "2026-12.html").read_text("utf-8")


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


# --- whom it is about -----------------------------------------------------------------------------


@every_format
def test_it_names_payee_and_platform(states: Shell, suffix: str) -> None:
    """As given, in every format; it verifies with them, whatever letters they have."""
    path = states.folder / f"named.{suffix}"
    names = ("--payee", "Ana Zoë & <Söhne>; =1+1", "--platform", "Help (Inc.)")
    row = states.ok("earnings", "statement", "2026-10", "-o", path, *names)
    assert (row["payee"], row["platform"]) == names[1::2]
    assert states.ok("ledger", "verify", "--statement", path)["statement"] == "2026-10"
    if suffix == "pdf":
        return
    text = path.read_text("utf-8")
    shown = "Ana Zoë &amp; &lt;Söhne&gt;; =1+1" if suffix == "html" else "Ana Zoë & <Söhne>;' =1+1"
    assert shown in text
    assert "Help (Inc.)" in text
    path.write_text(text.replace("Help (Inc.)", "Help (Ltd.)"), "utf-8")
    assert states.refuses(6, "ledger", "verify", "--statement", path)["code"] == "statement_changed"
    path.write_text(text.replace("Help+%28Inc.%29", "Help+%28Ltd.%29"), "utf-8")
    assert states.refuses(6, "ledger", "verify", "--statement", path)["code"] == "statement_changed"


def test_the_names_come_from_the_payout_profile_and_the_policy(states: Shell) -> None:
    """Unless they are given or left out; without a profile a hint names the option."""
    none = states.run("earnings", "statement", "2026-10", "-o", "x.html", terminal=True)
    assert "Name the payee with --payee." in none.err
    assert "<dt>Payee</dt><dd>not named</dd>" in (states.folder / "x.html").read_text("utf-8")
    states.ok("payout", "profile", "set", "--name", "Ana Kova")
    row = states.ok("earnings", "statement", "2026-10", "-o", "x.html")
    assert (row["payee"], row["platform"]) == ("Ana Kova", "Unity Live Help")
    row = states.ok("earnings", "statement", "2026-10", "-o", "x.html", "--payee", "")
    assert row["payee"] is None
    states.ok("payout", "profile", "set", "--name", "Ana Novak")
    states.ok("earnings", "statement", "2026-10", "-o", "y.html", "--payee", "Ana Kova")
    assert states.ok("ledger", "verify", "--statement", "y.html")["ok"] is True


def test_a_pdf_has_latin_letters_only(october: Shell) -> None:
    """The font has no others: a name that it cannot show is refused, and a page is not."""
    names = ("--payee", "\u674e\u660e")
    october.refuses(2, "earnings", "statement", "2026-10", "-o", "x.pdf", *names)
    assert not (october.folder / "x.pdf").exists()
    october.ok("earnings", "statement", "2026-10", "-o", "x.html", *names)
    assert "\u674e\u660e" in (october.folder / "x.html").read_text("utf-8")
    assert october.ok("ledger", "verify", "--statement", "x.html")["ok"] is True


def test_it_says_by_which_time_and_rules(states: Shell) -> None:
    """Period, zone and rules in words; times in the zone of the platform, to the second."""
    page = _written(states, "html").read_text("utf-8")
    for text in (
        *("Statement of earnings, October 2026", "1 October 2026 to 31 October 2026"),
        *("The platform keeps 30 % of what customers pay.", "Policy unity-live-help."),
        *("A session counts in the month in which it ends, everything else", "Time (UTC)"),
    ):
        assert text in page
    assert not re.search(r"\d\dT\d\d:", page), "no time of a machine"
    (first, *_) = (row for row in rows_of(_written(states, "csv")) if row["row"] == "transaction")
    assert first["local_time"] == first["time"].replace("T", " ").removesuffix("Z")
    assert first["timezone"] == "UTC"
    assert first["currency"] == "USD"


# --- totals ---------------------------------------------------------------------------------------


def _document(shell: Shell, name: str) -> Document:
    with open_readonly(shell.ledger) as reader:
        return queries.statement(reader, name)


@pytest.mark.parametrize("name", ["2026-10", "2026-11", "2026-12", "2026"])
def test_totals_add_up(states: Shell, name: str) -> None:
    """Each table by itself, and to the summary, the balances and the other tables."""
    states.ok("sessions", "tip", "S-1002", "5.00", "--at", "2026-10-31 12:00")
    document = _document(states, name)
    summary = document["summary"]
    sections = {section.title: section for section in sections_of(document)}
    gross, fee, earned, *more = (Decimal(value) for _, value in sections["Income"].rows)
    assert gross + fee == earned
    assert earned + sum(more) == Decimal(sections["Income"].total[1]) == Decimal(summary["net"])
    for title in ("Sessions", "Transactions", "Month by month"):
        section = sections.get(title)
        for place, column in enumerate(section.columns if section and section.rows else ()):
            assert section
            if column.is_summed:
                total = sum(Decimal(row[place]) for row in section.rows)
                assert total == Decimal(section.total[place]), column.heading
    balances = sections["Balance with the platform"]
    start, change, end = (list(column) for column in list(zip(*balances.rows, strict=True))[1:])
    for place in range(4):
        assert Decimal(start[place]) + Decimal(change[place]) == Decimal(end[place])
    assert Decimal(balances.total[2]) == Decimal(summary["net"])
    if sections["Transactions"].rows:
        *_, amount, owed = sections["Transactions"].total
        assert (Decimal(amount), Decimal(owed)) == (Decimal(summary["net"]), Decimal(change[0]))
    if sections["Sessions"].rows:
        assert sections["Sessions"].total[-4:-1] == [
            summary["gross"],
            summary["platform_fee"],
            summary["earned"],
        ]


def test_a_row_of_the_csv_has_the_total(states: Shell) -> None:
    """The total is that of the transactions, and the balance at the start is beside the end's."""
    rows = rows_of(_written(states, "csv"))
    (total,) = (row for row in rows if row["row"] == "total")
    for field in ("gross", "fee", "amount", "owed"):
        booked = [Decimal(row[field]) for row in rows if row["row"] == "transaction"]
        assert sum(booked) == Decimal(total[field])
    values = {row["item"]: row["value"] for row in rows if row["item"]}
    change = Decimal(values["balance.owed"]) - Decimal(values["opening.owed"])
    assert change == Decimal(total["owed"])
    assert values["payee"] == "not named"
    (empty,) = (row for row in rows_of(_written(states, "csv", "2026-12")) if row["row"] == "total")
    assert empty["amount"] == "0.00"
    assert all(row["label"] for row in rows)


# --- statements of earlier versions ---------------------------------------------------------------


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("corrected", [False, True])
def test_a_statement_of_an_earlier_version_still_verifies(
    states: Shell, suffix: str, corrected: bool
) -> None:
    """Its format is written again as it was; a change is found in it as in a new one."""
    if corrected:
        correction = ("--billed", "1.00", "--reason", "x", "--at", "2026-10-31 09:00")
        states.ok("sessions", "correct", "S-1002", *correction)
    with open_readonly(states.ledger) as reader:
        document = queries._older_statement(reader, "2026-10")  # noqa: SLF001 -- Nothing else makes one.
    assert document["form"] == f"liveportal.statement.v{2 if corrected else 1}"
    path = states.folder / f"old.{suffix}"
    if suffix == "pdf":
        content = f"%PDF {seal_of(document)}\n".encode()
        digest = hashlib.sha256(content).hexdigest().encode()
        path.write_bytes(content + b"%liveportal-sha256 " + digest + b"\n")
    else:
        write = statement_1.to_csv if suffix == "csv" else statement_1.to_html
        path.write_text(write(document), "utf-8")
    states.ok("sessions", "tip", "S-1002", "5.00", "--at", "2026-10-31 12:00")
    assert states.ok("ledger", "verify", "--statement", path)["statement"] == "2026-10"
    path.write_bytes(path.read_bytes().replace(b"%PDF", b"%pdf").replace(b"earning", b"Earning"))
    assert states.refuses(6, "ledger", "verify", "--statement", path)["code"] == "statement_changed"


def test_what_earlier_versions_wrote_never_changes() -> None:
    """The bytes of both files of a fixed document, as they were written then."""
    row = dict.fromkeys((*statement_1.LABELS, *statement_1.TAX, "month", "currency"), "1.00")
    month = {**row, "timezone": "UTC", "balance": dict.fromkeys(statement_1.BALANCE, "2.00")}
    session = dict.fromkeys(statement_1.SESSION_COLUMNS, "3.00")
    document = {
        "form": "liveportal.statement.v2",
        "name": "2026",
        "timezone": "UTC",
        "currency": "USD",
        "policy": "p",
        "events": 7,
        "head": "ab" * 32,
        "summary": month,
        "months": [month, month],
        "sessions": [{**session, "kind": "x"}],
        "transactions": [dict.fromkeys(statement_1.TRANSACTION_COLUMNS, "=4.00")],
        "tax": {**row, "form": "F", "counts": "All.", "looked_up": "2026-01-01"},
    }
    hashes = [
        hashlib.sha256(write(document).encode()).hexdigest()
        for write in (statement_1.to_html, statement_1.to_csv)
    ]
    assert hashes == [
        "166c6ae47b898c486d585b79121624414a51a5b26110c7f6edec3fc49c451372",
        "9133fb98cc69c2a61c442c84c8db478f3f1cb7e46dd5c9e1de6374d0dea10909",
    ]
