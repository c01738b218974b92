"""A document as blocks, written as an HTML page and as Markdown.

Both are written from the same blocks, so they have the same content. Every text may be hostile: it
is cleaned here, and escaped for the format. This module is part of page format 3 (`pages`): what it
writes never changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from itertools import starmap

from liveportal.domain.frozen import frozen
from liveportal.domain.text import clean

_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~&])")
_CSP_REST = "base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
table { border-collapse: collapse; width: 100%; font-size: .94em; }
caption { text-align: left; padding-bottom: .4rem; }
th, td { border-bottom: 1px solid #8886; padding: .3rem .6rem; text-align: left;
  vertical-align: top; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
td { min-width: 9rem; } td.number, td.time { min-width: 0; }
td.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: minmax(10rem, max-content) 1fr; gap: .3rem 1.2rem; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
code { font-size: .85em; overflow-wrap: anywhere; } img { max-width: 100%; }
figure { margin: 1.5rem 0; } figcaption { font-size: .9em; }
@media (max-width: 40rem) { dl { display: block; } dd { margin-bottom: .5rem; }
  table { display: block; overflow-x: auto; } }
@media print {
  body { font-size: 10pt; margin: 0; max-width: none; padding: 0; }
  h2 { break-after: avoid; } tr, figure { break-inside: avoid; }
  thead { display: table-header-group; } td { min-width: 0; }
  a { color: inherit; text-decoration: none; }
}
"""


@frozen
class Column:
    """A column of a table: its heading, and its style (`number`, `time` or empty)."""

    heading: str
    style: str = ""


@frozen
class Cell:
    """A cell of a table.

    `link` is the path of a file of the pack, `note` a remark below the text. `instant` is given to
    programs that read the page, and `is_code` sets a hash in a monospaced font.
    """

    text: str
    link: str | None = None
    note: str = ""
    instant: datetime | None = None
    is_code: bool = False


@frozen
class Heading:
    """The heading of a section."""

    text: str


@frozen
class Paragraph:
    """A paragraph of text."""

    text: str


@frozen
class Facts:
    """Labels, each with a text."""

    pairs: tuple[tuple[str, str], ...]


@frozen
class Steps:
    """A numbered list."""

    texts: tuple[str, ...]


@frozen
class Table:
    """A table with its caption; `empty` replaces a table without rows."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str


@frozen
class Picture:
    """A picture of the pack, with its caption."""

    file: str
    caption: str


Block = Heading | Paragraph | Facts | Steps | Table | Picture


@frozen
class Document:
    """A title and the blocks below it."""

    title: str
    blocks: tuple[Block, ...]


# --- HTML -----------------------------------------------------------------------------------------


def to_html(document: Document) -> str:
    """Return a document as one self-contained HTML page without scripts, suitable for printing."""
    body = "\n".join(_html_block(block) for block in document.blocks)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; img-src 'self' file:; {_CSP_REST}">
<title>{_escape(document.title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{_escape(document.title)}</h1>
{body}
</main>
</body>
</html>
"""


def _html_block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"<h2>{_escape(text)}</h2>"
        case Paragraph(text):
            return f"<p>{_html_lines(text)}</p>"
        case Facts(pairs):
            return "\n".join(["<dl>", *starmap(_html_fact, pairs), "</dl>"])
        case Steps(texts):
            items = (f"<li>{_escape(text)}</li>" for text in texts)
            return "<ol>\n" + "\n".join(items) + "\n</ol>"
        case Table():
            return _html_table(block)
        case Picture(file, caption):
            return (
                f'<figure><img src="{escape(file)}" alt="{_escape(caption)}">'
                f"<figcaption>{_escape(caption)}</figcaption></figure>"
            )


def _html_fact(label: str, text: str) -> str:
    return f"<dt>{_escape(label)}</dt><dd>{_html_lines(text)}</dd>"


def _html_table(table: Table) -> str:
    if not table.rows:
        return f"<p>{_escape(table.empty)}</p>"
    heads = "".join(
        f'<th scope="col"{_style(column)}>{_escape(column.heading)}</th>'
        for column in table.columns
    )
    rows = "\n".join(
        "<tr>"
        + "".join(
            f"<td{_style(column)}>{_html_cell(cell)}</td>"
            for column, cell in zip(table.columns, row, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    return (
        f"<table><caption>{_escape(table.caption)}</caption>\n<thead><tr>{heads}</tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody></table>"
    )


def _style(column: Column) -> str:
    return f' class="{column.style}"' if column.style else ""


def _html_cell(cell: Cell) -> str:
    text = _html_lines(cell.text)
    if cell.link is not None:
        text = f'<a href="{escape(cell.link)}">{text}</a>'
    if cell.instant is not None:
        text = f'<time datetime="{cell.instant.isoformat()}">{text}</time>'
    if cell.is_code:
        text = f"<code>{text}</code>"
    return f"{text}<br><em>{_escape(cell.note)}</em>" if cell.note else text


def _escape(text: str) -> str:
    return escape(clean(text))


def _html_lines(text: str) -> str:
    return "<br>".join(_escape(line) for line in text.splitlines())


# --- Markdown -------------------------------------------------------------------------------------


def to_markdown(document: Document) -> str:
    """Return a document as Markdown, for terminals and tickets."""
    blocks = (_markdown_block(block) for block in document.blocks)
    return "\n\n".join([f"# {_escape_md(document.title)}", *blocks]) + "\n"


def _markdown_block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"## {_escape_md(text)}"
        case Paragraph(text):
            return _escape_md(text)
        case Facts(pairs):
            return "\n".join(f"- {_escape_md(label)}: {_escape_md(text)}" for label, text in pairs)
        case Steps(texts):
            return "\n".join(f"{n}. {_escape_md(text)}" for n, text in enumerate(texts, 1))
        case Table():
            return _markdown_table(block)
        case Picture(file, caption):
            return f"![{_escape_md(caption)}]({file})"


def _markdown_table(table: Table) -> str:
    if not table.rows:
        return _escape_md(table.empty)
    heads = [_escape_md(column.heading) for column in table.columns]
    rules = ["---:" if column.style == "number" else "---" for column in table.columns]
    rows = [heads, rules, *(list(map(_markdown_cell, row)) for row in table.rows)]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{_escape_md(table.caption)}\n\n{lines}"


def _markdown_cell(cell: Cell) -> str:
    text = _escape_md(cell.text)
    if cell.link is not None:
        text = f"[{text}]({cell.link})"
    return f"{text} ({_escape_md(cell.note)})" if cell.note else text


def _escape_md(text: str) -> str:
    return _MARKDOWN_SPECIAL.sub(r"\\\1", clean(text))


WRITERS: dict[str, Callable[[Document], str]] = {"index.html": to_html, "index.md": to_markdown}
"""The writer of each page of a pack, by the page's file name."""


def text_cells(*texts: str) -> tuple[Cell, ...]:
    """Return a row of plain texts."""
    return tuple(Cell(text) for text in texts)


def columns(*headings: str, styles: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns with these headings and styles."""
    return tuple(Column(*pair) for pair in zip(headings, styles, strict=True))
