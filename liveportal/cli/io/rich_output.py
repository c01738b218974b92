"""Results as a person at a terminal reads them; the only module that imports rich for results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from liveportal.cli.io.text import clean, no_colour
from liveportal.cli.io.view_model import (
    Coloured,
    Detail,
    Highlighted,
    HumanValue,
    Row,
    Table,
    cell,
    is_number,
    value_of,
)
from liveportal.cli.parse.times import utc_now
from liveportal.domain.clock import zone as zone_of

if TYPE_CHECKING:
    from datetime import tzinfo

MINUTE, HOUR, DAY = 60, 3600, 86_400
NOT_FOR_PEOPLE = frozenset({"source", "confirms", "code", "seq", "sha256"})
"""Fields of records that scripts need and that only fill a terminal."""


def console(stream: TextIO, width: int | None = None) -> Console:
    """Return what draws on a terminal: text from outside, never markup, emoji codes or the like."""
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
    """Write a result as a table or as a listing of names and values, nothing cut off."""
    paper = console(stream, width)
    moment = now or utc_now()
    local = zone_of(zone) if zone else moment.astimezone().tzinfo
    if result.title:
        paper.print(Text(clean(result.title), style="bold"))
    if isinstance(result, Detail):
        paper.print(listing(result, fields, moment, local))
        return
    rows = list(result.rows)
    for heading, below in _sections(result, rows):
        if heading is not None:
            paper.print(Text(clean(heading), style="bold"))
        values = [[value_of(row, field) for field in fields] for row in below]
        paper.print(_table(fields, values, moment, local))
    if not rows:
        paper.print(Text(clean(result.empty), style="dim"))


def _sections(result: Table, rows: list[Row]) -> Iterator[tuple[str | None, list[Row]]]:
    """Yield the rows by their heading, in the order they come; None where there are no headings."""
    if result.section is None:
        if rows:
            yield None, rows
        return
    for heading, below in groupby(rows, result.section):
        yield heading, list(below)


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
            _label(field), justify="right" if filled and numbers else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(_text(value, now, local) for value in row))
    return table


def _text(value: object, now: datetime, local: tzinfo | None) -> Text:
    if isinstance(value, Highlighted) and not no_colour():
        parts = value.cleaned().parts
        return Text.assemble(*((text, "bold reverse" if marked else "") for text, marked in parts))
    if isinstance(value, Coloured) and not no_colour():
        return Text(clean(value.text), style=value.colour)
    return Text(human(value, now, local))


def listing(
    item: Detail, fields: tuple[str, ...], now: datetime, local: tzinfo | None
) -> RichTable:
    """Return a result as names and values below one another."""
    grid = RichTable.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    values = [value_of(item.row, field) for field in fields]
    # Amounts below one another are read as a column.
    wide = max((len(cell(value)) for value in values if is_number(value)), default=0)
    for field, value in zip(fields, values, strict=True):
        if value in (None, "", [], ()):
            continue  # A person reads what there is.
        if isinstance(value, HumanValue):
            lines = [clean(line) for line in value.lines(now, local)]
            grid.add_row(_label(field), Text("\n".join(lines)))
        elif isinstance(value, list | tuple) and all(isinstance(each, Mapping) for each in value):
            grid.add_row(_label(field), _records(value, now, local))
        else:
            text = human(value, now, local)
            grid.add_row(_label(field), Text(text.rjust(wide) if is_number(value) else text))
    return grid


def _records(
    records: Sequence[Mapping[str, object]], now: datetime, local: tzinfo | None
) -> RichTable:
    """Return records one a line, with what they have in common in columns."""
    names = [
        name
        for name in records[0]
        if name not in NOT_FOR_PEOPLE and any(each.get(name) is not None for each in records)
    ]
    grid = RichTable.grid(padding=(0, 2))
    for name in names:
        numbers = all(is_number(each[name]) for each in records if each.get(name) is not None)
        grid.add_column(justify="right" if numbers else "left", overflow="fold")
    for each in records:
        grid.add_row(*(Text(human(each.get(name), now, local)) for name in names))
    return grid


def human(  # noqa: PLR0911 -- A table: one line a type.
    value: object, now: datetime, local: tzinfo | None
) -> str:
    """Return a value as a person reads it, in one line."""
    match value:
        case HumanValue():
            return ", ".join(clean(line) for line in value.lines(now, local))
        case bool():
            return "yes" if value else "no"
        case datetime():
            return short_time(value, now, local)
        case timedelta():
            return length(value)
        case Mapping():
            return ", ".join(f"{clean(str(k))} {human(v, now, local)}" for k, v in value.items())
        case list() | tuple():
            return ", ".join(human(each, now, local) for each in value)
    return cell(value)


def short_time(instant: datetime, now: datetime, local: tzinfo | None) -> str:
    """Return a local time to the minute, and how far off it is if that is less than a day."""
    shown = local_time(instant, local)
    seconds = round((instant - now).total_seconds())
    if abs(seconds) >= DAY:
        return shown
    if abs(seconds) < MINUTE:
        return f"{shown} (now)"
    far = abs(seconds)
    span = f"{far // MINUTE} min" if far < HOUR else f"{far // HOUR} h"
    return f"{shown} (in {span})" if seconds > 0 else f"{shown} ({span} ago)"


def local_time(instant: datetime, local: tzinfo | None) -> str:
    """Return a local time to the minute."""
    try:
        return f"{instant.astimezone(local):%Y-%m-%d %H:%M}"
    except OverflowError:  # The first and last hours of the calendar, in another zone.
        return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def length(span: timedelta) -> str:
    """Return a length of time by its two largest units; below zero it is over."""
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


def _label(field: str) -> str:
    """Return a field's name as a heading."""
    return field.removesuffix("_seconds").replace(".", " ").replace("_", " ")
