"""An event of an export, with the attributes that only an export has.

A line is the event as in a feed, with more CloudEvents attributes: `recordedat`, the instant at
which the ledger recorded it, and `erased` (true) if its personal part was erased or left out. The
first line may have `liveportalidentity`, the book's identity key. Attributes with these names in a
feed's events are not exported.
"""

from __future__ import annotations

from typing import NamedTuple

from liveportal.domain.events.envelope import Event

RECORDED_AT = "recordedat"
ERASED = "erased"
IDENTITY = "liveportalidentity"
RESERVED = frozenset({RECORDED_AT, ERASED, IDENTITY})


class ExportedEvent(NamedTuple):
    """An event of an export, with its line number.

    `recorded_at` is in stored form (UTC); None if the export does not give it. `identity` is the
    book's identity key, if the line has it.
    """

    line: int
    event: Event
    recorded_at: str | None
    identity: bytes | None = None
