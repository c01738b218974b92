"""Events as the journal stores them: facts, and what can be erased, each written once.

`facts` is the JSON of everything that rules and postings read. The personal body is the JSON of
`{"data": …, "attributes": …}`, where either may be missing; an event without both has none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from liveportal.domain.clock import from_text
from liveportal.domain.events.envelope import PREFIX, Event
from liveportal.domain.events.fields import decode, joined, split
from liveportal.domain.events.types import TYPES
from liveportal.ledger.format.row_mapping import compact
from liveportal.ledger.storage.driver import Connection

_COLUMNS = """
    SELECT event.seq, source, id, type, time, recorded_at, facts, body, personal_digest <> x''
    FROM event LEFT JOIN event_personal ON event_personal.seq = event.seq
"""
_NAMED = f"{_COLUMNS} WHERE source = ? AND id IN (SELECT value FROM json_each(?))"  # noqa: S608


class StoredEvent(NamedTuple):
    """An event of the journal. `erased` tells that its personal data is gone."""

    seq: int
    event: Event
    recorded_at: str
    facts: str
    erased: bool


def documents(event: Event) -> tuple[str, str | None]:
    """Return an event's facts and personal body as they are stored."""
    facts, personal = split(event.data)
    body: dict[str, Any] = {}
    if personal:
        body["data"] = personal
    if event.attributes:
        body["attributes"] = dict(event.attributes)
    return compact(facts), compact(body) if body else None


def stored_event(db: Connection, source: str, event_id: str) -> StoredEvent | None:
    """Return the event of that name."""
    row = db.execute(f"{_COLUMNS} WHERE source = ? AND id = ?", (source, event_id)).fetchone()
    return _event(row) if row else None


def stored_events(db: Connection, source: str, ids: Iterable[str]) -> list[StoredEvent]:
    """Return the events of a source that have one of these names."""
    found = db.execute(_NAMED, (source, compact(list(ids)))).fetchall()
    return [_event(row) for row in found]


def event_at(db: Connection, seq: int) -> StoredEvent:
    """Return the event of that position."""
    return _event(db.execute(f"{_COLUMNS} WHERE event.seq = ?", (seq,)).fetchone())


def journal(db: Connection, *, until: str | None = None) -> Iterator[StoredEvent]:
    """Read the journal in its order, up to what was recorded by `until` (stored form)."""
    where, values = (" WHERE recorded_at <= ?", (until,)) if until else ("", ())
    for row in db.execute(f"{_COLUMNS}{where} ORDER BY event.seq", values):
        yield _event(row)


_decode = json.JSONDecoder().raw_decode


def _read(text: str) -> Any:  # noqa: ANN401 (any JSON)
    """Read JSON; what stands there plainly, as the ledger writes it, in half the time."""
    found, end = _decode(text)
    return found if end == len(text) else json.loads(text)


def _event(row: tuple[Any, ...]) -> StoredEvent:
    seq, source, event_id, kind, time, recorded_at, facts, body, has_personal = row
    whole, attributes = _read(facts), {}
    if body:
        personal = _read(body)
        whole = joined(whole, personal.get("data", {}))
        attributes = personal.get("attributes", {})
    erased = bool(has_personal) and body is None
    data = decode(TYPES[kind.removeprefix(PREFIX)], whole, erased=erased)
    event = Event(source, event_id, from_text(time), data, attributes)
    return StoredEvent(seq, event, recorded_at, facts, erased)


def read_event(row: tuple[Any, ...]) -> StoredEvent:
    """Return the event of a row: seq to facts, its personal body, and whether it ever had one."""
    return _event(row)
