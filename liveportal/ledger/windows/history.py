"""What happened to a thing, event by event, as the journal has it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from liveportal.domain.codec import joined
from liveportal.domain.envelope import PREFIX, is_experts
from liveportal.ledger.attribution import is_disguised
from liveportal.ledger.reader import Reader, instant, personal


def history(reader: Reader, *things: str) -> list[dict[str, Any]]:
    """Return the events about the things (such as `session:S-1`), in journal order.

    The `speaker` of an event is the `expert`, the `platform`, or `unknown`.
    """
    found = reader.all(
        f"""
        SELECT event.seq, event.source, event.id, event.type, event.time, event.facts,
               event_personal.body, statement.confirms
        FROM statement JOIN event ON event.seq = statement.seq
        LEFT JOIN event_personal ON event_personal.seq = event.seq
        WHERE thing IN ({", ".join("?" * len(things))})
        ORDER BY event.seq
        """,  # noqa: S608 (only placeholders are put in)
        *things,
    )
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
        }
        for row in found
    ]


def _speaker(row: Mapping[str, Any]) -> str:
    """Return whose word an event is; of one in the expert's name that is a feed's: `unknown`."""
    kind = row["type"].removeprefix(PREFIX)
    if is_disguised(row["source"], kind, row["facts"], row["body"]):
        return "unknown"
    return "expert" if is_experts(row["source"]) else "platform"
