"""JSON Schema (draft 2020-12) of events, made from their declarations.

A schema describes one line. What it cannot express, such as the order of two times, is checked when
the line is read.
"""

from __future__ import annotations

from typing import Any

from liveportal.domain.events.envelope import EXPERT_PREFIX, NAME, PREFIX, EventData
from liveportal.domain.events.field_types import INSTANT, object_schema
from liveportal.domain.events.fields import record_schema
from liveportal.domain.events.types import TYPES

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def event_schema(kind: type[EventData]) -> dict[str, Any]:
    """Return the schema of an event of a type, with all that the expert may say, too."""
    line = _line(kind, record_schema(kind), NAME.schema())
    return {"$schema": DRAFT, "title": PREFIX + kind.TYPE, **line}


def meaning_of(kind: type[EventData]) -> str:
    """Return what an event of a type means, in one paragraph."""
    return " ".join((kind.__doc__ or "").split())


def feed_schema() -> dict[str, Any]:
    """Return the schema of a line of a feed: the types and fields that a feed may report."""
    source = NAME.schema() | {"not": {"pattern": f"^{EXPERT_PREFIX}"}}
    reported = {
        name: _line(kind, record_schema(kind, kind.FEED_FIELDS), source)
        for name, kind in TYPES.items()
        if kind.FEED_FIELDS is None or kind.FEED_FIELDS
    }
    return {
        "$schema": DRAFT,
        "title": "A line of a feed",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in reported],
        "$defs": reported,
    }


def _line(kind: type[EventData], data: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a CloudEvent whose data is of this type."""
    properties = {
        "specversion": {"const": "1.0"},
        "id": NAME.schema(),
        "source": source,
        "type": {"const": PREFIX + kind.TYPE},
        "time": INSTANT.schema(),
        "data": data,
    }
    return {
        "description": meaning_of(kind),
        **object_schema(properties),
        "propertyNames": {"pattern": "^[a-z0-9]{1,64}$"},
        "additionalProperties": {"type": ["string", "integer", "boolean", "null"]},
    }
