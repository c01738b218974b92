"""A month by commands alone, without a feed: every figure, and both ways of every decision."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.shell import Shell

pytestmark = pytest.mark.slow

DAY = "2026-10-05"
SESSION = "REQ-1"  # By default a session has its request's id.


def _pick(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def _balance(shell: Shell, month: str = "2026-10") -> tuple[str, ...]:
    """Return the amounts owed, held, in transit and paid out at a month's end."""
    balance: dict[str, str] = shell.ok("earnings", "--month", month)["balance"]
    return tuple(balance.values())


def _claims(shell: Shell) -> list[tuple[Any, ...]]:
    names = ("id", "state", "amount", "held", "cost")
    return [_pick(row, *names) for row in shell.ok("refunds", "list")]


@pytest.fixture
def ended(empty: Shell) -> Shell:
    """Give a ledger whose only session ended: 30 billed minutes at $3.00."""
    add = ("requests", "add", "--id", "REQ-1", "--customer", "C-77", "--name", "Mina")
    row = empty.ok(*add, "--title", "Shader flickers", "--rate", "3", "--at", f"{DAY} 14:00")
    assert _pick(row, "id", "state", "time") == ("REQ-1", "open", "2026-10-05T14:00:00Z")
    row = empty.ok("requests", "accept", "REQ-1", "--at", f"{DAY} 14:01")
    assert _pick(row, "id", "state", "session") == ("REQ-1", "accepted", SESSION)
    assert row["start"] == "2026-10-05T14:01:00Z"
    assert empty.ok("sessions", "list")[0]["state"] == "live"
    row = empty.ok("sessions", "pause", SESSION, "--at", f"{DAY} 14:10")
    assert _pick(row, "state", "gross", "minutes") == ("paused", None, None)
    row = empty.ok("sessions", "resume", SESSION, "--at", f"{DAY} 14:15")
    assert row["state"] == "live"
    row = empty.ok("sessions", "end", SESSION, "--at", f"{DAY} 14:36")
    assert _pick(row, "state", "start", "end") == (
        *("ended", "2026-10-05T14:01:00Z", "2026-10-05T14:36:00Z"),
    )
    assert _pick(row, "minutes", "gross", "fee", "earned", "currency") == (
        *("30.00", "90.00", "27.00", "63.00", "USD"),
    )
    assert _balance(empty) == ("63.00", "0.00", "0.00", "0.00")
    return empty


@pytest.fixture
def claimed(ended: Shell) -> Shell:
    """Give a ledger whose session was claimed back whole, an hour after its end."""
    argv = ("refunds", "claim", SESSION, "--id", "CL-1", "--reason", "Still flickers")
    row = ended.ok(*argv, "--at", f"{DAY} 15:36")
    assert _pick(row, "id", "state", "session") == ("CL-1", "open", SESSION)
    assert _pick(row, "amount", "held", "cost", "flags") == ("90.00", "63.00", "63.00", [])
    assert _balance(ended) == ("0.00", "63.00", "0.00", "0.00")
    return ended


@pytest.fixture
def disputed(claimed: Shell) -> Shell:
    """Give a ledger whose claim is disputed."""
    argv = ("dispute", "file", "CL-1", "--summary", "Fixed at 14:30.")
    row = claimed.ok(*argv, "--at", f"{DAY} 16:00")
    assert _pick(row, "id", "state", "held") == ("CL-1", "disputed", "63.00")
    shown = claimed.ok("dispute", "show", "CL-1")
    assert _pick(shown, "summary", "reason", "disputed_at") == (
        *("Fixed at 14:30.", "Still flickers", "2026-10-05T16:00:00Z"),
    )
    return claimed


# --- instant --------------------------------------------------------------------------------------


def test_a_dispute_that_is_accepted_costs_nothing(disputed: Shell) -> None:
    """Accepted: the held amount is owed again; the month has a claim and a dispute."""
    row = disputed.ok("dispute", "rule", "CL-1", "--accepted", "--at", "2026-10-08 10:00")
    assert _pick(row, "state", "held", "cost") == ("accepted", "0.00", "0.00")
    month = disputed.ok("earnings", "--month", "2026-10")
    assert _pick(month, "sessions", "minutes", "gross", "platform_fee", "earned", "net") == (
        *(1, "30.00", "90.00", "27.00", "63.00", "63.00"),
    )
    assert _pick(month, "refund_claims", "disputes", "refunds", "refunded", "deducted") == (
        *(1, 1, 0, "0.00", "0.00"),
    )
    assert _balance(disputed) == ("63.00", "0.00", "0.00", "0.00")
    record = disputed.ok("earnings", "transactions")
    assert [_pick(row_shown, "kind", "gross", "fee", "amount", "owed") for row_shown in record] == [
        ("earning", "90.00", "27.00", "63.00", "63.00"),
        ("hold", "0.00", "0.00", "0.00", "-63.00"),
        ("release", "0.00", "0.00", "0.00", "63.00"),
    ]
    assert disputed.ok("ledger", "verify")["ok"] is True


def test_a_dispute_that_is_rejected_is_deducted(disputed: Shell) -> None:
    """Rejected: the customer gets all back, and the expert earned exactly nothing."""
    argv = ("dispute", "rule", "CL-1", "--rejected", "--note", "The recording has no sound.")
    row = disputed.ok(*argv, "--at", "2026-11-02 10:00")
    assert _pick(row, "state", "held", "cost") == ("rejected", "0.00", "63.00")
    october, november = disputed.ok("earnings", "months")
    assert _pick(october, "month", "net", "refund_claims", "disputes") == ("2026-10", "63.00", 1, 1)
    assert tuple(october["balance"].values()) == ("0.00", "63.00", "0.00", "0.00")
    assert _pick(november, "month", "refunds", "refunded", "deducted", "net") == (
        *("2026-11", 1, "90.00", "63.00", "-63.00"),
    )
    assert _balance(disputed, "2026-11") == ("0.00", "0.00", "0.00", "0.00")
    refund = disputed.ok("earnings", "transactions", "--month", "2026-11")
    assert [_pick(row_shown, "kind", "gross", "fee", "amount", "owed") for row_shown in refund] == [
        ("refund", "-90.00", "-27.00", "-63.00", "0.00")
    ]
    shown = disputed.ok("sessions", "show", SESSION)
    assert _pick(shown, "gross", "refunded", "claim") == ("90.00", "90.00", "CL-1")
    assert disputed.ok("ledger", "verify")["ok"] is True


def test_a_withdrawn_dispute_leaves_the_claim_open(disputed: Shell) -> None:
    """The claim keeps its hold, and can be conceded."""
    row = disputed.ok("dispute", "withdraw", "CL-1", "--yes", "--at", "2026-10-06 09:00")
    assert _pick(row, "state", "held") == ("open", "63.00")
    assert (
        disputed.refuses(4, "dispute", "rule", "CL-1", "--accepted")["details"]["state"] == "open"
    )
    disputed.ok("refunds", "concede", "CL-1", "--yes", "--at", "2026-10-06 10:00")
    assert _claims(disputed) == [("CL-1", "conceded", "90.00", "0.00", "63.00")]


@pytest.mark.parametrize(
    ("command", "state", "cost", "owed"),
    [
        ("concede", "conceded", "63.00", "0.00"),
        ("grant", "granted", "63.00", "0.00"),
        ("deny", "denied", "0.00", "63.00"),
        ("withdraw", "withdrawn", "0.00", "63.00"),
    ],
)
def test_every_end_of_a_claim(
    claimed: Shell, command: str, state: str, cost: str, owed: str
) -> None:
    """Conceded and granted are deducted, denied and withdrawn released; none can come twice."""
    argv = ("refunds", command, "CL-1", "--reason", "as agreed", "--yes")
    row = claimed.ok(*argv, "--at", "2026-10-07 09:00")
    assert _pick(row, "state", "amount", "held", "cost") == (state, "90.00", "0.00", cost)
    assert _balance(claimed) == (owed, "0.00", "0.00", "0.00")
    error = claimed.refuses(4, *argv)
    assert (error["code"], error["details"]["state"]) == ("claim_not_open", state)
    shown = claimed.ok("refunds", "show", "CL-1")
    assert _pick(shown, "state", "cost", "decided_at") == (state, cost, "2026-10-07T09:00:00Z")


def test_a_replay_shows_what_that_event_did(ended: Shell) -> None:
    """A replayed claim shows its original hold, whatever happened since."""
    argv = ("refunds", "claim", SESSION, "--key", "k", "--at", f"{DAY} 15:00")
    first = ended.ok(*argv)
    ended.ok("refunds", "deny", first["id"], "--at", "2026-10-06 10:00")
    assert ended.ok(*argv) == first | {"replayed": True}


def test_a_claim_after_the_window_needs_late(ended: Shell) -> None:
    """24 hours after the end to the second is in time; later is a caution, and flagged."""
    argv = ("refunds", "claim", SESSION, "--id", "CL-9")
    late = ("--at", "2026-10-06 14:36:01")
    error = ended.refuses(4, *argv, *late)
    assert error["code"] == "late_claim"
    assert "--late" in error["hint"]
    assert ended.ok(*argv, *late, "--late", "--dry-run")["flags"] == ["late_claim"]
    assert ended.ok(*argv, "--at", "2026-10-06 14:36:00")["flags"] == []


def test_five_minutes_are_free(empty: Shell) -> None:
    """Exactly five minutes bill nothing, a microsecond more bills everything (R5)."""
    for name, end in (("A", "14:05:00"), ("B", "15:05:00.000001")):
        start = f"{DAY} {end[:2]}:00"
        argv = ("--customer", "C-1", "--title", "Hi", "--rate", "5", "--at", start)
        empty.ok("requests", "add", "--id", name, *argv)
        empty.ok("requests", "accept", name, "--at", start)
        empty.ok("sessions", "end", name, "--at", f"{DAY} {end}")
    free, billed = empty.ok("sessions", "list")
    assert _pick(free, "gross", "fee", "earned", "minutes") == ("0.00", "0.00", "0.00", "0.00")
    assert _pick(billed, "gross", "fee", "earned", "minutes") == ("25.00", "7.50", "17.50", "5.00")
    month = empty.ok("earnings", "--month", "2026-10")
    assert _pick(month, "sessions", "free_sessions", "minutes") == (1, 1, "5.00")
    assert empty.refuses(4, "refunds", "claim", "A")["code"] == "nothing_to_refund"


def test_what_the_platform_billed_is_booked(ended: Shell) -> None:
    """--billed wins over the policy's figure, which stays beside it."""
    argv = ("requests", "add", "--id", "R-2", "--customer", "C-1", "--title", "x", "--rate", "2")
    ended.ok(*argv, "--at", f"{DAY} 17:00")
    ended.ok("requests", "accept", "R-2", "--at", f"{DAY} 17:00", "--session", "S-2")
    row = ended.ok("sessions", "end", "S-2", "--billed", "39.99", "--at", f"{DAY} 17:20")
    assert _pick(row, "gross", "fee", "earned", "minutes") == ("39.99", "12.00", "27.99", "20.00")
    assert ended.ok("sessions", "show", "S-2")["expected"] == "40.00"


def test_accepting_while_another_session_is_live_is_flagged(empty: Shell) -> None:
    """An instant accept is no double booking of a slot: it is done, and flagged."""
    for name in ("A", "B"):
        argv = ("--customer", "C-1", "--title", "Hi", "--rate", "3", "--at", f"{DAY} 14:00")
        empty.ok("requests", "add", "--id", name, *argv)
    assert empty.ok("requests", "accept", "A", "--at", f"{DAY} 14:01")["flags"] == []
    assert len(empty.ok("requests", "accept", "B", "--at", f"{DAY} 14:02")["flags"]) == 1


# --- scheduled ------------------------------------------------------------------------------------


@pytest.fixture
def asked(empty: Shell) -> Shell:
    """Give a ledger in Paris with a scheduled request of three slots."""
    empty.ok("preferences", "set", "--zone", "Europe/Paris", "--at", "2026-10-01 09:00")
    slots = ("2026-10-12 15:00, 45", "2026-10-13 00:00, 45", "2026-10-26 09:00, 60")
    argv = ("requests", "add", "--id", "REQ-2", "--customer", "C-12", "--title", "Netcode")
    slot_options = [word for slot in slots for word in ("--slot", slot)]
    row = empty.ok(*argv, "--rate", "3.00", *slot_options, "--direct", "--at", "2026-10-07 11:00")
    assert row["state"] == "open"
    shown = empty.ok("requests", "show", "REQ-2")
    assert _pick(shown, "kind", "state", "direct", "rate") == ("scheduled", "open", True, "3.00")
    assert [_pick(slot, "start", "minutes") for slot in shown["slots"]] == [
        ("2026-10-12T13:00:00Z", 45),
        ("2026-10-12T22:00:00Z", 45),
        ("2026-10-26T08:00:00Z", 60),  # Winter time by then.
    ]
    return empty


def test_a_scheduled_request_from_slot_to_bill(asked: Shell) -> None:
    """The chosen slot is in Upcoming, and the bill is of the time spent."""
    assert asked.refuses(4, "requests", "accept", "REQ-2")["code"] == "slot_needed"
    argv = ("requests", "accept", "REQ-2", "--slot", "2", "--at", "2026-10-07 11:30")
    row = asked.ok(*argv, "--session", "S-2")
    assert _pick(row, "session", "start") == ("S-2", "2026-10-12T22:00:00Z")
    (planned,) = asked.ok("sessions", "upcoming")
    assert _pick(planned, "id", "state", "end") == ("S-2", "upcoming", "2026-10-12T22:45:00Z")
    asked.ok("sessions", "start", "S-2", "--at", "2026-10-13 00:00")
    row = asked.ok("sessions", "end", "S-2", "--at", "2026-10-13 00:50")
    assert _pick(row, "gross", "earned", "start") == ("150.00", "105.00", "2026-10-12T22:00:00Z")
    assert asked.ok("sessions", "upcoming") == []
    assert asked.ok("earnings", "--month", "2026-10")["net"] == "105.00"


def test_a_time_that_is_taken_is_a_caution(asked: Shell) -> None:
    """A slot that overlaps a booked one is refused without --overlap, and shown as a conflict."""
    asked.ok("requests", "accept", "REQ-2", "--slot", "1", "--at", "2026-10-07 11:30")
    argv = ("requests", "add", "--id", "REQ-3", "--customer", "C-1", "--title", "x", "--rate", "3")
    asked.ok(*argv, "--slot", "2026-10-12 15:44, 30", "--at", "2026-10-07 12:00")
    assert asked.ok("requests", "list", "--state", "open")[0]["conflicts"] == ["REQ-2"]
    accept = ("requests", "accept", "REQ-3", "--slot", "1", "--at", "2026-10-07 12:30")
    error = asked.refuses(4, *accept)
    assert error["code"] == "double_booking"
    assert "--overlap" in error["hint"]
    assert asked.ok(*accept, "--overlap")["flags"] == ["double_booking"]


@pytest.mark.parametrize(
    ("argv", "state"),
    [
        (("cancel", "--by", "customer", "--reason", "ill"), "cancelled"),
        (("cancel",), "cancelled"),
        (("miss", "--by", "customer"), "missed"),
        (("miss", "--by", "expert"), "missed"),
    ],
)
def test_what_does_not_take_place_books_nothing(
    asked: Shell, argv: tuple[str, ...], state: str
) -> None:
    """Cancelled and missed sessions cost nothing and are over."""
    asked.ok("requests", "accept", "REQ-2", "--slot", "1", "--at", "2026-10-07 11:30")
    row = asked.ok("sessions", argv[0], "REQ-2", *argv[1:], "--at", "2026-10-12 15:10")
    assert row["state"] == state
    assert asked.ok("earnings", "transactions") == []
    assert asked.refuses(4, "sessions", "start", "REQ-2")["details"]["state"] == state


def test_a_session_is_moved(asked: Shell) -> None:
    """Rescheduled it stays upcoming, keeps its length by default, and may be moved again."""
    asked.ok("requests", "accept", "REQ-2", "--slot", "1", "--at", "2026-10-07 11:30")
    move = ("sessions", "reschedule", "REQ-2", "--start")
    row = asked.ok(*move, "2026-10-14 18:00", "--at", "2026-10-08 09:00")
    assert _pick(row, "state", "start", "end") == (
        *("upcoming", "2026-10-14T16:00:00Z", "2026-10-14T16:45:00Z"),
    )
    row = asked.ok(*move, "2026-10-15 18:00", "--minutes", "90", "--at", "2026-10-09 09:00")
    assert _pick(row, "start", "end") == ("2026-10-15T16:00:00Z", "2026-10-15T17:30:00Z")
    error = asked.refuses(4, "sessions", "pause", "REQ-2")
    assert (error["code"], error["details"]["state"]) == ("wrong_state", "upcoming")
