"""The facts of a book from which rules are inferred: what really happened, not how it was typed."""

from __future__ import annotations

from liveportal.domain.calculations.inference.facts import OtherMoney, PastClaim, PastPayout
from liveportal.domain.clock import microseconds
from liveportal.ledger.queries.policy_inference import facts
from tests.kit.books import Book
from tests.kit.duplicates import reverse, sent
from tests.kit.events import FEED, amount, at


def test_a_correction_counts_from_the_end_of_the_session(books: Book) -> None:
    """The times and the bill are those that were corrected; a bill of the platform is named."""
    times = {"start": "2026-10-05T09:00:00Z", "end": "2026-10-05T10:00:00Z"}
    customer = {"id": "C-1", "timezone": "Asia/Tokyo"}
    for name in ("S-1", "S-2"):
        books.record(
            "session.logged",
            "10-05 10:00",
            session=name,
            customer=customer,
            rate=amount("5.00"),
            **times,
        )
    books.record(
        "session.corrected",
        "10-06 10:00",
        session="S-1",
        end="2026-10-05T10:30:00Z",
        reason="typed wrongly",
    )
    books.record(
        "session.corrected", "10-06 10:00", session="S-2", billed=amount("9.00"), reason="agreed"
    )
    found = facts(books.reader())
    second, first = found.sessions
    assert (first.end, first.billed_minor) == (at("10-05 10:30"), None)
    assert first.active_us == microseconds(first.end - first.start)
    assert (second.end, second.billed_minor) == (at("10-05 10:00"), 900)
    assert found.zones == ("UTC", "Asia/Tokyo")


def test_what_was_reversed_never_was(books: Book) -> None:
    """Neither a tip, nor an adjustment, nor a payout, nor the failure of one."""
    books.log(gross="600.00")
    books.record("tip.received", "10-05 11:00", id="tip", session="S-1", amount=amount("3.00"))
    books.record("tip.received", "10-05 12:00", session="S-1", amount=amount("4.00"))
    books.record(
        "adjustment.posted", "10-05 12:00", adjustment="A-1", amount=amount("-1.00"), reason="fee"
    )
    reverse(books, "tip", of=FEED)
    sent(books, "24.00", id="wrong")
    reverse(books, "wrong")
    sent(books, "25.00")
    found = facts(books.reader())
    assert found.others == (
        OtherMoney(at("10-05 12:00"), 400),
        OtherMoney(at("10-05 12:00"), -100),
    )
    (payout,) = found.payouts
    assert (payout.minor, payout.came_back_at) == (2500, None)
    books.record("payout.failed", "12-31 10:00", payout=payout.id)
    assert facts(books.reader()).payouts == (
        PastPayout(payout.id, 2500, payout.sent_at, at("12-31 10:00")),
    )


def test_claims_say_how_they_were_decided(books: Book) -> None:
    """Whole ones follow the bill; an undecided one holds."""
    books.log(gross="60.00")
    books.claim()
    books.record("refund.denied", "10-06 11:00", claim="CL-1")
    books.claim("CL-2", "10-07 11:00")
    (session,) = facts(books.reader()).sessions
    assert session.claims == (
        PastClaim(6000, True, at("10-05 11:00"), at("10-06 11:00")),
        PastClaim(6000, True, at("10-07 11:00")),
    )
    books.record("refund.granted", "10-08 11:00", claim="CL-2")
    assert facts(books.reader()).sessions[0].claims[1].is_deducted
