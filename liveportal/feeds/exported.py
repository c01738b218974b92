"""Read an export of a journal line by line, and summarise it before anything is recorded."""

from __future__ import annotations

import hashlib
from base64 import b64decode
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
from liveportal.domain.events.exported import (
    ERASED,
    IDENTITY,
    RECORDED_AT,
    RESERVED,
    ExportedEvent,
)
from liveportal.domain.events.fields import split
from liveportal.domain.events.types import CustomerForgotten, PolicyAdopted
from liveportal.domain.hint import Hint
from liveportal.feeds import jsonl

LONGEST_LINE = 4 * jsonl.LONGEST_LINE
"""In bytes. An export is ASCII, where a two-byte letter takes six bytes, so a line may be three
times as long as the line of the feed that it came from."""

CHUNK_LINES = 2_000
IDENTITY_BYTES = 32


@dataclass(slots=True)
class ExportSummary:
    """A summary of an export: counts of its events, and events that only the expert may record.

    `policies` are the names of the adopted policies and `forgotten` the ids of the forgotten
    customers, both in file order. `begins_ledger` is True if the first event adopts a policy, as
    the first event of a ledger does. `identity` is the book's identity key, if it is there.
    `digest` is the SHA-256 of the lines.
    """

    events: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    policies: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    erased: int = 0
    begins_ledger: bool = False
    identity: bytes | None = None
    digest: bytes = b""


def summarise(stream: BinaryIO, progress: Callable[[int], None] = lambda _: None) -> ExportSummary:
    """Read a whole export and return a summary, without keeping its events.

    Raises the error of the first invalid line, which names the line, or `NoEvents`.
    """
    summary, digest = ExportSummary(), hashlib.sha256()
    for chunk in _chunks(stream, digest.update, progress):
        for _, event, _, identity in chunk:
            data = event.data
            summary.identity = identity or summary.identity
            if not summary.events:
                summary.begins_ledger = isinstance(data, PolicyAdopted)
            summary.events += 1
            summary.sources[event.source] += 1
            summary.types[event.type] += 1
            summary.erased += event.erased
            if isinstance(data, PolicyAdopted):
                summary.policies.append(data.policy.name)
            elif isinstance(data, CustomerForgotten):
                summary.forgotten.append(data.customer)
    if not summary.events:
        raise NoEvents(
            "The file has no events.",
            hint=Hint("{An_export} writes such a file. It may have failed."),
        )
    summary.digest = digest.digest()
    return summary


def events(
    stream: BinaryIO, digest: bytes, progress: Callable[[int], None] = lambda _: None
) -> Iterator[list[ExportedEvent]]:
    """Yield the events of an export in chunks; `digest` is the one that `summarise` returned.

    Raises the errors of `summarise`, and `FileChanged` at the end if the digest differs.
    """
    digest_read = hashlib.sha256()
    yield from _chunks(stream, digest_read.update, progress)
    if digest_read.digest() != digest:
        raise FileChanged(
            "The file changed while it was imported.",
            hint="Nothing was recorded. Import the file again when it is complete.",
        )


def _chunks(
    stream: BinaryIO, update: Callable[[bytes], None], progress: Callable[[int], None]
) -> Iterator[list[ExportedEvent]]:
    for chunk in jsonl.chunks(jsonl.lines(stream, longest=LONGEST_LINE), CHUNK_LINES):
        for line in chunk:
            update(line.raw)
            update(b"\n")
        yield [_parse_line(line) for line in chunk]
        progress(sum(len(line.raw) + 1 for line in chunk))


def _parse_line(line: jsonl.Line) -> ExportedEvent:
    try:
        if not line.whole:
            raise InvalidEvent("", f"is longer than {LONGEST_LINE} bytes")
        event, recorded_at, identity = parse(line.raw)
        if identity is not None and line.number > 1:
            raise InvalidEvent(IDENTITY, "is for the first line of an export")
    except LiveportalError as error:
        raise error.located(f"Line {line.number}", line=line.number) from None
    return ExportedEvent(line.number, event, recorded_at, identity)


def parse(raw: bytes) -> tuple[Event, str | None, bytes | None]:
    """Return the event of a line, and its time of recording and identity key if it has them.

    Raises `InvalidEvent`, or `AmountTooLarge` for an amount that a ledger cannot hold.
    """
    document = jsonl.envelope(raw)
    if document.keys().isdisjoint(RESERVED):
        return jsonl.event_of(document), None, None
    erased, recorded_at = document.pop(ERASED, None), document.pop(RECORDED_AT, None)
    identity = _parse_identity(document.pop(IDENTITY, None))
    if not isinstance(erased, bool | None):
        raise InvalidEvent(ERASED, "must be true or false")
    event = jsonl.event_of(document, erased=bool(erased))
    event = _check_erased(event) if erased else event
    return event, _parse_recorded_at(recorded_at), identity


def _parse_identity(text: object) -> bytes | None:
    if text is None:
        return None
    try:
        key = b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        key = b""
    if len(key) != IDENTITY_BYTES:
        raise InvalidEvent(IDENTITY, "must be an identity key in Base64, as an export has it")
    return key


def _parse_recorded_at(text: object) -> str | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise InvalidEvent(
            RECORDED_AT, "must be a time with its offset, such as 2026-10-05T09:00:00Z"
        )
    try:
        return utc_text(parse_instant(text))
    except InvalidTime as error:
        raise InvalidEvent(RECORDED_AT, error.message) from None


def _check_erased(event: Event) -> Event:
    """Return an event marked as erased; raises `InvalidEvent` if it has personal data."""
    _, personal = split(event.data)
    for name in (*_present_fields(personal), *event.attributes):
        raise InvalidEvent(name, "must be left out, because the line is marked as erased")
    return Event(event.source, event.id, event.time, event.data, erased=True)


def _present_fields(personal: Mapping[str, Any], path: str = "") -> Iterable[str]:
    """Yield the paths of the personal fields that are not empty; a missing one reads as empty."""
    for name, value in personal.items():
        if isinstance(value, Mapping):
            yield from _present_fields(value, f"{path}{name}.")
        elif value != "":
            yield path + name
