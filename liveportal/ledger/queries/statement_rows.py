"""Rows of statements that were recorded as events, and the ids of events that may be recorded."""

from __future__ import annotations

from itertools import count

from liveportal.ledger.queries.reader import Reader

# A report that only confirms a fact is taken back with the fact.
_RECORDED = """
    SELECT event.seq, EXISTS (
        SELECT 1 FROM reversal WHERE reversed_seq = coalesce(statement.confirms, event.seq)
    ) AS is_reversed
    FROM event LEFT JOIN statement ON statement.seq = event.seq
    WHERE event.source = ? AND event.id = ?
"""


def next_event_id(reader: Reader, source: str, row: str, step: str) -> str:
    """Return the id of the event that records a step of a statement's row: `8XK41:paid`.

    If the event of that id was taken back, the row may be recorded again, as `8XK41:paid.2`; then
    as `.3`. An id in the journal that was not taken back is returned as it is: to record it is a
    replay.
    """
    for number in count(1):
        name = f"{row}:{step}" if number == 1 else f"{row}:{step}.{number}"
        recorded = reader.one(_RECORDED, source, name)
        if recorded is None or not recorded["is_reversed"]:
            return name
    raise AssertionError  # The count has no end.


def is_recorded(reader: Reader, source: str, event_id: str) -> bool:
    """Return True if an event is in the journal, and was not taken back."""
    recorded = reader.one(_RECORDED, source, event_id)
    return recorded is not None and not recorded["is_reversed"]
