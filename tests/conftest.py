"""Shared fixtures: Hypothesis profiles, books, and a home folder without personal settings."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.kit.books import Book, NewBook, book
from tests.kit.events import policy
from tests.kit.verified import check_left_behind

MEMORY = Path("/dev/shm")  # noqa: S108 -- pytest makes folders of its own in it.
ENOUGH_BYTES = 2 << 30
_HAS_FAILED = pytest.StashKey[bool]()

# The program syncs what it writes, which costs nothing in memory. `TMPDIR=/tmp pytest` uses a disk.
if (
    "TMPDIR" not in os.environ
    and os.access(MEMORY, os.W_OK)
    and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES
):
    os.environ["TMPDIR"] = str(MEMORY)

# No profile has a deadline: the time of one example depends on the machine.
# `dev` and `ci` try the same examples each time, so that a change is judged by what it changes;
# `hunt` looks for new ones: HYPOTHESIS_PROFILE=hunt pytest tests/properties
settings.register_profile("dev", max_examples=50, derandomize=True, deadline=None)
settings.register_profile(
    "ci",
    max_examples=120,
    derandomize=True,
    deadline=None,
    print_blob=True,
    # A busy machine generates data slowly; that is not an error of the test.
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "hunt",
    max_examples=5_000,
    derandomize=False,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--faults=whole` injects hundreds of faults where a usual run injects dozens."""
    parser.addoption(
        "--faults",
        choices=("quick", "whole"),
        default="quick",
        help="how many faults to inject; `make faults` injects the whole set",
    )
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="store what the golden run writes now, instead of comparing it",
    )


@pytest.fixture(scope="session", autouse=True)
def default_signals() -> None:
    """Let the programs that tests start hear the signals that `nohup` or `&` ignores for this one.

    A signal with a handler has its default again in another program, and does nothing here.
    """
    for name in ("SIGINT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the developer's own state folder and time zone out of the tests."""
    folder = tmp_path_factory.mktemp("state")
    names = {"darwin": "HOME", "win32": "LOCALAPPDATA"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(names.get(sys.platform, "XDG_STATE_HOME"), str(folder))
        patch.setenv("TZ", "UTC")
        yield folder


@pytest.fixture
def tmp_ledger_env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home folder for the test, without the developer's settings."""
    home = tmp_path / "home"
    home.mkdir()
    for name in [name for name in os.environ if name.startswith("LIVEPORTAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(
        "LIVEPORTAL_KEYRING", "off"
    )  # The developer's own keyring has other entries.
    for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(home))
    for name in ("CACHE", "CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    monkeypatch.delenv("XDG_DATA_DIRS", raising=False)
    monkeypatch.delenv("XDG_CONFIG_DIRS", raising=False)
    return home


@pytest.fixture
def new_book() -> Iterator[NewBook]:
    """Make books: `new_book(fee={"percent": 20})` is one under the default policy but for that."""
    with ExitStack() as stack:
        yield lambda **tables: stack.enter_context(book(policy(**tables)))


@pytest.fixture
def books(new_book: NewBook) -> Book:
    """Return a book under the default policy."""
    return new_book()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note which tests failed."""
    if call.excinfo is not None:
        item.stash[_HAS_FAILED] = True
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Verify the ledgers of a test once its patches are undone, unless it does damage.

    The files of a test that passed go, since they may lie in memory.
    """
    yield
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if isinstance(folder, Path):
        if item.get_closest_marker("damages") is None:
            check_left_behind(folder)
        if not item.stash.get(_HAS_FAILED, False):
            shutil.rmtree(folder, ignore_errors=True)
