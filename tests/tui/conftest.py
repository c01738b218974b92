"""Ledgers for the portal's tests: the demo's at a fixed clock, and an empty one."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from liveportal.cli.main import main
from tests.kit.portal_screen import Portal

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
Open = "Callable[..., Portal]"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the ledgers once; each test works on a copy."""
    folder = tmp_path_factory.mktemp("portal")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        assert main(["demo", "--ledger", str(folder / "demo.db")], lambda: NOON) == 0
    assert main(["init", "--ledger", str(folder / "empty.db"), "-o", str(folder / "out")]) == 0
    return folder


@pytest.fixture
def demo(made: Path, tmp_path: Path) -> Portal:
    """Return the portal over the demo's month, at noon."""
    return Portal(_copied(made / "demo.db", tmp_path), NOON)


@pytest.fixture
def empty(made: Path, tmp_path: Path) -> Portal:
    """Return the portal over an empty ledger."""
    return Portal(_copied(made / "empty.db", tmp_path), NOON)


def _copied(ledger: Path, folder: Path) -> Path:
    for name in (ledger, ledger.with_name(f"{ledger.name}-wal")):
        if name.exists():
            shutil.copyfile(name, folder / name.name)
    return folder / ledger.name
