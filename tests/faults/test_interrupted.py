"""Interrupted anywhere: the exit code of an interruption, nothing half written, no traceback."""

from __future__ import annotations

import signal

import pytest

from tests.faults.books import Place, Scene, choose_points, files_below
from tests.faults.conftest import Amount
from tests.faults.scenes import ALL
from tests.faults.stages import Stage, Stages, each_scene
from tests.kit.fork_server import LINES, POINTS, Ended

pytestmark = pytest.mark.slow

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
_OUTERMOST = ("/cli/main.py", "/cli/signals.py")
WORDS = {
    130: "error: The command was interrupted.\n",
    143: "error: The command was terminated.\n",
    129: "error: The command was terminated.\n",
}


def _check(stage: Stage, place: Place, ended: Ended, sent: signal.Signals, hurt: str) -> bool:
    """Check a run that was interrupted, if it noticed; return whether it did."""
    code = SIGNALS[sent]
    try:
        if (
            ended.code == -sent
        ):  # Before anything has begun, or after everything is done and printed.
            assert ended.where.startswith(_OUTERMOST), ended
        else:
            assert ended.code in (code, stage.scene.code), ended
        assert "Traceback" not in ended.err, ended
        assert "ignored" not in ended.err, ended
        if ended.code == code and not ended.where.startswith(_OUTERMOST):
            assert ended.err in (WORDS[code], ""), ended
        left = files_below(place.folder) - stage.files
        assert not left, "something was left behind"
        stage.check_all(place, ended, hurt, look=True)
    except BaseException as error:
        error.add_note(hurt)
        raise
    return ended.code == code


@each_scene(ALL, 0)
def test_interrupted_at_signalled_points(stages: Stages, scene: Scene, amount: Amount) -> None:
    """Ctrl-C around statements, and at each step that makes, names, moves or syncs a file."""
    stage = stages(scene, "WAL")
    count = stage.count(POINTS, signal.SIGINT)
    for at in choose_points(count, amount(quick=2, whole=25), scene.name):
        place = stage.place("stopped")
        ended = place.run(*scene.argv, signal=int(signal.SIGINT), at=at)
        heard = _check(stage, place, ended, signal.SIGINT, f"{at} of {count}: {ended.where}")
        assert heard, ended


@each_scene(ALL, 1, of=4)
def test_interrupted_at_any_line(stages: Stages, scene: Scene, amount: Amount) -> None:
    """Ctrl-C, SIGTERM and SIGHUP at any line of the program, its own cleaning up included."""
    stage = stages(scene, "DELETE")
    sent = [*SIGNALS]
    count = stage.count(LINES, signal.SIGINT)
    for number, at in enumerate(choose_points(count, amount(quick=2, whole=16), scene.name)):
        place, by = stage.place("stopped"), sent[number % len(sent)]
        ended = place.run(*scene.argv, signal=int(by), by=LINES, at=at)
        _check(stage, place, ended, by, f"{by.name} at {at} of {count}: {ended.where}")
