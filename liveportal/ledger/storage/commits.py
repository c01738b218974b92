"""What a command has done that stays done: so that a failure to show the result can say so.

The command line calls `begin` before each command; what commits something notes it. Where that was
not called, as in a program of somebody else, nothing is kept.
"""

from __future__ import annotations

from contextvars import ContextVar


class Done:
    """How many events were recorded, the id of the last that a command made, and what else."""

    __slots__ = ("events", "others", "own_id")

    def __init__(self) -> None:
        self.events = 0
        self.own_id: str | None = None
        self.others: list[str] = []

    def __bool__(self) -> bool:
        """Return whether anything was done."""
        return bool(self.events or self.others)

    def __str__(self) -> str:
        """Return it as a clause: `1 event was recorded`."""
        events = f"{self.events} event{'s were' if self.events > 1 else ' was'} recorded"
        return " and ".join([*self.others, *([events] if self.events else [])])


_done: ContextVar[Done | None] = ContextVar("done", default=None)


def begin() -> None:
    """Note from now on what is done."""
    _done.set(Done())


def so_far() -> Done:
    """Return what was done so far."""
    done = _done.get()
    return Done() if done is None else done


def note(what: str) -> None:
    """Note that something was done, as a clause: `the backup b.zip was made`."""
    so_far().others.append(what)


def note_events(count: int, own_id: str | None) -> None:
    """Note that events were committed; `own_id` is that of the last one with our own source."""
    done = so_far()
    done.events += count
    done.own_id = own_id or done.own_id
