"""What a transfer costs: the fee of an arrival, what a return debits, and what is learnt later."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from liveportal.domain.errors import (
    AmountTooLarge,
    Conflict,
    CurrencyMismatch,
    FeeTooLarge,
    InvalidEvent,
    NotForFeeds,
    WrongState,
)
from liveportal.domain.events.envelope import CLI_SOURCE, STATEMENT_PREFIX
from liveportal.domain.events.sources import Origin
from liveportal.domain.money import Money
from liveportal.ledger.journal.journal import Outcome
from liveportal.ledger.queries import earnings, payouts
from tests.kit.books import Book, NewBook
from tests.kit.events import FEED, OTHER, amount
from tests.kit.events import event as event_of

STATEMENT = f"{STATEMENT_PREFIX}paypal:5d41"
PLATFORM, BANK, TRANSIT = "assets:platform", "assets:bank", "assets:transit"
FEE = "expenses:transfer-fee"
EVIDENCE = {"file_sha256": "ab" * 32, "line": 12, "row": "8XK41"}


@pytest.fixture
def sent(books: Book) -> Book:
    """Return a book with a payout of 42.00 on its way."""
    books.log()
    books.record(
        "payout.sent", "12-01 10:00", payout="PO-1", amount=amount("42.00"), method="paypal"
    )
    return books


def paid(books: Book, when: str = "12-02 10:00", **data: Any) -> Outcome:  # noqa: ANN401 (JSON)
    """Record that the payout arrived."""
    return books.record("payout.paid", when, payout="PO-1", **data)


def returned(books: Book, when: str = "12-03 10:00", **data: Any) -> Outcome:  # noqa: ANN401
    """Record that the payout came back."""
    return books.record("payout.returned", when, payout="PO-1", **data)


def reverse(books: Book, outcome: Outcome, when: str = "12-20 10:00") -> Outcome:
    """Take an event back."""
    event = {"source": outcome.event.source, "id": outcome.event.id}
    return books.record("entry.reversed", when, source=CLI_SOURCE, event=event, reason="a mistake")


def accounts(books: Book) -> dict[str, int]:
    """Return the balance of every account with one."""
    rows = books.rows("SELECT account, sum(amount) AS minor FROM posting GROUP BY account")
    return {row["account"]: row["minor"] for row in rows if row["minor"]}


# --- postings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fee", "legs"),
    [
        ("1.00", {BANK: "41.00", FEE: "1.00", TRANSIT: "-42.00"}),
        ("0.00", {BANK: "42.00", TRANSIT: "-42.00"}),
        ("42.00", {FEE: "42.00", TRANSIT: "-42.00"}),
    ],
)
def test_an_arrival_is_less_the_fee(sent: Book, fee: str, legs: dict[str, str]) -> None:
    """A fee of nothing is known to be nothing; all of the payout may be the fee."""
    outcome = paid(sent, fee=amount(fee))
    assert sent.legs(outcome.seq) == [legs]
    assert sent.month("2026-12")["transfer_fees"] == fee
    assert sent.balance() == ("0.00", "0.00", "0.00", "42.00")
    assert sent.month("2026-12")["net"] == "0.00"
    assert str(sent.reader().money(sent.payout().fee_minor)) == fee


@pytest.mark.parametrize(
    ("fee", "debited", "legs"),
    [
        (None, None, {PLATFORM: "42.00", BANK: "-42.00"}),
        ("1.00", None, {PLATFORM: "42.00", BANK: "-41.00", FEE: "-1.00"}),
        ("1.00", "41.00", {PLATFORM: "42.00", BANK: "-41.00", FEE: "-1.00"}),
        ("1.00", "42.00", {PLATFORM: "42.00", BANK: "-42.00"}),
        ("1.00", "43.50", {PLATFORM: "42.00", BANK: "-43.50", FEE: "1.50"}),
        ("1.00", "0.00", {PLATFORM: "42.00", FEE: "-42.00"}),
        ("42.00", None, {PLATFORM: "42.00", FEE: "-42.00"}),
    ],
)
def test_a_return_is_of_the_whole_payout(
    sent: Book, fee: str | None, debited: str | None, legs: dict[str, str]
) -> None:
    """What left the account may be less or more; the transfer fee is the rest."""
    arrival: dict[str, Any] = {"fee": amount(fee)} if fee else {}
    given: dict[str, Any] = {"debited": amount(debited)} if debited else {}
    paid(sent, **arrival)
    outcome = returned(sent, **given)
    assert sent.legs(outcome.seq) == [legs]
    assert sent.balance() == ("42.00", "0.00", "0.00", "0.00")
    row = earnings.transactions(sent.reader())[-1]
    assert (row.amount, row.fee, row.owed) == (
        Money(0, "USD"),
        Money(0, "USD"),
        Money(4200, "USD"),
    )


@pytest.mark.parametrize(("currency", "fee"), [("JPY", "1"), ("KWD", "0.001")])
def test_the_digits_are_the_currency_s(new_book: NewBook, currency: str, fee: str) -> None:
    """Yen have none, dinars have three."""
    books = new_book(currency=currency, rate={"minimum": "none", "maximum": "none"},
                     payout={"minimum": "none"})  # fmt: skip
    whole = "60" if currency == "JPY" else "60.000"
    books.log(billed=amount(whole, currency), rate=amount("1", currency))
    share = "42" if currency == "JPY" else "42.000"
    books.record("payout.sent", "12-01 10:00", payout="PO-1", method="bank",
                 amount=amount(share, currency))  # fmt: skip
    paid(books, fee=amount(fee, currency), received=amount("9.5", "EUR"))
    row = payouts.payouts(books.reader())[0]
    assert (str(row.fee), str(row.received), row.received_currency) == (fee, "9.50", "EUR")
    assert books.month("2026-12")["transfer_fees"] == fee


def test_what_is_refused(sent: Book) -> None:
    """A fee above the payout, of another currency, below zero; evidence that is none."""
    too_large = sent.refuses("payout.paid", "12-02 10:00", payout="PO-1", fee=amount("42.01"))
    assert isinstance(too_large, FeeTooLarge)
    assert too_large.details["amount"] == "42.00"
    euros = {"payout": "PO-1", "fee": amount("1.00", "EUR")}
    assert isinstance(sent.refuses("payout.paid", "12-02 10:00", **euros), CurrencyMismatch)
    wrong: dict[str, Any] = {
        "fee": amount("-1.00"),
        "received": amount("-1.00"),
        "evidence": EVIDENCE | {"line": 0},
        "evidence ": EVIDENCE | {"file_sha256": "AB" * 32},
        "evidence  ": EVIDENCE | {"row": "a\x1bb"},
        "evidence   ": EVIDENCE | {"time": "30.11.2026"},
        "evidence    ": EVIDENCE | {"time": "20261130"},
    }
    for field, value in wrong.items():
        given: dict[str, Any] = {field.strip(): value}
        with pytest.raises(InvalidEvent):
            paid(sent, **given)
    paid(sent, fee=amount("1.00"))
    back = {"payout": "PO-1", "debited": amount("1.00", "EUR")}
    assert isinstance(sent.refuses("payout.returned", "12-03 10:00", **back), CurrencyMismatch)


def test_what_a_return_debits_has_the_bounds_of_the_books(sent: Book) -> None:
    """More than the books can add up is refused, as everywhere."""
    paid(sent)
    huge = amount("92233720368547758.07")
    error = sent.refuses("payout.returned", "12-03 10:00", payout="PO-1", debited=huge)
    assert isinstance(error, AmountTooLarge)


# --- reported again -------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [STATEMENT, OTHER, FEED, CLI_SOURCE])
def test_a_fee_that_is_learnt_later_is_a_difference(sent: Book, source: str) -> None:
    """By whoever reports it, in the month of that report; the same again adds nothing."""
    paid(sent)
    later = paid(sent, "2027-01-05T10:00:00Z", source=source, fee=amount("1.00"))
    assert later.status == "confirmed"
    assert sent.legs(later.seq) == [{FEE: "1.00", BANK: "-1.00"}]
    assert sent.kinds()[-1] == "payout_paid"
    assert sent.month("2027-01")["transfer_fees"] == "1.00"
    assert sent.month("2026-12")["transfer_fees"] == "0.00"
    again = paid(sent, "2027-01-06T10:00:00Z", source=f"{OTHER}/2", fee=amount("1.00"))
    assert (again.status, sent.legs(again.seq)) == ("confirmed", [])
    other = {"payout": "PO-1", "fee": amount("2.00"), "source": f"{OTHER}/3"}
    error = sent.refuses("payout.paid", "12-09 10:00", **other)
    assert isinstance(error, Conflict)
    assert error.details["fields"] == ["fee"]


def test_a_fee_of_nothing_is_a_fee(sent: Book) -> None:
    """It books nothing, and another fee contradicts it."""
    paid(sent)
    outcome = paid(sent, source=STATEMENT, fee=amount("0.00"))
    assert (outcome.status, sent.legs(outcome.seq)) == ("confirmed", [])
    assert sent.payout().fee_minor == 0
    with pytest.raises(Conflict):
        paid(sent, source=OTHER, fee=amount("1.00"))


def test_a_report_without_details_adds_nothing(sent: Book) -> None:
    """Another source confirms it; the same one takes a step that does not exist."""
    paid(sent, fee=amount("1.00"))
    assert paid(sent, source=OTHER).status == "confirmed"
    with pytest.raises(WrongState):
        paid(sent)
    with pytest.raises(WrongState):
        paid(sent, source=CLI_SOURCE)


def test_a_fee_above_the_payout_is_refused_later_too(sent: Book) -> None:
    """And so is one of another currency."""
    paid(sent)
    late = {"payout": "PO-1", "source": STATEMENT}
    error = sent.refuses("payout.paid", "12-09 10:00", **late, fee=amount("42.01"))
    assert isinstance(error, FeeTooLarge)
    euros = sent.refuses("payout.paid", "12-09 10:00", **late, fee=amount("1.00", "EUR"))
    assert isinstance(euros, CurrencyMismatch)


@pytest.mark.parametrize(
    ("debited", "legs"),
    [
        ("42.00", [{FEE: "1.00", BANK: "-1.00"}]),
        ("43.00", [{FEE: "2.00", BANK: "-2.00"}]),
        ("40.00", [{BANK: "1.00", FEE: "-1.00"}]),
        ("41.00", []),
    ],
)
def test_what_left_the_account_may_be_learnt_later(
    sent: Book, debited: str, legs: list[dict[str, str]]
) -> None:
    """It is compared with what the first report booked: what had arrived, less the fee."""
    paid(sent, fee=amount("1.00"))
    returned(sent)
    later = returned(sent, "12-09 10:00", source=STATEMENT, debited=amount(debited))
    assert (later.status, sent.legs(later.seq)) == ("confirmed", legs)
    assert sent.payout().debited_minor == round(float(debited) * 100)
    with pytest.raises(Conflict):
        returned(sent, "12-10 10:00", source=OTHER, debited=amount("1.00"))


def test_what_is_shown_is_kept_as_it_was_reported_first(sent: Book) -> None:
    """What was credited and the row of a file contradict nothing; the first of each is shown."""
    paid(sent, received=amount("38.10", "EUR"))
    row = EVIDENCE | {"time": "2026-12-02T11:00:00+01:00"}
    paid(sent, source=STATEMENT, received=amount("1.00", "EUR"), evidence=row)
    paid(sent, source=OTHER, evidence=EVIDENCE)
    shown = payouts.payout(sent.reader(), "PO-1")
    assert (str(shown.received), shown.received_currency) == ("38.10", "EUR")
    assert shown.evidence is not None
    assert shown.evidence.as_dict() == row
    assert shown.fee is None
    assert shown.arrived_at == sent.payout().arrived_at
    assert json.loads(json.dumps(shown.as_dict()))["evidence"]["line"] == 12


# --- reversals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [True, False])
def test_a_reversal_takes_the_fee_back_too(sent: Book, first: bool) -> None:
    """Whichever report is reversed, the arrival is taken back with all that was added to it."""
    before = accounts(sent)
    one = paid(sent)
    other = paid(sent, "12-05 10:00", source=STATEMENT, fee=amount("1.00"))
    back = reverse(sent, one if first else other)
    assert sent.legs(back.seq) == [{TRANSIT: "42.00", BANK: "-42.00"}, {BANK: "1.00", FEE: "-1.00"}]
    assert accounts(sent) == before
    payout = sent.payout()
    assert (payout.state, payout.fee_minor, payout.arrived_at) == ("sent", None, None)
    anew = paid(sent, "12-21 10:00", fee=amount("2.00"))
    assert anew.status == "recorded"
    assert sent.payout().fee_minor == 200


def test_a_reversed_return_is_as_if_it_had_not_been(sent: Book) -> None:
    """With the fee of the arrival, and without what was debited."""
    paid(sent, fee=amount("1.00"))
    before = accounts(sent)
    first = returned(sent)
    returned(sent, "12-09 10:00", source=STATEMENT, debited=amount("43.00"))
    reverse(sent, first)
    assert accounts(sent) == before
    payout = sent.payout()
    assert (payout.state, payout.fee_minor, payout.debited_minor) == ("paid", 100, None)
    with pytest.raises(Conflict):
        paid(sent, source=OTHER, fee=amount("2.00"))


def test_a_fee_that_is_learnt_after_the_return_is_booked(sent: Book) -> None:
    """What a return debits by default is what had arrived as far as it was known then."""
    paid(sent)
    returned(sent)
    later = paid(sent, "12-09 10:00", source=STATEMENT, fee=amount("1.00"))
    assert sent.legs(later.seq) == [{FEE: "1.00", BANK: "-1.00"}]
    assert sent.payout().state == "returned"


# --- a payout that a statement showed first -------------------------------------------------------


def unknown_arrival(books: Book, row: str, when: str, gross: str = "42.00") -> Outcome:
    """Record a payout that only a statement knows, as reconcile does."""
    payout = f"paypal-{row}"
    sending = books.record(
        "payout.sent", when, source=STATEMENT, id=f"{row}:sent", payout=payout,
        amount=amount(gross), method="paypal", reference=row,
    )  # fmt: skip
    books.record("payout.paid", when, source=STATEMENT, id=f"{row}:paid", payout=payout)
    return sending


def platform_sent(books: Book, when: str, payout: str = "PO-7", gross: str = "42.00") -> Outcome:
    """Record the platform's own report of a payout."""
    return books.record(
        "payout.sent", when, payout=payout, amount=amount(gross), method="PayPal", reference="x"
    )


@pytest.fixture
def arrived(books: Book) -> Book:
    """Return a book with 84.00 earned, of which 42.00 arrived that the books did not know."""
    books.log(gross="120.00")
    unknown_arrival(books, "8XK41", "12-03 10:00")
    return books


@pytest.mark.parametrize("when", ["11-30 10:00", "12-03 09:00", "12-04 10:00"])
def test_the_platform_s_payout_is_the_one_that_arrived(arrived: Book, when: str) -> None:
    """From a day after it to three days before it; its id is another name from then on."""
    outcome = platform_sent(arrived, when)
    assert (outcome.status, outcome.flags) == ("confirmed", ("matched_by_amount",))
    assert arrived.balance() == ("42.00", "0.00", "0.00", "42.00")
    assert arrived.payout("PO-7").id == "paypal-8XK41"
    assert arrived.reader().resolve_id("payout", "PO-7") == "paypal-8XK41"
    shown = payouts.payout(arrived.reader(), "paypal-8XK41")
    assert shown.aliases == ["PO-7"]
    assert "matched_by_amount" in shown.flags
    confirmed = arrived.record("payout.paid", "12-05 10:00", payout="PO-7")
    assert confirmed.status == "confirmed"
    again = platform_sent_by_other(arrived)
    assert again.status == "confirmed"
    back = arrived.record("payout.returned", "12-06 10:00", payout="PO-7")
    assert arrived.legs(back.seq) == [{PLATFORM: "42.00", BANK: "-42.00"}]


def platform_sent_by_other(books: Book) -> Outcome:
    """Record the payout as another source of the platform describes it."""
    return books.record(
        "payout.sent", "12-01 10:00", source=OTHER, payout="PO-7", amount=amount("42.00"),
        method="bank", reference="y",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("when", "gross"),
    [("11-30 09:59", "42.00"), ("12-04 10:01", "42.00"), ("12-03 10:00", "41.99")],
)
def test_another_day_or_amount_is_another_payout(arrived: Book, when: str, gross: str) -> None:
    """It is recorded beside the one that arrived."""
    assert platform_sent(arrived, when, gross=gross).status == "recorded"
    assert arrived.payout("PO-7").id == "PO-7"


def test_each_arrival_is_matched_once(arrived: Book) -> None:
    """The oldest first; a third payout is one more, and so is one that the expert records."""
    unknown_arrival(arrived, "9ZZ", "12-03 11:00")
    assert platform_sent(arrived, "12-02 10:00", "PO-7").status == "confirmed"
    assert platform_sent(arrived, "12-02 10:00", "PO-8").status == "confirmed"
    assert arrived.payout("PO-7").id == "paypal-8XK41"
    assert arrived.payout("PO-8").id == "paypal-9ZZ"
    error = arrived.refuses(
        "payout.sent", "12-02 10:00", payout="PO-9", amount=amount("42.00"), method="paypal"
    )
    assert error.code == "payout_too_large"


def test_only_what_a_statement_showed_first_is_matched(sent: Book) -> None:
    """Two payouts of the platform, or of the expert, with the same amount are two."""
    sent.log("S-2", "10-06 10:00")
    assert platform_sent(sent, "12-01 10:00").status == "recorded"
    sent.log("S-3", "10-07 10:00")
    by_hand = sent.record(
        "payout.sent", "12-01 11:00", source=CLI_SOURCE, payout="PO-8", amount=amount("42.00"),
        method="paypal",
    )  # fmt: skip
    assert by_hand.status == "recorded"


def test_a_reversed_arrival_is_not_matched(arrived: Book) -> None:
    """What was taken back is no payout."""
    paid_event = {"source": STATEMENT, "id": "8XK41:paid"}
    sent_event = {"source": STATEMENT, "id": "8XK41:sent"}
    for event in (paid_event, sent_event):
        arrived.record("entry.reversed", "12-05 10:00", source=CLI_SOURCE, event=event, reason="x")
    assert platform_sent(arrived, "12-02 10:00").status == "recorded"


def test_a_statement_s_row_is_compared_by_its_amounts(arrived: Book) -> None:
    """Another export spells times and texts differently; another amount is a conflict."""
    again = {"source": STATEMENT, "id": "8XK41:sent", "payout": "paypal-8XK41", "method": "PayPal"}
    outcome = arrived.record("payout.sent", "12-03 00:00", **again, amount=amount("42.00"))
    assert outcome.status == "replayed"
    with pytest.raises(Conflict):
        arrived.record("payout.sent", "12-03 00:00", **again, amount=amount("42.01"))
    row = {"source": STATEMENT, "id": "8XK41:paid", "payout": "paypal-8XK41"}
    other_file = EVIDENCE | {"file_sha256": "cd" * 32}
    assert arrived.record("payout.paid", "12-04 00:00", **row, evidence=other_file).status == (
        "replayed"
    )
    with pytest.raises(Conflict):
        arrived.record("payout.paid", "12-04 00:00", **row, fee=amount("1.00"))


def test_a_row_that_was_taken_back_may_be_recorded_again(arrived: Book) -> None:
    """Under another id each time: `8XK41:paid`, then `.2` and `.3`."""
    names = ("8XK41:paid", "8XK41:paid.2", "8XK41:paid.3")
    for before, after in pairwise(names):
        event = {"source": STATEMENT, "id": before}
        arrived.record("entry.reversed", "12-05 10:00", source=CLI_SOURCE, event=event, reason="x")
        again = arrived.record(
            "payout.paid", "12-03 10:00", source=STATEMENT, id=after, payout="paypal-8XK41"
        )
        assert again.status == "recorded"


def test_a_confirmation_is_taken_back_with_its_fact(sent: Book) -> None:
    """The row that only confirmed an arrival may be recorded again."""
    first = paid(sent)
    paid(sent, source=STATEMENT, id="8XK41:paid", fee=amount("1.00"))
    reverse(sent, first)
    again = paid(sent, source=STATEMENT, id="8XK41:paid.2", fee=amount("1.00"))
    assert (again.status, sent.payout().fee_minor) == ("recorded", 100)


def test_a_feed_does_not_speak_for_a_statement(sent: Book) -> None:
    """The source is the expert's, in any spelling."""
    for source in (STATEMENT, STATEMENT.upper(), f"URN:liveportal:{STATEMENT[15:]}"):
        report = event_of("payout.paid", "12-02 10:00", source=source, payout="PO-1")
        with pytest.raises(NotForFeeds):
            sent.journal.record(report, origin=Origin.FEED)
