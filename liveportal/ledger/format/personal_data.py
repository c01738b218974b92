"""The personal part of a stored event: its fields and its other CloudEvents attributes."""

from __future__ import annotations

import json
from typing import Any

_decode = json.JSONDecoder().raw_decode  # Stored bodies have no space around them.


def personal(body: str | None) -> dict[str, Any]:
    """Return the personal data of an event; empty without any, or if it was erased."""
    return _decode(body)[0].get("data", {}) if body else {}


def attributes(body: str | None) -> dict[str, Any]:
    """Return the other CloudEvents attributes of an event; empty if there are none."""
    return _decode(body)[0].get("attributes", {}) if body else {}
