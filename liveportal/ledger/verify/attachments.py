"""Verify the files, messages and sealed values outside the journal against its events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from liveportal.domain.errors import (
    DamagedFile,
    DecryptionFailed,
    KeyNotFound,
    NotInVault,
    VerificationFailed,
)
from liveportal.domain.frozen import frozen
from liveportal.domain.profile.fields import DERIVED_FROM, FIELDS
from liveportal.ledger import missing
from liveportal.ledger.attachments import message_index
from liveportal.ledger.attachments.index import Attached, attached, reader_of
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.format.journal_entries import Rows
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.storage import connection, driver
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.migrate import make_tables
from liveportal.ledger.storage.schema.tables import insert
from liveportal.ledger.verify.chain import failed

_CHUNK = 2_000


class ReadTranscript(Protocol):
    """Parses a transcript, as `liveportal.feeds.transcripts.read` does."""

    def __call__(self, stream: BinaryIO, name: str, *, began: datetime, timezone: str) -> Any:  # noqa: ANN401
        """Return an object with `messages`, which have `offset_ms`, `speaker` and `text`.

        Its `reader` is the version of the parser.
        """
        ...


@frozen
class AttachmentReport:
    """The numbers of files, messages and values checked, and whether the files were hashed.

    `values` is None if the payout profile was not checked, or its key is not available; then `key`
    is the error that says why. `absent` are files that may never have been attached here.
    `outdated` counts the transcripts that an earlier version of the program parsed differently.
    """

    files: int
    hashed: bool
    messages: int
    values: int | None
    absent: tuple[Absent, ...] = ()
    key: KeyNotFound | None = None
    outdated: int = 0


@frozen
class Absent:
    """A file that is not in the vault, and may never have been: attach it again.

    Either an import could not bring it, or an earlier version recorded its event, and nothing
    proves that a command did (`ledger.attachments.index`).
    """

    seq: int
    session: str
    sha256: str
    name: str


def check_vault(
    db: Connection, ledger: Path, *, deep: bool, read: ReadTranscript | None = None
) -> AttachmentReport:
    """Check that the files which commands attached are in the vault, with the right size.

    A file that an import could not bring may be missing; its messages must then be missing too.
    With `deep`, the files are hashed, the messages compared with the transcripts (if `read` is
    given, which parses one), the full-text index with the messages, and the payout profile with its
    fingerprints (if its key is available).
    """
    vault = Vault(ledger)
    noted = missing.noted_files(db)
    present: list[Attached] = []
    absent: list[Absent] = []
    for file in attached(db):
        try:
            _check_present(vault, file)
        except VerificationFailed:
            if file.is_certain and file.artifact not in noted:
                raise
        else:
            present.append(file)
            if file.artifact not in noted:
                continue
        absent.append(Absent(file.seq, file.session, file.sha256, file.name))
    messages = (0,)
    values, problem, outdated = None, None, 0
    if deep:
        for file in present:
            _check_content(vault, file)
        if read is not None:
            with_messages = [file for file in present if file.artifact not in noted]
            outdated = _check_messages(db, vault, with_messages, read)
        _check_index(db)
        values, problem = _check_profile(db, ledger)
        messages = db.execute("SELECT count(*) FROM message").fetchone()
    return AttachmentReport(
        len(present), deep, messages[0], values, tuple(absent), problem, outdated
    )


def check_values(db: Connection) -> None:
    """Check that each value of the payout profile exists, and is the one that its last event set.

    Only a value that an import could not bring may be missing, and it must be noted (`missing`).
    """
    settings, noted = missing.settings(db), missing.noted_values(db)
    stored = missing.rows(db)
    unset = missing.Setting()
    for field, seq in stored.items():
        if seq not in settings.get(DERIVED_FROM.get(field, field), unset).seqs:
            raise failed(
                f"the value of {field} in the payout profile comes from no event", field=field
            )
    for field, setting in settings.items():
        if setting.is_certain and field not in stored and field not in noted:
            raise failed(f"the value of {field} in the payout profile is missing", field=field)
    for field, seq in noted.items():
        if field in stored or seq not in settings.get(field, unset).seqs:
            raise failed(
                f"the value of {field} in the payout profile is recorded as missing, but"
                " is present",
                field=field,
            )
    _check_tables(db)
    known = {file.artifact for file in attached(db)}
    for artifact in sorted(missing.noted_files(db) - known):
        raise failed(
            f"the file of event {artifact} is recorded as missing, but the event has no file",
            seq=artifact,
        )


def _check_tables(db: Connection) -> None:
    """Check that each value is in the table of its kind, and that its key has a row."""
    sealed = dict(db.execute("SELECT field, key_id FROM sealed_value ORDER BY field").fetchall())
    plain = [field for (field,) in db.execute("SELECT field FROM profile_fact ORDER BY field")]
    for field in (*sealed, *plain):
        if FIELDS[field].sealed is not (field in sealed and field not in plain):
            raise failed(f"the value of {field} in the payout profile is in the wrong place")
    keys = dict(db.execute("SELECT key_id, sealed_by FROM fingerprint_key").fetchall())
    in_use = {*keys.values(), *sealed.values()}
    if len(in_use) > 1 or not in_use <= keys.keys() or (plain and not keys):
        raise failed("the key of the payout profile's fingerprints is missing")


def _check_present(vault: Vault, file: Attached) -> None:
    if not vault.holds(file.sha256):
        raise failed(f"{file} is not in the vault", sha256=file.sha256, seq=file.seq)
    size = vault.path(file.sha256).lstat().st_size
    if size != file.bytes:
        raise failed(f"{file} has {size} bytes instead of {file.bytes}", sha256=file.sha256)


def _check_content(vault: Vault, file: Attached) -> None:
    try:
        vault.check(file.sha256)
    except (DamagedFile, NotInVault) as error:
        raise failed(
            f"{file} differs from the file that was attached", sha256=file.sha256
        ) from error


# --- messages -------------------------------------------------------------------------------------


def _check_messages(
    db: Connection, vault: Vault, files: Sequence[Attached], read: ReadTranscript
) -> int:
    """Check that the messages are exactly those of the transcripts.

    Return the number of transcripts that an earlier version of the parser read differently.
    """
    from liveportal.ledger.queries.transcripts import session_start

    reader = Reader(db, Path())
    outdated = 0
    known = {file.artifact for file in files if file.kind == "transcript"}
    for (artifact,) in db.execute("SELECT DISTINCT artifact FROM message ORDER BY artifact"):
        if artifact not in known:
            raise failed(f"the messages of event {artifact} come from no transcript", seq=artifact)
    for file in files:
        if file.kind != "transcript" or not file.is_certain:
            continue
        with vault.path(file.sha256).open("rb") as stream:
            start, zone = session_start(reader, file.artifact), reader.own_timezone
            transcript = read(stream, file.name, began=start, timezone=zone)
        stored = db.execute(
            "SELECT n, offset_ms, speaker, text FROM message WHERE artifact = ? ORDER BY n",
            (file.artifact,),
        ).fetchall()
        parsed = [
            (n, message.offset_ms, message.speaker, message.text)
            for n, message in enumerate(transcript.messages, 1)
        ]
        try:
            _compare(file, stored, parsed)
        except VerificationFailed:
            if not stored or reader_of(db, file.artifact) >= transcript.reader:
                raise
            outdated += 1
    return outdated


def _compare(file: Attached, stored: Rows, parsed: Rows) -> None:
    for mine, other in zip(stored, parsed, strict=False):
        if (mine[0], *mine[2:]) != (other[0], *other[2:]):
            raise failed(f"message {other[0]} of {file} differs from its transcript")
    if len(stored) != len(parsed):
        raise failed(f"{file} has {len(parsed)} messages, but {len(stored)} are stored")
    # Clock times were converted with the session start and the time zone known when the file was
    # attached. If these changed since, all messages are shifted by the same amount.
    shifts = {
        None if mine[1] is None or other[1] is None else mine[1] - other[1]
        for mine, other in zip(stored, parsed, strict=True)
        if mine[1] is not None or other[1] is not None
    }
    if len(shifts) > 1 or None in shifts:
        raise failed(f"the times of the messages of {file} differ from its transcript")


_TERMS = "CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, message_index, instance)"


def _check_index(db: Connection) -> None:
    """Compare the full-text index of the messages with a newly built one."""
    with closing(connection.in_memory()) as copy:
        copy.execute("PRAGMA foreign_keys = OFF")
        copy.execute("BEGIN")
        make_tables(copy)
        rows = db.execute("SELECT id, artifact, n, offset_ms, speaker, text FROM message")
        copy.executemany(insert("message"), rows)
        message_index.fill(copy)
        with _terms(db) as ours, _terms(copy) as theirs:
            same = _are_same(ours, theirs)
    if not same:
        raise failed("the full-text index differs from the messages")


def _are_same(ours: driver.Cursor, theirs: driver.Cursor) -> bool:
    while (mine := ours.fetchmany(_CHUNK)) == theirs.fetchmany(_CHUNK):
        if not mine:
            return True
    return False


@contextmanager
def _terms(db: Connection) -> Iterator[driver.Cursor]:
    """Yield a cursor over the index's terms and their messages, in the order of the index."""
    db.execute(_TERMS)
    cursor = db.execute("SELECT term, doc FROM temp.terms")
    try:
        yield cursor
    finally:
        cursor.close()
        db.execute("DROP TABLE temp.terms")


# --- the payout profile ---------------------------------------------------------------------------


def _check_profile(db: Connection, ledger: Path) -> tuple[int | None, KeyNotFound | None]:
    """Check the payout profile against the journal's fingerprints; return the number of values.

    Or return the error that says why they cannot be read: a missing or wrong key is not damage.
    """
    from liveportal.ledger.secrets.encrypted_fields import EncryptedFields

    fields = EncryptedFields(db, ledger)
    try:
        fields.ready()
        values = fields.values()
        wrong = fields.disproved(values)
    except KeyNotFound as error:
        return None, error
    except DecryptionFailed as error:
        raise failed(f"the payout profile was changed: {error.message}") from error
    if wrong:
        raise failed(
            f"the payout profile differs from what was recorded in {' and '.join(wrong)}",
            field=wrong[0],
        )
    return len(values), None
