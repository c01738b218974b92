"""Results for a person at a terminal; the only module that imports rich for results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from liveportal.cli.clock import utc_now
from liveportal.cli.io.text import clean, no_colour
from liveportal.cli.io.view_model import (
    Coloured,
    Detail,
    Highlighted,
    HumanValue,
    Row,
    Table,
    format_cell,
    is_number,
    value_of,
)
from liveportal.domain.clock import zone as zone_of

if TYPE_CHECKING:
    from datetime import tzinfo

MINUTE, HOUR, DAY = 60, 3600, 86_400
NOT_FOR_PEOPLE = frozenset({"source", "confirms", "code", "seq", "sha256"})
"""Fields of records for scripts, which a terminal leaves out."""


def console(stream: TextIO, width: int | None = None) -> Console:
    """Return a rich console that prints text as it is, without markup or emoji codes."""
    return Console(
        file=stream,
        width=width,
        color_system=None if no_colour() else "auto",
        markup=False,
        emoji=False,
        highlight=False,
    )


def show(
    result: Table | Detail,
    fields: tuple[str, ...],
    stream: TextIO,
    *,
    zone: str | None,
    width: int | None,
    now: datetime | None,
) -> None:
    """Write a result as a table, or as a listing of names and values, without truncation."""
    terminal = console(stream, width)
    instant = now or utc_now()
    local = zone_of(zone) if zone else instant.astimezone().tzinfo
    if result.title:
        terminal.print(Text(clean(result.title), style="bold"))
    if isinstance(result, Detail):
        terminal.print(detail_grid(result, fields, instant, local))
        return
    rows = list(result.rows)
    for heading, section_rows in _sections(result, rows):
        if heading is not None:
            terminal.print(Text(clean(heading), style="bold"))
        values = [[value_of(row, field) for field in fields] for row in section_rows]
        terminal.print(_table(fields, values, instant, local))
    if not rows:
        terminal.print(Text(clean(result.empty), style="dim"))


def _sections(result: Table, rows: list[Row]) -> Iterator[tuple[str | None, list[Row]]]:
    """Yield runs of rows with the same heading; the heading is None if the table has none."""
    if result.section is None:
        if rows:
            yield None, rows
        return
    for heading, section_rows in groupby(rows, result.section):
        yield heading, list(section_rows)


def _table(
    fields: tuple[str, ...], rows: list[list[object]], now: datetime, local: tzinfo | None
) -> RichTable:
    table = RichTable(
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,  # Eight columns of money fit into 80 characters.
        header_style="bold",
    )
    for index, field in enumerate(fields):
        numbers = all(is_number(row[index]) for row in rows if row[index] is not None)
        filled = any(row[index] is not None for row in rows)
        table.add_column(
            _heading(field), justify="right" if filled and numbers else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(_to_text(value, now, local) for value in row))
    return table


def _to_text(value: object, now: datetime, local: tzinfo | None) -> Text:
    if isinstance(value, Highlighted) and not no_colour():
        parts = value.cleaned().parts
        return Text.assemble(*((text, "bold reverse" if marked else "") for text, marked in parts))
    if isinstance(value, Coloured) and not no_colour():
        return Text(clean(value.text), style=value.colour)
    return Text(format_value(value, now, local))


def detail_grid(
    item: Detail, fields: tuple[str, ...], now: datetime, local: tzinfo | None
) -> RichTable:
    """Return a result as a list of names and values."""
    grid = RichTable.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    values = [value_of(item.row, field) for field in fields]
    # Amounts are aligned as in a column.
    width = max((len(format_cell(value)) for value in values if is_number(value)), default=0)
    for field, value in zip(fields, values, strict=True):
        if value in (None, "", [], ()):
            continue  # A terminal leaves empty values out.
        if isinstance(value, HumanValue):
            lines = [clean(line) for line in value.lines(now, local)]
            grid.add_row(_heading(field), Text("\n".join(lines)))
        elif isinstance(value, list | tuple) and all(isinstance(item, Mapping) for item in value):
            grid.add_row(_heading(field), _record_grid(value, now, local))
        else:
            text = format_value(value, now, local)
            grid.add_row(_heading(field), Text(text.rjust(width) if is_number(value) else text))
    return grid


def _record_grid(
    records: Sequence[Mapping[str, object]], now: datetime, local: tzinfo | None
) -> RichTable:
    """Return records as a grid: one per line, a column for each field."""
    names = [
        name
        for name in records[0]
        if name not in NOT_FOR_PEOPLE and any(record.get(name) is not None for record in records)
    ]
    grid = RichTable.grid(padding=(0, 2))
    for name in names:
        values = [record[name] for record in records if record.get(name) is not None]
        numbers = all(is_number(value) for value in values)
        grid.add_column(justify="right" if numbers else "left", overflow="fold")
    for record in records:
        grid.add_row(*(Text(format_value(record.get(name), now, local)) for name in names))
    return grid


def format_value(  # noqa: PLR0911 -- A table: one line per type.
    value: object, now: datetime, local: tzinfo | None
) -> str:
    """Return a value as a terminal shows it, in one line."""
    match value:
        case HumanValue():
            return ", ".join(clean(line) for line in value.lines(now, local))
        case bool():
            return "yes" if value else "no"
        case datetime():
            return format_short_time(value, now, local)
        case timedelta():
            return format_length(value)
        case Mapping():
            return ", ".join(
                f"{clean(str(k))} {format_value(v, now, local)}" for k, v in value.items()
            )
        case list() | tuple():
            return ", ".join(format_value(item, now, local) for item in value)
    return format_cell(value)


def format_short_time(instant: datetime, now: datetime, local: tzinfo | None) -> str:
    """Return a local time to the minute, and its distance from now if less than a day."""
    text = format_local_time(instant, local)
    seconds = round((instant - now).total_seconds())
    if abs(seconds) >= DAY:
        return text
    if abs(seconds) < MINUTE:
        return f"{text} (now)"
    distance = abs(seconds)
    distance_text = f"{distance // MINUTE} min" if distance < HOUR else f"{distance // HOUR} h"
    return f"{text} (in {distance_text})" if seconds > 0 else f"{text} ({distance_text} ago)"


def format_local_time(instant: datetime, local: tzinfo | None) -> str:
    """Return a local time to the minute, such as `2026-10-05 14:00`."""
    try:
        return f"{instant.astimezone(local):%Y-%m-%d %H:%M}"
    except OverflowError:  # The first or last hours of the calendar, outside it in that zone.
        return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def format_length(span: timedelta) -> str:
    """Return a length of time in its two largest units, with its sign."""
    seconds = abs(span) // timedelta(seconds=1)
    sign = "-" if span < timedelta() else ""
    if seconds < MINUTE:
        return f"{sign}{seconds} s"
    if seconds < HOUR:
        return f"{sign}{seconds // MINUTE} min"
    if seconds < DAY:
        large, small = f"{seconds // HOUR} h", f"{seconds % HOUR // MINUTE} min"
    else:
        large, small = f"{seconds // DAY} d", f"{seconds % DAY // HOUR} h"
    return sign + (large if small.startswith("0 ") else f"{large} {small}")


def _heading(field: str) -> str:
    """Return the heading of a field."""
    return field.removesuffix("_seconds").replace(".", " ").replace("_", " ")
