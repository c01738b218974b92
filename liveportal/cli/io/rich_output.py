"""What a terminal shows values as: a rich console, and times and lengths in words."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TextIO

from rich.console import Console

from liveportal.cli.io.columns import heading_of
from liveportal.cli.io.text import DAY, HOUR, MINUTE, clean, clock_time, format_length, no_colour
from liveportal.cli.io.view_model import HumanValue, format_cell

if TYPE_CHECKING:
    from datetime import tzinfo


def console(stream: TextIO, width: int | None = None) -> Console:
    """Return a rich console that prints text as it is, without markup or emoji codes."""
    columns = os.environ.get("COLUMNS", "")  # Rich heeds it, but for a dumb terminal.
    return Console(
        file=stream,
        width=width or (int(columns) if columns.isdecimal() else 0) or None,
        color_system=None if no_colour() else "auto",
        markup=False,
        emoji=False,
        highlight=False,
    )


def format_value(  # noqa: PLR0911 -- A table: one line per type.
    value: object, now: datetime, local: tzinfo | None
) -> str:
    """Return a value as a terminal shows it, in one line."""
    match value:
        case HumanValue():
            return ", ".join(clean(line) for line in value.lines(now, local))
        case bool():
            return "yes" if value else "no"
        case datetime():
            return format_short_time(value, now, local)
        case timedelta():
            return format_length(value)
        case Mapping():
            return ", ".join(
                f"{clean(heading_of(str(name)))} {format_value(item, now, local)}"
                for name, item in value.items()
            )
        case list() | tuple():
            return ", ".join(format_value(item, now, local) for item in value)
    return format_cell(value)


def format_short_time(instant: datetime, now: datetime, local: tzinfo | None) -> str:
    """Return a local time to the minute, and its distance from now if less than a day."""
    text = format_local_time(instant, local)
    seconds = round((instant - now).total_seconds())
    if abs(seconds) >= DAY:
        return text
    if abs(seconds) < MINUTE:
        return f"{text} (now)"
    distance = abs(seconds)
    distance_text = f"{distance // MINUTE} min" if distance < HOUR else f"{distance // HOUR} h"
    return f"{text} (in {distance_text})" if seconds > 0 else f"{text} ({distance_text} ago)"


def format_local_time(instant: datetime, local: tzinfo | None) -> str:
    """Return a local time to the minute, such as `2026-10-05 14:00`.

    In an hour that comes twice that day it has its offset: `2026-10-25 02:30+01:00`.
    """
    try:
        time = instant.astimezone(local)
        return f"{time:%Y-%m-%d} {clock_time(time)}"
    except OverflowError:  # The first or last hours of the calendar, outside it in that zone.
        return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
