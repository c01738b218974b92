"""Money at risk in `earnings`: final, still claimable, held, to the microsecond."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.kit.events import at
from tests.kit.shell import Shell

MICROSECOND = timedelta(microseconds=1)
CLOSES = at("10-06 10:20")


@pytest.fixture
def earned(empty: Shell) -> Shell:
    """Give a shell whose ledger has two sessions, a tip and a bonus: $42.00, $42.00, $5, $7."""
    for day in (3, 5):
        empty.ok(
            *("sessions", "log", "--customer", "C-1", "--rate", "3.00", "--id", f"S-{day}"),
            f"2026-10-0{day} 10:00-10:20",
        )
    empty.ok("sessions", "tip", "S-5", "5.00", "--at", "2026-10-05 11:00")
    empty.ok("earnings", "adjust", "7.00", "--reason", "bonus", "--at", "2026-10-05 11:00")
    return empty


def risk(shell: Shell, now: datetime, *argv: object) -> tuple[str, str, str]:
    """Return the final, claimable and held amounts at a time; their sum is the balance."""
    shell.clock.set(now)
    shown: dict[str, Any] = shell.ok("earnings", *(argv or ("--month", "2026-10")))
    at_risk = shown["risk"]
    balance = shown["balance"]
    parts = (at_risk["final"], at_risk["claimable"], at_risk["held"])
    assert sum(map(Decimal, parts)) == Decimal(balance["owed"]) + Decimal(balance["held"])
    assert list(shown)[-2:] == ["risk", "transfer_fees"]
    assert list(at_risk) == ["final", "claimable", "held", "as_of"]
    assert list(balance) == ["owed", "held", "in_transit", "paid_out"]
    return parts


def test_money_is_claimable_to_the_windows_last_instant(earned: Shell) -> None:
    """R8: exactly at its end it can still be claimed; then it is final. Tips never are."""
    assert risk(earned, CLOSES) == ("54.00", "42.00", "0.00")
    assert risk(earned, CLOSES + MICROSECOND) == ("96.00", "0.00", "0.00")
    before = at("10-04 10:20")
    assert risk(earned, before) == ("12.00", "84.00", "0.00")
    assert risk(earned, before + MICROSECOND) == ("54.00", "42.00", "0.00")


def test_a_claim_moves_it_from_one_to_the_other(earned: Shell) -> None:
    """Claimable, then held, then final or gone: the sum is always the balance."""
    now = at("10-05 12:00")
    earned.ok("refunds", "claim", "S-5", "--id", "CL-1", "--at", "2026-10-05 11:30")
    assert risk(earned, now) == ("54.00", "0.00", "42.00")
    denied = ("refunds", "deny", "CL-1", "--at", "2026-10-05 11:40")
    granted = ("refunds", "grant", "CL-1", "--at", "2026-10-05 11:40")
    assert earned.ok(*granted, "--dry-run")["balance"] == {"owed": "54.00", "held": "0.00"}
    earned.ok(*denied)
    assert risk(earned, now) == ("54.00", "42.00", "0.00"), "a new claim may follow"
    earned.ok("refunds", "claim", "S-5", "--id", "CL-2", "--at", "2026-10-05 11:50")
    earned.ok("refunds", "grant", "CL-2", "--at", "2026-10-05 11:55")
    assert risk(earned, now) == ("54.00", "0.00", "0.00")


def test_what_a_refund_cost_is_final(empty: Shell) -> None:
    """Where refunds deduct the gross: less than nothing is left of the session, for good."""
    text = 'name = "gross"\n[refund]\ndeducts = "gross"\n'
    empty.ok("policy", "use", empty.file("gross.toml", text), "--yes")
    empty.ok(
        *("sessions", "log", "--customer", "C-1", "--rate", "3.00", "--id", "S-1"),
        "2026-10-05 10:00-10:20",
    )
    empty.ok("refunds", "claim", "S-1", "--id", "CL-1", "--at", "2026-10-05 11:00")
    empty.ok("refunds", "grant", "CL-1", "--at", "2026-10-05 11:30")
    assert risk(empty, at("10-05 12:00")) == ("-18.00", "0.00", "0.00")


def test_a_month_is_at_risk_as_at_its_end(earned: Shell) -> None:
    """A window that was open at the month's last instant, whatever happened since."""
    earned.ok(
        *("sessions", "log", "--customer", "C-1", "--rate", "3.00", "--id", "S-31"),
        "2026-10-31 10:00-10:20",
    )
    later = at("12-01 00:00")
    assert risk(earned, later) == ("96.00", "42.00", "0.00")
    for span in (
        ("--month", "2026-11"),
        ("--year", "2026"),
        ("--from", "2026-10", "--to", "2026-11"),
    ):
        assert risk(earned, later, *span) == ("138.00", "0.00", "0.00")
    shown = earned.ok("earnings", "--month", "2026-10")["risk"]["as_of"]
    assert shown == "2026-10-31T23:59:59.999999Z"


def test_every_format_has_it(earned: Shell) -> None:
    """In rows each amount is a column, after all existing columns."""
    earned.clock.set(CLOSES + MICROSECOND)
    header, row = earned.output_of("earnings", "--month", "2026-10", "--csv").splitlines()
    names = ["risk.final", "risk.claimable", "risk.held", "risk.as_of", "transfer_fees"]
    assert header.split(",")[-5:] == names
    assert row.split(",")[-5:-2] == ["96.00", "0.00", "0.00"]
    assert "still claimable" in earned.run("earnings", "--month", "2026-10", terminal=True).out


def test_a_session_that_was_moved_out_of_its_month_is_still_in_its_balance(earned: Shell) -> None:
    """October stays as it was; in November the session has the end that it was corrected to."""
    october, november = ("--month", "2026-10"), ("--month", "2026-11")
    now = at("11-02 10:00")
    before = risk(earned, now, *october)
    earned.ok(
        *("sessions", "correct", "S-5", "--reason", "another day", "--at", "2026-11-02 09:00"),
        *("--start", "2026-11-01 10:00", "--end", "2026-11-01 10:20"),
    )
    assert risk(earned, now, *october) == before
    assert risk(earned, now, *november) == ("54.00", "42.00", "0.00")


def test_a_session_of_a_month_that_it_outlasts_is_at_risk_in_both(empty: Shell) -> None:
    """Where a session's start decides its month, its end may lie in the next."""
    text = 'name = "start"\n[period]\nsession_month = "start"\n'
    empty.ok("policy", "use", empty.file("start.toml", text), "--yes")
    empty.ok(
        *("sessions", "log", "--customer", "C-1", "--rate", "3.00", "--id", "S-1"),
        *("2026-10-31 23:50-00:10", "--at", "2026-11-01 00:10"),
    )
    now = at("11-01 12:00")
    assert risk(empty, now, "--month", "2026-10") == ("0.00", "42.00", "0.00")
