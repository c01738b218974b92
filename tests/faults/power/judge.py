"""Crashes of a scenario, as many as asked for, each judged once."""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from liveportal.domain.errors import LiveportalError
from liveportal.ledger.opening import open_ledger
from liveportal.ledger.storage.driver import Connection, DatabaseError
from liveportal.ledger.verify.verify import verify
from tests.faults.power.crash import CHANCE, FIXED, Crashed, Plan, crash_folder
from tests.faults.power.scenario import (
    EVENTS,
    AfterCrash,
    Performed,
    Stage,
    Step,
    count,
    is_output,
    replay,
    shell,
)
from tests.kit.verified import deeply

SEED = 20_261_128
PASSING = ("-wal", "-shm", "-journal")
"""Files that SQLite keeps beside a ledger; their content shows through the ledger."""


@dataclass(slots=True)
class Report:
    """How many crashes there were, at how many moments, and how many ledgers they led to."""

    states: int = 0
    moments: int = 0
    ledgers: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    first: str = ""

    def __str__(self) -> str:
        return (
            f"{self.states} crash states at {self.moments} moments, {self.ledgers} different"
            f" ledgers after recovery, {self.wrong.total()} wrong"
        )


@dataclass(frozen=True, slots=True)
class Crash:
    """The folder after a crash at a step, its plan, and the progress of the run."""

    number: int
    step: Step
    plan: Plan
    left: Crashed

    def __str__(self) -> str:
        call = self.step.call
        after = f"{call.name}({', '.join(map(_short, call.args))})" if call else "a command"
        return f"crash after step {self.number}, {after}: {self.plan}; {self.step.acked} events due"


def _short(text: str) -> str:
    """Return the end of an argument of a call in plain, which is where the name of a file is."""
    plain = re.sub(r"\\x([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), text[:4_000])
    return ascii(plain)[1:-1][-40:]


def crashes(performed: Performed, amount: int, seed: int = SEED) -> Iterator[Crash]:
    """Make different crashes of a scenario, about as many as asked for.

    After an acknowledgement or the end of a command the synced content must be enough: these
    crashes are always included. The others are drawn from all moments and plans.
    """
    rng = random.Random(seed)  # noqa: S311 -- The same crashes each time.
    moments = [n for n, (_, _, is_moment) in enumerate(replay(performed)) if is_moment]
    drawn: Counter[int] = Counter(rng.choices(moments, k=amount))
    seen: set[tuple[bytes, int, bool]] = set()
    for number, (disk, step, _) in enumerate(replay(performed)):
        plans = [rng.choice((*FIXED, *CHANCE, *CHANCE)) for _ in range(drawn[number])]
        if step.call is None or is_output(step.call):
            plans += FIXED
        for plan in plans:
            left = crash_folder(disk, plan, rng)
            key = (left.digest(), step.acked, step.is_over)
            if key not in seen:
                seen.add(key)
                yield Crash(number, step, plan, left)


class Judge:
    """Judges the folders that crashes of a scenario leave."""

    def __init__(self, stage: Stage, performed: Performed) -> None:
        self._stage = stage
        self._scenario = performed.scenario
        self._performed = performed
        self._sound: set[bytes] = set()
        self._repeated: set[bytes] = set()
        with stage.copy_disk() as root:
            ledger = root / self._scenario.place
            with closing(open_ledger(ledger, readonly=False)) as db:
                verify(db)
                self._events = db.execute(EVENTS).fetchall()
                self._outcome = self._scenario.outcome(db)

    @property
    def ledgers(self) -> int:
        """How many different ledgers there were."""
        return len(self._sound)

    def check(self, crash: Crash) -> None:
        """Open the folder of a crash, and run the commands again; raises AssertionError."""
        root, step = self._stage.crashed, crash.step
        ledger = root / self._scenario.place
        crash.left.write(root)
        result = AfterCrash(root, ledger, None, 0, step.acked, step.is_over)
        self._scenario.look(result)
        state = b""
        if not ledger.exists() or self._is_still_damaged(ledger):
            assert step.acked == 0, "the ledger is gone"
            assert 0 in self._performed.allowed, "the ledger is gone"
            self._scenario.check(result)
            state = b"damaged" if ledger.exists() else b""
        else:
            # The first process to open it may be a reader.
            with closing(open_ledger(ledger, readonly=crash.number % 2 == 0)) as db:
                state = self._judge(db, step)
                self._scenario.check(replace(result, db=db, events=count(db)))
        state += _others(ledger)
        if state not in self._repeated:
            self._repeated.add(state)
            self._repeat(root, ledger)

    def _is_still_damaged(self, ledger: Path) -> bool:
        damaged = self._performed.damaged
        return damaged is not None and ledger.read_bytes() == damaged

    def _judge(self, db: Connection, step: Step) -> bytes:
        """Judge a ledger, and return a digest of it."""
        (answer,) = db.execute("PRAGMA quick_check(1)").fetchone()
        assert answer == "ok", f"the file is damaged: {answer}"
        digest = _digest(db)
        if digest not in self._sound:
            verify(db)
            self._sound.add(digest)
        events = db.execute(EVENTS).fetchall()
        number = len(events)
        if self._scenario.is_replaced:
            assert events == self._events or not step.is_over, "the old ledger is back"
            assert events in (self._performed.first, self._events), "it is neither old nor new"
            return digest
        assert number >= step.acked, f"{number} events are left of {step.acked} acknowledged"
        assert number in self._performed.allowed, f"{number} events: a transaction was cut"
        assert events == self._events[:number], "the events are not those that were recorded"
        return digest

    def _repeat(self, root: Path, ledger: Path) -> None:
        """Run the commands again: all is as it was at the end."""
        with shell(ledger) as typed:
            for command in self._scenario.commands:
                ran = typed.run(*self._stage.argv(command, root), stdin=command.stdin)
                assert ran.code in {0, *command.again}, (command.argv, ran)
        with closing(open_ledger(ledger, readonly=False)) as db:
            deeply(db, ledger)
            assert self._scenario.outcome(db) == self._outcome, "run again, it ends otherwise"
            total = count(db)
            result = AfterCrash(root, ledger, db, total, total, is_over=True)
            self._scenario.check(result)
        self._scenario.look(replace(result, db=None))


def _digest(db: Connection) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    tables = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    for (table,) in tables.fetchall():
        for row in db.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 -- The names are ours.
            digest.update(repr(row).encode())
    return digest.digest()


def _others(ledger: Path) -> bytes:
    """Return a digest of the files beside a ledger."""
    digest = hashlib.blake2b(digest_size=16)
    root = ledger.parent
    for path in sorted(root.rglob("*")):
        if path != ledger and not path.name.endswith(PASSING):
            digest.update(f"{path.relative_to(root)}\0{path.stat().st_mode}\0".encode())
            digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.digest()


def judge_crashes(stage: Stage, performed: Performed, amount: int, seed: int = SEED) -> Report:
    """Judge crashes of a scenario, and count the failures."""
    judge, report, moments = Judge(stage, performed), Report(), set()
    for crash in crashes(performed, amount, seed):
        report.states += 1
        moments.add(crash.number)
        try:
            judge.check(crash)
        except (AssertionError, LiveportalError, DatabaseError) as error:
            what = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            report.wrong[what[:120]] += 1
            report.first = report.first or f"{crash}\n{what}"
    report.moments, report.ledgers = len(moments), judge.ledgers
    return report
