"""A ledger of a chosen size, and the count of SQLite statements and steps of a command."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from liveportal.cli.main import main
from liveportal.ledger.storage import connection as sqlite_connection
from liveportal.ledger.storage import driver
from tests.kit.events import amount, line

NOW = "11-04 12:00"


def feed(count: int, *, before: int = 0, years: Sequence[int] = ()) -> Iterator[bytes]:
    """Yield feed lines with this many requests, sessions, claims and payouts.

    They are dated 2026; each year before has this many billed sessions and nothing else.
    """
    for year in years:
        for number in range(before):
            yield _logged(f"{year}-{number}", f"{year}-03-{number % 28 + 1:02d}T0")
    for number in range(count):
        yield from _requests(number)
        name, day = f"S-{number}", f"2026-10-{number % 28 + 1:02d}T0"
        yield _logged(name.removeprefix("S-"), day)
        yield line(
            "tip.received", "11-01 09:00", id=f"t-{number}", session=name, amount=amount("2")
        )
        yield _review(number)
        yield line(
            "artifact.added",
            "11-01 09:00",
            id=f"f-{number}",
            session=name,
            kind="recording",
            name="screen",
            sha256=f"{number:064x}",
            bytes=10,
        )
        yield line(
            "adjustment.posted",
            "10-31 09:00",
            id=f"j-{number}",
            adjustment=f"AD-{number}",
            amount=amount("1"),
            reason="bonus",
        )
        yield from _claims(number)
        yield line(
            "payout.sent",
            "11-02 09:00",
            id=f"p-{number}",
            payout=f"PO-{number}",
            amount=amount("1"),
            method="paypal",
        )


def _requests(number: int) -> Iterator[bytes]:
    slots = [{"start": f"2026-12-01T{number % 24:02d}:00:00Z", "minutes": 60}]
    for kind, name in (("open", f"R-{number}"), ("upcoming", f"U-{number}")):
        yield line(
            "request.opened",
            "11-03 09:00",
            id=f"{kind}-{number}",
            request=name,
            kind="scheduled",
            customer={"id": f"C-{number}"},  # Without a name: it must be looked up.
            title="Shader",
            rate=amount("3.00"),
            slots=slots,
            expires="2026-11-20T00:00:00Z",
        )
    yield line("request.accepted", "11-03 10:00", id=f"a-{number}", request=f"U-{number}", slot=1)


def _logged(name: str, day: str) -> bytes:
    return line(
        "session.logged",
        f"{day}9:30:00Z",
        id=f"l-{name}",
        session=f"S-{name}",
        customer={"id": f"C-{name}"},
        rate=amount("3.00"),
        start=f"{day}9:00:00Z",
        end=f"{day}9:30:00Z",
        title="Shader",
    )


def _review(number: int) -> bytes:
    return line(
        "review.posted",
        "11-01 09:00",
        id=f"v-{number}",
        session=f"S-{number}",
        by="customer",
        rating=5,
    )


def _claims(number: int) -> Iterator[bytes]:
    claim = {"claim": f"CL-{number}", "session": f"S-{number}"}
    yield line("refund.claimed", "11-03 09:00", id=f"c-{number}", **claim)
    if number % 2:
        yield line(
            "dispute.filed", "11-03 10:00", id=f"d-{number}", claim=claim["claim"], summary=""
        )


def make_ledger(folder: Path, lines: Iterator[bytes]) -> Path:
    """Record a feed in a new ledger."""
    ledger, feed_file = folder / "busy.db", folder / "busy.jsonl"
    feed_file.write_bytes(b"".join(lines))
    for argv in (["init"], ["sync", str(feed_file)]):
        assert main([*argv, "--ledger", str(ledger), "-o", str(folder / "out")]) == 0
    return ledger


class Effort:
    """What the engine did for a command: its statements, and hundreds of steps of its machine."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.hundreds = 0

    def step(self) -> int:
        """Count, and let it go on."""
        self.hundreds += 1
        return 0

    def said(self, statement: str) -> None:
        """Keep a statement of the command's own; triggers and the index of words have theirs."""
        if not statement.startswith("--"):
            self.statements.append(statement)


@contextmanager
def watch_engine() -> Iterator[Effort]:
    """Record SQLite's statements and steps while the context is open."""
    connect = sqlite_connection._connect  # noqa: SLF001 -- The one place where a file is opened.
    effort = Effort()

    def watching(*given: Any, **more: Any) -> driver.Connection:  # noqa: ANN401
        connection = connect(*given, **more)
        connection.set_trace_callback(effort.said)
        connection.set_progress_handler(effort.step, 100)
        return connection

    with patch.object(sqlite_connection, "_connect", watching):
        yield effort


def plan(connection: driver.Connection, statement: str) -> list[str]:
    """Return the lines of SQLite's plan of a statement."""
    plan_rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
    return [str(detail) for *_, detail in plan_rows]


OF_FEW = re.compile("USING INDEX (request_open|item_open|session_agenda|session_undecided)")
"""Indexes of only what is still open: they are read whole, and are short."""


def whole_reads(plan_lines: Sequence[str]) -> list[str]:
    """Return the lines of a plan that read a whole table, row by row, not from an index alone."""
    scans = [text for text in plan_lines if re.match(r"SCAN \w+", text)]
    good = ("COVERING INDEX", "VIRTUAL TABLE")
    return [
        scan for scan in scans if not any(by in scan for by in good) and not OF_FEW.search(scan)
    ]
