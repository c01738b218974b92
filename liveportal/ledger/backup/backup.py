"""Backups of a ledger: taken while it is in use, verified, and only then called backups.

The ledger is copied as it is at one instant, and the copy verified as `ledger verify` does. It goes
into one archive with the files of the vault, which is written under another name, read back from
the disk and compared; then it gets its name. A crash leaves at worst a file that is no backup's.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO

from liveportal.domain import retention
from liveportal.domain.clock import utc_text
from liveportal.domain.errors import (
    BackupExists,
    BackupUnwritable,
    DamagedBackup,
    InvalidBackup,
    LedgerBusy,
    LedgerExists,
    NotInVault,
    UnreadableFile,
)
from liveportal.domain.retention import Keep
from liveportal.ledger.attachments.vault import Vault, ignored
from liveportal.ledger.backup import archive, snapshot
from liveportal.ledger.backup.age import Encrypted, Encryption
from liveportal.ledger.backup.archive import Bundle, Manifest, Progress
from liveportal.ledger.backup.key_check import key_in_backup, sealed_by
from liveportal.ledger.backup.last_backup import LastBackup, last_backup, remember
from liveportal.ledger.backup.snapshot import LedgerExtent
from liveportal.ledger.secrets.key_store import Keys
from liveportal.ledger.storage import commits, connection, driver, private_files, temp_files
from liveportal.ledger.storage.fsync import fsync_dir
from liveportal.ledger.verify.verify import verify

__all__ = ["BackupResult", "LastBackup", "RetentionPlan", "back_up", "last_backup", "surplus"]

ATTEMPTS = 3
_PART = "liveportal-backup"


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """Which of the backups in a folder stay when a new one is made."""

    folder: Path
    keep: Keep


@dataclass(frozen=True, slots=True)
class BackupResult:
    """A backup that was made and verified; `key` tells where the key to sealed values is.

    That is as `sealing.key_in_backup` says. `removed` are older backups that rotation did not keep.
    """

    file: Path
    bytes: int
    manifest: Manifest
    key: str | None
    removed: Sequence[Path] = ()


class _Forgotten(Exception):
    """Somebody was forgotten while the backup was made: it must not have what is erased."""


def back_up(  # noqa: PLR0913 (what a backup is, told by name)
    path: Path,
    target: Path,
    *,
    made_at: datetime,
    lock: Encryption | None = None,
    rotation: RetentionPlan | None = None,
    progress: Progress = ignored,
) -> BackupResult:
    """Back a ledger up to a new file, verify it, and remove what rotation does not keep.

    Files of the vault that are damaged or lost are named in the manifest; such a backup is not
    remembered as a good one, and nothing is removed for it. Raises what opening and verifying the
    ledger raise, `BackupExists`, `BackupUnwritable`, `LedgerBusy`; then there is no backup.
    """
    real = path.resolve()
    with (
        private_files.translating_errors(real, undone="No backup was made."),
        private_files.workplace(real) as folder,
    ):
        for _ in range(ATTEMPTS):
            with suppress(_Forgotten):
                made = _made(real, target, folder, made_at, lock, progress)
                break
        else:
            raise LedgerBusy(
                f"customers were forgotten in {path} while it was backed up",
                hint="Try again when that has ended.",
            )
        commits.note(f"the backup {target} was made")
        if made.manifest.damaged:
            return made
        last = LastBackup(
            made_at, target, made.manifest.book, made.manifest.events, made.manifest.head
        )
        with suppress(OSError):  # `doctor` will say that it knows of no newer backup.
            remember(real, last)
        removed = _rotated(rotation, real, made.manifest.book, target) if rotation else ()
    return BackupResult(made.file, made.bytes, made.manifest, made.key, removed)


def _made(  # noqa: PLR0913, PLR0917 (as above)
    real: Path,
    target: Path,
    folder: Path,
    made_at: datetime,
    lock: Encryption | None,
    progress: Progress,
) -> BackupResult:
    copy = folder / archive.LEDGER
    copy.unlink(missing_ok=True)  # Of an attempt before.
    snapshot.copied(real, copy)
    with closing(connection.open_file(copy, readonly=True)) as db, driver.translating_errors(real):
        verify(db)
        found = snapshot.extent(db)
        gone = len(snapshot.forgotten(db))
        kept = Keys(real, found.book)
        key, key_text = key_in_backup(sealed_by(db), kept, is_locked=lock is not None)
        contents = _Contents(copy, found, Vault(real), snapshot.evidence_of(db), made_at, key_text)
    with _appearing(target) as stream:
        manifest = _written(stream, contents, lock, progress)
        _check_forgotten(real, gone)
        size = os.fstat(stream.fileno()).st_size
    return BackupResult(target, size, manifest, key)


def _check_forgotten(real: Path, before: int) -> None:
    with closing(connection.open_file(real, readonly=True)) as db, driver.translating_errors(real):
        if len(snapshot.forgotten(db)) != before:
            raise _Forgotten


# --- what goes into it ----------------------------------------------------------------------------


@dataclass(slots=True)
class _Contents:
    """All that goes into a backup, and what became of it on the way."""

    ledger: Path
    found: LedgerExtent
    vault: Vault
    evidence: dict[str, bool]
    made_at: datetime
    key: str | None
    absent: int = 0
    damaged: list[str] = field(default_factory=list)
    manifest: Manifest | None = None

    def produce(self, stream: IO[bytes]) -> Generator[int, None, None]:
        """Write the archive to a stream; then there is a manifest."""
        writer = archive.Writer(stream, self.made_at)
        try:
            yield from writer.put(archive.LEDGER, _chunks(self.ledger), compressed=True)
            for sha256 in self.evidence:
                yield from self._kept(writer, sha256)
            if self.key is not None:
                yield from writer.put(archive.KEY, [self.key.encode("ascii")])
            self.manifest = Manifest(
                self.found.book,
                self.found.head,
                self.found.events,
                self.found.form,
                utc_text(self.made_at),
                writer.files,
                self.absent,
                self.damaged,
            )
            yield from writer.finish(self.manifest)
        finally:
            writer.abandon()

    def _kept(self, writer: archive.Writer, sha256: str) -> Iterator[int]:
        """Copy a file of the vault; one that is damaged comes along as it is, and is named."""
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
        yield from writer.put(archive.kept_name(sha256), self._readable(first, chunks))
        if writer.files[-1].sha256 != sha256:
            self.damaged.append(sha256)

    @staticmethod
    def _readable(first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
        yield first
        with suppress(UnreadableFile):  # Its hash will tell.
            yield from chunks


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(private_files.CHUNK_BYTES):
            yield chunk


# --- writing it -----------------------------------------------------------------------------------


@contextmanager
def _appearing(target: Path) -> Iterator[IO[bytes]]:
    """Open a new file that appears at its place when the block ends, whole, or not at all."""
    named = target.with_name(_PART)  # Whatever the date: the next backup removes what a crash left.
    part = temp_files.part_of(named)
    try:
        temp_files.sweep(named)
        connection.check_free(target)
        with os.fdopen(private_files.make(part), "w+b") as stream:
            yield stream
        connection.move_new(part, target)
    except LedgerExists:
        raise BackupExists(
            f"there is something at {target} already",
            hint="A backup never takes the place of anything: choose another name.",
            path=str(target),
        ) from None
    except OSError as error:
        raise unwritable(target, error) from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def unwritable(target: Path, error: OSError) -> BackupUnwritable:
    """Say that a backup could not be written, and why."""
    return BackupUnwritable(
        f"{target} could not be written: {error.strerror or error}",
        hint="No backup was made.",
        path=str(target),
    )


def _written(
    stream: IO[bytes], contents: _Contents, lock: Encryption | None, progress: Progress
) -> Manifest:
    """Write an archive, and compare what the disk has of it with what was to be written."""

    def produce(target: IO[bytes]) -> Generator[int, None, None]:
        with closing(contents.produce(target)) as steps:
            for size in steps:
                progress(size)
                yield size

    if lock is None:
        with closing(produce(stream)) as steps:
            _exhaust(steps)
        _settle(stream)
        found = Bundle(stream, Path("the backup just written"))
        found.check(progress)
        found.close()
        sound = found.manifest == contents.manifest
    else:
        encrypted = Encrypted(lock)
        encrypted.write(stream, produce, contents.made_at)
        _settle(stream)
        encrypted.check(stream)
        sound = True
    if contents.manifest is None or not sound:
        raise DamagedBackup("the backup that the disk has is not the one that was written")
    return contents.manifest


def _exhaust(steps: Iterable[int]) -> None:
    for _ in steps:
        pass


def _settle(stream: IO[bytes]) -> None:
    """Bring a file to the disk, and go back to its beginning, to read what the disk has of it."""
    stream.flush()
    os.fsync(stream.fileno())
    if hasattr(os, "posix_fadvise"):  # Not what the system still remembers of it.
        with suppress(OSError):
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    stream.seek(0)


# --- rotation -------------------------------------------------------------------------------------


def surplus(plan: RetentionPlan, ledger: Path, book: str, coming: Path) -> list[Path]:
    """Return the backups of a book in a folder that are not kept once another has come.

    Only regular files with exactly the names of its backups, and of those that can be read without
    a key, only those that say that they are.
    """
    name = ledger.resolve().name
    there = {coming: retention.made_at(coming.name, name, book)}
    with os.scandir(plan.folder) as entries:
        for each in entries:
            time = retention.made_at(each.name, name, book)
            if time is not None and each.is_file(follow_symlinks=False):
                there[plan.folder / each.name] = time
    kept = retention.kept([time for time in there.values() if time is not None], plan.keep)
    gone = [path for path, time in there.items() if path != coming and time not in kept]
    return sorted(path for path in gone if _is_of(path, book))


def _is_of(path: Path, book: str) -> bool:
    """Tell whether a backup does not say that it is another book's."""
    if path.name.endswith((".zip.age", ".age.zip")):
        return True
    try:
        with path.open("rb") as stream, closing(Bundle(stream, path)) as found:
            return found.manifest.book == book
    except (DamagedBackup, InvalidBackup, OSError):
        return False


def _rotated(plan: RetentionPlan, ledger: Path, book: str, made: Path) -> list[Path]:
    removed: list[Path] = []
    try:
        for path in surplus(plan, ledger, book, made):
            path.unlink()
            removed.append(path)
        fsync_dir(plan.folder)
    except OSError as error:
        raise BackupUnwritable(
            f"the backup {made} was made, but older ones could not be removed: {error.strerror}",
            hint="Remove them yourself, or change who may write to the folder.",
            path=str(made),
        ) from None
    return removed
