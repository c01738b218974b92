"""What lies beside a ledger, by its names; and files that have another name until they are whole.

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

KEY, VAULT, DRAFTS, MARK, BACKUPS = ".key", ".vault", ".drafts", ".forgetting", ".backups.json"
OWN = (*SUFFIXES, KEY, VAULT, DRAFTS, MARK, BACKUPS)
"""All that belongs to a ledger under a name of its own: the file, and what lies beside it."""


def beside(ledger: Path, suffix: str) -> Path:
    """Return what lies beside a ledger: beside the file itself, also where a link names it."""
    return Path(f"{os.path.realpath(ledger)}{suffix}")


def own_files(ledger: Path) -> tuple[Path, ...]:
    """Return all that belongs to a ledger under a name of its own, whether or not it is there."""
    real = os.path.realpath(ledger)
    return tuple(Path(f"{real}{suffix}") for suffix in OWN)


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
