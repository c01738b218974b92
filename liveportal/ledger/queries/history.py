"""The history of an entity: its events as recorded in the journal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from liveportal.domain.clock import from_text
from liveportal.domain.row import Row, row
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.queries.reader import Reader


@row
class HistoryRow(Row):
    """An event in the history of an entity.

    `confirms` is the position of the event that this one only confirms. `speaker` is `expert`,
    `platform` or `unknown`. `flags` are the codes of the cautions that apply to the event; one that
    only confirms another has none.
    """

    seq: int
    time: datetime
    type: str
    data: Mapping[str, Any]
    source: str
    event: str
    confirms: int | None
    speaker: str
    flags: list[str]


def history(reader: Reader, *entities: str) -> list[HistoryRow]:
    """Return the events that concern the entities (such as `session:S-1`), in journal order."""
    # A list imports this module for its rows, and needs none of these.
    from liveportal.domain.events.envelope import PREFIX
    from liveportal.domain.events.fields import joined
    from liveportal.ledger.queries.cautions import flags_of

    rows = reader.all(
        f"""
        SELECT event.seq, event.source, event.id, event.type, event.time, event.recorded_at,
               event.facts, event_personal.body, event.personal_digest <> x'' AS has_personal,
               statement.confirms
        FROM statement JOIN event ON event.seq = statement.seq
        LEFT JOIN event_personal ON event_personal.seq = event.seq
        WHERE thing IN ({", ".join("?" * len(entities))})
        ORDER BY event.seq
        """,  # noqa: S608 (only placeholders are inserted)
        *entities,
    )
    flags = flags_of(reader)
    return [
        HistoryRow(
            seq=row["seq"],
            time=from_text(row["time"]),
            type=row["type"].removeprefix(PREFIX),
            data=joined(json.loads(row["facts"]), personal(row["body"])),
            source=row["source"],
            event=row["id"],
            confirms=row["confirms"],
            speaker=_speaker(row),
            flags=[] if row["confirms"] else flags(row),
        )
        for row in rows
    ]


def with_flags_of(history: Iterable[HistoryRow], flags: Sequence[str]) -> list[str]:
    """Return the flags of an entity and those of the events in its history, without duplicates."""
    return list(dict.fromkeys([*flags, *(flag for event in history for flag in event.flags)]))


def _speaker(row: Mapping[str, Any]) -> str:
    """Return who reported an event; `unknown` for a feed's event under the expert's source."""
    from liveportal.domain.events.envelope import PREFIX, is_experts
    from liveportal.ledger.format.attribution import is_disguised

    kind = row["type"].removeprefix(PREFIX)
    if is_disguised(row["source"], kind, row["facts"], row["body"]):
        return "unknown"
    return "expert" if is_experts(row["source"]) else "platform"
