"""Typed rows: what queries and commands return, declared once.

The fields of a row, in their order, are the JSON contract: names only ever grow in number, at the
end. Columns, `--fields` and JSON Schema derive from them. A field whose type is a row itself is an
object in JSON, and each of its fields a column (`customer.id`); a list of rows is one column.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, KeysView, Mapping
from dataclasses import fields
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar, dataclass_transform

from liveportal.domain.clock import short_text
from liveportal.domain.frozen import build, field_names, frozen
from liveportal.domain.hint import Hint
from liveportal.domain.money import Money

T = TypeVar("T", bound="Row")


class Row(Mapping[str, Any]):
    """A frozen row: its values are attributes, and items by the names that JSON has."""

    COLUMNS: ClassVar[tuple[str, ...] | None] = None
    """The columns, where their order differs from the fields' (they were added at the end)."""
    LATER: ClassVar[tuple[str, ...]] = ()
    """The fields that were added later: of this class and of those below it they come last."""
    IS_CELL: ClassVar[bool] = False
    """True if a field of this type is one column, with the whole object in it."""

    # `Mapping` would look each of these up by `__getitem__`; a list of rows asks for many values.
    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 -- By name, a value may be of any type.
        return self.__dict__[name]

    def __contains__(self, name: object) -> bool:
        return name in self.__dict__  # Which holds the fields, and nothing else.

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __len__(self) -> int:
        return len(self.__dict__)

    def keys(self) -> KeysView[str]:
        """Return the names of the fields, in order."""
        return self.__dict__.keys()

    def as_dict(self) -> dict[str, Any]:
        """Return the row as JSON has it: `json.dumps` takes it, and amounts are decimal strings."""
        return {name: json_value(value) for name, value in self.__dict__.items()}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def row(kind: type[T]) -> type[T]:
    """Declare a class below `Row`: frozen, made by the names of its fields, equal as a mapping."""
    declared = frozen(kw_only=True)(kind)
    declared.__eq__ = Mapping.__eq__  # type: ignore[method-assign]
    return declared


def extend(kind: type[T], base: Row, **values: Any) -> T:  # noqa: ANN401 -- Values of any type.
    """Make a row of a kind that has all the fields of another, and these values after them.

    Ten times as quick as `kind(**base, ...)`. Raises `TypeError` if they do not fit, in order.
    """
    made = {**base.__dict__, **values}
    if tuple(made) != field_names(kind):
        raise TypeError(f"{kind.__name__} has the fields {', '.join(field_names(kind))}")
    return build(kind, made)


def pick(kind: type[T], values: Mapping[str, Any]) -> T:
    """Make a row of those of the values that its fields name."""
    return build(kind, {name: values[name] for name in field_names(kind)})


def json_value(value: object, other: Callable[[object], object] | None = None) -> object:
    """Convert a value for JSON; `other` converts a value of any other type.

    A `timedelta` is whole seconds. Raises `TypeError` for a type that rows must not have.
    """
    convert = TO_JSON.get(type(value))
    return convert(value) if convert else _rare_json_value(value, other)


def _instant_text(instant: datetime) -> str:
    if instant.tzinfo is None:
        raise TypeError(f"a row cannot hold {instant!r}")  # No naive datetime: it is no instant.
    return short_text(instant)


def _itself(value: object) -> object:
    return value


TO_JSON: dict[type, Callable[[Any], object]] = {
    **dict.fromkeys((type(None), bool, int, str), _itself),
    Money: str,
    datetime: _instant_text,
    timedelta: lambda span: span // timedelta(seconds=1),
    date: date.isoformat,
}
"""Conversions by exact type, since a long list converts millions of values."""


def _rare_json_value(  # noqa: PLR0911 -- A table: one line per type.
    value: object, other: Callable[[object], object] | None
) -> object:
    match value:
        case Enum():
            return json_value(value.value, other)
        case str():
            return value
        case Path():
            return str(value)
        case datetime():  # Of a class below it.
            return _instant_text(value)
        case Mapping():
            return {str(name): json_value(item, other) for name, item in value.items()}
        case list() | tuple():
            return [json_value(item, other) for item in value]
    if is_decimal(value):
        return f"{value:f}"
    if other is not None:
        return other(value)
    if isinstance(value, Hint):
        return str(value)
    raise TypeError(f"a row cannot hold {value!r}")  # No float: it is no exact amount.


def is_decimal(value: object) -> bool:
    """Return True for a `Decimal`."""
    # Importing the class takes 1.5 ms; a value of it exists only if it is imported already.
    decimal = sys.modules.get("decimal")
    return decimal is not None and isinstance(value, decimal.Decimal)


@cache
def columns(kind: type[Row]) -> tuple[str, ...]:
    """Return the columns of a kind of row, such as `customer.id`, in order."""
    if kind.COLUMNS is not None:
        return kind.COLUMNS
    names: list[str] = []
    for field in fields(kind):  # type: ignore[arg-type]
        inner = _row_type(kind, str(field.type))
        nested = columns(inner) if inner and not inner.IS_CELL else None
        names += [f"{field.name}.{name}" for name in nested] if nested else [field.name]
    return tuple(sorted(names, key=kind.LATER.__contains__))  # Stable.


def _row_type(kind: type[Row], annotation: str) -> type[Row] | None:
    """Return the row class that an annotation names, also where it may be None; else None."""
    name = annotation.removesuffix(" | None")
    for owner in kind.__mro__:  # A field may be declared in the module of a base.
        found = getattr(sys.modules[owner.__module__], name, None) if name.isidentifier() else None
        if isinstance(found, type):
            return found if issubclass(found, Row) else None
    return None
