"""A ledger with requests of every kind, and short ways to list and accept them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from liveportal.domain.row import columns
from liveportal.ledger.queries import requests as seen
from tests.commands.test_sync import feed, opened
from tests.kit.events import amount, line

if TYPE_CHECKING:
    from tests.kit.shell import Shell

NOW = "2026-10-05T09:00:00+00:00"
PREFERENCES = line(
    "preferences.changed",
    "10-01 09:00",
    id="prefs",
    timezone="Europe/Paris",
    skills=["Shaders", "urp"],
    minimum_rate=amount("2.50"),
    direct_rate=amount("3.50"),
    availability={"weekly": {"wed": ["09:00-18:00"], "thu": ["07:30-09:00"]}},
    buffers={"before": 15},
    vacations=[{"start": "2026-10-14", "end": "2026-10-14"}],
    auto_decline=[
        {"reason": "too cheap", "below_rate": amount("1.50")},
        {"reason": "not my field", "unmatched": True, "kind": "scheduled"},
    ],
)
SLOTS = [
    {"start": "2026-10-14T10:00:00Z", "minutes": 60},  # A vacation.
    {"start": "2026-10-07T07:00:00Z", "minutes": 60},  # 09:00 in Paris, night in New York.
    {"start": "2026-10-07T13:00:00Z", "minutes": 30},
    {"start": "2026-10-09T13:00:00Z", "minutes": 45},  # A Friday, which has no hours.
    {"start": "2026-10-05T08:00:00Z", "minutes": 45},  # Begun already.
]
BEST = 3
REQUESTS = (
    opened("OLD", "10-05 07:00", expires="2026-10-05T08:59:59.999999Z", skills=["urp"]),
    opened("LAST", "10-05 08:00", expires="2026-10-05T09:00:00Z", skills=["netcode", "URP"]),
    opened("CHEAP", "10-05 08:10", rate=amount("1.00"), customer={"id": "C-2", "name": "Ann"}),
    opened(
        "PLAN",
        "10-05 08:20",
        kind="scheduled",
        slots=SLOTS,
        customer={"id": "C-2", "timezone": "America/New_York"},
        expires="2026-10-07T09:00:00Z",
    ),
    opened(
        "OTHER",
        "10-05 08:30",
        kind="scheduled",
        direct=True,
        slots=[SLOTS[2]],
        skills=["netcode"],
        rate=amount("3.49"),
        customer={"id": "C-3", "timezone": "Nowhere/\ud800"},
    ),
    # Two past sessions of Ann's, each with her review; a third was never reviewed by her.
    *(
        line(
            "session.logged",
            "10-02 10:00",
            id=f"log-{n}",
            session=f"PAST-{n}",
            customer={"id": "C-2"},
            rate=amount("3.00"),
            start="2026-10-02T08:00:00Z",
            end="2026-10-02T09:00:00Z",
        )
        for n in (1, 2, 3)
    ),
    line("review.posted", "10-02 11:00", id="rev-1", session="PAST-1", by="customer", rating=5),
    line("review.posted", "10-02 11:00", id="rev-2", session="PAST-2", by="customer", rating=4),
    line("review.posted", "10-02 11:00", id="rev-4", session="PAST-3", by="expert", rating=1),
    line("review.posted", "10-02 12:00", id="rev-3", session="PAST-3", by="customer", rating=4),
)
OPEN = ["LAST", "CHEAP", "PLAN", "OTHER"]


def nine_o_clock(shell: Shell) -> None:
    """Record the requests; times shown count from nine o'clock on 5 October."""
    shell.says(PREFERENCES)
    assert shell.ok("sync", feed(shell, "asked.jsonl", *REQUESTS))["recorded"] == 12
    shell.clock.set(datetime.fromisoformat(NOW))


def list_requests(shell: Shell, *argv: object) -> list[str]:
    """List the requests of every state, unless one is given, and return their ids."""
    rows = shell.ok("requests", "list", *(() if "--state" in argv else ("--all",)), *argv)
    assert list(rows[0]) == list(
        dict.fromkeys(name.partition(".")[0] for name in columns(seen.RequestRow))
    )
    return [row["id"] for row in rows]


def row_of(shell: Shell, name: str) -> dict[str, Any]:
    """Return one request of the list."""
    (row,) = (row for row in shell.ok("requests", "list", "--all") if row["id"] == name)
    match: dict[str, Any] = row
    return match


def accept(shell: Shell, *argv: object) -> Any:  # noqa: ANN401 -- Whatever JSON holds.
    """Accept requests at nine o'clock."""
    return shell.ok("requests", "accept", *argv, "--at", NOW)
