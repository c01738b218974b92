"""Text for a terminal: control characters removed, widths in columns, times of day, colour."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from liveportal.domain.text import clean, csv_safe

__all__ = [
    "clean",
    "clock_time",
    "csv_safe",
    "cut",
    "display_width",
    "format_length",
    "no_colour",
]

MINUTE, HOUR, DAY = 60, 3600, 86_400
_WIDE = ("W", "F")
_NO_WIDTH = ("Mn", "Me", "Cf")
_EMOJI_STYLE = "\ufe0f"
"""It makes the character before it an emoji, which is two columns wide."""


def no_colour() -> bool:
    """Return True if the user turned colour off (NO_COLOR or TERM=dumb)."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def display_width(text: str) -> int:
    """Return how many columns of a terminal a text takes, or a little more than that."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def cut(text: str, width: int) -> str:
    """Return a text that fits into so many columns, with … where it was cut."""
    if display_width(text) <= width:
        return text
    taken, left = [], width - 1
    for character in text[: 2 * max(width, 0)]:
        left -= _columns_of(character)
        if left < 0:
            break
        taken.append(character)
    return f"{''.join(taken).rstrip()}…" if width > 0 else ""


def _columns_of(character: str) -> int:
    if character.isascii():
        return 1
    from unicodedata import category, east_asian_width  # Most texts are ASCII.

    if character == _EMOJI_STYLE:
        return 1
    if category(character) in _NO_WIDTH:
        return 0
    return 2 if east_asian_width(character) in _WIDE else 1


def clock_time(local: datetime) -> str:
    """Return a local time to the minute; in an hour that the day has twice, with its offset.

    Such as `14:00`, and `02:30+01:00`.
    """
    comes_twice = local.replace(fold=1 - local.fold).utcoffset() != local.utcoffset()
    text = local.isoformat(timespec="minutes")[11:]
    return text if comes_twice else text[:5]


def format_length(span: timedelta) -> str:
    """Return a length of time in its two largest units, with its sign."""
    seconds = abs(span) // timedelta(seconds=1)
    sign = "-" if span < timedelta() else ""
    if seconds < MINUTE:
        return f"{sign}{seconds} s"
    if seconds < HOUR:
        return f"{sign}{seconds // MINUTE} min"
    if seconds < DAY:
        large, small = f"{seconds // HOUR} h", f"{seconds % HOUR // MINUTE} min"
    else:
        large, small = f"{seconds // DAY} d", f"{seconds % DAY // HOUR} h"
    return sign + (large if small.startswith("0 ") else f"{large} {small}")
