"""`liveportal requests` accept, decline, withdraw, add: the expert's answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.commands.requests import answers
from liveportal.cli.commands.requests.busy import BusyOptions, check_calendar
from liveportal.cli.commands.requests.slots import choose_slot
from liveportal.cli.completion import ids, preferences
from liveportal.cli.io.render import hint
from liveportal.cli.io.view_model import shows_result
from liveportal.cli.options import (
    LedgerOption,
    NewId,
    OutputOptions,
    Overlap,
    WriteOptions,
    many_ids,
    with_options,
)
from liveportal.cli.parse.times import read_time
from liveportal.cli.write_command import (
    Reason,
    Writer,
    WriteStep,
    overrides,
    records,
    run_new,
    run_step,
)
from liveportal.cli.write_result import Answer, facts_of
from liveportal.domain.errors import InvalidValue
from liveportal.domain.events.types import (
    CustomerInfo,
    RequestAccepted,
    RequestDeclined,
    RequestOpened,
    RequestWithdrawn,
    Slot,
)
from liveportal.ledger.queries import requests as request_queries

_complete_open = ids("request", states=dict.fromkeys(("accept", "decline", "withdraw"), ("open",)))
Ids = Annotated[list[str], many_ids("Requests", _complete_open)]
IdsUnlessAuto = Annotated[list[str] | None, many_ids("Requests", _complete_open)]

ADDED = Answer(facts=facts_of("request"), sentence=answers.added)
ACCEPTED = Answer(
    request_queries.Acceptance, request_queries.accept_result, facts_of("request"), answers.accepted
)
DECLINED = Answer(
    request_queries.Declination,
    request_queries.decline_result,
    facts_of("request"),
    answers.declined,
)
WITHDRAWN = Answer(facts=facts_of("request"), sentence=answers.withdrawn)


@shows_result(request_queries.Acceptance, many=True)
@with_options(BusyOptions, LedgerOption, WriteOptions, OutputOptions)
def accept(
    requests: Ids,
    calendars: BusyOptions,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    slot: Annotated[
        int | None,
        typer.Option(
            "--slot", min=1, max=10, metavar="N", help="Take slot N of a scheduled request."
        ),
    ] = None,
    best: Annotated[
        bool, typer.Option("--best", help="Take the best slot, as ranked by `requests show`.")
    ] = False,
    session: Annotated[
        str | None,
        typer.Option("--session", metavar="ID", help="The session's id (default: the request's)."),
    ] = None,
    overlap: Overlap = False,
) -> None:
    """Accept requests, and book or start their sessions.

    An instant request starts its session at once. A scheduled request needs a slot: give --slot or
    --best, or choose from the list that a terminal shows. A slot that overlaps an event
    of your own calendar (--busy) is refused unless you add --overlap.

    Examples:
      liveportal requests accept REQ-1001
      liveportal requests accept REQ-1002 --slot 2
      liveportal requests accept REQ-1002 --best --busy ~/calendar.ics
      liveportal requests accept REQ-1002 --best
      liveportal requests list --field id | liveportal requests accept -
    """
    if slot and best:
        raise typer.BadParameter("Give only one of --slot and --best.")
    ask = not (write.yes or write.dry_run)
    busy = calendars.calendar()

    def acceptance(writer: Writer, name: str) -> RequestAccepted:
        number = slot or choose_slot(writer, name, best=best, ask=ask, busy=busy)
        if not overlap:
            check_calendar(writer.reader, name, number, writer.at or utc_now(), busy)
        return RequestAccepted(request=name, session=session, slot=number)

    assumed = () if slot else ("slot",)
    step = WriteStep("request", acceptance, allow=overrides(overlap=overlap), assumed=assumed)
    run_step(requests, step, ACCEPTED, ledger, write, out)


@shows_result(request_queries.Declination, many=True)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def decline(
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    requests: IdsUnlessAuto = None,
    reason: Reason = None,
    auto: Annotated[
        bool, typer.Option("--auto", help="Decline all open requests that your rules decline.")
    ] = False,
) -> None:
    """Decline requests.

    Name the requests, or use --auto to decline all those that your rules decline (`preferences set
    --auto-decline`). The reason recorded is then that of the rule.

    Examples:
      liveportal requests decline REQ-1001 --reason "not my field"
      liveportal requests decline --auto --dry-run
    """
    if auto is bool(requests):
        raise typer.BadParameter("Name requests, or let your rules find them with --auto.")
    if auto and reason is not None:
        raise typer.BadParameter("Leave out --reason: --auto records the reason of each rule.")
    reasons: dict[str, str] = {}

    def find_declined(writer: Writer) -> Sequence[str]:
        reasons.update(request_queries.auto_declines(writer.reader, writer.at or utc_now()))
        return tuple(reasons)

    step = WriteStep(
        "request", lambda _, name: RequestDeclined(request=name, reason=reasons.get(name, reason))
    )
    empty = "Your rules decline no open request." if auto else "No ids were given."
    run_step(requests or find_declined, step, DECLINED, ledger, write, out, empty=empty)
    if auto and not reasons:
        hint("See your rules with `liveportal preferences show`.")


@records(Ids, WITHDRAWN, many=True)
def withdraw(reason: Reason = None) -> WriteStep:
    """Record that customers withdrew their requests.

    Example: liveportal requests withdraw REQ-1001
    """
    return WriteStep("request", lambda _, name: RequestWithdrawn(request=name, reason=reason))


@shows_result()
@with_options(LedgerOption, WriteOptions, OutputOptions)
def add(
    customer: Annotated[
        str,
        typer.Option(
            "--customer",
            metavar="ID",
            help="The customer's id; use no personal data.",
            autocompletion=ids("customer"),
        ),
    ],
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="What the customer needs.")],
    rate: Annotated[str, typer.Option("--rate", metavar="AMOUNT", help="The rate per minute.")],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    request: NewId = None,
    slot: Annotated[
        list[str] | None,
        typer.Option(
            "--slot",
            metavar="'TIME, MINUTES'",
            help="Propose a time for a scheduled request; repeatable.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="TEXT", help="The customer's name.")
    ] = None,
    description: Annotated[
        str | None, typer.Option("--description", metavar="TEXT", help="The problem in detail.")
    ] = None,
    skill: Annotated[
        list[str] | None,
        typer.Option(
            "--skill",
            metavar="SKILL",
            help="A skill that the customer asks for; repeatable.",
            autocompletion=preferences("skills"),
        ),
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="TIME", help="When the request expires.")
    ] = None,
    direct: Annotated[
        bool, typer.Option("--direct", help="A past customer booked you personally.")
    ] = False,
) -> None:
    """Add a request that no feed reports.

    Without --slot it is an instant request; with --slot it is a scheduled one. A slot is a time and
    a length in minutes.

    Examples:
      liveportal requests add --customer C-77 --title "Shader flickers" --rate 3.00
      liveportal requests add --customer C-12 --title "Review" --rate 3 --slot "tomorrow 9am, 45"
    """

    def opened(writer: Writer, request_id: str) -> RequestOpened:
        zone, now = writer.zone, writer.at or utc_now()
        return RequestOpened(
            request=request_id,
            kind="scheduled" if slot else "instant",
            direct=True if direct else None,
            customer=CustomerInfo(id=customer, name=name),
            title=title,
            description=description,
            skills=tuple(skill) if skill else None,
            rate=writer.amount(rate),
            slots=tuple(_parse_slot(text, zone, now) for text in slot) if slot else None,
            expires=read_time(expires, zone, now) if expires is not None else None,
        )

    run_new("REQ", request, WriteStep("request", opened), ADDED, ledger, write, out)


def _parse_slot(text: str, zone: str, now: datetime) -> Slot:
    when, comma, minutes = text.rpartition(",")
    if not comma or not minutes.strip().isascii() or not minutes.strip().isdigit():
        raise InvalidValue(
            f"{text[:60]!r} is not a slot.",
            hint="Write it like 'tomorrow 9am, 45', with the minutes at the end.",
        )
    return Slot(start=read_time(when, zone, now), minutes=int(minutes))
