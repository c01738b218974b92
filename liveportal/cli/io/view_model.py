"""Results as commands pass them to `render`: typed values by their JSON names.

A value is `Money`, `Decimal`, an aware `datetime`, `date`, `timedelta` (whole seconds in JSON; the
field's name ends in `_seconds`), `bool`, `int`, `str`, `Hint`, `None`, or a list or mapping of
these.
`customer.id` is the `id` within `customer`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from importlib import import_module
from typing import Any, TypeVar

from liveportal.cli.io.text import clean
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.domain.money import Money
from liveportal.domain.row import TO_JSON, columns, is_decimal, json_value, row
from liveportal.domain.row import Row as TypedRow

Row = Mapping[str, object]
"""The values of a result by field; nested mappings, dotted names, or both."""
Fields = tuple[str, ...] | type[TypedRow]
"""The fields of a result: those of a row class, or these names."""


@frozen
class HumanValue:
    """A value that a terminal shows in words; every other format has the value itself.

    `lines` returns the words, given the instant from which ages count and the terminal's zone.
    """

    value: object
    lines: Callable[[datetime, tzinfo | None], Sequence[str]]


@frozen
class Grouped:
    """Records that a terminal shows in tables with headings; elsewhere they are one list."""

    value: Sequence[Row]
    groups: tuple[tuple[str, Sequence[Row]], ...]


@frozen
class Highlighted:
    """A text with marked parts: in reverse on a terminal, in [brackets] elsewhere."""

    parts: tuple[tuple[str, bool], ...]

    def __str__(self) -> str:
        return "".join(f"[{text}]" if marked else text for text, marked in self.parts)

    def cleaned(self) -> Highlighted:
        """Return a copy with each part cleaned by itself, so that marks are kept."""
        return Highlighted(tuple((clean(text), marked) for text, marked in self.parts))


@frozen
class Coloured:
    """A text with a colour (a rich style), which only a terminal shows."""

    text: str
    colour: str

    def __str__(self) -> str:
        return self.text


@frozen
class Table:
    """Any number of results with the same fields.

    `fields` are the fields of JSON and CSV, in order: a row class, or their names, of which new
    ones are only added at the end. `human` are the columns of a terminal and of a pipe, whatever
    the rows are; a terminal leaves out those without a value. `empty` is its text if there are no
    rows, and `section` returns the heading of a row there.
    """

    fields: Fields
    rows: Iterable[Row]
    human: tuple[str, ...] | None = None
    title: str | None = None
    empty: str = "Nothing to show."
    section: Callable[[Row], str] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all fields, nested ones with a dot."""
        return names_of(self.fields)


@frozen
class Detail:
    """One result. A terminal leaves out what has no value.

    If it is `sparse`, it leaves out 0 and false, too, but for the first field.
    """

    fields: Fields
    row: Row
    human: tuple[str, ...] | None = None
    title: str | None = None
    sparse: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all fields, nested ones with a dot."""
        return names_of(self.fields)


Command = TypeVar("Command", bound=Callable[..., Any])


RowClass = type[TypedRow] | str
"""A row class; or `module.Class` of one whose module a command imports only when it runs."""


@row
class WriteResult(TypedRow):
    """The fields of every write's result: the thing, its state, and the event that was recorded.

    A command's own fields come between the message and the time.
    """

    id: str
    state: str
    error: None
    message: str | None
    time: datetime | None
    event: str | None
    flags: list[str]
    replayed: bool
    confirmed: bool
    dry_run: bool


LEADING_FIELDS, TRAILING_FIELDS = columns(WriteResult)[:4], columns(WriteResult)[4:]
ADDED_FIELDS = ("slot", "reason")
"""Fields of steps that were added later: they come last, since rows only grow at the end."""


@frozen
class Shown:
    """The rows that a command shows: of which class, whether many, and whether it records.

    A command that shows one of several kinds has several classes. The rows of one that records
    (`is_written`) have the fields that every result of a write has, too. `tables` are shown instead
    with some options, many of them.
    """

    rows: tuple[RowClass, ...]
    many: bool = False
    is_written: bool = False
    tables: tuple[RowClass, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all fields that `--fields` may name, nested ones with a dot."""
        kinds = [load_row_class(kind) for kind in (*self.rows, *self.tables)]
        if self.is_written:
            return all_fields(kinds[0] if kinds else ())
        return tuple(dict.fromkeys(name for kind in kinds for name in columns(kind)))


def load_row_class(kind: RowClass) -> type[TypedRow]:
    """Return a row class, also if it is declared by its name."""
    if not isinstance(kind, str):
        return kind
    module, _, name = kind.rpartition(".")
    loaded: type[TypedRow] = getattr(import_module(module), name)
    return loaded


def shows(
    *rows: RowClass, many: bool = False, tables: tuple[RowClass, ...] = ()
) -> Callable[[Command], Command]:
    """Declare the rows of a command that reads; `liveportal schema` makes a schema of them.

    `many` is for a command that shows a `Table`, `tables` for one that also shows one. Put it
    between `@app.command(...)` and `@with_options(...)`.
    """
    return _declare(Shown(rows, many, tables=tables))


def shows_result(*rows: type[TypedRow], many: bool = False) -> Callable[[Command], Command]:
    """Declare the fields that a command adds to the result of a write, as `shows` does.

    `many` is for a command that may record several ids, which gives one row each.
    """
    return _declare(Shown(rows, many, is_written=True))


def _declare(shown: Shown) -> Callable[[Command], Command]:
    def declare(command: Command) -> Command:
        command.shown = shown  # type: ignore[attr-defined]
        return command

    return declare


def names_of(fields: Fields) -> tuple[str, ...]:
    """Return the names of a row's fields, nested ones with a dot."""
    return columns(fields) if isinstance(fields, type) else fields


def all_fields(fields: Fields) -> tuple[str, ...]:
    """Return all fields of a write's result: the common ones and the command's own."""
    names = names_of(fields)
    own = (name for name in names if name not in LEADING_FIELDS + ADDED_FIELDS)
    return (
        *LEADING_FIELDS,
        *own,
        *TRAILING_FIELDS,
        *(name for name in ADDED_FIELDS if name in names),
    )


def leading_fields(fields: Fields) -> tuple[str, ...]:
    """Return the columns of a write's rows: all fields but those about the event itself."""
    return tuple(name for name in all_fields(fields) if name not in TRAILING_FIELDS)


def value_of(row: Row, field: str) -> object:
    """Return the value of a field; None if the row lacks the mapping around the field.

    Raises `KeyError` if the row lacks the field, which is a bug of the command.
    """
    if field in row:
        return row[field]
    outer, _, inner = field.partition(".")
    value = row[outer]
    if value is None and inner:
        return None
    if not isinstance(value, Mapping) or not inner:
        raise KeyError(field)
    return value_of(value, inner)


def to_json_value(value: object) -> object:
    """Convert a value for JSON; raises `TypeError` for a type that results must not have."""
    return json_value(value, _own_json_value)


def _own_json_value(value: object) -> object:
    """Convert a value of a type that only results of commands have."""
    match value:
        case HumanValue() | Grouped():
            return to_json_value(value.value)
        case Highlighted() | Coloured():
            return str(value)
        case Hint():
            from liveportal.cli.io.hints import spell

            return spell(value)
    raise TypeError(f"a result cannot hold {value!r}")


def is_number(value: object) -> bool:
    """Return True for a number, which is aligned right and needs no escape in CSV."""
    inner = value.value if isinstance(value, HumanValue) else value
    if isinstance(inner, int | Money | timedelta):
        return not isinstance(inner, bool)
    return is_decimal(inner)


_CELLS: dict[type, Callable[[Any], str]] = {
    type(None): {None: ""}.__getitem__,
    bool: {True: "true", False: "false"}.__getitem__,
    int: str,
    str: clean,
    Money: str,
    datetime: lambda value: str(TO_JSON[datetime](value)),
}


def format_cell(value: object) -> str:
    """Return a value as one cell of a row: text is cleaned, a list of scalars joined by commas."""
    to_text = _CELLS.get(type(value))
    if to_text:
        return to_text(value)
    match value:
        case list() | tuple() if not any(isinstance(v, Mapping | list | tuple) for v in value):
            return ",".join(format_cell(item) for item in value)
        case Mapping() | list() | tuple():
            return clean(
                json.dumps(to_json_value(value), ensure_ascii=False, separators=(",", ":"))
            )
        case HumanValue() | Grouped():
            return format_cell(value.value)
        case Highlighted():
            return str(value.cleaned())
    return clean(str(to_json_value(value)))
