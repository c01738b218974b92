"""Validates what commands write against their own JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from typer.main import get_command

from liveportal.cli.app import Group, app
from liveportal.cli.commands.schema import declared
from liveportal.cli.io.view_model import Shown
from liveportal.cli.json_schema import schema_of
from liveportal.domain.clock import parse_instant
from liveportal.domain.errors import InvalidTime

FORMATS = FormatChecker(["date"])
FORMATS.checks("date-time", InvalidTime)(lambda text: not isinstance(text, str) or _is_time(text))


def _is_time(text: str) -> bool:
    return parse_instant(text).utcoffset() is not None


def check_output(argv: Sequence[str], output: str) -> None:
    """Assert that the output of a command is what its schema says, if it is JSON."""
    options = argv[: argv.index("--")] if "--" in argv else argv
    if not output or not {"--json", "--jsonl"} & set(options):
        return
    words = command_words(argv)
    shown = _declared(words)
    if shown is None:
        return
    is_whole = not any(option.split("=")[0] in ("--fields", "--field") for option in options)
    validator = _validator(words, shown, is_whole=is_whole)
    if "--json" in options:
        documents = [json.loads(output)]
    else:
        documents = [json.loads(line) for line in output.splitlines()]
        if shown.many or (shown.tables and not all(map(validator.is_valid, documents))):
            documents = [documents]
    for document in documents:
        rows = document if isinstance(document, list) else [document]
        marks = [(words, is_whole, json.dumps(row)) for row in rows]
        new = [row for row, mark in zip(rows, marks, strict=True) if mark not in _valid]
        if rows and not new:
            continue
        validator.validate(new if isinstance(document, list) else document)
        if is_whole and len(shown.rows) < 2 and not shown.tables:
            _check_order(validator.schema, new)
        _valid.update(marks)


_valid: set[tuple[tuple[str, ...], bool, str]] = set()
"""Rows that were valid before, by command: most tests read the same few ledgers."""


def _check_order(schema: Any, rows: list[Any]) -> None:  # noqa: ANN401 -- Whatever JSON holds.
    """Assert that the fields of each row stand in the order of the schema."""
    schema = schema.get("$defs", {}).get("result", schema)
    names = list(schema.get("items", schema)["properties"])
    for row in rows:
        assert list(row) == names


def command_words(argv: Sequence[str]) -> tuple[str, ...]:
    """Return the words of the command that the arguments name."""
    words: tuple[str, ...] = ()
    rest = list(argv)
    while rest:
        if rest[0] == "--ledger":
            rest = rest[2:]
        elif rest[0].startswith("--ledger="):
            rest = rest[1:]
        elif rest[0] in _names_below(words):
            words = (*words, rest.pop(0))
        else:
            break
    return words


@cache
def _names_below(words: tuple[str, ...]) -> frozenset[str]:
    """Return the names of a group's commands; none for a command."""
    command: Any = get_command(app)
    for word in words:
        command = command.load_command(word)
    return frozenset(command.commands if isinstance(command, Group) else ())


@cache
def _declared(words: tuple[str, ...]) -> Shown | None:
    return declared(words)


@cache
def _validator(words: tuple[str, ...], shown: Shown, *, is_whole: bool) -> Draft202012Validator:
    schema = schema_of(" ".join(words), shown)
    return Draft202012Validator(_strict(schema, is_whole=is_whole), format_checker=FORMATS)


def _strict(schema: Any, *, is_whole: bool) -> Any:  # noqa: ANN401 -- A part of a schema.
    """Return the schema without room for fields to come; not whole: with any of its fields."""
    if isinstance(schema, list):
        return [_strict(part, is_whole=is_whole) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: _strict(part, is_whole=is_whole) for name, part in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") in _OBJECT:
        strict["additionalProperties"] = False
        if not is_whole:
            del strict["required"]
    return strict


_OBJECT = ("object", ["object", "null"])
