"""`liveportal sessions reviews`: what was said of whom.

`liveportal.cli.commands.sessions` adds this command to its own; `sessions review` records one.
"""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.io.render import hint, render
from liveportal.cli.io.view_model import Row, Table
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.read_command import display_zone, open_reader
from liveportal.ledger.queries import reviews as seen

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
            rows, overall = seen.customers(reader), seen.overall(reader)
            table = Table(seen.FIELDS, rows, HUMAN, _title(overall), "Nobody was helped yet.")
        else:
            name = reader.resolve_id("customer", customer)
            rows, overall = seen.reviews(reader, name), seen.overall(reader, name)
            table = Table(seen.REVIEW_FIELDS, rows, None, _title(overall), "No reviews.")
    render(table, out, zone=zone)
    if rows and customer is None:
        hint("`liveportal sessions reviews --customer ID` shows what was said.")


def _title(overall: Row) -> str:
    """Say how many reviews there are both ways, and how they are on average."""
    of_you, by_you = (
        f"{overall[f'reviews_{way}']} {way.replace('_', ' ')}"
        + (f", {overall[f'rating_{way}']} on average" if overall[f"reviews_{way}"] else "")
        for way in ("of_you", "by_you")
    )
    return f"Reviews: {of_you}; {by_you}"
