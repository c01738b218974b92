"""A statement as CSV for spreadsheets: one table, and every row has the same columns.

`row` says what a row is: `statement` (whom and what it is about), `transaction`, `total` (of the
transactions), `summary`, `tax` or `seal`. Transactions have the columns up to `currency`; the other
rows have `item`, `label` and `value`. A statement with transfer fees has `transfer_fee` as the last
column.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from liveportal.domain.clock import parse_instant
from liveportal.domain.statement import Document, seal_of
from liveportal.domain.text import clean, csv_safe
from liveportal.exports.local_time import local_text
from liveportal.exports.statement import BALANCE, LABELS, TAX, facts_of, kind_text

AMOUNTS = ("gross", "fee", "amount", "owed")
COLUMNS = (
    *("row", "transaction", "time", "kind", "session", "claim", "payout", *AMOUNTS),
    *("local_time", "timezone", "currency", "item", "label", "value"),
)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

Cells = dict[str, object]


def to_csv(document: Document) -> str:
    """Return a statement as CSV."""
    stream = io.StringIO()
    columns = (*COLUMNS, *(name for name in _amounts(document) if name not in COLUMNS))
    writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for cells in _rows(document):
        writer.writerow({name: _safe(value) for name, value in cells.items()})
    return stream.getvalue()


def _amounts(document: Document) -> tuple[str, ...]:
    """Return the amounts of a transaction, with the transfer fees if there are any."""
    return (*AMOUNTS, "transfer_fee") if "transfer_fees" in document["summary"] else AMOUNTS


def _rows(document: Document) -> Iterator[Cells]:
    for label, text in facts_of(document):
        yield _pair("statement", label.lower().replace(" ", "_"), label, text)
    yield from _transactions(document)
    summary = document["summary"]
    for name, value in summary.items():
        if name != "balance":
            yield _pair("summary", name, _label(LABELS, name), value)
    for time, balance in (("opening", document["opening"]), ("balance", summary["balance"])):
        when = "at the start" if time == "opening" else "at the end"
        for name, label in BALANCE.items():
            yield _pair("summary", f"{time}.{name}", f"{label}, {when}", balance[name])
    for name, value in document.get("tax", {}).items():
        if not isinstance(value, dict):
            yield _pair("tax", name, _label(TAX, name), value)
    yield _pair("seal", "seal", "Seal", str(seal_of(document)))


def _transactions(document: Document) -> Iterator[Cells]:
    """Yield the transactions, and their total."""
    zone = document["timezone"]
    common: Cells = {"timezone": zone, "currency": document["currency"]}
    amounts = _amounts(document)
    for transaction in document["transactions"]:
        time = parse_instant(transaction["time"])
        cells = {name: value for name, value in transaction.items() if name in (*COLUMNS, *amounts)}
        local: Cells = {"local_time": local_text(time, zone), "label": kind_text(cells["kind"])}
        yield {"row": "transaction", **cells, **common, **local}
    net = Decimal(document["summary"]["net"])
    zero = net - net  # With the digits of the currency.
    totals = {
        name: sum((Decimal(row[name]) for row in document["transactions"]), zero)
        for name in amounts
    }
    yield {"row": "total", **totals, **common, "label": "Total of the transactions"}


def _label(labels: Mapping[str, str], name: str) -> str:
    return labels.get(name, name.replace("_", " ").capitalize())


def _pair(row: str, item: str, label: str, value: object) -> Cells:
    return {"row": row, "item": item, "label": label, "value": value}


def _safe(value: object) -> str:
    """Return a value that no spreadsheet evaluates; amounts may begin with a minus."""
    text = "" if value is None else clean(str(value))
    return text if _NUMBER.fullmatch(text) else csv_safe(text)
