"""Text for a terminal: cleaned by `liveportal.domain.text`, coloured if the user likes colour."""

from __future__ import annotations

import os

from liveportal.domain.text import clean, csv_safe

__all__ = ["clean", "csv_safe", "no_colour"]


def no_colour() -> bool:
    """Say whether the user wants no colour, whatever the terminal can do."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
