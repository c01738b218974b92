"""Objects of a JSON document, each with the line on which it begins, and their values as texts.

A document is one value, or several (JSON Lines). Numbers stay as they are written, since a float
would change them, and a text is never taken for a number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from typing import Any

from liveportal.domain.errors import MalformedFile
from liveportal.tables.columns import CellReader, Prepare
from liveportal.tables.lines import LARGEST_FILE, Lines
from liveportal.tables.source import Place

JsonObject = Mapping[str, Any]

_Found = Generator[tuple[int, JsonObject], None, int]
_BLANK = " \t\r\n"
_LONGEST_INDEX = 6
_AGAIN = "Download the file from the provider again."


class Number(str):
    """A number of a JSON document, as it is written."""

    __slots__ = ()


class JsonReader(CellReader):
    """Rows from the objects of a JSON document.

    `inside` are the keys of the arrays that contain the objects; `cells` makes a row's cells from
    an object, and returns None for one that is not a row.
    """

    longest_line = LARGEST_FILE

    def __init__(
        self,
        place: Place,
        inside: Collection[str],
        cells: Callable[[CellReader, int, JsonObject], dict[str, str] | None],
        prepare: Prepare | None = None,
        roles: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(place, prepare)
        self._inside, self._cells, self._roles = inside, cells, roles or {}

    def _rows(self, lines: Lines) -> Iterator[tuple[int, dict[str, str]]]:
        for line, found in objects(lines, self._inside):
            if (cells := self._cells(self, line, found)) is not None:
                yield line, cells

    def has(self, role: str) -> bool:
        """Return whether a role has a key."""
        return role in self._roles

    def column(self, role: str) -> str:
        """Return the key of a role."""
        return self._roles.get(role, role)


def objects(lines: Lines, inside: Collection[str] = ()) -> Iterator[tuple[int, JsonObject]]:
    """Yield the objects of a document; raises `MalformedFile`.

    They are the elements of an array at its top or under one of the keys `inside`, or else the
    values at its top.
    """
    text = "".join(lines)
    scanner = _Scanner(text, lines.place)
    at = scanner.skip(0)
    while at < len(text):
        at = yield from scanner.values(at, inside)
        at = scanner.skip(at)


class _Scanner:
    def __init__(self, text: str, place: Place) -> None:
        self._text, self._place = text, place
        self._counted = (0, 1)
        self._decoder = json.JSONDecoder(
            object_pairs_hook=_object, parse_float=Number, parse_int=Number, parse_constant=_refuse
        )

    def line(self, at: int) -> int:
        """Return the line of a position; positions must not go back far, or this is slow."""
        before, line = self._counted if self._counted[0] <= at else (0, 1)
        line += self._text.count("\n", before, at)
        self._counted = at, line
        return line

    def skip(self, at: int) -> int:
        """Return the position of the next character that is not blank."""
        while self._text[at : at + 1] and self._text[at] in _BLANK:
            at += 1
        return at

    def values(self, at: int, inside: Collection[str]) -> _Found:
        """Yield the objects of the value at a position, and return the position after it."""
        if self._text[at] == "[":
            return (yield from self._elements(at))
        if self._text[at] == "{" and inside:
            arrays = list(self._arrays(at, inside))
            for start in arrays:
                yield from self._elements(start)
            if arrays:
                return self._value(at)[1]
        value, end = self._value(at)
        yield self._checked(at, value)
        return end

    def _elements(self, at: int) -> _Found:
        at = self.skip(at + 1)
        while self._text[at : at + 1] != "]":
            value, end = self._value(at)
            yield self._checked(at, value)
            at = self.skip(end)
            if self._text[at : at + 1] == ",":
                at = self.skip(at + 1)
            elif self._text[at : at + 1] != "]":
                raise self._error(at, "a comma or a closing bracket is missing")
        return at + 1

    def _arrays(self, at: int, inside: Collection[str]) -> Iterator[int]:
        """Yield where the arrays of an object begin that are under one of the keys."""
        at = self.skip(at + 1)
        while self._text[at : at + 1] == '"':
            key, end = self._value(at)
            at = self.skip(end)
            if self._text[at : at + 1] != ":":
                raise self._error(at, "a colon is missing")
            at = self.skip(at + 1)
            if key in inside and self._text[at : at + 1] == "[":
                yield at
            at = self.skip(self._value(at)[1])
            if self._text[at : at + 1] == ",":
                at = self.skip(at + 1)

    def _value(self, at: int) -> tuple[Any, int]:
        try:
            return self._decoder.raw_decode(self._text, at)
        except json.JSONDecodeError as error:
            raise self._error(min(error.pos, len(self._text)), error.msg) from None
        except (ValueError, RecursionError) as error:
            reason = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
            raise self._error(at, reason) from None

    def _checked(self, at: int, value: object) -> tuple[int, JsonObject]:
        if not isinstance(value, dict):
            raise self._error(at, "an object is expected here")
        return self.line(at), value

    def _error(self, at: int, reason: str) -> MalformedFile:
        return self._place.error(
            MalformedFile, self.line(at), f"this is not JSON: {reason}.", hint=_AGAIN
        )


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has a key twice")
    return found


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not a number")


def value_at(found: JsonObject, path: str) -> Any:  # noqa: ANN401 -- Any JSON value.
    """Return the value under a path such as `amount.value` or `tags.0`; None if it is absent."""
    value: Any = found
    for key in path.split("."):
        if isinstance(value, list) and key.isdecimal() and len(key) < _LONGEST_INDEX:
            value = next(iter(value[int(key) :]), None)
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return value


def text_of(reader: CellReader, line: int, found: JsonObject, role: str, path: str) -> str:
    """Return a text under a path; empty if it is absent. Raises `BadValue` for other values."""
    value = value_at(found, path)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise reader.bad_value(line, role, str(value), "is not a text", None)
    return value.strip()


def number_of(reader: CellReader, line: int, found: JsonObject, role: str, path: str) -> str:
    """Return a number as it is written; empty if it is absent. Raises `BadValue`."""
    value = value_at(found, path)
    if value is None:
        return ""
    if not isinstance(value, Number):
        reason = "is not a number without quotation marks"
        raise reader.bad_value(line, role, str(value), reason, None)
    return str(value)
