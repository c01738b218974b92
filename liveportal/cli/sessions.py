"""`liveportal sessions`: the timer of live sessions, and the plans of upcoming ones.

What only looks at sessions is in `sessions_shown`, `sessions_planned` and `sessions_calendar`; what
was entered afterwards (logged, corrected, tips, reviews) is in `sessions_after`.
"""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.acting import Anyway, Reason, Step, act, insisting
from liveportal.cli.app import Commands
from liveportal.cli.explain import explain_session
from liveportal.cli.options import (
    LedgerOption,
    OutputOptions,
    WriteOptions,
    with_options,
)
from liveportal.cli.render import hint
from liveportal.cli.sessions_after import One, correct, log, review, tip
from liveportal.cli.sessions_calendar import calendar
from liveportal.cli.sessions_evidence import attach, search
from liveportal.cli.sessions_history import list_
from liveportal.cli.sessions_planned import check, upcoming
from liveportal.cli.sessions_reviews import reviews
from liveportal.cli.sessions_shown import show
from liveportal.cli.times import read_time, utc_now
from liveportal.domain.events import (
    SessionCancelled,
    SessionEnded,
    SessionMissed,
    SessionPaused,
    SessionRescheduled,
    SessionResumed,
    SessionStarted,
)
from liveportal.ledger.windows import sessions as seen

app = Commands(
    "Sessions: list, upcoming, show, start, pause, resume, end, cancel, miss, reschedule, log,"
    " correct, tip, review, reviews, attach, search, explain, calendar, check."
)

Ids = Annotated[
    list[str],
    typer.Argument(metavar="ID...", help="Sessions, whole or by a unique prefix; - reads ids."),
]


app.command("list")(list_)
app.command("upcoming")(upcoming)
app.command("show")(show)
app.command("calendar")(calendar)
app.command("check")(check)


@app.command("start")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def start(sessions: Ids, ledger: LedgerOption, write: WriteOptions, out: OutputOptions) -> None:
    """Start the timer of an upcoming session.

    Example: liveportal sessions start S-1002
    """
    act(sessions, _timer(SessionStarted), ledger, write, out)
    hint("Pause it with `liveportal sessions pause`, end it with `liveportal sessions end`.")


@app.command("pause")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def pause(sessions: Ids, ledger: LedgerOption, write: WriteOptions, out: OutputOptions) -> None:
    """Stop the timer; paused time is not charged.

    Example: liveportal sessions pause S-1002 --at "5 minutes ago"
    """
    act(sessions, _timer(SessionPaused), ledger, write, out)


@app.command("resume")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def resume(sessions: Ids, ledger: LedgerOption, write: WriteOptions, out: OutputOptions) -> None:
    """Let the timer of a paused session run again.

    Example: liveportal sessions resume S-1002
    """
    act(sessions, _timer(SessionResumed), ledger, write, out)


def _timer(kind: type[SessionStarted | SessionPaused | SessionResumed]) -> Step:
    """Return a step of the timer."""
    return Step("session", lambda _, name: kind(session=name), seen.RESULT_FIELDS, seen.result)


@app.command("end")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def end(
    sessions: Ids,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    billed: Annotated[
        str | None,
        typer.Option(
            "--billed", metavar="AMOUNT", help="What the platform billed; default: by the policy."
        ),
    ] = None,
) -> None:
    """End a session: it is billed, and the earning booked.

    Examples:
      liveportal sessions end S-1002
      liveportal sessions end S-1002 --at 17:45 --billed 136.50
    """
    step = Step(
        "session",
        lambda writer, name: SessionEnded(
            session=name, billed=writer.amount(billed) if billed is not None else None
        ),
        seen.RESULT_FIELDS,
        seen.result,
    )
    act(sessions, step, ledger, write, out)


@app.command("cancel")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def cancel(
    sessions: Ids,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    by: Annotated[
        str, typer.Option("--by", metavar="WHO", help="expert, customer or platform.")
    ] = "expert",
    reason: Reason = None,
) -> None:
    """Cancel an upcoming session; nothing is charged.

    Example: liveportal sessions cancel S-1002 --by customer --reason "ill"
    """
    step = Step("session", lambda _, name: SessionCancelled(session=name, by=by, reason=reason))
    act(sessions, step, ledger, write, out)


@app.command("miss")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def miss(
    sessions: Ids,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    by: Annotated[
        str, typer.Option("--by", metavar="WHO", help="Who did not come: expert or customer.")
    ] = "customer",
) -> None:
    """Record that somebody did not come; nothing is charged.

    Example: liveportal sessions miss S-1002 --by customer
    """
    step = Step("session", lambda _, name: SessionMissed(session=name, by=by))
    act(sessions, step, ledger, write, out)


@app.command("reschedule")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def reschedule(
    session: One,
    start: Annotated[
        str, typer.Option("--start", metavar="TIME", help="The new time, such as 'friday 9am'.")
    ],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    minutes: Annotated[
        int | None, typer.Option("--minutes", min=1, max=1440, help="The new length.")
    ] = None,
    overlap: Annotated[
        bool, typer.Option("--overlap", help="Book it although that time is taken.")
    ] = False,
    anyway: Anyway = False,
) -> None:
    """Move an upcoming session to another time.

    Example: liveportal sessions reschedule S-1002 --start "tomorrow 18:00" --minutes 60
    """
    step = Step(
        "session",
        lambda writer, name: SessionRescheduled(
            session=name, start=read_time(start, writer.zone, utc_now()), minutes=minutes
        ),
        ("start", "end"),
        seen.planned,
        insist=insisting(overlap=overlap, anyway=anyway),
    )
    act([session], step, ledger, write, out)


app.command("log")(log)
app.command("correct")(correct)
app.command("tip")(tip)
app.command("review")(review)
app.command("reviews")(reviews)
app.command("attach")(attach)
app.command("search", words=True)(search)
app.command("explain")(explain_session)
