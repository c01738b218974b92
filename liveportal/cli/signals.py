"""Signals that end the program: Ctrl-C, SIGTERM, and SIGHUP when the terminal closes.

All three end a command in the same way: the open transaction is rolled back, partly written files
are removed, the terminal is restored, and the exit code follows the shells' convention: 130 for
Ctrl-C, 143 for SIGTERM, 129 for SIGHUP. A view that has no other end exits with 0 at Ctrl-C.
SIGKILL leaves the same ledger, and possibly a `.part` file.
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

_END_SIGNALS = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
]


class Stopped(KeyboardInterrupt):
    """Raised for a signal that ends the program; it unwinds the stack as Ctrl-C does."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def exit_code_of(error: BaseException) -> int:
    """Return the exit code of an interruption: 128 plus the signal's number, as in shells."""
    return 128 + (error.number if isinstance(error, Stopped) else signal.SIGINT)


def interruption_name(error: BaseException) -> str:
    """Return the name of an interruption, which is also its error code."""
    return "terminated" if isinstance(error, Stopped) else "interrupted"


def interruption_message(error: BaseException) -> str:
    """Return the sentence about an interruption."""
    return f"The command was {interruption_name(error)}."


def end_quietly(interruption: KeyboardInterrupt) -> None:
    """Let Ctrl-C end a view that has no other end; any other signal is raised again."""
    if isinstance(interruption, Stopped):
        raise interruption
    show_cursor()


@contextlib.contextmanager
def handle_signals() -> Iterator[None]:
    """Make SIGTERM and SIGHUP unwind the stack instead of ending the process at once.

    A signal that is ignored (`nohup`) or already has a handler keeps it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Only the main thread receives signals.
        return
    atexit.register(_ignore_interrupts)
    handlers = {number: signal.getsignal(number) for number in _END_SIGNALS}
    defaults = [number for number, handler in handlers.items() if handler is signal.SIG_DFL]
    for number in defaults:
        signal.signal(number, _raise_stopped)
    try:
        yield
    finally:
        for number in defaults:
            signal.signal(number, signal.SIG_DFL)


def _raise_stopped(number: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped(number)


def _ignore_interrupts() -> None:
    """Ignore Ctrl-C while Python shuts down: the command has ended and its result is written."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def show_cursor() -> None:
    """Show the terminal's cursor again, in case the interruption came after it was hidden."""
    if "rich.live" not in sys.modules:
        return  # Only rich's live view hides the cursor.
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb":
            with contextlib.suppress(OSError):
                stream.write("\x1b[?25h")
                stream.flush()
