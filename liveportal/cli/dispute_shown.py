"""`liveportal dispute` list, show: what only looks at disputes."""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.looking import States, checked_states, moment, windows, zone_of
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.refunds_shown import HUMAN, SHOWN, STATES
from liveportal.cli.render import render
from liveportal.cli.results import Item, Table
from liveportal.ledger.queries import claims as seen

One = Annotated[
    str, typer.Argument(metavar="CLAIM", help="A claim, whole or by a unique prefix of its id.")
]


@with_options(LedgerOption, ReadOptions, OutputOptions)
def list_(
    ledger: LedgerOption, read: ReadOptions, out: OutputOptions, state: States = None
) -> None:
    """List the claims that were ever disputed, the oldest first.

    Example: liveportal dispute list --state disputed
    """
    states = checked_states(state, STATES)
    with windows(ledger, read, out) as reader:
        rows = seen.claims(reader, moment(reader), states=states, disputed_only=True)
        zone = zone_of(reader, read)
    render(Table(seen.FIELDS, rows, HUMAN, empty="No disputes."), out, zone=zone)


@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(claim: One, ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Show a dispute: the claim, your summary, what happens next, and your record so far.

    Example: liveportal dispute show CL-1
    """
    with windows(ledger, read, out) as reader:
        row = seen.claim(reader, reader.known("claim", claim), moment(reader))
        zone = zone_of(reader, read)
    render(Item(seen.SHOW_FIELDS, row, SHOWN), out, zone=zone)
