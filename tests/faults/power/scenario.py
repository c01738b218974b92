"""Commands that are run once and traced, and what must hold after a power cut at any moment.

`judge` then makes the crashes. After each the ledger opens and verifies; its events are a prefix of
the final ones, cut at the end of a transaction, with everything that was acknowledged; and the
commands can be run again, which leads to the final state. A scenario may ask for more.

Another command is another function in `tests/faults/test_power.py`: the preparation, the arguments,
and what must hold.
"""

from __future__ import annotations

import copy
import os
import shutil
import stat
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from liveportal.ledger.opening import open_ledger
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.verify.projections import DERIVED
from tests.faults.power import trace
from tests.faults.power.disk import Disk, paths
from tests.kit.shell import PROGRAM, ROOT, Shell

EVENTS = "SELECT * FROM event ORDER BY seq"
Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """A command, with `{root}` and `{inputs}` for folders, and how it acknowledges events.

    All of them when it has printed everything; or one more with each of its `lines`. It commits
    once; or each event, or after every so many (`each`).
    """

    argv: tuple[str, ...]
    stdin: bytes = b""
    lines: bool = False
    each: int | None = None
    again: tuple[int, ...] = (0,)
    """How it may end when it is run once more."""


@dataclass(frozen=True, slots=True)
class AfterCrash:
    """The folder after a crash: the ledger (None if there is none) and its history.

    `acked` events were acknowledged; `is_over` says that every command has reported its end.
    """

    root: Path
    ledger: Path
    db: Connection | None
    events: int
    acked: int
    is_over: bool


def no_more_checks(_found: AfterCrash) -> None:
    """Ask for nothing more."""


def ledger_content(db: Connection) -> object:
    """Return what must be equal in two ledgers: the recorded events and the derived tables."""
    events = db.execute(
        "SELECT source, id, type, time, facts, body FROM event LEFT JOIN event_personal USING (seq)"
        " ORDER BY seq"
    ).fetchall()
    return events, [rows(db, table) for table in DERIVED]


@dataclass(frozen=True, slots=True)
class Scenario:
    """The preparation, in a folder that is then synced; the commands; what must hold."""

    prepare: Callable[[Shell], None]
    commands: tuple[Command, ...]
    look: Callable[[AfterCrash], None] = no_more_checks
    """Looks at the files before anybody opens the ledger."""
    check: Callable[[AfterCrash], None] = no_more_checks
    """Looks at the open ledger, if there is one."""
    outcome: Callable[[Connection], object] = ledger_content
    """What is the same when the commands are run again."""
    tricks: tuple[str, ...] = ()
    """What is otherwise, or broken on purpose (see `child`)."""
    place: str = "ledger.db"
    """Where the ledger lies in the folder."""
    is_read: bool = False
    """Somebody else has the ledger open, so that no command is the last to close it."""
    is_replaced: bool = False
    """Another ledger takes the place of this one: there is the old one or the new one."""
    is_damaged: bool = False
    """The ledger does not open at first, and may stay so until the commands are done."""


@dataclass(frozen=True, slots=True)
class Step:
    """A call, or the start of a command (None), and what is acknowledged after it."""

    call: trace.Call | None
    acked: int
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Performed:
    """A scenario that was run: the disk at first, the steps, and the states allowed after it."""

    scenario: Scenario
    disk: Disk
    steps: tuple[Step, ...]
    allowed: frozenset[int]
    """The numbers of events that there may be after a crash."""
    first: list[Row]
    """The events that there were at first."""
    damaged: bytes | None
    """What lay there at first, if that was no ledger."""


class Stage:
    """Folders to run a scenario in: `base` holds the disk, `memory` is reused for each crash."""

    def __init__(self, base: Path, memory: Path) -> None:
        self.base = base.resolve()
        self.root, self.inputs = self.base / "disk", self.base / "inputs"
        self.crashed = memory.resolve() / "disk"
        self.inputs.mkdir(exist_ok=True)

    def argv(self, command: Command, root: Path) -> list[str]:
        """Return a command as it is typed about a folder."""
        places = (("{root}", str(root)), ("{inputs}", str(self.inputs)))
        argv = list(command.argv)
        for name, place in places:
            argv = [argument.replace(name, place) for argument in argv]
        return argv

    def perform(self, scenario: Scenario) -> Performed:
        """Prepare a scenario, and run its commands under trace."""
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(mode=0o700)
        ledger = self.root / scenario.place
        with shell(ledger) as typed:
            scenario.prepare(typed)
        with _reader(ledger) if scenario.is_read else nullcontext():
            disk, steps = Disk(self.root), []
            damaged = ledger.read_bytes() if scenario.is_damaged else None
            first = [] if scenario.is_damaged else self._events(scenario)
            acked = len(first)
            allowed = {acked}
            for command in scenario.commands:
                done = self._traced(command, scenario)
                after = len(self._events(scenario))
                allowed |= {after, *range(acked, after, command.each or max(1, after - acked))}
                is_last = command is scenario.commands[-1]
                steps += [Step(None, acked), *_steps(done, command, acked, after, is_last=is_last)]
                acked = after
            performed = Performed(scenario, disk, tuple(steps), frozenset(allowed), first, damaged)
            with self.copy_disk() as root:
                check_model(performed, root)
        return performed

    def _traced(self, command: Command, scenario: Scenario) -> trace.Traced:
        program: tuple[str, ...] = PROGRAM
        if scenario.tricks:
            program = (sys.executable, "-m", "tests.faults.power.child", ",".join(scenario.tricks))
        with shell(self.root / scenario.place) as typed:
            env = typed.environment()
        argv = [*program, *self.argv(command, self.root)]
        done = trace.run(
            argv, self.base, self.root, self.base / "trace", env=env, stdin=command.stdin
        )
        assert done.code == 0, (command, done.out, done.err)
        return done

    def _events(self, scenario: Scenario) -> list[Row]:
        """Return the events of a ledger; from a copy, since opening it changes files."""
        with self.copy_disk() as root:
            ledger = root / scenario.place
            if not ledger.exists():
                return []
            with closing(open_ledger(ledger, readonly=False)) as db:
                return db.execute(EVENTS).fetchall()

    @contextmanager
    def copy_disk(self) -> Iterator[Path]:
        """Copy the disk as programs see it, to read it."""
        root = self.base / "copy"
        shutil.copytree(self.root, root)
        try:
            yield root
        finally:
            shutil.rmtree(root)


def _steps(
    done: trace.Traced, command: Command, before: int, after: int, *, is_last: bool
) -> Iterator[Step]:
    output, acked, is_over = "", before, False
    for call in done.calls:
        if is_output(call):
            output += call.data(1).decode()
            if command.lines:
                acked = before + output.count("\n")
            if output == done.out:
                acked, is_over = after, is_last
        yield Step(call, acked, is_over)
    assert output == done.out
    # A requested output file is acknowledged when the program ends.
    yield Step(None, after, is_last)


def is_output(call: trace.Call) -> bool:
    """Return whether a call writes to standard output, where results are printed."""
    return call.name in {"write", "writev"} and call.descriptor() == 1


def count(db: Connection) -> int:
    """Return how many events there are."""
    (number,) = db.execute("SELECT count(*) FROM event").fetchone()
    return int(number)


def rows(db: Connection, table: str) -> list[tuple[object, ...]]:
    """Return a table in an order of its own."""
    return sorted(db.execute(f'SELECT * FROM "{table}"').fetchall(), key=repr)  # noqa: S608


@contextmanager
def shell(ledger: Path) -> Iterator[Shell]:
    """Give a shell whose commands are about a ledger."""
    with patch.dict(os.environ, LIVEPORTAL_LEDGER=str(ledger)):
        yield Shell(ledger.parent, ledger)


@contextmanager
def _reader(ledger: Path) -> Iterator[None]:
    """Let another program keep a ledger open, as `requests watch` does."""
    # In this process it would lose its locks whenever a copy of the file is closed.
    holding = "import sys; from liveportal.ledger.storage.driver import Connection\n"
    holding += "db = Connection(sys.argv[1])\n"
    holding += "print(db.execute('SELECT count(*) FROM event').fetchall(), flush=True); input()"
    argv = [sys.executable, "-c", holding, str(ledger)]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, cwd=ROOT, stdin=pipe, stdout=pipe) as process:
        assert process.stdout
        assert process.stdout.readline()
        yield
        process.communicate(b"\n")


def replay(performed: Performed) -> Iterator[tuple[Disk, Step, bool]]:
    """Repeat the calls on a new disk, and stop after each step.

    Yields for each whether a crash after it differs from one before it.
    """
    disk = copy.deepcopy(performed.disk)
    for step in performed.steps:
        is_moment = True
        if step.call is None:
            disk.begin()
        elif not is_output(step.call):
            is_moment = disk.do(step.call)
        yield disk, step, is_moment


def check_model(performed: Performed, root: Path) -> None:
    """With everything synced, the model's disk equals the real one: no call was overlooked."""
    disk = deque(replay(performed), maxlen=1)[0][0]
    model = {path: disk.nodes[number] for path, number in paths(disk.names)}
    real = {str(path.relative_to(root)): path for path in root.rglob("*")}
    assert model.keys() == real.keys()
    for path, node in model.items():
        assert node.is_folder is real[path].is_dir(), path
        content, mode = node.latest()
        assert stat.S_IMODE(real[path].stat().st_mode) == mode, path
        if not node.is_folder and not path.endswith("-shm"):
            assert real[path].read_bytes() == content, path
