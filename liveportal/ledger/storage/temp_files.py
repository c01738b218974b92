"""The names of the files that belong to a ledger, and temporary files.

A file is written as `.NAME.1f3a5b7c.part` and renamed to `NAME` when it is complete. If the program
is killed before that, the temporary file remains; the next write of `NAME` removes it.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

STALE_SECONDS = 3_600
"""A temporary file that was not written to for this long was left behind by a crash."""

BESIDE = ("-wal", "-shm", "-journal")
"""The suffixes of the files that SQLite keeps beside a database."""

SUFFIXES = ("", *BESIDE)

KEY, VAULT, DRAFTS, MARK, BACKUPS = ".key", ".vault", ".drafts", ".forgetting", ".backups.json"
OWN = (*SUFFIXES, KEY, VAULT, DRAFTS, MARK, BACKUPS)
"""The suffixes of all files and folders that belong to a ledger, itself included."""


def beside(ledger: Path, suffix: str) -> Path:
    """Return the path of a file beside a ledger; links are followed, to be beside the real file."""
    return Path(f"{os.path.realpath(ledger)}{suffix}")


def own_files(ledger: Path) -> tuple[Path, ...]:
    """Return the paths of all files that may belong to a ledger, whether or not they exist."""
    real = os.path.realpath(ledger)
    return tuple(Path(f"{real}{suffix}") for suffix in OWN)


def temp_path_for(path: Path) -> Path:
    """Return a new temporary name beside a path, to write the file under."""
    return path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")


def remove(temp_path: Path) -> None:
    """Remove a temporary file, if it exists, and the files that SQLite keeps beside it."""
    for suffix in SUFFIXES:
        with suppress(OSError):  # Without its folder, there is nothing to remove.
            Path(f"{temp_path}{suffix}").unlink(missing_ok=True)


def sweep(path: Path, *, stale_seconds: float | None = STALE_SECONDS) -> None:
    """Remove the temporary files that crashes left of earlier attempts to write a path.

    `stale_seconds=None` also removes fresh ones: use it where no other process can be writing.
    """
    pattern = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.part(-wal|-shm|-journal)?")
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if pattern.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                age = time.time() - entry.stat(follow_symlinks=False).st_mtime
                if stale_seconds is None or age > stale_seconds:
                    Path(entry.path).unlink(missing_ok=True)
