"""Shared by the tests of plans: sessions booked in November, and a fixed clock."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from tests.kit.events import amount, at, line
from tests.kit.shell import SetClock, Shell

SetNow = Callable[[str], None]
_ids = count(1)


@pytest.fixture
def now(clock: SetClock) -> SetNow:
    """Return a function that sets the clock of the commands.

    It starts on a Wednesday at noon.
    """

    def set_clock(text: str) -> None:
        clock.set(at(text))

    set_clock("11-04 12:00")
    return set_clock


def event_line(kind: str, when: str, /, **data: Any) -> bytes:  # noqa: ANN401 -- As events have it.
    """Return an event of a feed with a fresh name."""
    return line(kind, when, id=f"a-{next(_ids)}", **data)


def book(
    name: str,
    start: str,
    minutes: int = 60,
    *,
    zone: str | None = "Asia/Seoul",
    title: str = "Shader",
    called: str = "Mina",
) -> bytes:
    """Return the lines by which a session is booked."""
    customer = {"id": f"C-{name}", "name": called} | ({"timezone": zone} if zone else {})
    slots = [{"start": at(start).isoformat(), "minutes": minutes}]
    opened = {"kind": "scheduled", "customer": customer, "title": title, "slots": slots}
    rate, described = amount("3.00"), "on Mali GPUs\nsince spring"
    return event_line(
        "request.opened",
        "11-03 09:00",
        request=f"R-{name}",
        rate=rate,
        description=described,
        **opened,
    ) + event_line(
        "request.accepted", "11-03 09:30", request=f"R-{name}", session=f"S-{name}", slot=1
    )


def sync(shell: Shell, *lines: bytes) -> None:
    """Record a feed."""
    shell.ok("sync", shell.file("more.jsonl", b"".join(lines)))
