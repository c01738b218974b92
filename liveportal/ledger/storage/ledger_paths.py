"""Whether a path belongs to a ledger: so that no output takes its place, and no input takes it in.

`parts` lists what lies beside a ledger under a fixed name. Besides there are copies
(`ledger.db.form1`, `ledger.db.replaced-...`), what is not whole yet (`.ledger.db.*.part`), and all
that lies in a folder of a ledger.
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
_DEEPEST = 3
"""How far below a folder of a ledger its files lie: `ledger.db.vault/ab/abcd...`."""


def ledger_of(path: Path) -> Path | None:
    """Return the ledger to which a path belongs, which may be the path itself; None if none.

    Links are followed. Nothing needs to be at the path yet.
    """
    real = Path(os.path.realpath(path))
    for place in (real, *list(real.parents)[:_DEEPEST]):
        for name in _possible_names(place.name):
            if _is_ledger(place.with_name(name)):
                return place.with_name(name)
    return None


def is_same(path: Path, other: Path) -> bool:
    """Return whether two paths name one file, also through links and whatever the case.

    File systems differ in whether case counts; here it never does. Raises `OSError`.
    """
    if _folded(path) == _folded(other):
        return True
    return path.exists() and other.exists() and path.samefile(other)


def check_input(path: Path) -> None:
    """Raise `LedgersOwnFile` for what belongs to a ledger."""
    try:
        owner = ledger_of(path)
    except (OSError, ValueError):  # Whoever opens it says what is wrong.
        return
    if owner is not None:
        raise own_file(path, owner)


def own_file(path: Path, ledger: Path) -> LedgersOwnFile:
    """Return the error for a file of a ledger that was given as input."""
    return LedgersOwnFile(
        f"{path} belongs to the ledger {ledger}",
        hint="What a ledger is made of is no input. Name another file.",
        path=str(path),
        ledger=str(ledger),
    )


def _possible_names(name: str) -> Iterator[str]:
    """Yield the names of ledgers to which a name may belong: itself first."""
    names, seen = [name], set[str]()
    while names:
        if (each := names.pop()) in seen or not each:
            continue
        seen.add(each)
        yield each
        folded = each.casefold()
        names += [each[: -len(own)] for own in OWN if own and folded.endswith(own)]
        names += [
            found["name"] for pattern in (_COPY, _UNFINISHED) if (found := pattern.fullmatch(each))
        ]


def _is_ledger(path: Path) -> bool:
    try:
        if not path.is_file():  # A pipe would be waited for.
            return False
        head = connection.head_of(path)
    except OSError:
        return False
    return head is not None and head.application_id == connection.APPLICATION_ID


def _folded(path: Path) -> str:
    return unicodedata.normalize("NFC", os.path.realpath(path)).casefold()
