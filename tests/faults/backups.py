"""A program to kill during a backup or a restore, and what must be true afterwards."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from liveportal.domain.errors import DamagedBackup, InvalidBackup
from liveportal.ledger.attachments.vault import no_progress
from liveportal.ledger.backup.archive import Bundle
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.verify.verify import verify
from tests.faults.books import Place
from tests.kit.fork_server import ForkServer
from tests.kit.ledger_files import dump
from tests.kit.verified import deeply


def place_in(fork_server: ForkServer, folder: Path) -> Place:
    """Return a place whose ledger is in a folder; its streams are beside the folder."""
    folder.mkdir(exist_ok=True)
    return Place(fork_server, folder, folder / "ledger.db")


def count_points(place: Place, *argv: str, sent: signal.Signals = signal.SIGKILL) -> int:
    """Run the program to its end, and return at how many points it can be hit by a signal."""
    ended = place.run(*argv, signal=int(sent))
    assert ended.code == 0, ended
    return ended.points


def kill_at(place: Place, point: int, *argv: str) -> None:
    """Run the program, killed at this point."""
    ended = place.run(*argv, signal=int(signal.SIGKILL), at=point)
    assert ended.code == -signal.SIGKILL, ended


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
