"""A fact can be reported twice: another source that states a recorded fact confirms it."""

from __future__ import annotations

import pytest

from liveportal.domain.errors import AlreadyExists, Conflict, CurrencyMismatch, LiveportalError
from liveportal.domain.events.envelope import CLI_SOURCE
from tests.kit.books import Book
from tests.kit.events import FEED, OTHER, amount

SHELL = {"source": CLI_SOURCE}


def live(books: Book, session: str = "S-1") -> None:
    """Accept an instant request at the shell."""
    books.open()
    books.record("request.accepted", "10-05 09:00", request="R-1", session=session, **SHELL)


def statuses(books: Book, *events: tuple[str, str], **data: object) -> list[str]:
    """Record events as from a feed, and return the status of each."""
    return [books.record(kind, when, **data).status for kind, when in events]


# --- reported again -------------------------------------------------------------------------------


def test_the_feed_reports_tomorrow_what_was_done_today(books: Book) -> None:
    """Every step at the shell is confirmed by the feed; its times may differ."""
    live(books)
    steps = [
        ("session.paused", "10-05 09:10"),
        ("session.resumed", "10-05 09:15"),
        ("session.ended", "10-05 09:25"),
    ]
    for kind, when in steps:
        books.record(kind, when, session="S-1", **SHELL)
    before = books.month()
    outcomes = [
        books.record("request.accepted", "10-05 09:01", request="R-1", session="S-1").status
    ]
    outcomes += statuses(books, *[(kind, f"{when}:03") for kind, when in steps], session="S-1")
    assert outcomes == ["confirmed"] * 4
    assert books.month() == before
    assert books.statuses()[-4:] == [3, 4, 5, 6]


def test_pauses_reported_twice_are_two_pauses_not_four(books: Book) -> None:
    """Each report confirms the next one that its source has not reported yet."""
    live(books)
    steps = [
        ("session.paused", "10-05 09:10"),
        ("session.resumed", "10-05 09:20"),
        ("session.paused", "10-05 09:30"),
        ("session.resumed", "10-05 09:40"),
    ]
    for kind, when in steps:
        books.record(kind, when, session="S-1", **SHELL)
    assert statuses(books, *steps, session="S-1") == ["confirmed"] * 4
    assert books.statuses()[-4:] == [4, 5, 6, 7]
    # A third pause of the feed is a new fact, which the shell does not confirm by itself.
    assert statuses(books, ("session.paused", "10-05 09:50"), session="S-1") == ["recorded"]
    books.record("session.ended", "10-05 10:00", session="S-1")
    assert books.gross() == "90.00"  # 30 minutes at $3.


def test_reports_may_interleave(books: Book) -> None:
    """Shell, feed, shell, feed: each step counts once, whichever source was first."""
    live(books)
    outcomes = [
        books.record(kind, when, session="S-1", source=source).status
        for kind, when, source in (
            ("session.paused", "10-05 09:10", CLI_SOURCE),
            ("session.paused", "10-05 09:10", FEED),
            ("session.resumed", "10-05 09:20", FEED),
            ("session.paused", "10-05 09:30", FEED),
            ("session.resumed", "10-05 09:40", CLI_SOURCE),
            ("session.resumed", "10-05 09:40", FEED),
        )
    ]
    assert outcomes == ["recorded", "confirmed", "recorded", "recorded", "recorded", "confirmed"]
    assert len(books.session().pauses) == 2


def test_a_source_does_not_confirm_itself(books: Book) -> None:
    """The same fact under a new id of the same source is judged as a new event."""
    books.live()
    books.record("session.ended", "10-05 09:20", session="S-1")
    error = books.refuses("session.ended", "10-05 09:20", session="S-1")
    assert error.code == "wrong_state"


def test_a_third_source_confirms_the_first(books: Book) -> None:
    """Any number of sources may state a fact, each once."""
    books.live()
    books.record("session.ended", "10-05 09:20", session="S-1", **SHELL)
    for source in (FEED, OTHER):
        outcome = books.record("session.ended", "10-05 09:20", session="S-1", source=source)
        assert outcome.status == "confirmed"
    again = books.refuses("session.ended", "10-05 09:21", session="S-1", source=OTHER)
    assert again.code == "wrong_state"


def test_a_confirmation_can_be_replayed(books: Book) -> None:
    """A confirmation is recorded under its own id; repeated, it is a replay."""
    books.live()
    books.record("session.ended", "10-05 09:20", session="S-1", **SHELL)
    outcomes = [
        books.record("session.ended", "10-05 09:21", id="e-x", session="S-1").status
        for _ in range(2)
    ]
    assert outcomes == ["confirmed", "replayed"]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("tip.received", {"session": "S-1", "amount": amount("5.00")}),
        ("review.posted", {"session": "S-1", "by": "customer", "rating": 4}),
        ("refund.claimed", {"session": "S-1", "claim": "CL-1"}),
        ("adjustment.posted", {"adjustment": "A-1", "amount": amount("5.00"), "reason": "x"}),
        ("payout.sent", {"payout": "P-1", "amount": amount("5.00"), "method": "paypal"}),
    ],
)
def test_any_fact_can_be_confirmed(books: Book, kind: str, data: dict[str, object]) -> None:
    """Money reported twice is booked once."""
    books.log()
    books.record(kind, "10-05 11:00", **data, **SHELL)
    before = books.month()
    assert books.record(kind, "10-05 11:05", **data).status == "confirmed"
    assert books.month() == before


def test_a_different_tip_is_another_tip(books: Book) -> None:
    """An event that contradicts all recorded ones, and is possible, is a new fact."""
    books.log()
    books.record("tip.received", "10-05 11:00", session="S-1", amount=amount("5.00"), **SHELL)
    outcome = books.record("tip.received", "10-05 11:00", session="S-1", amount=amount("6.00"))
    assert outcome.status == "recorded"
    assert books.month()["tips"] == "11.00"


def test_what_was_reversed_is_not_recorded_any_more(books: Book) -> None:
    """A tip that was entered by mistake and reversed is news when the platform reports it."""
    books.log()
    tip = books.record("tip.received", "10-05 11:00", session="S-1", amount=amount("5.00"), **SHELL)
    reference = {"source": CLI_SOURCE, "id": tip.event.id}
    books.record("entry.reversed", "10-05 11:01", event=reference, reason="mistake", **SHELL)
    assert books.month()["tips"] == "0.00"
    books.record("tip.received", "10-05 12:00", session="S-1", amount=amount("5.00"))
    assert books.month()["tips"] == "5.00"


def test_a_payout_that_arrives_after_its_arrival_was_reversed(books: Book) -> None:
    """A `payout.paid` entered too early and reversed does not swallow the real one."""
    books.log()
    sent = {"payout": "P-1", "amount": amount("42.00"), "method": "paypal"}
    books.record("payout.sent", "12-30 11:00", **sent)
    paid = books.record("payout.paid", "12-30 11:01", payout="P-1", **SHELL)
    reference = {"source": CLI_SOURCE, "id": paid.event.id}
    books.record("entry.reversed", "12-30 11:02", event=reference, reason="not yet", **SHELL)
    assert books.balance() == ("0.00", "0.00", "42.00", "0.00")
    books.record("payout.paid", "12-31 09:00", payout="P-1")
    assert books.balance() == ("0.00", "0.00", "0.00", "42.00")


def test_a_setting_is_never_a_repeated_fact(books: Book) -> None:
    """Preferences of another source are set, field by field, whatever was set before."""
    books.record("preferences.changed", "10-05 08:00", minimum_rate=amount("2.00"), **SHELL)
    books.record("preferences.changed", "10-05 08:01", minimum_rate=amount("3.00"), **SHELL)
    books.record("preferences.changed", "10-05 08:02", timezone="Europe/Paris")
    books.record("preferences.changed", "10-05 08:03", minimum_rate=amount("2.00"))
    stored = books.reader().preferences
    assert stored == {"minimum_rate": amount("2.00"), "timezone": "Europe/Paris"}


# --- contradictions -------------------------------------------------------------------------------


def test_a_contradicting_field_is_a_conflict(books: Book) -> None:
    """Different statements of two sources are a conflict that names the fields."""
    slots = [{"start": f"2026-10-0{day}T09:00:00Z", "minutes": 30} for day in (7, 8)]
    books.open(kind="scheduled", slots=slots)
    books.record("request.accepted", "10-05 09:00", request="R-1", slot=1, **SHELL)
    error = books.refuses("request.accepted", "10-05 09:00", request="R-1", slot=2)
    assert isinstance(error, Conflict)
    assert error.fields == ["slot"]


def test_a_contradiction_inside_an_object_is_named_by_its_path(books: Book) -> None:
    """A customer's id is compared; a different name or wording is no contradiction."""
    given = {"kind": "instant", "title": "help", "rate": amount("3.00"), "request": "R-1"}
    books.record("request.opened", "10-05 08:00", customer={"id": "C-1", "name": "Jo"}, **given)
    outcome = books.record(
        "request.opened", "10-05 08:00", customer={"id": "C-1"}, source=OTHER, **given
    )
    assert outcome.status == "confirmed"
    other = {"id": "C-2", "name": "Joe", "language": "en"}
    error = books.refuses(
        "request.opened", "10-05 08:00", customer=other, source="urn:third", **given
    )
    assert isinstance(error, Conflict)
    assert error.fields == ["customer.id"]


def test_a_refusal_of_its_own_is_not_called_a_conflict(books: Book) -> None:
    """A tip in another currency is refused for its currency, not for differing from another tip."""
    books.log()
    books.record("tip.received", "10-05 11:00", session="S-1", amount=amount("5.00"), **SHELL)
    error = books.refuses(
        "tip.received", "10-05 11:00", session="S-1", amount=amount("6.00", "EUR")
    )
    assert isinstance(error, CurrencyMismatch)


# --- another id -----------------------------------------------------------------------------------


def test_the_platform_s_id_of_a_session_becomes_an_alias(books: Book) -> None:
    """A confirming `request.accepted` with another session id makes that id an alias."""
    live(books, session="S-mine")
    outcome = books.record("request.accepted", "10-05 09:00", request="R-1", session="S-theirs")
    assert outcome.status == "confirmed"
    for kind, when in (("session.paused", "10-05 09:10"), ("session.resumed", "10-05 09:20")):
        books.record(kind, when, session="S-theirs")
    books.record("session.ended", "10-05 09:30", session="S-mine", **SHELL)
    assert books.record("session.ended", "10-05 09:30", session="S-theirs").status == "confirmed"
    assert books.gross("S-mine") == "60.00"
    assert books.session("S-theirs").id == "S-mine"


def test_an_alias_resolves_everywhere(books: Book) -> None:
    """Tips, reviews, evidence, claims, corrections: all by the platform's id, of one session."""
    live(books, session="S-mine")
    books.record("request.accepted", "10-05 09:00", request="R-1", session="S-theirs")
    books.record("session.ended", "10-05 09:20", session="S-theirs")
    alias = {"session": "S-theirs"}
    books.record("tip.received", "10-05 10:00", amount=amount("5.00"), **alias)
    books.record("review.posted", "10-05 10:00", by="customer", rating=5, **alias)
    books.record(
        "artifact.added", "10-05 10:00", kind="code", name="a", sha256="0" * 64, bytes=1, **alias
    )
    books.record("session.corrected", "10-05 10:30", billed=amount("50.00"), reason="x", **alias)
    books.record("refund.claimed", "10-05 11:00", claim="CL-1", **alias)
    for table in ("transaction", "review", "artifact", "claim", "item"):
        named = books.rows(f'SELECT DISTINCT session FROM "{table}"')  # noqa: S608 (our own names)
        assert named == [{"session": "S-mine"}], table
    assert books.reader().resolve_id("session", "S-theirs") == "S-mine"
    assert books.reader().resolve_id("session", "S-m") == "S-mine"
    assert [row["id"] for row in books.rows("SELECT id FROM session")] == ["S-mine"]


def test_a_confirmation_by_the_default_id(books: Book) -> None:
    """A `request.accepted` without a session means the request's own id."""
    live(books, session="S-mine")
    assert books.record("request.accepted", "10-05 09:00", request="R-1").status == "confirmed"
    assert books.session("R-1").id == "S-mine"


def test_an_alias_is_taken(books: Book) -> None:
    """No other session can have an id that is another name of a session already."""
    live(books, session="S-mine")
    books.record("request.accepted", "10-05 09:00", request="R-1", session="S-theirs")
    books.open("R-2")
    error = books.refuses("request.accepted", "10-05 09:00", request="R-2", session="S-theirs")
    assert isinstance(error, AlreadyExists)


def test_the_id_of_another_session_cannot_become_an_alias(books: Book) -> None:
    """Ids are unique: to confirm with the id of another session is impossible."""
    live(books, session="S-1")
    books.live("S-2")
    with pytest.raises(LiveportalError):
        books.record("request.accepted", "10-05 09:00", request="R-1", session="S-2")


# --- another bill ---------------------------------------------------------------------------------


def test_another_bill_is_booked_as_a_correction(books: Book) -> None:
    """A confirming `session.ended` whose `billed` differs books the difference."""
    books.live(rate="3.00", when="10-05 09:00")
    books.record("session.ended", "10-05 09:20", session="S-1", **SHELL)
    outcome = books.record("session.ended", "11-01 09:20", session="S-1", billed=amount("70.00"))
    assert outcome.status == "confirmed"
    assert books.kinds() == ["earning", "reversal", "correction"]
    assert (books.month("2026-10")["gross"], books.month("2026-11")["gross"]) == ("60.00", "10.00")
    session = books.session()
    assert (session.gross_minor, session.expected_minor) == (70_00, 60_00)
    assert books.balance() == ("49.00", "0.00", "0.00", "0.00")


@pytest.mark.parametrize("billed", [None, amount("60.00"), amount("60.0")])
def test_the_same_bill_books_nothing(books: Book, billed: dict[str, str] | None) -> None:
    """No bill, or the same: a confirmation without effect."""
    books.live(rate="3.00", when="10-05 09:00")
    books.record("session.ended", "10-05 09:20", session="S-1", **SHELL)
    given = {"billed": billed} if billed else {}
    assert (
        books.record("session.ended", "10-05 09:20", session="S-1", **given).status == "confirmed"
    )
    assert books.kinds() == ["earning"]


@pytest.mark.parametrize("currency", ["EUR", "JPY"])
def test_a_bill_in_another_currency_is_impossible(books: Book, currency: str) -> None:
    """Even with the same number of minor units."""
    books.live(rate="3.00", when="10-05 09:00")
    books.record("session.ended", "10-05 09:20", session="S-1", **SHELL)
    billed = amount("60.00" if currency == "EUR" else "6000", currency)
    error = books.refuses("session.ended", "10-05 09:20", session="S-1", billed=billed)
    assert isinstance(error, CurrencyMismatch)


def test_a_bill_of_nothing_takes_the_earning_back(books: Book) -> None:
    """The platform billed 0.00: our booking is reversed, and the session is free."""
    books.live(rate="3.00", when="10-05 09:00")
    books.record("session.ended", "10-05 09:20", session="S-1", **SHELL)
    books.record("session.ended", "10-05 09:20", session="S-1", billed=amount("0.00"))
    month = books.month()
    assert (month["sessions"], month["free_sessions"], month["gross"]) == (0, 1, "0.00")
    assert books.balance() == ("0.00", "0.00", "0.00", "0.00")


def test_another_bill_while_a_claim_is_undecided(books: Book) -> None:
    """A claim keeps its amount; the additional bill stays claimable."""
    books.live(rate="3.00", when="10-05 09:00")
    books.record("session.ended", "10-05 09:20", session="S-1", **SHELL)
    books.claim()
    books.record("session.ended", "10-05 09:20", session="S-1", billed=amount("70.00"))
    assert books.balance() == ("7.00", "42.00", "0.00", "0.00")
    books.record("refund.granted", "10-05 12:00", claim="CL-1")
    assert books.balance() == ("7.00", "0.00", "0.00", "0.00")
    assert books.month()["refunded"] == "60.00"
    books.claim("CL-2", "10-05 13:00")
    books.record("refund.granted", "10-05 14:00", claim="CL-2")
    assert books.balance() == ("0.00", "0.00", "0.00", "0.00")
