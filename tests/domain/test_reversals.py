"""Mistaken events are reversed once, and their ids are free again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from liveportal.domain.errors import NotReversible, PayoutTooLarge
from liveportal.domain.events.envelope import CLI_SOURCE
from tests.kit.books import Book
from tests.kit.duplicates import SHELL, replay, reverse, sent
from tests.kit.events import FEED, OTHER, amount


@pytest.fixture(autouse=True)
def replayed(books: Book) -> Iterator[None]:
    """Check that the recorded events replay to the same tables and verify."""
    yield from replay(books)


def test_a_mistyped_payout_is_reversed_and_recorded_right(books: Book) -> None:
    """240.00 was typed for 24.00: the id is free, and the platform's own event confirms."""
    books.log(gross="600.00")
    sent(books, "240.00", id="wrong")
    reverse(books, "wrong")
    assert sent(books, "24.00").status == "recorded"
    assert sent(books, "24.00", source=FEED).status == "confirmed"
    assert books.payout().amount_minor == 24_00
    lines = books.rows("SELECT payout, amount_minor FROM payout_line")
    assert lines == [{"payout": "PO-1", "amount_minor": 24_00}]
    assert books.balance() == ("396.00", "0.00", "24.00", "0.00")


def test_a_reversed_fact_reported_by_another_source_is_new(books: Book) -> None:
    """The platform records the corrected PO-1 before the shell does, which then cannot."""
    books.log(gross="600.00")
    sent(books, "240.00", id="wrong")
    reverse(books, "wrong")
    assert sent(books, "24.00", source=FEED).status == "recorded"
    assert (
        books.refuses(
            "payout.sent", "12-10 09:00", payout="PO-1", amount=amount("24.00"), method="p", **SHELL
        ).code
        == "already_exists"
    )


def test_an_adjustment_that_was_reversed_is_free(books: Book) -> None:
    """The same holds for a bonus."""
    given = {"adjustment": "A-1", "reason": "bonus"}
    books.record(
        "adjustment.posted", "10-05 10:00", id="a", amount=amount("50.00"), **given, **SHELL
    )
    assert (
        books.refuses(
            "adjustment.posted", "10-05 10:00", amount=amount("5.00"), **given, **SHELL
        ).code
        == "already_exists"
    )
    reverse(books, "a")
    books.record("adjustment.posted", "10-05 10:00", amount=amount("5.00"), **given, **SHELL)
    outcome = books.record("adjustment.posted", "10-05 10:00", amount=amount("5.00"), **given)
    assert outcome.status == "confirmed"
    assert books.balance()[0] == "5.00"


@pytest.mark.parametrize(
    ("steps", "back"),
    [
        (["payout.paid"], ["sent"]),
        (["payout.failed"], ["sent"]),
        (["payout.paid", "payout.returned"], ["paid", "sent"]),
    ],
)
def test_the_steps_of_a_payout_are_reversed_the_later_one_first(
    books: Book, steps: list[str], back: list[str]
) -> None:
    """Paid -> sent, failed -> sent, returned -> paid; a mistaken step can be undone."""
    books.log(gross="100.00")
    sent(books, "70.00", id="sent")
    for kind in steps:
        books.record(kind, "12-11 09:00", payout="PO-1", id=kind, **SHELL)
    for earlier in ["sent", *steps[:-1]]:
        with pytest.raises(NotReversible):
            reverse(books, earlier)
    for kind, state in zip(reversed(steps), back, strict=True):
        reverse(books, kind)
        assert books.payout().state == state
        settled = books.rows("SELECT sum(settled_minor) AS n FROM item")
        assert settled == [{"n": 70_00}], "its lines are paid again"
    assert books.balance() == ("0.00", "0.00", "70.00", "0.00")
    reverse(books, "sent")
    assert books.payout().state == "reversed"
    assert books.balance() == ("70.00", "0.00", "0.00", "0.00")


def test_a_payout_that_is_sent_again_takes_lines_as_a_new_one(books: Book) -> None:
    """Its first lines have meanwhile been paid by another payout."""
    books.log("S-1", end="10-05 10:00", gross="100.00")
    sent(books, "70.00")
    books.record("payout.failed", "12-11 09:00", payout="PO-1", id="failed", **SHELL)
    other = {"payout": "PO-2", "amount": amount("70.00"), "method": "paypal"}
    books.record("payout.sent", "12-12 09:00", **other, **SHELL)
    with pytest.raises(PayoutTooLarge):
        reverse(books, "failed")
    books.log("S-2", end="10-06 10:00", gross="100.00")
    reverse(books, "failed")
    paid = books.rows("SELECT payout, item FROM payout_line ORDER BY payout")
    assert paid == [{"payout": "PO-1", "item": 5}, {"payout": "PO-2", "item": 1}]


def test_a_source_takes_back_what_it_only_confirmed(books: Book) -> None:
    """The fact and all its confirmations are reversed, whichever source was first; once."""
    books.log()
    tip = {"session": "S-1", "amount": amount("5.00")}
    books.record("tip.received", "10-05 11:00", id="mine", **tip, **SHELL)
    books.record("tip.received", "10-05 11:00", id="theirs", **tip)
    books.record("tip.received", "10-05 11:00", id="others", source=OTHER, **tip)
    assert reverse(books, "theirs", source=FEED).status == "recorded"
    assert books.month()["tips"] == "5.00"
    assert books.month("2026-12")["tips"] == "-5.00"
    with pytest.raises(NotReversible):
        reverse(books, "theirs", source=FEED)
    for event, source in (("others", OTHER), ("mine", CLI_SOURCE)):
        assert reverse(books, event, source=source).status == "confirmed"
        with pytest.raises(NotReversible):
            reverse(books, event, source=source)
    assert books.kinds() == ["earning", "tip", "reversal"]
    again = books.record("tip.received", "10-05 11:00", source=OTHER, **tip)
    assert again.status == "recorded", "what was reversed is free again"
