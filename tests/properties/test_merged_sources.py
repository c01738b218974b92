"""Books of merged sources: a fact is recorded once, whichever source repeats it.

The shell and one or two feeds report the same facts and later ones, in any interleaving, with
bills, corrections, reversals, claims, decisions and aliases among them. The plain model, written
from the contract, gives the outcome of each event; the promises of rulebook 7 hold for each book.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from random import Random

import pytest

from liveportal.domain.clock import utc_text
from liveportal.domain.errors import LiveportalError
from liveportal.domain.events.envelope import Event
from liveportal.ledger.journal.journal import open_journal
from liveportal.ledger.replay.replay import replayed_copy
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.verify.verify import verify
from tests.kit import quick_ledgers as ledgers
from tests.properties.explanations import check_book
from tests.properties.machine import HASTY
from tests.properties.merging import World
from tests.properties.model import Model
from tests.properties.state import Refusal
from tests.properties.trial import BOOKS, QUICK, seeds

FIRST = 4501
"""From this book on, 25 books reach all that a thousand reach."""

REACHED = {
    *(("session.ended", status) for status in ("confirmed", "billed_differs")),
    *(("session.logged", status) for status in ("confirmed", "conflict", "billed_differs")),
    *(("session.corrected", status) for status in ("confirmed", "correction_refused")),
    *(("refund.claimed", status) for status in ("confirmed", "conflict", "refund_too_large")),
    *((f"request.{status}", "lost_race") for status in ("taken", "withdrawn", "expired")),
    *(
        (f"request.{status}", "superseded")
        for status in ("taken", "withdrawn", "expired", "declined")
    ),
    *((f"session.{status}", "superseded") for status in ("paused", "resumed")),
    *(("entry.reversed", status) for status in ("recorded", "confirmed", "not_reversible")),
    *(("entry.reversed", status) for status in ("impossible_time", "payout_too_large")),
    *((f"payout.{status}", "impossible_time") for status in ("paid", "failed")),
    *((f"payout.{status}", "confirmed") for status in ("sent", "paid", "failed", "returned")),
    *((f"payout.{status}", "conflict") for status in ("paid", "returned")),
    *((f"adjustment.{status}", "confirmed") for status in ("posted",)),
    *(("tip.received", status) for status in ("recorded", "confirmed")),
    *(("request.accepted", status) for status in ("recorded", "confirmed")),
}
"""What merged sources must have come to; a book without it would show nothing."""


class Merged:
    """One book, recorded in a ledger and in the model."""

    def __init__(self, db: Connection) -> None:
        self.db, self.model = db, Model()
        self.seen: Counter[tuple[str, str]] = Counter()
        self.story: list[str] = []

    def play(self, events: list[Event]) -> None:
        """Let both judge every event, and compare the outcome, the flags, and the owed amount."""
        self.db.execute("BEGIN IMMEDIATE")
        journal = open_journal(self.db, ledgers.clock)
        for event in events:
            try:
                verdict = self.model.record(event)
                expected, flags = verdict.status, set(verdict.flags)
            except Refusal as refusal:
                expected, flags = refusal.code, set()
            unsure = set(self.model.unsure)
            said = f"{expected} {sorted(flags)}: {event.data} of {event.source} at {event.time}"
            self.story.append(said)
            try:
                outcome = journal.record(event)
                actual, reported = outcome.status, set(outcome.flags)
            except LiveportalError as error:
                actual, reported = error.code, set()
            assert (actual, reported - unsure - HASTY) == (expected, flags - unsure), said
            assert journal.book.owed_minor() == self.model.owed, said
            self.seen.update((event.data.TYPE, each) for each in (actual, *reported))
        journal.flush()
        self.db.execute("COMMIT")

    def agree(self) -> None:
        """Months, balances, records, items, lines and states are those of the model."""
        db, model = self.db, self.model
        expected = model.months()
        assert ledgers.sql_months(db) == expected
        assert ledgers.folded_months(db) == expected
        assert ledgers.records(db) == model.records()
        assert ledgers.balance(db) == model.balance()
        assert ledgers.states(db) == model.states()
        assert ledgers.items(db) == [
            (utc_text(entry.time), entry.month, entry.net, entry.settled)
            for entry in model.entries
            if entry.net
        ]
        numbers = {id(entry): number for number, entry in enumerate(model.entries, 1)}
        assert ledgers.lines(db) == sorted(
            (name, numbers[id(entry)], part)
            for name, payout in model.payouts.items()
            for entry, part in payout.lines
        )

    def keeps_its_promises(self) -> None:
        """Rulebook 7, read from the tables alone."""
        db = self.db
        assert not db.execute(
            'SELECT 1 FROM posting GROUP BY "transaction" HAVING sum(amount) <> 0'
        ).fetchall(), "1: a transaction balances"
        net = dict(
            db.execute(
                "SELECT session, sum(net) FROM transaction_record"
                " WHERE session IS NOT NULL AND gross <> 0 GROUP BY session"
            ).fetchall()
        )
        held, sessions = (
            0,
            db.execute(
                "SELECT id, state, gross_minor, fee_minor, refunded_minor FROM session"
            ).fetchall(),
        )
        for name, state, gross, fee, refunded in sessions:
            assert 0 <= fee <= gross, "2: fee and share are the gross"
            assert state == "ended" or not gross, "2: what was not held books nothing"
            assert gross or not net.get(name, 0), "2: a free session earns nothing"
            assert refunded <= gross, "3: no more goes back than was paid"
            deducts = self.model.sessions[name].policy.refund.deducts
            if gross and refunded == gross and deducts == "share":
                assert net.get(name, 0) == 0, "3: after a full refund nothing was earned"
        for hold, state in db.execute("SELECT hold_minor, state FROM claim").fetchall():
            held += hold if state in ("open", "disputed") else 0
        balance = ledgers.balance(db)
        assert balance["held"] == held, "4: a hold and its end cancel out"
        (earned,) = db.execute("SELECT coalesce(sum(net), 0) FROM transaction_record").fetchone()
        assert sum(balance.values()) == earned, "6: the assets are what was earned"
        for amount, paid in db.execute(
            "SELECT payout.amount_minor, sum(payout_line.amount_minor) FROM payout"
            " JOIN payout_line ON payout_line.payout = payout.id GROUP BY payout.id"
        ).fetchall():
            assert amount == paid, "7: lines add up to the payout"
        for face, settled in db.execute("SELECT face_minor, settled_minor FROM item").fetchall():
            assert 0 <= settled <= face or face <= settled <= 0, "7: nothing is paid twice"
        with closing(replayed_copy(db)) as copy:
            expected = ledgers.tables(db, replayed=True)
            assert ledgers.tables(copy, replayed=True) == expected, "8: a replay gives the same"
        assert verify(db).rules_changed == (), "8: and it verifies"
        check_book(db)  # Every explanation adds up to the figure.
        db.execute("DELETE FROM event_personal")
        with closing(replayed_copy(db)) as copy:
            assert ledgers.tables(copy, replayed=True) == expected, "8: without personal data, too"


def play(seed: int) -> Merged:
    """Play one book to its end; a failure shows its story."""
    world = World(Random(seed), 2 + seed % 7)  # noqa: S311 (the same books each time)
    with closing(ledgers.new_ledger()) as db:
        book = Merged(db)
        try:
            book.play(world.events)
            book.agree()
            book.keeps_its_promises()
        except BaseException as error:
            error.add_note(f"book {seed}:\n" + "\n".join(book.story))
            raise
        return book


@pytest.mark.slow
def test_many_books_of_merged_sources() -> None:
    """The ledger and the model agree on each event, and on every figure at the end."""
    seen: Counter[tuple[str, str]] = Counter()
    for seed in seeds(FIRST, FIRST + BOOKS // 2):
        seen += play(seed).seen
    assert set(seen) >= REACHED, "an outcome that was not reached is an untested rule"


def test_some_books_of_merged_sources() -> None:
    """The same, quickly."""
    for seed in seeds(FIRST, FIRST + QUICK):
        play(seed)
