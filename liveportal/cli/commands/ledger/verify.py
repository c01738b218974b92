"""`liveportal ledger verify`: verify the integrity of the ledger.

Registered in `liveportal.cli.commands.ledger`.
"""

from __future__ import annotations

import re
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from liveportal.cli.io.hints import spell
from liveportal.cli.io.output_file import check_target
from liveportal.cli.io.progress import progress
from liveportal.cli.io.render import hint, render
from liveportal.cli.io.view_model import Detail, shows
from liveportal.cli.options import LedgerOption, OutputOptions, with_options
from liveportal.domain.clock import from_text
from liveportal.domain.row import Row, row
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries.reader import Reader

if TYPE_CHECKING:
    from liveportal.ledger.verify.verify import Verified


@row
class DriftRow(Row):
    """An event that today's rules would book otherwise, and how."""

    seq: int
    type: str
    what: str


@row
class HeadRow(Row):
    """A head that the journal had, the event that it is of, and when that was recorded."""

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
    """A ledger that is what was written.

    `messages` and `outdated_transcripts` are counted by --deep only; `profile_values` is None if
    they were not read, and `profile_key` says why.
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
    typer.Option("--statement", metavar="FILE", help="Also prove what `earnings statement` wrote."),
]
Heads = Annotated[
    list[str] | None,
    typer.Option(
        "--head",
        metavar="HASH",
        help="Also prove that the journal had this head; 16 digits of it are enough.",
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
        bool, typer.Option("--deep", help="Also read all evidence, messages and sealed values.")
    ] = False,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Do not replay the journal: file, chain, digests and sums only."
        ),
    ] = False,
) -> None:
    """Verify that the ledger is what was written: chain, digests, sums, a rebuild; exit 6 if not.

    The first bad record is named. What today's rules would book otherwise is no failure: history
    stands, and it is told as rules_changed. Attached files must be in the vault; --deep hashes
    them, and reads what was said in them again. --quick leaves out what the rules derive from the
    events, and says so; rules_changed is then null.

    Whoever can write the file could rewrite all of it. A head that was noted elsewhere, or printed
    on a statement or an evidence pack, proves that nobody did: give it with --head. With
    --statement the ledger must still hold exactly the month or year that a statement shows.

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
    render(Detail(VerifiedRow, found, title="Verified", sparse=True), out, zone=zone)
    _hint_open_points(verified)


def _parse_head(text: str) -> str:
    if not _HEAD_PATTERN.fullmatch(text):
        raise typer.BadParameter(
            f"{text!r} is not a text of 16 to 64 hexadecimal digits", param_hint="--head"
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
        hint(f"The payout profile was not proved: {key.message}.")
        hint(spell(key.hint) or "")
    if verified.rules_changed is None:
        hint(
            "Not looked at: whether requests, sessions, claims and payouts are what the events"
            " make of them. `liveportal ledger verify` without --quick does."
        )
    drifts = verified.rules_changed or ()
    absent = verified.deposit.absent if verified.deposit else ()
    for file in absent[:_MOST_HINTS]:
        hint(
            f"The file of event {file.seq} is not in the vault, and may never have been there."
            f" If you have it, attach it again: `liveportal sessions attach {file.session} FILE`."
        )
    for drift in drifts[:_MOST_HINTS]:
        hint(f"Today's rules differ at event {drift.seq} ({drift.type}). {drift.what}")
    if len(drifts) > _MOST_HINTS:
        hint(f"And {len(drifts) - _MOST_HINTS} more: --json --fields rules_changed lists them.")
    if drifts:
        hint("What was booked does not change.")
    if verified.enter_again:
        fields = ", ".join(verified.enter_again)
        hint(f"Enter again: {fields}. `liveportal payout profile set` asks for the values.")
    if verified.deposit and verified.deposit.outdated:
        hint(
            f"An earlier version read {verified.deposit.outdated} transcripts otherwise:"
            " attach their files again, and this one reads them."
        )
