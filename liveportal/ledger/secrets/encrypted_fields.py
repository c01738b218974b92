"""Sealed values: the payout profile, encrypted in the ledger under a key that is stored elsewhere.

The cipher is AES-256-GCM. The place of a value (book, table and column, row, event, key) is
authenticated with it, so it cannot be decrypted in another row or ledger. Texts are padded to hide
their length.

The journal holds fingerprints instead of values: HMAC-SHA256 over field and text. They can prove
later which value was in force, and reveal nothing without the key.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from liveportal.domain.errors import DecryptionFailed, KeyNotFound, WrongKey
from liveportal.domain.hint import Hint
from liveportal.domain.profile.fields import FIELDS, Changes, Value
from liveportal.ledger import missing
from liveportal.ledger.secrets.key_store import Keys, keep_copy, key_id, new_key, no_key, wrong_key
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.tables import insert

NONCE_BYTES = 12
BLOCK_BYTES = 64
"""Texts are padded to a multiple of this, to hide the length of account numbers."""

_SEALING, _FINGERPRINTS = b"liveportal.sealing.v1", b"liveportal.fingerprints.v1"
_VALUE, _KEY = "sealed_value.body", "fingerprint_key.body"
_PADDING = b"\x80"

Marks = dict[str, str | None]
"""Fingerprints (hex) by field; None for a cleared field."""


class EncryptedFields:
    """The sealed values of a ledger, on a connection. Without `keep`, no new key is stored.

    All rows are sealed under one key. Methods that raise `KeyNotFound` (or its subclass `WrongKey`)
    or `DecryptionFailed` also raise what `Keys.load` raises.
    """

    def __init__(self, db: Connection, path: Path, *, keep: bool = True) -> None:
        self._db = db
        self._keep = keep
        first = db.execute("SELECT hash FROM event WHERE seq = 1").fetchone()
        self._book: bytes = first[0] if first else b""
        self._keys = Keys(path, self._book.hex())
        self._loaded: dict[str, bytes] = {}

    # --- reading ----------------------------------------------------------------------------------

    @property
    def is_imported(self) -> bool:
        """Whether some values must be entered again because an import could not restore them."""
        return bool(missing.noted_values(self._db))

    def values(self) -> dict[str, Value]:
        """Return the values in force, by field; raises `KeyNotFound`, `DecryptionFailed`."""
        texts = dict(self._db.execute("SELECT field, value FROM profile_fact").fetchall())
        texts |= {field: text.decode() for field, _, text in self._decrypted_values()}
        return {field: Value(field, texts[field]) for field in FIELDS if field in texts}

    def disproved(self, values: Mapping[str, Value]) -> list[str]:
        """Return the fields whose value does not match its fingerprint in the journal."""
        rows = self._db.execute(
            "SELECT field, facts ->> ('$.fingerprints.' || field) FROM ("
            "SELECT field, seq FROM profile_fact UNION ALL SELECT field, seq FROM sealed_value"
            ") JOIN event USING (seq) ORDER BY field"
        ).fetchall()
        keys = self._fingerprint_keys()
        return [
            field
            for field, fingerprint in rows
            if fingerprint and fingerprint not in {_fingerprint(key, values[field]) for key in keys}
        ]

    # --- changing ---------------------------------------------------------------------------------

    def ready(self, *, afresh: bool = False) -> None:
        """Load the keys before the ledger is locked, as a keyring may have to ask the user.

        With `afresh`, a damaged key is ignored. An imported ledger may share the keyring entry of
        the ledger that it was exported from, so the keys stored there must be kept.
        """
        with suppress(*[WrongKey] * afresh):
            if self.key_id is not None or self.is_imported:
                self._loaded = self._keys.load()

    def fingerprints(self, change: Changes, recorded: object = None) -> Marks:
        """Return the fingerprints of a change, None for cleared fields; inside its transaction.

        If an earlier key produces the `recorded` fingerprints, those are returned.
        """
        if self.key_id is None:
            self._adopt(new_key(), {})
        candidates = [_fingerprints(key, change) for key in self._fingerprint_keys()]
        return next((marks for marks in candidates if marks == recorded), candidates[0])

    def forget(self) -> None:
        """Delete all values and fingerprint keys; works without the key, too."""
        for table in ("sealed_value", "profile_fact", "fingerprint_key", "missing_value"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 (our own tables)

    def put(self, seq: int, change: Changes) -> None:
        """Store the values that an event sets and delete those it clears; in its transaction."""
        replaced = [(field,) for field in (*change.cleared, *change.values)]
        self._db.executemany("DELETE FROM sealed_value WHERE field = ?", replaced)
        self._db.executemany("DELETE FROM profile_fact WHERE field = ?", replaced)
        missing.entered(self._db, change.event_fields)
        for field, value in change.values.items():
            if FIELDS[field].sealed:
                self._insert_sealed(field, seq, value.plain.encode())
            else:
                self._db.execute(insert("profile_fact"), (field, seq, value.plain))

    def keep_copy(self, path: Path) -> bool:
        """Write the current key to a new file; return False in a dry run, which writes none.

        Raises `KeyNotFound`, `KeyFileExists`, `OutputFailed`.
        """
        if self.key_id is None:
            raise _nothing_sealed()
        key = self._key(self.key_id)
        if self._keep:
            keep_copy(path, {self.key_id: key})
        return self._keep

    def rotate(self) -> int:
        """Seal all values under a new key, inside a transaction; return the number of values.

        Both keys are stored until `prune` is called, which must happen after the commit: if
        anything fails in between, one of them still opens the values. Raises `KeyNotFound`, also
        if nothing is sealed.
        """
        if self.key_id is None:
            raise _nothing_sealed()
        texts = self._decrypted_values()
        older = self._decrypted_keys()
        self._db.execute("DELETE FROM sealed_value")
        self._db.execute("DELETE FROM fingerprint_key")
        self._adopt(new_key(), older)
        for field, seq, text in texts:
            self._insert_sealed(field, seq, text)
        return len(texts)

    def prune(self) -> str | None:
        """Store only the current key; return its place: `keyring`, or a file's path.

        Returns None in a dry run. Must run in its own transaction, so that no other process changes
        the keys meanwhile.
        """
        name = self.key_id
        if not self._keep or name is None:
            return None
        return self._keys.save({name: self._key(name)}, first=False)

    # --- rows -------------------------------------------------------------------------------------

    def _decrypted_values(self) -> list[tuple[str, int, bytes]]:
        rows = self._db.execute(
            "SELECT field, seq, key_id, nonce, body FROM sealed_value ORDER BY field"
        ).fetchall()
        return [
            (field, seq, self._decrypt(sealed, _VALUE, field, seq)) for field, seq, *sealed in rows
        ]

    def _decrypted_keys(self) -> dict[str, bytes]:
        """Return the fingerprint keys by the id of the key that each was derived from."""
        rows = self._db.execute(
            "SELECT key_id, sealed_by, nonce, body FROM fingerprint_key ORDER BY key_id"
        ).fetchall()
        return {name: self._decrypt(sealed, _KEY, name, 0) for name, *sealed in rows}

    def _fingerprint_keys(self) -> list[bytes]:
        """Return the fingerprint keys, the current one first."""
        keys = self._decrypted_keys()
        current = keys.pop(self.key_id or "", None)
        return [*([current] if current else []), *keys.values()]

    def _insert_sealed(self, field: str, seq: int, text: bytes) -> None:
        self._db.execute(
            insert("sealed_value"), (field, seq, *self._encrypt(text, _VALUE, field, seq))
        )

    def _adopt(self, key: bytes, older: Mapping[str, bytes]) -> None:
        """Make a key the current one. It is stored first, beside the key that it replaces."""
        name = key_id(key)
        if self._keep:
            self._keys.save({**self._loaded, name: key}, first=not self._loaded)
        self._loaded[name] = key
        for row_id, text in {**older, name: _derive_key(key, _FINGERPRINTS)}.items():
            sealed = self._encrypt(text, _KEY, row_id, 0, by=name)
            self._db.execute(insert("fingerprint_key"), (row_id, *sealed))

    # --- cipher -----------------------------------------------------------------------------------

    @property
    def key_id(self) -> str | None:
        """The id of the current key; None if nothing was ever sealed."""
        row = self._db.execute("SELECT sealed_by FROM fingerprint_key LIMIT 1").fetchone()
        return row[0] if row else None

    def _key(self, name: str) -> bytes:
        if name not in self._loaded:  # Not loaded yet, or changed by another process.
            self._loaded = self._keys.load()
        if name in self._loaded:
            return self._loaded[name]
        if self._loaded:
            raise wrong_key(self._keys.file, name, self._loaded)
        raise no_key(self._keys.file, name)

    def _encrypt(
        self, text: bytes, column: str, row: str, seq: int, *, by: str | None = None
    ) -> tuple[str, bytes, bytes]:
        """Encrypt a text; return the key's id, the nonce and the sealed bytes."""
        name = by or str(self.key_id)
        nonce = os.urandom(NONCE_BYTES)
        padded = text + _PADDING + bytes(-(len(text) + 1) % BLOCK_BYTES)
        context = self._context(column, row, seq, name)
        return name, nonce, _cipher(self._key(name)).encrypt(nonce, padded, context)

    def _decrypt(self, sealed: Sequence[Any], column: str, row: str, seq: int) -> bytes:
        from cryptography.exceptions import InvalidTag

        name, nonce, body = sealed
        cipher = _cipher(self._key(name))
        try:
            padded: bytes = cipher.decrypt(nonce, body, self._context(column, row, seq, name))
        except (InvalidTag, ValueError):  # ValueError: a nonce of the wrong length.
            raise DecryptionFailed(
                f"The encrypted value of {row} cannot be decrypted: it was changed or moved.",
                hint=Hint("Restore a backup, or {enter_the_profile_again}."),
                field=row,
            ) from None
        return padded.rstrip(b"\0").removesuffix(_PADDING)

    def _context(self, column: str, row: str, seq: int, name: str) -> bytes:
        parts = (self._book, column.encode(), row.encode(), b"%d" % seq, name.encode())
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _nothing_sealed() -> KeyNotFound:
    return KeyNotFound(
        "Nothing is encrypted in this ledger, so it has no key.",
        hint=Hint("A key is made when you first use {setting_the_profile}."),
    )


def _cipher(key: bytes) -> Any:  # noqa: ANN401 (its library is imported only here)
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(_derive_key(key, _SEALING))


def _derive_key(key: bytes, purpose: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), len(key), salt=None, info=purpose).derive(key)


def _fingerprints(key: bytes, change: Changes) -> Marks:
    return {
        name: _fingerprint(key, change.values[name]) if name in change.values else None
        for name in change.event_fields
    }


def _fingerprint(key: bytes, value: Value) -> str:
    field = value.field.encode()
    message = len(field).to_bytes(4, "big") + field + value.plain.encode()
    return hmac.digest(key, message, "sha256").hex()
