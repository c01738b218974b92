"""`liveportal sessions` start to reschedule: time live sessions, change upcoming ones."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.commands.sessions import answers
from liveportal.cli.commands.sessions.argument import Billed, Ids, One
from liveportal.cli.completion import choices
from liveportal.cli.options import Overlap
from liveportal.cli.parse.times import read_time
from liveportal.cli.write_command import (
    Reason,
    Writer,
    WriteStep,
    overrides,
    records,
)
from liveportal.cli.write_result import Answer, facts_of
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

_session = partial(Answer, SessionResult, result_fields, facts_of("session"))


@records(Ids, _session(answers.started), many=True)
def start() -> WriteStep:
    """Start the timer of upcoming sessions.

    Example: liveportal sessions start S-1002
    """
    return _timer_step(SessionStarted)


@records(Ids, _session(answers.paused), many=True)
def pause() -> WriteStep:
    """Pause live sessions; paused time is not charged.

    Example: liveportal sessions pause S-1002 --at "5 minutes ago"
    """
    return _timer_step(SessionPaused)


@records(Ids, _session(answers.resumed), many=True)
def resume() -> WriteStep:
    """Resume the timer of paused sessions.

    Example: liveportal sessions resume S-1002
    """
    return _timer_step(SessionResumed)


def _timer_step(kind: type[SessionStarted | SessionPaused | SessionResumed]) -> WriteStep:
    """Return the step that records an event of the timer."""
    return WriteStep("session", lambda _, name: kind(session=name))


@records(Ids, _session(answers.over), many=True)
def end(billed: Billed = None) -> WriteStep:
    """End sessions, and bill them.

    Examples:
      liveportal sessions end S-1002
      liveportal sessions end S-1002 --at 17:45 --billed 136.50
    """

    def ended(writer: Writer, name: str) -> SessionEnded:
        return SessionEnded(session=name, billed=writer.amount_if_given(billed))

    return WriteStep("session", ended)


@records(Ids, Answer(facts=facts_of("session"), sentence=answers.cancelled), many=True)
def cancel(
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="WHO",
            help="Who cancelled: expert (you), customer or platform.",
            autocompletion=choices(PARTY.words),
        ),
    ] = "expert",
    reason: Reason = None,
) -> WriteStep:
    """Cancel upcoming sessions; nothing is charged.

    Example: liveportal sessions cancel S-1002 --by customer --reason "ill"
    """
    return WriteStep(
        "session", lambda _, name: SessionCancelled(session=name, by=by, reason=reason)
    )


@records(Ids, Answer(facts=facts_of("session"), sentence=answers.missed), many=True)
def miss(
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="WHO",
            help="Who did not come: expert (you) or customer.",
            autocompletion=choices(PERSON.words),
        ),
    ] = "customer",
) -> WriteStep:
    """Record that you or the customer missed a session.

    Nothing is charged.

    Example: liveportal sessions miss S-1002 --by customer
    """
    return WriteStep("session", lambda _, name: SessionMissed(session=name, by=by))


@records(One, Answer(PlannedTimes, planned_times, facts_of("session"), answers.moved))
def reschedule(
    start: Annotated[
        str, typer.Option("--start", metavar="TIME", help="The new time, such as 'friday 9am'.")
    ],
    minutes: Annotated[
        int | None, typer.Option("--minutes", min=1, max=1440, metavar="N", help="The new length.")
    ] = None,
    overlap: Overlap = False,
) -> WriteStep:
    """Move an upcoming session to another time.

    Example: liveportal sessions reschedule S-1002 --start "tomorrow 18:00" --minutes 60
    """

    def rescheduled(writer: Writer, name: str) -> SessionRescheduled:
        new_start = read_time(start, writer.zone, utc_now())
        return SessionRescheduled(session=name, start=new_start, minutes=minutes)

    return WriteStep("session", rescheduled, allow=overrides(overlap=overlap))
