"""`liveportal requests` accept, decline, withdraw, add: the expert's answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.commands.requests.slots import choose_slot
from liveportal.cli.io.render import hint
from liveportal.cli.io.view_model import shows_result
from liveportal.cli.options import (
    LedgerOption,
    NewId,
    OutputOptions,
    WriteOptions,
    with_options,
)
from liveportal.cli.parse.times import read_time
from liveportal.cli.write_command import (
    Reason,
    Writer,
    WriteStep,
    new_or_given_id,
    open_writer,
    overrides,
    run_step,
    show_result,
)
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

Ids = Annotated[
    list[str],
    typer.Argument(metavar="ID...", help="Requests, whole or by a unique prefix; - reads ids."),
]
IdsUnlessAuto = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID...", help="Requests, whole or by a unique prefix; - reads ids."),
]


@shows_result(request_queries.Acceptance, many=True)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def accept(
    requests: Ids,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    slot: Annotated[
        int | None,
        typer.Option("--slot", min=1, max=10, help="Which proposed time, for a scheduled one."),
    ] = None,
    best: Annotated[
        bool, typer.Option("--best", help="Take the slot of each that `requests show` ranks best.")
    ] = False,
    session: Annotated[
        str | None,
        typer.Option("--session", metavar="ID", help="The session's id; default: the request's."),
    ] = None,
    overlap: Annotated[
        bool, typer.Option("--overlap", help="Book it although that time is taken.")
    ] = False,
) -> None:
    """Accept requests: an instant one is live at once, a scheduled one needs a slot.

    On a terminal it shows the slots, best first, and asks which one; --slot and --best don't ask.

    Examples:
      liveportal requests accept REQ-1001
      liveportal requests accept REQ-1002 --slot 2
      liveportal requests accept REQ-1002 --best
      liveportal requests list --field id | liveportal requests accept -
    """
    if slot and best:
        raise typer.BadParameter("--slot and --best exclude each other")
    ask = not (write.yes or write.dry_run)

    def acceptance(writer: Writer, name: str) -> RequestAccepted:
        number = slot or choose_slot(writer, name, best=best, ask=ask)
        return RequestAccepted(request=name, session=session, slot=number)

    step = WriteStep(
        "request",
        acceptance,
        fields=request_queries.Acceptance,
        read_back=request_queries.accept_result,
        allow=overrides(overlap=overlap),
        assumed=() if slot else ("slot",),
    )
    run_step(requests, step, ledger, write, out)


@shows_result(request_queries.Declination, many=True)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def decline(
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    requests: IdsUnlessAuto = None,
    reason: Reason = None,
    auto: Annotated[
        bool, typer.Option("--auto", help="All open ones that a rule of your preferences declines.")
    ] = False,
) -> None:
    """Decline requests: those you name, or with --auto those that your rules decline.

    Each that a rule declines records the rule's reason.

    Examples:
      liveportal requests decline REQ-1001 --reason "not my field"
      liveportal requests decline --auto --dry-run
    """
    if auto is bool(requests):
        raise typer.BadParameter("name requests, or let your rules find them with --auto")
    if auto and reason is not None:
        raise typer.BadParameter("--auto records the reason of each rule: leave out --reason")
    reasons: dict[str, str] = {}

    def find_declined(writer: Writer) -> Sequence[str]:
        reasons.update(request_queries.auto_declines(writer.reader, writer.at or utc_now()))
        return tuple(reasons)

    step = WriteStep(
        "request",
        lambda _, name: RequestDeclined(request=name, reason=reasons.get(name, reason)),
        fields=request_queries.Declination,
        read_back=request_queries.decline_result,
    )
    empty = "No open request is declined by a rule." if auto else "No ids were given."
    run_step(requests or find_declined, step, ledger, write, out, empty=empty)
    if auto and not reasons:
        hint("`liveportal preferences show` shows your rules (auto_decline).")


@shows_result(many=True)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def withdraw(
    requests: Ids,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    reason: Reason = None,
) -> None:
    """Record that customers withdrew their requests.

    Example: liveportal requests withdraw REQ-1001
    """
    step = WriteStep("request", lambda _, name: RequestWithdrawn(request=name, reason=reason))
    run_step(requests, step, ledger, write, out)


@shows_result()
@with_options(LedgerOption, WriteOptions, OutputOptions)
def add(
    customer: Annotated[
        str, typer.Option("--customer", metavar="ID", help="The customer's id: no personal data.")
    ],
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="What it is about.")],
    rate: Annotated[str, typer.Option("--rate", metavar="AMOUNT", help="What a minute pays.")],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    request: NewId = None,
    slot: Annotated[
        list[str] | None,
        typer.Option(
            "--slot",
            metavar="'TIME, MINUTES'",
            help="A proposed time, such as 'tomorrow 9am, 45'; makes it scheduled.",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="The customer's name.")] = None,
    description: Annotated[str | None, typer.Option("--description", help="Details.")] = None,
    skill: Annotated[
        list[str] | None, typer.Option("--skill", help="A skill it needs; may be repeated.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="TIME", help="When it lapses.")
    ] = None,
    direct: Annotated[
        bool, typer.Option("--direct", help="A past customer books you personally.")
    ] = False,
) -> None:
    """Add a request that reached you outside a feed.

    Examples:
      liveportal requests add --customer C-77 --title "Shader flickers" --rate 3.00
      liveportal requests add --customer C-12 --title "Review" --rate 3 --slot "tomorrow 9am, 45"
    """
    with open_writer(ledger, write, out) as writer:
        zone, now = writer.zone, writer.at or utc_now()
        data = RequestOpened(
            request=new_or_given_id("REQ", request),
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
        row = writer.record(
            data,
            data.request,
            assumed=() if request is not None else ("request",),
        )
    show_result(row, (), out, zone=zone)


def _parse_slot(text: str, zone: str, now: datetime) -> Slot:
    when, comma, minutes = text.rpartition(",")
    if not comma or not minutes.strip().isascii() or not minutes.strip().isdigit():
        raise InvalidValue(
            f"{text[:60]!r} is not a slot", hint="Write it like 'tomorrow 9am, 45' (minutes last)."
        )
    return Slot(start=read_time(when, zone, now), minutes=int(minutes))
