"""Monthly session counts: minutes, billed sessions and free ones.

Counts are booked together with the money and never changed: a correction adds signed counts to its
own month (rulebook 5), so a past month stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from liveportal.domain.accounts import TransactionKind
from liveportal.domain.clock import month_of
from liveportal.domain.entities import Session, SessionCount, SessionState
from liveportal.domain.events.envelope import Event
from liveportal.domain.frozen import replace
from liveportal.domain.handlers.context import Decision, RuleContext


def add_counts(decision: Decision, event: Event, context: RuleContext) -> Decision:
    """Add to a decision its changes to the monthly counts.

    `context` is the book before the event: a session counts by its state after the event, compared
    with its state before.
    """
    counts: list[SessionCount] = []
    for entity in decision.entities:
        if type(entity) is Session and entity.end is not None:
            counts += _counts(context.session(entity.id), entity, decision, event, context)
    return replace(decision, counts=tuple(counts)) if counts else decision


class _Place(NamedTuple):
    """Where a count belongs: its transaction (None: no transaction), time and month."""

    transaction: int | None
    time: datetime
    period: str


def _counts(
    before: Session | None, after: Session, decision: Decision, event: Event, context: RuleContext
) -> Iterator[SessionCount]:
    booked = {
        transaction.kind: _Place(number, transaction.time, transaction.period)
        for number, transaction in enumerate(decision.transactions, context.next_transaction)
        if transaction.session == after.id and transaction.kind in _BILLED
    }
    if before is None or before.state != SessionState.ENDED:
        if after.state == SessionState.ENDED and after.end is not None and after.period is not None:
            place = _Place(None, after.end, after.period)
            yield _count(after, TransactionKind.EARNING, booked, place, 1)
    elif before.period != after.period and before.period and after.period:
        # A policy with other month rules moves the free sessions of a book without transactions.
        for session, period, sign in ((before, before.period, -1), (after, after.period, 1)):
            place = _Place(None, event.time, period)
            yield _count(session, TransactionKind.EARNING, {}, place, sign)
    elif booked or after.state != SessionState.ENDED or _figures(before) != _figures(after):
        place = _Place(None, event.time, month_of(event.time, context.policy.period.timezone))
        yield _count(before, TransactionKind.REVERSAL, booked, place, -1)
        if after.state == SessionState.ENDED:
            yield _count(after, TransactionKind.CORRECTION, booked, place, 1)


_BILLED = (TransactionKind.EARNING, TransactionKind.REVERSAL, TransactionKind.CORRECTION)


def _count(
    session: Session,
    kind: TransactionKind,
    booked: Mapping[TransactionKind, _Place],
    default: _Place,
    sign: int,
) -> SessionCount:
    if session.start is None or session.end is None:
        raise ValueError("only an ended session is counted")
    place = booked.get(kind, default)
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
    """Return billed time in microseconds, the count of billed sessions, and that of free ones."""
    return (session.billed_us, 1, 0) if session.earning is not None else (0, 0, 1)
