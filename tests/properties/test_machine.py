"""A whole book against the plain model, event by event, with the exact outcome of each.

Whole stories are single steps here, since single steps seldom line up that far. At the end every
outcome, and every value of every switch, must have been reached.
"""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from random import Random

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from liveportal.domain.clock import utc_text
from liveportal.domain.events import types as on
from liveportal.ledger.format.open_items import open_items
from liveportal.ledger.journal.journal import open_journal
from liveportal.ledger.replay.replay import replayed_copy
from liveportal.ledger.verify.verify import verify
from tests.kit import quick_ledgers as ledgers
from tests.kit.pools import MIRROR, READINGS, SPANS, policy_of
from tests.properties.machine import (
    ALL_STEPS,
    CLAIMS,
    NUMBERS,
    PAYOUTS,
    READ,
    REQUESTS,
    SEEN,
    SESSIONS,
    SIZE,
    Deal,
    step,
)
from tests.properties.outcomes import OUTCOMES
from tests.properties.steps import StepMachine
from tests.properties.trial import BOOKS, QUICK

OPEN = ("conceded", "granted", "denied", "withdrawn")
DISPUTED = ("accepted", "rejected", "withdrawn")
"""How a claim goes on; what it cannot do is tried by single steps."""

WALKS = 400
STEPS = 25


class BookMachine(StepMachine):
    """All events of a book, and the stories that consist of them."""

    plays_back = True

    # --- whole stories ----------------------------------------------------------------------------

    @step
    def session_to_the_end(self, deal: Deal) -> None:
        """An instant session with pauses; it may end in one."""
        name = deal.pick(REQUESTS)
        self.report(deal, self.opened(deal, name, scheduled=False))
        self.report(deal, on.RequestAccepted(request=name))
        for _ in range(deal.pick((1, 2))):
            self.stepped(deal, name, "paused")
            self.stepped(deal, name, deal.pick(("resumed", "resumed", "paused")))
        self.time += deal.pick(SPANS)
        self.report(deal, on.SessionEnded(session=name), not_before=self.last_of(name))

    @step
    def scheduled_session(self, deal: Deal) -> None:
        """A scheduled session is accepted in spite of everything, moved, and held or not."""
        name = deal.pick(REQUESTS)
        self.preferred(deal)
        self.report(deal, self.opened(deal, name, scheduled=True))
        self.report(deal, on.RequestAccepted(request=name, slot=1))
        if deal.one_in(2):
            self.stepped(deal, name, "rescheduled")
        self.stepped(deal, name, deal.pick(("started", "cancelled", "missed")))

    @step
    def two_sessions_at_once(self, deal: Deal) -> None:
        """Two requests for the same time are accepted; one session is moved, and back again."""
        start = self.time + deal.pick(SPANS)
        for name in REQUESTS:
            self.report(deal, self.opened(deal, name, scheduled=True, start=start))
            self.report(deal, on.RequestAccepted(request=name, slot=1))
        for away in (timedelta(minutes=deal.pick((30, 29))), timedelta(0)):
            moved = on.SessionRescheduled(session=name, start=start + away)
            self.report(deal, moved, not_before=self.last_of(name))

    @step
    def currency_changes_under_a_request(self, deal: Deal) -> None:
        """A request keeps its rate's currency; the book may have another one by then."""
        name = deal.pick(REQUESTS)
        self.report(deal, self.opened(deal, name, scheduled=False))
        self.adopt(deal, policy_of(deal.pick))
        self.report(deal, on.RequestAccepted(request=name))

    @step
    def claims_to_the_end(self, deal: Deal) -> None:
        """A session is logged and claimed, perhaps disputed, perhaps twice, and decided; again."""
        name = deal.pick(SESSIONS)
        self.logged(deal, name)
        for claim in CLAIMS:
            self.claimed(deal, claim, name)
            disputed = deal.one_in(2)
            if disputed:
                self.answered(deal, claim, "filed")
            if disputed and deal.one_in(2):
                self.answered(deal, claim, "dropped")
                self.answered(deal, claim, "filed")
            self.answered(deal, claim, deal.pick(DISPUTED if disputed else OPEN))

    @step
    def billed_anew(self, deal: Deal) -> None:
        """The mirror bills another amount for a session that was claimed meanwhile."""
        name, claim = deal.pick(REQUESTS), deal.pick(CLAIMS)
        self.report(deal, self.opened(deal, name, scheduled=False))
        self.report(deal, on.RequestAccepted(request=name))
        self.time += timedelta(minutes=20)
        self.report(deal, on.SessionEnded(session=name))
        self.claimed(deal, claim, name)
        if deal.one_in(2):
            self.answered(deal, claim, "granted")
        billed = self.money(deal, deal.pick((0, 1, 9, 99)))
        self.report(deal, on.SessionEnded(session=name, billed=billed), source=MIRROR)
        self.answered(deal, claim, "conceded")

    @step
    def payout_to_the_end(self, deal: Deal) -> None:
        """A payout of everything or of a part, which arrives, fails, or arrives and returns."""
        name = deal.pick(PAYOUTS)
        bonus = self.money(deal)
        posted = on.AdjustmentPosted(adjustment=f"A{name}", amount=bonus, reason="a reason")
        self.report(deal, posted)
        self.time += timedelta(days=9 * deal.pick(NUMBERS))
        owed = max(self.model.owed, 1)
        amount = self.money(deal, deal.pick((owed, min(owed, 2))))
        self.report(deal, on.PayoutSent(payout=name, amount=amount, method="paypal"))
        kind = deal.pick((on.PayoutPaid, on.PayoutPaid, on.PayoutFailed))
        self.report(deal, self.payout_step(deal, kind, name))
        if deal.one_in(2):
            known = self.model.payouts.get(name)
            returned = self.payout_step(deal, on.PayoutReturned, name)
            self.report(deal, returned, not_before=known.sent_at if known else None)

    @step
    def failure_by_mistake(self, deal: Deal) -> None:
        """A payout failed, so its money was sent by another one; then the failure is reversed."""
        first, other = PAYOUTS
        owed = self.money(deal, max(self.model.owed, 1))
        for name in (first, other):
            self.report(deal, on.PayoutSent(payout=name, amount=owed, method="paypal"))
            if name == first:
                self.report(deal, on.PayoutFailed(payout=name))
        failed = [
            fact.event
            for fact in self.model.recorded.values()
            if isinstance(fact.data, on.PayoutFailed) and not fact.undone
        ]
        if failed:
            event = on.EventRef(source=failed[-1].source, id=failed[-1].id)
            self.report(deal, on.EntryReversed(event=event, reason="a mistake"))

    # --- invariants -------------------------------------------------------------------------------

    @step
    def look(self, deal: Deal) -> None:
        """Write everything and read it back; rarely with a freshly started program."""
        book = self.journal.book
        followed, first = book.open_items(), book.first_billed_end()
        book.flush()
        assert followed == open_items(self.db), "what is followed in memory is what is written"
        assert first == open_journal(self.db, ledgers.clock).book.first_billed_end()
        if deal.one_in(2):
            self.journal.flush()  # Otherwise the cached entities stay in use.
        self.books_agree()
        if deal.one_in(3):
            self.db.execute("COMMIT")
            self.open_journal()

    @invariant()
    def owed_agrees(self) -> None:
        """The owed amount agrees after every step."""
        assert self.journal.book.owed_minor() == self.model.owed

    def books_agree(self) -> None:
        """Months, balances, records, items and states are those of the model."""
        months = self.model.months()
        assert ledgers.sql_months(self.db) == months
        assert ledgers.folded_months(self.db) == months
        assert ledgers.records(self.db) == self.model.records()
        assert ledgers.balance(self.db) == self.model.balance()
        assert ledgers.states(self.db) == self.model.states()
        assert ledgers.items(self.db) == [
            (utc_text(entry.time), entry.month, entry.net, entry.settled)
            for entry in self.model.entries
            if entry.net
        ]
        opened = [item.open_minor for item in self.journal.book.open_items() if item.open_minor]
        assert opened == [left for _, left in self.model.items()]

    def teardown(self) -> None:
        """At the end of its life a book can be replayed from its journal."""
        with closing(self.db):
            self.journal.flush()
            self.books_agree()
            self.db.execute("COMMIT")
            if self.plays_back:
                with closing(replayed_copy(self.db)) as copy:
                    expected = ledgers.tables(self.db, replayed=True)
                    assert ledgers.tables(copy, replayed=True) == expected
                assert verify(self.db).rules_changed == ()


def walk(random: Random, steps: int) -> None:
    """Play the machine without Hypothesis, which tries too few different steps to reach it all."""
    machine = BookMachine()
    machine.plays_back = random.randrange(4) == 0  # It takes as long as all the rest.
    try:
        machine.begin(random.randbytes(SIZE))
        for _ in range(steps):
            random.choice(ALL_STEPS)(machine, Deal(random.randbytes(SIZE)))
            machine.owed_agrees()
        machine.teardown()
    except BaseException as error:
        reached = [line for line in machine.story if line.startswith(("recorded", "confirmed"))]
        error.add_note("\n".join([*reached, "and at last:", *machine.story[-3:]]))
        raise


@pytest.mark.slow
def test_every_event_has_the_outcome_that_the_rulebook_gives_it() -> None:
    """A ledger and the plain model agree on each event, each code, each flag and each figure."""
    SEEN.clear()
    READ.clear()
    tried = {(switch, str(value)) for switch, values in READINGS.items() for value in values}
    for seed in range(WALKS):
        walk(Random(seed), STEPS)  # noqa: S311
        if seed >= BOOKS and SEEN >= OUTCOMES and tried <= READ:
            break
    assert SEEN == OUTCOMES, "an outcome that was not reached is an untested rule"
    assert tried <= READ


def test_some_books_of_any_steps() -> None:
    """The same, quickly: by Hypothesis, which shortens what fails."""
    examples = settings().max_examples if BOOKS > 1_000 else QUICK
    run_state_machine_as_test(
        BookMachine, settings=settings(stateful_step_count=STEPS, max_examples=examples)
    )
