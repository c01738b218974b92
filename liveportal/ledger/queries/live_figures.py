"""The live figures of a running session: time so far, and what it would be billed and earn."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from liveportal.domain.calculations.live_session import LiveSession, running, starts_in
from liveportal.domain.clock import MICROSECOND
from liveportal.domain.entities import Session
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy
from liveportal.domain.row import Row, row
from liveportal.ledger.format.row_mapping import SESSION
from liveportal.ledger.queries.reader import NOT_OVER, Reader


@row
class LiveFigures(Row):
    """The figures of a running session, or the time until an upcoming one starts."""

    elapsed_seconds: timedelta | None = None
    paused_seconds: timedelta | None = None
    active_seconds: timedelta | None = None
    billable_seconds: timedelta | None = None
    gross_so_far: Money | None = None
    earned_so_far: Money | None = None
    trial_ends: datetime | None = None
    trial_left_seconds: timedelta | None = None
    starts_in_seconds: timedelta | None = None


def figures(reader: Reader, session_id: str, now: datetime) -> LiveFigures:
    """Return the live figures of a session at an instant; fields without a value are None."""
    row = reader.db.execute(f"{SESSION.select} WHERE id = ?", (session_id,)).fetchone()
    session = SESSION.read(row, reader.currency)
    live = running(session, reader.policy_at(session.policy), now)
    if live is None:
        return LiveFigures(starts_in_seconds=starts_in(session, now))
    left_us = live.trial_left_us
    return LiveFigures(
        **_so_far(live),
        active_seconds=live.active_us * MICROSECOND,
        trial_ends=live.trial_ends,
        trial_left_seconds=None if left_us is None else left_us * MICROSECOND,
    )


def running_sessions(reader: Reader) -> list[tuple[Session, Policy]]:
    """Return the live and paused sessions, each with the policy that applied when it was agreed."""
    rows = reader.db.execute(f"{SESSION.select} WHERE {NOT_OVER} AND state <> 'upcoming'")
    sessions = [SESSION.read(row, reader.currency) for row in rows.fetchall()]
    return [(session, reader.policy_at(session.policy)) for session in sessions]


def running_figures(reader: Reader, now: datetime) -> dict[str, Mapping[str, Any]]:
    """Return what each live or paused session would be billed and earn so far, by its id."""
    live = {s.id: running(s, policy, now) for s, policy in running_sessions(reader)}
    return {name: _so_far(figures) for name, figures in live.items() if figures}


def _so_far(live: LiveSession) -> dict[str, Any]:
    return {
        "elapsed_seconds": live.elapsed_us * MICROSECOND,
        "paused_seconds": live.paused_us * MICROSECOND,
        "billable_seconds": live.billed_us * MICROSECOND,
        "gross_so_far": live.gross,
        "earned_so_far": live.earned,
    }
