"""Is the ledger what was written? Every record is held against another that must agree with it.

The file and its form; the chain against the events, the digests against personal data and against
what was booked (`proving`); then, in the same pass, the derived tables against a rebuild from the
journal's facts (`rebuilt`), the flows against the transfers, the views against the pure fold; and
the vault against what events tell of it (`deposited`). What today's rules would do otherwise is no
failure: history stands, and that is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from liveportal.domain.errors import HeadNotFound, UnreadableEvent
from liveportal.ledger import missing
from liveportal.ledger.storage import driver
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.verify import file_integrity
from liveportal.ledger.verify.chain import VerifiedEvents, failed

if TYPE_CHECKING:
    from liveportal.ledger.replay.replay_journal import RuleDrift
    from liveportal.ledger.verify.attachments import AttachmentReport, ReadTranscript

Progress = Callable[[int], None]
"""Is told how many events more were verified."""


def ignored(_events: int) -> None:
    """Tell nobody how far it is."""


@dataclass(frozen=True, slots=True)
class Head:
    """A head that the journal had: after which event, and when that was recorded (stored form)."""

    head: str
    event: int
    recorded_at: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What was verified: how many events and transactions, and the journal's head (hex).

    `rules_changed` is what today's rules would judge otherwise. `deposit` is what the vault holds,
    None where it was not asked. `heads` are those that were looked for, each found. `enter_again`
    are the fields of the payout profile that an import could not bring.
    """

    events: int
    transactions: int
    head: str
    rules_changed: tuple[RuleDrift, ...] = ()
    deposit: AttachmentReport | None = None
    heads: tuple[Head, ...] = ()
    enter_again: tuple[str, ...] = ()


def verify(  # noqa: PLR0913 (what is looked into, told by name)
    db: Connection,
    *,
    vault: Path | None = None,
    deep: bool = False,
    read: ReadTranscript | None = None,
    heads: Sequence[str] = (),
    progress: Progress = ignored,
) -> Verified:
    """Verify a ledger; raises `VerificationFailed`, naming the first bad record in plain words.

    `vault` is the path of the ledger whose vault is looked into, too; `deep` hashes its files,
    and holds messages against transcripts, which it must be told how to `read`, and the payout
    profile against its fingerprints. `heads` are
    hashes, or their first digits, that the journal must have had: `HeadNotFound` where it had not.
    """
    with _damage_told():
        file_integrity.check_file(db)
        file_integrity.check_schema(db)
        file_integrity.check_references(db)
        events, head, changes = _check_history(db, progress)
        found = tuple(_found(db, each) for each in heads)
        deposit = _deposit(db, vault, read, deep=deep) if vault is not None else None
        (entries,) = db.execute('SELECT count(*) FROM "transaction"').fetchone()
        enter_again = tuple(missing.noted_values(db))
    return Verified(events, entries, head.hex(), changes, deposit, found, enter_again)


def _check_history(db: Connection, progress: Progress) -> tuple[int, bytes, tuple[RuleDrift, ...]]:
    """Walk the journal once: chain and digests as it is read, its rebuild as it is judged."""
    from liveportal.domain.calculations.months import MonthlyTotals
    from liveportal.ledger.format.event_log import iter_journal
    from liveportal.ledger.replay.replay import ReplayResult
    from liveportal.ledger.verify.attachments import check_values
    from liveportal.ledger.verify.projections import check_derived, check_flows, check_views

    fold, walk = MonthlyTotals(), VerifiedEvents(iter_journal(db))
    try:
        played = ReplayResult(db, walk, booked=fold.book, counts=fold.count, progress=progress)
    except UnreadableEvent as error:
        raise failed(error.message, **error.details) from error
    walk.check_end(db)
    if played.miscounted is not None:
        seq = played.miscounted
        raise failed(f"the minutes and sessions that event {seq} counted were changed", seq=seq)
    check_flows(db)
    differing = check_derived(db, played)
    check_views(db, fold)
    walk.check_erased(db)
    check_values(db)
    return walk.seq, walk.head, (*played.changes, *differing)


def _found(db: Connection, wanted: str) -> Head:
    """Return the event after which the journal had a head, given whole or by its first digits."""
    row = db.execute(
        "SELECT lower(hex(hash)), seq, recorded_at FROM event"
        " WHERE substr(lower(hex(hash)), 1, length(?1)) = ?1 ORDER BY seq LIMIT 1",
        (wanted.lower(),),
    ).fetchone()
    if row is None:
        raise HeadNotFound(
            f"the journal never had the head {wanted}: it is another ledger's, or its history was"
            " rewritten",
            hint="Look for the ledger or a backup that has it; keep both files as they are.",
            head=wanted,
        )
    return Head(*row)


def _deposit(
    db: Connection, ledger: Path, read: ReadTranscript | None, *, deep: bool
) -> AttachmentReport:
    from liveportal.ledger.verify.attachments import check_vault

    return check_vault(db, ledger, deep=deep, read=read)


@contextmanager
def _damage_told() -> Iterator[None]:
    """Say of whatever the driver cannot read that the file is damaged."""
    try:
        yield
    except (driver.DatabaseError, UnicodeDecodeError) as error:
        if not driver.is_damage(error):
            raise
        raise failed(f"the file is damaged: {error}") from error


__all__ = ["Head", "Verified", "verify"]
