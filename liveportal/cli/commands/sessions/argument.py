"""The argument that names a session."""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.completion import ids

One = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="A session, whole or by a unique prefix of its id.",
        autocompletion=ids(
            "session",
            states={
                "reschedule": ("upcoming",),
                "correct": ("ended",),
                "tip": ("ended",),
                "review": ("ended",),
            },
        ),
    ),
]
