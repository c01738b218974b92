"""A ledger with two names is never written, and read only where no data can be missing."""

from __future__ import annotations

import shlex
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from liveportal.domain.errors import LedgerLinked
from liveportal.domain.events.types import AdjustmentPosted
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy
from liveportal.ledger import health
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.storage import connection
from liveportal.portal import Portal
from liveportal.services.defaults import new_id
from tests.kit.old_ledgers import asked
from tests.kit.shell import ROOT, Shell

# A process that is killed with a transaction in the log of a ledger, or in the middle of one.
_KILLED = """
import os, signal, sys
from pathlib import Path
from liveportal.domain.events.types import AdjustmentPosted
from liveportal.domain.money import Money
from liveportal.portal import Portal
from liveportal.services.defaults import new_id
with Portal(Path(sys.argv[1])) as portal:
    db = portal._file.db
    if sys.argv[2] == "middle":
        db.execute("PRAGMA cache_size = 1")
        db.execute("BEGIN IMMEDIATE")
        for n in range(200):
            db.execute(f"CREATE TABLE x{n} (a)")
    else:
        amount = Money(500, "USD")
        portal.execute(AdjustmentPosted(adjustment=new_id(), amount=amount, reason="bonus"))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def _killed(path: Path, when: str = "after") -> None:
    done = subprocess.run([sys.executable, "-c", _KILLED, path, when], cwd=ROOT, check=False)
    assert done.returncode == -9


def _adjust(path: Path) -> None:
    with Portal(path) as portal:
        portal.execute(
            AdjustmentPosted(adjustment=new_id(), amount=Money(500, "USD"), reason="bonus")
        )


def _events(path: Path) -> int:
    with open_readonly(path) as reader:
        return int(reader.db.execute("SELECT count(*) FROM event").fetchone()[0])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Make a ledger of two events."""
    path = tmp_path / "books" / "ledger.db"
    Portal.create(path, Policy())
    _adjust(path)
    return path


@pytest.fixture
def second(path: Path) -> Path:
    """Return the ledger a second name in the same folder."""
    name = path.with_name("second.db")
    name.hardlink_to(path)
    return name


def test_nothing_is_written_under_either_name(path: Path, second: Path) -> None:
    """Both are refused, also for a dry run; both are read, and nothing has changed."""
    content = path.read_bytes()
    for name, other in ((path, second), (second, path)):
        with pytest.raises(LedgerLinked) as caught:
            _adjust(name)
        assert (caught.value.code, caught.value.details["names"]) == ("ledger_linked", 2)
        assert caught.value.details["others"] == [str(other)]
        with pytest.raises(LedgerLinked), Portal(name, dry_run=True):
            pass
        assert _events(name) == 2
    assert path.read_bytes() == content


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_what_lies_in_the_log_of_another_name(path: Path, mode: str) -> None:
    """Under the other name a reader would miss it, or see the middle of a write: refused."""
    asked(path, f"PRAGMA journal_mode = {mode}")
    _killed(path, "after" if mode == "WAL" else "middle")
    second = path.with_name("second.db")
    second.hardlink_to(path)
    with pytest.raises(LedgerLinked):
        _events(second)
    if mode == "WAL":
        assert _events(path) == 3
    else:  # It would have to be rolled back first, which is a write.
        with pytest.raises(LedgerLinked):
            _events(path)
    second.unlink()
    assert _events(path) == (3 if mode == "WAL" else 2)


def test_a_name_in_another_folder(path: Path, tmp_path: Path) -> None:
    """A log there is invisible: a reader is refused, except at the name with the log."""
    far = tmp_path / "far.db"
    far.hardlink_to(path)
    for name in (path, far):
        with pytest.raises(LedgerLinked, match="another folder"):
            _events(name)
    far.unlink()
    _killed(path)
    far.hardlink_to(path)
    assert _events(path) == 3
    with pytest.raises(LedgerLinked):
        _events(far)


@pytest.mark.parametrize(
    "left",
    [".ledger.db.0123abcd.part", ".ledger.db.form1.0123abcd.part", ".x.0123abcd.work/new.db"],
)
def test_a_name_that_a_crash_left(path: Path, left: str) -> None:
    """A crash between the two names of a finished file leaves one: the next write removes it."""
    temp = path.parent / left
    temp.parent.mkdir(exist_ok=True)
    temp.hardlink_to(path)
    assert _events(path) == 2
    assert temp.exists(), "a read removes nothing"
    _adjust(path)
    assert not temp.exists()
    assert (_events(path), path.stat().st_nlink) == (3, 1)


def test_a_name_that_comes_while_it_is_open(path: Path) -> None:
    """The next write is refused and rolled back."""
    with Portal(path) as portal:
        first, other = (
            AdjustmentPosted(adjustment=new_id(), amount=Money(500, "USD"), reason="bonus")
            for _ in range(2)
        )
        portal.execute(first)
        path.with_name("second.db").hardlink_to(path)
        with pytest.raises(LedgerLinked):
            portal.execute(other)
    assert _events(path) == 3


def test_the_hint_mends_it(path: Path, tmp_path: Path) -> None:
    """`cp` and `mv` under the name that was used last: nothing is lost, also of its log."""
    _killed(path)
    (tmp_path / "far.db").hardlink_to(path)
    with pytest.raises(LedgerLinked) as caught:
        _adjust(path)
    command = str(caught.value.hint).partition("file: ")[2]
    assert shlex.split(command)[0] == "cp"
    subprocess.run(["sh", "-c", command], check=True)  # noqa: S607
    _adjust(path)
    assert (_events(path), path.stat().st_nlink) == (4, 1)
    assert _events(tmp_path / "far.db") == 2


def test_a_link_of_another_kind_is_none(path: Path, tmp_path: Path) -> None:
    """A symbolic link is the same name: SQLite follows it, and so do its logs."""
    link = tmp_path / "link.db"
    link.symlink_to(path)
    _adjust(link)
    assert _events(link) == 3


def test_doctor_sees_it(path: Path, second: Path, tmp_ledger_env: Path) -> None:
    """It fails, names the other link, and gives the remedy; it opens the ledger only where safe."""
    shell = Shell(path.parent, path)
    ran = shell.run("doctor", "--ledger", path, "--fields", "check,status,message,hint", "--tsv")
    line = next(row for row in ran.out.splitlines() if row.startswith("links\t"))
    assert ran.code == 1
    assert line.startswith("links\tfailed\t")
    assert str(second) in line
    assert "cp -p" in line
    assert health.gather(path).inside is not None
    with closing(connection.connect_raw(second)) as db:  # Another process writes under that name.
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("CREATE TABLE x (a)")
        seen = health.gather(path)
        assert seen.inside is None
        assert "another name" in str(seen.problem)
    assert tmp_ledger_env.exists()
