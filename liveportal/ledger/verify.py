"""Is the ledger what was written? Every record is held against another that must agree with it.

The chain against the events, the digests against personal data and against what was booked, the
flows against the transfers, and the derived tables against a rebuild from the journal's facts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from liveportal.domain.errors import LiveportalError, VerificationFailed
from liveportal.ledger import chain
from liveportal.ledger.engine import Connection
from liveportal.ledger.playback import played_back

DERIVED = (
    *("statement", "reversal", "transaction", "transfer", "month_flow", "policy", "customer"),
    *("request", "session", "session_alias", "claim", "dispute", "adjustment", "artifact"),
    *("review", "item", "payout", "payout_line", "preferences", "profile_field"),
)


@dataclass(frozen=True, slots=True)
class Verified:
    """What was verified: how many events and transactions, and the journal's head (hex)."""

    events: int
    transactions: int
    head: str


def verify(db: Connection) -> Verified:
    """Verify a ledger; raises `VerificationFailed`, naming the first bad record in plain words."""
    _check_file(db)
    events, head = _check_chain(db)
    _check_flows(db)
    _check_derived(db)
    (entries,) = db.execute('SELECT count(*) FROM "transaction"').fetchone()
    return Verified(events, entries, head.hex())


def _check_file(db: Connection) -> None:
    (answer,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        raise _failed(f"the file is damaged: {answer}")
    if orphan := db.execute("PRAGMA foreign_key_check").fetchone():
        raise _failed(f"a row of {orphan[0]} refers to a row of {orphan[2]} that is not there")


def _check_chain(db: Connection) -> tuple[int, bytes]:
    prev, seq = chain.GENESIS, 0
    for row in _joined_events(db):
        number, *fields, facts, personal, effects, prev_hash, row_hash, salt, body = row
        seq += 1
        if number != seq:
            raise _failed(f"event {seq} is missing", seq=seq)
        if prev_hash != prev:
            raise _failed(f"event {seq} does not follow the one before it", seq=seq)
        if body is not None and chain.personal_digest(salt, body) != personal:
            raise _failed(f"the personal data of event {seq} was changed", seq=seq)
        if _effects(db, seq) != effects:
            raise _failed(f"what event {seq} booked was changed", seq=seq)
        texts = [str(seq), *fields]
        if chain.event_hash(prev, texts, facts, personal, effects) != row_hash:
            raise _failed(f"event {seq} was changed", seq=seq)
        prev = row_hash
    return seq, prev


def _joined_events(db: Connection) -> Iterable[Any]:
    return db.execute(
        "SELECT event.seq, source, id, type, time, recorded_at, facts, personal_digest,"
        " effects_digest, prev_hash, hash, salt, body"
        " FROM event LEFT JOIN event_personal USING (seq) ORDER BY event.seq"
    )


def _effects(db: Connection, seq: int) -> bytes:
    entries = db.execute(
        'SELECT id, seq, kind, time, period, session, claim, payout, adjustment FROM "transaction"'
        " WHERE seq = ? ORDER BY id",
        (seq,),
    ).fetchall()
    if not entries:
        return chain.NO_EFFECTS
    transfers = [
        row
        for entry in entries
        for row in db.execute(
            'SELECT "transaction", n, debit, credit, amount, period FROM transfer'
            ' WHERE "transaction" = ? ORDER BY n',
            (entry[0],),
        )
    ]
    return chain.effects_digest(entries, transfers)


def _check_flows(db: Connection) -> None:
    kept = set(db.execute("SELECT period, debit, credit, amount, count FROM month_flow"))
    flows = set(
        db.execute(
            "SELECT period, debit, credit, sum(amount), count(*) FROM transfer"
            " GROUP BY period, debit, credit"
        )
    )
    for period, debit, credit, *_ in sorted(kept ^ flows):
        raise _failed(f"the sums of {period} from {credit} to {debit} are not its transfers'")


def _check_derived(db: Connection) -> None:
    try:
        rebuilt = played_back(db, messages=False)
    except LiveportalError as error:
        raise _failed(f"the journal cannot be replayed: {error.message}") from error
    try:
        for table in DERIVED:
            for ours, theirs in zip_longest(_rows(db, table), _rows(rebuilt, table)):
                if ours != theirs:
                    name = (ours or theirs or ("",))[0]
                    raise _failed(f"{table} {name} is not what the journal says", table=table)
    finally:
        rebuilt.close()


def _rows(db: Connection, table: str) -> Iterable[tuple[object, ...]]:
    names = [row[1] for row in db.execute(f'PRAGMA table_info("{table}")')]
    order = ", ".join(f'"{name}"' for name in names)
    return db.execute(f'SELECT * FROM "{table}" ORDER BY {order}')  # noqa: S608


def _failed(what: str, **details: object) -> VerificationFailed:
    return VerificationFailed(
        f"the ledger is not what was written: {what}",
        hint="Keep the file as it is, and restore a backup or sync the feeds into a new ledger.",
        **details,
    )
