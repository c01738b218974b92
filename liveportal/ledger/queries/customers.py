"""Customers: their names, time zones and languages, until these are erased."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from liveportal.domain.row import Row, row
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.format.row_mapping import to_json
from liveportal.ledger.queries.reader import Reader


@row
class CustomerName(Row):
    """A customer as lists name them: the id, and the name until it is erased."""

    id: str
    name: str | None


@row
class CustomerDetail(CustomerName):
    """A customer with the time zone and the language that requests reported."""

    timezone: str | None
    language: str | None


_EARLIER = """
    SELECT stated.customer, event_personal.body
    FROM (
        SELECT customer, opened_seq AS seq FROM request
        WHERE customer IN (SELECT value FROM json_each(?1))
        UNION ALL SELECT customer, agreed_seq FROM session
        WHERE request IS NULL AND customer IN (SELECT value FROM json_each(?1))
    ) AS stated
    JOIN event_personal ON event_personal.seq = stated.seq
    ORDER BY stated.seq DESC
"""


_DESCRIBED = """
    SELECT customer.id, body FROM customer
    LEFT JOIN event_personal ON event_personal.seq = customer.described_seq
    WHERE customer.id IN (SELECT value FROM json_each(?))
"""


def customers_by_id(reader: Reader, ids: Iterable[str]) -> dict[str, CustomerDetail]:
    """Return the details of these customers by id."""
    listed = to_json(sorted(set(ids)))
    return customers(reader, dict(reader.db.execute(_DESCRIBED, (listed,)).fetchall()))


def customers(reader: Reader, latest: Mapping[str, str | None]) -> dict[str, CustomerDetail]:
    """Return the customers' details by id; the latest report wins.

    `latest` holds the personal body of each customer's latest event. Customers whose latest event
    has no name are completed from their earlier events, in one query.
    """
    details = {name: dict(personal(body).get("customer", {})) for name, body in latest.items()}
    if unnamed := {name for name, known in details.items() if "name" not in known}:
        for name, body in reader.db.execute(_EARLIER, (to_json(sorted(unnamed)),)).fetchall():
            if "name" not in details[name]:
                details[name] = personal(body).get("customer", {}) | details[name]
    return {
        customer_id: CustomerDetail(
            id=customer_id,
            name=known.get("name"),
            timezone=known.get("timezone"),
            language=known.get("language"),
        )
        for customer_id, known in details.items()
    }
