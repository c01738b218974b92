"""`liveportal refunds` list and show."""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.io.render import hint, render
from liveportal.cli.io.view_model import Detail, Table, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.read_command import (
    Limit,
    States,
    display_zone,
    open_reader,
    parse_states,
    reference_time,
)
from liveportal.ledger.queries import claims

STATES = (
    *("open", "disputed", "conceded", "granted", "rejected"),
    *("denied", "withdrawn", "accepted"),
)
HUMAN = ("id", "session", "state", "customer_name", "amount", "cost", "deadline", "reason")
SHOWN = (
    *("id", "state", "session", "title", "customer", "customer_name", "reason", "claimed_at"),
    *("late", "late_by_seconds", "window_closes", "amount", "held", "cost", "currency"),
    *("deadline", "left_seconds", "next", "if_silent", "warning", "summary", "disputed_at"),
    *("decided_at", "earlier", "record", "history"),
)
One = Annotated[
    str, typer.Argument(metavar="ID", help="A claim, whole or by a unique prefix of its id.")
]


@shows(claims.ClaimRow, many=True)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def list_(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    state: States = None,
    limit: Limit = None,
) -> None:
    """List refund claims, the oldest first: what each holds and costs, and by when to answer.

    Examples:
      liveportal refunds list --state open
      liveportal refunds list --csv -o claims.csv
    """
    states = parse_states(state, STATES)
    with open_reader(ledger, read, out) as reader:
        rows = claims.claims(reader, reference_time(reader), states=states)[:limit]
        zone = display_zone(reader, read)
    empty = "No refund claims: `liveportal refunds claim SESSION` records one."
    render(Table(claims.ClaimRow, rows, HUMAN, empty=empty), out, zone=zone)
    if any(row.state == "open" for row in rows):
        hint('Dispute one with `liveportal dispute file ID --summary "what happened"`.')


@shows(claims.ClaimDetail)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(claim: One, ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Show one claim: why, whether it is late, what it holds and costs, what comes next.

    Also what happens if you do nothing, and what this customer claimed before.

    Example: liveportal refunds show CL-1
    """
    with open_reader(ledger, read, out) as reader:
        row = claims.claim(reader, reader.resolve_id("claim", claim), reference_time(reader))
        zone = display_zone(reader, read)
    render(Detail(claims.ClaimDetail, row, SHOWN), out, zone=zone)
