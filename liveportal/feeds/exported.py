"""Reading an export of a journal: line by line, and what is in it before anything is recorded."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from liveportal.domain.clock import parse_instant, utc_text
from liveportal.domain.errors import (
    FileChanged,
    InvalidEvent,
    InvalidTime,
    LiveportalError,
    NoEvents,
)
from liveportal.domain.events.envelope import Event
from liveportal.domain.events.exported import ERASED, RECORDED_AT, RESERVED, ExportedEvent
from liveportal.domain.events.fields import split
from liveportal.domain.events.types import CustomerForgotten, PolicyAdopted
from liveportal.feeds import jsonl

LONGEST_LINE = 4 * jsonl.LONGEST_LINE
"""Bytes. An export is ASCII: a letter of two bytes becomes six, so a line may be three times as
long as the line of the feed that it came from."""

CHUNK_LINES = 2_000


@dataclass(slots=True)
class Contents:
    """What is in an export: counts of its events, and what only the expert may say.

    `policies` are the names of the policies adopted, `forgotten` the customers, in file order.
    `begins_ledger` tells that its first event adopts a policy, as the first of a ledger does.
    """

    events: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    policies: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    erased: int = 0
    begins_ledger: bool = False
    digest: bytes = b""


def contents(stream: BinaryIO, progress: Callable[[int], None] = lambda _: None) -> Contents:
    """Read a whole export and return what is in it; nothing of it is kept.

    Raises the first bad line's own error, which names the line; `NoEvents` where there is none.
    """
    found, digest = Contents(), hashlib.sha256()
    for chunk in _chunks(stream, digest.update, progress):
        for _, event, _ in chunk:
            data = event.data
            if not found.events:
                found.begins_ledger = isinstance(data, PolicyAdopted)
            found.events += 1
            found.sources[event.source] += 1
            found.types[event.type] += 1
            found.erased += event.erased
            if isinstance(data, PolicyAdopted):
                found.policies.append(data.policy.name)
            elif isinstance(data, CustomerForgotten):
                found.forgotten.append(data.customer)
    if not found.events:
        raise NoEvents(
            "the file holds no events",
            hint="`liveportal ledger export events` writes one that does; did it fail?",
        )
    found.digest = digest.digest()
    return found


def events(
    stream: BinaryIO, digest: bytes, progress: Callable[[int], None] = lambda _: None
) -> Iterator[list[ExportedEvent]]:
    """Yield the events of an export, many at a time; they must be those of `contents`.

    Raises as `contents`, and `FileChanged` at the end if they are not.
    """
    read = hashlib.sha256()
    yield from _chunks(stream, read.update, progress)
    if read.digest() != digest:
        raise FileChanged(
            "the file was written to while it was imported",
            hint="Nothing was recorded. Import it again when it is finished.",
        )


def _chunks(
    stream: BinaryIO, update: Callable[[bytes], None], progress: Callable[[int], None]
) -> Iterator[list[ExportedEvent]]:
    for chunk in jsonl.chunks(jsonl.lines(stream, longest=LONGEST_LINE), CHUNK_LINES):
        for line in chunk:
            update(line.raw)
            update(b"\n")
        yield [_read(line) for line in chunk]
        progress(sum(len(line.raw) + 1 for line in chunk))


def _read(line: jsonl.Line) -> ExportedEvent:
    try:
        if not line.whole:
            raise InvalidEvent("", f"is longer than {LONGEST_LINE} bytes")
        event, recorded_at = parse(line.raw)
    except LiveportalError as error:
        raise error.located(f"line {line.number}", line=line.number) from None
    return ExportedEvent(line.number, event, recorded_at)


def parse(raw: bytes) -> tuple[Event, str | None]:
    """Read one line: its event, and when it was recorded (stored form), if it says so.

    Raises `InvalidEvent` (`AmountTooLarge` for what no book can hold).
    """
    document = jsonl.envelope(raw)
    if document.keys().isdisjoint(RESERVED):
        return jsonl.event_of(document), None
    erased, recorded_at = document.pop(ERASED, None), document.pop(RECORDED_AT, None)
    if not isinstance(erased, bool | None):
        raise InvalidEvent(ERASED, "must be true or false")
    event = jsonl.event_of(document, erased=bool(erased))
    return _erased(event) if erased else event, _instant(recorded_at)


def _instant(text: object) -> str | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise InvalidEvent(RECORDED_AT, "must be a time with an offset, as text")
    try:
        return utc_text(parse_instant(text))
    except InvalidTime as error:
        raise InvalidEvent(RECORDED_AT, error.message) from None


def _erased(event: Event) -> Event:
    """Return an event that says that it was erased; raises `InvalidEvent` if it was not."""
    _, personal = split(event.data)
    for name in (*_given(personal), *event.attributes):
        raise InvalidEvent(name, "must be left out: the line says that it was erased")
    return Event(event.source, event.id, event.time, event.data, erased=True)


def _given(personal: Mapping[str, Any], path: str = "") -> Iterable[str]:
    """Yield the personal fields that are there; one that is missing reads as an empty text."""
    for name, value in personal.items():
        if isinstance(value, Mapping):
            yield from _given(value, f"{path}{name}.")
        elif value != "":
            yield path + name
