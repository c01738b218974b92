"""The clock of a run: the only place where the command line asks for the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the system's time in UTC."""
    return datetime.now(UTC)


_CLOCK: ContextVar[Clock] = ContextVar("clock", default=system_clock)


def utc_now() -> datetime:
    """Return the current time in UTC, by the clock of this run."""
    return _CLOCK.get()()


@contextmanager
def use_clock(clock: Clock) -> Iterator[None]:
    """Let `utc_now` ask this clock."""
    token = _CLOCK.set(clock)
    try:
        yield
    finally:
        _CLOCK.reset(token)
