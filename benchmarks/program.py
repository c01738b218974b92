"""How much the installed program costs: a read, a write and a long feed.

Processor time of whole processes, each beside that of an idle Typer program measured in the same
round, since the ratio says more than seconds of a machine that nobody else has. The feed is made
here: as many short sessions as asked for, and open requests for the writes to accept.

    python -m benchmarks.program [EVENTS]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROUNDS = 15
EVENTS = 30_000
FIRST = datetime(2026, 10, 1, tzinfo=UTC)
PROGRAM = (sys.executable, "-m", "liveportal")
IDLE = """
import typer
app = typer.Typer()
@app.command()
def idle() -> None: ...
app()
"""


def event(number: int, name: str, at: datetime, /, **data: object) -> dict[str, object]:
    """Make one event of the feed."""
    return {
        "specversion": "1.0",
        "id": f"bench-{number}",
        "source": "urn:bench",
        "type": f"liveportal.{name}",
        "time": at.isoformat(),
        "data": data,
    }


def feed(events: int) -> Iterator[dict[str, object]]:
    """Yield sessions of seven minutes, three events each, within a month; then open requests."""
    opened = {
        "kind": "instant",
        "customer": {"id": "C-1", "name": "Mina"},
        "title": "Shader flickers",
        "rate": {"amount": "3.00", "currency": "USD"},
    }
    step = timedelta(days=30) / max(1, events // 3)
    for number in range(events // 3):
        at, name = FIRST + number * step, f"R-{number}"
        yield event(3 * number, "request.opened", at, request=name, **opened)
        yield event(3 * number + 1, "request.accepted", at, request=name)
        yield event(3 * number + 2, "session.ended", at + timedelta(minutes=7), session=name)
    for number in range(ROUNDS):
        yield event(events + number, "request.opened", FIRST, request=f"OPEN-{number}", **opened)


def processor_seconds(command: Sequence[str]) -> float:
    """Run a command that must succeed; return its processor time, user and system."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None  # noqa: S101 -- It is a pipe, as asked for above.
    with process.stderr:
        complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{complaint.decode()}")
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measure and print."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder, "feed.jsonl")
        with lines.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(each) + "\n" for each in feed(events))
        ledger = ("--ledger", str(Path(folder, "book.db")))
        processor_seconds([*PROGRAM, "init", *ledger])
        began = time.perf_counter()
        processor_seconds([*PROGRAM, "sync", str(lines), *ledger])
        seconds = time.perf_counter() - began
        print(f"sync: {events / seconds:,.0f} events/s ({events:,} events in {seconds:.1f} s)")

        read = ("earnings", "--month", "2026-10", "--json")
        cost: dict[str, list[float]] = {"idle Typer": [], "earnings --month": [], "accept": []}
        for number in range(ROUNDS):
            # One after the other in each round, so that a busy moment strikes all three.
            accept = ("requests", "accept", f"OPEN-{number}", "--json")
            cost["idle Typer"].append(processor_seconds([sys.executable, "-c", IDLE]))
            cost["earnings --month"].append(processor_seconds([*PROGRAM, *read, *ledger]))
            cost["accept"].append(processor_seconds([*PROGRAM, *accept, *ledger]))
    idle = statistics.median(cost["idle Typer"])
    for name, measured in cost.items():
        middle = statistics.median(measured)
        print(f"{name}: {middle * 1000:.0f} ms of processor time, {middle / idle:.2f} x idle Typer")


if __name__ == "__main__":
    main()
