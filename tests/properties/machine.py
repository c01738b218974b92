"""The machine's single steps: whatever can be told of a book, in any order, to a ledger and a model.

Two ids of a kind and amounts from 1 to 9, so that things collide. Every choice of a step is dealt
from one draw: Hypothesis is quick, and shrinks it to the first choices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from liveportal.domain import events as on
from liveportal.domain.errors import Conflict, LiveportalError
from liveportal.domain.money import LARGEST_MINOR, Money
from liveportal.domain.policy import Policy
from liveportal.ledger.journal import Journal
from tests.properties import ledgers
from tests.properties.model import Model
from tests.properties.state import Refusal, Session
from tests.properties.strategies import (
    AFTER_THE_END,
    ANSWERS,
    DAY,
    GAPS,
    MICROSECOND,
    MIRROR,
    PLATFORM,
    SPANS,
    borders,
    policy_of,
)

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
AGAIN = ("no", "same", MIRROR, "same", MIRROR, on.CLI_SOURCE)
CUSTOMER = on.Customer(id="cus-1", name="Ada")
CLOSED = (on.RequestDeclined, on.RequestWithdrawn, on.RequestTaken, on.RequestExpired)
STEPS: dict[str, Callable[..., on.Data]] = {
    "started": on.SessionStarted,
    "paused": on.SessionPaused,
    "resumed": on.SessionResumed,
    "cancelled": on.SessionCancelled,
    "missed": on.SessionMissed,
    "rescheduled": on.SessionRescheduled,
}
ENDS = (on.PayoutPaid, on.PayoutFailed, on.PayoutReturned)
SIZE = 32  # Bytes; some step makes about as many choices as they can deal.
DRAWN = st.binary(min_size=SIZE, max_size=SIZE)
PROFILE = ("name", "email", "method", "address", "tax_form")


class Deal:
    """Choices, dealt out of the bytes that were drawn."""

    def __init__(self, drawn: bytes) -> None:
        self._rest = int.from_bytes(drawn, "little")

    def pick(self, choices: Sequence[T]) -> T:
        """Take one; the first where nothing is left to deal."""
        self._rest, number = divmod(self._rest, len(choices))
        return choices[number]

    def one_in(self, number: int) -> bool:
        """Tell whether something seldom happens now."""
        return self.pick(range(number)) == number - 1


ALL_STEPS: list[Callable[[Any, Deal], None]] = []
"""Every step there is, for who plays the machine without Hypothesis."""


def step(method: Callable[[Any, Deal], None]) -> Callable[[Any], None]:
    """Make a step of a machine: one draw, out of which all its choices are dealt."""

    def dealt(self: StepMachine, drawn: bytes) -> None:
        method(self, Deal(drawn))

    dealt.__name__, dealt.__doc__ = method.__name__, method.__doc__
    ALL_STEPS.append(method)
    return rule(drawn=DRAWN)(dealt)


class StepMachine(RuleBasedStateMachine):
    """Tells a ledger and the model the same; both must answer the same."""

    @initialize(drawn=DRAWN)
    def begin(self, drawn: bytes) -> None:
        """Every book begins with a policy, near the border of a month."""
        deal, self.story = Deal(drawn), list[str]()
        self.db = ledgers.new_ledger()
        self.model = Model()
        self.numbers = count(1)
        policy = policy_of(deal.pick)
        self.time = deal.pick(borders(policy.period.timezone)) - deal.pick(SPANS)
        self.open_door()
        self.adopt(deal, policy)

    def open_door(self) -> None:
        """Begin a database transaction."""
        self.db.execute("BEGIN IMMEDIATE")
        self.door = Journal(self.db, ledgers.clock)

    # --- telling both -----------------------------------------------------------------------------

    def tell(
        self,
        deal: Deal,
        data: on.Data,
        at: datetime | None = None,
        *,
        source: str = PLATFORM,
        not_before: datetime | None = None,
    ) -> bool:
        """Tell what happened; then perhaps again: as it was, changed, or by another source.

        It may be a command, which insists only after a caution. What can be `not_before` an instant
        may be tried just before it.
        """
        name, at = f"evt-{next(self.numbers)}", at or self.time
        if not_before and deal.one_in(3):
            self.judged(on.Event(source, f"{name}-early", not_before - MICROSECOND, data))
        event = on.Event(source, name, at, data)
        insist = not deal.one_in(3)
        went = self.judged(event, insist=insist) or (not insist and self.judged(event))
        again = deal.pick(AGAIN) if went else "no"
        if again == "same":
            assert self.judged(event, insist=False)
            self.judged(replace(event, time=event.time + MICROSECOND))
        elif again != "no":
            self.judged(replace(event, source=again, time=event.time + DAY))
        return went

    def judged(self, event: on.Event, *, insist: bool = True) -> bool:
        """Let both judge an event, and compare: the outcome, the flags, and that a no is a no."""
        before = self.position()
        unsure, flags = set[str](), set[str]()
        try:
            verdict = self.model.record(event, insist=insist)
            expected, flags, unsure = verdict.status, set(verdict.flags), set(self.model.unsure)
        except Refusal as refusal:
            expected = refusal.code
        self.story.append(f"{expected}: {event.data} of {event.source} at {event.time}")
        try:
            outcome = self.door.record(event, insist=lambda _: insist)
            actual = outcome.status
            assert actual == "replayed" or set(outcome.flags) - unsure == flags - unsure
        except LiveportalError as error:
            actual = error.code
            assert not isinstance(error, Conflict) or error.fields
        assert actual == expected, event.type
        SEEN.add((event.data.TYPE, actual))
        done = actual in ("recorded", "confirmed")
        assert done or self.position() == before, "what is refused or replayed leaves no trace"
        return done or actual == "replayed"

    def position(self) -> tuple[bytes, int, int]:
        """How far the ledger is."""
        return self.door.head, self.door.book.next_seq, self.door.book.next_transaction

    def money(self, deal: Deal, minor: int | None = None) -> Money:
        """An amount; seldom one of another currency."""
        ours = self.model.policy.currency
        currency = next(each for each in ("USD", "JPY") if each != ours) if deal.one_in(9) else ours
        return Money(deal.pick(NUMBERS) if minor is None else minor, currency)

    def billed(self, deal: Deal) -> Money | None:
        """What the platform billed, if it says so."""
        return self.money(deal, deal.pick(range(10))) if deal.one_in(2) else None

    def giant(self, deal: Deal, least: int) -> int:
        """Seldom more than any book that moved money could add up; else at least so much."""
        moved = any(each.moved for each in self.model.entries)
        return LARGEST_MINOR if moved and deal.one_in(9) else least

    def known(self, name: str) -> Session | None:
        """What the model knows of a session."""
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
        self.tell(deal, on.PolicyAdopted(policy=policy))

    # --- requests and sessions --------------------------------------------------------------------

    @step
    def request(self, deal: Deal) -> None:
        """A customer asks; seldom in a form that is none."""
        opened = self.opened(deal, deal.pick(REQUESTS), scheduled=deal.one_in(2))
        if deal.one_in(5):
            opened = replace(opened, kind="scheduled" if opened.kind == "instant" else "instant")
        self.tell(deal, opened)

    @step
    def accept(self, deal: Deal) -> None:
        """The expert takes a request, by the right slot or a wrong one."""
        self.time += deal.pick(SPANS)
        session = deal.pick(SESSIONS) if deal.one_in(2) else None
        slot = deal.pick((None, 1, 2))
        source = MIRROR if deal.one_in(3) else PLATFORM
        taken = on.RequestAccepted(request=deal.pick(REQUESTS), session=session, slot=slot)
        self.tell(deal, taken, source=source)

    @step
    def close(self, deal: Deal) -> None:
        """A request ends without a session."""
        name = deal.pick(REQUESTS)
        if deal.pick((True, True, False)):
            self.tell(deal, self.opened(deal, name, scheduled=False))
        self.tell(deal, deal.pick(CLOSED)(request=name))

    @step
    def move(self, deal: Deal) -> None:
        """The timer and the schedule, in any order."""
        self.stepped(deal, deal.pick(SESSIONS), deal.pick(tuple(STEPS)))

    def stepped(self, deal: Deal, name: str, verb: str) -> None:
        """One step of a session."""
        self.time += deal.pick(SPANS)
        said: dict[str, Any] = {}
        if verb in ("cancelled", "missed"):
            said = {"by": deal.pick(("expert", "customer"))}
        if verb == "rescheduled":
            said = {"start": self.time + deal.pick(GAPS), "minutes": deal.pick((None, 9))}
        self.tell(deal, STEPS[verb](session=name, **said), not_before=self.last_of(name))

    @step
    def end(self, deal: Deal) -> None:
        """A session ends; or the mirror tells so, and what it billed."""
        self.time += deal.pick(SPANS)
        name = deal.pick(SESSIONS)
        ended = on.SessionEnded(session=name, billed=self.billed(deal))
        source = deal.pick((PLATFORM, MIRROR))
        self.tell(deal, ended, source=source, not_before=self.last_of(name))

    @step
    def log(self, deal: Deal) -> None:
        """A past session in one event."""
        self.logged(deal, deal.pick(SESSIONS))

    def logged(self, deal: Deal, name: str) -> None:
        """A session of any length and any pauses, which may not fit."""
        told = on.SessionLogged(
            session=name,
            customer=CUSTOMER,
            rate=self.money(deal),
            billed=self.billed(deal),
            **self.times(deal),
        )
        self.tell(deal, told)

    def times(self, deal: Deal) -> dict[str, Any]:
        """Start, pauses and end, from some spans in a row; seldom they overlap or go back."""
        instants = [self.time]
        for _ in range(deal.pick((1, 3, 5))):
            instants.append(instants[-1] + deal.pick(SPANS))
        pauses = tuple(zip(instants[1:-1:2], instants[2:-1:2], strict=True))
        if deal.one_in(9):
            pauses = (*pauses, (instants[0] - MICROSECOND, instants[-1]))
        self.time = instants[-1]
        return {"start": instants[0], "end": instants[-1], "pauses": pauses or None}

    @step
    def correct(self, deal: Deal) -> None:
        """What was recorded was wrong; seldom nothing is said of what is right."""
        times = self.times(deal) if deal.one_in(2) else {}
        told = on.SessionCorrected(
            session=deal.pick(SESSIONS), billed=self.billed(deal), reason="a reason", **times
        )
        self.tell(deal, told)

    @step
    def after(self, deal: Deal) -> None:
        """Tips, reviews and files."""
        name = deal.pick(SESSIONS)
        sha256 = deal.pick(("ab", "cd")) * 32
        told: tuple[on.Data, ...] = (
            on.TipReceived(session=name, amount=self.money(deal, self.giant(deal, 5))),
            on.TipReceived(session=name, amount=self.money(deal)),
            on.ReviewPosted(session=name, by="customer", rating=deal.pick((1, 5))),
            on.ArtifactAdded(session=name, kind="code", name="a name", sha256=sha256, bytes=1),
        )
        end = self.end_of(name)
        self.tell(deal, deal.pick(told), end + deal.pick(AFTER_THE_END), not_before=end)

    # --- claims and other money -------------------------------------------------------------------

    @step
    def claim(self, deal: Deal) -> None:
        """A customer wants money back, at any time after the end and at none before."""
        self.claimed(deal, deal.pick(CLAIMS), deal.pick(SESSIONS))

    def claimed(self, deal: Deal, claim: str, name: str) -> None:
        """A claim for everything, or for a little."""
        end = self.end_of(name)
        amount = self.money(deal) if deal.one_in(2) else None
        told = on.RefundClaimed(claim=claim, session=name, amount=amount)
        self.tell(deal, told, end + deal.pick(AFTER_THE_END), not_before=end)

    @step
    def answer(self, deal: Deal) -> None:
        """Any step of any claim."""
        self.answered(deal, deal.pick(CLAIMS), deal.pick(tuple(ANSWERS)))

    def answered(self, deal: Deal, claim: str, verb: str) -> None:
        """One step of a claim, at once or later."""
        said: dict[str, Any] = {"summary": "a summary"} if verb == "filed" else {}
        known = self.model.claims.get(claim)
        made = known.time if known else self.time
        self.tell(deal, ANSWERS[verb](claim=claim, **said), made + deal.pick(GAPS), not_before=made)

    @step
    def adjust(self, deal: Deal) -> None:
        """A bonus or a fee."""
        self.time += deal.pick(GAPS)
        money = self.money(deal, self.giant(deal, deal.pick(NUMBERS)))
        amount = -money if deal.one_in(3) else money
        name = deal.pick(("A-1", "A-2"))
        self.tell(deal, on.AdjustmentPosted(adjustment=name, amount=amount, reason="a reason"))

    @step
    def pay(self, deal: Deal) -> None:
        """The platform pays when it pays."""
        self.time += deal.pick(GAPS)
        owed = max(self.model.owed, 1)
        amount = self.money(deal, deal.pick((owed, min(owed, 3), owed + 1)))
        method = deal.pick(("paypal", "cash"))
        self.tell(deal, on.PayoutSent(payout=deal.pick(PAYOUTS), amount=amount, method=method))

    @step
    def deliver(self, deal: Deal) -> None:
        """Any end of any payout."""
        self.tell(deal, deal.pick(ENDS)(payout=deal.pick(PAYOUTS)))

    @step
    def reverse(self, deal: Deal) -> None:
        """Any event may have been a mistake; only some can be taken back."""
        only_money = deal.pick((True, True, False))
        past = [each.event for each in self.model.told.values() if each.entries or not only_money]
        if past:
            event = deal.pick(past[-9:])
            name = on.EventRef(source=event.source, id="evt-0" if deal.one_in(9) else event.id)
            self.tell(deal, on.EntryReversed(event=name, reason="a reason"))

    # --- the expert and the book ------------------------------------------------------------------

    @step
    def prefer(self, deal: Deal) -> None:
        """The expert changes what counts for requests to come."""
        self.preferred(deal)

    def preferred(self, deal: Deal) -> None:
        """Preferences: a rate, a vacation, both, or nothing at all."""
        given: dict[str, Any] = {}
        if deal.one_in(2):
            given[deal.pick(("minimum_rate", "direct_rate"))] = self.money(deal)
        if deal.one_in(3):
            day = self.time.date()
            given["vacations"] = (on.Vacation(start=day, end=day + timedelta(days=9)),)
        self.tell(deal, on.PreferencesChanged(**given))

    @step
    def settle(self, deal: Deal) -> None:
        """What moves no money."""
        told: tuple[on.Data, ...] = (
            on.PayoutProfileChanged(fields=PROFILE[: deal.pick((5, 2))]),
            on.PayoutProfileRevealed(fields=PROFILE[:1]),
            on.CustomerForgotten(customer="cus-1"),
        )
        self.tell(deal, deal.pick(told))

    @step
    def another_policy(self, deal: Deal) -> None:
        """What was agreed keeps its own; seldom it would cut months anew."""
        like = None if deal.one_in(5) else self.model.policy
        self.adopt(deal, policy_of(deal.pick, like=like))
