"""Erases the residue of a customer outside the rows: free pages, WAL, vault files and copies.

The rows are erased in one transaction, which cannot include the rest. So a marker file,
`ledger.db.forgetting`, is created beside the ledger before the commit and removed when everything
is done. If it still exists, a crash or a reader interrupted the work, and the next process that
opens the ledger continues it.

`secure_delete` overwrites deleted content, but not the copies that SQLite leaves in the free part
of a page when it moves rows to another page. Only VACUUM, which rewrites the whole file, removes
these.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from liveportal.domain.clock import LAST
from liveportal.domain.errors import LiveportalError
from liveportal.domain.events.sources import Origin
from liveportal.domain.frozen import frozen
from liveportal.ledger.attachments import index
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.format.serialisation import event_at
from liveportal.ledger.journal import erasure
from liveportal.ledger.journal.journal import open_journal
from liveportal.ledger.storage import atomic, connection, driver
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.ledger_paths import (
    BESIDE,
    OWN,
    erasure_marker,
    has_ledger_header,
)

_TOKEN_BYTES = 16
_STRAY = "No event names this file. Check what it is, and delete it if it is the customer's."
_FAILURES = (LiveportalError, driver.DatabaseError, OSError)


@frozen
class Residue:
    """Possible personal data that could not be erased: its kind, its path, and what to do."""

    what: str
    path: str | None
    hint: str


@dataclass(slots=True)
class FinishedErasure:
    """The result of erasing the residue.

    `rewritten` is True if the file was rewritten and its WAL is empty; `files` are the hashes of
    the files removed from the vault, `copies` the copies in which the customer was erased, `left`
    what the user has to take care of.
    """

    rewritten: bool = False
    files: list[str] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    left: list[Residue] = field(default_factory=list)


def write_marker(path: Path) -> None:
    """Write the marker file and sync it; called before the commit, under the ledger's lock.

    Its content is random, so that no process removes the marker of a later erasure.
    """
    target = erasure_marker(path)
    with (
        atomic.translating_os_errors(target),
        atomic.replacing(target, locked=True) as file,
    ):
        file.write(os.urandom(_TOKEN_BYTES))


def resume(path: Path) -> None:
    """Continue an interrupted erasure without waiting for locks; on failure, the marker stays."""
    with suppress(*_FAILURES):
        finish(path, wait=False)


def finish(path: Path, *, wait: bool = True) -> FinishedErasure:
    """Erase the residue of customers whose rows are already erased and committed.

    What fails for now (another program is reading, the disk is full) is reported in the result, and
    the marker stays. Raises what opening the ledger raises.
    """
    result = FinishedErasure()
    token = _token(path)
    with closing(connection.open_file(path, readonly=False)) as db:
        if not wait:
            db.execute("PRAGMA busy_timeout = 0")
        result.rewritten = rewrite(db, path)
        if not (result.rewritten or wait):
            return result
        _erase_files(db, path, result)
        result.left += _unreached(db, path)
        for copy in copies_of(path):
            _erase_in_copy(db, copy, result)
        if result.rewritten and token is not None:
            with suppress(*_FAILURES), connection.immediate_transaction(db, path):
                if _token(path) == token:
                    erasure_marker(path).unlink(missing_ok=True)
    return result


def foresee(db: Connection, path: Path) -> FinishedErasure:
    """Return the result that `finish` would have if nothing failed; nothing is changed."""
    copies = copies_of(path)
    complete = [str(copy) for copy in copies if not copy.name.startswith(".")]
    left = _unreached(db, path) + [
        _unfinished(copy) for copy in copies if str(copy) not in complete
    ]
    return FinishedErasure(rewritten=True, files=doomed_files(db, path), copies=complete, left=left)


def rewrite(db: Connection, path: Path) -> bool:
    """Rewrite the whole file and empty its WAL; return False if another process prevents it.

    A reader may hold the WAL for a long time. The WAL is emptied before VACUUM, too: otherwise each
    attempt would append the whole file to it.
    """
    try:
        if not empty_log(db, path):
            return False
        db.execute("VACUUM")
        return empty_log(db, path)
    except _FAILURES:  # Another program uses it, or the disk is full.
        return False


def empty_log(db: Connection, path: Path) -> bool:
    """Checkpoint the WAL and truncate it; return False if a reader holds it.

    The truncated WAL is also synced. SQLite does not need that, but the erasure does.
    """
    with driver.translating_errors(path):
        busy, *_ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    with atomic.translating_os_errors(path):
        atomic.fsync_file(Path(f"{path.resolve()}-wal"))
    return not busy


# --- the vault ------------------------------------------------------------------------------------


def doomed_files(db: Connection, path: Path) -> list[str]:
    """Return the hashes of the files in the vault that belong only to erased customers."""
    vault = Vault(path)
    return [sha256 for sha256 in index.orphaned_hashes(db) if vault.holds(sha256)]


def _erase_files(db: Connection, path: Path, result: FinishedErasure) -> None:
    """Remove files from the vault: after the commit, so that no event names a removed file.

    This holds the lock, so that no other process attaches one of them meanwhile.
    """
    vault = Vault(path)
    if not vault.folder.is_dir():
        return
    try:
        with connection.immediate_transaction(db, path):
            for sha256 in doomed_files(db, path):
                vault.erase(sha256)
                result.files.append(sha256)
            vault.sweep()
    except _FAILURES as error:
        reason = error.message if isinstance(error, LiveportalError) else str(error)
        hint = (
            f"It may contain files of the customer. {_sentence(reason)} Correct this, then forget"
            " the customer again."
        )
        result.left.append(Residue("vault", str(vault.folder), hint))


def _unreached(db: Connection, path: Path) -> list[Residue]:
    """Return files that may hold personal data of the customer but cannot be checked."""
    vault = Vault(path)
    known = {sha256 for (sha256,) in db.execute("SELECT DISTINCT sha256 FROM artifact").fetchall()}
    strays = sorted(set(vault.hashes()) - known)
    unfinished = (file for file in unfinished_files(path) if not _is_ledger(file))
    return [
        *(_uncertain(file, "It cannot be examined.") for file in _others_beside(path)),
        *(_unfinished(file) for file in (*unfinished, *vault.parts())),
        *(Residue("stray", str(vault.path(sha256)), _STRAY) for sha256 in strays),
    ]


def _others_beside(path: Path) -> list[Path]:
    """Return the files named after a ledger that are neither ledgers nor known auxiliary files."""
    real = path.resolve()
    with suppress(OSError):
        return [
            real.with_name(entry.name)
            for entry in sorted(os.scandir(real.parent), key=lambda entry: entry.name)
            if entry.name.startswith(f"{real.name}.")
            and not entry.name.endswith(OWN[1:])
            and not _is_ledger(real.with_name(entry.name))
        ]
    return []


def _unfinished(file: Path) -> Residue:
    return Residue(
        "part",
        str(file),
        "It is being written, or a crash left it. Forget the customer again in an hour, or"
        " delete it.",
    )


# --- copies ---------------------------------------------------------------------------------------


def copies_of(path: Path) -> list[Path]:
    """Return the other ledgers in the folder that are named after this one, sorted by name.

    They are copies from before an upgrade, replaced ledgers, and leftovers of crashes.
    """
    real = path.resolve()
    prefixes = (f"{real.name}.", f".{real.name}.")
    with suppress(OSError):
        names = sorted(entry.name for entry in os.scandir(real.parent))
        paths = [real.with_name(name) for name in names if name.startswith(prefixes)]
        return [path for path in paths if _is_ledger(path)]
    return []


def _is_ledger(path: Path) -> bool:
    """Return True if the path is a regular file (no link) with a ledger's header; reads no more."""
    try:
        if path.name.endswith(BESIDE) or not stat.S_ISREG(path.lstat().st_mode):
            return False
        return has_ledger_header(path)
    except OSError:
        return False


def _erase_in_copy(db: Connection, copy: Path, result: FinishedErasure) -> None:
    if copy.name.startswith("."):
        _remove_unfinished(copy, result)
        return
    try:
        with closing(connection.open_file(copy, readonly=False)) as other:
            if not _same_book(db, other):
                result.left.append(_uncertain(copy, "It is from another ledger, or empty."))
                return
            with connection.immediate_transaction(other, copy):
                _record_erasures(db, other)
            for sha256 in doomed_files(other, copy):
                Vault(copy).erase(sha256)
            if not rewrite(other, copy):
                result.left.append(_uncertain(copy, "Another program is using it."))
                return
    except _FAILURES as error:
        reason = error.message if isinstance(error, LiveportalError) else str(error)
        result.left.append(_uncertain(copy, reason))
        return
    result.copies.append(str(copy))


def _remove_unfinished(temp: Path, result: FinishedErasure) -> None:
    """Remove an unfinished copy, unless another process may still be writing it."""
    with suppress(OSError):
        if temp.lstat().st_mtime < time.time() - atomic.STALE_SECONDS:
            for suffix in ("", *BESIDE):
                Path(f"{temp}{suffix}").unlink(missing_ok=True)
            atomic.fsync_dir(temp.parent)
            result.copies.append(str(temp))
            return
    result.left.append(_unfinished(temp))


def _same_book(db: Connection, other: Connection) -> bool:
    first = "SELECT hash FROM event WHERE seq = 1"
    ours, theirs = (ledger.execute(first).fetchone() for ledger in (db, other))
    return bool(ours) and ours == theirs


def _record_erasures(db: Connection, other: Connection) -> None:
    """Record the erasures in a copy, too, whatever its schema version.

    Otherwise the copy would lack personal data without an event that explains it. A copy
    that already has the event keeps its data: it was recorded after the erasure.
    """
    journal = open_journal(other, lambda: LAST)
    (last,) = other.execute("SELECT max(recorded_at) FROM event").fetchone()
    for customer, seq in sorted(erasure.last_erasures(db).items(), key=lambda item: item[1]):
        if journal.book.customer(customer) is not None:
            stored = event_at(db, seq)
            last = max(last, stored.recorded_at)
            journal.record(stored.event, recorded_at=last, origin=Origin.JOURNAL)
    journal.flush()


def _sentence(reason: str) -> str:
    return f"{reason.rstrip('.')}."


def _uncertain(copy: Path, reason: str) -> Residue:
    hint = (
        f"It may contain the customer's data. {_sentence(reason)} Delete it if you do not need it."
    )
    return Residue("copy", str(copy), hint)


# --- the marker -----------------------------------------------------------------------------------


def _token(path: Path) -> bytes | None:
    try:
        return erasure_marker(path).read_bytes()[:_TOKEN_BYTES]
    except OSError:
        return None


def unfinished_files(path: Path) -> Iterator[Path]:
    """Yield the unfinished files beside a ledger, whose names end in `.part` or `.work`."""
    real = path.resolve()
    with suppress(OSError):
        for entry in sorted(os.scandir(real.parent), key=lambda entry: entry.name):
            if entry.name.startswith(f".{real.name}.") and entry.name.endswith((".part", ".work")):
                yield Path(entry.path)
