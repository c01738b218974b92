"""A program to kill during a backup or a restore, and what must be true afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import liveportal
from liveportal.domain.errors import DamagedBackup, InvalidBackup
from liveportal.ledger.attachments.vault import no_progress
from liveportal.ledger.backup.archive import Bundle
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.verify.verify import verify
from tests.kit.ledger_files import dump
from tests.kit.verified import deeply

ROOT = Path(liveportal.__file__).parents[1]

# Counts every system call that a file's safety needs, and exits at the chosen one:
# at once, or right after it was done.
KILLED_AT = """
import os, pathlib, signal, sys
sys.path.insert(0, {root!r})
from liveportal.ledger.storage import driver
calls, deadly, after = 0, int(sys.argv[1]), sys.argv[2] == "after"
def counted(call):
    def counting(*given, **named):
        global calls
        calls += 1
        if calls == deadly and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        done = call(*given, **named)
        if calls == deadly and after:
            os.kill(os.getpid(), signal.SIGKILL)
        return done
    return counting
for name in ("fsync", "link", "rename", "replace", "unlink", "mkdir", "rmdir", "open", "write"):
    setattr(os, name, counted(getattr(os, name)))
class Counting(driver.Connection):
    execute = counted(driver.Connection.execute)
    backup = counted(driver.Connection.backup)
    close = counted(driver.Connection.close)
driver.Connection = Counting
connect = driver.dbapi.connect
driver.dbapi.connect = lambda *given, **named: connect(*given, **{{**named, "factory": Counting}})
from liveportal.cli.main import main
code = main(sys.argv[3:])
print(calls, file=sys.stderr)
sys.exit(code)
"""


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a process, without anything of the developer's."""
    home = {"HOME": str(folder), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    home["XDG_STATE_HOME"] = os.environ["XDG_STATE_HOME"]  # The test run's own (conftest).
    return {**home, "LIVEPORTAL_KEYRING": "off", "PYTHONDONTWRITEBYTECODE": "1"}


def kill_at(call: int, when: str, folder: Path, *argv: object) -> tuple[bool, int]:
    """Run the program, killed at this call; return whether it was, and its number of calls."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT.format(root=str(ROOT)), str(call), when, *map(str, argv)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=folder,
        env=environment(folder),
        timeout=120,
        check=False,
    )
    if done.returncode == -signal.SIGKILL:
        return True, call
    assert done.returncode == 0, done.stderr.decode()
    return False, int(done.stderr.splitlines()[-1])


def run_to_end(folder: Path, *argv: object) -> Any:  # noqa: ANN401 (whatever JSON holds)
    """Run the program to its end, which must be successful; return its parsed JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "liveportal", *map(str, argv), "--json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=folder,
        env=environment(folder),
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def content(ledger: Path, *, vault: bool = True) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the whole content of a ledger, which must open and verify, with its vault."""
    with open_readonly(ledger) as reader:
        if vault:
            deeply(reader.db, ledger)
        else:
            verify(reader.db)
        return dump(reader)


def good_backups(folder: Path) -> list[Path]:
    """Return the files named like a backup; each must be a whole one."""
    archives = sorted(folder.glob("*.zip"))
    for path in archives:
        with path.open("rb") as stream:
            try:
                bundle = Bundle(stream, path)
                bundle.check(no_progress)
            except (DamagedBackup, InvalidBackup) as error:
                raise AssertionError(f"half a backup has a name: {error.message}") from None
            bundle.close()
    return archives


def litter(folder: Path) -> list[str]:
    """Return the names that were left behind in a folder.

    A half-written backup is excepted: it is removed an hour later, as it may be another machine's.
    """
    names = sorted(path.name for path in folder.iterdir() if path.name.startswith("."))
    return [name for name in names if not name.startswith(".liveportal-backup.")]
