"""The temporary database of a verification: attached to any ledger, and nothing is left of it."""

from __future__ import annotations

import os
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from liveportal.domain.errors import LedgerUnwritable
from liveportal.ledger.storage.connection import create, immediate_transaction, in_memory, open_file
from liveportal.ledger.storage.driver import Connection, DatabaseError
from liveportal.ledger.storage.schema.migrate import make_tables
from liveportal.ledger.storage.scratch import scratch_database


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder for temporary files: an empty one."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def written_and_read(db: Connection) -> list[tuple[int]]:
    """Write a row into a temporary database, and read it through the ledger's connection."""
    with scratch_database(db) as (copy, schema):
        copy.execute("CREATE TABLE number (value)")
        copy.execute("INSERT INTO number VALUES (1)")
        copy.execute("COMMIT")
        return db.execute(f"SELECT value FROM {schema}.number").fetchall()  # noqa: S608


@pytest.mark.parametrize("begin", ["SELECT 1", "BEGIN", "BEGIN IMMEDIATE"])
def test_it_is_read_through_the_ledger(folder: Path, begin: str) -> None:
    """Once and again, whether or not the ledger is inside a transaction."""
    with closing(in_memory()) as db:
        db.execute(begin)
        db.execute("CREATE TABLE mine (id)")
        assert [written_and_read(db) for _ in range(3)] == [[(1,)]] * 3
        assert db.execute("SELECT count(*) FROM main.mine").fetchone() == (0,)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("begin", ["SELECT 1", "BEGIN"])
def test_a_ledger_may_be_read_only(folder: Path, tmp_path: Path, begin: str) -> None:
    """Nothing of the ledger is written, nor can it write to the temporary database."""
    path = tmp_path / "ledger.db"
    with closing(create(path)) as db, immediate_transaction(db, path):
        make_tables(db)
    before = path.read_bytes()
    with closing(open_file(path, readonly=True)) as db:
        db.execute(begin)
        assert written_and_read(db) == [(1,)]
        with scratch_database(db) as (copy, schema):
            copy.execute("COMMIT")
            with pytest.raises(DatabaseError, match="readonly"):
                db.execute(f"CREATE TABLE {schema}.other (id)")
    assert path.read_bytes() == before
    assert not list(folder.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="an open file keeps its name")
def test_nothing_is_left_of_it(folder: Path) -> None:
    """It has no name even while it is used: a killed program leaves nothing."""
    with closing(in_memory()) as db, scratch_database(db):
        assert not list(folder.iterdir())


def test_it_is_a_private_file(folder: Path) -> None:
    """In the folder for temporary files, not in memory: a large one does not fill it."""
    with closing(in_memory()) as db, scratch_database(db) as (_, schema):
        (file,) = (row[2] for row in db.execute("PRAGMA database_list") if row[1] == schema)
    assert Path(file).parent.parent == folder.resolve()


def test_there_is_no_folder_for_it(folder: Path) -> None:
    """The error says what is needed."""
    folder.rmdir()
    with (
        closing(in_memory()) as db,
        pytest.raises(LedgerUnwritable) as caught,
        scratch_database(db),
    ):
        pass
    assert "TMPDIR" in str(caught.value.hint)
