"""A customer's personal data is erased; the facts, the money and the chain stay."""

from __future__ import annotations

from typing import Any

import pytest

from liveportal.domain.errors import Conflict, UnknownEntity
from tests.kit.books import Book
from tests.kit.events import OTHER, amount
from tests.ledger.test_journal import recomputed

SECRET = "Sesame"  # noqa: S105 (it stands for a person's name)


def held(books: Book) -> bool:
    """Return True if the name is anywhere in the book."""
    return SECRET in str(books.dump())


@pytest.fixture
def story(books: Book) -> Book:
    """Record a whole story of one customer, the name in every free text, and a bit of another."""
    customer = {"id": "C-1", "name": SECRET}
    books.open("R-1", customer=customer, title=SECRET, description=SECRET, skills=[SECRET], id="o")
    books.open("R-2", customer={"id": "C-2", "name": "Joe"}, title="help")
    books.open("R-3", customer=customer, title=SECRET)
    books.record("request.declined", "10-05 08:01", request="R-3", reason=SECRET)
    books.record("request.accepted", "10-05 09:00", request="R-1", session="S-1")
    books.record("request.accepted", "10-05 09:00", request="R-1", session="S-x", source=OTHER)
    books.record("session.ended", "10-05 09:20", session="S-x")
    books.record(
        "review.posted", "10-05 10:00", session="S-1", by="customer", rating=1, text=SECRET
    )
    books.record(
        "artifact.added",
        "10-05 10:00",
        session="S-x",
        kind="code",
        name=SECRET,
        sha256="0" * 64,
        bytes=1,
    )
    books.claim(reason=SECRET)
    books.record("dispute.filed", "10-05 12:00", claim="CL-1", summary=SECRET)
    books.record("dispute.accepted", "10-05 13:00", claim="CL-1", note=SECRET)
    books.record(
        "session.corrected", "10-06 09:00", session="S-1", billed=amount("50.00"), reason=SECRET
    )
    books.log("S-9", customer=customer, title=SECRET)
    assert held(books)
    return books


def test_forgetting(story: Book) -> None:
    """The customer's personal data is gone; money, facts and others' data stay."""
    before = story.month()
    story.record("customer.forgotten", "10-07 09:00", customer="C-1")
    assert not held(story)
    assert "Joe" in str(story.dump())
    assert story.month() == before
    assert story.request("R-1").customer == "C-1"


def test_the_chain_stands(story: Book) -> None:
    """The digest of an erased body stays in its row, so every hash stays the same."""
    story.journal.flush()
    chain = [digest for digest, _ in recomputed(story.db, erased=True)]
    story.record("customer.forgotten", "10-07 09:00", customer="C-1")
    story.journal.flush()
    again = recomputed(story.db, erased=True)
    assert all(digest == expected for digest, expected in again)
    assert [digest for digest, _ in again][:-1] == chain


def test_a_replay_restores_nothing(story: Book) -> None:
    """Erased events are compared on facts only, and stay erased."""
    story.record("customer.forgotten", "10-07 09:00", customer="C-1")
    again: dict[str, Any] = {
        "customer": {"id": "C-1", "name": SECRET},
        "title": SECRET,
        "description": SECRET,
        "skills": [SECRET],
    }
    assert story.open("R-1", id="o", **again).status == "replayed"
    assert not held(story)
    with pytest.raises(Conflict) as caught:
        story.open("R-1", id="o", **(again | {"rate": amount("1.00")}))
    assert caught.value.fields == ["rate"]


def test_another_source_may_still_confirm(story: Book) -> None:
    """Texts that are gone contradict nothing: the facts agree."""
    story.record("customer.forgotten", "10-07 09:00", customer="C-1")
    customer = {"id": "C-1", "name": SECRET}
    outcome = story.open("R-1", customer=customer, title=SECRET, source=OTHER)
    assert outcome.status == "confirmed"


def test_an_unknown_customer(books: Book) -> None:
    """An unknown id: not found."""
    error = books.refuses("customer.forgotten", "10-07 09:00", customer="C-1")
    assert isinstance(error, UnknownEntity)


def test_a_replay_in_the_same_feed_restores_nothing(books: Book) -> None:
    """Recorded, erased and repeated in one transaction: a replay, compared on facts only."""
    books.open("R-1", title=SECRET, id="o")
    books.record("customer.forgotten", "10-07 09:00", customer="C-1")
    assert books.open("R-1", title="", id="o").status == "replayed"
    assert not held(books)


def test_an_offset_may_be_spelt_otherwise_after_forgetting(books: Book) -> None:
    """Facts are compared by meaning, also if the event's personal half is gone."""
    slot = {"start": "2026-10-12T09:00:00-04:00", "minutes": 45}
    customer = {"id": "C-1", "name": SECRET}
    given: dict[str, Any] = {"kind": "scheduled", "customer": customer, "id": "s-1"}
    books.open("R-9", **given, slots=[slot])
    books.record("customer.forgotten", "10-07 09:00", customer="C-1")
    books.journal.flush()
    same = slot | {"start": "2026-10-12T13:00:00Z"}
    assert books.open("R-9", **given, slots=[same]).status == "replayed"
    with pytest.raises(Conflict) as caught:
        books.open("R-9", **given, slots=[slot | {"minutes": 60}])
    assert caught.value.fields == ["slots"]
