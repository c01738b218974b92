"""Preferences as a TOML file: written, and read back as what an event says.

A file has the fields of `preferences.changed`, in their order, but for amounts, which are as at the
shell (`"2.50 USD"`), and days and times, which are TOML's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from liveportal.cli.io.prompts import STDIN, stdin_bytes
from liveportal.cli.io.text import clean
from liveportal.cli.parse import toml_file
from liveportal.domain.clock import zone
from liveportal.domain.errors import InvalidEvent, InvalidValue, LiveportalError, UnreadableFile
from liveportal.domain.events.fields import EventRecord, decode, plan
from liveportal.domain.events.types import PreferencesChanged
from liveportal.domain.handlers.preferences import STRUCTURED, structured, unreadable
from liveportal.domain.money import Money
from liveportal.domain.schedule.working_hours import LOCAL_TIME
from liveportal.ledger.storage.ledger_paths import check_input

LONGEST_FILE = 1_000_000
"""In bytes: more than any list of skills."""

ReadAmount = Callable[[str], Money]

_HEAD = """\
# Preferences: `liveportal preferences import FILE` records what differs from those in force.
# What is not named here stays as it is; what is named is taken whole.
# Rates are a minute; buffers, alarms and lengths are in minutes, attachment_limit is in bytes.
# Hours are local times of your time zone, as are the days.
"""


# --- writing ----------------------------------------------------------------------------------


def written(document: Mapping[str, Any]) -> str:
    """Write preferences as TOML; raises `InvalidValue` for a text that TOML cannot hold.

    What cannot be read counts as not set, and is named in a comment.
    """
    import tomli_w

    values = decode(PreferencesChanged, dict(document)) if document else PreferencesChanged()
    table: dict[str, Any] = {}
    head = _HEAD
    for name, *_ in plan(PreferencesChanged):
        value = getattr(values, name)
        if name in STRUCTURED:
            if unreadable(name, value):
                head += f"# {name} has a form of the platform's own, which is not written here.\n"
            value = structured(name, value)
        if value is not None:
            table[name] = _toml(name, value)
    text = tomli_w.dumps(table)
    # Only texts are not ASCII, and texts may have escapes: so that no terminal obeys one.
    return head + "\n" * bool(table) + re.sub(r"[^\x00-\x7f]", _escaped, text)


def _toml(path: str, value: object) -> Any:  # noqa: ANN401 (what TOML has)
    match value:
        case Money():
            return f"{value} {value.currency}"
        case str():
            return _text(path, value)
        case tuple():
            return [_toml(f"{path}[{number}]", each) for number, each in enumerate(value, 1)]
        case EventRecord():
            return {
                name: _toml(f"{path}.{name}", each)
                for name, *_ in plan(type(value))
                if (each := getattr(value, name)) is not None
            }
    return value


def _text(path: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidValue(
            f"{path} has a character that TOML cannot hold: U+{ord(text[error.start]):04X}",
            hint="Give it another text with `liveportal preferences set` first.",
            field=path,
        ) from None
    return text


def _escaped(match: re.Match[str]) -> str:
    if clean(match[0]) == match[0]:
        return match[0]
    number = ord(match[0])
    return f"\\u{number:04X}" if number <= 0xFFFF else f"\\U{number:08X}"  # noqa: PLR2004


# --- reading ----------------------------------------------------------------------------------


def content_of(file: str) -> tuple[str, str]:
    """Return how a file is called in messages, and its text; `-` is standard input.

    Raises `UnreadableFile`, `InvalidInput`.
    """
    if file == STDIN:
        where, content = "standard input", stdin_bytes().read(LONGEST_FILE + 1)
    else:
        where = file
        check_input(Path(file))
        try:
            with Path(file).open("rb") as source:
                content = source.read(LONGEST_FILE + 1)
        except (OSError, ValueError) as error:  # A name with a NUL.
            reason = getattr(error, "strerror", None) or error
            raise UnreadableFile(f"{file} cannot be read: {reason}", path=file) from None
    if len(content) > LONGEST_FILE:
        raise UnreadableFile(f"{where} is longer than {LONGEST_FILE} bytes", path=file)
    try:
        return where, content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            f"{where} is not UTF-8 text (byte {error.start + 1})", path=file
        ) from None


def read(text: str, where: str, amount: ReadAmount) -> PreferencesChanged:
    """Read preferences from TOML; errors name `where`, the key and the reason.

    Raises `InvalidValue` for what is no TOML, and `InvalidEvent`.
    """
    try:
        document = toml_file.loads(text)
    except ValueError as error:
        raise InvalidValue(f"{where} is not TOML: {error}", path=where) from None
    try:
        return _event(document, amount)
    except InvalidEvent as error:
        raise error.located(where, path=where) from None


def _event(document: dict[str, Any], amount: ReadAmount) -> PreferencesChanged:
    known = [name for name, *_ in plan(PreferencesChanged)]
    for name in document:
        if name not in known:
            raise InvalidEvent(name[:64], f"is no preference; there are {', '.join(known)}")
    plain = _plain(document, amount)
    data: PreferencesChanged = decode(PreferencesChanged, plain)
    for name in STRUCTURED:
        if error := unreadable(name, plain.get(name)):
            raise error
    for number, vacation in enumerate(data.vacations or (), 1):
        if vacation.end < vacation.start:
            raise InvalidEvent(f"vacations[{number}].end", "must not be before the start")
    if data.timezone is not None:
        _or_invalid("timezone", lambda: zone(data.timezone or ""))
    return data


def _plain(document: dict[str, Any], amount: ReadAmount) -> dict[str, Any]:
    """Return a document with amounts, days and times as events have them.

    What is of another type is left as it is: whoever reads it says so.
    """
    read_amount = _amount_reader(amount)
    plain = dict(document)
    for name in ("minimum_rate", "direct_rate"):
        _change(plain, name, name, read_amount)
    _each(plain, "vacations", "", {"start": _day, "end": _day})
    _each(plain, "auto_decline", "", {"below_rate": read_amount})
    if isinstance(availability := plain.get("availability"), dict):
        plain["availability"] = inner = dict(availability)
        _each(inner, "rules", "availability.", {"start": _local_time})
        _each(inner, "exceptions", "availability.", {"date": _day})
    return plain


Change = Callable[[str, Any], Any]


def _each(table: dict[str, Any], name: str, prefix: str, changes: Mapping[str, Change]) -> None:
    """Change the values of each table in an array of tables."""
    if not isinstance(table.get(name), list):
        return
    table[name] = [dict(each) if isinstance(each, dict) else each for each in table[name]]
    for number, each in enumerate(table[name], 1):
        if isinstance(each, dict):
            for key, change in changes.items():
                _change(each, key, f"{prefix}{name}[{number}].{key}", change)


def _change(table: dict[str, Any], name: str, path: str, change: Change) -> None:
    if name in table:
        table[name] = change(path, table[name])


def _amount_reader(amount: ReadAmount) -> Change:
    def read_amount(path: str, value: object) -> dict[str, str]:
        if not isinstance(value, str):
            raise InvalidEvent(path, 'must be a text such as "2.50" or "2.50 USD"')
        money = _or_invalid(path, lambda: amount(value))
        return {"amount": str(money), "currency": money.currency}

    return read_amount


def _day(path: str, value: object) -> object:
    if isinstance(value, datetime):
        raise InvalidEvent(path, "must be a date such as 2026-10-05")
    return value.isoformat() if isinstance(value, date) else value


def _local_time(_path: str, value: object) -> object:
    return LOCAL_TIME.write(value) if isinstance(value, datetime) else value


def _or_invalid(path: str, attempt: Callable[[], Any]) -> Any:  # noqa: ANN401
    """Return what an attempt returns; its failure is that of the field."""
    try:
        return attempt()
    except LiveportalError as error:
        raise InvalidEvent(path, error.message) from None
