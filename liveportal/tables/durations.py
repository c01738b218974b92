"""Lengths of time as exports write them."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

from liveportal.domain.patterns import pattern

_CLOCK = pattern(r"([0-9]{1,3}):([0-5][0-9])(?::([0-5][0-9])(?:[.,][0-9]{1,9})?)?")
_ISO = pattern(r"pt(?:([0-9]{1,3})h)?(?:([0-9]{1,4})m)?(?:([0-9]{1,6})s)?")
_WORDS = pattern(
    r"(?:([0-9]{1,3}) ?h(?:(?:ou)?rs?)?)? ?(?:([0-9]{1,4}) ?m(?:in(?:ute)?s?)?)?"
    r" ?(?:([0-9]{1,6}) ?s(?:ec(?:ond)?s?)?)?"
)
_HOURS = pattern(r"([0-9]{1,3})(?:[.,]([0-9]{1,9}))?")
_HOUR_SECONDS = 3600
_LONGEST_WHOLE = 24
"""A larger whole number is more likely one of minutes."""


def read_duration(text: str) -> timedelta | None:
    """Return the length of a text such as 1:30, 01:30:00, 1.5, PT1H30M or 1h 30m, or None.

    A number without a unit is one of hours, with either decimal mark. Parts of a second are left
    out of 01:30:00.25; decimal hours are rounded to the second.
    """
    folded = text.casefold()
    if match := _HOURS.fullmatch(folded):
        whole, decimals = match.groups()
        if not decimals and int(whole) > _LONGEST_WHOLE:
            return None
        length = Fraction(f"{whole}.{decimals or 0}") * _HOUR_SECONDS
        return timedelta(seconds=int(length + Fraction(1, 2)))
    for shape in (_CLOCK, _ISO, _WORDS):
        if (match := shape.fullmatch(folded)) and any(match.groups()):
            hours, minutes, seconds = (int(part or 0) for part in match.groups())
            return timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return None
