"""What commands hand over: results of typed values, by the names that JSON has.

A value is `Money`, `Decimal`, an aware `datetime`, `date`, `timedelta` (whole seconds in JSON, and
the name of its field ends in `_seconds`), `bool`, `int`, `str`, `None`, or a list or mapping of
these. `customer.id` is the `id` within `customer`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from enum import Enum
from pathlib import Path

from liveportal.cli.io.text import clean
from liveportal.domain.clock import short_text
from liveportal.domain.money import Money
from liveportal.domain.values import dataclass

Row = Mapping[str, object]
"""A result: values by field; nested mappings, or dotted names, or both."""


@dataclass(frozen=True)
class HumanValue:
    """A value that a person is told in words of its own; every other format has the value.

    `lines` makes the words, given the instant that ages count from and the terminal's zone.
    """

    value: object
    lines: Callable[[datetime, tzinfo | None], Sequence[str]]


@dataclass(frozen=True)
class Highlighted:
    """A text of which parts are marked: in colour on a terminal, in brackets everywhere else."""

    parts: tuple[tuple[str, bool], ...]

    def __str__(self) -> str:
        return "".join(f"[{text}]" if marked else text for text, marked in self.parts)

    def cleaned(self) -> Highlighted:
        """Return it as it can be shown; each part by itself, so that no mark is cleaned away."""
        return Highlighted(tuple((clean(text), marked) for text, marked in self.parts))


@dataclass(frozen=True)
class Coloured:
    """A text that has a colour (as rich names it) on a terminal, and only there."""

    text: str
    colour: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Table:
    """Any number of results with the same fields.

    `fields` are all that JSON and rows have, in order; they only ever grow, at the end. `human` are
    those that a terminal shows, `empty` what it says where there are none. `section` tells which
    heading a row stands under on a terminal.
    """

    fields: tuple[str, ...]
    rows: Iterable[Row]
    human: tuple[str, ...] | None = None
    title: str | None = None
    empty: str = "Nothing to show."
    section: Callable[[Row], str] | None = None


@dataclass(frozen=True)
class Detail:
    """One result."""

    fields: tuple[str, ...]
    row: Row
    human: tuple[str, ...] | None = None
    title: str | None = None


def value_of(row: Row, field: str) -> object:
    """Return the value of a field; None where what it stands in is None.

    Raises `KeyError` for a row that lacks it, which is a bug of the command.
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


def plain(value: object) -> object:  # noqa: PLR0911 -- A table: one line a type.
    """Return a value as JSON has it; raises `TypeError` for a type that results do not have."""
    match value:
        case Enum() | HumanValue():
            return plain(value.value)
        case None | bool() | int() | str():
            return value
        case Money() | Path() | Highlighted() | Coloured():
            return str(value)
        case datetime() if value.tzinfo is not None:
            return short_text(value)
        case timedelta():
            return value // timedelta(seconds=1)
        case date() if not isinstance(value, datetime):
            return value.isoformat()
        case Mapping():
            return {str(name): plain(each) for name, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
    if _is_decimal(value):
        return f"{value:f}"
    # A float is no amount, and a time without a zone is no instant.
    raise TypeError(f"a result cannot hold {value!r}")


def is_number(value: object) -> bool:
    """Say whether a value is a number, which is aligned right and never taken for a formula."""
    bare = value.value if isinstance(value, HumanValue) else value
    if isinstance(bare, int | Money | timedelta):
        return not isinstance(bare, bool)
    return _is_decimal(bare)


def _is_decimal(value: object) -> bool:
    # Few results hold one, and whoever made it has imported its class: 1.5 ms.
    decimal = sys.modules.get("decimal")
    return decimal is not None and isinstance(value, decimal.Decimal)


def cell(value: object) -> str:  # noqa: PLR0911 -- A table: one line a type.
    """Return a value as one cell of a row: text cleaned, scalars of a list joined by commas."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | tuple() if not any(isinstance(v, Mapping | list | tuple) for v in value):
            return ",".join(cell(each) for each in value)
        case Mapping() | list() | tuple():
            return clean(json.dumps(plain(value), ensure_ascii=False, separators=(",", ":")))
        case HumanValue():
            return cell(value.value)
        case Highlighted():
            return str(value.cleaned())
    return clean(str(plain(value)))
