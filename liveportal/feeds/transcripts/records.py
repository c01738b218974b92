"""Messages as JSON Lines: one object per line, with the field names of common chat tools."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from liveportal.feeds.transcripts.lines import Clock, ParsedMessage, Stamp

TIMES = ("time", "timestamp", "ts", "at")
SPEAKERS = ("speaker", "from", "user", "author", "name")
TEXTS = ("text", "message", "body", "content")

_CLOCK = re.compile(r"([0-9]{1,3}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,3})[0-9]*)?)?")
_NUMBER = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_SECONDS = 100_000_000
_EPOCH_MILLISECONDS = 100_000_000_000
"""Larger numbers count from 1970: no session lasts three years."""
_LARGEST = 10_000_000_000_000


def is_message(line: str) -> bool:
    """Return True if a line is a message."""
    return _to_message(_parse_json(line)) is not None


def read_messages(lines: Iterable[str]) -> Iterator[ParsedMessage]:
    """Yield the messages; a line that is not JSON, or has text in other fields, is kept as text."""
    for line in lines:
        fields = _parse_json(line)
        message = _to_message(fields)
        if message is not None:
            yield message
        elif line.strip() and (fields is None or _has_text(fields)):
            yield ParsedMessage(None, None, line)


def _has_text(fields: Any) -> bool:  # noqa: ANN401
    """Return True if a value contains a text of more than one word, at any depth."""
    values = [fields]
    while values:
        value = values.pop()
        if isinstance(value, str) and len(value.split()) > 1:
            return True
        if isinstance(value, dict):
            values += [item for name, item in value.items() if name not in SPEAKERS]
        elif isinstance(value, list):
            values += value
    return False


def _to_message(fields: Any) -> ParsedMessage | None:  # noqa: ANN401
    if not isinstance(fields, dict):
        return None
    text = _first_value(fields, TEXTS)
    if not isinstance(text, str):
        return None
    return ParsedMessage(
        _to_stamp(_first_value(fields, TIMES)), _name(_first_value(fields, SPEAKERS)), text
    )


def _parse_json(line: str) -> Any:  # noqa: ANN401 -- Any JSON value.
    """Return the JSON object of a line, or None if it is invalid, too deep or too long."""
    if not line.lstrip().startswith("{"):
        return None
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _first_value(fields: dict[str, Any], names: Iterable[str]) -> Any:  # noqa: ANN401
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def _name(value: Any) -> str | None:  # noqa: ANN401
    if isinstance(value, dict):
        value = _first_value(value, ("name", "displayName", "id"))
    return value if isinstance(value, str) else None


def _to_stamp(value: Any) -> Stamp:  # noqa: ANN401
    if isinstance(value, str):
        text = value.strip()
        if _NUMBER.fullmatch(text):
            return _number_to_stamp(float(text))
        match = _CLOCK.fullmatch(text)
        return _match_to_clock(match) if match else _parse_iso_time(text)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_to_stamp(value)
    return None


def _number_to_stamp(number: float) -> Stamp:
    """Return the stamp for a number: seconds since the start, or since 1970."""
    if not abs(number) < _LARGEST:  # Also false for NaN and infinity.
        return None
    seconds = number / 1000 if abs(number) >= _EPOCH_MILLISECONDS else number
    if abs(seconds) >= _EPOCH_SECONDS:
        try:
            # On Windows `fromtimestamp` would reject times before 1970.
            return _EPOCH + timedelta(seconds=seconds)
        except OverflowError:
            return None
    return round(seconds * 1000)


def _match_to_clock(match: re.Match[str]) -> Clock | None:
    hour, minute, second, fraction = match.groups()
    if int(minute) > 59 or int(second or 0) > 59:  # noqa: PLR2004 -- The last minute and second.
        return None
    milliseconds = int((fraction or "0").ljust(3, "0"))
    return Clock(int(hour), int(minute), int(second) if second else None, milliseconds)


def _parse_iso_time(text: str) -> datetime | None:
    """Parse an ISO 8601 time; without an offset it is local time."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
