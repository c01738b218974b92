"""Customers: who asked for help, how often, and what they paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from liveportal.domain.calculations.billing import SECOND_US
from liveportal.domain.calculations.months import minutes_text
from liveportal.domain.money import Money
from liveportal.domain.row import Row, extend, pick, row
from liveportal.ledger.queries.customers import CustomerDetail, CustomerName, customers
from liveportal.ledger.queries.reader import Reader, instant
from liveportal.ledger.queries.request_filter import RequestFilter
from liveportal.ledger.queries.session_filter import SessionFilter

if TYPE_CHECKING:
    from decimal import Decimal


@row
class CustomerRow(CustomerName):
    """A customer as lists show them; `paid` is gross less refunds, and tips.

    `sessions` counts the ended ones. `last_seen` is their latest request or session.
    """

    requests: int
    sessions: int
    minutes: str
    gross: Money
    refunded: Money
    tips: Money
    paid: Money
    currency: str
    claims: int
    last_seen: datetime | None


@row
class RequestMade(Row):
    """A request of a customer."""

    id: str
    kind: str
    state: str
    opened_at: datetime
    rate: Money
    title: str | None


@row
class SessionHeld(Row):
    """A session with a customer; without a bill until it has ended."""

    id: str
    state: str
    start: datetime
    minutes: str | None
    gross: Money | None
    claim: str | None
    title: str | None


@row
class CustomerOverview(CustomerRow):
    """A customer with the requests and sessions that they had, oldest first, and the ratings."""

    timezone: str | None
    language: str | None
    rating_of_you: Decimal | None
    rating_by_you: Decimal | None
    requests_made: list[RequestMade]
    sessions_held: list[SessionHeld]


# {where} selects one customer (?1) or all of them: SQLite finds one by an index only without OR.
_CUSTOMERS = """
    WITH asked AS (
        SELECT customer, count(*) AS requests, max(opened_at) AS last_asked
        FROM request WHERE {where} GROUP BY customer
    ),
    held AS (
        SELECT customer, sum(state = 'ended') AS sessions,
               -- In two sums: microseconds of a long book would not fit into one.
               sum(billed_us / 1000000) AS billed_s, sum(billed_us % 1000000) AS billed_rest_us,
               sum(gross_minor) AS gross, sum(refunded_minor) AS refunded,
               max(coalesce("end", start)) AS last_held
        FROM session WHERE {where} GROUP BY customer
    ),
    tipped AS (
        SELECT session.customer,
               sum(amount * ((credit = 'income:tips') - (debit = 'income:tips'))) AS tips
        FROM session CROSS JOIN "transaction" AS entry ON entry.session = session.id
        CROSS JOIN transfer
            ON transfer."transaction" = entry.id AND 'income:tips' IN (debit, credit)
        WHERE {where} GROUP BY customer
    ),
    claimed AS (
        SELECT session.customer, count(*) AS claims
        FROM claim JOIN session ON session.id = claim.session
        WHERE {where} GROUP BY customer
    )
    SELECT customer.id, described.body AS described_body, requests, sessions, billed_s,
           billed_rest_us, gross, refunded, tips, claims,
           max(coalesce(last_asked, ''), coalesce(last_held, '')) AS last_seen
    FROM customer
    LEFT JOIN asked ON asked.customer = customer.id
    LEFT JOIN held ON held.customer = customer.id
    LEFT JOIN tipped ON tipped.customer = customer.id
    LEFT JOIN claimed ON claimed.customer = customer.id
    LEFT JOIN event_personal AS described ON described.seq = customer.described_seq
    WHERE {known_as}
    ORDER BY last_seen DESC, customer.id
"""


def customer_list(reader: Reader) -> list[CustomerRow]:
    """Return all customers, the latest first; an erased one has no name."""
    rows, details = _read(reader, None)
    return [_row(reader, row, details[row["id"]]) for row in rows]


def customer(reader: Reader, customer_id: str, now: datetime) -> CustomerOverview:
    """Return a customer with the requests and sessions that they had."""
    from liveportal.ledger.queries.requests import requests
    from liveportal.ledger.queries.reviews import overall
    from liveportal.ledger.queries.sessions import sessions

    (row,), details = _read(reader, customer_id)
    of_you, by_you = overall(reader, customer_id)
    made = requests(reader, now, RequestFilter(customer=customer_id))
    held = sessions(reader, SessionFilter(customer=customer_id))
    return extend(
        CustomerOverview,
        _row(reader, row, details[customer_id]),
        timezone=details[customer_id].timezone,
        language=details[customer_id].language,
        rating_of_you=of_you.rating,
        rating_by_you=by_you.rating,
        requests_made=[pick(RequestMade, request) for request in made],
        sessions_held=[pick(SessionHeld, session) for session in held],
    )


def _read(
    reader: Reader, customer_id: str | None
) -> tuple[Sequence[dict[str, Any]], dict[str, CustomerDetail]]:
    if customer_id is None:
        rows = reader.all(_CUSTOMERS.format(where="TRUE", known_as="TRUE"))
    else:
        statement = _CUSTOMERS.format(where="customer = ?1", known_as="customer.id = ?1")
        rows = reader.all(statement, customer_id)
    return rows, customers(reader, {row["id"]: row["described_body"] for row in rows})


def _row(reader: Reader, row: dict[str, Any], name: CustomerName) -> CustomerRow:
    gross, refunded, tips = (row[part] or 0 for part in ("gross", "refunded", "tips"))
    return CustomerRow(
        id=row["id"],
        name=name.name,
        requests=row["requests"] or 0,
        sessions=row["sessions"] or 0,
        minutes=minutes_text((row["billed_s"] or 0) * SECOND_US + (row["billed_rest_us"] or 0)),
        gross=reader.money(gross),
        refunded=reader.money(refunded),
        tips=reader.money(tips),
        paid=reader.money(gross - refunded + tips),
        currency=reader.currency,
        claims=row["claims"] or 0,
        last_seen=instant(row["last_seen"] or None),
    )
