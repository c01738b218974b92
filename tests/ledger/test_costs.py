"""The costs that are promised: the statements that the journal runs, and its memory.

No time is asserted; statements and bytes are the same on every machine.
"""

from __future__ import annotations

import gc
import tracemalloc
from io import BytesIO
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from liveportal.domain.events.types import RequestAccepted
from liveportal.domain.policy import Policy
from liveportal.portal import Portal
from tests.kit.events import line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


RATE = {"amount": "3.00", "currency": "USD"}
ASKED_BY_A_CHUNK = 14
ASKED_BY_A_WRITE = 13
WRITTEN_BY_AN_ACCEPTANCE = 7


def feed(sessions: int) -> bytes:
    """Write a feed of sessions, each in seven events that all query something else."""
    ids = count(1)

    def event(kind: str, when: str, /, **data: Any) -> bytes:  # noqa: ANN401 (JSON)
        return line(kind, when, id=f"f-{next(ids)}", **data)

    def session(name: str) -> Iterator[bytes]:
        customer = {"id": f"C-{name}", "name": "Mina"}
        opened = {"kind": "instant", "customer": customer, "title": "Help", "rate": RATE}
        yield event("request.opened", "10-05 09:00", request=name, **opened)
        yield event("request.accepted", "10-05 09:01", request=name)
        yield event("session.paused", "10-05 09:10", session=name)
        yield event("session.resumed", "10-05 09:12", session=name)
        yield event("session.ended", "10-05 09:30", session=name)
        yield event("refund.claimed", "10-05 10:00", claim=f"CL-{name}", session=name)
        yield event("refund.conceded", "10-05 11:00", claim=f"CL-{name}")

    return b"".join(part for number in range(sessions) for part in session(f"R-{number}"))


def statements(ledger: Path, lines: bytes) -> list[str]:
    """Sync a feed, and return the statements that ran."""
    executed: list[str] = []
    with Portal(ledger) as portal:
        portal.reader().db.set_trace_callback(executed.append)
        portal.sync(BytesIO(lines))
    return [" ".join(each.split()) for each in executed]


def asked(executed_statements: list[str]) -> list[str]:
    """Return the queries among the statements."""
    return [statement for statement in executed_statements if statement.startswith("SELECT")]


def test_a_chunk_asks_as_little_for_many_events_as_for_few(ledger: Path) -> None:
    """Entities are looked up once a chunk, never once an event."""
    other = ledger.with_name("other.db")
    Portal.create(other, Policy())
    few, many = asked(statements(ledger, feed(3))), asked(statements(other, feed(200)))
    assert len(many) == len(few)
    # Once a sync: the initial state. Once a chunk: ids, facts, entities and the agenda.
    assert len(many) <= ASKED_BY_A_CHUNK


def test_an_entity_is_written_once_a_chunk(ledger: Path) -> None:
    """However often it changed: a session of five steps is one row that is written once."""
    executed_statements = statements(ledger, feed(10))
    for table in ("request", "session", "claim", "customer"):
        assert (
            sum(
                statement.startswith(f'INSERT INTO "{table}" ') for statement in executed_statements
            )
            == 10
        )


def test_a_payout_writes_what_it_pays_once(ledger: Path) -> None:
    """Open items are read once a chunk; an item earned and paid in it is one row."""
    paid = []
    for number in range(5):
        name, when = f"S-{number}", f"10-{number + 10}"
        logged: dict[str, Any] = {
            "session": name,
            "customer": {"id": "C-1", "name": "Mina"},
            "title": "Help",
            "rate": RATE,
            "start": f"2026-{when}T08:00:00Z",
            "end": f"2026-{when}T09:00:00Z",
        }
        paid += [
            line("session.logged", f"{when} 09:00", id=name, **logged),
            line(
                "payout.sent",
                f"{when} 10:00",
                id=f"sent-{number}",
                payout=f"P-{number}",
                amount={"amount": "126.00", "currency": "USD"},
                method="paypal",
            ),
        ]
    executed_statements = statements(ledger, b"".join(paid))
    for table, count_of_rows in (("item", 5), ("payout_line", 5), ("session", 5)):
        assert (
            sum(
                statement.startswith(f'INSERT INTO "{table}" ') for statement in executed_statements
            )
            == count_of_rows
        )
    assert sum("FROM item" in statement for statement in asked(executed_statements)) == 1


def test_a_second_sync_asks_as_little(ledger: Path) -> None:
    """Replays are looked up in bulk, however many events the ledger has."""
    lines = feed(20)
    statements(ledger, lines)
    executed_statements = statements(ledger, lines)
    assert not [statement for statement in executed_statements if statement.startswith("INSERT")]
    assert len(asked(executed_statements)) <= ASKED_BY_A_CHUNK


def test_a_single_write_runs_few_statements(ledger: Path) -> None:
    """An acceptance loads each thing that it is judged by once, and writes its rows."""
    opened = feed(1).splitlines(keepends=True)[0]
    executed: list[str] = []
    with Portal(ledger) as portal:
        portal.sync(BytesIO(opened))
        portal.reader().db.set_trace_callback(executed.append)
        portal.execute(RequestAccepted(request="R-0"))
    ours = [" ".join(each.split()) for each in executed if not each.startswith("--")]
    assert len(asked(ours)) <= ASKED_BY_A_WRITE
    assert sum(each.startswith("INSERT") for each in ours) <= WRITTEN_BY_AN_ACCEPTANCE
    assert len(asked(ours)) == len(set(asked(ours))), "the same is asked twice"


def test_memory_does_not_hold_the_feed(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight times as many chunks take no more memory than one after the other."""
    monkeypatch.setattr("liveportal.services.sync.CHUNK_LINES", 140)

    def peak(sessions: int, path: Path) -> int:
        Portal.create(path, Policy())
        lines = BytesIO(feed(sessions))
        with Portal(path) as portal:
            gc.collect()
            tracemalloc.start()
            try:
                portal.sync(lines)
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    peak(20, ledger.with_name("warm.db"))  # Created once per process.
    few, many = peak(40, ledger.with_name("few.db")), peak(320, ledger.with_name("many.db"))
    assert many < 1.5 * few
