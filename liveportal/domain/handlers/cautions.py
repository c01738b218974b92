"""What a person seldom means: times and tips that are likely typed wrong (rulebook 4).

`hasty` returns the cautions of an event. A command is refused for the first of them unless it
insists; a feed's event is recorded and flagged. They are worked out from the event, from the things
that it is about and from the time of recording, and are kept nowhere: so a replay derives the same
tables at any clock, and a later version may add to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Protocol

from liveportal.domain.clock import short_text
from liveportal.domain.entities import Request, Session
from liveportal.domain.errors import (
    Caution,
    InTheFuture,
    LargeTip,
    LongSession,
    MissedEarly,
    SlotInPast,
    StartedEarly,
)
from liveportal.domain.events.envelope import Event, EventData
from liveportal.domain.events.types import (
    RequestAccepted,
    RequestOpened,
    SessionCorrected,
    SessionEnded,
    SessionLogged,
    SessionMissed,
    SessionRescheduled,
    SessionStarted,
    TipReceived,
)
from liveportal.domain.money import Money

LONGEST_SESSION = timedelta(hours=12)
EARLIEST_START = timedelta(hours=1)
"""How long before its planned start a session can begin."""
TIP_MINUTES = 20
"""A tip is large if it is over so many minutes at the session's rate, and over twice its gross."""

_ANYWAY = "--anyway records it all the same."


class Things(Protocol):
    """What the cautions look up: a book, or what is shown of one."""

    def request(self, request_id: str) -> Request | None:
        """Return a request."""
        ...

    def session(self, session_id: str) -> Session | None:
        """Return a session, also by another name that the platform has for it."""
        ...


def hasty(event: Event, things: Things, recorded_at: datetime) -> tuple[Caution, ...]:
    """Return what a person seldom means by such an event, in the order in which it is refused.

    `things` may be as they were before the event or as they are after it. `recorded_at` is the time
    of recording; what would have happened after it is in the future.
    """
    check = _CHECKS.get(type(event.data))
    found = [] if check is None else list(check(event.data, event, things))
    latest = max((event.time, *_happened(event.data)))
    if latest > recorded_at and ("time" not in event.assumed or latest > event.time):
        found.append(
            InTheFuture(
                f"{short_text(latest)} is in the future",
                hint=f"Give the time at which it happened. {_ANYWAY}",
            )
        )
    return tuple(found)


def _happened(data: EventData) -> Iterator[datetime]:
    """Yield the times at which, as an event says, something happened."""
    if isinstance(data, SessionLogged):
        yield from (data.start, data.end)
    elif isinstance(data, SessionCorrected):
        yield from (each for each in (data.start, data.end) if each)


def _opened(data: RequestOpened, event: Event, _things: Things) -> Iterator[Caution]:
    yield from _slots_past(event, *(slot.start for slot in data.slots or ()))


def _accepted(data: RequestAccepted, event: Event, things: Things) -> Iterator[Caution]:
    request = things.request(data.request)
    if request and data.slot and data.slot <= len(request.slots):
        yield from _slots_past(event, request.slots[data.slot - 1].start)


def _rescheduled(data: SessionRescheduled, event: Event, _things: Things) -> Iterator[Caution]:
    yield from _slots_past(event, data.start)


def _slots_past(event: Event, *starts: datetime) -> Iterator[Caution]:
    for start in starts:
        if start < event.time:
            yield SlotInPast(
                f"the slot at {short_text(start)} is in the past",
                hint=f"Give a time that is still to come. {_ANYWAY}",
            )
            return


def _started(data: SessionStarted, event: Event, things: Things) -> Iterator[Caution]:
    session = things.session(data.session)
    planned = session and session.planned_start
    if session and planned and event.time < planned - EARLIEST_START:
        yield StartedEarly(
            f"session {session.id} is planned for {short_text(planned)}, over an hour later",
            hint=f"Give --at if it started later; `liveportal sessions reschedule {session.id}`"
            f" moves it. {_ANYWAY}",
            id=session.id,
        )


def _missed(data: SessionMissed, event: Event, things: Things) -> Iterator[Caution]:
    session = things.session(data.session)
    planned = session and session.planned_start
    if session and planned and event.time < planned:
        yield MissedEarly(
            f"session {session.id} is planned for {short_text(planned)}, so it cannot have been"
            " missed before then",
            hint=f"`liveportal sessions cancel {session.id}` cancels it. {_ANYWAY}",
            id=session.id,
        )


def _ended(data: SessionEnded, event: Event, things: Things) -> Iterator[Caution]:
    session = things.session(data.session)
    if session and session.start:
        yield from _long(session.start, event.time)


def _logged(data: SessionLogged, _event: Event, _things: Things) -> Iterator[Caution]:
    yield from _long(data.start, data.end)


def _corrected(data: SessionCorrected, _event: Event, things: Things) -> Iterator[Caution]:
    session = things.session(data.session)
    if session and session.start and session.end and (data.start or data.end):
        yield from _long(data.start or session.start, data.end or session.end)


def _long(start: datetime, end: datetime) -> Iterator[Caution]:
    if end - start > LONGEST_SESSION:
        hours = (end - start) / timedelta(hours=1)
        yield LongSession(
            f"a session from {short_text(start)} to {short_text(end)} would be {hours:.4g} hours"
            " long",
            hint=f"Check its start and its end. {_ANYWAY}",
        )


def _tipped(data: TipReceived, _event: Event, things: Things) -> Iterator[Caution]:
    session = things.session(data.session)
    if session is None:
        return
    usual_minor = max(TIP_MINUTES * session.rate.minor, 2 * session.gross_minor)
    if data.amount.minor > usual_minor:
        usual = Money(usual_minor, session.currency)
        yield LargeTip(
            f"a tip of {data.amount} is more than {usual}: {TIP_MINUTES} minutes at the session's"
            " rate, and twice what it was billed",
            hint=f"Check the amount. {_ANYWAY}",
            id=session.id,
        )


_CHECKS: dict[type[EventData], Callable[[Any, Event, Things], Iterator[Caution]]] = {
    RequestOpened: _opened,
    RequestAccepted: _accepted,
    SessionRescheduled: _rescheduled,
    SessionStarted: _started,
    SessionMissed: _missed,
    SessionEnded: _ended,
    SessionLogged: _logged,
    SessionCorrected: _corrected,
    TipReceived: _tipped,
}
