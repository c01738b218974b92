"""How much work something takes, which no other program disturbs."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class TooMuchWork(AssertionError):
    """More was done than is allowed."""


def calls(do: Callable[[], object], most: int = sys.maxsize) -> int:
    """Return how many calls something makes; it is stopped as soon as it makes more than `most`."""
    count = 0

    def called(*_: object) -> None:
        nonlocal count
        count += 1
        if count > most:
            raise TooMuchWork(f"more than {most} calls")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        do()
    finally:
        sys.setprofile(before)
    return count


@contextmanager
def stopped_if_endless(seconds: int = 4) -> Iterator[None]:
    """Stop a block that takes this much of the processor; give it what takes a twentieth at most.

    It finds patterns that scan a text again and again, inside of which no calls are counted. Only
    the time of this process counts. Without timers (on Windows) nothing is stopped.
    """

    def stop(*_: object) -> None:
        raise TooMuchWork(f"more than {seconds} seconds of the processor")

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
