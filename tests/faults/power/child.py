"""The program with one change or defect, for traced runs.

python -m tests.faults.power.child TRICK,TRICK COMMAND...
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from unittest.mock import patch

from liveportal.cli.main import main
from liveportal.ledger.attachments import vault
from liveportal.ledger.secrets.key_store import Keys
from liveportal.ledger.storage import atomic
from liveportal.ledger.storage import connection as sqlite_connection
from liveportal.ledger.storage.driver import Connection


def delete_mode() -> None:
    """Make ledgers as where the linked SQLite has the bug of the write-ahead log."""
    sqlite_connection.wal_is_safe = lambda *_: False


def _set(pragma: str) -> None:
    settle = sqlite_connection._configure  # noqa: SLF001 -- What is broken is the inside.

    def settled(connection: Connection) -> None:
        settle(connection)
        connection.execute(f"PRAGMA {pragma}")

    patch.object(sqlite_connection, "_configure", settled).start()


def off() -> None:
    """SQLite syncs nothing."""
    _set("synchronous = OFF")


def normal() -> None:
    """SQLite syncs the write-ahead log when it is emptied, and not at each commit."""
    _set("synchronous = NORMAL")


def full() -> None:
    """SQLite removes a rollback journal, and does not sync that."""
    _set("synchronous = FULL")


def small_cache() -> None:
    """Most of a transaction is in the file before it is committed, as if it were a large one."""
    _set("cache_size = 8")


def eager_checkpoints() -> None:
    """The write-ahead log is emptied after each transaction, as if all of them were large."""
    _set("wal_autocheckpoint = 1")


def unsynced_files() -> None:
    """Files that Python writes are never synced."""
    patch.object(os, "fsync", lambda _descriptor: None).start()


def unsynced_names() -> None:
    """No folder is synced, but by SQLite."""
    patch.object(atomic, "fsync_dir", lambda _folder: None).start()


def unsynced_vault() -> None:
    """Files are copied into the vault and not synced."""
    patch.object(vault, "_fsync_read_only", lambda _copy: None).start()


def late_key() -> None:
    """The key is written after the values encrypted with it are on the disk."""
    write = Keys._write  # noqa: SLF001
    waiting: list[tuple[Keys, str]] = []

    def later(self: Keys, text: str) -> None:
        waiting.append((self, text))

    patch.object(Keys, "_write", later).start()
    LAST.append(lambda: [write(*call) for call in waiting])


LAST: list[Callable[[], object]] = []
TRICKS = {
    trick.__name__: trick
    for trick in (
        *(delete_mode, small_cache, eager_checkpoints),
        *(off, normal, full),
        *(unsynced_files, unsynced_names, unsynced_vault, late_key),
    )
}

if __name__ == "__main__":
    for trick in filter(None, sys.argv[1].split(",")):
        TRICKS[trick]()
    code = main(sys.argv[2:])
    for action in LAST:
        action()
    sys.exit(code)
