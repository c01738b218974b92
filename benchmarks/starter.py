"""Start one program after the other, and report the cost of each.

It is a small process of its own, because Linux counts the memory of the parent towards the peak
memory of a child. It reads one JSON object per line (`argv`, `terminal`) and answers with `cpu`
(seconds, user and system), `wall` (seconds), `rss` (bytes), `status` and `stderr`.
"""

import json
import os
import sys
import time

KIB = 1024
LAST_WORDS = 4000


def spawn(argv: list[str], stderr_path: str, terminal: int | None) -> int:
    """Start a program with its output discarded or on a terminal; return its process id."""
    if terminal is not None:
        streams = [(os.POSIX_SPAWN_DUP2, terminal, number) for number in range(3)]
        return os.posix_spawnp(argv[0], argv, os.environ, file_actions=streams, setsid=True)
    write_flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    return os.posix_spawnp(
        argv[0],
        argv,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, stderr_path, write_flags, 0o600),
        ],
    )


def run(argv: list[str], stderr_path: str, *, terminal: bool) -> dict[str, object]:
    """Run a program to its end; return its cost and status."""
    began = time.monotonic()
    master = None
    if terminal:
        master, slave = os.openpty()
        process = spawn(argv, stderr_path, slave)
        os.close(slave)
        drain(master)
    else:
        process = spawn(argv, stderr_path, None)
    _, status, usage = os.wait4(process, 0)
    message = ""
    if master is not None:
        os.close(master)
    elif os.path.exists(stderr_path):  # noqa: PTH110 -- Importing pathlib would enlarge this process.
        with open(stderr_path, "rb") as file:  # noqa: PTH123
            # Read the end only: memory of this process would count towards the next peak.
            file.seek(max(0, os.fstat(file.fileno()).st_size - LAST_WORDS))
            message = file.read().decode(errors="replace")
    return {
        "cpu": usage.ru_utime + usage.ru_stime,
        "wall": time.monotonic() - began,
        "rss": usage.ru_maxrss * KIB,
        "status": os.waitstatus_to_exitcode(status),
        "stderr": message,
    }


def drain(master: int) -> None:
    """Read the output of a terminal until its other end is closed."""
    while True:
        try:
            if not os.read(master, 65_536):
                return
        except OSError:
            return


def main() -> None:
    """Answer requests until standard input ends."""
    stderr_path = sys.argv[1]
    for line in sys.stdin:
        request = json.loads(line)
        print(
            json.dumps(run(request["argv"], stderr_path, terminal=request["terminal"])), flush=True
        )


if __name__ == "__main__":
    main()
