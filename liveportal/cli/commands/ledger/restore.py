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
from liveportal.cli.io.answers import Sentence, ended, moment, plural
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

    `replaced` counts the events of the ledger that was replaced, `lost` those that the backup does
    not have; `kept` is the path of that ledger now. `brought_back` are erased customers that the
    backup still has.
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
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of `ledger backup`.")],
    ledger: LedgerOption,
    out: OutputOptions,
    identity: Annotated[
        Path | None,
        typer.Option(
            "--identity",
            metavar="FILE",
            help="Decrypt with the secret key in a file, or -.",
        ),
    ] = None,
    passphrase_file: Annotated[
        Path | None,
        typer.Option(
            "--passphrase-file",
            metavar="FILE",
            help="Decrypt with the passphrase in a file, or -.",
        ),
    ] = None,
    dry_run: DryRun = False,
    yes: Confirmed = False,
) -> None:
    """Restore a backup of the ledger and its files.

    The backup is verified before anything is changed. It asks before it replaces a ledger, and
    keeps a copy of that ledger beside it (`kept`): nothing that was recorded since the backup is
    lost. Other programs may have the ledger open.

    Evidence files are restored, and so is the key to the payout profile if the backup has it. `key`
    shows whether the restored profile can be read: restored or kept, or else wrong_key or
    key_not_found. --dry-run checks all this and changes nothing. With -, a key or passphrase is
    read from standard input.

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
    """Answer `ledger restore`: the ledger, and where the replaced one is kept."""
    made_at = moment(restored.made_at, "UTC", utc_now())
    files = f" and {plural(restored.files, 'file')}" if restored.files else ""
    kept = f"The replaced ledger is kept at {restored.kept}." if restored.kept else ""
    newer = f"It has {plural(restored.lost, 'event')} that the backup does not have."
    lost = newer if restored.lost else ""
    damaged = plural(len(restored.damaged), "evidence file")
    return Sentence(
        *("Restored", "restore", f"the backup of {made_at}"),
        f"{plural(restored.events, 'event')}{files} to {restored.ledger}",
        (kept, lost, f"The backup does not have {damaged}." if restored.damaged else ""),
        (("Check it", "ledger verify"),),
        "Nothing was changed.",
    )


def _hint_consequences(restoration: Restoring, problem: LiveportalError | None) -> None:
    """Hint at a profile that cannot be read, and at forgotten customers who are there again."""
    if problem is not None:
        hint(ended(f"The payout profile cannot be read. {problem.message}"))
        hint(spell(problem.hint) or "")
    for customer in restoration.replaced.forgotten if restoration.replaced else ():
        hint(
            f"The backup still has the data of customer {customer}, whom you have forgotten. To"
            f" erase it again: `liveportal ledger forget {customer}`."
        )


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
    unread = "The payout profile cannot be read then."
    lacks = ended(f" {unread} {problem.message}") if problem else ""
    return _replacement_question(ledger, restoration) + lacks


def _replacement_question(ledger: Path, restoration: Restoring) -> str:
    replaced, events = restoration.replaced, restoration.extent.events
    if replaced is None or replaced.extent is None:
        return (
            f"Replace {ledger}, which is damaged or not a ledger, with the backup of {events}"
            " events? The file is kept under another name."
        )
    if replaced.extent.book != restoration.extent.book:
        return (
            f"Replace {ledger}, which is a different ledger ({replaced.extent.events} events),"
            f" with the backup of {events} events? A copy is kept beside it."
        )
    newer = f" The backup does not have the last {replaced.lost}." if replaced.lost else ""
    return (
        f"Replace the ledger at {ledger} ({replaced.extent.events} events) with the backup of"
        f" {events} events?{newer} A copy of the ledger is kept beside it."
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
