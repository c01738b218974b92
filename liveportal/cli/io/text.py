"""Text for a terminal: control characters removed, and whether colour is wanted."""

from __future__ import annotations

import os

from liveportal.domain.text import clean, csv_safe

__all__ = ["clean", "csv_safe", "no_colour"]


def no_colour() -> bool:
    """Return True if the user turned colour off (NO_COLOR or TERM=dumb)."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
