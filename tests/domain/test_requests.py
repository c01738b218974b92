"""Requests and the schedule: slots, expiry, double booking, and mere flags."""

from __future__ import annotations

from typing import Any

import pytest

from liveportal.domain import errors
from tests.kit.books import Book
from tests.kit.events import amount, at

SLOTS: list[dict[str, Any]] = [
    {"start": "2026-10-07T09:00:00Z", "minutes": 45},
    {"start": "2026-10-08T09:00:00+02:00", "minutes": 30},
]
GIVEN = {"customer": {"id": "C-1"}, "title": "help", "rate": amount("3.00")}


@pytest.mark.parametrize(("when", "flags"), [("08:10", ()), ("08:10:00.000001", ("expired",))])
def test_exactly_at_its_expiry_a_request_is_in_time(
    books: Book, when: str, flags: tuple[str, ...]
) -> None:
    """After `expires` an accept is a caution; at it, it is not."""
    books.open(expires="2026-10-05T08:10:00Z")
    if flags:
        error = books.command_refuses("request.accepted", f"10-05 {when}", request="R-1")
        assert isinstance(error, errors.RequestLapsed)
        outcome = books.record("request.accepted", f"10-05 {when}", request="R-1")
        assert outcome.flags == books.session("R-1").flags == ("request_expired",)
    else:
        assert books.command("request.accepted", f"10-05 {when}", request="R-1").flags == ()


@pytest.mark.parametrize(("kind", "slots"), [("scheduled", {}), ("instant", {"slots": SLOTS[:1]})])
def test_slots_belong_to_scheduled_requests(
    books: Book, kind: str, slots: dict[str, object]
) -> None:
    """1-10 slots are required for a scheduled request, and refused for an instant one."""
    error = books.refuses(
        "request.opened", "10-05 08:00", request="R-1", kind=kind, **GIVEN, **slots
    )
    assert isinstance(error, errors.InvalidEvent)
    assert error.field == "slots"


def test_accepting_a_slot(books: Book) -> None:
    """The session is upcoming at the slot's time, in the zone that the slot was given in."""
    books.open(kind="scheduled", slots=SLOTS)
    books.record("request.accepted", "10-05 09:00", request="R-1", slot=2)
    session = books.session("R-1")
    assert (session.state, session.planned_minutes, session.start) == ("upcoming", 30, None)
    assert session.planned_start == at("2026-10-08T07:00:00Z")
    assert books.request().session == "R-1"


@pytest.mark.parametrize(
    ("kind", "slot"), [("scheduled", {}), ("scheduled", {"slot": 3}), ("instant", {"slot": 1})]
)
def test_the_wrong_slot(books: Book, kind: str, slot: dict[str, int]) -> None:
    """A scheduled request needs one of its slots; an instant one has none."""
    slots: dict[str, Any] = {"slots": SLOTS} if kind == "scheduled" else {}
    books.open(kind=kind, **slots)
    error = books.refuses("request.accepted", "10-05 09:00", request="R-1", **slot)
    assert isinstance(error, errors.SlotNeeded)


def test_ids_are_unique_per_kind(books: Book) -> None:
    """A second request or session with an id is refused; kinds do not collide."""
    books.open("X-1")
    books.record("request.accepted", "10-05 09:00", request="X-1", session="X-1")
    again = books.refuses("request.opened", "10-05 09:00", request="X-1", kind="instant", **GIVEN)
    assert isinstance(again, errors.AlreadyExists)
    books.open("X-2")
    taken = books.refuses("request.accepted", "10-05 09:00", request="X-2", session="X-1")
    assert isinstance(taken, errors.AlreadyExists)


def test_another_session_live_is_only_said(books: Book) -> None:
    """Two sessions at once are allowed: an instant accept is flagged, never refused."""
    books.live("S-1", "10-05 09:00")
    books.record("session.paused", "10-05 09:01", session="S-1")
    books.open()
    outcome = books.command("request.accepted", "10-05 09:02", request="R-1")
    assert outcome.flags == ("another_session_live",)
    books.record("session.ended", "10-05 09:30", session="S-1")
    books.record("session.ended", "10-05 09:30", session="R-1")
    books.open("R-2")
    assert books.command("request.accepted", "10-05 09:30", request="R-2").flags == ()


def test_rescheduling(books: Book) -> None:
    """Another start, and another length if one is given; a clash with others is a caution."""
    books.open("R-1", kind="scheduled", slots=SLOTS)
    books.open("R-2", kind="scheduled", slots=SLOTS)
    books.command("request.accepted", "10-05 09:00", request="R-1", slot=1)
    books.command("request.accepted", "10-05 09:00", request="R-2", slot=2)
    moved = {"session": "R-1", "start": "2026-10-08T06:45:00Z"}
    error = books.command_refuses("session.rescheduled", "10-05 10:00", **moved)
    assert isinstance(error, errors.DoubleBooking)
    assert error.details["sessions"] == ["R-2"]
    assert books.command("session.rescheduled", "10-05 10:00", minutes=15, **moved).flags == ()
    assert books.session("R-1").planned_end == at("2026-10-08T07:00:00Z")
    # Not a clash with itself, and the length stays.
    books.command("session.rescheduled", "10-05 11:00", session="R-1", start="2026-10-08T06:40:00Z")
    assert books.session("R-1").planned_minutes == 15


def test_a_called_off_session_keeps_its_slot_no_longer(books: Book) -> None:
    """A cancelled or missed session books nothing and clashes with nothing."""
    for number, kind in enumerate(("session.cancelled", "session.missed"), 1):
        books.open(f"R-{number}", kind="scheduled", slots=SLOTS)
        accept = {"request": f"R-{number}", "slot": 1}
        assert books.command("request.accepted", "10-05 09:00", **accept).flags == ()
        books.record(kind, "10-05 10:00", session=f"R-{number}", by="customer")
    assert books.kinds() == []
    assert books.month()["free_sessions"] == 0
