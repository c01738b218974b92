"""A ledger with the sample feed of October."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from liveportal import Portal
from liveportal.services.sync import FeedSource
from tests.kit.books import Clock
from tests.kit.events import at
from tests.kit.shell import OCTOBER

NOW = at("11-20 10:00")


@pytest.fixture
def clock() -> Clock:
    """Return a clock that is set after October."""
    return Clock(NOW)


@pytest.fixture
def path(tmp_path: Path, clock: Clock) -> Path:
    """Make an empty ledger."""
    path = tmp_path / "book.db"
    Portal.create(path, now=clock)
    return path


@pytest.fixture
def portal(path: Path, clock: Clock) -> Iterator[Portal]:
    """Open a ledger with October's events."""
    with Portal(path, now=clock) as portal:
        portal.sync(OCTOBER)
        yield portal


__all__ = ["NOW", "OCTOBER", "FeedSource"]
