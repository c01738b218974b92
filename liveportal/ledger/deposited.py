"""What lies outside the journal against what events tell of it: files, messages, sealed values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from liveportal.domain.envelope import CLI_SOURCE
from liveportal.domain.errors import (
    DamagedFile,
    KeyNotFound,
    NotInVault,
    SealBroken,
    VerificationFailed,
)
from liveportal.domain.profile import DERIVED_FROM
from liveportal.ledger import driver, engine, message_index
from liveportal.ledger.driver import Connection
from liveportal.ledger.evidence import reader_of
from liveportal.ledger.migrate import make_tables
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


class ReadTranscript(Protocol):
    """Reads a transcript, as `liveportal.feeds.transcripts.read` does."""

    def __call__(self, stream: BinaryIO, name: str, *, began: datetime, timezone: str) -> Any:  # noqa: ANN401
        """Return `messages`, each with `offset_ms`, `speaker` and `text`, and their `reader`."""
        ...


@dataclass(frozen=True, slots=True)
class Deposit:
    """What was found: how many files, whether they were hashed, messages read, values proved.

    `values` is None where the key of the payout profile is not at hand, or nobody looked;
    `outdated` is how many transcripts an earlier version of the program read otherwise.
    """

    files: int
    hashed: bool
    messages: int
    values: int | None
    outdated: int = 0


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
    values = None
    outdated = 0
    if deep:
        for each in told:
            _check_content(vault, each)
        if read is not None:
            outdated = _check_messages(db, vault, told, read)
        _check_index(db)
        values = _check_profile(db, ledger)
        messages = db.execute("SELECT count(*) FROM message").fetchone()
    return Deposit(len(told), deep, messages[0], values, outdated)


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
) -> int:
    """Check that the messages are those of the transcripts, and of no other.

    Return of how many transcripts an earlier version of the readers made other messages.
    """
    from liveportal.ledger.windows.said import began

    reader = Reader(db, Path())
    outdated = 0
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
            found = read(stream, name, began=start, timezone=zone)
        kept = db.execute(
            "SELECT n, offset_ms, speaker, text FROM message WHERE artifact = ? ORDER BY n",
            (each.artifact,),
        ).fetchall()
        there = [
            (n, one.offset_ms, one.speaker, one.text) for n, one in enumerate(found.messages, 1)
        ]
        try:
            _compare(each, kept, there)
        except VerificationFailed:
            if not kept or reader_of(db, each.artifact) >= found.reader:
                raise
            outdated += 1
    return outdated


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


_TERMS = "CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, message_index, instance)"


def _check_index(db: Connection) -> None:
    """Check that a search finds what the messages say: the index against one that is made anew."""
    with closing(engine.in_memory()) as copy:
        copy.execute("PRAGMA foreign_keys = OFF")
        copy.execute("BEGIN")
        make_tables(copy)
        rows = db.execute("SELECT id, artifact, n, offset_ms, speaker, text FROM message")
        copy.executemany(INSERT["message"], rows)
        message_index.fill(copy)
        with _terms(db) as ours, _terms(copy) as theirs:
            same = _are_same(ours, theirs)
    if not same:
        raise failed("the full-text index does not find what the messages say")


def _are_same(ours: driver.Cursor, theirs: driver.Cursor) -> bool:
    while (mine := ours.fetchmany(_CHUNK)) == theirs.fetchmany(_CHUNK):
        if not mine:
            return True
    return False


@contextmanager
def _terms(db: Connection) -> Iterator[driver.Cursor]:
    """Yield a cursor over all that the index has, and in which messages: in its own order."""
    db.execute(_TERMS)
    cursor = db.execute("SELECT term, doc FROM temp.terms")
    try:
        yield cursor
    finally:
        cursor.close()
        db.execute("DROP TABLE temp.terms")


# --- the payout profile ---------------------------------------------------------------------------


def _check_profile(db: Connection, ledger: Path) -> int | None:
    """Prove the values of the payout profile by the journal; None where their key is not here."""
    from liveportal.ledger.sealed import Seals

    seals = Seals(db, ledger)
    try:
        seals.ready()
        values = seals.values()
        wrong = seals.disproved(values)
    except KeyNotFound:
        return None
    except SealBroken as error:
        raise failed(f"a value of the payout profile was changed: {error.message}") from error
    if wrong:
        raise failed(
            f"a value of the payout profile is not what was recorded: {', '.join(wrong)}",
            field=wrong[0],
        )
    return len(values)
