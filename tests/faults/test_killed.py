"""Killed anywhere: the ledger opens, has what was acknowledged once, a re-run ends alike."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.books import MODES, Scene, chosen
from tests.faults.conftest import Amount
from tests.faults.nursery import POINTS, TIME, wait_until_stopped
from tests.faults.scenes import ALL, WRITES
from tests.faults.stages import Stages

scenes = pytest.mark.parametrize("scene", WRITES, ids=lambda scene: scene.name)
modes = pytest.mark.parametrize("mode", MODES)


@scenes
@modes
def test_killed_at_signalled_points(
    stages: Stages, scene: Scene, mode: str, amount: Amount
) -> None:
    """SIGKILL before, in and after statements, and at each step that makes or moves a file."""
    stage = stages(scene, mode)
    count = stage.count(POINTS, signal.SIGKILL)
    for at in chosen(count, amount(quick=2, whole=14), scene.name):
        place = stage.place("killed")
        ended = place.run(*scene.argv, signal=int(signal.SIGKILL), at=at)
        assert ended.code == -signal.SIGKILL, ended
        stage.check_all(place, ended, f"{at} of {count}: {ended.where}", look=at % 2 == 0)


@scenes
@modes
def test_killed_inside_a_write(stages: Stages, scene: Scene, mode: str, amount: Amount) -> None:
    """Ended in the middle of writing a file, of which a part is there."""
    stage = stages(scene, mode)
    died = 0
    for at in chosen(stage.size // 512, amount(quick=2, whole=8), scene.name):
        place = stage.place("killed")
        ended = place.run(*scene.argv, limit=at * 512, dies=True)
        assert ended.code in (scene.code, -signal.SIGXFSZ), ended
        died += ended.code != scene.code
        stage.check_all(place, ended, f"no file beyond {at * 512} bytes", look=at % 2 == 0)
    assert died


@scenes
@modes
def test_killed_at_any_time(stages: Stages, scene: Scene, mode: str, amount: Amount) -> None:
    """SIGKILL after a random time, wherever the program and SQLite are by then."""
    stage = stages(scene, mode)
    drawn = random.Random(f"{scene.name} {mode}")  # noqa: S311
    for _ in range(amount(quick=1, whole=8)):
        after = drawn.uniform(0, stage.seconds)
        place = stage.place("killed")
        ended = place.run(*scene.argv, signal=int(signal.SIGKILL), by=TIME, after=after)
        assert ended.code in (scene.code, -signal.SIGKILL), ended
        stage.check_all(place, ended, f"after {after:.4f} s", look=drawn.random() < 0.5)


CALLS = "pwrite64,write,fsync,fdatasync,unlink,unlinkat,ftruncate,rename,renameat2,link,linkat"


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@scenes
@modes
def test_killed_at_system_calls(stages: Stages, scene: Scene, mode: str, amount: Amount) -> None:
    """SIGKILL at the n-th call that writes, syncs, cuts, names or removes a file: SQLite's, too."""
    stage = stages(scene, mode)
    number = [(each, way) for each in ALL for way in MODES].index((scene, mode))
    if number % amount(quick=6, whole=1):
        pytest.skip("one of six in a usual run")
    drawn, died = random.Random(f"calls {scene.name} {mode}"), 0  # noqa: S311
    for at in sorted(drawn.sample(range(1, 31), amount(quick=2, whole=8))):
        place = stage.place("killed")
        order = place.order(*scene.argv, stopped=True)
        pid = place.nursery.start(order)
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
                place.nursery.wait(pid, order)
                pytest.skip("processes may not be traced here")
            os.kill(pid, signal.SIGCONT)
            ended = place.nursery.wait(pid, order)
        assert ended.code in (scene.code, -signal.SIGKILL), ended
        died += ended.code < 0
        stage.check_all(place, ended, f"at system call {at}", look=at % 2 == 0)
    assert died


def _status(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()
