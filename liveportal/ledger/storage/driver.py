"""The only module that chooses the SQLite driver, and that interprets its errors.

All code must import the driver from here: two copies of SQLite in one process do not see each
other's locks.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from liveportal.domain.errors import (
    DiskFull,
    LedgerBusy,
    LedgerUnwritable,
    LiveportalError,
    NotALedger,
    NotShared,
)
from liveportal.domain.hint import Hint

if TYPE_CHECKING:
    import sqlite3 as dbapi
else:
    try:
        from pysqlite3 import dbapi2 as dbapi
    except ImportError:  # No wheel for this platform: use the standard library's copy instead.
        import sqlite3 as dbapi

# Before the driver binds a value that is neither a number nor a string, it searches for an adapter
# in three places and finds none: a microsecond for each NULL and each hash. It finds these
# identity adapters at once.
dbapi.register_adapter(type(None), {}.get)  # type: ignore[arg-type]
dbapi.register_adapter(bytes, bytes)

Cursor = dbapi.Cursor
complete_statement = dbapi.complete_statement
SQLITE_VERSION: str = dbapi.sqlite_version
SQLITE_VERSION_INFO: tuple[int, ...] = dbapi.sqlite_version_info
DRIVER = f"from {dbapi.__name__.partition('.')[0]}"
DatabaseError = dbapi.Error


_OPEN: WeakSet[Connection] = WeakSet()


class Connection(dbapi.Connection):
    """A connection bound to the process and the thread that opened it.

    A fork copies it without its locks: if the child used or merely closed it, that could roll back
    what the parent is writing. So the copy refuses every statement and is never closed.
    """

    def __init__(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 -- The driver's signature.
        super().__init__(*args, **more)
        self._owner = (os.getpid(), threading.get_ident())
        _OPEN.add(self)

    def check_owner(self) -> None:
        """Raise `NotShared` in any process or thread other than the one that opened it."""
        if self._owner != (os.getpid(), threading.get_ident()):
            raise _not_shared()

    def close(self) -> None:
        """Close the connection; in a forked process, do nothing."""
        if self._owner[0] == os.getpid():
            super().close()


def _abandon() -> None:
    """After a fork, disable every inherited connection in the child and leak it.

    Otherwise its destructor could roll back the parent's transaction.
    """
    import ctypes

    for connection in list(_OPEN):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))
        with suppress(dbapi.Error):  # It belongs to another thread, which the fork did not copy.
            connection.set_authorizer(lambda *_: dbapi.SQLITE_DENY)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon)


def _not_shared() -> NotShared:
    return NotShared(
        "This ledger was opened in another process or thread, and cannot be used in this one.",
        hint="Open it again here. Each process and each thread needs its own portal.",
    )


def connect(database: str, *, uri: bool = False, wait_s: float = 0) -> Connection:
    """Connect in autocommit mode: the caller manages transactions. Raises `DatabaseError`."""
    return dbapi.connect(
        database,
        uri=uri,
        factory=Connection,
        isolation_level=None,
        timeout=wait_s,
        cached_statements=256,
    )


# --- the driver's errors --------------------------------------------------------------------------


@contextmanager
def translating_errors(path: Path) -> Iterator[None]:
    """Translate driver errors into the ledger's own, by text: not all drivers have error codes."""
    try:
        yield
    except dbapi.Error as error:
        if translated := _translate(str(error).lower(), path):
            raise translated from error
        raise


def _translate(text: str, path: Path) -> LiveportalError | None:
    where = str(path)
    if "not authorized" in text or "prohibited" in text or "same thread" in text:
        return _not_shared()
    if "locked" in text or "busy" in text:
        return LedgerBusy(
            f"Another program is using {path}.", hint="Try again in a moment.", path=where
        )
    if "disk is full" in text or "disk i/o" in text:
        return DiskFull(
            f"{path} could not be written, because the disk is full or failing.",
            hint="Nothing was recorded. Free some disk space, then try again.",
            path=where,
        )
    if "readonly" in text or "unable to open" in text:
        return LedgerUnwritable(
            f"{path} cannot be opened for writing.",
            hint="The ledger, its folder, and all files that begin with its name must be writable.",
            path=where,
        )
    if any(phrase in text for phrase in _DAMAGED):
        return damaged(path)
    return None


def damaged(path: Path) -> LiveportalError:
    """Return the error for a file that cannot be read as a ledger."""
    return NotALedger(
        f"{path} is damaged, or is not a ledger.",
        hint=Hint("Keep the file as it is. {Restoring_a_backup} brings back the last good state."),
        path=str(path),
    )


_DAMAGED = (
    *("not a database", "malformed", "file is encrypted", "unsupported file format"),
    "could not decode",
)
_NOT_DAMAGE = (
    "locked",
    "busy",
    "disk is full",
    "disk i/o",
    "readonly",
    "unable to open",
    "interr",
)


def is_damage(error: Exception) -> bool:
    """Return True if the error comes from the file's content, not from the environment."""
    text = str(error).lower()
    return not any(phrase in text for phrase in _NOT_DAMAGE)
