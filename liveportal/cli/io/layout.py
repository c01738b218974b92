"""Which columns of a table fit a terminal, and how wide each is: a pure calculation in cells.

Numbers, dates, ids and states are never broken: such a column is as wide as its widest cell. Texts
shrink first, the widest first; then the least important column is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from liveportal.domain.patterns import pattern

GAP = 2
"""The space between two columns."""

NARROWEST_TEXT, LONGEST_WORD, LONGEST_NUMBER = 12, 16, 24
"""A column of texts is at least as wide as the first of these. It is also as wide as its longest
word, up to the second or, if that has a digit (an id, a date, an amount), up to the third."""

NARROWEST_PROSE, PROSE = 24, 100
"""A column with a text longer than the second wants to be as wide as the first."""


class Column(NamedTuple):
    """A column to lay out: its least width, that of its cells unbroken, and that of its heading.

    The column with the highest `rank` is the least important. One of long texts wants to be
    `wanted` wide, so that less important columns go; itself it stays as long as `least` fits.
    """

    name: str
    rank: int
    least: int
    cells: int
    heading: int
    wanted: int = 0


def measure(
    name: str,
    heading: str,
    cells: Sequence[str],
    width_of: Callable[[str], int],
    *,
    rank: int,
    breaks: bool,
    is_folded: bool = True,
) -> Column:
    """Return a column of these cells. Headings break at spaces, and cells only if it `breaks`.

    If it `is_folded`, very long words are broken, too.
    """
    heading_words = max(map(width_of, heading.split()), default=0)
    most = max((width_of(cell) for cell in cells), default=0)
    least, wanted = most, 0
    if breaks:
        units = {unit for cell in cells for unit in _UNIT.findall(cell)}
        words = [_least(unit, width_of, is_folded=is_folded) for unit in units]
        least = min(most, max(NARROWEST_TEXT, *words, 0))
        wanted = NARROWEST_PROSE if most > PROSE else 0
    return Column(name, rank, max(least, heading_words), most, width_of(heading), wanted)


def _least(unit: str, width_of: Callable[[str], int], *, is_folded: bool) -> int:
    if not is_folded:
        return width_of(unit)
    has_digit = any(map(str.isdigit, unit))
    return min(width_of(unit), LONGEST_NUMBER if has_digit else LONGEST_WORD)


def lay_out(columns: Sequence[Column], width: int) -> dict[str, int]:
    """Return the width of each column that fits into `width` cells, in their order.

    The most important column stays even if it does not fit: it would be nothing to leave it out.
    """
    kept = list(columns)
    while len(kept) > 1 and _needed(kept) > width:
        # Of two that are as important, the one further to the right goes first.
        last = max(reversed(kept), key=lambda column: column.rank)
        if last.wanted > last.least:
            kept[kept.index(last)] = last._replace(wanted=0)
        else:
            kept.remove(last)
    room = width - GAP * (len(kept) - 1)
    limit = _limit(kept, room)
    widths = {column.name: _shrunk(column, limit) for column in kept}
    spare = room - sum(widths.values())
    for column in kept:  # A heading on one line is the last to get room.
        more = column.heading - widths[column.name]
        if 0 < more <= spare:
            widths[column.name] += more
            spare -= more
    return widths


def _shrunk(column: Column, limit: int) -> int:
    return max(column.least, column.wanted, min(column.cells, limit))


def _needed(columns: Sequence[Column]) -> int:
    return sum(max(column.least, column.wanted) for column in columns) + GAP * (len(columns) - 1)


def _limit(columns: Sequence[Column], room: int) -> int:
    """Return the greatest width to which wide columns shrink so that all fit into the room."""
    limit = max((column.cells for column in columns), default=0)
    lowest = 0
    while lowest < limit:
        middle = (lowest + limit + 1) // 2
        if sum(_shrunk(column, middle) for column in columns) <= room:
            lowest = middle
        else:
            limit = middle - 1
    return limit


# What stays on one line: a date with its time, an amount with its currency, a length of time.
_UNIT = pattern(r"\d{4}-\d\d-\d\d \d\d:\d\d\S*|\S*\d[.\d]*+ (?:[A-Z]{3}|min|[hds])(?![\w-])\S*|\S+")


def wrap(text: str, width: int, width_of: Callable[[str], int]) -> list[str]:
    """Return a text as lines of at most `width` cells, broken at spaces.

    A word is broken only if it is wider than a line.
    """
    lines = [""]
    for unit in _UNIT.findall(text):
        joined = f"{lines[-1]} {unit}" if lines[-1] else unit
        if width_of(joined) <= width:
            lines[-1] = joined
            continue
        pieces = _fold(unit, width, width_of)
        lines = [*lines, *pieces] if lines[-1] else pieces
    return lines


def _fold(word: str, width: int, width_of: Callable[[str], int]) -> list[str]:
    """Break a word into pieces of at most `width` cells, each of at least one character."""
    pieces = [""]
    for character in word:
        if pieces[-1] and width_of(pieces[-1] + character) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces
