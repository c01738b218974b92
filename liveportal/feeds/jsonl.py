"""A feed: JSON Lines of CloudEvents 1.0, one event a line, UTF-8.

Every line is either an event or an `InvalidEvent` that names the field and the reason; nothing else
comes out, whatever goes in.
"""

from __future__ import annotations

import json
import math
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from json.scanner import make_scanner
from typing import Any, BinaryIO, NamedTuple, NoReturn

from liveportal.domain.clock import parse_instant
from liveportal.domain.errors import InvalidEvent, InvalidTime, UnreadableFile
from liveportal.domain.events.envelope import PREFIX, Event
from liveportal.domain.events.fields import decode
from liveportal.domain.events.types import TYPES
from liveportal.domain.patterns import pattern

LONGEST_LINE = 16 * 1024 * 1024
"""Bytes; a longer line is refused before it is read whole, so that memory stays bounded."""

CHUNK_BYTES = 8 * 1024 * 1024
"""Of lines that are read together; the last one may go beyond it."""

SHOWN_OF_TOO_LONG = 1024
LONGEST_NAME = 1024
_ATTRIBUTE = pattern(r"[a-z0-9]{1,64}", re.ASCII)
_UNSPEAKABLE = pattern(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_KNOWN = {"specversion", "id", "source", "type", "time", "data"}
_CLASSES = {PREFIX + kind: data_class for kind, data_class in TYPES.items()}


class Line(NamedTuple):
    """A line of a feed as it came: its number from 1, and its bytes without the line's end.

    Of a line that is too long only the beginning is kept (`whole` is False).
    """

    number: int
    raw: bytes
    whole: bool = True


def lines(stream: BinaryIO, before: int = 0, *, longest: int | None = None) -> Iterator[Line]:
    """Read a feed line by line, numbered after those `before` it; blank lines are no lines.

    A byte order mark at the feed's beginning is skipped. A line that is longer than `longest` bytes
    (`LONGEST_LINE` if None) is yielded before the rest of it is read, which may have no end. Raises
    `UnreadableFile`.
    """
    number, longest = before, longest or LONGEST_LINE
    try:
        while raw := stream.readline(longest + 1):
            number += 1
            if number == 1:
                raw = raw.removeprefix(BOM_UTF8)
            if len(raw) > longest:
                is_over = raw.endswith(b"\n")
                raw = raw[:SHOWN_OF_TOO_LONG]
                yield Line(number, raw, whole=False)
                while not is_over:
                    rest = stream.readline(CHUNK_BYTES)
                    is_over = not rest or rest.endswith(b"\n")
                continue
            raw = raw.rstrip(b"\r\n")
            if raw.strip():
                yield Line(number, raw)
    except OSError as error:
        raise UnreadableFile(f"the feed cannot be read: {error.strerror}") from None


def chunks(found: Iterable[Line], most: int) -> Iterator[list[Line]]:
    """Yield lines together, at most so many and about `CHUNK_BYTES`: memory stays bounded.

    A line that is too long is the last of its chunk, so that it is judged at once.
    """
    chunk: list[Line] = []
    left = CHUNK_BYTES
    for line in found:
        chunk.append(line)
        left -= len(line.raw)
        if len(chunk) == most or left <= 0 or not line.whole:
            yield chunk
            chunk, left = [], CHUNK_BYTES
    if chunk:
        yield chunk


def read(line: Line) -> Event:
    """Read the event of a line; raises as `parse` does."""
    if not line.whole:
        raise InvalidEvent("", f"is longer than {LONGEST_LINE} bytes")
    return parse(line.raw)


def parse(raw: bytes) -> Event:
    """Read one event; raises `InvalidEvent` (`AmountTooLarge` for what no book can hold)."""
    return event_of(envelope(raw))


def envelope(raw: bytes) -> dict[str, Any]:
    """Read the envelope of one event, whose data is not looked at; raises `InvalidEvent`."""
    document = _json(raw)
    if not isinstance(document, dict):
        raise InvalidEvent("", "is not a JSON object")
    if not _plain(document):
        _check_closely(document)
    return document


def event_of(document: dict[str, Any], *, erased: bool = False) -> Event:
    """Read the event of an envelope; raises as `parse`.

    Of an `erased` event the personal texts may be missing.
    """
    kind = document["type"]
    data_class = _CLASSES.get(kind)
    if data_class is None:
        raise InvalidEvent("type", f"{kind[:80]!r} is not a type of event")
    try:
        time = parse_instant(document["time"])
    except InvalidTime as error:
        raise InvalidEvent("time", error.message) from None
    data = decode(data_class, document["data"], erased=erased)
    if len(document) == len(_KNOWN):
        return Event(document["source"], document["id"], time, data)
    attributes = {
        name: value for name, value in document.items() if name not in _KNOWN and value is not None
    }
    return Event(document["source"], document["id"], time, data, attributes)


def _plain(document: dict[str, Any]) -> bool:
    """Tell whether an envelope is like nearly all of them; any other may be right, too."""
    if document.keys() != _KNOWN or document["specversion"] != "1.0":
        return False
    names = document["id"], document["source"], document["type"], document["time"]
    try:
        text = "".join(names)
    except TypeError:
        return False
    return all(names) and len(text) <= LONGEST_NAME and text.isascii() and text.isprintable()


def _check_closely(document: dict[str, Any]) -> None:
    if document.get("specversion") != "1.0":
        raise InvalidEvent("specversion", 'must be "1.0"')
    for name in ("id", "source", "type", "time"):
        value = document.get(name)
        if not isinstance(value, str) or not value:
            raise InvalidEvent(name, "is missing" if value is None else "must be a text")
        if len(value) > LONGEST_NAME or _UNSPEAKABLE.search(value):
            raise InvalidEvent(name, f"must be 1-{LONGEST_NAME} printable characters")
    if "data" not in document:
        raise InvalidEvent("data", "is missing")
    for name, value in document.items():
        if name in _KNOWN:
            continue
        if not _ATTRIBUTE.fullmatch(name) or name == "data_base64":
            raise InvalidEvent(name[:64], "is not an attribute of an event")
        if not isinstance(value, str | int | None):  # Null is the same as absent.
            raise InvalidEvent(name, "must be a text, a whole number or a truth value")


def _json(raw: bytes) -> Any:  # noqa: ANN401
    try:
        text = raw.decode("utf-8")
        if text[:1] == "{":
            with suppress(StopIteration):  # A value is missing: the decoder says where.
                document, end = _SCAN(text, 0)
                if end == len(text):
                    return document
        return _DECODER.decode(text)
    except UnicodeDecodeError:
        raise InvalidEvent("", "is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise InvalidEvent("", f"is not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise InvalidEvent("", "is nested too deeply") from None
    except ValueError:  # A number of thousands of digits.
        raise InvalidEvent("", "holds a number that is too long") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        times = Counter(name for name, _ in pairs)
        twice = next(name for name, count in times.items() if count > 1)
        raise InvalidEvent(twice[:64], "stands twice in the same object")
    return found


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise InvalidEvent("", f"{text[:40]} is larger than any number")
    return number


def _constant(name: str) -> NoReturn:
    raise InvalidEvent("", f"{name} is not a number of JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_float=_number
)
_SCAN: Callable[[str, int], tuple[Any, int]] = make_scanner(_DECODER)  # type: ignore[arg-type]
"""What the decoder does but for looking for blanks around the document."""
