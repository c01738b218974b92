"""The rules that the platform stated, R1 to R15, each with a worked example."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from tomllib import loads

import pytest

from liveportal.domain import errors
from liveportal.domain.calculations.payout_plan import due_date, first_wait
from liveportal.domain.policy import Policy
from liveportal.ledger.queries.payouts import preview_on
from tests.kit.books import Book, book
from tests.kit.events import amount, at, usd


@pytest.mark.parametrize("rate", ["1.00", "3.33", "5.00"])
def test_r1_a_rate_within_the_bounds_is_nothing_special(books: Book, rate: str) -> None:
    """Rates are per minute, in USD, chosen by the expert between $1 and $5; both ends count."""
    outcome = books.command("preferences.changed", "10-05 08:00", minimum_rate=amount(rate))
    assert outcome.flags == ()
    books.open(rate=amount(rate))
    assert books.request().flags == ()


@pytest.mark.parametrize("rate", ["0.99", "5.01"])
@pytest.mark.parametrize("which", ["minimum_rate", "direct_rate"])
def test_r1_a_command_is_warned_of_a_rate_out_of_bounds(books: Book, rate: str, which: str) -> None:
    """Rate bounds are cautions: a command is refused unless it insists."""
    error = books.command_refuses("preferences.changed", "10-05 08:00", **{which: amount(rate)})
    assert isinstance(error, errors.RateOutOfBounds)


@pytest.mark.parametrize("rate", ["0.99", "5.01"])
def test_r1_a_feed_is_never_refused_for_a_rate(books: Book, rate: str) -> None:
    """Facts from the platform are never refused for being unfair: recorded and flagged."""
    assert books.open(rate=amount(rate)).flags == ("rate_out_of_bounds",)
    assert books.request().flags == ("rate_out_of_bounds",)


def test_r1_rates_are_per_minute(books: Book) -> None:
    """Ten minutes at $3.00 come to $30.00."""
    books.live(rate="3.00", when="10-05 09:00")
    books.record("session.ended", "10-05 09:10", session="S-1")
    assert books.gross() == "30.00"


def test_r1_dollars_only(books: Book) -> None:
    """Another currency than the book's is impossible, also for a feed."""
    error = books.refuses(
        "request.opened",
        "10-05 08:00",
        request="R-1",
        kind="instant",
        customer={"id": "C-1"},
        title="help",
        rate=amount("3.00", "EUR"),
    )
    assert isinstance(error, errors.CurrencyMismatch)


def test_r2_the_minimum_rate_warns_of_accepting_less(books: Book) -> None:
    """Only requests at or above the minimum rate are for this expert."""
    books.record("preferences.changed", "10-05 07:00", minimum_rate=amount("3.00"))
    books.open("R-low", rate=amount("2.99"))
    books.open("R-at", rate=amount("3.00"))
    error = books.command_refuses("request.accepted", "10-05 08:01", request="R-low")
    assert isinstance(error, errors.BelowMinimumRate)
    assert books.command("request.accepted", "10-05 08:01", request="R-at").flags == ()
    assert (
        "below_minimum_rate"
        in books.record("request.accepted", "10-05 08:02", request="R-low").flags
    )


def test_r3_an_accept_can_come_too_late(books: Book) -> None:
    """The first expert to accept wins; the error of a late accept says so."""
    books.open()
    books.record("request.taken", "10-05 08:01", request="R-1")
    error = books.refuses("request.accepted", "10-05 08:02", request="R-1")
    assert isinstance(error, errors.WrongState)
    assert error.details["state"] == "taken"
    assert "taken" in error.message


def test_r4_the_rate_is_frozen_on_the_request(books: Book) -> None:
    """Later changes of preference never touch the rate at which a request was matched."""
    books.open(rate=amount("3.00"))
    books.record("preferences.changed", "10-05 08:01", minimum_rate=amount("5.00"))
    books.record("request.accepted", "10-05 08:02", request="R-1")
    books.record("preferences.changed", "10-05 08:03", direct_rate=amount("4.00"))
    books.record("session.ended", "10-05 08:22", session="R-1")
    assert books.session("R-1").rate == usd("3.00")
    assert books.gross("R-1") == "60.00"


@pytest.mark.parametrize(
    ("end", "gross"),
    [
        ("10-05 09:00", "0.00"),
        ("10-05 09:04:59.999999", "0.00"),
        ("10-05 09:05", "0.00"),
        ("10-05 09:05:00.000001", "25.00"),
        ("10-05 09:20", "100.00"),
    ],
)
def test_r5_the_first_five_minutes_are_a_trial(books: Book, end: str, gross: str) -> None:
    """No charge unless the session lasts over 5 minutes; beyond them, everything is billed."""
    books.live(when="10-05 09:00", rate="5.00")
    books.record("session.ended", end, session="S-1")
    assert books.gross() == gross
    assert books.kinds() == ([] if gross == "0.00" else ["earning"])


def test_r6_paused_time_is_not_charged(books: Book) -> None:
    """Pausing stops the timer: 30 minutes with 10 of pause are 20."""
    books.live(when="10-05 09:00", rate="5.00")
    books.record("session.paused", "10-05 09:10", session="S-1")
    books.record("session.resumed", "10-05 09:20", session="S-1")
    books.record("session.ended", "10-05 09:30", session="S-1")
    assert books.gross() == "100.00"


def test_r6_ending_while_paused_adds_no_time(books: Book) -> None:
    """A session that ends in a pause was on the timer until the pause only."""
    books.live(when="10-05 09:00", rate="5.00")
    books.record("session.paused", "10-05 09:10", session="S-1")
    books.record("session.ended", "10-05 11:00", session="S-1")
    assert books.gross() == "50.00"


def test_r6_the_trial_is_time_on_the_timer(books: Book) -> None:
    """Five minutes of talk around an hour of pause are still the trial."""
    books.live(when="10-05 09:00", rate="5.00")
    books.record("session.paused", "10-05 09:03", session="S-1")
    books.record("session.resumed", "10-05 10:03", session="S-1")
    books.record("session.ended", "10-05 10:05", session="S-1")
    assert books.gross() == "0.00"


def test_r7_both_sides_review(books: Book) -> None:
    """Both sides review each other after the session; the latest review of a side counts."""
    books.log(end="10-05 10:00")
    early = books.refuses("review.posted", "10-05 09:59", session="S-1", by="customer", rating=5)
    assert isinstance(early, errors.ImpossibleTime)
    books.record("review.posted", "10-05 10:00", session="S-1", by="customer", rating=2)
    books.record("review.posted", "10-05 10:01", session="S-1", by="expert", rating=4)
    books.record("review.posted", "10-05 10:02", session="S-1", by="customer", rating=5)
    reviews = books.rows("SELECT by, rating FROM review ORDER BY by")
    assert reviews == [{"by": "customer", "rating": 5}, {"by": "expert", "rating": 4}]


@pytest.mark.parametrize(
    ("when", "late"),
    [
        ("10-05 10:00", False),
        ("10-06 10:00", False),
        ("10-06 10:00:00.000001", True),
    ],
)
def test_r8_a_claim_within_24_hours_of_the_end(books: Book, when: str, late: bool) -> None:
    """Exactly at the window's end is in time; later a claim is recorded and flagged late."""
    books.log(end="10-05 10:00")
    assert books.claim(when=when).flags == (("late_claim",) if late else ())
    assert books.claimed().late is late


def test_r8_a_command_is_warned_of_a_late_claim(books: Book) -> None:
    """A late claim is a caution."""
    books.log(end="10-05 10:00")
    error = books.command_refuses("refund.claimed", "10-07 10:00", claim="CL-1", session="S-1")
    assert isinstance(error, errors.LateClaim)


def test_r8_a_claim_is_for_everything(books: Book) -> None:
    """A claim is for the full refund of the bill."""
    books.log(gross="60.00")
    books.claim()
    assert books.claimed().amount_minor == 60_00
    assert books.balance() == ("0.00", "42.00", "0.00", "0.00")


@pytest.mark.parametrize(
    ("ruling", "state", "net"),
    [("dispute.accepted", "accepted", "42.00"), ("dispute.rejected", "rejected", "0.00")],
)
def test_r9_the_review_of_a_dispute(books: Book, ruling: str, state: str, net: str) -> None:
    """Dispute accepted: the expert is not charged. Rejected: it is deducted from the earnings."""
    books.log(gross="60.00")
    books.claim()
    books.record("dispute.filed", "10-05 12:00", claim="CL-1", summary="Fixed at 09:40.")
    assert books.balance() == ("0.00", "42.00", "0.00", "0.00")
    books.record(ruling, "10-06 12:00", claim="CL-1")
    assert books.claimed().state == state
    assert books.month()["net"] == net
    assert books.balance() == (net, "0.00", "0.00", "0.00")


def test_r9_a_claim_may_be_refused_without_a_dispute(books: Book) -> None:
    """Abusive customers' claims may be refused: the hold is released."""
    books.log(gross="60.00")
    books.claim()
    books.record("refund.denied", "10-05 12:00", claim="CL-1")
    assert books.month()["net"] == "42.00"


def test_r10_disputes_are_counted(books: Book) -> None:
    """Repeated unwarranted disputes can close the account, so each filing is counted."""
    books.log()
    books.claim()
    books.record("dispute.filed", "10-05 12:00", claim="CL-1", summary="No.")
    books.record("dispute.withdrawn", "10-05 13:00", claim="CL-1")
    books.record("dispute.filed", "10-05 14:00", claim="CL-1", summary="After all.")
    assert books.month()["disputes"] == 2


@pytest.mark.parametrize(
    ("gross", "fee", "earned"),
    [("60.00", "18.00", "42.00"), ("0.01", "0.00", "0.01"), ("0.05", "0.01", "0.04")],
)
def test_r11_seventy_and_thirty(books: Book, gross: str, fee: str, earned: str) -> None:
    """The expert earns 70 % of the total, rounded half-up; the platform gets the rest."""
    books.log(gross=gross)
    month = books.month()
    assert (month["gross"], month["platform_fee"], month["earned"]) == (gross, fee, earned)


def test_r12_payouts_need_100_and_a_profile_and_go_to_paypal(books: Book) -> None:
    """Below $100, without a profile, by another method: the platform did it, and it is flagged."""
    books.log(gross="60.00")
    outcome = books.record(
        "payout.sent", "12-30 12:00", payout="PO-1", amount=amount("42.00"), method="cheque"
    )
    assert set(outcome.flags) == {"unlisted_method", "below_minimum", "profile_incomplete"}
    error = books.command_refuses(
        "payout.sent", "12-30 12:00", payout="PO-2", amount=amount("0.01"), method="x"
    )
    assert isinstance(error, errors.PayoutTooLarge)


def test_r12_a_payout_as_it_should_be_has_no_flag(books: Book) -> None:
    """$100 or more, a complete profile, PayPal, due and waited for: nothing to say."""
    books.log(gross="200.00")
    fields = ["name", "email", "method", "address", "tax_form"]
    books.record("payout_profile.changed", "10-01 12:00", fields=fields)
    outcome = books.command(
        "payout.sent", "12-30 12:00", payout="PO-1", amount=amount("140.00"), method="paypal"
    )
    assert outcome.flags == ()


def test_r13_october_is_due_on_30_december() -> None:
    """Each session is paid within 60 days of the end of its calendar month."""
    assert due_date("2026-10", Policy()) == date(2026, 12, 30)
    assert due_date("2026-12", Policy()) == date(2027, 3, 1)
    assert due_date("2028-02", Policy()) == date(2028, 4, 29)


def test_r13_the_first_payout_waits_60_days() -> None:
    """The first payout comes 60 days after the first paid session, by the platform's calendar."""
    assert first_wait(at("10-05 10:00"), Policy()) == date(2026, 12, 4)
    assert first_wait(None, Policy()) is None


def test_r14_tax_information_is_required_of_everyone(books: Book) -> None:
    """A profile without a tax form is incomplete."""
    books.record(
        "payout_profile.changed", "10-01 12:00", fields=["name", "email", "method", "address"]
    )
    assert books.journal.book.profile.missing == {"tax_form"}
    blocked = preview_on(books.reader(), date(2026, 12, 30)).blocked
    assert [block.code for block in blocked] == ["profile_incomplete", "nothing_eligible"]
    assert "tax form" in blocked[0].message


def test_r15_time_alone_moves_no_money(books: Book) -> None:
    """An accepted refund reaches the customer when the platform reports it, never by the clock."""
    books.log(gross="60.00")
    books.claim()
    before = books.balance("2026-10")
    assert books.balance("2030-01") == before == ("0.00", "42.00", "0.00", "0.00")
    books.record("refund.granted", "10-08 11:00", claim="CL-1")
    assert books.month()["refunded"] == "60.00"


def test_another_profile_bills_the_same_minutes_differently() -> None:
    """Every rule is data: 3 minutes at $5 are free, or a quarter of an hour."""
    text = files("liveportal.domain").joinpath("policies", "quarter-hour.toml").read_text("utf-8")
    for rules, gross in ((Policy(), "0.00"), (Policy.from_document(loads(text)), "75.00")):
        with book(rules) as books:
            books.live(when="10-05 09:00", rate="5.00")
            books.record("session.ended", "10-05 09:03", session="S-1")
            assert books.gross() == gross
