"""Being told to stop: by Ctrl-C, by the system, or by a terminal that goes away.

All three end a command in the same way: what was begun is rolled back, files that are half written
go, the terminal is left as it was found, and the exit code says why, as shells count: 130 for
Ctrl-C, 143 for SIGTERM, 129 for SIGHUP. Whoever kills (SIGKILL) gets the same ledger, and may leave
a `.part` file behind.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

_STOPPING = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
]


class Stopped(KeyboardInterrupt):
    """A signal says that the program is to end; it unwinds as Ctrl-C does."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def exit_code_of(error: BaseException) -> int:
    """Return the exit code of an interruption: 128 and the signal's number, as shells count."""
    return 128 + (error.number if isinstance(error, Stopped) else signal.SIGINT)


def word_for(error: BaseException) -> str:
    """Return what became of the program, in a word."""
    return "terminated" if isinstance(error, Stopped) else "interrupted"


@contextlib.contextmanager
def unwinding() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind the program instead of ending it on the spot.

    Those that are ignored (`nohup`) or handled by somebody already stay as they are.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Only the main thread hears signals.
        return
    atexit.register(_tidying_up)
    before = {each: signal.getsignal(each) for each in _STOPPING}
    ours = [each for each, handler in before.items() if handler is signal.SIG_DFL]
    for each in ours:
        signal.signal(each, _stop)
    try:
        yield
    finally:
        for each in ours:
            signal.signal(each, signal.SIG_DFL)


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped(number)


def _tidying_up() -> None:
    """Hear no Ctrl-C any more: all is done and said, and what Python does at its end is no work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def show_cursor() -> None:
    """Show a terminal's cursor again, in case that we were stopped just after it was hidden."""
    if "rich.live" not in sys.modules:
        return  # Nothing else hides it.
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb":
            with contextlib.suppress(OSError):
                stream.write("\x1b[?25h")
                stream.flush()
