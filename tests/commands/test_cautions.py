"""Likely typing errors: refused unless confirmed; a feed's are recorded and flagged when shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.commands.test_sync import feed
from tests.kit.events import amount, line
from tests.kit.shell import Shell

WHO = ("--customer", "C-1", "--rate", "3.00")


def upcoming(shell: Shell, start: str) -> None:
    """Agree a session for that time."""
    shell.ok(*("requests", "add", "--id", "R-1", *WHO, "--title", "x", "--slot", f"{start}, 60"))
    shell.ok("requests", "accept", "R-1", "--slot", "1", "--session", "S-1")


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("sessions", "miss", "S-1"), "missed_early"),
        (("sessions", "start", "S-1"), "started_early"),
        (("sessions", "start", "S-1", "--at", "in 20 days"), "in_the_future"),
        (("sessions", "cancel", "S-1", "--at", "tomorrow 9am"), "in_the_future"),
        (("sessions", "reschedule", "S-1", "--start", "2020-01-05 09:00"), "slot_in_past"),
        (("sessions", "log", "tomorrow 14:00-14:30", *WHO), "in_the_future"),
        (("sessions", "log", "2026-10-05 14:00-13:00", *WHO), "long_session"),
        (
            ("requests", "add", *WHO, "--title", "x", "--slot", "2020-01-05 09:00, 30"),
            "slot_in_past",
        ),
        (("preferences", "set", "--minimum-rate", "2", "--at", "in 2 days"), "in_the_future"),
        (("policy", "use", "quarter-hour", "--yes", "--at", "in 2 days"), "in_the_future"),
        (
            ("earnings", "adjust", "5.00", "--reason", "x", "--at", "in 1 hour"),
            "in_the_future",
        ),
    ],
)  # fmt: skip
def test_it_is_refused_unless_it_is_meant(empty: Shell, argv: tuple[str, ...], code: str) -> None:
    """Exit 4, nothing recorded; with --anyway it is, and the result names the flag."""
    upcoming(empty, "in 2 days")
    assert empty.refuses(4, *argv)["code"] == code
    done = empty.ok(*argv, "--anyway", "--key", "K-1")
    assert code in done["flags"]
    again = empty.ok(*argv, "--anyway", "--key", "K-1") if "--at" not in argv else done
    assert again["flags"] == done["flags"]


def test_a_session_that_ends_in_twenty_days(october: Shell) -> None:
    """It is long, and in the future."""
    october.ok("requests", "add", "--id", "R-9", *WHO, "--title", "x")
    october.ok("requests", "accept", "R-9")
    argv = ("sessions", "end", "R-9", "--at", "in 20 days")
    assert october.refuses(4, *argv)["code"] == "long_session"
    assert october.ok(*argv, "--anyway")["flags"] == ["long_session", "in_the_future"]
    assert october.ok("sessions", "show", "R-9")["flags"] == ["long_session", "in_the_future"]


def test_a_large_tip(october: Shell) -> None:
    """100.00 typed for 10.00."""
    gross = float(october.ok("sessions", "show", "S-1002")["gross"])
    argv = ("sessions", "tip", "S-1002", f"{2 * gross + 100:.2f}", "--at", "2026-10-13 09:00")
    assert october.refuses(4, *argv)["code"] == "large_tip"
    assert october.ok(*argv, "--anyway")["flags"] == ["large_tip"]


def test_a_feed_is_recorded_and_flagged_where_it_is_shown(empty: Shell) -> None:
    """`sessions show` has the flags of each event and of all; the ledger still verifies."""
    ahead = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    slots = [{"start": ahead, "minutes": 60}]
    lines = (
        line(
            *("request.opened", "11-01 09:00"),
            id="1",
            request="R-1",
            kind="scheduled",
            customer={"id": "C-1"},
            title="x",
            rate=amount("3.00"),
            slots=slots,
        ),
        line("request.accepted", "11-01 10:00", id="2", request="R-1", session="S-1", slot=1),
        line("session.missed", "11-01 11:00", id="3", session="S-1", by="customer"),
    )
    future = json.loads(line("adjustment.posted", "11-01 09:00", id="4", adjustment="A-1"))
    future |= {
        "time": ahead,
        "data": {"adjustment": "A-1", "amount": amount("5.00"), "reason": "x"},
    }
    done = empty.ok("sync", feed(empty, "one.jsonl", *lines, json.dumps(future).encode() + b"\n"))
    assert done["recorded"] == 4
    shown = empty.ok("sessions", "show", "S-1")
    assert shown["flags"] == ["missed_early"]
    assert [entry["flags"] for entry in shown["history"]] == [[], [], ["missed_early"]]
    assert "missed early" in empty.run("sessions", "show", "S-1", terminal=True).out
    assert empty.ok("ledger", "verify")["ok"] is True


def test_an_end_at_midnight(empty: Shell) -> None:
    """`sessions correct --end 24:00` is the end of that day."""
    empty.ok("sessions", "log", "2026-10-05 22:00-23:00", *WHO, "--id", "S-1")
    argv = ("sessions", "correct", "S-1", "--end", "2026-10-05 24:00", "--reason", "x")
    assert empty.ok(*argv)["minutes"] == "120.00"
    pause = ("sessions", "correct", "S-1", "--pause", "23:30-24:00", "--reason", "x")
    assert empty.ok(*pause)["minutes"] == "90.00"


@pytest.mark.parametrize(
    ("words", "zone", "minutes"),
    [
        ("2026-10-05 14:00-15:00 UTC", "Europe/Paris", "60.00"),
        ("2026-11-05 09:00-10:00-05:00", "America/New_York", "60.00"),
        ("2026-10-05 23:00-24:00", "Europe/Paris", "60.00"),
    ],
)
def test_a_zone_at_one_end_holds_for_both(
    empty: Shell, words: str, zone: str, minutes: str
) -> None:
    """And the money is right."""
    assert empty.ok("sessions", "log", words, *WHO, "--timezone", zone)["minutes"] == minutes


@pytest.mark.parametrize(
    "argv",
    [
        ("sessions", "log", "2026-11-05T14:00:00-05:00", *WHO),
        ("sessions", "log", "2026-10-05 14:00-15:00, paused 13:00-13:10", *WHO),
        ("requests", "add", *WHO, "--title", "x", "--slot", "2030-11-05 09:00-10:00, 60"),
        ("requests", "add", *WHO, "--title", "x", "--expires", "2030-11-05 09:00-10:00"),
        ("preferences", "set", "--minimum-rate", "2", "--at", "2026-11-05 09:00-10:00"),
        ("earnings", "--as-known", "2026-11-05 09:00-10:00"),
    ],
)
def test_an_end_is_no_offset_and_an_offset_no_end(empty: Shell, argv: tuple[str, ...]) -> None:
    """Wherever a time or a span is parsed, an ambiguous one is refused."""
    assert empty.refuses(1, *argv)["code"] == "invalid_time"
