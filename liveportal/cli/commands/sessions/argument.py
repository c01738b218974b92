"""The arguments that name sessions, and the options that their commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.completion import ids
from liveportal.cli.options import many_ids, one_id

_complete = ids(
    "session",
    states={
        "start": ("upcoming",),
        "pause": ("live",),
        "resume": ("paused",),
        "end": ("live", "paused"),
        "cancel": ("upcoming",),
        "miss": ("upcoming",),
        "reschedule": ("upcoming",),
        "correct": ("ended",),
        "tip": ("ended",),
        "review": ("ended",),
    },
)
One = Annotated[str, one_id("A session", _complete)]
Ids = Annotated[list[str], many_ids("Sessions", _complete)]
Billed = Annotated[
    str | None,
    typer.Option(
        "--billed", metavar="AMOUNT", help="What the platform billed; default: by the policy."
    ),
]
