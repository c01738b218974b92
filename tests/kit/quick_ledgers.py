"""Real ledgers for the properties: made quickly, and read back as plain values."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any

from liveportal.domain.accounts import Account, Transaction, TransactionKind, Transfer
from liveportal.domain.calculations import months
from liveportal.domain.clock import from_text
from liveportal.domain.events.envelope import Event, is_experts
from liveportal.domain.events.fields import joined, split
from liveportal.domain.money import Money
from liveportal.ledger.format import row_mapping
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.queries import earnings as window
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.storage import connection
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.migrate import make_tables
from liveportal.portal import Portal
from liveportal.services.sync import SyncResult

NOW = datetime(2027, 6, 1, tzinfo=UTC)
NOWHERE = Path("memory")
Table = list[tuple[Any, ...]]


def clock() -> datetime:
    """Return a fixed time: no property depends on it."""
    return NOW


@cache
def _empty() -> Connection:
    db = connection.in_memory()
    with connection.immediate_transaction(db, NOWHERE):
        make_tables(db)
    return db


def new_ledger() -> Connection:
    """Return a ledger in memory with nothing in it: a copy, which is quicker than making tables."""
    db = connection.in_memory()
    _empty().backup(db)
    return db


@contextmanager
def empty_ledger() -> Iterator[Connection]:
    """Yield an empty ledger in memory."""
    with closing(new_ledger()) as db:
        yield db


def portal(db: Connection, *, at: datetime = NOW) -> Portal:
    """Open the portal on a connection, at a time of the clock."""

    def now() -> datetime:
        return at

    return Portal.over(LedgerFile(db, NOWHERE, now))


def reader(db: Connection) -> Reader:
    """Return a reader on a connection."""
    return Reader(db, NOWHERE)


@contextmanager
def recorded(events: Iterable[Event]) -> Iterator[Connection]:
    """Yield a ledger with the events recorded one by one, in one transaction."""
    with empty_ledger() as db:
        portal(db).record(list(events), allow=True)
        yield db


def feed(events: Iterable[Event]) -> BytesIO:
    """Write events as a platform sends them."""
    lines = [
        {
            "specversion": "1.0",
            "id": event.id,
            "source": event.source,
            "type": event.type,
            "time": event.time.isoformat(),
            "data": joined(*split(event.data)),
        }
        for event in events
    ]
    return BytesIO(b"".join(json.dumps(line).encode() + b"\n" for line in lines))


COUNTS = ("recorded", "replayed", "confirmed", "refused")


def record_all(portal: Portal, events: Iterable[Event], *, batch: int | None = None) -> SyncResult:
    """Record a whole book in order: platform events by `sync`, the rest as the expert.

    The counts are the totals.
    """
    counts: Counter[str] = Counter()
    for is_own, group in groupby(events, key=lambda each: is_experts(each.source)):
        if is_own:
            counts.update(outcome.status for outcome in portal.record(list(group), allow=True))
        else:
            synced = portal.sync(feed(group), batch=batch)
            for name in COUNTS:
                counts[name] += getattr(synced, name)
    return SyncResult(
        counts["recorded"],
        counts["replayed"],
        counts["confirmed"],
        counts["refused"],
        portal.head(),
    )


# --- read back ------------------------------------------------------------------------------------


def tables(db: Connection, *, replayed: bool = False) -> dict[str, Table]:
    """Return every table; for a `replayed` copy, without columns of salts and hashes."""
    names = [
        name
        for (name,) in db.execute(
            # How SQLite lays out the index of messages is its own.
            "SELECT name FROM sqlite_schema WHERE type = 'table'"
            " AND name NOT LIKE 'message_index%' ORDER BY name"
        ).fetchall()
    ]
    contents: dict[str, Table] = {
        name: sorted(db.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)  # noqa: S608
        for name in names
    }
    if replayed:
        del contents["event_personal"]
        contents["event"] = db.execute(
            "SELECT seq, source, id, type, time, recorded_at, facts FROM event ORDER BY seq"
        ).fetchall()
    return contents


def transactions(db: Connection) -> list[Transaction]:
    """Read the transactions back as the domain knows them."""
    moves = db.execute(
        'SELECT "transaction", debit, credit, amount FROM transfer ORDER BY "transaction", n'
    ).fetchall()
    transfers = {
        number: tuple(Transfer(Account(dr), Account(cr), minor) for _, dr, cr, minor in group)
        for number, group in groupby(moves, key=lambda move: move[0])
    }
    rows = db.execute(
        "SELECT id, kind, time, period, session, claim, payout, adjustment"
        ' FROM "transaction" ORDER BY id'
    ).fetchall()
    return [
        Transaction(
            TransactionKind(kind), from_text(time), period, transfers.get(number, ()), *about
        )
        for number, kind, time, period, *about in rows
    ]


def entities(db: Connection, mapping: row_mapping.Mapping[Any]) -> list[Any]:
    """Read all entities of a kind."""
    return [mapping.read(row) for row in db.execute(mapping.select).fetchall()]


def plain(value: object) -> Any:  # noqa: ANN401 (as many shapes as JSON has)
    """Write money as text, all the way down, as `--json` does."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    return str(value) if isinstance(value, Money) else value


def sql_months(books: Connection | Reader) -> list[dict[str, Any]]:
    """The months from the SQL views."""
    opened = books if isinstance(books, Reader) else reader(books)
    return [plain(row) for row in window.months(opened)]


def sql_month(db: Connection, name: str) -> object:
    """One month from the SQL views."""
    return plain(window.month(reader(db), name))


def folded_months(db: Connection) -> list[dict[str, Any]]:
    """The months as plain Python folds them from the transactions read back."""
    books = reader(db)
    folded = months.fold(
        transactions(db),
        entities(db, row_mapping.SESSION_COUNT),
        entities(db, row_mapping.CLAIM),
        entities(db, row_mapping.DISPUTE),
    )
    return [plain(month.row(books.timezone, books.currency)) for month in folded]


def records(db: Connection) -> list[dict[str, object]]:
    """The Transaction Record, without the fields that a model cannot know."""
    hidden = ("transaction", "memo", "currency", "balance")
    return [
        {name: plain(value) for name, value in row.items() if name not in hidden}
        for row in window.transactions(reader(db))
    ]


def items(db: Connection) -> Table:
    """The open items in order: time, month, face, settled."""
    return db.execute(
        'SELECT time, period, face_minor, settled_minor FROM item ORDER BY "transaction"'
    ).fetchall()


def states(db: Connection) -> dict[str, str]:
    """Return the state of every request, session, claim and payout."""
    return {
        f"{kind} {name}": state
        for kind in ("request", "session", "claim", "payout")
        for name, state in db.execute(f'SELECT id, state FROM "{kind}"').fetchall()  # noqa: S608
    }


def lines(db: Connection) -> Table:
    """Return the lines of each payout: payout, transaction, amount."""
    return db.execute(
        "SELECT payout, item, amount_minor FROM payout_line ORDER BY payout, item"
    ).fetchall()


def in_the_bank(db: Connection) -> int:
    """The sum of the postings on the bank account, in minor units."""
    (minor,) = db.execute(
        "SELECT coalesce(sum(amount), 0) FROM posting WHERE account = 'assets:bank'"
    ).fetchone()
    return int(minor)


def balance(db: Connection) -> dict[str, int]:
    """The balances now, in minor units."""
    rows = db.execute(
        "SELECT coalesce(sum(owed), 0), coalesce(sum(held), 0), coalesce(sum(in_transit), 0),"
        " coalesce(sum(paid_out), 0) FROM month_money"
    ).fetchone()
    return dict(zip(("owed", "held", "in_transit", "paid_out"), rows, strict=True))
