"""Sessions: agreed, held, billed once, and corrected by a new entry if the bill was wrong.

upcoming -> live <-> paused; live | paused -> ended; upcoming -> cancelled | missed | upcoming.
The session of an instant request begins live; one logged by hand begins ended. A session that
billed nothing is cancelled if its request was lost (see `requests`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from liveportal.domain import accounts
from liveportal.domain.accounts import Transaction, TransactionKind
from liveportal.domain.calculations.billing import active_time, bill
from liveportal.domain.clock import Pause, month_of, readable
from liveportal.domain.entities import Artifact, Customer, Review, Session, SessionState
from liveportal.domain.errors import (
    CorrectionRefused,
    ImpossibleTime,
    InvalidEvent,
    WrongState,
)
from liveportal.domain.events.envelope import CLI_SOURCE, Event, EventData
from liveportal.domain.events.types import (
    ArtifactAdded,
    ReviewPosted,
    SessionCancelled,
    SessionCorrected,
    SessionEnded,
    SessionLogged,
    SessionMissed,
    SessionPaused,
    SessionRescheduled,
    SessionResumed,
    SessionStarted,
    TipReceived,
)
from liveportal.domain.frozen import replace
from liveportal.domain.handlers.context import Decision, Rule, RuleContext, next_state, require
from liveportal.domain.handlers.refusals import already_exists, next_step, state_of
from liveportal.domain.handlers.requests import (
    SUPERSEDED,
    alias_of,
    check_currency,
    rate_cautions,
    schedule_cautions,
)
from liveportal.domain.hint import Hint
from liveportal.domain.money import Money, share_of
from liveportal.domain.policy import Policy, SessionMonth

MOVES = {
    (SessionState.UPCOMING, "session.rescheduled"): SessionState.UPCOMING,
    (SessionState.UPCOMING, "session.cancelled"): SessionState.CANCELLED,
    (SessionState.UPCOMING, "session.missed"): SessionState.MISSED,
    (SessionState.UPCOMING, "session.started"): SessionState.LIVE,
    (SessionState.LIVE, "session.paused"): SessionState.PAUSED,
    (SessionState.PAUSED, "session.resumed"): SessionState.LIVE,
    (SessionState.LIVE, "session.ended"): SessionState.ENDED,
    (SessionState.PAUSED, "session.ended"): SessionState.ENDED,
}


def on_started(data: SessionStarted, event: Event, context: RuleContext) -> Decision:
    """Start the timer."""
    return Decision(entities=(_advance(data.session, event, context, start=event.time),))


def on_paused(data: SessionPaused, event: Event, context: RuleContext) -> Decision:
    """Pause the timer; paused time is not charged (R6)."""
    if _is_superseded(data, event, context):
        return Decision(flags=(SUPERSEDED,))
    return Decision(entities=(_advance(data.session, event, context, paused_since=event.time),))


def on_resumed(data: SessionResumed, event: Event, context: RuleContext) -> Decision:
    """Resume the timer."""
    if _is_superseded(data, event, context):
        return Decision(flags=(SUPERSEDED,))
    return Decision(entities=(_close_pause(_advance(data.session, event, context), event.time),))


def on_cancelled_or_missed(
    data: SessionCancelled | SessionMissed, event: Event, context: RuleContext
) -> Decision:
    """Cancel a session, or record a no-show: nothing is booked."""
    return Decision(entities=(_advance(data.session, event, context),))


def on_rescheduled(data: SessionRescheduled, event: Event, context: RuleContext) -> Decision:
    """Move an upcoming session to another time, and change its length if one is given."""
    session = _advance(data.session, event, context)
    alias = alias_of(session.id, data.alias, context)
    minutes = data.minutes or session.planned_minutes or 0
    cautions = tuple(schedule_cautions(data.start, minutes, context, moving=session.id))
    flags = tuple(caution.code for caution in cautions)
    session = replace(session, planned_start=data.start, planned_minutes=minutes, flags=flags)
    return Decision(entities=(session,), cautions=cautions, alias=alias)


def on_ended(data: SessionEnded, event: Event, context: RuleContext) -> Decision:
    """End and bill a session, by the policy it was agreed under or as the platform billed it."""
    session = _close_pause(_advance(data.session, event, context, end=event.time), event.time)
    return _bill_decision(session, data.billed, context)


def on_logged(data: SessionLogged, event: Event, context: RuleContext) -> Decision:
    """Record a past session in one event; it counts from its end, not its recording."""
    if context.session(data.session):
        raise already_exists("session", data.session)
    pauses = sort_pauses(data.start, data.end, data.pauses or ())
    cautions = rate_cautions(data.rate, context.policy)
    session = Session(
        id=data.session,
        customer=data.customer.id,
        state=SessionState.ENDED,
        rate=data.rate,
        policy=context.policy_seq,
        agreed_seq=context.next_seq,
        last_time=data.end,
        start=data.start,
        end=data.end,
        pauses=pauses,
        flags=tuple(caution.code for caution in cautions),
    )
    decision = _bill_decision(session, data.billed, context)
    entities = (*decision.entities, Customer(data.customer.id, context.next_seq))
    return replace(decision, entities=entities, cautions=cautions)


def on_corrected(data: SessionCorrected, event: Event, context: RuleContext) -> Decision:
    """Correct a session: reverse its earning and book the right one."""
    session = require("session", data.session, context.session(data.session))
    if session.state != SessionState.ENDED or session.start is None or session.end is None:
        raise WrongState(
            f"{state_of(session)}, so it cannot be corrected.",
            hint=next_step(session),
            id=session.id,
            state=session.state,
        )
    if session.claim_undecided or session.refunded_minor:
        why, hint = (
            (f"claim {session.claim} is undecided", "Wait for the decision, or record it first.")
            if session.claim_undecided
            else (
                "money was refunded to the customer",
                "Ask the platform to adjust it, and record the adjustment.",
            )
        )
        raise CorrectionRefused(
            f"Session {session.id} cannot be corrected, because {why}.", hint=hint, id=session.id
        )
    if (data.start, data.end, data.pauses, data.billed) == (None, None, None, None):
        raise InvalidEvent("session", "must come with the right start, end, pauses or bill")
    corrected_session = right_times(session, data, former=context.former_rules)
    if corrected_session.end and event.time < corrected_session.end and not context.former_rules:
        raise ImpossibleTime(
            f"The correction is dated before the end of session {session.id}, at"
            f" {readable(corrected_session.end)}.",
            hint=Hint("Give {a_later_time}."),
            id=session.id,
        )
    billed = data.billed
    if billed is None and session.billed_minor is not None and not context.former_rules:
        billed = Money(session.billed_minor, session.currency)
    return _rebill_decision(session, corrected_session, billed, event.time, context)


def right_times(session: Session, data: SessionCorrected, *, former: bool = False) -> Session:
    """Return an ended session with the corrected start, end and pauses.

    A pause that was open at the old end closes at the new one, unless `former` rules apply. Raises
    `ImpossibleTime`.
    """
    if session.start is None or session.end is None:
        raise ValueError("only an ended session has times to correct")
    start, end = data.start or session.start, data.end or session.end
    pauses = session.pauses if data.pauses is None else data.pauses
    if data.pauses is None and pauses and not former:
        *closed, (since, until) = pauses
        pauses = (*closed, (since, end if until == session.end else until))
    return replace(session, start=start, end=end, pauses=sort_pauses(start, end, pauses))


def own_bill(session: Session, policy: Policy) -> Money:
    """Return an ended session's gross by our calculation, under the policy it was agreed under."""
    if session.start is None or session.end is None:
        raise ValueError("only an ended session is billed")
    active_us = active_time(session.start, session.end, session.pauses)
    return bill(active_us, session.rate, policy).gross


def rebill(session: Session, billed: Money, at: datetime, context: RuleContext) -> Decision:
    """Replace a session's bill: reverse its earning and book the right one."""
    return _rebill_decision(session, session, billed, at, context)


def rebill_formerly(
    session: Session, billed: Money, at: datetime, context: RuleContext
) -> Decision:
    """Replace a bill as earlier versions did: an undecided claim for the whole bill follows it."""
    decision = _rebill_decision(session, session, billed, at, context)
    if not session.claim_undecided or session.claim is None:
        return decision
    claim = require("claim", session.claim, context.claim(session.claim))
    if claim.amount_minor != session.left_minor:
        return decision
    claim = replace(claim, amount_minor=billed.minor - session.refunded_minor)
    return replace(decision, entities=(*decision.entities, claim))


def on_artifact_added(data: ArtifactAdded, event: Event, context: RuleContext) -> Decision:
    """Record a piece of evidence; it may arrive at any time."""
    session = require("session", data.session, context.session(data.session))
    evidence = Artifact(
        context.next_seq, session.id, data.kind, data.sha256, data.bytes, data.media_type
    )
    return Decision(entities=(evidence,))


def on_review_posted(data: ReviewPosted, event: Event, context: RuleContext) -> Decision:
    """Record one side's review (R7)."""
    session = require_ended(event, data.session, context)
    review = Review(session.id, data.by, data.rating, event.time, context.next_seq)
    return Decision(entities=(review,))


def on_tip_received(data: TipReceived, event: Event, context: RuleContext) -> Decision:
    """Book a tip, all of which goes to the expert."""
    session = require_ended(event, data.session, context)
    check_currency(data.amount, context.policy)
    tip = Transaction(
        TransactionKind.TIP,
        event.time,
        month_of(event.time, context.policy.period.timezone),
        accounts.tip(data.amount.minor),
        session=session.id,
    )
    return Decision(transactions=(tip,))


def require_ended(event: Event, session_id: str, context: RuleContext) -> Session:
    """Return the session; raises unless it ended before the event.

    For events that can only follow the end. Raises `UnknownThing`, `WrongState` or
    `ImpossibleTime`.
    """
    session = require("session", session_id, context.session(session_id))
    if session.state != SessionState.ENDED or session.end is None:
        raise WrongState(
            f"{state_of(session)}. Only a session that has ended can have this.",
            hint=next_step(session),
            id=session.id,
            state=session.state,
        )
    if event.time < session.end:
        raise ImpossibleTime(
            f"Session {session.id} ended at {readable(session.end)}, which is after the time that"
            " you gave.",
            hint=Hint("Give {a_later_time}."),
            id=session.id,
        )
    return session


def sort_pauses(start: datetime, end: datetime, pauses: Sequence[Pause]) -> tuple[Pause, ...]:
    """Return the pauses in order of time; raises `ImpossibleTime` unless they fit the session."""
    if end < start:
        raise ImpossibleTime(
            "The end of the session is before its start.", hint="Check the start and the end."
        )
    ordered = tuple(sorted(pauses))
    free_from = start
    for since, until in ordered:
        if until < since or since < free_from or until > end:
            raise ImpossibleTime(
                f"The pause from {readable(since)} to {readable(until)} ends before it begins,"
                " overlaps another pause, or is outside the session.",
                hint="Check the pauses. Each must be within the session.",
            )
        free_from = until
    return ordered


def period_of(session: Session, policy: Policy) -> str:
    """Return the month (`YYYY-MM`) in which a session counts (`period.*`)."""
    month_by = policy.period.session_month
    instant = session.start if month_by is SessionMonth.START else session.end
    if instant is None:
        raise ValueError("only an ended session falls in a month")
    return month_of(instant, policy.period.timezone)


def _is_superseded(
    data: SessionPaused | SessionResumed, event: Event, context: RuleContext
) -> bool:
    """Return True if a feed reports a pause of a session whose end the expert recorded first."""
    session = context.session(data.session)
    if session is None or session.state != SessionState.ENDED or event.source == CLI_SOURCE:
        return False
    ends = context.assertions(f"session:{session.id}", SessionEnded.TYPE)
    return bool(ends) and ends[0].source == CLI_SOURCE


def _advance(session_id: str, event: Event, context: RuleContext, **fields: datetime) -> Session:
    """Return a session in its next state, with `fields` set; time must not go back.

    Raises `WrongState` or `ImpossibleTime`.
    """
    session = require("session", session_id, context.session(session_id))
    state = next_state(MOVES, session, event)
    if event.time < session.last_time:
        raise ImpossibleTime(
            f"The latest step of session {session.id} was at {readable(session.last_time)}, which"
            " is after the time that you gave.",
            hint=Hint("Give {a_later_time}."),
            id=session.id,
        )
    return replace(session, state=state, last_time=event.time, **fields)


def _close_pause(session: Session, at: datetime) -> Session:
    if session.paused_since is None:
        return session
    pauses = (*session.pauses, (session.paused_since, at))
    return replace(session, pauses=pauses, paused_since=None)


def _calculate_bill(session: Session, billed: Money | None, context: RuleContext) -> Session:
    """Bill an ended session: by its policy or, if given, as the platform billed it."""
    if session.start is None or session.end is None:
        raise ValueError("only an ended session is billed")
    policy = context.policy_at(session.policy)
    expected = bill(active_time(session.start, session.end, session.pauses), session.rate, policy)
    if billed is not None:
        check_currency(billed, context.policy)
    gross = expected.gross if billed is None else billed
    return replace(
        session,
        active_us=expected.active_us,
        billed_us=expected.billed_us,
        gross_minor=gross.minor,
        fee_minor=gross.minor - share_of(gross.minor, policy.fee.percent),
        expected_minor=expected.gross.minor,
        billed_minor=None if billed is None else billed.minor,
        # It stays in the month in which it was first billed, even if it is corrected later.
        period=session.period or period_of(session, context.policy),
    )


def _bill_decision(session: Session, billed: Money | None, context: RuleContext) -> Decision:
    session = _calculate_bill(session, billed, context)
    if not session.gross_minor:
        return Decision(entities=(session,))  # R5: a free session books nothing.
    session = replace(session, earning=context.next_transaction)
    return Decision(entities=(session,), transactions=(_earning_transaction(session),))


def _rebill_decision(
    session: Session,
    corrected_session: Session,
    billed: Money | None,
    at: datetime,
    context: RuleContext,
) -> Decision:
    """Reverse a session's earning exactly and book the right one, both in the month of `at`."""
    corrected_session = _calculate_bill(corrected_session, billed, context)
    period = month_of(at, context.policy.period.timezone)
    transactions: list[Transaction] = []
    if session.earning is not None:
        earning = _session_transaction(session, TransactionKind.REVERSAL, at, period)
        transactions.append(replace(earning, transfers=accounts.reverse(earning.transfers)))
    if corrected_session.gross_minor:
        corrected_session = replace(
            corrected_session, earning=context.next_transaction + len(transactions)
        )
        transactions.append(
            _session_transaction(corrected_session, TransactionKind.CORRECTION, at, period)
        )
    else:
        corrected_session = replace(corrected_session, earning=None)
    return Decision(entities=(corrected_session,), transactions=tuple(transactions))


def _earning_transaction(session: Session) -> Transaction:
    if session.end is None or session.period is None:
        raise ValueError("only an ended session earns")
    return _session_transaction(session, TransactionKind.EARNING, session.end, session.period)


def _session_transaction(
    session: Session, kind: TransactionKind, at: datetime, period: str
) -> Transaction:
    legs = accounts.earning(session.share_minor, session.fee_minor)
    return Transaction(kind, at, period, legs, session=session.id)


RULES: dict[type[EventData], Rule] = {
    SessionRescheduled: on_rescheduled,
    SessionCancelled: on_cancelled_or_missed,
    SessionMissed: on_cancelled_or_missed,
    SessionStarted: on_started,
    SessionPaused: on_paused,
    SessionResumed: on_resumed,
    SessionEnded: on_ended,
    SessionLogged: on_logged,
    SessionCorrected: on_corrected,
    ArtifactAdded: on_artifact_added,
    ReviewPosted: on_review_posted,
    TipReceived: on_tip_received,
}
