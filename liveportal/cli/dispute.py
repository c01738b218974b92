"""`liveportal dispute`: saying what really happened, and what the review decided."""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.acting import Step, act
from liveportal.cli.app import Commands
from liveportal.cli.confirm import STDIN, read_text
from liveportal.cli.looking import States, checked_states, windows, zone_of
from liveportal.cli.options import (
    LedgerOption,
    OutputOptions,
    ReadOptions,
    WriteOptions,
    with_options,
)
from liveportal.cli.refunds import HUMAN, STATES
from liveportal.cli.render import render
from liveportal.cli.results import Item, Table
from liveportal.domain.errors import InvalidValue
from liveportal.domain.events import (
    DisputeAccepted,
    DisputeFiled,
    DisputeRejected,
    DisputeWithdrawn,
)
from liveportal.ledger.reader import Reader
from liveportal.ledger.windows import claims as seen

app = Commands("Disputes of refund claims: file, show, list, withdraw, rule.")

One = Annotated[
    str, typer.Argument(metavar="CLAIM", help="A claim, whole or by a unique prefix of its id.")
]


@app.command("file")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def file_(
    claim: One,
    summary: Annotated[
        str,
        typer.Option("--summary", metavar="TEXT", help="What happened in the session; - reads it."),
    ],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
) -> None:
    """Dispute a refund claim, with a summary of what happened in the session.

    Examples:
      liveportal dispute file CL-1 --summary "Fixed at 14:17, see the recording."
      liveportal dispute file CL-1 --summary - < summary.txt
    """
    if claim == STDIN and summary == STDIN:
        raise typer.BadParameter("only one of claim and summary can be read from standard input")
    text = read_text(summary)
    if not text.strip():
        raise InvalidValue(
            "the summary is empty", hint="Say what happened; the review reads nothing else of you."
        )
    step = Step(
        "claim",
        lambda _, name: DisputeFiled(claim=name, summary=text),
        fields=seen.RESULT_FIELDS,
        show=seen.result,
    )
    act([claim], step, ledger, write, out)


@app.command("list")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def list_(
    ledger: LedgerOption, read: ReadOptions, out: OutputOptions, state: States = None
) -> None:
    """List the claims that were ever disputed, the oldest first.

    Example: liveportal dispute list --state disputed
    """
    states = checked_states(state, STATES)
    with windows(ledger, read, out) as reader:
        rows = seen.claims(reader, states=states, disputed_only=True)
        zone = zone_of(reader, read)
    render(Table(seen.FIELDS, rows, HUMAN, empty="No disputes."), out, zone=zone)


@app.command("show")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(claim: One, ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Show a dispute: the claim, your summary, what happened to it.

    Example: liveportal dispute show CL-1
    """
    with windows(ledger, read, out) as reader:
        row = seen.claim(reader, reader.known("claim", claim))
        zone = zone_of(reader, read)
    render(Item(seen.SHOW_FIELDS, row), out, zone=zone)


@app.command("withdraw")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def withdraw(claim: One, ledger: LedgerOption, write: WriteOptions, out: OutputOptions) -> None:
    """Withdraw a dispute: the claim is open again. Asks first.

    Example: liveportal dispute withdraw CL-1 --yes
    """
    step = Step(
        "claim",
        lambda _, name: DisputeWithdrawn(claim=name),
        fields=seen.RESULT_FIELDS,
        show=seen.result,
        question=_withdraw_question,
    )
    act([claim], step, ledger, write, out)


def _withdraw_question(reader: Reader, claim_id: str) -> str:
    row = seen.claim(reader, claim_id)
    return (
        f"Withdraw the dispute of claim {claim_id}? It is open again, and may cost"
        f" {row['cost']} {row['currency']}."
    )


@app.command("rule")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def rule(
    claim: One,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    accepted: Annotated[
        bool | None,
        typer.Option(
            "--accepted/--rejected", help="Accepted: nothing is deducted. Rejected: it is."
        ),
    ] = None,
    note: Annotated[
        str | None, typer.Option("--note", metavar="TEXT", help="What was said.")
    ] = None,
) -> None:
    """Record what the review decided.

    Examples:
      liveportal dispute rule CL-1 --accepted
      liveportal dispute rule CL-1 --rejected --note "The recording has no sound."
    """
    if accepted is None:
        raise typer.BadParameter("say --accepted or --rejected")
    decision = DisputeAccepted if accepted else DisputeRejected
    step = Step(
        "claim",
        lambda _, name: decision(claim=name, note=note),
        fields=seen.RESULT_FIELDS,
        show=seen.result,
    )
    act([claim], step, ledger, write, out)
