"""Which source may record what: feeds report, only the expert decides.

A feed is the platform's account, and the platform is the other party in every dispute. It can
report untruths, but nothing more. Each event type declares what a feed may report (`FEED_FIELDS`,
next to its fields); this module enforces it. An event is the expert's if its source is
(`is_experts`).
"""

from __future__ import annotations

from enum import StrEnum

from liveportal.domain.errors import NotForFeeds
from liveportal.domain.events.envelope import Event, EventData, is_experts
from liveportal.domain.events.fields import field_specs
from liveportal.domain.events.types import CustomerForgotten
from liveportal.domain.hint import Hint

_HINT = "Remove the line. {A_sync_with_a_file_for_it} records the other lines without it."


class Origin(StrEnum):
    """How an event enters the ledger."""

    FEED = "feed"
    """`sync`, `requests watch`, adapters: the source must not be the expert's."""
    EXPERT = "expert"
    """Commands and the Python API: the source decides which fields the event may set."""
    JOURNAL = "journal"
    """A replayed journal, or the expert's own export: all its events were recorded before."""


def check_source(event: Event, origin: Origin) -> None:
    """Raise `NotForFeeds` if a feed's event uses a source of the expert."""
    if origin is Origin.FEED and is_experts(event.source):
        raise NotForFeeds(
            "source",
            f"A feed must not report events from {event.source}, because that is your own source.",
            hint=Hint(f"{_HINT} To read your own export, use {{an_import}}."),
        )


def check_content(event: Event, origin: Origin) -> None:
    """Raise `NotForFeeds` if an event has a type or field that its source must not report."""
    if origin is Origin.JOURNAL:
        return
    data = event.data
    if data.FEED_FIELDS is None and data.OWN_SOURCE_FIELD is None:
        return
    if not is_experts(event.source) and (violation := beyond_feeds(event.source, data)):
        field, reason = violation
        hint = _HINT
        if isinstance(data, CustomerForgotten):
            hint += " The platform can report liveportal.customer.erasure_requested instead."
        raise NotForFeeds(field, reason, hint=Hint(hint))


def beyond_feeds(source: str, data: EventData) -> tuple[str, str] | None:
    """Return the first field that this feed must not set, with the reason, or None."""
    allowed = data.FEED_FIELDS
    if allowed is not None:
        if not allowed:
            return "type", f"A feed must not report {data.TYPE}. Only you can record it."
        for name, *_ in field_specs(type(data)):
            if name not in allowed and getattr(data, name) is not None:
                fields = " and ".join(sorted(allowed))
                return name, (
                    f"A feed must not set the field {name} in {data.TYPE}: it may report {fields}"
                    " only."
                )
    if data.OWN_SOURCE_FIELD is not None:
        other_source = getattr(data, data.OWN_SOURCE_FIELD).source
        if other_source != source:
            reason = f"A feed may reverse only events from its own source, not from {other_source}."
            return f"{data.OWN_SOURCE_FIELD}.source", reason
    return None
