"""Tables of text for a terminal: headings, columns that fit (`layout`), short ids, colours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.text import Text

from liveportal.cli.io.columns import IDS, MINUTES, WHOLE, WORDED, heading_of, in_words, rank_of
from liveportal.cli.io.layout import GAP, lay_out, measure, wrap
from liveportal.cli.io.rich_output import format_local_time, format_value
from liveportal.cli.io.text import clean, no_colour
from liveportal.cli.io.view_model import Coloured, Highlighted, HumanValue, is_number, value_of
from liveportal.domain.hint import Hint

if TYPE_CHECKING:
    from datetime import tzinfo

EMPTY: tuple[object, ...] = (None, "", [], ())
"""Values that a terminal shows as nothing."""


class View(NamedTuple):
    """What values are shown by: the instant from which ages count, the zone of times, the width.

    `short_forms` returns the short forms of those of the given ids that have one.
    """

    now: datetime
    local: tzinfo | None
    width: int
    short_forms: Callable[[Iterable[str]], Mapping[str, str]] = lambda _ids: {}
    is_ascii: bool = False

    @property
    def zone(self) -> str:
        """The name of the zone."""
        return str(getattr(self.local, "key", None) or self.now.astimezone(self.local).tzname())


class DrawnTable(NamedTuple):
    """A table as lines: its heading, its rows, and the columns for which there was no room.

    `columns` are those that it has.
    """

    heading: list[Text]
    rows: list[list[Text]]
    columns: tuple[str, ...]
    left_out: tuple[str, ...]


def draw_table(
    fields: Sequence[str],
    rows: Sequence[Mapping[str, object]],
    view: View,
    *,
    keep_empty: bool = False,
) -> DrawnTable:
    """Draw rows as a table that fits into the width of the view."""
    values = {field: [_named(row, field) for row in rows] for field in fields}
    short = view.short_forms(
        name for field in values if field in IDS for value in values[field] for name in _ids(value)
    )
    cells = {
        name: [_cell(name, value, view, short) for value in column]
        for name, column in values.items()
    }
    if not keep_empty:
        filled = [name for name in fields if any(cell.plain for cell in cells[name])]
        values = {name: values[name] for name in filled or fields}
    columns = [
        measure(
            name,
            _heading(name, values[name], view),
            list(map(str, cells[name])),
            cell_len,
            rank=rank_of(name),
            breaks=_breaks(name, values[name]),
            is_folded=name not in IDS | WORDED,
        )
        for name in values
    ]
    widths = lay_out(columns, view.width)
    right = {name for name in widths if name in MINUTES or _are_numbers(values[name])}
    heading = _lines(
        [_wrapped(Text(_heading(name, values[name], view)), widths[name]) for name in widths],
        list(widths.values()),
        [name in right for name in widths],
        bottom=True,
        style="bold",
    )
    total = sum(widths.values()) + GAP * (len(widths) - 1)
    heading.append(Text(("-" if view.is_ascii else "\u2500") * total))
    drawn = [
        _lines(
            [_wrapped(cells[name][number], widths[name]) for name in widths],
            list(widths.values()),
            [name in right for name in widths],
        )
        for number in range(len(rows))
    ]
    left_out = tuple(name for name in values if name not in widths)
    return DrawnTable(heading, drawn, tuple(widths), left_out)


def _named(row: Mapping[str, object], field: str) -> object:
    """Return a value of a row; a customer without a name is shown by the id."""
    value = value_of(row, field)
    if field == "customer_name" and value is None:
        return row.get("customer_id") or row.get("customer")
    return value


def _heading(name: str, column: Iterable[object], view: View) -> str:
    """Return the heading of a column, with the zone if it has times."""
    zone = f" ({view.zone})" if any(map(has_times, column)) else ""
    return clean(f"{heading_of(name)}{zone}")


def has_times(value: object) -> bool:
    """Return True for a time, and for what has one in it."""
    match value:
        case HumanValue():
            return has_times(value.value)
        case datetime():
            return True
        case Mapping():
            return any(map(has_times, value.values()))
        case list() | tuple():
            return any(map(has_times, value))
    return False


def _inner(value: object) -> object:
    return value.value if isinstance(value, HumanValue) else value


def _are_numbers(column: Iterable[object]) -> bool:
    filled = [value for value in column if _inner(value) is not None]
    return bool(filled) and all(map(is_number, filled))


def _breaks(name: str, column: Iterable[object]) -> bool:
    """Return True for a column of texts, which may be broken; of a list, between its items."""
    inner = [_inner(value) for value in column]
    if name in WORDED or (name in WHOLE and name not in IDS):
        return name in WORDED
    texts = (list, tuple, Mapping) if name in IDS else (str, list, tuple, Mapping, Hint)
    return any(isinstance(value, (*texts, Highlighted, Coloured)) for value in inner)


def _cell(name: str, value: object, view: View, short: Mapping[str, str]) -> Text:
    match value:
        case Highlighted() if not no_colour():
            parts = value.cleaned().parts
            marked = ((text, "bold reverse" if is_marked else "") for text, is_marked in parts)
            return Text.assemble(*marked)
        case Coloured() if not no_colour():
            return Text(clean(value.text), style=value.colour)
        case datetime():
            return Text(format_local_time(value, view.local))
    text = in_words(name, format_value(value, view.now, view.local))
    for whole, form in short.items():  # In sentences and commands, too.
        text = text.replace(whole, form)
    return Text(text)


def _wrapped(text: Text, width: int) -> list[Text]:
    """Return a cell's lines. Marks within a text have lengths of their own, which rich keeps."""
    if text.spans:
        from rich.console import Console

        return list(text.wrap(Console(width=width), width))
    return [Text(line, style=text.style) for line in wrap(text.plain, width, cell_len)]


def _lines(
    cells: Sequence[Sequence[Text]],
    widths: Sequence[int],
    right: Sequence[bool],
    *,
    bottom: bool = False,
    style: str = "",
) -> list[Text]:
    """Join the lines of cells into lines of a table; `bottom` moves short cells down."""
    height = max(map(len, cells), default=0)
    lines = []
    for number in range(height):
        line = Text(style=style)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            index = number - (height - len(cell)) if bottom else number
            text = cell[index] if 0 <= index < len(cell) else Text()
            space = " " * (width - cell_len(text.plain))
            line.append(" " * GAP if column else "")
            line.append_text(Text(space) + text if right[column] else text + Text(space))
        line.rstrip()
        lines.append(line)
    return lines


def _ids(value: object) -> Iterable[str]:
    match _inner(value):
        case str() as name:
            return [name]
        case list() | tuple() as names:
            return [name for name in names if isinstance(name, str)]
    return []
