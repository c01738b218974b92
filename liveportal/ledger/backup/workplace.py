"""The lock and the private folder beside a ledger, in which backups, restores and imports work."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from liveportal.domain.errors import LedgerBusy
from liveportal.ledger.storage import atomic


@contextmanager
def ensured_parent(real: Path) -> Iterator[None]:
    """Create the missing parent folders of a ledger; remove them at the end if they are empty."""
    created = [folder for folder in real.parents if not folder.exists()]
    atomic.make_folders(real.parent)
    try:
        yield
    finally:
        for folder in created:
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def workplace(real: Path) -> Iterator[Path]:
    """Create a private folder in which to build a backup; raises `LedgerBusy`, `OSError`.

    It is beside the ledger. If nothing can be written there, as on a read-only disk, it is in the
    system's folder for temporary files; never beside the backup, which may be in a synced folder
    that must not receive a plaintext copy.
    """
    if os.access(real.parent, os.W_OK | os.X_OK):
        with backup_lock(real), private_folder(real) as folder:
            yield folder
        return
    with tempfile.TemporaryDirectory(prefix="liveportal-") as folder:  # Its mode is 0700.
        yield Path(folder)


@contextmanager
def private_folder(real: Path) -> Iterator[Path]:
    """Create a private folder (mode 0700) beside a ledger, and remove it with its content.

    It is on the ledger's disk, so private content does not leave that disk. The caller must hold
    `backup_lock`; therefore any other such folder was left behind by a crash, and is removed.
    """
    for leftover in real.parent.glob(f".{_escape_glob(real.name)}.*.work"):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover, ignore_errors=True)
    folder = real.with_name(f".{real.name}.{os.urandom(4).hex()}.work")
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        try:
            shutil.rmtree(folder, ignore_errors=True)
        except KeyboardInterrupt:  # A second Ctrl-C must not leave a plaintext copy of the ledger.
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            with suppress(OSError):
                # It may hold in plaintext what is encrypted elsewhere.
                atomic.fsync_dir(real.parent)


def _escape_glob(name: str) -> str:
    """Return a glob pattern that matches only this name."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)


@contextmanager
def backup_lock(real: Path) -> Iterator[None]:
    """Exclude all other backups and restores of a ledger; raises `LedgerBusy` if one is running.

    Recording and reading are not blocked. The system releases the lock when the process ends.
    """
    path = real.with_name(f".{real.name}.backup.lock")
    descriptor = _open_locked(path)
    if descriptor is None:
        raise LedgerBusy(
            f"Another backup or restore of {real} is running.",
            hint="Try again when it has finished.",
            path=str(real),
        )
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # Before the lock is released, so that no other process holds this file.
        os.close(descriptor)


def _open_locked(path: Path) -> int | None:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    while True:
        descriptor = os.open(path, flags, 0o600)
        try:
            _lock(descriptor)
            # The previous holder may have removed the file; another may have its name by now.
            if os.path.samestat(os.fstat(descriptor), path.lstat()):
                return descriptor
        except FileNotFoundError:
            pass
        except (BlockingIOError, PermissionError):
            os.close(descriptor)
            return None
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
