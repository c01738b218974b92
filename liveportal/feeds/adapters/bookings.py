"""What a scheduler's bookings are to the books, whatever the scheduler.

A booking is a scheduled request with one slot, and a session once it is agreed; both have the
booking's id. A scheduler that gives a moved booking a new id makes that an alias of the session, so
a chain of moves stays one session.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from liveportal.domain.errors import InvalidEvent
from liveportal.domain.events.envelope import Event
from liveportal.domain.frozen import frozen
from liveportal.feeds.adapters.steps import (
    ANY,
    UNKNOWN,
    ByState,
    Ignored,
    Settings,
    Source,
    Step,
    rate_of,
)

UNKNOWN_BOOKING = Ignored("unknown_booking")
"""A change of a booking of which nothing was reported before, and too little now."""
BOOKING_OVER = Ignored("booking_over")
"""A scheduled start or end of a booking that was cancelled, missed or ended before."""
_MINUTE = timedelta(minutes=1)


@frozen(kw_only=True)
class Booking:
    """A booking as a document states it; `time` is when the document was made."""

    id: str
    time: datetime
    start: datetime
    end: datetime
    person: str
    """The e-mail address by which the scheduler knows the customer, or another name."""
    name: str | None = None
    timezone: str | None = None
    language: str | None = None
    title: str = ""
    description: str | None = None

    @property
    def minutes(self) -> int:
        """The planned length; a part of a minute counts as a whole one."""
        return -((self.start - self.end) // _MINUTE)


class Bookings:
    """Makes the steps of one scheduler's bookings."""

    def __init__(self, source: Source, settings: Settings) -> None:
        self._source = source
        self._settings = settings

    def requested(self, booking: Booking, *, booking_id: str | None = None) -> Event:
        """Return the event that opens the request of a booking."""
        request = booking_id or booking.id
        if booking.end <= booking.start:
            raise InvalidEvent("endTime", "is not after the start")
        customer: dict[str, Any] = {
            "id": self._settings.customer_id(booking.person),
            "name": booking.name,
            "timezone": booking.timezone,
            "language": booking.language,
        }
        return self._source.event(
            f"{request}:opened",
            "request.opened",
            booking.time,
            request=request,
            kind="scheduled",
            customer={name: value for name, value in customer.items() if value},
            title=booking.title or "Booking",
            description=booking.description,
            rate=rate_of(self._settings),
            slots=[{"start": booking.start.isoformat(), "minutes": booking.minutes}],
        )

    def agreed(self, booking: Booking, *, booking_id: str | None = None) -> tuple[Event, ...]:
        """Return the events of a booking that is agreed: opened, unless it was, and accepted."""
        name = booking_id or booking.id
        accepted = self._source.event(
            f"{name}:accepted",
            "request.accepted",
            booking.time,
            request=name,
            session=name,
            slot=1,
        )
        return (self.requested(booking, booking_id=name), accepted)

    def moved(self, booking: Booking, before: str, *, is_agreed: bool = True) -> ByState:
        """Return the steps of a booking that was moved; its id was `before`.

        Of a booking never reported before, the session has the oldest id known, so that a document
        that is read later and has that id is about the same session.
        """
        moved = self._source.event(
            f"{booking.id}:rescheduled",
            "session.rescheduled",
            booking.time,
            session=before,
            start=booking.start.isoformat(),
            minutes=booking.minutes,
            alias=booking.id if booking.id != before else None,
        )
        withdrawn = self._source.event(
            f"{before}:moved", "request.withdrawn", booking.time, request=before
        )
        opened = self.agreed(booking) if is_agreed else (self.requested(booking),)
        unknown = (*self.agreed(booking, booking_id=before), moved)
        return ByState(
            entities=(("session", before), ("request", before)),
            steps={
                f"session.{ANY}": (moved,),
                "request.open": (withdrawn, *opened),
                f"request.{ANY}": (withdrawn,),
                UNKNOWN: unknown,
            },
        )

    def cancelled(
        self, booking_id: str, time: datetime, by: str | None, reason: str | None
    ) -> ByState:
        """Return the steps of a cancellation by `expert`, `customer`, or None if it is not said."""
        cancelled = self._source.event(
            f"{booking_id}:cancelled",
            "session.cancelled",
            time,
            session=booking_id,
            by=by or "platform",
            reason=reason,
        )
        kind = "request.declined" if by == "expert" else "request.withdrawn"
        closed = self._source.event(
            f"{booking_id}:cancelled", kind, time, request=booking_id, reason=reason
        )
        return ByState(
            entities=(("session", booking_id), ("request", booking_id)),
            steps={
                f"session.{ANY}": (cancelled,),
                f"request.{ANY}": (closed,),
                UNKNOWN: UNKNOWN_BOOKING,
            },
        )

    def rejected(self, booking_id: str, time: datetime, reason: str | None) -> ByState:
        """Return the step of a booking that the expert did not confirm."""
        declined = self._source.event(
            f"{booking_id}:rejected", "request.declined", time, request=booking_id, reason=reason
        )
        return ByState(
            entities=(("request", booking_id),),
            steps={f"request.{ANY}": (declined,), UNKNOWN: UNKNOWN_BOOKING},
        )

    def missed(self, booking_id: str, time: datetime, by: str) -> ByState:
        """Return the step of a no-show, by `expert` or `customer`."""
        missed = self._source.event(
            f"{booking_id}:missed:{by}", "session.missed", time, session=booking_id, by=by
        )
        return ByState(
            entities=(("session", booking_id),),
            steps={f"session.{ANY}": (missed,), UNKNOWN: UNKNOWN_BOOKING},
        )

    def started(self, booking: Booking) -> Iterator[Step]:
        """Yield the steps of a session that is taken to have started as it was planned."""
        started = self._timer(booking, "started", booking.start)
        yield self._on_schedule(booking, upcoming=(started,), running=(started,))

    def ended(self, booking: Booking) -> Iterator[Step]:
        """Yield the steps of a session that is taken to have ended as it was planned."""
        started = self._timer(booking, "started", booking.start)
        ended = self._timer(booking, "ended", booking.end)
        yield self._on_schedule(booking, upcoming=(started, ended), running=(ended,))

    def _timer(self, booking: Booking, step: str, time: datetime) -> Event:
        name = f"{booking.id}:{step}"
        return self._source.event(name, f"session.{step}", time, session=booking.id)

    def _on_schedule(
        self, booking: Booking, *, upcoming: tuple[Event, ...], running: tuple[Event, ...]
    ) -> ByState:
        return ByState(
            entities=(("session", booking.id),),
            steps={
                "session.upcoming": upcoming,
                "session.live": running,
                "session.paused": running,
                f"session.{ANY}": BOOKING_OVER,
                UNKNOWN: (*self.agreed(booking), *upcoming),
            },
        )
