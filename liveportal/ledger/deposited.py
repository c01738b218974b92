"""What lies outside the journal against what events tell of it: files, messages, sealed values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from liveportal.domain.envelope import CLI_SOURCE, PREFIX
from liveportal.domain.errors import (
    DamagedFile,
    KeyNotFound,
    NotInVault,
    SealBroken,
    VerificationFailed,
)
from liveportal.domain.events import PayoutProfileChanged
from liveportal.domain.profile import DERIVED_FROM
from liveportal.ledger import driver, engine, soundness
from liveportal.ledger.attribution import is_from_command
from liveportal.ledger.driver import Connection
from liveportal.ledger.evidence import Attached, attached
from liveportal.ledger.past import Rows
from liveportal.ledger.proving import failed
from liveportal.ledger.reader import Reader
from liveportal.ledger.statements import INSERT
from liveportal.ledger.vault import Vault

_VALUES = """
    SELECT field, type, facts FROM (
        SELECT field, seq FROM sealed_value UNION ALL SELECT field, seq FROM profile_fact
    ) JOIN event USING (seq) ORDER BY field
"""

_CHANGES = """
    SELECT source, id, recorded_at, facts, body
    FROM event LEFT JOIN event_personal ON event_personal.seq = event.seq
    WHERE type = ? ORDER BY event.seq DESC
"""
_CHANGED = PREFIX + PayoutProfileChanged.TYPE

_CHUNK = 2_000
_OVER_MESSAGES = re.compile(
    r"CREATE VIRTUAL TABLE .* USING fts5\b.*\bcontent\s*=\s*['\"]?message\b",
    re.IGNORECASE | re.DOTALL,
)


class ReadTranscript(Protocol):
    """Reads a transcript, as `liveportal.feeds.transcripts.read` does."""

    def __call__(self, stream: BinaryIO, name: str, *, began: datetime, timezone: str) -> Any:  # noqa: ANN401
        """Return what has `messages`: each with `offset_ms`, `speaker` and `text`."""
        ...


@dataclass(frozen=True, slots=True)
class Deposit:
    """What was found: how many files, whether they were hashed, messages read, values proved.

    `values` is None where the key of the payout profile is not at hand, or nobody looked; `key` is
    the error that says why it is not. `absent` are files that may never have been here.
    """

    files: int
    hashed: bool
    messages: int
    values: int | None
    absent: tuple[Absent, ...] = ()
    key: KeyNotFound | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """A file that may never have been in the vault, and is not there: attach it again.

    An earlier version recorded its event, and nothing proves that a command did (`evidence`).
    """

    seq: int
    session: str
    sha256: str
    name: str


def check_vault(
    db: Connection, ledger: Path, *, deep: bool, read: ReadTranscript | None = None
) -> Deposit:
    """Check that the files which commands attached are in the vault, and of the right size.

    With `deep` they are hashed, messages are held against the transcripts if it is told how to
    `read` one, the full-text index against the messages, and the payout profile against its
    fingerprints if its key is at hand.
    """
    vault = Vault(ledger)
    there: list[Attached] = []
    absent: list[Absent] = []
    for each in attached(db):
        try:
            _check_there(vault, each)
        except VerificationFailed:
            if each.is_certain:
                raise
            absent.append(Absent(each.seq, each.session, each.sha256, each.name))
        else:
            there.append(each)
    messages = (0,)
    values, problem = None, None
    if deep:
        for each in there:
            _check_content(vault, each)
        if read is not None:
            _check_messages(db, vault, there, read)
        _check_indexes(db)
        values, problem = _check_profile(db, ledger)
        messages = db.execute("SELECT count(*) FROM message").fetchone()
    return Deposit(len(there), deep, messages[0], values, tuple(absent), problem)


def check_values(db: Connection) -> None:
    """Check that each value of the payout profile is one that its event tells of."""
    told = db.execute(_VALUES).fetchall()
    filled = {name for (name,) in db.execute("SELECT name FROM profile_field")}
    for field, kind, facts in told:
        of = DERIVED_FROM.get(field, field)
        named = kind == _CHANGED and of in json.loads(facts)["fields"]
        if not named or (of not in filled and _is_cleared_by_command(db, of)):
            raise failed(f"a value of the payout profile is in no event: {field}", field=field)


def _is_cleared_by_command(db: Connection, name: str) -> bool:
    """Return True unless a feed may have cleared a field, which leaves its value where it is."""
    found = db.execute(_CHANGES, (_CHANGED,)).fetchall()
    for source, event_id, recorded_at, facts, body in found:
        if name in json.loads(facts)["fields"]:
            return source == CLI_SOURCE and is_from_command(event_id, recorded_at, body)
    return True


def _check_there(vault: Vault, told: Attached) -> None:
    if not vault.holds(told.sha256):
        raise failed(f"{told} is not in the vault", sha256=told.sha256, seq=told.seq)
    size = vault.path(told.sha256).lstat().st_size
    if size != told.bytes:
        raise failed(f"{told} has {size} bytes instead of {told.bytes}", sha256=told.sha256)


def _check_content(vault: Vault, told: Attached) -> None:
    try:
        vault.check(told.sha256)
    except (DamagedFile, NotInVault) as error:
        raise failed(f"{told} is not what was attached", sha256=told.sha256) from error


# --- what was said --------------------------------------------------------------------------------


def _check_messages(
    db: Connection, vault: Vault, told: Sequence[Attached], read: ReadTranscript
) -> None:
    """Check that the messages are those of the transcripts, and of no other."""
    from liveportal.ledger.windows.said import began

    reader = Reader(db, Path())
    known = {each.artifact for each in told if each.kind == "transcript"}
    for (artifact,) in db.execute("SELECT DISTINCT artifact FROM message ORDER BY artifact"):
        if artifact not in known:
            raise failed(f"messages of event {artifact} are in no transcript", seq=artifact)
    for each in told:
        if each.kind != "transcript" or not each.is_certain:
            continue
        with vault.path(each.sha256).open("rb") as stream:
            start, zone = began(reader, each.artifact), reader.own_timezone
            found = read(stream, each.name, began=start, timezone=zone).messages
        kept = db.execute(
            "SELECT n, offset_ms, speaker, text FROM message WHERE artifact = ? ORDER BY n",
            (each.artifact,),
        ).fetchall()
        there = [(n, one.offset_ms, one.speaker, one.text) for n, one in enumerate(found, 1)]
        _compare(each, kept, there)


def _compare(told: Attached, kept: Rows, read: Rows) -> None:
    for mine, other in zip(kept, read, strict=False):
        if (mine[0], *mine[2:]) != (other[0], *other[2:]):
            raise failed(f"message {other[0]} of {told} is not what its transcript says")
    if len(kept) != len(read):
        raise failed(f"{told} has {len(read)} messages, and {len(kept)} are kept")
    # A clock time counts from the session's start and in the expert's zone as they were known when
    # the file was attached: all of them may be later or earlier, by the same.
    apart = {
        None if mine[1] is None or other[1] is None else mine[1] - other[1]
        for mine, other in zip(kept, read, strict=True)
        if mine[1] is not None or other[1] is not None
    }
    if len(apart) > 1 or None in apart:
        raise failed(f"the times of the messages of {told} are not those of its transcript")


def _check_indexes(db: Connection) -> None:
    """Check that a search finds what the messages say: each index against a rebuilt one."""
    tables = [part for part in soundness.form() if part.kind == "table" and part.sql]
    indexes = [part for part in tables if _OVER_MESSAGES.match(part.sql or "")]
    with closing(engine.in_memory()) as copy:
        copy.execute("PRAGMA foreign_keys = OFF")
        copy.execute("BEGIN")
        for table in tables:
            if table.name == "message" or table in indexes:
                copy.execute(table.sql or "")
        rows = db.execute("SELECT id, artifact, n, offset_ms, speaker, text FROM message")
        copy.executemany(INSERT["message"], rows)
        for index in indexes:
            name = index.name
            copy.execute(f"INSERT INTO {name} ({name}) VALUES ('rebuild')")  # noqa: S608 (ours)
            if not _is_same_index(db, copy, name):
                raise failed("the full-text index does not find what the messages say", index=name)


def _is_same_index(db: Connection, copy: Connection, name: str) -> bool:
    """Return whether two indexes have the same words, sizes and settings.

    How an index is laid out is SQLite's own and depends on how it was written, and with which
    settings: only those count that change what is found, and in which order.
    """
    settings = f"SELECT k, v FROM {name}_config WHERE k IN ('rank', 'insttoken') ORDER BY k"  # noqa: S608
    queries = [settings]
    if copy.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (f"{name}_docsize",)).fetchone():
        queries.append(f"SELECT id, sz FROM {name}_docsize ORDER BY id")  # noqa: S608
    if not all(_are_same(db.execute(query), copy.execute(query)) for query in queries):
        return False
    if _totals(db, name) != _totals(copy, name):
        return False
    with _terms(db, name) as ours, _terms(copy, name) as theirs:
        return _are_same(ours, theirs)


def _totals(db: Connection, name: str) -> bytes:
    """Return how many messages an index has and how long they are together, by which it ranks.

    These are numbers of one byte or more. An index that was never written has none of them, and
    one that was emptied or rebuilt has zeros: both say the same.
    """
    row = db.execute(f"SELECT block FROM {name}_data WHERE id = 1").fetchone()  # noqa: S608
    return bytes(row[0]).rstrip(b"\0") if row else b"no totals"


def _are_same(ours: driver.Cursor, theirs: driver.Cursor) -> bool:
    while (mine := ours.fetchmany(_CHUNK)) == theirs.fetchmany(_CHUNK):
        if not mine:
            return True
    return False


@contextmanager
def _terms(db: Connection, name: str) -> Iterator[driver.Cursor]:
    """Yield a cursor over every word of an index and its place, in their order."""
    db.execute(f"CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, {name}, instance)")
    cursor = db.execute("SELECT term, doc, col, offset FROM temp.terms ORDER BY 1, 2, 3, 4")
    try:
        yield cursor
    finally:
        cursor.close()
        db.execute("DROP TABLE temp.terms")


# --- the payout profile ---------------------------------------------------------------------------


def _check_profile(db: Connection, ledger: Path) -> tuple[int | None, KeyNotFound | None]:
    """Prove the values of the payout profile by the journal; or return why they cannot be read.

    That their key is missing or another one is no damage.
    """
    from liveportal.ledger.sealed import Seals

    seals = Seals(db, ledger)
    try:
        seals.ready()
        values = seals.values()
        wrong = seals.disproved(values)
    except KeyNotFound as error:
        return None, error
    except SealBroken as error:
        raise failed(f"a value of the payout profile was changed: {error.message}") from error
    if wrong:
        raise failed(
            f"a value of the payout profile is not what was recorded: {', '.join(wrong)}",
            field=wrong[0],
        )
    return len(values), None
