"""The files that belong to a ledger: their names, and how a ledger is recognised.

A file that belongs to a ledger is neither overwritten nor read as input. The files beside a ledger
that have fixed names are listed here. There are also copies (`ledger.db.form1`,
`ledger.db.replaced-...`), temporary files (`.ledger.db.*.part`), and the content of a ledger's
folders.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from liveportal.domain.errors import LedgersOwnFile
from liveportal.domain.patterns import pattern

APPLICATION_ID = 0x4C504C31  # "LPL1": identifies a ledger to `file` and to any program opening it.

BESIDE = ("-wal", "-shm", "-journal")
"""The suffixes of the files that SQLite keeps beside a database."""

KEY, VAULT, DRAFTS, MARK, BACKUPS = ".key", ".vault", ".drafts", ".forgetting", ".backups.json"
OWN = ("", *BESIDE, KEY, VAULT, DRAFTS, MARK, BACKUPS)
"""The suffixes of all files and folders that belong to a ledger, itself included."""

_HEAD_BYTES = 100
_WAL_VERSION = 2
_COPY = pattern(
    r"(?P<name>.+)\.(?:form\d+|replaced-\d{8}T\d{6}Z)(?:\.\d+)?", re.IGNORECASE | re.DOTALL
)
_UNFINISHED = pattern(
    r"\.(?P<name>.+?)(?:(?:\.[0-9a-f]{8})?\.(?:part|work)|\.backup\.lock)",
    re.IGNORECASE | re.DOTALL,
)
_MAX_DEPTH = 3
"""The number of levels from a ledger's folder down to its files: `ledger.db.vault/ab/abcd...`."""


# --- names ----------------------------------------------------------------------------------------


def beside(ledger: Path, suffix: str) -> Path:
    """Return the path of a file beside a ledger; links are followed, to be beside the real file."""
    return Path(f"{os.path.realpath(ledger)}{suffix}")


def own_files(ledger: Path) -> tuple[Path, ...]:
    """Return the paths of all files that may belong to a ledger, whether or not they exist."""
    real = os.path.realpath(ledger)
    return tuple(Path(f"{real}{suffix}") for suffix in OWN)


def replication_folder(path: Path) -> Path:
    """Return the folder in which Litestream keeps its state of a ledger, if it copies it."""
    real = Path(os.path.realpath(path))
    return real.with_name(f".{real.name}-litestream")


def erasure_marker(path: Path) -> Path:
    """Return the path of the marker file that exists while personal data is still to be erased."""
    return beside(path, MARK)


# --- the header -----------------------------------------------------------------------------------


class Head(NamedTuple):
    """The fields read from the header of a SQLite file; `form` is the schema version."""

    application_id: int
    form: int
    wal: bool


def read_header(path: Path) -> Head | None:
    """Read the header of a SQLite file without opening it as a database; None for other files.

    Raises `OSError`.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if len(head) < _HEAD_BYTES or not head.startswith(b"SQLite format 3\0"):
        return None
    form, application_id = (int.from_bytes(head[at : at + 4], "big") for at in (60, 68))
    return Head(application_id, form, wal=head[18] == _WAL_VERSION)


def has_ledger_header(path: Path) -> bool:
    """Return True if a file has the header of a ledger; raises `OSError`."""
    head = read_header(path)
    return head is not None and head.application_id == APPLICATION_ID


# --- owners ---------------------------------------------------------------------------------------


def ledger_of(path: Path) -> Path | None:
    """Return the ledger to which a path belongs, perhaps the path itself; None without one.

    Links are followed. The path need not exist.
    """
    real = Path(os.path.realpath(path))
    for place in (real, *list(real.parents)[:_MAX_DEPTH]):
        for name in _possible_names(place.name):
            if _is_ledger(place.with_name(name)):
                return place.with_name(name)
    return None


def is_same(path: Path, other: Path) -> bool:
    """Return True if two paths name the same file, also through links.

    Case is always ignored, since some file systems ignore it. Raises `OSError`.
    """
    if _normalise(path) == _normalise(other):
        return True
    return path.exists() and other.exists() and path.samefile(other)


def check_input(path: Path) -> None:
    """Raise `LedgersOwnFile` if a path belongs to a ledger."""
    try:
        owner = ledger_of(path)
    except (OSError, ValueError):  # The code that opens the path reports what is wrong.
        return
    if owner is not None:
        raise own_file(path, owner)


def own_file(path: Path, ledger: Path) -> LedgersOwnFile:
    """Return the error for an input path that belongs to a ledger."""
    return LedgersOwnFile(
        f"{path} belongs to the ledger {ledger}, so it cannot be used as input.",
        hint="Name another file.",
        path=str(path),
        ledger=str(ledger),
    )


def _possible_names(name: str) -> Iterator[str]:
    """Yield the names of ledgers to which a name may belong, first the name itself."""
    names, seen = [name], set[str]()
    while names:
        if (candidate := names.pop()) in seen or not candidate:
            continue
        seen.add(candidate)
        yield candidate
        folded = candidate.casefold()
        names += [candidate[: -len(suffix)] for suffix in OWN if suffix and folded.endswith(suffix)]
        names += [
            match["name"]
            for pattern in (_COPY, _UNFINISHED)
            if (match := pattern.fullmatch(candidate))
        ]


def _is_ledger(path: Path) -> bool:
    try:
        return path.is_file() and has_ledger_header(path)  # Opening a pipe would block.
    except OSError:
        return False


def _normalise(path: Path) -> str:
    import unicodedata  # Loads a table that most commands do not need.

    return unicodedata.normalize("NFC", os.path.realpath(path)).casefold()
