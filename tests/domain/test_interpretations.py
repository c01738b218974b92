"""The policy switches of rulebook 3, and the arithmetic of rulebook 4, worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from liveportal.domain import errors
from liveportal.domain.calculations.billing import MINUTE_US, SECOND_US, bill
from liveportal.domain.money import Money
from tests.kit.books import Book, NewBook
from tests.kit.events import amount, policy, usd

FIVE_DOLLARS = usd("5.00")
FIVE_MINUTES = 5 * MINUTE_US
FIVE_OH_ONE = FIVE_MINUTES + SECOND_US


def gross(active_us: int, rate: Money = FIVE_DOLLARS, **tables: Any) -> str:  # noqa: ANN401
    """Return the gross of a session with that time on the timer."""
    return str(bill(active_us, rate, policy(**tables)).gross)


@pytest.mark.parametrize(
    ("billed", "total"),
    [("whole-session", "100.00"), ("after-trial", "75.00"), ("none", "100.00")],
)
def test_trial_billed(billed: str, total: str) -> None:
    """20 minutes at $5: $100, or $75 where only the time past the trial is billed."""
    assert gross(20 * MINUTE_US, trial={"billed": billed}) == total


@pytest.mark.parametrize(
    ("billed", "total"),
    [("whole-session", "0.00"), ("after-trial", "0.00"), ("none", "20.00")],
)
def test_a_session_within_the_trial(billed: str, total: str) -> None:
    """4 minutes are free, unless there is no trial."""
    assert gross(4 * MINUTE_US, trial={"billed": billed}) == total


@pytest.mark.parametrize(
    ("boundary", "billed", "totals"),
    [
        ("over", "whole-session", ("0.00", "0.00", "25.00")),
        ("from", "whole-session", ("0.00", "25.00", "25.00")),
        ("over", "after-trial", ("0.00", "0.00", "0.00")),
        ("from", "after-trial", ("0.00", "0.00", "0.00")),
    ],
)
def test_trial_boundary(boundary: str, billed: str, totals: tuple[str, ...]) -> None:
    """Exactly 5:00.000000 is free (`over`) or billed (`from`); a microsecond decides."""
    trial = {"boundary": boundary, "billed": billed}
    around = (FIVE_MINUTES - 1, FIVE_MINUTES, FIVE_MINUTES + 1)
    assert tuple(gross(active, trial=trial) for active in around) == totals


def test_the_trial_has_a_length() -> None:
    """`trial.minutes` is its length; 0 means no trial."""
    assert gross(10 * MINUTE_US, trial={"minutes": 10}) == "0.00"
    assert gross(10 * MINUTE_US + 1, trial={"minutes": 10}) == "50.00"
    assert gross(1, usd("5.00"), trial={"minutes": 0}) == "0.00"
    assert gross(MINUTE_US, trial={"minutes": 0}) == "5.00"


@pytest.mark.parametrize(
    ("rounding", "total"),
    [("exact", "25.08"), ("up", "30.00"), ("down", "25.00"), ("nearest", "25.00")],
)
def test_rounding(rounding: str, total: str) -> None:
    """5:01 at $5 is $25.08, $30, $25 or $25."""
    assert gross(FIVE_OH_ONE, billing={"rounding": rounding}) == total


@pytest.mark.parametrize(
    ("active_us", "total"),
    [
        (6 * MINUTE_US + 30 * SECOND_US - 1, "30.00"),
        (6 * MINUTE_US + 30 * SECOND_US, "35.00"),
        (7 * MINUTE_US, "35.00"),
    ],
)
def test_nearest_rounds_half_up(active_us: int, total: str) -> None:
    """`nearest` rounds half of the increment up."""
    assert gross(active_us, billing={"rounding": "nearest"}) == total


@pytest.mark.parametrize(
    ("rounding", "total"), [("up", "45.00"), ("down", "30.00"), ("nearest", "30.00")]
)
def test_increment(rounding: str, total: str) -> None:
    """Time is shaped to `billing.increment_seconds`: 7:00 in steps of 3 minutes at $5."""
    billing = {"rounding": rounding, "increment_seconds": 180}
    assert gross(7 * MINUTE_US, billing=billing) == total


def test_exact_ignores_the_increment() -> None:
    """`exact` bills the exact time."""
    assert gross(FIVE_OH_ONE, billing={"increment_seconds": 3_600}) == "25.08"


@pytest.mark.parametrize(
    ("active_us", "total"),
    [
        (0, "0.00"),
        (FIVE_MINUTES, "0.00"),
        (FIVE_MINUTES + 1, "75.00"),
        (15 * MINUTE_US, "75.00"),
        (15 * MINUTE_US + 12 * SECOND_US, "76.00"),
    ],
)
def test_minimum(active_us: int, total: str) -> None:
    """The minimum is applied last, and only if there is time to bill."""
    assert gross(active_us, billing={"minimum_minutes": 15}) == total


def test_a_trial_is_taken_out_before_rounding() -> None:
    """`billing.rounding` shapes the billed time, first, after trial and pauses are taken out."""
    tables: dict[str, Any] = {"trial": {"billed": "after-trial"}, "billing": {"rounding": "up"}}
    assert gross(FIVE_OH_ONE, **tables) == "5.00"
    assert gross(6 * MINUTE_US, **tables) == "5.00"


def test_rounding_down_to_nothing_does_not_meet_the_minimum_again() -> None:
    """There was time to bill, so the minimum applies even if rounding leaves no time."""
    tables: dict[str, Any] = {
        "trial": {"billed": "none"},
        "billing": {"rounding": "down", "minimum_minutes": 15},
    }
    assert gross(30 * SECOND_US, **tables) == "75.00"


@pytest.mark.parametrize(
    ("active_us", "rate", "total"),
    [
        (10 * SECOND_US, "3.03", "0.51"),  # 0.505 rounds up.
        (10 * SECOND_US, "3.02", "0.50"),  # 0.50333…
        (20 * SECOND_US, "1.00", "0.33"),
        (40 * SECOND_US, "1.00", "0.67"),
    ],
)
def test_one_rounding_of_the_gross(active_us: int, rate: str, total: str) -> None:
    """The gross is rate x billed time, rounded once, half-up."""
    assert gross(active_us, usd(rate), trial={"billed": "none"}) == total


@pytest.mark.parametrize(
    ("rate_text", "currency", "total"),
    [("300", "JPY", "1005"), ("1.500", "KWD", "5.025"), ("3.00", "USD", "10.05")],
)
def test_every_currency_has_its_own_digits(rate_text: str, currency: str, total: str) -> None:
    """JPY has 0 digits, USD 2, KWD 3: 3:21 without a trial."""
    rules = policy(
        trial={"billed": "none"},
        currency=currency,
        payout={"minimum": "100"},
        rate={"minimum": "1", "maximum": "5"},
    )
    rate = Money.parse(rate_text, currency)
    assert str(bill(3 * MINUTE_US + 21 * SECOND_US, rate, rules).gross) == total


# --- refunds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("deducts", "net"), [("share", "0.00"), ("gross", "-30.00")])
def test_refund_deducts(new_book: NewBook, deducts: str, net: str) -> None:
    """A $100 session that is refunded leaves the expert 0, or -$30."""
    books = new_book(refund={"deducts": deducts})
    books.log(gross="100.00")
    books.claim()
    assert books.balance() == ("0.00", "70.00", "0.00", "0.00")
    books.record("refund.conceded", "10-05 12:00", claim="CL-1")
    month = books.month()
    assert (month["refunded"], month["net"]) == ("100.00", net)
    assert month["deducted"] == {"share": "70.00", "gross": "100.00"}[deducts]
    assert books.balance() == (net, "0.00", "0.00", "0.00")


def test_any_split_takes_back_exactly_the_share(new_book: NewBook) -> None:
    """share(0.05) is 0.04: refunds of 0.01 take back 0.01, 0.00, 0.01, 0.01 and 0.01."""
    books = new_book(refund={"partial": True})
    books.log(gross="0.05")
    costs = []
    for n in range(1, 6):
        books.claim(f"CL-{n}", amount=amount("0.01"))
        books.record("refund.granted", "10-05 12:00", claim=f"CL-{n}")
        assert books.claimed(f"CL-{n}").hold_minor == books.claimed(f"CL-{n}").cost_minor
        costs.append(books.claimed(f"CL-{n}").cost_minor)
    # share(1..5) = 1, 1, 2, 3, 4 (0.7, 1.4, 2.1, 2.8, 3.5 half-up).
    assert costs == [1, 0, 1, 1, 1]
    assert books.month()["net"] == "0.00"


def test_refund_window_hours(new_book: NewBook) -> None:
    """The refund window starts at the session's end, by the policy that the session froze."""
    books = new_book(refund={"window_hours": 1})
    books.log(end="10-05 10:00")
    longer = policy(refund={"window_hours": 100}).document
    books.record("policy.adopted", "10-05 10:30", policy=longer)
    assert books.claim(when="10-05 11:00:00.000001").flags == ("late_claim",)


@pytest.mark.parametrize("partial", [True, False])
def test_refund_partial(new_book: NewBook, partial: bool) -> None:
    """If `refund.partial` is false, less than the remaining amount is refused."""
    books = new_book(refund={"partial": partial})
    books.log(gross="60.00")
    if not partial:
        error = books.refuses(
            "refund.claimed", "10-05 11:00", claim="CL-1", session="S-1", amount=amount("59.99")
        )
        assert isinstance(error, errors.PartialRefund)
        books.claim(amount=amount("60.00"))
    else:
        books.claim(amount=amount("59.99"))
    assert books.claimed().state == "open"


def test_more_than_what_is_left_is_impossible(new_book: NewBook) -> None:
    """More refunded than was billed is refused, also for a feed and also after other refunds."""
    books = new_book(refund={"partial": True})
    books.log(gross="60.00")
    books.claim(amount=amount("40.00"))
    books.record("refund.granted", "10-05 12:00", claim="CL-1")
    error = books.refuses(
        "refund.claimed", "10-05 13:00", claim="CL-2", session="S-1", amount=amount("20.01")
    )
    assert isinstance(error, errors.RefundTooLarge)
    assert error.details["left"] == "20.00"
    books.claim("CL-2", "10-05 13:00")
    assert books.claimed("CL-2").amount_minor == 20_00


def test_one_undecided_claim_a_session(books: Book) -> None:
    """At most one undecided claim a session; a new one may follow a released one."""
    books.log()
    books.claim()
    error = books.refuses("refund.claimed", "10-05 11:00", claim="CL-2", session="S-1")
    assert isinstance(error, errors.ClaimOpen)
    assert error.code == "claim_open"
    books.record("refund.withdrawn", "10-05 12:00", claim="CL-1")
    books.claim("CL-2")
    books.record("refund.granted", "10-05 12:00", claim="CL-2")
    again = books.refuses("refund.claimed", "10-05 13:00", claim="CL-3", session="S-1")
    assert isinstance(again, errors.NothingToRefund)


def test_a_free_session_has_nothing_to_refund(books: Book) -> None:
    """A claim on an unbilled session is impossible."""
    books.log(gross="0.00")
    error = books.refuses("refund.claimed", "10-05 11:00", claim="CL-1", session="S-1")
    assert isinstance(error, errors.NothingToRefund)


@pytest.mark.parametrize("deducts", ["share", "gross"])
def test_a_hold_and_its_end_cancel_out(new_book: NewBook, deducts: str) -> None:
    """After a release the balances are as before the claim, under both interpretations."""
    books = new_book(refund={"deducts": deducts})
    books.log(gross="60.00")
    books.claim()
    books.record("refund.denied", "10-05 12:00", claim="CL-1")
    assert books.balance() == ("42.00", "0.00", "0.00", "0.00")


# --- the platform's bill, and the frozen policy ---------------------------------------------------


def test_what_the_platform_billed_is_booked(books: Book) -> None:
    """The reported bill is booked; the amount expected by our policy is stored beside it."""
    books.live(when="10-05 09:00", rate="3.00")
    books.record("session.ended", "10-05 09:20", session="S-1", billed=amount("45.50"))
    session = books.session()
    assert (session.gross_minor, session.expected_minor) == (45_50, 60_00)
    assert books.month()["minutes"] == "20.00"


def test_a_session_freezes_its_policy_when_it_is_accepted(books: Book) -> None:
    """Changing the policy never changes money already agreed."""
    books.live("S-old", "10-05 09:00")
    changed = policy(fee={"percent": 50}, trial={"billed": "after-trial"}).document
    books.record("policy.adopted", "10-05 09:01", policy=changed)
    books.live("S-new", "10-05 10:00")
    books.record("session.ended", "10-05 09:20", session="S-old")
    books.record("session.ended", "10-05 10:20", session="S-new")
    assert (books.gross("S-old"), books.gross("S-new")) == ("100.00", "75.00")
    assert books.session("S-old").fee_minor == 30_00
    assert books.session("S-new").fee_minor == 37_50


def test_the_policy_in_force_is_the_last_in_journal_order(books: Book) -> None:
    """`--at` only dates the adoption: an earlier date does not make it an earlier policy."""
    books.record("policy.adopted", "10-05 00:00", policy=policy(fee={"percent": 20}).document)
    books.record("policy.adopted", "10-01 00:00", policy=policy(fee={"percent": 10}).document)
    books.log(gross="100.00")
    assert books.month()["platform_fee"] == "10.00"


@pytest.mark.parametrize(
    ("tables", "month"),
    [
        ({}, "2026-11"),
        ({"session_month": "start"}, "2026-10"),
        ({"timezone": "America/New_York"}, "2026-10"),
        ({"timezone": "Pacific/Auckland", "session_month": "start"}, "2026-11"),
    ],
)
def test_the_month_of_a_session(new_book: NewBook, tables: dict[str, str], month: str) -> None:
    """A session is in the month of its end or start, by the calendar of `period.timezone`."""
    books = new_book(period=tables)
    books.live(when="10-31 23:50", rate="5.00")
    books.record("session.ended", "11-01 00:10", session="S-1")
    assert books.session().period == month
    assert books.month(month)["sessions"] == 1
    assert books.month(month)["gross"] == "100.00"


def test_a_logged_session_counts_from_its_end(books: Book) -> None:
    """It is earned when it ended, whatever the time of the event that reports it."""
    books.record(
        "session.logged",
        "12-24 10:00",
        session="S-1",
        customer={"id": "C-1"},
        rate=amount("3.00"),
        start="2026-10-31T08:40:00Z",
        end="2026-10-31T09:00:00Z",
    )
    assert books.month("2026-10")["earned"] == "42.00"
    assert books.month("2026-12")["earned"] == "0.00"
