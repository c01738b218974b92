"""Random books whose payouts follow a hidden policy: `policy infer` finds it as far as it can.

The ledger itself made the payouts, and decides again what every other reading would have paid.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from liveportal.domain.calculations.inference.facts import Facts
from liveportal.domain.calculations.inference.judge import Judge
from liveportal.domain.calculations.inference.readings import (
    SEARCHED,
    Changes,
    changed,
    kept_value,
    other_values,
)
from liveportal.domain.calculations.inference.search import Inference, Search
from tests.properties.hidden_policies import HIDDEN, HiddenBook, agrees

QUICK, MANY = 4, 40
SIZES = (15, 40, 100)


def inferred(facts: Facts) -> Inference:
    """Search to the end."""
    search = Search(facts)
    for _ in search.run():
        pass
    return search.result(limit=1_000_000)


def value(switch: str, changes: Changes, facts: Facts) -> object:
    """Return the value of a switch in a reading."""
    return changes.get(switch, kept_value(switch, facts))


def book_of(seed: int) -> HiddenBook:
    """Return the book of a seed."""
    random = Random(seed)  # noqa: S311 (a seed makes the same book again)
    return HiddenBook.of(random, random.choice(SIZES))


def judge_book(seed: int) -> Counter[tuple[str, str]]:
    """Check a book; return how each switch that the hidden policy changed was recovered."""
    book = book_of(seed)
    judge = Judge(book.facts)
    every = range(len(judge.payouts))
    hidden = judge.judge(book.hidden, every)
    assert len(hidden.explained) == len(every), "the calculation is not that of the ledger"
    found = inferred(book.facts)
    if not every:
        assert found.readings == ()
        return Counter()
    assert found.is_complete
    best = found.readings[0]
    assert best.explained == hidden.explained
    real_changes = {
        switch: new
        for switch, new in book.hidden.items()
        if new in other_values(switch, book.facts)
    }
    assert len(best.changes) <= len(real_changes), "a nearer reading is the better one"
    outcomes: Counter[tuple[str, str]] = Counter()
    for switch in SEARCHED:
        if switch in found.undecided:
            outcome = "undecided"
        elif switch in found.ambiguous:
            outcome = "partly"
        else:
            outcome = "recovered"
            real = value(switch, book.hidden, book.facts)
            assert value(switch, best.changes, book.facts) == real, (seed, switch)
        if switch in real_changes:
            outcomes[switch, outcome] += 1
    return outcomes


def test_some_hidden_policies_are_recovered() -> None:
    """The same as with the many, quickly."""
    for seed in range(QUICK):
        judge_book(seed)


@pytest.mark.slow
def test_many_hidden_policies_are_recovered() -> None:
    """What payouts decide is the hidden value; every switch is recovered in some book."""
    outcomes: Counter[tuple[str, str]] = Counter()
    for seed in range(QUICK, MANY):
        outcomes += judge_book(seed)
    recovered = {switch for switch, outcome in outcomes if outcome == "recovered"}
    # Minutes of a trial are decided only by sessions of about that length, boundaries by sessions
    # of exactly that length, and a minimum only from above.
    known = {switch for switch, outcome in outcomes if outcome != "undecided"}
    assert recovered >= {"fee.percent", "refund.deducts", "billing.minimum_minutes"}
    assert known >= set(HIDDEN) - {"payout.minimum_counts"}, outcomes


@pytest.mark.parametrize("seed", [1, pytest.param(7, marks=pytest.mark.slow)])
def test_undecided_is_what_changes_no_payout(seed: int) -> None:
    """A switch is undecided exactly if the ledger pays the same under each of its values."""
    book = book_of(seed)
    found = inferred(book.facts)
    best = found.readings[0].changes
    for switch in SEARCHED:
        values: list[Any] = [None, *other_values(switch, book.facts)]
        changes = [{**best, switch: new} for new in values]
        agreeing = [
            new
            for new, change in zip(values, changes, strict=True)
            if agrees(
                changed(book.adopted, {name: to for name, to in change.items() if to is not None}),
                book.steps,
            )
        ]
        assert set(found.equal[switch]) == set(agreeing), switch
        assert (switch in found.undecided) == (agreeing == values), switch
