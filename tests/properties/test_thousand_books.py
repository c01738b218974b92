"""A thousand books: SQL and plain Python agree on every month of each of them."""

from __future__ import annotations

from random import Random

import pytest

from liveportal.domain.events.types import PayoutFailed, PayoutReturned, PolicyAdopted
from tests.kit import quick_ledgers as ledgers
from tests.kit.pools import READINGS
from tests.properties.strategies import Book

BOOKS = 1_000
PARTS = 4
"""So that processors share the work."""


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_sql_and_python_agree_on_a_thousand_books(part: int) -> None:
    """Several claims a session, payouts that come back, months of any zone, and every switch."""
    tried: set[tuple[str, str]] = set()
    claimed_again = failed = returned = 0
    for seed in range(part, BOOKS, PARTS):
        book = Book.of(Random(seed), 8 + seed % 40)  # noqa: S311 (the same books each time)
        with ledgers.recorded(book.events) as db:
            expected = book.model.months()
            assert ledgers.sql_months(db) == expected, f"book {seed}"
            assert ledgers.folded_months(db) == expected, f"book {seed}"
        sessions = [claim.session.id for claim in book.model.claims.values()]
        claimed_again += len(sessions) > len(set(sessions))
        failed += any(isinstance(event.data, PayoutFailed) for event in book.events)
        returned += any(isinstance(event.data, PayoutReturned) for event in book.events)
        for event in book.events:
            if isinstance(event.data, PolicyAdopted):
                switches = event.data.policy.switches().items()
                tried |= {(name, str(value)) for name, value in switches}

    assert min(claimed_again, failed, returned) >= 20, "books that are too simple show nothing"
    wanted = {(name, str(value)) for name, values in READINGS.items() for value in values}
    assert wanted <= tried, "every reading of every switch was tried"
