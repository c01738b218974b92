"""What requests and slots overlap in the expert's own calendar, which no ledger contains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from liveportal.domain.clock import shifted
from liveportal.domain.events.types import Slot
from liveportal.domain.row import Row, row
from liveportal.domain.schedule.schedule import OwnEvent


class Busy(Protocol):
    """The expert's own calendar: the events that overlap [start, end), in the expert's zone."""

    def __call__(self, start: datetime, end: datetime, own_zone: str) -> Sequence[OwnEvent]:
        """Return the events."""


@row
class CalendarConflict(Row):
    """An event of the expert's own calendar that a request would overlap."""

    title: str
    start: datetime
    end: datetime


def slot_spans(slots: Sequence[Slot]) -> list[tuple[datetime, datetime]]:
    """Return the start and the end of each slot."""
    return [(slot.start, shifted(slot.start, timedelta(minutes=slot.minutes))) for slot in slots]


def calendar_conflicts(events: Iterable[OwnEvent]) -> list[CalendarConflict]:
    """Return events as rows, each once."""
    return [
        CalendarConflict(title=event.title, start=event.start, end=event.end)
        for event in dict.fromkeys(events)
    ]
