"""A module with a single command that is not a group."""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.app import Commands
from liveportal.cli.io.render import render
from liveportal.cli.io.view_model import Table
from liveportal.cli.options import OutputOptions, with_options

app = Commands()


@app.command("single")
@with_options(OutputOptions)
def single(out: OutputOptions, names: Annotated[list[str], typer.Argument()]) -> None:
    """Take names."""
    render(Table(("name",), [{"name": name} for name in names]), out)
