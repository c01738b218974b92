"""Messages as JSON Lines: one object a line, under the names that chat tools use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from liveportal.feeds.transcripts.lines import Clock, Said, Stamp

TIMES = ("time", "timestamp", "ts", "at")
SPEAKERS = ("speaker", "from", "user", "author", "name")
TEXTS = ("text", "message", "body", "content")

_CLOCK = re.compile(r"([0-9]{1,3}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,3})[0-9]*)?)?")
_NUMBER = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_SECONDS = 100_000_000
_EPOCH_MILLISECONDS = 100_000_000_000
"""From here on a number counts from 1970: no session lasts three years."""
_LARGEST = 10_000_000_000_000


def is_message(line: str) -> bool:
    """Tell whether a line is a message."""
    return _read(_parsed(line)) is not None


def said(lines: Iterable[str]) -> Iterator[Said]:
    """Yield the messages; a line that is not JSON is text, as is one with words in other fields."""
    for line in lines:
        fields = _parsed(line)
        message = _read(fields)
        if message is not None:
            yield message
        elif line.strip() and (fields is None or _has_words(fields)):
            yield Said(None, None, line)


def _has_words(fields: Any) -> bool:  # noqa: ANN401
    """Return whether something is said in a value: a text of more than one word, at any depth."""
    left = [fields]
    while left:
        value = left.pop()
        if isinstance(value, str) and len(value.split()) > 1:
            return True
        if isinstance(value, dict):
            left += [each for name, each in value.items() if name not in SPEAKERS]
        elif isinstance(value, list):
            left += value
    return False


def _read(fields: Any) -> Said | None:  # noqa: ANN401
    if not isinstance(fields, dict):
        return None
    text = _first(fields, TEXTS)
    if not isinstance(text, str):
        return None
    return Said(_stamp(_first(fields, TIMES)), _name(_first(fields, SPEAKERS)), text)


def _parsed(line: str) -> Any:  # noqa: ANN401 -- Whatever JSON holds.
    """Return the JSON of a line; None if it is none, or too deep or long to be a message."""
    if not line.lstrip().startswith("{"):
        return None
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _first(fields: dict[str, Any], names: Iterable[str]) -> Any:  # noqa: ANN401
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def _name(value: Any) -> str | None:  # noqa: ANN401
    if isinstance(value, dict):
        value = _first(value, ("name", "displayName", "id"))
    return value if isinstance(value, str) else None


def _stamp(value: Any) -> Stamp:  # noqa: ANN401
    if isinstance(value, str):
        text = value.strip()
        if _NUMBER.fullmatch(text):
            return _counted(float(text))
        match = _CLOCK.fullmatch(text)
        return _clock(match) if match else _instant(text)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _counted(value)
    return None


def _counted(number: float) -> Stamp:
    """Return seconds since the start, or since 1970."""
    if not abs(number) < _LARGEST:  # Also what is no number, and what no float can hold.
        return None
    seconds = number / 1000 if abs(number) >= _EPOCH_MILLISECONDS else number
    if abs(seconds) >= _EPOCH_SECONDS:
        try:
            return _EPOCH + timedelta(seconds=seconds)  # Also before it, which Windows cannot.
        except OverflowError:
            return None
    return round(seconds * 1000)


def _clock(match: re.Match[str]) -> Clock | None:
    hour, minute, second, fraction = match.groups()
    if int(minute) > 59 or int(second or 0) > 59:  # noqa: PLR2004 -- Of every hour.
        return None
    milliseconds = int((fraction or "0").ljust(3, "0"))
    return Clock(int(hour), int(minute), int(second) if second else None, milliseconds)


def _instant(text: str) -> datetime | None:
    """Read an ISO time; without an offset it is local time."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
