"""Making sure that a name is on the disk: a file's own `fsync` keeps its bytes, not its name.

Until its folder is synced, too, a power cut may take back that a file was made, renamed or removed.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

# What a file system answers that cannot sync folders: then it has its own ways, or none.
_CANNOT = {errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EROFS}


def fsync_dir(folder: Path) -> None:
    """Let the names in a folder reach the disk, where the system can do that; raises `OSError`."""
    if os.name == "nt":  # Folders cannot be opened there.
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Files may be made in it all the same.
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    finally:
        os.close(handle)


def fsync_file(path: Path) -> None:
    """Let a file's bytes and its size reach the disk, if it is there; raises `OSError`."""
    with suppress(FileNotFoundError):
        handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def make_folders(folder: Path) -> None:
    """Make a folder for its owner alone, with those that it lies in; raises `OSError`."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in reversed(missing):
        fsync_dir(each.parent)
