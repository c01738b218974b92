"""Filling in the payout profile: the event and the sealed values, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from liveportal.domain.errors import Caution
from liveportal.domain.events.envelope import CLI_SOURCE, Event, EventData
from liveportal.domain.events.types import PayoutProfileChanged
from liveportal.domain.profile.fields import Changes, Values
from liveportal.ledger.format.serialisation import stored_event
from liveportal.ledger.journal.journal import Outcome
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.queries.reader import Reader, Row
from liveportal.ledger.secrets.encrypted_fields import EncryptedFields
from liveportal.ledger.storage import commits

Judge = Callable[[Values], object]
"""Sees the profile in force before it is changed, and may refuse."""


def filled(  # noqa: PLR0913 (what a write is, told by name)
    store: LedgerFile,
    change: Changes,
    judge: Judge,
    event: Callable[[EventData], Event],
    *,
    key: str | None,
    allow: Callable[[Caution], bool],
    read_back: Callable[[Reader], Row],
) -> tuple[Outcome | None, Row]:
    """Record that the profile is changed, and seal its values with the event.

    Nothing is recorded where nothing differs: then there is no outcome. A replay is judged by what
    was recorded, and by nothing else. Raises what `judge`, the door and `EncryptedFields` raise.
    """
    seals = EncryptedFields(store.db, store.path, keep=store.keep)
    seals.ready(afresh=change.afresh)
    prunes = change.afresh and not seals.is_imported
    with store.writing() as door:
        past = stored_event(store.db, CLI_SOURCE, key) if key else None
        if past is None:
            force = {} if change.afresh else seals.values()
            judge(force)
            if not change.afresh and change.after(force) == force:
                return None, read_back(store.reader())
            if change.afresh:
                seals.forget()
        recorded = getattr(past.event.data, "fingerprints", None) if past else None
        marks = seals.fingerprints(change, recorded)
        outcome = door.record(
            event(PayoutProfileChanged(fields=change.told, fingerprints=marks)), allow=allow
        )
        door.flush()
        if outcome.status == "recorded":
            seals.put(outcome.seq, change)
            door.forgot = True  # What was replaced must not lie on in the log.
        with store.as_after(outcome) as reader:
            shown = read_back(reader)
    if prunes:
        with store.writing():
            seals.prune()
    return outcome, shown


class KeyChanged(NamedTuple):
    """What became of a key: its id, where it is kept, how many values there are, the old one's id.

    `kept_in` is `keyring` or a file's path; None in a dry run.
    """

    key: str
    kept_in: str | None
    values: int
    old_key: str


def rotate_key(store: LedgerFile, keep_old: Path | None = None) -> KeyChanged:
    """Seal all that is sealed under a new key; `keep_old` is a new file that gets the old one.

    Raises what `EncryptedFields` raises: `KeyNotFound` also where nothing is sealed. Then there is
    no such file, or it is as it was.
    """
    seals = EncryptedFields(store.db, store.path, keep=store.keep)
    seals.ready()
    old, made = str(seals.key_id), False
    try:
        with store.writing() as door:
            made = keep_old is not None and seals.keep_copy(keep_old)
            count = seals.rotate()
            door.forgot = True
    except BaseException:
        if keep_old is not None and made and seals.key_id == old:  # Nothing was committed.
            keep_old.unlink(missing_ok=True)
        raise
    if store.keep:
        commits.note("the key was changed")
    with store.writing():
        return KeyChanged(str(seals.key_id), seals.prune(), count, old)
