"""The traces of who was forgotten, outside the rows: pages, log, vault, copies in the folder.

Erasing rows is one transaction; all that follows cannot be part of it. So before the commit a mark,
`ledger.db.forgetting`, is left beside the ledger, and it goes when everything is done. Where it
still lies, a crash or a reader came in between, and whoever opens the ledger next goes on.

`secure_delete` overwrites what is deleted, but not what SQLite leaves in the free part of a page
when it moves rows to another: only VACUUM, which writes the whole file anew, leaves nothing.
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
from liveportal.ledger.attachments import index
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.format.serialisation import event_at
from liveportal.ledger.journal import erasure
from liveportal.ledger.journal.journal import Journal
from liveportal.ledger.storage import connection, driver
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.fsync import fsync_dir, fsync_file
from liveportal.ledger.storage.temp_files import BESIDE, OWN, STALE_SECONDS

_TOKEN_BYTES = 16
_STRAY = "No event tells of this file: look whose it is, and delete it if it is the customer's."
_FAILURES = (LiveportalError, driver.DatabaseError, OSError)


@dataclass(frozen=True, slots=True)
class Residue:
    """Something that was not reached: what it is, where, and what to do about it."""

    what: str
    path: str | None
    hint: str


@dataclass(slots=True)
class FinishedErasure:
    """What became of the traces.

    `rewritten` tells that the file was written anew and nothing lies on in its log; `files` are the
    hashes that went from the vault, `copies` the copies that were forgotten in, `left` what
    somebody has to see to.
    """

    rewritten: bool = False
    files: list[str] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    left: list[Residue] = field(default_factory=list)


def mark(path: Path) -> None:
    """Leave the mark, on the disk before the commit; under the lock of the ledger.

    It has another content each time, so that nobody removes the mark of who came later.
    """
    target = connection.erasure_marker(path)
    part = target.with_name(f".{target.name}.part")
    try:
        part.unlink(missing_ok=True)  # The lock is ours: it was left by a crash.
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(os.urandom(_TOKEN_BYTES))
            file.flush()
            os.fsync(handle)
        part.replace(target)
        fsync_dir(target.parent)
    except OSError as error:
        raise driver.unwritable(target, error) from None


def resume(path: Path) -> None:
    """Go on with what was interrupted, without waiting for anybody; who cannot leaves the mark."""
    with suppress(*_FAILURES):
        finish(path, wait=False)


def finish(path: Path, *, wait: bool = True) -> FinishedErasure:
    """Leave no trace of whoever was forgotten; the rows are erased and committed already.

    What does not work now (another program reads, the disk is full) is told by the result, and the
    mark stays. Raises what opening the ledger raises.
    """
    found = FinishedErasure()
    token = _token(path)
    with closing(connection.open_file(path, readonly=False)) as db:
        if not wait:
            db.execute("PRAGMA busy_timeout = 0")
        found.rewritten = rewrite(db, path)
        if not (found.rewritten or wait):
            return found
        _erase_files(db, path, found)
        found.left += _unreached(db, path)
        for copy in copies_of(path):
            _forget_in_copy(db, copy, found)
        if found.rewritten and token is not None:
            with suppress(*_FAILURES), connection.immediate_transaction(db, path):
                if _token(path) == token:
                    connection.erasure_marker(path).unlink(missing_ok=True)
    return found


def foresee(db: Connection, path: Path) -> FinishedErasure:
    """Return what `finish` would say if nobody were in its way; nothing is touched."""
    copies = copies_of(path)
    kept = [str(each) for each in copies if not each.name.startswith(".")]
    left = _unreached(db, path) + [_strange(each) for each in copies if str(each) not in kept]
    return FinishedErasure(rewritten=True, files=doomed_files(db, path), copies=kept, left=left)


def rewrite(db: Connection, path: Path) -> bool:
    """Write the whole file anew, and empty its log; False where somebody else keeps us from it.

    A reader may hold the log for long. It is asked first: or the whole file would be added to it
    each time that this is tried.
    """
    try:
        if not empty_log(db, path):
            return False
        db.execute("VACUUM")
        return empty_log(db, path)
    except _FAILURES:  # Another program uses it, or the disk is full.
        return False


def empty_log(db: Connection, path: Path) -> bool:
    """Take the write-ahead log over into the file and empty it; False where a reader holds it.

    That it is empty is let reach the disk, too: SQLite has no need of that, and we have.
    """
    with driver.translating_errors(path):
        busy, *_ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    try:
        fsync_file(Path(f"{path.resolve()}-wal"))
    except OSError as error:
        raise driver.unwritable(path, error) from None
    return not busy


# --- the vault ------------------------------------------------------------------------------------


def doomed_files(db: Connection, path: Path) -> list[str]:
    """Return the hashes of the files that are in the vault and only of who was forgotten."""
    vault = Vault(path)
    return [sha256 for sha256 in index.orphaned_hashes(db) if vault.holds(sha256)]


def _erase_files(db: Connection, path: Path, found: FinishedErasure) -> None:
    """Remove files from the vault: after the commit, so that no file goes that an event tells of.

    Under the lock, so that nobody attaches one of them meanwhile.
    """
    vault = Vault(path)
    if not vault.folder.is_dir():
        return
    try:
        with connection.immediate_transaction(db, path):
            for sha256 in doomed_files(db, path):
                vault.erase(sha256)
                found.files.append(sha256)
            vault.sweep()
    except _FAILURES as error:
        why = error.message if isinstance(error, LiveportalError) else str(error)
        hint = f"Files of the customer may be in it ({why}); mend that, and forget again."
        found.left.append(Residue("vault", str(vault.folder), hint))


def _unreached(db: Connection, path: Path) -> list[Residue]:
    """Return what may be of the customer, and of which nobody can tell."""
    vault = Vault(path)
    known = {sha256 for (sha256,) in db.execute("SELECT DISTINCT sha256 FROM artifact").fetchall()}
    strays = sorted(set(vault.hashes()) - known)
    unfinished = (each for each in parts_beside(path) if not _is_ledger(each))
    return [
        *(_uncertain(each, "it cannot be looked into") for each in _others_beside(path)),
        *(_strange(each) for each in (*unfinished, *vault.parts())),
        *(Residue("stray", str(vault.path(each)), _STRAY) for each in strays),
    ]


def _others_beside(path: Path) -> list[Path]:
    """Return what is named after a ledger, and is neither a ledger nor known to be none."""
    real = path.resolve()
    with suppress(OSError):
        return [
            real.with_name(each.name)
            for each in sorted(os.scandir(real.parent), key=lambda entry: entry.name)
            if each.name.startswith(f"{real.name}.")
            and not each.name.endswith(OWN[1:])
            and not _is_ledger(real.with_name(each.name))
        ]
    return []


def _strange(file: Path) -> Residue:
    return Residue(
        "part",
        str(file),
        "It is being written, or a crash left it behind: forget again in an hour, or delete it.",
    )


# --- copies ---------------------------------------------------------------------------------------


def copies_of(path: Path) -> list[Path]:
    """Return the other ledgers in the folder that are named after this one, by their names.

    They are copies of before an upgrade, ledgers that were replaced, and what a crash left of them.
    """
    real = path.resolve()
    begins = (f"{real.name}.", f".{real.name}.")
    with suppress(OSError):
        names = sorted(each.name for each in os.scandir(real.parent))
        named = [real.with_name(name) for name in names if name.startswith(begins)]
        return [each for each in named if _is_ledger(each)]
    return []


def _is_ledger(path: Path) -> bool:
    """Tell whether a regular file, and no link, is a ledger; by its head, without opening it."""
    try:
        if path.name.endswith(BESIDE) or not stat.S_ISREG(path.lstat().st_mode):
            return False
        head = connection.head_of(path)
    except OSError:
        return False
    return head is not None and head.application_id == connection.APPLICATION_ID


def _forget_in_copy(db: Connection, copy: Path, found: FinishedErasure) -> None:
    if copy.name.startswith("."):
        _remove_part(copy, found)
        return
    try:
        with closing(connection.open_file(copy, readonly=False)) as other:
            if not _same_book(db, other):
                found.left.append(_uncertain(copy, "it is of another book, or empty"))
                return
            with connection.immediate_transaction(other, copy):
                _tell(db, other)
            for sha256 in doomed_files(other, copy):
                Vault(copy).erase(sha256)
            if not rewrite(other, copy):
                found.left.append(_uncertain(copy, "another program uses it"))
                return
    except _FAILURES as error:
        why = error.message if isinstance(error, LiveportalError) else str(error)
        found.left.append(_uncertain(copy, why))
        return
    found.copies.append(str(copy))


def _remove_part(part: Path, found: FinishedErasure) -> None:
    """Remove a copy that was never finished, unless somebody may still be writing it."""
    with suppress(OSError):
        if part.lstat().st_mtime < time.time() - STALE_SECONDS:
            for suffix in ("", *BESIDE):
                Path(f"{part}{suffix}").unlink(missing_ok=True)
            fsync_dir(part.parent)
            found.copies.append(str(part))
            return
    found.left.append(_strange(part))


def _same_book(db: Connection, other: Connection) -> bool:
    first = "SELECT hash FROM event WHERE seq = 1"
    ours, theirs = (each.execute(first).fetchone() for each in (db, other))
    return bool(ours) and ours == theirs


def _tell(db: Connection, other: Connection) -> None:
    """Record in a copy, of whatever form, that customers were forgotten: there it is a fact, too.

    Else the copy would be a ledger whose personal data is gone, and nobody could say why. One that
    knows of it already has nothing to forget but what was told later, and keeps that.
    """
    door = Journal(other, lambda: LAST)
    (last,) = other.execute("SELECT max(recorded_at) FROM event").fetchone()
    for customer, seq in sorted(erasure.forgotten(db).items(), key=lambda each: each[1]):
        if door.book.customer(customer) is not None:
            past = event_at(db, seq)
            last = max(last, past.recorded_at)
            door.record(past.event, recorded_at=last, origin=Origin.JOURNAL)
    door.flush()


def _uncertain(copy: Path, why: str) -> Residue:
    hint = f"The customer may still be in this copy ({why}): delete it if it is not needed."
    return Residue("copy", str(copy), hint)


# --- the mark -------------------------------------------------------------------------------------


def _token(path: Path) -> bytes | None:
    try:
        return connection.erasure_marker(path).read_bytes()[:_TOKEN_BYTES]
    except OSError:
        return None


def parts_beside(path: Path) -> Iterator[Path]:
    """Yield what was never finished beside a ledger: what ends in `.part`, or `.work`."""
    real = path.resolve()
    with suppress(OSError):
        for each in sorted(os.scandir(real.parent), key=lambda entry: entry.name):
            if each.name.startswith(f".{real.name}.") and each.name.endswith((".part", ".work")):
                yield Path(each.path)
