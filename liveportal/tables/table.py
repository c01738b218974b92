"""A statement as a table: the delimiter, the columns by name, and the records with their lines.

Python's `csv` module splits the lines. It is strict about quotation marks, and it takes lines from
an iterator one at a time, so the physical line on which a record begins is always known.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import islice

from liveportal.domain.errors import MalformedFile
from liveportal.domain.frozen import frozen
from liveportal.tables.lines import Lines
from liveportal.tables.source import Place, Source, quoted

DELIMITERS = ",;\t"

_SAME = str.maketrans({"\u2019": "'", "\u00ba": "\u00b0", "\u00a0": " ", "\ufeff": " "})
_AGAIN = "Download the file from the provider again."
_REASONS = {
    "unexpected end of data": "a quotation mark in this row is never closed: the file was cut.",
    "expected after": "a quotation mark inside a quoted cell is not doubled.",
    "field larger": (
        "a cell is longer than {limit:,} characters: a quotation mark is probably missing."
    ),
    "new-line character": "the row contains a line break (CR) outside quotation marks.",
}


def normal(name: str) -> str:
    """Return a column's name as names are compared: spaces, case and look-alikes do not count."""
    return " ".join(unicodedata.normalize("NFC", name.translate(_SAME)).casefold().split())


@frozen
class Dialect:
    """How a table is written, as far as the file itself does not show it."""

    delimiter: str | None = None
    skip: int = 0  # The number of lines before the header.
    encoding: str = "utf-8"


@frozen
class Header:
    """The first record of a table."""

    line: int
    delimiter: str
    names: tuple[str, ...]  # As in the file, without the empty ones at the end.
    positions: Mapping[str, tuple[int, ...]]  # By normal name; a name may appear twice.


def read_header(source: Source, dialect: Dialect | None = None) -> Header | None:
    """Return the header, with the delimiter that gives the most columns; None for an empty file.

    Raises `MalformedFile` if the first record is broken whatever the delimiter is.
    """
    dialect = dialect or Dialect()
    possible, errors = list[Header](), list[MalformedFile]()
    for delimiter in dialect.delimiter or DELIMITERS:
        try:
            possible += _headers(Lines(source, encoding=dialect.encoding), delimiter, dialect.skip)
        except MalformedFile as error:
            errors.append(error)
    if errors and not possible:
        raise errors[0]
    return max(possible, key=lambda header: len(header.names), default=None)


def _headers(lines: Lines, delimiter: str, skip: int) -> list[Header]:
    """Return the header under a delimiter, if there is a record at all below the skipped lines."""
    for line, cells in _records(lines, delimiter, skip):
        if cells[0].startswith("sep="):  # Excel's own first line.
            continue
        names = [" ".join(cell.split()) for cell in cells]
        while names and not names[-1]:
            names.pop()
        positions: dict[str, list[int]] = {}
        for at, name in enumerate(names):
            positions.setdefault(normal(name), []).append(at)
        by_name = {name: tuple(at) for name, at in positions.items()}
        return [Header(line, delimiter, tuple(names), by_name)]
    return []


def records(lines: Lines, header: Header) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the cells of every record below the header that is not empty.

    A record has as many cells as the header has names; more cells must be empty.
    """
    width = len(header.names)
    for line, cells in _records(lines, header.delimiter, header.line - 1):
        if line <= header.line:
            continue
        if len(cells) != width:
            _check_width(lines.place, line, cells, width)
        yield line, cells


def _records(lines: Lines, delimiter: str, skip: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(islice(lines, skip, None), delimiter=delimiter, strict=True)
    while True:
        line = max(lines.number, skip) + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _malformed(lines.place, line, str(error)) from None
        if cells is None:
            return
        if any(cells) and (len(cells) > 1 or cells[0].strip()):
            yield line, cells


def _malformed(place: Place, line: int, error: str) -> MalformedFile:
    reason = next((text for part, text in _REASONS.items() if part in error), f"{error}.")
    reason = reason.format(limit=csv.field_size_limit())
    return place.error(MalformedFile, line, reason, hint=_AGAIN)


def _check_width(place: Place, line: int, cells: list[str], width: int) -> None:
    if len(cells) < width:
        raise place.error(
            MalformedFile,
            line,
            f"the row has {len(cells)} cells, but the header names {width} columns: the row was"
            " cut, or a line break is missing its quotation marks.",
            hint=_AGAIN,
        )
    extra = next((cell for cell in cells[width:] if cell.strip()), None)
    if extra is not None:
        raise place.error(
            MalformedFile,
            line,
            f"the row has more cells than the header's {width} columns, and one of them is not"
            f" empty: {quoted(extra)}.",
            hint=_AGAIN,
        )
