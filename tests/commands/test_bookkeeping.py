"""Entries made afterwards: logs, corrections, tips, reviews, adjustments, payouts, settings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from liveportal.cli.commands.policy import source_in_words
from tests.kit.events import line
from tests.kit.shell import Shell

LOG = ("sessions", "log", "--customer", "C-1", "--rate", "3.00", "--id", "S-1")
WORDS = "2026-10-05 14:00-14:45, paused 14:10-14:15"


def _pick(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


@pytest.fixture
def logged(empty: Shell) -> Shell:
    """Give a ledger with one session, logged in words: 40 minutes at $3.00."""
    row = empty.ok(*LOG, WORDS, "--title", "Lights", "--at", "2026-10-06 09:00")
    assert _pick(row, "id", "state", "start", "end") == (
        *("S-1", "ended", "2026-10-05T14:00:00Z", "2026-10-05T14:45:00Z"),
    )
    assert _pick(row, "minutes", "gross", "fee", "earned") == ("40.00", "120.00", "36.00", "84.00")
    return empty


# --- sessions -------------------------------------------------------------------------------------


def test_a_session_in_words_is_the_same_with_a_key(empty: Shell) -> None:
    """The words are read once; repeated with the key, nothing is logged again."""
    empty.ok(*LOG[:-2], WORDS, "--key", "k")
    assert empty.ok(*LOG[:-2], WORDS, "--key", "k")["replayed"] is True
    assert len(empty.ok("sessions", "list")) == 1


def test_yesterday_is_read_in_the_experts_zone(empty: Shell) -> None:
    """Times without a zone are the expert's; --timezone is another one for this command."""
    empty.ok("preferences", "set", "--zone", "Asia/Tokyo")
    empty.clock.set(datetime(2026, 12, 1, 15, 20, tzinfo=UTC))  # 2 December, 00:20 in Tokyo.
    row = empty.ok(*LOG, "yesterday 23:50-00:20")
    assert (row["start"], row["end"]) == ("2026-12-01T14:50:00Z", "2026-12-01T15:20:00Z")
    argv = ("--timezone", "America/New_York", "--customer", "C-1", "--rate", "3")
    row = empty.ok("sessions", "log", "2026-10-05 14:00-14:45", *argv)
    assert row["start"] == "2026-10-05T18:00:00Z"


def test_a_correction_is_booked_and_nothing_is_edited(logged: Shell) -> None:
    """The wrong earning, its reversal and the right one all stay; the month has the sum."""
    argv = ("sessions", "correct", "S-1", "--reason", "timer forgotten", "--no-pauses")
    row = logged.ok(*argv, "--end", "2026-10-05 14:30", "--at", "2026-11-02 09:00")
    assert _pick(row, "state", "end", "minutes") == ("ended", "2026-10-05T14:30:00Z", "30.00")
    assert _pick(row, "gross", "fee", "earned") == ("90.00", "27.00", "63.00")
    record = logged.ok("earnings", "transactions")
    assert [_pick(entry, "period", "gross", "amount", "owed") for entry in record] == [
        ("2026-10", "120.00", "84.00", "84.00"),
        ("2026-11", "-120.00", "-84.00", "-84.00"),
        ("2026-11", "90.00", "63.00", "63.00"),
    ]
    october, november = logged.ok("earnings", "months")
    assert _pick(october, "earned", "net") == ("84.00", "84.00")
    assert _pick(november, "earned", "net") == ("-21.00", "-21.00")
    assert november["balance"]["owed"] == "63.00"


@pytest.mark.parametrize(
    ("options", "gross"),
    [
        (("--billed", "72.00"), "72.00"),
        (("--pause", "14:05-14:15", "--pause", "14:20-14:25"), "90.00"),
        (("--start", "2026-10-05 13:55"), "135.00"),
    ],
)
def test_what_a_correction_can_change(logged: Shell, options: tuple[str, ...], gross: str) -> None:
    """What is not named stays as it was."""
    row = logged.ok("sessions", "correct", "S-1", "--reason", "x", *options)
    assert row["gross"] == gross


def test_a_correction_during_a_claim_is_refused(logged: Shell) -> None:
    """An undecided claim must be decided first."""
    logged.ok("refunds", "claim", "S-1", "--id", "CL-1", "--at", "2026-10-06 10:00")
    error = logged.refuses(4, "sessions", "correct", "S-1", "--billed", "1", "--reason", "x")
    assert error["code"] == "correction_refused"


def test_tips_and_reviews(logged: Shell) -> None:
    """A tip is entirely the expert's; the session shows the reviews of both sides."""
    row = logged.ok("sessions", "tip", "S-1", "10", "--at", "2026-10-05 15:00")
    assert _pick(row, "id", "amount", "currency") == ("S-1", "10.00", "USD")
    review = ("sessions", "review", "S-1", "--at", "2026-10-05 15:00")
    logged.ok(*review, "5", "--by", "customer", "--text", "Solved in ten minutes")
    logged.ok(*review, "4")
    shown = logged.ok("sessions", "show", "S-1")
    assert [_pick(review, "by", "rating", "text") for review in shown["reviews"]] == [
        ("customer", 5, "Solved in ten minutes"),
        ("expert", 4, None),
    ]
    month = logged.ok("earnings", "--month", "2026-10")
    assert _pick(month, "earned", "tips", "net") == ("84.00", "10.00", "94.00")
    assert logged.refuses(4, "sessions", "tip", "S-1", "5", "--at", "2026-10-05 14:44")["code"] == (
        "impossible_time"
    )
    assert logged.refuses(2, "sessions", "review", "S-1", "6")["code"] == "usage"


# --- adjustments and reversals --------------------------------------------------------------------


def test_bonuses_and_fees(logged: Shell) -> None:
    """An adjustment is signed, counts in the month of its time, and names its reason."""
    at = ("--at", "2026-10-31 23:59")
    row = logged.ok("earnings", "adjust", "25", "--reason", "Mentor of the month", *at)
    assert _pick(row, "amount", "currency") == ("25.00", "USD")
    row = logged.ok("earnings", "adjust", "--reason", "Fee", "--id", "AD-2", *at, "--", "-3.50")
    assert _pick(row, "id", "amount") == ("AD-2", "-3.50")
    month = logged.ok("earnings", "--month", "2026-10")
    assert _pick(month, "adjustments", "net") == ("21.50", "105.50")
    assert [row["memo"] for row in logged.ok("earnings", "transactions")] == [
        *("Lights", "Mentor of the month", "Fee"),
    ]


def test_a_mistake_is_reversed_once(logged: Shell) -> None:
    """The exact inverse is booked once; if it cannot be, the error says how to correct it."""
    tip = logged.ok("sessions", "tip", "S-1", "10", "--at", "2026-10-05 15:00")
    reverse = ("ledger", "reverse", tip["event"], "--reason", "entered twice", "--yes")
    row = logged.ok(*reverse, "--at", "2026-11-01 09:00")
    assert _pick(row, "error", "replayed", "dry_run") == (None, False, False)
    assert logged.refuses(4, *reverse)["code"] == "not_reversible"
    october, november = logged.ok("earnings", "months")
    assert (october["tips"], november["tips"]) == ("10.00", "-10.00")
    assert november["balance"]["owed"] == "84.00"
    first = logged.ok("sessions", "show", "S-1")["history"][0]["event"]
    error = logged.refuses(4, "ledger", "reverse", first, "--reason", "x", "--yes")
    assert "sessions correct" in error["hint"]
    assert logged.refuses(3, "ledger", "reverse", "nope", "--reason", "x", "--yes")["hint"]


# --- payouts --------------------------------------------------------------------------------------

PROFILE = ["name", "email", "method", "address", "tax_form"]


def _preview(shell: Shell, on: str) -> tuple[Any, ...]:
    shown = shell.ok("payout", "preview", "--on", on)
    assert _pick(shown, "as_of", "minimum") == (on, "100.00")
    codes = {row["code"] for row in shown["blocked"]}
    assert all(row["message"] for row in shown["blocked"])
    return *_pick(shown, "eligible", "carried", "due_on"), codes


def test_what_a_preview_says(logged: Shell) -> None:
    """Nothing is eligible before its due date; blockers are named; the rest is carried."""
    assert _preview(logged, "2026-12-03") == (
        *("0.00", "0.00", "2026-12-30"),
        {"profile_incomplete", "first_payout_wait", "nothing_eligible"},
    )
    assert _preview(logged, "2026-12-30") == (
        *("84.00", "84.00", "2026-12-30"),
        {"profile_incomplete", "below_minimum"},
    )
    logged.ok("sessions", "tip", "S-1", "16", "--at", "2026-10-05 15:00")
    changed = line("payout_profile.changed", "10-06 09:00", id="p", fields=PROFILE)
    logged.says(changed)
    assert _preview(logged, "2026-12-30") == ("100.00", "0.00", "2026-12-30", set())
    shown = logged.ok("payout", "preview", "--on", "2026-12-30")
    assert [item["amount"] for item in shown["lines"]] == ["84.00", "16.00"]


def test_a_payout_that_arrives(logged: Shell) -> None:
    """Sent is in transit, paid is paid out; the lines add up to the payout."""
    argv = ("payout", "record", "60.00", "--id", "PO-1", "--reference", "8XK41")
    row = logged.ok(*argv, "--at", "2026-12-30 09:00", "--anyway")
    assert _pick(row, "id", "state", "amount", "method", "reference") == (
        *("PO-1", "sent", "60.00", "paypal", "8XK41"),
    )
    assert set(row["flags"]) >= {"below_minimum", "profile_incomplete"}
    balance = logged.ok("earnings", "--month", "2026-12")["balance"]
    assert tuple(balance.values()) == ("24.00", "0.00", "60.00", "0.00")
    row = logged.ok("payout", "paid", "PO-1", "--at", "2027-01-02 09:00", "--anyway")
    assert row["state"] == "paid"
    balance = logged.ok("earnings", "--month", "2027-01")["balance"]
    assert tuple(balance.values()) == ("24.00", "0.00", "0.00", "60.00")
    assert [_pick(row, "id", "state") for row in logged.ok("payout", "list")] == [("PO-1", "paid")]
    assert logged.ok("payout", "list", "--state", "sent") == []
    shown = logged.ok("payout", "show", "PO-1")
    assert [_pick(text, "session", "amount") for text in shown["lines"]] == [("S-1", "60.00")]
    kinds = [_pick(row, "kind", "amount", "owed") for row in logged.ok("earnings", "transactions")]
    assert kinds[1:] == [("payout", "0.00", "-60.00"), ("payout_paid", "0.00", "0.00")]


def test_payouts_that_fail_and_return(logged: Shell) -> None:
    """Failed from sent, returned from paid: the money is owed again, and the lines are free."""
    for number, end in ((1, "fail"), (2, "return")):
        name = f"PO-{number}"
        at = ("--at", f"2026-11-0{number} 09:00")
        logged.ok("payout", "record", "84", "--id", name, *at)
        if end == "return":
            logged.ok("payout", "paid", name, "--at", "2026-11-03 09:00")
        argv = ("payout", end, name, "--yes", "--reason", "closed", "--at", "2026-11-04 09:00")
        assert logged.ok(*argv)["state"] == {"fail": "failed", "return": "returned"}[end]
        owed = logged.ok("earnings", "--month", "2026-11")["balance"]
        assert tuple(owed.values()) == ("84.00", "0.00", "0.00", "0.00")
        assert logged.refuses(4, *argv)["code"] == "wrong_state"
    error = logged.refuses(4, "payout", "record", "84.01", "--at", "2026-11-05 09:00")
    assert error["code"] == "payout_too_large"
    assert logged.ok("ledger", "verify")["ok"] is True


def test_an_unlisted_method_is_a_caution(logged: Shell) -> None:
    """A method that the policy does not list needs --anyway, and is flagged then."""
    argv = ("payout", "record", "10", "--method", "cash")
    error = logged.refuses(4, *argv)
    assert (error["code"], "--anyway" in error["hint"]) == ("unlisted_method", True)
    assert "unlisted_method" in logged.ok(*argv, "--anyway")["flags"]


# --- preferences and policy -----------------------------------------------------------------------


def test_preferences_as_they_were_known(empty: Shell) -> None:
    """What is not named stays; --as-known shows the preferences of then."""
    empty.ok("preferences", "set", "--skill", "urp", "--skill", "shaders", "--minimum-rate", "2")
    then = empty.ok("ledger", "info")["last_recorded"]
    empty.ok("preferences", "set", "--minimum-rate", "2.50", "--vacation", "2026-12-24..2027-01-02")
    now = empty.ok("preferences")
    assert _pick(now, "minimum_rate", "skills") == ("2.50", ["urp", "shaders"])
    assert now["vacations"] == [{"start": "2026-12-24", "end": "2027-01-02"}]
    known = empty.ok("preferences", "show", "--as-known", then)
    assert _pick(known, "minimum_rate", "skills", "vacations") == ("2.00", ["urp", "shaders"], None)


def test_the_minimum_rate_filters(empty: Shell) -> None:
    """A request below the minimum rate does not match; to accept it is a caution (R2)."""
    empty.ok("preferences", "set", "--minimum-rate", "2.50")
    argv = ("requests", "add", "--customer", "C-1", "--title", "x", "--id", "R", "--rate", "2.00")
    empty.ok(*argv, "--at", "2026-10-05 09:00")
    assert empty.ok("requests", "list")[0]["matches"] is False
    accept = ("requests", "accept", "R", "--at", "2026-10-05 09:01")
    assert empty.refuses(4, *accept)["code"] == "below_minimum_rate"
    assert empty.ok(*accept, "--anyway")["flags"] == ["below_minimum_rate"]


def test_a_policy_applies_from_now_on(logged: Shell) -> None:
    """Existing agreements keep their policy; later ones have the new one."""
    path = logged.file("mine.toml", 'name = "mine"\n[fee]\npercent = 10\n[trial]\nminutes = 60\n')
    checked = logged.ok("policy", "check", path)
    assert _pick(checked, "name", "currency", "valid") == ("mine", "USD", True)
    logged.ok("policy", "use", path, "--yes")
    assert [_pick(row, "name", "in_force") for row in logged.ok("policy", "list")] == [
        *(("unity-live-help", False), ("quarter-hour", False), ("mine", True)),
    ]
    switches = {row["switch"]: row["value"] for row in logged.ok("policy", "show")}
    assert _pick(switches, "fee.percent", "trial.minutes", "refund.deducts") == ("10", 60, "share")
    row = logged.ok(*LOG[:-1], "S-2", "2026-10-06 14:00-15:30", "--at", "2026-10-06 16:00")
    assert _pick(row, "gross", "earned") == ("270.00", "243.00")
    assert logged.ok("sessions", "show", "S-1")["earned"] == "84.00"
    shipped = {row["switch"] for row in logged.ok("policy", "show", "quarter-hour")}
    assert shipped == set(switches)


def test_a_book_may_begin_under_another_policy(nothing: Shell) -> None:
    """The second shipped profile: no trial, 15 minutes at the least, rounded up, a fifth fee."""
    made = nothing.ok("init", "--policy", "quarter-hour", "--timezone", "Europe/Paris")
    assert _pick(made, "policy", "currency", "timezone", "own_timezone") == (
        *("quarter-hour", "USD", "UTC", "Europe/Paris"),
    )
    assert nothing.ledger.stat().st_mode & 0o777 == 0o600
    row = nothing.ok(*LOG, "2026-10-05 14:00-14:04")
    assert _pick(row, "gross", "fee", "earned") == ("45.00", "9.00", "36.00")
    row = nothing.ok(*LOG[:-1], "S-2", "2026-10-05 15:00-15:20:01")
    assert row["gross"] == "63.00"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("R11", "The expert earns 70 % of what the session costs, the platform 30 % (R11)"),
        ("R99", "R99"),
        ("R8: a full refund", "a full refund (R8)"),
        ("R5; reading: all is billed", "our reading: all is billed (R5)"),
        ("silent; reading: UTC", "not stated; our reading: UTC"),
        ("silent: no day was stated", "no day was stated"),
        ("our contract of May", "our contract of May"),
    ],
)
def test_the_source_of_a_switch_is_in_words(source: str, words: str) -> None:
    """On a terminal no code of a rule is alone."""
    assert source_in_words(source) == words


def test_a_terminal_explains_the_policy(states: Shell) -> None:
    """A script gets the sources as the policy's file has them."""
    shown = " ".join(states.run("policy", "show", "unity-live-help", terminal=True).out.split())
    assert "refund.window_hours 24 A customer may claim a full refund" in shown
    rows = {row["switch"]: row["source"] for row in states.ok("policy", "show", "unity-live-help")}
    assert rows["refund.window_hours"] == "R8"
