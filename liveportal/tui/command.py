"""`liveportal portal`: the portal, full screen."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from liveportal.cli.app import Commands
from liveportal.cli.clock import utc_now
from liveportal.cli.completion import choices
from liveportal.cli.options import LedgerOption, with_options
from liveportal.ledger.opening import open_readonly

app = Commands()

THEMES = {"night": "textual-dark", "day": "textual-light", "terminal": "ansi-dark"}


@app.command("portal")
@with_options(LedgerOption)
def portal(
    ledger: LedgerOption,
    theme: Annotated[
        str,
        typer.Option(
            "--theme",
            metavar="NAME",
            help="The colours: night, day, or those of the terminal.",
            autocompletion=choices(tuple(THEMES)),
        ),
    ] = "night",
    mouse: Annotated[
        bool, typer.Option("--mouse/--no-mouse", help="Use the mouse, or leave it to the terminal.")
    ] = True,
) -> None:
    """Show your work on one screen, kept up to date.

    It has five tabs, as the platform's page has: New Requests, Upcoming Sessions with a live timer,
    Session History, My Earnings and My Preferences. It shows what other programs record within a
    second. `?` lists the keys, and `h` hides all amounts.

    The portal only reads, and sends nothing to the platform. A key that would record something
    shows the shell command instead.

    It needs a terminal, of 80x24 or more. Screen readers cannot read it: bare `liveportal` and the
    other commands show the same as plain text.

    Examples:
      liveportal portal
      liveportal portal --theme day
      ssh -t HOST liveportal portal
    """
    if theme not in THEMES:
        raise typer.BadParameter(
            f"{theme!r} is not a theme. The themes are: {', '.join(THEMES)}.", param_hint="--theme"
        )
    streams = (sys.stdin, sys.stdout, sys.stderr)
    is_terminal = all(stream is not None and stream.isatty() for stream in streams)
    if not is_terminal or os.environ.get("TERM") == "dumb":
        raise typer.BadParameter(
            "The portal needs a terminal. In a script, use `liveportal --json` instead."
        )
    with open_readonly(ledger.path):
        pass  # What is wrong with the ledger is said before the screen is taken.
    from liveportal.tui.app import PortalApp  # Imports Textual.

    screen = PortalApp(ledger.path, utc_now, theme=THEMES[theme])
    screen.run(mouse=mouse)
    if screen.bug:
        raise screen.bug
    if screen.return_code:
        raise typer.Exit(screen.return_code)
