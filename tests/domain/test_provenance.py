"""Amounts as trees: how they are composed, what is a leaf, and where the money is."""

from __future__ import annotations

import pytest

from liveportal.domain.accounts import TransactionKind
from liveportal.domain.calculations.billing_steps import BillingStep, bill_steps, gross_steps, span
from liveportal.domain.calculations.provenance import (
    GROUPS,
    LedgerEntry,
    Move,
    Node,
    earned,
    owed,
    paid,
    whereabouts,
)
from liveportal.ledger.queries import provenance
from tests.kit.books import Book, NewBook
from tests.kit.events import amount, policy

EARNING = LedgerEntry(1, 4, "earning", 6000, 1800, 4200, 4200, session="S-1", memo="help")
HOLD = LedgerEntry(2, 5, "hold", owed_minor=-4200, session="S-1", claim="CL-1")
REFUND = LedgerEntry(3, 6, "refund", -6000, -1800, -4200, session="S-1", claim="CL-1")
TIP = LedgerEntry(4, 7, "tip", net_minor=500, owed_minor=500, session="S-1")


def parts_of(node: Node) -> list[tuple[str, int]]:
    """Return a node's parts by name and amount."""
    return [(part.what, part.minor) for part in node.parts]


def test_every_kind_of_transaction_is_in_one_group() -> None:
    """So that none is missing from a tree or counted twice."""
    grouped = [kind for kinds in GROUPS.values() for kind in kinds]
    assert sorted(grouped) == sorted(map(str, TransactionKind))


def test_a_month_is_its_groups_and_those_are_events() -> None:
    """The customer's payment and the platform's fee are separate; a leaf names its event."""
    tree = earned("Net", [EARNING, HOLD, REFUND, TIP], {1: [BillingStep("a", "b")]})
    assert parts_of(tree) == [("Sessions", 4200), ("Refunds", -4200), ("Tips", 500)]
    earning = tree.parts[0].parts[0]
    assert earning.what == "Session S-1 (help)"
    assert parts_of(earning) == [("Billed to the customer", 6000), ("The platform's fee", -1800)]
    assert earning.parts[0].steps == (BillingStep("a", "b"),)
    assert [(leaf.minor, leaf.seq) for leaf in tree.leaves()] == [
        *((6000, 4), (-1800, 4)),
        *((-6000, 6), (1800, 6)),
        (500, 7),
    ]


def test_what_is_owed_begins_with_what_was() -> None:
    """The previous balance is carried over, signed; it is left out if zero."""
    tree = owed("Owed", -700, "2026-09", [EARNING, HOLD, TIP])
    assert parts_of(tree)[0] == ("Owed at the end of 2026-09", -700)
    assert tree.minor == -200
    assert parts_of(owed("Owed", 0, None, [TIP])) == [("Tips", 500)]
    assert owed("Owed", 0, None, []).minor == 0


def test_money_is_where_moves_brought_it() -> None:
    """A place from which all has gone again is not mentioned."""
    moves = [
        Move(EARNING, "assets:platform", 4200),
        Move(HOLD, "assets:platform", -4200),
        Move(HOLD, "assets:platform:held", 4200),
    ]
    assert parts_of(whereabouts("Where", moves)) == [("Held for claims", 4200)]


def test_a_line_in_part_says_so() -> None:
    """The oldest is paid first, the last perhaps in part; a deduction is negative."""
    tree = paid("Payout", [(REFUND, -4200), (EARNING, 4200), (TIP, 100)], {})
    assert [part.what for part in tree.parts] == [
        *("Refund of claim CL-1", "Session S-1 (help)", "Part of tip for session S-1"),
    ]
    assert (tree.what, tree.minor, tree.parts[2].seq) == ("Payout", 100, 7)


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        *((0, "0:00:00"), (1, "0:00:00.000001"), (300_000_000, "0:05:00"), (-1, "-0:00:00.000001")),
        *((90_061_500_000, "25:01:01.5"), (-600_000_000, "-0:10:00")),
    ],
)
def test_spans_are_shown_whole(microseconds: int, text: str) -> None:
    """To the microsecond, since it is multiplied by a rate."""
    assert span(microseconds) == text


def test_steps_go_from_the_timer_to_the_share(new_book: NewBook) -> None:
    """Pauses, trial, rounding, rate, fee: each with its rule or switch."""
    book = new_book(
        trial={"billed": "after-trial"},
        billing={"rounding": "up", "increment_seconds": 360, "minimum_minutes": 30},
    )
    book.live(when="10-05 09:00", rate="2.00")
    book.record("session.paused", "10-05 09:10", session="S-1")
    book.record("session.resumed", "10-05 09:15", session="S-1")
    book.record("session.ended", "10-05 09:31", session="S-1")
    session = book.session()
    steps = bill_steps(session, book.journal.book.policy)
    assert [step.comes_to for step in steps] == [
        *("0:31:00", "-0:05:00", "0:26:00", "0:21:00", "0:30:00"),
        *("60.00 USD", "-18.00 USD", "42.00 USD"),
    ]
    rules = " ".join(step.rule for step in steps)
    for name in ("R6", "trial.billed", "billing.*", "R1, R4", "R11, fee.percent"):
        assert name in rules


@pytest.mark.parametrize(
    ("minutes", "trial", "said"),
    [
        (4, {}, "within the trial of 5 minutes"),
        (9, {}, "past the trial of 5 minutes, all is billed"),
        (9, {"billed": "after-trial"}, "without the trial of 5 minutes"),
        (4, {"billed": "none"}, "there is no trial"),
    ],
)
def test_the_trial_is_explained(
    new_book: NewBook, minutes: int, trial: dict[str, str], said: str
) -> None:
    """Its effect on the time is stated, also if nothing is billed."""
    book = new_book(trial=trial)
    book.live(when="10-05 09:00")
    book.record("session.ended", f"10-05 09:{minutes:02d}", session="S-1")
    steps = gross_steps(book.session(), policy(trial=trial))
    assert any(step.rule.startswith(said) for step in steps)


def test_the_platforms_bill_is_shown_beside_our_calculation(books: Book) -> None:
    """Both are steps; a session that has not ended has none."""
    books.live(when="10-05 09:00")
    assert bill_steps(books.session(), policy()) == []
    books.record("session.ended", "10-05 09:20", session="S-1", billed=amount("90.00"))
    steps = {step.what: step.comes_to for step in gross_steps(books.session(), policy())}
    assert steps["Times 5.00 USD a minute"] == "100.00 USD"
    assert steps["Billed by the platform"] == "90.00 USD"


# --- through the queries --------------------------------------------------------------------------


def story(books: Book) -> None:
    """Record a session that is corrected, tipped, partly paid out, failed, and paid again."""
    books.log(gross="60.00")
    fifty = amount("50.00")
    books.record("session.corrected", "10-06 09:00", session="S-1", billed=fifty, reason="agreed")
    books.record(
        "tip.received", "10-06 10:00", id="tip", session="S-1", amount=amount("5.00"), source="t"
    )
    books.record("payout.sent", "10-07 09:00", payout="PO-1", amount=amount("37"), method="paypal")
    books.record("payout.failed", "10-08 09:00", payout="PO-1")
    books.record("payout.sent", "10-09 09:00", payout="PO-2", amount=amount("37"), method="paypal")
    books.record("payout.paid", "10-10 09:00", payout="PO-2")
    books.record(
        "entry.reversed", "10-11 09:00", event={"source": "t", "id": "tip"}, reason="not ours"
    )


def test_a_correction_and_a_reversal_are_explained(books: Book) -> None:
    """The first booking is marked; its inverse and the new booking follow; no balancing entry."""
    story(books)
    net, _ = provenance.session(books.reader(), "S-1")
    assert parts_of(net) == [
        ("Sessions", 4200),
        ("Corrections and reversals", -1200),
        ("Tips", 500),
    ]
    (first,), others = net.parts[0].parts, net.parts[1].parts
    assert first.rule == "R11, corrected later"
    assert [part.minor for part in others] == [-4200, 3500, -500]
    assert not first.parts[0].steps
    assert others[1].parts[0].steps


def test_a_payout_that_came_back_is_seen_in_both_directions(books: Book) -> None:
    """The owed amount shows both movements; only a payout that arrived is paid out."""
    story(books)
    _, where = provenance.session(books.reader(), "S-1")
    owed_now, arrived = where.parts
    assert (owed_now.what, arrived.what) == ("Owed by the platform", "Paid out")
    assert arrived.minor == 3700
    moves = [(part.what, part.minor) for part in owed_now.parts]
    assert ("Sent in payout PO-1", -3700) in moves
    assert ("Failed payout PO-1", 3700) in moves
    assert ("Sent in payout PO-2", -3700) in moves
    assert where.minor == 3500


def test_a_reversed_payout_is_nowhere_any_more(books: Book) -> None:
    """Entered by mistake: the money is owed as if it was never sent."""
    books.log(gross="60.00")
    books.record(
        *("payout.sent", "10-07 09:00"),
        source="p",
        id="sent",
        payout="PO-1",
        amount=amount("42"),
        method="paypal",
    )
    books.record(
        "entry.reversed", "10-08 09:00", event={"source": "p", "id": "sent"}, reason="typo"
    )
    _, where = provenance.session(books.reader(), "S-1")
    (owed_now,) = where.parts
    assert parts_of(owed_now) == [
        ("Session S-1", 4200),
        ("Sent in payout PO-1", -4200),
        ("Reversal of PO-1", 4200),
    ]


def test_a_forgotten_customers_words_are_gone_and_the_money_stays(books: Book) -> None:
    """The title is theirs; the amounts are the books'."""
    books.log(gross="60.00", title="my secret")
    before, _ = provenance.session(books.reader(), "S-1")
    books.record("customer.forgotten", "10-06 09:00", customer="C-1")
    after, _ = provenance.session(books.reader(), "S-1")
    assert "my secret" in before.parts[0].parts[0].what
    assert "my secret" not in repr(after)
    assert after.minor == before.minor == 4200
