"""Unwritable files, and files that disappear: a sentence, and never a wrong answer."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from liveportal.ledger.storage import connection
from tests.faults.books import MODES, Place, Scene, set_up, story
from tests.faults.conftest import Amount
from tests.faults.scenes import ACCEPT, ADJUST, ATTACH, PROFILE, SYNC, UPGRADE
from tests.faults.test_disk_full import Disk, disk
from tests.kit.fork_server import Ended, ForkServer, wait_until_stopped
from tests.kit.shell import assert_no_traceback
from tests.kit.states import READS

pytestmark = pytest.mark.slow

__all__ = ["disk"]

NOBODY = 65_534
NEW = Scene("sync", ("sync", "../new.jsonl"))
WRITES = (NEW, ACCEPT, ADJUST, ATTACH, PROFILE)
modes = pytest.mark.parametrize("mode", MODES)


def _refused(ended: Ended, code: int = 1) -> str:
    assert_no_traceback(ended.err)
    assert ended.code == code, ended
    assert ended.err.startswith("error: "), ended
    assert not ended.out
    return ended.err


@modes
def test_a_disk_that_is_read_only(
    fork_server: ForkServer, made: Path, disk: Disk, mode: str, amount: Amount
) -> None:
    """Every read works on a read-only disk, in both journal modes; every write is refused."""
    place = set_up(fork_server, made, SYNC, mode, disk.folder, before="states")
    output = {name: str(disk.folder.parent / name) for name in ("stdout", "stderr")}
    reads = [*READS][:: amount(quick=6, whole=1)]
    before = {command: place.run(*command.split(), **output).out for command in reads}
    events = story(place.ledger)
    disk.read_only()
    for command in reads:
        ended = place.run(*command.split(), **output)
        assert (ended.code in (0, 10), ended.err) == (True, ""), (command, ended)
        assert ended.out.count("\n") == before[command].count("\n")
    backup = disk.folder.parent / "backup.zip"
    assert place.run("ledger", "backup", "-o", str(backup), **output).code == 0
    assert backup.stat().st_size
    for scene in WRITES:
        _refused(place.run(*scene.argv, **output))
    assert "read-only" in _refused(place.run(*ACCEPT.argv, "--dry-run", **output))
    disk.read_only(really=False)
    assert story(place.ledger) == events
    place.done(*ACCEPT.argv)


@modes
def test_an_older_ledger_on_a_read_only_disk(
    fork_server: ForkServer, made: Path, disk: Disk, mode: str
) -> None:
    """It cannot be upgraded, and is not: the message says so, and it is unchanged."""
    place = set_up(fork_server, made, UPGRADE, mode, disk.folder)
    content = place.ledger.read_bytes()
    output = {name: str(disk.folder.parent / name) for name in ("stdout", "stderr")}
    disk.read_only()
    assert "must be upgraded" in _refused(place.run(*UPGRADE.argv, **output))
    disk.read_only(really=False)
    assert place.ledger.read_bytes() == content
    place.done(*UPGRADE.argv)


@pytest.fixture
def strangers(fork_server: ForkServer, made: Path, mode: str) -> Iterator[Place]:
    """Give a ledger whose owner is no superuser, and work as that owner."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to be somebody who is not")
    folder = Path("/tmp") / f"liveportal-{os.urandom(6).hex()}"  # noqa: S108 -- New, random, ours.
    try:
        place = set_up(fork_server, made, SYNC, mode, folder, before="states")
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        yield place
    finally:
        shutil.rmtree(folder)


@modes
@pytest.mark.parametrize("what", ["file", "folder", "both"])
def test_what_its_owner_made_read_only(strangers: Place, what: str) -> None:
    """Reads answer, writes are refused, nothing changes."""
    place = strangers
    output = {"stdout": "/dev/null", "stderr": "../err", "uid": NOBODY}
    content = place.ledger.read_bytes()
    if what != "folder":
        place.ledger.chmod(0o400)
    if what != "file":
        place.folder.chmod(0o500)
    looked = place.run("earnings", "months", **output)
    assert (looked.code, looked.err) == (0, "")
    for scene in WRITES:
        _refused(place.run(*scene.argv, **output))
    place.folder.chmod(0o700)
    assert place.ledger.read_bytes() == content
    for path in place.folder.iterdir():  # What SQLite keeps beside it gets its mode.
        path.chmod(0o600)
    for scene in (NEW, ACCEPT):
        assert place.run(*scene.argv, **output).code == 0, scene.name


# --- gone underneath ----------------------------------------------------------------------------


@modes
@pytest.mark.parametrize("gone", ["ledger", "folder"])
def test_what_is_removed_underneath(
    fork_server: ForkServer, made: Path, folder: Path, mode: str, gone: str
) -> None:
    """If an open ledger disappears, this is reported, or it was whole until its last command."""
    place = set_up(fork_server, made, SYNC, mode, folder, before="states")
    order = place.order(*ADJUST.argv, stopped=True, stdout="/dev/null", stderr=str(folder / "err"))
    removed = (place.ledger,) if gone == "ledger" else (place.folder,)
    pid = fork_server.start(order)
    wait_until_stopped(pid)
    for path in removed:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    os.kill(pid, signal.SIGCONT)
    ended = fork_server.wait(pid, order)
    assert ended.code == 3, ended
    assert_no_traceback((folder / "err").read_text())
    assert not place.ledger.exists()
    looked = place.run("earnings", "months", cwd=str(folder), stdout="out", stderr="err")
    assert "There is no ledger" in _refused(looked, 3)


@modes
def test_a_journal_that_cannot_be_written(
    fork_server: ForkServer, made: Path, folder: Path, mode: str
) -> None:
    """If a folder has the journal's name, nothing can be recorded, and this is reported."""
    place = set_up(fork_server, made, SYNC, mode, folder, before="states")
    events = story(place.ledger)
    for suffix in ("-wal", "-journal"):
        Path(f"{place.ledger}{suffix}").unlink(missing_ok=True)
        Path(f"{place.ledger}{suffix}").mkdir()
    assert "could not be written" in _refused(place.run(*ADJUST.argv))
    looked = place.run("earnings", "months")
    assert looked.code in (0, 1), looked
    assert_no_traceback(looked.err)
    for suffix in ("-wal", "-journal"):
        with suppress(FileNotFoundError):
            Path(f"{place.ledger}{suffix}").rmdir()
    place.done(*ADJUST.argv)
    assert len(story(place.ledger)) == len(events) + 1


@modes
def test_a_ledger_that_is_replaced_while_it_is_open(
    fork_server: ForkServer, made: Path, folder: Path, mode: str
) -> None:
    """A process with the old file open reads and writes the old one, never a mixture."""
    place = set_up(fork_server, made, SYNC, mode, folder, before="states")
    with closing(connection.open_file(place.ledger, readonly=True)) as db:
        count = db.execute("SELECT count(*) FROM event").fetchone()
        shutil.copyfile(made / mode / "empty", folder / "other")
        (folder / "other").replace(place.ledger)
        with suppress(OSError):
            Path(f"{place.ledger}-wal").unlink()
        assert db.execute("SELECT count(*) FROM event").fetchone() == count
    assert len(story(place.ledger)) == 1
