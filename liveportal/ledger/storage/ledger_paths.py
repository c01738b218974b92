"""Find out whether a path belongs to a ledger, so that it is neither overwritten nor read as input.

`temp_files` lists the files beside a ledger that have fixed names. There are also copies
(`ledger.db.form1`, `ledger.db.replaced-...`), temporary files (`.ledger.db.*.part`), and the
content of a ledger's folders.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from liveportal.domain.errors import LedgersOwnFile
from liveportal.ledger.storage import connection
from liveportal.ledger.storage.temp_files import OWN

_COPY = re.compile(
    r"(?P<name>.+)\.(?:form\d+|replaced-\d{8}T\d{6}Z)(?:\.\d+)?", re.IGNORECASE | re.DOTALL
)
_UNFINISHED = re.compile(
    r"\.(?P<name>.+?)(?:(?:\.[0-9a-f]{8})?\.(?:part|work)|\.backup\.lock)",
    re.IGNORECASE | re.DOTALL,
)
_MAX_DEPTH = 3
"""The number of levels from a ledger's folder down to its files: `ledger.db.vault/ab/abcd...`."""


def ledger_of(path: Path) -> Path | None:
    """Return the ledger to which a path belongs, perhaps the path itself; None if there is none.

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
        f"{path} belongs to the ledger {ledger}",
        hint="What a ledger is made of is no input. Name another file.",
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
        if not path.is_file():  # Opening a pipe would block.
            return False
        head = connection.read_header(path)
    except OSError:
        return False
    return head is not None and head.application_id == connection.APPLICATION_ID


def _normalise(path: Path) -> str:
    return unicodedata.normalize("NFC", os.path.realpath(path)).casefold()
