"""The plain model of requests and sessions, and of the checks that all rules share."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from liveportal.domain.events import types as on
from liveportal.domain.events.envelope import CLI_SOURCE, EventData
from liveportal.domain.money import LARGEST_MINOR, Money
from tests.properties import arithmetic
from tests.properties.state import FIGURES, Entry, Ledger, Request, Session, refuse

MOVES = """
request  open      accepted -> accepted, declined -> declined, withdrawn -> withdrawn
request  open      taken -> taken, expired -> expired
request  accepted  taken -> taken
session  upcoming  rescheduled -> upcoming, started -> live
session  upcoming  cancelled -> cancelled, missed -> missed
session  live      paused -> paused, ended -> ended
session  paused    resumed -> live, ended -> ended
claim    open      filed -> disputed, conceded -> conceded, granted -> granted, denied -> denied
claim    open      refund.withdrawn -> withdrawn
claim    disputed  accepted -> accepted, rejected -> rejected, refund.withdrawn -> withdrawn
claim    disputed  dispute.withdrawn -> open
payout   sent      paid -> paid, failed -> failed
payout   paid      returned -> returned
"""
"""Rulebook 6, as it stands there."""

CLOSED = ("declined", "withdrawn", "taken", "expired")
LOSING = ("withdrawn", "taken", "expired")
"""What voids an unbilled session when a feed reports it after the accept (2-events, Identity)."""


def moves() -> dict[tuple[str, str, str], str]:
    """Read the table above: (kind, state, verb) to state."""
    transitions = {}
    for line in MOVES.strip().splitlines():
        kind, state, steps = line.split(maxsplit=2)
        for step in steps.split(", "):
            verb, after = step.split(" -> ")
            transitions[kind, state, verb] = after
    return transitions


STEPS = moves()


def verb(data: EventData) -> str:
    """The step of a state machine; withdrawals of claims and of disputes are distinguished."""
    after_dot = data.TYPE.split(".")[1]
    return data.TYPE if after_dot == "withdrawn" and data.ENTITY == "claim" else after_dot


Steps = (
    on.SessionRescheduled
    | on.SessionCancelled
    | on.SessionMissed
    | on.SessionStarted
    | on.SessionPaused
    | on.SessionResumed
    | on.SessionEnded
)


class SessionModel(Ledger):
    """Requests and sessions. A rule checks everything before it changes anything."""

    allow = True
    flags: list[str]
    source: str

    # --- shared by the rules --------------------------------------------------------------------

    def book(
        self,
        kind: str,
        at: datetime,
        month: str | None = None,
        **figures: Any,  # noqa: ANN401 (the fields of an entry)
    ) -> Entry:
        """Add an entry in the month of its time, or in another."""
        entry = Entry(kind, at, month or self.month(at), **figures)
        self.entries.append(entry)
        return entry

    def undo(self, entry: Entry, at: datetime) -> None:
        """Book the exact inverse."""
        about = {
            name: getattr(entry, name) for name in ("session", "claim", "payout", "adjustment")
        }
        figures = {name: -getattr(entry, name) for name in FIGURES}
        self.book("reversal", at, **about, **figures)

    def caution(self, code: str, *, when: bool) -> None:
        """Flag an unusual event; a command that does not override is refused."""
        if when and not self.allow:
            refuse(code)
        if when:
            self.flags.append(code)

    def caution_rate(self, rate: Money) -> None:
        """R1: the policy's bounds."""
        self.check_currency(rate.currency)
        bounds, currency = self.policy.rate, rate.currency
        lowest = arithmetic.minor(bounds.minimum, currency)
        highest = arithmetic.minor(bounds.maximum, currency)
        self.caution("rate_out_of_bounds", when=not lowest <= rate.minor <= highest)

    def caution_schedule(self, start: datetime, minutes: int, moving: Session | None) -> None:
        """Double booking, and vacation days in the expert's zone."""
        end = start + timedelta(minutes=minutes)
        booked = [(session, session.planned) for session in self.agenda() if session is not moving]
        clashes = any(
            slot and slot.start < end and start < slot.start + timedelta(minutes=slot.minutes)
            for _, slot in booked
        )
        self.caution("double_booking", when=clashes)
        zone = self.preferences.get("timezone") or self.policy.period.timezone
        first = arithmetic.local_day(start, zone)
        last = arithmetic.local_day(end - timedelta(microseconds=1), zone)
        away = self.preferences.get("vacations", ())
        on_vacation = any(first <= each.end and each.start <= last for each in away)
        self.caution("on_vacation", when=on_vacation)

    def over(self, name: str, at: datetime) -> Session:
        """A session that has ended by then."""
        session = self.session(name)
        if session.state != "ended":
            refuse("wrong_state")
        if at < session.times[1]:
            refuse("impossible_time")
        return session

    # --- requests -------------------------------------------------------------------------------

    def request_opened(self, data: on.RequestOpened, _: datetime) -> None:
        """A new request; slots are for scheduled ones."""
        if data.request in self.requests:
            refuse("already_exists")
        if (data.kind == "scheduled") != bool(data.slots):
            refuse("invalid_event")
        self.caution_rate(data.rate)
        self.customers.add(data.customer.id)
        self.requests[data.request] = Request(
            data.rate.minor, data.rate.currency, slots=data.slots or (), expires=data.expires
        )

    def request_accepted(self, data: on.RequestAccepted, at: datetime) -> None:
        """R3, R4: the rate and the policy are frozen here."""
        request = self.requests.get(data.request) or refuse("not_found")
        if request.state != "open":
            refuse("wrong_state")
        self.check_currency(request.currency)
        if bool(data.slot) != bool(request.slots) or (data.slot or 0) > len(request.slots):
            refuse("slot_needed")
        slot = request.slots[data.slot - 1] if data.slot else None
        name = data.session or data.request
        if name in self.sessions or name in self.aliases:
            refuse("already_exists")
        self.caution("request_expired", when=bool(request.expires and at > request.expires))
        least = self.preferences.get("minimum_rate")
        below = bool(least and least.currency == request.currency and request.rate < least.minor)
        self.caution("below_minimum_rate", when=below)
        if slot:
            self.caution_schedule(slot.start, slot.minutes, None)
        elif any(session.state in ("live", "paused") for session in self.agenda()):
            self.flags.append("another_session_live")
        request.state = "accepted"
        request.session = self.sessions[name] = Session(
            name,
            self.policy,
            request.rate,
            "upcoming" if slot else "live",
            at,
            start=None if slot else at,
            planned=slot,
        )

    def request_closed(self, data: on.RequestClosed, at: datetime) -> None:
        """Declined, withdrawn, taken or expired."""
        request = self.requests.get(data.request) or refuse("not_found")
        by_feed = self.source != CLI_SOURCE
        if request.state in CLOSED and by_feed:
            self.flags.append("superseded")
            return
        if request.state == "accepted" and verb(data) == "declined" and by_feed:
            refuse("conflict")
        after = STEPS.get(("request", request.state, verb(data)))
        if request.state == "accepted" and by_feed and verb(data) in LOSING:
            after = verb(data)
        if after is None:
            refuse("wrong_state")
        if request.state == "accepted":
            self._lose(request.session, at)
        request.state = after

    def _lose(self, session: Session | None, at: datetime) -> None:
        """R3: the race was lost; only a session that was billed cannot be void."""
        assert session
        if session.state == "ended" and session.gross:
            refuse("wrong_state")
        if session.state == "ended":  # It was free, and is not a session of its month any more.
            self.count(session, self.month(at), -1)
        if session.state in ("upcoming", "live", "paused", "ended"):
            session.state, session.month = "cancelled", None
        self.flags.append("lost_race")

    # --- sessions -------------------------------------------------------------------------------

    def session_stepped(self, data: Steps, at: datetime) -> None:
        """The timer and the schedule; their times never go back."""
        session = self.session(data.session)
        late = isinstance(data, on.SessionPaused | on.SessionResumed) and session.state == "ended"
        if late and session.ended_by == CLI_SOURCE != self.source:
            self.flags.append("superseded")
            return
        after = STEPS.get(("session", session.state, verb(data))) or refuse("wrong_state")
        if at < session.last:
            refuse("impossible_time")
        if isinstance(data, on.SessionRescheduled):
            self.rename(data.alias, session)
            minutes = data.minutes or (session.planned.minutes if session.planned else 0)
            self.caution_schedule(data.start, minutes, session)
            session.planned = on.Slot(start=data.start, minutes=minutes)
        if isinstance(data, on.SessionEnded) and data.billed is not None:
            self.check_currency(data.billed.currency)
        session.state, session.last = after, at
        if isinstance(data, on.SessionStarted):
            session.start = at
        if isinstance(data, on.SessionPaused):
            session.paused_since = at
        elif session.paused_since:
            session.pauses.append((session.paused_since, at))
            session.paused_since = None
        if isinstance(data, on.SessionEnded):
            session.end, session.ended_by = at, self.source
            self._bill(session, data.billed)

    def rename(self, alias: str | None, session: Session) -> None:
        """Another id of a session from now on; ids are unique."""
        if alias is None or alias == session.id or self.aliases.get(alias) == session.id:
            return
        if alias in self.sessions or alias in self.aliases:
            refuse("already_exists")
        self.aliases[alias] = session.id

    def session_logged(self, data: on.SessionLogged, _: datetime) -> None:
        """A past session in one event."""
        if data.session in self.sessions or data.session in self.aliases:
            refuse("already_exists")
        pauses = list(data.pauses or ())
        if not arithmetic.pauses_fit(data.start, data.end, pauses):
            refuse("impossible_time")
        # Impossible events are refused before cautions.
        self.check_currency(data.rate.currency)
        if data.billed is not None:
            self.check_currency(data.billed.currency)
        self.caution_rate(data.rate)
        self.customers.add(data.customer.id)
        session = Session(
            data.session,
            self.policy,
            data.rate.minor,
            "ended",
            data.end,
            start=data.start,
            end=data.end,
            pauses=pauses,
        )
        self.sessions[data.session] = session
        self._bill(session, data.billed)

    def _calculate(self, session: Session, billed: Money | None) -> None:
        """The platform's bill is booked; the minutes are those of our own policy."""
        on_timer = arithmetic.minutes_on_timer(*session.times, session.pauses)
        session.minutes = arithmetic.minutes_to_bill(on_timer, session.policy)
        gross = arithmetic.gross(session.rate, session.minutes)
        session.bill = session.bill if billed is None else billed.minor
        session.gross = gross if session.bill is None else session.bill
        session.month = session.month or self.month_of_session(session)

    def _earned(self, session: Session, kind: str, at: datetime, month: str | None) -> None:
        """R11; a free session books nothing."""
        session.earning = None
        if session.gross:
            share = arithmetic.share(session.gross, session.policy)
            figures = {"gross": session.gross, "fee": session.gross - share, "owed": share}
            session.earning = self.book(kind, at, month, session=session.id, **figures)

    def _bill(self, session: Session, billed: Money | None) -> None:
        self._calculate(session, billed)
        self.count(session, session.month or "")
        self._earned(session, "earning", session.times[1], session.month)

    def correct(
        self,
        session: Session,
        right: Session | on.SessionCorrected,
        billed: Money | None,
        at: datetime,
    ) -> None:
        """Reverse the earning exactly and book the right one, both in the month of the time."""
        if billed is not None:
            self.check_currency(billed.currency)
        start, end = session.times
        pauses = self.right_pauses(session, right)
        session.start, session.end = right.start or start, right.end or end
        session.pauses = pauses
        if session.earning:
            self.undo(session.earning, at)
        self.count(session, self.month(at), -1)
        self._calculate(session, billed)
        self.count(session, self.month(at))
        self._earned(session, "correction", at, None)

    @staticmethod
    def right_pauses(
        session: Session, right: Session | on.SessionCorrected
    ) -> list[tuple[datetime, datetime]]:
        """The pauses as they were, but one that was open at the old end closes at the new one."""
        if right.pauses is not None:
            return sorted(right.pauses)
        pauses, (_, end) = sorted(session.pauses), session.times
        if pauses and pauses[-1][1] == end:
            pauses[-1] = (pauses[-1][0], right.end or end)
        return pauses

    def session_corrected(self, data: on.SessionCorrected, at: datetime) -> None:
        """Only an ended session with no refunded or claimed money."""
        session = self.session(data.session)
        if session.state != "ended":
            refuse("wrong_state")
        if session.undecided or session.refunded:
            refuse("correction_refused")
        if (data.start, data.end, data.pauses, data.billed) == (None, None, None, None):
            refuse("invalid_event")
        start, end = session.times
        end = data.end or end
        if not arithmetic.pauses_fit(data.start or start, end, self.right_pauses(session, data)):
            refuse("impossible_time")
        if at < end:
            refuse("impossible_time")
        self.correct(session, data, data.billed, at)
        session.corrected = True

    def artifact_added(self, data: on.ArtifactAdded, _: datetime) -> None:
        """Evidence may come any time."""
        self.session(data.session)

    def review_posted(self, data: on.ReviewPosted, at: datetime) -> None:
        """R7: after the session."""
        self.over(data.session, at)

    def tip_received(self, data: on.TipReceived, at: datetime) -> None:
        """The expert gets all of it."""
        session = self.over(data.session, at)
        self.check_currency(data.amount.currency)
        self.check_room(data.amount)
        self.book("tip", at, session=session.id, tips=data.amount.minor, owed=data.amount.minor)

    def check_room(self, amount: Money) -> None:
        """Rulebook 9: an amount that would overflow the books is refused. Only giants are tried."""
        if abs(amount.minor) == LARGEST_MINOR and any(entry.moved for entry in self.entries):
            refuse("amount_too_large")
