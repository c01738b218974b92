"""JSON Schema (draft 2020-12) of what a command shows, made from the declarations of its rows.

A schema describes `--json`; `--jsonl` writes the same rows, one a line. It allows further fields,
since a later version may add some.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from liveportal.cli.io.field_meanings import meaning, owners
from liveportal.cli.io.view_model import Shown, WriteResult, all_fields, load_row_class
from liveportal.domain.frozen import field_names
from liveportal.domain.hint import Hint
from liveportal.domain.money import Money
from liveportal.domain.row import Row, columns

DRAFT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

_NUMBER = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
_SCALARS: dict[object, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    str: {"type": "string"},
    Path: {"type": "string"},
    Money: _NUMBER,
    Hint: {"type": "string"},  # As the command line spells it.
    Decimal: _NUMBER,
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    timedelta: {"type": "integer"},  # In seconds, as the field's name says.
    NoneType: {"type": "null"},
    Any: {},
}


def schema_of(command: str, shown: Shown) -> Schema:
    """Return the schema of what a command, named in its words, writes with `--json`."""
    head = {"$schema": DRAFT, "title": command}
    if shown.is_written:
        return head | _result_schema(shown)
    rows = [load_row_class(kind) for kind in shown.rows]
    tables = [load_row_class(kind) for kind in shown.tables]
    schema = _rows_schema(rows, many=shown.many)
    if tables:
        schema = {"anyOf": [schema, _rows_schema(tables, many=True)]}
    trees = {kind for row in rows for kind in _types_of(row).values() if _is_tree(kind)}
    definitions = {
        tree.__name__: _object(_types_of(tree), field_names(tree), owners(tree)) for tree in trees
    }
    return head | schema | ({"$defs": definitions} if definitions else {})


def _rows_schema(kinds: Sequence[type[Row]], *, many: bool) -> Schema:
    rows = _any_of([_object(_types_of(kind), columns(kind), owners(kind)) for kind in kinds])
    return {"type": "array", "items": rows} if many else rows


def _result_schema(shown: Shown) -> Schema:
    """Return the schema of a write's result; of many ids each has one, and may have failed."""
    types = _types_of(WriteResult)
    names = all_fields(())
    owner = owners(WriteResult)
    for kind in map(load_row_class, shown.rows):
        types |= _types_of(kind)
        names, owner = all_fields(kind), owners(kind, is_written=True)
    result = _object(types, names, owner)
    if not shown.many:
        return result
    unset = {name: of | None for name, of in types.items()}  # A failure may keep what was given.
    known = {"id": str, "state": str | None, "error": str, "message": str, "dry_run": bool}
    refs = [{"$ref": f"#/$defs/{name}"} for name in ("result", "failed")]
    return {
        "anyOf": [refs[0], {"type": "array", "items": {"anyOf": refs}}],
        "$defs": {"result": result, "failed": _object(unset | known, names, owner)},
    }


def _object(
    types: Mapping[str, Any], names: Iterable[str], owner: Sequence[str], outer_name: str = ""
) -> Schema:
    """Return the schema of an object with these columns, in their order; `a.b` is nested.

    The columns mean what they do in a row with the classes `owner`, in its field `outer_name`.
    """
    nested: dict[str, list[str]] = {}
    for name in names:
        outer, _, inner = name.partition(".")
        nested.setdefault(outer, []).extend([inner] if inner else [])
    properties = {
        name: _nested_row(types[name], inner, name)
        if inner
        else _described(_of_type(types[name]), owner, f"{outer_name}.{name}".lstrip("."))
        for name, inner in nested.items()
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _described(schema: Schema, owner: Sequence[str], field: str) -> Schema:
    text = meaning(owner, field)
    return schema | {"description": text} if text else schema


def _nested_row(annotation: Any, names: Iterable[str], name: str) -> Schema:  # noqa: ANN401
    """Return the schema of a row with columns as fields; without the row they are all null."""
    kinds = get_args(annotation) or (annotation,)
    (kind,) = (kind for kind in kinds if kind is not NoneType)
    types = _types_of(kind)
    if NoneType in kinds:
        types = {field: of | None for field, of in types.items()}
    return _object(types, names, owners(kind), name)


def _types_of(kind: type[Row]) -> dict[str, Any]:
    # A query imports `Decimal` for the type checker only: at run time that would cost too much.
    hints = get_type_hints(kind, localns={"Decimal": Decimal})
    return {name: hints[name] for name in field_names(kind)}


def _of_type(annotation: Any) -> Schema:  # noqa: ANN401, PLR0911 -- A table: one line per kind of type.
    """Return the schema of a field's type; raises `TypeError` for one that rows must not have."""
    if annotation in _SCALARS:
        return dict(_SCALARS[annotation])
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return _any_of([_of_type(argument) for argument in arguments])
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (list, tuple, Sequence):
        return {"type": "array", "items": _of_type(arguments[0])}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _of_type(arguments[1])}
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return {"enum": [member.value for member in annotation]}
    if _is_tree(annotation):
        return {"$ref": f"#/$defs/{annotation.__name__}"}
    if isinstance(annotation, type) and issubclass(annotation, Row):
        types = _types_of(annotation)
        return _object(types, types, owners(annotation))
    raise TypeError(f"no JSON Schema describes {annotation!r}")


def _is_tree(annotation: Any) -> bool:  # noqa: ANN401 -- A type, as a field declares it.
    """Return True for a row class that has rows of its own class in it."""
    is_row = isinstance(annotation, type) and issubclass(annotation, Row)
    return is_row and list[annotation] in _types_of(annotation).values()


def _any_of(schemas: Sequence[Schema]) -> Schema:
    """Return the schema of a value that one of these describes; null joins a plain type."""
    match schemas:
        case [schema]:
            return schema
        case [{"type": str() as kind} as schema, {"type": "null"}]:
            return {**schema, "type": [kind, "null"]}
    return {"anyOf": list(schemas)}
