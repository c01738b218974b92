"""Encryption in the age format (age-encryption.org), by the library pyrage.

An archive is encrypted to public keys, as a stream, so that its plain text lies nowhere. A
passphrase cannot be streamed to: it locks a key that is made for this one backup, and the archive
is encrypted to that key. Both lie in one ZIP archive, from which the `age` tool opens them, too:

    key.age          the key, locked with the passphrase: age -d -i key.age backup.zip.age
    backup.zip.age   the backup
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, cast

from liveportal.domain.errors import BackupLocked, DamagedBackup, InvalidValue
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
_LARGEST_KEY = 10_000

Produce = Callable[[IO[bytes]], Generator[int, None, None]]
"""Writes an archive to a stream, step by step."""


@dataclass(frozen=True, slots=True)
class Encryption:
    """What a backup is encrypted to: public keys of age, or a passphrase; never both."""

    recipients: Sequence[str] = ()
    passphrase: str | None = None

    @property
    def kind(self) -> str:
        """What opens it: `recipient`, or `passphrase`."""
        return "recipient" if self.recipients else "passphrase"

    @property
    def suffix(self) -> str:
        """How the names of such backups end."""
        return ".zip.age" if self.recipients else ".age.zip"

    def check(self) -> None:
        """Raise `InvalidValue` for what is no public key."""
        _public(self.recipients)


@dataclass(frozen=True, slots=True)
class Decryption:
    """What may open a backup: the texts of secret keys of age, or a passphrase."""

    identities: Sequence[str] = ()
    passphrase: str | None = None


class Encrypted:
    """An archive that was encrypted, and what its plain text was; it can be read back.

    The key to read it back is made for it and kept in this object only.
    """

    def __init__(self, lock: Encryption) -> None:
        from pyrage import x25519

        self._lock = lock
        self._own = x25519.Identity.generate()
        self._sink = _Sink()

    def write(self, target: IO[bytes], produce: Produce, made_at: datetime) -> None:
        """Encrypt what is produced; raises what producing it and writing it raise."""
        with closing(_Pulled(self._sink, produce(cast("IO[bytes]", self._sink)))) as pulled:
            self._write(pulled, target, made_at)

    def _write(self, pulled: _Pulled, target: IO[bytes], made_at: datetime) -> None:
        if self._lock.recipients:
            # To its own key besides, which nobody keeps: to prove that it opens.
            recipients = [*_public(self._lock.recipients), self._own.to_public()]
            self._encrypt(pulled, target, recipients)
            return
        with zipfile.ZipFile(target, "w") as outer:
            for name, content in ((README, _TEXT), (LOCKED_KEY, self._locked_key())):
                with new_member(outer, name, mode=0o600, date=made_at) as member:
                    member.write(content)
            with new_member(outer, LOCKED, mode=0o600, date=made_at) as member:
                self._encrypt(pulled, member, [self._own.to_public()])

    def check(self, stream: IO[bytes]) -> None:
        """Decrypt it, and compare the plain text; raises `DamagedBackup`."""
        digest = _Digest()
        if self._lock.recipients:
            _decrypt(stream, digest, [self._own])
        else:
            opened_with(stream, Decryption(passphrase=self._lock.passphrase), digest)
        if digest.hexdigest() != self._sink.digest.hexdigest():
            raise DamagedBackup("what was read back is not what was written")

    def _encrypt(self, pulled: _Pulled, target: Any, recipients: Any) -> None:  # noqa: ANN401 (the library's)
        import pyrage

        guarded = _Guarded(target)
        try:
            pyrage.encrypt_io(pulled, guarded, recipients)
        except BaseException:
            # The library wraps what is raised within it; what it was is what counts.
            if (first := pulled.error or guarded.error) is not None:
                raise first from None
            raise

    def _locked_key(self) -> bytes:
        from pyrage import passphrase

        text = f"# The key of this one backup.\n{self._own}\n"
        return bytes(passphrase.encrypt(text.encode(), self._lock.passphrase or ""))


# --- opening --------------------------------------------------------------------------------------


def kind_of(stream: IO[bytes]) -> str | None:
    """Return what opens a file, as its beginning says: `recipient`, `passphrase`; None: nothing.

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
    except Exception:  # noqa: BLE001 -- Whatever it is, it is judged where it is read as a backup.
        return None
    finally:
        stream.seek(0)
    return "passphrase" if {LOCKED_KEY, LOCKED} <= set(names) else None


def opened_with(stream: IO[bytes], opener: Decryption, target: Any) -> None:  # noqa: ANN401 (whatever writes)
    """Decrypt a file to what has `write`; raises `BackupLocked`, `DamagedBackup`."""
    if kind_of(stream) == "recipient":
        _decrypt(stream, target, _secret(opener.identities))
        return
    with zipfile.ZipFile(stream) as outer:
        try:
            with outer.open(LOCKED_KEY) as locked:
                key = locked.read(_LARGEST_KEY)
            identities = _secret([_unlocked(key, opener.passphrase or "")])
            with outer.open(LOCKED) as member:
                _decrypt(member, target, identities)
        except (zipfile.BadZipFile, RuntimeError, ValueError, EOFError, KeyError):
            raise _broken() from None


def _decrypt(stream: Any, target: Any, identities: Any) -> None:  # noqa: ANN401 (the library's)
    import pyrage

    guarded = _Guarded(target)
    try:
        pyrage.decrypt_io(_Readable(stream), guarded, identities)
    except (pyrage.DecryptError, OSError) as error:
        if guarded.error is not None:
            raise guarded.error from None
        if "No matching keys" in str(error):
            raise _locked("the key given is not the one that it is encrypted to") from None
        raise _broken() from None


def _unlocked(key: bytes, passphrase: str) -> str:
    import pyrage

    # Once a byte order mark at the beginning of a passphrase file was taken for a part of it.
    for given in (passphrase, f"\ufeff{passphrase}"):
        with suppress(pyrage.DecryptError):
            return bytes(pyrage.passphrase.decrypt(key, given)).decode("ascii", "replace")
    raise _locked("the passphrase is not the one that it is locked with")


def _public(texts: Sequence[str]) -> list[x25519.Recipient]:
    import pyrage

    try:
        return [pyrage.x25519.Recipient.from_str(each.strip()) for each in texts]
    except pyrage.RecipientError:
        raise InvalidValue(
            "a recipient is not a public key of age",
            hint="It begins with age1; `age-keygen` makes one, and the secret key that opens it.",
        ) from None


def _secret(texts: Sequence[str]) -> list[x25519.Identity]:
    """Read files of secret keys, as `age-keygen` writes them; raises `BackupLocked`."""
    import pyrage

    lines = [line.strip() for text in texts for line in text.splitlines()]
    keys = [line for line in lines if line and not line.startswith("#")]
    try:
        found = [pyrage.x25519.Identity.from_str(each) for each in keys]
    except pyrage.IdentityError:
        raise _locked("what was given is no secret key of age") from None
    if not found:
        raise _locked("no secret key was given")
    return found


def _locked(why: str) -> BackupLocked:
    return BackupLocked(
        f"the backup does not open: {why}",
        hint="--identity FILE names the secret key, --passphrase-file FILE the passphrase.",
    )


def _broken() -> DamagedBackup:
    return DamagedBackup(
        "the backup is not what was written: what is encrypted does not open",
        hint="Nothing was changed. Take another backup, or another copy of this one.",
    )


# --- streams --------------------------------------------------------------------------------------


class _Sink(io.RawIOBase):
    """Takes what an archive's writer writes, until it is pulled out of it again."""

    def __init__(self) -> None:
        super().__init__()
        self.digest = hashlib.sha256()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """It is; but nobody can go back in it."""
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 (a buffer)
        """Keep a copy."""
        part = bytes(data)
        self.digest.update(part)
        self._parts.append(part)
        return len(part)

    def taken(self) -> bytes:
        """Return all that was written since."""
        content = b"".join(self._parts)
        self._parts.clear()
        return content


class _Pulled:
    """Reads what is produced step by step; remembers what went wrong."""

    def __init__(self, sink: _Sink, steps: Generator[int, None, None]) -> None:
        self.error: BaseException | None = None
        self._sink = sink
        self._steps = steps
        self._content = io.BytesIO()

    def read(self, size: int = -1) -> bytes:
        """Return some bytes; none at the end."""
        try:
            while not (chunk := self._content.read(size)):
                ended = next(self._steps, None) is None
                self._content = io.BytesIO(self._sink.taken())
                if ended:
                    return self._content.read(size)
        except BaseException as error:
            self.error = error
            raise
        return chunk

    def close(self) -> None:
        """Let what is produced come to its end, wherever it is."""
        self._steps.close()


class _Guarded:
    """Writes to a stream; remembers what went wrong."""

    def __init__(self, target: Any) -> None:  # noqa: ANN401 (whatever writes)
        self.error: BaseException | None = None
        self._target = target

    def write(self, data: bytes) -> int:
        """Write all of it."""
        try:
            self._target.write(data)
        except BaseException as error:
            self.error = error
            raise
        return len(data)

    def flush(self) -> None:
        """Do nothing: whoever opened the stream settles it."""


class _Readable:
    """Reads from a stream, and from nothing else that it has."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """Return some bytes."""
        return self._stream.read(size)


class _Digest:
    """Hashes what is written to it."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Take it in."""
        self._digest.update(data)
        return len(data)

    def hexdigest(self) -> str:
        """Return the SHA-256 of all of it (hex)."""
        return self._digest.hexdigest()
