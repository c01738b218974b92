"""Told twice: whether two events are the same, and whether they tell the same fact."""

from __future__ import annotations

from liveportal.domain.events.envelope import Event
from liveportal.domain.events.fields import EventRecord, plan
from liveportal.domain.events.types import (
    RequestAccepted,
    SessionCorrected,
    SessionEnded,
    SessionLogged,
    SessionRescheduled,
    TipReceived,
)

# A field that the first assertion left out and the second gives contradicts it, since there leaving
# it out has a meaning: "as it was", or for the pauses of a logged session "none".
_ADDING: dict[type, tuple[str, ...]] = {
    SessionCorrected: ("start", "end", "pauses", "billed"),
    SessionRescheduled: ("start", "minutes"),
    SessionLogged: ("pauses",),
}

# A field that may differ without contradicting: it has an effect of its own instead.
_TOLERATED: dict[type, tuple[str, ...]] = {
    RequestAccepted: ("session",),
    SessionEnded: ("billed",),
    SessionLogged: ("billed",),
    SessionRescheduled: ("alias",),
    TipReceived: ("again",),
}


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
    if not (erased and isinstance(old, EventRecord) and isinstance(new, EventRecord)):
        return old == new
    return all(
        _same(getattr(old, name), getattr(new, name), erased=erased)
        for name, _, _, is_personal in plan(type(old))
        if not is_personal
    )


def contradictions(first: EventRecord, again: EventRecord) -> list[str]:
    """Return the fields of fact that both tellings give, and give differently.

    Personal texts never contradict: people word things as they like, and what is judged must not
    depend on what can be erased.
    """
    kind = type(again)
    tolerated, adding = _TOLERATED.get(kind, ()), _ADDING.get(kind, ())
    found = []
    for name, _, _, is_personal in plan(kind):
        old, new = getattr(first, name), getattr(again, name)
        if is_personal or name in tolerated or new is None or old == new:
            continue
        if old is None and (name not in adding or (kind is SessionLogged and not new)):
            continue
        if name == "pauses" and old is not None and sorted(old) == sorted(new):
            continue
        if isinstance(old, EventRecord) and isinstance(new, EventRecord):
            found += [f"{name}.{below}" for below in contradictions(old, new)]
        else:
            found.append(name)
    return found
