"""docs/REPLICATION.md: Litestream copies a ledger while it is written, and the copy is whole."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.shell import OCTOBER, Shell

PAGE = (Path(__file__).parents[2] / "docs" / "REPLICATION.md").read_text("utf-8")
PATH = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
LITESTREAM = shutil.which("litestream", path=PATH)
LONGEST_WAIT = 30

pytestmark = pytest.mark.skipif(LITESTREAM is None, reason="Litestream is not installed")


@contextmanager
def replicated(ledger: Path, folder: Path) -> Iterator[None]:
    """Replicate as the page says, with its paths replaced by these."""
    (written,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    settings = re.sub(r"path: \S+\.db", f"path: {ledger}", written)
    settings = settings.replace("/mnt/backup/liveportal", str(folder))
    path = folder.parent / "litestream.yml"
    path.write_text(settings, encoding="utf-8")
    folder.mkdir(mode=0o700)
    command = [str(LITESTREAM), "replicate", "-config", str(path)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def restored(folder: Path, target: Path) -> Path | None:
    """Restore the replica, if there is one by now."""
    target.unlink(missing_ok=True)
    command = [str(LITESTREAM), "restore", "-o", str(target), f"file://{folder}"]
    done = subprocess.run(command, capture_output=True, check=False)
    return target if done.returncode == 0 else None


def test_a_killed_replication_restores_to_the_same_head(tmp_path: Path) -> None:
    """What was recorded while it ran is in the copy, which verifies and has the same head."""
    shell = Shell(tmp_path, tmp_path / "ledger.db")
    folder = tmp_path / "replica"
    at = ("--ledger", shell.ledger)
    assert shell.run(*at, "init").code == 0
    with replicated(shell.ledger, folder):
        assert shell.run(*at, "sync", OCTOBER).code == 0
        assert shell.run(*at, "ledger", "verify").code == 0  # Litestream's own tables are no harm.
        head = shell.run(*at, "ledger", "info", "--fields", "head").out.strip()
        until = time.monotonic() + LONGEST_WAIT
        while True:
            copy = restored(folder, tmp_path / "copy.db")
            if copy:
                copy.chmod(0o600)
                if shell.run("--ledger", copy, "ledger", "verify", "--head", head).code == 0:
                    break
            assert time.monotonic() < until, "the replica never had the head of the journal"
            time.sleep(0.2)
        assert ".ledger.db-litestream" in shell.run(*at, "doctor").out
        forgotten = shell.run(*at, "ledger", "forget", "C-31", "--dry-run", "--json")
        assert ".ledger.db-litestream" in forgotten.out, forgotten
