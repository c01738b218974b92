"""Sync files and folders to disk: `fsync` on a file saves its content, not its name.

Until the folder is synced too, a power cut may undo that a file was created, renamed or removed.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

# The errors of file systems that cannot sync a folder.
_UNSUPPORTED = {errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EROFS}


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


def fsync_file(path: Path) -> None:
    """Sync a file's content and size to disk, if the file exists; raises `OSError`."""
    with suppress(FileNotFoundError):
        handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def make_folders(folder: Path) -> None:
    """Create a private folder (mode 0700) and its missing parents; raises `OSError`."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in reversed(missing):
        fsync_dir(path.parent)
