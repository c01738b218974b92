"""A copy of a ledger as it is at one instant, while others go on writing to it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from liveportal.domain.errors import LedgerBusy
from liveportal.domain.events.envelope import PREFIX
from liveportal.domain.events.types import CustomerForgotten
from liveportal.ledger import missing
from liveportal.ledger.attachments import index
from liveportal.ledger.format import hash_chain
from liveportal.ledger.opening import open_ledger
from liveportal.ledger.storage import connection, driver, private_files
from liveportal.ledger.storage.driver import Connection

_OK = 0
_DONE = 101
_TRIES = 3


@dataclass(frozen=True, slots=True)
class LedgerExtent:
    """How far a ledger goes: its book (the hash of the first event), its head, its events."""

    book: str
    head: str
    events: int
    form: int


def extent(db: Connection) -> LedgerExtent:
    """Return how far a ledger goes, of whatever form."""
    first = db.execute("SELECT hash FROM event WHERE seq = 1").fetchone()
    last = db.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    seq, head = last or (0, hash_chain.GENESIS)
    return LedgerExtent(
        (first[0] if first else hash_chain.GENESIS).hex(),
        head.hex(),
        seq,
        connection.schema_version_of(db),
    )


def forgotten(db: Connection) -> dict[tuple[str, str], str]:
    """Return the customers that were forgotten, by the source and id of the event that did it."""
    found = db.execute(
        "SELECT source, id, facts ->> '$.customer' FROM event WHERE type = ?",
        (PREFIX + CustomerForgotten.TYPE,),
    ).fetchall()
    return {(source, name): str(customer) for source, name, customer in found}


def evidence_of(db: Connection) -> dict[str, bool]:
    """Return the files that a ledger tells of by their SHA-256, and whether the vault had them."""
    named = db.execute("SELECT DISTINCT sha256 FROM artifact ORDER BY sha256").fetchall()
    noted = missing.noted_files(db)
    attached = {
        each.sha256 for each in index.attached(db) if each.is_certain and each.artifact not in noted
    }
    return {sha256: sha256 in attached for (sha256,) in named}


def copied(path: Path, copy: Path) -> None:
    """Copy a ledger to a new file of the owner's alone, as one SQLite file that needs no other.

    In one step, so that nobody who writes meanwhile makes it begin again, and nobody waits longer
    than a page takes times their number. Raises what `open_ledger` raises, and `LedgerBusy`.
    """
    os.close(private_files.make(copy))
    with (
        closing(open_ledger(path, readonly=True)) as source,
        closing(connection.connect_raw(copy)) as target,
        driver.translating_errors(path),
    ):
        source.backup(target, progress=waiting(path))
        target.execute("PRAGMA journal_mode = DELETE").fetchall()


def waiting(path: Path, then: Callable[[], None] = lambda: None) -> Callable[[int, int, int], None]:
    """Return what gives up after a few times that SQLite waited for others in vain.

    `then` is called once, when the first page was copied. Without it a copy would wait for ever.
    """
    waits = 0
    called = False

    def progress(status: int, _remaining: int, _total: int) -> None:
        nonlocal waits, called
        if status not in (_OK, _DONE):
            waits += 1
            if waits >= _TRIES:
                raise LedgerBusy(
                    f"another program is writing to {path}",
                    hint="Try again in a moment.",
                    path=str(path),
                )
        elif not called:
            called = True
            then()

    return progress
