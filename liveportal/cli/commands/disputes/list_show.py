"""`liveportal dispute` list and show."""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.commands.refunds.list_show import HUMAN, SHOWN, STATES
from liveportal.cli.io.render import render
from liveportal.cli.io.view_model import Detail, Table, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.read_command import (
    States,
    display_zone,
    open_reader,
    parse_states,
    reference_time,
)
from liveportal.ledger.queries import claims

One = Annotated[
    str, typer.Argument(metavar="CLAIM", help="A claim, whole or by a unique prefix of its id.")
]


@shows(claims.ClaimRow, many=True)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def list_(
    ledger: LedgerOption, read: ReadOptions, out: OutputOptions, state: States = None
) -> None:
    """List the claims that were ever disputed, the oldest first.

    Example: liveportal dispute list --state disputed
    """
    states = parse_states(state, STATES)
    with open_reader(ledger, read, out) as reader:
        rows = claims.claims(reader, reference_time(reader), states=states, disputed_only=True)
        zone = display_zone(reader, read)
    empty = "No disputes: `liveportal refunds list --state open` lists what you can dispute."
    render(Table(claims.ClaimRow, rows, HUMAN, empty=empty), out, zone=zone)


@shows(claims.ClaimDetail)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(claim: One, ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Show a dispute: the claim, your summary, what happens next, and your record so far.

    Example: liveportal dispute show CL-1
    """
    with open_reader(ledger, read, out) as reader:
        row = claims.claim(reader, reader.resolve_id("claim", claim), reference_time(reader))
        zone = display_zone(reader, read)
    render(Detail(claims.ClaimDetail, row, SHOWN), out, zone=zone)
