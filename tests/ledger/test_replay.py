"""A replay beside a ledger: rules see the past, and nothing of what comes later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from liveportal.domain.clock import LAST
from liveportal.ledger.format.journal_entries import iter_journal
from liveportal.ledger.journal.event_log import EventLog
from liveportal.ledger.replay import replay
from liveportal.ledger.storage.connection import open_file
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.verify.projections import DERIVED
from tests.kit import rich_ledger as rich


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """Make a ledger with something in every table."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIVEPORTAL_KEYRING", "off")
        path = rich.make(tmp_path_factory.mktemp("rich"), rich.LATEST)
        with closing(open_file(path, readonly=True)) as db:
            yield db


@pytest.mark.parametrize("chunk", [1, 3, 2_000])
def test_it_has_the_rows_of_the_ledger(
    ledger: Connection, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often they are written; but neither events nor personal data."""
    monkeypatch.setattr(replay, "_CHUNK", chunk)
    with replay.replayed_beside(ledger, iter_journal(ledger)) as replayed:
        for table in DERIVED:
            ours, theirs = (
                sorted(ledger.execute(f'SELECT * FROM {schema}."{table}"'), key=repr)  # noqa: S608
                for schema in ("main", replayed.schema)
            )
            assert ours == theirs, table
            assert ours, f"nothing is compared in {table}"
        for table in ("event", "event_personal", "message"):
            query = f"SELECT count(*) FROM {replayed.schema}.{table}"  # noqa: S608
            assert ledger.execute(query).fetchone() == (0,)


def test_the_past_is_read_up_to_where_it_is(ledger: Connection) -> None:
    """An event that was replayed is found in the ledger, but none that is still to come."""
    names = ledger.execute("SELECT source, id FROM event ORDER BY seq LIMIT 5").fetchall()
    log = EventLog(ledger, lambda: LAST, replays=True)
    log.next_seq = 4
    found = [log.find(*name) for name in names]
    assert [recorded and recorded.seq for recorded in found] == [1, 2, 3, None, None]
