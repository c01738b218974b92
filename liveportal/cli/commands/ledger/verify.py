"""`liveportal ledger verify`: whether the ledger is what was written.

`liveportal.cli.commands.ledger` adds this command to its own.
"""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from liveportal.cli.io.output_file import check_target
from liveportal.cli.io.progress import progress
from liveportal.cli.io.render import hint, render
from liveportal.cli.io.view_model import Detail
from liveportal.cli.options import LedgerOption, OutputOptions, with_options
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries.reader import Reader, instant

if TYPE_CHECKING:
    from liveportal.ledger.verify.verify import Verified

FIELDS = (
    *("ok", "events", "transactions", "head", "statement", "rules_changed", "heads", "deep"),
    *("files", "messages", "profile_values", "attach_again", "profile_key", "enter_again"),
    "outdated_transcripts",
)
MANY = 5_000
"""From so many events on it takes long enough to show how far it is."""
_SHOWN = 5
_HEAD = re.compile(r"[0-9A-Fa-f]{16,64}", re.ASCII)


@with_options(LedgerOption, OutputOptions)
def verify(
    ledger: LedgerOption,
    out: OutputOptions,
    statement: Annotated[
        Path | None,
        typer.Option(
            "--statement", metavar="FILE", help="Also prove what `earnings statement` wrote."
        ),
    ] = None,
    head: Annotated[
        list[str] | None,
        typer.Option(
            "--head",
            metavar="HASH",
            help="Also prove that the journal had this head; 16 digits of it are enough.",
        ),
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also read all evidence, messages and sealed values.")
    ] = False,
) -> None:
    """Verify that the ledger is what was written: chain, digests, sums, a rebuild; exit 6 if not.

    The first bad record is named. What today's rules would book otherwise is no failure: history
    stands, and it is told as rules_changed. Attached files must be in the vault; --deep hashes
    them, and reads what was said in them again.

    Whoever can write the file could rewrite all of it. A head that was noted elsewhere, or printed
    on a statement or an evidence pack, proves that nobody did: give it with --head. With
    --statement the ledger must still hold exactly the month or year that a statement shows.

    Examples:
      liveportal ledger verify
      liveportal ledger verify --deep --head 0830c5e5feab3d5b
      liveportal ledger verify --statement october.html
    """
    heads = [_head(each) for each in head or ()]
    check_target(out.output, (*ledger.files, *((statement,) if statement else ())))
    with open_readonly(ledger.path) as reader:
        found = _verified(reader, heads, deep=deep)
        proved = None
        if statement is not None:
            from liveportal.cli.commands.earnings.statement import proved_by

            proved = proved_by(reader, statement)
        zone = reader.own_timezone
    row = _row(found, deep=deep) | {"statement": proved}
    human = tuple(name for name in FIELDS if name in FIELDS[:4] or row[name])
    render(Detail(FIELDS, row, human, title="Verified"), out, zone=zone)
    _tell(found)


def _head(text: str) -> str:
    if not _HEAD.fullmatch(text):
        raise typer.BadParameter(
            f"{text!r} is not 16 to 64 hexadecimal digits", param_hint="--head"
        )
    return text.lower()


def _verified(reader: Reader, heads: list[str], *, deep: bool) -> Verified:
    from liveportal.feeds import transcripts
    from liveportal.ledger.verify.verify import ignored, verify

    (events,) = reader.db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
    with progress("Verifying", events) if events >= MANY else nullcontext(ignored) as told:
        return verify(
            reader.db,
            vault=reader.path,
            deep=deep,
            read=transcripts.read,
            heads=heads,
            progress=told,
        )


def _row(found: Verified, *, deep: bool) -> dict[str, object]:
    deposit = found.deposit
    return {
        "ok": True,
        "events": found.events,
        "transactions": found.transactions,
        "head": found.head,
        "rules_changed": [
            {"seq": each.seq, "type": each.type, "what": each.what} for each in found.rules_changed
        ],
        "heads": [
            {"head": each.head, "event": each.event, "recorded_at": instant(each.recorded_at)}
            for each in found.heads
        ],
        "deep": deep,
        "files": deposit.files if deposit else 0,
        "messages": deposit.messages if deposit and deep else None,
        "profile_values": deposit.values if deposit else None,
        "attach_again": [
            {"seq": each.seq, "session": each.session, "sha256": each.sha256, "name": each.name}
            for each in (deposit.absent if deposit else ())
        ],
        "profile_key": deposit.key.code if deposit and deposit.key else None,
        "enter_again": list(found.enter_again),
        "outdated_transcripts": deposit.outdated if deposit and deep else None,
    }


def _tell(found: Verified) -> None:
    """Say what was not proved, what to attach or enter again, and what today's rules would do."""
    if found.deposit and (key := found.deposit.key):
        hint(f"The payout profile was not proved: {key.message}.")
        hint(key.hint or "")
    changes = found.rules_changed
    absent = found.deposit.absent if found.deposit else ()
    for file in absent[:_SHOWN]:
        hint(
            f"The file of event {file.seq} is not in the vault, and may never have been there."
            f" If you have it, attach it again: `liveportal sessions attach {file.session} FILE`."
        )
    for each in changes[:_SHOWN]:
        hint(f"Today's rules differ at event {each.seq} ({each.type}): {each.what}.")
    if len(changes) > _SHOWN:
        hint(f"And {len(changes) - _SHOWN} more: --json --fields rules_changed lists them.")
    if changes:
        hint("What was booked stands.")
    if found.enter_again:
        fields = ", ".join(found.enter_again)
        hint(f"Enter again: {fields}. `liveportal payout profile set` asks for the values.")
    if found.deposit and found.deposit.outdated:
        hint(
            f"An earlier version read {found.deposit.outdated} transcripts otherwise:"
            " attach their files again, and this one reads them."
        )
