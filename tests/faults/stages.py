"""A scene, its undisturbed result, and what must be true after any disturbance."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.books import MODES, Place, Scene, Story, derived, files_below, story
from tests.faults.scenes import ALL, INIT, UPGRADE
from tests.kit.fork_server import Ended

if TYPE_CHECKING:
    from tests.faults.conftest import Amount

HOUR_AND_MORE = 3_700


class Stage:
    """A scene, its undisturbed result, and fresh copies to disturb it in."""

    def __init__(
        self, fresh: Callable[[Path], Place], scene: Scene, mode: str, folder: Path
    ) -> None:
        self.scene, self.mode = scene, mode
        self._fresh = fresh
        self._folder = folder
        place = self.place("undisturbed")
        self.before = self.recorded(place) if scene.before in ("empty", "states", "sealed") else []
        ended = place.run(*scene.argv)
        assert (ended.code, ended.err.count("Traceback")) == (scene.code, 0), ended
        self.seconds = ended.seconds
        self.after, self.tables = self.recorded(place), self.derived(place)
        if scene is UPGRADE:
            self.before = self.after
        self.seen = self.shown(place)
        self.size = place.ledger.stat().st_size
        self.files = files_below(place.folder)
        assert self.before == self.after[: len(self.before)]

    def place(self, name: str) -> Place:
        """Return a fresh place."""
        folder = self._folder / name
        if folder.exists():
            shutil.rmtree(folder)
        return self._fresh(folder)

    def place_in(self, folder: Path) -> Place:
        """Return a fresh place in an existing folder."""
        return self._fresh(folder)

    def recorded(self, place: Place, *, verified: bool = True) -> Story:
        """Verify the ledger, and return its recorded events."""
        return story(place.ledger, self.scene.drawn, verified=verified)

    def derived(self, place: Place) -> object:
        """Return the derived tables, without the fields that each run draws afresh."""
        drawn = {"profile_field", "preferences", "policy"} if self.scene.drawn else set()
        drawn |= {"identity_key", "statement"} if "source" in self.scene.drawn else set()
        return {name: rows for name, rows in derived(place.ledger).items() if name not in drawn}

    def shown(self, place: Place) -> str:
        """Return what is shown at the end: encrypted values open, attached files exist."""
        return place.done(*self.scene.shown) if self.scene.shown else ""

    def count(self, by: str, sent: signal.Signals) -> int:
        """Return how many points, or lines, a run passes."""
        ended = self.place("counted").run(*self.scene.argv, by=by, signal=int(sent))
        assert ended.code == self.scene.code, ended
        return ended.points

    def check_opens(self, place: Place) -> None:
        """A command that only reads answers from whatever state the kill has left."""
        if place.ledger.exists():
            place.done("earnings", "months")
            place.done("payout", "profile", "show")

    def check(self, place: Place, ended: Ended) -> None:
        """The ledger is in an intermediate state, or in the final one if the command said so."""
        events = self.recorded(place) if place.ledger.exists() else []
        if self.scene.atomic:
            assert events in (self.before, self.after)
        else:
            assert events == self.after[: len(events)]
            assert len(events) >= len(self.before)
        quiet = not ended.out and ended.err  # Only a failure acknowledges nothing further.
        if (ended.code == self.scene.code and not quiet) or (ended.code < 0 and ended.out):
            assert events == self.after, "what was acknowledged is not there"

    def check_all(self, place: Place, ended: Ended, hurt: str, *, look: bool) -> None:
        """Check everything; with `look` a reader comes first, else the next writer."""
        try:
            if look:
                self.check_opens(place)
                self.check(place, ended)
            # Once is enough: a ledger that equals a verified one is as sound.
            self.check_rerun(place, hurt, verified=not look)
        except BaseException as error:
            error.add_note(hurt)
            raise

    def check_rerun(self, place: Place, name: str, *, verified: bool) -> None:
        """The same command again ends in the same ledger, and leaves nothing lying about."""
        rerun = place.run(*self.scene.argv)
        exists = self.scene is INIT and rerun.code == 4  # It was made whole.
        assert exists or rerun.code == self.scene.code, rerun
        assert "Traceback" not in rerun.err
        assert self.recorded(place, verified=verified) == self.after
        assert self.derived(place) == self.tables
        assert self.shown(place) == self.seen
        self._check_litter(place, name)

    def _check_litter(self, place: Place, name: str) -> None:
        """What was being made is its owner's alone, and goes when it is made an hour later."""
        assert self.files <= files_below(place.folder), name
        left = files_below(place.folder) - self.files
        for residue in left:
            part = place.folder / residue
            assert part.suffix == ".part", (name, residue)
            assert part.stat().st_mode & 0o077 == 0, (name, residue)
            os.utime(part, (part.stat().st_atime - HOUR_AND_MORE,) * 2)
        if left:
            place.run(*self.scene.argv)
            assert files_below(place.folder) == self.files, name


Stages = Callable[[Scene, str], Stage]


def each_scene(scenes: Sequence[Scene], turn: int, of: int = 2) -> pytest.MarkDecorator:
    """Parametrise a test with all scenes in the whole set, in a usual run with each `of`-th.

    Tests that disturb the same scenes in different ways take turns.
    """
    others = pytest.mark.whole
    return pytest.mark.parametrize(
        "scene",
        [
            pytest.param(scene, id=scene.name, marks=() if n % of == turn else others)
            for n, scene in enumerate(scenes)
        ],
    )


def build_stages(
    stages: Stages, scene: Scene, amount: Amount, *, shift: int = 0
) -> Iterator[Stage]:
    """Yield a scene's stages: in both journal modes, or in a usual run in one, taking turns."""
    turn = (ALL.index(scene) + shift) % 2
    for mode in MODES[turn : turn + 1] if amount(quick=1, whole=2) == 1 else MODES:
        yield stages(scene, mode)
