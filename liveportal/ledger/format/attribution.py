"""Attribute the events of old journals, and find those that their source must not report.

Earlier versions recorded anything that a feed reported, even in the expert's name. Such events stay
in the history. This module identifies events that a command certainly made, events in the expert's
name that no command ever makes, and events beyond the authority of their source.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from liveportal.domain.clock import from_text
from liveportal.domain.events.envelope import CLI_SOURCE, EXPERT_PREFIX, MACHINE, PREFIX, is_experts
from liveportal.domain.patterns import pattern
from liveportal.ledger.format.personal_data import attributes
from liveportal.ledger.storage.driver import Connection

NEVER_BY_COMMANDS = frozenset({"request.taken", "request.expired", "customer.erasure_requested"})
"""Event types that only the platform can report: no command records them."""

_FRESH_ID = pattern(
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII
)
_AT_ONCE_SECONDS = 600
"""The longest time between an event id and its recording: the clock may be set in between."""

_ROW = """
    SELECT event.seq, source, id, type, time, recorded_at, facts, body, personal_digest <> x''
    FROM event LEFT JOIN event_personal ON event_personal.seq = event.seq
"""
_OF_SOURCES = f"{_ROW} WHERE source IN (SELECT value FROM json_each(?))"  # noqa: S608 (ours)
_OF_TYPES = f"""
    {_ROW} WHERE event.seq IN (
        SELECT seq FROM statement WHERE type IN (SELECT value FROM json_each(?))
    )
"""  # noqa: S608 (ours)


class Unauthorised(NamedTuple):
    """An event that its source must not report: its position, name and type, and the field."""

    seq: int
    source: str
    id: str
    type: str
    field: str


def is_from_command(event_id: str, recorded_at: str, body: str | None) -> bool:
    """Return True if a command certainly made an event of the expert's own source.

    Such an event carries the machine's id, or its own id was generated when it was recorded. Any
    other event may come from a command of an earlier version with `--key`, or from a feed.
    """
    if MACHINE in attributes(body):
        return True
    if not _FRESH_ID.fullmatch(event_id):
        return False
    generated_at = int(event_id.replace("-", "")[:12], 16) / 1000
    return abs(from_text(recorded_at).timestamp() - generated_at) <= _AT_ONCE_SECONDS


def is_disguised(source: str, kind: str, facts: str, body: str | None) -> bool:
    """Return True if an event bears the expert's name, but cannot come from a command.

    `kind` is the type without its prefix. Commands of earlier versions gave their events no
    attributes, and no command changes the payout profile without fingerprints.
    """
    if source != CLI_SOURCE:
        return is_experts(source) and not source.startswith(EXPERT_PREFIX)
    given = attributes(body)
    if MACHINE in given:
        return False
    bare = kind == "payout_profile.changed" and '"fingerprints"' not in facts
    return kind in NEVER_BY_COMMANDS or bare or bool(given)


def unauthorised(db: Connection) -> list[Unauthorised]:
    """Return the events that their source must not report, in journal order."""
    from liveportal.domain.events.sources import beyond_feeds  # Not needed by other callers.
    from liveportal.domain.events.types import TYPES
    from liveportal.ledger.format.row_mapping import to_json
    from liveportal.ledger.format.serialisation import read_event

    sources = [source for (source,) in db.execute("SELECT DISTINCT source FROM event").fetchall()]
    own = [source for source in sources if is_experts(source)]
    limited = [
        kind
        for kind, data in TYPES.items()
        if data.FEED_FIELDS is not None or data.OWN_SOURCE_FIELD is not None
    ]
    violations = []
    for row in db.execute(_OF_SOURCES, (to_json(own),)):
        seq, source, event_id, kind, _, _, facts, body, _ = row
        kind = kind.removeprefix(PREFIX)
        if is_disguised(source, kind, facts, body):
            violations.append(Unauthorised(seq, source, event_id, kind, "source"))
    for row in db.execute(_OF_TYPES, (to_json(limited),)):
        if not is_experts(row[1]):
            event = read_event(row).event
            if beyond := beyond_feeds(event.source, event.data):
                violations.append(
                    Unauthorised(row[0], event.source, event.id, event.data.TYPE, beyond[0])
                )
    return sorted(violations)
