"""What all state machine tests share: they send each event to a ledger and to the model.

Two ids of a kind and amounts from 1 to 9, so that operations collide. All choices of a step come
from one draw: that is quick, and shrinks to the first choices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from liveportal.domain.errors import LiveportalError
from liveportal.domain.events import types as on
from liveportal.domain.events.envelope import CLI_SOURCE, Event, EventData
from liveportal.domain.events.sources import Origin
from liveportal.domain.money import LARGEST_MINOR, Money
from liveportal.domain.policy import Policy
from liveportal.ledger.journal.journal import open_journal
from tests.kit import quick_ledgers as ledgers
from tests.kit.pools import DAY, GAPS, MICROSECOND, MIRROR, PLATFORM, SPANS, borders, policy_of
from tests.properties.model import Model, is_the_experts
from tests.properties.state import Refusal, Session

T = TypeVar("T")

SEEN: set[tuple[str, str]] = set()
"""Every outcome that was reached: the type of an event, and what became of it."""

READ: set[tuple[str, str]] = set()
"""Every reading of a switch under which something happened."""

REQUESTS = ("R-1", "R-2")
SESSIONS = ("S-1", "R-1", "R-2", "S-2", "X-1")
CLAIMS = ("CL-1", "CL-2")
PAYOUTS = ("P-1", "P-2")
NUMBERS = range(1, 10)
AGAIN = ("no", "same", MIRROR, "same", MIRROR, CLI_SOURCE)
CUSTOMER = on.CustomerInfo(id="cus-1", name="Ada")
SIZE = 32  # Bytes; some step makes about as many choices as they can deal.
DRAWN = st.binary(min_size=SIZE, max_size=SIZE)


HASTY = {
    *("in_the_future", "slot_in_past", "started_early", "missed_early"),
    *("long_session", "large_tip"),
}
"""What a person seldom means is judged apart (tests/domain/test_cautions.py): here all is meant."""


class Deal:
    """Choices, dealt out of the bytes that were drawn."""

    def __init__(self, drawn: bytes) -> None:
        self._rest = int.from_bytes(drawn, "little")

    def pick(self, choices: Sequence[T]) -> T:
        """Take one; the first where nothing is left to deal."""
        self._rest, number = divmod(self._rest, len(choices))
        return choices[number]

    def one_in(self, number: int) -> bool:
        """Return True rarely."""
        return self.pick(range(number)) == number - 1


ALL_STEPS: list[Callable[[Any, Deal], None]] = []
"""Every step there is, for who plays the machine without Hypothesis."""


def step(method: Callable[[Any, Deal], None]) -> Callable[[Any], None]:
    """Make a step of a machine: one draw, out of which all its choices are dealt."""

    def dealt(self: Machine, drawn: bytes) -> None:
        method(self, Deal(drawn))

    dealt.__name__, dealt.__doc__ = method.__name__, method.__doc__
    ALL_STEPS.append(method)
    return rule(drawn=DRAWN)(dealt)


class Machine(RuleBasedStateMachine):
    """Sends the same events to a ledger and to the model; both must give the same answer."""

    @initialize(drawn=DRAWN)
    def begin(self, drawn: bytes) -> None:
        """Every book begins with a policy, near the border of a month."""
        deal, self.story = Deal(drawn), list[str]()
        self.db = ledgers.new_ledger()
        self.model = Model()
        self.numbers = count(1)
        policy = policy_of(deal.pick)
        self.time = deal.pick(borders(policy.period.timezone)) - deal.pick(SPANS)
        self.open_journal()
        self.adopt(deal, policy)

    def open_journal(self) -> None:
        """Begin a database transaction."""
        self.db.execute("BEGIN IMMEDIATE")
        self.journal = open_journal(self.db, ledgers.clock)

    # --- reporting to both ------------------------------------------------------------------------

    def report(
        self,
        deal: Deal,
        data: EventData,
        at: datetime | None = None,
        *,
        source: str | None = None,
        not_before: datetime | None = None,
    ) -> bool:
        """Report an event; then perhaps again: unchanged, changed, or by another source.

        It may be a command, which overrides only after a caution. An event with `not_before` may be
        tried just before that instant. Events of the expert alone are rarely sent by the platform,
        and any event rarely by a feed in the expert's name.
        """
        name, at = f"evt-{next(self.numbers)}", at or self.time
        if source is None:
            source = PLATFORM
            if is_the_experts(PLATFORM, data):
                if deal.one_in(9):
                    self.judged(Event(PLATFORM, f"{name}-feed", at, data))
                source = CLI_SOURCE
        if deal.one_in(9):
            self.judged(Event(CLI_SOURCE, name, at, data), feed=True)
        if not_before and deal.one_in(3):
            self.judged(Event(source, f"{name}-early", not_before - MICROSECOND, data))
        event = Event(source, name, at, data)
        allow = not deal.one_in(3)
        went = self.judged(event, allow=allow) or (not allow and self.judged(event))
        again = deal.pick(AGAIN) if went else "no"
        if went and source != CLI_SOURCE and deal.one_in(9):
            # The same source, once more.
            self.judged(Event(source, f"{name}-more", at, self.reworded(deal, data)))
        if again == "same":
            assert self.judged(event, allow=False)
            self.judged(replace(event, time=event.time + MICROSECOND))
        elif again != "no":
            self.judged(
                replace(
                    event,
                    source=again,
                    time=event.time + DAY,
                    data=self.reworded(deal, event.data),
                )
            )
        return went

    def judged(self, event: Event, *, allow: bool = True, feed: bool = False) -> bool:
        """Let both judge an event, and compare: the outcome, the flags, and that a no is a no."""
        origin = Origin.FEED if feed else Origin.EXPERT
        before = self.position()
        unsure, flags = set[str](), set[str]()
        try:
            verdict = self.model.record(event, allow=allow, feed=feed)
            expected, flags, unsure = verdict.status, set(verdict.flags), set(self.model.unsure)
        except Refusal as refusal:
            expected = refusal.code
        self.story.append(f"{expected}: {event.data} of {event.source} at {event.time}")
        try:
            outcome = self.journal.record(event, allow=allow or HASTY, origin=origin)
            actual = outcome.status
            assert actual == "replayed" or set(outcome.flags) - unsure - HASTY == flags - unsure
        except LiveportalError as error:
            actual = error.code
        assert actual == expected, event.type
        SEEN.add((event.data.TYPE, actual))
        done = actual in ("recorded", "confirmed")
        assert done or self.position() == before, "what is refused or replayed leaves no trace"
        return done or actual == "replayed"

    def position(self) -> tuple[bytes, int, int]:
        """How far the ledger is."""
        return self.journal.log.head, self.journal.book.next_seq, self.journal.book.next_transaction

    def money(self, deal: Deal, minor: int | None = None) -> Money:
        """An amount; seldom one of another currency."""
        ours = self.model.policy.currency
        currency = (
            next(status for status in ("USD", "JPY") if status != ours) if deal.one_in(9) else ours
        )
        return Money(deal.pick(NUMBERS) if minor is None else minor, currency)

    def payout_step(self, deal: Deal, kind: type[on.PayoutStatusChanged], name: str) -> EventData:
        """A payout's step; perhaps with a fee, or with what left the account."""
        said: dict[str, Any] = {}
        if kind is on.PayoutPaid and deal.one_in(2):
            said["fee"] = self.money(deal, deal.pick(range(5)))
        if kind is on.PayoutReturned and deal.one_in(2):
            said["debited"] = self.money(deal, deal.pick(range(10)))
        return kind(payout=name, **said)

    def reworded(self, deal: Deal, data: EventData) -> EventData:
        """What another source says of the same; of a payout's step perhaps more, or less."""
        if isinstance(data, on.PayoutStatusChanged) and deal.one_in(2):
            return self.payout_step(deal, type(data), data.payout)
        return data

    def billed(self, deal: Deal) -> Money | None:
        """The platform's bill, if it reports one."""
        return self.money(deal, deal.pick(range(10))) if deal.one_in(2) else None

    def giant(self, deal: Deal, least: int) -> int:
        """Seldom more than any book that moved money could add up; else at least so much."""
        moved = any(entry.moved for entry in self.model.entries)
        return LARGEST_MINOR if moved and deal.one_in(9) else least

    def known(self, name: str) -> Session | None:
        """The model's state of a session."""
        return self.model.sessions.get(self.model.aliases.get(name, name))

    def last_of(self, name: str) -> datetime:
        """The last instant of a session's own times."""
        session = self.known(name)
        return session.last if session else self.time

    def end_of(self, name: str) -> datetime:
        """When a session ended; now for one that did not."""
        session = self.known(name)
        return session.end if session and session.end else self.time

    def opened(
        self, deal: Deal, name: str, *, scheduled: bool, start: datetime | None = None
    ) -> on.RequestOpened:
        """A request, with or without slots."""
        slots = tuple(
            on.Slot(start=start or self.time + deal.pick(GAPS), minutes=30)
            for _ in range(deal.pick((1, 2)))
        )
        return on.RequestOpened(
            request=name,
            kind="scheduled" if scheduled else "instant",
            customer=CUSTOMER,
            title="a title",
            rate=self.money(deal),
            slots=slots if scheduled else None,
            expires=self.time + deal.pick(GAPS) if deal.one_in(2) else None,
        )

    def adopt(self, deal: Deal, policy: Policy) -> None:
        """Another policy from now on."""
        READ.update((switch, str(value)) for switch, value in policy.switches().items())
        self.report(deal, on.PolicyAdopted(policy=policy))
