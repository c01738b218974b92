"""`liveportal dispute` list and show."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from liveportal.cli.commands.refunds.list_show import claim_detail, claim_table
from liveportal.cli.io.view_model import shows
from liveportal.cli.options import (
    LedgerOption,
    OutputOptions,
    ReadOptions,
    one_id,
    with_options,
)
from liveportal.cli.read_command import States, run_read
from liveportal.ledger.queries import claims

One = Annotated[str, one_id("A claim", "CLAIM")]


@shows(claims.ClaimRow, many=True)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def list_(
    ledger: LedgerOption, read: ReadOptions, out: OutputOptions, state: States = None
) -> None:
    """List the claims that were ever disputed, the oldest first.

    Example: liveportal dispute list --state disputed
    """
    query = claim_table(state, empty="No disputes.", disputed_only=True)
    run_read(query, ledger, read, out)


@shows(claims.ClaimDetail)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(claim: One, ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Show a dispute: the claim, your summary, what happens next, and your record so far.

    Example: liveportal dispute show CL-1
    """
    run_read(partial(claim_detail, claim), ledger, read, out)
