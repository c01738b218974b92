"""Amounts and dates of payouts: `payout forecast` and `payout overdue`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.kit.shell import Shell

LOG = ("sessions", "log", "--customer", "C-1", "--rate", "3.00")


def _logged(shell: Shell, when: str, name: str) -> None:
    shell.ok(*LOG, when, "--id", name, "--at", "2027-03-01 00:00", "--anyway")


def complete_profile(shell: Shell) -> None:
    """Fill in every field that a payout needs."""
    profile = ("payout", "profile", "set")
    shell.ok(*profile, "--name", "Ana Example", "--email", "ana@example.com", "--method", "paypal")
    shell.ok(*profile, "--country", "IE", "--line", "1 Main St", "--city", "Cork")
    form = ("--tax-form", "w8ben", "--tax-signed", "2026-01-05", "--tax-number", "-")
    shell.ok(*profile, *form, stdin=b"1234567TW\n")


def test_each_month_comes_when_it_is_due(empty: Shell) -> None:
    """60 days after the month's end (R13); less than the minimum is carried forward."""
    complete_profile(empty)
    _logged(empty, "2026-10-05 10:00-10:30", "S-1")
    _logged(empty, "2026-11-05 10:00-11:30", "S-2")
    first, second = empty.ok("payout", "forecast", "--on", "2026-11-20")
    assert first == {
        "on": "2026-12-30",
        "months": ["2026-10"],
        "amount": "0.00",
        "total": "0.00",
        "carried": "63.00",
        "currency": "USD",
        "blocked": ["below_minimum"],
    }
    assert (second["on"], second["months"]) == ("2027-01-29", ["2026-10", "2026-11"])
    assert (second["amount"], second["total"], second["blocked"]) == ("252.00", "252.00", [])


def test_what_comes_is_what_the_preview_says_on_that_day(empty: Shell) -> None:
    """Each payout of the forecast is the eligible amount then, had those before been sent."""
    complete_profile(empty)
    for month in (10, 11, 12):
        _logged(empty, f"2026-{month}-05 10:00-12:00", f"S-{month}")
    for row in empty.ok("payout", "forecast", "--on", "2026-12-31"):
        shown = empty.ok("payout", "preview", "--on", row["on"])
        assert shown["eligible"] == row["amount"]
        empty.ok("payout", "record", row["amount"], "--anyway", "--at", f"{row['on']} 12:00")
    assert empty.ok("payout", "forecast", "--on", "2027-06-01") == []
    assert empty.ok("earnings", "--month", "2027-03")["balance"]["owed"] == "0.00"


def test_the_preview_has_the_due_dates_by_month(empty: Shell) -> None:
    """Each month's open amount, and its due date (R13)."""
    _logged(empty, "2026-10-05 10:00-10:30", "S-1")
    _logged(empty, "2026-11-05 10:00-11:30", "S-2")
    assert empty.ok("payout", "preview", "--on", "2026-11-20")["months"] == [
        {"month": "2026-10", "due_on": "2026-12-30", "amount": "63.00"},
        {"month": "2026-11", "due_on": "2027-01-29", "amount": "189.00"},
    ]


def test_a_refund_takes_off_what_comes(empty: Shell) -> None:
    """Deductions are paid off first; nothing comes where they are more, and nothing is clamped."""
    _logged(empty, "2026-10-05 10:00-12:00", "S-1")
    empty.ok("refunds", "claim", "S-1", "--id", "CL-1", "--at", "2026-10-05 13:00")
    assert empty.ok("payout", "forecast", "--on", "2026-11-01") == []
    empty.ok("refunds", "concede", "CL-1", "--yes", "--at", "2026-10-05 14:00")
    assert all(row["amount"] == "0.00" for row in empty.ok("payout", "forecast"))


def test_overdue_is_what_was_due_and_not_sent(empty: Shell) -> None:
    """From the day after the due date on, with a text to ask for it; not where it was blocked."""
    _logged(empty, "2026-10-05 10:00-12:00", "S-1")
    assert empty.ok("payout", "overdue", "--on", "2026-12-30") == []
    assert empty.ok("payout", "preview", "--on", "2026-12-30")["overdue"] == "0.00"
    (row,) = empty.ok("payout", "overdue", "--on", "2026-12-31")
    assert (row["amount"], row["currency"]) == ("252.00", "USD")
    assert row["months"] == [{"month": "2026-10", "due_on": "2026-12-30", "amount": "252.00"}]
    assert "252.00 USD" in row["letter"]
    assert "2026-12-30" in row["letter"]
    assert "within 60 days" in row["letter"]
    assert empty.ok("payout", "preview", "--on", "2026-12-31")["overdue"] == "252.00"
    empty.ok("payout", "record", "252.00", "--anyway", "--at", "2026-12-31 09:00")
    assert empty.ok("payout", "overdue", "--on", "2027-01-03") == []
    (late,) = empty.ok("payout", "overdue", "--on", "2027-01-05")
    assert (late["amount"], late["late"][0]["amount"]) == ("0.00", "252.00")


def test_below_the_minimum_nothing_is_overdue(empty: Shell) -> None:
    """It is carried over, and the platform owes no payout yet (R12)."""
    _logged(empty, "2026-10-05 10:00-10:30", "S-1")
    assert empty.ok("payout", "overdue", "--on", "2027-06-01") == []


def test_a_person_reads_the_letter_as_it_stands(empty: Shell) -> None:
    """Line by line on a terminal; one cell in rows."""
    _logged(empty, "2026-10-05 10:00-12:00", "S-1")
    shown = empty.run("payout", "overdue", "--on", "2026-12-31", terminal=True)
    assert shown.code == 0
    assert "Subject: Payout overdue since 2026-12-30: 252.00 USD" in shown.out
    assert empty.output_of("payout", "overdue", "--on", "2026-12-31").count("\n") == 1
    nothing = empty.run("payout", "overdue", "--on", "2026-11-01", terminal=True)
    assert "Nothing is overdue. Upcoming payouts: `liveportal payout forecast`" in nothing.out


def test_a_preview_names_the_way_to_a_complete_profile(empty: Shell) -> None:
    """A person reads what to type; a script does not."""
    step = "liveportal payout profile check"
    assert step in empty.run("payout", "preview", terminal=True).err
    assert step not in empty.run("payout", "preview").err
