"""`liveportal dispute` file, withdraw and rule."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.commands.disputes.list_show import One
from liveportal.cli.commands.refunds import answers
from liveportal.cli.io.answers import amount, with_reason
from liveportal.cli.io.prompts import STDIN, read_text
from liveportal.cli.io.render import check_output_possible, hint
from liveportal.cli.io.view_model import all_fields, shows_result
from liveportal.cli.options import LedgerOption, OutputOptions, WriteOptions, with_options
from liveportal.cli.write_command import Writer, WriteStep, open_portal, records, run_step
from liveportal.cli.write_result import Answer, facts_of
from liveportal.domain.errors import InvalidValue
from liveportal.domain.events.envelope import EventData
from liveportal.domain.events.types import (
    DisputeAccepted,
    DisputeFiled,
    DisputeRejected,
    DisputeWithdrawn,
)
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries import claims
from liveportal.ledger.queries.reader import Reader

_claim = partial(Answer, claims.ClaimResult, claims.result_fields, facts_of("claim"))


@shows_result(claims.ClaimResult, many=True)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def file_(
    claim: One,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    summary: Annotated[
        str | None,
        typer.Option("--summary", metavar="TEXT", help="What happened; - is standard input."),
    ] = None,
    edit: Annotated[
        bool, typer.Option("--edit", help="Write the summary in your editor, from a draft.")
    ] = False,
    attach: Annotated[
        list[Path] | None,
        typer.Option("--attach", metavar="FILE", help="Keep this file as evidence; repeatable."),
    ] = None,
) -> None:
    """Dispute a refund claim, with a summary.

    Name the claim, or the session that the customer wants refunded. The summary says what happened
    in the session; it is all that the platform reads from you.

    --edit opens $EDITOR with a draft: the timeline, billed and paused minutes, the review, and the
    end of the transcript. --attach keeps files as evidence, as `sessions attach` does; `dispute
    evidence` puts them into a pack. --dry-run shows the summary and your record of disputes:
    repeated unwarranted disputes can close an account.

    Examples:
      liveportal dispute file CL-1 --edit
      liveportal dispute file CL-1 --summary "Fixed at 14:17, see the recording." --attach call.mp4
      liveportal dispute file CL-1 --summary - < summary.txt
    """
    if (summary is None) is not edit:
        raise typer.BadParameter("Describe what happened, with --summary TEXT or --edit.")
    if claim == STDIN and summary == STDIN:
        raise typer.BadParameter(
            "Only one of the claim and the summary can be read from standard input."
        )
    if claim == STDIN and (edit or attach):
        raise typer.BadParameter("Name one claim: --edit and --attach cannot be used for several.")
    check_output_possible(all_fields(claims.ClaimResult), out, spared=ledger.files)
    if claim != STDIN:
        with open_readonly(ledger.path) as reader:
            claim = claims.resolve_claim(reader, claim)
    text = _edit_draft(claim, ledger) if summary is None else read_text(summary)
    if not text.strip():
        raise InvalidValue(
            "The summary is empty.",
            hint="Describe what happened. The reviewer reads only this text.",
        )
    if claim != STDIN:
        _preview(claim, text, ledger)
    _attach_files(claim, text, attach or (), ledger, write)
    step = _step(lambda _, name: DisputeFiled(claim=name, summary=text))
    run_step([claim], step, _claim(answers.filed), ledger, write, out)


def _step(
    data: Callable[[Writer, str], EventData],
    question: Callable[[Reader, str], str] | None = None,
) -> WriteStep:
    """Return the step of a dispute command, which takes the id of a claim or of its session."""
    return WriteStep("claim", data, question=question, resolve=claims.resolve_claim)


def _edit_draft(claim: str, ledger: LedgerOption) -> str:
    """Let the expert edit a summary, drafted from the session's data."""
    from liveportal.cli.io.editor import edit_text
    from liveportal.exports.draft import draft, notes
    from liveportal.ledger.queries.case import case

    with open_portal(ledger, dry_run=True) as portal:
        name = portal.resolve_id("claim", claim)
        portal.execute(
            DisputeFiled(claim=name, summary="?")
        )  # Fails before the editor opens if the dispute would be refused.
    with open_readonly(ledger.path) as reader:
        facts = case(reader, name, utc_now())
        record = claims.dispute_history(reader)
    return edit_text(draft(facts), notes(facts, record))


def _attach_files(
    claim: str, text: str, files: Sequence[Path], ledger: LedgerOption, write: WriteOptions
) -> None:
    """Attach files to the claim's session; they remain evidence even if the dispute fails."""
    if not files:
        return
    with open_portal(ledger, dry_run=True) as portal:
        name = portal.resolve_id("claim", claim)
        # A refused dispute must not attach any files.
        Writer(portal, write).record(DisputeFiled(claim=name, summary=text), name, answer=Answer())
    for file in files:
        with open_portal(ledger, dry_run=write.dry_run) as portal:
            name = portal.resolve_id("claim", claim)
            session = claims.result_fields(portal.reader(), name).session
            key = f"{write.key}:{file.name}" if write.key else None
            portal.attach(session, file, key=key)


def _preview(claim: str, text: str, ledger: LedgerOption) -> None:
    """Show a person the summary to be sent, and the record of their disputes."""
    if sys.stderr is None or not sys.stderr.isatty():
        return
    with open_readonly(ledger.path) as reader:
        about = claims.claim(reader, reader.resolve_id("claim", claim), utc_now())
    record = about.record
    title = f" ({about.title})" if about.title else ""
    hint(f"You dispute claim {about.id}: {about.amount} {about.currency}{title}")
    for line in text.splitlines():
        hint(f"  | {line}")
    hint(f"Your disputes so far: {record}.")
    if record.warning:
        hint(record.warning)


@records(One, _claim(answers.dispute_withdrawn), many=True)
def withdraw() -> WriteStep:
    """Withdraw a dispute, so that its claim is open again.

    It asks first. Afterwards you can concede the claim, or dispute it again.

    Example: liveportal dispute withdraw CL-1
    """
    return _step(lambda _, name: DisputeWithdrawn(claim=name), _withdraw_question)


def _withdraw_question(reader: Reader, claim_id: str) -> str:
    facts = facts_of("claim")(reader, claim_id, utc_now())
    what = with_reason(answers.claim_of(facts), facts.reason)
    return (
        f"Withdraw the dispute of {what}? The claim will be open again and may cost"
        f" {amount(facts.row.cost)}."
    )


@records(One, _claim(answers.ruled), many=True)
def rule(
    accepted: Annotated[
        bool | None,
        typer.Option(
            "--accepted/--rejected",
            help="Whether you keep the money, or lose it.",
        ),
    ] = None,
    note: Annotated[
        str | None, typer.Option("--note", metavar="TEXT", help="The platform's reasons.")
    ] = None,
) -> WriteStep:
    """Record how the platform decided a dispute.

    Name the claim, or the session that the customer wanted refunded.

    Examples:
      liveportal dispute rule CL-1 --accepted
      liveportal dispute rule CL-1 --rejected --note "The recording has no sound."
    """
    if accepted is None:
        raise typer.BadParameter("Give --accepted or --rejected.")
    decision = DisputeAccepted if accepted else DisputeRejected
    return _step(lambda _, name: decision(claim=name, note=note))
