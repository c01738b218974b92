"""Times and spans as documents show them: to the second, in the platform's time zone."""

from __future__ import annotations

from datetime import datetime

from liveportal.domain.clock import zone

SECOND_US = 1_000_000


def local_text(instant: datetime, zone_name: str) -> str:
    """Return an instant as `2026-10-05 16:00:00` in a zone, without fractions of a second.

    In an hour that comes twice, the offset is added: `2026-10-25 02:30:00+01:00`.
    """
    try:
        local = instant.astimezone(zone(zone_name))
    except OverflowError:  # Near the first or last year of the calendar.
        return f"{instant.replace(tzinfo=None, microsecond=0)}"
    text = f"{local.replace(tzinfo=None, microsecond=0)}"
    if local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset():
        return text
    return text + local.isoformat()[-6:]


def span_text(length_us: int) -> str:
    """Return a span of microseconds as `21 min 0 s`, with a fraction of a second if it has one."""
    minutes, rest_us = divmod(length_us, 60 * SECOND_US)
    return f"{minutes} min {seconds_text(rest_us)} s"


def seconds_text(length_us: int) -> str:
    """Return a span of microseconds as a number of seconds: `75`, `0.25`."""
    seconds, rest_us = divmod(length_us, SECOND_US)
    return f"{seconds}.{rest_us:06d}".rstrip("0") if rest_us else str(seconds)
