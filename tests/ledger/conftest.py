"""Books in memory and ledger files for the tests of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from liveportal.domain.policy import Policy
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.storage.driver import Connection
from liveportal.portal import Portal
from tests.commands.shell import Shell
from tests.helpers import Book, Clock, book, dump, policy
from tests.ledger.old_ledgers import make_old

NewBook = Callable[..., Book]


@pytest.fixture
def new_book() -> Iterator[NewBook]:
    """Make books: `new_book(fee={"percent": 20})` is one under the default policy but for that."""
    with ExitStack() as stack:
        yield lambda **tables: stack.enter_context(book(policy(**tables)))


@pytest.fixture
def books(new_book: NewBook) -> Book:
    """Return a book under the default policy."""
    return new_book()


@pytest.fixture
def clock() -> Clock:
    """Return a clock that is set to a fixed time until moved."""
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Path:
    """Make a ledger file under the default policy."""
    path = tmp_path / "books" / "ledger.db"
    Portal.create(path, Policy(), now=clock)
    return path


@pytest.fixture(params=["WAL", "DELETE"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a ledger of schema version 1, in each journal mode."""
    path = tmp_path / "books" / "ledger.db"
    make_old(path, request.param)
    return path


@pytest.fixture
def old_shell(
    old: Path,
    tmp_ledger_env: Path,  # noqa: ARG001 -- The developer's own settings stay out.
    monkeypatch: pytest.MonkeyPatch,
) -> Shell:
    """Return a shell whose ledger has schema version 1."""
    monkeypatch.setenv("LIVEPORTAL_LEDGER", str(old))
    monkeypatch.chdir(old.parent)
    return Shell(old.parent, old)


def contents(path: Path) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the whole contents of a ledger file, table by table."""
    with open_readonly(path) as reader:
        return dump(reader)


def query(path: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Run a statement on a ledger file with plain SQLite, and return its rows."""
    with closing(Connection(str(path), isolation_level=None)) as db:
        return db.execute(statement, values).fetchall()
