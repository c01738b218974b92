"""What happened to a thing, event by event, as the journal has it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from liveportal.domain.events.envelope import PREFIX, is_experts
from liveportal.domain.events.fields import joined
from liveportal.ledger.format.attribution import is_disguised
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.queries.reader import Reader, instant


def history(reader: Reader, *things: str) -> list[dict[str, Any]]:
    """Return the events about the things (such as `session:S-1`), in journal order.

    `flags` are what a person seldom means by an event; one that only confirms another has none.
    The `speaker` of an event is the `expert`, the `platform`, or `unknown`.
    """
    from liveportal.ledger.queries.cautions import (
        flags_of,  # The events' classes: no list needs them.
    )

    found = reader.all(
        f"""
        SELECT event.seq, event.source, event.id, event.type, event.time, event.recorded_at,
               event.facts, event_personal.body, event.personal_digest <> x'' AS has_personal,
               statement.confirms
        FROM statement JOIN event ON event.seq = statement.seq
        LEFT JOIN event_personal ON event_personal.seq = event.seq
        WHERE thing IN ({", ".join("?" * len(things))})
        ORDER BY event.seq
        """,  # noqa: S608 (only placeholders are put in)
        *things,
    )
    flags = flags_of(reader)
    return [
        {
            "seq": row["seq"],
            "time": instant(row["time"]),
            "type": row["type"].removeprefix(PREFIX),
            "data": joined(json.loads(row["facts"]), personal(row["body"])),
            "source": row["source"],
            "event": row["id"],
            "confirms": row["confirms"],
            "speaker": _speaker(row),
            "flags": [] if row["confirms"] else flags(row),
        }
        for row in found
    ]


def with_flags_of(history: Iterable[Mapping[str, Any]], flags: Sequence[str]) -> list[str]:
    """Return the flags that a thing has, and those of the events of its history."""
    return list(dict.fromkeys([*flags, *(flag for each in history for flag in each["flags"])]))


def _speaker(row: Mapping[str, Any]) -> str:
    """Return whose word an event is; of one in the expert's name that is a feed's: `unknown`."""
    kind = row["type"].removeprefix(PREFIX)
    if is_disguised(row["source"], kind, row["facts"], row["body"]):
        return "unknown"
    return "expert" if is_experts(row["source"]) else "platform"
