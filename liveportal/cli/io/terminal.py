"""Results for a person at a terminal: a table, or a listing of names and values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, groupby
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from liveportal.cli.clock import utc_now
from liveportal.cli.io.columns import heading_of, in_words
from liveportal.cli.io.layout import GAP, wrap
from liveportal.cli.io.rich_output import console, format_value
from liveportal.cli.io.text import clean
from liveportal.cli.io.text_tables import EMPTY, View, draw_table, has_times
from liveportal.cli.io.view_model import (
    Detail,
    Grouped,
    HumanValue,
    Row,
    Table,
    value_of,
)
from liveportal.domain.clock import zone as zone_of
from liveportal.domain.money import Money
from liveportal.ledger.queries.short_ids import LONGEST_ID

NOT_FOR_PEOPLE = frozenset({"source", "confirms", "code", "seq", "sha256"})
"""Fields of records for scripts, which a terminal leaves out."""


def show(
    result: Table | Detail,
    fields: tuple[str, ...],
    stream: TextIO,
    *,
    zone: str | None,
    width: int | None,
    now: datetime | None,
    are_chosen: bool = False,
    short_forms: Callable[[Iterable[str]], Mapping[str, str]],
) -> tuple[str, ...]:
    """Write a result as a table, or as a listing of names and values, without truncation.

    Columns without a value are left out unless they were chosen. Return the headings of those for
    which the terminal is too narrow.
    """
    terminal = console(stream, width)
    instant = now or utc_now()
    local = zone_of(zone) if zone else instant.astimezone().tzinfo
    is_ascii = terminal.options.ascii_only
    view = View(instant, local, terminal.width, short_forms, is_ascii)
    if isinstance(result, Detail):
        lines, left_out = detail_lines(result, fields, view)
        print_lines(terminal, lines)
        return left_out
    rows = list(result.rows)
    if result.title:
        terminal.print(Text(clean(result.title), style="bold"))
    if not rows:
        terminal.print(Text(clean(result.empty), style="dim"))
        return ()
    table = draw_table(fields, rows, view, keep_empty=are_chosen)
    print_lines(terminal, table.heading)
    drawn = iter(table.rows)
    for heading, count in _sections(result, rows):
        if heading is not None:
            terminal.print(Text(clean(heading), style="bold"))
        for _ in range(count):
            print_lines(terminal, next(drawn))
    return tuple(map(heading_of, table.left_out))


def print_lines(terminal: Console, lines: Iterable[Text]) -> None:
    """Print lines that fit; one with a single number that is wider than the terminal runs on."""
    for line in lines:
        terminal.print(line, soft_wrap=True)


def _sections(result: Table, rows: list[Row]) -> Iterator[tuple[str | None, int]]:
    """Yield the headings of runs of rows and their lengths; None if the table has no headings."""
    if result.section is None:
        yield None, len(rows)
        return
    for heading, section_rows in groupby(rows, result.section):
        yield heading, len(list(section_rows))


# --- one result -----------------------------------------------------------------------------------


def detail_lines(
    item: Detail, fields: Sequence[str], view: View
) -> tuple[list[Text], tuple[str, ...]]:
    """Return a result as lines of names and values, and the headings of columns left out.

    Records within it are tables under their names.
    """
    values = {field: value_of(item.row, field) for field in fields}
    values = {
        name: value
        for number, (name, value) in enumerate(values.items())
        if not _is_empty(value, is_sparse=item.sparse and number > 0)
    }
    lines = _headings(item, values.values(), view)
    labels = {name: heading_of(name) for name in values if not _records(name, values[name])}
    longest = max(map(cell_len, labels.values()), default=0)
    room = max(
        view.width * 2 // 5, *(cell_len(w) for text in labels.values() for w in text.split()), 0
    )
    label_width = min(longest, room)
    # Amounts are aligned as in a column.
    amounts = (value for value in values.values() if isinstance(value, Money))
    longest_amount = max((len(str(amount)) for amount in amounts), default=0)
    left_out: list[str] = []
    after_table = False
    for name, value in values.items():
        tables = _records(name, value)
        for heading, records in tables:
            columns = _columns(records)
            whole = [{column: record.get(column) for column in columns} for record in records]
            table = draw_table(columns, whole, _indented(view))
            lines += [Text(), Text(clean(heading), style="bold")]
            top = table.heading if len(table.columns) > 1 else ()  # Of one it would say nothing.
            lines += [Text("  ") + line for line in chain(top, *table.rows)]
            left_out += [f"{heading_of(column)} ({heading})" for column in table.left_out]
        if tables:
            after_table = True
            continue
        width = max(view.width - label_width - GAP, 1)
        shown = _value_lines(name, value, view, width, longest_amount)
        if not any(shown):
            continue
        label = wrap(labels[name], label_width, cell_len)
        lines += [Text()] if after_table else []
        lines += _beside(label, shown, label_width)
        after_table = False
    return lines, tuple(left_out)


def _headings(item: Detail, values: Iterable[object], view: View) -> list[Text]:
    """Return the title, and the zone of times if there are any."""
    zone = view.zone if any(map(has_times, values)) else ""
    title = [Text(clean(item.title), style="bold")] if item.title else []
    return [*title, *([Text(f"Times in {zone}", style="dim")] if zone else [])]


def _is_empty(value: object, *, is_sparse: bool) -> bool:
    if isinstance(value, HumanValue) and not is_sparse:
        return False  # It may have words for nothing.
    inner = value.value if isinstance(value, HumanValue | Grouped) else value
    return inner in EMPTY or (is_sparse and not inner)


def _records(name: str, value: object) -> list[tuple[str, Sequence[Row]]]:
    """Return the tables within a result, each with its heading; none for a plain value."""
    if isinstance(value, Grouped):
        return [(heading, records) for heading, records in value.groups if records]
    if isinstance(value, list | tuple) and all(isinstance(item, Mapping) for item in value):
        return [(heading_of(name), value)]
    return []


def _columns(records: Sequence[Row]) -> list[str]:
    names = dict.fromkeys(name for record in records for name in record)
    return [name for name in names if name not in NOT_FOR_PEOPLE]


def _indented(view: View) -> View:
    return view._replace(width=max(view.width - GAP, 1))


def _value_lines(
    name: str, value: object, view: View, width: int, longest_amount: int
) -> list[str]:
    if isinstance(value, HumanValue):
        lines = [clean(line) for line in value.lines(view.now, view.local)]
        texts = [_with_short_ids(line, view, LONGEST_ID) for line in lines]
    else:
        text = in_words(name, format_value(value, view.now, view.local))
        if isinstance(value, Money):
            return [text.rjust(min(longest_amount, width))]
        texts = [_with_short_ids(text, view, width - GAP)]
    if len(texts) == 1:
        return wrap(texts[0], width, cell_len)
    # Of several texts, the further lines of each are indented.
    return [
        ("" if number == 0 else "  ") + line
        for text in texts
        for number, line in enumerate(wrap(text, max(width - 2, 1), cell_len))
    ]


def _with_short_ids(text: str, view: View, width: int) -> str:
    """Return a text in which ids that are wider than this have their short forms."""
    words = (word.strip("(),.;") for word in text.split())
    wide = [word for word in words if cell_len(word) > width]
    for whole, form in (view.short_forms(wide) if wide else {}).items():
        text = text.replace(whole, form)
    return text


def _beside(label: Sequence[str], shown: Sequence[str], label_width: int) -> Iterator[Text]:
    """Yield the lines of a label with those of its value beside them."""
    for number in range(max(len(label), len(shown))):
        name = label[number] if number < len(label) else ""
        value = shown[number] if number < len(shown) else ""
        space = " " * (label_width - cell_len(name) + GAP)
        yield Text.assemble((name, "bold"), f"{space}{value}".rstrip() if value else "")
