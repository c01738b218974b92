"""A whole book against the plain model, event by event, with the exact outcome of each.

Whole stories are single steps here, since single steps seldom line up that far. At the end every
outcome that there is, and every reading of every switch, must have been reached.
"""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from liveportal.domain import events as on
from liveportal.domain.clock import utc_text
from liveportal.ledger.store import played_back
from tests.properties import ledgers
from tests.properties.machine import (
    CUSTOMER,
    READ,
    SEEN,
    again,
    amounts,
    requests,
    seldom,
    sessions,
    spans,
)
from tests.properties.money_machine import MoneyMachine, claims, later, payouts
from tests.properties.outcomes import OUTCOMES
from tests.properties.strategies import ANSWERS, MIRROR, READINGS


class BookMachine(MoneyMachine):
    """All that can happen to a book, and the stories that it is made of."""

    # --- whole stories ----------------------------------------------------------------------------

    @rule(
        name=requests,
        rate=amounts,
        scheduled=st.booleans(),
        before=spans,
        paused=spans,
        rest=spans,
        resumes=st.booleans(),
        again=again,
    )
    def host(
        self,
        name: str,
        rate: int,
        scheduled: bool,
        before: timedelta,
        paused: timedelta,
        rest: timedelta,
        resumes: bool,
        again: str,
    ) -> None:
        """A session from the request to its end, with a pause that may last to the end."""
        slots = (on.Slot(start=self.time, minutes=30),) if scheduled else None
        opened = on.RequestOpened(
            request=name,
            kind="scheduled" if scheduled else "instant",
            customer=CUSTOMER,
            title="a title",
            rate=self.money(rate),
            slots=slots,
        )
        self.tell(opened, again=again)
        self.tell(on.RequestAccepted(request=name, slot=1 if scheduled else None), again=again)
        if scheduled:
            self.tell(on.SessionStarted(session=name), again=again)
        self.time += before
        self.tell(on.SessionPaused(session=name), again=again)
        self.time += paused
        if resumes:
            self.tell(on.SessionResumed(session=name), again=again)
        self.time += rest
        self.tell(on.SessionEnded(session=name), again=again)

    @rule(
        name=sessions,
        claim=claims,
        rate=amounts,
        marks=st.lists(spans, min_size=1, max_size=3),
        part=st.none() | amounts,
        after=later,
        disputed=st.booleans(),
        verb=st.sampled_from(sorted(ANSWERS)),
        again=again,
    )
    def claim_to_the_end(
        self,
        name: str,
        claim: str,
        rate: int,
        marks: list[timedelta],
        part: int | None,
        after: timedelta,
        disputed: bool,
        verb: str,
        again: str,
    ) -> None:
        """A session is logged and claimed, perhaps disputed, perhaps decided."""
        times = self.times([*marks, timedelta(minutes=9)], torn=False)
        self.tell(on.SessionLogged(session=name, customer=CUSTOMER, rate=self.money(rate), **times))
        amount = None if part is None else self.money(part)
        self.time = max(self.time, self.end_of(name) + after)
        self.tell(on.RefundClaimed(claim=claim, session=name, amount=amount), again=again)
        if disputed:
            self.tell(on.DisputeFiled(claim=claim, summary="a summary"), again=again)
        self.answer_again(claim, verb, again)

    def answer_again(self, claim: str, verb: str, again: str) -> None:
        """One step of a claim, now."""
        said = {"summary": "a summary"} if verb == "filed" else {}
        self.tell(ANSWERS[verb](claim=claim, **said), again=again)

    @rule(
        name=requests,
        claim=claims,
        first=amounts,
        other=amounts,
        part=amounts,
        granted=st.booleans(),
    )
    def billed_anew(
        self, name: str, claim: str, first: int, other: int, part: int, granted: bool
    ) -> None:
        """The mirror bills another amount for a session that was claimed meanwhile."""
        opened = on.RequestOpened(
            request=name, kind="instant", customer=CUSTOMER, title="a title", rate=self.money(5)
        )
        self.tell(opened)
        self.tell(on.RequestAccepted(request=name))
        self.tell(on.SessionEnded(session=name, billed=self.money(first)))
        asked = self.money(min(part, first)) if part % 2 else None
        self.tell(on.RefundClaimed(claim=claim, session=name, amount=asked))
        if granted:
            self.answer_again(claim, "granted", "no")
        self.tell(on.SessionEnded(session=name, billed=self.money(other)), source=MIRROR)
        self.answer_again(claim, "conceded", "no")

    @rule(
        name=payouts,
        part=st.none() | amounts,
        tip=amounts,
        fails=st.booleans(),
        comes_back=st.booleans(),
        again=again,
    )
    def payout_to_the_end(
        self,
        name: str,
        part: int | None,
        tip: int,
        fails: bool,
        comes_back: bool,
        again: str,
    ) -> None:
        """A payout of everything or of a part, which arrives, fails, or arrives and returns."""
        bonus = f"A-{name[-1]}"
        posted = on.AdjustmentPosted(adjustment=bonus, amount=self.money(tip), reason="a reason")
        self.tell(posted)
        self.time += timedelta(days=tip * 9)
        amount = self.money(part or max(self.model.owed, 1))
        self.tell(on.PayoutSent(payout=name, amount=amount, method="paypal"), again=again)
        end = on.PayoutFailed if fails else on.PayoutPaid
        self.tell(end(payout=name), again=again)
        if comes_back:
            self.tell(on.PayoutReturned(payout=name), again=again)

    # --- what must hold ---------------------------------------------------------------------------

    @rule(reopen=seldom)
    def look(self, reopen: bool) -> None:
        """Everything is written, and read back; now and then by a program started anew."""
        self.door.flush()
        self.books_agree()
        if reopen:
            self.db.execute("COMMIT")
            self.open_door()

    @invariant()
    def owed_agrees(self) -> None:
        """What is owed is the same after every step."""
        assert self.door.book.owed_minor() == self.model.owed

    def books_agree(self) -> None:
        """Months, balances, records, items and states are those of the model."""
        months = self.model.months()
        assert ledgers.sql_months(self.db) == months
        assert ledgers.folded_months(self.db) == months
        assert ledgers.records(self.db) == self.model.records()
        assert ledgers.balance(self.db) == self.model.balance()
        assert ledgers.items(self.db) == [
            (utc_text(entry.time), entry.month, entry.net, entry.settled)
            for entry in self.model.entries
            if entry.net
        ]
        assert ledgers.states(self.db) == self.model.states()
        self.door.book.forget_kept()
        opened = [item.open_minor for item in self.door.book.open_items() if item.open_minor]
        assert opened == [left for _, left in self.model.items()]

    def teardown(self) -> None:
        """At the end of its life a book can be told again from its journal."""
        with closing(self.db):
            self.door.flush()
            self.books_agree()
            self.db.execute("COMMIT")
            with closing(played_back(self.db)) as copy:
                assert ledgers.tables(copy, replayed=True) == ledgers.tables(self.db, replayed=True)


def test_the_machine() -> None:
    """Every event has exactly the outcome that the rulebook gives it, and every outcome is reached."""
    SEEN.clear()
    READ.clear()
    examples = max(settings().max_examples, 150)
    run_state_machine_as_test(
        BookMachine, settings=settings(max_examples=examples, stateful_step_count=50)
    )
    assert SEEN == OUTCOMES, "an outcome that nobody reached is a rule that nobody tested"
    assert {
        (switch, repr(value)) for switch, values in READINGS.items() for value in values
    } <= READ
