"""The clock of a run and the machine's zone: where the command line asks for the time."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

from liveportal.domain.clock import zone
from liveportal.domain.errors import InvalidValue

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


def system_timezone(root: Path = Path("/")) -> str | None:
    """Return the IANA name of the machine's time zone; None if it has none that is known."""
    for name in _zone_names(root):
        with suppress(InvalidValue):
            known = zone(name).key
            return "UTC" if known.rpartition("/")[2] in _NAMES_OF_UTC else known
    return None


_NAMES_OF_UTC = ("UTC", "UCT", "Universal", "Zulu")


def _zone_names(root: Path) -> Iterator[str]:
    """Yield the names that the machine may have for its zone: that of TZ, or else its setting."""
    if given := os.environ.get("TZ"):
        yield given.removeprefix(":")
    elif sys.platform == "win32":
        from pendulum.tz.local_timezone import get_local_timezone  # Knows what Windows calls them.

        with suppress(LookupError, OSError):
            yield get_local_timezone().name
    else:
        yield os.path.realpath(root / "etc/localtime").rpartition("/zoneinfo/")[2]
        with suppress(OSError, UnicodeDecodeError):
            yield (root / "etc/timezone").read_text("utf-8").strip()
