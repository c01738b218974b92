"""The content of a statement: headings and tables for a tax adviser, as texts.

The HTML page and the PDF are written from the same content. It depends on the document alone, so
the same document always gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from liveportal.domain.clock import last_day, parse_instant
from liveportal.domain.frozen import frozen
from liveportal.domain.statement import Document, seal_of
from liveportal.exports.local_time import local_text

MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
SESSION_KINDS = {
    None: "Session",
    "reversal": "Former bill, cancelled",
    "correction": "Corrected bill",
}
TRANSACTION_KINDS = {
    "earning": "Session",
    "reversal": "Former bill, cancelled",
    "correction": "Corrected bill",
    "hold": "Refund claim: amount held",
    "release": "Refund claim closed: amount released",
    "refund": "Refund",
    "tip": "Tip",
    "adjustment": "Bonus or charge",
    "payout": "Payout sent",
    "payout_paid": "Payout arrived",
    "payout_failed": "Payout failed",
    "payout_returned": "Payout returned",
}
LABELS = {
    "gross": "Gross receipts: billed to customers",
    "platform_fee": "Fees kept by the platform",
    "earned": "Earned by sessions",
    "deducted": "Deducted for refunds",
    "tips": "Tips",
    "adjustments": "Bonuses and charges",
    "net": "Net income",
    "transfer_fees": "Transfer fees on payouts, not part of net income",
    "sessions": "Sessions billed",
    "free_sessions": "Sessions that were free",
    "minutes": "Minutes billed",
    "refund_claims": "Refund claims by customers",
    "disputes": "Claims disputed",
    "refunds": "Refunds",
    "refunded": "Amount refunded to customers",
    "month": "Period",
    "timezone": "Time zone",
    "currency": "Currency",
}
BALANCE = {
    "owed": "Owed by the platform",
    "held": "Held because of refund claims",
    "in_transit": "Payouts on their way",
    "paid_out": "Paid out since the beginning",
}
_DEDUCTS = {
    "share": "A refund takes back what the session earned.",
    "gross": "A refund takes back what the customer paid.",
}
TAX = {
    "gross": "Gross receipts, before fees and refunds",
    "platform_fee": "Fees kept by the platform",
    "refunded": "Refunded to customers",
    "deducted": "Deducted from earnings for refunds",
    "tips": "Tips",
    "adjustments": "Bonuses and charges",
    "net": "Net income",
    "payments": "Number of payments by customers",
}


@frozen
class Column:
    """A column of a table: the field of a row, its heading, and how it is shown.

    `style` is `number`, `time`, `label` (the heading of a row) or empty. `is_summed` is True if
    the table has its total.
    """

    field: str
    heading: str
    style: str = ""
    is_summed: bool = False


@frozen
class Section:
    """A table with a heading; `total` is its last row. Notes are sentences below it."""

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[str]]
    total: Sequence[str] = ()
    notes: tuple[str, ...] = ()
    empty: str = ""


def title_of(document: Document) -> str:
    """Return the title of a statement, with its month or year in words."""
    return f"Statement of earnings, {_period_name(document['name'])}"


def facts_of(document: Document) -> list[tuple[str, str]]:
    """Return who is paid by whom, for which time, and by which rules: labels and texts."""
    first, last = _days_of(document["name"])
    zone = document["timezone"]
    return [
        ("Payee", document["payee"] or "not named"),
        ("Platform", document["platform"] or "not named"),
        ("Period", f"{_day(first)} to {_day(last)}"),
        ("Time zone", f"{zone}, for all times and for the start and end of months"),
        ("Currency", document["currency"]),
        ("Rules", " ".join(_rules(document))),
    ]


def _rules(document: Document) -> Iterator[str]:
    terms = document["terms"]
    yield f"Policy {document['policy']}."
    yield f"The platform keeps {terms['fee_percent']} % of what customers pay."
    yield _DEDUCTS[terms["refund_deducts"]]
    yield f"A session counts in the month in which it {terms['session_month']}s,"
    yield "everything else in the month of its date."
    policies = {row["policy"] for row in document["sessions"]} - {document["policy"]}
    if policies:
        yield f"Some sessions were agreed under other policies: {', '.join(sorted(policies))}."


def _period_name(name: str) -> str:
    year, _, month = name.partition("-")
    return f"{MONTH_NAMES[int(month) - 1]} {year}" if month else year


def _days_of(name: str) -> tuple[date, date]:
    first, last = (name, name) if "-" in name else (f"{name}-01", f"{name}-12")
    return date.fromisoformat(f"{first}-01"), last_day(last)


def _day(day: date) -> str:
    return f"{day.day} {MONTH_NAMES[day.month - 1]} {day.year}"


def sections_of(document: Document) -> list[Section]:
    """Return the tables of a statement, in their order."""
    return [
        _income(document),
        _activity(document),
        _balances(document),
        *([_month_by_month(document)] if len(document["months"]) > 1 else ()),
        *([_tax(document)] if "tax" in document else ()),
        _sessions(document),
        _transactions(document),
    ]


def proof(document: Document) -> list[str]:
    """Return the lines with which the statement can be verified later."""
    seal = seal_of(document)
    return [
        (
            f"This statement was made from the first {seal.events} events of the ledger. With the"
            " ledger, its figures can be verified:"
            " `liveportal ledger verify --statement FILE`. The names of the payee and the platform"
            " are as the payee gave them."
        ),
        f"Seal: {seal}",
    ]


# --- tables ---------------------------------------------------------------------------------------

LABEL_COLUMN = Column("label", "Item", "label")
_AMOUNT_COLUMNS = (LABEL_COLUMN, Column("value", "Amount", "number"))
_TRANSFER_FEE = Column("transfer_fee", "Transfer fee", "number", is_summed=True)
_COUNT_COLUMNS = (LABEL_COLUMN, Column("value", "In this period", "number"))


def _income(document: Document) -> Section:
    """Return the way from gross receipts to net income; each subtotal is the sum above it."""
    summary = document["summary"]
    rows = [
        (LABELS["gross"], summary["gross"]),
        (f"Less: {_lower('platform_fee')}", negated(summary["platform_fee"])),
        (LABELS["earned"], summary["earned"]),
        (f"Less: {_lower('deducted')}", negated(summary["deducted"])),
        (f"Plus: {_lower('tips')}", summary["tips"]),
        (f"Plus: {_lower('adjustments')}", summary["adjustments"]),
    ]
    columns = (LABEL_COLUMN, Column("value", f"Amount in {document['currency']}", "number"))
    notes: tuple[str, ...] = ()
    if "transfer_fees" in summary:
        notes = (f"{LABELS['transfer_fees']}: {summary['transfer_fees']}.",)
    return Section("Income", columns, rows, (LABELS["net"], summary["net"]), notes)


def _lower(name: str) -> str:
    return f"{LABELS[name][0].lower()}{LABELS[name][1:]}"


def _activity(document: Document) -> Section:
    summary = document["summary"]
    names = ("sessions", "free_sessions", "minutes", "refund_claims", "disputes", "refunds")
    rows = [(LABELS[name], str(summary[name])) for name in (*names, "refunded")]
    return Section("Sessions and refunds", _COUNT_COLUMNS, rows)


def _balances(document: Document) -> Section:
    start, end = document["opening"], document["summary"]["balance"]
    rows = [
        (label, start[name], str(Decimal(end[name]) - Decimal(start[name])), end[name])
        for name, label in BALANCE.items()
    ]
    total = (
        "Net income since the beginning",
        *(_sum(row[place] for row in rows) for place in (1, 2, 3)),
    )
    columns = (
        LABEL_COLUMN,
        *(Column(name, name, "number") for name in ("At the start", "Change", "At the end")),
    )
    return Section("Balance with the platform", columns, rows, total)


def _month_by_month(document: Document) -> Section:
    columns = (
        Column("month", "Month"),
        Column("sessions", "Sessions billed", "number", is_summed=True),
        Column("gross", "Billed to customers", "number", is_summed=True),
        Column("platform_fee", "Platform's fee", "number", is_summed=True),
        Column("deducted", "Deducted for refunds", "number", is_summed=True),
        Column("tips", "Tips", "number", is_summed=True),
        Column("adjustments", "Bonuses and charges", "number", is_summed=True),
        Column("net", "Net income", "number", is_summed=True),
    )
    return _table("Month by month", columns, document["months"], document)


def _tax(document: Document) -> Section:
    tax = document["tax"]
    notes = [f"{tax['form']}: {tax['counts']} Looked up on {tax['looked_up']}."]
    if threshold := tax.get("threshold"):
        is_above = "is above" if threshold["reported"] else "is not above"
        notes.append(
            f"The year {is_above} the threshold of {threshold['above_gross']}"
            f" {document['currency']} and {threshold['above_payments']} payments."
            f" Source: {threshold['source']}."
        )
    rows = [(label, str(tax[name])) for name, label in TAX.items()]
    return Section("For the tax return", _AMOUNT_COLUMNS, rows, notes=tuple(notes))


def _sessions(document: Document) -> Section:
    zone = document["timezone"]
    corrected = any("kind" in row for row in document["sessions"])
    columns = (
        Column("id", "Session"),
        *([Column("kind", "Entry")] if corrected else ()),
        Column("start", f"Start ({zone})", "time"),
        Column("end", f"End ({zone})", "time"),
        Column("minutes", "Minutes billed", "number"),
        Column("rate", "Rate a minute", "number"),
        Column("gross", "Billed to the customer", "number", is_summed=True),
        Column("fee", "Platform's fee", "number", is_summed=True),
        Column("earned", "Earned", "number", is_summed=True),
        Column("claim", "Refund claim"),
    )
    rows = [{**row, "kind": SESSION_KINDS[row.get("kind")]} for row in document["sessions"]]
    return _table("Sessions", columns, rows, document)


def _transactions(document: Document) -> Section:
    columns = (
        Column("transaction", "No.", "number"),
        Column("time", f"Time ({document['timezone']})", "time"),
        Column("kind", "Entry"),
        Column("session", "Session"),
        Column("claim", "Refund claim"),
        Column("payout", "Payout"),
        Column("gross", "Billed to customers", "number", is_summed=True),
        Column("fee", "Platform's fee", "number", is_summed=True),
        *([_TRANSFER_FEE] if "transfer_fees" in document["summary"] else ()),
        Column("amount", "Net income", "number", is_summed=True),
        Column("owed", "Balance owed", "number", is_summed=True),
    )
    rows = [{**row, "kind": kind_text(row["kind"])} for row in document["transactions"]]
    note = (
        "Each line is a change. The total of the last two columns is the net income of the period,"
        " and the change of the balance owed by the platform."
    )
    return _table("Transactions", columns, rows, document, notes=(note,))


def kind_text(kind: str) -> str:
    """Return the kind of a transaction in words."""
    return TRANSACTION_KINDS.get(kind, kind.replace("_", " ").capitalize())


def _table(
    title: str,
    columns: tuple[Column, ...],
    rows: Sequence[Mapping[str, Any]],
    document: Document,
    notes: tuple[str, ...] = (),
) -> Section:
    zone = document["timezone"]
    cells = [[_cell(column, row.get(column.field), zone) for column in columns] for row in rows]
    label, *others = columns
    total = [
        "" if label.is_summed else "Total",
        *(_sum(row[c.field] for row in rows) if c.is_summed else "" for c in others),
    ]
    empty = f"No {title.lower()} in this period."
    return Section(title, columns, cells, total, notes, empty)


def _cell(column: Column, value: object, zone: str) -> str:
    if value is None:
        return ""
    return local_text(parse_instant(str(value)), zone) if column.style == "time" else str(value)


def _sum(amounts: Iterable[object]) -> str:
    return str(sum((Decimal(str(amount)) for amount in amounts), Decimal(0)))


def negated(amount: str) -> str:
    """Return a decimal amount with the other sign."""
    value = Decimal(amount)
    return str(-value if value else value)
