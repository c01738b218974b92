"""Verify a ledger: compare every record with another one that must agree with it.

The checks are: the file and its schema (`file_integrity`); the hash chain against the events, and
the digests against the personal data and the transactions (`chain`); in the same pass, the derived
tables against a replay of the journal, the flows against the transfers, and the views against the
totals calculated in Python (`projections`); and the vault against the events (`attachments`). Rule
drift is not a failure: history is kept, and the differences are reported.

A quick verification replays nothing: it does not compare the derived tables with the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from liveportal.domain.errors import HeadNotFound, UnreadableEvent
from liveportal.domain.frozen import frozen
from liveportal.ledger import missing
from liveportal.ledger.format.journal_entries import iter_journal
from liveportal.ledger.storage import driver
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.verify import file_integrity
from liveportal.ledger.verify.attachments import check_values, check_vault
from liveportal.ledger.verify.chain import VerifiedEvents, failed
from liveportal.ledger.verify.sums import BookedSums, check_flows, check_views

if TYPE_CHECKING:
    from liveportal.ledger.journal.rule_drift import RuleDrift
    from liveportal.ledger.verify.attachments import AttachmentReport, ReadTranscript

Progress = Callable[[int], None]
"""Called with the number of events verified since the last call."""


def ignored(_events: int) -> None:
    """Ignore the progress."""


@frozen
class Head:
    """A head that the journal had: its hash (hex), its event, and when that was recorded (UTC)."""

    head: str
    event: int
    recorded_at: str


@frozen
class Verified:
    """The result of a verification: the numbers of events and transactions, and the head (hex).

    `rules_changed` lists the rule drift; None after a quick verification. `deposit` reports on the
    vault; None if it was not checked. `heads` are the heads that were searched for. `enter_again`
    names the fields of the payout profile whose values an import could not bring.
    """

    events: int
    transactions: int
    head: str
    rules_changed: tuple[RuleDrift, ...] | None = ()
    deposit: AttachmentReport | None = None
    heads: tuple[Head, ...] = ()
    enter_again: tuple[str, ...] = ()


def verify(  # noqa: PLR0913 (the parts to check, as keywords)
    db: Connection,
    *,
    vault: Path | None = None,
    deep: bool = False,
    quick: bool = False,
    read: ReadTranscript | None = None,
    heads: Sequence[str] = (),
    progress: Progress = ignored,
) -> Verified:
    """Verify a ledger; raises `VerificationFailed`, which names the first bad record.

    `vault` is the path of a ledger whose vault is checked too. `deep` also hashes the vault's
    files, compares the messages with the transcripts, parsed by `read`, and the payout profile with
    its fingerprints. `quick` leaves out the replay of the journal, and with it the tables that the
    rules derive. `heads` are hashes, or their first digits, that the journal must have had:
    raises `HeadNotFound` for one that it never had.
    """
    with _translating_damage():
        file_integrity.check_file(db)
        file_integrity.check_schema(db)
        file_integrity.check_references(db)
        events, sums = VerifiedEvents(iter_journal(db)), BookedSums()
        if quick:
            changes = None
            for _ in sums.adding(events):
                progress(1)
            events.check_end(db)
            check_flows(db, sums)
        else:
            changes = _check_replay(db, events, sums, progress)
        check_views(db, sums)
        events.check_erased(db)
        check_values(db)
        past_heads = tuple(_find_head(db, prefix) for prefix in heads)
        deposit = check_vault(db, vault, deep=deep, read=read) if vault is not None else None
        (entries,) = db.execute('SELECT count(*) FROM "transaction"').fetchone()
        enter_again = tuple(missing.noted_values(db))
    return Verified(
        events.seq, entries, events.head.hex(), changes, deposit, past_heads, enter_again
    )


def _check_replay(
    db: Connection, events: VerifiedEvents, sums: BookedSums, progress: Progress
) -> tuple[RuleDrift, ...]:
    """Read the journal once: check the chain and the digests, and replay it into projections."""
    from liveportal.ledger.replay.replay import replayed_beside
    from liveportal.ledger.verify.projections import check_derived

    try:
        with replayed_beside(db, sums.adding(events), progress=progress) as replayed:
            events.check_end(db)
            if (seq := replayed.miscounted) is not None:
                what = f"the minutes or the number of sessions of event {seq} were changed"
                raise failed(what, seq=seq)
            check_flows(db, sums)
            return (*replayed.changes, *check_derived(db, replayed))
    except UnreadableEvent as error:
        raise failed(error.message, **error.details) from error


def _find_head(db: Connection, prefix: str) -> Head:
    """Return the past head with this hash or first digits; raises `HeadNotFound`."""
    row = db.execute(
        "SELECT lower(hex(hash)), seq, recorded_at FROM event"
        " WHERE substr(lower(hex(hash)), 1, length(?1)) = ?1 ORDER BY seq LIMIT 1",
        (prefix.lower(),),
    ).fetchone()
    if row is None:
        raise HeadNotFound(
            f"This journal never had the head {prefix}. The head is from another ledger, or the"
            " history was rewritten.",
            hint="Look for the ledger or backup that has it, and keep both files as they are.",
            head=prefix,
        )
    return Head(*row)


@contextmanager
def _translating_damage() -> Iterator[None]:
    """Raise `VerificationFailed` for anything that the driver cannot read."""
    try:
        yield
    except (driver.DatabaseError, UnicodeDecodeError) as error:
        if not driver.is_damage(error):
            raise
        raise failed(f"the file is damaged: {error}") from error


__all__ = ["Head", "Verified", "verify"]
