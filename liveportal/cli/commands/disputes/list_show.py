"""`liveportal dispute` list and show."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from liveportal.cli.commands.refunds.list_show import States, claim_detail, claim_table
from liveportal.cli.completion import ids
from liveportal.cli.options import one_id
from liveportal.cli.read_command import Query, reads
from liveportal.ledger.queries import claims

_complete = ids(
    "claim", states={"file": ("open",), "withdraw": ("disputed",), "rule": ("disputed",)}
)
One = Annotated[str, one_id("A claim", _complete, "CLAIM")]


@reads(claims.ClaimRow, many=True)
def list_(state: States = None) -> Query:
    """List the claims that were ever disputed, the oldest first.

    Example: liveportal dispute list --state disputed
    """
    empty = "No disputes: `liveportal refunds list --state open` lists what you can dispute."
    return claim_table(state, empty=empty, disputed_only=True)


@reads(claims.ClaimDetail)
def show(claim: One) -> Query:
    """Show a dispute: the claim, your summary, what happens next, and your record so far.

    Example: liveportal dispute show CL-1
    """
    return partial(claim_detail, claim)
