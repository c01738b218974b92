"""Encryption in the age format (age-encryption.org), with the library pyrage.

An archive is encrypted to public keys as a stream, so that its plaintext is never stored. The
library cannot encrypt a stream with a passphrase: the passphrase locks a key generated for this one
backup, and the archive is encrypted to that key. Both are in one ZIP archive, which the `age` tool
can open too:

    key.age          the key, locked with the passphrase: age -d -i key.age backup.zip.age
    backup.zip.age   the backup
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, cast

from liveportal.domain.errors import BackupLocked, DamagedBackup, InvalidValue
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.domain.zip_members import new_member

if TYPE_CHECKING:
    from pyrage import x25519

BEGINNING = b"age-encryption.org/v1\n"
ARMORED = b"-----BEGIN AGE ENCRYPTED FILE-----"
LOCKED_KEY = "key.age"
LOCKED = "backup.zip.age"
README = "README.txt"
_TEXT = b"""\
A backup of a liveportal ledger, locked with a passphrase. `liveportal ledger restore` opens it.
So does the tool of https://age-encryption.org:

    age -d -i key.age backup.zip.age > backup.zip
"""
_MAX_KEY_BYTES = 10_000

Produce = Callable[[IO[bytes]], Generator[int, None, None]]
"""Writes an archive to a stream, step by step; yields the size of each step in bytes."""


@frozen
class Encryption:
    """What a backup is encrypted with: age public keys, or a passphrase; never both."""

    recipients: Sequence[str] = ()
    passphrase: str | None = None

    @property
    def kind(self) -> str:
        """What decrypts the backup: `recipient` or `passphrase`."""
        return "recipient" if self.recipients else "passphrase"

    @property
    def suffix(self) -> str:
        """The file name suffix of such backups."""
        return ".zip.age" if self.recipients else ".age.zip"

    def check(self) -> None:
        """Raise `InvalidValue` if a recipient is not a public key."""
        _parse_recipients(self.recipients)


@frozen
class Decryption:
    """What decrypts a backup: the texts of age secret keys, or a passphrase."""

    identities: Sequence[str] = ()
    passphrase: str | None = None


class Encrypted:
    """Encrypts an archive, and can read it back to compare it with the plaintext.

    The key to read it back is generated for this purpose, and exists only in this object.
    """

    def __init__(self, encryption: Encryption) -> None:
        from pyrage import x25519

        self._encryption = encryption
        self._own = x25519.Identity.generate()
        self._sink = _Sink()

    def write(self, target: IO[bytes], produce: Produce, made_at: datetime) -> None:
        """Encrypt what `produce` writes; raises what producing and writing raise."""
        with closing(
            _GeneratorReader(self._sink, produce(cast("IO[bytes]", self._sink)))
        ) as source:
            self._write(source, target, made_at)

    def _write(self, source: _GeneratorReader, target: IO[bytes], made_at: datetime) -> None:
        if self._encryption.recipients:
            # Also to a key of its own, which is not kept, to check that the backup opens.
            recipients = [*_parse_recipients(self._encryption.recipients), self._own.to_public()]
            self._encrypt(source, target, recipients)
            return
        with zipfile.ZipFile(target, "w") as outer:
            for name, content in ((README, _TEXT), (LOCKED_KEY, self._make_locked_key())):
                with new_member(outer, name, mode=0o600, date=made_at) as member:
                    member.write(content)
            with new_member(outer, LOCKED, mode=0o600, date=made_at) as member:
                self._encrypt(source, member, [self._own.to_public()])

    def check(self, stream: IO[bytes]) -> None:
        """Decrypt the archive and compare the plaintext; raises `DamagedBackup`."""
        digest = _Digest()
        if self._encryption.recipients:
            _decrypt(stream, digest, [self._own])
        else:
            opened_with(stream, Decryption(passphrase=self._encryption.passphrase), digest)
        if digest.hexdigest() != self._sink.digest.hexdigest():
            raise DamagedBackup(
                "The backup on the disk differs from what was written, so it was deleted.",
                hint="Try again, or write the backup to another disk.",
            )

    def _encrypt(self, source: _GeneratorReader, target: Any, recipients: Any) -> None:  # noqa: ANN401 (the library's)
        import pyrage

        writer = _GuardedWriter(target)
        try:
            pyrage.encrypt_io(source, writer, recipients)
        except BaseException:
            # The library wraps exceptions raised by the streams: raise the original one.
            if (first := source.error or writer.error) is not None:
                raise first from None
            raise

    def _make_locked_key(self) -> bytes:
        from pyrage import passphrase

        text = f"# The key of this one backup.\n{self._own}\n"
        return bytes(passphrase.encrypt(text.encode(), self._encryption.passphrase or ""))


# --- opening --------------------------------------------------------------------------------------


def kind_of(stream: IO[bytes]) -> str | None:
    """Return how a file is encrypted: `recipient`, `passphrase`, or None if it is not.

    The stream is left at its beginning.
    """
    stream.seek(0)
    beginning = stream.read(len(ARMORED))
    stream.seek(0)
    if beginning.startswith((BEGINNING, ARMORED)):
        return "recipient"
    try:
        with zipfile.ZipFile(stream) as outer:
            names = outer.namelist()
    except Exception:  # noqa: BLE001 -- The code that reads it as a backup reports the problem.
        return None
    finally:
        stream.seek(0)
    return "passphrase" if {LOCKED_KEY, LOCKED} <= set(names) else None


def opened_with(stream: IO[bytes], decryption: Decryption, target: Any) -> None:  # noqa: ANN401 (whatever writes)
    """Decrypt a file to a target with a `write` method; raises `BackupLocked`, `DamagedBackup`."""
    if kind_of(stream) == "recipient":
        _decrypt(stream, target, _parse_identities(decryption.identities))
        return
    with zipfile.ZipFile(stream) as outer:
        try:
            with outer.open(LOCKED_KEY) as locked:
                key = locked.read(_MAX_KEY_BYTES)
            identities = _parse_identities([_unlock_key(key, decryption.passphrase or "")])
            with outer.open(LOCKED) as member:
                _decrypt(member, target, identities)
        except (zipfile.BadZipFile, RuntimeError, ValueError, EOFError, KeyError):
            raise _damaged_error() from None


def _decrypt(stream: Any, target: Any, identities: Any) -> None:  # noqa: ANN401 (the library's)
    import pyrage

    writer = _GuardedWriter(target)
    try:
        pyrage.decrypt_io(_ReadOnly(stream), writer, identities)
    except (pyrage.DecryptError, OSError) as error:
        if writer.error is not None:
            raise writer.error from None
        if "No matching keys" in str(error):
            raise _locked_error("it is encrypted for another key than the one given") from None
        raise _damaged_error() from None


def _unlock_key(key: bytes, passphrase: str) -> str:
    import pyrage

    # Earlier versions took a byte order mark at the beginning of a passphrase file as part of it.
    for candidate in (passphrase, f"\ufeff{passphrase}"):
        with suppress(pyrage.DecryptError):
            return bytes(pyrage.passphrase.decrypt(key, candidate)).decode("ascii", "replace")
    raise _locked_error("the passphrase is wrong")


def _parse_recipients(texts: Sequence[str]) -> list[x25519.Recipient]:
    import pyrage

    try:
        return [pyrage.x25519.Recipient.from_str(text.strip()) for text in texts]
    except pyrage.RecipientError:
        raise InvalidValue(
            "A recipient is not a public key of age.",
            hint="A public key begins with age1. `age-keygen` makes one, with the secret key"
            " for it.",
        ) from None


def _parse_identities(texts: Sequence[str]) -> list[x25519.Identity]:
    """Parse files of secret keys, as `age-keygen` writes them; raises `BackupLocked`."""
    import pyrage

    lines = [line.strip() for text in texts for line in text.splitlines()]
    keys = [line for line in lines if line and not line.startswith("#")]
    try:
        identities = [pyrage.x25519.Identity.from_str(key) for key in keys]
    except pyrage.IdentityError:
        raise _locked_error("the file does not contain a secret key of age") from None
    if not identities:
        raise _locked_error("the file is empty")
    return identities


def _locked_error(why: str) -> BackupLocked:
    return BackupLocked(
        f"The backup cannot be decrypted: {why}.",
        hint=Hint(
            "Give the secret key with {an_identity}, or the passphrase with {a_passphrase_file}."
        ),
    )


def _damaged_error() -> DamagedBackup:
    return DamagedBackup(
        "The backup was changed after it was made: its encrypted part cannot be read.",
        hint="Nothing was restored. Use another backup, or another copy of this one.",
    )


# --- streams --------------------------------------------------------------------------------------


class _Sink(io.RawIOBase):
    """A buffer for what an archive's writer writes, until it is drained."""

    def __init__(self) -> None:
        super().__init__()
        self.digest = hashlib.sha256()
        self._chunks: list[bytes] = []

    def writable(self) -> bool:
        """Return True; the stream is not seekable."""
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 (a buffer)
        """Hash and keep a copy of the data."""
        chunk = bytes(data)
        self.digest.update(chunk)
        self._chunks.append(chunk)
        return len(chunk)

    def drain(self) -> bytes:
        """Return everything written since the last call."""
        content = b"".join(self._chunks)
        self._chunks.clear()
        return content


class _GeneratorReader:
    """A readable stream over an archive produced step by step; remembers an exception."""

    def __init__(self, sink: _Sink, steps: Generator[int, None, None]) -> None:
        self.error: BaseException | None = None
        self._sink = sink
        self._steps = steps
        self._content = io.BytesIO()

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes; empty at the end."""
        try:
            while not (chunk := self._content.read(size)):
                ended = next(self._steps, None) is None
                self._content = io.BytesIO(self._sink.drain())
                if ended:
                    return self._content.read(size)
        except BaseException as error:
            self.error = error
            raise
        return chunk

    def close(self) -> None:
        """Close the generator."""
        self._steps.close()


class _GuardedWriter:
    """Writes to a stream; remembers an exception."""

    def __init__(self, target: Any) -> None:  # noqa: ANN401 (whatever writes)
        self.error: BaseException | None = None
        self._target = target

    def write(self, data: bytes) -> int:
        """Write all of the data."""
        try:
            self._target.write(data)
        except BaseException as error:
            self.error = error
            raise
        return len(data)

    def flush(self) -> None:
        """Do nothing: the code that opened the stream flushes it."""


class _ReadOnly:
    """Reads from a stream, and hides its other methods from the library."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes."""
        return self._stream.read(size)


class _Digest:
    """A writable target that hashes the data."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Add data to the hash."""
        self._digest.update(data)
        return len(data)

    def hexdigest(self) -> str:
        """Return the SHA-256 of all data (hex)."""
        return self._digest.hexdigest()
