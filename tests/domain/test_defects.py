"""Defects known from other bookkeeping tools, each as a worked example of ours."""

from __future__ import annotations

from fractions import Fraction

import pytest

from liveportal.domain.money import Money
from liveportal.ledger.queries import breakdown, earnings, provenance
from tests.kit.books import Book, NewBook
from tests.kit.events import amount, at

NO_TRIAL = {"trial": {"billed": "none"}}


def owed(book: Book) -> str:
    """Return the amount owed at the end."""
    return book.balance()[0]


def test_a_refund_after_its_payout_is_deducted_once(books: Book) -> None:
    """80 was paid out and is given back later: of 800 earned since 720 is owed, not 640 or 800."""
    books.log("S-1", end="08-05 10:00", gross="114.29")  # The expert's share is 80.00.
    books.record("payout.sent", "10-01 09:00", payout="PO-1", amount=amount("80"), method="paypal")
    books.record("payout.paid", "10-02 09:00", payout="PO-1")
    books.log("S-2", end="10-05 10:00", gross="1142.86")  # 800.00
    assert owed(books) == "800.00"
    books.claim(when="10-06 11:00")
    assert owed(books) == "720.00"
    books.record("refund.granted", "10-07 11:00", claim="CL-1")
    assert books.balance() == ("720.00", "0.00", "0.00", "80.00")
    assert books.month("2026-10")["net"] == "720.00"


def test_ten_rows_add_up_to_what_is_shown(books: Book) -> None:
    """Ten shares of 0.77 and 0.78 are 7.75, in the month, by group, as a balance and as a tree."""
    for number in range(10):
        gross = "1.10" if number % 2 else "1.11"  # 0.77 and, rounded half-up, 0.78.
        books.log(f"S-{number}", end=f"10-{number + 1:02d} 10:00", gross=gross)
    reader = books.reader()
    rows = earnings.transactions(reader, "2026-10", "2026-10")
    assert [str(row["amount"]) for row in rows] == ["0.78", "0.77"] * 5
    month = books.month("2026-10")
    assert (month["net"], month["earned"], owed(books)) == ("7.75", "7.75", "7.75")
    assert str(rows[-1]["balance"]) == "7.75"
    (group,) = breakdown.rows(reader, "customer", "2026-10", "2026-10", "UTC")
    assert str(group["net"]) == "7.75"
    net, _ = provenance.month(reader, "2026-10")
    assert [net.minor, sum(leaf.minor for leaf in net.leaves())] == [775, 775]


def test_a_fifth_of_an_hour_at_thirty_dollars_is_six(new_book: NewBook) -> None:
    """0.2 h at 30.00 an hour is 6.00: time is never rounded before it is multiplied."""
    book = new_book(**NO_TRIAL)
    book.live(rate="0.50", when="10-05 09:00")
    book.record("session.ended", "10-05 09:12", session="S-1")
    assert book.gross() == "6.00"
    assert Fraction(book.session().billed_us, 3_600_000_000) == Fraction(1, 5)


@pytest.mark.parametrize("rounding", ["exact", "up", "down", "nearest"])
def test_what_is_even_is_not_rounded_up(new_book: NewBook, rounding: str) -> None:
    """13:00-14:30 are six quarters of an hour: it neither ends at 14:45 nor is billed to then."""
    book = new_book(**NO_TRIAL, billing={"rounding": rounding, "increment_seconds": 900})
    book.live(rate="1.00", when="10-05 13:00")
    book.record("session.ended", "10-05 14:30", session="S-1")
    session = book.session()
    assert (session.start, session.end) == (at("10-05 13:00"), at("10-05 14:30"))
    assert book.gross() == "90.00"


def test_rounding_shapes_the_bill_and_never_the_times(new_book: NewBook) -> None:
    """13:00-14:31 rounded up to quarters is billed as 105 minutes, and ended at 14:31."""
    book = new_book(**NO_TRIAL, billing={"rounding": "up", "increment_seconds": 900})
    book.live(rate="1.00", when="10-05 13:00")
    book.record("session.ended", "10-05 14:31", session="S-1")
    assert (book.session().end, book.gross()) == (at("10-05 14:31"), "105.00")


def test_a_refund_changes_the_balance(books: Book) -> None:
    """Held on the claim, gone on the deduction: it does not stay owed."""
    books.log(gross="60.00")
    assert books.balance() == ("42.00", "0.00", "0.00", "0.00")
    books.claim()
    assert books.balance() == ("0.00", "42.00", "0.00", "0.00")
    books.record("refund.conceded", "10-05 12:00", claim="CL-1")
    assert books.balance() == ("0.00", "0.00", "0.00", "0.00")
    assert books.month()["net"] == "0.00"


def test_a_negative_balance_is_not_clamped(books: Book) -> None:
    """A refund of paid-out money makes the balance negative: the next earnings fill it up."""
    books.log("S-1", gross="60.00")
    books.record("payout.sent", "10-06 09:00", payout="PO-1", amount=amount("42"), method="paypal")
    books.claim(when="10-06 10:00")
    books.record("refund.granted", "10-06 11:00", claim="CL-1")
    assert owed(books) == "-42.00"
    books.log("S-2", end="11-05 10:00", gross="100.00")
    assert owed(books) == "28.00"
    rows = earnings.transactions(books.reader())
    assert [str(row["balance"]) for row in rows] == ["42.00", "0.00", "-42.00", "-42.00", "28.00"]
    _, carried = provenance.month(books.reader(), "2026-11")
    assert Money(carried.parts[0].minor, "USD") == Money(-4200, "USD")


def test_a_refund_of_nothing_is_counted_all_the_same(new_book: NewBook) -> None:
    """Where the platform takes all, nothing is deducted: the refund is one in every view."""
    book = new_book(fee={"percent": 100})
    book.log(gross="60.00")
    book.claim()
    book.record("refund.granted", "10-05 12:00", claim="CL-1")
    (group,) = breakdown.rows(book.reader(), "customer", "2026-10", "2026-10", "UTC")
    assert (group["refunds"], str(group["deducted"])) == (1, "0.00")
    assert book.month()["refunds"] == 1
