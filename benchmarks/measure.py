"""Running programs side by side: in turn, round by round, so that a busy moment strikes all.

Processor time of the whole process, user and system; medians, and ratios of medians of one run.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OK = (0, 10)
"""Exit codes that are no failure: 10 says that something is due."""


class Failed(Exception):
    """A program that was to be measured did not do what it was for."""


class Starter:
    """A small process that starts the programs (`benchmarks.starter`)."""

    def __init__(self, folder: Path) -> None:
        here = Path(__file__).with_name("starter.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(here), str(folder / "stderr.txt")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, argv: Sequence[str], *, terminal: bool = False) -> dict[str, Any]:
        """Run a program to its end; raises `Failed` if it fails."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None  # noqa: S101, PT018 -- Pipes, as asked.
        stdin.write(json.dumps({"argv": list(argv), "terminal": terminal}) + "\n")
        stdin.flush()
        told: dict[str, Any] = json.loads(stdout.readline())
        if told["status"] not in OK:
            raise Failed(f"{' '.join(argv)[:300]} ended with {told['status']}: {told['stderr']}")
        return told

    def close(self) -> None:
        """End it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


@dataclass
class Contestant:
    """A program that does a task. `command` makes its arguments for a round; `before` prepares it.

    `most` rounds of it are enough, `patience` seconds of processor time in all at most.
    """

    name: str
    command: Callable[[int], Sequence[str]]
    before: Callable[[int], None] | None = None
    terminal: bool = False
    most: int = 1000
    patience: float = 60.0
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)

    def is_done(self) -> bool:
        """Tell whether it was measured often enough, or has taken long enough."""
        return len(self.cpu) >= self.most or sum(self.cpu) >= self.patience

    def result(self) -> dict[str, Any]:
        """Return its medians."""
        return {
            "program": self.name,
            "cpu": statistics.median(self.cpu),
            "wall": statistics.median(self.wall),
            "rss": statistics.median(self.rss),
            "rounds": len(self.cpu),
        }


def fixed(name: str, argv: Sequence[str], **more: Any) -> Contestant:  # noqa: ANN401
    """Return a contestant that does the same in each round."""
    return Contestant(name, lambda _: argv, **more)


def side_by_side(
    starter: Starter, contestants: Iterable[Contestant], rounds: int
) -> list[dict[str, Any]]:
    """Run each in turn, round by round; return what each cost, in the order given."""
    running = list(contestants)
    for number in range(rounds):
        for each in running:
            if each.is_done():
                continue
            if each.before is not None:
                each.before(number)
            told = starter.run(each.command(number), terminal=each.terminal)
            each.cpu.append(told["cpu"])
            each.wall.append(told["wall"])
            each.rss.append(told["rss"])
    return [each.result() for each in running if each.cpu]
