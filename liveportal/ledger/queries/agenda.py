"""The agenda: upcoming and running sessions, with their conflicts and expected earnings."""

from __future__ import annotations

from datetime import datetime, timedelta

from liveportal.domain.calculations.live_session import RUNNING, expected, starts_in
from liveportal.domain.clock import zone
from liveportal.domain.entities import UNFINISHED, Session, SessionState
from liveportal.domain.errors import InvalidValue
from liveportal.domain.money import Money
from liveportal.domain.row import extend, row
from liveportal.domain.schedule.schedule import Schedule
from liveportal.ledger.format.row_mapping import SESSION
from liveportal.ledger.queries.customers import customers
from liveportal.ledger.queries.reader import NOT_OVER, Reader
from liveportal.ledger.queries.schedule import schedule
from liveportal.ledger.queries.session_filter import SessionFilter
from liveportal.ledger.queries.sessions import SessionRow, sessions


@row
class AgendaRow(SessionRow):
    """A session of the agenda.

    `customer_local` is the start in the customer's zone, with its UTC offset. `conflicts` and
    `too_close` are the sessions that it overlaps, or to which it leaves less than the buffers.
    """

    starts_in_seconds: timedelta | None
    customer_local: str | None
    conflicts: list[str]
    expected_earned: Money | None
    too_close: list[str]


_DESCRIBED = f"""
    SELECT session.customer, body FROM session
    JOIN customer ON customer.id = session.customer
    LEFT JOIN event_personal ON event_personal.seq = customer.described_seq
    WHERE {NOT_OVER}
"""  # noqa: S608 (our own words)


def agenda(reader: Reader, now: datetime, *, until: datetime | None = None) -> list[AgendaRow]:
    """Return the upcoming and running sessions: overdue ones first, then live ones, then by start.

    Sessions that start after `until` are left out.
    """
    entities = {session.id: session for session in _read_sessions(reader, f" WHERE {NOT_OVER}")}
    zones = _customer_zones(reader)
    booked = schedule(reader)

    def agenda_row(row: SessionRow) -> AgendaRow:
        session = entities[row.id]
        start, end = session.planned_start, session.planned_end
        others = _without(booked, session.id)
        return extend(
            AgendaRow,
            row,
            starts_in_seconds=starts_in(session, now),
            customer_local=_local(row.start, zones.get(session.customer)),
            conflicts=others.conflicts(start, end) if start and end else [],
            expected_earned=expected(session, reader.policy_at(session.policy)),
            too_close=others.too_close(start, end) if start and end else [],
        )

    selection = SessionFilter(states=UNFINISHED, until=until)
    rows = map(agenda_row, sessions(reader, selection))
    return sorted(rows, key=lambda row: _rank(row, now))  # Stable: by start within a rank.


def every_session(reader: Reader) -> list[Session]:
    """Return all sessions in the order in which they were agreed."""
    return _read_sessions(reader, " ORDER BY agreed_seq")


def _read_sessions(reader: Reader, clauses: str) -> list[Session]:
    rows = reader.db.execute(f"{SESSION.select}{clauses}").fetchall()
    return [SESSION.read(row, reader.currency) for row in rows]


def is_overdue(row: SessionRow, now: datetime) -> bool:
    """Return True if the planned start has passed and the session has not started."""
    return row.state == SessionState.UPCOMING and row.start < now


def _rank(row: SessionRow, now: datetime) -> int:
    if is_overdue(row, now):
        return 0
    return 1 if row.state in RUNNING else 2


def _without(booked: Schedule, session_id: str) -> Schedule:
    others = tuple(slot for slot in booked.booked if slot.session != session_id)
    return Schedule(booked.zone, others, buffers=booked.buffers)


def _customer_zones(reader: Reader) -> dict[str, str | None]:
    latest: dict[str, str | None] = dict(reader.db.execute(_DESCRIBED).fetchall())
    return {name: customer.timezone for name, customer in customers(reader, latest).items()}


def _local(instant: datetime, zone_name: str | None) -> str | None:
    """Return the customer's local time with its UTC offset; None if no zone is known."""
    if zone_name is None:
        return None
    try:
        return instant.astimezone(zone(zone_name)).isoformat(timespec="minutes")
    except (InvalidValue, OverflowError):  # An unknown zone, or out of range.
        return None
