"""Unusual events (rulebook 4): a command is refused, a feed is recorded and flagged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.clock import MICROSECOND
from liveportal.domain.errors import (
    Caution,
)
from liveportal.domain.events.envelope import Event
from liveportal.domain.handlers.cautions import likely_mistakes
from tests.kit.books import Book
from tests.kit.events import amount, at, event

NOW = at("10-05 12:00")
HOUR = timedelta(hours=1)

SLOTS = [{"start": at("10-06 10:00").isoformat(), "minutes": 60}]


def scheduled(books: Book) -> None:
    """Accept a request for 10:00 on the sixth."""
    books.open(when="10-05 08:00", kind="scheduled", slots=SLOTS)
    books.record("request.accepted", "10-05 09:00", request="R-1", session="S-1", slot=1)


def live(books: Book) -> None:
    """Begin an instant session at 09:00 on the fifth."""
    books.open(when="10-05 08:00")
    books.record("request.accepted", "10-05 09:00", request="R-1", session="S-1")


def ended(books: Book) -> None:
    """Hold a session of 30 minutes at $3.00: $90.00, and 20 minutes are $60.00."""
    live(books)
    books.record("session.ended", "10-05 09:30", session="S-1")


def ended_free(books: Book) -> None:
    """Hold a session of five minutes, which is free."""
    live(books)
    books.record("session.ended", "10-05 09:05", session="S-1")


def opened(books: Book) -> None:
    """Let a request for 10:00 on the sixth wait."""
    books.open(when="10-05 08:00", kind="scheduled", slots=SLOTS)


def nothing(_books: Book) -> None:
    """Begin with nothing."""


Before = Callable[[Book], None]
LOG: dict[str, Any] = {"session": "S-9", "customer": {"id": "C-1"}, "rate": amount("3.00")}
TIP = "tip.received"


def logged(start: str, end: str) -> dict[str, Any]:
    """Return the data of a logged session."""
    return LOG | {"start": at(start).isoformat(), "end": at(end).isoformat()}


@pytest.mark.parametrize(
    ("before", "kind", "when", "data", "code"),
    [
        # A no-show before the planned start.
        (scheduled, "session.missed", "10-06 09:59:59.999999", {"by": "customer"}, "missed_early"),
        (scheduled, "session.missed", "10-06 10:00", {"by": "customer"}, None),
        # A start more than an hour before it.
        (scheduled, "session.started", "10-06 08:59:59.999999", {}, "started_early"),
        (scheduled, "session.started", "10-06 09:00", {}, None),
        # A slot in the past.
        (opened, "request.accepted", "10-06 10:00:00.000001", {"slot": 1}, "slot_in_past"),
        (opened, "request.accepted", "10-06 10:00", {"slot": 1}, None),
        (scheduled, "session.rescheduled", "10-06 08:00", {"start": "07:59"}, "slot_in_past"),
        (scheduled, "session.rescheduled", "10-06 08:00", {"start": "08:00"}, None),
        # A session, or a logged span, of over twelve hours.
        (live, "session.ended", "10-05 21:00:00.000001", {}, "long_session"),
        (live, "session.ended", "10-05 21:00", {}, None),
        (nothing, "session.logged", "10-08 09:00", logged("10-05 09:00", "10-05 21:01"), "long"),
        (nothing, "session.logged", "10-08 09:00", logged("10-05 09:00", "10-05 21:00"), None),
        (ended, "session.corrected", "10-08 09:00", {"end": "10-05 21:01"}, "long_session"),
        (ended, "session.corrected", "10-08 09:00", {"end": "10-05 21:00"}, None),
        # A tip of over 20 minutes at the session's rate, and over twice its gross.
        (ended, TIP, "10-05 10:00", {"amount": amount("180.01")}, "large_tip"),
        (ended, TIP, "10-05 10:00", {"amount": amount("180.00")}, None),
        (ended_free, TIP, "10-05 10:00", {"amount": amount("60.01")}, "large_tip"),
        (ended_free, TIP, "10-05 10:00", {"amount": amount("60.00")}, None),
    ],
)  # fmt: skip
def test_a_command_is_refused_and_a_feed_is_flagged(
    books: Book, before: Before, kind: str, when: str, data: dict[str, Any], code: str | None
) -> None:
    """To the microsecond and the cent; a caution can be overridden; the override is not stored."""
    before(books)
    code = "long_session" if code == "long" else code
    about = {} if kind == "session.logged" else {"session": "S-1"}
    if kind == "request.accepted":
        about = {"request": "R-1", "session": "S-1"}
    if kind == "session.corrected":
        data = data | {"end": at(data["end"]).isoformat(), "reason": "x"}
    if kind == "session.rescheduled":
        data = data | {"start": at(f"10-06 {data['start']}").isoformat()}
    given = about | data
    if code is None:
        assert books.command(kind, when, **given).flags == ()
        return
    error = books.command_refuses(kind, when, **given)
    assert isinstance(error, Caution)
    assert error.code == code
    assert "verriding this" in str(error.hint)
    assert books.record(kind, when, id="x", **given).flags == (code,)
    assert books.record(kind, when, id="x", **given).flags == (code,), "a replay says the same"
    session = books.session("S-9" if kind == "session.logged" else "S-1")
    assert session.flags == (), "what is worked out is not kept"


class Nothing:
    """A book in which nothing is known."""

    def request(self, _name: str) -> None:
        """Return None."""

    def session(self, _name: str) -> None:
        """Return None."""


def codes(given: Event) -> list[str]:
    """Return the codes of the cautions of an event that is recorded at `NOW`."""
    return [caution.code for caution in likely_mistakes(given, Nothing(), NOW)]


@given(
    st.integers(-2, 2),
    st.sampled_from(["session.paused", "session.corrected", "session.logged", "tip.received"]),
)
def test_the_future_is_what_comes_after_the_recording(microseconds: int, kind: str) -> None:
    """Exactly at the time of recording is not the future; a microsecond later is."""
    then = (NOW + microseconds * MICROSECOND).isoformat()
    ahead = ["in_the_future"] if microseconds > 0 else []
    data: dict[str, dict[str, Any]] = {
        "session.paused": {"session": "S-1"},
        "tip.received": {"session": "S-1", "amount": amount("5.00")},
        "session.corrected": {"session": "S-1", "end": then, "reason": "x"},
        "session.logged": LOG | {"start": (NOW - 9 * HOUR).isoformat(), "end": then},
    }
    assert codes(event(kind, "01-01 00:00", **data[kind])) == (ahead if "end" in data[kind] else [])
    reported_event = event(kind, "01-01 00:00", **data[kind])
    assert codes(replace(reported_event, time=NOW + microseconds * MICROSECOND)) == ahead
    # A time that was not given is the clock's own, which may be read again a little later.
    own = replace(reported_event, time=NOW + 2 * MICROSECOND, assumed=frozenset({"time"}))
    assert codes(own) == []
