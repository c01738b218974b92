"""What sessions add to the counts of months: minutes, billed sessions and free ones.

Counts are booked together with the money and never changed: a correction adds to its own month,
with its sign (rulebook 5), so a month that is over stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from liveportal.domain.accounts import TransactionKind
from liveportal.domain.changing import changed
from liveportal.domain.clock import month_of
from liveportal.domain.entities import Session, SessionCount
from liveportal.domain.events.envelope import Event
from liveportal.domain.handlers.context import Decision, RuleContext


def counted(decision: Decision, event: Event, context: RuleContext) -> Decision:
    """Add to a decision what it changes in the counts of months.

    `context` is the book before the event: a session counts by how the event left it, compared
    with how it was.
    """
    found: list[SessionCount] = []
    for thing in decision.things:
        if type(thing) is Session and thing.end is not None:
            found += _counts(context.session(thing.id), thing, decision, event, context)
    return changed(decision, counts=tuple(found)) if found else decision


class _Place(NamedTuple):
    """Where a count belongs: to which transaction (None: none), time and month."""

    transaction: int | None
    time: datetime
    period: str


def _counts(
    before: Session | None, after: Session, decision: Decision, event: Event, context: RuleContext
) -> Iterator[SessionCount]:
    booked = {
        each.kind: _Place(number, each.time, each.period)
        for number, each in enumerate(decision.transactions, context.next_transaction)
        if each.session == after.id and each.kind in _BILLED
    }
    if before is None or before.state != "ended":
        if after.state == "ended" and after.end is not None and after.period is not None:
            place = _Place(None, after.end, after.period)
            yield _count(after, TransactionKind.EARNING, booked, place, 1)
    elif before.period != after.period and before.period and after.period:
        # A policy that cuts months otherwise moves the free sessions of a book without money.
        for session, period, sign in ((before, before.period, -1), (after, after.period, 1)):
            place = _Place(None, event.time, period)
            yield _count(session, TransactionKind.EARNING, {}, place, sign)
    elif booked or after.state != "ended" or _figures(before) != _figures(after):
        place = _Place(None, event.time, month_of(event.time, context.policy.period.timezone))
        yield _count(before, TransactionKind.REVERSAL, booked, place, -1)
        if after.state == "ended":
            yield _count(after, TransactionKind.CORRECTION, booked, place, 1)


_BILLED = (TransactionKind.EARNING, TransactionKind.REVERSAL, TransactionKind.CORRECTION)


def _count(
    session: Session,
    kind: TransactionKind,
    booked: Mapping[TransactionKind, _Place],
    otherwise: _Place,
    sign: int,
) -> SessionCount:
    if session.start is None or session.end is None:
        raise ValueError("only an ended session is counted")
    place = booked.get(kind, otherwise)
    billed_us, sessions, free_sessions = _figures(session)
    return SessionCount(
        session=session.id,
        kind=str(kind),
        time=place.time,
        period=place.period,
        start=session.start,
        end=session.end,
        billed_us=sign * billed_us,
        sessions=sign * sessions,
        free_sessions=sign * free_sessions,
        transaction=place.transaction,
    )


def _figures(session: Session) -> tuple[int, int, int]:
    """Return the billed time of a session, and whether it is billed or free."""
    return (session.billed_us, 1, 0) if session.earning is not None else (0, 0, 1)
