"""Two sources that report the same entity: which facts are equal, and which only look equal."""

from __future__ import annotations

from liveportal.domain.errors import Conflict
from liveportal.domain.events.envelope import CLI_SOURCE
from tests.kit.books import Book
from tests.kit.events import OTHER, amount

SHELL = {"source": CLI_SOURCE}


def test_a_correction_of_another_field_is_another_correction(books: Book) -> None:
    """A missing field keeps its value; correcting it is a different correction."""
    books.log()
    books.record(
        "session.corrected", "10-06 09:00", session="S-1", billed=amount("50.00"), reason="a"
    )
    outcome = books.record(
        "session.corrected", "10-06 10:00", session="S-1", billed=amount("55.00"),
        end="2026-10-05T10:00:00Z", reason="b", source=OTHER,
    )  # fmt: skip
    assert outcome.status == "recorded"
    assert books.month()["gross"] == "55.00"


def test_who_leaves_the_amount_out_claims_everything(books: Book) -> None:
    """A claim of everything is not confirmed by one of five dollars, only by one of everything."""
    books.log()
    books.claim()
    part = {"claim": "CL-1", "session": "S-1", "source": OTHER}
    error = books.refuses("refund.claimed", "10-05 11:00", amount=amount("5.00"), **part)
    assert isinstance(error, Conflict)
    assert error.fields == ["amount"]
    whole = books.record("refund.claimed", "10-05 11:00", amount=amount("60.00"), **part)
    assert whole.status == "confirmed"


def test_a_session_known_by_two_ids_has_one_tip(books: Book) -> None:
    """Facts are compared by the book's session id, whichever id a source uses."""
    books.live("S-1")
    books.record("request.accepted", "10-05 09:00", request="R-S-1", session="X", source=OTHER)
    books.record("session.ended", "10-05 09:20", session="X", source=OTHER)
    assert books.record("session.ended", "10-05 09:20", session="S-1").status == "confirmed"
    tip = {"amount": amount("1.00")}
    books.record("tip.received", "10-05 09:30", session="X", source=OTHER, **tip)
    assert books.record("tip.received", "10-05 09:30", session="S-1", **tip).status == "confirmed"
    assert books.month()["tips"] == "1.00"


def test_a_new_bill_after_a_refund_stands_as_long_as_it_can(books: Book) -> None:
    """The platform's bill is booked, unless it is less than the refunded amount."""
    books.live("S-1")
    books.record("session.ended", "10-05 09:12", session="S-1", **SHELL)  # $60.00 at $5.
    books.claim()
    books.record("refund.conceded", "10-05 12:00", claim="CL-1")
    less = {"session": "S-1", "billed": amount("59.99")}
    outcome = books.record("session.ended", "10-05 09:12", **less)
    assert (outcome.status, outcome.flags) == ("confirmed", ("billed_differs",))
    more = {"session": "S-1", "billed": amount("70.00"), "source": OTHER}
    assert books.record("session.ended", "10-05 09:12", **more).flags == ()
    month = books.month()
    assert (month["gross"], month["refunded"], month["net"]) == ("70.00", "60.00", "7.00")


def test_another_rating_of_another_source_is_a_conflict(books: Book) -> None:
    """Only the source that posted a review may change it."""
    books.log()
    review = {"session": "S-1", "by": "customer"}
    books.record("review.posted", "10-05 11:00", rating=2, **review)
    assert books.record("review.posted", "10-05 12:00", rating=3, **review).status == "recorded"
    error = books.refuses("review.posted", "10-05 12:00", rating=5, source=OTHER, **review)
    assert isinstance(error, Conflict)
    assert error.fields == ["rating"]
    same = books.record("review.posted", "10-05 12:00", rating=3, source=OTHER, **review)
    assert same.status == "confirmed"
