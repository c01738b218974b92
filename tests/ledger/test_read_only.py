"""A ledger on a read-only medium or in a read-only folder can still be read."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pyrage
import pytest

from liveportal.domain.policy import Policy
from liveportal.ledger.backup.age import Decryption
from liveportal.ledger.backup.restore import restoring
from liveportal.ledger.storage import connection
from liveportal.portal import Portal
from tests.kit.shell import PROGRAM, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow

# In its own namespace the folder is mounted again, read-only.
_READ_ONLY = 'mount --bind "$1" "$2" && mount -o remount,ro,bind "$2" && shift 2 && exec "$@"'
_LEFT_BEHIND = """
import os, sys
from pathlib import Path
from liveportal.ledger.storage import connection
db = connection.open_file(Path(sys.argv[1]), readonly=False)
db.execute("CREATE TABLE x (a)")
db.execute("DROP TABLE x")
os._exit(0)
"""

Run = tuple[int, str, str]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Run]:
    """Return the command that runs the program on a ledger in a folder mounted read-only."""
    own, mounted = tmp_path / "own", tmp_path / "mounted"
    mounted.mkdir()
    Portal.create(own / "ledger.db", Policy())
    probe = ["unshare", "-rm", "sh", "-c", _READ_ONLY, "sh", str(own), str(mounted), "true"]
    try:
        can = subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except OSError:
        can = False
    if not can:
        pytest.skip("no folder can be mounted here")

    def run(*argv: str) -> Run:
        command = [*probe[:-1], *PROGRAM, *argv, "--ledger", str(mounted / "ledger.db")]
        env = {**os.environ, "PYTHONPATH": str(ROOT), "LIVEPORTAL_KEYRING": "off"}
        done = subprocess.run(command, capture_output=True, env=env, cwd=ROOT, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return run


@pytest.mark.parametrize("wal", [True, False])
def test_it_is_read(
    read: Callable[..., Run], tmp_path: Path, wal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is in the one file: that is enough."""
    if not wal:
        monkeypatch.setattr(connection, "wal_is_safe", lambda *_: False)
        (tmp_path / "own" / "ledger.db").unlink()
        Portal.create(tmp_path / "own" / "ledger.db", Policy())
    code, out, err = read("ledger", "info", "--field", "events,journal_mode")
    assert (code, err) == (0, "")
    assert out == f"1\t{'wal' if wal else 'delete'}\n"
    code, out, err = read("ledger", "verify")
    assert (code, err) == (0, "")


@pytest.mark.parametrize("lock", [(), ("--recipient", "key")])
def test_it_is_backed_up(
    read: Callable[..., Run], tmp_path: Path, lock: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only medium needs a copy most; no plain copy is left behind."""
    temporary, target = tmp_path / "temporary", tmp_path / "backups"
    temporary.mkdir()
    target.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    identity = pyrage.x25519.Identity.generate()
    more = [text.replace("key", str(identity.to_public())) for text in lock]
    code, out, err = read("ledger", "backup", "--to", str(target), *more, "--field", "events")
    assert (code, out, err) == (0, "1\n", "")
    (made,) = target.iterdir()
    assert not [*temporary.iterdir()]
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["ledger.db"]
    opener = Decryption(identities=[str(identity)])
    with restoring(tmp_path / "new" / "ledger.db", made, opener=opener) as restored:
        assert restored.extent.events == 1
    code, _, err = read("ledger", "restore", str(made), "--yes")
    assert code != 0
    assert "Traceback" not in err


def test_a_write_is_refused(read: Callable[..., Run]) -> None:
    """The error says that the ledger cannot be written."""
    code, out, err = read("earnings", "adjust", "5.00", "--reason", "bonus")
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert "Traceback" not in err


def test_a_log_that_cannot_be_read(read: Callable[..., Run], tmp_path: Path) -> None:
    """With a log and its index it is read; without the index the error gives the remedy."""
    path = tmp_path / "own" / "ledger.db"
    subprocess.run([sys.executable, "-c", _LEFT_BEHIND, str(path)], cwd=ROOT, check=True)
    assert path.with_name("ledger.db-wal").stat().st_size
    assert read("ledger", "info", "--field", "events")[:2] == (0, "1\n")
    path.with_name("ledger.db-shm").unlink()
    code, out, err = read("ledger", "info")
    assert (code, out) == (1, "")
    assert "-wal" in err
    assert "cannot be read where it is" in err
