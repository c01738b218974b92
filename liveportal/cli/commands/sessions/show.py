"""`liveportal sessions`, one of them: show.

`liveportal.cli.commands.sessions` adds this command to its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from liveportal.cli.commands.sessions.argument import One
from liveportal.cli.commands.sessions.evidence_view import show_evidence
from liveportal.cli.commands.sessions.follow_view import FIGURES, check_follow, timed
from liveportal.cli.commands.sessions.follow_view import follow as keep_showing
from liveportal.cli.io.history import in_words, pauses_in_words
from liveportal.cli.io.render import hint, render
from liveportal.cli.io.view_model import Detail
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.read_command import display_zone, open_reader, reference_time
from liveportal.domain.calculations.live_session import RUNNING
from liveportal.ledger.queries import live_figures as live
from liveportal.ledger.queries import sessions as seen
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

    def look() -> tuple[Row, str, datetime]:
        with open_reader(ledger, read, out) as reader:
            name, now = reader.resolve_id("session", session), reference_time(reader)
            row = seen.session(reader, name) | live.figures(reader, name, now)
            return row, display_zone(reader, read), now

    if follow:
        check_follow(read, out)
        keep_showing(look)
        return
    row, zone, now = look()
    fields = (*seen.SHOW_FIELDS, *live.FIELDS)
    first = ("id", "state", *FIGURES)
    human = (*first, *(name for name in fields if name not in first))
    render(Detail(fields, timed(_told(row)), human), out, zone=zone, now=now)
    if row["state"] in RUNNING:
        hint("--follow keeps this up to date until the session is over.")


def _told(row: Row) -> Row:
    """Return a session's row with its pauses and its history in words, to a person."""
    history: Any = row["history"]
    transactions: Any = row["transactions"]
    pauses: Any = row["pauses"]
    booked = (each["gross"] for each in transactions if each["kind"] == "earning")
    return row | {
        "pauses": pauses and pauses_in_words(pauses),
        "history": in_words(history, next(booked, None)),
    }
