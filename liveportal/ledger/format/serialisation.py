"""Convert events to and from their stored form: the facts, and the personal data.

`facts` is the JSON of everything that rules and postings read. The personal body is the JSON of
`{"data": …, "attributes": …}`, where either may be missing; an event without both has no body. Only
the personal body can be erased. No value is stored in both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from liveportal.domain.clock import from_text
from liveportal.domain.events.envelope import PREFIX, Event
from liveportal.domain.events.fields import decode, joined, split
from liveportal.domain.events.types import TYPES
from liveportal.ledger.format.row_mapping import to_json
from liveportal.ledger.storage.driver import Connection

_COLUMNS = """
    SELECT event.seq, source, id, type, time, recorded_at, facts, body, personal_digest <> x''
    FROM event LEFT JOIN event_personal ON event_personal.seq = event.seq
"""
_BY_NAMES = f"{_COLUMNS} WHERE source = ? AND id IN (SELECT value FROM json_each(?))"  # noqa: S608


class StoredEvent(NamedTuple):
    """An event of the journal; `erased` is True if its personal data was erased."""

    seq: int
    event: Event
    recorded_at: str
    facts: str
    erased: bool


def documents(event: Event) -> tuple[str, str | None]:
    """Return an event's facts and personal body as stored; no body is None."""
    facts, personal = split(event.data)
    body: dict[str, Any] = {}
    if personal:
        body["data"] = personal
    if event.attributes:
        body["attributes"] = dict(event.attributes)
    return to_json(facts), to_json(body) if body else None


def stored_event(db: Connection, source: str, event_id: str) -> StoredEvent | None:
    """Return the event with this source and id, or None."""
    row = db.execute(f"{_COLUMNS} WHERE source = ? AND id = ?", (source, event_id)).fetchone()
    return _to_event(row) if row else None


def stored_events(db: Connection, source: str, ids: Iterable[str]) -> list[StoredEvent]:
    """Return the events of a source with these ids."""
    rows = db.execute(_BY_NAMES, (source, to_json(list(ids)))).fetchall()
    return [_to_event(row) for row in rows]


def event_at(db: Connection, seq: int) -> StoredEvent:
    """Return the event at a position of the journal."""
    return _to_event(db.execute(f"{_COLUMNS} WHERE event.seq = ?", (seq,)).fetchone())


def journal(db: Connection, *, until: str | None = None) -> Iterator[StoredEvent]:
    """Yield the journal in order, up to the events recorded until `until` (stored form, UTC)."""
    where, values = (" WHERE recorded_at <= ?", (until,)) if until else ("", ())
    for row in db.execute(f"{_COLUMNS}{where} ORDER BY event.seq", values):
        yield _to_event(row)


_decode = json.JSONDecoder().raw_decode


def _parse_json(text: str) -> Any:  # noqa: ANN401 (any JSON)
    """Parse JSON; in half the time if no space surrounds it, as in what the ledger writes."""
    value, end = _decode(text)
    return value if end == len(text) else json.loads(text)


def _to_event(row: tuple[Any, ...]) -> StoredEvent:
    seq, source, event_id, kind, time, recorded_at, facts, body, has_personal = row
    data, attributes = _parse_json(facts), {}
    if body:
        personal = _parse_json(body)
        data = joined(data, personal.get("data", {}))
        attributes = personal.get("attributes", {})
    erased = bool(has_personal) and body is None
    event_data = decode(TYPES[kind.removeprefix(PREFIX)], data, erased=erased)
    event = Event(source, event_id, from_text(time), event_data, attributes)
    return StoredEvent(seq, event, recorded_at, facts, erased)


def read_event(row: tuple[Any, ...]) -> StoredEvent:
    """Return the event of a row: seq to facts, the personal body, and whether it ever had one."""
    return _to_event(row)
