"""Whether the payout profile of a backup can be read where it is restored: its key, by the id.

A key that was changed (`rotate-key`) or lost since does no harm to the books: a backup is restored
all the same, and is told to lack its key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from liveportal.domain.errors import LiveportalError
from liveportal.ledger.secrets import key_store
from liveportal.ledger.storage.driver import Connection

RESTORED, KEPT = "restored", "kept"
_SEALED_BY = "SELECT sealed_by FROM fingerprint_key LIMIT 1"


def sealed_by(db: Connection) -> str | None:
    """Return the id of the key that a ledger is sealed with; None where nothing is sealed."""
    row = db.execute(_SEALED_BY).fetchone()
    return row[0] if row else None


@dataclass(frozen=True, slots=True)
class KeyFit:
    """Whether a key that is needed is there.

    `state` is `restored` (the backup has it), `kept` (it is there already), the code of the
    `problem`, or None where no key is needed and the backup has none. `coming` are the keys of the
    backup, `there` those that are kept for the ledger now.
    """

    state: str | None
    problem: LiveportalError | None = None
    coming: Mapping[str, bytes] = field(default_factory=dict)
    there: Mapping[str, bytes] = field(default_factory=dict)


def compare(needed: str | None, text: str | None, kept: key_store.Keys) -> KeyFit:
    """Compare the key that a ledger needs with those in its backup (a text) and those kept here.

    A keyring is asked. Nothing is raised: what keeps a key from being read is the `problem`.
    """
    if needed is None and text is None:
        return KeyFit(None)
    try:
        coming = key_store.parsed(text, "the backup") if text else {}
        there = kept.load()
    except LiveportalError as error:
        return KeyFit(error.code, error)
    known = {**there, **coming}
    if needed is not None and needed not in known:
        problem = (
            key_store.wrong_key(kept.file, needed, known)
            if known
            else key_store.no_key(kept.file, needed)
        )
        return KeyFit(problem.code, problem, coming, there)
    state = KEPT if coming.keys() <= there.keys() else RESTORED
    return KeyFit(state, None, coming, there)


def put(fit: KeyFit, kept: key_store.Keys) -> KeyFit:
    """Add the keys of a backup to those that are kept; return what became of it."""
    if fit.coming.keys() <= fit.there.keys():
        return fit
    try:
        kept.save({**fit.there, **fit.coming}, first=not fit.there)
    except LiveportalError as error:
        return KeyFit(error.code, error)
    return fit


def key_in_backup(
    needed: str | None, kept: key_store.Keys, *, is_locked: bool
) -> tuple[str | None, str | None]:
    """Return where the key of a ledger is that is backed up, and the text of it for the backup.

    That is `included` if the backup `is_locked`, else `left_out`; `in_keyring`, which is not asked;
    or `wrong_key` or `key_not_found` where what is kept is not what the ledger needs. None where
    nothing is sealed. Raises `UnsafeKey` where the text would be needed.
    """
    if needed is None:
        return None, None
    try:
        text = kept.in_file()
    except LiveportalError:
        if is_locked:
            raise
        return "left_out", None
    if text is None:
        state = "in_keyring" if key_store.keyring_is_on() else "key_not_found"
        return (state if is_locked or state == "key_not_found" else "left_out"), None
    if needed not in key_store.parsed(text, str(kept.file)):
        return "wrong_key", text if is_locked else None
    return ("included", text) if is_locked else ("left_out", None)
