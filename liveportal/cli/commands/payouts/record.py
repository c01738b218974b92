"""`liveportal payout` record, paid, fail and return: record payouts and their status."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.commands.payouts import answers
from liveportal.cli.completion import ids
from liveportal.cli.io.answers import amount, moment, with_reason
from liveportal.cli.io.view_model import shows_result
from liveportal.cli.options import (
    LedgerOption,
    NewId,
    OutputOptions,
    WriteOptions,
    many_ids,
    with_options,
)
from liveportal.cli.write_command import Reason, Writer, WriteStep, records, run_new
from liveportal.cli.write_result import Answer, facts_of
from liveportal.domain.events.types import (
    PayoutFailed,
    PayoutPaid,
    PayoutReturned,
    PayoutSent,
    PayoutStatusChanged,
)
from liveportal.ledger.queries.payouts import PayoutResult, result_fields
from liveportal.ledger.queries.reader import Reader

_complete = ids("payout", states={"paid": ("sent",), "fail": ("sent",), "return": ("paid",)})
Ids = Annotated[list[str], many_ids("Payouts", _complete)]
SENT = Answer(PayoutResult, result_fields, facts_of("payout"), answers.sent)
CHANGED = Answer(PayoutResult, result_fields, facts_of("payout"), answers.changed)


@shows_result(PayoutResult)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def record(
    sent: Annotated[str, typer.Argument(metavar="AMOUNT", help="The amount, such as 168.55.")],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    payout: NewId = None,
    method: Annotated[
        str, typer.Option("--method", metavar="TEXT", help="How the money was sent.")
    ] = "paypal",
    reference: Annotated[
        str | None, typer.Option("--reference", metavar="TEXT", help="The sender's reference.")
    ] = None,
) -> None:
    """Record that the platform sent you a payout.

    It pays your oldest open earnings first. Without --id, a payout with the amount and method of
    one from the last 60 days is refused as a possible duplicate; --anyway records it.

    Example: liveportal payout record 168.55 --id PO-1 --reference 8XK41
    """

    def payout_sent(writer: Writer, name: str) -> PayoutSent:
        amount = writer.amount(sent)
        return PayoutSent(payout=name, amount=amount, method=method, reference=reference)

    run_new("PO", payout, WriteStep("payout", payout_sent), SENT, ledger, write, out)


@records(Ids, CHANGED, many=True)
def paid(
    reason: Reason = None,
    fee: Annotated[
        str | None,
        typer.Option("--fee", metavar="AMOUNT", help="The transfer fee, such as 1.00."),
    ] = None,
    received: Annotated[
        str | None,
        typer.Option(
            "--received",
            metavar="AMOUNT",
            help="The amount that was credited, such as '38.10 EUR'.",
        ),
    ] = None,
) -> WriteStep:
    """Record that payouts arrived in your account.

    --fee records what the transfer cost. A fee that you learn later can be added to a payout that
    is already recorded as paid. --received, in any currency, is only shown.

    Examples:
      liveportal payout paid PO-1
      liveportal payout paid PO-1 --fee 1.00 --received "38.10 EUR"
    """

    def data(writer: Writer, name: str) -> PayoutPaid:
        return PayoutPaid(
            payout=name,
            reason=reason,
            fee=writer.amount_if_given(fee),
            received=writer.amount_if_given(received),
        )

    return WriteStep("payout", data)


@records(Ids, CHANGED, many=True)
def fail(reason: Reason = None) -> WriteStep:
    """Record that payouts failed.

    The platform owes you the money again. It asks first.

    Example: liveportal payout fail PO-1 --reason "account closed"
    """
    return _asked("failed", reason, lambda _, name: PayoutFailed(payout=name, reason=reason))


@records(Ids, CHANGED, many=True)
def return_(
    reason: Reason = None,
    debited: Annotated[
        str | None,
        typer.Option(
            "--debited",
            metavar="AMOUNT",
            help="The amount that left your account.",
        ),
    ] = None,
) -> WriteStep:
    """Record that payouts were sent back after they arrived.

    The platform owes you the whole payout again. By default, the amount that had arrived left your
    account. It asks first.

    Examples:
      liveportal payout return PO-1 --reason "wrong account"
      liveportal payout return PO-1 --debited 42.00
    """

    def data(writer: Writer, name: str) -> PayoutReturned:
        return PayoutReturned(payout=name, reason=reason, debited=writer.amount_if_given(debited))

    return _asked("was returned", reason, data)


def _asked(
    change: str, reason: str | None, data: Callable[[Writer, str], PayoutStatusChanged]
) -> WriteStep:
    """Return the step that records a change of payouts, which must be confirmed."""

    def question(reader: Reader, name: str) -> str:
        payout = facts_of("payout")(reader, name, utc_now()).detail
        sent = moment(payout.sent_at, reader.own_timezone, utc_now())
        what = with_reason(f"that payout {name}, sent on {sent}, {change}", reason)
        return f"Record {what}? The platform will owe you {amount(payout.amount)} again."

    return WriteStep("payout", data, question=question)
