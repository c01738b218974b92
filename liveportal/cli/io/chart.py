"""A bar chart of the last months for a terminal: readable without colour, in 80 columns.

A bar divides the gross into net, refunds and fee, in this order. A month whose net is negative
has its deficit to the left of the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, TextIO

from liveportal.cli.io.rich_output import console
from liveportal.domain.calculations.months import Month
from liveportal.domain.money import Money

NARROWEST = 8
"""The narrowest useful bar, in columns; with less room only the figures are shown."""

_HEADINGS = ("month", "gross", "fee", "refunds", "net")
_LESS_IMPORTANT = (3, 2, 1)
"""The columns that are left out if the terminal is too narrow; the first goes first."""


class Marks(NamedTuple):
    """The characters that bars are drawn with."""

    net: str
    refunds: str
    fee: str
    line: str


BLOCKS = Marks("\u2588", "\u2591", "\u2592", "\u2502")
LETTERS = Marks("#", "-", "+", "|")
"""For a terminal that shows only ASCII."""


class Bar(NamedTuple):
    """The parts of a month's bar in minor units, none negative."""

    deficit: int
    net: int
    refunds: int
    fee: int

    @classmethod
    def of(cls, month: Month) -> Bar:
        """Divide a month. Only the bar cuts parts off at zero; the figures keep their sign."""
        net = month.net_minor
        return cls(
            deficit=max(-net, 0),
            net=max(net, 0),
            refunds=max(month.deducted_minor + min(net, 0), 0),
            fee=max(month.fee_minor, 0),
        )


def draw(months: Sequence[Month], currency: str, stream: TextIO) -> None:
    """Draw the months, the oldest first."""
    if not months:
        return
    terminal = console(stream)
    marks = LETTERS if terminal.options.ascii_only else BLOCKS
    for line in chart_lines(months, currency, terminal.width, marks):
        terminal.out(line)


def chart_lines(months: Sequence[Month], currency: str, width: int, marks: Marks) -> Iterator[str]:
    """Yield the lines of the chart: a heading, one line per month, a legend."""
    rows = [_HEADINGS, *(_format_figures(month, currency) for month in months)]
    for number in _LESS_IMPORTANT:
        if _width(rows) + len(currency) > width:
            rows = [(*row[:number], *row[number + 1 :]) for row in rows]
    headings, *rows = rows
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    bars = [Bar.of(month) for month in months]
    bar_width = width - sum(widths) - 2 * len(widths) - len(marks.line)
    yield ""
    yield _format_line(headings, widths) + f"  {currency}"
    for row, bar in zip(rows, _draw_bars(bars, bar_width, marks), strict=True):
        yield f"{_format_line(row, widths)}  {bar}".rstrip()
    if bar_width >= NARROWEST:
        yield f"{marks.net} net  {marks.refunds} refunds  {marks.fee} fee" + (
            f"  (left of {marks.line}: negative)" if any(bar.deficit for bar in bars) else ""
        )


def _format_figures(month: Month, currency: str) -> tuple[str, ...]:
    amounts = (month.gross_minor, month.fee_minor, month.deducted_minor, month.net_minor)
    return (month.month, *(str(Money(minor, currency)) for minor in amounts))


def _width(rows: Sequence[Sequence[str]]) -> int:
    return sum(2 + max(map(len, column)) for column in zip(*rows, strict=True))


def _format_line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *others = (cell.rjust(size) for cell, size in zip(cells, widths, strict=True))
    return "  ".join((name, *others))


def _draw_bars(bars: Sequence[Bar], bar_width: int, marks: Marks) -> Iterator[str]:
    """Yield each bar; all have the same scale, and the line is always in the same column."""
    left = max(bar.deficit for bar in bars)
    right = max(bar.net + bar.refunds + bar.fee for bar in bars)
    for bar in bars:
        if bar_width < NARROWEST or not left + right:
            yield ""
            continue
        line_column = -(-left * bar_width // (left + right))
        ends = [0, bar.net, bar.net + bar.refunds, bar.net + bar.refunds + bar.fee]
        cells = [end * (bar_width - line_column) // max(right, 1) for end in ends]
        deficit = -(-bar.deficit * line_column // max(left, 1))
        spans = zip((marks.net, marks.refunds, marks.fee), pairwise(cells), strict=True)
        income = "".join(mark * (end - start) for mark, (start, end) in spans)
        yield f"{(marks.net * deficit).rjust(line_column)}{marks.line}{income}"
