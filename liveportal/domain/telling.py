"""Told twice: whether two events are the same, and whether they tell the same fact."""

from __future__ import annotations

from liveportal.domain.codec import Record, plan
from liveportal.domain.envelope import Event
from liveportal.domain.events import (
    RequestAccepted,
    SessionCorrected,
    SessionEnded,
    SessionRescheduled,
)

# What these leave out stays as it was: to give more is to say something else.
_SAYS_ALL = (SessionCorrected, SessionRescheduled)

# What may differ in the telling without contradicting: it has a meaning of its own instead.
_TOLERATED: dict[type, set[str]] = {RequestAccepted: {"session"}, SessionEnded: {"billed"}}


def differences(was: Event, now: Event, *, erased: bool) -> list[str]:
    """Return what differs between an event and its replay: `type`, `time`, fields of the data.

    Not compared are fields that the sender left to us, and what was `erased`.
    """
    if type(was.data) is not type(now.data):
        return ["type"]
    found = ["time"] if was.time != now.time else []
    found += [
        name
        for name, _, _, is_personal in plan(type(was.data))
        if not (erased and is_personal)
        and not _same(getattr(was.data, name), getattr(now.data, name), erased=erased)
    ]
    return [name for name in found if name not in now.assumed]


def _same(old: object, new: object, *, erased: bool) -> bool:
    if not (erased and isinstance(old, Record) and isinstance(new, Record)):
        return old == new
    return all(
        _same(getattr(old, name), getattr(new, name), erased=erased)
        for name, _, _, is_personal in plan(type(old))
        if not is_personal
    )


def contradictions(first: Record, again: Record) -> list[str]:
    """Return the fields of fact that both tellings give, and give differently.

    Personal texts never contradict: people word things as they like, and what is judged must not
    depend on what can be erased.
    """
    tolerated = _TOLERATED.get(type(again), set())
    found = []
    for name, _, _, is_personal in plan(type(again)):
        old, new = getattr(first, name), getattr(again, name)
        if is_personal or name in tolerated or new is None or old == new:
            continue
        if old is None and not isinstance(again, _SAYS_ALL):
            continue
        if isinstance(old, Record) and isinstance(new, Record):
            found += [f"{name}.{below}" for below in contradictions(old, new)]
        else:
            found.append(name)
    return found
