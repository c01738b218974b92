"""Stores the keys of a book: in the system's keyring if available, else in a file by the ledger.

A book has one key, or two during a rotation, and perhaps an identity key (`identity`), which is
never changed; they are stored together, as one text.
`ledger.db.key` is readable only by its owner, never written through a link, and refused if others
may read it. The keyring needs the extra `keyring`; `LIVEPORTAL_KEYRING=off` disables it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shlex
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from liveportal.domain.errors import (
    KeyFileExists,
    KeyNotFound,
    KeyringUnavailable,
    UnsafeKey,
    WrongKey,
)
from liveportal.domain.hint import Hint
from liveportal.ledger.storage import atomic, ledger_paths

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

KEYRING_VARIABLE = "LIVEPORTAL_KEYRING"
SERVICE = "liveportal"
KEY_BYTES = 32
KEYRING_SECONDS = 15.0
"""The time limit for the keyring, which may have to ask the user for a password."""

_HEAD = """\
# The key to the sealed values of the ledger beside it. Without it they cannot be read, and with it
# anyone can: keep a copy, apart from the copies of the ledger.
"""
_OLD_HEAD = """\
# An earlier key, kept by rotate-key: for backups and copies of the ledger from before.
# To read the payout profile of one of them, add this line to the file ledger.db.key beside it.
"""
_MAX_FILE_BYTES = 10_000
_IDENTITY = "identity-"
"""The prefix of an identity key's id in the stored text."""


def new_key() -> bytes:
    """Return a new random key."""
    return os.urandom(KEY_BYTES)


def key_id(key: bytes) -> str:
    """Return the id of a key, stored with its sealed values; it reveals nothing about the key."""
    return hashlib.sha256(b"liveportal.key.v1" + key).hexdigest()[:16]


def identity_id(key: bytes) -> str:
    """Return the id of an identity key; it does not reveal the key."""
    return hashlib.sha256(b"liveportal.identity.v1" + key).hexdigest()[:16]


class Keys:
    """The key storage of a ledger; `book` identifies its entry in the keyring."""

    def __init__(self, ledger: Path, book: str) -> None:
        self.file = ledger_paths.beside(ledger, ledger_paths.KEY)
        self._book = book

    def load(self) -> dict[str, bytes]:
        """Return the stored keys by id; empty if there are none.

        Raises `UnsafeKey`, `WrongKey` if the content is not a key, `KeyringUnavailable`.
        """
        return self._read(parse_keys)

    def identities(self) -> dict[str, bytes]:
        """Return the stored identity keys by id; empty if there are none. Raises as `load` does."""
        return self._read(parse_identities)

    def _read(self, parse: Callable[[str, str], dict[str, bytes]]) -> dict[str, bytes]:
        text = _content(self.file)
        where = str(self.file)
        if text is None:
            where = "the keyring"
            text = _in_keyring(lambda ring: ring.get_password(SERVICE, self._book))
        return parse(text, where) if text else {}

    def in_file(self) -> str | None:
        """Return the key file's text, or None if it has no keys; the keyring is not read.

        Raises `UnsafeKey`, `WrongKey` if the content is not a key.
        """
        text = _content(self.file)
        where = str(self.file)
        return text if text and (parse_keys(text, where) or parse_identities(text, where)) else None

    def add_identity(self, key: bytes) -> None:
        """Store an identity key beside the keys that are stored. Raises as `save` does."""
        if identity_id(key) not in self.identities():
            keys = self.load()
            is_first = not keys and not self.identities()
            self.save(keys, first=is_first, identities={identity_id(key): key})

    def save(
        self,
        keys: Mapping[str, bytes],
        *,
        first: bool,
        identities: Mapping[str, bytes] | None = None,
    ) -> str:
        """Replace the stored keys with these; return the place: `keyring`, or the file's path.

        Identity keys are never replaced: `identities` are added to those that are stored. Keys
        stay where they are stored. The `first` keys of a book go to the keyring if it accepts
        them, else to the file. To be called inside a transaction. Raises `UnsafeKey`,
        `LedgerUnwritable`, `KeyringUnavailable`.
        """
        text = format_keys(keys) + format_identities(
            {**self._stored_identities(first=first), **(identities or {})}
        )
        if _content(self.file) is None and self._keep_in_keyring(text, first=first):
            return "keyring"
        self._write(_HEAD + text)
        return str(self.file)

    def _stored_identities(self, *, first: bool) -> dict[str, bytes]:
        """Return the stored identity keys; a first key needs no keyring, so it may be locked."""
        try:
            return self.identities()
        except KeyringUnavailable:
            if not first:
                raise
            return {}
        except WrongKey:
            return {}  # What is stored is not a key, and is replaced.

    def _keep_in_keyring(self, text: str, *, first: bool) -> bool:
        def keep(ring: KeyringBackend) -> bool:
            ring.set_password(SERVICE, self._book, text)
            return ring.get_password(SERVICE, self._book) == text

        try:
            return bool(_in_keyring(keep))
        except KeyringUnavailable:
            if not first:
                raise
            return False

    def _write(self, text: str) -> None:
        """Replace the file; the ledger is locked, so no other process is writing it."""
        with (
            atomic.translating_os_errors(self.file),
            atomic.replacing(self.file, locked=True) as file,
        ):
            file.write(text.encode("ascii"))


# --- the file ---------------------------------------------------------------------------------


def _content(file: Path) -> str | None:
    """Return the text of a key file, or None if it does not exist. Raises `UnsafeKey`."""
    try:
        stream = atomic.open_regular(file)
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        stream = None
    except OSError as error:
        problem = "is a link" if file.is_symlink() else f"cannot be read: {error.strerror}"
        raise _unsafe(file, problem) from None
    if stream is None:
        raise _unsafe(file, "is not a file")
    with stream:
        if atomic.is_open_to_others(os.fstat(stream.fileno()).st_mode):
            raise _unsafe(file, "may be read by others")
        return stream.read(_MAX_FILE_BYTES).decode("ascii", "replace")


def in_file(file: Path) -> tuple[str, ...] | None:
    """Return the ids of the keys in a key file, or None if it does not exist.

    Raises `UnsafeKey`, and `WrongKey` if the content is not a key.
    """
    text = _content(file)
    return None if text is None else tuple(parse_keys(text, str(file)))


def keyring_is_on() -> bool:
    """Return True if the system's keyring would be used, without accessing it."""
    if os.environ.get(KEYRING_VARIABLE, "").casefold() == "off":
        return False
    from importlib.util import find_spec

    return find_spec("keyring") is not None


def _unsafe(file: Path, problem: str) -> UnsafeKey:
    return UnsafeKey(
        f"The key file {file} {problem}.",
        hint="Make it a regular file that only you may read: chmod 600.",
        path=str(file),
    )


def format_keys(keys: Mapping[str, bytes]) -> str:
    """Return the stored text of keys, one per line."""
    return "".join(f"{name} {base64.b64encode(key).decode()}\n" for name, key in keys.items())


def keep_copy(path: Path, keys: Mapping[str, bytes]) -> None:
    """Write keys to a new file that only the owner can read, and sync it.

    Raises `KeyFileExists` if anything exists at the path, and `OutputFailed`.
    """
    try:
        with atomic.creating(path) as file:
            file.write((_OLD_HEAD + format_keys(keys)).encode("ascii"))
    except FileExistsError:
        raise KeyFileExists(
            f"A file already exists at {path}.",
            hint="A key never replaces a file. Choose another name.",
            path=str(path),
        ) from None
    except OSError as error:
        raise atomic.output_failed(path, error, undone="The key was not changed.") from None


def wrong_key(file: Path, wanted: str, stored: Iterable[str]) -> WrongKey:
    """Return the error for stored keys that do not include the one needed."""
    command = f"cat FILE >> {shlex.quote(str(file))}"
    if not file.exists():
        command = f"cp -p FILE {shlex.quote(str(file))}"
    ids = list(stored)
    return WrongKey(
        f"The payout profile is encrypted with the key {wanted}, but the stored key of this"
        f" ledger is {', '.join(ids)}.",
        hint=Hint(
            "Nothing is damaged. Add the right key, for example from the file of"
            " {rotating_the_key}: {command}. If the key is lost, {enter_it_again}.",
            command=command,
        ),
        needed=wanted,
        found=ids,
    )


def no_key(file: Path, wanted: str) -> KeyNotFound:
    """Return the error for a ledger whose key is not stored anywhere."""
    return KeyNotFound(
        f"The key of the encrypted values ({wanted}) is missing. It is neither in {file} nor in the"
        " system's keyring.",
        hint=Hint(
            "Put the key back from your copy. If it is lost, {enter_it_again}."
            f" {KEYRING_VARIABLE}=off hides the keyring."
        ),
        path=str(file),
        needed=wanted,
    )


def format_identities(keys: Mapping[str, bytes]) -> str:
    """Return the stored text of identity keys, one per line."""
    return format_keys({f"{_IDENTITY}{name}": key for name, key in keys.items()})


def parse_keys(text: str, where: str) -> dict[str, bytes]:
    """Parse the keys of a text by id; raises `WrongKey` if a line is not a key."""
    return _parse(text, where)[0]


def parse_identities(text: str, where: str) -> dict[str, bytes]:
    """Parse the identity keys of a text by id; raises `WrongKey` if a line is not a key."""
    return _parse(text, where)[1]


def _parse(text: str, where: str) -> tuple[dict[str, bytes], dict[str, bytes]]:
    keys: dict[str, bytes] = {}
    identities: dict[str, bytes] = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, _, encoded = line.partition(" ")
        is_identity = name.startswith(_IDENTITY)
        expected = identity_id if is_identity else key_id
        name = name.removeprefix(_IDENTITY)
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:  # Also raised for text that is not ASCII.
            key = b""
        if len(key) != KEY_BYTES or expected(key) != name:
            raise WrongKey(
                f"The content of {where} is not a key.",
                hint="Put the key back from your copy.",
            )
        (identities if is_identity else keys)[name] = key
    return keys, identities


# --- the keyring ------------------------------------------------------------------------------


def _in_keyring(ask: Callable[[KeyringBackend], T]) -> T | None:
    """Call `ask` with the system's keyring, or return None without one.

    Runs in a thread that is abandoned after `KEYRING_SECONDS`: a keyring is reached through a bus
    that may hang, even when it is only looked up. Raises `KeyringUnavailable`.
    """
    if os.environ.get(KEYRING_VARIABLE, "").casefold() == "off":
        return None
    answers: list[T | None] = []
    failures: list[str] = []

    def call() -> None:
        try:
            ring = _keyring()
            answers.append(None if ring is None else ask(ring))
        except Exception as error:  # noqa: BLE001 -- A backend may raise anything.
            failures.append(type(error).__name__)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(KEYRING_SECONDS)
    if answers:
        return answers[0]
    reason = failures[0] if failures else f"no answer in {KEYRING_SECONDS:.0f} seconds"
    raise KeyringUnavailable(
        f"The system's keyring cannot be used: {reason}.",
        hint=f"Unlock it and try again. {KEYRING_VARIABLE}=off runs without it.",
    )


def _keyring() -> KeyringBackend | None:
    """Return the configured keyring if it stores secrets securely, else None."""
    try:
        import keyring
        from keyring.backends.chainer import ChainerBackend
    except ImportError:
        return None
    ring = keyring.get_keyring()
    # The chainer would store a secret in any backend that accepts it, so choose one here.
    rings = ring.backends if isinstance(ring, ChainerBackend) else [ring]
    return next((backend for backend in rings if _keeps_secrets(backend)), None)


def _keeps_secrets(ring: KeyringBackend) -> bool:
    """Return True if a backend is a real keyring: not one that fails, forgets or stores plain text.

    A priority of 1 or more marks a backend that the `keyring` library recommends.
    """
    kind = type(ring)
    plain = kind.__module__.startswith(("keyring.backends.null", "keyring.backends.fail"))
    return not plain and "plaintext" not in kind.__name__.casefold() and ring.priority >= 1
