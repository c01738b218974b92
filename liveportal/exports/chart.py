"""A bar chart as inline SVG; its description has the numbers, for screen readers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from html import escape

from liveportal.domain.frozen import frozen

WIDTH, HEIGHT, WIDEST = 720, 240, 40
_LEFT, _BOTTOM, _TOP = 10, 40, 10


@frozen
class Series:
    """A series of bars, one per label: a name, the values as decimal texts, and a CSS class."""

    name: str
    values: Sequence[str]
    style: str


def bars(title: str, labels: Sequence[str], series: Sequence[Series]) -> str:
    """Return the chart as SVG; the numbers are also in its description."""
    amounts = [[Decimal(value) for value in entry.values] for entry in series]
    values = [Decimal(0), *(value for row in amounts for value in row)]
    highest, lowest = max(values), min(values)
    scale = Decimal(HEIGHT - _BOTTOM - _TOP) / ((highest - lowest) or 1)
    zero = _TOP + highest * scale
    step = Decimal(WIDTH - 2 * _LEFT) / (len(labels) or 1)
    width = min(step * Decimal("0.8") / (len(series) or 1), Decimal(WIDEST))
    shapes = []
    for month, label in enumerate(labels):
        left = _LEFT + step * month
        for position, (entry, row) in enumerate(zip(series, amounts, strict=True)):
            height = abs(row[month]) * scale
            top = zero - height if row[month] > 0 else zero
            name = escape(f"{label}: {entry.name} {entry.values[month]}")
            shapes.append(
                f'<rect class="{entry.style}" x="{left + width * position:.1f}" y="{top:.1f}"'
                f' width="{width:.1f}" height="{height:.1f}"><title>{name}</title></rect>'
            )
        middle = left + width * len(series) / 2
        shapes.append(f'<text x="{middle:.1f}" y="{HEIGHT - 22}">{escape(label)}</text>')
    keys = "".join(
        f'<rect class="{entry.style}" x="{_LEFT + 120 * position}" y="{HEIGHT - 12}" width="10"'
        f' height="10"/><text class="key" x="{_LEFT + 16 + 120 * position}" y="{HEIGHT - 3}">'
        f"{escape(entry.name)}</text>"
        for position, entry in enumerate(series)
    )
    description = "; ".join(
        f"{label}: {', '.join(f'{entry.name} {entry.values[month]}' for entry in series)}"
        for month, label in enumerate(labels)
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="chart-title chart-text">'
        f'<title id="chart-title">{escape(title)}</title>'
        f'<desc id="chart-text">{escape(description)}</desc>'
        f'<line class="axis" x1="{_LEFT}" x2="{WIDTH - _LEFT}" y1="{zero:.1f}" y2="{zero:.1f}"/>'
        f"{''.join(shapes)}{keys}</svg>"
    )
