"""Reviews in both directions (R7): of the expert by customers, and of customers by the expert."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from liveportal.domain.calculations.billing import SECOND_US
from liveportal.domain.calculations.months import minutes_text
from liveportal.domain.clock import from_text
from liveportal.domain.frozen import frozen
from liveportal.domain.money import format_minor, half_up
from liveportal.domain.row import Row, row
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.queries.customers import CustomerName, customers
from liveportal.ledger.queries.reader import Reader, instant


@row
class ReviewedCustomer(Row):
    """A customer of ended sessions, with the average ratings in both directions."""

    customer: str
    customer_name: str | None
    sessions: int
    minutes: str
    reviews_of_you: int
    rating_of_you: Decimal | None
    reviews_by_you: int
    rating_by_you: Decimal | None
    last_session: datetime
    last_review: datetime | None
    customer_id: str


@row
class ReviewRow(Row):
    """A review of a session, by `expert` or `customer`."""

    session: str
    by: str
    rating: int
    time: datetime
    text: str | None


@frozen
class ReviewTotals:
    """The number of reviews in one direction, and their average rating."""

    count: int
    rating: Decimal | None


_CUSTOMERS = """
    WITH given AS (
        SELECT session.customer, max(review.time) AS last_review,
               sum(by = 'customer') AS of_you, sum(rating * (by = 'customer')) AS stars_of_you,
               sum(by = 'expert') AS by_you, sum(rating * (by = 'expert')) AS stars_by_you
        FROM review JOIN session ON session.id = review.session GROUP BY session.customer
    )
    SELECT session.customer, count(*) AS sessions, max(session."end") AS last_session,
           -- In two sums: microseconds of a long book would not fit into one.
           sum(billed_us / 1000000) AS billed_s, sum(billed_us % 1000000) AS billed_rest_us,
           coalesce(of_you, 0) AS of_you, coalesce(stars_of_you, 0) AS stars_of_you,
           coalesce(by_you, 0) AS by_you, coalesce(stars_by_you, 0) AS stars_by_you,
           last_review, described.body AS described_body
    FROM session
    LEFT JOIN given USING (customer)
    JOIN customer ON customer.id = session.customer
    LEFT JOIN event_personal AS described ON described.seq = customer.described_seq
    WHERE session.state = 'ended'
    GROUP BY session.customer
    ORDER BY max(max(session."end"), coalesce(last_review, '')) DESC, session.customer
"""
_REVIEWS = """
    SELECT session, by, rating, review.time, body
    FROM review JOIN session ON session.id = review.session
    LEFT JOIN event_personal ON event_personal.seq = review.seq
    WHERE session.customer = ? ORDER BY review.time, review.seq
"""


def reviewed_customers(reader: Reader) -> list[ReviewedCustomer]:
    """Return the customers of ended sessions, the most recent first."""
    rows = reader.all(_CUSTOMERS)
    details = customers(reader, {row["customer"]: row["described_body"] for row in rows})
    return [_customer(row, details[row["customer"]]) for row in rows]


def _customer(row: dict[str, Any], customer: CustomerName) -> ReviewedCustomer:
    return ReviewedCustomer(
        customer=row["customer"],
        customer_name=customer.name,
        sessions=row["sessions"],
        minutes=minutes_text(row["billed_s"] * SECOND_US + row["billed_rest_us"]),
        reviews_of_you=row["of_you"],
        rating_of_you=average(row["stars_of_you"], row["of_you"]),
        reviews_by_you=row["by_you"],
        rating_by_you=average(row["stars_by_you"], row["by_you"]),
        last_session=from_text(row["last_session"]),
        last_review=instant(row["last_review"]),
        customer_id=row["customer"],
    )


def reviews(reader: Reader, customer_id: str) -> list[ReviewRow]:
    """Return the reviews of a customer's sessions, in both directions, oldest first."""
    return [
        ReviewRow(
            session=row["session"],
            by=row["by"],
            rating=row["rating"],
            time=from_text(row["time"]),
            text=personal(row["body"]).get("text"),
        )
        for row in reader.all(_REVIEWS, customer_id)
    ]


def overall(reader: Reader, customer_id: str | None = None) -> tuple[ReviewTotals, ReviewTotals]:
    """Return the totals of the reviews of the expert, and of those by the expert."""
    rows = reader.all(
        "SELECT by, count(*) AS n, sum(rating) AS stars FROM review"
        " JOIN session ON session.id = review.session"
        " WHERE ?1 IS NULL OR session.customer = ?1 GROUP BY by",
        customer_id,
    )
    totals = {row["by"]: (row["stars"], row["n"]) for row in rows}
    of_you, by_you = totals.get("customer", (0, 0)), totals.get("expert", (0, 0))
    return ReviewTotals(of_you[1], average(*of_you)), ReviewTotals(by_you[1], average(*by_you))


def average(stars: int, count: int) -> Decimal | None:
    """Return the average rating to two digits, rounded half-up; None if there are no ratings."""
    return Decimal(format_minor(half_up(stars * 100, count), 2)) if count else None
