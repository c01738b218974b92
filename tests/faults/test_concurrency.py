"""Many processes at one ledger: nothing is lost or doubled, and readers see one state."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from tests.faults.books import AT, MODES, Place, Scene, set_up, story
from tests.faults.conftest import Amount
from tests.faults.scenes import SYNC
from tests.kit.fork_server import BUSY, ForkServer, Order, wait_until_stopped
from tests.kit.shell import PROGRAM, ROOT

pytestmark = pytest.mark.slow

WRITERS = READERS = 8
_MONTHS = ("earnings", "months", "--jsonl")
_SCENE = Scene("together", (), "states", files=SYNC.files)

modes = pytest.mark.parametrize("mode", MODES)


def _adjust(name: str) -> tuple[str, ...]:
    return (
        *("earnings", "adjust", "1.00", "--reason", "bonus", "--at", AT),
        *("--id", f"AD-{name}", "--key", name, "--jsonl"),
    )


def _all_at_once(place: Place, orders: list[Order]) -> list[tuple[int, ...]]:
    """Start all processes, release them together; return the exit codes of each one's runs."""
    started = [(place.fork_server.start(order), order) for order in orders]
    for pid, _ in started:
        wait_until_stopped(pid)
    for pid, _ in started:
        os.kill(pid, signal.SIGCONT)
    ended = [place.fork_server.wait(pid, order) for pid, order in started]
    for run in ended:
        assert "Traceback" not in run.err
        assert "bug" not in run.err
    return [run.codes for run in ended]


def _check_state(rows: list[dict[str, object]]) -> Decimal:
    """What a reader saw adds up: the months to the life's total, and that to where it is now."""
    net = sum((Decimal(str(row["net"])) for row in rows), Decimal())
    balance = rows[-1]["balance"]
    assert isinstance(balance, dict)
    assert sum(map(Decimal, balance.values())) == net
    return net


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@modes
def test_eight_write_and_eight_read(
    fork_server: ForkServer, made: Path, folder: Path, mode: str, amount: Amount
) -> None:
    """Each event is recorded once, also those that share one key; every read adds up."""
    place = set_up(fork_server, made, _SCENE, mode, folder)
    before = story(place.ledger)
    net = _check_state([json.loads(line) for line in place.done(*_MONTHS).splitlines()])
    times = amount(quick=1, whole=25)
    orders = []
    for number in range(WRITERS):
        own = [_adjust(f"{number}-{n}") for n in range(times)]
        writes: list[tuple[str, ...]] = [*own[1:], _adjust("common"), ("sync", "../feed.jsonl")]
        out = {"stdout": f"../w{number}", "stderr": f"../we{number}"}
        orders.append(place.order(*own[0], more=tuple(writes), stopped=True, retries=40, **out))
    for number in range(READERS):
        out = {"stdout": f"../r{number}", "stderr": f"../re{number}"}
        reads = ((_MONTHS,) * (times * 2)) + (("ledger", "verify"),)
        orders.append(place.order(*_MONTHS, more=reads, stopped=True, retries=40, **out))
    with _real(place, "real", times) as real:
        codes = _all_at_once(place, orders)
        assert real.wait(timeout=120) == 0
    assert {code for run_codes in codes for code in run_codes} <= {0, BUSY}
    assert all(code[-1] == 0 for code in codes)
    events = story(place.ledger)
    keys = [row[1] for row in events[len(before) :]]
    wanted = [f"{number}-{n}" for number in range(WRITERS) for n in range(times)]
    assert sorted(keys) == sorted([*wanted, "common", *(f"real-{n}" for n in range(times))])
    assert events[: len(before)] == before
    states = [_reads(folder / f"r{number}") for number in range(READERS)]
    for seen in states:
        assert seen == sorted(seen), "a reader saw the past come back"
        assert net <= seen[0]
        assert seen[-1] <= net + len(keys)
    replays = [
        json.loads(line)["replayed"]
        for number in range(WRITERS)
        for line in (folder / f"w{number}").read_text().splitlines()
        if line.startswith("{") and '"AD-common"' in line
    ]
    assert sorted(replays) == [False] + [True] * (WRITERS - 1)


def _real(place: Place, name: str, times: int) -> subprocess.Popen[bytes]:
    """Start a writer that starts the program for each of its writes, as people do."""
    program = " ".join(PROGRAM)
    words = " ".join(_adjust("KEY")).replace(AT, f"'{AT}'").replace("KEY", f"{name}-$n")
    script = f"for n in $(seq 0 {times - 1}); do until {program} {words}; do :; done; done"
    env = {**os.environ, **place.order().env, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        ["bash", "-c", script],  # noqa: S607 -- Wherever a system has it.
        cwd=place.folder,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _reads(out: Path) -> list[Decimal]:
    """Check each state that a reader saw, and return the net that it saw each time."""
    amounts: list[Decimal] = []
    rows: list[dict[str, object]] = []
    for text in out.read_text().splitlines():
        if not text.startswith("{"):
            continue  # The result of `ledger verify`.
        row = json.loads(text)
        if rows and row["month"] <= str(rows[-1]["month"]):
            amounts.append(_check_state(rows))
            rows = []
        rows.append(row)
    amounts.append(_check_state(rows))
    return amounts
