"""A backup or restore that is killed: the old or the new, whole, and it can be run again.

Killed at every point that matters (files made, renamed, synced, statements of SQLite), and also at
random moments.
"""

from __future__ import annotations

import random
import shutil
import signal
from contextlib import closing
from pathlib import Path

import pytest

from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.storage.driver import Connection
from tests.faults.backups import content, count_points, good_backups, kill_at, litter, place_in
from tests.faults.books import MODES, Place, choose_points
from tests.faults.conftest import Amount
from tests.kit.fork_server import TIME, ForkServer
from tests.kit.shell import OCTOBER

pytestmark = pytest.mark.slow

CHAT = "22:02 Mina: The Mali shader flickers\n"
BACKUP = ("ledger", "backup", "-o", "b.zip")
RESTORE = ("ledger", "restore", "copy.zip", "--yes")
AGAIN = ("ledger", "backup", "-o", "again.zip")

commands = pytest.mark.parametrize("command", [BACKUP, RESTORE], ids=lambda command: command[1])


@pytest.fixture(scope="module")
def prepared(fork_server: ForkServer, memory: Path) -> Path:
    """Make a ledger with evidence, a backup of it, and the ledger with later events."""
    place = place_in(fork_server, memory / "to-back-up")
    place.done("init")
    place.done("sync", str(OCTOBER))
    (place.folder / "chat.txt").write_text(CHAT)
    place.done("sessions", "attach", "S-1002", "chat.txt")
    place.done("ledger", "backup", "-o", "copy.zip")
    shutil.copytree(
        place.folder, place.folder / "then", ignore=lambda _, names: {"then"} & {*names}
    )
    for number in range(3):
        place.done("sessions", "tip", "S-1001", str(number + 1))
    return place.folder


def copy_ledger(fork_server: ForkServer, prepared: Path, folder: Path, mode: str) -> Place:
    """Copy the ledger, its vault and the backup."""
    shutil.copytree(prepared, folder)
    for beside in ("-wal", "-shm"):
        (folder / f"ledger.db{beside}").unlink(missing_ok=True)
    with closing(Connection(str(folder / "ledger.db"), isolation_level=None)) as db:
        db.execute(f"PRAGMA journal_mode = {mode}").fetchall()
    return place_in(fork_server, folder)


@pytest.mark.parametrize("mode", MODES)
def test_a_backup_that_is_killed(
    fork_server: ForkServer, prepared: Path, folder: Path, amount: Amount, mode: str
) -> None:
    """No partial file has a backup's name, the ledger is unchanged, and the next one works."""
    first = copy_ledger(fork_server, prepared, folder / "first", mode)
    argv = ("ledger", "backup", "--to", "b", "--keep", "1d")
    (first.folder / "b").mkdir()
    before = content(first.ledger)
    count = count_points(first, *argv)
    for point in choose_points(count, amount(quick=3, whole=75), f"backup {mode}"):
        place = copy_ledger(fork_server, prepared, folder / f"{point}", mode)
        (place.folder / "b").mkdir()
        kill_at(place, point, *argv)
        assert content(place.ledger) == before, point
        assert len(good_backups(place.folder / "b")) <= 1
        place.done(*AGAIN)
        assert len(good_backups(place.folder)) == 2
        assert litter(place.folder) == []
        shutil.rmtree(place.folder)


@pytest.mark.parametrize("mode", MODES)
def test_a_restore_that_is_killed(
    fork_server: ForkServer, prepared: Path, folder: Path, amount: Amount, mode: str
) -> None:
    """The ledger is the one that was there or the one that comes back; again, it is the latter."""
    first = copy_ledger(fork_server, prepared, folder / "first", mode)
    late, early = content(first.ledger), content(prepared / "then" / "ledger.db")
    assert late != early
    count = count_points(first, *RESTORE)
    assert content(first.ledger) == early
    seen = set()
    for point in choose_points(count, amount(quick=4, whole=75), f"restore {mode}"):
        place = copy_ledger(fork_server, prepared, folder / f"{point}", mode)
        shutil.rmtree(Vault(place.ledger).folder)
        kill_at(place, point, *RESTORE)
        content_after = content(place.ledger, vault=False)
        assert content_after in (late, early), point
        seen.add(content_after == early)
        if content_after == early:
            (kept,) = place.folder.glob("ledger.db.replaced-*")
            assert content(kept, vault=False) == late
        place.done(*RESTORE)
        assert content(place.ledger) == early
        copies = place.folder.glob("ledger.db.replaced-*")
        assert any(content(copy, vault=False) == late for copy in copies)
        # A partial copy in the vault is removed an hour later: it may be another process's.
        kept_files = [path for path in Vault(place.ledger).folder.glob("*/*") if path.is_file()]
        assert len(kept_files) == 1
        Vault(place.ledger).check(kept_files[0].name)
        assert litter(place.folder) == []
        shutil.rmtree(place.folder)
    assert seen == {True, False}


def test_a_restore_to_a_new_place_that_is_killed(
    fork_server: ForkServer, prepared: Path, folder: Path, amount: Amount
) -> None:
    """There is no ledger, or a whole one."""
    early = content(prepared / "then" / "ledger.db")
    argv = ("--ledger", "new/ledger.db", "ledger", "restore", str(prepared / "copy.zip"), "--yes")
    count = count_points(place_in(fork_server, folder / "first"), *argv)
    for point in choose_points(count, amount(quick=3, whole=40), "new"):
        place = place_in(fork_server, folder / f"{point}")
        kill_at(place, point, *argv)
        ledger = place.folder / "new" / "ledger.db"
        if ledger.exists():
            assert content(ledger) == early, point
        place.done(*argv)
        assert content(ledger) == early
        assert litter(place.folder) == litter(ledger.parent) == []
        shutil.rmtree(place.folder)


@commands
def test_killed_at_any_moment(
    fork_server: ForkServer, prepared: Path, folder: Path, amount: Amount, command: tuple[str, ...]
) -> None:
    """The same at any moment: in SQLite, in the compressor, in between."""
    chance = random.Random(command[1])  # noqa: S311
    early, late = content(prepared / "then" / "ledger.db"), content(prepared / "ledger.db")
    for number in range(amount(quick=1, whole=50)):
        place = copy_ledger(fork_server, prepared, folder / f"{number}", chance.choice(MODES))
        after = chance.random() * 0.1
        ended = place.run(*command, signal=int(signal.SIGKILL), by=TIME, after=after)
        assert ended.code in (0, -signal.SIGKILL), ended
        assert content(place.ledger) in ((late, early) if command == RESTORE else (late,))
        good_backups(place.folder)
        place.done(*RESTORE)
        place.done(*AGAIN)
        assert content(place.ledger) == early
        assert litter(place.folder) == []
        shutil.rmtree(place.folder)


@commands
def test_interrupted_at_any_moment(
    fork_server: ForkServer, prepared: Path, folder: Path, amount: Amount, command: tuple[str, ...]
) -> None:
    """Ctrl-C: exit 130, or it was done already; the old or the new, and nothing is left behind."""
    chance = random.Random(command[1])  # noqa: S311
    early, late = content(prepared / "then" / "ledger.db"), content(prepared / "ledger.db")
    public = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
    first = copy_ledger(fork_server, prepared, folder / "first", MODES[0])
    count = count_points(first, *command, sent=signal.SIGINT)
    for point in choose_points(count, amount(quick=2, whole=30), f"interrupted {command[1]}"):
        place = copy_ledger(fork_server, prepared, folder / f"{point}", chance.choice(MODES))
        more = ("--recipient", public) if command == BACKUP and point % 2 else ()
        ended = place.run(*command, *more, signal=int(signal.SIGINT), at=point)
        assert ended.code in (0, 130), ended
        assert "bug" not in ended.err
        assert content(place.ledger) in ((late, early) if command == RESTORE else (late,))
        # The empty lock file may stay, if it was made at that very moment.
        assert [name for name in litter(place.folder) if not name.endswith(".lock")] == []
        if not more:
            good_backups(place.folder)
        shutil.rmtree(place.folder)
