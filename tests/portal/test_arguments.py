"""Wrong arguments end in errors of the interface, with a code; nothing is recorded then."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from liveportal import (
    Event,
    LiveportalError,
    Money,
    Policy,
    Portal,
    RequestFilter,
    SessionFilter,
    events,
)
from tests.kit.books import Clock
from tests.kit.events import at, usd
from tests.portal.conftest import OCTOBER

Call = Callable[[Any], object]
"""A call of a portal that no type checker would accept."""

START = events.SessionStarted(session="S-1001")
NAIVE = datetime(2026, 11, 1)  # noqa: DTZ001 (that is what is wrong with it)

WRONG: dict[str, tuple[str, Call]] = {
    # Queries.
    "a month of another type": ("invalid_argument", lambda p: p.earnings.month(10)),
    "no month": ("invalid_month", lambda p: p.earnings.month("2026-13")),
    "a year": ("invalid_month", lambda p: p.earnings.months("2026")),
    "a way to group": ("invalid_argument", lambda p: p.earnings.by("moon")),
    "a kind": ("invalid_argument", lambda p: p.resolve_id("sesion", "S")),
    "SQL as a kind": ("invalid_argument", lambda p: p.resolve_id('session" --', "S")),
    "a prefix that is a number": ("invalid_argument", lambda p: p.resolve_id("session", 1)),
    "an unknown id": ("not_found", lambda p: p.sessions.get("S-999")),
    "a prefix where an id is meant": ("not_found", lambda p: p.sessions.get("S-100")),
    "an id that is a number": ("invalid_argument", lambda p: p.claims.get(1)),
    "a state": ("invalid_argument", lambda p: p.claims.list(states={"lost"})),
    "a text for states": ("invalid_argument", lambda p: p.payouts.list(states="sent")),
    "a filter": ("invalid_argument", lambda p: p.sessions.list("ended")),
    "the other filter": ("invalid_argument", lambda p: p.sessions.list(RequestFilter())),
    "a state in a filter": (
        "invalid_argument",
        lambda p: p.requests.list(RequestFilter(states=["gone"])),
    ),
    "an order in a filter": (
        "invalid_argument",
        lambda p: p.sessions.list(SessionFilter(sort="size")),
    ),
    "a local time in a filter": (
        "invalid_argument",
        lambda p: p.sessions.list(SessionFilter(since=NAIVE)),
    ),
    "a month in a filter": (
        "invalid_month",
        lambda p: p.sessions.list(SessionFilter(first_month="oct")),
    ),
    "a time for a day": ("invalid_argument", lambda p: p.payouts.preview(at("11-01 09:00"))),
    "a text for a day": ("invalid_argument", lambda p: p.payouts.forecast("2026-11-01")),
    "a day for a time": ("invalid_argument", lambda p: p.agenda.upcoming(date(2026, 11, 1))),
    "no words": ("invalid_argument", lambda p: p.sessions.search()),
    "a word that is none": ("invalid_argument", lambda p: p.sessions.search(1)),
    "an instant of another type": ("invalid_argument", lambda p: p.as_known(1)),
    "a local time": ("invalid_argument", lambda p: p.as_known(NAIVE)),
    "words for an instant": ("invalid_time", lambda p: p.as_known("yesterday")),
    "a day that does not exist": ("invalid_time", lambda p: p.as_known("2026-11-31")),
    "a speaker of another type": (
        "invalid_argument",
        lambda p: p.sessions.search("hello", speaker=1),
    ),
    "an order of another type": (
        "invalid_argument",
        lambda p: p.sessions.list(SessionFilter(sort=1)),  # type: ignore[arg-type]
    ),
    "a mapping for a filter": ("invalid_argument", lambda p: p.sessions.list({})),
    "nothing for a filter": ("invalid_argument", lambda p: p.requests.list("")),
    # Recording.
    "data of another type": ("invalid_argument", lambda p: p.execute("S-1001")),
    "an event where data is meant": ("invalid_argument", lambda p: p.execute(p.event(START))),
    "data where events are meant": ("invalid_argument", lambda p: p.record([START])),
    "one event": ("invalid_argument", lambda p: p.record(p.event(START))),
    "a text for a time": ("invalid_event", lambda p: p.execute(START, at="2026-11-01")),
    "a local time of an event": ("invalid_event", lambda p: p.execute(START, at=NAIVE)),
    "a key that is a number": ("invalid_event", lambda p: p.execute(START, key=1)),
    "a text for cautions": ("invalid_argument", lambda p: p.execute(START, allow="late_claim")),
    "a list of cautions": ("invalid_argument", lambda p: p.execute(START, allow=["late_claim"])),
    "an unknown caution": ("invalid_argument", lambda p: p.execute(START, allow={"late"})),
    "a caution among events": (
        "invalid_argument",
        lambda p: p.record([p.event(START)], allow={"late"}),
    ),
    "a float for an amount": (
        "invalid_event",
        lambda p: p.execute(events.TipReceived(session="S-1001", amount=5.0)),  # type: ignore[arg-type]
    ),
    "a session of another type": ("invalid_event", lambda p: p.attach(1, OCTOBER)),
    "a file of another type": ("invalid_argument", lambda p: p.attach("S-1001", 1)),
    "no such file": ("unreadable_file", lambda p: p.attach("S-1001", "nowhere.txt")),
    "a kind of file": ("invalid_event", lambda p: p.attach("S-1001", OCTOBER, kind="film")),
    "a customer of another type": ("invalid_argument", lambda p: p.forget(1)),
    "an unknown customer": ("not_found", lambda p: p.forget("C-999")),
    # Feeds.
    "a feed of another type": ("invalid_argument", lambda p: p.sync(1)),
    "the bytes of a feed": ("invalid_argument", lambda p: p.sync(b"{}")),
    "lines for events": ("invalid_argument", lambda p: p.sync(["{}"])),
    "no such feed": ("unreadable_file", lambda p: p.sync("nowhere.jsonl")),
    "a closed feed": ("unreadable_file", lambda p: p.sync(_closed())),
    "a feed in another encoding": ("unreadable_file", lambda p: p.sync(_latin())),
    "no lines in a batch": ("invalid_argument", lambda p: p.sync(io.BytesIO(), batch=0)),
    "half a line in a batch": ("invalid_argument", lambda p: p.sync(io.BytesIO(), batch=0.5)),
    "a feed that is written": ("unreadable_file", lambda p: p.sync(_unreadable())),
    "a list for a callback": (
        "invalid_argument",
        lambda p: p.sync(io.BytesIO(b"x\n"), on_error=[]),
    ),
    "a number for a callback": ("invalid_argument", lambda p: p.sync([], on_outcome=1)),
    "a text for the lines before": (
        "invalid_argument",
        lambda p: p.sync(io.BytesIO(b"x\n"), before="1"),
    ),
    # Events of the caller's own making.
    "no source of an event": ("invalid_argument", lambda p: p.sync([_event(source=None)])),
    "an event's id that is a number": ("invalid_argument", lambda p: p.sync([_event(id=1)])),
    "a local time in a feed": ("invalid_argument", lambda p: p.sync([_event(time=NAIVE)])),
    "a text for a time in a feed": (
        "invalid_argument",
        lambda p: p.sync([_event(time="2026-11-01T00:00:00Z")]),
    ),
    "a mapping for an event's data": ("invalid_argument", lambda p: p.sync([_event(data={})])),
    "a local time of a built event": ("invalid_argument", lambda p: p.record([_event(time=NAIVE)])),
    "an unprintable id": ("invalid_argument", lambda p: p.record([_event(id="\n")])),
    "attributes that are a number": (
        "invalid_argument",
        lambda p: p.sync([_event(attributes=5)]),
    ),
    "an id among the attributes": (
        "invalid_argument",
        lambda p: p.sync([_event(attributes={"id": "2"})]),
    ),
    "a name that no attribute has": (
        "invalid_argument",
        lambda p: p.sync([_event(attributes={"A Name": "x"})]),
    ),
    "a name that is a number": (
        "invalid_argument",
        lambda p: p.record([_event(attributes={1: "x"})]),
    ),
    "a float for an attribute": (
        "invalid_argument",
        lambda p: p.record([_event(attributes={"n": 1.5})]),
    ),
    "nothing for an attribute": (
        "invalid_argument",
        lambda p: p.record([_event(attributes={"subject": None})]),
    ),
    # Ledgers.
    "a path of another type": ("invalid_argument", lambda _: Portal(1)),  # type: ignore[arg-type]
    "bytes for a path": ("invalid_argument", lambda _: Portal(b"book.db")),  # type: ignore[arg-type]
    "an impossible path": ("invalid_argument", lambda _: Portal("a\0b")),
    "no ledger": ("ledger_not_found", lambda _: Portal("nowhere.db")),
    "a mode": ("invalid_argument", lambda _: Portal("book.db", mode="w")),  # type: ignore[arg-type]
    "a dry run of nothing": (
        "invalid_argument",
        lambda _: Portal("book.db", mode="r", dry_run=True),
    ),
    "a policy's name": ("invalid_argument", lambda _: Portal.create("n.db", "usual")),  # type: ignore[arg-type]
    "one setting": ("invalid_argument", lambda _: Portal.create("n.db", settings=START)),  # type: ignore[arg-type]
    "a setting of another type": (
        "invalid_argument",
        lambda _: Portal.create("n.db", settings=[1]),  # type: ignore[list-item]
    ),
    # Values.
    "a decimal text for minor units": ("invalid_amount", lambda _: Money("84.00", "USD")),  # type: ignore[arg-type]
    "a float for minor units": ("invalid_amount", lambda _: Money(84.5, "USD")),  # type: ignore[arg-type]
    "a number for a decimal text": ("invalid_amount", lambda _: Money.parse(84, "USD")),  # type: ignore[arg-type]
    "a policy document": ("invalid_policy", lambda _: Policy.from_document("usual")),
}


def _closed() -> io.BytesIO:
    stream = io.BytesIO()
    stream.close()
    return stream


def _unreadable() -> io.BufferedWriter:
    return io.BufferedWriter(io.BytesIO())


def _event(**wrong: object) -> Event:
    """An event with a field that is wrong."""
    fields: dict[str, Any] = {"source": "urn:x:7", "id": "1", "time": at("11-01 09:00")}
    return Event(**(fields | {"data": START} | wrong))


def _latin() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(b'{"id": "\xff"}\n'), "utf-8")


@pytest.mark.parametrize(("code", "call"), WRONG.values(), ids=WRONG)
def test_a_wrong_argument(
    portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, call: Call
) -> None:
    """It ends in an error with a code and a message, and leaves nothing behind."""
    monkeypatch.chdir(tmp_path)
    head, names = portal.head(), sorted(tmp_path.iterdir())
    with pytest.raises(LiveportalError) as caught:
        call(portal)
    assert caught.value.code == code
    assert caught.value.message
    assert portal.head() == head
    assert sorted(tmp_path.iterdir()) == names


def test_why_a_feed_cannot_be_read(portal: Portal) -> None:
    """The message gives the reason, whether the system's or Python's."""
    for feed in (_closed(), _unreadable(), _latin()):
        with pytest.raises(LiveportalError, match=r"cannot be read: [^N]"):
            portal.sync(feed)


# --- cautions -------------------------------------------------------------------------------------

LARGE = events.TipReceived(session="S-1001", amount=usd("900.00"))


def test_no_caution_is_overridden_unless_it_is_allowed(portal: Portal) -> None:
    """By `execute` and by `record` alike; its code allows it, and so does True."""
    for refused in (
        lambda: portal.execute(LARGE),
        lambda: portal.record([portal.event(LARGE)]),
        lambda: portal.execute(LARGE, allow={"late_claim", "in_the_future"}),
        lambda: portal.record([portal.event(LARGE)], allow=frozenset({"late_claim"})),
    ):
        with pytest.raises(LiveportalError) as caught:
            refused()
        assert caught.value.code == "large_tip"
    assert portal.execute(LARGE, allow={"large_tip"}).flags == ("large_tip",)
    assert portal.record([portal.event(LARGE)], allow=True)[0].flags == ("large_tip",)


# --- modes, and where a portal may be used --------------------------------------------------------

WRITES: dict[str, Call] = {
    "execute": lambda p: p.execute(START),
    "record": lambda p: p.record([]),
    "sync": lambda p: p.sync(OCTOBER),
    "attach": lambda p: p.attach("S-1001", OCTOBER),
    "forget": lambda p: p.forget("C-77"),
    "rotate_key": lambda p: p.rotate_key("old.key"),
    "fill_profile": lambda p: p.fill_profile(None, None),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_portal_for_reading_records_nothing(portal: Portal, path: Path, write: Call) -> None:
    """Every write is refused before anything is done; queries are answered."""
    before = sorted(path.parent.iterdir())
    with Portal(path, mode="r") as reading, pytest.raises(LiveportalError) as caught:
        write(reading)
    assert caught.value.code == "read_only"
    assert sorted(path.parent.iterdir()) == before
    with Portal(str(path), mode="r") as reading:
        assert reading.head() == portal.head()
        assert reading.as_known("2026-12-01").claims.list() == reading.claims.list()


USES: dict[str, Call] = WRITES | {
    "a query": lambda p: p.earnings.month("2026-10"),
    "as_known": lambda p: p.as_known("2026-11-30"),
    "resolve_id": lambda p: p.resolve_id("session", "S-1001"),
    "head": lambda p: p.head(),
    "reader": lambda p: p.reader(),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_closed_portal(path: Path, clock: Clock, use: Call) -> None:
    """It says so, and can be closed again."""
    portal = Portal(path, now=clock)
    sessions = portal.sessions
    portal.close()
    with pytest.raises(LiveportalError) as caught:
        use(portal)
    assert caught.value.code == "ledger_closed"
    with pytest.raises(LiveportalError):
        sessions.list()
    portal.close()


@pytest.mark.parametrize("use", [*USES.values(), lambda p: p.close()], ids=[*USES, "close"])
def test_another_thread(portal: Portal, use: Call) -> None:
    """It has to open a portal of its own."""
    errors: list[LiveportalError] = []

    def run() -> None:
        try:
            use(portal)
        except LiveportalError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert [error.code for error in errors] == ["not_shared"]
    assert portal.earnings.months()


@pytest.mark.parametrize("use", [WRITES["execute"], WRITES["record"], WRITES["sync"]])
def test_a_callback_cannot_record(portal: Portal, use: Call) -> None:
    """While an event is recorded; but it can ask, and sees the event."""
    head = portal.head()
    tip = events.TipReceived(session="S-1001", amount=usd("5.00"))
    with pytest.raises(LiveportalError) as caught:
        portal.execute(tip, read_back=lambda *_: use(portal))
    assert caught.value.code == "invalid_argument"
    assert portal.head() == head
    seen = []
    portal.execute(tip, read_back=lambda *_: seen.append(portal.earnings.month("2026-11").tips))
    assert seen == [usd("5.00")]
    with pytest.raises(LiveportalError):
        portal.execute(tip, read_back=lambda *_: portal.close())
