"""`liveportal ledger restore`: restore a backup.

Registered in `liveportal.cli.commands.ledger`.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.io.answers import Sentence, moment, plural
from liveportal.cli.io.hints import spell
from liveportal.cli.io.progress import progress
from liveportal.cli.io.prompts import confirm
from liveportal.cli.io.render import check_output_possible, hint
from liveportal.cli.io.secrets import ask_passphrase, read_passphrase, read_secret
from liveportal.cli.io.view_model import Detail, shows
from liveportal.cli.options import Confirmed, DryRun, LedgerOption, OutputOptions, with_options
from liveportal.cli.write_result import show_answer
from liveportal.domain.clock import from_text
from liveportal.domain.errors import BackupLocked, LiveportalError
from liveportal.domain.row import Row, columns, row
from liveportal.ledger.storage.ledger_paths import check_input

if TYPE_CHECKING:
    from liveportal.ledger.backup.age import Decryption
    from liveportal.ledger.backup.restore import Restored, Restoring


@row
class RestoredRow(Row):
    """A backup that was restored.

    `replaced` counts the events of the ledger that was there, `lost` those that the backup has not;
    `kept` is where that ledger is now. `brought_back` are forgotten customers that are there again.
    """

    ledger: str
    state: str
    book: str
    events: int
    head: str
    made_at: datetime
    files: int | None
    damaged: list[str]
    replaced: int | None
    lost: int
    kept: str | None
    brought_back: list[str]
    key: str | None
    dry_run: bool


@shows(RestoredRow)
@with_options(LedgerOption, OutputOptions)
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `ledger backup` wrote.")],
    ledger: LedgerOption,
    out: OutputOptions,
    identity: Annotated[
        Path | None,
        typer.Option(
            "--identity",
            metavar="FILE",
            help="A secret key of age that opens it; - is standard input.",
        ),
    ] = None,
    passphrase_file: Annotated[
        Path | None,
        typer.Option(
            "--passphrase-file",
            metavar="FILE",
            help="The passphrase, in a file that only you may read; - is standard input.",
        ),
    ] = None,
    dry_run: DryRun = False,
    yes: Confirmed = False,
) -> None:
    """Restore a backup: to where the ledger is, or where there is none yet. Asks first.

    Everything in it is checked before anything is touched, and its ledger verified. A ledger that
    is there is replaced in one step, while other programs may have it open, and a copy of it is
    kept beside it (`kept`): nothing that was recorded since is lost. Evidence files come back, and
    so does the key to the payout profile, if the backup has it. Whether the key that the profile
    needs is there then is compared first, and said (`key`), also by --dry-run: restored, kept, or
    wrong_key and key_not_found, with which all but the profile can be read.

    Examples:
      liveportal ledger restore ledger-0199f0a2c4d1-20261128T120000Z.zip --dry-run
      liveportal --ledger new.db ledger restore backup.zip.age --identity key.txt
    """
    from liveportal.ledger.backup.restore import restoring

    check_output_possible(RestoredRow, out, spared=(*ledger.files, file))
    check_input(file)
    decryption = _decryption(file, identity, passphrase_file)
    with ExitStack() as stack:
        with progress("Checking", _file_size(file)) as advance:
            checked = restoring(ledger.path, file, opener=decryption, progress=advance)
            restoration = stack.enter_context(checked)
        if restoration.replaced is not None:
            confirm(_question(ledger.path, restoration), yes=yes, dry_run=dry_run)
        restored = None
        if not dry_run:
            with progress("Restoring", restoration.manifest.size) as advance:
                restored = restoration.carry_out(utc_now(), advance)
    key = restored.key if restored else restoration.key
    result = _restored_row(ledger.path, restoration, restored, key=key.state)
    human = ("ledger", "state", "events", *columns(RestoredRow)[6:])
    detail = Detail(RestoredRow, result, human, sparse=True)
    show_answer(detail, _sentence(result), out, ledger=ledger, dry_run=dry_run)
    _hint_consequences(restoration, key.problem)


def _sentence(restored: RestoredRow) -> Sentence:
    """Say what was restored to where, and where the ledger is that was there."""
    made_at = moment(restored.made_at, "UTC", utc_now())
    files = f" and {plural(restored.files, 'file')}" if restored.files else ""
    kept = f"What was there is kept at {restored.kept}." if restored.kept else ""
    lost = f"It has {plural(restored.lost, 'event')} more than the backup." if restored.lost else ""
    damaged = plural(len(restored.damaged), "file")
    return Sentence(
        *("Restored", "restore", f"the backup of {made_at}"),
        f"{plural(restored.events, 'event')}{files} to {restored.ledger}",
        (kept, lost, f"The backup lacks {damaged} of evidence." if restored.damaged else ""),
        (("Check it", "ledger verify"),),
        "Nothing was changed.",
    )


def _hint_consequences(restoration: Restoring, problem: LiveportalError | None) -> None:
    """Hint at a profile that cannot be read, and at forgotten customers who are there again."""
    if problem is not None:
        hint(f"The payout profile cannot be read: {problem.message}.")
        hint(spell(problem.hint) or "")
    for customer in restoration.replaced.forgotten if restoration.replaced else ():
        hint(f"The backup has {customer} again: `liveportal ledger forget {customer}`.")


def _file_size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _decryption(
    file: Path, identity: Path | None, passphrase_file: Path | None
) -> Decryption | None:
    """Return the decryption of a backup, asking for a passphrase; None if it is not encrypted.

    Raises `BackupLocked` if the secret is not given and cannot be asked for.
    """
    from liveportal.ledger.backup.age import Decryption
    from liveportal.ledger.backup.restore import encryption_of

    kind = encryption_of(file)
    if kind == "recipient":
        if identity is None:
            raise BackupLocked(
                f"{file} is encrypted for a key.",
                hint="Give the secret key with --identity FILE.",
                path=str(file),
            )
        return Decryption(identities=[read_secret(identity)])
    if kind == "passphrase":
        passphrase = read_passphrase(passphrase_file) if passphrase_file else ask_passphrase()
        return Decryption(passphrase=passphrase)
    return None


def _question(ledger: Path, restoration: Restoring) -> str:
    """Return the question that names what a restore would replace and what would be missing."""
    problem = restoration.key.problem
    lacks = f" Its payout profile cannot be read then: {problem.message}." if problem else ""
    return _replacement_question(ledger, restoration) + lacks


def _replacement_question(ledger: Path, restoration: Restoring) -> str:
    replaced, events = restoration.replaced, restoration.extent.events
    if replaced is None or replaced.extent is None:
        return (
            f"Replace {ledger}, which is damaged or no ledger, by the backup of {events} events?"
            " What is there is moved aside."
        )
    if replaced.extent.book != restoration.extent.book:
        return (
            f"Replace {ledger}, which is another book ({replaced.extent.events} events), by the"
            f" backup of {events} events? A copy of it is kept beside it."
        )
    lost = f"the {replaced.lost} that the backup has not" if replaced.lost else "all of them"
    return (
        f"The ledger at {ledger} has {replaced.extent.events} events, the backup {events}. Replace"
        f" it? {lost[0].upper()}{lost[1:]} stay in a copy beside it."
    )


def _restored_row(
    ledger: Path, restoration: Restoring, restored: Restored | None, key: str | None
) -> RestoredRow:
    manifest, replaced = restoration.manifest, restoration.replaced
    current = replaced.extent if replaced else None
    return RestoredRow(
        ledger=str(ledger),
        state="replaced" if replaced else "created",
        book=restoration.extent.book,
        events=restoration.extent.events,
        head=restoration.extent.head,
        made_at=from_text(manifest.made_at),
        files=restored.files if restored else None,
        damaged=list(manifest.damaged),
        replaced=current.events if current else None,
        lost=replaced.lost if replaced else 0,
        kept=str(restored.kept) if restored and restored.kept else None,
        brought_back=list(replaced.forgotten) if replaced else [],
        key=key,
        dry_run=restored is None,
    )
