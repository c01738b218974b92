"""A feed: CloudEvents 1.0 as JSON Lines, one event per line, in UTF-8.

Every line, whatever it holds, gives either an event or an `InvalidEvent` with field and reason.
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
"""In bytes; a longer line is refused before it is read to its end, so that memory stays bounded."""

CHUNK_BYTES = 8 * 1024 * 1024
"""The size of the lines that are read together; the last line may exceed it."""

SHOWN_OF_TOO_LONG = 1024
LONGEST_NAME = 1024
_ATTRIBUTE = pattern(r"[a-z0-9]{1,64}", re.ASCII)
_UNPRINTABLE = pattern(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_KNOWN = {"specversion", "id", "source", "type", "time", "data"}
_DATA_CLASSES = {PREFIX + kind: data_class for kind, data_class in TYPES.items()}


class Line(NamedTuple):
    """A line of a feed: its number from 1, and its bytes without the line ending.

    Only the beginning of a line that is too long is kept (`whole` is False).
    """

    number: int
    raw: bytes
    whole: bool = True


def lines(stream: BinaryIO, before: int = 0, *, longest: int | None = None) -> Iterator[Line]:
    """Yield the lines of a feed, numbered from `before` + 1; blank lines are skipped.

    A byte order mark at the beginning is skipped. A line of more than `longest` bytes
    (`LONGEST_LINE` if None) is yielded before its end is read, which may never come. Raises
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
    except (OSError, ValueError) as error:  # ValueError: it is closed, or of another encoding.
        reason = getattr(error, "strerror", None) or error  # Python's own errors have no strerror.
        raise UnreadableFile(
            f"The feed cannot be read: {reason}.", hint="Check the feed and try again."
        ) from None


def chunks(feed_lines: Iterable[Line], most: int) -> Iterator[list[Line]]:
    """Yield chunks of at most `most` lines and about `CHUNK_BYTES`, so that memory stays bounded.

    A line that is too long ends its chunk, so that it is reported at once.
    """
    chunk: list[Line] = []
    bytes_left = CHUNK_BYTES
    for line in feed_lines:
        chunk.append(line)
        bytes_left -= len(line.raw)
        if len(chunk) == most or bytes_left <= 0 or not line.whole:
            yield chunk
            chunk, bytes_left = [], CHUNK_BYTES
    if chunk:
        yield chunk


def read(line: Line) -> Event:
    """Return the event of a line; raises the errors of `parse`."""
    if not line.whole:
        raise InvalidEvent("", f"is longer than {LONGEST_LINE} bytes")
    return parse(line.raw)


def parse(raw: bytes) -> Event:
    """Parse one event; raises `InvalidEvent`, or `AmountTooLarge` if a ledger cannot hold it."""
    return event_of(envelope(raw))


def envelope(raw: bytes) -> dict[str, Any]:
    """Parse the envelope of one event, without its data; raises `InvalidEvent`."""
    document = parse_json(raw)
    if not isinstance(document, dict):
        raise InvalidEvent("", "is not a JSON object")
    if not _is_common_envelope(document):
        _check_envelope(document)
    return document


def event_of(document: dict[str, Any], *, erased: bool = False) -> Event:
    """Return the event of an envelope; raises the errors of `parse`.

    The personal texts of an `erased` event may be missing.
    """
    kind = document["type"]
    data_class = _DATA_CLASSES.get(kind)
    if data_class is None:
        raise InvalidEvent("type", f"{kind[:80]!r} is not a type of event.")
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


def _is_common_envelope(document: dict[str, Any]) -> bool:
    """Return True for the common kind of valid envelope; others need `_check_envelope`."""
    if document.keys() != _KNOWN or document["specversion"] != "1.0":
        return False
    names = document["id"], document["source"], document["type"], document["time"]
    try:
        text = "".join(names)
    except TypeError:
        return False
    return all(names) and len(text) <= LONGEST_NAME and text.isascii() and text.isprintable()


def _check_envelope(document: dict[str, Any]) -> None:
    if document.get("specversion") != "1.0":
        raise InvalidEvent("specversion", 'must be "1.0"')
    for name in ("id", "source", "type", "time"):
        value = document.get(name)
        if not isinstance(value, str) or not value:
            raise InvalidEvent(name, "is missing" if value is None else "must be a string")
        if len(value) > LONGEST_NAME or _UNPRINTABLE.search(value):
            raise InvalidEvent(name, f"must be 1 to {LONGEST_NAME} printable characters")
    if "data" not in document:
        raise InvalidEvent("data", "is missing")
    for name, value in document.items():
        if name not in _KNOWN:
            check_attribute(name, "" if value is None else value)  # Null means absent.


def check_attribute(name: str, value: object) -> None:
    """Check an attribute that is not one of the six required; raises `InvalidEvent`."""
    if not _ATTRIBUTE.fullmatch(name) or name == "data_base64" or name in _KNOWN:
        raise InvalidEvent(name[:64], "is not an attribute of an event")
    if not isinstance(value, str | int):
        raise InvalidEvent(name, "must be a string, a whole number, true or false")


def parse_json(raw: bytes) -> Any:  # noqa: ANN401 -- Any JSON.
    """Parse JSON in which no name is twice in an object; raises `InvalidEvent`."""
    try:
        text = raw.decode("utf-8")
        if text[:1] == "{":
            with suppress(StopIteration):  # A value is missing: the decoder below reports where.
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
    except ValueError:  # A number with thousands of digits.
        raise InvalidEvent("", "has a number that is too long") from None


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        duplicate = next(name for name, count in counts.items() if count > 1)
        raise InvalidEvent(duplicate[:64], "appears twice in the same object")
    return document


def _parse_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise InvalidEvent("", f"has a number that is too large, {text[:40]}")
    return number


def _reject_constant(name: str) -> NoReturn:
    raise InvalidEvent("", f"has {name}, which JSON does not allow")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_build_object, parse_constant=_reject_constant, parse_float=_parse_float
)
_SCAN: Callable[[str, int], tuple[Any, int]] = make_scanner(_DECODER)  # type: ignore[arg-type]
"""The decoder without its search for whitespace around the document."""
