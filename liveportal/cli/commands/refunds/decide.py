"""`liveportal refunds` claim to withdraw: record claims and their outcomes."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.commands.refunds import answers
from liveportal.cli.completion import ids
from liveportal.cli.io.answers import amount, with_reason
from liveportal.cli.io.view_model import shows_result
from liveportal.cli.options import (
    LedgerOption,
    NewId,
    OutputOptions,
    WriteOptions,
    many_ids,
    with_options,
)
from liveportal.cli.write_command import (
    Reason,
    Writer,
    WriteStep,
    overrides,
    records,
    run_new,
)
from liveportal.cli.write_result import Answer, facts_of
from liveportal.domain.events.types import (
    ClaimClosed,
    RefundClaimed,
    RefundConceded,
    RefundDenied,
    RefundGranted,
    RefundWithdrawn,
)
from liveportal.domain.frozen import replace
from liveportal.ledger.queries.claims import ClaimResult, result_fields
from liveportal.ledger.queries.reader import Reader

_complete = ids(
    "claim",
    states={
        "concede": ("open",),
        "grant": ("open",),
        "deny": ("open",),
        "withdraw": ("open", "disputed"),
    },
)
Ids = Annotated[list[str], many_ids("Claims", _complete)]
_claim = partial(Answer, ClaimResult, result_fields, facts_of("claim"))


@shows_result(ClaimResult)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def claim(
    session: Annotated[
        str,
        typer.Argument(
            metavar="SESSION",
            help="The session that the customer wants refunded.",
            autocompletion=ids("session", states={"claim": ("ended",)}),
        ),
    ],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    claim_id: NewId = None,
    of: Annotated[
        str | None,
        typer.Option("--amount", metavar="AMOUNT", help="The amount (default: the whole bill)."),
    ] = None,
    reason: Reason = None,
    late: Annotated[
        bool, typer.Option("--late", help="Record it although the refund window has closed.")
    ] = False,
) -> None:
    """Record that a customer claims a refund.

    The money that the refund may cost you is held until the claim is decided. Without --amount,
    the claim is for everything that has not been refunded yet.

    Examples:
      liveportal refunds claim S-1001 --id CL-1 --reason "Problem not solved"
      liveportal refunds claim S-1001 --amount 20.00
    """

    def claimed(writer: Writer, name: str) -> RefundClaimed:
        return RefundClaimed(
            claim=name,
            session=writer.portal.resolve_id("session", session),
            reason=reason or "",
            amount=writer.amount_if_given(of),
        )

    step = WriteStep("claim", claimed, allow=overrides(late=late))
    run_new("CL", claim_id, step, _claim(answers.claimed), ledger, write, out)


@records(Ids, _claim(answers.conceded), many=True)
def concede(reason: Reason = None) -> WriteStep:
    """Give the money back without a dispute.

    It asks first, and shows the amount that will be deducted from your earnings.

    Example: liveportal refunds concede CL-1
    """
    return replace(_closing_step(RefundConceded, reason), question=_concede_question)


def _closing_step(kind: type[ClaimClosed], reason: str | None) -> WriteStep:
    """Return the step that closes a claim without a dispute: one of four event types."""
    return WriteStep("claim", lambda _, name: kind(claim=name, reason=reason))


def _concede_question(reader: Reader, claim_id: str) -> str:
    facts = facts_of("claim")(reader, claim_id, utc_now())
    what = with_reason(answers.claim_of(facts), facts.reason)
    return f"Concede {what}? {amount(facts.row.cost)} will be deducted from your earnings."


@records(Ids, _claim(answers.granted), many=True)
def grant(reason: Reason = None) -> WriteStep:
    """Record that the platform granted a claim.

    Use it for a claim that you did not dispute. The refund is deducted from your earnings.

    Example: liveportal refunds grant CL-1
    """
    return _closing_step(RefundGranted, reason)


@records(Ids, _claim(answers.denied), many=True)
def deny(reason: Reason = None) -> WriteStep:
    """Record that the platform denied a claim.

    The amount that the claim held is yours again.

    Example: liveportal refunds deny CL-1
    """
    return _closing_step(RefundDenied, reason)


@records(Ids, _claim(answers.withdrawn), many=True)
def withdraw(reason: Reason = None) -> WriteStep:
    """Record that the customer withdrew a claim.

    The amount that the claim held is yours again.

    Example: liveportal refunds withdraw CL-1
    """
    return _closing_step(RefundWithdrawn, reason)
