"""Restore a backup: everything in it is checked first, and the ledger it replaces is kept.

The ledger of the backup is unpacked into a private folder, compared with the manifest, migrated to
the current schema version and verified. Only then is anything put in place: first the files of the
vault, which are harmless, then the ledger in one step, then the key.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from liveportal.domain.errors import (
    BackupLocked,
    DamagedBackup,
    DiskFull,
    LedgerUnwritable,
    LiveportalError,
    NotALedger,
)
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.ledger.attachments.vault import Vault, no_progress
from liveportal.ledger.backup import age, archive, key_check, snapshot, swap, workplace
from liveportal.ledger.backup.age import Decryption
from liveportal.ledger.backup.archive import Bundle, File, Manifest, Progress
from liveportal.ledger.backup.key_check import KeyFit
from liveportal.ledger.backup.snapshot import LedgerExtent
from liveportal.ledger.opening import open_ledger
from liveportal.ledger.secrets import key_store
from liveportal.ledger.storage import atomic, commits, connection, driver
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.upgrade import upgrade
from liveportal.ledger.verify import file_integrity
from liveportal.ledger.verify.verify import verify

_CUSTOMER_EXISTS = (
    "SELECT 1 FROM request WHERE customer = ?1 UNION SELECT 1 FROM session WHERE customer = ?1"
    " UNION SELECT 1 FROM customer WHERE id = ?1"
)


@frozen
class Replaced:
    """The ledger that a backup would replace.

    `extent` is None if it cannot be opened. `common` counts the events, from the first on, that
    both have. `forgotten` names the customers forgotten in it whose data the backup brings back.
    """

    extent: LedgerExtent | None
    common: int = 0
    forgotten: Sequence[str] = ()

    @property
    def lost(self) -> int:
        """The number of its events that the backup does not have."""
        return self.extent.events - self.common if self.extent else 0


@frozen
class Restored:
    """The result of a restore: the ledger's extent, and the path where the old ledger is kept.

    `files` counts the files put into the vault; `key` says whether the payout profile can be read.
    """

    extent: LedgerExtent
    kept: Path | None
    files: int
    key: KeyFit


def encryption_of(path: Path) -> str | None:
    """Return how a backup is encrypted: `recipient`, `passphrase`, or None if it is not.

    Raises `UnreadableFile`.
    """
    with atomic.open_input(path) as stream:
        return age.kind_of(stream)


class Restoring:
    """A checked backup, and the ledger that it may replace."""

    def __init__(
        self, real: Path, bundle: Bundle, staged: Path, extent: LedgerExtent, sealed_by: str | None
    ) -> None:
        self._real = real
        self._bundle = bundle
        self._staged = staged
        self._sealed_by = sealed_by
        self.extent = extent
        self.replaced = _find_replaced(real, staged)
        self.key = self._compare_key()

    @property
    def manifest(self) -> Manifest:
        """The manifest of the backup."""
        return self._bundle.manifest

    def carry_out(self, at: datetime, progress: Progress = no_progress) -> Restored:
        """Put everything in place; raises `LedgerBusy`, `DiskFull`, `UnsafeVault`.

        After an error the ledger is unchanged; at most, the vault has more files, which no event
        names.
        """
        real = self._real
        count = self._put_files(progress)
        kept = self._put_ledger(at)
        commits.note(f"{real} was restored")
        key = key_check.put(self._compare_key(), self._keys)
        with closing(open_ledger(real, readonly=True)) as db, driver.translating_errors(real):
            verify(db, quick=True)
        return Restored(self.extent, kept, count, key)

    @property
    def _keys(self) -> key_store.Keys:
        return key_store.Keys(self._real, self.extent.book)

    def _compare_key(self) -> KeyFit:
        """Compare the key that the ledger needs with those in the backup and those kept here."""
        manifest = self.manifest
        file = next((file for file in manifest.files if file.name == archive.KEY), None)
        text = _key_text(self._bundle, file) if file else None
        return key_check.compare(self._sealed_by, text, self._keys)

    def _put_files(self, progress: Progress) -> int:
        vault, count = Vault(self._real), 0
        for file in self.manifest.files:
            if file.kept is not None and file.kept == file.sha256:
                chunks = _reporting(self._bundle.chunks(file), progress)
                count += vault.put(file.kept, chunks)
        return count

    def _put_ledger(self, at: datetime) -> Path | None:
        if self.replaced is None:
            return swap.place_new(self._real, self._staged, at)
        if self.replaced.extent is not None:
            try:
                return swap.replace(self._real, self._staged, at, self.replaced.extent)
            except NotALedger:  # The damage is in pages that only the copy reads.
                pass
        kept = swap.move_aside(self._real, at)
        swap.place_new(self._real, self._staged, at)
        return kept


@contextmanager
def restoring(
    path: Path, file: Path, *, opener: Decryption | None = None, progress: Progress = no_progress
) -> Iterator[Restoring]:
    """Check a whole backup for the ledger at a path; only `carry_out` changes anything.

    Raises `InvalidBackup`, `DamagedBackup`, `BackupLocked`, `UnreadableFile`, `NewerLedger`,
    `VerificationFailed`, `LedgerBusy`, `DiskFull`, `LedgerUnwritable`.
    """
    real = path.resolve()
    if path.is_symlink() and not real.exists():
        raise LedgerUnwritable(
            f"{path} is a link to a file that does not exist.",
            hint=Hint("Remove the link, or choose {another_place}."),
            path=str(path),
        )
    with (
        atomic.translating_os_errors(real, undone="Nothing was restored.", beside_ledger=True),
        workplace.ensured_parent(real),
        workplace.backup_lock(real),
        workplace.private_folder(real) as folder,
        ExitStack() as stack,
    ):
        stream = stack.enter_context(atomic.open_input(file))
        if age.kind_of(stream):
            decrypted = _decrypting(stream, file, folder, opener or Decryption())
            stream = stack.enter_context(decrypted)
        bundle = stack.enter_context(closing(Bundle(stream, file)))
        _check_room(bundle.manifest, folder)
        _check_files(bundle, progress)
        staged = folder / archive.LEDGER
        extent = _stage(bundle, staged, progress)
        with closing(connection.open_file(staged, readonly=True)) as db:
            sealed_by = key_check.sealed_by(db)
        yield Restoring(real, bundle, staged, extent, sealed_by)


@contextmanager
def _decrypting(
    stream: BinaryIO, file: Path, folder: Path, decryption: Decryption
) -> Iterator[BinaryIO]:
    """Decrypt a backup into the private folder, the only place for its plaintext."""
    with atomic.create(folder / "backup.zip") as plain:
        try:
            age.opened_with(stream, decryption, plain)
        except (BackupLocked, DamagedBackup) as error:
            raise error.located(str(file), path=str(file)) from None
        yield plain


# --- checking -------------------------------------------------------------------------------------


def _check_room(manifest: Manifest, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if manifest.size > free:
        raise DiskFull(
            f"The backup needs {manifest.size} bytes, but only {free} bytes are free.",
            hint="Nothing was restored. Free some disk space, then try again.",
            bytes=manifest.size,
            free=free,
        )


def _check_files(bundle: Bundle, progress: Progress) -> None:
    """Read every vault file of the backup and compare it, before any is put in place."""
    manifest = bundle.manifest
    for file in manifest.files:
        if file.kept is not None:
            if file.kept != file.sha256 and file.kept not in manifest.damaged:
                raise _damaged_error(f"{file.name} has the wrong content")
            for chunk in bundle.chunks(file):
                progress(len(chunk))
        elif file.name == archive.KEY:
            _key_text(bundle, file)


def _key_text(bundle: Bundle, file: File) -> str:
    if file.bytes > archive.LARGEST_KEY:
        raise _damaged_error(f"{file.name} is not a key")
    return b"".join(bundle.chunks(file)).decode("ascii", "replace")


def _stage(bundle: Bundle, staged: Path, progress: Progress) -> LedgerExtent:
    """Unpack the ledger, migrate it to the current schema version, verify it; return its extent."""
    manifest = bundle.manifest
    ledger = next(file for file in manifest.files if file.name == archive.LEDGER)
    with atomic.create(staged) as target:
        for chunk in bundle.chunks(ledger):
            target.write(chunk)
            progress(len(chunk))
    try:
        with (
            closing(connection.open_file(staged, readonly=True)) as db,
            driver.translating_errors(staged),
        ):
            _check_schema_kinds(db)
            extent = snapshot.extent(db)
        announced = LedgerExtent(manifest.book, manifest.head, manifest.events, manifest.form)
        if extent != announced:
            raise _damaged_error("its ledger is not the one that its manifest describes")
        if extent.form < connection.SCHEMA_VERSION:
            upgrade(staged)
        with (
            closing(connection.open_file(staged, readonly=True)) as db,
            driver.translating_errors(staged),
        ):
            verify(db)
    except NotALedger as error:
        raise _damaged_error(error.message.replace(str(staged), archive.LEDGER)) from None
    except driver.DatabaseError as error:
        raise _damaged_error(f"{archive.LEDGER} cannot be read: {error}") from None
    except LiveportalError as error:
        error.message = error.message.replace(str(staged), archive.LEDGER)
        raise error.located("The backup") from None
    return replace(extent, form=connection.SCHEMA_VERSION)


def _check_schema_kinds(db: Connection) -> None:
    """Raise `DamagedBackup` for a forged schema, before any query runs on it.

    A view in place of a table could make a query run for ever, and a foreign trigger could do
    anything later. Views that a user has added are harmless, since no query reads them.
    """
    expected = {part.name: part for part in file_integrity.expected_schema()}
    for part in file_integrity.schema_objects(db):
        expected_part = expected.get(part.name, part)
        if part.kind != expected_part.kind or (
            part.kind == "trigger" and part != expected.get(part.name)
        ):
            raise _damaged_error(f"its ledger has a foreign {part.kind}, {part.name!a}")


def _damaged_error(what: str) -> DamagedBackup:
    return DamagedBackup(
        f"The backup was changed after it was made: {what.rstrip('.')}.",
        hint="Nothing was restored. Use another backup, or another copy of this one.",
    )


# --- the ledger to be replaced --------------------------------------------------------------------


def _find_replaced(real: Path, staged: Path) -> Replaced | None:
    try:
        db = swap.opened(real)
    except NotALedger:
        if not real.is_file():  # A folder is not a damaged ledger.
            raise
        return Replaced(None)
    if db is None:
        return None
    with closing(db), closing(connection.open_file(staged, readonly=True)) as new:
        try:
            with driver.translating_errors(real):
                return _compare(db, new)
        except NotALedger:
            return Replaced(None)


def _compare(old: Connection, new: Connection) -> Replaced:
    extent, coming = snapshot.extent(old), snapshot.extent(new)
    common = _common_events(old, new, min(extent.events, coming.events))
    known = snapshot.forgotten(new)
    erased = {customer for event, customer in snapshot.forgotten(old).items() if event not in known}
    brought_back = [
        customer
        for customer in sorted(erased)
        if new.execute(_CUSTOMER_EXISTS, (customer,)).fetchone()
    ]
    return Replaced(extent, common, brought_back)


def _common_events(old: Connection, new: Connection, limit: int) -> int:
    """Return the number of events that two journals have in common, from the first on.

    Equal hashes at an event mean equal journals up to it, so a binary search works.
    """
    low, high = 0, limit
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


def _reporting(chunks: Iterator[bytes], progress: Progress) -> Iterator[bytes]:
    for chunk in chunks:
        progress(len(chunk))
        yield chunk
