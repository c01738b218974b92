"""`liveportal sessions reviews`: customers and their reviews.

Registered in `liveportal.cli.commands.sessions`; `sessions review` records one.
"""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.completion import ids
from liveportal.cli.io.render import hint
from liveportal.cli.io.view_model import Table, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.read_command import run_read
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.reviews import (
    ReviewedCustomer,
    ReviewRow,
    ReviewTotals,
    overall,
    reviewed_customers,
)
from liveportal.ledger.queries.reviews import reviews as reviews_of

HUMAN = (
    *("customer_id", "customer_name", "sessions", "reviews_of_you", "rating_of_you"),
    *("reviews_by_you", "rating_by_you", "last_session"),
)


@shows(ReviewedCustomer, ReviewRow, many=True)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def reviews(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    customer: Annotated[
        str | None,
        typer.Option(
            "--customer",
            metavar="ID",
            help="Show each review of this customer's sessions.",
            autocompletion=ids("customer"),
        ),
    ] = None,
) -> None:
    """Show how your customers and you rated each other.

    There is one row per customer, the most recent first. With --customer it shows each review of
    that customer's sessions, the oldest first.

    Examples:
      liveportal sessions reviews
      liveportal sessions reviews --customer C-77
      liveportal sessions reviews --customer C-77 --jsonl | jq -r .text
    """

    def query(reader: Reader) -> Table:
        if customer is None:
            title = _title(*overall(reader))
            customers = reviewed_customers(reader)
            empty = "No customers yet. `liveportal requests list` shows who asks for help."
            return Table(ReviewedCustomer, customers, HUMAN, title, empty)
        name = reader.resolve_id("customer", customer)
        title = _title(*overall(reader, name))
        empty = "No reviews yet. `liveportal sessions review SESSION` records one."
        return Table(ReviewRow, reviews_of(reader, name), None, title, empty)

    table = run_read(query, ledger, read, out)
    if table.rows and customer is None:
        hint("Read a customer's reviews with `liveportal sessions reviews --customer ID`.")


def _title(of_you: ReviewTotals, by_you: ReviewTotals) -> str:
    """Return a title with the number of reviews and the average rating, in both directions."""
    return f"Reviews: {_totals(of_you, 'of you')}; {_totals(by_you, 'by you')}"


def _totals(totals: ReviewTotals, direction: str) -> str:
    average = f", {totals.rating} on average" if totals.count else ""
    return f"{totals.count} {direction}{average}"
