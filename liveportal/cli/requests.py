"""`liveportal requests`: what customers ask for, and the expert's answers."""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.acting import (
    Anyway,
    Reason,
    Step,
    act,
    insisting,
    new_name,
    show_result,
    writing,
)
from liveportal.cli.app import Commands
from liveportal.cli.looking import States, checked_states, windows, zone_of
from liveportal.cli.options import (
    LedgerOption,
    NewId,
    OutputOptions,
    ReadOptions,
    WriteOptions,
    with_options,
)
from liveportal.cli.render import hint, render
from liveportal.cli.results import Item, Row, Table
from liveportal.cli.times import read_time, utc_now
from liveportal.domain.errors import InvalidValue
from liveportal.domain.events import (
    Customer,
    RequestAccepted,
    RequestDeclined,
    RequestOpened,
    RequestWithdrawn,
    Slot,
)
from liveportal.ledger.reader import Reader, instant
from liveportal.ledger.windows import requests as seen

app = Commands("Requests for your help: list, show, accept, decline, withdraw, add.")

STATES = ("open", "accepted", "declined", "withdrawn", "taken", "expired")
Ids = Annotated[
    list[str],
    typer.Argument(metavar="ID...", help="Requests, whole or by a unique prefix; - reads ids."),
]
One = Annotated[
    str, typer.Argument(metavar="ID", help="A request, whole or by a unique prefix of its id.")
]


@app.command("list")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def list_(
    ledger: LedgerOption, read: ReadOptions, out: OutputOptions, state: States = None
) -> None:
    """List requests, the oldest first.

    Examples:
      liveportal requests list --state open
      liveportal requests list --state open --field id | liveportal requests accept -
    """
    states = checked_states(state, STATES)
    with windows(ledger, read, out) as reader:
        rows = seen.requests(reader, states)
        zone = zone_of(reader, read)
    human = ("id", "kind", "state", "customer.name", "title", "rate", "currency", "opened_at")
    render(Table(seen.FIELDS, rows, human, empty="No requests."), out, zone=zone)
    if any(row["state"] == "open" for row in rows):
        hint("Answer with `liveportal requests accept ID` (--slot N for a scheduled one).")


@app.command("show")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(request: One, ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Show everything about one request: slots, conflicts, customer, what happened to it.

    Example: liveportal requests show REQ-1001
    """
    with windows(ledger, read, out) as reader:
        row = seen.request(reader, reader.known("request", request))
        zone = zone_of(reader, read)
    render(Item(seen.SHOW_FIELDS, row), out, zone=zone)


@app.command("accept")
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
    session: Annotated[
        str | None,
        typer.Option("--session", metavar="ID", help="The session's id; default: the request's."),
    ] = None,
    overlap: Annotated[
        bool, typer.Option("--overlap", help="Book it although that time is taken.")
    ] = False,
    anyway: Anyway = False,
) -> None:
    """Accept requests: an instant one is live at once, a scheduled one needs a slot.

    Examples:
      liveportal requests accept REQ-1001
      liveportal requests accept REQ-1002 --slot 2
      liveportal requests list --state open --field id | liveportal requests accept -
    """
    step = Step(
        "request",
        lambda _, name: RequestAccepted(request=name, session=session, slot=slot),
        fields=("session", "start"),
        show=_accepted,
        insist=insisting(overlap=overlap, anyway=anyway),
    )
    act(requests, step, ledger, write, out)


def _accepted(reader: Reader, request_id: str) -> Row:
    row = reader.one(
        "SELECT request.session, session.start, session.planned_start FROM request"
        " LEFT JOIN session ON session.id = request.session WHERE request.id = ?",
        request_id,
    )
    if row is None:
        return {"session": None, "start": None}
    return {"session": row["session"], "start": instant(row["start"] or row["planned_start"])}


@app.command("decline")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def decline(
    requests: Ids,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    reason: Reason = None,
) -> None:
    """Decline requests.

    Example: liveportal requests decline REQ-1001 --reason "not my field"
    """
    step = Step("request", lambda _, name: RequestDeclined(request=name, reason=reason))
    act(requests, step, ledger, write, out)


@app.command("withdraw")
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
    step = Step("request", lambda _, name: RequestWithdrawn(request=name, reason=reason))
    act(requests, step, ledger, write, out)


@app.command("add")
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
    anyway: Anyway = False,
) -> None:
    """Add a request that reached you outside a feed.

    Examples:
      liveportal requests add --customer C-77 --title "Shader flickers" --rate 3.00
      liveportal requests add --customer C-12 --title "Review" --rate 3 --slot "tomorrow 9am, 45"
    """
    with writing(ledger, write, out) as writer:
        zone, now = writer.zone, writer.at or utc_now()
        data = RequestOpened(
            request=new_name("REQ", request),
            kind="scheduled" if slot else "instant",
            direct=True if direct else None,
            customer=Customer(id=customer, name=name),
            title=title,
            description=description,
            skills=tuple(skill) if skill else None,
            rate=writer.amount(rate),
            slots=tuple(_slot(text, zone) for text in slot) if slot else None,
            expires=read_time(expires, zone, now) if expires is not None else None,
        )
        row = writer.record(
            data,
            data.request,
            insist=insisting(anyway=anyway),
            assumed=() if request is not None else ("request",),
        )
    show_result(row, (), out, zone=zone)


def _slot(text: str, zone: str) -> Slot:
    when, comma, minutes = text.rpartition(",")
    if not comma or not minutes.strip().isascii() or not minutes.strip().isdigit():
        raise InvalidValue(
            f"{text[:60]!r} is not a slot", hint="Write it like 'tomorrow 9am, 45' (minutes last)."
        )
    return Slot(start=read_time(when, zone, utc_now()), minutes=int(minutes))
