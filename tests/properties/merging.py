"""Sources merged at random: the shell and two feeds report the same facts, and later ones.

A world generates what happened, story by story. Every source reports what it knows in the order in
which it happened: with its own ids, times and wording, with bills that differ, with mistakes that
it corrects or reverses. The reports are then merged in any interleaving.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any, TypeVar

from liveportal.domain.events import types as on
from liveportal.domain.events.envelope import CLI_SOURCE, Event, EventData
from liveportal.domain.money import Money
from tests.kit.pools import ANSWERS, MICROSECOND, MIRROR, PLATFORM, borders, policy_of

T = TypeVar("T")

SOURCES = (CLI_SOURCE, PLATFORM, MIRROR)
CUSTOMER = on.CustomerInfo(id="cus-1", name="Ada")
WAITS = (
    *(timedelta(0), MICROSECOND, timedelta(minutes=3), timedelta(minutes=5)),
    *(timedelta(minutes=7), timedelta(minutes=20), timedelta(hours=9), timedelta(days=11)),
)


@dataclass
class Report:
    """What one source reports, event by event, in the order of the world."""

    source: str
    events: list[Event] = field(default_factory=list)


class World:
    """What happened, and which source reports which part."""

    def __init__(self, random: Random, stories: int) -> None:
        self.random = random
        policy = policy_of(self.pick)
        self.currency = policy.currency
        self.time = self.pick(borders(policy.period.timezone)) - self.pick(WAITS)
        self.reports = [Report(source) for source in SOURCES[: self.pick((2, 2, 3))]]
        self.number = 0
        adopted = Event(CLI_SOURCE, "policy", self.time, on.PolicyAdopted(policy=policy))
        for name in range(1, stories + 1):
            self.pick(STORIES)(self, str(name))
        self.events = [adopted, *self._merged()]

    # --- the tools --------------------------------------------------------------------------------

    def pick(self, choices: Sequence[T]) -> T:
        """Take one."""
        return choices[self.random.randrange(len(choices))]

    def one_in(self, number: int) -> bool:
        """Return True rarely."""
        return self.random.randrange(number) == 0

    def money(self, least: int = 1) -> Money:
        """A small amount: they collide, and that is where roundings show."""
        return Money(self.random.randrange(least, 10) * self.pick((1, 10)), self.currency)

    def wait(self) -> datetime:
        """Let time pass."""
        self.time += self.pick(WAITS)
        return self.time

    def happens(
        self, data: Callable[[str], EventData] | EventData, at: datetime | None = None
    ) -> dict[str, str]:
        """Let every source report a fact, unless it missed it; return its event's id by source.

        `data` may depend on the source. Rarely a source reverses the fact, and may report it again.
        """
        at, names = at or self.wait(), dict[str, str]()
        for report in self.reports:
            if self.one_in(8):
                continue
            made = data(report.source) if callable(data) else data
            names[report.source] = self.report(report, made, at)
        return names

    def report(self, report: Report, data: EventData, at: datetime) -> str:
        """Add an event to a source's reports, sometimes a little late."""
        self.number += 1
        name = f"e-{self.number}"
        late = self.pick((timedelta(0), timedelta(0), MICROSECOND, timedelta(seconds=9)))
        report.events.append(Event(report.source, name, at + late, data))
        return name

    def taken_back(self, names: dict[str, str], at: datetime | None = None) -> None:
        """Some of the sources reverse their reports."""
        at = at or self.wait()
        for report in self.reports:
            if report.source in names and not self.one_in(3):
                ref = on.EventRef(source=report.source, id=names[report.source])
                self.report(report, on.EntryReversed(event=ref, reason="a mistake"), at)

    def billed(self, fact: Money | None) -> Callable[[str], Money | None]:
        """The platform's bill as each source knows it: often missing, rarely a different one."""

        def said(source: str) -> Money | None:
            if source == CLI_SOURCE and not self.one_in(4):
                return None
            return self.money(least=0) if self.one_in(5) else self.pick((fact, fact, None))

        return said

    def _merged(self) -> list[Event]:
        """Merge the reports: each keeps its own order, in runs of any length."""
        queues = [list(report.events) for report in self.reports]
        merged: list[Event] = []
        while queues := [queue for queue in queues if queue]:
            queue = self.pick(queues)
            run = self.random.randrange(1, 9)
            merged += queue[:run]
            del queue[:run]
        return merged


# --- stories --------------------------------------------------------------------------------------


def instant_session(self: World, name: str) -> None:
    """An instant session with pauses, and all later events."""
    request, rate = f"R-{name}", self.money()
    self.happens(
        on.RequestOpened(
            request=request, kind="instant", customer=CUSTOMER, title="a title", rate=rate
        )
    )
    # Each source has its own id for the session, which it uses from then on.
    names = {source: self.pick((f"S-{name}", f"S-{name}", f"X-{name}", None)) for source in SOURCES}

    def known(source: str) -> str:
        return names[source] or request

    self.happens(lambda source: on.RequestAccepted(request=request, session=names[source]))
    for _ in range(self.pick((0, 0, 1, 2))):
        self.happens(lambda source: on.SessionPaused(session=known(source)))
        if not self.one_in(3):
            self.happens(lambda source: on.SessionResumed(session=known(source)))
    bill = self.billed(self.money(least=0) if self.one_in(2) else None)
    self.happens(lambda source: on.SessionEnded(session=known(source), billed=bill(source)))
    afterwards(self, name, known)


def lost_session(self: World, name: str) -> None:
    """The shell is ahead of the platform: it accepts, and another one was quicker."""
    request = f"R-{name}"
    scheduled = self.one_in(2)
    slot = on.Slot(start=self.time + timedelta(hours=1), minutes=30)
    self.happens(
        on.RequestOpened(
            request=request,
            kind="scheduled" if scheduled else "instant",
            customer=CUSTOMER,
            title="a title",
            rate=self.money(),
            slots=(slot,) if scheduled else None,
        )
    )
    shell, *feeds = self.reports
    if not self.one_in(4):
        self.report(
            self.pick((shell, shell, *feeds)),
            on.RequestAccepted(request=request, slot=1 if scheduled else None),
            self.wait(),
        )
        steps: tuple[EventData, ...] = (
            on.SessionPaused(session=request),
            on.SessionResumed(session=request),
            on.SessionEnded(session=request),
        )
        for step in steps[: self.pick((0, 0, 1, 2, 3, 3))]:
            self.report(shell, step, self.wait())
    closed = (on.RequestTaken, on.RequestWithdrawn, on.RequestExpired, on.RequestDeclined)
    for _ in range(self.pick((1, 1, 2))):
        at = self.wait()
        for report in (*feeds, *((shell,) if self.one_in(3) else ())):
            self.report(report, self.pick(closed)(request=request), at)


def unpaused_session(self: World, name: str) -> None:
    """The expert reported the end, but not the pauses that the platform knows of."""
    request = f"R-{name}"
    self.happens(
        on.RequestOpened(
            request=request, kind="instant", customer=CUSTOMER, title="t", rate=self.money()
        )
    )
    self.happens(on.RequestAccepted(request=request))
    shell, *feeds = self.reports
    paused, resumed, end = self.wait(), self.wait(), self.wait()
    for report in feeds:
        self.report(report, on.SessionPaused(session=request), paused)
        self.report(report, on.SessionResumed(session=request), resumed)
    bill = self.billed(self.money())
    for report in (shell, *feeds):
        ended = on.SessionEnded(session=request, billed=bill(report.source))
        self.report(report, ended, end)
    afterwards(self, name, lambda _: request)


def scheduled_session(self: World, name: str) -> None:
    """A scheduled session is moved, under another name too, and held or not."""
    request = f"R-{name}"
    slot = on.Slot(start=self.time + timedelta(hours=1), minutes=30)
    self.happens(
        on.RequestOpened(
            request=request,
            kind="scheduled",
            customer=CUSTOMER,
            title="a title",
            rate=self.money(),
            slots=(slot,),
        )
    )
    self.happens(on.RequestAccepted(request=request, slot=1))
    moved, alias = self.time + timedelta(hours=2), self.pick((None, f"Y-{name}"))
    named = self.pick((CLI_SOURCE, PLATFORM))
    self.happens(
        lambda source: on.SessionRescheduled(
            session=request,
            start=moved,
            minutes=self.pick((None, None, 9)),
            alias=alias if source == named else None,
        )
    )

    def known(source: str) -> str:
        return alias if alias and source == named else request

    if self.one_in(4):
        self.happens(lambda source: on.SessionCancelled(session=known(source), by="customer"))
        return
    self.happens(lambda source: on.SessionStarted(session=known(source)))
    self.happens(lambda source: on.SessionEnded(session=known(source)))
    afterwards(self, name, known)


def logged_session(self: World, name: str) -> None:
    """A past session in one event; only some know of its pauses and its bill."""
    start = self.wait()
    marks = [start]
    for _ in range(self.pick((1, 3))):
        marks.append(marks[-1] + self.pick(WAITS[2:6]))
    pauses = tuple(zip(marks[1:-1:2], marks[2:-1:2], strict=True))
    rate, bill = self.money(), self.billed(self.money(least=0))
    self.time = max(self.time, marks[-1])

    def logged(source: str) -> EventData:
        return on.SessionLogged(
            session=f"S-{name}",
            customer=CUSTOMER,
            rate=rate,
            start=start,
            end=marks[-1],
            pauses=pauses if pauses and not self.one_in(3) else None,
            billed=bill(source),
        )

    self.happens(logged)
    afterwards(self, name, lambda _: f"S-{name}")


def afterwards(self: World, name: str, known: Callable[[str], str]) -> None:
    """Events after a session: corrections, tips, reviews, and claims, in any order."""
    acts = (corrected, corrected, tipped, reviewed, claimed, claimed, claimed)
    for number in range(self.pick((0, 1, 2, 3, 4))):
        self.pick(acts)(self, f"{name}-{number}", known)


def corrected(self: World, _: str, known: Callable[[str], str]) -> None:
    """A session was recorded wrongly; not every source corrects it."""
    said: dict[str, Any] = {}
    if self.one_in(2):
        said["end"] = self.time - self.pick(WAITS[:6])
    if self.one_in(3):
        said["start"] = self.time - self.pick(WAITS)
    if not said or self.one_in(3):
        said["billed"] = self.money(least=0)
    if self.one_in(9):
        said["pauses"] = ()
    some = self.pick((SOURCES, SOURCES[:1], SOURCES[1:]))
    at = self.wait()
    for report in self.reports:
        if report.source in some:
            data = on.SessionCorrected(session=known(report.source), reason="a reason", **said)
            self.report(report, data, at)


def tipped(self: World, _: str, known: Callable[[str], str]) -> None:
    """A tip; it may be one more of the same amount, or a mistake."""
    amount = self.money()
    names = self.happens(lambda source: on.TipReceived(session=known(source), amount=amount))
    if self.one_in(2):
        self.taken_back(names)
    if self.one_in(2):
        again = self.pick((True, None))
        self.happens(
            lambda source: on.TipReceived(
                session=known(source),
                amount=amount,
                again=again if source == CLI_SOURCE else None,
            )
        )


def reviewed(self: World, _: str, known: Callable[[str], str]) -> None:
    """A review has one place."""
    rating = self.pick((1, 5))
    self.happens(
        lambda source: on.ReviewPosted(session=known(source), by="customer", rating=rating)
    )


def claimed(self: World, name: str, known: Callable[[str], str]) -> None:
    """A claim, which some sources report with its amount, and how it is decided."""
    claim, part = f"CL-{name}", self.money()
    amounts = (None, part) if self.one_in(2) else (None,)
    self.happens(
        lambda source: on.RefundClaimed(
            claim=claim, session=known(source), amount=self.pick(amounts), reason="a reason"
        )
    )
    if self.one_in(2):
        self.happens(ANSWERS["filed"](claim=claim, summary="a summary"))
        if self.one_in(3):
            self.happens(ANSWERS["dropped"](claim=claim))
    if not self.one_in(5):
        verb = self.pick(("conceded", "granted", "denied", "withdrawn", "accepted", "rejected"))
        at = self.time - timedelta(days=9) if self.one_in(9) else None
        self.happens(ANSWERS[verb](claim=claim), at)


def adjustment(self: World, name: str) -> None:
    """A bonus or a fee, which may be mistyped, reversed and recorded right."""
    wrong, right = self.money(), self.money()
    id_ = f"A-{self.pick((name, '1'))}"
    sign = self.pick((1, 1, -1))

    def posted(money: Money) -> EventData:
        amount = Money(sign * money.minor, money.currency)
        return on.AdjustmentPosted(adjustment=id_, amount=amount, reason="a reason")

    mistaken(self, lambda: posted(wrong), lambda: posted(right))


def mistaken(self: World, wrong: Callable[[], EventData], right: Callable[[], EventData]) -> None:
    """Some source records it wrong, takes that back, and records it right, as others do."""
    shell, *feeds = self.reports
    if self.one_in(2):
        clumsy = self.pick((shell, *feeds))
        names = {clumsy.source: self.report(clumsy, wrong(), self.wait())}
        for report in self.reports:
            if report is not clumsy and self.one_in(3):
                names[report.source] = self.report(report, wrong(), self.time)
        self.taken_back(names)
    self.happens(right())


def payout_step(
    kind: type[on.PayoutStatusChanged],
    payout: str,
    fees: Callable[[str], Money | None],
    source: str,
) -> EventData:
    """A payout's step as a source knows it: with its fee, or with what left the account."""
    if kind is on.PayoutPaid:
        return on.PayoutPaid(payout=payout, fee=fees(source))
    if kind is on.PayoutReturned:
        return on.PayoutReturned(payout=payout, debited=fees(source))
    return kind(payout=payout)


def payout(self: World, name: str) -> None:
    """A payout that may be mistyped, with steps that may be mistakes."""
    id_ = f"PO-{self.pick((name, '1'))}"
    wrong, right = self.money(), self.money()

    def sent(amount: Money) -> EventData:
        return on.PayoutSent(payout=id_, amount=amount, method="paypal")

    bonus = on.AdjustmentPosted(adjustment=f"B-{name}", amount=right, reason="a reason")
    self.happens(bonus)
    mistaken(self, lambda: sent(wrong), lambda: sent(right))
    steps: list[type[on.PayoutStatusChanged]] = [
        self.pick((on.PayoutPaid, on.PayoutPaid, on.PayoutFailed))
    ]
    if self.one_in(2):
        steps.append(on.PayoutReturned)
    if self.one_in(3):
        self.happens(sent(self.money()))
    back: list[dict[str, str]] = []
    fees = self.billed(self.money(least=0))
    for kind in steps:
        at = self.time - timedelta(days=30) if self.one_in(9) else None
        back.append(self.happens(partial(payout_step, kind, id_, fees), at))
    for names in reversed(back):
        if self.one_in(2):
            early = self.time - timedelta(days=60) if self.one_in(9) else None
            self.taken_back(names, early)
    if self.one_in(2):
        self.happens(self.pick((on.PayoutPaid, on.PayoutFailed, on.PayoutReturned))(payout=id_))


STORIES: tuple[Callable[[World, str], None], ...] = (
    *(instant_session, instant_session, instant_session, lost_session, unpaused_session),
    *(scheduled_session, logged_session, logged_session, adjustment, payout, payout),
)
