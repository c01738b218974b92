"""How much of the faults is injected: a quick set with every test run, or the whole of it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.faults.power import trace
from tests.faults.power.scenario import Stage


class Amount(Protocol):
    """Tells how many of something a test does."""

    def __call__(self, *, quick: int, whole: int) -> int:
        """Return the first number, or the second where the whole set was asked for."""
        ...


@pytest.fixture
def amount(request: pytest.FixtureRequest) -> Amount:
    """Return how often a test injects its fault: `amount(quick=20, whole=400)`."""
    is_whole = request.config.getoption("--faults") == "whole"

    def chosen(*, quick: int, whole: int) -> int:
        return whole if is_whole else quick

    return chosen


@pytest.fixture
def stage(tmp_path: Path, tmp_ledger_env: Path) -> Iterator[Stage]:  # noqa: ARG001
    """Give folders: a disk, and in memory, if the system has such a place, one for each crash."""
    if why := trace.why_not():
        pytest.skip(why)
    place = Path("/dev/shm")  # noqa: S108 -- A folder of our own in it.
    memory = Path(tempfile.mkdtemp(dir=place if place.is_dir() else None))
    try:
        yield Stage(tmp_path, memory)
    finally:
        shutil.rmtree(memory)
