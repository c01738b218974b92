"""The reader of a file by a mapping, whether the file is a table or JSON."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from liveportal.domain.errors import UnknownFormat
from liveportal.tables.columns import CellReader, Prepare, TableReader
from liveportal.tables.json_rows import JsonObject, JsonReader, value_at
from liveportal.tables.mapping import MappingDocument
from liveportal.tables.source import Place, Source, quoted
from liveportal.tables.table import Header, read_header

_NAMES_SHOWN = 6


def mapped_reader(
    source: Source,
    mapping: MappingDocument,
    prepare: Callable[[MappingDocument, dict[str, str]], None],
) -> tuple[CellReader, MappingDocument]:
    """Return the reader of a file, and its mapping with the file's own names of columns.

    `prepare` gets that mapping with the cells of each row.

    Raises `UnknownFormat` for a file that the mapping does not fit, and what `read_header` raises.
    """
    place = Place(source.name)
    if mapping.json is not None:
        return json_reader(place, mapping, partial(prepare, mapping)), mapping
    header = read_header(source, mapping.dialect)
    if header is None:
        raise place.error(UnknownFormat, 1, "the file is empty.")
    mapping = mapping.for_header(place, header)
    if not mapping.needed() <= header.positions.keys():
        raise lacks_columns(place, header, mapping)
    ready = partial(prepare, mapping)
    return TableReader(place, mapping.named_columns(), header, ready), mapping


def json_reader(place: Place, mapping: MappingDocument, prepare: Prepare) -> JsonReader:
    """Return the reader of the objects of a JSON document."""
    paths = mapping.parts()

    def cells(_reader: CellReader, _line: int, found: JsonObject) -> dict[str, str]:
        return {role: _text(value_at(found, path)) for role, path in paths.items()}

    return JsonReader(place, (mapping.json,) if mapping.json else (), cells, prepare, paths)


def lacks_columns(
    place: Place, header: Header, mapping: MappingDocument, **details: object
) -> UnknownFormat:
    """Return the refusal of a table without the columns that a mapping needs."""
    lacking = sorted(mapping.needed() - header.positions.keys())
    columns = ", ".join(quoted(name, 30) for name in lacking[:_NAMES_SHOWN])
    return place.error(
        UnknownFormat,
        header.line,
        f"the header lacks columns of the mapping {mapping.name}: {columns}.",
        hint=f"Correct the mapping ({mapping.origin}); the names of columns are compared whole.",
        **details,
    )


def _text(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(_text, value))
    return "" if value is None or isinstance(value, dict) else str(value).strip()
