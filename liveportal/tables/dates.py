"""Dates as exports write them: the order of day and month is decided by the whole file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import pairwise

from liveportal.domain.patterns import pattern

ORDERS = {"dmy": (2, 1, 0), "mdy": (2, 0, 1), "ymd": (0, 1, 2)}
"""Where year, month and day are in a date, by the name of the order."""
IN_WORDS = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}

_DATE = pattern(r"([0-9]{1,4})([./-])([0-9]{1,2})\2([0-9]{1,4})")
_TIME = pattern(
    r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:\.[0-9]{1,9})?)?(?: ?([AaPp][Mm]))?"
)
_HALF_A_DAY = 12
_YEAR_DIGITS, _DAY_DIGITS = 4, 2
_YEARS = range(1990, 2200)  # Any other is a mistake, and overflows in some zone.
_OTHER_ZONE = timedelta(days=1)


def read_date(text: str, order: str) -> date | None:
    """Return the date that a text is in an order, or None if it is not one.

    The year has four digits; zeros in front of day and month may be missing.
    """
    match = _DATE.fullmatch(text)
    if not match:
        return None
    parts = (match[1], match[3], match[4])
    year, month, day = (parts[at] for at in ORDERS[order])
    if len(year) != _YEAR_DIGITS or max(len(month), len(day)) > _DAY_DIGITS:
        return None
    if int(year) not in _YEARS:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def read_time(text: str) -> tuple[int, int, int] | None:
    """Return the hour, minute and second of a text such as 14:00:47.833 or 2:00 PM, or None."""
    match = _TIME.fullmatch(text)
    if not match:
        return None
    hour, minute, second = (int(part or 0) for part in match.groups()[:3])
    if half := match[4]:
        if not 1 <= hour <= _HALF_A_DAY:
            return None
        hour = hour % _HALF_A_DAY + (_HALF_A_DAY if half.casefold() == "pm" else 0)
    return hour, minute, second


def possible_orders(text: str) -> list[str]:
    """Return the names of the orders in which a text is a date."""
    return [order for order in ORDERS if read_date(text, order)]


def is_monotonic(sequences: Iterable[Sequence[str]], order: str) -> bool:
    """Return whether the dates of each sequence (a currency's rows) all go one way.

    Rows next to each other may be in different time zones, so a day against the direction counts
    as the same day.
    """
    return all(
        _goes_one_way([day for text in texts if (day := read_date(text, order))])
        for texts in sequences
    )


def _goes_one_way(days: Sequence[date]) -> bool:
    steps = [later - earlier for earlier, later in pairwise(days)]
    return all(step >= -_OTHER_ZONE for step in steps) or all(step <= _OTHER_ZONE for step in steps)


def in_words(day: date) -> str:
    """Return a date that cannot be misread, such as 3 April 2026."""
    months = "January February March April May June July August September October November December"
    return f"{day.day} {months.split()[day.month - 1]} {day.year}"
