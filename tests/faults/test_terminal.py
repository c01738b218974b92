"""Interrupted at a terminal: the cursor and the echo are restored."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.books import AT, Place, Scene, set_up, story
from tests.kit.fork_server import ForkServer
from tests.kit.shell import PROGRAM, ROOT, assert_no_traceback

if sys.platform == "win32":
    pytest.skip("needs a terminal of Unix", allow_module_level=True)

import pty
import termios

pytestmark = pytest.mark.slow


SECONDS = 60
HIDDEN, SHOWN = b"\x1b[?25l", b"\x1b[?25h"
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def stops(*numbers: signal.Signals) -> pytest.MarkDecorator:
    """The signals tried; a process for each is expensive, and they differ little."""
    return pytest.mark.parametrize("stop", numbers, ids=lambda stop: stop.name)


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, place: Place, *argv: str) -> None:
        self.outer, self.inner = pty.openpty()
        self.seen = b""
        env = {**os.environ, **place.order().env, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
        self.running = subprocess.Popen(
            [*PROGRAM, *argv],
            stdin=self.inner,
            stdout=self.inner,
            stderr=self.inner,
            cwd=place.folder,
            env=env | {"COLUMNS": "80"},
            start_new_session=True,
        )

    def until(self, said: bytes) -> None:
        """Read until a text appears."""
        stop = time.monotonic() + SECONDS
        while said not in self.seen:
            assert time.monotonic() < stop, self.seen
            self._read()

    def end(self) -> int:
        """Wait for the end, and read the rest."""
        code = self.running.wait(timeout=SECONDS)
        while select.select([self.outer], [], [], 0)[0]:
            self._read()
        return code

    def is_echoing(self) -> bool:
        """Return whether typed characters are echoed."""
        return bool(termios.tcgetattr(self.inner)[3] & termios.ECHO)

    def close(self) -> None:
        """Let it go."""
        self.running.kill()
        self.running.wait()
        os.close(self.inner)
        os.close(self.outer)

    def _read(self) -> None:
        if select.select([self.outer], [], [], 0.2)[0]:
            self.seen += os.read(self.outer, 65_536)


@pytest.fixture
def place(fork_server: ForkServer, made: Path, folder: Path) -> Place:
    """Give a ledger with something in every state."""
    return set_up(fork_server, made, Scene("terminal", ()), "WAL", folder)


@stops(signal.SIGTERM, signal.SIGHUP)
def test_a_view_that_is_interrupted(place: Place, stop: signal.Signals) -> None:
    """`--follow` hides the cursor while it draws, and shows it again however it is ended."""
    terminal = Terminal(place, "sessions", "show", "S-LIVE", "--follow")
    try:
        terminal.until(b"live")
        assert HIDDEN in terminal.seen
        terminal.running.send_signal(stop)
        assert terminal.end() == CODES[stop]
        assert terminal.seen.rindex(SHOWN) > terminal.seen.rindex(HIDDEN)
        assert_no_traceback(terminal.seen.decode(errors="replace"))
    finally:
        terminal.close()


@stops(signal.SIGINT, signal.SIGTERM)
def test_a_secret_that_is_asked_for(place: Place, stop: signal.Signals) -> None:
    """Interrupted while a secret is typed: nothing is recorded, and the echo is restored."""
    before = story(place.ledger)
    terminal = Terminal(
        place, *("payout", "profile", "set", "--method", "iban", "--iban", "-", "--at", AT)
    )
    try:
        terminal.until(b"(not shown)")
        assert not terminal.is_echoing()
        terminal.running.send_signal(stop)
        assert terminal.end() == CODES[stop]
        assert terminal.is_echoing()
        assert_no_traceback(terminal.seen.decode(errors="replace"))
    finally:
        terminal.close()
    assert story(place.ledger) == before


@stops(signal.SIGTERM)
def test_a_question_that_is_asked(place: Place, stop: signal.Signals) -> None:
    """An interruption is no yes, and while the question waits others may write."""
    before = story(place.ledger)
    terminal = Terminal(place, "refunds", "concede", "CL-2", "--at", "2026-10-21 09:00")
    try:
        terminal.until(b"[y/N]")
        place.done("earnings", "adjust", "1.00", "--reason", "bonus", "--key", "k", "--at", AT)
        terminal.running.send_signal(stop)
        assert terminal.end() == CODES[stop]
        assert_no_traceback(terminal.seen.decode(errors="replace"))
    finally:
        terminal.close()
    assert story(place.ledger)[: len(before)] == before
    assert len(story(place.ledger)) == len(before) + 1


@pytest.mark.parametrize(
    ("line", "stop"),
    [
        ("requests watch feed.jsonl", signal.SIGTERM),
        ("requests watch -", signal.SIGHUP),
        ("sync -", signal.SIGINT),
        ("requests accept -", signal.SIGTERM),
    ],
)
def test_what_waits_for_input(place: Place, line: str, stop: signal.Signals) -> None:
    """Interrupted while it waits: the exit code and a sentence say why, no traceback."""
    before = story(place.ledger)
    (place.folder / "feed.jsonl").touch()
    terminal = Terminal(place, *line.split())
    try:
        _wait_until_it_waits(terminal)
        terminal.running.send_signal(stop)
        assert terminal.end() == CODES[stop]
        output = terminal.seen.decode(errors="replace")
        assert_no_traceback(output)
        assert "ignored" not in output
        assert ("interrupted" if stop is signal.SIGINT else "terminated") in output
    finally:
        terminal.close()
    assert story(place.ledger) == before


def _wait_until_it_waits(terminal: Terminal) -> None:
    """Wait until it has been asleep for a while with the ledger open."""
    pid, asleep = terminal.running.pid, 0
    stop = time.monotonic() + SECONDS
    while asleep < 8:
        assert time.monotonic() < stop, terminal.seen
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        opened = {os.path.realpath(path) for path in Path(f"/proc/{pid}/fd").iterdir()}
        is_open = any(path.endswith("ledger.db") for path in opened)
        asleep = asleep + 1 if state == "S" and is_open else 0
        time.sleep(0.02)
