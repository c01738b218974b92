"""Private files: made or replaced in one step, durably, and readable only by their owner.

A file is written as `.NAME.1f3a5b7c.part` and moved to `NAME` when it is complete. If the program
is killed before that, the temporary file remains; the next write of `NAME` removes it.

`fsync` on a file saves its content, not its name. Until the folder is synced too, a power cut may
undo that a file was created, renamed or removed.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from liveportal.domain.errors import (
    DiskFull,
    LedgerUnwritable,
    LiveportalError,
    OutputFailed,
    UnreadableFile,
)
from liveportal.domain.hint import Hint
from liveportal.ledger.storage.ledger_paths import BESIDE

STALE_SECONDS = 3_600
"""A temporary file that was not written to for this long was left behind by a crash."""

FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""The errors for lack of space: the disk is full, the file is too large, the quota is used up."""

# The errors of file systems that cannot sync a folder.
_UNSUPPORTED = {errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EROFS}
# O_NONBLOCK: do not wait for a pipe without a writer. O_NOFOLLOW: do not follow a link. Windows
# lacks both and has O_BINARY instead.
_BINARY = getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY | _NO_LINK
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | _BINARY | _NO_LINK
_READ = os.O_RDONLY | _BINARY | getattr(os, "O_NONBLOCK", 0)
_MODE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


# --- writing --------------------------------------------------------------------------------------


@contextmanager
def replacing(path: Path, *, locked: bool = False) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` when the block ends; after an error, it is gone.

    See `temporary` for `locked`. Raises `OSError`.
    """
    with temporary(path, locked=locked) as temp_path:
        with create(temp_path) as stream:
            yield stream
            fsync_stream(stream)
        temp_path.replace(path)
        fsync_dir(path.parent)


@contextmanager
def creating(path: Path, *, temp_name: str | None = None) -> Iterator[BinaryIO]:
    """Open a file that is moved to `path` when the block ends; after an error, it is gone.

    Temporary names are made of `temp_name` instead of the file's own name, if it is given. Raises
    `FileExistsError` if anything is at the path, before or after the block, and `OSError`.
    """
    with temporary(path.with_name(temp_name or path.name)) as temp_path:
        check_free(path)
        with create(temp_path) as stream:
            yield stream
            fsync_stream(stream)
        move_new(temp_path, path)


def create(path: Path) -> BinaryIO:
    """Create a private file (mode 0600), to write and read it; never through a link.

    Raises `FileExistsError` if anything is at the path, and `OSError`.
    """
    return cast("BinaryIO", os.fdopen(os.open(path, _CREATE, _MODE), "w+b"))


def append_to(path: Path) -> BinaryIO:
    """Open a file at its end, or create a private one; never through a link. Raises `OSError`."""
    return os.fdopen(os.open(path, _APPEND, _MODE), "ab")


def check_free(path: Path) -> None:
    """Raise `FileExistsError` if anything is at a path, even a broken link; raises `OSError`."""
    with suppress(FileNotFoundError, NotADirectoryError):
        path.lstat()
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


def move_new(temp_path: Path, path: Path) -> None:
    """Move a finished file to its final path durably, without ever replacing another file.

    The temporary name may remain. Raises `FileExistsError` and `OSError`.
    """
    try:
        os.link(temp_path, path)
    except FileExistsError:
        raise
    except OSError:  # A file system without hard links: this is the best that it can do.
        check_free(path)
        temp_path.rename(path)
    fsync_dir(path.parent)


# --- temporary names ------------------------------------------------------------------------------


@contextmanager
def temporary(path: Path, *, locked: bool = False) -> Iterator[Path]:
    """Yield a new temporary name beside a path; what has this name at the end is removed.

    What crashes left of earlier attempts is removed first. With `locked`, no other process can be
    writing the path: temporary files of any age are removed then.
    """
    sweep(path, locked=locked)
    # Under a lock one name is enough.
    temp_path = path.parent / f".{path.name}.{0:08x}.part" if locked else temp_path_for(path)
    try:
        yield temp_path
    finally:
        remove(temp_path)


def temp_path_for(path: Path) -> Path:
    """Return a new temporary name beside a path, to write the file under."""
    return path.parent / f".{path.name}.{os.urandom(4).hex()}.part"


def remove(temp_path: Path) -> None:
    """Remove a temporary file, if it exists, and the files that SQLite keeps beside it."""
    for suffix in ("", *BESIDE):
        with suppress(OSError):  # Without its folder, there is nothing to remove.
            Path(f"{temp_path}{suffix}").unlink(missing_ok=True)


def sweep(path: Path, *, locked: bool = False) -> None:
    """Remove the temporary files that crashes left of earlier attempts to write a path.

    These are the ones that were not written to for `STALE_SECONDS`. With `locked`, they are all of
    them, and also `.NAME.part`, the name under which earlier versions wrote keys.
    """
    number = r"(\.[0-9a-f]{8})" + "?" * locked
    pattern = re.compile(rf"\.{re.escape(path.name)}{number}\.part(-wal|-shm|-journal)?")
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if pattern.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                age = time.time() - entry.stat(follow_symlinks=False).st_mtime
                if locked or age > STALE_SECONDS:
                    Path(entry.path).unlink(missing_ok=True)


# --- reading --------------------------------------------------------------------------------------


def open_regular(path: Path, *, follow_links: bool = False) -> BinaryIO | None:
    """Open a regular file to read it; None for a pipe or a device, which is not waited for.

    Raises `IsADirectoryError`, and `OSError`, also for a link that is not to be followed.
    """
    handle = os.open(path, _READ if follow_links else _READ | _NO_LINK)
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return None


@contextmanager
def open_input(path: Path, *, follow_links: bool = True) -> Iterator[BinaryIO]:
    """Open a regular file that the user named; raises `UnreadableFile`."""
    try:
        # Checked first: opening a device has effects.
        is_regular = stat.S_ISREG(path.stat().st_mode)
        stream = open_regular(path, follow_links=follow_links) if is_regular else None
    except OSError as error:
        raise unreadable(path, error.strerror) from None
    except ValueError:  # The path contains NUL.
        raise unreadable(path, "no file can have that name") from None
    if stream is None:
        raise unreadable(path, "it is not a regular file")
    with stream:
        yield stream


def small_content(path: Path, limit: int) -> bytes | None:
    """Return the content of a regular file of at most `limit` bytes; None for anything else.

    Links are not followed.
    """
    try:
        if (stream := open_regular(path)) is None:
            return None
        with stream:
            content = stream.read(limit + 1)
    except OSError:
        return None
    return content if len(content) <= limit else None


def is_open_to_others(mode: int) -> bool:
    """Return True if a file's mode gives access to anyone but its owner; Windows has no modes."""
    return os.name == "posix" and bool(mode & _OTHERS)


# --- syncing --------------------------------------------------------------------------------------


def fsync_stream(stream: BinaryIO) -> None:
    """Sync what was written to a stream to disk; raises `OSError`."""
    stream.flush()
    os.fsync(stream.fileno())


def fsync_file(path: Path) -> None:
    """Sync a file's content and size to disk, if the file exists; raises `OSError`."""
    with suppress(FileNotFoundError):
        handle = os.open(path, os.O_RDWR | _NO_LINK)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def fsync_dir(folder: Path) -> None:
    """Sync the names in a folder to disk, where the system supports it; raises `OSError`."""
    if os.name == "nt":  # Windows cannot open folders.
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:  # A folder may be writable and searchable without being readable.
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    finally:
        os.close(handle)


def make_folders(folder: Path) -> None:
    """Create a private folder (mode 0700) and its missing parents; raises `OSError`."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in reversed(missing):
        fsync_dir(path.parent)


# --- errors ---------------------------------------------------------------------------------------


@contextmanager
def translating_os_errors(
    path: Path, *, undone: str = "", beside_ledger: bool = False
) -> Iterator[None]:
    """Translate an `OSError` of a write, as `unwritable` does."""
    try:
        yield
    except OSError as error:
        raise unwritable(path, error, undone=undone, beside_ledger=beside_ledger) from None


def unwritable(
    path: Path, error: OSError, *, undone: str = "", beside_ledger: bool = False
) -> LiveportalError:
    """Return the error for a part of a ledger that cannot be written.

    That is `DiskFull` or `LedgerUnwritable`. `undone` is a sentence for the hint that says what was
    not done. With `beside_ledger`, the ledger exists, and the path is of its folder.
    """
    if error.errno in FULL:
        return DiskFull(
            f"{path.parent if beside_ledger else path} could not be written, because the"
            " disk is full.",
            hint=f"{undone or 'Nothing was recorded.'} Free some disk space, then try again.",
            path=str(path),
        )
    remedy = "Make the ledger's folder writable." if beside_ledger else "Choose {another_place}."
    return LedgerUnwritable(
        f"{path} cannot be written: {error.strerror}.",
        hint=Hint(f"{undone} {remedy}".strip()),
        path=str(path),
    )


def output_failed(
    where: object,
    error: OSError,
    *,
    undone: str | None = None,
    kind: type[OutputFailed] = OutputFailed,
    **details: str,
) -> OutputFailed:
    """Return the error for an output file that cannot be written; `undone` is as above."""
    return kind(f"{where} could not be written: {error.strerror or error}.", hint=undone, **details)


def unreadable(path: Path, reason: str | None) -> UnreadableFile:
    """Return the error for an input file that cannot be read."""
    return UnreadableFile(
        f"{path} cannot be read: {reason}.", hint="Check the path.", path=str(path)
    )
