"""Customers: what is known of them, as long as it was not erased."""

from __future__ import annotations

from typing import Any

from liveportal.ledger.reader import Reader, personal

_TOLD = """
    SELECT body FROM event_personal WHERE seq IN (
        SELECT opened_seq FROM request WHERE customer = ?1
        UNION ALL SELECT agreed_seq FROM session WHERE customer = ?1 AND request IS NULL
    )
    ORDER BY seq DESC
"""


def customer(reader: Reader, customer_id: str, latest: str | None) -> dict[str, Any]:
    """Return what a customer's events told of them: name, timezone, language; the latest wins.

    `latest` is the personal body of the customer's latest event, which mostly tells all.
    """
    found = dict(personal(latest).get("customer", {}))
    if "name" in found:
        return found
    for (body,) in reader.db.execute(_TOLD, (customer_id,)).fetchall():
        found = personal(body).get("customer", {}) | found
        if "name" in found:
            break
    return found
