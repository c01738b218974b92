"""The agenda: what is agreed and not over yet, and what each of it is up against."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from liveportal.domain.calculations.live_session import RUNNING, expected, starts_in
from liveportal.domain.clock import zone
from liveportal.domain.entities import Session
from liveportal.domain.errors import InvalidValue
from liveportal.domain.schedule.schedule import Schedule
from liveportal.ledger.format.row_mapping import SESSION
from liveportal.ledger.queries import customers, sessions
from liveportal.ledger.queries.reader import NOT_OVER, Reader, Row
from liveportal.ledger.queries.schedule import diary
from liveportal.ledger.queries.session_filter import SessionFilter

STATES = ("upcoming", *RUNNING)
FIELDS = (
    *sessions.FIELDS,
    *("starts_in_seconds", "customer_local", "conflicts", "expected_earned", "too_close"),
)

_DESCRIBED = f"""
    SELECT session.customer, body FROM session
    JOIN customer ON customer.id = session.customer
    LEFT JOIN event_personal ON event_personal.seq = customer.described_seq
    WHERE {NOT_OVER}
"""  # noqa: S608 (our own words)


def agenda(reader: Reader, now: datetime, *, until: datetime | None = None) -> list[Row]:
    """Return what is agreed and not over: overdue sessions first, then live ones, then by start.

    `until` leaves out what starts after it.
    """
    rows = sessions.sessions(reader, SessionFilter(states=STATES, until=until))
    things = {each.id: each for each in _things(reader, f" WHERE {NOT_OVER}")}
    zones = _customers_zones(reader)
    booked = diary(reader)
    shown = [row | _more(reader, things[str(row["id"])], booked, zones, now) for row in rows]
    return sorted(shown, key=lambda row: _place(row, now))  # Stable: by start within a place.


def every_session(reader: Reader) -> list[Session]:
    """Return all sessions, as they were agreed one after the other."""
    return _things(reader, " ORDER BY agreed_seq")


def _things(reader: Reader, rest: str) -> list[Session]:
    found = reader.db.execute(f"{SESSION.select}{rest}").fetchall()
    return [SESSION.read(row, reader.currency) for row in found]


def is_overdue(row: Mapping[str, Any], now: datetime) -> bool:
    """Tell whether a session was to start, and has not."""
    return bool(row["state"] == "upcoming" and row["start"] < now)


def _place(row: Mapping[str, Any], now: datetime) -> int:
    if is_overdue(row, now):
        return 0
    return 1 if row["state"] in RUNNING else 2


def _more(
    reader: Reader, session: Session, booked: Schedule, zones: dict[str, str | None], now: datetime
) -> Row:
    start, end = session.planned_start, session.planned_end
    others = _without(booked, session.id)
    return {
        "starts_in_seconds": starts_in(session, now),
        "customer_local": _local(session.start or start, zones.get(session.customer)),
        "conflicts": others.conflicts(start, end) if start and end else [],
        "expected_earned": expected(session, reader.policy_at(session.policy)),
        "too_close": others.too_close(start, end) if start and end else [],
    }


def _without(booked: Schedule, session_id: str) -> Schedule:
    rest = tuple(each for each in booked.booked if each.session != session_id)
    return Schedule(booked.zone, rest, buffers=booked.buffers)


def _customers_zones(reader: Reader) -> dict[str, str | None]:
    latest: dict[str, str | None] = dict(reader.db.execute(_DESCRIBED).fetchall())
    told: dict[str, dict[str, Any]] = customers.customers(reader, latest)
    return {name: each.get("timezone") for name, each in told.items()}


def _local(instant: datetime | None, zone_name: str | None) -> str | None:
    """Return what the customer's clock shows, with its offset; None where no zone is known."""
    if instant is None or zone_name is None:
        return None
    try:
        return instant.astimezone(zone(zone_name)).isoformat(timespec="minutes")
    except (InvalidValue, OverflowError):  # A zone that a stranger made up, or the end of time.
        return None
