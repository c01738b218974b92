"""Files that have another name until they are whole, and what is left of them by crashes.

`.NAME.1f3a5b7c.part` becomes `NAME` when all of it is written. Whoever is killed on the way leaves
it behind: the next one to write `NAME` removes it.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

STALE_SECONDS = 3_600
"""A part that nobody wrote to for so long was left behind by a crash."""

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file is named so."""

SUFFIXES = ("", *BESIDE)


def part_of(path: Path) -> Path:
    """Return a name beside a path under which it can be written."""
    return path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")


def remove(part: Path) -> None:
    """Remove a part if it is there, and what SQLite keeps beside it."""
    for suffix in SUFFIXES:
        with suppress(OSError):  # Where there is no folder, there is nothing to remove.
            Path(f"{part}{suffix}").unlink(missing_ok=True)


def sweep(path: Path, *, stale_seconds: float | None = STALE_SECONDS) -> None:
    """Remove what crashes left of earlier tries to write a path.

    None as `stale_seconds`: also what was written to just now, where nobody else can be at it.
    """
    ours = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.part(-wal|-shm|-journal)?")
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if ours.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                age = time.time() - entry.stat(follow_symlinks=False).st_mtime
                if stale_seconds is None or age > stale_seconds:
                    Path(entry.path).unlink(missing_ok=True)
