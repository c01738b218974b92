"""Who may say what (2-events): what a feed may report, and what only the expert may record.

A feed is the platform's word, and the platform is the other side of every dispute. It can state
untruths; it can do nothing else. Each event type declares what a feed may report (`FEED_FIELDS`,
beside its fields); this module holds events to that. An event is the expert's if its source is
(`is_experts`).
"""

from __future__ import annotations

from enum import StrEnum

from liveportal.domain.errors import NotForFeeds
from liveportal.domain.events.envelope import Event, EventData, is_experts
from liveportal.domain.events.fields import plan
from liveportal.domain.events.types import CustomerForgotten

_HINT = "Remove the line, or go on past it with `sync --rejects FILE`."


class Origin(StrEnum):
    """Where an event comes in."""

    FEED = "feed"
    """`sync`, `requests watch`, adapters: the source is never the expert's."""
    EXPERT = "expert"
    """Commands and the package: the source decides what the event may say."""
    JOURNAL = "journal"
    """A journal that is replayed, or the expert's own export: what it holds was recorded before."""


def check_source(event: Event, origin: Origin) -> None:
    """Refuse an event of a feed in the expert's name; raises `NotForFeeds`."""
    if origin is Origin.FEED and is_experts(event.source):
        raise NotForFeeds(
            "source",
            f"a feed must not report events of {event.source}, which is the expert's own source",
            hint=f"{_HINT} `liveportal ledger import` reads the expert's own export.",
        )


def check_content(event: Event, origin: Origin) -> None:
    """Refuse what the source of an event may not say; raises `NotForFeeds`."""
    if origin is Origin.JOURNAL:
        return
    data = event.data
    if data.FEED_FIELDS is None and data.OWN_SOURCE_FIELD is None:
        return
    if not is_experts(event.source) and (found := beyond_feeds(event.source, data)):
        field, reason = found
        hint = _HINT
        if isinstance(data, CustomerForgotten):
            hint += " The platform can report liveportal.customer.erasure_requested instead."
        raise NotForFeeds(field, reason, hint=hint)


def beyond_feeds(source: str, data: EventData) -> tuple[str, str] | None:
    """Return the field that a feed of this source must not set, and why; None if it may say all."""
    allowed = data.FEED_FIELDS
    if allowed is not None:
        if not allowed:
            return "type", f"a feed must not report {data.TYPE}, which only the expert records"
        for name, *_ in plan(type(data)):
            if name not in allowed and getattr(data, name) is not None:
                fields = " and ".join(sorted(allowed))
                return name, f"a feed must not set it: of {data.TYPE} it may report {fields} only"
    if data.OWN_SOURCE_FIELD is not None:
        other = getattr(data, data.OWN_SOURCE_FIELD).source
        if other != source:
            reason = f"a feed may reverse events of its own source only, not of {other}"
            return f"{data.OWN_SOURCE_FIELD}.source", reason
    return None
