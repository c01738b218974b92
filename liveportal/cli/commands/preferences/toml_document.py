"""Write preferences as TOML, and read them back as an event's data.

A file has the fields of `preferences.changed`, in their order. Amounts are written as at the shell
(`"2.50 USD"`); days and times are TOML's own types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from liveportal.cli.io.prompts import STDIN, stdin_bytes
from liveportal.cli.io.text import clean
from liveportal.cli.io.usage import suggestion
from liveportal.cli.parse import toml_file
from liveportal.domain.clock import zone
from liveportal.domain.errors import InvalidEvent, InvalidValue, LiveportalError, UnreadableFile
from liveportal.domain.events.fields import EventRecord, decode, field_specs
from liveportal.domain.events.types import PreferencesChanged
from liveportal.domain.money import Money
from liveportal.domain.schedule.preferences import STRUCTURED, parse_error, parse_structured
from liveportal.domain.schedule.working_hours import LOCAL_TIME
from liveportal.ledger.storage.ledger_paths import check_input

LONGEST_FILE = 1_000_000
"""In bytes."""

ReadAmount = Callable[[str], Money]

_HEAD = """\
# Preferences: `liveportal preferences import FILE` records what differs from the current ones.
# Preferences that are not named here keep their values; those that are named are replaced whole.
# Rates are per minute; buffers, alarms and lengths are in minutes, attachment_limit is in bytes.
# Hours and days are in your own time zone.
"""


# --- writing ----------------------------------------------------------------------------------


def format_toml(document: Mapping[str, Any]) -> str:
    """Format preferences as TOML; raises `InvalidValue` for a text that TOML cannot express.

    An invalid preference counts as not set, and is named in a comment.
    """
    import tomli_w

    values = decode(PreferencesChanged, dict(document)) if document else PreferencesChanged()
    table: dict[str, Any] = {}
    head = _HEAD
    for name, *_ in field_specs(PreferencesChanged):
        value = getattr(values, name)
        if name in STRUCTURED:
            if parse_error(name, value):
                head += (
                    f"# {name} has a form that only the platform uses; it is not written here.\n"
                )
            value = parse_structured(name, value)
        if value is not None:
            table[name] = _to_toml(name, value)
    text = tomli_w.dumps(table)
    # Non-ASCII characters occur only in strings, where control characters can be escaped.
    return head + "\n" * bool(table) + re.sub(r"[^\x00-\x7f]", _escape, text)


def _to_toml(path: str, value: object) -> Any:  # noqa: ANN401 (a value of TOML)
    match value:
        case Money():
            return f"{value} {value.currency}"
        case str():
            return _check_text(path, value)
        case tuple():
            return [_to_toml(f"{path}[{number}]", item) for number, item in enumerate(value, 1)]
        case EventRecord():
            return {
                name: _to_toml(f"{path}.{name}", field)
                for name, *_ in field_specs(type(value))
                if (field := getattr(value, name)) is not None
            }
    return value


def _check_text(path: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidValue(
            f"{path} has a character that TOML cannot express: U+{ord(text[error.start]):04X}.",
            hint="Change the text with `liveportal preferences set` first.",
            field=path,
        ) from None
    return text


def _escape(match: re.Match[str]) -> str:
    if clean(match[0]) == match[0]:
        return match[0]
    number = ord(match[0])
    return f"\\u{number:04X}" if number <= 0xFFFF else f"\\U{number:08X}"  # noqa: PLR2004


# --- reading ----------------------------------------------------------------------------------


def content_of(file: str) -> tuple[str, str]:
    """Return a file's name for messages, and its text; `-` is standard input.

    Raises `UnreadableFile`, `InvalidInput`.
    """
    if file == STDIN:
        where, content = "Standard input", stdin_bytes().read(LONGEST_FILE + 1)
    else:
        where = file
        check_input(Path(file))
        try:
            with Path(file).open("rb") as source:
                content = source.read(LONGEST_FILE + 1)
        except (OSError, ValueError) as error:  # `ValueError`: the name has a NUL.
            reason = getattr(error, "strerror", None) or error
            raise UnreadableFile(
                f"{file} cannot be read: {reason}.", hint="Check the path.", path=file
            ) from None
    if len(content) > LONGEST_FILE:
        raise UnreadableFile(
            f"{where} is longer than {LONGEST_FILE} bytes.", hint="Check the path.", path=file
        )
    try:
        return where, content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            f"{where} is not UTF-8 text (byte {error.start + 1}).",
            hint="Save the file in UTF-8.",
            path=file,
        ) from None


def parse_toml(text: str, where: str, amount: ReadAmount) -> PreferencesChanged:
    """Parse preferences from TOML; errors name `where`, the key and the reason.

    Raises `InvalidValue` if the text is not TOML, and `InvalidEvent`.
    """
    try:
        document = toml_file.loads(text)
    except ValueError as error:
        raise InvalidValue(
            f"{where} is not a TOML file: {error}.", hint="Correct the file.", path=where
        ) from None
    try:
        return _decode_document(document, amount)
    except InvalidEvent as error:
        raise error.located(where, path=where) from None


def _decode_document(document: dict[str, Any], amount: ReadAmount) -> PreferencesChanged:
    known = [name for name, *_ in field_specs(PreferencesChanged)]
    for name in document:
        if name not in known:
            wrong = InvalidEvent(name[:64], "is not a preference")
            wrong.hint = suggestion(name, known, "`liveportal preferences export` writes them all.")
            raise wrong
    values = _to_event_values(document, amount)
    data: PreferencesChanged = decode(PreferencesChanged, values)
    for name in STRUCTURED:
        if error := parse_error(name, values.get(name)):
            raise error
    for number, vacation in enumerate(data.vacations or (), 1):
        if vacation.end < vacation.start:
            raise InvalidEvent(f"vacations[{number}].end", "must not be before the start")
    if data.timezone is not None:
        _or_invalid("timezone", lambda: zone(data.timezone or ""))
    return data


def _to_event_values(document: dict[str, Any], amount: ReadAmount) -> dict[str, Any]:
    """Return a document with amounts, days and times in the form of events.

    Values of other types are left as they are: decoding reports them.
    """
    read_amount = _amount_converter(amount)
    values = dict(document)
    for name in ("minimum_rate", "direct_rate"):
        _convert(values, name, name, read_amount)
    _convert_rows(values, "vacations", "", {"start": _convert_day, "end": _convert_day})
    _convert_rows(values, "auto_decline", "", {"below_rate": read_amount})
    if isinstance(availability := values.get("availability"), dict):
        values["availability"] = converted = dict(availability)
        _convert_rows(converted, "rules", "availability.", {"start": _convert_local_time})
        _convert_rows(converted, "exceptions", "availability.", {"date": _convert_day})
    return values


Converter = Callable[[str, Any], Any]


def _convert_rows(
    table: dict[str, Any], name: str, prefix: str, converters: Mapping[str, Converter]
) -> None:
    """Convert values of every table in an array of tables."""
    if not isinstance(table.get(name), list):
        return
    table[name] = [dict(row) if isinstance(row, dict) else row for row in table[name]]
    for number, row in enumerate(table[name], 1):
        if isinstance(row, dict):
            for key, convert in converters.items():
                _convert(row, key, f"{prefix}{name}[{number}].{key}", convert)


def _convert(table: dict[str, Any], name: str, path: str, convert: Converter) -> None:
    if name in table:
        table[name] = convert(path, table[name])


def _amount_converter(amount: ReadAmount) -> Converter:
    def read_amount(path: str, value: object) -> dict[str, str]:
        if not isinstance(value, str):
            raise InvalidEvent(path, 'must be a string such as "2.50" or "2.50 USD"')
        money = _or_invalid(path, lambda: amount(value))
        return {"amount": str(money), "currency": money.currency}

    return read_amount


def _convert_day(path: str, value: object) -> object:
    if isinstance(value, datetime):
        raise InvalidEvent(path, "must be a date, such as 2026-10-05")
    return value.isoformat() if isinstance(value, date) else value


def _convert_local_time(_path: str, value: object) -> object:
    return LOCAL_TIME.write(value) if isinstance(value, datetime) else value


def _or_invalid(path: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401
    """Return the result of a call; its `LiveportalError` becomes an `InvalidEvent` of the field."""
    try:
        return call()
    except LiveportalError as error:
        raise InvalidEvent(path, error.message) from None
