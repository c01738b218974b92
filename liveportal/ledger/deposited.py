"""What lies outside the journal against what events tell of it: files, messages, sealed values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from liveportal.domain.envelope import CLI_SOURCE
from liveportal.domain.errors import DamagedFile, KeyNotFound, NotInVault, SealBroken
from liveportal.domain.profile import DERIVED_FROM
from liveportal.ledger import driver, engine, soundness
from liveportal.ledger.driver import Connection
from liveportal.ledger.past import Rows
from liveportal.ledger.proving import failed
from liveportal.ledger.reader import Reader, personal
from liveportal.ledger.statements import INSERT
from liveportal.ledger.vault import Vault

# Only a command attaches a file; a feed may tell of files that never were here. Of whom is
# forgotten, the files are gone and the messages with them.
_TOLD = """
    SELECT artifact.seq, artifact.session, artifact.kind, sha256, bytes, told.seq, body
    FROM artifact
    JOIN statement AS told ON told.thing = 'session:' || artifact.session
        AND told.type = 'artifact.added' AND coalesce(told.confirms, told.seq) = artifact.seq
        AND told.source = ?
    JOIN event_personal ON event_personal.seq = told.seq
    ORDER BY artifact.seq
"""
_VALUES = """
    SELECT field, type, facts FROM (
        SELECT field, seq FROM sealed_value UNION ALL SELECT field, seq FROM profile_fact
    ) JOIN event USING (seq) ORDER BY field
"""

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
    the error that says why it is not.
    """

    files: int
    hashed: bool
    messages: int
    values: int | None
    key: KeyNotFound | None = None


class _Told(NamedTuple):
    artifact: int
    session: str
    kind: str
    sha256: str
    bytes: int
    seq: int
    body: str

    def __str__(self) -> str:
        return f"the file {self.sha256[:12]}… of session {self.session} (event {self.seq})"


def check_vault(
    db: Connection, ledger: Path, *, deep: bool, read: ReadTranscript | None = None
) -> Deposit:
    """Check that the files which commands attached are in the vault, and of the right size.

    With `deep` they are hashed, messages are held against the transcripts if it is told how to
    `read` one, the full-text index against the messages, and the payout profile against its
    fingerprints if its key is at hand.
    """
    vault = Vault(ledger)
    told = [_Told(*row) for row in db.execute(_TOLD, (CLI_SOURCE,))]
    for each in told:
        _check_there(vault, each)
    messages = (0,)
    values, problem = None, None
    if deep:
        for each in told:
            _check_content(vault, each)
        if read is not None:
            _check_messages(db, vault, told, read)
        _check_indexes(db)
        values, problem = _check_profile(db, ledger)
        messages = db.execute("SELECT count(*) FROM message").fetchone()
    return Deposit(len(told), deep, messages[0], values, problem)


def check_values(db: Connection) -> None:
    """Check that each value of the payout profile is one that its event tells of."""
    told = db.execute(_VALUES).fetchall()
    filled = {name for (name,) in db.execute("SELECT name FROM profile_field")}
    for field, kind, facts in told:
        of = DERIVED_FROM.get(field, field)
        named = kind == "liveportal.payout_profile.changed" and of in json.loads(facts)["fields"]
        if not named or of not in filled:
            raise failed(f"a value of the payout profile is in no event: {field}", field=field)


def _check_there(vault: Vault, told: _Told) -> None:
    if not vault.holds(told.sha256):
        raise failed(f"{told} is not in the vault", sha256=told.sha256, seq=told.seq)
    size = vault.path(told.sha256).lstat().st_size
    if size != told.bytes:
        raise failed(f"{told} has {size} bytes instead of {told.bytes}", sha256=told.sha256)


def _check_content(vault: Vault, told: _Told) -> None:
    try:
        vault.check(told.sha256)
    except (DamagedFile, NotInVault) as error:
        raise failed(f"{told} is not what was attached", sha256=told.sha256) from error


# --- what was said --------------------------------------------------------------------------------


def _check_messages(
    db: Connection, vault: Vault, told: Sequence[_Told], read: ReadTranscript
) -> None:
    """Check that the messages are those of the transcripts, and of no other."""
    from liveportal.ledger.windows.said import began

    reader = Reader(db, Path())
    known = {each.artifact for each in told if each.kind == "transcript"}
    for (artifact,) in db.execute("SELECT DISTINCT artifact FROM message ORDER BY artifact"):
        if artifact not in known:
            raise failed(f"messages of event {artifact} are in no transcript", seq=artifact)
    for each in told:
        if each.kind != "transcript":
            continue
        name = str(personal(each.body).get("name", ""))
        with vault.path(each.sha256).open("rb") as stream:
            start, zone = began(reader, each.artifact), reader.own_timezone
            found = read(stream, name, began=start, timezone=zone).messages
        kept = db.execute(
            "SELECT n, offset_ms, speaker, text FROM message WHERE artifact = ? ORDER BY n",
            (each.artifact,),
        ).fetchall()
        there = [(n, one.offset_ms, one.speaker, one.text) for n, one in enumerate(found, 1)]
        _compare(each, kept, there)


def _compare(told: _Told, kept: Rows, read: Rows) -> None:
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
