"""The documents of a feed of another tool: one of JSON, an array, JSON Lines, or captures.

A capture keeps what a webhook delivered, so that its signature can be checked:
`{"headers": {...}, "body": "<base64>"}`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

from liveportal.domain.errors import BadSignature, InvalidEvent, LiveportalError
from liveportal.feeds import jsonl
from liveportal.feeds.jsonl import Line

LARGEST_DOCUMENT = 256 * 1024 * 1024
"""In bytes: JSON that is not JSON Lines is read whole."""

IsSigned = Callable[[Mapping[str, str], bytes, bytes], bool]


class Document(NamedTuple):
    """A document and the line on which it begins, or why it cannot be read."""

    line: Line
    content: dict[str, Any] | LiveportalError


def documents(
    stream: BinaryIO, before: int, is_signed: IsSigned, secret: bytes | None
) -> Iterator[Document]:
    """Yield the documents of a stream; `before` is the number of lines before it.

    With a `secret`, only captures with a valid signature are read. Raises `UnreadableFile`.
    """
    lines = jsonl.lines(stream, before)
    first = next(lines, None)
    if first is None:
        return
    every = chain([first], lines)
    for line in every if _is_document(first) else _items(every):
        yield Document(line, _content(line, is_signed, secret))


def _is_document(line: Line) -> bool:
    """Return True if a line is a whole object, as every line of JSON Lines is."""
    try:
        return line.whole and isinstance(jsonl.parse_json(line.raw), dict)
    except InvalidEvent:
        return not line.raw.lstrip().startswith((b"{", b"["))


def _items(lines: Iterator[Line]) -> Iterator[Line]:
    """Yield the items of an array, or the one object, that goes over several lines."""
    rows: list[bytes] = []
    number, size = 0, 0
    for line in lines:
        number = number or line.number
        rows.extend([b""] * (line.number - number - len(rows)))  # Blank lines were skipped.
        rows.append(line.raw)
        size += len(line.raw)
        if size > LARGEST_DOCUMENT or not line.whole:
            yield Line(line.number, line.raw, whole=False)
            return
    yield from _split(b"\n".join(rows), number)


def _split(content: bytes, number: int) -> Iterator[Line]:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        yield Line(number, content)
        return
    position = len(text) - len(text.lstrip())
    if not text.startswith("[", position):
        yield Line(number, content)
        return
    decoder = json.JSONDecoder()
    position += 1
    while True:
        position = _skip(text, position, " \t\r\n,")
        line = number + text.count("\n", 0, position)
        if text.startswith("]", position) and not text[position + 1 :].strip():
            return
        try:
            _, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            yield Line(line, text[position : position + jsonl.SHOWN_OF_TOO_LONG].encode())
            return
        yield Line(line, text[position:end].encode())
        position = end


def _skip(text: str, position: int, characters: str) -> int:
    while position < len(text) and text[position] in characters:
        position += 1
    return position


def _content(
    line: Line, is_signed: IsSigned, secret: bytes | None
) -> dict[str, Any] | LiveportalError:
    try:
        if not line.whole:
            raise InvalidEvent("", f"is longer than {jsonl.LONGEST_LINE} bytes")
        return _verified(_object(line.raw), is_signed, secret)
    except LiveportalError as error:
        return error


def _verified(
    document: dict[str, Any], is_signed: IsSigned, secret: bytes | None
) -> dict[str, Any]:
    headers, body = document.get("headers"), document.get("body")
    if not isinstance(headers, dict) or not isinstance(body, str):
        if secret is not None:
            raise BadSignature("The line is not a capture with headers and a body.")
        return document
    try:
        content = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidEvent("body", "is not base64") from None
    named = {str(name).lower(): str(value) for name, value in headers.items()}
    if secret is not None and not is_signed(named, content, secret):
        raise BadSignature("The signature of the body is missing or wrong.")
    return _object(content)


def _object(raw: bytes) -> dict[str, Any]:
    document = jsonl.parse_json(raw)
    if not isinstance(document, dict):
        raise InvalidEvent("", "is not a JSON object")
    return document
