"""Full disks and limited file sizes: the contract's error, and nothing half recorded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.books import MODES, Place, Scene, choose_points, files_below
from tests.faults.conftest import Amount
from tests.faults.scenes import (
    ACCEPT,
    ATTACH,
    BATCHES,
    IDS,
    INIT,
    OUTPUT,
    PROFILE,
    REJECTS,
    SYNC,
    UPGRADE,
)
from tests.faults.stages import Stage, Stages, build_stages, each_scene
from tests.kit.fork_server import Ended
from tests.kit.shell import assert_no_traceback

pytestmark = pytest.mark.slow

SCENES = (INIT, SYNC, BATCHES, REJECTS, ACCEPT, ATTACH, PROFILE, UPGRADE, OUTPUT)
PAGE = 4_096
DISK = 4 << 20
MOST = 400_000
"""More room than any of the commands needs besides the ledger."""

FAILED, OUTPUT_FAILED = 1, 74
SAID = ("the disk is full", "could not be written")

modes = pytest.mark.parametrize("mode", MODES)


class Disk:
    """A small disk of its own, of which just so much can be left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def leave(self, room: int) -> None:
        """Fill the disk, leaving this many bytes free."""
        status = os.statvfs(self.folder)
        size = status.f_bavail * status.f_frsize - room
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)

    def empty(self) -> None:
        """Make room again."""
        self._ballast.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove everything from it."""
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def read_only(self, *, really: bool = True) -> None:
        """Let nothing be written any more."""
        _mount("-o", f"remount,{'ro' if really else 'rw'}", str(self.folder))


def _mount(*argv: str) -> bool:
    done = subprocess.run(["mount", *argv], check=False, capture_output=True)  # noqa: S607
    return done.returncode == 0


@pytest.fixture
def disk(folder: Path) -> Iterator[Disk]:
    """Mount a small disk; without the permission these tests check less."""
    inner = folder / "disk"
    inner.mkdir()
    if not shutil.which("mount") or not _mount(
        "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", str(inner)
    ):
        pytest.skip("needs to be allowed to mount a disk")
    try:
        yield Disk(inner)
    finally:
        subprocess.run(["umount", "-l", str(inner)], check=True)  # noqa: S607


def _check_refusal(stage: Stage, ended: Ended) -> bool:
    """Check how a command ended that had too little room; return whether it failed."""
    scene = stage.scene
    assert_no_traceback(ended.err)
    if ended.code == scene.code and (ended.out or not ended.err):
        return False
    assert ended.code in (FAILED, OUTPUT_FAILED), ended
    assert ended.err.startswith("error: "), ended
    assert any(sentence in ended.err for sentence in SAID), ended
    return True


def _check_after(stage: Stage, place: Place, ended: Ended, hurt: str) -> bool:
    """Check that nothing is half recorded, and that with more room all is well."""
    try:
        failed = _check_refusal(stage, ended)
        left = files_below(place.folder) - stage.files - {"ballast"}
        assert not left, left
        if not failed:
            assert stage.recorded(place) == stage.after
        stage.check_all(place, ended, hurt, look=True)
    except BaseException as error:
        error.add_note(hurt)
        raise
    return failed


@each_scene(SCENES, 0)
def test_a_full_disk(stages: Stages, disk: Disk, scene: Scene, amount: Amount) -> None:
    """With any free space, from none: recorded whole or not at all, and reported so."""
    for stage in build_stages(stages, scene, amount):
        failures = 0
        for pages in choose_points(
            MOST // PAGE, amount(quick=2, whole=16), scene.name + stage.mode
        ):
            disk.clear()
            place = stage.place_in(disk.folder)
            disk.leave(room=(pages - 1) * PAGE)
            ended = place.run(*scene.argv, **output_paths(disk))
            # A reader meanwhile gets an answer or a sentence.
            if place.ledger.exists() and scene is not UPGRADE:
                looked = place.run("earnings", "months", **output_paths(disk))
                assert looked.code in (0, FAILED), looked
                assert_no_traceback(looked.err)
            disk.empty()
            failures += _check_after(stage, place, ended, f"{pages - 1} pages left")
        assert failures


def output_paths(disk: Disk) -> dict[str, str]:
    """Return where streams go that are not to be lost for want of room."""
    return {name: str(disk.folder.parent / name) for name in ("stdout", "stderr")}


@each_scene(SCENES, 1)
def test_files_that_may_not_grow(stages: Stages, scene: Scene, amount: Amount) -> None:
    """A file size limit is handled like a full disk, at any size."""
    for stage in build_stages(stages, scene, amount, shift=1):
        failures = 0
        pages = choose_points(
            stage.size // PAGE + 1, amount(quick=1, whole=10), scene.name + stage.mode
        )
        for limit in {1, *pages}:
            place = stage.place("limited")
            ended = place.run(*scene.argv, limit=limit * PAGE)
            failures += _check_after(stage, place, ended, f"no file beyond {limit} pages")
        assert failures or scene is OUTPUT  # What it writes is small.


@modes
def test_each_of_many_ids_has_its_result(
    stages: Stages, disk: Disk, mode: str, amount: Amount
) -> None:
    """Of many ids on a disk that fills up, exactly those reported as recorded are."""
    stage, outcomes = stages(IDS, mode), set()
    for pages in choose_points(60, amount(quick=4, whole=30), "ids"):
        disk.clear()
        place = stage.place_in(disk.folder)
        disk.leave(room=(pages - 1) * PAGE)
        ended = place.run(*IDS.argv, "--jsonl", **output_paths(disk))
        disk.empty()
        rows = [json.loads(line) for line in ended.out.splitlines()]
        done = [f"k:{row['id']}" for row in rows if row["error"] is None]
        assert {row["error"] for row in rows} <= {None, "disk_full", "not_found"}
        assert [row[1] for row in stage.recorded(place)[len(stage.before) :]] == done
        again = place.run(*IDS.argv)
        assert again.code == IDS.code
        assert sorted(stage.recorded(place)) == sorted(stage.after)
        outcomes |= {row["error"] for row in rows} or {ended.code}
    assert len(outcomes) > 1
