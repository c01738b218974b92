"""Other interpretations: calculated from plain sessions, and the same as a replay of everything."""

from __future__ import annotations

from random import Random
from unittest.mock import patch

import pytest

from liveportal.domain.calculations.other_bills import PlainBook
from liveportal.ledger.format.journal_entries import iter_journal
from liveportal.ledger.queries import earnings, interpretation_range
from liveportal.ledger.queries.interpretation_range import BoundRow
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.replay.replay import DecodedEntry, decoded
from tests.kit import quick_ledgers as ledgers
from tests.properties.author import Book
from tests.properties.test_money_as_known import recorded_slowly
from tests.properties.trial import BOOKS, seeds

QUICK = 4


def test_a_few_books_have_the_same_bounds() -> None:
    """The same as with the many, quickly."""
    assert sum(compare(seed) for seed in seeds(0, QUICK))


@pytest.mark.slow
def test_many_books_have_the_same_bounds() -> None:
    """Claims, corrections, reversals, several policies and zones, tips, two sources."""
    assert sum(compare(seed) for seed in seeds(QUICK, BOOKS // 4))


def compare(seed: int) -> int:
    """Compare both ways of calculating; return the number of events that were not replayed."""
    with recorded_slowly(Book.of(Random(seed), 8 + seed % 40)) as db:  # noqa: S311
        reader = Reader(db, ledgers.NOWHERE)
        months = [*earnings.figures_of(reader), earnings.FIRST]
        spans = [(months[0], months[0]), (earnings.FIRST, earnings.LAST)]
        quick = [bounds(reader, *span) for span in spans]
        with patch.object(interpretation_range, "_split", everything):
            assert quick == [bounds(reader, *span) for span in spans]
        left = interpretation_range._split(reader)[1]  # noqa: SLF001
        return len(list(iter_journal(db))) - len(left)


def bounds(reader: Reader, first: str, last: str) -> list[BoundRow]:
    """Return the bounds of a span under every interpretation, as they are shown."""
    readings = interpretation_range.interpretations(reader)
    found = list(interpretation_range.bounds(reader, first, last, readings))
    return interpretation_range.rows(reader, first, found)


def everything(reader: Reader) -> tuple[PlainBook, list[DecodedEntry]]:
    """Take every session for one with a history: the whole journal is replayed."""
    return PlainBook([], [], reader.policy_at, reader.currency), decoded(iter_journal(reader.db))
