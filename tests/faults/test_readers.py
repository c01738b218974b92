"""A reader that never ends: one that holds the ledger open, one that only reads the output."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest

from liveportal.cli.main import main
from liveportal.ledger.storage import connection, driver
from tests.faults.books import AT, MODES, Place, Scene, set_up, story
from tests.faults.commands import ALSO_READ
from tests.faults.scenes import SYNC
from tests.kit.fork_server import BUSY, ForkServer
from tests.kit.shell import assert_no_traceback
from tests.kit.states import READS, WRITES, Write

pytestmark = pytest.mark.slow


_SCENE = Scene("readers", ())
_ADJUST = (
    *("earnings", "adjust", "1.00", "--reason", "bonus", "--at", AT),
    *("--id", "AD-1", "--key", "k"),
)

modes = pytest.mark.parametrize("mode", MODES)


@pytest.fixture
def place(fork_server: ForkServer, made: Path, folder: Path, mode: str) -> Place:
    """Give a ledger with something in every state, in a journal mode."""
    return set_up(fork_server, made, _SCENE, mode, folder)


@modes
def test_a_reader_that_holds_the_ledger(place: Place, mode: str) -> None:
    """In WAL writers go on; with a rollback journal they must try again, as the error says."""
    before = story(place.ledger)
    with closing(connection.open_file(place.ledger, readonly=True)) as db:
        db.execute("BEGIN")
        assert db.execute("SELECT count(*) FROM event").fetchone() == (len(before),)
        ended = place.run(*_ADJUST, busy_ms=200)
        if mode == "WAL":
            assert (ended.code, ended.err) == (0, "")
        else:
            assert (ended.code, ended.out) == (BUSY, "")
            assert "Another program is" in ended.err
            assert "Try again" in ended.err
            assert_no_traceback(ended.err)
        # Other readers are not blocked, and this reader's snapshot does not change.
        assert place.done("earnings", "months")
        assert db.execute("SELECT count(*) FROM event").fetchone() == (len(before),)
    assert len(story(place.ledger)) == len(before) + (mode == "WAL")
    place.done(*_ADJUST)
    assert len(story(place.ledger)) == len(before) + 1


def test_a_writer_waits_for_five_seconds(fork_server: ForkServer, made: Path, folder: Path) -> None:
    """A reader that ends within the time is waited for, and nothing is lost."""
    place = set_up(fork_server, made, _SCENE, "DELETE", folder)
    assert connection.BUSY_MS == 5_000
    with closing(connection.open_file(place.ledger, readonly=True)) as db:
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM event").fetchone()
        order = place.order(*_ADJUST)
        pid = fork_server.start(order)
        threading.Timer(0.4, db.interrupt).start()
        signalled = threading.Event()
        signalled.wait(0.4)
        db.execute("COMMIT")
        assert fork_server.wait(pid, order).code == 0


@modes
def test_a_reader_whose_output_is_not_read(place: Place, folder: Path) -> None:
    """`liveportal ... | less`, left alone: the pipe is full, and writers get through."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        order = place.order("earnings", "transactions", "--json", stdout=str(pipe))
        _make_small(reading)
        pid = place.fork_server.start(order)
        _wait_until_it_sleeps(pid)
        place.done(*_ADJUST)  # While the other process still waits for its reader.
        assert _state(pid) == "S"
    finally:
        os.kill(pid, signal.SIGKILL)
        place.fork_server.wait(pid, order)
        os.close(reading)


def _make_small(pipe: int) -> None:
    import fcntl

    size = fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4_096)
    writing = os.open(f"/proc/self/fd/{pipe}", os.O_WRONLY)
    os.write(writing, b"." * (size - 512))  # Nearly full already.
    os.close(writing)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _wait_until_it_sleeps(pid: int) -> None:
    """Wait until it has been asleep in a write for a while."""
    asleep = 0
    while asleep < 20:
        where = Path(f"/proc/{pid}/wchan").read_text()
        asleep = asleep + 1 if "pipe" in where and _state(pid) == "S" else 0
        threading.Event().wait(0.01)


# --- fetch, close, then print -------------------------------------------------------------------


class _Probe(io.RawIOBase):
    """An output that tries, at each write, to lock the ledger exclusively."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self.written = 0

    def writable(self) -> bool:
        """Say so."""
        return True

    def write(self, content: object) -> int:
        """Take the content; fails if any process holds even a read lock."""
        assert isinstance(content, bytes | memoryview)
        self.written += len(content)
        db = driver.Connection(str(self._ledger), isolation_level=None, timeout=0)
        with closing(db):
            db.execute("BEGIN EXCLUSIVE")
            db.execute("ROLLBACK")
        return len(content)


@pytest.fixture
def rollback(
    fork_server: ForkServer,
    made: Path,
    folder: Path,
    tmp_ledger_env: Path,  # noqa: ARG001 -- The developer's own settings stay out.
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """Give a ledger whose readers keep out its writers, and work in its folder."""
    place = set_up(fork_server, made, SYNC, "DELETE", folder, before="states")
    monkeypatch.setenv("LIVEPORTAL_LEDGER", str(place.ledger))
    monkeypatch.chdir(folder)
    return place.ledger


def _printed(ledger: Path, *argv: str) -> tuple[int, int]:
    """Run a command whose output is probed; return its exit code, and how much it wrote."""
    probe = _Probe(ledger)
    out = io.TextIOWrapper(io.BufferedWriter(probe, 1), "utf-8", write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), "utf-8")
    empty = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with redirect_stdout(out), redirect_stderr(err), patch.object(sys, "stdin", empty):
        code = main([*argv])
        out.flush()
    return code, probe.written


@pytest.mark.parametrize("command", [*READS, *ALSO_READ])
def test_what_is_read_is_let_go_before_it_is_printed(rollback: Path, command: str) -> None:
    """No read holds the ledger while it prints: a pager or a slow pipe would keep it locked."""
    code, written = _printed(rollback, *command.split())
    assert code in (0, 10)
    assert written


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.name)
def test_what_is_written_is_kept_before_it_is_printed(rollback: Path, write: Write) -> None:
    """No write holds the ledger while it prints its result."""
    code, written = _printed(rollback, *write.argv, "--at", write.at, "--yes")
    assert code == 0
    assert written
