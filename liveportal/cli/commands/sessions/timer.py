"""`liveportal sessions` start to reschedule: time live sessions, change upcoming ones."""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.commands.sessions.argument import One
from liveportal.cli.completion import choices, ids
from liveportal.cli.io.render import hint
from liveportal.cli.io.view_model import shows_result
from liveportal.cli.options import (
    LedgerOption,
    OutputOptions,
    WriteOptions,
    with_options,
)
from liveportal.cli.parse.times import read_time
from liveportal.cli.write_command import Reason, WriteStep, overrides, run_step
from liveportal.domain.events.types import (
    PARTY,
    PERSON,
    SessionCancelled,
    SessionEnded,
    SessionMissed,
    SessionPaused,
    SessionRescheduled,
    SessionResumed,
    SessionStarted,
)
from liveportal.ledger.queries.sessions import (
    PlannedTimes,
    SessionResult,
    planned_times,
    result_fields,
)

Ids = Annotated[
    list[str],
    typer.Argument(
        metavar="ID...",
        help="Sessions, whole or by a unique prefix; - reads ids.",
        autocompletion=ids(
            "session",
            states={
                "start": ("upcoming",),
                "pause": ("live",),
                "resume": ("paused",),
                "end": ("live", "paused"),
                "cancel": ("upcoming",),
                "miss": ("upcoming",),
            },
        ),
    ),
]


@shows_result(SessionResult, many=True)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def start(sessions: Ids, ledger: LedgerOption, write: WriteOptions, out: OutputOptions) -> None:
    """Start the timer of an upcoming session.

    Example: liveportal sessions start S-1002
    """
    run_step(sessions, _timer_step(SessionStarted), ledger, write, out)
    hint("Pause it with `liveportal sessions pause`, end it with `liveportal sessions end`.")


@shows_result(SessionResult, many=True)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def pause(sessions: Ids, ledger: LedgerOption, write: WriteOptions, out: OutputOptions) -> None:
    """Stop the timer; paused time is not charged.

    Example: liveportal sessions pause S-1002 --at "5 minutes ago"
    """
    run_step(sessions, _timer_step(SessionPaused), ledger, write, out)


@shows_result(SessionResult, many=True)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def resume(sessions: Ids, ledger: LedgerOption, write: WriteOptions, out: OutputOptions) -> None:
    """Let the timer of a paused session run again.

    Example: liveportal sessions resume S-1002
    """
    run_step(sessions, _timer_step(SessionResumed), ledger, write, out)


def _timer_step(kind: type[SessionStarted | SessionPaused | SessionResumed]) -> WriteStep:
    """Return the step that records an event of the timer."""
    return WriteStep(
        "session",
        lambda _, name: kind(session=name),
        SessionResult,
        result_fields,
    )


@shows_result(SessionResult, many=True)
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
    step = WriteStep(
        "session",
        lambda writer, name: SessionEnded(
            session=name, billed=writer.amount(billed) if billed is not None else None
        ),
        SessionResult,
        result_fields,
    )
    run_step(sessions, step, ledger, write, out)


@shows_result(many=True)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def cancel(
    sessions: Ids,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="WHO",
            help="expert, customer or platform.",
            autocompletion=choices(PARTY.words),
        ),
    ] = "expert",
    reason: Reason = None,
) -> None:
    """Cancel an upcoming session; nothing is charged.

    Example: liveportal sessions cancel S-1002 --by customer --reason "ill"
    """
    step = WriteStep(
        "session", lambda _, name: SessionCancelled(session=name, by=by, reason=reason)
    )
    run_step(sessions, step, ledger, write, out)


@shows_result(many=True)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def miss(
    sessions: Ids,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="WHO",
            help="Who did not come: expert or customer.",
            autocompletion=choices(PERSON.words),
        ),
    ] = "customer",
) -> None:
    """Record that somebody did not come; nothing is charged.

    Example: liveportal sessions miss S-1002 --by customer
    """
    step = WriteStep("session", lambda _, name: SessionMissed(session=name, by=by))
    run_step(sessions, step, ledger, write, out)


@shows_result(PlannedTimes)
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
) -> None:
    """Move an upcoming session to another time.

    Example: liveportal sessions reschedule S-1002 --start "tomorrow 18:00" --minutes 60
    """
    step = WriteStep(
        "session",
        lambda writer, name: SessionRescheduled(
            session=name, start=read_time(start, writer.zone, utc_now()), minutes=minutes
        ),
        PlannedTimes,
        planned_times,
        allow=overrides(overlap=overlap),
    )
    run_step([session], step, ledger, write, out)
