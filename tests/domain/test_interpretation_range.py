"""Alternative interpretations: the list, what each would come to, and which explain a bill."""

from __future__ import annotations

from typing import Any

import pytest

from liveportal.domain.calculations.interpretation_range import Bound, extremes
from liveportal.domain.interpretations import (
    BILLING,
    INTERPRETATIONS,
    explanations,
    has_no_effect,
    other_interpretations,
    with_interpretation,
)
from liveportal.domain.policy import Policy
from liveportal.ledger.queries import billing_audit, interpretation_range
from tests.kit.books import Book, NewBook, plain
from tests.kit.events import amount, policy

OCTOBER = ("2026-10", "2026-10")


def bound(book: Book, switch: str, reading: str | int) -> Bound:
    """Return October's amounts under an interpretation."""
    _, found = interpretation_range.bounds(book.reader(), *OCTOBER, [(switch, reading)])
    return found


def net(book: Book, switch: str, reading: str | int) -> int:
    """Return October's net under an interpretation."""
    return bound(book, switch, reading).net_minor


def live(book: Book, seconds: int, *, rate: str = "5.00", session: str = "S-1", **end: Any) -> None:  # noqa: ANN401
    """Hold a session of so many seconds."""
    book.live(session, "10-05 09:00", rate)
    minutes, rest = divmod(seconds, 60)
    book.record("session.ended", f"10-05 09:{minutes:02d}:{rest:02d}", session=session, **end)


# --- the interpretations --------------------------------------------------------------------------


def test_every_reading_is_one_that_a_policy_can_have() -> None:
    """Each interpretation makes a policy with that value and leaves all other switches alone."""
    for switch, readings in INTERPRETATIONS.items():
        for reading in readings:
            changed = with_interpretation(Policy(), (switch, reading)).switches()
            assert changed == {**Policy().switches(), switch: reading}


def test_what_the_platform_stated_is_not_open() -> None:
    """The fee is fixed by R11; switches that move no money are left out, too."""
    assert "fee.percent" not in INTERPRETATIONS
    assert set(INTERPRETATIONS) - set(BILLING) == {
        *("refund.deducts", "period.session_month", "period.timezone"),
    }


def test_other_readings_are_those_not_in_force() -> None:
    """With two policies, both values are alternatives; zones are the book's own, too."""
    alternatives = other_interpretations([policy()], "Asia/Seoul")
    assert ("period.timezone", "Asia/Seoul") in alternatives
    assert ("period.timezone", "UTC") not in alternatives
    assert ("trial.billed", "whole-session") not in alternatives
    both = other_interpretations([policy(), policy(refund={"deducts": "gross"})], "UTC")
    assert {reading for switch, reading in both if switch == "refund.deducts"} == {"share", "gross"}


@pytest.mark.parametrize(
    ("switch", "tables"),
    [
        ("billing.increment_seconds", {"billing": {"rounding": "exact"}}),
        ("trial.minutes", {"trial": {"billed": "none"}}),
        ("trial.boundary", {"trial": {"billed": "none"}}),
    ],
)
def test_a_switch_may_mean_nothing(switch: str, tables: dict[str, Any]) -> None:
    """Beside the others, in every policy of the book."""
    other = policy(billing={"rounding": "up"}, trial={"billed": "after-trial"})
    assert has_no_effect((switch, 60), [policy(**tables)])
    assert not has_no_effect((switch, 60), [policy(**tables), other])
    assert not has_no_effect(("fee.percent", "20"), [policy(**tables)])


# --- a month under an interpretation --------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "switch", "reading", "gross"),
    [
        (1200, "trial.billed", "after-trial", 7500),  # Rulebook 3: $100 or $75.
        (1200, "trial.billed", "none", 10_000),
        (300, "trial.boundary", "from", 2500),
        (240, "trial.minutes", 0, 2000),
        (301, "billing.rounding", "up", 3000),  # 5:01 at $5 is $25.08, $30, $25, $25.
        (301, "billing.rounding", "down", 2500),
        (301, "billing.rounding", "nearest", 2500),
        (301, "billing.increment_seconds", 900, 2508),
        (360, "billing.minimum_minutes", 15, 7500),
    ],
)
def test_a_reading_of_the_bill(
    new_book: NewBook, seconds: int, switch: str, reading: str | int, gross: int
) -> None:
    """The share of the alternative bill; the book itself does not change."""
    book = new_book(fee={"percent": 0})
    live(book, seconds)
    before = book.dump()
    assert net(book, switch, reading) == gross
    assert book.dump() == before


def test_increments_count_where_time_is_rounded(new_book: NewBook) -> None:
    """5:01 rounded up to a quarter of an hour is $75."""
    book = new_book(fee={"percent": 0}, billing={"rounding": "up"})
    live(book, 301)
    assert net(book, "billing.increment_seconds", 900) == 7500


def test_a_refund_that_deducts_the_gross(books: Book) -> None:
    """Rulebook 3: a $100 session refunded whole is net 0, or -$30."""
    books.log(gross="100.00")
    books.claim()
    books.record("refund.granted", "10-05 12:00", claim="CL-1")
    booked, other = interpretation_range.bounds(
        books.reader(), *OCTOBER, [("refund.deducts", "gross")]
    )
    assert (booked.net_minor, other.net_minor) == (0, -3000)
    assert extremes([booked, other]) == (-3000, 0)


def test_months_of_another_zone(books: Book) -> None:
    """October's last hour in UTC is in November in Seoul, for sessions and for payouts."""
    books.log(end="10-31 23:30", gross="100.00")
    books.record("payout.sent", "10-31 23:40", payout="PO-1", amount=amount("70"), method="paypal")
    amounts = bound(books, "period.timezone", "Asia/Seoul")
    assert (amounts.net_minor, amounts.owed_minor) == (0, 0)
    by_start = bound(books, "period.session_month", "start")
    assert (by_start.net_minor, by_start.owed_minor) == (7000, 0)


def test_billed_amounts_stay(books: Book) -> None:
    """No trial or billing interpretation changes an amount that the platform stated."""
    live(books, 301, billed=amount("77.00"))
    for switch, readings in BILLING.items():
        assert {net(books, switch, reading) for reading in readings} == {5390}


def test_payouts_stay_and_owed_may_fall_below_zero(books: Book) -> None:
    """A payout that an interpretation would refuse was sent: it is neither dropped nor cut."""
    live(books, 1200)
    books.record("payout.sent", "10-06 09:00", payout="PO-1", amount=amount("70"), method="paypal")
    books.record("payout.paid", "10-07 09:00", payout="PO-1")
    amounts = bound(books, "trial.billed", "after-trial")
    assert (amounts.net_minor, amounts.owed_minor, amounts.left_out) == (5250, -1750, ())


def test_a_reversed_payout_is_neither_sent_nor_left_out(books: Book) -> None:
    """Its reversal goes with it."""
    live(books, 1200)
    books.record(
        *("payout.sent", "10-06 09:00"),
        source="p",
        id="sent",
        payout="PO-1",
        amount=amount("70"),
        method="paypal",
    )
    books.record(
        "entry.reversed", "10-08 09:00", event={"source": "p", "id": "sent"}, reason="typo"
    )
    amounts = bound(books, "trial.billed", "after-trial")
    assert (amounts.owed_minor, amounts.left_out) == (5250, ())


def test_a_claim_on_what_would_be_free_is_left_out_and_said(books: Book) -> None:
    """There is nothing to refund; the claim and its later events are left out and listed once."""
    live(books, 301)
    books.claim()
    books.record("dispute.filed", "10-05 12:00", claim="CL-1", summary="it worked")
    books.record("dispute.rejected", "10-05 13:00", claim="CL-1")
    amounts = bound(books, "billing.rounding", "down")
    assert amounts.left_out == ()
    reader = books.reader()
    rows = interpretation_range.rows(
        reader,
        "2026-10",
        list(interpretation_range.bounds(reader, *OCTOBER, [("trial.minutes", 6)])),
    )
    assert plain(rows[1]["left_out"]) == [
        {"seq": 5, "type": "refund.claimed", "thing": "claim:CL-1", "code": "nothing_to_refund"}
    ]
    assert (str(rows[1]["net"]), rows[1]["difference"]) == ("0.00", rows[1]["net"])


@pytest.mark.parametrize("explicit", [True, False])
def test_a_claim_for_everything_is_for_everything(books: Book, explicit: bool) -> None:
    """Also where its amount was written out: of 30.00 it would have been 30.00, not 25.08."""
    live(books, 301)
    written: dict[str, Any] = {"amount": amount("25.08")} if explicit else {}
    books.claim(**written)
    books.record("refund.granted", "10-05 12:00", claim="CL-1")
    for reading in ("up", "down"):
        amounts = bound(books, "billing.rounding", reading)
        assert (amounts.net_minor, amounts.owed_minor, amounts.left_out) == (0, 0, ())


def test_a_claim_for_a_part_stays_that_part(new_book: NewBook) -> None:
    """If less than the claimed amount would be billed, the claim is left out and listed."""
    book = new_book(refund={"partial": True}, trial={"billed": "none"}, fee={"percent": 0})
    live(book, 360)
    book.claim(amount=amount("12.00"))
    book.record("refund.granted", "10-05 12:00", claim="CL-1")
    assert net(book, "billing.minimum_minutes", 15) == 7500 - 1200
    book.claim("CL-2", "10-06 09:00", amount=amount("18.00"))
    book.record("refund.granted", "10-06 10:00", claim="CL-2")
    more = bound(book, "billing.minimum_minutes", 15)
    assert (more.net_minor, more.left_out) == (0, ()), "together they were for everything"
    less = bound(book, "trial.billed", "after-trial")
    assert less.net_minor == 0
    assert [each.error.code for each in less.left_out] == ["refund_too_large"]


def test_two_policies_are_both_read_otherwise(books: Book) -> None:
    """Each keeps its other switches; a session keeps the policy that it froze."""
    live(books, 301)
    document = policy(name="cheap", fee={"percent": 0}).document
    books.record("policy.adopted", "10-06 00:00", policy=document)
    books.live("S-2", "10-07 09:00")
    books.record("session.ended", "10-07 09:05:01", session="S-2")
    assert net(books, "billing.rounding", "up") == 2100 + 3000


# --- which interpretation explains a bill ---------------------------------------------------------


@pytest.mark.parametrize(
    ("billed", "found"),
    [
        ("25.08", []),
        ("30.00", ["billing.rounding = up"]),
        ("25.00", ["billing.rounding = down", "billing.rounding = nearest"]),
        ("0.08", ["trial.billed = after-trial"]),
        ("75.00", ["billing.minimum_minutes = 15"]),
        ("26.00", []),
    ],
)
def test_the_reading_that_explains_a_bill(books: Book, billed: str, found: list[str]) -> None:
    """5:01 at $5 is 25.08 by the policy; another amount may match one other interpretation."""
    live(books, 301, billed=amount(billed))
    rows = billing_audit.audit(books.reader(), "0001-01", "9999-12", everything=True)
    assert rows[0]["explained_by"] == found
    assert str(rows[0]["expected"]) == "25.08"
    differing = billing_audit.audit(books.reader(), "0001-01", "9999-12", everything=False)
    assert len(differing) == (billed != "25.08")


def test_a_free_session_can_be_explained(books: Book) -> None:
    """5:00 is free by the policy; a platform that reads `from` bills it."""
    live(books, 300, billed=amount("25.00"))
    readings = list(explanations(books.session(), policy()))
    assert ("trial.boundary", "from") in readings
    assert ("trial.minutes", 0) in readings
    assert ("trial.billed", "none") in readings
