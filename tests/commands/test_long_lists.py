"""Long lists are read a page at a time: little is in memory, nothing is locked, nothing changes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from weakref import WeakSet

import pytest

from liveportal.domain.calculations.months import fill_gaps, gaps_in
from liveportal.ledger import opening
from liveportal.ledger.opening import in_pages, open_readonly
from liveportal.ledger.queries import earnings
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.session_filter import SORTS, SessionFilter
from liveportal.ledger.queries.sessions import SessionRow, session_ids, sessions, sessions_by_id
from tests.kit.large_ledger import feed, make_ledger
from tests.kit.planned_sessions import SetNow, now
from tests.kit.shell import Shell

__all__ = ["now"]

PAGE = 4
FEW_BYTES = 100_000


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a book with more sessions than fit on some pages."""
    return make_ledger(tmp_path_factory.mktemp("book"), feed(12))


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make pages of a few rows."""
    monkeypatch.setattr(opening, "PAGE", PAGE)


@pytest.fixture
def shell(empty: Shell, now: SetNow) -> Shell:
    """Give a shell on the day of the book."""
    now("11-04 12:00")
    return empty


@pytest.mark.parametrize("command", ["sessions list", "earnings transactions"])
@pytest.mark.parametrize("form", ["--jsonl", "--json", "--csv", "--tsv"])
def test_pages_do_not_show(
    shell: Shell, book: Path, monkeypatch: pytest.MonkeyPatch, command: str, form: str
) -> None:
    """What is written does not depend on the size of a page."""
    paged = shell.run(*command.split(), form, "--ledger", book)
    monkeypatch.setattr(opening, "PAGE", 1_000)
    assert shell.run(*command.split(), form, "--ledger", book) == paged
    assert paged.code == 0
    assert len(paged.out.splitlines()) > 3 * PAGE


@pytest.mark.parametrize("sort", [*SORTS, *(f"-{name}" for name in SORTS)])
def test_every_order_is_that_of_the_whole_list(book: Path, sort: str) -> None:
    """The order of a streamed list is that of the rows when they are all in memory."""
    with open_readonly(book) as reader:
        whole = sessions(reader, SessionFilter(sort=sort))
        assert session_ids(reader, SessionFilter(sort=sort)) == [row.id for row in whole]


def test_few_rows_are_in_memory_at_once(book: Path) -> None:
    """The rows of a page are forgotten before those of the next but one are fetched."""
    alive: WeakSet[SessionRow] = WeakSet()
    most = 0

    def fetch(reader: Reader, ids: Sequence[str]) -> list[SessionRow]:
        rows = sessions_by_id(reader, ids)
        alive.update(rows)
        return rows

    with open_readonly(book) as reader:
        ids = session_ids(reader)
        for _ in in_pages(reader, ids, fetch):
            most = max(most, len(alive))
    assert len(ids) > 3 * PAGE
    assert most <= 2 * PAGE


def test_a_write_between_pages_is_neither_blocked_nor_shown(shell: Shell, tmp_path: Path) -> None:
    """A list is as of its first page, also of what is on later ones."""
    ledger = make_ledger(tmp_path, feed(12))
    with open_readonly(ledger) as reader:
        before = sessions(reader)
    with open_readonly(ledger) as reader:
        rows = in_pages(reader, session_ids(reader), sessions_by_id)
        shown = [next(rows)]
        last = before[-1].id
        shell.ok("sessions", "cancel", last, "--by", "expert", "--ledger", ledger)
        shown += rows
    assert [row.as_dict() for row in shown] == [row.as_dict() for row in before]
    after = shell.ok("sessions", "list", "--ledger", ledger)
    assert after[-1]["state"] == "cancelled"


def test_the_record_is_the_same_in_parts(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The balance runs on from one part to the next."""
    with open_readonly(book) as reader:
        whole = earnings.transactions(reader)
        monkeypatch.setattr(earnings, "_AT_ONCE", PAGE)
        assert earnings.transactions(reader) == whole
    assert len(whole) > 3 * PAGE


def test_a_gap_of_centuries_is_not_listed_to_be_left_out() -> None:
    """The months of a gap are counted, not made."""
    tracemalloc.start()
    try:
        assert fill_gaps(["2026-10", "2026-12", "9999-12"]) == [
            *("2026-10", "2026-11", "2026-12", "9999-12")
        ]
        assert gaps_in(["2026-12", "9999-12"]) == [("2027-01", "9999-11")]
        assert tracemalloc.get_traced_memory()[1] < FEW_BYTES
    finally:
        tracemalloc.stop()
