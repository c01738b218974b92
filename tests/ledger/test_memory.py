"""The book in memory against the ledger's own: rules must see the same in both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from io import BytesIO
from typing import Any

import pytest

from liveportal.domain.entities import Item, Session
from liveportal.ledger.format import row_mapping
from liveportal.ledger.format.event_log import iter_journal
from liveportal.ledger.journal.projection import Projection
from liveportal.ledger.replay.memory import MemoryBook
from liveportal.ledger.replay.replay import ReplayResult
from liveportal.ledger.storage.connection import open_file
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.verify.projections import KEYS
from liveportal.portal import Portal
from tests.helpers import line
from tests.ledger import rich

MORE = (
    line(
        "payout.sent",
        "12-20 12:00",
        id="m-1",
        payout="PO-8",
        amount=rich.usd("1.00"),
        method="PayPal",
    ),
    line("payout.failed", "12-21 12:00", id="m-2", payout="PO-8"),
)
"""A payout that comes back: what it settled is open again."""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """Make a ledger with something in every table."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIVEPORTAL_KEYRING", "off")
        path = rich.make(tmp_path_factory.mktemp("rich"), rich.LATEST)
        with Portal.open(path) as portal:
            portal.sync(BytesIO(b"".join(MORE)), on_error=_refuse)
        with closing(open_file(path, readonly=True)) as db:
            yield db


@pytest.fixture(scope="module", params=[1, 3, 2_000])
def book(ledger: Connection, request: pytest.FixtureRequest) -> MemoryBook:
    """Rebuild it, packing what is in memory after so many events."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("liveportal.ledger.replay.replay._CHUNK", request.param)
        return ReplayResult(ledger, iter_journal(ledger)).book


@pytest.mark.parametrize("table", KEYS)
def test_it_has_the_rows_of_the_ledger(ledger: Connection, book: MemoryBook, table: str) -> None:
    """As many, and the same; and it sees when one is another, is missing, or is too many."""
    everything = f'SELECT * FROM "{table}"'  # noqa: S608 (a table of ours)
    found = ledger.execute(everything).fetchall()
    assert sorted(book.rows(table), key=repr) == sorted(found, key=repr)
    assert found, "nothing is compared"
    assert book.has_exactly(table, ledger.execute(everything))
    assert not book.has_exactly(table, ledger.execute(f"{everything} LIMIT -1 OFFSET 1"))
    assert not book.has_exactly(table, ledger.execute(f"{everything} UNION ALL {everything}"))
    columns = [row[1] for row in ledger.execute(f'PRAGMA table_info("{table}")').fetchall()]
    for column in columns:
        names = ", ".join("'?'" if name == column else f'"{name}"' for name in columns)
        other = ledger.execute(f'SELECT {names} FROM "{table}"')  # noqa: S608 (as above)
        assert not book.has_exactly(table, other), column


def test_rules_see_the_same(
    ledger: Connection, book: MemoryBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever they look up of the book as a whole."""
    own = Projection(ledger)
    # It is open for reading only.
    monkeypatch.setattr(own, "flush", lambda: None)
    for name in ("next_seq", "next_transaction", "policy", "policy_seq", "preferences", "profile"):
        assert getattr(book, name) == getattr(own, name), name
    assert book.reversed_seqs == own.reversed_seqs
    assert book.owed_minor() == own.owed_minor()
    assert book.open_items() == own.open_items()
    assert book.first_billed_end() == own.first_billed_end()
    assert {each.id: each for each in book.agenda()} == {each.id: each for each in own.agenda()}
    assert _sorted(book.ended_sessions()) == _sorted(own.ended_sessions())
    for payout, *_ in book.rows("payout"):
        assert book.payout(payout) == own.payout(payout)
    for alias, session in book.rows("session_alias"):
        assert book.session(alias) == book.session(session) == own.session(session)
    for seq, *_ in book.rows("policy"):
        assert book.policy_at(seq) == own.policy_at(seq)


def test_what_is_opened_again_is_found(ledger: Connection, book: MemoryBook) -> None:
    """Followed from event to event, and looked for among all: the same items."""
    followed = book.open_items()
    assert followed
    book._open = None  # noqa: SLF001 -- As after a payout that came back.
    assert book.open_items() == followed == Projection(ledger).open_items()
    first = book.first_billed_end()
    book._knows_first_end = False  # noqa: SLF001 -- As after a correction of that session.
    assert book.first_billed_end() == first is not None


def test_the_past_is_read_up_to_where_it_is(ledger: Connection, book: MemoryBook) -> None:
    """An event of the journal is there with what it booked, but none that is still to come."""
    own = Projection(ledger)
    named = ledger.execute("SELECT seq, source, id FROM event ORDER BY seq").fetchall()
    for _, source, name in named:
        assert book.past(source, name) == own.past(source, name)
    early = MemoryBook(ledger)
    early.next_seq = named[3][0]
    assert [early.past(*each) is not None for _, *each in named[:5]] == [True] * 3 + [False] * 2


def test_no_look_up_reaches_the_tables_that_are_verified(book: MemoryBook) -> None:
    """There is no connection that one could go by."""
    assert not hasattr(book, "_db")
    assert book.session("none") is None
    assert book.claim("none") is None
    with pytest.raises(KeyError):
        book.item(-1)
    assert isinstance(book.item(next(book.rows("item"))[0]), Item)


def test_a_mapping_has_all_columns_in_the_order_of_its_table(ledger: Connection) -> None:
    """Packed rows are compared with `SELECT *`."""
    for mapping in row_mapping.MAPPINGS.values():
        columns = ledger.execute(f'PRAGMA table_info("{mapping.table}")').fetchall()
        assert tuple(row[1] for row in columns) == mapping.columns


def _refuse(*refusal: Any) -> None:  # noqa: ANN401 -- Whatever is told of it.
    raise AssertionError(refusal)


def _sorted(sessions: Iterable[Session]) -> list[Session]:
    return sorted(sessions, key=lambda each: each.id)
