"""Invalid input of every kind: the exit code, a helpful sentence, and an unchanged ledger.

`Shell.refuses` runs each command twice, in text and with --json, and compares the whole ledger.
"""

from __future__ import annotations

import pytest

from tests.kit.shell import Shell, assert_no_traceback, error_of

pytestmark = pytest.mark.slow

# Arguments, exit code, error code, and words that the message or hint must have.
THINGS = [
    ("requests show nope", 3, "not_found", "nope"),
    ("requests accept nope", 3, "not_found", "requests list"),
    ("requests accept REQ-1", 3, "ambiguous_id", "REQ-1001"),
    ("sessions show S-100", 3, "ambiguous_id", "more characters"),
    ("sessions end nope", 3, "not_found", "sessions list"),
    ("refunds concede nope --yes", 3, "not_found", "refunds list"),
    ("refunds show CL", 3, "ambiguous_id", "CL-1, CL-2"),
    ("dispute show nope", 3, "not_found", "nope"),
    ("payout paid nope", 3, "not_found", "payout list"),
    ("sessions show %", 3, "not_found", "%"),
    ("sessions show S-1001'--", 3, "not_found", "sessions list"),
    ("policy use nope --yes", 3, "policy_not_found", "unity-live-help"),
    ("policy show nope", 3, "policy_not_found", "unity-live-help"),
    ("ledger reverse nope --reason x --yes", 3, "not_found", "nope"),
]
STATES = [
    ("requests accept REQ-1005", "wrong_state", "was taken by another expert"),
    ("requests decline REQ-1001", "wrong_state", "has been accepted"),
    ("sessions pause S-PAUSED", "wrong_state", "is already paused"),
    ("sessions end S-1001", "wrong_state", "has already ended"),
    ("payout paid PO-2", "wrong_state", "has already arrived"),
    ("dispute file CL-1 --summary again", "claim_not_open", "is already disputed"),
    ("sessions resume S-LIVE", "wrong_state", "is already live"),
    ("sessions start S-LIVE", "wrong_state", "is already live"),
    ("sessions end S-UP", "wrong_state", "has not started yet"),
    ("sessions cancel S-LIVE", "wrong_state", "is live"),
    ("sessions tip S-LIVE 5", "wrong_state", "is live"),
    ("sessions correct S-LIVE --billed 5 --reason x", "wrong_state", "is live"),
    ("refunds concede CL-1 --yes", "claim_not_open", "is disputed"),
    ("refunds claim S-1001", "claim_open", "CL-1"),
    ("refunds claim S-LIVE", "wrong_state", "is live"),
    ("requests accept REQ-1002 --slot 1", "wrong_state", "has already been accepted"),
    ("dispute rule CL-2 --accepted", "wrong_state", "is not disputed"),
    ("dispute withdraw CL-2 --yes", "wrong_state", "is open"),
    ("payout fail PO-2 --yes", "wrong_state", "has arrived"),
    ("payout return PO-1 --yes", "wrong_state", "was sent"),
    ("requests add --customer C-1 --title x --rate 3 --id REQ-1001", "already_exists", "REQ-1001"),
    ("refunds claim S-1004", "nothing_to_refund", "S-1004"),
    ("refunds claim S-1002 --amount 999 --late", "refund_too_large", "136.50"),
    ("refunds claim S-1002 --amount 5 --late", "partial_refund", "136.50"),
    ("payout record 9999", "payout_too_large", "9999.00"),
    ("requests accept REQ-1006", "slot_needed", "--slot"),
    ("requests accept REQ-1006 --slot 3", "slot_needed", "1 to 2"),
    ("requests accept REQ-2001 --slot 1", "slot_needed", "instant"),
    ("requests add --customer C-1 --title x --rate 9", "rate_out_of_bounds", "--anyway"),
    ("sessions tip S-1002 5000000000000000000", "amount_too_large", "larger"),
]
AMOUNTS = ["abc", "0", "-5", "1.005", "1e3", "1,50", "٣", "NaN", "", "3.00 EUR", "1" * 40]
MALFORMED = [
    ("earnings --month 2026-13", "invalid_month", "2026-10"),
    ("earnings --month frog", "invalid_month", "last"),
    ("earnings --month 10", "invalid_month", "oct"),
    ("sessions list --month 2026-1", "invalid_month", "2026-10"),
    ("requests list --fields nope", "unknown_field", "--help"),
    ("requests list --fields id,,state", "unknown_field", "--help"),
    ("earnings --as-known frog", "invalid_time", "2026-10-05"),
    ("requests list --as-known 2026-10-05 --timezone Mars/Olympus", "invalid_value", "Mars"),
    ("payout preview --on 30.12.2026", "invalid_time", "2026-12-30"),
    ("sessions pause S-LIVE --at 05/10/2026", "invalid_time", "2026"),
    ("sessions pause S-LIVE --at 2026-10-05", "invalid_time", "09:00"),
    ("sessions pause S-LIVE --at 25:00", "invalid_time", "tomorrow 9am"),
    ("sessions log frog --customer C-1 --rate 3", "invalid_time", "yesterday"),
    ("requests add --customer C-1 --title x --rate 3 --slot frog", "invalid_value", "45"),
    ("preferences set --vacation 2026-12-24..2026-12-01", "invalid_value", "end"),
    ("preferences set --vacation 2026-12-24..", "invalid_value", "vacation"),
]
USAGE = [
    "requests list --csv --tsv",
    "frobnicate",
    "requests frobnicate",
    "requests lst",
    "requests list --frob",
    "requests list --state nope",
    "requests accept",
    "requests accept REQ-1006 --slot x",
    "dispute rule CL-1",
    "sessions review S-1001 9",
    "preferences set",
    "sync",
    "earnings --month 2026-10 --year 2026",
]


@pytest.mark.parametrize(("command", "exit_code", "code", "says"), THINGS)
def test_unknown_entities(
    states: Shell, command: str, exit_code: int, code: str, says: str
) -> None:
    """An id that does not exist is exit 3, named, with where to look."""
    error = states.refuses(exit_code, *command.split())
    assert error["code"] == code
    assert says in f"{error['message']} {error['hint']}"


@pytest.mark.parametrize("summary", ["", "  ", "\n"])
def test_a_dispute_without_a_word_is_malformed(states: Shell, summary: str) -> None:
    """The summary is all that the review reads of the expert, so an empty one is a mistake."""
    error = states.refuses(1, "dispute", "file", "CL-2", "--summary", summary)
    assert "summary" in error["message"]


@pytest.mark.parametrize(("command", "code", "says"), STATES)
def test_what_the_rules_refuse(states: Shell, command: str, code: str, says: str) -> None:
    """An impossible transition is exit 4 with the reason."""
    error = states.refuses(4, *command.split(), "--at", "2026-12-31 10:00")
    assert error["code"] == code
    assert says in f"{error['message']} {error['hint']}"
    assert error["message"].endswith(".")
    assert error["hint"]


@pytest.mark.parametrize("amount", AMOUNTS)
def test_bad_amounts(states: Shell, amount: str) -> None:
    """No number, none above zero, too fine, another currency: refused, with the amount named."""
    exit_code = 4 if amount in ("3.00 EUR", "1" * 40) else 1
    for command in ("sessions tip S-1002 --", "payout record --"):
        end = command.split()
        ran = states.run(*end[:-1], "--", amount)
        assert ran.code == exit_code, ran
        assert_no_traceback(ran.err)
    error = states.refuses(exit_code, "refunds", "claim", "S-1002", f"--amount={amount}", "--late")
    assert error["code"] in (
        *("invalid_amount", "invalid_event", "currency_mismatch", "amount_too_large"),
    )


@pytest.mark.parametrize(("command", "code", "says"), MALFORMED)
def test_malformed_input(states: Shell, command: str, code: str, says: str) -> None:
    """What cannot be read is exit 1, and the hint shows how it is written."""
    error = states.refuses(1, *command.split(" "))
    assert error["code"] == code
    assert says in f"{error['message']} {error['hint']}"


@pytest.mark.parametrize("command", USAGE)
def test_wrong_usage(states: Shell, command: str) -> None:
    """A wrong command line is exit 2, and the hint names the help to read."""
    error = states.refuses(2, *command.split())
    assert error["code"] == "usage"
    assert "--help" in error["hint"]
    assert error["details"]["command"].startswith("liveportal")


def test_a_mistyped_command_is_guessed(states: Shell) -> None:
    """The error suggests similar commands and options."""
    assert "list" in states.run("requests", "lst").err
    assert "--state" in states.run("requests", "list", "--stat", "open").err
    assert "sessions" in states.run("session", "list").err


# --- times that do not exist, or exist twice ------------------------------------------------------

GAP = ("2026-03-29 02:30", "2026-03-29T03:30:00+02:00", "2026-03-29T01:30:00+01:00")
FOLD = ("2026-10-25 02:30", "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00")


@pytest.mark.parametrize(("text", "first", "second"), [GAP, FOLD], ids=["gap", "fold"])
def test_a_time_that_the_clocks_skip_or_show_twice(
    states: Shell, text: str, first: str, second: str
) -> None:
    """Refused everywhere, with a spelling of both interpretations that is accepted."""
    day, clock = text.split()
    zone = ("--timezone", "Europe/Paris")
    add = ("requests", "add", "--customer", "C-1", "--title", "x", "--rate", "3", *zone)
    log = ("sessions", "log", "--customer", "C-1", "--rate", "3", *zone)
    for argv in (
        (*add, "--at", text),
        (*add, "--expires", text),
        (*add, "--slot", f"{text}, 45"),
        (*log, f"{day} {clock}-03:45"),
        (*log, f"{day} 00:30-{clock}"),
        ("sessions", "reschedule", "S-UP", "--start", text, *zone),
        ("requests", "list", "--as-known", text, *zone),
    ):
        error = states.refuses(1, *argv)
        assert error["code"] == "invalid_time"
        assert error["details"]["timezone"] == "Europe/Paris"
        assert error["details"]["readings"] == [first, second]
        assert first in error["hint"]
        assert second in error["hint"]
    for number, reading in enumerate((first, second)):
        row = states.ok(*add, "--at", reading, "--id", f"R-{number}")
        assert (
            row["time"] == ("2026-03-29T01:30:00Z", "2026-03-29T00:30:00Z")[number]
            or row["time"] == ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z")[number]
        )


def test_time_does_not_go_back(states: Shell) -> None:
    """A step of the timer before the last one is impossible, and the hint names --at."""
    error = states.refuses(4, "sessions", "resume", "S-PAUSED", "--at", "2026-11-02 11:09")
    assert error["code"] == "impossible_time"
    assert "--at" in error["hint"]


# --- policies -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"not toml", "TOML"),
        (b"\xff\xfe", "TOML"),
        (b'name = "x"\n[fee]\npercent = 130\n', "fee.percent"),
        (b'name = "x"\n[fee]\npercent = 12.5\n', "fee.percent"),
        (b'name = "x"\n[fee]\npercents = 12\n', "fee.percents"),
        (b'name = "x"\n[tail]\nminutes = 12\n', "tail"),
        (b'name = "x"\n[trial]\nbilled = "half"\n', "trial.billed"),
        (b'name = "x"\n[period]\ntimezone = "Mars/Olympus"\n', "period.timezone"),
        (b'name = "x"\n[rate]\nminimum = "1.001"\n', "rate.minimum"),
        (b"[fee]\npercent = 12\n", "name"),
    ],
)
def test_a_bad_policy_file(states: Shell, content: bytes, says: str) -> None:
    """The switch that is wrong is named, and nothing is adopted."""
    path = states.file("bad.toml", content)
    for argv in (("policy", "check", path), ("policy", "use", path, "--yes")):
        error = states.refuses(1, *argv)
        assert error["code"] == "invalid_policy"
        assert says in error["message"]
    made = states.folder / "new.db"
    assert states.run("init", "--ledger", made, "--policy", path).code == 1
    assert not made.exists()


def test_the_period_is_fixed_once_there_is_money(states: Shell) -> None:
    """Zone, month rule and currency cannot change under entries: exit 4."""
    path = states.file("zone.toml", 'name = "x"\n[period]\ntimezone = "Asia/Tokyo"\n')
    assert states.refuses(4, "policy", "use", path, "--yes")["code"] == "period_fixed"
    assert states.refuses(1, "policy", "use", states.folder, "--yes")["code"] == "unreadable_file"


# --- --json in the wrong place --------------------------------------------------------------------


def test_the_form_of_an_error_is_that_of_the_output(states: Shell) -> None:
    """--jsonl asks for JSON errors, too; other formats have sentences."""
    assert error_of(states.run("requests", "show", "x", "--jsonl").err)["code"] == "not_found"
    for option in ("--csv", "--tsv", "--header"):
        assert states.run("requests", "show", "x", option).err.startswith("error: ")
    for argv in (("--json", "requests", "list"), ("requests", "list", "--json", "--header")):
        assert error_of(states.run(*argv).err)["code"] == "usage"
