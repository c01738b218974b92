"""The identity key of a book: it makes fingerprints that stay the same for as long as the book.

A fingerprint names an account or a customer without revealing it, so it must never change: the key
is made once, with the first fingerprint, and no command changes it. It is stored beside the book's
key (`key_store`), carried by encrypted backups and by `ledger export events`, and taken over by
`ledger import`. The ledger holds only its id.
"""

from __future__ import annotations

import hmac
from pathlib import Path

from liveportal.domain.errors import KeyNotFound, LiveportalError
from liveportal.domain.hint import Hint
from liveportal.ledger.secrets.key_store import Keys, identity_id, new_key
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.tables import insert

FINGERPRINT_DIGITS = 32
"""Hex digits, or 128 bits: enough to be unique, and short enough for an id."""


class IdentityKey:
    """The identity key of a ledger, on a connection. Without `keep`, nothing is stored.

    `beside` is the ledger's path, beside which keys are stored.
    """

    def __init__(self, db: Connection, beside: Path, *, keep: bool = True) -> None:
        first = db.execute("SELECT hash FROM event WHERE seq = 1").fetchone()
        self._db = db
        self._keep = keep
        self._keys = Keys(beside, first[0].hex() if first else "")
        self._key: bytes | None = None

    @property
    def id(self) -> str | None:
        """The id of the key; None before the first fingerprint."""
        row = self._db.execute("SELECT key_id FROM identity_key").fetchone()
        return row[0] if row else None

    @property
    def key(self) -> bytes | None:
        """The key, if a fingerprint was made with it."""
        return self._key

    def fingerprint(self, text: str) -> str:
        """Return the fingerprint of a text, 32 hex digits; the first one makes the key.

        To be called inside a write transaction, or without `keep`. Raises `KeyNotFound` if the key
        was lost, `UnsafeKey`, `WrongKey`, `KeyringUnavailable`.
        """
        if self._key is None:
            self._key = self.load() or self._make()
        digest = hmac.digest(self._key, b"liveportal.identity.v1\0" + text.encode(), "sha256")
        return digest.hex()[:FINGERPRINT_DIGITS]

    def load(self) -> bytes | None:
        """Return the key; None before the first fingerprint. Raises as `fingerprint` does."""
        name = self.id
        if name is None:
            return None
        key = self._keys.identities().get(name)
        if key is None:
            raise KeyNotFound(
                f"The identity key of this ledger ({name}) is not there: neither in"
                f" {self._keys.file}, nor in the system's keyring.",
                hint=Hint(
                    "Nothing was recorded. {An_import} of an export of this ledger puts the key"
                    " back, and so does restoring an encrypted backup."
                ),
                path=str(self._keys.file),
                needed=name,
            )
        return key

    def adopt(self, key: bytes) -> bool:
        """Take over the key of an export, unless there is another one; inside a transaction.

        Returns whether it is the ledger's key now. Raises what storing a key raises.
        """
        if (name := self.id) is not None and name != identity_id(key):
            return False
        if self._keep:
            self._keys.add_identity(key)
            if name is None:
                self._db.execute(insert("identity_key"), (identity_id(key),))
        self._key = key
        return True

    def _make(self) -> bytes:
        """Make the key, or take the one that is stored already for a copy of this book."""
        key = next(reversed(self._keys.identities().values()), None) or new_key()
        self.adopt(key)
        return key


def carried(db: Connection, beside: Path) -> bytes | None:
    """Return the identity key to put into an export; None if it was never made, or is lost."""
    try:
        return IdentityKey(db, beside).load()
    except LiveportalError:
        return None
