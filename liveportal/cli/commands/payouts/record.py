"""`liveportal payout` record, paid, fail and return: record payouts and their status."""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.completion import ids
from liveportal.cli.io.view_model import shows_result
from liveportal.cli.options import (
    LedgerOption,
    NewId,
    OutputOptions,
    WriteOptions,
    with_options,
)
from liveportal.cli.write_command import (
    WriteStep,
    new_or_given_id,
    open_writer,
    run_step,
    show_result,
)
from liveportal.domain.events.types import (
    PayoutFailed,
    PayoutPaid,
    PayoutReturned,
    PayoutSent,
    PayoutStatusChanged,
)
from liveportal.ledger.queries import payouts as payout_queries
from liveportal.ledger.queries.payouts import PayoutResult
from liveportal.ledger.queries.reader import Reader

Ids = Annotated[
    list[str],
    typer.Argument(
        metavar="ID...",
        help="Payouts, whole or by a unique prefix; - reads ids.",
        autocompletion=ids(
            "payout", states={"paid": ("sent",), "fail": ("sent",), "return": ("paid",)}
        ),
    ),
]
Why = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why.")]


@shows_result(PayoutResult)
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
) -> None:
    """Record that the platform sent a payout; it pays the oldest open earnings first.

    Without --id, one that equals a payout of the last 60 days in amount and method is refused as a
    possible duplicate, unless --anyway is given.

    Example: liveportal payout record 168.55 --id PO-1 --reference 8XK41
    """
    with open_writer(ledger, write, out, PayoutResult) as writer:
        data = PayoutSent(
            payout=new_or_given_id("PO", payout),
            amount=writer.amount(sent),
            method=method,
            reference=reference,
        )
        row = writer.record(
            data,
            data.payout,
            read_back=payout_queries.result_fields,
            assumed=() if payout is not None else ("payout",),
        )
        zone = writer.zone
    show_result(row, PayoutResult, out, zone=zone)


@shows_result(PayoutResult, many=True)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def paid(
    payouts: Ids, ledger: LedgerOption, write: WriteOptions, out: OutputOptions, reason: Why = None
) -> None:
    """Record that payouts arrived.

    Example: liveportal payout paid PO-1
    """
    run_step(payouts, _status_step(PayoutPaid, reason), ledger, write, out)


@shows_result(PayoutResult, many=True)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def fail(
    payouts: Ids, ledger: LedgerOption, write: WriteOptions, out: OutputOptions, reason: Why = None
) -> None:
    """Record that payouts failed: the money is owed again. Asks first.

    Example: liveportal payout fail PO-1 --reason "account closed" --yes
    """
    run_step(payouts, _status_step(PayoutFailed, reason, "failed"), ledger, write, out)


@shows_result(PayoutResult, many=True)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def return_(
    payouts: Ids, ledger: LedgerOption, write: WriteOptions, out: OutputOptions, reason: Why = None
) -> None:
    """Record that paid payouts were sent back: the money is owed again. Asks first.

    Example: liveportal payout return PO-1 --reason "wrong account" --yes
    """
    run_step(payouts, _status_step(PayoutReturned, reason, "was returned"), ledger, write, out)


def _status_step(
    event_type: type[PayoutStatusChanged], reason: str | None, change: str | None = None
) -> WriteStep:
    """Return the step that changes a payout's status; a `change` in words must be confirmed."""

    def question(reader: Reader, name: str) -> str:
        row = payout_queries.result_fields(reader, name)
        return f"Record that payout {name} {change}? {row.amount} {row.currency} is owed again."

    return WriteStep(
        "payout",
        lambda _, name: event_type(payout=name, reason=reason),
        PayoutResult,
        payout_queries.result_fields,
        question=question if change else None,
    )
