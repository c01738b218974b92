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
    whole = not any(option.split("=")[0] in ("--fields", "--field") for option in options)
    validator = _validator(words, whole=whole)
    if validator is None:
        return
    if "--json" in options:
        documents = [json.loads(output)]
    else:
        documents = [json.loads(line) for line in output.splitlines()]
        if _is_many(words) or not all(map(validator.is_valid, documents)):
            documents = [documents]
    for document in documents:
        validator.validate(document)


def command_words(argv: Sequence[str]) -> tuple[str, ...]:
    """Return the words of the command that the arguments name."""
    words: list[str] = []
    command: Any = get_command(app)
    rest = list(argv)
    while isinstance(command, Group) and rest:
        if rest[0] == "--ledger":
            rest = rest[2:]
        elif rest[0].startswith("--ledger="):
            rest = rest[1:]
        elif rest[0] in command.commands:
            words.append(rest.pop(0))
            command = command.load_command(words[-1])
        else:
            break
    return tuple(words)


@cache
def _is_many(words: tuple[str, ...]) -> bool:
    shown = declared(words)
    return shown is not None and shown.many


@cache
def _validator(words: tuple[str, ...], *, whole: bool) -> Draft202012Validator | None:
    """Return the validator of a command's output; None if it declares no rows."""
    shown = declared(words)
    if shown is None:
        return None
    schema = schema_of(" ".join(words), shown)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(_strict(schema, whole=whole), format_checker=FORMATS)


def _strict(schema: Any, *, whole: bool) -> Any:  # noqa: ANN401 -- A part of a schema.
    """Return the schema without room for fields to come; not `whole`: with any of its fields."""
    if isinstance(schema, list):
        return [_strict(part, whole=whole) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: _strict(part, whole=whole) for name, part in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") in _OBJECT:
        strict["additionalProperties"] = False
        if not whole:
            del strict["required"]
    return strict


_OBJECT = ("object", ["object", "null"])
