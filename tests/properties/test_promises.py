"""The eight promises of the ledger (rulebook 7), on whole books at random."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.clock import utc_text
from liveportal.domain.events.types import PolicyAdopted
from liveportal.domain.handlers import dispatch
from liveportal.ledger.format import row_mapping
from liveportal.ledger.replay.replay import replayed_copy
from liveportal.ledger.storage.driver import Connection
from liveportal.portal import Portal, allow_all, open_readonly
from tests.kit import quick_ledgers as ledgers
from tests.kit.quick_ledgers import NOWHERE, empty_ledger, recorded, tables
from tests.kit.verified import deeply
from tests.properties import arithmetic
from tests.properties.strategies import Book, books

UNDECIDED = ("open", "disputed")
GONE = ("failed", "returned", "reversed")


def net_of(db: Connection) -> dict[str, int]:
    """The total earnings of each session, refunds and corrections included, tips excluded."""
    nets = db.execute(
        "SELECT session, sum(net) FROM transaction_record WHERE session IS NOT NULL"
        " AND gross <> 0 GROUP BY session"
    )
    return dict(nets.fetchall())


# --- 1 --------------------------------------------------------------------------------------------


@given(books())
def test_1_every_transaction_balances_to_zero(book: Book) -> None:
    """The legs of each transaction add up to zero, and there is no money outside of one."""
    with recorded(book.events) as db:
        unbalanced = db.execute(
            'SELECT "transaction", sum(amount) FROM posting GROUP BY "transaction"'
            " HAVING sum(amount) <> 0"
        ).fetchall()
        flows = db.execute(
            "SELECT period, debit, credit, sum(amount), count(*) FROM transfer"
            " GROUP BY period, debit, credit ORDER BY period, debit, credit"
        ).fetchall()
        kept = db.execute(
            "SELECT period, debit, credit, amount, count FROM month_flow"
            " ORDER BY period, debit, credit"
        ).fetchall()

        assert unbalanced == []
        assert flows == kept, "the flows of months are the transfers, added up"


@given(books(), st.data())
def test_1_whatever_is_replayed_is_recorded_once(book: Book, data: st.DataObject) -> None:
    """A feed that comes again, whole or in part, by pieces or at once, changes nothing."""
    again = data.draw(st.lists(st.sampled_from(book.events), max_size=9)) + list(book.events)
    batch = data.draw(st.none() | st.integers(1, 5))
    with empty_ledger() as db:
        portal = ledgers.portal(db)
        first = ledgers.record_all(portal, book.events)
        before = tables(db)
        second = ledgers.record_all(portal, again, batch=batch)

        confirmed = sum(fact.confirms is not None for fact in book.model.recorded.values())
        assert (first.recorded, first.confirmed) == (len(book.events) - confirmed, confirmed)
        assert (first.replayed, first.refused) == (0, 0)
        assert (second.recorded, second.confirmed, second.refused) == (0, 0, 0)
        assert second.replayed == len(again)
        assert second.head == first.head
        assert tables(db) == before


@given(books(12))
def test_1_a_feed_that_stutters_is_recorded_once(book: Book) -> None:
    """Each line twice in one chunk: the second is a replay before the first is written."""
    twice = [event for event in book.events for _ in range(2)]
    with empty_ledger() as db, recorded(book.events) as once:
        synced = ledgers.record_all(ledgers.portal(db), twice)

        assert synced.replayed == len(book.events)
        assert tables(db, replayed=True) == tables(once, replayed=True)


@given(books(), st.integers(1, 4))
def test_1_how_a_feed_is_cut_does_not_matter(book: Book, batch: int) -> None:
    """Event by event, in batches or at once: the same facts give the same books."""
    with empty_ledger() as whole, empty_ledger() as cut, empty_ledger() as single:
        ledgers.record_all(ledgers.portal(whole), book.events)
        ledgers.record_all(ledgers.portal(cut), book.events, batch=batch)
        ledgers.portal(single).record(list(book.events))

        expected = tables(whole, replayed=True)
        assert tables(cut, replayed=True) == expected
        assert tables(single, replayed=True) == expected


# --- 2 --------------------------------------------------------------------------------------------


@given(books())
def test_2_fee_and_share_are_the_gross(book: Book) -> None:
    """No part of a customer's payment is lost; a session that bills nothing books nothing."""
    with recorded(book.events) as db:
        earned = db.execute(
            "SELECT session, gross, fee, net FROM transaction_record"
            " WHERE kind IN ('earning', 'correction')"
        ).fetchall()
        assert all(fee + share == gross for _, gross, fee, share in earned)

        latest = {session: (gross, fee) for session, gross, fee, _ in earned}
        for session in ledgers.entities(db, row_mapping.SESSION):
            if session.gross_minor:
                assert latest[session.id] == (session.gross_minor, session.fee_minor)
                policy = book.model.sessions[session.id].policy
                assert session.share_minor == arithmetic.share(session.gross_minor, policy)
            else:
                assert net_of(db).get(session.id, 0) == 0, "it was free, or it was not held"


# --- 3 --------------------------------------------------------------------------------------------


@given(books())
def test_3_refunds_never_take_more_than_there_was(book: Book) -> None:
    """No more goes back than the customer paid, nor than was earned; a full refund leaves 0."""
    with recorded(book.events) as db:
        cost: Counter[str] = Counter()
        back: Counter[str] = Counter()
        for claim in ledgers.entities(db, row_mapping.CLAIM):
            if claim.state in ("conceded", "granted", "rejected"):
                cost[claim.session] += claim.cost_minor
                back[claim.session] += claim.amount_minor
        net = net_of(db)
        for session in ledgers.entities(db, row_mapping.SESSION):
            reading_ = book.model.sessions[session.id].policy.refund.deducts
            most = session.share_minor if reading_ == "share" else session.gross_minor
            assert back[session.id] == session.refunded_minor <= session.gross_minor
            assert cost[session.id] <= most
            if back[session.id] == session.gross_minor:
                assert cost[session.id] == most
                assert net.get(session.id, 0) == session.share_minor - most


# --- 4 --------------------------------------------------------------------------------------------


@given(books(), st.randoms(use_true_random=False))
def test_4_a_hold_and_its_end_cancel_out(book: Book, random: Random) -> None:
    """The held amount is that of undecided claims; once all are decided, it is zero."""
    with recorded(book.events) as db:
        claims = ledgers.entities(db, row_mapping.CLAIM)
        undecided = [claim for claim in claims if claim.state in UNDECIDED]
        assert ledgers.balance(db)["held"] == sum(each.hold_minor for each in undecided)

        last = max(event.time for event in book.events) + timedelta(days=99)
        answers = ("refund.withdrawn", "dispute.accepted", "dispute.rejected", "refund.denied")
        for number, claim in enumerate(undecided):
            disputed = claim.state == "disputed"
            kind = random.choice(answers[:3] if disputed else (answers[0], answers[3]))
            answer = next(handler for handler in dispatch.HANDLERS if kind == handler.TYPE)
            made: Any = answer(claim=claim.id)
            # Its time may be ahead of the clock, which a person is asked about.
            ledgers.portal(db).execute(made, at=last, key=f"end-{number}", allow=allow_all)

        assert ledgers.balance(db)["held"] == 0


# --- 5 --------------------------------------------------------------------------------------------


@given(books())
def test_5_sql_and_plain_python_agree(book: Book) -> None:
    """Every month of every zone and currency: the views, the fold over their rows, the model."""
    with recorded(book.events) as db:
        months = ledgers.sql_months(db)
        expected = book.model.months()

        assert months == expected
        assert ledgers.folded_months(db) == expected
        assert ledgers.records(db) == book.model.records()
        names = [str(month["month"]) for month in expected]
        for name in (*names, "2001-01", "2099-12"):
            assert ledgers.sql_month(db, name) == book.model.row(name)


# --- 6 --------------------------------------------------------------------------------------------


@given(books(12))
def test_6_months_add_up_to_the_life_and_assets_are_what_was_earned(book: Book) -> None:
    """Owed + held + in transit + paid out = net earned to date, after every single event."""
    with empty_ledger() as db:
        portal = ledgers.portal(db)
        balance, net = book.model.balance(), 0
        for event in book.events:
            portal.record([event])
            balance = ledgers.balance(db)
            net = db.execute("SELECT coalesce(sum(net), 0) FROM transaction_record").fetchone()[0]
            assert sum(balance.values()) == net

        currency = book.model.policy.currency
        months = ledgers.sql_months(db)
        assert sum(arithmetic.minor(month["net"], currency) for month in months) == net
        if months:
            last = {name: arithmetic.text(each, currency) for name, each in balance.items()}
            assert months[-1]["balance"] == last
        assert balance == book.model.balance()


# --- 7 --------------------------------------------------------------------------------------------


@given(books())
def test_7_payout_lines_add_up_and_nothing_is_paid_twice(book: Book) -> None:
    """A payout is the sum of its lines, never more than was owed; no item is paid over its face."""
    with recorded(book.events) as db:
        lines: dict[str, dict[int, int]] = defaultdict(dict)
        for payout, item, minor in ledgers.lines(db):
            lines[payout][item] = minor
        payouts = ledgers.entities(db, row_mapping.PAYOUT)
        settled: Counter[int] = Counter()
        for payout in payouts:
            assert sum(lines[payout.id].values()) == payout.amount_minor
            if payout.state not in GONE:
                settled.update(lines[payout.id])
        for item in ledgers.entities(db, row_mapping.ITEM):
            paid = settled[item.transaction]
            assert item.settled_minor == paid
            assert 0 <= paid <= item.face_minor or item.face_minor <= paid <= 0

        owed = 0
        for entry in db.execute("SELECT kind, owed FROM transaction_record ORDER BY id").fetchall():
            assert entry[0] != "payout" or -entry[1] <= owed, "more was paid than was owed"
            owed += entry[1]


@given(books())
def test_7_lines_are_those_that_the_rulebook_chooses(book: Book) -> None:
    """All open negatives whole, then the oldest earnings; lines once made stay as they are."""
    with recorded(book.events) as db:
        numbers = {id(entry): number for number, entry in enumerate(book.model.entries, 1)}
        expected = sorted(
            (name, numbers[id(entry)], part)
            for name, payout in book.model.payouts.items()
            for entry, part in payout.lines
        )
        assert ledgers.lines(db) == expected
        assert ledgers.items(db) == [
            (utc_text(entry.time), entry.month, entry.net, entry.settled)
            for entry in book.model.entries
            if entry.net
        ]


# --- 8 --------------------------------------------------------------------------------------------


@given(books())
def test_8_replaying_the_journal_gives_the_same_tables(book: Book) -> None:
    """Every derived table follows from the journal's facts, in their order."""
    with recorded(book.events) as db, closing(replayed_copy(db)) as copy:
        assert tables(copy, replayed=True) == tables(db, replayed=True)


@given(books())
def test_8_every_book_verifies(book: Book) -> None:
    """Judged again, every event books the same; the stored rows are the written ones."""
    with recorded(book.events) as db:
        verified_ledger = deeply(db, NOWHERE)
        assert verified_ledger.rules_changed == ()
        assert verified_ledger.events == len(book.events)


@given(books(), st.booleans(), st.randoms(use_true_random=False))
def test_8_also_after_personal_data_was_erased(
    book: Book, everything: bool, random: Random
) -> None:
    """No derived row needs personal data, whether all of it or some is erased."""
    with recorded(book.events) as db:
        before = tables(db, replayed=True)
        for (seq,) in db.execute("SELECT seq FROM event_personal ORDER BY seq").fetchall():
            if everything or random.getrandbits(1):
                db.execute("DELETE FROM event_personal WHERE seq = ?", (seq,))
        with closing(replayed_copy(db)) as copy:
            assert tables(copy, replayed=True) == before


@given(books(12), st.data())
def test_8_a_prefix_is_what_was_known_then(book: Book, data: st.DataObject) -> None:
    """`--as-known` shows the book as it stood when the last event of a prefix was recorded."""
    known = data.draw(st.integers(1, len(book.events)))
    with empty_ledger() as db:
        ledgers.portal(db).record(list(book.events[:known]))
        before = tables(db, replayed=True)
        much_later = ledgers.NOW + timedelta(seconds=1)
        ledgers.portal(db, at=much_later).record(list(book.events[known:]))
        with closing(replayed_copy(db, until=ledgers.NOW)) as copy:
            assert tables(copy, replayed=True) == before


# --- on disk --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_a_ledger_file_holds_the_same_books(seed: int) -> None:
    """A file that a feed was synced into answers as memory does; a dry run leaves nothing."""
    book = Book.of(Random(seed), 30)  # noqa: S311
    policy = book.events[0].data
    assert isinstance(policy, PolicyAdopted)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        Portal.create(path, replace(policy.policy), now=ledgers.clock)
        for dry_run in (True, False):
            with Portal.open(path, dry_run=dry_run, now=ledgers.clock) as portal:
                ledgers.record_all(portal, book.events)
            with open_readonly(path) as reader:
                expected = [] if dry_run else book.model.months()
                assert ledgers.sql_months(reader) == expected
