"""`liveportal sessions`, entered afterwards: log, correct, tip, review.

`liveportal.cli.sessions` adds these commands to its own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

import typer

from liveportal.cli.acting import (
    Anyway,
    Step,
    Writer,
    act,
    insisting,
    new_name,
    show_result,
    writing,
)
from liveportal.cli.options import LedgerOption, NewId, OutputOptions, WriteOptions, with_options
from liveportal.cli.sessions_named import One
from liveportal.cli.times import read_span, read_time, utc_now
from liveportal.domain.events import (
    Customer,
    ReviewPosted,
    SessionCorrected,
    SessionLogged,
    TipReceived,
)
from liveportal.ledger.windows import sessions as seen
from liveportal.ledger.windows.reckoning import calculated

Pauses = Annotated[
    list[str] | None,
    typer.Option("--pause", metavar="FROM-TO", help="A pause, such as 14:10-14:15; repeatable."),
]
Billed = Annotated[
    str | None,
    typer.Option(
        "--billed", metavar="AMOUNT", help="What the platform billed; default: by the policy."
    ),
]

RightBill = Annotated[
    str | None,
    typer.Option(
        "--billed",
        metavar="AMOUNT|policy",
        help="What the platform billed, or `policy` for our own calculation; default: the last"
        " bill, if there was one.",
    ),
]
BY_POLICY = "policy"


@with_options(LedgerOption, WriteOptions, OutputOptions)
def log(
    when: Annotated[
        str,
        typer.Argument(
            metavar="WHEN", help="'yesterday 14:00-14:45, paused 14:10-14:15', in your zone."
        ),
    ],
    customer: Annotated[
        str, typer.Option("--customer", metavar="ID", help="The customer's id: no personal data.")
    ],
    rate: Annotated[str, typer.Option("--rate", metavar="AMOUNT", help="What a minute paid.")],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    session: NewId = None,
    name: Annotated[str | None, typer.Option("--name", help="The customer's name.")] = None,
    title: Annotated[str | None, typer.Option("--title", help="What it was about.")] = None,
    billed: Billed = None,
    anyway: Anyway = False,
) -> None:
    """Log a past session in words; it is billed, and the earning booked.

    Examples:
      liveportal sessions log "yesterday 14:00-14:45" --customer C-77 --rate 3.00
      liveportal sessions log "2026-10-05 14:00-14:45, paused 14:10-14:15" --customer C-7 --rate 3
    """
    with writing(ledger, write, out, seen.RESULT_FIELDS) as writer:
        zone = writer.zone
        start, end, pauses = read_span(when, zone, utc_now())
        data = SessionLogged(
            session=new_name("S", session),
            customer=Customer(id=customer, name=name),
            rate=writer.amount(rate),
            start=start,
            end=end,
            pauses=tuple(pauses) or None,
            billed=writer.amount(billed) if billed is not None else None,
            title=title,
        )
        row = writer.record(
            data,
            data.session,
            show=seen.result,
            insist=insisting(anyway=anyway),
            assumed=() if session is not None else ("session",),
        )
    show_result(row, seen.RESULT_FIELDS, out, zone=zone)


@with_options(LedgerOption, WriteOptions, OutputOptions)
def correct(
    session: One,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What was wrong.")],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    start: Annotated[
        str | None, typer.Option("--start", metavar="TIME", help="When it really started.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--end", metavar="TIME", help="When it really ended.")
    ] = None,
    pause: Pauses = None,
    no_pauses: Annotated[bool, typer.Option("--no-pauses", help="It was never paused.")] = False,
    billed: RightBill = None,
) -> None:
    """Correct an ended session: its earning is reversed, and the right one booked.

    Nothing is edited: the wrong entry, its reversal and the right one all stay visible. New times
    keep the last bill that the platform or a correction gave; `--billed policy` goes back to our
    own calculation.

    Examples:
      liveportal sessions correct S-1001 --end "2026-10-05 14:25" --reason "timer forgotten"
      liveportal sessions correct S-1001 --billed policy --reason "billed by mistake"
      liveportal sessions correct S-1001 --billed 72.00 --reason "as the platform billed it"
    """
    if pause and no_pauses:
        raise typer.BadParameter("--pause and --no-pauses exclude each other")

    def right(writer: Writer, name: str) -> SessionCorrected:
        now = utc_now()
        began = seen.result(writer.reader, name)["start"]
        # A pause is typed as times of the day on which the session began.
        day = began if isinstance(began, datetime) else now
        pauses = tuple(read_span(each, writer.zone, day)[:2] for each in pause or ())
        corrected = SessionCorrected(
            session=name,
            start=read_time(start, writer.zone, now, past=True) if start is not None else None,
            end=read_time(end, writer.zone, now, past=True) if end is not None else None,
            pauses=pauses if pause or no_pauses else None,
            billed=writer.amount(billed) if billed not in (None, BY_POLICY) else None,
            reason=reason,
        )
        if billed != BY_POLICY:
            return corrected
        return replace(corrected, billed=calculated(writer.reader, name, corrected))

    # Our own calculation is made up by us: the same command repeated is not compared on it.
    assumed = ("billed",) if billed == BY_POLICY else ()
    step = Step("session", right, seen.RESULT_FIELDS, seen.result, assumed=assumed)
    act([session], step, ledger, write, out)


@with_options(LedgerOption, WriteOptions, OutputOptions)
def tip(
    session: One,
    tip_amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 10.00.")],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
) -> None:
    """Record a tip; the platform takes nothing of it.

    Example: liveportal sessions tip S-1002 10.00
    """
    step = Step(
        "session",
        lambda writer, name: TipReceived(session=name, amount=writer.amount(tip_amount)),
        ("amount", "currency"),
        seen.latest_tip,
    )
    act([session], step, ledger, write, out)


@with_options(LedgerOption, WriteOptions, OutputOptions)
def review(
    session: One,
    rating: Annotated[int, typer.Argument(metavar="RATING", min=1, max=5, help="1 to 5.")],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    by: Annotated[
        str, typer.Option("--by", metavar="WHO", help="expert (you) or customer.")
    ] = "expert",
    text: Annotated[str | None, typer.Option("--text", metavar="TEXT", help="In words.")] = None,
) -> None:
    """Record a review of a session, yours or the customer's.

    Example: liveportal sessions review S-1002 5 --by customer --text "Solved in ten minutes"
    """
    step = Step(
        "session", lambda _, name: ReviewPosted(session=name, by=by, rating=rating, text=text)
    )
    act([session], step, ledger, write, out)
