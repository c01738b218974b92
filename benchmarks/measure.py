"""Run programs in turn, round by round, so that a busy moment affects all of them.

Measured is the processor time of the whole process, user and system; results are medians, and
ratios of the medians of one run.
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
"""Exit codes of success: 10 means that something is due."""


class Failed(Exception):
    """A measured program failed."""


class Starter:
    """A small process that starts the programs (`benchmarks.starter`)."""

    def __init__(self, folder: Path) -> None:
        script = Path(__file__).with_name("starter.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(script), str(folder / "stderr.txt")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, argv: Sequence[str], *, terminal: bool = False) -> dict[str, Any]:
        """Run a program to its end; raises `Failed` if it fails."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None  # noqa: S101, PT018 -- Both are pipes.
        stdin.write(json.dumps({"argv": list(argv), "terminal": terminal}) + "\n")
        stdin.flush()
        result: dict[str, Any] = json.loads(stdout.readline())
        if result["status"] not in OK:
            raise Failed(
                f"{' '.join(argv)[:300]} ended with {result['status']}: {result['stderr']}"
            )
        return result

    def close(self) -> None:
        """Stop the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


@dataclass
class Contestant:
    """A program that does a task: `command` gives the arguments for a round, `before` prepares it.

    It is run for at most `most` rounds and `patience` seconds of processor time in total.
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
        """Return True if it has reached its limit of rounds or of processor time."""
        return len(self.cpu) >= self.most or sum(self.cpu) >= self.patience

    def result(self) -> dict[str, Any]:
        """Return the medians of its rounds."""
        return {
            "program": self.name,
            "cpu": statistics.median(self.cpu),
            "wall": statistics.median(self.wall),
            "rss": statistics.median(self.rss),
            "rounds": len(self.cpu),
        }


def fixed(name: str, argv: Sequence[str], **more: Any) -> Contestant:  # noqa: ANN401
    """Return a contestant with the same command in every round."""
    return Contestant(name, lambda _: argv, **more)


def side_by_side(
    starter: Starter, contestants: Iterable[Contestant], rounds: int
) -> list[dict[str, Any]]:
    """Run all contestants in turn, round by round; return their results in the same order."""
    programs = list(contestants)
    for number in range(rounds):
        for contestant in programs:
            if contestant.is_done():
                continue
            if contestant.before is not None:
                contestant.before(number)
            result = starter.run(contestant.command(number), terminal=contestant.terminal)
            contestant.cpu.append(result["cpu"])
            contestant.wall.append(result["wall"])
            contestant.rss.append(result["rss"])
    return [contestant.result() for contestant in programs if contestant.cpu]
