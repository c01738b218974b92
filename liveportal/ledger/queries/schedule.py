"""The expert's schedule as the ledger has it: booked sessions, and the preferences about time."""

from __future__ import annotations

from datetime import timedelta

from liveportal.domain.clock import from_text, shifted
from liveportal.domain.events.fields import decode
from liveportal.domain.events.types import Buffers, Vacation
from liveportal.domain.schedule.preferences import parse_structured
from liveportal.domain.schedule.schedule import Booked, Schedule
from liveportal.ledger.queries.reader import NOT_OVER, Reader


def schedule(reader: Reader) -> Schedule:
    """Return the current schedule: upcoming, live and paused sessions, working hours, vacations."""
    preferences = reader.preferences
    buffers = preferences.get("buffers")
    return Schedule(
        zone=reader.own_timezone,
        booked=_booked_sessions(reader),
        availability=parse_structured("availability", preferences.get("availability")),
        buffers=decode(Buffers, buffers) if buffers else None,
        vacations=tuple(decode(Vacation, item) for item in preferences.get("vacations", ())),
    )


def _booked_sessions(reader: Reader) -> tuple[Booked, ...]:
    """Return the sessions with a planned start; instant sessions have none."""
    rows = reader.all(
        "SELECT id, planned_start, planned_minutes FROM session"  # noqa: S608 (our own words)
        f" WHERE {NOT_OVER} AND planned_start IS NOT NULL ORDER BY id"
    )
    starts = [(row, from_text(row["planned_start"])) for row in rows]
    return tuple(
        Booked(row["id"], start, shifted(start, timedelta(minutes=row["planned_minutes"])))
        for row, start in starts
    )
