"""The machine's single steps: any event, in any order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from liveportal.domain.events import types as on
from liveportal.domain.events.envelope import CLI_SOURCE, EventData
from tests.kit.pools import (
    AFTER_THE_END,
    ANSWERS,
    GAPS,
    MICROSECOND,
    MIRROR,
    PLATFORM,
    SPANS,
    policy_of,
)
from tests.properties.machine import (
    CLAIMS,
    CUSTOMER,
    NUMBERS,
    PAYOUTS,
    REQUESTS,
    SESSIONS,
    Deal,
    Machine,
    step,
)
from tests.properties.state import FOREIGN_HOURS

CLOSED = (on.RequestDeclined, on.RequestWithdrawn, on.RequestTaken, on.RequestExpired)
STEPS: dict[str, Callable[..., EventData]] = {
    "started": on.SessionStarted,
    "paused": on.SessionPaused,
    "resumed": on.SessionResumed,
    "cancelled": on.SessionCancelled,
    "missed": on.SessionMissed,
    "rescheduled": on.SessionRescheduled,
}
ENDS = (on.PayoutPaid, on.PayoutFailed, on.PayoutReturned)
PROFILE = ("name", "email", "method", "address", "tax_form")


class StepMachine(Machine):
    """One event at a time."""

    # --- requests and sessions --------------------------------------------------------------------

    @step
    def request(self, deal: Deal) -> None:
        """A customer asks; rarely with an invalid request."""
        opened = self.opened(deal, deal.pick(REQUESTS), scheduled=deal.one_in(2))
        if deal.one_in(5):
            opened = replace(opened, kind="scheduled" if opened.kind == "instant" else "instant")
        self.report(deal, opened)

    @step
    def accept(self, deal: Deal) -> None:
        """The expert takes a request, by the right slot or a wrong one."""
        self.time += deal.pick(SPANS)
        session = deal.pick(SESSIONS) if deal.one_in(2) else None
        slot = deal.pick((None, 1, 2))
        source = MIRROR if deal.one_in(3) else PLATFORM
        taken = on.RequestAccepted(request=deal.pick(REQUESTS), session=session, slot=slot)
        self.report(deal, taken, source=source)

    @step
    def close(self, deal: Deal) -> None:
        """A request ends without a session."""
        name = deal.pick(REQUESTS)
        if deal.pick((True, True, False)):
            self.report(deal, self.opened(deal, name, scheduled=False))
        source = deal.pick((PLATFORM, PLATFORM, MIRROR, CLI_SOURCE))
        self.report(deal, deal.pick(CLOSED)(request=name), source=source)

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
            said["alias"] = deal.pick((None, None, "Y-1", *SESSIONS))
        self.report(deal, STEPS[verb](session=name, **said), not_before=self.last_of(name))

    @step
    def end(self, deal: Deal) -> None:
        """A session ends, or the mirror reports the end and the bill."""
        self.time += deal.pick(SPANS)
        name = deal.pick(SESSIONS)
        ended = on.SessionEnded(session=name, billed=self.billed(deal))
        source = deal.pick((PLATFORM, MIRROR, CLI_SOURCE))
        self.report(deal, ended, source=source, not_before=self.last_of(name))

    @step
    def log(self, deal: Deal) -> None:
        """A past session in one event."""
        self.logged(deal, deal.pick(SESSIONS))

    def logged(self, deal: Deal, name: str) -> None:
        """A session of any length and any pauses, which may not fit."""
        data = on.SessionLogged(
            session=name,
            customer=CUSTOMER,
            rate=self.money(deal),
            billed=self.billed(deal),
            **self.times(deal),
        )
        self.report(deal, data)

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
        """The record was wrong; rarely the correction is empty."""
        times = self.times(deal) if deal.one_in(2) else {}
        name = deal.pick(SESSIONS)
        data = on.SessionCorrected(
            session=name, billed=self.billed(deal), reason="a reason", **times
        )
        self.report(deal, data, not_before=data.end or self.end_of(name))

    @step
    def after(self, deal: Deal) -> None:
        """Tips, reviews and files."""
        name = deal.pick(SESSIONS)
        sha256 = deal.pick(("ab", "cd")) * 32
        data: tuple[EventData, ...] = (
            on.TipReceived(session=name, amount=self.money(deal, self.giant(deal, 5))),
            on.TipReceived(session=name, amount=self.money(deal), again=deal.pick((None, True))),
            on.ReviewPosted(session=name, by="customer", rating=deal.pick((1, 5))),
            on.ArtifactAdded(session=name, kind="code", name="a name", sha256=sha256, bytes=1),
        )
        end = self.end_of(name)
        self.report(deal, deal.pick(data), end + deal.pick(AFTER_THE_END), not_before=end)

    # --- claims and other money -------------------------------------------------------------------

    @step
    def claim(self, deal: Deal) -> None:
        """A customer wants money back, at any time after the end."""
        asked = [name for name, session in self.model.sessions.items() if session.undecided]
        name = deal.pick(asked) if asked and deal.one_in(2) else deal.pick(SESSIONS)
        self.claimed(deal, deal.pick(CLAIMS), name)

    def claimed(self, deal: Deal, claim: str, name: str) -> None:
        """A claim for everything, or for a little."""
        end = self.end_of(name)
        amount = self.money(deal) if deal.one_in(2) else None
        data = on.RefundClaimed(claim=claim, session=name, amount=amount, reason="a reason")
        self.report(deal, data, end + deal.pick(AFTER_THE_END), not_before=end)

    @step
    def answer(self, deal: Deal) -> None:
        """Any step of any claim."""
        self.answered(deal, deal.pick(CLAIMS), deal.pick(tuple(ANSWERS)))

    def answered(self, deal: Deal, claim: str, verb: str) -> None:
        """One step of a claim, at once or later."""
        said: dict[str, Any] = {"summary": "a summary"} if verb == "filed" else {}
        known = self.model.claims.get(claim)
        made = known.time if known else self.time
        self.report(
            deal, ANSWERS[verb](claim=claim, **said), made + deal.pick(GAPS), not_before=made
        )

    @step
    def adjust(self, deal: Deal) -> None:
        """A bonus or a fee."""
        self.time += deal.pick(GAPS)
        money = self.money(deal, self.giant(deal, deal.pick(NUMBERS)))
        amount = -money if deal.one_in(3) else money
        name = deal.pick(("A-1", "A-2"))
        self.report(deal, on.AdjustmentPosted(adjustment=name, amount=amount, reason="a reason"))

    @step
    def pay(self, deal: Deal) -> None:
        """The platform pays when it pays."""
        self.time += deal.pick(GAPS)
        owed = max(self.model.owed, 1)
        amount = self.money(deal, deal.pick((owed, min(owed, 3), owed + 1)))
        method = deal.pick(("paypal", "cash"))
        self.report(deal, on.PayoutSent(payout=deal.pick(PAYOUTS), amount=amount, method=method))

    @step
    def deliver(self, deal: Deal) -> None:
        """Any end of any payout."""
        name = deal.pick(PAYOUTS)
        known = self.model.payouts.get(name)
        sent_at = known.sent_at if known else self.time
        at = max(self.time, sent_at)
        step = self.payout_step(deal, deal.pick(ENDS), name)
        self.report(deal, step, at, not_before=sent_at)

    @step
    def reverse(self, deal: Deal) -> None:
        """Any event may have been a mistake; only some can be taken back."""
        only_money = deal.pick((True, True, False))
        past = [
            fact.event for fact in self.model.recorded.values() if fact.entries or not only_money
        ]
        if past:
            event = deal.pick(past[-9:])
            name = on.EventRef(source=event.source, id="evt-0" if deal.one_in(9) else event.id)
            reversal = on.EntryReversed(event=name, reason="a reason")
            source = deal.pick((PLATFORM, MIRROR, CLI_SOURCE, event.source))
            at = max(self.time, event.time)
            self.report(deal, reversal, at, source=source, not_before=event.time)
            if source == CLI_SOURCE:  # The platform then sees its mistake, too.
                self.report(deal, reversal, at, source=event.source, not_before=event.time)

    # --- the expert and the book ------------------------------------------------------------------

    @step
    def prefer(self, deal: Deal) -> None:
        """The expert changes preferences for future requests."""
        self.preferred(deal)

    def preferred(self, deal: Deal) -> None:
        """Preferences: a rate, a vacation, both, or nothing at all."""
        given: dict[str, Any] = {}
        if deal.one_in(2):
            given[deal.pick(("minimum_rate", "direct_rate"))] = self.money(deal)
        if deal.one_in(3):
            day = self.time.date()
            given["vacations"] = (on.Vacation(start=day, end=day + timedelta(days=9)),)
        if deal.one_in(9):
            given["availability"] = deal.pick((FOREIGN_HOURS, {"weekly": {"mon": ["09:00-17:00"]}}))
        self.report(deal, on.PreferencesChanged(**given))

    @step
    def settle(self, deal: Deal) -> None:
        """Events that move no money."""
        data: tuple[EventData, ...] = (
            on.PayoutProfileChanged(fields=PROFILE[: deal.pick((5, 2))]),
            on.PayoutProfileRevealed(fields=PROFILE[:1]),
            on.CustomerForgotten(customer="cus-1"),
            on.ErasureRequested(customer="cus-1"),
        )
        self.report(deal, deal.pick(data))

    @step
    def another_policy(self, deal: Deal) -> None:
        """Sessions keep their agreed policy; rarely the months would be cut differently."""
        like = None if deal.one_in(5) else self.model.policy
        self.adopt(deal, policy_of(deal.pick, like=like))
