"""The lower bound for `sync`: the cost of recording a feed in a program without any rules.

It parses and validates each line with pydantic, calculates a session's bill in one line of
arithmetic, books earnings, tips, adjustments and payouts as the ledger does (but no claims), chains
the rows with SHA-256, and inserts the rows of events, transactions and transfers with the plain
driver, in batches, in one transaction. It has no rules, replays, state or refusals: no journal can
be faster, and a good one is not many times slower.

The driver is used with its defaults. With `--adapted` it binds NULL and bytes without searching for
adapters first, as the ledger does (see `liveportal.ledger.storage.driver`): an even lower bound.

    python -m benchmarks.floor [--adapted] FEED
"""

from __future__ import annotations

import gc
import hashlib
import json
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

if TYPE_CHECKING:
    import sqlite3 as dbapi
    from collections.abc import Iterable
else:
    try:
        from pysqlite3 import dbapi2 as dbapi
    except ImportError:
        import sqlite3 as dbapi

BATCH = 1_000
MINUTE = 60
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=1024)]

SCHEMA = """
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY, source TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
        time TEXT NOT NULL, recorded_at TEXT NOT NULL, facts TEXT NOT NULL,
        personal_digest BLOB NOT NULL, effects_digest BLOB NOT NULL, prev_hash BLOB NOT NULL,
        hash BLOB NOT NULL, UNIQUE (source, id)
    ) STRICT;
    CREATE TABLE "transaction" (
        id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, kind TEXT NOT NULL, time TEXT NOT NULL,
        period TEXT NOT NULL, session TEXT
    ) STRICT;
    CREATE TABLE transfer (
        "transaction" INTEGER NOT NULL, n INTEGER NOT NULL, debit TEXT NOT NULL,
        credit TEXT NOT NULL, amount INTEGER NOT NULL, period TEXT NOT NULL,
        PRIMARY KEY ("transaction", n)
    ) STRICT, WITHOUT ROWID;
"""
EVENT = "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
TRANSACTION = 'INSERT INTO "transaction" VALUES (?, ?, ?, ?, ?, ?)'
TRANSFER = "INSERT INTO transfer VALUES (?, ?, ?, ?, ?, ?)"
Transfers = tuple[tuple[str, str, int], ...]
TRANSFER_EVENTS = {
    "liveportal.tip.received": ("tip", "assets:platform", "income:tips"),
    "liveportal.adjustment.posted": ("adjustment", "assets:platform", "income:adjustments"),
    "liveportal.payout.sent": ("payout", "assets:transit", "assets:platform"),
}
"""Events that transfer their own amount: the kind, and the debited and credited accounts."""


class Strict(BaseModel):
    """A part of an event; unknown fields are rejected."""

    model_config = ConfigDict(extra="forbid")


class Amount(Strict):
    """An amount of money."""

    amount: Annotated[str, StringConstraints(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]
    currency: Annotated[str, StringConstraints(min_length=3, max_length=3)]


class Customer(Strict):
    """The customer of a request or session."""

    id: Id
    name: str | None = None
    timezone: str | None = None
    language: str | None = None


class Slot(Strict):
    """A proposed time."""

    start: AwareDatetime
    minutes: int


class Data(Strict):
    """The data of an event: one model for all types, which is cheaper than one per type."""

    request: Id | None = None
    session: Id | None = None
    claim: Id | None = None
    payout: Id | None = None
    adjustment: Id | None = None
    kind: str | None = None
    customer: Customer | None = None
    title: str | None = None
    description: str | None = None
    skills: list[str] | None = None
    rate: Amount | None = None
    amount: Amount | None = None
    billed: Amount | None = None
    slots: list[Slot] | None = None
    slot: int | None = None
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    by: str | None = None
    rating: int | None = None
    reason: str | None = None
    summary: str | None = None
    text: str | None = None
    method: str | None = None


class Event(BaseModel):
    """An event of the feed."""

    specversion: Literal["1.0"]
    id: Name
    source: Name
    type: Name
    time: AwareDatetime
    data: Data


class Floor:
    """The rows that are not inserted yet."""

    def __init__(self) -> None:
        self.head = b"\x00" * 32
        self.seq = self.transaction = 0
        self.events: list[tuple[Any, ...]] = []
        self.transactions: list[tuple[Any, ...]] = []
        self.transfers: list[tuple[Any, ...]] = []
        self._began: dict[str, tuple[float, int]] = {}
        self._rates: dict[str, int] = {}

    def take(self, raw: bytes) -> None:
        """Parse, validate and chain one line, and book its effects."""
        event = Event.model_validate_json(raw)
        self.seq += 1
        at = event.time.astimezone(UTC).isoformat(timespec="microseconds")
        facts = event.data.model_dump_json(exclude_none=True)
        row = (self.seq, event.source, event.id, event.type, at, at, facts)
        effects = self._effects_of(event, at)
        prev, digest = self.head, hashlib.sha256(self.head + repr(row).encode() + effects)
        self.head = digest.digest()
        self.events.append((*row, b"", effects, prev, self.head))

    def _effects_of(self, event: Event, at: str) -> bytes:
        data, seconds = event.data, event.time.timestamp()
        if event.type == "liveportal.session.logged" and data.rate and data.start and data.end:
            span = data.end.timestamp() - data.start.timestamp()
            return self._book_earning(at, data.session, round(span * _minor(data.rate) / MINUTE))
        if data.rate and data.request:
            self._rates[data.request] = _minor(data.rate)
        elif event.type == "liveportal.request.accepted" and data.request:
            rate = self._rates.pop(data.request, 0)
            self._began[data.session or data.request] = seconds, rate
        elif event.type == "liveportal.session.ended" and data.session in self._began:
            began, rate = self._began.pop(data.session)
            return self._book_earning(at, data.session, round((seconds - began) * rate / MINUTE))
        elif event.type in TRANSFER_EVENTS and data.amount:
            kind, debit, credit = TRANSFER_EVENTS[event.type]
            return self._book(kind, at, data.session, ((debit, credit, _minor(data.amount)),))
        return b""

    def _book_earning(self, at: str, session: str | None, gross: int) -> bytes:
        fee = gross * 3 // 10
        share_transfer = ("assets:platform", "income:sessions", gross - fee)
        fee_transfer = ("expenses:platform-fee", "income:sessions", fee)
        return self._book("earning", at, session, (share_transfer, fee_transfer))

    def _book(self, kind: str, at: str, session: str | None, transfers: Transfers) -> bytes:
        self.transaction, period = self.transaction + 1, at[:7]
        transaction = (self.transaction, self.seq, kind, at, period, session)
        legs = [
            (self.transaction, n, debit, credit, minor, period)
            for n, (debit, credit, minor) in enumerate(transfers, 1)
            if minor
        ]
        self.transactions.append(transaction)
        self.transfers += legs
        return hashlib.sha256(json.dumps([transaction, legs]).encode()).digest()

    def write(self, db: dbapi.Connection) -> None:
        """Insert the pending rows."""
        for statement, rows in (
            (EVENT, self.events),
            (TRANSACTION, self.transactions),
            (TRANSFER, self.transfers),
        ):
            db.executemany(statement, rows)
            rows.clear()


def _minor(amount: Amount) -> int:
    return int(amount.amount.replace(".", ""))


def floor(feed: Iterable[bytes], path: Path) -> int:
    """Record a feed in a new file, and return the number of its events."""
    rows = Floor()
    lines = iter(feed)
    with closing(dbapi.connect(str(path), isolation_level=None)) as db:
        db.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {SCHEMA}")
        db.execute("BEGIN IMMEDIATE")
        while batch := list(islice(lines, BATCH)):
            for raw in batch:
                rows.take(raw)
            rows.write(db)
        db.execute("COMMIT")
    return rows.seq


def main() -> None:
    """Record a feed once, and print the events per second of processor time."""
    gc.disable()
    if adapted := "--adapted" in sys.argv:
        dbapi.register_adapter(type(None), {}.get)  # type: ignore[arg-type]
        dbapi.register_adapter(bytes, bytes)
    with tempfile.TemporaryDirectory() as folder, Path(sys.argv[-1]).open("rb") as feed:
        began = time.process_time()
        events = floor(feed, Path(folder, "floor.db"))
        seconds = time.process_time() - began
    print(
        json.dumps(
            {"events": events, "seconds": seconds, "per_second": round(events / seconds)}
            | {"adapted": adapted, "sqlite": dbapi.sqlite_version}
        )
    )


if __name__ == "__main__":
    main()
