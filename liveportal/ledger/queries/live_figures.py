"""The live figures of a running session: time so far, and what it would be billed and earn."""

from __future__ import annotations

from datetime import datetime, timedelta

from liveportal.domain.calculations.live_session import running, starts_in
from liveportal.domain.clock import MICROSECOND
from liveportal.ledger.format.row_mapping import SESSION
from liveportal.ledger.queries.reader import Reader, Row

FIELDS = (
    *("elapsed_seconds", "paused_seconds", "active_seconds", "billable_seconds", "gross_so_far"),
    *("earned_so_far", "trial_ends", "trial_left_seconds", "starts_in_seconds"),
)


def figures(reader: Reader, session_id: str, now: datetime) -> Row:
    """Return the live figures of a session at an instant; fields without a value are None."""
    row = reader.db.execute(f"{SESSION.select} WHERE id = ?", (session_id,)).fetchone()
    session = SESSION.read(row, reader.currency)
    live = running(session, reader.policy_at(session.policy), now)
    empty: Row = dict.fromkeys(FIELDS)
    if live is None:
        return empty | {"starts_in_seconds": starts_in(session, now)}
    return empty | {
        "elapsed_seconds": _span(live.elapsed_us),
        "paused_seconds": _span(live.paused_us),
        "active_seconds": _span(live.active_us),
        "billable_seconds": _span(live.billed_us),
        "gross_so_far": live.gross,
        "earned_so_far": live.earned,
        "trial_ends": live.trial_ends,
        "trial_left_seconds": _span(live.trial_left_us),
    }


def _span(microseconds: int | None) -> timedelta | None:
    return None if microseconds is None else microseconds * MICROSECOND
