"""A statement as a PDF: the figures of the HTML page on A4, with page numbers.

The same document gives the same bytes with the same version of fpdf2. The file ends with its own
hash, so that a change is detected with any other version, too.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from liveportal.domain.statement import Document, seal_of
from liveportal.domain.text import clean
from liveportal.exports.statement import Section, facts_of, proof, sections_of, title_of

if TYPE_CHECKING:
    from fpdf import FPDF

FONT = "Helvetica"  # A standard PDF font, which has the letters of Latin-1.
OWN_HASH = b"%liveportal-sha256 "
_CREATED = datetime(2000, 1, 1, tzinfo=UTC)  # Fixed, so that equal documents give equal files.
_WIDTHS = {"label": 70, "time": 27, "number": 17}  # In mm, by field or style; others are 19.
_NARROW = 4
"""Tables with at most this many columns are not as wide as the page."""


def has_letters(text: str) -> bool:
    """Return True if the font has all letters of a text."""
    return _shown(text) == clean(text)


def _shown(text: object) -> str:
    """Return a text in the letters of the font; others become question marks."""
    return clean(str(text)).encode("latin-1", "replace").decode("latin-1")


def pdf(document: Document) -> bytes:
    """Return a statement as a PDF."""
    from fpdf import FPDF

    title = title_of(document)

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
    for label, text in facts_of(document):
        _paragraph(paper, f"{label}: {text}")
    for section in sections_of(document):
        _table(paper, section)
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
    paper.multi_cell(0, 5, _shown(text), align="L", new_x="LMARGIN", new_y="NEXT")


def _table(paper: FPDF, section: Section) -> None:
    paper.ln(4)
    _heading(paper, section.title, 11)
    if not section.rows:
        _paragraph(paper, section.empty)
        return
    columns = section.columns
    is_narrow = len(columns) <= _NARROW
    widths = [_WIDTHS.get(column.field) or _WIDTHS.get(column.style, 19) for column in columns]
    if is_narrow:
        widths = [70, *[25] * (len(columns) - 1)]
    paper.set_font(FONT, size=9 if is_narrow else 7)
    with paper.table(
        width=sum(widths) if is_narrow else None,
        col_widths=tuple(widths),
        text_align=tuple("RIGHT" if c.style == "number" else "LEFT" for c in columns),
        align="LEFT",
        borders_layout="HORIZONTAL_LINES",
        line_height=5 if is_narrow else 4,
        padding=0.5,
    ) as table:
        table.row([column.heading for column in columns])
        for row in section.rows:
            table.row([_shown(text) for text in row])
        if section.total:
            paper.set_font(style="B")
            table.row([_shown(text) for text in section.total])
    paper.set_font(FONT)
    for note in section.notes:
        _paragraph(paper, note)
