"""Fuzz the targets, guided by coverage: `python -m tests.fuzz --seconds 60 [TARGET...]`.

Each target runs in a process of its own, with the seeds of `corpus/`; new inputs go to
`build/fuzz/`, as do inputs that break a target: put these into `corpus/TARGET/`, and fix the bug.
Needs the extra `fuzz` (atheris has wheels for Linux only).
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from tests.fuzz import targets

FOUND = Path("build/fuzz")
_STATUS = re.compile(r"cov: (\d+) ft: (\d+)")
_RUNS = re.compile(r"stat::number_of_executed_units: (\d+)")
_PEAK = re.compile(r"stat::peak_rss_mb: +(\d+)")


def main() -> int:
    """Fuzz each target for a while, and print a line about each; 1 if any broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(targets.TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--runs", type=int, default=1_000_000, help="at most so many inputs each")
    given = parser.parse_args()
    print(f"{'target':12} {'inputs':>9} {'edges':>6} {'features':>8} {'MB':>5}  result")
    held = [_fuzz_target(target, given) for target in given.targets or targets.TARGETS]
    return 0 if all(held) else 1


def _fuzz_target(name: str, given: argparse.Namespace) -> bool:
    """Fuzz a target in a process of its own, print the result, and return whether it passed."""
    argv = [sys.executable, "-m", "tests.fuzz.child", name]
    done = subprocess.run(
        [*argv, str(given.seconds), str(given.runs), str(FOUND)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    output = done.stdout + done.stderr
    edges, features = (_STATUS.findall(output) or [("?", "?")])[-1]
    inputs, peak = ((pattern.findall(output) or ["?"])[-1] for pattern in (_RUNS, _PEAK))
    log = FOUND / f"{name}.log"
    FOUND.mkdir(parents=True, exist_ok=True)
    log.write_text(output, "utf-8")
    result = f"BROKE: see {log}" if done.returncode else "held"
    print(f"{name:12} {inputs:>9} {edges:>6} {features:>8} {peak:>5}  {result}", flush=True)
    return not done.returncode


if __name__ == "__main__":
    sys.exit(main())
