"""Values and events in short: `at("10-05 09:30")`, `usd("5.00")`, `event("session.ended", ...)`.

A test uses the format of a feed: an event is decoded as a line of a feed is. Events that a feed may
not report come from the expert's own source.
"""

from __future__ import annotations

import json
from datetime import datetime
from itertools import count
from typing import Any

from liveportal.domain.clock import parse_instant
from liveportal.domain.events.envelope import CLI_SOURCE, PREFIX, Event
from liveportal.domain.events.fields import decode
from liveportal.domain.events.sources import beyond_feeds
from liveportal.domain.events.types import TYPES
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy

FEED = "https://help.example/experts/7"
OTHER = "https://other.example/mirror"

_ids = count(1)


def at(text: str) -> datetime:
    """Parse `10-05 09:00`, `10-05 09:00:30.5` (of 2026, UTC) or a full time with an offset."""
    if "T" in text:
        return parse_instant(text)
    day, clock = text.split(" ")
    return datetime.fromisoformat(f"2026-{day}T{clock}+00:00")


def amount(text: str, currency: str = "USD") -> dict[str, str]:
    """Return an amount as a feed writes it."""
    return {"amount": text, "currency": currency}


def short(value: object) -> str:
    """Return a test's id for a parameter that may be of any length or alphabet."""
    return ascii(value)[:24]


def usd(text: str) -> Money:
    """Return dollars."""
    return Money.parse(text, "USD")


def policy(**tables: object) -> Policy:
    """Return the default policy but for these switches: `policy(trial={"minutes": 0})`."""
    return Policy.from_document({"name": "test", **tables})


# Required fields that few tests need to set.
_GIVEN: dict[str, dict[str, Any]] = {"refund.claimed": {"reason": "not solved"}}


def event(
    kind: str,
    when: str,
    /,
    *,
    source: str | None = None,
    id: str | None = None,  # noqa: A002 (the attribute's own name)
    assumed: frozenset[str] = frozenset(),
    **data: Any,  # noqa: ANN401 (JSON)
) -> Event:
    """Make an event from feed data; `id` is generated unless given.

    Events that a feed may not report come from the expert, unless a `source` is given.
    """
    name = id or f"e-{next(_ids)}"
    said = decode(TYPES[kind], _GIVEN.get(kind, {}) | data)
    speaker = source or (CLI_SOURCE if beyond_feeds(FEED, said) else FEED)
    return Event(speaker, name, at(when), said, assumed=assumed)


def line(
    kind: str,
    when: str,
    /,
    *,
    id: str,  # noqa: A002 (the attribute's own name)
    source: str = FEED,
    **data: Any,  # noqa: ANN401 (JSON)
) -> bytes:
    """Write an event as a line of a feed."""
    time = at(when).isoformat().replace("+00:00", "Z")
    document = {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": PREFIX + kind,
        "time": time,
        "data": _GIVEN.get(kind, {}) | data,
    }
    return json.dumps(document).encode() + b"\n"
