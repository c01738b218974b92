"""`liveportal payout`: what is to be paid out, and what was."""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.acting import Anyway, Step, act, insisting, new_name, show_result, writing
from liveportal.cli.app import Commands
from liveportal.cli.explain import explain_payout
from liveportal.cli.looking import States, checked_states, windows, zone_of
from liveportal.cli.options import (
    LedgerOption,
    NewId,
    OutputOptions,
    ReadOptions,
    WriteOptions,
    with_options,
)
from liveportal.cli.payout_forecast import On, day_of, forecast, overdue
from liveportal.cli.render import render
from liveportal.cli.results import Item, Table
from liveportal.domain.events import (
    PayoutFailed,
    PayoutMoved,
    PayoutPaid,
    PayoutReturned,
    PayoutSent,
)
from liveportal.ledger.reader import Reader
from liveportal.ledger.windows import payouts as seen

app = Commands(
    "Payouts: preview, forecast, overdue, list, show, explain, record, paid, fail, return."
)

STATES = ("sent", "paid", "failed", "returned", "reversed")
Ids = Annotated[
    list[str],
    typer.Argument(metavar="ID...", help="Payouts, whole or by a unique prefix; - reads ids."),
]
One = Annotated[
    str, typer.Argument(metavar="ID", help="A payout, whole or by a unique prefix of its id.")
]
Why = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why.")]


@app.command("preview")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def preview(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    on: On = None,
) -> None:
    """Show what a payout would be today, and what blocks it.

    Examples:
      liveportal payout preview
      liveportal payout preview --on 2026-12-30 --json
    """
    with windows(ledger, read, out) as reader:
        row = seen.preview_on(reader, day_of(reader, on))
        shown_in = zone_of(reader, read)
    render(Item(seen.PREVIEW_FIELDS, row, title="Payout preview"), out, zone=shown_in)


@app.command("list")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def list_(
    ledger: LedgerOption, read: ReadOptions, out: OutputOptions, state: States = None
) -> None:
    """List payouts, the oldest first.

    Example: liveportal payout list --state sent
    """
    states = checked_states(state, STATES)
    with windows(ledger, read, out) as reader:
        rows = seen.payouts(reader, states)
        zone = zone_of(reader, read)
    render(Table(seen.FIELDS, rows, empty="No payouts."), out, zone=zone)


@app.command("show")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(payout: One, ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Show a payout: the earnings that it pays, and what happened to it.

    Example: liveportal payout show PO-2
    """
    with windows(ledger, read, out) as reader:
        row = seen.payout(reader, reader.known("payout", payout))
        zone = zone_of(reader, read)
    render(Item(seen.SHOW_FIELDS, row), out, zone=zone)


app.command("explain")(explain_payout)


@app.command("record")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def record(
    sent: Annotated[str, typer.Argument(metavar="AMOUNT", help="What was sent, such as 168.55.")],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    payout: NewId = None,
    method: Annotated[str, typer.Option("--method", help="How it was sent.")] = "paypal",
    reference: Annotated[
        str | None, typer.Option("--reference", metavar="TEXT", help="The sender's reference.")
    ] = None,
    anyway: Anyway = False,
) -> None:
    """Record that the platform sent a payout; it pays the oldest open earnings first.

    Example: liveportal payout record 168.55 --id PO-1 --reference 8XK41
    """
    with writing(ledger, write, out, seen.RESULT_FIELDS) as writer:
        data = PayoutSent(
            payout=new_name("PO", payout),
            amount=writer.amount(sent),
            method=method,
            reference=reference,
        )
        row = writer.record(
            data,
            data.payout,
            show=seen.result,
            insist=insisting(anyway=anyway),
            assumed=() if payout is not None else ("payout",),
        )
        zone = writer.zone
    show_result(row, seen.RESULT_FIELDS, out, zone=zone)


@app.command("paid")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def paid(
    payouts: Ids, ledger: LedgerOption, write: WriteOptions, out: OutputOptions, reason: Why = None
) -> None:
    """Record that payouts arrived.

    Example: liveportal payout paid PO-1
    """
    act(payouts, _moved(PayoutPaid, reason), ledger, write, out)


@app.command("fail")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def fail(
    payouts: Ids, ledger: LedgerOption, write: WriteOptions, out: OutputOptions, reason: Why = None
) -> None:
    """Record that payouts failed: the money is owed again. Asks first.

    Example: liveportal payout fail PO-1 --reason "account closed" --yes
    """
    act(payouts, _moved(PayoutFailed, reason, "failed"), ledger, write, out)


@app.command("return")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def return_(
    payouts: Ids, ledger: LedgerOption, write: WriteOptions, out: OutputOptions, reason: Why = None
) -> None:
    """Record that paid payouts were sent back: the money is owed again. Asks first.

    Example: liveportal payout return PO-1 --reason "wrong account" --yes
    """
    act(payouts, _moved(PayoutReturned, reason, "was returned"), ledger, write, out)


def _moved(kind: type[PayoutMoved], reason: str | None, asked: str | None = None) -> Step:
    """Return the step that a payout takes after it was sent; `asked` is what must be confirmed."""

    def question(reader: Reader, name: str) -> str:
        row = seen.result(reader, name)
        return (
            f"Record that payout {name} {asked}? {row['amount']} {row['currency']} is owed again."
        )

    return Step(
        "payout",
        lambda _, name: kind(payout=name, reason=reason),
        seen.RESULT_FIELDS,
        seen.result,
        question=question if asked else None,
    )


app.group("profile", "liveportal.cli.payout_profile", "What is needed to pay you.")
app.command("forecast")(forecast)
app.command("overdue")(overdue)
