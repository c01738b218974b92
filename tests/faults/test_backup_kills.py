"""A backup or restore that is killed: the old or the new, whole, and it can be run again.

Killed before and after every call that matters (files made, renamed, synced, statements of
SQLite), and also at random moments.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.storage.driver import Connection
from tests.faults.backups import content, environment, good_backups, kill_at, litter, run_to_end
from tests.faults.conftest import Amount
from tests.kit.shell import OCTOBER

CHAT = "22:02 Mina: The Mali shader flickers\n"
MORE = 1_000_000
"""More calls than there are: killed at none of them."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a ledger with evidence, a backup of it, and the ledger with later events."""
    folder = tmp_path_factory.mktemp("made")
    ledger = ("--ledger", "ledger.db")
    run_to_end(folder, *ledger, "init")
    run_to_end(folder, *ledger, "sync", OCTOBER)
    (folder / "chat.txt").write_text(CHAT)
    run_to_end(folder, *ledger, "sessions", "attach", "S-1002", "chat.txt")
    run_to_end(folder, *ledger, "ledger", "backup", "-o", "copy.zip")
    shutil.copytree(folder, folder / "then", ignore=lambda _, names: {"then"} & {*names})
    for number in range(3):
        run_to_end(folder, *ledger, "sessions", "tip", "S-1001", str(number + 1))
    return folder


def copy_ledger(made: Path, place: Path, mode: str) -> Path:
    """Copy the ledger, its vault and the backup; return the ledger."""
    shutil.copytree(made, place)
    for beside in ("-wal", "-shm"):
        (place / f"ledger.db{beside}").unlink(missing_ok=True)
    with closing(Connection(str(place / "ledger.db"), isolation_level=None)) as db:
        db.execute(f"PRAGMA journal_mode = {mode}").fetchall()
    return place / "ledger.db"


def points(calls: int, count: int, seed: int) -> list[tuple[int, str]]:
    """Return the calls to kill at, before and after each, or an even sample of them."""
    every = [(call, when) for call in range(1, calls + 1) for when in ("before", "after")]
    return every if len(every) <= count else sorted(random.Random(seed).sample(every, count))  # noqa: S311


def report(kills: int, calls: int | None) -> None:
    """With -s, print the number of kills and of points: two at each call, or any moment."""
    assert kills or calls is None, "nothing was killed"
    print(f"{kills} kills, of {2 * calls if calls else 'any'} points")  # noqa: T201


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_backup_that_is_killed(made: Path, tmp_path: Path, amount: Amount, mode: str) -> None:
    """No partial file has a backup's name, the ledger is unchanged, and the next one works."""
    first = copy_ledger(made, tmp_path / "first", mode)
    argv = ("--ledger", "ledger.db", "ledger", "backup", "--to", "b", "--keep", "1d")
    (first.parent / "b").mkdir()
    before = content(first)
    _, calls = kill_at(MORE, "before", first.parent, *argv)
    kills = 0
    for number, (call, when) in enumerate(points(calls, amount(quick=2, whole=75), seed=1)):
        ledger = copy_ledger(made, tmp_path / f"{number}", mode)
        (ledger.parent / "b").mkdir()
        killed, _ = kill_at(call, when, ledger.parent, *argv)
        kills += killed
        assert content(ledger) == before, (call, when)
        there = good_backups(ledger.parent / "b")
        assert len(there) <= 1
        again = run_to_end(
            ledger.parent, "--ledger", "ledger.db", "ledger", "backup", "-o", "again.zip"
        )
        assert again["events"] == len(dict(before)["event"])
        assert litter(ledger.parent) == []
        shutil.rmtree(ledger.parent)
    report(kills, calls)


@pytest.mark.damages  # The vault is lost until the restore brings it back.
@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_restore_that_is_killed(made: Path, tmp_path: Path, amount: Amount, mode: str) -> None:
    """The ledger is the one that was there or the one that comes back; again, it is the latter."""
    first = copy_ledger(made, tmp_path / "first", mode)
    argv = ("--ledger", "ledger.db", "ledger", "restore", "copy.zip", "--yes")
    late, early = content(first), content(made / "then" / "ledger.db")
    assert late != early
    _, calls = kill_at(MORE, "before", first.parent, *argv)
    assert content(first) == early
    kills, seen = 0, set()
    for number, (call, when) in enumerate(points(calls, amount(quick=3, whole=75), seed=2)):
        ledger = copy_ledger(made, tmp_path / f"{number}", mode)
        shutil.rmtree(Vault(ledger).folder)
        killed, _ = kill_at(call, when, ledger.parent, *argv)
        kills += killed
        content_after = content(ledger, vault=False)
        assert content_after in (late, early), (call, when)
        seen.add(content_after == early)
        if content_after == early:
            (kept,) = ledger.parent.glob("ledger.db.replaced-*")
            assert content(kept, vault=False) == late
        run_to_end(ledger.parent, *argv)
        assert content(ledger) == early
        copies = ledger.parent.glob("ledger.db.replaced-*")
        assert any(content(copy, vault=False) == late for copy in copies)
        # A partial copy in the vault is removed an hour later: it may be another process's.
        kept_files = [path for path in Vault(ledger).folder.glob("*/*") if path.is_file()]
        assert len(kept_files) == 1
        Vault(ledger).check(kept_files[0].name)
        assert litter(ledger.parent) == []
        shutil.rmtree(ledger.parent)
    report(kills, calls)
    if amount(quick=0, whole=1):
        assert seen == {True, False}


def test_a_restore_to_a_new_place_that_is_killed(
    made: Path, tmp_path: Path, amount: Amount
) -> None:
    """There is no ledger, or a whole one."""
    early = content(made / "then" / "ledger.db")
    backup = made / "copy.zip"
    argv = ("--ledger", "new/ledger.db", "ledger", "restore", backup, "--yes")
    (tmp_path / "first").mkdir()
    _, calls = kill_at(MORE, "before", tmp_path / "first", *argv)
    kills = 0
    for number, (call, when) in enumerate(points(calls, amount(quick=2, whole=40), seed=3)):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        kills += kill_at(call, when, folder, *argv)[0]
        ledger = folder / "new" / "ledger.db"
        if ledger.exists():
            assert content(ledger) == early, (call, when)
        run_to_end(folder, *argv)
        assert content(ledger) == early
        assert litter(folder) == litter(ledger.parent) == []
        shutil.rmtree(folder)
    report(kills, calls)


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_killed_at_any_moment(made: Path, tmp_path: Path, amount: Amount, command: str) -> None:
    """The same at any moment: in SQLite, in the compressor, in between."""
    chance = random.Random(command)  # noqa: S311
    kills = 0
    early, late = content(made / "then" / "ledger.db"), content(made / "ledger.db")
    for number in range(amount(quick=1, whole=50)):
        ledger = copy_ledger(made, tmp_path / f"{number}", chance.choice(["WAL", "DELETE"]))
        argv = {
            "backup": ("backup", "-o", "b.zip"),
            "restore": ("restore", "copy.zip", "--yes"),
        }[command]
        process = start_process(ledger.parent, *argv)
        time.sleep(chance.random() * 0.15)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
        assert content(ledger) in ((late, early) if command == "restore" else (late,))
        good_backups(ledger.parent)
        run_to_end(ledger.parent, "--ledger", "ledger.db", "ledger", "restore", "copy.zip", "--yes")
        run_to_end(ledger.parent, "--ledger", "ledger.db", "ledger", "backup", "-o", "again.zip")
        assert content(ledger) == early
        assert litter(ledger.parent) == []
        shutil.rmtree(ledger.parent)
    report(kills, None)


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_interrupted_at_any_moment(
    made: Path, tmp_path: Path, amount: Amount, command: str
) -> None:
    """Ctrl-C: exit 130, or it was done already; the old or the new, and nothing is left behind."""
    chance = random.Random(command)  # noqa: S311
    early, late = content(made / "then" / "ledger.db"), content(made / "ledger.db")
    public = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
    interrupted = 0
    for number in range(amount(quick=1, whole=30)):
        ledger = copy_ledger(made, tmp_path / f"{number}", chance.choice(["WAL", "DELETE"]))
        argv = {
            "backup": ("backup", "-o", "b.zip", *(("--recipient", public) if number % 2 else ())),
            "restore": ("restore", "copy.zip", "--yes"),
        }[command]
        process = start_process(ledger.parent, *argv)
        time.sleep(chance.choice([0, chance.random() * 0.15]))
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate()
        assert process.returncode in (0, 130), complaint
        interrupted += process.returncode == 130
        assert b"bug" not in complaint
        assert content(ledger) in ((late, early) if command == "restore" else (late,))
        # The empty lock file may stay, if it was made at that very moment.
        assert [name for name in litter(ledger.parent) if not name.endswith(".lock")] == []
        if command == "backup" and process.returncode:
            assert not (ledger.parent / "b.zip").exists()
        shutil.rmtree(ledger.parent)
    report(interrupted, None)


def start_process(folder: Path, *argv: str) -> subprocess.Popen[bytes]:
    """Start the program, and return it when it works or has ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "liveportal", "--ledger", "ledger.db", "ledger", *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=environment(folder),
    )
    _wait_for(process, folder)
    return process


def _wait_for(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait until a program has begun its work, which it does in a private folder, or has ended."""
    while process.poll() is None and not list(folder.glob(".*.work")):
        time.sleep(0.002)
