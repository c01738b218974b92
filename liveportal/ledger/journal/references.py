"""The entities that events refer to, so that they can be loaded together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from liveportal.domain.events.envelope import Event, EventData
from liveportal.domain.events.fields import field_specs
from liveportal.domain.events.types import RequestAccepted, RequestOpened, SessionLogged


def referenced_ids(events: Iterable[Event]) -> dict[str, set[str]]:
    """Return the ids of the entities that the events refer to, by kind."""
    ids: dict[str, set[str]] = defaultdict(set)
    for event in events:
        data = event.data
        for kind in _referenced_kinds(type(data)):
            if entity_id := getattr(data, kind):
                ids[kind].add(entity_id)
        if isinstance(data, RequestAccepted):
            ids["session"].add(data.session or data.request)
        elif isinstance(data, _WITH_CUSTOMER_INFO):
            ids["customer"].add(data.customer.id)
    return ids


def _referenced_kinds(kind: type[EventData]) -> tuple[str, ...]:
    """Return the kinds of entities that an event type refers to, each in the field of that name."""
    if kind not in _REFERENCED_KINDS:
        names = (name for name, *_ in field_specs(kind))
        _REFERENCED_KINDS[kind] = tuple(name for name in names if name in _REFERENCE_FIELDS)
    return _REFERENCED_KINDS[kind]


_REFERENCE_FIELDS = ("request", "session", "claim", "adjustment")
_REFERENCED_KINDS: dict[type, tuple[str, ...]] = {}

# The event types that carry a `CustomerInfo`.
_WITH_CUSTOMER_INFO = (RequestOpened, SessionLogged)
