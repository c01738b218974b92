"""Whole books at random: any policy, and a feed of events that are all accepted.

One author writes them all, out of a seeded source of randomness. It asks the plain model what would
be refused, and leaves that out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any, TypeVar

from liveportal.domain.events import types as on
from liveportal.domain.events.envelope import CLI_SOURCE, Event, EventData
from liveportal.domain.money import Money
from tests.kit.pools import (
    AFTER_THE_END,
    ANSWERS,
    CUSTOMERS,
    DAY,
    GAPS,
    MIRROR,
    PLATFORM,
    SPANS,
    TRIAL,
    borders,
    policy_of,
)
from tests.properties.model import Model, is_the_experts
from tests.properties.state import Refusal, Session

T = TypeVar("T")


@dataclass(frozen=True)
class Book:
    """A feed in which every event goes through, and the model that judged it."""

    events: tuple[Event, ...]
    model: Model

    @classmethod
    def of(cls, random: Random, acts: int) -> Book:
        """Write a whole book, of so many acts."""
        return Author(random).write(acts)

    def __repr__(self) -> str:
        return "Book(\n" + "".join(f"    {event},\n" for event in self.events) + ")"


class Author:
    """Writes a book act by act. An act that cannot be done now is left out."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.model = Model()
        self.events: list[Event] = []
        self._numbers = count(1)
        policy = policy_of(self.pick)
        self.currency = policy.currency
        self.time = self.pick(borders(policy.period.timezone)) - self.pick(SPANS)
        self.report(on.PolicyAdopted(policy=policy))

    def write(self, acts: int) -> Book:
        """Write so many acts; where one cannot be done yet, a session makes it possible."""
        for _ in range(acts):
            so_far = len(self.events)
            self.pick(ACTS)(self)
            if len(self.events) == so_far:
                log(self)
            self.time += self.pick(GAPS)
        return Book(tuple(self.events), self.model)

    # --- the tools --------------------------------------------------------------------------------

    def pick(self, choices: Sequence[T]) -> T:
        """Take one."""
        return choices[self.random.randrange(len(choices))]

    def one_in(self, number: int) -> bool:
        """Return True rarely."""
        return self.random.randrange(number) == number - 1

    def money(self, least: int = 1) -> Money:
        """An amount; small ones are where roundings show."""
        scale = self.pick((1, 1, 10, 100))
        return Money(self.random.randrange(least, 10) * scale, self.currency)

    def billed(self) -> Money | None:
        """The platform's bill, sometimes."""
        return self.money(least=0) if self.one_in(4) else None

    def report(self, data: EventData, at: datetime | None = None) -> bool:
        """Add an event if it is accepted; rarely the mirror reports it, too."""
        source = CLI_SOURCE if is_the_experts(PLATFORM, data) else PLATFORM
        if not self._report(source, data, at or self.time):
            return False
        if self.one_in(8):
            self._report(MIRROR, self.reworded(data), (at or self.time) + self.pick(SPANS))
        return True

    def reworded(self, data: Any) -> Any:  # noqa: ANN401 (any event's data)
        """Return the same fact in other words; the bill may differ, too."""
        if isinstance(data, on.SessionEnded):
            return replace(data, billed=self.billed())
        if isinstance(data, on.PayoutPaid | on.PayoutReturned) and self.one_in(2):
            return self.detailed(data)
        for words in ("title", "reason", "summary"):
            if getattr(data, words, None) and not isinstance(data, on.PayoutStatusChanged):
                return replace(data, **{words: "in other words"})
        return data

    def detailed(self, data: Any) -> Any:  # noqa: ANN401 (any event's data)
        """Return a payout's step, perhaps with a fee or with what left the account."""
        amount = self.model.payouts[data.payout].amount
        some = Money(self.random.randrange(amount + 1), self.currency)
        if isinstance(data, on.PayoutPaid) and self.one_in(2):
            row = on.Evidence(file_sha256="ab" * 32, line=2, row="8XK41")
            return replace(data, fee=some, received=Money(5, "EUR"), evidence=row)
        if isinstance(data, on.PayoutReturned) and self.one_in(2):
            return replace(data, debited=some + self.money(least=0))
        return data

    def _report(self, source: str, data: EventData, at: datetime) -> bool:
        event = Event(source, f"evt-{next(self._numbers)}", at, data)
        try:
            self.model.record(event)
        except Refusal:
            return False
        self.events.append(event)
        return True

    def free(self, prefix: str, taken: Any, size: int = 6) -> str:  # noqa: ANN401 (any container)
        """A name of a small pool, unless all are taken: then the first, which collides."""
        names = [f"{prefix}-{number}" for number in range(1, size + 1)]
        return next((name for name in names if name not in taken), names[0])

    def some_session(self, *states: str) -> Session | None:
        """A session in one of the states."""
        session = [session for session in self.model.sessions.values() if session.state in states]
        return self.pick(session) if session else None


# --- events ---------------------------------------------------------------------------------------


def host(self: Author) -> None:
    """A request, and the session that may follow."""
    name = self.free("R", self.model.requests)
    scheduled = self.one_in(3)
    slot = on.Slot(start=self.time + self.pick(GAPS), minutes=30)
    opened = on.RequestOpened(
        request=name,
        kind="scheduled" if scheduled else "instant",
        customer=self.pick(CUSTOMERS),
        title="a title",
        rate=self.money(),
        slots=(slot, replace(slot, minutes=60)) if scheduled else None,
        expires=self.time + TRIAL if self.one_in(3) else None,
    )
    self.report(opened)
    self.time += self.pick(SPANS)
    if self.one_in(6):
        closed = (on.RequestDeclined, on.RequestWithdrawn, on.RequestTaken, on.RequestExpired)
        self.report(self.pick(closed)(request=name))
        return
    session = f"{name}-session" if self.one_in(2) else None
    chosen = 1 + self.one_in(2) if scheduled else None
    if self.report(on.RequestAccepted(request=name, session=session, slot=chosen)):
        for _ in range(self.random.randrange(6)):
            step(self)


def step(self: Author) -> None:
    """The next step of any session that is not over."""
    session = self.some_session("upcoming", "live", "paused")
    if session is None:
        return
    self.time += self.pick(SPANS)
    name = session.id
    steps: dict[str, tuple[EventData, ...]] = {
        "upcoming": (
            on.SessionStarted(session=name),
            on.SessionStarted(session=name),
            on.SessionRescheduled(session=name, start=self.time + DAY),
            on.SessionCancelled(session=name, by="platform"),
            on.SessionMissed(session=name, by="customer"),
        ),
        "live": (
            on.SessionPaused(session=name),
            on.SessionEnded(session=name, billed=self.billed()),
        ),
        "paused": (
            on.SessionResumed(session=name),
            on.SessionResumed(session=name),
            on.SessionEnded(session=name, billed=self.billed()),
        ),
    }
    self.report(self.pick(steps[session.state]))


def spans(self: Author) -> dict[str, Any]:
    """Start, end and pauses of a session that is over; perhaps long ago."""
    start = self.time - (self.pick(GAPS) if self.one_in(3) else timedelta(0))
    marks = [start]
    for _ in range(self.pick((1, 1, 3, 5))):
        marks.append(marks[-1] + self.pick(SPANS))
    pauses = tuple(zip(marks[1:-1:2], marks[2:-1:2], strict=True))
    return {"start": start, "end": marks[-1], "pauses": pauses or None}


def log(self: Author) -> None:
    """A past session in one event."""
    self.report(
        on.SessionLogged(
            session=self.free("S", self.model.sessions),
            customer=self.pick(CUSTOMERS),
            rate=self.money(),
            billed=self.billed(),
            **spans(self),
        )
    )


def correct(self: Author) -> None:
    """A session was recorded wrongly."""
    if session := self.some_session("ended"):
        times = spans(self) if self.one_in(2) else {}
        billed = self.billed() if times else self.money(least=0)
        self.report(
            on.SessionCorrected(session=session.id, billed=billed, reason="a reason", **times)
        )


def after(self: Author) -> None:
    """Tips, reviews and files of a session that is over."""
    if session := self.some_session("ended"):
        name = session.id
        data: tuple[EventData, ...] = (
            on.TipReceived(session=name, amount=self.money()),
            on.TipReceived(session=name, amount=self.money()),
            on.ReviewPosted(session=name, by="customer", rating=self.random.randrange(1, 6)),
            on.ArtifactAdded(session=name, kind="code", name="a name", sha256="ab" * 32, bytes=1),
        )
        self.report(self.pick(data), session.times[1] + self.pick(AFTER_THE_END))


def claim(self: Author) -> None:
    """A claim, and the events until it is decided."""
    billed = [
        session for session in self.model.sessions.values() if session.gross > session.refunded
    ]
    if not billed:
        return
    session = self.pick(billed)
    name = self.free("CL", self.model.claims, 12)
    left = session.gross - session.refunded
    part = Money(self.random.randrange(1, left + 1), self.currency)
    amount = part if session.policy.refund.partial and self.one_in(2) else None
    at = session.times[1] + self.pick(AFTER_THE_END)
    if self.report(
        on.RefundClaimed(claim=name, session=session.id, amount=amount, reason="a reason"), at
    ):
        self.time = max(self.time, at)
        for _ in range(self.random.randrange(4)):
            answer(self)


def answer(self: Author) -> None:
    """The next step of any claim that is undecided."""
    open_ = [name for name, each in self.model.claims.items() if each.session.undecided is each]
    if open_:
        self.time += self.pick(SPANS)
        verb = self.pick(list(ANSWERS))
        said: dict[str, Any] = {"summary": "a summary"} if verb == "filed" else {}
        self.report(ANSWERS[verb](claim=self.pick(open_), **said))


def adjust(self: Author) -> None:
    """A bonus, or a fee of the platform."""
    amount = self.money() if self.one_in(2) else -self.money()
    name = self.free("A", self.model.adjustments)
    self.report(on.AdjustmentPosted(adjustment=name, amount=amount, reason="a reason"))


def pay(self: Author) -> None:
    """A payout: of everything, of a part, and now and then of the least there is."""
    owed = self.model.owed
    if owed > 0:
        amount = Money(
            self.pick((owed, owed, self.random.randrange(1, owed + 1), 1)), self.currency
        )
        method = self.pick(("paypal", "paypal", "cash"))
        name = self.free("P", self.model.payouts)
        self.report(on.PayoutSent(payout=name, amount=amount, method=method))


def deliver(self: Author) -> None:
    """A payout arrives, fails or returns."""
    ends: dict[str, tuple[type[on.PayoutStatusChanged], ...]] = {
        "sent": (on.PayoutPaid, on.PayoutPaid, on.PayoutFailed),
        "paid": (on.PayoutReturned,),
    }
    under_way = [name for name, payout in self.model.payouts.items() if payout.state in ends]
    if under_way:
        name = self.pick(under_way)
        self.report(self.detailed(self.pick(ends[self.model.payouts[name].state])(payout=name)))


def reverse(self: Author) -> None:
    """An entry was made by mistake."""
    booked = [fact.event for fact in self.model.recorded.values() if fact.entries]
    if booked:
        event = self.pick(booked)
        name = on.EventRef(source=event.source, id=event.id)
        self.report(on.EntryReversed(event=name, reason="a reason"))


def settle(self: Author) -> None:
    """The expert's settings, and another policy for the sessions to come."""
    policy = policy_of(self.pick, like=self.model.policy)
    data: tuple[EventData, ...] = (
        on.PolicyAdopted(policy=policy),
        on.PreferencesChanged(minimum_rate=self.money()),
        on.PayoutProfileChanged(fields=("name", "email", "method", "address", "tax_form")),
        on.PayoutProfileRevealed(fields=("email",)),
        on.ErasureRequested(customer=self.pick(CUSTOMERS).id, reason="a reason"),
    )
    self.report(self.pick(data))


ACTS = (
    *(host, host, step, step, log, correct, after, after),
    *(
        claim,
        claim,
        claim,
        answer,
        answer,
        answer,
        adjust,
        pay,
        pay,
        deliver,
        deliver,
        reverse,
        settle,
    ),
)
