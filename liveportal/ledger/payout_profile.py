"""Change the payout profile: write the event and the sealed values in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from liveportal.domain.events.envelope import CLI_SOURCE, Event, EventData
from liveportal.domain.events.types import PayoutProfileChanged
from liveportal.domain.profile.fields import Changes, Values
from liveportal.ledger.format.serialisation import stored_event
from liveportal.ledger.journal.journal import Allow, Outcome
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.secrets.encrypted_fields import EncryptedFields
from liveportal.ledger.storage import commits

Judge = Callable[[Values], object]
"""Checks a change against the profile in force; may raise a refusal."""


def change_profile(  # noqa: PLR0913 (the options of a write, as keywords)
    store: LedgerFile,
    change: Changes,
    judge: Judge,
    event: Callable[[EventData], Event],
    *,
    key: str | None,
    allow: Allow,
    read_back: Callable[[Reader], object],
) -> Outcome | None:
    """Record a change of the profile, and seal its values with the event.

    If nothing differs, nothing is recorded, and the outcome is None. A replay is compared with the
    recorded event only. Raises what `judge`, the journal and `EncryptedFields` raise.
    """
    store.check_writable()
    values_store = EncryptedFields(store.db, store.path, keep=store.keep)
    values_store.ready(afresh=change.afresh)
    prunes = change.afresh and not values_store.is_imported
    with store.writing() as journal:
        stored = stored_event(store.db, CLI_SOURCE, key) if key else None
        if stored is None:
            in_force = {} if change.afresh else values_store.values()
            judge(in_force)
            if not change.afresh and change.after(in_force) == in_force:
                read_back(store.reader())
                return None
            if change.afresh:
                values_store.forget()
        recorded_marks = getattr(stored.event.data, "fingerprints", None) if stored else None
        marks = values_store.fingerprints(change, recorded_marks)
        outcome = journal.record(
            event(PayoutProfileChanged(fields=change.event_fields, fingerprints=marks)), allow=allow
        )
        journal.flush()
        if outcome.status == "recorded":
            values_store.put(outcome.seq, change)
            journal.erased_data = True  # Replaced values must not remain in the write-ahead log.
        with store.as_after(outcome) as reader:
            read_back(reader)
    if prunes:
        with store.writing():
            values_store.prune()
    return outcome


class KeyRotation(NamedTuple):
    """The result of a key rotation: the new key's id, the number of values, the old key's id.

    `kept_in` says where the key is kept: `keyring` or a file's path; None in a dry run.
    """

    key: str
    kept_in: str | None
    values: int
    old_key: str


def rotate_key(store: LedgerFile, keep_old: Path | None = None) -> KeyRotation:
    """Seal all sealed values with a new key; `keep_old` is a new file for the old key.

    Raises what `EncryptedFields` raises, and `KeyNotFound` if nothing is sealed. After an error,
    no such file was created, and an existing one is unchanged.
    """
    store.check_writable()
    values_store = EncryptedFields(store.db, store.path, keep=store.keep)
    values_store.ready()
    old_id, copy_made = str(values_store.key_id), False
    try:
        with store.writing() as journal:
            copy_made = keep_old is not None and values_store.keep_copy(keep_old)
            count = values_store.rotate()
            journal.erased_data = True
    except BaseException:
        if (
            keep_old is not None and copy_made and values_store.key_id == old_id
        ):  # Nothing was committed.
            keep_old.unlink(missing_ok=True)
        raise
    if store.keep:
        commits.note("the key was changed")
    with store.writing():
        return KeyRotation(str(values_store.key_id), values_store.prune(), count, old_id)
