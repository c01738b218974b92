"""`liveportal ledger backup` and `restore`.

Registered in `liveportal.cli.commands.ledger`.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.io.hints import spell
from liveportal.cli.io.output_file import check_target
from liveportal.cli.io.progress import progress
from liveportal.cli.io.prompts import STDIN, confirm
from liveportal.cli.io.render import check_output_possible, hint, render
from liveportal.cli.io.secrets import (
    ask_new_passphrase,
    ask_passphrase,
    read_passphrase,
    read_secret,
)
from liveportal.cli.io.view_model import Detail, shows
from liveportal.cli.options import LedgerOption, OutputOptions, Yes, with_options
from liveportal.domain import retention
from liveportal.domain.clock import from_text
from liveportal.domain.errors import BackupIncomplete, BackupLocked
from liveportal.domain.row import Row, columns, row
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.storage.ledger_paths import check_input

if TYPE_CHECKING:
    from liveportal.ledger.backup.age import Decryption, Encryption
    from liveportal.ledger.backup.backup import BackupResult, RetentionPlan
    from liveportal.ledger.backup.restore import Restored, Restoring
    from liveportal.ledger.backup.snapshot import LedgerExtent


@row
class BackupRow(Row):
    """A backup that was made. A dry run knows neither its size nor its files.

    `absent` counts the recorded files that are not in the vault and may never have been; `damaged`
    has the hashes of those that are damaged or lost.
    """

    file: str
    bytes: int | None = None
    book: str
    events: int
    head: str
    made_at: datetime | None = None
    files: int | None = None
    absent: int | None = None
    damaged: list[str] | None = None
    encrypted: str | None = None
    key: str | None = None
    removed: list[str]
    dry_run: bool


HUMAN = ("file", "bytes", "events", "files", "damaged", "key", "removed", "dry_run")


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


DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Show what would happen; change nothing.", rich_help_panel="Writing"
    ),
]


@shows(BackupRow)
@with_options(LedgerOption, OutputOptions)
def backup(
    ledger: LedgerOption,
    out: OutputOptions,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="Into that folder, under a dated name."),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            metavar="7d,4w,12m",
            help="In --to, remove older ones but the newest of each of the last days, weeks, months"
            " or years (y) that have one.",
        ),
    ] = None,
    encrypt: Annotated[
        bool, typer.Option("--encrypt", help="Lock it with a passphrase, which is asked for.")
    ] = False,
    recipient: Annotated[
        list[str] | None,
        typer.Option(
            "--recipient",
            metavar="KEY",
            help="Encrypt to a public key of age (age1…); repeatable; needs no secret.",
        ),
    ] = None,
    passphrase_file: Annotated[
        Path | None,
        typer.Option(
            "--passphrase-file",
            metavar="FILE",
            help="Lock it with the passphrase in a file that only you may read; - is standard"
            " input.",
        ),
    ] = None,
    dry_run: DryRun = False,
    _yes: Yes = False,
) -> None:
    """Back up the ledger and its vault, verified, while it is in use; into one file.

    It is a ZIP archive that holds the ledger, its evidence files, and a manifest with the SHA-256
    of each. It is read back from the disk, and its ledger verified, before it gets its name; it
    never takes the place of another file. -o names it; without -o and --to it goes into the current
    folder, under a dated name. With --recipient or a passphrase it is encrypted in the format of
    age (age-encryption.org), and then it has the key to the payout profile, too, if that is in a
    file. Where evidence files are damaged or lost, all others are backed up and the exit code is 6.

    Examples:
      liveportal ledger backup -o /media/stick/ledger.zip
      liveportal ledger backup --to ~/backups --keep 7d,4w,12m
      liveportal ledger backup --to ~/cloud --recipient age1ql3z7…
    """
    result_options = _check_options(out, to, keep)
    if recipient and (encrypt or passphrase_file):
        raise typer.BadParameter("a backup is locked to keys or with a passphrase, not both")
    retention_rules = retention.Keep.parse(keep) if keep else None
    encryption = _encryption(recipient or [], passphrase_file, encrypt=encrypt, dry_run=dry_run)
    from liveportal.ledger.backup.backup import RetentionPlan, back_up
    from liveportal.ledger.backup.snapshot import extent

    made_at = utc_now().replace(microsecond=0)
    with open_readonly(ledger.path) as reader:
        ledger_extent = extent(reader.db)
        size = _ledger_and_vault_size(reader)
    suffix = encryption.suffix if encryption else ".zip"
    name = retention.name_of(ledger.path.resolve().name, ledger_extent.book, made_at, suffix)
    target = out.output or (to or Path()) / name
    check_target(target, ledger.files)
    plan = RetentionPlan(to, retention_rules) if to and retention_rules else None
    if dry_run:
        render(
            Detail(BackupRow, _planned_row(ledger.path, target, ledger_extent, plan), HUMAN),
            result_options,
        )
        return
    with progress("Backing up", 2 * size) as advance:
        result = back_up(
            ledger.path, target, made_at=made_at, lock=encryption, rotation=plan, progress=advance
        )
    render(
        Detail(BackupRow, _result_row(result, encryption), HUMAN, title="Backed up", sparse=True),
        result_options,
    )
    _report_gaps(result)


def _check_options(out: OutputOptions, to: Path | None, keep: str | None) -> OutputOptions:
    """Refuse conflicting options; return the output options of the result row."""
    if out.output == Path(STDIN):
        raise typer.BadParameter("a backup is a file: name it", param_hint="--output")
    if out.output and to:
        raise typer.BadParameter("-o names a file and --to a folder: choose one")
    if keep and not to:
        raise typer.BadParameter("--keep belongs to --to")
    result_options = replace(out, output=None)
    check_output_possible(BackupRow, result_options)
    return result_options


def _encryption(
    recipients: list[str], passphrase_file: Path | None, *, encrypt: bool, dry_run: bool
) -> Encryption | None:
    if not (recipients or passphrase_file or encrypt):
        return None
    from liveportal.ledger.backup.age import Encryption

    if recipients:
        encryption = Encryption(recipients)
        encryption.check()
        return encryption
    if dry_run:
        return Encryption()  # Nothing is encrypted, so no passphrase is asked for.
    return Encryption(
        passphrase=read_passphrase(passphrase_file) if passphrase_file else ask_new_passphrase()
    )


def _ledger_and_vault_size(reader: Reader) -> int:
    (evidence,) = reader.db.execute(
        "SELECT coalesce(sum(bytes), 0) FROM (SELECT DISTINCT sha256, bytes FROM artifact)"
    ).fetchone()
    return reader.path.stat().st_size + int(evidence)


def _planned_row(
    ledger: Path, target: Path, ledger_extent: LedgerExtent, plan: RetentionPlan | None
) -> BackupRow:
    from liveportal.ledger.backup.backup import backups_to_remove

    surplus_files = backups_to_remove(plan, ledger, ledger_extent.book, target) if plan else []
    return BackupRow(
        file=str(target),
        book=ledger_extent.book,
        events=ledger_extent.events,
        head=ledger_extent.head,
        removed=[str(path) for path in surplus_files],
        dry_run=True,
    )


def _result_row(result: BackupResult, encryption: Encryption | None) -> BackupRow:
    manifest = result.manifest
    return BackupRow(
        file=str(result.file),
        bytes=result.bytes,
        book=manifest.book,
        events=manifest.events,
        head=manifest.head,
        made_at=from_text(manifest.made_at),
        files=sum(file.kept is not None for file in manifest.files),
        absent=manifest.absent,
        damaged=list(manifest.damaged),
        encrypted=encryption.kind if encryption else None,
        key=result.key,
        removed=[str(path) for path in result.removed],
        dry_run=False,
    )


def _report_gaps(result: BackupResult) -> None:
    """Report what a restore would need and the backup lacks; raises `BackupIncomplete`."""
    if result.key in ("left_out", "in_keyring"):
        hint("The key to the payout profile is not in it: keep a copy of that elsewhere.")
    if result.key in ("wrong_key", "key_not_found"):
        hint("The key to the payout profile is not there: `liveportal payout profile check`.")
    if damaged := list(result.manifest.damaged):
        raise BackupIncomplete(
            f"{result.file} was made, but {len(damaged)} evidence files are damaged or lost,"
            f" the first {damaged[0][:12]}…",
            hint="Attach the right files again. No older backup was removed.",
            file=str(result.file),
            damaged=damaged,
        )


# --- restore --------------------------------------------------------------------------------------


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
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Do not ask for confirmation.", rich_help_panel="Writing"),
    ] = False,
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
    fit = restored.key if restored else restoration.key
    result = _restored_row(ledger.path, restoration, restored, key=fit.state)
    title = "This would be restored" if dry_run else "Restored"
    human = ("ledger", "state", "events", *columns(RestoredRow)[6:])
    render(Detail(RestoredRow, result, human, title=title, sparse=True), out)
    if fit.problem is not None:
        hint(f"The payout profile cannot be read: {fit.problem.message}.")
        hint(spell(fit.problem.hint) or "")
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
                f"{file} is encrypted to a key",
                hint="--identity FILE names the secret key that opens it.",
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
