"""What lies outside the journal against what events tell of it: files, messages, sealed values."""

from __future__ import annotations

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
from liveportal.domain.profile.fields import DERIVED_FROM, FIELDS
from liveportal.ledger import missing
from liveportal.ledger.attachments import message_index
from liveportal.ledger.attachments.index import Attached, attached, reader_of
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.format.event_log import Rows
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.storage import connection, driver
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.migrate import make_tables
from liveportal.ledger.storage.schema.sql import INSERT
from liveportal.ledger.verify.chain import failed

_CHUNK = 2_000


class ReadTranscript(Protocol):
    """Reads a transcript, as `liveportal.feeds.transcripts.read` does."""

    def __call__(self, stream: BinaryIO, name: str, *, began: datetime, timezone: str) -> Any:  # noqa: ANN401
        """Return `messages`, each with `offset_ms`, `speaker` and `text`, and their `reader`."""
        ...


@dataclass(frozen=True, slots=True)
class AttachmentReport:
    """What was found: how many files, whether they were hashed, messages read, values proved.

    `values` is None where the key of the payout profile is not at hand, or nobody looked; `key` is
    the error that says why it is not. `absent` are files that may never have been here. `outdated`
    is how many transcripts an earlier version of the program read otherwise.
    """

    files: int
    hashed: bool
    messages: int
    values: int | None
    absent: tuple[Absent, ...] = ()
    key: KeyNotFound | None = None
    outdated: int = 0


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
) -> AttachmentReport:
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
    values, problem, outdated = None, None, 0
    if deep:
        for each in there:
            _check_content(vault, each)
        if read is not None:
            whole = [each for each in there if each.artifact not in noted]
            outdated = _check_messages(db, vault, whole, read)
        _check_index(db)
        values, problem = _check_profile(db, ledger)
        messages = db.execute("SELECT count(*) FROM message").fetchone()
    return AttachmentReport(len(there), deep, messages[0], values, tuple(absent), problem, outdated)


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
) -> int:
    """Check that the messages are those of the transcripts, and of no other.

    Return the number of transcripts of which an earlier reader made other messages.
    """
    from liveportal.ledger.queries.transcripts import began

    reader = Reader(db, Path())
    outdated = 0
    known = {each.artifact for each in told if each.kind == "transcript"}
    for (artifact,) in db.execute("SELECT DISTINCT artifact FROM message ORDER BY artifact"):
        if artifact not in known:
            raise failed(f"messages of event {artifact} are in no transcript", seq=artifact)
    for each in told:
        if each.kind != "transcript" or not each.is_certain:
            continue
        with vault.path(each.sha256).open("rb") as stream:
            start, zone = began(reader, each.artifact), reader.own_timezone
            found = read(stream, each.name, began=start, timezone=zone)
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


_TERMS = "CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, message_index, instance)"


def _check_index(db: Connection) -> None:
    """Check that a search finds what the messages say: the index against one that is made anew."""
    with closing(connection.in_memory()) as copy:
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


def _check_profile(db: Connection, ledger: Path) -> tuple[int | None, KeyNotFound | None]:
    """Prove the values of the payout profile by the journal; or return why they cannot be read.

    That their key is missing or another one is no damage.
    """
    from liveportal.ledger.secrets.encrypted_fields import EncryptedFields

    seals = EncryptedFields(db, ledger)
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
