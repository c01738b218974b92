"""Repeated, corrected, reversed and mistyped facts, from the shell and from feeds."""

from __future__ import annotations

import pytest

from tests.kit.events import FEED, OTHER, amount, line
from tests.kit.shell import Shell

pytestmark = pytest.mark.slow

CUSTOMER = {"id": "C-1"}


@pytest.fixture
def hosted(empty: Shell) -> Shell:
    """Give a shell that hosted S-1, of 20 minutes at $3.00, on 5 October."""
    add = ("requests", "add", "--id", "R-1", "--customer", "C-1", "--rate", "3", "--title", "x")
    empty.ok(*add, "--at", "2026-10-05 08:00")
    accept = ("requests", "accept", "R-1", "--session", "S-1", "--at", "2026-10-05 09:00")
    empty.ok(*accept)
    empty.ok("sessions", "end", "S-1", "--at", "2026-10-05 09:20")
    return empty


def sync_lines(shell: Shell, *lines: bytes) -> dict[str, object]:
    """Sync lines of a feed."""
    feed = shell.file("feed.jsonl", b"".join(lines))
    synced: dict[str, object] = shell.ok("sync", feed)
    return synced


def ended(billed: str, source: str = FEED, name: str = "e-9") -> bytes:
    """Return the end of S-1 as a feed reports it."""
    return line(
        "session.ended", "10-05 09:20", id=name, source=source, session="S-1", billed=amount(billed)
    )


def test_a_correction_survives_the_feed(hosted: Shell) -> None:
    """Ended 60.00, corrected to 50.00, and the platform reports the same three facts."""
    correct = ("sessions", "correct", "S-1", "--reason", "x", "--at", "2026-10-05 10:00")
    hosted.ok(*correct, "--billed", "50.00")
    accepted = line("request.accepted", "10-05 09:00", id="e-8", request="R-1", session="S-1")
    corrected = line(
        "session.corrected",
        "10-05 10:00",
        id="e-10",
        session="S-1",
        billed=amount("50.00"),
        reason="y",
    )
    synced = sync_lines(hosted, accepted, ended("60.00"), corrected)
    assert (synced["confirmed"], synced["recorded"]) == (3, 0)
    assert hosted.ok("sessions", "show", "S-1")["gross"] == "50.00"
    assert hosted.ok("ledger", "verify")["ok"] is True


def test_a_bill_that_is_not_booked_is_shown_by_check(hosted: Shell) -> None:
    """The feed goes on; `earnings check` shows the reported bill and how to book it."""
    correct = ("sessions", "correct", "S-1", "--reason", "x", "--at", "2026-10-05 10:00")
    hosted.ok(*correct, "--end", "2026-10-05 09:20")
    sync_lines(hosted, ended("70.00"))
    (row,) = hosted.ok("earnings", "check")
    assert (row["billed"], row["reported"]) == ("60.00", "70.00")
    assert "70.00" in hosted.output_of("earnings", "check")
    assert "correct ID --billed AMOUNT" in hosted.run("earnings", "check", terminal=True).err
    hosted.ok(*correct[:-1], "2026-10-05 11:00", "--billed", "70.00")
    (row,) = hosted.ok("earnings", "check")
    assert (row["billed"], row["reported"]) == ("70.00", None)


def test_a_mistyped_payout_is_recorded_right(hosted: Shell) -> None:
    """PO-1 was typed 42.00 for 24.00: reversed, recorded right, and confirmed by the platform."""
    sent = ("payout", "record", "--id", "PO-1", "--at", "2026-11-01 09:00")
    hosted.ok(*sent, "42.00")
    reverse = ("ledger", "reverse", "PO-1", "--reason", "typo", "--yes")
    hosted.ok(*reverse, "--at", "2026-11-01 10:00")
    assert hosted.ok(*sent, "24.00")["amount"] == "24.00"
    event = line(
        "payout.sent", "11-01 09:00", id="p", payout="PO-1", amount=amount("24.00"), method="paypal"
    )
    assert sync_lines(hosted, event)["confirmed"] == 1
    assert hosted.ok("payout", "show", "PO-1")["amount"] == "24.00"
    error = hosted.refuses(4, "payout", "record", "--id", "PO-1", "24.00")
    assert error["code"] == "already_exists"
    hosted.ok(*reverse, "--at", "2026-11-01 11:00")
    assert hosted.ok("payout", "show", "PO-1")["state"] == "reversed"
    assert hosted.ok("ledger", "verify")["ok"] is True


def test_a_payout_typed_twice_is_a_possible_duplicate(hosted: Shell) -> None:
    """Without its id, one of the last 60 days with the same amount and method is a caution."""
    record = ("payout", "record", "5.00", "--at")
    hosted.ok(*record, "2026-09-10 09:00")
    error = hosted.refuses(4, *record, "2026-11-09 09:00")
    assert (error["code"], "--anyway" in error["hint"]) == ("possible_duplicate", True)
    assert hosted.ok(*record, "2026-11-09 09:01")["state"] == "sent", "60 days are over"
    assert hosted.ok(*record, "2026-11-09 10:00", "--anyway")["flags"][0] == "possible_duplicate"
    assert (
        "possible_duplicate" not in hosted.ok(*record, "2026-11-09 11:00", "--id", "PO-9")["flags"]
    )
    other = hosted.ok("payout", "record", "5.01", "--at", "2026-11-09 12:00")
    assert "possible_duplicate" not in other["flags"], "another amount is another payout"
    assert hosted.ok("ledger", "verify")["ok"] is True


def test_a_payout_that_failed_is_not_a_possible_duplicate(hosted: Shell) -> None:
    """Its money is owed again, and is sent again."""
    hosted.ok("payout", "record", "10.00", "--id", "PO-1", "--at", "2026-11-01 09:00")
    hosted.ok("payout", "fail", "PO-1", "--yes", "--at", "2026-11-02 09:00")
    hosted.ok("payout", "record", "10.00", "--at", "2026-11-03 09:00")


def test_a_mistaken_failure_is_reversed(hosted: Shell) -> None:
    """`payout fail` by mistake is no dead end: `payout show` names its event."""
    hosted.ok("payout", "record", "10.00", "--id", "PO-1", "--at", "2026-11-01 09:00")
    hosted.ok("payout", "fail", "PO-1", "--yes", "--key", "oops", "--at", "2026-11-02 09:00")
    error = hosted.refuses(4, "ledger", "reverse", "PO-1", "--reason", "x", "--yes")
    assert error["code"] == "not_reversible"
    assert "payout show PO-1" in error["hint"]
    hosted.ok("ledger", "reverse", "oops", "--reason", "x", "--yes")
    assert hosted.ok("payout", "show", "PO-1")["state"] == "sent"
    hosted.ok("payout", "paid", "PO-1", "--at", "2026-11-03 09:00")
    assert hosted.ok("ledger", "verify")["ok"] is True


def test_billed_policy_goes_back_to_our_own_calculation(hosted: Shell) -> None:
    """The platform's bill is kept until then, whatever the times are."""
    sync_lines(hosted, ended("84.00"))
    correct = ("sessions", "correct", "S-1", "--reason", "x")
    kept = hosted.ok(*correct, "--end", "2026-10-05 09:10", "--at", "2026-10-05 10:00")
    assert (kept["gross"], kept["minutes"]) == ("84.00", "10.00")
    own = (*correct, "--billed", "policy", "--key", "k", "--at", "2026-10-05 11:00")
    assert hosted.ok(*own)["gross"] == "30.00"
    assert hosted.ok(*own)["replayed"] is True
    both = ("--end", "2026-10-05 09:12", "--billed", "policy", "--at", "2026-10-05 12:00")
    assert hosted.ok(*correct, *both)["gross"] == "36.00"
    assert hosted.ok(*own)["replayed"] is True, "our own calculation was another one by then"
    assert hosted.ok("ledger", "verify")["ok"] is True


def test_billed_policy_needs_an_ended_session(hosted: Shell) -> None:
    """Refused as any correction is."""
    hosted.ok("requests", "add", "--id", "R-2", "--customer", "C-1", "--rate", "3", "--title", "x")
    hosted.ok("requests", "accept", "R-2")
    error = hosted.refuses(4, "sessions", "correct", "R-2", "--billed", "policy", "--reason", "x")
    assert error["code"] == "wrong_state"


@pytest.mark.parametrize("currency", ["JPY", "KWD", "EUR"])
def test_init_takes_no_amounts_of_another_currency(nothing: Shell, currency: str) -> None:
    """The policy's amounts are dollars.

    Its rate bounds and minimum are left out, and it says so.
    """
    ran = nothing.run("init", "--currency", currency)
    assert ran.code == 0
    assert "The rate limits and the payout minimum of unity-live-help are in USD" in ran.err
    switches = {row["switch"]: row["value"] for row in nothing.ok("policy", "show")}
    assert switches["currency"] == currency
    limits = {switches[field] for field in ("rate.minimum", "rate.maximum", "payout.minimum")}
    assert limits == {"none"}
    log = ("sessions", "log", "2026-10-05 09:00-10:00", "--customer", "C-1", "--rate")
    nothing.ok(*log, "300")
    assert nothing.ok("payout", "preview")["minimum"] in ("0", "0.00", "0.000")


def test_init_in_the_profiles_own_currency_keeps_its_amounts(nothing: Shell) -> None:
    """Nothing is left out, and nothing is reported."""
    ran = nothing.run("init", "--currency", "usd", "--timezone", "UTC")
    assert "no rate bounds" not in ran.err
    log = ("sessions", "log", "2026-10-05 09:00-10:00", "--customer", "C-1", "--rate", "300")
    assert nothing.refuses(4, *log)["code"] == "rate_out_of_bounds"


def test_a_refused_line_names_rejects(hosted: Shell) -> None:
    """The error tells how to go on: --rejects."""
    bad = hosted.file("bad.jsonl", line("request.declined", "10-05 09:01", id="d", request="R-1"))
    error = hosted.refuses(4, "sync", bad)
    assert (error["code"], "--rejects" in error["hint"]) == ("conflict", True)
    watched = hosted.run("requests", "watch", bad, "--once", "--json")
    assert watched.code == 4
    assert "--rejects" in watched.err


def test_the_shell_may_be_ahead_of_the_platform(empty: Shell) -> None:
    """The race was lost: the feed goes through, and the session is cancelled."""
    add = ("requests", "add", "--id", "R-1", "--customer", "C-1", "--rate", "3", "--title", "x")
    empty.ok(*add, "--at", "2026-10-05 08:00")
    empty.ok("requests", "accept", "R-1", "--at", "2026-10-05 09:00")
    taken = line("request.taken", "10-05 09:00:01", id="t", request="R-1")
    expired = line("request.expired", "10-05 10:00", id="x", request="R-1")
    again = line("request.taken", "10-05 09:00:01", id="t", source=OTHER, request="R-1")
    synced = sync_lines(empty, taken, expired, again)
    assert (synced["recorded"], synced["confirmed"]) == (2, 1)
    session = empty.ok("sessions", "show", "R-1")
    assert (session["state"], session["flags"]) == ("cancelled", ["lost_race"])
    assert empty.ok("ledger", "verify")["ok"] is True
