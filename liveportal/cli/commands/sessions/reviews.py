"""`liveportal sessions reviews`: customers and their reviews.

Registered in `liveportal.cli.commands.sessions`; `sessions review` records one.
"""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.io.render import hint, render
from liveportal.cli.io.view_model import Row, Table
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.read_command import display_zone, open_reader
from liveportal.ledger.queries import reviews as review_queries

HUMAN = (
    *("customer", "customer_name", "sessions", "reviews_of_you", "rating_of_you"),
    *("reviews_by_you", "rating_by_you", "last_session"),
)


@with_options(LedgerOption, ReadOptions, OutputOptions)
def reviews(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    customer: Annotated[
        str | None,
        typer.Option("--customer", metavar="ID", help="Each review of this customer's sessions."),
    ] = None,
) -> None:
    """Show your customers, the latest first, and how they rated you and you them.

    With --customer, each review of their sessions in the order they were given.

    Examples:
      liveportal sessions reviews
      liveportal sessions reviews --customer C-77
      liveportal sessions reviews --customer C-77 --jsonl | jq -r .text
    """
    with open_reader(ledger, read, out) as reader:
        zone = display_zone(reader, read)
        if customer is None:
            rows, overall = review_queries.customers(reader), review_queries.overall(reader)
            table = Table(
                review_queries.FIELDS, rows, HUMAN, _title(overall), "Nobody was helped yet."
            )
        else:
            name = reader.resolve_id("customer", customer)
            rows, overall = (
                review_queries.reviews(reader, name),
                review_queries.overall(reader, name),
            )
            table = Table(review_queries.REVIEW_FIELDS, rows, None, _title(overall), "No reviews.")
    render(table, out, zone=zone)
    if rows and customer is None:
        hint("`liveportal sessions reviews --customer ID` shows what was said.")


def _title(overall: Row) -> str:
    """Return a title with the number of reviews and the average rating, in both directions."""
    of_you, by_you = (
        f"{overall[f'reviews_{way}']} {way.replace('_', ' ')}"
        + (f", {overall[f'rating_{way}']} on average" if overall[f"reviews_{way}"] else "")
        for way in ("of_you", "by_you")
    )
    return f"Reviews: {of_you}; {by_you}"
