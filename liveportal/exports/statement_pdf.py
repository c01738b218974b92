"""A statement as a PDF: the figures of the HTML page on A4, with page numbers.

The same document gives the same bytes with the same version of fpdf2. The file ends with its own
hash, so that a change is detected with any other version, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from liveportal.domain.statement import Document, seal_of
from liveportal.exports.statement import (
    BALANCE,
    LABELS,
    TAX,
    about,
    label_values,
    month_columns,
    proof,
    session_columns,
    transaction_columns,
)

if TYPE_CHECKING:
    from fpdf import FPDF

FONT = "Helvetica"  # A standard PDF font: a statement is ASCII only.
OWN_HASH = b"%liveportal-sha256 "
_CREATED = datetime(2000, 1, 1, tzinfo=UTC)  # Fixed, so that equal documents give equal files.
_WIDTHS = {"time": 32, "start": 32, "end": 32, "transaction": 18}  # In mm; other columns are 16.
_NUMBER_COLUMNS = frozenset(
    {
        *("minutes", "rate", "gross", "fee", "earned", "amount", "owed", "sessions", "net", "tips"),
        *("platform_fee", "deducted", "transaction", "transfer_fee", "transfer_fees"),
    }
)


def pdf(document: Document) -> bytes:
    """Return a statement as a PDF."""
    from fpdf import FPDF

    title = f"Statement of earnings, {document['name']}"

    class Pages(FPDF):
        """A PDF with numbered pages."""

        def footer(self) -> None:
            self.set_y(-12)
            self.set_font(FONT, size=8)
            self.cell(0, 8, f"{title}, page {self.page_no()}", align="C")

    paper = Pages(format="A4")
    paper.set_creation_date(_CREATED)
    paper.set_title(title)
    paper.set_lang("en")
    paper.set_keywords(str(seal_of(document)))
    paper.set_auto_page_break(auto=True, margin=16)
    paper.add_page()
    _heading(paper, title, 16)
    _paragraph(paper, about(document))
    summary = document["summary"]
    _pair_table(paper, "Summary", label_values(LABELS, summary))
    _pair_table(paper, "Balance at the end", label_values(BALANCE, summary["balance"]))
    if len(document["months"]) > 1:
        _table(paper, "Month by month", month_columns(document), document["months"])
    if tax := document.get("tax"):
        _pair_table(paper, "For the tax return", label_values(TAX, tax))
        _paragraph(paper, f"{tax['form']}: {tax['counts']} Looked up on {tax['looked_up']}.")
    _table(paper, "Sessions", session_columns(document), document["sessions"])
    _table(paper, "Transactions", transaction_columns(document), document["transactions"])
    paper.ln(6)
    for line in proof(document):
        _paragraph(paper, line)
    content = bytes(paper.output())
    return content + OWN_HASH + hashlib.sha256(content).hexdigest().encode() + b"\n"


def is_unchanged(content: bytes) -> bool:
    """Return True if a PDF ends with its own hash."""
    content_before, marker, digest = content.rpartition(OWN_HASH)
    expected = hashlib.sha256(content_before).hexdigest().encode() + b"\n"
    return bool(marker) and digest == expected


def _heading(paper: FPDF, text: str, size: int) -> None:
    paper.set_font(FONT, "B", size)
    paper.multi_cell(0, size * 0.6, text, new_x="LMARGIN", new_y="NEXT")


def _paragraph(paper: FPDF, text: str) -> None:
    paper.set_font(FONT, size=9)
    paper.multi_cell(0, 5, text, align="L", new_x="LMARGIN", new_y="NEXT")


def _pair_table(paper: FPDF, title: str, pairs: Sequence[tuple[str, object]]) -> None:
    paper.ln(4)
    _heading(paper, title, 11)
    paper.set_font(FONT, size=9)
    with paper.table(
        width=110,
        col_widths=(70, 40),
        text_align=("LEFT", "RIGHT"),
        align="LEFT",
        first_row_as_headings=False,
        borders_layout="HORIZONTAL_LINES",
        line_height=5,
    ) as table:
        for label, value in pairs:
            table.row((label, str(value)))


def _table(paper: FPDF, title: str, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    paper.ln(4)
    _heading(paper, title, 11)
    if not rows:
        _paragraph(paper, "None.")
        return
    paper.set_font(FONT, size=7)
    align = tuple("RIGHT" if name in _NUMBER_COLUMNS else "LEFT" for name in columns)
    with paper.table(
        col_widths=tuple(_WIDTHS.get(name, 16) for name in columns),
        text_align=align,
        borders_layout="HORIZONTAL_LINES",
        line_height=4,
        padding=0.5,
    ) as table:
        table.row([name.replace("_", " ") for name in columns])
        for row in rows:
            table.row(["" if row.get(name) is None else str(row[name]) for name in columns])
