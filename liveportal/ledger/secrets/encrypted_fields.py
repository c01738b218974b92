"""Sealed values: the payout profile, encrypted in the ledger under a key that lies elsewhere.

AES-256-GCM. What a value is bound to (the book, the table and column, the row, the event, the key)
is authenticated with it: moved to another row or ledger it does not open. Texts are padded, so that
none tells its length.

The journal has fingerprints instead of values: HMAC-SHA256 over field and text. They prove later
which value was in force, and tell nothing to whoever lacks the key.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from liveportal.domain.errors import KeyNotFound, SealBroken, WrongKey
from liveportal.domain.profile.fields import FIELDS, Changes, Value
from liveportal.ledger import missing
from liveportal.ledger.secrets.key_store import Keys, keep_copy, key_id, new_key, no_key, wrong_key
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.sql import INSERT

NONCE_BYTES = 12
BLOCK_BYTES = 64
"""Texts are padded to a multiple of it: no account number is told by its length."""

_SEALING, _FINGERPRINTS = b"liveportal.sealing.v1", b"liveportal.fingerprints.v1"
_VALUE, _KEY = "sealed_value.body", "fingerprint_key.body"
_PADDING = b"\x80"

Marks = dict[str, str | None]
"""Fingerprints by field, in hex; None for a field that is cleared."""


class EncryptedFields:
    """The sealed values of a ledger, on a connection. Without `keep` no new key is kept either.

    All rows are sealed under one key. What raises `KeyNotFound` (`WrongKey` is one) or `SealBroken`
    raises what `Keys.load` does, too.
    """

    def __init__(self, db: Connection, path: Path, *, keep: bool = True) -> None:
        self._db = db
        self._keep = keep
        first = db.execute("SELECT hash FROM event WHERE seq = 1").fetchone()
        self._book: bytes = first[0] if first else b""
        self._keys = Keys(path, self._book.hex())
        self._loaded: dict[str, bytes] = {}

    # --- what there is ----------------------------------------------------------------------------

    @property
    def is_imported(self) -> bool:
        """Whether values are to be entered again that an import could not bring."""
        return bool(missing.noted_values(self._db))

    def values(self) -> dict[str, Value]:
        """Return the values in force, by field; raises `KeyNotFound`, `SealBroken`."""
        found = dict(self._db.execute("SELECT field, value FROM profile_fact").fetchall())
        found |= {field: text.decode() for field, _, text in self._opened_values()}
        return {field: Value(field, found[field]) for field in FIELDS if field in found}

    def disproved(self, values: Mapping[str, Value]) -> list[str]:
        """Return the fields whose value is not the one that the journal tells of."""
        told = self._db.execute(
            "SELECT field, facts ->> ('$.fingerprints.' || field) FROM ("
            "SELECT field, seq FROM profile_fact UNION ALL SELECT field, seq FROM sealed_value"
            ") JOIN event USING (seq) ORDER BY field"
        ).fetchall()
        keys = self._fingerprint_keys()
        return [
            field
            for field, mark in told
            if mark and mark not in {_mark(key, values[field]) for key in keys}
        ]

    # --- changing it ------------------------------------------------------------------------------

    def ready(self, *, afresh: bool = False) -> None:
        """Look for the key before the ledger is locked: a keyring may have to ask its owner.

        Who begins `afresh` may have one that is damaged. An imported ledger can have the name of
        the ledger that it came from in the keyring: the key that is there must stay.
        """
        with suppress(*[WrongKey] * afresh):
            if self.key_id is not None or self.is_imported:
                self._loaded = self._keys.load()

    def fingerprints(self, change: Changes, recorded: object = None) -> Marks:
        """Return the fingerprints of a change, None for what it clears; inside its transaction.

        They are those that were `recorded`, if that was under a key of before.
        """
        if self.key_id is None:
            self._adopt(new_key(), {})
        made = [_marks(key, change) for key in self._fingerprint_keys()]
        return next((marks for marks in made if marks == recorded), made[0])

    def forget(self) -> None:
        """Drop every value and every key of fingerprints, also where no key opens them any more."""
        for table in ("sealed_value", "profile_fact", "fingerprint_key", "missing_value"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 (a table is ours)

    def put(self, seq: int, change: Changes) -> None:
        """Seal what an event sets, and remove what it clears; inside its transaction."""
        gone = [(field,) for field in (*change.cleared, *change.values)]
        self._db.executemany("DELETE FROM sealed_value WHERE field = ?", gone)
        self._db.executemany("DELETE FROM profile_fact WHERE field = ?", gone)
        missing.entered(self._db, change.told)
        for field, value in change.values.items():
            if FIELDS[field].sealed:
                self._seal(field, seq, value.plain.encode())
            else:
                self._db.execute(INSERT["profile_fact"], (field, seq, value.plain))

    def keep_copy(self, path: Path) -> bool:
        """Write the key in use to a new file; return False in a dry run, which makes none.

        Raises `KeyNotFound`, `KeyFileExists`, `OutputFailed`.
        """
        if self.key_id is None:
            raise _nothing_sealed()
        key = self._key(self.key_id)
        if self._keep:
            keep_copy(path, {self.key_id: key})
        return self._keep

    def rotate(self) -> int:
        """Seal everything under a new key, inside a transaction; return how many values there are.

        Both keys are kept until `prune` is called, which must be after the commit: whatever happens
        between, one of them opens what is there. Raises `KeyNotFound` also where nothing is sealed.
        """
        if self.key_id is None:
            raise _nothing_sealed()
        texts = self._opened_values()
        older = self._opened_keys()
        self._db.execute("DELETE FROM sealed_value")
        self._db.execute("DELETE FROM fingerprint_key")
        self._adopt(new_key(), older)
        for field, seq, text in texts:
            self._seal(field, seq, text)
        return len(texts)

    def prune(self) -> str | None:
        """Keep the key in use only; return where: `keyring`, or a file's path. None in a dry run.

        In a transaction of its own, so that nobody changes keys meanwhile.
        """
        name = self.key_id
        if not self._keep or name is None:
            return None
        return self._keys.save({name: self._key(name)}, first=False)

    # --- rows -------------------------------------------------------------------------------------

    def _opened_values(self) -> list[tuple[str, int, bytes]]:
        rows = self._db.execute(
            "SELECT field, seq, key_id, nonce, body FROM sealed_value ORDER BY field"
        ).fetchall()
        return [
            (field, seq, self._open(sealed, _VALUE, field, seq)) for field, seq, *sealed in rows
        ]

    def _opened_keys(self) -> dict[str, bytes]:
        """Return the keys of fingerprints by the key that each was derived from."""
        rows = self._db.execute(
            "SELECT key_id, sealed_by, nonce, body FROM fingerprint_key ORDER BY key_id"
        ).fetchall()
        return {name: self._open(sealed, _KEY, name, 0) for name, *sealed in rows}

    def _fingerprint_keys(self) -> list[bytes]:
        """Return the keys of fingerprints, that of today first."""
        found = self._opened_keys()
        today = found.pop(self.key_id or "", None)
        return [*([today] if today else []), *found.values()]

    def _seal(self, field: str, seq: int, text: bytes) -> None:
        self._db.execute(
            INSERT["sealed_value"], (field, seq, *self._shut(text, _VALUE, field, seq))
        )

    def _adopt(self, key: bytes, older: Mapping[str, bytes]) -> None:
        """Make a key that of the book: first it is kept, beside the one that it replaces."""
        name = key_id(key)
        if self._keep:
            self._keys.save({**self._loaded, name: key}, first=not self._loaded)
        self._loaded[name] = key
        for each, text in {**older, name: _derived(key, _FINGERPRINTS)}.items():
            sealed = self._shut(text, _KEY, each, 0, by=name)
            self._db.execute(INSERT["fingerprint_key"], (each, *sealed))

    # --- sealing ----------------------------------------------------------------------------------

    @property
    def key_id(self) -> str | None:
        """The id of the key in use; None where nothing was ever sealed."""
        row = self._db.execute("SELECT sealed_by FROM fingerprint_key LIMIT 1").fetchone()
        return row[0] if row else None

    def _key(self, name: str) -> bytes:
        if name not in self._loaded:  # Not yet looked for, or changed by somebody else meanwhile.
            self._loaded = self._keys.load()
        if name in self._loaded:
            return self._loaded[name]
        if self._loaded:
            raise wrong_key(self._keys.file, name, self._loaded)
        raise no_key(self._keys.file, name)

    def _shut(
        self, text: bytes, column: str, row: str, seq: int, *, by: str | None = None
    ) -> tuple[str, bytes, bytes]:
        """Return what is stored of a text: the key's id, the nonce and the sealed bytes."""
        name = by or str(self.key_id)
        nonce = os.urandom(NONCE_BYTES)
        padded = text + _PADDING + bytes(-(len(text) + 1) % BLOCK_BYTES)
        bound = self._bound(column, row, seq, name)
        return name, nonce, _cipher(self._key(name)).encrypt(nonce, padded, bound)

    def _open(self, sealed: Sequence[Any], column: str, row: str, seq: int) -> bytes:
        from cryptography.exceptions import InvalidTag

        name, nonce, body = sealed
        cipher = _cipher(self._key(name))
        try:
            padded: bytes = cipher.decrypt(nonce, body, self._bound(column, row, seq, name))
        except (InvalidTag, ValueError):  # A nonce of another length.
            raise SealBroken(
                f"the sealed value of {row} does not open: it was changed, or is not of this place",
                hint="Restore a backup, or enter the profile anew with"
                " `liveportal payout profile set --start-over`.",
                field=row,
            ) from None
        return padded.rstrip(b"\0").removesuffix(_PADDING)

    def _bound(self, column: str, row: str, seq: int, name: str) -> bytes:
        parts = (self._book, column.encode(), row.encode(), b"%d" % seq, name.encode())
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _nothing_sealed() -> KeyNotFound:
    return KeyNotFound("nothing is sealed in this ledger: there is no key to change")


def _cipher(key: bytes) -> Any:  # noqa: ANN401 (of a library that is imported here only)
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(_derived(key, _SEALING))


def _derived(key: bytes, purpose: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), len(key), salt=None, info=purpose).derive(key)


def _marks(key: bytes, change: Changes) -> Marks:
    return {
        name: _mark(key, change.values[name]) if name in change.values else None
        for name in change.told
    }


def _mark(key: bytes, value: Value) -> str:
    field = value.field.encode()
    said = len(field).to_bytes(4, "big") + field + value.plain.encode()
    return hmac.digest(key, said, "sha256").hex()
