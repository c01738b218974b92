"""A month or a year of the books as a document (`liveportal.domain.statement`)."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

from liveportal.domain.money import Money
from liveportal.domain.statement import FORM, Document, Seal, plain, seal_of
from liveportal.ledger.playback import played_back
from liveportal.ledger.reader import Reader
from liveportal.ledger.windows import earnings, sessions
from liveportal.ledger.windows.selection import Selection

_SESSION = ("id", "start", "end", "minutes", "rate", "gross", "fee", "earned", "policy", "claim")
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
    falling = Selection(first_month=first, last_month=last)
    held = [{field: row[field] for field in _SESSION} for row in sessions.sessions(reader, falling)]
    moved = [
        {field: row[field] for field in _TRANSACTION}
        for row in earnings.transactions(reader, first, last)
    ]
    head = reader.one("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1") or {}
    document: dict[str, Any] = plain(
        {
            "form": FORM,
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


def document_of(reader: Reader, seal: Seal) -> Document | None:
    """Return the document that a seal stands for, or None if the ledger does not hold it."""
    document = _remade(reader, seal)
    return document if document is not None and seal_of(document) == seal else None


def _remade(reader: Reader, seal: Seal) -> Document | None:
    """Make a statement again from the events that it was made from; None if they are not there."""
    row = reader.one("SELECT hash FROM event WHERE seq = ?", seal.events)
    if row is None or row["hash"].hex() != seal.head:
        return None
    copy = played_back(reader.db, last_seq=seal.events)
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
    (payments,) = reader.all(
        "SELECT count(*) AS n FROM session WHERE gross_minor > 0 AND period BETWEEN ? AND ?",
        f"{year}-01",
        f"{year}-12",
    )
    tax: dict[str, Any] = plain(
        {
            "gross": whole["gross"],
            "platform_fee": whole["platform_fee"],
            "refunded": whole["refunded"],
            "deducted": whole["deducted"],
            "tips": whole["tips"],
            "adjustments": whole["adjustments"],
            "net": whole["net"],
            "payments": payments["n"],
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
            "reported": whole["gross"] > above and payments["n"] > latest["above_payments"],
        }
    return tax
