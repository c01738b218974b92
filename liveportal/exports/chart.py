"""A bar chart as inline SVG; its numbers are in its description, for those who do not see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

WIDTH, HEIGHT, WIDEST = 720, 240, 40
_LEFT, _BOTTOM, _TOP = 10, 40, 10


@dataclass(frozen=True, slots=True)
class Series:
    """What is drawn of each month: a name, the values as decimal texts, and a CSS class."""

    name: str
    values: Sequence[str]
    style: str


def bars(title: str, labels: Sequence[str], series: Sequence[Series]) -> str:
    """Return the chart; its numbers are in its description, and in the table that it stands by."""
    amounts = [[Decimal(value) for value in each.values] for each in series]
    every = [Decimal(0), *(value for row in amounts for value in row)]
    highest, lowest = max(every), min(every)
    scale = Decimal(HEIGHT - _BOTTOM - _TOP) / ((highest - lowest) or 1)
    zero = _TOP + highest * scale
    step = Decimal(WIDTH - 2 * _LEFT) / (len(labels) or 1)
    wide = min(step * Decimal("0.8") / (len(series) or 1), Decimal(WIDEST))
    drawn = []
    for n, label in enumerate(labels):
        left = _LEFT + step * n
        for k, (each, row) in enumerate(zip(series, amounts, strict=True)):
            high = abs(row[n]) * scale
            top = zero - high if row[n] > 0 else zero
            name = escape(f"{label}: {each.name} {each.values[n]}")
            drawn.append(
                f'<rect class="{each.style}" x="{left + wide * k:.1f}" y="{top:.1f}"'
                f' width="{wide:.1f}" height="{high:.1f}"><title>{name}</title></rect>'
            )
        middle = left + wide * len(series) / 2
        drawn.append(f'<text x="{middle:.1f}" y="{HEIGHT - 22}">{escape(label)}</text>')
    keys = "".join(
        f'<rect class="{each.style}" x="{_LEFT + 120 * k}" y="{HEIGHT - 12}" width="10"'
        f' height="10"/><text class="key" x="{_LEFT + 16 + 120 * k}" y="{HEIGHT - 3}">'
        f"{escape(each.name)}</text>"
        for k, each in enumerate(series)
    )
    told = "; ".join(
        f"{label}: {', '.join(f'{each.name} {each.values[n]}' for each in series)}"
        for n, label in enumerate(labels)
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="chart-title chart-text">'
        f'<title id="chart-title">{escape(title)}</title>'
        f'<desc id="chart-text">{escape(told)}</desc>'
        f'<line class="axis" x1="{_LEFT}" x2="{WIDTH - _LEFT}" y1="{zero:.1f}" y2="{zero:.1f}"/>'
        f"{''.join(drawn)}{keys}</svg>"
    )
