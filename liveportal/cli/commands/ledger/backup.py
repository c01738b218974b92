"""`liveportal ledger backup`: back up the ledger and its vault.

Registered in `liveportal.cli.commands.ledger`.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.io.answers import Sentence, plural
from liveportal.cli.io.output_file import check_target
from liveportal.cli.io.progress import progress
from liveportal.cli.io.prompts import STDIN
from liveportal.cli.io.render import check_output_possible, hint
from liveportal.cli.io.secrets import ask_new_passphrase, read_passphrase
from liveportal.cli.io.view_model import Detail, shows
from liveportal.cli.options import DryRun, LedgerOption, Options, OutputOptions, Yes, with_options
from liveportal.cli.write_result import show_answer
from liveportal.domain import retention
from liveportal.domain.clock import from_text
from liveportal.domain.errors import BackupIncomplete
from liveportal.domain.frozen import frozen
from liveportal.domain.row import Row, row
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries.reader import Reader

if TYPE_CHECKING:
    from liveportal.ledger.backup.age import Encryption
    from liveportal.ledger.backup.backup import BackupResult, RetentionPlan
    from liveportal.ledger.backup.snapshot import LedgerExtent


@row
class BackupRow(Row):
    """A backup that was made. A dry run has neither its size nor its files.

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


@frozen
class BackupOptions(Options):
    """Where a backup goes, which older ones are kept, and what it is locked with."""

    comes_first: ClassVar[bool] = True

    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="The folder; the file gets a dated name."),
    ] = None
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            metavar="7d,4w,12m",
            help="Keep one a day, week, month or year (y) in --to.",
        ),
    ] = None
    encrypt: Annotated[
        bool, typer.Option("--encrypt", help="Ask for a passphrase and encrypt with it.")
    ] = False
    recipient: Annotated[
        list[str] | None,
        typer.Option(
            "--recipient",
            metavar="KEY",
            help="Encrypt to a public key of age (age1…); repeatable.",
        ),
    ] = None
    passphrase_file: Annotated[
        Path | None,
        typer.Option(
            "--passphrase-file",
            metavar="FILE",
            help="Encrypt with the passphrase in a file, or -.",
        ),
    ] = None

    def check(self, out: OutputOptions) -> None:
        """Refuse options that conflict, and an output that cannot be written."""
        if out.output == Path(STDIN):
            raise typer.BadParameter("a backup needs a file name", param_hint="--output")
        if out.output and self.to:
            raise typer.BadParameter("Give only one of -o FILE and --to FOLDER.")
        if self.keep and not self.to:
            raise typer.BadParameter("--keep can be used only with --to.")
        check_output_possible(BackupRow, replace(out, output=None))
        if self.recipient and (self.encrypt or self.passphrase_file):
            raise typer.BadParameter("Encrypt the backup for keys or with a passphrase, not both.")

    def encryption(self, *, dry_run: bool) -> Encryption | None:
        """Return the encryption, asking for a passphrase; None if the backup is not encrypted."""
        if not (self.recipient or self.passphrase_file or self.encrypt):
            return None
        from liveportal.ledger.backup.age import Encryption

        if self.recipient:
            encryption = Encryption(self.recipient)
            encryption.check()
            return encryption
        if dry_run:
            return Encryption()  # Nothing is encrypted, so no passphrase is asked for.
        file = self.passphrase_file
        return Encryption(passphrase=read_passphrase(file) if file else ask_new_passphrase())


@shows(BackupRow)
@with_options(BackupOptions, LedgerOption, OutputOptions)
def backup(
    ledger: LedgerOption,
    out: OutputOptions,
    wanted: BackupOptions,
    dry_run: DryRun = False,
    _yes: Yes = False,
) -> None:
    """Back up the ledger and its files into one archive.

    The backup is a ZIP archive of the ledger, the evidence files and their SHA-256 hashes. You can
    make it while the ledger is in use. It is read back and verified before it gets its name, and
    never replaces another file. -o names it; by default it gets a dated name in the current folder.

    With a passphrase or --recipient it is encrypted in the format of age (age-encryption.org). An
    encrypted backup also contains the key to the payout profile, if that is in a file. With
    --passphrase-file -, the passphrase is read from standard input; a file must be private.

    --keep removes older backups from the folder of --to, except for the newest one of each of the
    last days, weeks, months or years that it names.

    If evidence files are damaged or lost, all others are backed up and the exit code is 6.

    Examples:
      liveportal ledger backup -o /media/stick/ledger.zip
      liveportal ledger backup --to ~/backups --keep 7d,4w,12m
      liveportal ledger backup --to ~/cloud --recipient age1ql3z7…
    """
    wanted.check(out)
    rules = retention.Keep.parse(wanted.keep) if wanted.keep else None
    encryption = wanted.encryption(dry_run=dry_run)
    from liveportal.ledger.backup.backup import RetentionPlan, back_up
    from liveportal.ledger.backup.snapshot import extent

    made_at = utc_now().replace(microsecond=0)
    with open_readonly(ledger.path) as reader:
        ledger_extent = extent(reader.db)
        size = _ledger_and_vault_size(reader)
    suffix = encryption.suffix if encryption else ".zip"
    name = retention.name_of(ledger.path.resolve().name, ledger_extent.book, made_at, suffix)
    target = out.output or (wanted.to or Path()) / name
    check_target(target, ledger.files)
    plan = RetentionPlan(wanted.to, rules) if wanted.to and rules else None
    shown = replace(out, output=None)
    if dry_run:
        row = _planned_row(ledger.path, target, ledger_extent, plan)
        planned = Detail(BackupRow, row, HUMAN)
        show_answer(planned, _sentence(row), shown, ledger=ledger, dry_run=True)
        return
    with progress("Backing up", 2 * size) as advance:
        result = back_up(
            ledger.path, target, made_at=made_at, lock=encryption, rotation=plan, progress=advance
        )
    row = _result_row(result, encryption)
    made = Detail(BackupRow, row, HUMAN, sparse=True)
    show_answer(made, _sentence(row), shown, ledger=ledger, dry_run=False)
    _report_gaps(result)


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


def _sentence(row: BackupRow) -> Sentence:
    """Answer `ledger backup`: the file, and which older backups were removed."""
    files = f" and {plural(row.files, 'file')}" if row.files else ""
    size = f"{row.bytes:,} bytes, verified" if row.bytes else ""
    with_what = {"recipient": "to a public key", "passphrase": "with a passphrase"}
    locked = f"It is encrypted {with_what[row.encrypted]}." if row.encrypted else ""
    removed = f"Removed {plural(len(row.removed), 'older backup')}." if row.removed else ""
    return Sentence(
        *("Backed up", "back up", f"{plural(row.events, 'event')}{files} to {row.file}", size),
        (locked, removed),
        (("Try to restore it", f"ledger restore {shlex.quote(row.file)} --dry-run"),),
        "Nothing was written.",
    )


def _report_gaps(result: BackupResult) -> None:
    """Report what a restore would need and the backup lacks; raises `BackupIncomplete`."""
    if result.key in ("left_out", "in_keyring"):
        hint("The backup does not contain the key of the payout profile. Keep a copy elsewhere.")
    if result.key in ("wrong_key", "key_not_found"):
        hint("The key of the payout profile is missing. See `liveportal payout profile check`.")
    if damaged := list(result.manifest.damaged):
        raise BackupIncomplete(
            f"The backup {result.file} was made, but {len(damaged)} evidence files are damaged or"
            f" lost. The first is {damaged[0][:12]}….",
            hint="Attach the right files again. No older backup was removed.",
            file=str(result.file),
            damaged=damaged,
        )
