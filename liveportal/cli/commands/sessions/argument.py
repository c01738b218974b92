"""The arguments that name sessions, and the options that their commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.options import many_ids, one_id

One = Annotated[str, one_id("A session")]
Ids = Annotated[list[str], many_ids("Sessions")]
Billed = Annotated[
    str | None,
    typer.Option(
        "--billed", metavar="AMOUNT", help="What the platform billed; default: by the policy."
    ),
]
