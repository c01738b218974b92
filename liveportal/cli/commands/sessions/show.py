"""`liveportal sessions show`: one session.

Registered in `liveportal.cli.commands.sessions`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from liveportal.cli.commands.sessions.argument import One
from liveportal.cli.commands.sessions.evidence_view import show_evidence
from liveportal.cli.commands.sessions.follow_view import FIGURES, check_follow, with_stopwatches
from liveportal.cli.commands.sessions.follow_view import follow as follow_session
from liveportal.cli.io.history import format_history, format_pauses
from liveportal.cli.io.render import hint, render
from liveportal.cli.io.view_model import Detail
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.read_command import display_zone, open_reader, reference_time
from liveportal.domain.calculations.live_session import RUNNING
from liveportal.ledger.queries import live_figures, sessions
from liveportal.ledger.queries.reader import Row


@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(
    session: One,
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Keep the view up to date until it is over.")
    ] = False,
    transcript: Annotated[
        bool,
        typer.Option("--transcript", help="Show what was said, as attached transcripts have it."),
    ] = False,
    opened: Annotated[
        str | None,
        typer.Option(
            "--open", metavar="NAME|N", help="Open a file of its evidence, or a copy of it rather."
        ),
    ] = None,
) -> None:
    """Show everything about one session: times, pauses, bill, claims, reviews, money, history.

    Of a live one also what it comes to so far, by the policy that it froze.

    Examples:
      liveportal sessions show S-1001
      liveportal sessions show S-1001 --follow
      liveportal sessions show S-1001 --json --fields active_seconds,earned_so_far
      liveportal sessions show S-1001 --transcript
      liveportal sessions show S-1001 --open call.mp4
    """
    if sum((follow, transcript, opened is not None)) > 1:
        raise typer.BadParameter("--follow, --transcript and --open exclude one another")
    if transcript or opened is not None:
        show_evidence(session, opened, ledger, read, out)
        return

    def read_session() -> tuple[Row, str, datetime]:
        with open_reader(ledger, read, out) as reader:
            name, now = reader.resolve_id("session", session), reference_time(reader)
            row = sessions.session(reader, name) | live_figures.figures(reader, name, now)
            return row, display_zone(reader, read), now

    if follow:
        check_follow(read, out)
        follow_session(read_session)
        return
    row, zone, now = read_session()
    fields = (*sessions.SHOW_FIELDS, *live_figures.FIELDS)
    first = ("id", "state", *FIGURES)
    human = (*first, *(name for name in fields if name not in first))
    render(Detail(fields, with_stopwatches(_human_row(row)), human), out, zone=zone, now=now)
    if row["state"] in RUNNING:
        hint("--follow keeps this up to date until the session is over.")


def _human_row(row: Row) -> Row:
    """Return a session's row whose pauses and history a terminal shows in words."""
    history: Any = row["history"]
    transactions: Any = row["transactions"]
    pauses: Any = row["pauses"]
    earnings = (entry["gross"] for entry in transactions if entry["kind"] == "earning")
    return row | {
        "pauses": pauses and format_pauses(pauses),
        "history": format_history(history, next(earnings, None)),
    }
