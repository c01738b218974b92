"""The second half of the machine: what comes after a session, and money of every other kind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from liveportal.domain import events as on
from liveportal.domain.money import LARGEST_MINOR
from liveportal.domain.policy import Policy
from tests.properties.machine import (
    CUSTOMER,
    HostingMachine,
    again,
    amounts,
    gaps,
    seldom,
    sessions,
    spans,
)
from tests.properties.strategies import (
    AFTER_THE_END,
    ANSWERS,
    MICROSECOND,
    policies,
    policy_of,
)

claims = st.sampled_from(("CL-1", "CL-2"))
payouts = st.sampled_from(("P-1", "P-2"))
later = st.sampled_from(AFTER_THE_END)
RATES = ("minimum_rate", "direct_rate")
PROFILE = ("name", "email", "method", "address", "tax_form")


class MoneyMachine(HostingMachine):
    """All that can happen to a book, one thing at a time."""

    # --- single steps: sessions that are over -----------------------------------------------------

    @rule(
        name=sessions,
        rate=amounts,
        marks=st.lists(spans, min_size=1, max_size=5),
        torn=seldom,
        billed=st.none() | st.integers(0, 9),
        foreign=st.sampled_from(("", "", "", "", "", "rate", "billed")),
        command=st.booleans(),
        again=again,
    )
    def log(
        self,
        name: str,
        rate: int,
        marks: list[timedelta],
        torn: bool,
        billed: int | None,
        foreign: str,
        command: bool,
        again: str,
    ) -> None:
        """A past session in one event; its pauses may not fit."""
        amount = None if billed is None else self.money(billed, foreign=foreign == "billed")
        logged = on.SessionLogged(
            session=name,
            customer=CUSTOMER,
            rate=self.money(rate, foreign=foreign == "rate"),
            billed=amount,
            **self.times(marks, torn),
        )
        self.tell(logged, command=command, again=again)

    def times(self, marks: list[timedelta], torn: bool) -> dict[str, Any]:
        """Start, pauses and end from some spans in a row; `torn` ones overlap or go back."""
        instants = [self.time]
        for span in marks:
            instants.append(instants[-1] + span)
        pauses = (
            tuple(zip(instants[1:-1:2], instants[2:-1:2], strict=True)) if len(marks) % 2 else ()
        )
        if torn:
            pauses = (*pauses, (instants[0] - MICROSECOND, instants[-1]))
        self.time = instants[-1]
        return {"start": instants[0], "end": instants[-1], "pauses": pauses or None}

    @rule(
        name=sessions,
        marks=st.none() | st.lists(spans, min_size=1, max_size=3),
        torn=seldom,
        billed=st.none() | st.integers(0, 9),
        foreign=seldom,
        again=again,
    )
    def correct(
        self,
        name: str,
        marks: list[timedelta] | None,
        torn: bool,
        billed: int | None,
        foreign: bool,
        again: str,
    ) -> None:
        """What was recorded was wrong; perhaps nothing is said of what is right."""
        amount = None if billed is None else self.money(billed, foreign=foreign)
        times = self.times(marks, torn) if marks else {}
        corrected = on.SessionCorrected(session=name, billed=amount, reason="a reason", **times)
        self.tell(corrected, again=again)

    @rule(
        name=sessions,
        amount=amounts,
        giant=seldom,
        foreign=seldom,
        after=later,
        back=seldom,
        what=st.sampled_from(("tip", "tip", "review", "file")),
        again=again,
    )
    def after(
        self,
        name: str,
        amount: int,
        giant: bool,
        foreign: bool,
        after: timedelta,
        back: bool,
        what: str,
        again: str,
    ) -> None:
        """Tips, reviews and files."""
        tip = self.money(self.giant() if giant else amount, foreign=foreign)
        told: dict[str, on.Data] = {
            "tip": on.TipReceived(session=name, amount=tip),
            "review": on.ReviewPosted(session=name, by="customer", rating=1 + amount // 2),
            "file": on.ArtifactAdded(
                session=name, kind="code", name="a name", sha256="ab" * 32, bytes=amount
            ),
        }
        end = self.end_of(name)
        self.tell(told[what], end - MICROSECOND if back else end + after, again=again)

    def giant(self) -> int:
        """More than any book that moved money could add up."""
        return LARGEST_MINOR if any(each.moved for each in self.model.entries) else 9

    # --- single steps: claims ---------------------------------------------------------------------

    @rule(
        claim=claims,
        name=sessions,
        amount=st.none() | amounts,
        foreign=seldom,
        after=later,
        back=seldom,
        command=st.booleans(),
        again=again,
    )
    def claim(
        self,
        claim: str,
        name: str,
        amount: int | None,
        foreign: bool,
        after: timedelta,
        back: bool,
        command: bool,
        again: str,
    ) -> None:
        """A customer wants money back, at any time after the end and at none before."""
        end = self.end_of(name)
        asked = None if amount is None else self.money(amount, foreign=foreign)
        claimed = on.RefundClaimed(claim=claim, session=name, amount=asked)
        at = end - MICROSECOND if back else end + after
        self.tell(claimed, at, command=command, again=again)

    @rule(
        claim=claims, verb=st.sampled_from(sorted(ANSWERS)), after=spans, back=seldom, again=again
    )
    def answer(self, claim: str, verb: str, after: timedelta, back: bool, again: str) -> None:
        """Any step of any claim."""
        said: dict[str, Any] = {"summary": "a summary"} if verb == "filed" else {}
        known = self.model.claims.get(claim)
        made = known.time if known else self.time
        at = made - MICROSECOND if back else made + after
        self.tell(ANSWERS[verb](claim=claim, **said), at, again=again)

    # --- single steps: other money ----------------------------------------------------------------

    @rule(
        name=st.sampled_from(("A-1", "A-2")),
        amount=amounts,
        fee=st.booleans(),
        giant=seldom,
        foreign=seldom,
        gap=gaps,
        again=again,
    )
    def adjust(
        self,
        name: str,
        amount: int,
        fee: bool,
        giant: bool,
        foreign: bool,
        gap: timedelta,
        again: str,
    ) -> None:
        """A bonus or a fee."""
        self.time += gap
        money = self.money(self.giant() if giant else amount, foreign=foreign)
        posted = on.AdjustmentPosted(
            adjustment=name, amount=-money if fee else money, reason="a reason"
        )
        self.tell(posted, again=again)

    @rule(
        name=payouts,
        amount=amounts,
        method=st.sampled_from(("paypal", "cash")),
        foreign=seldom,
        command=st.booleans(),
        gap=gaps,
        again=again,
    )
    def pay(
        self,
        name: str,
        amount: int,
        method: str,
        foreign: bool,
        command: bool,
        gap: timedelta,
        again: str,
    ) -> None:
        """The platform pays when it pays."""
        self.time += gap
        sent = on.PayoutSent(payout=name, amount=self.money(amount, foreign=foreign), method=method)
        self.tell(sent, command=command, again=again)

    @rule(
        name=payouts,
        end=st.sampled_from((on.PayoutPaid, on.PayoutFailed, on.PayoutReturned)),
        again=again,
    )
    def deliver(self, name: str, end: type[on.PayoutMoved], again: str) -> None:
        """Any end of any payout."""
        self.tell(end(payout=name), again=again)

    @precondition(lambda self: self.model.told)
    @rule(position=st.integers(0, 99), unknown=seldom, money=st.booleans(), again=again)
    def reverse(self, position: int, unknown: bool, money: bool, again: str) -> None:
        """Any event may have been a mistake; only some can be taken back."""
        past = [each.event for each in self.model.told.values() if each.entries or not money]
        if past:
            event = past[-1 - position % len(past)]
            name = on.EventRef(source=event.source, id="evt-0" if unknown else event.id)
            self.tell(on.EntryReversed(event=name, reason="a reason"), again=again)

    # --- single steps: the expert and the book ----------------------------------------------------

    @rule(
        rate=st.none() | amounts,
        which=st.sampled_from(RATES),
        away=seldom,
        foreign=seldom,
        command=st.booleans(),
        again=again,
    )
    def prefer(
        self, rate: int | None, which: str, away: bool, foreign: bool, command: bool, again: str
    ) -> None:
        """Preferences: a rate, or a vacation, or nothing at all."""
        given: dict[str, Any] = {}
        if rate:
            given[which] = self.money(rate, foreign=foreign)
        if away:
            day = self.time.date()
            given["vacations"] = (on.Vacation(start=day, end=day + timedelta(days=9)),)
        self.tell(on.PreferencesChanged(**given), command=command, again=again)

    @rule(
        told=st.sampled_from(
            (
                on.PayoutProfileChanged(fields=PROFILE),
                on.PayoutProfileChanged(fields=PROFILE[:2]),
                on.PayoutProfileRevealed(fields=PROFILE[:1]),
                on.CustomerForgotten(customer="cus-1"),
            )
        ),
        again=again,
    )
    def settle(self, told: on.Data, again: str) -> None:
        """What moves no money."""
        self.tell(told, again=again)

    @rule(policy=policies(), data=st.data(), recut=seldom, again=again)
    def adopt_policy(self, policy: Policy, data: st.DataObject, recut: bool, again: str) -> None:
        """Another policy; what was agreed keeps its own."""
        if not recut:
            policy = policy_of(
                lambda readings: data.draw(st.sampled_from(readings)), like=self.model.policy
            )
        self.adopt(policy, again)
