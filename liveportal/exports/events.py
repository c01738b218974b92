"""Events as lines of JSON, which `ledger import` can record again (`domain.events.exported`).

Lines are ASCII: whatever a terminal would obey is escaped, and so is half a surrogate pair, which
UTF-8 cannot hold. The same event gives the same bytes.
"""

from __future__ import annotations

import json
from typing import Any

from liveportal.domain.events.envelope import Event
from liveportal.domain.events.exported import ERASED, RECORDED_AT, RESERVED
from liveportal.domain.events.fields import INSTANT, joined, split

_encode = json.JSONEncoder(separators=(",", ":")).encode


def line(event: Event, recorded_at: str, *, erased: bool, without_personal: bool = False) -> str:
    """Write an event as one line of JSON, without the line's end.

    `recorded_at` is written as it is stored. Of an `erased` event nothing personal is written, and
    none of any with `without_personal`; CloudEvents attributes count as personal.
    """
    facts, personal = split(event.data)
    attributes = {name: each for name, each in event.attributes.items() if name not in RESERVED}
    left_out = erased or (without_personal and bool(personal or attributes))
    document: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": INSTANT.write(event.time),
        RECORDED_AT: recorded_at,
    }
    if left_out:
        document |= {ERASED: True, "data": facts}
    else:
        document |= {**attributes, "data": joined(facts, personal)}
    return _encode(document)
