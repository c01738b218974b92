"""What `sync` reads: a path, a file of bytes or of text, or events; always the same ledger."""

from __future__ import annotations

import gzip
import io
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO, cast

import pytest

from liveportal import Event, LiveportalError, Portal, SyncResult
from liveportal.feeds import jsonl
from tests.kit.books import Clock
from tests.kit.events import amount, event
from tests.portal.conftest import NOW, OCTOBER

LINES = OCTOBER.read_bytes()


def _events() -> Iterator[Event]:
    yield from map(jsonl.parse, LINES.splitlines())


def _text_file(content: str) -> TextIO:
    file = tempfile.NamedTemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (the test closes it)
    file.write(content)
    file.seek(0)
    return cast("TextIO", file)  # A wrapper that says nothing of what it holds.


SOURCES: dict[str, Callable[[], Any]] = {
    "str": lambda: str(OCTOBER),
    "path": lambda: OCTOBER,
    "bytes": lambda: io.BytesIO(LINES),
    "gzip": lambda: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(LINES))),
    "text": lambda: io.StringIO(LINES.decode()),
    "text of another encoding": lambda: io.TextIOWrapper(
        io.BytesIO(LINES.decode().encode("utf-16")), "utf-16"
    ),
    "text of an unknown class": lambda: _text_file(LINES.decode()),
    "list": lambda: list(_events()),
    "generator": _events,
}


@pytest.mark.parametrize("batch", [None, 5])
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_every_source(
    path: Path, clock: Clock, source: Callable[[], Any], batch: int | None
) -> None:
    """The counts, the money, and what a second time says are the same."""
    with Portal(path, now=clock) as portal:
        feed = source()
        synced = portal.sync(feed, batch=batch)
        assert (synced.recorded, synced.replayed, synced.refused) == (22, 0, 0)
        assert str(portal.earnings.month("2026-10").net) == "210.55"
        assert portal.sync(source(), batch=batch) == SyncResult(replayed=22, head=synced.head)
        if hasattr(feed, "close") and hasattr(feed, "readline"):
            assert not feed.closed, "who opened it closes it"
            feed.close()


def _feed() -> list[Event]:
    data: dict[str, Any] = {"amount": amount("5.00"), "reason": "bonus"}
    good = [
        event("adjustment.posted", "10-05 09:00", id=f"e-{n}", adjustment=f"A-{n}", **data)
        for n in range(3)
    ]
    return [good[0], event("session.started", "10-05 09:00", id="bad", session="S-9"), *good[1:]]


def test_an_event_that_is_refused_is_named_by_its_number(path: Path, clock: Clock) -> None:
    """Nothing is recorded then; with `on_error` all others are, and it gets the event as a line."""
    with Portal(path, now=clock) as portal:
        head = portal.head()
        with pytest.raises(LiveportalError) as caught:
            portal.sync(_feed())
        assert (caught.value.code, caught.value.details["line"]) == ("not_found", 2)
        assert portal.head() == head
        bad: list[jsonl.Line] = []
        synced = portal.sync(_feed(), on_error=lambda line, _: bad.append(line), batch=2)
        assert (synced.recorded, synced.refused) == (3, 1)
        assert [(line.number, jsonl.parse(line.raw)) for line in bad] == [(2, _feed()[1])]


def test_an_event_of_the_expert_s_is_for_no_feed(portal: Portal) -> None:
    """`record` is for those."""
    own = portal.event(_feed()[0].data)
    with pytest.raises(LiveportalError) as caught:
        portal.sync([own])
    assert caught.value.code == "not_for_feeds"
    assert portal.record([own])[0].status == "recorded"


def test_an_iterable_that_fails_leaves_nothing(path: Path, clock: Clock) -> None:
    """Its own error ends the sync."""

    def broken() -> Iterator[Event]:
        yield _feed()[0]
        raise RuntimeError("the network")

    with Portal(path, now=clock) as portal:
        head = portal.head()
        with pytest.raises(RuntimeError, match="the network"):
            portal.sync(broken())
        assert portal.head() == head


def test_as_known_is_free_of_the_portal(portal: Portal, path: Path, clock: Clock) -> None:
    """A view keeps its answers, also without a name and after the portal is closed."""
    before = clock.now
    clock.now = NOW.replace(day=25)
    portal.sync([_feed()[0]])
    assert str(portal.earnings.month("2026-10").net) == "215.55"
    for until in (before, before.date(), before.date().isoformat(), before.isoformat()):
        assert str(portal.as_known(until).earnings.month("2026-10").net) == "210.55"
    with portal.as_known(before) as old:
        ages = old.requests.list()
        portal.close()
        assert old.requests.list() == ages, "ages count from then"
        assert not hasattr(old, "execute")
    with pytest.raises(LiveportalError) as caught:
        old.requests.list()
    assert caught.value.code == "ledger_closed"
    with Portal(path, now=clock) as again:
        assert again.as_known("2000-01-01").earnings.months() == []
