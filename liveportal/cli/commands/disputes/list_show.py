"""`liveportal dispute` list and show."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from liveportal.cli.commands.refunds.list_show import States, claim_detail, claim_table
from liveportal.cli.completion import ids
from liveportal.cli.read_command import Query, reads
from liveportal.ledger.queries import claims

_complete = ids(
    "claim", states={"file": ("open",), "withdraw": ("disputed",), "rule": ("disputed",)}
)
One = Annotated[
    str,
    typer.Argument(
        metavar="CLAIM",
        help="The claim's id or its session's id, or a unique prefix.",
        autocompletion=_complete,
    ),
]


@reads(claims.ClaimRow, many=True)
def list_(state: States = None) -> Query:
    """List disputed claims and how each was decided.

    The oldest claim comes first. Claims that you did not dispute are in `liveportal refunds list`.

    Example: liveportal dispute list --state disputed
    """
    empty = "No disputes. Claims that you can dispute: `liveportal refunds list --state open`."
    return claim_table(state, empty=empty, disputed_only=True)


@reads(claims.ClaimDetail)
def show(claim: One) -> Query:
    """Show a dispute, what happens next, and your record.

    Example: liveportal dispute show CL-1
    """
    return partial(claim_detail, claim)
