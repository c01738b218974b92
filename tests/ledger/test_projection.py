"""Rules of a book as a whole: period and currency, reversals, limits, ids, corrections."""

from __future__ import annotations

import pytest

from liveportal.domain import errors
from liveportal.domain.money import LARGEST_MINOR
from liveportal.ledger.queries import earnings
from tests.kit.books import Book, NewBook, plain
from tests.kit.events import FEED, amount, policy

YEN = policy(
    currency="JPY", payout={"minimum": "100"}, rate={"minimum": "1", "maximum": "500"}
).document
ELSEWHERE = policy(period={"timezone": "Pacific/Auckland"}).document
BY_START = policy(period={"session_month": "start"}).document


def adjust(books: Book, name: str, text: str, when: str = "10-05 10:00") -> None:
    """Post an adjustment."""
    books.record("adjustment.posted", when, adjustment=name, amount=amount(text), reason="x")


# --- period and currency --------------------------------------------------------------------------


@pytest.mark.parametrize("document", [YEN, ELSEWHERE, BY_START])
def test_period_and_currency_are_fixed_by_the_first_transaction(
    books: Book, document: dict[str, object]
) -> None:
    """They can change only while the book has no transaction; then it is `period_fixed`."""
    books.record("policy.adopted", "10-01 00:00", policy=document)
    books.record("policy.adopted", "10-01 00:00", policy=policy().document)
    adjust(books, "A-1", "1.00")
    error = books.refuses("policy.adopted", "10-06 00:00", policy=document)
    assert isinstance(error, errors.PeriodFixed)
    assert error.code == "period_fixed"


def test_every_other_switch_may_change(books: Book) -> None:
    """With transactions in the book all but period and currency can still be adopted."""
    adjust(books, "A-1", "1.00")
    changed = policy(fee={"percent": 10}, refund={"partial": True}, trial={"minutes": 0})
    books.record("policy.adopted", "10-06 00:00", policy=changed.document)
    assert books.reader().policy == changed


def test_free_sessions_move_with_the_zone(books: Book) -> None:
    """A free session books nothing; while that is so, another zone moves it to its own month."""
    books.live(when="10-31 12:00")
    books.record("session.ended", "10-31 12:01", session="S-1")
    assert books.month("2026-10")["free_sessions"] == 1
    books.record("policy.adopted", "11-02 00:00", policy=ELSEWHERE)
    assert books.month("2026-10")["free_sessions"] == 0
    assert books.month("2026-11")["free_sessions"] == 1


def test_another_currency_is_another_book(new_book: NewBook) -> None:
    """A book in yen takes yen, with no digits, and nothing else."""
    books = new_book(**{name: value for name, value in YEN.items() if name != "name"})
    books.log(gross="6000", rate=amount("300", "JPY"), billed=amount("6000", "JPY"))
    assert books.month()["earned"] == "4200"
    error = books.refuses("tip.received", "10-05 11:00", session="S-1", amount=amount("1.00"))
    assert isinstance(error, errors.CurrencyMismatch)


# --- reversals ------------------------------------------------------------------------------------


def reverse(event_id: str) -> dict[str, object]:
    """Return the data of a reversal of a feed's event."""
    return {"event": {"source": FEED, "id": event_id}, "reason": "mistake"}


def test_an_adjustment_is_reversed_once(books: Book) -> None:
    """The exact inverse, once."""
    books.record(
        "adjustment.posted",
        "10-05 10:00",
        id="a",
        adjustment="A-1",
        amount=amount("-7.00"),
        reason="x",
    )
    books.record("entry.reversed", "10-05 11:00", **reverse("a"))
    assert books.balance() == ("0.00", "0.00", "0.00", "0.00")
    error = books.refuses("entry.reversed", "10-05 12:00", **reverse("a"))
    assert isinstance(error, errors.NotReversible)


def test_a_payout_that_was_never_sent(books: Book) -> None:
    """Reversing `payout.sent` owes its amount again and frees its lines."""
    books.log(gross="100.00")
    sent = {"amount": amount("70.00"), "method": "paypal"}
    books.record("payout.sent", "12-30 10:00", id="p", payout="PO-1", **sent)
    books.record("entry.reversed", "12-30 11:00", **reverse("p"))
    assert books.balance() == ("70.00", "0.00", "0.00", "0.00")
    assert books.payout("PO-1").state == "reversed"
    books.record("payout.sent", "12-30 12:00", payout="PO-2", **sent)
    assert books.payout("PO-2").lines == books.payout("PO-1").lines


def test_the_later_step_of_a_payout_is_reversed_first(books: Book) -> None:
    """The sending of a paid payout cannot be reversed before its arrival."""
    books.log(gross="100.00")
    books.record(
        "payout.sent", "12-30 10:00", id="p", payout="P-1", amount=amount("70.00"), method="paypal"
    )
    books.record("payout.paid", "12-30 11:00", id="q", payout="P-1")
    error = books.refuses("entry.reversed", "12-30 12:00", **reverse("p"))
    assert isinstance(error, errors.NotReversible)
    books.record("entry.reversed", "12-30 12:00", **reverse("q"))
    assert books.balance() == ("0.00", "0.00", "70.00", "0.00")
    books.record("entry.reversed", "12-30 12:00", **reverse("p"))
    assert books.balance() == ("70.00", "0.00", "0.00", "0.00")


@pytest.mark.parametrize("kind", ["session.ended", "request.opened", "refund.claimed"])
def test_what_cannot_be_reversed(books: Book, kind: str) -> None:
    """Only tips, adjustments and payouts; sessions are corrected, claims decided."""
    books.open("R-1", id="request.opened")
    books.record("request.accepted", "10-05 09:00", request="R-1", session="S-1")
    books.record("session.ended", "10-05 09:20", id="session.ended", session="S-1")
    books.claim(id="refund.claimed")
    error = books.refuses("entry.reversed", "10-05 12:00", **reverse(kind))
    assert isinstance(error, errors.NotReversible)


def test_an_unknown_event_cannot_be_reversed(books: Book) -> None:
    """No event of that source and id: not found."""
    error = books.refuses("entry.reversed", "10-05 12:00", **reverse("nothing"))
    assert isinstance(error, errors.UnknownEntity)


# --- corrections ----------------------------------------------------------------------------------


def test_a_correction_of_times(books: Book) -> None:
    """Another end, other pauses: billed again by the policy that the session froze."""
    books.live(when="10-05 09:00", rate="5.00")
    books.record("session.ended", "10-05 09:30", session="S-1")
    pauses = [["2026-10-05T09:05:00Z", "2026-10-05T09:10:00Z"]]
    books.record(
        "session.corrected",
        "10-06 09:00",
        session="S-1",
        end="2026-10-05T09:25:00Z",
        pauses=pauses,
        reason="recording",
    )
    assert books.gross() == "100.00"
    assert books.month()["minutes"] == "20.00"
    assert books.balance() == ("70.00", "0.00", "0.00", "0.00")


@pytest.mark.parametrize("decided", [False, True])
def test_a_correction_with_a_claim(books: Book, decided: bool) -> None:
    """Refused while a claim is undecided or after a deduction."""
    books.log()
    books.claim()
    if decided:
        books.record("refund.granted", "10-05 12:00", claim="CL-1")
    error = books.refuses(
        "session.corrected", "10-06 09:00", session="S-1", billed=amount("50.00"), reason="x"
    )
    assert isinstance(error, errors.CorrectionRefused)


def test_a_correction_after_a_release(books: Book) -> None:
    """A released claim does not block a correction."""
    books.log()
    books.claim()
    books.record("refund.denied", "10-05 12:00", claim="CL-1")
    books.record(
        "session.corrected", "10-06 09:00", session="S-1", billed=amount("0.00"), reason="x"
    )
    assert books.balance() == ("0.00", "0.00", "0.00", "0.00")


@pytest.mark.parametrize(
    "pauses",
    [
        [["2026-10-05T09:10:00Z", "2026-10-05T09:05:00Z"]],
        [["2026-10-05T08:50:00Z", "2026-10-05T09:05:00Z"]],
        [["2026-10-05T09:55:00Z", "2026-10-05T10:00:00.000001Z"]],
        [
            ["2026-10-05T09:10:00Z", "2026-10-05T09:20:00Z"],
            ["2026-10-05T09:15:00Z", "2026-10-05T09:30:00Z"],
        ],
    ],
)
def test_impossible_pauses(books: Book, pauses: list[list[str]]) -> None:
    """Pauses that run backwards, overlap, or lie outside the session are impossible."""
    with pytest.raises(errors.ImpossibleTime):
        books.log(end="10-05 10:00", pauses=pauses)


def test_pauses_that_touch(books: Book) -> None:
    """Pauses may touch each other and the ends, come in any order, and have no length."""
    pauses = [
        ["2026-10-05T09:30:00Z", "2026-10-05T10:00:00Z"],
        ["2026-10-05T09:00:00Z", "2026-10-05T09:15:00Z"],
        ["2026-10-05T09:15:00Z", "2026-10-05T09:15:00Z"],
        ["2026-10-05T09:15:00Z", "2026-10-05T09:20:00Z"],
    ]
    books.log(end="10-05 10:00", pauses=pauses)
    assert books.session().active_us == 10 * 60 * 1_000_000


# --- bounds ---------------------------------------------------------------------------------------


def test_the_turnover_is_bounded(books: Book) -> None:
    """2^63-1 minor units are the most that the books can add up; more is refused, not wrapped."""
    adjust(books, "A-1", "92233720368547758.06")
    assert books.balance()[0] == "92233720368547758.06"
    error = books.refuses(
        "adjustment.posted", "10-05 10:00", adjustment="A-2", amount=amount("-0.02"), reason="x"
    )
    assert isinstance(error, errors.AmountTooLarge)
    adjust(books, "A-3", "-0.01")
    assert books.balance()[0] == "92233720368547758.05"
    ((row),) = books.rows("SELECT sum(amount) AS turnover FROM transfer")
    assert row["turnover"] == LARGEST_MINOR


def test_a_bill_too_large(books: Book) -> None:
    """A rate that comes to more than the books can hold is refused when it is billed."""
    books.open(rate=amount("92233720368547758.07"))
    books.record("request.accepted", "10-05 09:00", request="R-1")
    error = books.refuses("session.ended", "10-05 09:20", session="R-1")
    assert isinstance(error, errors.AmountTooLarge)


def test_minutes_of_ten_thousand_years(books: Book) -> None:
    """Billed time adds up, however long the reported sessions are."""
    for number in range(40):
        books.record(
            "session.logged",
            "10-05 10:00",
            session=f"S-{number}",
            customer={"id": "C-1"},
            rate=amount("1.00"),
            start="0001-01-01T00:00:00Z",
            end="9999-12-01T00:00:00Z",
        )
    (month,) = plain(earnings.months(books.reader()))
    assert month["sessions"] == 40
    assert float(month["minutes"]) > 40 * 5e9


def test_months_have_no_gaps(books: Book) -> None:
    """From the first to the last month with something in it; outside, zeros and the balance."""
    adjust(books, "A-1", "5.00", "03-05 10:00")
    adjust(books, "A-2", "5.00", "06-05 10:00")
    shown = plain(earnings.months(books.reader()))
    assert [month["month"] for month in shown] == ["2026-03", "2026-04", "2026-05", "2026-06"]
    assert [month["balance"]["owed"] for month in shown] == ["5.00", "5.00", "5.00", "10.00"]
    assert [month["net"] for month in shown] == ["5.00", "0.00", "0.00", "5.00"]
    assert books.balance("2026-02")[0] == "0.00"
    assert books.balance("2030-01")[0] == "10.00"
    assert books.month("2026-04") == shown[1]


def test_an_empty_book_has_no_months(books: Book) -> None:
    """Nothing happened: no months, and zeros for any that is asked for."""
    assert earnings.months(books.reader()) == []
    assert books.month()["net"] == "0.00"


# --- ids ------------------------------------------------------------------------------------------


def test_ids_are_found_whole_or_by_a_unique_prefix(books: Book) -> None:
    """An exact id wins over longer ones; a prefix of several is ambiguous."""
    for name in ("R-1", "R-10", "R-11", "Q"):
        books.open(name)
    reader = books.reader()
    assert [reader.resolve_id("request", text) for text in ("R-1", "R-10", "Q")] == [
        "R-1",
        "R-10",
        "Q",
    ]
    with pytest.raises(errors.AmbiguousPrefix) as caught:
        reader.resolve_id("request", "R")
    assert caught.value.details["candidates"] == ["R-1", "R-10", "R-11"]
    for text in ("", "X", "r-1", "R-2", "%", "R_1", "~", "R-1~"):
        with pytest.raises(errors.UnknownEntity):
            reader.resolve_id("request", text)


@pytest.mark.parametrize("text", ["\udcff", "\x00", "💥", "R" * 100_000])
def test_ids_that_no_shell_should_give(books: Book, text: str) -> None:
    """Invalid bytes arrive from a shell as lone surrogates: not found, like any unknown id."""
    books.open()
    for kind in ("request", "session"):
        with pytest.raises(errors.UnknownEntity):
            books.reader().resolve_id(kind, text)


# --- cautions of the calendar ---------------------------------------------------------------------


def book_slot(books: Book, request: str, start: str, minutes: int = 60) -> tuple[str, ...]:
    """Accept a scheduled request at a time, and return the flags."""
    slots = [{"start": start, "minutes": minutes}]
    books.open(request, kind="scheduled", slots=slots)
    return books.record("request.accepted", "10-05 09:00", request=request, slot=1).flags


def test_double_booking(books: Book) -> None:
    """Slots are [start, end): overlapping ones are flagged, touching ones are not."""
    assert book_slot(books, "R-1", "2026-10-07T09:00:00Z") == ()
    assert book_slot(books, "R-2", "2026-10-07T10:00:00Z") == ()
    assert book_slot(books, "R-3", "2026-10-07T08:30:00Z", 31) == ("double_booking",)
    books.open("R-4", kind="scheduled", slots=[{"start": "2026-10-07T09:59:00Z", "minutes": 1}])
    error = books.command_refuses("request.accepted", "10-05 09:00", request="R-4", slot=1)
    assert isinstance(error, errors.DoubleBooking)


def test_a_vacation_is_whole_days_of_the_expert(books: Book) -> None:
    """The first and the last day count, by the expert's calendar; midnight before is free."""
    books.record(
        "preferences.changed",
        "10-01 09:00",
        timezone="Asia/Seoul",
        vacations=[{"start": "2026-10-10", "end": "2026-10-11"}],
    )
    assert book_slot(books, "R-1", "2026-10-09T15:00:00Z") == ("on_vacation",)
    assert book_slot(books, "R-2", "2026-10-11T14:59:00Z", 1) == ("on_vacation",)
    assert book_slot(books, "R-3", "2026-10-11T15:00:00Z") == ()
    assert book_slot(books, "R-4", "2026-10-09T14:00:00Z", 60) == ()
