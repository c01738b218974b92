"""The rows of `doctor`, and what its checks judge them by."""

from __future__ import annotations

from collections.abc import Sequence

from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.domain.row import Row

OK, WARNING, FAILED, SKIPPED = "ok", "warning", "failed", "skipped"
NO_LEDGER = "There is no ledger."
NOT_EXAMINED = "The ledger was not examined."
MOST_NAMES = 3
"""How many paths a message names."""


@frozen
class Check(Row):
    """The row of a check: its name, its status, a message, and how to fix it."""

    check: str
    status: str
    message: str
    hint: Hint | str | None = None


@frozen
class Surroundings:
    """The program's environment. `zones` are (whose, name, whether it is available)."""

    version: str
    python: str
    system: str
    sqlite: str
    sqlite_from: str
    wal_is_safe: bool
    user: int | None
    named_ledger: bool
    keyring: bool
    keyring_installed: bool
    tzdata: str | None
    zone_source: str
    zones: tuple[tuple[str, str, bool], ...]
    has_stfolder: bool
    is_terminal: bool
    encoding: str
    width: int
    colour: bool


def list_names(paths: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(paths) - MOST_NAMES} more" if len(paths) > MOST_NAMES else ""
    return ", ".join(paths[:MOST_NAMES]) + more


def format_megabytes(count: int) -> str:
    """Return a number of bytes in megabytes."""
    return f"{count / 1_000_000:,.0f} MB"
