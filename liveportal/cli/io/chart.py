"""What the last months came to, as bars on a terminal: readable without colour, in 80 columns.

Of what came in, a bar shows what was kept, what was given back and what the platform took, one
after the other; a month that cost more than it brought has what it lacked left of the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, TextIO

from liveportal.cli.io.rich_output import console
from liveportal.domain.calculations.months import Month
from liveportal.domain.money import Money

NARROWEST = 8
"""A bar in less room than that says nothing; the figures stand alone then."""

_HEADINGS = ("month", "gross", "fee", "refunds", "net")


class Marks(NamedTuple):
    """What bars are drawn with."""

    net: str
    refunds: str
    fee: str
    line: str


BLOCKS = Marks("\u2588", "\u2591", "\u2592", "\u2502")
LETTERS = Marks("#", "-", "+", "|")
"""For a terminal that knows nothing but ASCII."""


class Bar(NamedTuple):
    """A month's parts in minor units, none below zero: what lacks, and what came in."""

    lacks: int
    net: int
    refunds: int
    fee: int

    @classmethod
    def of(cls, month: Month) -> Bar:
        """Divide a month. The picture alone leaves out what is below zero; the figures do not."""
        net = month.net_minor
        return cls(
            lacks=max(-net, 0),
            net=max(net, 0),
            refunds=max(month.deducted_minor + min(net, 0), 0),
            fee=max(month.fee_minor, 0),
        )


def draw(months: Sequence[Month], currency: str, stream: TextIO) -> None:
    """Draw the months, oldest first."""
    if not months:
        return
    paper = console(stream)
    marks = LETTERS if paper.options.ascii_only else BLOCKS
    for line in drawn(months, currency, paper.width, marks):
        paper.out(line)


def drawn(months: Sequence[Month], currency: str, width: int, marks: Marks) -> Iterator[str]:
    """Yield the lines of the chart: a heading, a line a month, a legend."""
    rows = [_figures(month, currency) for month in months]
    wide = [max(len(row[n]) for row in (_HEADINGS, *rows)) for n in range(len(_HEADINGS))]
    bars = [Bar.of(month) for month in months]
    room = width - sum(wide) - 2 * len(wide) - len(marks.line)
    yield ""
    yield _line(_HEADINGS, wide) + f"  {currency}"
    for row, bar in zip(rows, _bars(bars, room, marks), strict=True):
        yield f"{_line(row, wide)}  {bar}".rstrip()
    if room >= NARROWEST:
        yield f"{marks.net} net  {marks.refunds} refunds  {marks.fee} fee" + (
            f"  (left of {marks.line}: below zero)" if any(bar.lacks for bar in bars) else ""
        )


def _figures(month: Month, currency: str) -> tuple[str, ...]:
    amounts = (month.gross_minor, month.fee_minor, month.deducted_minor, month.net_minor)
    return (month.month, *(str(Money(minor, currency)) for minor in amounts))


def _line(cells: Sequence[str], wide: Sequence[int]) -> str:
    name, *others = (cell.rjust(size) for cell, size in zip(cells, wide, strict=True))
    return "  ".join((name, *others))


def _bars(bars: Sequence[Bar], room: int, marks: Marks) -> Iterator[str]:
    """Yield each bar; all are drawn to one scale, and the line is in one column."""
    left = max(bar.lacks for bar in bars)
    right = max(bar.net + bar.refunds + bar.fee for bar in bars)
    for bar in bars:
        if room < NARROWEST or not left + right:
            yield ""
            continue
        before = -(-left * room // (left + right))
        ends = [0, bar.net, bar.net + bar.refunds, bar.net + bar.refunds + bar.fee]
        cells = [end * (room - before) // max(right, 1) for end in ends]
        lacks = -(-bar.lacks * before // max(left, 1))
        spans = zip((marks.net, marks.refunds, marks.fee), pairwise(cells), strict=True)
        came_in = "".join(mark * (end - start) for mark, (start, end) in spans)
        yield f"{(marks.net * lacks).rjust(before)}{marks.line}{came_in}"
