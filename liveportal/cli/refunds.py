"""`liveportal refunds`: claims for money back, and their answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from liveportal.cli.acting import Reason, Step, act, insisting, new_name, show_result, writing
from liveportal.cli.app import Commands
from liveportal.cli.looking import States, checked_states, moment, windows, zone_of
from liveportal.cli.options import (
    LedgerOption,
    NewId,
    OutputOptions,
    ReadOptions,
    WriteOptions,
    with_options,
)
from liveportal.cli.render import hint, render
from liveportal.cli.results import Item, Table
from liveportal.domain.events import (
    ClaimAnswered,
    RefundClaimed,
    RefundConceded,
    RefundDenied,
    RefundGranted,
    RefundWithdrawn,
)
from liveportal.ledger.reader import Reader
from liveportal.ledger.windows import claims as seen

app = Commands("Refund claims: list, show, claim, concede, grant, deny, withdraw.")

STATES = (
    *("open", "disputed", "conceded", "granted", "rejected"),
    *("denied", "withdrawn", "accepted"),
)
HUMAN = ("id", "session", "state", "customer_name", "amount", "cost", "deadline", "reason")
SHOWN = (
    *("id", "state", "session", "title", "customer", "customer_name", "reason", "claimed_at"),
    *("late", "late_by_seconds", "window_closes", "amount", "held", "cost", "currency"),
    *("deadline", "left_seconds", "next", "if_silent", "warning", "summary", "disputed_at"),
    *("decided_at", "earlier", "record", "history"),
)
Ids = Annotated[
    list[str],
    typer.Argument(metavar="ID...", help="Claims, whole or by a unique prefix; - reads ids."),
]
One = Annotated[
    str, typer.Argument(metavar="ID", help="A claim, whole or by a unique prefix of its id.")
]


@app.command("list")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def list_(
    ledger: LedgerOption, read: ReadOptions, out: OutputOptions, state: States = None
) -> None:
    """List refund claims, the oldest first: what each holds and costs, and by when to answer.

    Examples:
      liveportal refunds list --state open
      liveportal refunds list --csv -o claims.csv
    """
    states = checked_states(state, STATES)
    with windows(ledger, read, out) as reader:
        rows = seen.claims(reader, moment(reader), states=states)
        zone = zone_of(reader, read)
    render(Table(seen.FIELDS, rows, HUMAN, empty="No refund claims."), out, zone=zone)
    if any(row["state"] == "open" for row in rows):
        hint('Dispute one with `liveportal dispute file ID --summary "what happened"`.')


@app.command("show")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(claim: One, ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Show one claim: why, whether it is late, what it holds and costs, what comes next.

    Also what happens if you do nothing, and what this customer claimed before.

    Example: liveportal refunds show CL-1
    """
    with windows(ledger, read, out) as reader:
        row = seen.claim(reader, reader.known("claim", claim), moment(reader))
        zone = zone_of(reader, read)
    render(Item(seen.SHOW_FIELDS, row, SHOWN), out, zone=zone)


@app.command("claim")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def claim(
    session: Annotated[
        str, typer.Argument(metavar="SESSION", help="The session that is claimed back.")
    ],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    claim_id: NewId = None,
    of: Annotated[
        str | None,
        typer.Option("--amount", metavar="AMOUNT", help="How much; default: all that is left."),
    ] = None,
    reason: Reason = None,
    late: Annotated[
        bool, typer.Option("--late", help="Record it although the refund window is over.")
    ] = False,
) -> None:
    """Record that a customer claims money back; what it may cost is held.

    Examples:
      liveportal refunds claim S-1001 --id CL-1 --reason "Problem not solved"
      liveportal refunds claim S-1001 --amount 20.00
    """
    with writing(ledger, write, out, seen.RESULT_FIELDS) as writer:
        data = RefundClaimed(
            claim=new_name("CL", claim_id),
            session=writer.portal.known("session", session),
            reason=reason or "",  # Nobody said why.
            amount=writer.amount(of) if of is not None else None,
        )
        row = writer.record(
            data,
            data.claim,
            show=seen.result,
            insist=insisting(late=late),
            assumed=() if claim_id is not None else ("claim",),
        )
        zone = writer.zone
    show_result(row, seen.RESULT_FIELDS, out, zone=zone)


@app.command("concede")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def concede(
    claims: Ids,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    reason: Reason = None,
) -> None:
    """Give the money back without a dispute. Asks first, and says what it will deduct.

    Example: liveportal refunds concede CL-1 --yes
    """
    step = replace(_answer(RefundConceded, reason), question=_concede_question)
    act(claims, step, ledger, write, out)


def _answer(kind: type[ClaimAnswered], reason: str | None) -> Step:
    """Return the step that answers a claim in one of the four ways without a dispute."""
    return Step(
        "claim", lambda _, name: kind(claim=name, reason=reason), seen.RESULT_FIELDS, seen.result
    )


def _concede_question(reader: Reader, claim_id: str) -> str:
    row = seen.result(reader, claim_id)
    return f"Concede claim {claim_id}? It deducts {row['cost']} {row['currency']}."


@app.command("grant")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def grant(
    claims: Ids,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    reason: Reason = None,
) -> None:
    """Record that the platform granted a claim that nobody disputed.

    Example: liveportal refunds grant CL-1
    """
    act(claims, _answer(RefundGranted, reason), ledger, write, out)


@app.command("deny")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def deny(
    claims: Ids,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    reason: Reason = None,
) -> None:
    """Record that the platform denied a claim: what it held is yours again.

    Example: liveportal refunds deny CL-1
    """
    act(claims, _answer(RefundDenied, reason), ledger, write, out)


@app.command("withdraw")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def withdraw(
    claims: Ids,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    reason: Reason = None,
) -> None:
    """Record that the customer withdrew a claim: what it held is yours again.

    Example: liveportal refunds withdraw CL-1
    """
    act(claims, _answer(RefundWithdrawn, reason), ledger, write, out)
