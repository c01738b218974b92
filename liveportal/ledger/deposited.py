"""What lies outside the journal against what events tell of it: files, messages, sealed values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from liveportal.domain.errors import DamagedFile, KeyNotFound, NotInVault, SealBroken
from liveportal.domain.profile import DERIVED_FROM, FIELDS
from liveportal.ledger import driver, engine, missing
from liveportal.ledger.driver import Connection
from liveportal.ledger.migrate import make_tables
from liveportal.ledger.missing import ATTACHED
from liveportal.ledger.past import Rows
from liveportal.ledger.proving import failed
from liveportal.ledger.reader import Reader, personal
from liveportal.ledger.statements import INSERT
from liveportal.ledger.vault import Vault

_TOLD = f"""
    SELECT artifact.seq, artifact.session, artifact.kind, sha256, bytes, own.seq, body,
           artifact.seq IN (SELECT artifact FROM missing_file)
    {ATTACHED} ORDER BY artifact.seq
"""  # noqa: S608 (no part of it is from outside)
_NOTED_IN_VAIN = f"""
    SELECT artifact FROM missing_file EXCEPT SELECT artifact.seq {ATTACHED} ORDER BY 1
"""  # noqa: S608 (no part of it is from outside)

_CHUNK = 2_000


class ReadTranscript(Protocol):
    """Reads a transcript, as `liveportal.feeds.transcripts.read` does."""

    def __call__(self, stream: BinaryIO, name: str, *, began: datetime, timezone: str) -> Any:  # noqa: ANN401
        """Return what has `messages`: each with `offset_ms`, `speaker` and `text`."""
        ...


@dataclass(frozen=True, slots=True)
class Deposit:
    """What was found: how many files, whether they were hashed, messages read, values proved.

    `values` is None where the key of the payout profile is not at hand, or nobody looked.
    """

    files: int
    hashed: bool
    messages: int
    values: int | None


class _Told(NamedTuple):
    artifact: int
    session: str
    kind: str
    sha256: str
    bytes: int
    seq: int
    body: str
    is_missing: bool

    def __str__(self) -> str:
        return f"the file {self.sha256[:12]}… of session {self.session} (event {self.seq})"


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
    attached = [_Told(*row) for row in db.execute(_TOLD)]
    told = [each for each in attached if not each.is_missing or vault.holds(each.sha256)]
    for each in told:
        _check_there(vault, each)
    messages = (0,)
    values = None
    if deep:
        for each in told:
            _check_content(vault, each)
        if read is not None:
            known = [each for each in told if not each.is_missing]
            _check_messages(db, vault, known, read)
        _check_index(db)
        values = _check_profile(db, ledger)
        messages = db.execute("SELECT count(*) FROM message").fetchone()
    return Deposit(len(told), deep, messages[0], values)


def check_values(db: Connection) -> None:
    """Check that each value of the payout profile is there, and is the one its event set last.

    Only what an import could not bring may be missing, and it must be written down.
    """
    expected, there, noted = missing.set_by(db), missing.rows(db), missing.noted_values(db)
    for field, seq in there.items():
        if expected.get(DERIVED_FROM.get(field, field)) != seq:
            raise failed(f"a value of the payout profile is in no event: {field}", field=field)
    for field, seq in expected.items():
        if field not in there and noted.get(field) != seq:
            raise failed(f"a value of the payout profile is missing: {field}", field=field)
    for field, seq in noted.items():
        if field in there or expected.get(field) != seq:
            raise failed(f"a value of the payout profile is not missing: {field}", field=field)
    _check_places(db)
    for (artifact,) in db.execute(_NOTED_IN_VAIN):
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


# How long each message is, and all together: by that a search ranks what it finds.
_SIZES = (
    "SELECT id, sz FROM message_index_docsize ORDER BY id",
    "SELECT block FROM message_index_data WHERE id = 1",
    "SELECT k, v FROM message_index_config ORDER BY k",
)
_TERMS = "CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, message_index, instance)"


def _check_index(db: Connection) -> None:
    """Check that a search finds what the messages say: the index against one that is made anew."""
    with closing(engine.in_memory()) as copy:
        copy.execute("PRAGMA foreign_keys = OFF")
        copy.execute("BEGIN")
        make_tables(copy)
        copy.execute("DROP TRIGGER message_indexed")
        rows = db.execute("SELECT id, artifact, n, offset_ms, speaker, text FROM message")
        copy.executemany(INSERT["message"], rows)
        copy.execute("INSERT INTO message_index (message_index) VALUES ('rebuild')")
        same = all(_are_same(db.execute(each), copy.execute(each)) for each in _SIZES)
        with _terms(db) as ours, _terms(copy) as theirs:
            same = same and _are_same(ours, theirs)
    if not same:
        raise failed("the full-text index does not find what the messages say")


def _are_same(ours: driver.Cursor, theirs: driver.Cursor) -> bool:
    while (mine := ours.fetchmany(_CHUNK)) == theirs.fetchmany(_CHUNK):
        if not mine:
            return True
    return False


@contextmanager
def _terms(db: Connection) -> Iterator[driver.Cursor]:
    """Yield a cursor over every word of the index and its place, in their order."""
    db.execute(_TERMS)
    cursor = db.execute("SELECT term, doc, col, offset FROM temp.terms ORDER BY 1, 2, 3, 4")
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
