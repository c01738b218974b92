"""How a command is told which session it is about."""

from __future__ import annotations

from typing import Annotated

import typer

One = Annotated[
    str, typer.Argument(metavar="ID", help="A session, whole or by a unique prefix of its id.")
]
