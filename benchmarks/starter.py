"""Starts one program after the other, and tells what each of them cost.

A process of its own, and a small one: Linux counts what the starting process held towards the
peak memory of what it starts. Reads a JSON object a line, `argv` and `terminal`; answers with
`cpu` (seconds, user and system), `wall`, `rss` (bytes), `status` and what was said on stderr.
"""

import json
import os
import sys
import time

KIB = 1024
LAST_WORDS = 4000


def started(argv: list[str], said: str, terminal: int | None) -> int:
    """Start a program whose output nobody reads, or a terminal does; return its process id."""
    if terminal is not None:
        streams = [(os.POSIX_SPAWN_DUP2, terminal, number) for number in range(3)]
        return os.posix_spawnp(argv[0], argv, os.environ, file_actions=streams, setsid=True)
    writing = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    return os.posix_spawnp(
        argv[0],
        argv,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, said, writing, 0o600),
        ],
    )


def ran(argv: list[str], said: str, *, terminal: bool) -> dict[str, object]:
    """Run a program to its end; return what it cost."""
    began = time.monotonic()
    master = None
    if terminal:
        master, slave = os.openpty()
        process = started(argv, said, slave)
        os.close(slave)
        drain(master)
    else:
        process = started(argv, said, None)
    _, status, usage = os.wait4(process, 0)
    words = ""
    if master is not None:
        os.close(master)
    elif os.path.exists(said):  # noqa: PTH110 -- pathlib would make this process a bigger one.
        with open(said, "rb") as file:  # noqa: PTH123
            # The end alone: what this process holds would count as the next one's peak.
            file.seek(max(0, os.fstat(file.fileno()).st_size - LAST_WORDS))
            words = file.read().decode(errors="replace")
    return {
        "cpu": usage.ru_utime + usage.ru_stime,
        "wall": time.monotonic() - began,
        "rss": usage.ru_maxrss * KIB,
        "status": os.waitstatus_to_exitcode(status),
        "stderr": words,
    }


def drain(master: int) -> None:
    """Read what a terminal is sent until nobody holds its other end."""
    while True:
        try:
            if not os.read(master, 65_536):
                return
        except OSError:
            return


def main() -> None:
    """Answer requests until there are no more."""
    said = sys.argv[1]
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(ran(asked["argv"], said, terminal=asked["terminal"])), flush=True)


if __name__ == "__main__":
    main()
