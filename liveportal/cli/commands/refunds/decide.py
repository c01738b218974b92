"""`liveportal refunds` claim to withdraw: record claims and their outcomes."""

from __future__ import annotations

from dataclasses import replace
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
    Reason,
    WriteStep,
    new_or_given_id,
    open_writer,
    overrides,
    run_step,
    show_result,
)
from liveportal.domain.events.types import (
    ClaimClosed,
    RefundClaimed,
    RefundConceded,
    RefundDenied,
    RefundGranted,
    RefundWithdrawn,
)
from liveportal.ledger.queries import claims as claim_queries
from liveportal.ledger.queries.claims import ClaimResult
from liveportal.ledger.queries.reader import Reader

Ids = Annotated[
    list[str],
    typer.Argument(
        metavar="ID...",
        help="Claims, whole or by a unique prefix; - reads ids.",
        autocompletion=ids(
            "claim",
            states={
                "concede": ("open",),
                "grant": ("open",),
                "deny": ("open",),
                "withdraw": ("open", "disputed"),
            },
        ),
    ),
]


@shows_result(ClaimResult)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def claim(
    session: Annotated[
        str,
        typer.Argument(
            metavar="SESSION",
            help="The session that is claimed back.",
            autocompletion=ids("session", states={"claim": ("ended",)}),
        ),
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
    with open_writer(ledger, write, out, ClaimResult) as writer:
        data = RefundClaimed(
            claim=new_or_given_id("CL", claim_id),
            session=writer.portal.resolve_id("session", session),
            reason=reason or "",
            amount=writer.amount(of) if of is not None else None,
        )
        row = writer.record(
            data,
            data.claim,
            read_back=claim_queries.result_fields,
            allow=overrides(late=late),
            assumed=() if claim_id is not None else ("claim",),
        )
        zone = writer.zone
    show_result(row, ClaimResult, out, zone=zone)


@shows_result(ClaimResult, many=True)
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
    step = replace(_closing_step(RefundConceded, reason), question=_concede_question)
    run_step(claims, step, ledger, write, out)


def _closing_step(kind: type[ClaimClosed], reason: str | None) -> WriteStep:
    """Return the step that closes a claim without a dispute: one of four event types."""
    return WriteStep(
        "claim",
        lambda _, name: kind(claim=name, reason=reason),
        ClaimResult,
        claim_queries.result_fields,
    )


def _concede_question(reader: Reader, claim_id: str) -> str:
    row = claim_queries.result_fields(reader, claim_id)
    return f"Concede claim {claim_id}? It deducts {row.cost} {row.currency}."


@shows_result(ClaimResult, many=True)
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
    run_step(claims, _closing_step(RefundGranted, reason), ledger, write, out)


@shows_result(ClaimResult, many=True)
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
    run_step(claims, _closing_step(RefundDenied, reason), ledger, write, out)


@shows_result(ClaimResult, many=True)
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
    run_step(claims, _closing_step(RefundWithdrawn, reason), ledger, write, out)
