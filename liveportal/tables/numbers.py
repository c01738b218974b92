"""Amounts as exports write them: which decimal mark a whole file uses, and minor units from it."""

from __future__ import annotations

from functools import lru_cache

from liveportal.domain.patterns import pattern

MARKS = ".,"
"""The possible decimal marks."""

_SIGNS = str.maketrans({"\u2212": "-", "\u2010": "-", "\u2011": "-", "\ufe63": "-", "\uff0d": "-"})
_SHAPE = str.maketrans("123456789", "9" * 9)
_SPACES = "'\u2019 \u00a0\u202f\u2009"
_NUMBER = (
    "([-+]?)(?:([1-9][0-9]{{0,2}})([{other}{spaces}])([0-9]{{3}}(?:\\3[0-9]{{3}}){{0,3}})|([0-9]{{1,15}}))"
    "(?:[{mark}]([0-9]{{1,20}}))?(-?)"
)
_NUMBERS = {
    mark: pattern(_NUMBER.format(mark=mark, other=other, spaces=_SPACES))
    for mark, other in (".,", ",.")
}
_GROUPED = pattern(r"[-+]?[1-9][0-9]{0,2}[.,][0-9]{3}-?")
_GROUP_SIZE = 3
_LONGEST = 60


def possible_marks(text: str, digits: int | None) -> str:
    """Return the decimal marks under which a text is an amount: "", ".", "," or both.

    `digits` are the currency's, None for an unknown currency. `1,234` is 1234 for every currency
    but those with three digits, for which both readings are possible.
    """
    if len(text) > _LONGEST:
        return ""
    return _marks(text.translate(_SIGNS).translate(_SHAPE), digits)


@lru_cache(maxsize=4096)
def _marks(shape: str, digits: int | None) -> str:
    is_grouped = digits not in (None, _GROUP_SIZE) and _GROUPED.fullmatch(shape)
    return "".join(
        mark
        for mark in MARKS
        if not (is_grouped and mark in shape) and _parts(shape, mark, digits) is not None
    )


def fraction_digits(text: str, mark: str) -> int:
    """Return how many digits a text has after the decimal mark, without zeros at the end."""
    match = _NUMBERS[mark].fullmatch(text.translate(_SIGNS))
    return len((match[6] or "").rstrip("0")) if match else 0


def minor_units(text: str, mark: str, digits: int) -> int:
    """Return an amount in minor units; raises `ValueError` for any other text."""
    parts = _parts(text.translate(_SIGNS), mark, digits)
    if parts is None:
        raise ValueError(text)
    whole, fraction, is_negative = parts
    minor = int(whole + fraction.ljust(digits, "0")[:digits])
    return -minor if is_negative else minor


def _parts(text: str, mark: str, digits: int | None) -> tuple[str, str, bool] | None:
    match = _NUMBERS[mark].fullmatch(text)
    if not match:
        return None
    sign, first, group, rest, plain, fraction, trailing = match.groups()
    if sign and trailing:
        return None
    fraction = fraction or ""
    if digits is not None and fraction[digits:].strip("0"):
        return None  # More digits than the currency has.
    whole = plain or first + rest.replace(group, "")
    return whole, fraction, "-" in (sign, trailing)
