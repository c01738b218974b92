"""Cautions for likely mistakes: times and tips that were probably mistyped (rulebook 4).

`likely_mistakes` returns the cautions of an event. A command is refused for the first one that it
does not override; a feed's event is recorded and flagged. They are calculated from the event, the
entities concerned and the time of recording, and are not stored. So a replay derives the same
tables at any time, and a later version may add cautions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Protocol

from liveportal.domain.clock import readable
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
from liveportal.domain.hint import Hint
from liveportal.domain.money import Money

LONGEST_SESSION = timedelta(hours=12)
EARLIEST_START = timedelta(hours=1)
"""How long before its planned start a session can begin without a caution."""
TIP_MINUTES = 20
"""A tip is large if it exceeds this many minutes at the session's rate, and twice its gross."""


class EntityLookup(Protocol):
    """The lookups that the cautions need, in the journal or in a query."""

    def request(self, request_id: str) -> Request | None:
        """Return a request."""
        ...

    def session(self, session_id: str) -> Session | None:
        """Return a session, by its id or by an alias."""
        ...


def likely_mistakes(
    event: Event, entities: EntityLookup, recorded_at: datetime
) -> tuple[Caution, ...]:
    """Return the cautions for likely mistakes in an event, in the order in which they refuse it.

    `entities` may reflect the state before or after the event. `recorded_at` is the time of
    recording; anything later is in the future.
    """
    check = _CHECKS.get(type(event.data))
    cautions = [] if check is None else list(check(event.data, event, entities))
    latest = max((event.time, *_asserted_times(event.data)))
    if latest > recorded_at and ("time" not in event.assumed or latest > event.time):
        cautions.append(
            InTheFuture(
                f"The time {readable(latest)} is in the future.",
                hint=_or_anyway("Give the time at which it happened."),
            )
        )
    return tuple(cautions)


def _or_anyway(advice: str, **details: object) -> Hint:
    """Return a hint: the advice, or to override the caution."""
    return Hint(f"{advice} {{Overriding_this}} records it regardless.", **details)


def _asserted_times(data: EventData) -> Iterator[datetime]:
    """Yield the times at which, according to an event, something happened."""
    if isinstance(data, SessionLogged):
        yield from (data.start, data.end)
    elif isinstance(data, SessionCorrected):
        yield from (time for time in (data.start, data.end) if time)


def _check_opened(data: RequestOpened, event: Event, _entities: EntityLookup) -> Iterator[Caution]:
    yield from _past_slot(event, *(slot.start for slot in data.slots or ()))


def _check_accepted(
    data: RequestAccepted, event: Event, entities: EntityLookup
) -> Iterator[Caution]:
    request = entities.request(data.request)
    if request and data.slot and data.slot <= len(request.slots):
        yield from _past_slot(event, request.slots[data.slot - 1].start)


def _check_rescheduled(
    data: SessionRescheduled, event: Event, _entities: EntityLookup
) -> Iterator[Caution]:
    yield from _past_slot(event, data.start)


def _past_slot(event: Event, *starts: datetime) -> Iterator[Caution]:
    for start in starts:
        if start < event.time:
            yield SlotInPast(
                f"The slot at {readable(start)} is in the past.",
                hint=_or_anyway("Choose a time in the future."),
            )
            return


def _check_started(data: SessionStarted, event: Event, entities: EntityLookup) -> Iterator[Caution]:
    session = entities.session(data.session)
    planned = session and session.planned_start
    if session and planned and event.time < planned - EARLIEST_START:
        yield StartedEarly(
            f"Session {session.id} is planned for {readable(planned)}, over an hour after the time"
            " that you gave.",
            hint=_or_anyway(
                "If it started later, give {its_time}. To move it, use {rescheduling_it}.",
                session=session.id,
            ),
            id=session.id,
        )


def _check_missed(data: SessionMissed, event: Event, entities: EntityLookup) -> Iterator[Caution]:
    session = entities.session(data.session)
    planned = session and session.planned_start
    if session and planned and event.time < planned:
        yield MissedEarly(
            f"Session {session.id} is planned for {readable(planned)}, so it cannot have been"
            " missed before then.",
            hint=_or_anyway("To call it off, use {cancelling_the_session}.", session=session.id),
            id=session.id,
        )


def _check_ended(data: SessionEnded, event: Event, entities: EntityLookup) -> Iterator[Caution]:
    session = entities.session(data.session)
    if session and session.start:
        yield from _long_session(session.start, event.time)


def _check_logged(data: SessionLogged, _event: Event, _entities: EntityLookup) -> Iterator[Caution]:
    yield from _long_session(data.start, data.end)


def _check_corrected(
    data: SessionCorrected, _event: Event, entities: EntityLookup
) -> Iterator[Caution]:
    session = entities.session(data.session)
    if session and session.start and session.end and (data.start or data.end):
        yield from _long_session(data.start or session.start, data.end or session.end)


def _long_session(start: datetime, end: datetime) -> Iterator[Caution]:
    if end - start > LONGEST_SESSION:
        hours = (end - start) / timedelta(hours=1)
        yield LongSession(
            f"A session from {readable(start)} to {readable(end)} lasts {hours:.4g} hours, which is"
            " more than 12.",
            hint=_or_anyway("Check the start and the end."),
        )


def _check_tip(data: TipReceived, _event: Event, entities: EntityLookup) -> Iterator[Caution]:
    session = entities.session(data.session)
    if session is None:
        return
    usual_minor = max(TIP_MINUTES * session.rate.minor, 2 * session.gross_minor)
    if data.amount.minor > usual_minor:
        usual = Money(usual_minor, session.currency)
        yield LargeTip(
            f"A tip of {data.amount} is unusually large for session {session.id}: more than"
            f" {usual}, which is {TIP_MINUTES} minutes at its rate or twice its bill.",
            hint=_or_anyway("Check the amount."),
            id=session.id,
        )


_CHECKS: dict[type[EventData], Callable[[Any, Event, EntityLookup], Iterator[Caution]]] = {
    RequestOpened: _check_opened,
    RequestAccepted: _check_accepted,
    SessionRescheduled: _check_rescheduled,
    SessionStarted: _check_started,
    SessionMissed: _check_missed,
    SessionEnded: _check_ended,
    SessionLogged: _check_logged,
    SessionCorrected: _check_corrected,
    TipReceived: _check_tip,
}
