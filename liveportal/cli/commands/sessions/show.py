"""`liveportal sessions show`: one session.

Registered in `liveportal.cli.commands.sessions`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from liveportal.cli.commands.sessions.argument import One, hint_dispute
from liveportal.cli.commands.sessions.evidence_view import OpenedFile, show_evidence
from liveportal.cli.commands.sessions.follow_view import FIGURES, check_follow, with_stopwatches
from liveportal.cli.commands.sessions.follow_view import follow as follow_session
from liveportal.cli.io.history import format_history, format_pauses
from liveportal.cli.io.render import for_person, hint, render
from liveportal.cli.io.view_model import Detail, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.read_command import display_zone, open_reader, reference_time
from liveportal.domain.calculations.live_session import RUNNING
from liveportal.domain.row import extend, row
from liveportal.ledger.queries.live_figures import LiveFigures, figures
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.sessions import SessionDetail
from liveportal.ledger.queries.sessions import session as get_session
from liveportal.ledger.queries.transcripts import MessageRow

SHOWN = (
    *("id", "state", *FIGURES, "title", "customer_name", "customer_id", "start", "end", "pauses"),
    *("paused_minutes", "minutes", "rate", "gross", "fee", "earned", "expected", "refunded"),
    *("currency", "period", "policy", "request", "claim", "claims", "flags", "aliases"),
    *("reviews", "artifacts", "transactions", "history"),
)


@row
class ShownSession(LiveFigures, SessionDetail):
    """A session as `sessions show` has it: everything about it, then its live figures."""


@shows(ShownSession, OpenedFile, tables=(MessageRow,))
@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(
    session: One,
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Update the view until the session is over.")
    ] = False,
    transcript: Annotated[
        bool,
        typer.Option("--transcript", help="Show the attached transcripts."),
    ] = False,
    opened: Annotated[
        str | None,
        typer.Option("--open", metavar="NAME|N", help="Open a copy of an evidence file."),
    ] = None,
) -> None:
    """Show everything about one session.

    That is its times, pauses, bill, refund claims, reviews, files, bookings and history; for a live
    session also the time and the earnings so far, by the policy that applied when it was agreed.

    Examples:
      liveportal sessions show S-1001
      liveportal sessions show S-1001 --follow
      liveportal sessions show S-1001 --json --fields active_seconds,earned_so_far
      liveportal sessions show S-1001 --transcript
      liveportal sessions show S-1001 --open call.mp4
    """
    if sum((follow, transcript, opened is not None)) > 1:
        raise typer.BadParameter("Give only one of --follow, --transcript and --open.")
    if transcript or opened is not None:
        show_evidence(session, opened, ledger, read, out)
        return

    def read_session() -> tuple[ShownSession, str, datetime]:
        with open_reader(ledger, read, out) as reader:
            name, now = reader.resolve_id("session", session), reference_time(reader)
            return shown_session(reader, name, now), display_zone(reader, read), now

    if follow:
        check_follow(read, out)
        follow_session(read_session)
        return
    row, zone, now = read_session()
    page = session_detail(row) if for_person(out) else Detail(ShownSession, row, SHOWN)
    render(page, out, zone=zone, now=now)
    if any(claim.state == "open" for claim in row.claims):
        hint_dispute([row.id])
    if row.state in RUNNING:
        hint(f"Watch it live with `liveportal sessions show {row.id} --follow`.")


def shown_session(reader: Reader, session: str, now: datetime) -> ShownSession:
    """Return everything about a session, with its live figures at an instant."""
    return extend(ShownSession, get_session(reader, session), **figures(reader, session, now))


def session_detail(row: ShownSession) -> Detail:
    """Return the page that shows a session to a person."""
    return Detail(ShownSession, with_stopwatches(_human_row(row)), SHOWN)


def _human_row(row: ShownSession) -> dict[str, object]:
    """Return a session's row whose pauses and history a terminal shows in words."""
    from liveportal.cli.commands.sessions.refunded import human_money  # Terminals only.

    earnings = (entry.gross for entry in row.transactions if entry.kind == "earning")
    return {
        **row,
        **human_money(row),
        "pauses": row.pauses and format_pauses(row.pauses),
        "history": format_history(row.history, next(earnings, None)),
    }
