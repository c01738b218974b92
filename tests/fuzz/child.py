"""One target under atheris, in a process that ends with it; `python -m tests.fuzz` starts it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["liveportal"]):
    from tests.fuzz import targets

MEMORY_MB = 2_048
SECONDS_AN_INPUT = 10


def main() -> None:
    """Fuzz the named target for this many seconds and inputs; failing inputs go to a folder."""
    name, seconds, runs, folder = sys.argv[1:]
    run = targets.TARGETS[name]
    path = Path(folder) / name
    path.mkdir(parents=True, exist_ok=True)
    argv = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        f"-runs={runs}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-timeout={SECONDS_AN_INPUT}",
        "-max_len=65536",
        "-print_final_stats=1",
        f"-artifact_prefix={path}{os.sep}",
        str(path),
        str(targets.CORPUS / name),
    ]

    def once(data: bytes) -> None:
        run(bytes(data))

    atheris.Setup(argv, once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
