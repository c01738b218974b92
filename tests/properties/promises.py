"""The eight promises of the ledger (rulebook 7), as checks of a book."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import closing
from datetime import timedelta
from typing import Any

from liveportal.domain.calculations.months import Month
from liveportal.domain.clock import month_of, utc_text
from liveportal.domain.events.types import PolicyAdopted
from liveportal.domain.handlers import dispatch
from liveportal.ledger.format import row_mapping
from liveportal.ledger.queries import earnings, statement
from liveportal.ledger.replay.replay import replayed_copy
from liveportal.ledger.storage.driver import Connection
from tests.kit import quick_ledgers as ledgers
from tests.kit.quick_ledgers import NOWHERE, empty_ledger, tables
from tests.kit.verified import deeply
from tests.properties import arithmetic
from tests.properties.trial import Check, Trial

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


def every_transaction_balances_to_zero(trial: Trial) -> None:
    """The legs of each transaction add up to zero, and there is no money outside of one."""
    unbalanced = trial.db.execute(
        'SELECT "transaction", sum(amount) FROM posting GROUP BY "transaction"'
        " HAVING sum(amount) <> 0"
    ).fetchall()
    flows = trial.db.execute(
        "SELECT period, debit, credit, sum(amount), count(*) FROM transfer"
        " GROUP BY period, debit, credit ORDER BY period, debit, credit"
    ).fetchall()
    kept = trial.db.execute(
        "SELECT period, debit, credit, amount, count FROM month_flow ORDER BY period, debit, credit"
    ).fetchall()

    assert unbalanced == []
    assert flows == kept, "the flows of months are the transfers, added up"


def whatever_is_replayed_is_recorded_once(trial: Trial) -> None:
    """A feed that comes again, whole or in part, by pieces or at once, changes nothing."""
    events = trial.book.events
    again = [*trial.random.choices(events, k=trial.random.randrange(10)), *events]
    with empty_ledger() as db:
        portal = ledgers.portal(db)
        first = ledgers.record_all(portal, events)
        before = tables(db)
        second = ledgers.record_all(portal, again, batch=trial.random.choice((None, 1, 3, 5)))

        confirmed = sum(fact.confirms is not None for fact in trial.book.model.recorded.values())
        assert (first.recorded, first.confirmed) == (len(events) - confirmed, confirmed)
        assert (first.replayed, first.refused) == (0, 0)
        assert (second.recorded, second.confirmed, second.refused) == (0, 0, 0)
        assert second.replayed == len(again)
        assert second.head == first.head
        assert tables(db) == before


def how_a_feed_comes_does_not_matter(trial: Trial) -> None:
    """At once, in batches, or each line twice in a chunk: the same facts give the same books."""
    events = trial.book.events
    expected = tables(trial.db, replayed=True)
    with empty_ledger() as whole, empty_ledger() as cut, empty_ledger() as stuttered:
        ledgers.record_all(ledgers.portal(whole), events)
        ledgers.record_all(ledgers.portal(cut), events, batch=trial.random.randint(1, 4))
        twice = [event for event in events for _ in range(2)]
        synced = ledgers.record_all(ledgers.portal(stuttered), twice)

        assert synced.replayed == len(events)
        for db in (whole, cut, stuttered):
            assert tables(db, replayed=True) == expected


# --- 2 --------------------------------------------------------------------------------------------


def fee_and_share_are_the_gross(trial: Trial) -> None:
    """No part of a customer's payment is lost; a session that bills nothing books nothing."""
    earned = trial.db.execute(
        "SELECT session, gross, fee, net FROM transaction_record"
        " WHERE kind IN ('earning', 'correction')"
    ).fetchall()
    assert all(fee + share == gross for _, gross, fee, share in earned)

    latest = {session: (gross, fee) for session, gross, fee, _ in earned}
    net = net_of(trial.db)
    for session in ledgers.entities(trial.db, row_mapping.SESSION):
        if session.gross_minor:
            assert latest[session.id] == (session.gross_minor, session.fee_minor)
            policy = trial.book.model.sessions[session.id].policy
            assert session.share_minor == arithmetic.share(session.gross_minor, policy)
        else:
            assert net.get(session.id, 0) == 0, "it was free, or it was not held"


# --- 3 --------------------------------------------------------------------------------------------


def refunds_never_take_more_than_there_was(trial: Trial) -> None:
    """No more goes back than the customer paid, nor than was earned; a full refund leaves 0."""
    cost: Counter[str] = Counter()
    back: Counter[str] = Counter()
    for claim in ledgers.entities(trial.db, row_mapping.CLAIM):
        if claim.state in ("conceded", "granted", "rejected"):
            cost[claim.session] += claim.cost_minor
            back[claim.session] += claim.amount_minor
    net = net_of(trial.db)
    for session in ledgers.entities(trial.db, row_mapping.SESSION):
        deducts = trial.book.model.sessions[session.id].policy.refund.deducts
        most = session.share_minor if deducts == "share" else session.gross_minor
        assert back[session.id] == session.refunded_minor <= session.gross_minor
        assert cost[session.id] <= most
        if back[session.id] == session.gross_minor:
            assert cost[session.id] == most
            assert net.get(session.id, 0) == session.share_minor - most


# --- 4 --------------------------------------------------------------------------------------------


def a_hold_and_its_end_cancel_out(trial: Trial) -> None:
    """The held amount is that of undecided claims; once all are decided, it is zero."""
    claims = ledgers.entities(trial.db, row_mapping.CLAIM)
    undecided = [claim for claim in claims if claim.state in UNDECIDED]
    assert ledgers.balance(trial.db)["held"] == sum(each.hold_minor for each in undecided)
    if not undecided:
        return

    last = max(event.time for event in trial.book.events) + timedelta(days=99)
    answers = ("refund.withdrawn", "dispute.accepted", "dispute.rejected", "refund.denied")
    with trial.copy() as db:
        for number, claim in enumerate(undecided):
            disputed = claim.state == "disputed"
            kind = trial.random.choice(answers[:3] if disputed else (answers[0], answers[3]))
            answer = next(handler for handler in dispatch.HANDLERS if kind == handler.TYPE)
            made: Any = answer(claim=claim.id)
            # Its time may be ahead of the clock, which a person is asked about.
            ledgers.portal(db).execute(made, at=last, key=f"end-{number}", allow=True)

        assert ledgers.balance(db)["held"] == 0


# --- 5 --------------------------------------------------------------------------------------------


def sql_and_plain_python_agree(trial: Trial) -> None:
    """Every month of every zone and currency: the views, the fold over their rows, the model."""
    model = trial.book.model
    expected = model.months()
    assert ledgers.sql_months(trial.db) == expected
    assert ledgers.folded_months(trial.db) == expected
    assert ledgers.records(trial.db) == model.records()
    in_the_bank = sum(entry.paid_out - entry.transfer_fees for entry in model.entries)
    assert ledgers.in_the_bank(trial.db) == in_the_bank, "what arrived is less by the fees"
    for name in (*(str(month["month"]) for month in expected), "2001-01", "2099-12"):
        assert ledgers.sql_month(trial.db, name) == model.row(name)


def a_statement_adds_up(trial: Trial) -> None:
    """Its session rows, corrections included, add up to its summary in each month."""

    def cents(values: list[str]) -> int:
        return sum(int(value.replace(".", "")) for value in values)

    for name in _changed_months(trial.db):
        document = statement.statement(trial.reader, name)
        rows, summary = document["sessions"], document["summary"]
        for column, figure in {"gross": "gross", "fee": "platform_fee", "earned": "earned"}.items():
            assert cents([row[column] for row in rows]) == cents([summary[figure]]), name
        left = cents([row["minutes"] for row in rows]) - cents([summary["minutes"]])
        assert abs(left) <= len(rows), name  # Each row is rounded by itself.


# --- 6 --------------------------------------------------------------------------------------------


def every_event_changes_its_own_month_alone(trial: Trial) -> None:
    """Event by event: the assets are what was earned, and a month that is over stays as it was.

    A fact that is only reported late counts where it happened (the earning of an older session, a
    claim, a tip): in the month of its own time, or of the session that it first bills.
    """
    model = trial.book.model
    with empty_ledger() as db:
        portal = ledgers.portal(db)
        balance, net = model.balance(), 0
        for event in trial.book.events:
            before, ended = _changed_months(db), _ended(db)
            portal.record([event], allow=True)
            balance = ledgers.balance(db)
            net = db.execute("SELECT coalesce(sum(net), 0) FROM transaction_record").fetchone()[0]
            assert sum(balance.values()) == net, event
            if isinstance(event.data, PolicyAdopted):
                continue  # As long as there is no money, a policy may cut the months differently.
            after = _changed_months(db)
            own = {month_of(event.time, ledgers.reader(db).timezone)}
            own |= {period for name, period in _ended(db).items() if name not in ended}
            changed = {
                name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
            }
            assert changed <= own, event

        assert tables(db, replayed=True) == tables(trial.db, replayed=True)
        currency = model.policy.currency
        months = ledgers.sql_months(db)
        assert sum(arithmetic.minor(month["net"], currency) for month in months) == net
        if months:
            last = {name: arithmetic.text(each, currency) for name, each in balance.items()}
            assert months[-1]["balance"] == last
        assert balance == model.balance()


def _changed_months(db: Connection) -> dict[str, Month]:
    """Return the figures of the months in which any changed."""
    by_month = earnings.figures_of(ledgers.reader(db))
    return {name: each for name, each in by_month.items() if each != Month(month=name)}


def _ended(db: Connection) -> dict[str, str]:
    """Return the month of each session that is billed."""
    return dict(db.execute("SELECT id, period FROM session WHERE period IS NOT NULL").fetchall())


# --- 7 --------------------------------------------------------------------------------------------


def payout_lines_add_up_and_nothing_is_paid_twice(trial: Trial) -> None:
    """A payout is the sum of its lines, never more than was owed; no item is paid over its face."""
    lines: dict[str, dict[int, int]] = defaultdict(dict)
    for payout, item, minor in ledgers.lines(trial.db):
        lines[payout][item] = minor
    settled: Counter[int] = Counter()
    for payout in ledgers.entities(trial.db, row_mapping.PAYOUT):
        assert sum(lines[payout.id].values()) == payout.amount_minor
        if payout.state not in GONE:
            settled.update(lines[payout.id])
    for item in ledgers.entities(trial.db, row_mapping.ITEM):
        paid = settled[item.transaction]
        assert item.settled_minor == paid
        assert 0 <= paid <= item.face_minor or item.face_minor <= paid <= 0

    owed = 0
    entries = trial.db.execute("SELECT kind, owed FROM transaction_record ORDER BY id")
    for kind, moved in entries.fetchall():
        assert kind != "payout" or -moved <= owed, "more was paid than was owed"
        owed += moved


def lines_are_those_that_the_rulebook_chooses(trial: Trial) -> None:
    """All open negatives whole, then the oldest earnings; lines once made stay as they are."""
    model = trial.book.model
    numbers = {id(entry): number for number, entry in enumerate(model.entries, 1)}
    expected = sorted(
        (name, numbers[id(entry)], part)
        for name, payout in model.payouts.items()
        for entry, part in payout.lines
    )
    assert ledgers.lines(trial.db) == expected
    assert ledgers.items(trial.db) == [
        (utc_text(entry.time), entry.month, entry.net, entry.settled)
        for entry in model.entries
        if entry.net
    ]


# --- 8 --------------------------------------------------------------------------------------------


def every_book_verifies(trial: Trial) -> None:
    """Judged again, every event books the same; the stored rows are the written ones."""
    with trial.copy() as db:  # It makes temporary tables.
        verified_ledger = deeply(db, NOWHERE)
    assert verified_ledger.rules_changed == ()
    assert verified_ledger.events == len(trial.book.events)


def a_replay_gives_the_same_tables(trial: Trial) -> None:
    """Every derived table follows from the facts, also after texts were erased, some or all."""
    expected = tables(trial.db, replayed=True)
    with closing(replayed_copy(trial.db)) as copy:
        assert tables(copy, replayed=True) == expected
    everything = trial.random.getrandbits(1)
    with trial.copy() as db:
        for (seq,) in db.execute("SELECT seq FROM event_personal ORDER BY seq").fetchall():
            if everything or trial.random.getrandbits(1):
                db.execute("DELETE FROM event_personal WHERE seq = ?", (seq,))
        with closing(replayed_copy(db)) as copy:
            assert tables(copy, replayed=True) == expected


def a_prefix_is_what_was_known_then(trial: Trial) -> None:
    """`--as-known` shows the book as it was when the last event of a prefix was recorded."""
    events = list(trial.book.events)
    known = trial.random.randint(1, len(events))
    with empty_ledger() as db:
        ledgers.portal(db).record(events[:known], allow=True)
        before = tables(db, replayed=True)
        much_later = ledgers.NOW + timedelta(seconds=1)
        ledgers.portal(db, at=much_later).record(events[known:], allow=True)
        with closing(replayed_copy(db, until=ledgers.NOW)) as copy:
            assert tables(copy, replayed=True) == before


LIGHT: tuple[Check, ...] = (
    every_transaction_balances_to_zero,
    fee_and_share_are_the_gross,
    refunds_never_take_more_than_there_was,
    a_hold_and_its_end_cancel_out,
    sql_and_plain_python_agree,
    a_statement_adds_up,
    payout_lines_add_up_and_nothing_is_paid_twice,
    lines_are_those_that_the_rulebook_chooses,
)
"""What only reads the ledger of the book."""

HEAVY: tuple[Check, ...] = (
    whatever_is_replayed_is_recorded_once,
    how_a_feed_comes_does_not_matter,
    every_event_changes_its_own_month_alone,
    every_book_verifies,
    a_replay_gives_the_same_tables,
    a_prefix_is_what_was_known_then,
)
"""What records the book again, or replays it."""
