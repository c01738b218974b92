"""Statements in the formats of earlier versions, as HTML and CSV. They never change.

Statements that were written then are verified by writing them again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from liveportal.domain.statement import Document, seal_of
from liveportal.domain.text import csv_safe
from liveportal.exports.chart import Series, bars

LABELS = {
    "sessions": "Sessions",
    "free_sessions": "Free sessions",
    "minutes": "Minutes billed",
    "gross": "Billed to customers",
    "platform_fee": "The platform's fee",
    "earned": "Earned by sessions",
    "refund_claims": "Refund claims",
    "disputes": "Disputes filed",
    "refunds": "Refunds",
    "refunded": "Given back to customers",
    "deducted": "Deducted from earnings",
    "tips": "Tips",
    "adjustments": "Adjustments",
    "net": "Net",
}
BALANCE = {
    "owed": "Owed by the platform",
    "held": "Held by claims",
    "in_transit": "On its way",
    "paid_out": "Paid out",
}
MONTH_COLUMNS = ("month", "sessions", "gross", "platform_fee", "deducted", "tips", "net")
SESSION_COLUMNS = ("id", "start", "end", "minutes", "rate", "gross", "fee", "earned", "claim")
TRANSACTION_COLUMNS = (
    *("transaction", "time", "kind", "session", "claim", "payout", "gross", "fee", "amount"),
    "owed",
)
TAX = {
    "gross": "Gross, before fees and refunds",
    "platform_fee": "The platform's fee",
    "refunded": "Given back to customers",
    "deducted": "Deducted from earnings",
    "tips": "Tips",
    "adjustments": "Adjustments",
    "net": "Net",
    "payments": "Payments by customers",
}
_TEXT_COLUMNS = frozenset(
    {"month", "id", "start", "end", "time", "kind", "session", "claim", "payout"}
)
_STYLE = """
:root { color-scheme: light dark; --gross: #4878a8; --fee: #b8860b; --refunds: #b04030;
  --net: #3a7a4a; }
@media (prefers-color-scheme: dark) {
  :root { --gross: #7aa8d8; --fee: #e0b040; --refunds: #e07868; --net: #78c088; }
}
body { font: 15px/1.45 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; font-size: .9em; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { border-bottom: 1px solid #8886; padding: .2rem .5rem; text-align: left; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.wide { overflow-x: auto; } svg { width: 100%; height: auto; } svg text { font-size: 10px;
  text-anchor: middle; fill: currentColor; } svg text.key { text-anchor: start; }
.axis { stroke: currentColor; stroke-width: 1; } .gross { fill: var(--gross); }
.fee { fill: var(--fee); } .refunds { fill: var(--refunds); } .net { fill: var(--net); }
footer { margin-top: 2rem; font-size: .85em; overflow-wrap: anywhere; }
@media print { body { font-size: 9pt; margin: 0; max-width: none; } tr { break-inside: avoid; }
  thead { display: table-header-group; } .wide { overflow: visible; } }
"""


def to_html(document: Document) -> str:
    """Return a statement as one self-contained HTML page, with light, dark and print styles."""
    seal = seal_of(document)
    parts = [
        _pair_table("Summary", _label_values(LABELS, document["summary"])),
        _pair_table("Balance at the end", _label_values(BALANCE, document["summary"]["balance"])),
    ]
    if len(document["months"]) > 1:
        parts += [_chart(document), _table("Month by month", MONTH_COLUMNS, document["months"])]
    if "tax" in document:
        parts.append(_tax(document))
    parts.append(_table("Sessions", session_columns(document), document["sessions"]))
    parts.append(_table("Transactions", TRANSACTION_COLUMNS, document["transactions"]))
    title = f"Statement of earnings, {document['name']}"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="liveportal-statement" content="{escape(str(seal))}">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
<p>{escape(about(document))}</p>
</header>
<main>
{"".join(parts)}</main>
<footer>
{"".join(f"<p>{escape(line)}</p>" for line in proof(document))}
</footer>
</body>
</html>
"""


def session_columns(document: Document) -> tuple[str, ...]:
    """Return the columns of the sessions, with `kind` if any row is a correction."""
    corrected = any("kind" in row for row in document["sessions"])
    return ("id", "kind", *SESSION_COLUMNS[1:]) if corrected else SESSION_COLUMNS


def about(document: Document) -> str:
    """Return a line on the currency, the time zone of the months, and the policy."""
    return (
        f"Amounts in {document['currency']}; months of {document['timezone']}; times in UTC;"
        f" rules: {document['policy']}."
    )


def proof(document: Document) -> list[str]:
    """Return the lines with which the statement can be verified later."""
    seal = seal_of(document)
    return [
        f"Made from the first {seal.events} events of the journal, whose head was {seal.head}.",
        f"`liveportal ledger verify --statement FILE` proves it. {seal}",
    ]


def to_csv(document: Document) -> str:
    """Return a statement as CSV: the transactions, then the summary, then the seal."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("row", *TRANSACTION_COLUMNS))
    for transaction in document["transactions"]:
        cells = (_safe(name, transaction[name]) for name in TRANSACTION_COLUMNS)
        writer.writerow(("transaction", *cells))
    summary = document["summary"]
    for name, value in summary.items():
        if name == "balance":
            writer.writerows(
                ("summary", f"balance.{field}", amount) for field, amount in value.items()
            )
        else:
            writer.writerow(("summary", name, value))
    for name, value in document.get("tax", {}).items():
        if not isinstance(value, dict):
            writer.writerow(("tax", name, value))
    writer.writerow(("seal", str(seal_of(document))))
    return stream.getvalue()


# --- parts of the page ----------------------------------------------------------------------------


def _label_values(labels: dict[str, str], values: dict[str, Any]) -> list[tuple[str, object]]:
    return [(label, values[name]) for name, label in labels.items()]


def _pair_table(caption: str, pairs: Iterable[tuple[str, object]]) -> str:
    body = "".join(
        f'<tr><th scope="row">{escape(label)}</th><td class="number">{escape(str(value))}</td></tr>'
        for label, value in pairs
    )
    return f"<h2>{escape(caption)}</h2><table><tbody>{body}</tbody></table>\n"


def _table(title: str, columns: Sequence[str], table_rows: Sequence[dict[str, Any]]) -> str:
    if not table_rows:
        return f"<h2>{escape(title)}</h2><p>None.</p>\n"
    heads = "".join(
        f'<th scope="col"{_number_class(name)}>{escape(name.replace("_", " "))}</th>'
        for name in columns
    )
    body = "\n".join(
        "<tr>"
        + "".join(f"<td{_number_class(n)}>{_cell(row.get(n))}</td>" for n in columns)
        + "</tr>"
        for row in table_rows
    )
    return (
        f'<h2>{escape(title)}</h2><div class="wide"><table><thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>\n"
    )


def _number_class(name: str) -> str:
    return "" if name in _TEXT_COLUMNS else ' class="number"'


def _safe(name: str, value: object) -> object:
    """Return a value that no spreadsheet evaluates; amounts may begin with a minus."""
    return csv_safe(str(value)) if name in _TEXT_COLUMNS and value is not None else value


def _cell(value: object) -> str:
    return "" if value is None else escape(str(value))


def _chart(document: Document) -> str:
    months = document["months"]

    def series(name: str, field: str, style: str) -> Series:
        return Series(name, [month[field] for month in months], style)

    svg = bars(
        "Gross, fee, refunds and net by month",
        [month["month"] for month in months],
        (
            series("Gross", "gross", "gross"),
            series("Fee", "platform_fee", "fee"),
            series("Refunds", "deducted", "refunds"),
            series("Net", "net", "net"),
        ),
    )
    return f"<h2>The year</h2>{svg}\n"


def _tax(document: Document) -> str:
    tax = document["tax"]
    sentences = [f"{tax['form']}: {tax['counts']} Looked up on {tax['looked_up']}."]
    if threshold := tax.get("threshold"):
        is_above = "is above" if threshold["reported"] else "is not above"
        sentences.append(
            f"The year {is_above} the threshold of {threshold['above_gross']}"
            f" {document['currency']} and {threshold['above_payments']} payments."
            f" Source: {threshold['source']}."
        )
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in sentences)
    return _pair_table("For the tax return", _label_values(TAX, tax)) + paragraphs + "\n"
