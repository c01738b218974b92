"""A ledger is backed up and restored while other processes use it."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from liveportal.domain.errors import LedgerBusy
from liveportal.domain.events.types import CustomerForgotten, TipReceived
from liveportal.domain.money import Money
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.backup import backup, snapshot
from liveportal.ledger.backup.backup import BackupResult, back_up
from liveportal.ledger.backup.restore import restoring
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.storage import atomic
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.verify.verify import verify
from liveportal.portal import Portal
from tests.kit.backup_ledger import fill, journal_mode, members

if TYPE_CHECKING:
    from tests.kit.shell import Shell

pytestmark = pytest.mark.slow

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)

# Records tips, each in its own transaction, until a signal to stop; then prints their number.
WRITER = """
import sys
from contextlib import suppress
from pathlib import Path
from liveportal.domain.errors import LedgerBusy
from liveportal.domain.events.types import TipReceived
from liveportal.domain.money import Money
from liveportal.portal import Portal
count = 0
with Portal(Path(sys.argv[1])) as portal:
    print("ready", flush=True)
    while not Path(sys.argv[2]).exists():
        tip = TipReceived(session="S-1001", amount=Money(1, "USD"))
        with suppress(LedgerBusy):  # Four who write all the time, on a slow disk: tried again.
            portal.execute(tip, key=f"{sys.argv[3]}-{count}")
            count += 1
print(count)
"""


def tip(cents: int) -> TipReceived:
    """Return a tip."""
    return TipReceived(session="S-1001", amount=Money(cents, "USD"))


def events(path: Path) -> int:
    """Return the number of events of a ledger, which must verify."""
    with open_readonly(path) as reader:
        return verify(reader.db).events


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_while_four_processes_write(october: Shell, mode: str) -> None:
    """Each backup is the ledger at one instant; everything that was written is there."""
    journal_mode(october.ledger, mode)
    before = events(october.ledger)
    stop = october.folder / "stop"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(october.ledger), str(stop), f"w{number}"],
            stdout=subprocess.PIPE,
            env=october.environment(),
        )
        for number in range(4)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
    made: list[BackupResult] = []
    while len(made) < 4:
        with suppress(LedgerBusy):
            target = october.folder / f"{len(made)}.zip"
            made.append(back_up(october.ledger, target, made_at=AT))
    stop.touch()
    written = [int(writer.communicate()[0]) for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4
    assert all(written)
    assert events(october.ledger) == before + sum(written)
    counts = [archive.manifest.events for archive in made]
    assert before <= counts[0] < counts[-1] <= before + sum(written)
    for number, archive in enumerate(made):
        place = october.folder / f"{number}.db"
        with restoring(place, archive.file) as backup:
            assert backup.carry_out(AT).extent.events == counts[number]
        assert events(place) == counts[number]


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_others_have_it_open_while_it_is_replaced(october: Shell, mode: str) -> None:
    """Open connections read and write the restored ledger from then on."""
    journal_mode(october.ledger, mode)
    back_up(october.ledger, october.folder / "copy.zip", made_at=AT)
    count = events(october.ledger)
    with Portal(october.ledger) as portal:
        with open_readonly(october.ledger) as reader:
            portal.execute(tip(5))
        with (
            closing(Connection(str(october.ledger), isolation_level=None)) as other,
            restoring(october.ledger, october.folder / "copy.zip") as backup,
        ):
            assert other.execute("SELECT count(*) FROM event").fetchone() == (count + 1,)
            backup.carry_out(AT)
            assert other.execute("SELECT count(*) FROM event").fetchone() == (count,)
        portal.execute(tip(7), key="after")
        assert reader.path == october.ledger
    assert events(october.ledger) == count + 1


def test_a_reader_that_does_not_end_keeps_seeing_the_old_one(october: Shell) -> None:
    """With a write-ahead log no one waits for the reader, and its snapshot stays the same."""
    journal_mode(october.ledger, "WAL")
    back_up(october.ledger, october.folder / "copy.zip", made_at=AT)
    with Portal(october.ledger) as portal:
        portal.execute(tip(5))
    count = events(october.ledger)
    with open_readonly(october.ledger) as reader:
        (seen,) = reader.db.execute("SELECT count(*) FROM event").fetchone()
        with restoring(october.ledger, october.folder / "copy.zip") as backup:
            backup.carry_out(AT)
        assert reader.db.execute("SELECT count(*) FROM event").fetchone() == (seen,) == (count,)
    assert events(october.ledger) == count - 1


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_somebody_holds_the_ledger(
    october: Shell, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restore that waits in vain gives up, changes nothing, and leaves nothing behind."""
    journal_mode(october.ledger, mode)
    monkeypatch.setattr("liveportal.ledger.storage.connection.BUSY_MS", 50)
    back_up(october.ledger, october.folder / "copy.zip", made_at=AT)
    count = events(october.ledger)
    with closing(Connection(str(october.ledger), isolation_level=None)) as other:
        with restoring(october.ledger, october.folder / "copy.zip") as backup:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(LedgerBusy):
                backup.carry_out(AT)
        if mode == "DELETE":  # A reader blocks any process that would replace it.
            other.execute("ROLLBACK")
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM event").fetchone()
            with (
                restoring(october.ledger, october.folder / "copy.zip") as backup,
                pytest.raises(LedgerBusy),
            ):
                backup.carry_out(AT)
    assert events(october.ledger) == count
    assert not list(october.folder.glob("ledger.db.replaced-*"))
    assert not list(october.folder.glob(".*"))


def test_a_backup_does_not_wait_for_ever(october: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """If another process locks the ledger exclusively, a backup gives up: exit 5."""
    journal_mode(october.ledger, "DELETE")
    monkeypatch.setattr("liveportal.ledger.storage.connection.BUSY_MS", 50)
    with closing(Connection(str(october.ledger), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerBusy):
            back_up(october.ledger, october.folder / "copy.zip", made_at=AT)
    assert not list(october.folder.glob("*.zip"))


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_who_records_after_the_question_is_not_overrun(october: Shell, mode: str) -> None:
    """Consent covered the loss known at the time: exit 5, and everything stays."""
    journal_mode(october.ledger, mode)
    back_up(october.ledger, october.folder / "copy.zip", made_at=AT)
    with restoring(october.ledger, october.folder / "copy.zip") as backup:
        with Portal(october.ledger) as portal:
            portal.execute(tip(5))
        count = events(october.ledger)
        with pytest.raises(LedgerBusy, match="in the meantime"):
            backup.carry_out(AT)
    assert events(october.ledger) == count
    assert not list(october.folder.glob("ledger.db.replaced-*"))


def test_no_write_between_copy_and_replacement(
    october: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer must try again: its event would be in neither of the two ledgers."""
    back_up(october.ledger, october.folder / "copy.zip", made_at=AT)
    tries: list[int] = []
    settle = atomic.fsync_file

    def settled(path: Path) -> None:
        settle(path)
        ran = october.process("sessions", "tip", "S-1001", "5")
        tries.append(ran.code)

    monkeypatch.setattr(atomic, "fsync_file", settled)
    with restoring(october.ledger, october.folder / "copy.zip") as backup:
        count = backup.extent.events
        backup.carry_out(AT)
    assert tries == [5]
    assert events(october.ledger) == count


def test_pages_of_another_size_come_back_too(october: Shell) -> None:
    """A write-ahead log takes no pages but its own ledger's: the backup is fitted to them."""
    back_up(october.ledger, october.folder / "copy.zip", made_at=AT)
    journal_mode(october.ledger, "DELETE")
    with closing(Connection(str(october.ledger), isolation_level=None)) as db:
        db.execute("PRAGMA page_size = 8192")
        db.execute("VACUUM")
    journal_mode(october.ledger, "WAL")
    with restoring(october.ledger, october.folder / "copy.zip") as backup:
        head = backup.carry_out(AT).extent.head
    with closing(Connection(str(october.ledger))) as db:
        assert db.execute("PRAGMA page_size").fetchone() == (8192,)
        assert snapshot.extent(db).head == head


@pytest.mark.parametrize("times", [1, 9])
def test_who_is_forgotten_meanwhile_is_not_in_it(
    october: Shell, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backup restarts, so that none that ends after an erasure has the erased data."""
    shell = fill(october)
    customers = [row["customer"] for row in shell.ok("sessions", "list") if row["customer"]]
    rest = [*dict.fromkeys(["C-12", *customers]), *(f"C-X{n}" for n in range(9))]
    done: list[str] = []
    copied = snapshot.copy_ledger

    def then_forgotten(path: Path, copy: Path) -> None:
        copied(path, copy)
        if len(done) < times:
            done.append(rest[len(done)])
            with Portal(shell.ledger) as portal:
                portal.execute(CustomerForgotten(customer=done[-1]))

    monkeypatch.setattr(snapshot, "copy_ledger", then_forgotten)
    target = shell.folder / "copy.zip"
    if times > backup.ATTEMPTS:
        with pytest.raises(LedgerBusy, match="forgotten"):
            back_up(shell.ledger, target, made_at=AT)
        assert not target.exists()
        return
    made = back_up(shell.ledger, target, made_at=AT)
    contents = members(target.read_bytes())
    assert made.manifest.damaged == []
    assert b"Rebuild it" not in contents["ledger.db"]
    manifest = json.loads(contents["manifest.json"])
    kept = {entry["file"].rpartition("/")[2] for entry in manifest["files"] if "/" in entry["file"]}
    there = {path.name for path in Vault(shell.ledger).folder.rglob("*") if path.is_file()}
    assert kept == there
    assert len(there) == 1


@pytest.mark.damages
def test_a_damaged_ledger_is_not_backed_up(october: Shell) -> None:
    """A damaged ledger makes no backup that passes for a good one: exit 6."""
    with closing(Connection(str(october.ledger), isolation_level=None)) as db:
        db.execute("UPDATE month_flow SET amount = amount + 1")
    error: dict[str, Any] = october.refuses(6, "ledger", "backup")
    assert error["code"] == "verification_failed"
    assert not list(october.folder.glob("*.zip"))
    assert not list(october.folder.glob(".*"))
