"""Clocks that go back, and ledgers that are used in other processes and threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from liveportal.domain.errors import NotShared
from liveportal.domain.events.types import AdjustmentPosted
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries import earnings
from liveportal.ledger.storage import driver
from liveportal.ledger.verify.verify import verify
from liveportal.portal import Portal
from liveportal.services.defaults import new_id
from tests.faults.books import MODES
from tests.kit.books import Clock
from tests.kit.children import start_child, wait_for

pytestmark = pytest.mark.slow


NOW = datetime(2026, 10, 5, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)

modes = pytest.mark.parametrize("mode", MODES)
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs to fork")


@pytest.fixture
def book(folder: Path, mode: str) -> Path:
    """Give a ledger in a journal mode."""
    path = folder / "ledger.db"
    Portal.create(path, Policy(), now=Clock(NOW))
    with closing(driver.Connection(str(path), isolation_level=None)) as db:
        db.execute(f"PRAGMA journal_mode = {mode}")
    return path


def _bonus(name: str) -> AdjustmentPosted:
    return AdjustmentPosted(adjustment=name, amount=Money(100, "USD"), reason="bonus")


def _recorded_events(path: Path) -> list[tuple[str, str]]:
    with open_readonly(path) as reader:
        verify(reader.db)
        rows = reader.all("SELECT id, recorded_at FROM event ORDER BY seq")
        return [(row["id"], row["recorded_at"]) for row in rows]


# --- clocks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["WAL"])
def test_a_clock_that_goes_back(book: Path) -> None:
    """What is recorded later is never recorded earlier: a correction, a wrong year."""
    clock = Clock(NOW)
    steps = [HOUR, -HOUR / 2, HOUR, 24 * 365 * HOUR, -24 * 365 * HOUR, HOUR, -48 * HOUR, 3 * HOUR]
    for number, step in enumerate(steps):
        clock.now += step
        with Portal(book, now=clock) as portal:
            outcome = portal.execute(_bonus(f"AD-{number}"), key=f"k-{number}")
            assert outcome.event.time == clock.now, "when it happened is what the clock says"
    recorded = _recorded_events(book)
    assert [name for name, _ in recorded[1:]] == [f"k-{n}" for n in range(len(steps))]
    times = [at for _, at in recorded]
    assert times == sorted(times)
    assert times[1] == times[2], "half an hour back: recorded with the one before it"
    for (_, at), (_, later) in pairwise(recorded):
        # As known at any instant: everything recorded by then, in journal order.
        known = [name for name, when in recorded if when <= at]
        with open_readonly(book, as_known=datetime.fromisoformat(at)) as reader:
            assert [row["id"] for row in reader.all("SELECT id FROM event ORDER BY seq")] == known
            net = [row["net"] for row in earnings.months(reader)]
            assert sum(amount.minor for amount in net if isinstance(amount, Money)) == 100 * (
                len(known) - 1
            )
        assert at <= later
    with open_readonly(book, as_known=NOW - HOUR) as reader:
        assert reader.all("SELECT id FROM event") == []


@pytest.mark.parametrize("mode", ["WAL"])
def test_ids_are_fresh_whatever_the_clock_says(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that stops or goes back, no id is given twice."""
    instants = iter([5, 5, 5, 4, 3, 5, 0] * 3)
    monkeypatch.setattr("liveportal.services.defaults.time_ns", lambda: next(instants) * 1_000_000)
    names = [new_id() for _ in range(20)]
    assert len(set(names)) == len(names)
    clock = Clock(NOW)
    with Portal(book, now=clock) as portal:
        portal.execute(_bonus("AD-1"))
    assert len(_recorded_events(book)) == 2


@pytest.mark.parametrize("mode", ["WAL"])
@pytest.mark.parametrize(
    "now", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)]
)
def test_a_clock_that_is_far_off(book: Path, now: datetime) -> None:
    """A battery that is empty, a year that is mistyped: it is recorded, and all goes on."""
    with Portal(book, now=Clock(now)) as portal:
        portal.execute(_bonus("AD-1"), key="far")
    with Portal(book, now=Clock(NOW + HOUR)) as portal:
        portal.execute(_bonus("AD-2"), key="right")
    recorded = _recorded_events(book)
    assert [name for name, _ in recorded[1:]] == ["far", "right"]
    assert [at for _, at in recorded] == sorted(at for _, at in recorded)


# --- forks --------------------------------------------------------------------------------------


def _in_a_child(work: Callable[[], object]) -> str:
    """Run work in a forked process that exits as Python does; return its exception."""
    read_end, write_end = os.pipe()

    def report() -> None:
        os.close(read_end)
        try:
            work()
            output = "done"
        except BaseException as error:  # noqa: BLE001 -- Any exception is reported.
            output = f"{type(error).__name__}: {error}"
        os.write(write_end, output.encode())

    pid = start_child(report)
    os.close(write_end)
    wait_for(pid)
    output = os.read(read_end, 10_000).decode()
    os.close(read_end)
    return output


@forks
@modes
@pytest.mark.parametrize(
    "use",
    [
        lambda portal: portal.execute(_bonus("AD-child"), key="child"),
        lambda portal: portal.record([portal.event(_bonus("AD-child"), key="child")], allow=True),
        lambda portal: portal.reader().policy,
        lambda portal: portal.resolve_id("session", "S-1"),
        lambda portal: portal.head(),
    ],
    ids=["execute", "record", "read", "resolve_id", "head"],
)
def test_a_portal_is_not_carried_across_a_fork(
    book: Path, mode: str, use: Callable[[Portal], object]
) -> None:
    """A child that uses its parent's portal must open its own; the parent goes on."""
    with Portal(book, now=Clock(NOW)) as portal:
        portal.execute(_bonus("AD-1"), key="first")
        assert _in_a_child(lambda: use(portal)).startswith("NotShared: ")
        portal.execute(_bonus("AD-2"), key="second")
    assert [name for name, _ in _recorded_events(book)[1:]] == ["first", "second"]
    assert mode


@forks
@modes
def test_a_fork_in_the_middle_of_a_write(book: Path, mode: str) -> None:
    """A child that exits, in any way, rolls back nothing of its parent's write."""
    with Portal(book, now=Clock(NOW)) as portal:
        store = portal._file  # noqa: SLF001 -- The middle of a write is nowhere else.
        with store.writing() as door:
            door.record(portal.event(_bonus("AD-1"), key="first"))
            door.flush()
            db = store.db
            assert _in_a_child(db.close) == "done"
            assert "not authorized" in _in_a_child(lambda: db.execute("ROLLBACK"))
            assert _in_a_child(lambda: _unwind(portal, door)).startswith("NotShared: ")
            door.record(portal.event(_bonus("AD-2"), key="second"))
    assert [name for name, _ in _recorded_events(book)[1:]] == ["first", "second"]
    assert mode


def _unwind(portal: Portal, door: object) -> None:
    del door
    with portal._file.writing() as own:  # noqa: SLF001
        own.record(portal.event(_bonus("AD-child"), key="child"))


@forks
@modes
def test_a_child_that_opens_its_own(book: Path, mode: str) -> None:
    """Each process with its own portal: every event is recorded once."""
    with Portal(book, now=Clock(NOW)) as portal:
        portal.execute(_bonus("AD-1"), key="first")
        assert _in_a_child(lambda: _own(book, "child")) == "done"
        portal.execute(_bonus("AD-2"), key="second")
    assert [name for name, _ in _recorded_events(book)[1:]] == ["first", "child", "second"]
    assert mode


def _own(path: Path, name: str) -> None:
    with Portal(path) as portal:
        portal.execute(_bonus(f"AD-{name}"), key=name)


# --- threads ------------------------------------------------------------------------------------


@modes
def test_a_portal_is_not_carried_into_a_thread(book: Path, mode: str) -> None:
    """A thread that uses another one's portal must open its own, which it may."""
    raised: list[BaseException] = []

    def use() -> None:
        try:
            portal.execute(_bonus("AD-thread"), key="thread")
        except NotShared as error:
            raised.append(error)
        _own(book, "own")

    with Portal(book, now=Clock(NOW)) as portal:
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
        portal.execute(_bonus("AD-2"), key="second")
    assert len(raised) == 1
    assert [name for name, _ in _recorded_events(book)[1:]] == ["own", "second"]
    assert mode


@modes
def test_threads_with_a_portal_each(book: Path, mode: str) -> None:
    """Eight threads record at once, each through its own portal."""
    threads = [threading.Thread(target=_own, args=(book, f"t-{n}")) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(name for name, _ in _recorded_events(book)[1:]) == [f"t-{n}" for n in range(8)]
    assert mode
