"""Deduplication: whether two events are equal, and whether they assert the same fact."""

from __future__ import annotations

from liveportal.domain.events.envelope import Event, is_statement
from liveportal.domain.events.fields import EventRecord, field_specs
from liveportal.domain.events.types import (
    PayoutPaid,
    PayoutReturned,
    RequestAccepted,
    SessionCorrected,
    SessionEnded,
    SessionLogged,
    SessionRescheduled,
    TipReceived,
)

# Omitting one of these fields has a meaning ("unchanged", or "no pauses" for a logged session), so
# a second assertion that gives it contradicts a first one that did not.
_MEANINGFUL_IF_OMITTED: dict[type, tuple[str, ...]] = {
    SessionCorrected: ("start", "end", "pauses", "billed"),
    SessionRescheduled: ("start", "minutes"),
    SessionLogged: ("pauses",),
}

# Fields that may differ without a contradiction: a difference has its own effect instead.
_TOLERATED: dict[type, tuple[str, ...]] = {
    PayoutPaid: ("fee", "received", "evidence"),
    PayoutReturned: ("debited",),
    RequestAccepted: ("session",),
    SessionEnded: ("billed",),
    SessionLogged: ("billed",),
    SessionRescheduled: ("alias",),
    TipReceived: ("again",),
}


# Two exports of a statement spell the same row differently: only ids and amounts are compared.
_SPELT_BY_STATEMENTS = frozenset({"time", "reason", "reference", "method", "received", "evidence"})


def differences(recorded: Event, replay: Event, *, erased: bool) -> list[str]:
    """Return the names of what differs in a replay: `type`, `time`, or fields of the data.

    Skips the fields in `replay.assumed`, which the sender omitted, and personal fields if `erased`.
    Of a statement's row only the ids and amounts are compared.
    """
    if type(recorded.data) is not type(replay.data):
        return ["type"]
    names = ["time"] if recorded.time != replay.time else []
    names += [
        name
        for name, _, _, is_personal in field_specs(type(recorded.data))
        if not (erased and is_personal)
        and not _is_equal(getattr(recorded.data, name), getattr(replay.data, name), erased=erased)
    ]
    skipped = replay.assumed
    if is_statement(replay.source):
        skipped = skipped | _SPELT_BY_STATEMENTS
    return [name for name in names if name not in skipped]


def _is_equal(old: object, new: object, *, erased: bool) -> bool:
    if not (erased and isinstance(old, EventRecord) and isinstance(new, EventRecord)):
        return old == new
    return all(
        _is_equal(getattr(old, name), getattr(new, name), erased=erased)
        for name, _, _, is_personal in field_specs(type(old))
        if not is_personal
    )


def contradictions(first: EventRecord, second: EventRecord) -> list[str]:
    """Return the factual fields that both events give, with different values.

    Personal texts never contradict: their wording is free, and the result must not depend on data
    that can be erased.
    """
    data_class = type(second)
    tolerated, meaningful = (
        _TOLERATED.get(data_class, ()),
        _MEANINGFUL_IF_OMITTED.get(data_class, ()),
    )
    names = []
    for name, _, _, is_personal in field_specs(data_class):
        old, new = getattr(first, name), getattr(second, name)
        if is_personal or name in tolerated or new is None or old == new:
            continue
        if old is None and (name not in meaningful or (data_class is SessionLogged and not new)):
            continue
        if name == "pauses" and old is not None and sorted(old) == sorted(new):
            continue
        if isinstance(old, EventRecord) and isinstance(new, EventRecord):
            names += [f"{name}.{nested}" for nested in contradictions(old, new)]
        else:
            names.append(name)
    return names
