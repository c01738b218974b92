"""The statement of a month or a year as a document (`liveportal.domain.statement`)."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

from liveportal.domain.calculations.months import MonthRow, minutes_text
from liveportal.domain.money import Money
from liveportal.domain.statement import (
    FIRST_FORM,
    FORM,
    WITH_CORRECTIONS,
    Document,
    Names,
    Seal,
    plain,
    seal_of,
)
from liveportal.ledger.queries import earnings
from liveportal.ledger.queries.reader import Reader, instant
from liveportal.ledger.replay.replay import replayed_copy

NAMELESS = Names()
# As booked: a correction is a separate row, in the month in which it was made.
_SESSIONS = """
    SELECT session.id, entry.kind, entry.start, entry."end", entry.billed_us, session.rate,
           coalesce(record.gross, 0) AS gross, coalesce(record.fee, 0) AS fee,
           coalesce(record.net, 0) AS earned, policy.name AS policy, session.claim
    FROM session_count AS entry
    JOIN session ON session.id = entry.session
    JOIN policy ON policy.seq = session.policy
    LEFT JOIN transaction_record AS record ON record.id = entry."transaction"
    WHERE entry.period BETWEEN ? AND ?
    ORDER BY entry.start, session.agreed_seq, entry.seq, entry.n
"""
_TRANSACTION = (
    *("transaction", "time", "period", "kind", "session", "claim", "payout", "gross", "fee"),
    *("amount", "owed"),
)


def statement(reader: Reader, name: str, names: Names = NAMELESS) -> Document:
    """Return the statement of a month (`YYYY-MM`) or a year (`YYYY`).

    It has no personal data of customers.
    """
    policy = reader.policy
    return {
        **_figures(reader, name),
        "form": FORM,
        "payee": names.payee,
        "platform": names.platform,
        "terms": {
            "fee_percent": str(policy.fee.percent),
            "refund_deducts": policy.refund.deducts.value,
            "session_month": policy.period.session_month.value,
        },
        "opening": _opening_balance(reader, _months_of(name)[0]),
    }


def _older_statement(reader: Reader, name: str) -> Document:
    """Return a statement as earlier versions made it."""
    figures = _figures(reader, name)
    corrected = any("kind" in row for row in figures["sessions"])
    return {**figures, "form": WITH_CORRECTIONS if corrected else FIRST_FORM}


def _figures(reader: Reader, name: str) -> dict[str, Any]:
    """Return what a statement has in every format."""
    first, last = _months_of(name)
    is_year = first != last
    total = earnings.span(reader, first, last, name) if is_year else earnings.month(reader, name)
    transactions = earnings.transactions(reader, first, last)
    # Only a statement with a transfer fee has these fields: older statements have none of them.
    has_fees = any(row.transfer_fee for row in transactions)
    columns = (*_TRANSACTION, "transfer_fee") if has_fees else _TRANSACTION
    months = [row for row in earnings.months(reader) if first <= row.month <= last]
    head = reader.one("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1") or {}
    document: dict[str, Any] = plain(
        {
            "name": name,
            "timezone": reader.timezone,
            "currency": reader.currency,
            "policy": reader.policy.name,
            "events": head["seq"],
            "summary": _month(total, has_fees=has_fees),
            "months": [_month(row, has_fees=has_fees) for row in months],
            "sessions": [_session(reader, row) for row in reader.all(_SESSIONS, first, last)],
            "transactions": [{name: row[name] for name in columns} for row in transactions],
        }
    )
    document["head"] = head["hash"].hex()
    if is_year:
        document["tax"] = _tax(reader, int(name), total)
    return document


def _month(row: MonthRow, *, has_fees: bool) -> dict[str, object]:
    return {name: value for name, value in row.items() if has_fees or name != "transfer_fees"}


def _months_of(name: str) -> tuple[str, str]:
    """Return the first and the last month of a month or a year."""
    return (f"{name}-01", f"{name}-12") if len(name) == len("2026") else (name, name)


def _opening_balance(reader: Reader, first: str) -> Any:  # noqa: ANN401 (a JSON value)
    """Return the balance at the start of a month: that at the end of the month before."""
    before = earnings.months_before(first, 1)
    balance = plain(earnings.month(reader, before).balance)
    # No month is before the first one of the calendar.
    return balance if before < first else dict.fromkeys(balance, str(reader.money(0)))


def _session(reader: Reader, row: dict[str, Any]) -> dict[str, object]:
    """Return the contribution of a session, or of a correction, to the summary."""
    kind = {} if row["kind"] == "earning" else {"kind": row["kind"]}
    amounts = {name: reader.money(row[name]) for name in ("rate", "gross", "fee", "earned")}
    return {
        **kind,
        "id": row["id"],
        "start": instant(row["start"]),
        "end": instant(row["end"]),
        "minutes": minutes_text(row["billed_us"]),
        **amounts,
        "policy": row["policy"],
        "claim": row["claim"],
    }


def document_of(reader: Reader, seal: Seal) -> Document | None:
    """Return the statement that a seal was made from, or None if the ledger cannot reproduce it."""
    document = _reproduce(reader, seal)
    return document if document is not None and seal_of(document) == seal else None


def _reproduce(reader: Reader, seal: Seal) -> Document | None:
    """Rebuild a statement from the events up to its head; None if the ledger lacks that head."""
    row = reader.one("SELECT hash FROM event WHERE seq = ?", seal.events)
    if row is None or row["hash"].hex() != seal.head:
        return None
    copy = replayed_copy(reader.db, last_seq=seal.events)
    try:
        # The replayed journal has different salts, and so a different head.
        past = Reader(copy, reader.path)
        if seal.form == FORM:
            document = statement(past, seal.name, seal.names or NAMELESS)
        else:
            document = _older_statement(past, seal.name)
        return {**document, "head": seal.head}
    finally:
        copy.close()


def _tax(reader: Reader, year: int, total: MonthRow) -> dict[str, Any]:
    """Return a year's figures as tax forms count them. The thresholds are dated data, not code."""
    text = files("liveportal.domain").joinpath("tax", "us-1099k.toml").read_text("utf-8")
    facts = tomllib.loads(text)
    known = [threshold for threshold in facts["threshold"] if threshold["from_year"] <= year]
    tax: dict[str, Any] = plain(
        {
            "gross": total.gross,
            "platform_fee": total.platform_fee,
            "refunded": total.refunded,
            "deducted": total.deducted,
            "tips": total.tips,
            "adjustments": total.adjustments,
            "net": total.net,
            "payments": total.sessions,
            "form": facts["name"],
            "counts": facts["gross"],
            "looked_up": facts["looked_up"],
        }
    )
    if known and known[-1]["currency"] == reader.currency:
        latest = known[-1]
        above = Money.parse(latest["above_gross"], reader.currency)
        tax["threshold"] = {
            "above_gross": latest["above_gross"],
            "above_payments": latest["above_payments"],
            "source": latest["source"],
            "reported": total.gross > above and total.sessions > latest["above_payments"],
        }
    return tax
