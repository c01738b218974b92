"""Typing in what the platform has already reported: the command says so and books it once."""

from __future__ import annotations

import json
from typing import Any

from tests.kit.shell import Shell

TIP = ("sessions", "tip", "S-1002", "10.00")  # October's feed has it.
AT = ("--at", "2026-10-12 23:30")


def tips(shell: Shell) -> list[str]:
    """Return the amounts of the tips that are booked."""
    return [row["amount"] for row in shell.ok("earnings", "transactions") if row["kind"] == "tip"]


def test_a_tip_that_the_feed_reported_says_so(october: Shell) -> None:
    """Nothing is booked; the result says so, names the source and what to do."""
    before = tips(october)
    done = october.ok(*TIP, *AT)
    assert done["confirmed"] is True
    assert "Nothing new was recorded" in done["message"]
    assert "https://help.example/experts/7 already reported this tip" in done["message"]
    assert "--again" in done["message"]
    assert tips(october) == before
    shown = october.run(*TIP, *AT, "--dry-run", "--key", "K-1", terminal=True)
    assert shown.code == 0


def test_a_person_reads_that_nothing_was_recorded_twice(october: Shell) -> None:
    """On a terminal, and in a pipe."""
    for terminal in (True, False):
        shown = october.run(*TIP, *AT, "--key", "K-1", terminal=terminal)
        assert "Nothing new was recorded" in " ".join(shown.out.split())


def test_again_records_one_more(october: Shell) -> None:
    """The event is marked as deliberate, and a replay decides as the first time."""
    before = tips(october)
    argv = (*TIP, *AT, "--again", "--key", "K-1")
    done = october.ok(*argv)
    assert (done["confirmed"], done["message"]) == (False, None)
    assert tips(october) == [*before, "10.00"]
    assert october.ok(*argv)["replayed"] is True
    happened = october.ok("sessions", "show", "S-1002")["history"]
    assert happened[-1]["data"]["again"] is True
    october.ok("ledger", "verify")
    assert tips(october) == [*before, "10.00"]


def test_the_feed_confirms_the_one_more(october: Shell) -> None:
    """What the platform then reports of the second tip is no third one; its own `again` is."""
    before = tips(october)
    october.ok(*TIP, *AT, "--again")
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": "oct-tip-2",
        "source": "https://help.example/experts/7",
        "type": "liveportal.tip.received",
        "time": "2026-10-12T23:40:00Z",
        "data": {"session": "S-1002", "amount": {"amount": "10.00", "currency": "USD"}},
    }
    assert october.ok("sync", october.file("more.jsonl", json.dumps(event)))["confirmed"] == 1
    assert tips(october) == [*before, "10.00"]
    event |= {"id": "oct-tip-3", "source": "https://other.example"}
    event["data"] |= {"again": True}
    assert october.ok("sync", october.file("more.jsonl", json.dumps(event)))["recorded"] == 1
    assert tips(october) == [*before, "10.00", "10.00"]


def test_a_review_that_the_feed_reported_says_so(october: Shell) -> None:
    """There is no second one: each side has one review."""
    shown = october.ok("sessions", "show", "S-1001")["reviews"]
    (theirs,) = (row for row in shown if row["by"] == "customer")
    argv = ("sessions", "review", "S-1001", theirs["rating"], "--by", "customer")
    done = october.ok(*argv, "--at", "2026-10-13 10:00")
    assert done["confirmed"] is True
    assert "already reported this review for session S-1001" in done["message"]
    assert "--again" not in done["message"]
    assert october.ok("sessions", "show", "S-1001")["reviews"] == shown


def test_what_you_recorded_before_is_yours(october: Shell) -> None:
    """The source of the expert's own events has a technical name, which is not shown."""
    october.ok("payout", "record", "10", "--id", "PO-X", "--anyway")
    october.ok("payout", "paid", "PO-X", "--fee", "1")
    message = october.ok("payout", "paid", "PO-X", "--fee", "1")["message"]
    assert message.startswith("Nothing new was recorded: you already reported this for payout PO-X")
