"""What the running command has committed, so that a later output failure can report it.

The command line calls `begin` before each command; the code that commits something notes it here.
Without `begin`, as when the package is used from another program, the notes are discarded.
"""

from __future__ import annotations

from contextvars import ContextVar


class Done:
    """The number of events recorded, the id of the last event a command made, and other effects."""

    __slots__ = ("events", "others", "own_id")

    def __init__(self) -> None:
        self.events = 0
        self.own_id: str | None = None
        self.others: list[str] = []

    def __bool__(self) -> bool:
        """Return True if anything was committed."""
        return bool(self.events or self.others)

    def __str__(self) -> str:
        """Return a clause such as `1 event was recorded`."""
        events = f"{self.events} event{'s were' if self.events > 1 else ' was'} recorded"
        return " and ".join([*self.others, *([events] if self.events else [])])


_done: ContextVar[Done | None] = ContextVar("done", default=None)


def begin() -> None:
    """Start collecting what is committed."""
    _done.set(Done())


def so_far() -> Done:
    """Return the notes since `begin`; empty if that was not called."""
    done = _done.get()
    return Done() if done is None else done


def note(clause: str) -> None:
    """Note an effect other than events, as a clause: `the backup b.zip was made`."""
    so_far().others.append(clause)


def note_events(count: int, own_id: str | None) -> None:
    """Note committed events; `own_id` is the id of the last one whose source is the CLI's."""
    done = so_far()
    done.events += count
    done.own_id = own_id or done.own_id
