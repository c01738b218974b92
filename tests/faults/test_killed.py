"""Killed anywhere: the ledger opens, has each acknowledged event once; a re-run ends alike."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.books import Place, Scene, choose_points
from tests.faults.conftest import Amount
from tests.faults.scenes import WRITES
from tests.faults.stages import Stages, build_stages, each_scene
from tests.kit.fork_server import POINTS, TIME, Ended, wait_until_stopped

pytestmark = pytest.mark.slow


@each_scene(WRITES, 0)
def test_killed_at_signalled_points(stages: Stages, scene: Scene, amount: Amount) -> None:
    """SIGKILL before, in and after statements, and at each step that makes or moves a file."""
    for stage in build_stages(stages, scene, amount):
        count = stage.count(POINTS, signal.SIGKILL)
        for at in choose_points(count, amount(quick=2, whole=14), f"{scene.name} {stage.mode}"):
            place = stage.place("killed")
            ended = place.run(*scene.argv, signal=int(signal.SIGKILL), at=at)
            assert ended.code == -signal.SIGKILL, ended
            stage.check_all(place, ended, f"{at} of {count}: {ended.where}", look=at % 2 == 0)


@each_scene(WRITES, 1, of=4)
def test_killed_inside_a_write(stages: Stages, scene: Scene, amount: Amount) -> None:
    """Killed in the middle of writing a file, part of which is there."""
    for stage in build_stages(stages, scene, amount, shift=1):
        died, count = 0, stage.size // 512
        for at in choose_points(count, amount(quick=2, whole=8), f"{scene.name} {stage.mode}"):
            place = stage.place("killed")
            ended = place.run(*scene.argv, limit=at * 512, dies=True)
            assert ended.code in (scene.code, -signal.SIGXFSZ), ended
            died += ended.code != scene.code
            stage.check_all(place, ended, f"no file beyond {at * 512} bytes", look=at % 2 == 0)
        assert died


@each_scene(WRITES, 2, of=4)
def test_killed_at_any_time(stages: Stages, scene: Scene, amount: Amount) -> None:
    """SIGKILL after a random time, anywhere in the program and SQLite."""
    for stage in build_stages(stages, scene, amount):
        drawn = random.Random(f"{scene.name} {stage.mode}")  # noqa: S311
        for _ in range(amount(quick=1, whole=8)):
            after = drawn.uniform(0, stage.seconds)
            place = stage.place("killed")
            ended = place.run(*scene.argv, signal=int(signal.SIGKILL), by=TIME, after=after)
            assert ended.code in (scene.code, -signal.SIGKILL), ended
            stage.check_all(place, ended, f"after {after:.4f} s", look=drawn.random() < 0.5)


CALLS = "pwrite64,write,fsync,fdatasync,unlink,unlinkat,ftruncate,rename,renameat2,link,linkat"


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@each_scene(WRITES, 3, of=4)
def test_killed_at_system_calls(stages: Stages, scene: Scene, amount: Amount) -> None:
    """SIGKILL at the n-th call that writes, syncs, cuts, names or removes a file: SQLite's, too."""
    for stage in build_stages(stages, scene, amount, shift=1):
        drawn = random.Random(f"calls {scene.name} {stage.mode}")  # noqa: S311
        died = 0
        calls = drawn.sample(range(2, 31), amount(quick=1, whole=7))
        for at in sorted([*calls, *range(1, amount(quick=1, whole=2))]):
            place = stage.place("killed")
            ended = _killed_at_call(place, scene, at)
            assert ended.code in (scene.code, -signal.SIGKILL), ended
            died += ended.code < 0
            stage.check_all(place, ended, f"at system call {at}", look=at % 2 == 0)
        assert died or amount(quick=1, whole=0)


def _killed_at_call(place: Place, scene: Scene, at: int) -> Ended:
    """Run a scene under a tracer that kills it; skips where processes may not be traced."""
    order = place.order(*scene.argv, stopped=True)
    pid = place.fork_server.start(order)
    wait_until_stopped(pid)
    inject = f"inject={CALLS}:signal=KILL:when={at}"
    with subprocess.Popen(
        [
            *("strace", "-qq", "-o", os.devnull, "-p", str(pid)),
            *("-e", f"trace={CALLS}", "-e", inject),
        ],
        stderr=subprocess.DEVNULL,
    ) as tracer:
        while tracer.poll() is None and "\nTracerPid:\t0\n" in _status(pid):
            time.sleep(0.002)
        if tracer.poll() is not None:
            os.kill(pid, signal.SIGKILL)
            place.fork_server.wait(pid, order)
            pytest.skip("processes may not be traced here")
        os.kill(pid, signal.SIGCONT)
        return place.fork_server.wait(pid, order)


def _status(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()
