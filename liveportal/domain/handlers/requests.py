"""Requests: opened, then answered once.

open -> accepted | declined | withdrawn | taken | expired; accepted -> taken (the race was lost).

The expert's records may be ahead of the platform's: a feed's report about a request that is already
closed has no effect, and a request that a feed takes away voids a session that billed nothing.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from liveportal.domain.clock import MICROSECOND, local_date, readable, shifted
from liveportal.domain.entities import Customer, Request, RequestState, Session, SessionState
from liveportal.domain.errors import (
    BelowMinimumRate,
    Caution,
    Conflict,
    CurrencyMismatch,
    DoubleBooking,
    InvalidEvent,
    OnVacation,
    RateOutOfBounds,
    RequestLapsed,
    SlotNeeded,
    WrongState,
)
from liveportal.domain.events.envelope import CLI_SOURCE, Event, EventData
from liveportal.domain.events.types import (
    RequestAccepted,
    RequestClosed,
    RequestDeclined,
    RequestExpired,
    RequestOpened,
    RequestTaken,
    RequestWithdrawn,
    Slot,
)
from liveportal.domain.frozen import replace
from liveportal.domain.handlers.context import Decision, Rule, RuleContext, next_state, require
from liveportal.domain.handlers.refusals import already_exists
from liveportal.domain.hint import Hint
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy

MOVES = {
    (RequestState.OPEN, "request.accepted"): RequestState.ACCEPTED,
    (RequestState.OPEN, "request.declined"): RequestState.DECLINED,
    (RequestState.OPEN, "request.withdrawn"): RequestState.WITHDRAWN,
    (RequestState.OPEN, "request.taken"): RequestState.TAKEN,
    (RequestState.OPEN, "request.expired"): RequestState.EXPIRED,
    (RequestState.ACCEPTED, "request.taken"): RequestState.TAKEN,
}
MOVES_BY_FEED = {
    **MOVES,
    (RequestState.ACCEPTED, "request.withdrawn"): RequestState.WITHDRAWN,
    (RequestState.ACCEPTED, "request.expired"): RequestState.EXPIRED,
}
CLOSED = frozenset(
    {RequestState.DECLINED, RequestState.WITHDRAWN, RequestState.TAKEN, RequestState.EXPIRED}
)
LOST_RACE = "lost_race"
"""The flag of a session cancelled because another expert got its request (R3)."""
SUPERSEDED = "superseded"
"""The flag of a feed's event that is obsolete: the expert already recorded a later one."""


def on_opened(data: RequestOpened, event: Event, context: RuleContext) -> Decision:
    """Record a customer's request for help; the rate is fixed here (R4)."""
    if context.request(data.request):
        raise already_exists("request", data.request)
    if (data.kind == "scheduled") is not bool(data.slots):
        requirement = "must be given" if data.kind == "scheduled" else "must be left out"
        raise InvalidEvent("slots", f"{requirement} for a request of the kind {data.kind}")
    cautions = rate_cautions(data.rate, context.policy)
    request = Request(
        id=data.request,
        kind=data.kind,
        direct=bool(data.direct),
        customer=data.customer.id,
        rate=data.rate,
        state=RequestState.OPEN,
        opened_at=event.time,
        opened_seq=context.next_seq,
        slots=data.slots or (),
        expires=data.expires,
        flags=tuple([caution.code for caution in cautions]),
    )
    person = Customer(id=data.customer.id, described_seq=context.next_seq)
    return Decision(entities=(request, person), cautions=cautions)


def on_accepted(data: RequestAccepted, event: Event, context: RuleContext) -> Decision:
    """Accept a request: an instant session is live at once, a scheduled one is upcoming (R3)."""
    request = require("request", data.request, context.request(data.request))
    state = next_state(MOVES, request, event)
    check_currency(request.rate, context.policy)
    slot = chosen_slot(request, data.slot)
    session_id = data.session or request.id
    if context.session(session_id):
        raise already_exists("session", session_id)
    cautions = acceptance_cautions(request, slot, event.time, context)
    # Helping two customers at once is allowed, and flagged.
    has_live_session = slot is None and any(
        other.state != SessionState.UPCOMING for other in context.agenda()
    )
    flags = ("another_session_live",) if has_live_session else ()
    session = Session(
        id=session_id,
        customer=request.customer,
        state=SessionState.UPCOMING if slot else SessionState.LIVE,
        rate=request.rate,
        policy=context.policy_seq,
        agreed_seq=context.next_seq,
        last_time=event.time,
        request=request.id,
        planned_start=slot.start if slot else None,
        planned_minutes=slot.minutes if slot else None,
        start=None if slot else event.time,
        flags=(*[caution.code for caution in cautions], *flags),
    )
    request = replace(request, state=state, session=session_id, closed_at=event.time)
    return Decision(entities=(request, session), cautions=cautions, flags=flags)


def on_closed(data: RequestClosed, event: Event, context: RuleContext) -> Decision:
    """Decline a request, or record that it is no longer available."""
    request = require("request", data.request, context.request(data.request))
    by_feed = event.source != CLI_SOURCE
    if request.state in CLOSED and by_feed:
        return Decision(flags=(SUPERSEDED,))
    if request.state == RequestState.ACCEPTED and isinstance(data, RequestDeclined) and by_feed:
        raise Conflict(f"The answer to request {request.id}", ["type"])
    state = next_state(MOVES_BY_FEED if by_feed else MOVES, request, event)
    closed_request = replace(request, state=state, closed_at=event.time)
    if request.session is None:
        return Decision(entities=(closed_request,))
    session = require("session", request.session, context.session(request.session))
    return Decision(entities=(closed_request, *_void(session)), flags=(LOST_RACE,))


def _void(session: Session) -> tuple[Session, ...]:
    """Return the session cancelled as a lost race; nothing if it never took place (R3).

    Raises `WrongState` if it was billed.
    """
    if session.gross_minor:
        raise WrongState(
            f"Session {session.id} of this request was billed, so no other expert took the"
            " request.",
            hint=Hint("To change the bill, use {a_correction}."),
            id=session.id,
            state=session.state,
        )
    if session.state in (SessionState.CANCELLED, SessionState.MISSED):
        return ()
    flags = tuple(dict.fromkeys((*session.flags, LOST_RACE)))
    return (
        replace(session, state=SessionState.CANCELLED, paused_since=None, period=None, flags=flags),
    )


def alias_of(session_id: str, alias: str | None, context: RuleContext) -> tuple[str, str] | None:
    """Return a new alias and its session id; None without an alias, or if it is known already.

    Raises `AlreadyExists` if the alias is the id of another session.
    """
    if alias is None:
        return None
    other = context.session(alias)
    if other is None:
        return alias, session_id
    if other.id != session_id:
        raise already_exists("session", alias)
    return None


def chosen_slot(request: Request, number: int | None) -> Slot | None:
    """Return the slot with that number; raises `SlotNeeded` if it is missing or out of range."""
    if not request.slots:
        if number is not None:
            raise SlotNeeded(
                f"Request {request.id} is an instant request, so it has no slots to choose from.",
                hint="Accept it without a slot.",
            )
        return None
    if number is None:
        raise SlotNeeded(
            f"Request {request.id} is a scheduled request, so one of its slots has to be chosen.",
            hint=Hint(
                "Give {a_slot}, or {the_best_one}. {The_request} shows them.",
                request=request.id,
                slots="1" if len(request.slots) == 1 else f"N (1 to {len(request.slots)})",
            ),
            slots=len(request.slots),
        )
    if number > len(request.slots):
        raise SlotNeeded(
            f"Request {request.id} has no slot {number}: its slots are 1 to {len(request.slots)}.",
            hint=Hint("{The_request} shows its slots.", request=request.id),
            slots=len(request.slots),
        )
    return request.slots[number - 1]


def acceptance_cautions(
    request: Request, slot: Slot | None, at: datetime, context: RuleContext
) -> tuple[Caution, ...]:
    """Return the cautions about accepting, in the order in which they refuse a command."""
    cautions: list[Caution] = []
    if request.expires and at > request.expires:
        cautions.append(
            RequestLapsed(
                f"Request {request.id} expired at {readable(request.expires)}, before it was"
                " accepted.",
                hint=Hint("If the platform accepted it anyway, {overriding_this} records that."),
            )
        )
    minimum = context.preferences.minimum_rate
    if minimum and minimum.currency == request.rate.currency and request.rate < minimum:  # R2
        cautions.append(
            BelowMinimumRate(
                f"Request {request.id} pays {request.rate} {request.rate.currency} a minute, which"
                f" is below your minimum of {minimum}.",
                hint=Hint("{Overriding_this} accepts it regardless."),
            )
        )
    if slot:
        cautions += schedule_cautions(slot.start, slot.minutes, context)
    return tuple(cautions)


def schedule_cautions(
    start: datetime, minutes: int, context: RuleContext, *, moving: str | None = None
) -> list[Caution]:
    """Return the cautions about a session at that time: other sessions, and vacations."""
    end = shifted(start, timedelta(minutes=minutes))
    cautions: list[Caution] = []
    if clashes := conflicting_sessions(start, end, context, moving=moving):
        cautions.append(
            DoubleBooking(
                f"Session {clashes[0]} is already booked at that time.",
                hint=Hint("Choose another time. {Overriding_this} books both."),
                sessions=clashes,
            )
        )
    zone_name = context.preferences.timezone or context.policy.period.timezone
    first, last = local_date(start, zone_name), local_date(end - MICROSECOND, zone_name)
    if any(
        _overlap(first, last, vacation.start, vacation.end)
        for vacation in context.preferences.vacations or ()
    ):
        cautions.append(
            OnVacation(
                f"{first} is during your vacation.",
                hint=Hint("Choose another time. {Overriding_this} books it regardless."),
            )
        )
    return cautions


def conflicting_sessions(
    start: datetime, end: datetime, context: RuleContext, *, moving: str | None = None
) -> list[str]:
    """Return the ids of the agreed sessions that overlap [start, end), except `moving`."""
    return sorted(
        session.id
        for session in context.agenda()
        if session.id != moving
        and session.planned_start is not None
        and session.planned_end is not None
        and session.planned_start < end
        and start < session.planned_end
    )


def rate_cautions(rate: Money, policy: Policy) -> tuple[Caution, ...]:
    """Check a rate against the policy's bounds (R1); raises `CurrencyMismatch`."""
    check_currency(rate, policy)
    lowest, highest = policy.rate_bounds
    if lowest.minor <= rate.minor <= highest.minor:
        return ()
    return (
        RateOutOfBounds(
            f"The rate of {rate} is outside the policy's bounds, {policy.rate.minimum} to"
            f" {policy.rate.maximum} {rate.currency} a minute.",
            hint=Hint("Check the rate. {Overriding_this} records it regardless."),
        ),
    )


def check_currency(amount: Money, policy: Policy) -> None:
    """Raise `CurrencyMismatch` if an amount is not in the book's currency."""
    if amount.currency != policy.currency:
        raise CurrencyMismatch(
            f"The currency of this ledger is {policy.currency}, not {amount.currency}.",
            hint="A ledger has one currency. Keep another ledger for the other currency.",
            currency=amount.currency,
            expected=policy.currency,
        )


def _overlap(first: date, last: date, start: date, end: date) -> bool:
    return first <= end and start <= last


RULES: dict[type[EventData], Rule] = {
    RequestOpened: on_opened,
    RequestAccepted: on_accepted,
    RequestDeclined: on_closed,
    RequestWithdrawn: on_closed,
    RequestTaken: on_closed,
    RequestExpired: on_closed,
}
