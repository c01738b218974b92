"""An exported event: what a line of a journal's export has besides the event itself.

A line is the event as in a feed (2-events), with two more CloudEvents attributes: `recordedat`, the
instant at which the ledger learned of it, and `erased` (true) where its personal part was erased or
left out. Events of a feed may have attributes of these names; an export has no place for them.
"""

from __future__ import annotations

from typing import NamedTuple

from liveportal.domain.events.envelope import Event

RECORDED_AT = "recordedat"
ERASED = "erased"
RESERVED = frozenset({RECORDED_AT, ERASED})


class ExportedEvent(NamedTuple):
    """An event of an export: its line, and when it was recorded (stored form; None: not said)."""

    line: int
    event: Event
    recorded_at: str | None
