"""Random books, each held against every promise: money, explanations, risk, transfer, past months.

A book is recorded once. All checks that only read are made of each book; those that record it
again or replay it take turns, two of them with each book.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from liveportal.domain.calculations import provenance
from liveportal.domain.events.types import PayoutFailed, PayoutReturned, PolicyAdopted
from liveportal.ledger.opening import open_readonly
from liveportal.portal import Portal
from tests.kit import quick_ledgers as ledgers
from tests.kit.pools import READINGS
from tests.properties import explanations, promises, risk, transfer
from tests.properties.author import Book
from tests.properties.trial import BOOKS, QUICK, Check, judge, seeds

PARTS = 2
"""So that processors share the work."""
LIGHT: tuple[Check, ...] = (
    *promises.LIGHT,
    *explanations.LIGHT,
    risk.the_states_add_up_to_the_balance,
)
HEAVY = (*promises.HEAVY, *explanations.HEAVY, *transfer.HEAVY)
REACHED = {
    *provenance.GROUPS,
    *provenance.PLACES.values(),
    *("Part", "final", "-final", "claimable", "held"),
}
"""What the books must have come to; without it they would show nothing."""


def of_turn(seed: int) -> tuple[Check, ...]:
    """Return the checks of a book: all light ones, and the two heavy ones whose turn it is."""
    return (*LIGHT, *(HEAVY[(2 * seed + n) % len(HEAVY)] for n in range(2)))


def test_some_books_keep_every_promise() -> None:
    """The same as with the many, quickly."""
    for seed in seeds(0, QUICK):
        judge(seed, of_turn(seed))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_many_books_keep_every_promise(part: int) -> None:
    """With every group of explanations, every place of money, and every state of risk."""
    reached: set[str] = set()
    for seed in seeds(QUICK, BOOKS)[part::PARTS]:
        reached |= judge(seed, of_turn(seed))
    assert reached >= REACHED


def test_the_books_are_not_too_simple() -> None:
    """Several claims a session, payouts that come back, and every reading of every switch."""
    tried: set[tuple[str, str]] = set()
    claimed_again = failed = returned = 0
    for seed in range(50):
        book = Book.of(Random(seed), 8 + seed % 40)  # noqa: S311
        sessions = [claim.session.id for claim in book.model.claims.values()]
        claimed_again += len(sessions) > len(set(sessions))
        failed += any(isinstance(event.data, PayoutFailed) for event in book.events)
        returned += any(isinstance(event.data, PayoutReturned) for event in book.events)
        for event in book.events:
            if isinstance(event.data, PolicyAdopted):
                switches = event.data.policy.switches().items()
                tried |= {(name, str(value)) for name, value in switches}
    assert min(claimed_again, failed, returned) >= 4
    wanted = {(name, str(value)) for name, values in READINGS.items() for value in values}
    assert wanted <= tried


@pytest.mark.parametrize("seed", range(3))
def test_a_ledger_file_holds_the_same_books(seed: int, tmp_path: Path) -> None:
    """A file that a feed was synced into answers as memory does; a dry run leaves nothing."""
    book = Book.of(Random(seed), 30)  # noqa: S311
    policy = book.events[0].data
    assert isinstance(policy, PolicyAdopted)
    path = tmp_path / "ledger.db"
    Portal.create(path, policy.policy, now=ledgers.clock)
    for dry_run in (True, False):
        with Portal(path, dry_run=dry_run, now=ledgers.clock) as portal:
            ledgers.record_all(portal, book.events)
        with open_readonly(path) as reader:
            expected = [] if dry_run else book.model.months()
            assert ledgers.sql_months(reader) == expected
