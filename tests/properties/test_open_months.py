"""Payouts calculated from sums by month are those calculated from the open items."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from liveportal.domain.calculations.forecast import forecast, overdue
from liveportal.domain.calculations.payout_plan import (
    PayoutPosition,
    next_due,
    open_by_month,
    preview,
)
from liveportal.ledger.queries.payouts import payout_position
from liveportal.ledger.queries.reader import Reader
from tests.kit import quick_ledgers as ledgers
from tests.properties.author import Book
from tests.properties.test_money_as_known import recorded_slowly
from tests.properties.trial import BOOKS, seeds

QUICK = 4
DAYS = [date(2026, 6, 1) + timedelta(days=17 * number) for number in range(30)]


def test_a_few_books_have_the_same_payouts() -> None:
    """The same as with the many, quickly."""
    assert sum(compare(seed) for seed in seeds(0, QUICK))


@pytest.mark.slow
def test_many_books_have_the_same_payouts() -> None:
    """Claims that hold, refunds, reversals, payouts in part, months that alternate."""
    assert sum(compare(seed) for seed in seeds(QUICK, BOOKS))


def compare(seed: int) -> bool:
    """Compare both ways of calculating; return True if months were summed up."""
    with recorded_slowly(Book.of(Random(seed), 8 + seed % 40)) as db:  # noqa: S311
        reader = Reader(db, ledgers.NOWHERE)
        items, sums = payout_position(reader, items=True), payout_position(reader)
        assert figures(sums) == figures(items)
        return len(sums.items) < len(items.items)


def figures(position: PayoutPosition) -> list[Any]:
    """Return everything that is calculated of a position but for the lines of payouts."""
    each_day = [
        (replace(preview(position, on), lines=()), forecast(position, on), overdue(position, on))
        for on in DAYS
    ]
    due = next_due(position.items, position.policy)
    return [each_day, due, open_by_month(position.items), bool(position.items)]
