"""Full, closed or abandoned streams: every command reports them, and keeps what it recorded."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from liveportal.ledger.storage import connection
from tests.faults.books import MODES, Place, set_up, story
from tests.faults.commands import ALSO_READ, PRINTS_NOTHING
from tests.faults.conftest import Amount
from tests.faults.scenes import SYNC
from tests.kit.fork_server import LEFT, ForkServer
from tests.kit.shell import assert_no_traceback
from tests.kit.states import READS, WRITES, Write

pytestmark = pytest.mark.slow

OUTPUT_FAILED = 74

# The fault of the streams, and the exit code of a command that otherwise succeeds.
FAULTS: dict[str, tuple[dict[str, object], int]] = {
    "a full output": ({"stdout": "/dev/full"}, OUTPUT_FAILED),
    "a closed output": ({"closed": (1,)}, OUTPUT_FAILED),
    "a reader that left": ({"stdout": LEFT}, 0),
    "nobody to hear errors": ({"closed": (2,)}, 0),
    "errors to a full disk": ({"stderr": "/dev/full"}, 0),
    "a full disk for both": ({"stdout": "/dev/full", "stderr": "/dev/full"}, OUTPUT_FAILED),
    "all closed": ({"closed": (0, 1, 2)}, OUTPUT_FAILED),
    "readers of both left": ({"stdout": LEFT, "stderr": LEFT}, 0),
}


def _faults(number: int, count: int) -> list[tuple[str, dict[str, object], int]]:
    """Choose this many faults for a command, and other ones for the next."""
    names = [*FAULTS, *FAULTS]
    start = number % len(FAULTS)
    return [(name, *FAULTS[name]) for name in names[start : start + count]]


def _place(fork_server: ForkServer, made: Path, folder: Path, number: int) -> Place:
    mode = MODES[number % 2]
    return set_up(fork_server, made, SYNC, mode, folder, before="states")


_COMMANDS = [*READS, *ALSO_READ]


@pytest.mark.parametrize("command", _COMMANDS)
def test_what_is_read_cannot_be_printed(
    fork_server: ForkServer, made: Path, folder: Path, command: str, amount: Amount
) -> None:
    """A full or closed output is 74 with a sentence; a reader that left early is no failure."""
    number = _COMMANDS.index(command)
    place = _place(fork_server, made, folder, number)
    argv = command.split()
    before = _count(place)
    for name, streams, code in _faults(number, amount(quick=1, whole=len(FAULTS))):
        ended = place.run(*argv, cwd=str(folder), **_named(streams))
        usual = (0, 10) if command == "due" else (0,)
        silent = command.startswith(PRINTS_NOTHING)
        wanted = usual if code == 0 else (code, 0) if silent else (code,)
        assert ended.code in wanted, (name, ended)
        _check_message(ended.err, streams, failed=ended.code == OUTPUT_FAILED)
    if not command.startswith(("requests watch", "sync")):
        assert _count(place) == before


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.name)
def test_what_is_written_is_kept_once(
    fork_server: ForkServer, made: Path, folder: Path, write: Write, amount: Amount
) -> None:
    """The event is recorded even if its result is lost; with the same key, once."""
    number = WRITES.index(write)
    place = _place(fork_server, made, folder, number)
    before = _count(place)
    argv = (*write.argv, "--at", write.at, "--yes", "--key", "k")
    for name, streams, code in _faults(number, amount(quick=1, whole=len(FAULTS))):
        ended = place.run(*argv, cwd=str(folder), **_named(streams))
        assert _count(place) == before + 1, name
        assert ended.code == code, (name, ended)
        _check_message(ended.err, streams, failed=code == OUTPUT_FAILED)
    again = place.run(*argv, cwd=str(folder), **_named({}))
    assert (again.code, again.err) == (0, "")
    assert len(story(place.ledger)) == before + 1


def _count(place: Place) -> int:
    with closing(connection.open_file(place.ledger, readonly=True)) as db:
        return int(db.execute("SELECT count(*) FROM event").fetchone()[0])


def _named(streams: dict[str, object]) -> dict[str, object]:
    return {"stdout": "out", "stderr": "err"} | streams


def _check_message(err: str, streams: dict[str, object], *, failed: bool) -> None:
    """The failure is one sentence if it can be printed, and never a traceback."""
    assert_no_traceback(err)
    heard = "stderr" not in streams and 2 not in streams.get("closed", ())  # type: ignore[operator]
    if heard:
        assert ("output" in err) is failed, err
        assert err.startswith("error: ") is failed, err
