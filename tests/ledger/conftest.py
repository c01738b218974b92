"""Books in memory and ledger files for the tests of the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from liveportal.domain.policy import Policy
from liveportal.portal import Portal
from tests.kit.books import Clock
from tests.kit.old_ledgers import make_old
from tests.kit.shell import Shell


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
