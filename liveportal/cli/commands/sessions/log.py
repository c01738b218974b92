"""`liveportal sessions` log, correct, tip and review: what is entered afterwards.

Registered in `liveportal.cli.commands.sessions`.
"""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.commands.sessions import answers
from liveportal.cli.commands.sessions.argument import Billed, One
from liveportal.cli.completion import choices, ids
from liveportal.cli.io.view_model import shows_result
from liveportal.cli.options import LedgerOption, NewId, OutputOptions, WriteOptions, with_options
from liveportal.cli.parse.spans import read_pause, read_span
from liveportal.cli.parse.times import read_time
from liveportal.cli.write_command import Writer, WriteStep, records, run_new
from liveportal.cli.write_result import Answer, facts_of
from liveportal.domain.events.types import (
    PERSON,
    CustomerInfo,
    ReviewPosted,
    SessionCorrected,
    SessionLogged,
    TipReceived,
)
from liveportal.domain.frozen import replace
from liveportal.ledger.queries.billing_audit import calculated
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.sessions import (
    SessionResult,
    TipResult,
    actual_times,
    latest_correction,
    latest_tip,
    result_fields,
)

Pauses = Annotated[
    list[str] | None,
    typer.Option("--pause", metavar="FROM-TO", help="A pause, such as 14:10-14:15; repeatable."),
]
RightBill = Annotated[
    str | None,
    typer.Option(
        "--billed",
        metavar="AMOUNT|policy",
        help="The platform's bill, or `policy` for our calculation.",
    ),
]
BY_POLICY = "policy"
LOGGED = Answer(SessionResult, result_fields, facts_of("session"), answers.logged)
CORRECTED = Answer(SessionResult, result_fields, facts_of("session"), answers.corrected)


@shows_result(SessionResult)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def log(
    when: Annotated[
        str,
        typer.Argument(metavar="WHEN", help="Such as 'yesterday 14:00-14:45, paused 14:10-14:15'."),
    ],
    customer: Annotated[
        str,
        typer.Option(
            "--customer",
            metavar="ID",
            help="The customer's id; use no personal data.",
            autocompletion=ids("customer"),
        ),
    ],
    rate: Annotated[str, typer.Option("--rate", metavar="AMOUNT", help="The rate per minute.")],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    session: NewId = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="TEXT", help="The customer's name.")
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="What the session was about.")
    ] = None,
    billed: Billed = None,
) -> None:
    """Log a past session, and bill it.

    Times are in your own zone unless you add a zone or an offset; adding it at one end is enough. A
    time that can be read in two ways is refused, and the error shows both readings. A session of
    more than 12 hours, or one in the future, needs --anyway.

    Examples:
      liveportal sessions log "yesterday 14:00-14:45" --customer C-77 --rate 3.00
      liveportal sessions log "2026-10-05 14:00-14:45, paused 14:10-14:15" --customer C-7 --rate 3
      liveportal sessions log "2026-10-05 23:00-24:00 UTC" --customer C-7 --rate 3
    """

    def logged(writer: Writer, session_id: str) -> SessionLogged:
        start, end, pauses = read_span(when, writer.zone, utc_now())
        return SessionLogged(
            session=session_id,
            customer=CustomerInfo(id=customer, name=name),
            rate=writer.amount(rate),
            start=start,
            end=end,
            pauses=tuple(pauses) or None,
            billed=writer.amount_if_given(billed),
            title=title,
        )

    run_new("S", session, WriteStep("session", logged), LOGGED, ledger, write, out)


@records(One, CORRECTED)
def correct(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it is corrected.")],
    start: Annotated[
        str | None, typer.Option("--start", metavar="TIME", help="The right start.")
    ] = None,
    end: Annotated[str | None, typer.Option("--end", metavar="TIME", help="The right end.")] = None,
    pause: Pauses = None,
    no_pauses: Annotated[bool, typer.Option("--no-pauses", help="Remove all pauses.")] = False,
    billed: RightBill = None,
) -> WriteStep:
    """Correct the times or the bill of an ended session.

    The original earning is reversed and the right one booked; all three entries stay in the books.
    If you correct only the times, a bill from the platform or an earlier correction still applies;
    `--billed policy` returns to our calculation.

    Examples:
      liveportal sessions correct S-1001 --end "2026-10-05 14:25" --reason "timer forgotten"
      liveportal sessions correct S-1001 --billed policy --reason "billed by mistake"
      liveportal sessions correct S-1001 --billed 72.00 --reason "as the platform billed it"
    """
    if pause and no_pauses:
        raise typer.BadParameter("Give only one of --pause and --no-pauses.")
    pauses = pause or ([] if no_pauses else None)

    def correction(writer: Writer, name: str) -> SessionCorrected:
        data = _corrected_times(writer, name, start, end, pauses, reason)
        if billed == BY_POLICY:
            right_bill = calculated(writer.reader, name, data)
        else:
            right_bill = writer.amount_if_given(billed)
        data = replace(data, billed=right_bill)
        if not writer.is_keyed:  # A repeated key is a replay.
            _refuse_repeated(writer.reader, data)
        return data

    # Our own calculation is not given by the user: a repeated command is not compared on it.
    return WriteStep("session", correction, assumed=("billed",) if billed == BY_POLICY else ())


def _refuse_repeated(reader: Reader, data: SessionCorrected) -> None:
    """Raise `CorrectionRefused` if the latest correction of the session is the same one.

    It would change nothing, but add a reversal and a correction to the books.
    """
    from liveportal.domain.errors import CorrectionRefused
    from liveportal.domain.events.fields import joined, split
    from liveportal.domain.hint import Hint

    given, latest = joined(*split(data)), latest_correction(reader, data.session)
    if latest is not None and {**latest, "reason": ""} == {**given, "reason": ""}:
        raise CorrectionRefused(
            f"You have already corrected session {data.session} in this way.",
            hint=Hint("{The_session} shows the correction.", session=data.session),
            id=data.session,
        )


def _corrected_times(
    writer: Writer,
    name: str,
    start: str | None,
    end: str | None,
    pauses: list[str] | None,
    reason: str,
) -> SessionCorrected:
    """Return a correction of the times that were given; pauses lie within the corrected session."""
    now, zone = utc_now(), writer.zone
    right_start = read_time(start, zone, now, past=True) if start is not None else None
    right_end = read_time(end, zone, now, past=True, is_end=True) if end is not None else None
    recorded_times = actual_times(writer.reader, name)
    session = (right_start or recorded_times[0] or now, right_end or recorded_times[1] or now)
    right_pauses = [read_pause(text, zone, session, now) for text in pauses or ()]
    return SessionCorrected(
        session=name,
        start=right_start,
        end=right_end,
        pauses=tuple(right_pauses) if pauses is not None else None,
        reason=reason,
    )


@records(One, Answer(TipResult, latest_tip, facts_of("session"), answers.tipped))
def tip(
    tip_amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="The tip, such as 10.00.")],
    again: Annotated[
        bool,
        typer.Option("--again", help="Record another tip of an amount that the platform reported."),
    ] = False,
) -> WriteStep:
    """Record a tip; the platform takes no fee from it.

    If the platform's feed has already reported a tip of the same amount, the tip is not recorded
    again, and the result says so. --again records another one.

    Examples:
      liveportal sessions tip S-1002 10.00
      liveportal sessions tip S-1002 10.00 --again
    """

    def received(writer: Writer, name: str) -> TipReceived:
        amount = writer.amount(tip_amount)
        return TipReceived(session=name, amount=amount, again=True if again else None)

    return WriteStep("session", received)


@records(One, Answer(facts=facts_of("session"), sentence=answers.reviewed))
def review(
    rating: Annotated[
        int,
        typer.Argument(
            metavar="RATING", min=1, max=5, help="From 1 to 5.", autocompletion=choices("12345")
        ),
    ],
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="WHO",
            help="Who wrote it: expert (you) or customer.",
            autocompletion=choices(PERSON.words),
        ),
    ] = "expert",
    text: Annotated[
        str | None, typer.Option("--text", metavar="TEXT", help="The text of the review.")
    ] = None,
) -> WriteStep:
    """Record a review of a session, by you or the customer.

    Each side has one review per session. If the platform's feed has already reported it with the
    same rating, it is not recorded again, and the result says so.

    Example: liveportal sessions review S-1002 5 --by customer --text "Solved in ten minutes"
    """
    return WriteStep(
        "session", lambda _, name: ReviewPosted(session=name, by=by, rating=rating, text=text)
    )
