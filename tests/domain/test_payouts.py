"""Payouts, exactly (rulebook 8), worked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from liveportal.domain import errors
from liveportal.domain.calculations.payout_plan import (
    PayoutPosition,
    Preview,
    counted,
    due_date,
    first_wait,
    lines_for,
    next_due,
    not_due_minor,
    preview,
)
from liveportal.domain.entities import Item, Line, OpenItem
from liveportal.domain.policy import Policy
from liveportal.ledger.queries.payouts import preview_on
from tests.kit.books import Book, NewBook
from tests.kit.events import amount, at, policy, usd

FAR_OFF = "9999-12"


def item(
    number: int, face: int, period: str = "2026-10", *, settled_minor: int = 0, **data: int
) -> OpenItem:
    """Return an item of that many cents."""
    day = datetime(int(period[:4]), int(period[5:]), 15, tzinfo=UTC)
    return OpenItem(Item(number, day, period, face, settled_minor), **data)  # type: ignore[arg-type]


def shown(
    items: list[OpenItem],
    on: date,
    rules: Policy | None = None,
    **given: Any,  # noqa: ANN401 (fields of a `PayoutPosition`)
) -> Preview:
    """Return the preview of a book that owes the items and nothing else."""
    owed = sum(
        open_item.item.face_minor - open_item.item.settled_minor - open_item.held_minor
        for open_item in items
    )
    return preview(replace(standing(items, rules), owed_minor=owed, **given), on)


def standing(items: list[OpenItem], rules: Policy | None = None) -> PayoutPosition:
    """Return a book that has these items open and nothing that blocks a payout."""
    return PayoutPosition(
        owed_minor=0,
        items=items,
        first_billed_end=None,
        missing_on=lambda _: (),
        policy=rules or Policy(),
    )


def pay(books: Book, payout: str, text: str, when: str = "12-30 12:00") -> tuple[Line, ...]:
    """Send a payout and return its lines."""
    books.record("payout.sent", when, payout=payout, amount=amount(text), method="paypal")
    return books.payout(payout).lines


# --- items and lines ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("face", "settled", "held", "left"),
    [
        (4200, 0, 0, 4200),
        (4200, 1000, 0, 3200),
        (4200, 4200, 0, 0),
        (4200, 0, 4200, 0),
        (4200, 1000, 4200, 0),  # Paid out in part, then claimed: never below 0.
        (-4200, 0, 0, -4200),
        (-4200, -4200, 0, 0),
        (-4200, -1000, 0, -3200),
    ],
)
def test_the_open_part_of_an_item(face: int, settled: int, held: int, left: int) -> None:
    """Its face less the settled and held parts; never below 0 for a positive item."""
    assert item(1, face, settled_minor=settled, held_minor=held).open_minor == left


def test_what_is_an_item(books: Book) -> None:
    """Earnings, tips and bonuses (+), deductions and negative adjustments (-), and nothing else."""
    books.log(gross="100.00")
    books.record("tip.received", "10-05 11:00", session="S-1", amount=amount("5.00"))
    for name, text in (("A-1", "3.00"), ("A-2", "-2.00")):
        books.record(
            "adjustment.posted", "10-05 11:00", adjustment=name, amount=amount(text), reason="x"
        )
    books.claim(when="10-05 12:00")
    books.record("refund.granted", "10-05 13:00", claim="CL-1")
    faces = [open_item.item.face_minor for open_item in books.journal.book.open_items()]
    assert faces == [70_00, 5_00, 3_00, -2_00, -70_00]


def test_lines_take_negatives_whole_then_the_oldest_positives() -> None:
    """All open negatives, then positives by time and number, the last in part."""
    items = [
        item(1, 50_00, "2026-11"),
        item(2, 30_00, "2026-10"),
        item(3, 30_00, "2026-10"),
        item(4, -10_00, "2026-12"),
    ]
    assert lines_for(items, 45_00) == (Line(4, -10_00), Line(2, 30_00), Line(3, 25_00))
    assert lines_for(items, 100_00) == (
        Line(4, -10_00),
        Line(2, 30_00),
        Line(3, 30_00),
        Line(1, 50_00),
    )


def test_lines_leave_out_what_is_held(books: Book) -> None:
    """Money that a claim holds is not paid out; the rest of the book is."""
    books.log("S-1", end="10-05 10:00", gross="100.00")
    books.log("S-2", end="10-06 10:00", gross="100.00")
    books.claim(when="10-05 12:00")
    assert pay(books, "PO-1", "70.00") == (Line(2, 70_00),)


def test_lines_add_up_and_no_line_is_paid_twice(books: Book) -> None:
    """Two payouts of one item settle it in two parts."""
    books.log(gross="100.00")
    assert pay(books, "PO-1", "20.00") == (Line(1, 20_00),)
    assert pay(books, "PO-2", "50.00") == (Line(1, 50_00),)
    assert books.journal.book.open_items() == []


@pytest.mark.parametrize("end", ["payout.failed", "payout.returned"])
def test_a_failed_or_returned_payout_gives_its_lines_back(books: Book, end: str) -> None:
    """The settled items are open and owed again."""
    books.log(gross="100.00")
    pay(books, "PO-1", "70.00")
    if end == "payout.returned":
        books.record("payout.paid", "12-31 10:00", payout="PO-1")
    books.record(end, "12-31 11:00", payout="PO-1")
    assert pay(books, "PO-2", "70.00", "12-31 12:00") == (Line(1, 70_00),)
    assert books.payout("PO-1").lines == (Line(1, 70_00),)


def test_lines_once_made_do_not_change(books: Book) -> None:
    """An older fact that arrives after a payout does not take part in it."""
    books.log("S-1", end="10-05 10:00", gross="100.00")
    pay(books, "PO-1", "70.00")
    books.log("S-0", end="09-05 10:00", gross="100.00")
    assert books.payout("PO-1").lines == (Line(1, 70_00),)
    assert pay(books, "PO-2", "70.00") == (Line(3, 70_00),)


def test_a_deducted_session_stays_open_as_plus_and_minus(books: Book) -> None:
    """Its earning is open as + and its deduction as -: a payout takes both."""
    books.log("S-1", gross="100.00")
    books.claim()
    books.record("refund.granted", "10-05 12:00", claim="CL-1")
    books.log("S-2", end="10-06 10:00", gross="50.00")
    lines = pay(books, "PO-1", "35.00")
    assert lines == (Line(3, -70_00), Line(1, 70_00), Line(4, 35_00))


def test_a_refund_after_its_payout_is_made_up_by_the_next_earnings(books: Book) -> None:
    """Owed 720 of 800: the balance is negative, nothing is clamped, and the next payout is less."""
    books.log("S-1", end="10-05 10:00", gross="114.29")  # 80.00 to the expert.
    pay(books, "PO-1", "80.00", "10-05 10:30")
    books.claim(when="10-05 11:00")
    assert books.balance("2026-10") == ("-80.00", "80.00", "80.00", "0.00")
    books.record("refund.granted", "10-05 12:00", claim="CL-1")
    assert books.balance("2026-10") == ("-80.00", "0.00", "80.00", "0.00")
    books.log("S-2", end="10-06 10:00", gross="1142.86")  # 800.00 to the expert.
    assert books.balance("2026-10")[0] == "720.00"
    error = books.refuses(
        "payout.sent", "12-30 12:00", payout="PO-2", amount=amount("720.01"), method="paypal"
    )
    assert isinstance(error, errors.PayoutTooLarge)
    assert pay(books, "PO-2", "720.00") == (Line(4, -80_00), Line(5, 800_00))
    assert books.balance("2026-12")[0] == "0.00"


# --- due, eligible, blocked -----------------------------------------------------------------------


@pytest.mark.parametrize(("day", "not_due"), [(29, 70_00), (30, 0), (31, 0)])
def test_october_counts_from_30_december(day: int, not_due: int) -> None:
    """October is due on 30 December and counts from that day on."""
    on = date(2026, 12, day)
    assert not_due_minor([item(1, 70_00)], on, Policy()) == not_due
    assert shown([item(1, 70_00)], on).eligible_minor == 70_00 - not_due


def test_only_positives_wait() -> None:
    """A deduction counts at once; eligible is signed and never clamped."""
    items = [item(1, 70_00, "2026-12"), item(2, -20_00, "2026-12")]
    planned = shown(items, date(2026, 12, 31))
    assert (planned.eligible_minor, planned.lines) == (-20_00, ())
    assert [block.code for block in planned.blocked] == ["nothing_eligible"]
    assert planned.carried_minor == -20_00


def test_due_on_is_the_earliest_due_date() -> None:
    """Of the open items; settled, held or negative ones have no due date."""
    items = [
        item(1, 70_00, "2026-09", settled_minor=70_00),
        item(2, -5_00, "2026-08"),
        item(3, 70_00, "2026-11"),
        item(4, 70_00, "2026-10"),
    ]
    assert next_due(items, Policy()) == date(2026, 12, 30)
    assert next_due(items[:2], Policy()) is None


def test_due_days_are_a_switch() -> None:
    """`payout.due_days_after_month_end` = 0: due on the month's last day."""
    rules = policy(payout={"due_days_after_month_end": 0})
    assert due_date("2026-10", rules) == date(2026, 10, 31)
    assert due_date("2024-02", rules) == date(2024, 2, 29)
    assert due_date(FAR_OFF, policy(payout={"due_days_after_month_end": 1})) == date.max


def test_the_first_wait_ends_on_a_calendar_day_of_the_platform() -> None:
    """Until the day, in the platform's zone, of the first billed session's end + 60 days."""
    end = at("10-05 23:30")
    assert first_wait(end, Policy()) == date(2026, 12, 4)
    assert first_wait(end, policy(period={"timezone": "Pacific/Auckland"})) == date(2026, 12, 5)
    items = [item(1, 200_00, "2026-08")]
    waiting = shown(items, date(2026, 12, 3), first_billed_end=end)
    assert [block.code for block in waiting.blocked] == ["first_payout_wait"]
    assert waiting.carried_minor == 200_00
    assert shown(items, date(2026, 12, 4), first_billed_end=end).blocked == ()


@pytest.mark.parametrize(
    ("face", "codes", "carried"), [(99_99, ["below_minimum"], 99_99), (100_00, [], 0)]
)
def test_below_the_minimum_is_carried(face: int, codes: list[str], carried: int) -> None:
    """Below 100.00 the balance is carried over; exactly 100.00 is paid."""
    planned = shown([item(1, face)], date(2026, 12, 30))
    assert [block.code for block in planned.blocked] == codes
    assert planned.carried_minor == carried
    assert planned.lines == (Line(1, face),)


def test_what_blocks_is_said_together() -> None:
    """Every reason is given, not only the first."""
    planned = shown(
        [item(1, 10_00)],
        date(2026, 12, 30),
        first_billed_end=at("12-01 10:00"),
        missing_on=lambda _: ("name",),
    )
    codes = {block.code for block in planned.blocked}
    assert codes == {"profile_incomplete", "below_minimum", "first_payout_wait"}


def test_minimum_counts_gross_pro_rata() -> None:
    """For each line, the remaining gross pro rata to the part paid, half-up; tips unchanged."""
    rules = policy(payout={"minimum_counts": "gross"})
    items = [item(1, 70_00, settled_minor=20_00, gross_minor=100_00), item(2, 5_00)]
    lines = lines_for(items, 55_00)
    # 100.00 x 50.00 / 70.00 = 71.43, and the tip of 5.00.
    assert counted(lines, items, rules) == 76_43
    assert counted(lines, items, Policy()) == 55_00


def test_minimum_counts_gross_of_what_is_left(new_book: NewBook) -> None:
    """A refunded session has no gross left; its deduction is not counted once more."""
    books = new_book(payout={"minimum_counts": "gross", "minimum": "150.00"})
    books.log("S-1", end="10-05 10:00", gross="100.00")
    books.claim()
    books.record("refund.granted", "10-05 12:00", claim="CL-1")
    books.log("S-2", end="10-06 10:00", gross="150.00")
    planned = preview_on(books.reader(), date(2026, 12, 30))
    assert planned.eligible == usd("105.00")
    assert [block.code for block in planned.blocked] == ["profile_incomplete"]


# --- sending --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "early"), [("12-29", True), ("12-30", False)])
def test_a_payout_before_its_day_is_early(books: Book, day: str, early: bool) -> None:
    """Not yet due is a flag, never a refusal: the platform pays when it pays."""
    books.log(gross="200.00")
    pay(books, "PO-1", "140.00", f"{day} 12:00")
    assert ("early" in books.payout().flags) is early


@pytest.mark.parametrize(
    ("when", "flagged"), [("10-06 10:00", True), ("10-06 10:00:00.000001", False)]
)
def test_a_payout_of_money_still_claimable(books: Book, when: str, flagged: bool) -> None:
    """A payout is flagged while a refund window is open."""
    books.log(end="10-05 10:00", gross="200.00")
    pay(books, "PO-1", "140.00", when)
    assert ("claimable" in books.payout().flags) is flagged


def test_held_money_is_not_owed(books: Book) -> None:
    """Owed is the balance of assets:platform, which has no held money in it."""
    books.log(gross="100.00")
    books.claim()
    error = books.refuses(
        "payout.sent", "10-05 12:00", payout="PO-1", amount=amount("0.01"), method="paypal"
    )
    assert isinstance(error, errors.PayoutTooLarge)
    assert error.details["owed"] == "0.00"


def test_the_flag_counts_as_the_preview_does(new_book: NewBook) -> None:
    """Where the minimum counts the gross, a payout of 80.01 for 114.30 is not below 100.00."""
    books = new_book(payout={"minimum_counts": "gross"})
    books.log(gross="114.30")
    pay(books, "PO-1", "80.01")
    assert "below_minimum" not in books.payout().flags


def test_a_payout_at_the_first_instant_of_the_calendar(books: Book) -> None:
    """Any past time can be recorded, even if no refund window fits before it."""
    books.record(
        "adjustment.posted",
        "0001-01-01T00:00:00Z",
        adjustment="A-1",
        amount=amount("5.00"),
        reason="x",
    )
    assert pay(books, "PO-1", "5.00", "0001-01-01T01:00:00Z") == (Line(1, 5_00),)


def test_only_what_a_payout_pays_makes_it_claimable(books: Book) -> None:
    """The open refund window of an unpaid session does not matter."""
    books.log("S-1", "09-01 10:00", gross="100.00")
    books.log("S-2", "12-29 20:00", gross="100.00")
    pay(books, "PO-1", "70.00", "2026-12-30T00:00:00Z")
    assert "claimable" not in books.payout().flags
    pay(books, "PO-2", "70.00", "2026-12-30T00:00:00Z")
    assert "claimable" in books.payout("PO-2").flags
