"""What lies outside the journal against what events tell of it: files, messages, sealed values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from liveportal.domain.errors import (
    DamagedFile,
    KeyNotFound,
    NotInVault,
    SealBroken,
    VerificationFailed,
)
from liveportal.domain.profile import DERIVED_FROM, FIELDS
from liveportal.ledger import driver, engine, missing, soundness
from liveportal.ledger.driver import Connection
from liveportal.ledger.evidence import Attached, attached
from liveportal.ledger.past import Rows
from liveportal.ledger.proving import failed
from liveportal.ledger.reader import Reader
from liveportal.ledger.statements import INSERT
from liveportal.ledger.vault import Vault

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

    An import could not bring it; or an earlier version recorded its event, and nothing proves that
    a command did (`evidence`).
    """

    seq: int
    session: str
    sha256: str
    name: str


def check_vault(
    db: Connection, ledger: Path, *, deep: bool, read: ReadTranscript | None = None
) -> Deposit:
    """Check that the files which commands attached are in the vault, and of the right size.

    A file that an import could not bring need not be there; its messages must not be.
    With `deep` they are hashed, messages are held against the transcripts if it is told how to
    `read` one, the full-text index against the messages, and the payout profile against its
    fingerprints if its key is at hand.
    """
    vault = Vault(ledger)
    noted = missing.noted_files(db)
    there: list[Attached] = []
    absent: list[Absent] = []
    for each in attached(db):
        try:
            _check_there(vault, each)
        except VerificationFailed:
            if each.is_certain and each.artifact not in noted:
                raise
        else:
            there.append(each)
            if each.artifact not in noted:
                continue
        absent.append(Absent(each.seq, each.session, each.sha256, each.name))
    messages = (0,)
    values, problem = None, None
    if deep:
        for each in there:
            _check_content(vault, each)
        if read is not None:
            whole = [each for each in there if each.artifact not in noted]
            _check_messages(db, vault, whole, read)
        _check_indexes(db)
        values, problem = _check_profile(db, ledger)
        messages = db.execute("SELECT count(*) FROM message").fetchone()
    return Deposit(len(there), deep, messages[0], values, tuple(absent), problem)


def check_values(db: Connection) -> None:
    """Check that each value of the payout profile is there, and is the one its event set last.

    Only what an import could not bring may be missing, and it must be written down.
    """
    settings, noted = missing.settings(db), missing.noted_values(db)
    there = missing.rows(db)
    nothing = missing.Setting()
    for field, seq in there.items():
        if seq not in settings.get(DERIVED_FROM.get(field, field), nothing).seqs:
            raise failed(f"a value of the payout profile is in no event: {field}", field=field)
    for field, setting in settings.items():
        if setting.is_certain and field not in there and field not in noted:
            raise failed(f"a value of the payout profile is missing: {field}", field=field)
    for field, seq in noted.items():
        if field in there or seq not in settings.get(field, nothing).seqs:
            raise failed(f"a value of the payout profile is not missing: {field}", field=field)
    _check_places(db)
    known = {each.artifact for each in attached(db)}
    for artifact in sorted(missing.noted_files(db) - known):
        raise failed(f"no file is missing of event {artifact}", seq=artifact)


def _check_places(db: Connection) -> None:
    """Check that each value is in the table of its kind, and that its key's row is there."""
    sealed = dict(db.execute("SELECT field, key_id FROM sealed_value ORDER BY field").fetchall())
    plain = [field for (field,) in db.execute("SELECT field FROM profile_fact ORDER BY field")]
    for field in (*sealed, *plain):
        if FIELDS[field].sealed is not (field in sealed and field not in plain):
            raise failed(f"a value of the payout profile is in the wrong place: {field}")
    keys = dict(db.execute("SELECT key_id, sealed_by FROM fingerprint_key").fetchall())
    in_use = {*keys.values(), *sealed.values()}
    if len(in_use) > 1 or not in_use <= keys.keys() or (plain and not keys):
        raise failed("the payout profile's key of fingerprints is missing")


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
