"""Check, by key id, whether the payout profile of a restored backup can be read.

A key that was rotated (`rotate-key`) or lost since does not affect the books: the backup is
restored all the same, and the missing key is reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from liveportal.domain.errors import LiveportalError
from liveportal.domain.frozen import frozen
from liveportal.ledger.secrets import key_store
from liveportal.ledger.storage.driver import Connection

RESTORED, KEPT = "restored", "kept"
_SEALED_BY = "SELECT sealed_by FROM fingerprint_key LIMIT 1"


def sealed_by(db: Connection) -> str | None:
    """Return the id of the key that a ledger's values are sealed with; None if none are."""
    row = db.execute(_SEALED_BY).fetchone()
    return row[0] if row else None


@frozen
class KeyFit:
    """Whether the key that a ledger needs is available.

    `state` is `restored` (the backup has it), `kept` (it is kept here already), the code of the
    `problem`, or None if no key is needed and the backup has none. `coming` are the keys in the
    backup, `there` those that are kept for the ledger now; `identities` are those identity keys in
    the backup that are not kept here yet.
    """

    state: str | None
    problem: LiveportalError | None = None
    coming: Mapping[str, bytes] = field(default_factory=dict)
    there: Mapping[str, bytes] = field(default_factory=dict)
    identities: Mapping[str, bytes] = field(default_factory=dict)


def compare(needed: str | None, text: str | None, kept: key_store.Keys) -> KeyFit:
    """Compare the key that a ledger needs with those in its backup (`text`) and those kept here.

    The keyring is asked. Nothing is raised: an error while reading a key becomes the `problem`.
    """
    if needed is None and text is None:
        return KeyFit(None)
    try:
        coming = key_store.parse_keys(text, "the backup") if text else {}
        there = kept.load()
        identities = key_store.parse_identities(text, "the backup") if text else {}
        known_identities = kept.identities() if identities else {}
    except LiveportalError as error:
        return KeyFit(error.code, error)
    known = {**there, **coming}
    if needed is not None and needed not in known:
        problem = (
            key_store.wrong_key(kept.file, needed, known)
            if known
            else key_store.no_key(kept.file, needed)
        )
        return KeyFit(problem.code, problem, coming, there, identities)
    new = {name: key for name, key in identities.items() if name not in known_identities}
    state = KEPT if coming.keys() <= there.keys() and not new else RESTORED
    return KeyFit(state, None, coming, there, new)


def put(fit: KeyFit, kept: key_store.Keys) -> KeyFit:
    """Add the keys of a backup to those that are kept; return the new state."""
    if fit.coming.keys() <= fit.there.keys() and not fit.identities:
        return fit
    try:
        kept.save({**fit.there, **fit.coming}, first=not fit.there, identities=fit.identities)
    except LiveportalError as error:
        return KeyFit(error.code, error)
    return fit


def key_in_backup(
    needed: str | None, kept: key_store.Keys, *, is_locked: bool, has_identity: bool
) -> tuple[str | None, str | None]:
    """Return the state of a ledger's key in a backup, and the key's text to put into it.

    The state is `included` if the backup `is_locked`, otherwise `left_out`; `in_keyring` if
    the key is there (the keyring is not asked); `wrong_key` or `key_not_found` if the kept keys are
    not the one that the ledger needs; None if nothing is sealed. Raises `UnsafeKey` if the key's
    text is needed and its file is not private.

    A backup that `is_locked` has the identity key wherever it is kept: nothing can replace it.
    """
    if needed is None:
        return None, _identity_text(kept) if has_identity and is_locked else None
    try:
        text = kept.in_file()
    except LiveportalError:
        if is_locked:
            raise
        return "left_out", None
    if text is None:
        state = "in_keyring" if key_store.keyring_is_on() else "key_not_found"
        text = _identity_text(kept) if has_identity and is_locked else None
        return (state if is_locked or state == "key_not_found" else "left_out"), text
    if needed not in key_store.parse_keys(text, str(kept.file)):
        return "wrong_key", text if is_locked else None
    return ("included", text) if is_locked else ("left_out", None)


def _identity_text(kept: key_store.Keys) -> str | None:
    """Return the stored text of the identity key; None if it is lost. The keyring is asked."""
    try:
        return key_store.format_identities(kept.identities()) or None
    except LiveportalError:
        return None


def has_identity(db: Connection) -> bool:
    """Return True if a ledger has an identity key."""
    return db.execute("SELECT 1 FROM identity_key").fetchone() is not None
