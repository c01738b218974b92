"""Time zones as exports write them, and the instants of local times in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

from liveportal.domain.clock import zone
from liveportal.domain.errors import InvalidValue
from liveportal.domain.patterns import pattern

_ABBREVIATIONS = {
    "UTC": 0,
    "GMT": 0,
    "WET": 0,
    "WEST": 60,
    "BST": 60,
    "CET": 60,
    "CEST": 120,
    "MEZ": 60,
    "MESZ": 120,
    "EET": 120,
    "EEST": 180,
    "MSK": 180,
    "AST": -240,
    "ADT": -180,
    "EST": -300,
    "EDT": -240,
    "CDT": -300,
    "MST": -420,
    "MDT": -360,
    "PST": -480,
    "PDT": -420,
    "AKST": -540,
    "AKDT": -480,
    "HST": -600,
    "JST": 540,
    "KST": 540,
    "HKT": 480,
    "SGT": 480,
    "AWST": 480,
    "ACST": 570,
    "ACDT": 630,
    "AEST": 600,
    "AEDT": 660,
    "NZST": 720,
    "NZDT": 780,
}
"""Minutes east of UTC. What means two zones (CST, IST) is left out and refused."""

_OFFSET = pattern(r"(?:GMT|UTC)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?")
_LARGEST_OFFSET = 14 * 60
_HOUR = 60


def read_zone(text: str) -> tzinfo | None:
    """Return the zone of an abbreviation, an offset such as GMT+02:00 or an IANA name, or None."""
    if text in _ABBREVIATIONS:
        return timezone(timedelta(minutes=_ABBREVIATIONS[text]))
    if match := _OFFSET.fullmatch(text):
        hours, minutes = int(match[2]), int(match[3] or 0)
        offset = hours * _HOUR + minutes
        if offset > _LARGEST_OFFSET or minutes >= _HOUR:
            return None
        return timezone(timedelta(minutes=-offset if match[1] == "-" else offset))
    if "/" not in text:  # Such as EST5EDT or Turkey.
        return None
    try:
        return zone(text)
    except InvalidValue:
        return None


def named_zone(text: str, local: datetime, zone_name: str) -> tzinfo | None:
    """Return what an abbreviation is at a local time in a zone; None if it is not used there."""
    tz = zone(zone_name)
    for fold in (0, 1):
        aware = local.replace(tzinfo=tz, fold=fold)
        offset = aware.utcoffset()
        if aware.tzname() == text and offset is not None:
            return timezone(offset)
    return None


def instants(local: datetime, tz: tzinfo) -> tuple[datetime, ...]:
    """Return the instants, in UTC, that a local time can be: none when it is skipped, or two."""
    first = local.replace(tzinfo=tz)
    if type(tz) is timezone:
        return (first.astimezone(UTC),)
    earlier = first.astimezone(UTC)
    later = first.replace(fold=1).astimezone(UTC)
    if earlier == later:
        return (earlier,)
    is_skipped = earlier.astimezone(tz).replace(tzinfo=None) != local
    return () if is_skipped else (earlier, later)
