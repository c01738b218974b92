"""How many faults are injected: a quick set in every test run, or all of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import pytest

from tests.faults.books import Scene, prepare, set_up
from tests.faults.power import scenario, trace
from tests.faults.scenes import ALL
from tests.faults.stages import Stage, Stages
from tests.kit.fork_server import ForkServer

_MEMORY = Path("/dev/shm")  # noqa: S108 -- Folders of our own are made in it.


class Amount(Protocol):
    """Returns how many cases a test runs."""

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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only the whole set injects."""
    if config.getoption("--faults") == "whole":
        return
    left_out = [item for item in items if item.get_closest_marker("whole")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item.get_closest_marker("whole") is None]


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """Give a process that forks a child for each run."""
    if sys.platform != "linux":
        pytest.skip("needs fork, and /proc to see what a process does")
    running = ForkServer()
    yield running
    running.close()


@pytest.fixture(scope="session")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a folder in memory if there is one: kills leave the same there."""
    if not os.access(_MEMORY, os.W_OK):
        yield tmp_path_factory.mktemp("memory")
        return
    with TemporaryDirectory(dir=_MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
def folder(memory: Path) -> Iterator[Path]:
    """Give a folder of the test's own, where syncing costs nothing."""
    with TemporaryDirectory(dir=memory) as made:
        yield Path(made)


@pytest.fixture(scope="session")
def made(fork_server: ForkServer, memory: Path) -> Path:
    """Make the ledgers that scenes start from, once."""
    folder = memory / "prepared"
    folder.mkdir()
    prepare(fork_server, folder)
    return folder


@pytest.fixture(scope="session")
def stages(fork_server: ForkServer, made: Path, memory: Path) -> Stages:
    """Give the stage of a scene in a journal mode; each is built once."""

    @cache
    def built(scene: Scene, mode: str) -> Stage:
        folder = memory / f"{ALL.index(scene)}-{mode}"
        return Stage(
            lambda inner: set_up(fork_server, made, scene, mode, inner), scene, mode, folder
        )

    return built


@pytest.fixture
def stage(tmp_path: Path, tmp_ledger_env: Path, folder: Path) -> scenario.Stage:  # noqa: ARG001
    """Give folders: a disk, and in memory, if the system has such a place, one for each crash."""
    if why := trace.why_not():
        pytest.skip(why)
    return scenario.Stage(tmp_path, folder)
