"""Events as JSON lines, which `ledger import` can record again (`domain.events.exported`).

Lines are ASCII: control characters are escaped, and so are lone surrogates, which UTF-8 cannot
encode. The same event always gives the same bytes.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from liveportal.domain.events.envelope import Event
from liveportal.domain.events.exported import ERASED, IDENTITY, RECORDED_AT, RESERVED
from liveportal.domain.events.field_types import INSTANT
from liveportal.domain.events.fields import joined, split

_encode = json.JSONEncoder(separators=(",", ":")).encode


def line(
    event: Event,
    recorded_at: str | None = None,
    *,
    erased: bool = False,
    without_personal: bool = False,
    identity: bytes | None = None,
) -> str:
    """Return an event as one JSON line, without a line ending.

    `recorded_at` is the stored text; None of an event that is not recorded. Personal data is left
    out of an `erased` event, and of every event with `without_personal`; CloudEvents attributes
    count as personal data. `identity` is the book's identity key, for the first line.
    """
    facts, personal = split(event.data)
    attributes = {name: value for name, value in event.attributes.items() if name not in RESERVED}
    omits_personal = erased or (without_personal and bool(personal or attributes))
    document: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": INSTANT.write(event.time),
    }
    if recorded_at is not None:
        document[RECORDED_AT] = recorded_at
    if identity is not None:
        document[IDENTITY] = b64encode(identity).decode("ascii")
    if omits_personal:
        document |= {ERASED: True, "data": facts}
    else:
        document |= {**attributes, "data": joined(facts, personal)}
    return _encode(document)
