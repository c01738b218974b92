"""Restoring a backup: everything in it is doubted until it is checked, and nothing is lost by it.

The ledger of the backup is unpacked into a private folder, compared, brought to the current form
and verified; only then anything takes its place: first files of the vault, which harm nobody, then
the ledger, in one step, then the key.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO

from liveportal.domain.errors import (
    BackupLocked,
    DamagedBackup,
    DiskFull,
    LedgerUnwritable,
    LiveportalError,
    NotALedger,
    UnreadableFile,
)
from liveportal.ledger.attachments.vault import Vault, ignored
from liveportal.ledger.backup import age, archive, key_check, snapshot, swap
from liveportal.ledger.backup.age import Decryption
from liveportal.ledger.backup.archive import Bundle, File, Manifest, Progress
from liveportal.ledger.backup.key_check import KeyFit
from liveportal.ledger.backup.snapshot import LedgerExtent
from liveportal.ledger.opening import open_ledger
from liveportal.ledger.secrets import key_store
from liveportal.ledger.storage import commits, connection, driver, private_files
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.upgrade import upgrade
from liveportal.ledger.verify import file_integrity
from liveportal.ledger.verify.verify import verify

_HAS = (
    "SELECT 1 FROM request WHERE customer = ?1 UNION SELECT 1 FROM session WHERE customer = ?1"
    " UNION SELECT 1 FROM customer WHERE id = ?1"
)


@dataclass(frozen=True, slots=True)
class Replaced:
    """The ledger that a backup would take the place of.

    `extent` is None for one that does not open. `common` counts the events that both have, from the
    first one on; `forgotten` names customers whom it forgot, and whom the backup brings back.
    """

    extent: LedgerExtent | None
    common: int = 0
    forgotten: Sequence[str] = ()

    @property
    def lost(self) -> int:
        """How many events it has that the backup has not."""
        return self.extent.events - self.common if self.extent else 0


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: how far it goes, where the old one is kept, what else came back.

    `private_files` were put into the vault; `key` says whether the payout profile can be read.
    """

    extent: LedgerExtent
    kept: Path | None
    files: int
    key: KeyFit


def opening(path: Path) -> str | None:
    """Return what opens a backup: `recipient`, `passphrase`, or None; raises `UnreadableFile`."""
    with _opened(path) as stream:
        return age.kind_of(stream)


class Restoring:
    """A backup that was checked, and the ledger that it may take the place of."""

    def __init__(
        self, real: Path, bundle: Bundle, staged: Path, extent: LedgerExtent, sealed_by: str | None
    ) -> None:
        self._real = real
        self._bundle = bundle
        self._staged = staged
        self._sealed_by = sealed_by
        self.extent = extent
        self.replaced = _replaced(real, staged)
        self.key = self._compare_key()

    @property
    def manifest(self) -> Manifest:
        """What the backup says that it is."""
        return self._bundle.manifest

    def carry_out(self, at: datetime, progress: Progress = ignored) -> Restored:
        """Put everything in its place; raises `LedgerBusy`, `DiskFull`, `UnsafeVault`.

        Then the ledger is as it was; at most there are more files in the vault, which no event
        names.
        """
        real = self._real
        count = self._put_files(progress)
        kept = self._put_ledger(at)
        commits.note(f"{real} was restored")
        key = key_check.put(self._compare_key(), self._keys)
        with closing(open_ledger(real, readonly=True)) as db, driver.translating_errors(real):
            verify(db)
        return Restored(self.extent, kept, count, key)

    @property
    def _keys(self) -> key_store.Keys:
        return key_store.Keys(self._real, self.extent.book)

    def _compare_key(self) -> KeyFit:
        """Compare the key that the backup's ledger needs with those in it and those kept here."""
        manifest = self.manifest
        file = next((each for each in manifest.files if each.name == archive.KEY), None)
        text = _key_text(self._bundle, file) if file else None
        return key_check.compare(self._sealed_by, text, self._keys)

    def _put_files(self, progress: Progress) -> int:
        vault, count = Vault(self._real), 0
        for file in self.manifest.files:
            if file.kept is not None and file.kept == file.sha256:
                chunks = _told(self._bundle.chunks(file), progress)
                count += vault.put(file.kept, chunks)
        return count

    def _put_ledger(self, at: datetime) -> Path | None:
        if self.replaced is None:
            return swap.place_new(self._real, self._staged, at)
        if self.replaced.extent is not None:
            try:
                return swap.replace(self._real, self._staged, at, self.replaced.extent)
            except NotALedger:  # Damaged where only copying it looks.
                pass
        kept = swap.move_aside(self._real, at)
        swap.place_new(self._real, self._staged, at)
        return kept


@contextmanager
def restoring(
    path: Path, file: Path, *, opener: Decryption | None = None, progress: Progress = ignored
) -> Iterator[Restoring]:
    """Check a backup whole, for the ledger at a path; nothing has changed until it is carried out.

    Raises `InvalidBackup`, `DamagedBackup`, `BackupLocked`, `UnreadableFile`, `NewerLedger`,
    `VerificationFailed`, `LedgerBusy`, `DiskFull`, `LedgerUnwritable`.
    """
    real = path.resolve()
    if path.is_symlink() and not real.exists():
        raise LedgerUnwritable(
            f"{path} is a link to nothing",
            hint="Remove it, or choose another place with --ledger.",
            path=str(path),
        )
    with (
        private_files.translating_errors(real, undone="Nothing was restored."),
        private_files.ensured_parent(real),
        private_files.backup_lock(real),
        private_files.private_folder(real) as folder,
        ExitStack() as stack,
    ):
        stream = stack.enter_context(_opened(file))
        if age.kind_of(stream):
            plain = _decrypted(stream, file, folder, opener or Decryption())
            stream = stack.enter_context(plain)
        found = stack.enter_context(closing(Bundle(stream, file)))
        _check_room(found.manifest, folder)
        _check_files(found, progress)
        staged = folder / archive.LEDGER
        extent = _staged(found, staged, progress)
        with closing(connection.open_file(staged, readonly=True)) as db:
            sealed_by = key_check.sealed_by(db)
        yield Restoring(real, found, staged, extent, sealed_by)


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    try:
        if file.exists() and not file.is_file():  # A pipe would be waited for.
            raise _unreadable(file, "it is not a regular file")
        stream = file.open("rb")
    except OSError as error:
        raise _unreadable(file, error.strerror) from None
    except ValueError:  # A NUL in it.
        raise _unreadable(file, "no file can have that name") from None
    with stream:
        yield stream


def _unreadable(file: Path, why: str | None) -> UnreadableFile:
    return UnreadableFile(f"{file} cannot be read: {why}", hint="Check the path.", path=str(file))


@contextmanager
def _decrypted(
    stream: IO[bytes], file: Path, folder: Path, opener: Decryption
) -> Iterator[IO[bytes]]:
    """Decrypt a backup into the private folder: nowhere else may its plain text lie."""
    with os.fdopen(private_files.make(folder / "backup.zip"), "w+b") as plain:
        try:
            age.opened_with(stream, opener, plain)
        except (BackupLocked, DamagedBackup) as error:
            raise error.located(str(file), path=str(file)) from None
        yield plain


# --- checking -------------------------------------------------------------------------------------


def _check_room(manifest: Manifest, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if manifest.size > free:
        raise DiskFull(
            f"the backup holds {manifest.size} bytes, and there is room for {free}",
            hint="Nothing was restored. Make room, then try again.",
            bytes=manifest.size,
            free=free,
        )


def _check_files(found: Bundle, progress: Progress) -> None:
    """Read every file of the vault, and compare it, before any takes its place."""
    manifest = found.manifest
    for file in manifest.files:
        if file.kept is not None:
            if file.kept != file.sha256 and file.kept not in manifest.damaged:
                raise _odd(f"{file.name} is not the file of its name")
            for chunk in found.chunks(file):
                progress(len(chunk))
        elif file.name == archive.KEY:
            _key_text(found, file)


def _key_text(found: Bundle, file: File) -> str:
    if file.bytes > archive.LARGEST_KEY:
        raise _odd(f"{file.name} is no key")
    return b"".join(found.chunks(file)).decode("ascii", "replace")


def _staged(found: Bundle, staged: Path, progress: Progress) -> LedgerExtent:
    """Unpack the ledger, bring it to the current form, verify it, and return how far it goes."""
    manifest = found.manifest
    ledger = next(each for each in manifest.files if each.name == archive.LEDGER)
    with os.fdopen(private_files.make(staged), "wb") as target:
        for chunk in found.chunks(ledger):
            target.write(chunk)
            progress(len(chunk))
    try:
        with (
            closing(connection.open_file(staged, readonly=True)) as db,
            driver.translating_errors(staged),
        ):
            _check_kinds(db)
            extent = snapshot.extent(db)
        told = LedgerExtent(manifest.book, manifest.head, manifest.events, manifest.form)
        if extent != told:
            raise _odd("its ledger is not the one that its manifest tells of")
        if extent.form < connection.SCHEMA_VERSION:
            upgrade(staged)
        with (
            closing(connection.open_file(staged, readonly=True)) as db,
            driver.translating_errors(staged),
        ):
            verify(db)
    except NotALedger as error:
        raise _odd(error.message.replace(str(staged), archive.LEDGER)) from None
    except driver.DatabaseError as error:
        raise _odd(f"{archive.LEDGER} cannot be read: {error}") from None
    except LiveportalError as error:
        error.message = error.message.replace(str(staged), archive.LEDGER)
        raise error.located("the backup") from None
    return replace(extent, form=connection.SCHEMA_VERSION)


def _check_kinds(db: Connection) -> None:
    """Refuse, before anything is asked of it, what only looks like a ledger.

    A view in a table's place could keep whoever reads it busy for ever, and a trigger of somebody
    else's could do anything later. Views of one's own are harmless: nobody reads them here.
    """
    usual = {part.name: part for part in file_integrity.expected_schema()}
    for part in file_integrity.schema_objects(db):
        ours = usual.get(part.name, part)
        if part.kind != ours.kind or (part.kind == "trigger" and part != usual.get(part.name)):
            raise _odd(f"the {part.kind} {part.name!a} of its ledger is not ours")


def _odd(what: str) -> DamagedBackup:
    return DamagedBackup(
        f"the backup is not what was written: {what}",
        hint="Nothing was changed. Take another backup, or another copy of this one.",
    )


# --- what it would replace ------------------------------------------------------------------------


def _replaced(real: Path, staged: Path) -> Replaced | None:
    try:
        db = swap.opened(real)
    except NotALedger:
        if not real.is_file():  # A folder is nobody's damaged ledger.
            raise
        return Replaced(None)
    if db is None:
        return None
    with closing(db), closing(connection.open_file(staged, readonly=True)) as new:
        try:
            with driver.translating_errors(real):
                return _compared(db, new)
        except NotALedger:
            return Replaced(None)


def _compared(old: Connection, new: Connection) -> Replaced:
    extent, coming = snapshot.extent(old), snapshot.extent(new)
    common = _common(old, new, min(extent.events, coming.events))
    known = snapshot.forgotten(new)
    gone = {who for event, who in snapshot.forgotten(old).items() if event not in known}
    back = [who for who in sorted(gone) if new.execute(_HAS, (who,)).fetchone()]
    return Replaced(extent, common, back)


def _common(old: Connection, new: Connection, most: int) -> int:
    """Return how many events two journals have in common, from the first one on.

    The same hash at an event means the same journal up to it, so halving finds where they part.
    """
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if _hash_at(old, middle) == _hash_at(new, middle):
            low = middle
        else:
            high = middle - 1
    return low


def _hash_at(db: Connection, seq: int) -> bytes:
    row = db.execute("SELECT hash FROM event WHERE seq = ?", (seq,)).fetchone()
    return bytes(row[0]) if row else b""


def _told(chunks: Iterator[bytes], progress: Progress) -> Iterator[bytes]:
    for chunk in chunks:
        progress(len(chunk))
        yield chunk
