"""The deduplicator says, asked once, what an event is: new, replayed, confirmed or in conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from liveportal.domain.events.envelope import CLI_SOURCE
from liveportal.ledger.journal.deduplication import (
    Answer,
    Confirms,
    Conflict,
    Deduplicator,
    New,
    Replay,
)
from tests.kit.events import OTHER, amount, event

if TYPE_CHECKING:
    from tests.kit.books import Book


def answer(books: Book, kind: str, when: str, /, **data: Any) -> Answer:  # noqa: ANN401 (JSON)
    """Ask about an event that is not recorded; the book must be unchanged."""
    asked, log, before = event(kind, when, **data), books.journal.log, books.dump()
    answered = Deduplicator(log, books.journal.book).compare(
        asked, log.find(asked.source, asked.id)
    )
    assert books.dump() == before
    return answered


def test_a_first_report_is_new(books: Book) -> None:
    """Nothing asserts the fact yet, so the rules alone decide."""
    books.live()
    new = answer(books, "session.paused", "10-05 09:10", session="S-1")
    assert isinstance(new, New)
    assert (new.data.entity, new.conflict) == ("session:S-1", None)


def test_the_same_name_is_a_replay_or_a_conflict(books: Book) -> None:
    """An event's name is recorded once; whatever differs is named."""
    books.live()
    recorded = books.record("session.paused", "10-05 09:10", id="p", session="S-1")
    again = answer(books, "session.paused", "10-05 09:10", id="p", session="S-1")
    assert isinstance(again, Replay)
    assert (again.seq, again.event) == (recorded.seq, recorded.event)
    later = answer(books, "session.paused", "10-05 09:11", id="p", session="S-1")
    assert isinstance(later, Conflict)
    assert (later.fields, later.error.fields) == (("time",), ["time"])


def test_another_source_confirms(books: Book) -> None:
    """A confirmation names the first assertion, and what it adds: here another id."""
    books.open()
    first = books.record("request.accepted", "10-05 09:00", request="R-1", session="S-1")
    also = answer(
        books, "request.accepted", "10-05 09:01", source=OTHER, request="R-1", session="S-9"
    )
    assert isinstance(also, Confirms)
    assert (also.seq, also.decision.alias) == (first.seq, ("S-9", "S-1"))


def test_an_alias_is_resolved(books: Book) -> None:
    """A source may name a session by its own id; the rules see the first one."""
    books.open()
    books.record("request.accepted", "10-05 09:00", request="R-1", session="S-1")
    books.record("request.accepted", "10-05 09:01", source=OTHER, request="R-1", session="S-9")
    new = answer(books, "session.paused", "10-05 09:10", source=OTHER, session="S-9")
    assert isinstance(new, New)
    assert new.data.entity == "session:S-1"


def test_a_contradicting_fact_is_new_until_the_rules_refuse_it(books: Book) -> None:
    """If the rules refuse the event for a state, the conflict is the reason to give."""
    books.log()
    books.claim()
    new = answer(
        books,
        "refund.claimed",
        "10-05 11:00",
        source=OTHER,
        claim="CL-1",
        session="S-1",
        amount=amount("20.00"),
    )
    assert isinstance(new, New)
    assert new.conflict == Conflict("The event refund.claimed of claim CL-1", ("amount",))


def test_only_its_source_changes_a_review(books: Book) -> None:
    """Another source's review by the same side conflicts, whatever the rules say."""
    books.log()
    review: dict[str, Any] = {"session": "S-1", "by": "customer"}
    books.record("review.posted", "10-06 09:00", rating=5, **review)
    rival = answer(books, "review.posted", "10-06 09:00", source=OTHER, rating=4, **review)
    assert rival == Conflict("The event review.posted of session S-1", ("rating",))
    assert isinstance(answer(books, "review.posted", "10-06 10:00", rating=4, **review), New)


def test_a_command_is_a_new_step(books: Book) -> None:
    """The state machine judges a command, though a feed has reported the same."""
    books.live()
    books.record("session.paused", "10-05 09:10", session="S-1")
    command = answer(books, "session.paused", "10-05 09:10", source=CLI_SOURCE, session="S-1")
    assert isinstance(command, New)
    assert command.conflict is None
