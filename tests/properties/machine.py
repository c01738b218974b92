"""The first half of the machine: it tells a ledger and the model the same, of requests and sessions.

Two ids of a kind and amounts from 1 to 9, so that things collide.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from liveportal.domain import events as on
from liveportal.domain.errors import Conflict, LiveportalError
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy
from liveportal.ledger.journal import Journal
from tests.properties import ledgers
from tests.properties.model import Model
from tests.properties.state import Refusal, Session
from tests.properties.strategies import (
    DAY,
    GAPS,
    MICROSECOND,
    MIRROR,
    PLATFORM,
    SPANS,
    borders,
    policies,
)

SEEN: set[tuple[str, str]] = set()
READ: set[tuple[str, Any]] = set()

requests = st.sampled_from(("R-1", "R-2"))
sessions = st.sampled_from(("S-1", "S-2", "R-1", "R-2", "X-1"))
amounts = st.integers(1, 9)
gaps = st.sampled_from(GAPS)
spans = st.sampled_from(SPANS)
seldom = st.integers(0, 9).map(lambda number: number == 9)
again = st.sampled_from(("no", "no", "no", "replay", "change", MIRROR, on.CLI_SOURCE))
CLOSED = (on.RequestDeclined, on.RequestWithdrawn, on.RequestTaken, on.RequestExpired)
CUSTOMER = on.Customer(id="cus-1", name="Ada")


class HostingMachine(RuleBasedStateMachine):
    """Tells a ledger and the model the same; both must answer the same."""

    @initialize(policy=policies(), month=st.integers(0, 4), before=spans)
    def begin(self, policy: Policy, month: int, before: timedelta) -> None:
        """Every book begins with a policy, near the border of a month."""
        self.db = ledgers.new_ledger()
        self.model = Model()
        self.numbers = count(1)
        self.time = borders(policy.period.timezone)[month] - before
        self.open_door()
        self.adopt(policy)

    def adopt(self, policy: Policy, again: str = "no") -> None:
        """Another policy from now on."""
        READ.update((switch, repr(value)) for switch, value in policy.switches().items())
        self.tell(on.PolicyAdopted(policy=policy), again=again)

    def open_door(self) -> None:
        """Begin a database transaction."""
        self.db.execute("BEGIN IMMEDIATE")
        self.door = Journal(self.db, ledgers.clock)

    def money(self, minor: int, *, foreign: bool = False) -> Money:
        """An amount in the book's currency, or in another one."""
        ours = self.model.policy.currency
        return Money(minor, next(c for c in ("USD", "JPY") if c != ours) if foreign else ours)

    # --- telling both -----------------------------------------------------------------------------

    def tell(
        self,
        data: on.Data,
        at: datetime | None = None,
        *,
        command: bool = False,
        again: str = "no",
        source: str = PLATFORM,
    ) -> bool:
        """Tell it once, or again: as it was, changed, or by another source.

        A `command` does not insist on cautions.
        """
        event = on.Event(source, f"evt-{next(self.numbers)}", at or self.time, data)
        went = self.judged(event, insist=not command)
        if went and again == "replay":
            assert self.judged(event, insist=False)
        if went and again == "change":
            self.judged(replace(event, time=event.time + MICROSECOND))
        if went and again in (MIRROR, on.CLI_SOURCE):
            self.judged(replace(event, source=again, time=event.time + DAY))
        return went

    def judged(self, event: on.Event, *, insist: bool = True) -> bool:
        """Let both judge an event, and compare: the outcome, the flags, and that a no is a no."""
        before = (self.door.head, self.door.book.next_seq, self.door.book.next_transaction)
        unsure, flags = set[str](), set[str]()
        try:
            verdict = self.model.record(event, insist=insist)
            expected, flags, unsure = verdict.status, set(verdict.flags), set(self.model.unsure)
        except Refusal as refusal:
            expected = refusal.code
        try:
            outcome = self.door.record(event, insist=lambda _: insist)
            actual = outcome.status
            assert actual == "replayed" or set(outcome.flags) - unsure == flags - unsure
        except LiveportalError as error:
            actual = error.code
            assert not isinstance(error, Conflict) or error.fields
        assert actual == expected, f"{actual}, not {expected}: {event}"
        SEEN.add((event.data.TYPE, actual))
        after = (self.door.head, self.door.book.next_seq, self.door.book.next_transaction)
        done = actual in ("recorded", "confirmed")
        assert done or after == before, "what is refused or replayed leaves no trace"
        return done or actual == "replayed"

    def known(self, name: str) -> Session | None:
        """What the model knows of a session."""
        return self.model.sessions.get(self.model.aliases.get(name, name))

    def end_of(self, name: str) -> datetime:
        """When a session ended; now for one that did not."""
        session = self.known(name)
        return session.end if session and session.end else self.time

    # --- single steps: requests and sessions ------------------------------------------------------

    @rule(
        name=requests,
        rate=amounts,
        scheduled=st.booleans(),
        wrong=seldom,
        foreign=seldom,
        command=st.booleans(),
        gap=gaps,
        again=again,
    )
    def request(
        self,
        name: str,
        rate: int,
        scheduled: bool,
        wrong: bool,
        foreign: bool,
        command: bool,
        gap: timedelta,
        again: str,
    ) -> None:
        """A customer asks."""
        slots = (on.Slot(start=self.time + gap, minutes=30),) if scheduled != wrong else None
        opened = on.RequestOpened(
            request=name,
            kind="scheduled" if scheduled else "instant",
            customer=CUSTOMER,
            title="a title",
            rate=self.money(rate, foreign=foreign),
            slots=slots,
            expires=self.time + gap,
        )
        self.tell(opened, command=command, again=again)

    @rule(
        name=requests,
        session=sessions,
        slot=st.sampled_from((None, None, 1, 1, 2)),
        named=st.booleans(),
        command=st.booleans(),
        span=spans,
        again=again,
    )
    def accept(
        self,
        name: str,
        session: str,
        slot: int | None,
        named: bool,
        command: bool,
        span: timedelta,
        again: str,
    ) -> None:
        """The expert takes a request."""
        self.time += span
        taken = on.RequestAccepted(request=name, session=session if named else None, slot=slot)
        self.tell(taken, command=command, again=again)

    @rule(name=requests, session=sessions)
    def told_by_another_name(self, name: str, session: str) -> None:
        """The mirror tells of an accepted request, and calls its session otherwise."""
        self.tell(on.RequestAccepted(request=name, session=session), source=MIRROR)

    @rule(name=requests, closed=st.sampled_from(CLOSED), again=again)
    def close(self, name: str, closed: type[on.RequestClosed], again: str) -> None:
        """A request ends without a session."""
        self.tell(closed(request=name), again=again)

    @rule(name=requests, policy=policies())
    def currency_changes_under_a_request(self, name: str, policy: Policy) -> None:
        """A request keeps its rate's currency; the book may have another one by then."""
        opened = on.RequestOpened(
            request=name, kind="instant", customer=CUSTOMER, title="a title", rate=self.money(5)
        )
        self.tell(opened)
        self.adopt(policy)
        self.tell(on.RequestAccepted(request=name))

    @rule(
        name=sessions,
        step=st.sampled_from(("start", "pause", "resume", "cancel", "miss", "move", "move")),
        span=spans,
        back=seldom,
        command=st.booleans(),
        again=again,
    )
    def step(
        self, name: str, step: str, span: timedelta, back: bool, command: bool, again: str
    ) -> None:
        """The timer and the schedule, in any order; now and then back in time."""
        told: dict[str, on.Data] = {
            "start": on.SessionStarted(session=name),
            "pause": on.SessionPaused(session=name),
            "resume": on.SessionResumed(session=name),
            "cancel": on.SessionCancelled(session=name, by="customer"),
            "miss": on.SessionMissed(session=name, by="expert"),
            "move": on.SessionRescheduled(session=name, start=self.time + span),
        }
        self.tell(told[step], self.stepped(name, span, back), command=command, again=again)

    def stepped(self, name: str, span: timedelta, back: bool) -> datetime:
        """The time after a span; or the last instant before what the session knows."""
        self.time += span
        session = self.known(name)
        return session.last - MICROSECOND if back and session else self.time

    @rule(
        name=sessions,
        billed=st.none() | st.integers(0, 9),
        foreign=seldom,
        span=spans,
        back=seldom,
        again=again,
        source=st.sampled_from((PLATFORM, PLATFORM, MIRROR)),
    )
    def end(
        self,
        name: str,
        billed: int | None,
        foreign: bool,
        span: timedelta,
        back: bool,
        again: str,
        source: str,
    ) -> None:
        """A session ends; or the mirror tells so later, and what it billed."""
        amount = None if billed is None else self.money(billed, foreign=foreign)
        at = self.stepped(name, span, back)
        self.tell(on.SessionEnded(session=name, billed=amount), at, again=again, source=source)
