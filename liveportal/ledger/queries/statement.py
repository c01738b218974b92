"""A month or a year of the books as a document (`liveportal.domain.statement`)."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

from liveportal.domain.calculations.months import minutes_text
from liveportal.domain.money import Money
from liveportal.domain.statement import FORM, WITH_CORRECTIONS, Document, Seal, plain, seal_of
from liveportal.ledger.queries import earnings
from liveportal.ledger.queries.reader import Reader, Row, instant
from liveportal.ledger.replay.replay import replayed_copy

# As they were booked: a correction is a row of its own, in the month of its own time.
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


def statement(reader: Reader, name: str) -> Document:
    """Return the statement of a month (`YYYY-MM`) or a year (`YYYY`), with nothing personal."""
    is_year = len(name) == len("2026")
    first, last = (f"{name}-01", f"{name}-12") if is_year else (name, name)
    months = [row for row in earnings.months(reader) if first <= str(row["month"]) <= last]
    whole = earnings.span(reader, first, last, name) if is_year else earnings.month(reader, name)
    held = [_session(reader, row) for row in reader.all(_SESSIONS, first, last)]
    moved = [
        {field: row[field] for field in _TRANSACTION}
        for row in earnings.transactions(reader, first, last)
    ]
    head = reader.one("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1") or {}
    document: dict[str, Any] = plain(
        {
            "form": WITH_CORRECTIONS if any("kind" in row for row in held) else FORM,
            "name": name,
            "timezone": reader.timezone,
            "currency": reader.currency,
            "policy": reader.policy.name,
            "events": head["seq"],
            "summary": whole,
            "months": months,
            "sessions": held,
            "transactions": moved,
        }
    )
    document["head"] = head["hash"].hex()
    if is_year:
        document["tax"] = _tax(reader, int(name), whole)
    return document


def _session(reader: Reader, row: dict[str, Any]) -> Row:
    """Return what a session, or a correction of it, adds to the summary."""
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
    """Return the document that a seal stands for, or None if the ledger does not hold it."""
    document = _remade(reader, seal)
    return document if document is not None and seal_of(document) == seal else None


def _remade(reader: Reader, seal: Seal) -> Document | None:
    """Make a statement again from the events that it was made from; None if they are not there."""
    row = reader.one("SELECT hash FROM event WHERE seq = ?", seal.events)
    if row is None or row["hash"].hex() != seal.head:
        return None
    copy = replayed_copy(reader.db, last_seq=seal.events)
    try:
        # Played back, the journal has other salts and so another head.
        return {**statement(Reader(copy, reader.path), seal.name), "head": seal.head}
    finally:
        copy.close()


def _tax(reader: Reader, year: int, whole: dict[str, Any]) -> dict[str, Any]:
    """Return a year's figures as tax forms count them; whose facts are dated data, not code."""
    text = files("liveportal.domain").joinpath("tax", "us-1099k.toml").read_text("utf-8")
    facts = tomllib.loads(text)
    known = [each for each in facts["threshold"] if each["from_year"] <= year]
    tax: dict[str, Any] = plain(
        {
            "gross": whole["gross"],
            "platform_fee": whole["platform_fee"],
            "refunded": whole["refunded"],
            "deducted": whole["deducted"],
            "tips": whole["tips"],
            "adjustments": whole["adjustments"],
            "net": whole["net"],
            "payments": whole["sessions"],
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
            "reported": whole["gross"] > above and whole["sessions"] > latest["above_payments"],
        }
    return tax
