"""A watch as a process of its own, and the feed lines that it reads."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

from tests.commands.test_sync import opened
from tests.kit.events import amount, line
from tests.kit.shell import PROGRAM, Shell, assert_no_traceback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 30
QUICK = ("--interval", "0.02")
RULES = line(
    "preferences.changed",
    "10-01 09:00",
    id="rules",
    skills=["urp"],
    minimum_rate=amount("2.50"),
    auto_decline=[{"reason": "too cheap", "below_rate": amount("1.50")}],
)


def request_line(name: str, **data: Any) -> bytes:  # noqa: ANN401 -- As events have it.
    """Write the opening of a request that never lapses."""
    return opened(name, "10-05 09:00", **data)


class Watching:
    """A running watch, and its output so far."""

    def __init__(self, running: subprocess.Popen[bytes]) -> None:
        self.running = running
        assert running.stdin is not None
        assert running.stdout is not None
        self.stdin: IO[bytes] = running.stdin
        self.shown = b""
        os.set_blocking(running.stdout.fileno(), False)

    def shows(self, *ids: str) -> None:
        """Wait until it has shown these requests, in this order and no others."""
        wanted = list(ids)
        until = time.monotonic() + SECONDS
        while self.ids() != wanted:
            assert time.monotonic() < until, (self.ids(), wanted, self.running.poll())
            self._read(0.05)

    def shows_no_more(self) -> None:
        """Wait, and assert that nothing more is shown."""
        before = self.ids()
        self._read(0.3)
        assert self.ids() == before

    def ids(self) -> list[str]:
        """Return the ids of the whole lines shown so far."""
        lines = self.shown.decode().splitlines(keepends=True)
        return [text.rstrip("\n").split("\t")[0] for text in lines if text.endswith("\n")]

    def ends(self, *, interrupted: bool = False) -> tuple[int, str, str]:
        """Wait for its end; return its exit code and its output."""
        if interrupted:
            self.running.send_signal(signal.SIGINT)
        assert self.running.stdout is not None
        os.set_blocking(self.running.stdout.fileno(), True)
        out, err = self.running.communicate(timeout=SECONDS)
        assert_no_traceback(err.decode())
        return self.running.returncode, (self.shown + out).decode(), err.decode()

    def _read(self, seconds: float) -> None:
        stdout = self.running.stdout
        assert stdout is not None
        if select.select([stdout], [], [], seconds)[0] and (more := stdout.read()):
            self.shown += more
        elif self.running.poll() is not None:
            time.sleep(seconds)


@contextmanager
def watching(shell: Shell, *argv: object, **more: str) -> Iterator[Watching]:
    """Start a watch as a process of its own; it is gone in the end."""
    with subprocess.Popen(
        [*PROGRAM, "requests", "watch", *map(str, argv)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=shell.folder,
        env=shell.environment(**more),
    ) as running:
        try:
            yield Watching(running)
        finally:
            running.kill()
            with suppress(ValueError):  # Already closed.
                running.communicate()


def add(path: Path, *content: bytes) -> None:
    """Write to the end of a file."""
    with path.open("ab") as file:
        file.writelines(content)
