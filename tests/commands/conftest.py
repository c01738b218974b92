"""Ledgers for command tests: empty, with October's feed, and with an entity in every state."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from liveportal.cli.main import main
from tests.kit import cheap_age
from tests.kit.shell import OCTOBER, SetClock, Shell
from tests.kit.states import FEED, OWN_POLICY, OWN_PREFERENCES

Prepare = Callable[[str, Shell, Callable[[Shell], object]], Shell]
CHAT = "Zoë: my number is 06 12 34 56 78\nAna: It is fixed now, zoë.\n"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the ledgers once; each test works on a copy."""
    folder = tmp_path_factory.mktemp("made")
    more = folder / "more.jsonl"
    more.write_bytes(b"".join(FEED))
    for name, feeds in {"empty": [], "october": [OCTOBER], "states": [OCTOBER, more]}.items():
        path = str(folder / name)
        assert main(["init", "--ledger", path, "-o", str(folder / "out")]) == 0
        if feeds:
            argv = ["sync", "--ledger", path, *map(str, feeds), "-o", str(folder / "out")]
            assert main(argv) == 0
    return folder


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepare:
    """Give a function that runs commands once, and later copies the folder that they left behind.

    What they leave is known by a name; it must not depend on the folder's own path.
    """
    kept: dict[str, Path] = {}

    def prepare(name: str, shell: Shell, commands: Callable[[Shell], object]) -> Shell:
        if name in kept:
            shutil.copytree(kept[name], shell.folder, dirs_exist_ok=True)
        else:
            commands(shell)
            kept[name] = tmp_path_factory.mktemp("prepared") / "folder"
            shutil.copytree(shell.folder, kept[name])
        return shell

    return prepare


def _shell(
    made: Path, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, clock: SetClock
) -> Shell:
    ledger = folder / "ledger.db"
    shutil.copyfile(made / name, ledger)
    monkeypatch.setenv("LIVEPORTAL_LEDGER", str(ledger))
    # Without it rich takes a dumb terminal for 80 columns, whatever COLUMNS says.
    monkeypatch.setenv("LINES", "40")
    monkeypatch.chdir(folder)
    return Shell(folder, ledger, clock)


@pytest.fixture
def cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lock backups at a work factor that is quickly opened."""
    monkeypatch.setattr("pyrage.passphrase.encrypt", cheap_age.encrypt)


@pytest.fixture
def clock() -> SetClock:
    """Give the clock of the test's shell."""
    return SetClock()


@pytest.fixture
def empty(
    made: Path,
    tmp_path: Path,
    tmp_ledger_env: Path,  # noqa: ARG001 -- The developer's own settings stay out.
    monkeypatch: pytest.MonkeyPatch,
    clock: SetClock,
) -> Shell:
    """Give a shell whose ledger holds nothing but its policy."""
    return _shell(made, "empty", tmp_path, monkeypatch, clock)


@pytest.fixture
def october(
    made: Path,
    tmp_path: Path,
    tmp_ledger_env: Path,  # noqa: ARG001 -- The developer's own settings stay out.
    monkeypatch: pytest.MonkeyPatch,
    clock: SetClock,
) -> Shell:
    """Give a shell whose ledger holds the shipped sample."""
    return _shell(made, "october", tmp_path, monkeypatch, clock)


@pytest.fixture
def states(
    made: Path,
    tmp_path: Path,
    tmp_ledger_env: Path,  # noqa: ARG001 -- The developer's own settings stay out.
    monkeypatch: pytest.MonkeyPatch,
    clock: SetClock,
) -> Shell:
    """Give a shell whose ledger holds something in every state (see `states`)."""
    shell = _shell(made, "states", tmp_path, monkeypatch, clock)
    shell.file("own.toml", OWN_POLICY)
    shell.file("preferences.toml", OWN_PREFERENCES)
    return shell


@pytest.fixture
def nothing(
    tmp_path: Path,
    tmp_ledger_env: Path,  # noqa: ARG001 -- The developer's own settings stay out.
    monkeypatch: pytest.MonkeyPatch,
    clock: SetClock,
) -> Shell:
    """Give a shell whose ledger does not exist yet."""
    ledger = tmp_path / "ledger.db"
    monkeypatch.setenv("LIVEPORTAL_LEDGER", str(ledger))
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path, ledger, clock)


@pytest.fixture
def proved(states: Shell, prepared: Prepare) -> Shell:
    """Give a shell whose claim CL-2 has a transcript, code and a picture."""
    return prepared("proved", states, _prove)


def _prove(states: Shell) -> None:
    (states.folder / "in").mkdir()
    for name, content in {
        "chat.txt": CHAT.encode(),
        "Fix.shader": b"float4 x; // for Zo\xc3\xab\n",
        "shot.png": b"\x89PNG\r\n\x1a\n",
    }.items():
        path = states.file(f"in/{name}", content)
        kind = "transcript" if name == "chat.txt" else "code" if "." in name[:4] else "attachment"
        states.ok("sessions", "attach", "S-1003", path, "--kind", kind)
