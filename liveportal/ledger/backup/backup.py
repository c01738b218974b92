"""Back up a ledger while it is in use, and verify the backup before it gets its name.

The ledger is copied as it is at one instant, and the copy is verified as by `ledger verify`. The
copy and the files of the vault go into one archive, which is written to a temporary file, read back
from the disk and compared; then it is renamed. A crash leaves at most a temporary file.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, BinaryIO

from liveportal.domain import retention
from liveportal.domain.clock import utc_text
from liveportal.domain.errors import (
    BackupExists,
    BackupUnwritable,
    DamagedBackup,
    InvalidBackup,
    LedgerBusy,
    NotInVault,
    UnreadableFile,
)
from liveportal.domain.frozen import frozen
from liveportal.domain.retention import Keep
from liveportal.ledger.attachments.vault import CHUNK_BYTES, Vault, no_progress
from liveportal.ledger.backup import archive, snapshot, workplace
from liveportal.ledger.backup.age import Encrypted, Encryption
from liveportal.ledger.backup.archive import Bundle, Manifest, Progress
from liveportal.ledger.backup.key_check import has_identity, key_in_backup, sealed_by
from liveportal.ledger.backup.last_backup import LastBackup, remember
from liveportal.ledger.backup.snapshot import LedgerExtent
from liveportal.ledger.secrets.key_store import Keys
from liveportal.ledger.storage import atomic, commits, connection, driver
from liveportal.ledger.verify.verify import verify

__all__ = ["BackupResult", "LastBackup", "RetentionPlan", "back_up", "backups_to_remove"]

ATTEMPTS = 3
_TEMP_NAME = "liveportal-backup"


@frozen
class RetentionPlan:
    """Which of the backups in a folder to keep when a new one is made."""

    folder: Path
    keep: Keep


@frozen
class BackupResult:
    """A backup that was made and verified.

    `key` says what happened to the key of the sealed values (see `key_check.key_in_backup`).
    `removed` are the older backups that the rotation did not keep.
    """

    file: Path
    bytes: int
    manifest: Manifest
    key: str | None
    removed: Sequence[Path] = ()


class _CustomerForgotten(Exception):
    """A customer was forgotten while the backup was made: it must not hold the erased data."""


def back_up(  # noqa: PLR0913 (the options of a backup, as keywords)
    path: Path,
    target: Path,
    *,
    made_at: datetime,
    lock: Encryption | None = None,
    rotation: RetentionPlan | None = None,
    progress: Progress = no_progress,
) -> BackupResult:
    """Back up a ledger to a new file, verify it, and remove the backups that rotation drops.

    The manifest names files of the vault that are damaged or lost; such a backup is not recorded
    as the last good one, and no older backup is removed. Raises what opening and verifying the
    ledger raise, `BackupExists`, `BackupUnwritable`, `LedgerBusy`; then no backup was made, except
    if older ones could not be removed.
    """
    real = path.resolve()
    with (
        atomic.translating_os_errors(real, undone="No backup was made.", beside_ledger=True),
        workplace.workplace(real) as folder,
    ):
        for _ in range(ATTEMPTS):
            with suppress(_CustomerForgotten):
                result = _make_backup(real, target, folder, made_at, lock, progress)
                break
        else:
            raise LedgerBusy(
                f"Customers were forgotten in {path} while it was backed up.",
                hint="Try again in a moment.",
            )
        commits.note(f"the backup {target} was made")
        if result.manifest.damaged:
            return result
        last = LastBackup(
            made_at, target, result.manifest.book, result.manifest.events, result.manifest.head
        )
        with suppress(OSError):  # `doctor` then reports that no newer backup is known.
            remember(real, last)
        removed = _remove_surplus(rotation, real, result.manifest.book, target) if rotation else ()
    return BackupResult(result.file, result.bytes, result.manifest, result.key, removed)


def _make_backup(  # noqa: PLR0913, PLR0917 (as above)
    real: Path,
    target: Path,
    folder: Path,
    made_at: datetime,
    lock: Encryption | None,
    progress: Progress,
) -> BackupResult:
    copy = folder / archive.LEDGER
    copy.unlink(missing_ok=True)  # It may remain from the previous attempt.
    snapshot.copy_ledger(real, copy)
    with closing(connection.open_file(copy, readonly=True)) as db, driver.translating_errors(real):
        verify(db, quick=True)
        extent = snapshot.extent(db)
        forgotten_count = len(snapshot.forgotten(db))
        keys = Keys(real, extent.book)
        key, key_text = key_in_backup(
            sealed_by(db), keys, is_locked=lock is not None, has_identity=has_identity(db)
        )
        contents = _Contents(copy, extent, Vault(real), snapshot.evidence_of(db), made_at, key_text)
    with _creating_atomically(target) as stream:
        manifest = _write_and_compare(stream, contents, lock, progress)
        _check_not_forgotten(real, forgotten_count)
        size = os.fstat(stream.fileno()).st_size
    return BackupResult(target, size, manifest, key)


def _check_not_forgotten(real: Path, before: int) -> None:
    with closing(connection.open_file(real, readonly=True)) as db, driver.translating_errors(real):
        if len(snapshot.forgotten(db)) != before:
            raise _CustomerForgotten


# --- content --------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Contents:
    """The content of a backup, and the problems met while writing it."""

    ledger: Path
    extent: LedgerExtent
    vault: Vault
    evidence: dict[str, bool]
    made_at: datetime
    key: str | None
    absent: int = 0
    damaged: list[str] = field(default_factory=list)
    manifest: Manifest | None = None

    def produce(self, stream: IO[bytes]) -> Generator[int, None, None]:
        """Write the archive to a stream and set the manifest; yield the size of each chunk."""
        writer = archive.Writer(stream, self.made_at)
        try:
            yield from writer.put(archive.LEDGER, _chunks(self.ledger), compressed=True)
            for sha256 in self.evidence:
                yield from self._write_vault_file(writer, sha256)
            if self.key is not None:
                yield from writer.put(archive.KEY, [self.key.encode("ascii")])
            self.manifest = Manifest(
                self.extent.book,
                self.extent.head,
                self.extent.events,
                self.extent.form,
                utc_text(self.made_at),
                writer.files,
                self.absent,
                self.damaged,
            )
            yield from writer.finish(self.manifest)
        finally:
            writer.abandon()

    def _write_vault_file(self, writer: archive.Writer, sha256: str) -> Iterator[int]:
        """Copy a vault file; a damaged one is copied as it is, and named in the manifest."""
        chunks = self.vault.content(sha256)
        try:
            first = next(chunks, b"")
        except NotInVault:
            if self.evidence[sha256]:
                self.damaged.append(sha256)
            else:
                self.absent += 1
            return
        except UnreadableFile:
            self.damaged.append(sha256)
            return
        yield from writer.put(archive.kept_name(sha256), self._readable_chunks(first, chunks))
        if writer.files[-1].sha256 != sha256:
            self.damaged.append(sha256)

    @staticmethod
    def _readable_chunks(first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
        yield first
        with suppress(UnreadableFile):  # The wrong hash then marks it as damaged.
            yield from chunks


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


# --- writing --------------------------------------------------------------------------------------


@contextmanager
def _creating_atomically(target: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that is renamed to `target` at the end; after an error, removed."""
    try:
        # One name for all dates, so that the next backup removes what a crash has left.
        with atomic.creating(target, temp_name=_TEMP_NAME) as stream:
            yield stream
    except FileExistsError:
        raise BackupExists(
            f"A file already exists at {target}.",
            hint="A backup never replaces a file. Choose another name.",
            path=str(target),
        ) from None
    except OSError as error:
        raise atomic.output_failed(
            target, error, undone="No backup was made.", kind=BackupUnwritable, path=str(target)
        ) from None


def _write_and_compare(
    stream: BinaryIO, contents: _Contents, lock: Encryption | None, progress: Progress
) -> Manifest:
    """Write an archive, read it back from the disk and compare; raises `DamagedBackup`."""

    def produce(target: IO[bytes]) -> Generator[int, None, None]:
        with closing(contents.produce(target)) as steps:
            for size in steps:
                progress(size)
                yield size

    if lock is None:
        with closing(produce(stream)) as steps:
            _run(steps)
        _fsync_and_rewind(stream)
        bundle = Bundle(stream, Path("The backup just written"))
        bundle.check(progress)
        bundle.close()
        is_equal = bundle.manifest == contents.manifest
    else:
        encrypted = Encrypted(lock)
        encrypted.write(stream, produce, contents.made_at)
        _fsync_and_rewind(stream)
        encrypted.check(stream)
        is_equal = True
    if contents.manifest is None or not is_equal:
        raise DamagedBackup(
            "The backup on the disk differs from what was written, so it was deleted.",
            hint="Try again, or write the backup to another disk.",
        )
    return contents.manifest


def _run(steps: Iterable[int]) -> None:
    for _ in steps:
        pass


def _fsync_and_rewind(stream: BinaryIO) -> None:
    """Sync a file to disk and go back to its beginning, to read it from the disk."""
    atomic.fsync_stream(stream)
    if hasattr(os, "posix_fadvise"):  # Drop it from the page cache.
        with suppress(OSError):
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    stream.seek(0)


# --- rotation -------------------------------------------------------------------------------------


def backups_to_remove(plan: RetentionPlan, ledger: Path, book: str, coming: Path) -> list[Path]:
    """Return the backups of a book that the plan does not keep once the backup `coming` is there.

    Only regular files with exactly the names of its backups count; of those that can be read
    without a key, only those whose manifest names the book.
    """
    name = ledger.resolve().name
    times = {coming: retention.made_at(coming.name, name, book)}
    with os.scandir(plan.folder) as entries:
        for entry in entries:
            time = retention.made_at(entry.name, name, book)
            if time is not None and entry.is_file(follow_symlinks=False):
                times[plan.folder / entry.name] = time
    kept = retention.kept([time for time in times.values() if time is not None], plan.keep)
    dropped = [path for path, time in times.items() if path != coming and time not in kept]
    return sorted(path for path in dropped if _is_backup_of(path, book))


def _is_backup_of(path: Path, book: str) -> bool:
    """Return True if a backup is encrypted, or its manifest names this book."""
    if path.name.endswith((".zip.age", ".age.zip")):
        return True
    try:
        with path.open("rb") as stream, closing(Bundle(stream, path)) as bundle:
            return bundle.manifest.book == book
    except (DamagedBackup, InvalidBackup, OSError):
        return False


def _remove_surplus(plan: RetentionPlan, ledger: Path, book: str, made: Path) -> list[Path]:
    removed: list[Path] = []
    try:
        for path in backups_to_remove(plan, ledger, book, made):
            path.unlink()
            removed.append(path)
        atomic.fsync_dir(plan.folder)
    except OSError as error:
        raise BackupUnwritable(
            f"The backup {made} was made, but older ones could not be removed: {error.strerror}.",
            hint="Remove them yourself, or make the folder writable.",
            path=str(made),
        ) from None
    return removed
