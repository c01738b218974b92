"""SQLite's settings: the journal mode by the library's version, guards on every connection."""

from __future__ import annotations

from pathlib import Path

import pytest

from liveportal.domain import errors
from liveportal.domain.policy import Policy
from liveportal.ledger.storage import connection, ledger_paths
from liveportal.ledger.storage.driver import Connection
from liveportal.portal import Portal
from tests.kit.ledger_files import query
from tests.ledger.test_connection import Open, both


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 7, 0), False),
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 44, 9), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 0), False),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((4, 0, 0), True),
    ],
)
def test_versions_with_the_wal_reset_bug(version: tuple[int, int, int], safe: bool) -> None:
    """3.7.0 to 3.51.2 have it; fixed in 3.51.3, and in 3.50.7 and 3.44.6 of the older branches."""
    assert connection.wal_is_safe(version) is safe


@pytest.mark.parametrize(("safe", "journal", "level"), [(True, "wal", 2), (False, "delete", 3)])
def test_the_journal_mode_is_chosen_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, safe: bool, journal: str, level: int
) -> None:
    """WAL with FULL where the library is fixed, DELETE with EXTRA where it is not; then kept."""
    monkeypatch.setattr(connection, "wal_is_safe", lambda: safe)
    path = tmp_path / "ledger.db"
    Portal.create(path, Policy())
    monkeypatch.setattr(connection, "wal_is_safe", lambda: True)
    db = connection.open_file(path, readonly=False)
    assert pragma(db, "journal_mode") == journal
    assert pragma(db, "synchronous") == level
    db.close()


@both
def test_an_unfixed_library_does_not_touch_a_wal_ledger(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, open_it: Open
) -> None:
    """With an SQLite that could corrupt the file the program reports busy."""
    query(ledger, "PRAGMA journal_mode = WAL")
    monkeypatch.setattr(connection, "wal_is_safe", lambda: False)
    with pytest.raises(errors.UnsafeSqlite) as caught:
        open_it(ledger)
    assert isinstance(caught.value, errors.Busy)


def pragma(db: Connection, name: str) -> object:
    """Return a setting of a connection."""
    return db.execute(f"PRAGMA {name}").fetchone()[0]


@pytest.mark.parametrize("readonly", [True, False])
def test_every_connection_is_guarded(ledger: Path, readonly: bool) -> None:
    """Keys, triggers and cells are checked, and the schema is not trusted, on every connection."""
    db = connection.open_file(ledger, readonly=readonly)
    settings = ("foreign_keys", "recursive_triggers", "trusted_schema", "cell_size_check")
    assert [pragma(db, name) for name in settings] == [1, 1, 0, 1]
    assert pragma(db, "application_id") == ledger_paths.APPLICATION_ID
    db.close()
