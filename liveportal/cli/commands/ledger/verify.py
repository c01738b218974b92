"""`liveportal ledger verify`: verify the integrity of the ledger.

Registered in `liveportal.cli.commands.ledger`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.io.answers import ended, listed, moment, plural, write_answer
from liveportal.cli.io.hints import spell
from liveportal.cli.io.output_file import check_target
from liveportal.cli.io.progress import progress
from liveportal.cli.io.render import hint, render
from liveportal.cli.io.view_model import Detail, shows
from liveportal.cli.options import LedgerOption, OutputOptions, with_options
from liveportal.cli.write_result import answers_person
from liveportal.domain.clock import from_text
from liveportal.domain.row import Row, row
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries.reader import Reader

if TYPE_CHECKING:
    from liveportal.ledger.verify.verify import Verified


@row
class DriftRow(Row):
    """An event that today's rules would book differently, and how."""

    seq: int
    type: str
    what: str


@row
class HeadRow(Row):
    """A head that the journal had, with its event and when that was recorded."""

    head: str
    event: int
    recorded_at: datetime


@row
class MissingFileRow(Row):
    """A file that is not in the vault, and may never have been there."""

    seq: int
    session: str
    sha256: str
    name: str | None


@row
class VerifiedRow(Row):
    """A ledger that is intact.

    `messages` and `outdated_transcripts` are counted by --deep only. If the values of the payout
    profile were not read, `profile_values` has no value and `profile_key` has the reason.
    """

    ok: bool
    events: int
    transactions: int
    head: str | None
    statement: str | None
    rules_changed: list[DriftRow] | None
    heads: list[HeadRow]
    deep: bool
    files: int
    messages: int | None
    profile_values: int | None
    attach_again: list[MissingFileRow]
    profile_key: str | None
    enter_again: list[str]
    outdated_transcripts: int | None


SHOW_PROGRESS_FROM = 5_000
"""From this number of events on, a progress bar is shown."""
_MOST_HINTS = 5
_HEAD_PATTERN = re.compile(r"[0-9A-Fa-f]{16,64}", re.ASCII)


StatementFile = Annotated[
    Path | None,
    typer.Option("--statement", metavar="FILE", help="Also verify this statement of earnings."),
]
Heads = Annotated[
    list[str] | None,
    typer.Option(
        "--head",
        metavar="HASH",
        help="Also prove that the ledger had this head.",
    ),
]


@shows(VerifiedRow)
@with_options(LedgerOption, OutputOptions)
def verify(
    ledger: LedgerOption,
    out: OutputOptions,
    statement: StatementFile = None,
    head: Heads = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also read all evidence files and the payout profile.")
    ] = False,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Check the file, hashes and sums only."),
    ] = False,
) -> None:
    """Verify that the ledger was not damaged or changed.

    It checks the file, the chain of hashes over all events, the sums of all amounts, and that
    requests, sessions, claims and payouts follow from the events. Evidence files must be in the
    vault. If something is wrong, the exit code is 6 and the first bad record is named.

    Someone who can write the file could replace all of its content. To rule that out, write
    down the head that is shown, and give it with --head later (16 digits are enough); statements
    and evidence packs contain it, too. With --statement, the ledger must still have exactly what
    a statement shows.

    Events that today's rules would book differently are not an error: what was booked is kept, and
    they are listed as rules_changed (null with --quick).

    Examples:
      liveportal ledger verify
      liveportal ledger verify --quick
      liveportal ledger verify --deep --head 0830c5e5feab3d5b
      liveportal ledger verify --statement october.html
    """
    if quick and deep:
        raise typer.BadParameter("Give only one of --quick and --deep.")
    heads = [_parse_head(text) for text in head or ()]
    check_target(out.output, (*ledger.files, *((statement,) if statement else ())))
    with open_readonly(ledger.path) as reader:
        verified = _verify_ledger(reader, heads, deep=deep, quick=quick)
        verified_statement = None
        if statement is not None:
            from liveportal.cli.commands.earnings.statement import verify_statement

            verified_statement = verify_statement(reader, statement)
        zone = reader.own_timezone
    found = _verified_row(verified, verified_statement, deep=deep)
    if answers_person(out):
        write_answer(_sentences(found, ledger.path, zone), _next(found.head), ledger=ledger.typed)
    else:
        render(Detail(VerifiedRow, found, sparse=True), out, zone=zone)
    _hint_open_points(verified)


def _sentences(found: VerifiedRow, path: Path, zone: str) -> Iterator[str]:
    """Yield what was verified, in sentences for a person."""
    entries = f"{plural(found.events, 'event')} and {plural(found.transactions, 'transaction')}"
    yield f"The ledger at {path} is intact: {entries}."
    rest = "" if found.rules_changed is None else ", and what follows from the events"
    yield f"Checked: the file, the hashes of all events, the sums of all amounts{rest}."
    if found.files:
        state = "unchanged" if found.deep else "in the vault"
        messages = f", with {plural(found.messages, 'message')}" if found.messages else ""
        verb = "is" if found.files == 1 else "are"
        yield f"{plural(found.files, 'evidence file')} {verb} {state}{messages}."
    if found.profile_values:
        yield f"{plural(found.profile_values, 'value')} of the payout profile can be decrypted."
    if found.statement:
        yield f"The statement of {found.statement} shows exactly what the ledger has."
    for head in found.heads:
        when = moment(head.recorded_at, zone, utc_now())
        yield f"The ledger had the head {head.head} after event {head.event}, recorded on {when}."
    if found.head:
        yield f"Its head is {found.head}. Write it down somewhere else."


def _next(head: str | None) -> list[tuple[str, str]]:
    """Return the command that compares the ledger with its present head later."""
    return (
        [("To prove later that nothing was changed", f"ledger verify --head {head[:16]}")]
        if head
        else []
    )


def _parse_head(text: str) -> str:
    if not _HEAD_PATTERN.fullmatch(text):
        raise typer.BadParameter(
            f"{text!r} does not have 16 to 64 hexadecimal digits", param_hint="--head"
        )
    return text.lower()


def _verify_ledger(reader: Reader, heads: list[str], *, deep: bool, quick: bool) -> Verified:
    from liveportal.feeds import transcripts
    from liveportal.ledger.verify.verify import ignored, verify

    (events,) = reader.db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
    with (
        progress("Verifying", events)
        if events >= SHOW_PROGRESS_FROM
        else nullcontext(ignored) as advance
    ):
        return verify(
            reader.db,
            vault=reader.path,
            deep=deep,
            quick=quick,
            read=transcripts.read,
            heads=heads,
            progress=advance,
        )


def _verified_row(verified: Verified, statement: str | None, *, deep: bool) -> VerifiedRow:
    drifts, attachments = verified.rules_changed, verified.deposit
    return VerifiedRow(
        ok=True,
        events=verified.events,
        transactions=verified.transactions,
        head=verified.head,
        statement=statement,
        rules_changed=None
        if drifts is None
        else [DriftRow(seq=drift.seq, type=drift.type, what=drift.what) for drift in drifts],
        heads=[
            HeadRow(head=head.head, event=head.event, recorded_at=from_text(head.recorded_at))
            for head in verified.heads
        ],
        deep=deep,
        files=attachments.files if attachments else 0,
        messages=attachments.messages if attachments and deep else None,
        profile_values=attachments.values if attachments else None,
        attach_again=[
            MissingFileRow(seq=file.seq, session=file.session, sha256=file.sha256, name=file.name)
            for file in (attachments.absent if attachments else ())
        ],
        profile_key=attachments.key.code if attachments and attachments.key else None,
        enter_again=list(verified.enter_again),
        outdated_transcripts=attachments.outdated if attachments and deep else None,
    )


def _hint_open_points(verified: Verified) -> None:
    """Hint at what was not verified, what to attach or enter again, and at rule drift."""
    if verified.deposit and (key := verified.deposit.key):
        hint(ended(f"The payout profile was not checked. {key.message}"))
        hint(spell(key.hint) or "")
    if verified.rules_changed is None:
        hint(
            "Not checked: whether requests, sessions, claims and payouts follow from the events."
            " To check this, too: `liveportal ledger verify`."
        )
    drifts = verified.rules_changed or ()
    absent = verified.deposit.absent if verified.deposit else ()
    for file in absent[:_MOST_HINTS]:
        hint(
            f"An evidence file of session {file.session} is not in the vault, and may never have"
            f" been there. If you have it, attach it again:"
            f" `liveportal sessions attach {file.session} FILE`."
        )
    for drift in drifts[:_MOST_HINTS]:
        hint(f"Today's rules would book event {drift.seq} ({drift.type}) differently. {drift.what}")
    if len(drifts) > _MOST_HINTS:
        hint(
            f"There are {len(drifts) - _MOST_HINTS} more such events. To list them:"
            " `liveportal ledger verify --json --fields rules_changed`."
        )
    if drifts:
        hint("What was booked does not change.")
    if verified.enter_again:
        names = [name.replace("_", " ") for name in verified.enter_again]
        hint(
            f"Missing after the import: {listed(names, len(names))}. To enter these fields of your"
            " payout profile again: `liveportal payout profile set`."
        )
    if verified.deposit and verified.deposit.outdated:
        hint(
            f"An earlier version read {plural(verified.deposit.outdated, 'transcript')}"
            " differently. To read them again, attach their files again."
        )
