"""Customers: what is known of them, as long as it was not erased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.format.row_mapping import compact
from liveportal.ledger.queries.reader import Reader

_TOLD = """
    SELECT told.customer, event_personal.body
    FROM (
        SELECT customer, opened_seq AS seq FROM request
        WHERE customer IN (SELECT value FROM json_each(?1))
        UNION ALL SELECT customer, agreed_seq FROM session
        WHERE request IS NULL AND customer IN (SELECT value FROM json_each(?1))
    ) AS told
    JOIN event_personal ON event_personal.seq = told.seq
    ORDER BY told.seq DESC
"""


def customers(reader: Reader, latest: Mapping[str, str | None]) -> dict[str, dict[str, Any]]:
    """Return what customers' events told of them, by id: name, timezone, language; the latest wins.

    `latest` has the personal body of each one's latest event, which mostly tells all; the others
    are looked up in one query.
    """
    found = {name: dict(personal(body).get("customer", {})) for name, body in latest.items()}
    if unnamed := {name for name, told in found.items() if "name" not in told}:
        for name, body in reader.db.execute(_TOLD, (compact(sorted(unnamed)),)).fetchall():
            if "name" not in found[name]:
                found[name] = personal(body).get("customer", {}) | found[name]
    return found
