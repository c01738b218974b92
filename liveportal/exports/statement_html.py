"""A statement as an HTML page for the screen and for printing."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from liveportal.domain.statement import Document, seal_of
from liveportal.domain.text import clean
from liveportal.exports.chart import Series, bars
from liveportal.exports.statement import Column, Section, facts_of, proof, sections_of, title_of

_STYLE = """
:root { color-scheme: light dark; --gross: #4878a8; --fee: #b8860b; --refunds: #b04030;
  --net: #3a7a4a; }
@media (prefers-color-scheme: dark) {
  :root { --gross: #7aa8d8; --fee: #e0b040; --refunds: #e07868; --net: #78c088; }
}
body { font: 15px/1.45 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: 0; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: .9em; }
table.narrow { width: auto; min-width: 30rem; }
th, td { border-bottom: 1px solid #8886; padding: .2rem .5rem; text-align: left;
  vertical-align: bottom; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number, td.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
th[scope=row] { font-weight: 400; }
tr.total > * { font-weight: 600; border-top: 2px solid currentColor; }
.wide { overflow-x: auto; } svg { width: 100%; height: auto; } svg text { font-size: 10px;
  text-anchor: middle; fill: currentColor; } svg text.key { text-anchor: start; }
.axis { stroke: currentColor; stroke-width: 1; } .gross { fill: var(--gross); }
.fee { fill: var(--fee); } .refunds { fill: var(--refunds); } .net { fill: var(--net); }
footer { margin-top: 2rem; font-size: .85em; overflow-wrap: anywhere; }
@media print { body { font-size: 9pt; margin: 0; max-width: none; padding: 0; }
  h2 { break-after: avoid; } tr { break-inside: avoid; }
  thead { display: table-header-group; } .wide { overflow: visible; } }
"""


def to_html(document: Document) -> str:
    """Return a statement as one self-contained HTML page, with light, dark and print styles."""
    title = title_of(document)
    facts = "\n".join(
        f"<dt>{_escape(label)}</dt><dd>{_escape(text)}</dd>" for label, text in facts_of(document)
    )
    parts = [_section(section) for section in sections_of(document)]
    if len(document["months"]) > 1:
        parts.insert(3, _chart(document))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="liveportal-statement" content="{escape(str(seal_of(document)))}">
<title>{_escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>{_escape(title)}</h1>
<dl>
{facts}
</dl>
</header>
<main>
{"".join(parts)}</main>
<footer>
{"".join(f"<p>{_escape(line)}</p>" for line in proof(document))}
</footer>
</body>
</html>
"""


def _section(section: Section) -> str:
    notes = "".join(f"<p>{_escape(note)}</p>\n" for note in section.notes)
    if not section.rows:
        return f"<h2>{_escape(section.title)}</h2>\n<p>{_escape(section.empty)}</p>\n"
    heads = "".join(
        f'<th scope="col"{_style(column)}>{_escape(column.heading)}</th>'
        for column in section.columns
    )
    rows = [f"<tr>{_cells(section.columns, row)}</tr>" for row in section.rows]
    if section.total:
        rows.append(f'<tr class="total">{_cells(section.columns, section.total)}</tr>')
    body = "\n".join(rows)
    narrow = ' class="narrow"' if len(section.columns) <= 4 else ""  # noqa: PLR2004 (labels and amounts)
    return (
        f'<h2>{_escape(section.title)}</h2>\n<div class="wide"><table{narrow}>'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>\n{notes}"
    )


def _cells(columns: Sequence[Column], row: Sequence[str]) -> str:
    return "".join(
        f'<th scope="row">{_escape(text)}</th>'
        if column.style == "label"
        else f"<td{_style(column)}>{_escape(text)}</td>"
        for column, text in zip(columns, row, strict=True)
    )


def _style(column: Column) -> str:
    return f' class="{column.style}"' if column.style else ""


def _escape(text: str) -> str:
    return escape(clean(text))


def _chart(document: Document) -> str:
    months = document["months"]

    def series(name: str, field: str, style: str) -> Series:
        return Series(name, [month[field] for month in months], style)

    svg = bars(
        "Billed, fees, refunds and net income by month",
        [month["month"] for month in months],
        (
            series("Billed", "gross", "gross"),
            series("Fees", "platform_fee", "fee"),
            series("Refunds", "deducted", "refunds"),
            series("Net income", "net", "net"),
        ),
    )
    return f"<h2>The months at a glance</h2>\n{svg}\n"
