"""The arguments that name sessions, and the options that their commands share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from liveportal.cli.completion import ids
from liveportal.cli.io.render import hint
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
        "--billed", metavar="AMOUNT", help="The platform's bill (default: our calculation)."
    ),
]


def hint_dispute(sessions: Sequence[str]) -> None:
    """Write a hint on how to dispute the open claims on these sessions."""
    first, *others = sessions
    also = f", and so have {len(others)} others" if len(others) > 1 else ""
    also = f", and so has {others[0]}" if len(others) == 1 else also
    hint(
        f"Session {first} has an open refund claim{also}."
        f" Dispute it with `liveportal dispute file {first} --edit`."
    )
