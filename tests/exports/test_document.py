"""A document has the same contents as HTML and as Markdown, and no text in it is ever markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.text import clean
from liveportal.exports.document import (
    Cell,
    Document,
    Facts,
    Heading,
    Paragraph,
    Picture,
    Steps,
    Table,
    columns,
    to_html,
    to_markdown,
)
from tests.exports.test_dossier import HOSTILE, cells, unescaped
from tests.kit.events import at, short


def document(text: str) -> Document:
    """Return a document with this text in every place where a stranger's text can be."""
    rows = (
        (
            Cell("2026-10-05 16:00:00", instant=at("10-05 14:00")),
            Cell(text, link="files/01-x.png", note=text),
        ),
        (Cell(text, is_code=True), Cell(text)),
    )
    heads = columns("Time", "What", styles=("time", "number"))
    return Document(
        text,
        (
            Heading("The claim"),
            Paragraph(f"Reason: {text}"),
            Facts((("Reason", text), ("Answer", text))),
            Table("All of them.", heads, rows, "None."),
            Table("None of them.", heads, (), f"None: {text}"),
            Steps((f"Read {text}", "Compare it")),
            Picture("files/01-x.png", f"Exhibit 1: {text}"),
        ),
    )


class Page(HTMLParser):
    """Reads a page's elements and the texts between them, as a browser does."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.texts: list[str] = []
        self._within: list[str] = []
        self.feed(page)
        self.close()
        assert self._within == [], "every element ends"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, and that it can neither run nor load anything from outside."""
        for name, value in attrs:
            assert not name.startswith("on")
            if name in ("src", "href"):
                assert str(value).startswith("files/")
        if tag == "img":
            self.texts += [str(value) for name, value in attrs if name == "alt"]
        if tag == "br":
            self.texts.append("")
            return
        self.tags.append(tag)
        if tag not in ("img", "meta"):
            self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element, which must be this one."""
        assert self._within.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep the text of the body."""
        if "body" in self._within and data.strip():
            self.texts.append(data)


@pytest.mark.parametrize("text", HOSTILE, ids=short)
def test_no_text_is_ever_more_than_text(text: str) -> None:
    """For any text by a stranger both files have the same structure."""
    page, plain = Page(to_html(document(text))), Page(to_html(document("x")))
    assert page.tags == plain.tags
    written, model = to_markdown(document(text)), to_markdown(document("x"))
    assert written.replace("\n", "").isprintable()
    for line, other in zip(written.splitlines(), model.splitlines(), strict=True):
        assert line[:2] == other[:2]
        assert len(cells(line)) == len(cells(other))


@given(st.text(max_size=60))
def test_any_text_is_shown_as_it_is_in_both(text: str) -> None:
    """The same texts in the same places, cleaned; lines are joined where Markdown has no room."""
    shown = "".join("".join(Page(to_html(document(text))).texts).split())
    for line in filter(str.strip, to_markdown(document(text)).splitlines()):
        if set(line) <= set("|-: "):
            continue
        for part in cells(line) if line.startswith("| ") else [line]:
            said = re.sub(r"\((?:<|\\<)?files/01-x\.png(?:>|\\>)?\)", "", part)
            said = re.sub(r"^(#+|-|[0-9]\.|!)\s*", "", said) if part is line else said
            for word in re.findall(r"[A-Za-z0-9]{3,}", unescaped(said)):
                assert word in shown
    assert "".join(clean(text).split()) in shown


def test_a_page_runs_nothing_and_requests_nothing() -> None:
    """No script, no external style, no request; it is styled for print and for the dark."""
    page = to_html(document("x"))
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' file:;" in page
    assert page.index("Content-Security-Policy") < page.index("<style>")
    assert not re.search(r"<script|https?:|\son\w+=|url\(|@import|<link|<iframe", page)
    assert "@media print" in page
    assert "color-scheme: light dark" in page


def test_an_empty_table_is_a_sentence() -> None:
    """In both files, with the words of the document."""
    assert "<p>None: x</p>" in to_html(document("x"))
    assert "\nNone: x\n" in to_markdown(document("x"))
