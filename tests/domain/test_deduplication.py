"""A fact is recorded once: one test for each sentence that the contract settles.

A confirmation is compared with the first assertion and with its amount at that time; it undoes no
later correction, decision or reversal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from liveportal.domain.errors import Conflict, ImpossibleTime
from liveportal.domain.events.envelope import CLI_SOURCE
from tests.kit.books import Book
from tests.kit.duplicates import SHELL, correct, end, hosted, replay, reverse, sent
from tests.kit.events import FEED, OTHER, amount


@pytest.fixture(autouse=True)
def replayed(books: Book) -> Iterator[None]:
    """Check that the recorded events replay to the same tables and verify."""
    yield from replay(books)


# --- a fact reported again ------------------------------------------------------------------------


def test_a_repeated_fact_undoes_no_later_correction(books: Book) -> None:
    """Ended 60.00, corrected to 50.00; the feed reports the same three facts: 50.00 stays."""
    hosted(books)
    correct(books, billed=amount("50.00"))
    books.record("request.accepted", "10-05 09:00", request="R-1", session="S-1")
    assert end(books, "10-05 09:20", "60.00").status == "confirmed"
    outcome = correct(books, billed=amount("50.00"), source=FEED)
    assert outcome.status == "confirmed"
    assert books.gross() == "50.00"
    assert books.kinds() == ["earning", "reversal", "correction"]


def test_a_repeated_fact_undoes_no_refund(books: Book) -> None:
    """Corrected to 50.00, refunded in full and reported again, the session has earned nothing."""
    hosted(books)
    correct(books, billed=amount("50.00"))
    books.claim("CL-1", "10-05 13:00")
    books.record("refund.granted", "10-05 14:00", claim="CL-1")
    for source in (FEED, OTHER):
        outcome = end(books, "10-05 09:20", "60.00", source)
        assert (outcome.status, outcome.flags) == ("confirmed", ())
    assert books.balance() == ("0.00", "0.00", "0.00", "0.00")
    assert books.month()["net"] == "0.00"


def test_a_bill_repeated_after_a_correction_is_only_flagged(books: Book) -> None:
    """Nothing is booked after a correction: the bill differs, and the feed continues."""
    hosted(books)
    correct(books, billed=amount("50.00"))
    outcome = end(books, "10-05 09:20", "70.00")
    assert (outcome.status, outcome.flags) == ("confirmed", ("billed_differs",))
    assert books.gross() == "50.00"
    assert books.session().flags == ("billed_differs",)
    assert end(books, "10-05 09:20", "50.00", OTHER).flags == (), "that is the bill in the books"


def test_a_second_bill_is_a_correction_that_followed(books: Book) -> None:
    """If the bills of two feeds differ, the first is booked and the other flagged."""
    hosted(books)
    assert end(books, "10-05 09:20", "70.00").flags == ()
    assert end(books, "10-05 09:20", "80.00", OTHER).flags == ("billed_differs",)
    assert books.gross() == "70.00"


def test_a_bill_difference_counts_in_the_month_of_the_later_report(books: Book) -> None:
    """The session is of October, the difference of November."""
    hosted(books)
    end(books, "11-02 09:00", "70.00")
    months = [books.month(name)["gross"] for name in ("2026-10", "2026-11")]
    assert months == ["60.00", "10.00"]


def test_a_bill_below_what_is_refunded_is_billed_differs(books: Book) -> None:
    """The feed goes on, and the bill of before stays."""
    hosted(books)
    books.claim("CL-1", "10-05 13:00")
    books.record("refund.granted", "10-05 14:00", claim="CL-1")
    assert end(books, "10-05 09:20", "59.99").flags == ("billed_differs",)
    assert end(books, "10-05 09:20", "70.00", OTHER).flags == (), "the rest is then claimable"
    assert books.balance()[0] == "7.00"
    assert books.claim("CL-2", "10-05 15:00").status == "recorded"
    assert books.claimed("CL-2").amount_minor == 10_00


def test_a_bill_below_what_is_refunded_and_claimed_together_is_billed_differs(books: Book) -> None:
    """An undecided claim counts together with earlier refunds."""
    hosted(books)
    books.claim("CL-1", "10-05 13:00")
    outcome = end(books, "10-05 09:20", "59.99")
    assert (outcome.status, outcome.flags) == ("confirmed", ("billed_differs",))
    assert books.claimed().amount_minor == 60_00


def test_a_bill_that_confirms_is_the_last_bill(books: Book) -> None:
    """The platform's bill equals ours: new times without `billed` keep that bill."""
    hosted(books)
    end(books, "10-05 09:20", "60.00")
    correct(books, end="2026-10-05T09:15:00Z")
    assert books.gross() == "60.00"


@pytest.mark.parametrize("during", [True, False])
def test_a_correction_repeated_during_or_after_a_claim_is_confirmed(
    books: Book, during: bool
) -> None:
    """It could not be recorded now, and need not be."""
    hosted(books)
    correct(books, billed=amount("50.00"))
    books.claim("CL-1", "10-05 13:00")
    if not during:
        books.record("refund.granted", "10-05 14:00", claim="CL-1")
    assert correct(books, billed=amount("50.00"), source=FEED).status == "confirmed"


def test_repeating_a_superseded_correction_has_no_effect(books: Book) -> None:
    """Corrected to 50.00 and to 40.00: the first one repeated is confirmed, and 40.00 stays."""
    hosted(books)
    correct(books, billed=amount("50.00"))
    correct(books, "10-05 13:00", billed=amount("40.00"))
    assert correct(books, billed=amount("50.00"), source=FEED).status == "confirmed"
    assert books.gross() == "40.00"


def test_a_correction_without_pauses_is_not_one_of_no_pauses(books: Book) -> None:
    """A missing field keeps its value; giving it makes a different correction."""
    hosted(books)
    correct(books, billed=amount("50.00"))
    outcome = correct(books, "10-05 13:00", billed=amount("50.00"), pauses=[], source=FEED)
    assert outcome.status == "recorded"


def test_a_repeated_logged_session_with_a_bill_books_the_difference(books: Book) -> None:
    """The platform's amount is not lost."""
    books.log(gross="60.00")
    given = {"customer": {"id": "C-1"}, "rate": amount("5.00"), "session": "S-1", "source": OTHER}
    times = {"start": "2026-10-05T09:00:00Z", "end": "2026-10-05T10:00:00Z"}
    outcome = books.record(
        "session.logged", "11-02 09:00", **given, **times, billed=amount("84.00")
    )
    assert outcome.status == "confirmed"
    assert books.gross() == "84.00"
    assert books.month("2026-11")["gross"] == "24.00"


@pytest.mark.parametrize(
    ("first", "again", "status"),
    [
        (None, [["09:10", "09:20"]], "conflict"),
        (None, [], "confirmed"),
        ([["09:10", "09:20"]], None, "confirmed"),
        ([["09:10", "09:20"]], [["09:10", "09:21"]], "conflict"),
        (
            [["09:10", "09:20"], ["09:30", "09:40"]],
            [["09:30", "09:40"], ["09:10", "09:20"]],
            "confirmed",
        ),
    ],
)
def test_pauses_that_the_first_telling_did_not_have_are_a_conflict(
    books: Book,
    first: list[list[str]] | None,
    again: list[list[str]] | None,
    status: str,
) -> None:
    """Missing pauses contradict nothing, for either source; their order does not matter."""

    def pauses(given: list[list[str]] | None) -> dict[str, Any]:
        if given is None:
            return {}
        return {"pauses": [[f"2026-10-05T{each}:00Z" for each in pause] for pause in given]}

    books.log(**pauses(first))
    given = {"customer": {"id": "C-1"}, "rate": amount("5.00"), "session": "S-1", "source": OTHER}
    times = {"start": "2026-10-05T09:00:00Z", "end": "2026-10-05T10:00:00Z"}
    if status == "conflict":
        error = books.refuses("session.logged", "10-05 10:00", **given, **times, **pauses(again))
        assert isinstance(error, Conflict)
        assert error.fields == ["pauses"]
    else:
        outcome = books.record("session.logged", "10-05 10:00", **given, **times, **pauses(again))
        assert outcome.status == status


# --- claims ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "again", "fits"),
    [
        (None, "60.00", True),
        ("60.00", None, True),
        (None, "59.99", False),
        ("59.99", None, False),
        ("20.00", "20.00", True),
    ],
)
def test_a_claim_without_an_amount_is_all_that_was_left(
    first: str | None, again: str | None, fits: bool, partial_books: Book
) -> None:
    """It is compared as that amount in both directions, however much is left by now."""
    books = partial_books
    hosted(books)
    books.claim("CL-1", "10-05 13:00", **({"amount": amount(first)} if first else {}))
    books.record("refund.granted", "10-05 14:00", claim="CL-1")
    end(books, "10-05 09:20", "70.00")
    said = {"amount": amount(again)} if again else {}
    claim_data = {"claim": "CL-1", "session": "S-1", "source": OTHER, **said}
    if fits:
        assert books.record("refund.claimed", "10-05 13:00", **claim_data).status == "confirmed"
    else:
        error = books.refuses("refund.claimed", "10-05 13:00", **claim_data)
        assert isinstance(error, Conflict)
        assert error.fields == ["amount"]


@pytest.fixture
def partial_books(books: Book) -> Book:
    """Return a book whose policy allows partial refunds."""
    document = {"name": "partial", "refund": {"partial": True}}
    books.record("policy.adopted", "01-02 00:00", policy=document, **SHELL)
    return books


def test_an_explicit_amount_never_changes(books: Book) -> None:
    """A claim of 60.00 that names its amount stays at 60.00 when 70.00 is billed."""
    hosted(books)
    books.claim("CL-1", "10-05 13:00", amount=amount("60.00"))
    end(books, "10-05 09:20", "70.00")
    assert books.claimed().amount_minor == 60_00
    books.record("refund.granted", "10-05 14:00", claim="CL-1")
    assert books.balance() == ("7.00", "0.00", "0.00", "0.00")


# --- the shell ahead of the platform --------------------------------------------------------------

LOST = ["request.taken", "request.withdrawn", "request.expired"]


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("teller", [CLI_SOURCE, FEED, OTHER])
@pytest.mark.parametrize("state", ["live", "paused", "ended"])
def test_a_lost_race_voids_an_unbilled_session(
    books: Book, kind: str, teller: str, state: str
) -> None:
    """For either source of the accept, and an ended free session: cancelled, flag `lost_race`."""
    books.open()
    books.record("request.accepted", "10-05 09:00", request="R-1", session="S-1", source=teller)
    if state == "paused":
        books.record("session.paused", "10-05 09:02", session="S-1", **SHELL)
    if state == "ended":
        end(books, "10-05 09:04", source=CLI_SOURCE)
    outcome = books.record(kind, "10-05 09:00:05", request="R-1")
    assert (outcome.status, outcome.flags) == ("recorded", ("lost_race",))
    assert (books.request().state, books.session().state) == (kind[8:], "cancelled")
    assert books.session().flags == ("lost_race",)
    assert books.month()["free_sessions"] == 0


@pytest.mark.parametrize("kind", LOST)
def test_a_session_that_was_billed_is_not_void(books: Book, kind: str) -> None:
    """Money was earned: that the request was lost cannot be."""
    hosted(books)
    assert books.refuses(kind, "10-05 09:00:05", request="R-1").code == "wrong_state"


def test_a_bill_of_a_session_that_is_void_is_only_flagged(books: Book) -> None:
    """The platform's report is confirmed and books nothing."""
    hosted(books, minutes=4)
    books.record("request.taken", "10-05 09:00:05", request="R-1")
    assert end(books, "10-05 09:04", "12.00").flags == ("billed_differs",)
    assert books.balance()[0] == "0.00"


def test_a_feeds_decline_after_the_accept_is_a_conflict(books: Book) -> None:
    """They cannot both be true."""
    hosted(books)
    assert isinstance(books.refuses("request.declined", "10-05 09:01", request="R-1"), Conflict)


def test_pauses_that_a_feed_tells_after_the_end_are_superseded(books: Book) -> None:
    """The expert reported the end; the platform's pauses come too late to count."""
    hosted(books)
    for kind in ("session.paused", "session.resumed"):
        outcome = books.record(kind, "10-05 09:10", session="S-1")
        assert (outcome.status, outcome.flags) == ("recorded", ("superseded",))
        assert books.record(kind, "10-05 09:10", session="S-1", source=OTHER).status == "confirmed"
    assert books.gross() == "60.00"
    again = {"session": "S-1", **SHELL}
    assert books.refuses("session.paused", "10-05 09:10", **again).code == "wrong_state"


# --- corrected times ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("tip.received", {"amount": amount("1.00")}),
        ("review.posted", {"by": "expert", "rating": 3}),
        ("refund.claimed", {"claim": "CL-1"}),
        ("session.corrected", {"billed": amount("1.00"), "reason": "x"}),
    ],
)
def test_a_corrected_end_counts_for_not_before_the_end(
    books: Book, kind: str, data: dict[str, object]
) -> None:
    """Equal is fine; a moment before the corrected end is impossible."""
    hosted(books)
    correct(books, end="2026-10-05T11:00:00Z")
    given = {"session": "S-1", **data}
    early = books.refuses(kind, "10-05 10:59:59.999999", **given)
    assert isinstance(early, ImpossibleTime)
    assert books.record(kind, "10-05 11:00", **given).status == "recorded"


def test_a_correction_does_not_precede_the_end_that_it_gives(books: Book) -> None:
    """A forgotten timer is stopped before it was recorded to end, not after the correction."""
    hosted(books)
    late = {"session": "S-1", "end": "2026-10-05T12:00:00.000001Z", "reason": "x"}
    assert isinstance(books.refuses("session.corrected", "10-05 12:00", **late), ImpossibleTime)
    correct(books, "10-05 09:15", end="2026-10-05T09:15:00Z")


def test_a_pause_that_was_open_at_the_old_end_closes_at_the_new_one(books: Book) -> None:
    """Paused at 09:12 and never resumed: 12 minutes are billed, whenever it ended."""
    books.live(rate="3.00", when="10-05 09:00")
    books.record("session.paused", "10-05 09:12", session="S-1")
    end(books, "10-05 09:20")
    assert books.gross() == "36.00"
    correct(books, end="2026-10-05T09:40:00Z")
    assert books.gross() == "36.00"
    assert len(books.session().pauses) == 1


@pytest.mark.parametrize("by_correction", [True, False])
def test_new_times_without_billed_keep_the_last_bill(books: Book, by_correction: bool) -> None:
    """The platform's, or a correction's too."""
    hosted(books, billed=None if by_correction else "84.00")
    if by_correction:
        correct(books, billed=amount("84.00"))
    correct(books, "10-05 13:00", end="2026-10-05T09:10:00Z")
    session = books.session()
    assert (session.gross_minor, session.expected_minor) == (84_00, 30_00)


def test_new_times_without_any_bill_are_billed_by_the_policy(books: Book) -> None:
    """There is no bill to keep."""
    hosted(books)
    correct(books, end="2026-10-05T09:10:00Z")
    assert books.gross() == "30.00"


def test_transactions_that_cancel_each_other_open_no_month(books: Book) -> None:
    """A tip reversed within November: November is not in the range of months."""
    books.log()
    books.record(
        "tip.received", "11-05 11:00", id="t", session="S-1", amount=amount("5.00"), **SHELL
    )
    reverse(books, "t", "11-06 10:00")
    from liveportal.ledger.queries import earnings

    assert [row["month"] for row in earnings.months(books.reader())] == ["2026-10"]
    assert [month.month for month in earnings.latest(books.reader(), "2026-12")] == ["2026-10"]


# --- no event before its subject ------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["dispute.filed", "refund.conceded", "refund.granted", "refund.denied",
             "refund.withdrawn"],
)  # fmt: skip
def test_a_decision_or_dispute_does_not_precede_its_claim(books: Book, kind: str) -> None:
    """Equal is fine."""
    hosted(books)
    books.claim("CL-1", "10-05 13:00")
    data = {"claim": "CL-1"} | ({"summary": "No."} if kind == "dispute.filed" else {})
    early = books.refuses(kind, "10-05 12:59:59.999999", **data)
    assert isinstance(early, ImpossibleTime)
    books.record(kind, "10-05 13:00", **data)


@pytest.mark.parametrize("kind", ["dispute.withdrawn", "dispute.accepted", "dispute.rejected"])
def test_what_follows_a_dispute_does_not_precede_the_claim(books: Book, kind: str) -> None:
    """Equal is fine."""
    hosted(books)
    books.claim("CL-1", "10-05 13:00")
    books.record("dispute.filed", "10-05 14:00", claim="CL-1", summary="No.")
    early = books.refuses(kind, "10-05 12:59:59.999999", claim="CL-1")
    assert isinstance(early, ImpossibleTime)
    books.record(kind, "10-05 13:00", claim="CL-1")


@pytest.mark.parametrize("kind", ["payout.paid", "payout.failed", "payout.returned"])
def test_the_steps_of_a_payout_do_not_precede_its_sending(books: Book, kind: str) -> None:
    """Equal is fine."""
    books.log()
    sent(books, "10.00")
    if kind == "payout.returned":
        books.record("payout.paid", "12-10 09:00", payout="PO-1")
    early = books.refuses(kind, "12-10 08:59:59.999999", payout="PO-1")
    assert isinstance(early, ImpossibleTime)
    books.record(kind, "12-10 09:00", payout="PO-1")


def test_a_reversal_does_not_precede_its_entry(books: Book) -> None:
    """Equal is fine."""
    books.log()
    sent(books, "10.00", id="p")
    with pytest.raises(ImpossibleTime):
        reverse(books, "p", "12-10 08:59:59.999999")
    reverse(books, "p", "12-10 09:00")


# --- new fields -----------------------------------------------------------------------------------


def test_a_rescheduling_gives_a_session_another_id(books: Book) -> None:
    """The alias names the session from now on, whichever source gives it."""
    slots = [{"start": "2026-10-07T09:00:00Z", "minutes": 30}]
    books.open(kind="scheduled", slots=slots)
    books.record("request.accepted", "10-05 08:00", request="R-1", session="S-1", slot=1)
    moved = {"session": "S-1", "start": "2026-10-08T09:00:00Z"}
    books.record("session.rescheduled", "10-05 09:00", **moved, alias="Y", **SHELL)
    outcome = books.record("session.rescheduled", "10-05 09:00", **moved, alias="Z")
    assert outcome.status == "confirmed"
    assert {books.session(name).id for name in ("Y", "Z")} == {"S-1"}
    books.live("S-2")
    error = books.refuses(
        "session.rescheduled", "10-05 10:00", session="Y", start="2026-10-09T09:00:00Z", alias="S-2"
    )
    assert error.code == "already_exists"


def test_one_more_tip_is_never_a_confirmation(books: Book) -> None:
    """The feed reported 5.00; the expert adds one with `again`; the feed's second confirms it."""
    books.log()
    tip = {"session": "S-1", "amount": amount("5.00")}
    books.record("tip.received", "10-05 11:00", **tip)
    assert books.record("tip.received", "10-05 11:00", **tip, **SHELL).status == "confirmed"
    more = books.record("tip.received", "10-05 11:00", again=True, **tip, **SHELL)
    assert more.status == "recorded"
    assert books.record("tip.received", "10-05 12:00", **tip).status == "confirmed"
    assert books.month()["tips"] == "10.00"
