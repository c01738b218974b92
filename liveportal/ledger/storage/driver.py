"""The one module that knows which SQLite driver is used, and what its complaints mean.

Everybody takes it from here: two copies of SQLite in one process do not see each other's locks.
"""

from __future__ import annotations

import errno
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

if TYPE_CHECKING:
    import sqlite3 as dbapi
else:
    try:
        from pysqlite3 import dbapi2 as dbapi
    except ImportError:  # No wheel for this platform: the standard library's copy, same code.
        import sqlite3 as dbapi

FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""What the system says where there is no room: on the disk, in a file, for its owner."""

# Before the driver binds a value that is no number and no text, it looks for an adapter in three
# places, in vain: a microsecond for each NULL and each hash. These it finds at once, and they
# return what they are given.
dbapi.register_adapter(type(None), {}.get)  # type: ignore[arg-type]
dbapi.register_adapter(bytes, bytes)

Cursor = dbapi.Cursor
complete_statement = dbapi.complete_statement
SQLITE_VERSION: str = dbapi.sqlite_version
SQLITE_VERSION_INFO: tuple[int, ...] = dbapi.sqlite_version_info
DRIVER = f"of {dbapi.__name__.partition('.')[0]}"
DatabaseError = dbapi.Error


_OPEN: WeakSet[Connection] = WeakSet()


class Connection(dbapi.Connection):
    """A connection that stays with the process and the thread that opened it.

    A fork copies it without its locks: a child that used it, or as much as closed it, could roll
    back what its parent is writing. So the copy refuses every statement and is never closed.
    """

    def __init__(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 -- The driver's own.
        super().__init__(*args, **more)
        self._owner = (os.getpid(), threading.get_ident())
        _OPEN.add(self)

    def check_owner(self) -> None:
        """Raise `NotShared` in any other process or thread than its own."""
        if self._owner != (os.getpid(), threading.get_ident()):
            raise _not_shared()

    def close(self) -> None:
        """Close it; a copy in a forked process is only let go."""
        if self._owner[0] == os.getpid():
            super().close()


def _abandon() -> None:
    """In a child that was forked: let no copy of a connection do anything, not even end."""
    import ctypes

    for each in list(_OPEN):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(each))
        with suppress(dbapi.Error):  # Of another thread: that is not here any more.
            each.set_authorizer(lambda *_: dbapi.SQLITE_DENY)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon)


def _not_shared() -> NotShared:
    return NotShared(
        "a ledger was opened by another process or thread, and cannot be used in this one",
        hint="Open it anew: each process and each thread has a portal of its own.",
    )


def connect(database: str, *, uri: bool = False, wait_s: float = 0) -> Connection:
    """Connect; transactions are the caller's business. Raises `DatabaseError`."""
    return dbapi.connect(
        database,
        uri=uri,
        factory=Connection,
        isolation_level=None,
        timeout=wait_s,
        cached_statements=256,
    )


# --- what it complains of -------------------------------------------------------------------------


@contextmanager
def translating_errors(path: Path) -> Iterator[None]:
    """Turn the driver's errors into the ledger's own, by their text: some drivers give no codes."""
    try:
        yield
    except dbapi.Error as error:
        if known := _explanation(str(error).lower(), path):
            raise known from error
        raise


def _explanation(text: str, path: Path) -> LiveportalError | None:
    where = str(path)
    if "not authorized" in text or "prohibited" in text or "same thread" in text:
        return _not_shared()
    if "locked" in text or "busy" in text:
        return LedgerBusy(
            f"another program is using {path}", hint="Try again in a moment.", path=where
        )
    if "disk is full" in text or "disk i/o" in text:
        return DiskFull(
            f"{path} could not be written: the disk is full or failing",
            hint="Nothing was recorded. Make room, then try again.",
            path=where,
        )
    if "readonly" in text or "unable to open" in text:
        return LedgerUnwritable(
            f"{path} cannot be opened for writing",
            hint="The ledger, its folder, and all files that begin with its name must be writable.",
            path=where,
        )
    if any(each in text for each in _DAMAGED):
        return damaged(path)
    return None


def damaged(path: Path) -> LiveportalError:
    """Say that a file cannot be read as a ledger."""
    return NotALedger(
        f"{path} is damaged, or is not a ledger",
        hint="Restore a backup; keep the file as it is.",
        path=str(path),
    )


_DAMAGED = (
    *("not a database", "malformed", "file is encrypted", "unsupported file format"),
    "could not decode",
)
_IN_THE_WAY = ("locked", "busy", "disk is full", "disk i/o", "readonly", "unable to open", "interr")


def is_damage(error: Exception) -> bool:
    """Tell whether the driver complains of what is in the file, and not of what is around it."""
    text = str(error).lower()
    return not any(each in text for each in _IN_THE_WAY)


def unwritable(path: Path, error: OSError) -> LiveportalError:
    """Say that nothing can be written there, and why."""
    if error.errno in FULL:
        return DiskFull(
            f"{path} could not be written: the disk is full",
            hint="Nothing was recorded. Make room, then try again.",
            path=str(path),
        )
    return LedgerUnwritable(
        f"{path} cannot be written: {error.strerror}",
        hint="Choose another place with --ledger.",
        path=str(path),
    )
