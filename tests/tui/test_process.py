"""The portal as a process: how it starts and ends on a terminal, and that it needs one."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.kit.shell import PROGRAM

if sys.platform == "win32":
    pytest.skip("needs a terminal of Unix", allow_module_level=True)

import pty
import termios

if TYPE_CHECKING:
    from tests.kit.portal_screen import Portal

SECONDS = 30
LEFT, CURSOR = b"\x1b[?1049l", b"\x1b[?25h"
"""The terminal's own screen is back, and its cursor is shown."""


def _ended(portal: Portal, *, keys: bytes = b"", number: int = 0) -> tuple[int, bytes, bool]:
    """Start the portal, end it by keys or a signal; return its code and what it wrote.

    Also returns whether the terminal's settings are those from before.
    """
    terminal, inner = pty.openpty()
    before = termios.tcgetattr(inner)
    argv = [*PROGRAM, "portal", "--ledger", str(portal.ledger)]
    env = {**os.environ, "TERM": "xterm-256color"}
    shown = b""
    until = time.monotonic() + SECONDS
    with subprocess.Popen(
        argv, stdin=inner, stdout=inner, stderr=inner, env=env, start_new_session=True
    ) as running:
        is_told = False
        while running.poll() is None and time.monotonic() < until:
            if select.select([terminal], [], [], 0.02)[0]:
                shown += os.read(terminal, 65536)
            if b"owed" in shown and not is_told:
                is_told = True
                os.write(terminal, keys)
                if number:
                    running.send_signal(number)
        running.kill()
    while select.select([terminal], [], [], 0)[0]:
        shown += os.read(terminal, 65536)
    is_restored = termios.tcgetattr(inner) == before
    os.close(inner)
    os.close(terminal)
    return running.returncode, shown, is_restored


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "number", "code"),
    [(b"q", 0, 0), (b"\x03", 0, 130), (b"", signal.SIGTERM, 143)],
    ids=["q", "Ctrl-C", "SIGTERM"],
)
def test_it_ends_with_the_terminal_restored(
    demo: Portal, keys: bytes, number: int, code: int
) -> None:
    """The exit code is that of any other command."""
    ended, shown, is_restored = _ended(demo, keys=keys, number=number)
    assert ended == code
    assert LEFT in shown
    assert CURSOR in shown.rpartition(LEFT)[2] or CURSOR in shown
    assert is_restored


@pytest.mark.slow
def test_a_terminal_that_is_gone_ends_it_at_once(demo: Portal) -> None:
    """It waits for nothing that writes to that terminal."""
    ended, _, _ = _ended(demo, number=signal.SIGHUP)
    assert ended == 129


@pytest.mark.parametrize("argv", [["portal"], ["portal", "--theme", "pink"]])
def test_it_needs_a_terminal(
    argv: list[str], demo: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without one it says so, and writes no escape codes."""
    from liveportal.cli.main import main

    assert main([*argv, "--ledger", str(demo.ledger)]) == 2
    out, err = capsys.readouterr()
    assert "The portal needs a terminal." in err or "is not a theme" in err
    assert "\x1b" not in out + err
