"""Private files and folders beside a ledger: made whole or not at all, and swept after a crash."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from liveportal.domain.errors import DiskFull, LedgerBusy, LedgerUnwritable, LiveportalError
from liveportal.ledger.storage.driver import FULL
from liveportal.ledger.storage.fsync import fsync_dir, make_folders

CHUNK_BYTES = 1024 * 1024
_NEW = (
    os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
)


def make(path: Path) -> int:
    """Make a file that is not there yet, for its owner alone, and return its descriptor."""
    return os.open(path, _NEW, 0o600)


def replace_private(path: Path, content: bytes) -> None:
    """Give a file new content: whole, or it is as it was. Raises `OSError`."""
    part = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    try:
        with os.fdopen(make(part), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        fsync_dir(path.parent)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def small_content(path: Path, limit: int) -> bytes | None:
    """Return what a small regular file holds, not through a link; None where there is none such."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            content = file.read(limit + 1)
    except OSError:
        return None
    return content if len(content) <= limit else None


@contextmanager
def translating_errors(path: Path, *, undone: str) -> Iterator[None]:
    """Turn what the system says of writing near a ledger into the ledger's own errors.

    `undone` says what was not done, as a sentence.
    """
    try:
        yield
    except OSError as error:
        raise unwritable(path, error, undone=undone) from None


def unwritable(path: Path, error: OSError, *, undone: str) -> LiveportalError:
    """Say that nothing can be written there, and why."""
    if error.errno in FULL:
        return DiskFull(
            f"{path.parent} could not be written: the disk is full",
            hint=f"{undone} Make room, then try again.",
            path=str(path),
        )
    return LedgerUnwritable(
        f"{path} cannot be written: {error.strerror}",
        hint=f"{undone} The ledger's folder must be writable.",
        path=str(path),
    )


@contextmanager
def ensured_parent(real: Path) -> Iterator[None]:
    """Make the folder of a ledger where it is missing; it goes again if it stays empty."""
    made = [each for each in real.parents if not each.exists()]
    make_folders(real.parent)
    try:
        yield
    finally:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def workplace(real: Path) -> Iterator[Path]:
    """Make a private folder to build a backup of a ledger in; raises what `backup_lock` raises.

    It is beside the ledger. Where nothing can be written there, such as on a read-only disk, it is
    in the system's folder for temporary files: not beside the backup, which may be a synced folder
    that must get no plain copy.
    """
    if os.access(real.parent, os.W_OK | os.X_OK):
        with backup_lock(real), private_folder(real) as folder:
            yield folder
        return
    with tempfile.TemporaryDirectory(prefix="liveportal-") as folder:  # The owner's alone.
        yield Path(folder)


@contextmanager
def private_folder(real: Path) -> Iterator[Path]:
    """Make a folder beside a ledger that nobody else may enter, and remove it with all it holds.

    It is on the ledger's own disk: what is private there stays there. Only the holder of
    `backup_lock` may make one, so that any other is what a crash left behind, and is removed.
    """
    for left in real.parent.glob(f".{_plain(real.name)}.*.work"):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
    folder = real.with_name(f".{real.name}.{os.urandom(4).hex()}.work")
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        try:
            shutil.rmtree(folder, ignore_errors=True)
        except KeyboardInterrupt:  # Who is impatient must not leave a plain copy of the ledger.
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            with suppress(OSError):
                fsync_dir(real.parent)  # It may hold in plain what is encrypted elsewhere.


def _plain(name: str) -> str:
    """Return a name as a pattern that only it has."""
    return "".join(f"[{each}]" if each in "*?[" else each for each in name)


@contextmanager
def backup_lock(real: Path) -> Iterator[None]:
    """Keep all other backups and restores of a ledger out; raises `LedgerBusy` where one runs.

    Nobody who only records or reads is kept out. The system drops the lock with the process.
    """
    path = real.with_name(f".{real.name}.backup.lock")
    handle = _locked(path)
    if handle is None:
        raise LedgerBusy(
            f"another backup or restore of {real} is running",
            hint="Try again when it has ended.",
            path=str(real),
        )
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # While it is locked: nobody can have begun with it.
        os.close(handle)


def _locked(path: Path) -> int | None:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    while True:
        handle = os.open(path, flags, 0o600)
        try:
            _lock(handle)
            # Whoever had it before may have removed the name: then a new file has it by now.
            if os.path.samestat(os.fstat(handle), path.lstat()):
                return handle
        except FileNotFoundError:
            pass
        except (BlockingIOError, PermissionError):
            os.close(handle)
            return None
        os.close(handle)


def _lock(handle: int) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
