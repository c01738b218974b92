"""What a session comes to so far: the live figures beside all else that is known of it."""

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
    """Return the live figures of a session at an instant; null where there are none."""
    row = reader.db.execute(f"{SESSION.select} WHERE id = ?", (session_id,)).fetchone()
    session = SESSION.read(row, reader.currency)
    so_far = running(session, reader.policy_at(session.policy), now)
    none: Row = dict.fromkeys(FIELDS)
    if so_far is None:
        return none | {"starts_in_seconds": starts_in(session, now)}
    return none | {
        "elapsed_seconds": _span(so_far.elapsed_us),
        "paused_seconds": _span(so_far.paused_us),
        "active_seconds": _span(so_far.active_us),
        "billable_seconds": _span(so_far.billed_us),
        "gross_so_far": so_far.gross,
        "earned_so_far": so_far.earned,
        "trial_ends": so_far.trial_ends,
        "trial_left_seconds": _span(so_far.trial_left_us),
    }


def _span(microseconds: int | None) -> timedelta | None:
    return None if microseconds is None else microseconds * MICROSECOND
