"""Refunds and disputes as typed: every path of a claim, its money, and the messages."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from liveportal.domain.entities import RELEASED, UNDECIDED, ClaimState
from liveportal.domain.handlers.refunds import MOVES
from tests.commands.test_sync import feed
from tests.kit.events import amount, at, line
from tests.kit.shell import Shell

STEPS = {
    "dispute.filed": ("dispute", "file", "CL-2", "--summary", "It was fixed."),
    "dispute.withdrawn": ("dispute", "withdraw", "CL-2", "--yes"),
    "dispute.accepted": ("dispute", "rule", "CL-2", "--accepted"),
    "dispute.rejected": ("dispute", "rule", "CL-2", "--rejected", "--note", "no"),
    "refund.conceded": ("refunds", "concede", "CL-2", "--yes"),
    "refund.granted": ("refunds", "grant", "CL-2"),
    "refund.denied": ("refunds", "deny", "CL-2"),
    "refund.withdrawn": ("refunds", "withdraw", "CL-2"),
}
PATHS: dict[str, tuple[str, ...]] = {
    "open": (),
    "disputed": ("dispute.filed",),
    **{
        state: ("dispute.filed", step) if origin == "disputed" else (step,)
        for (origin, step), state in MOVES.items()
        if state not in UNDECIDED
    },
}
EARNED, COST = Decimal("42.00"), Decimal("42.00")


def balance(shell: Shell) -> dict[str, Decimal]:
    """Return the amounts owed and held, over all months."""
    shown = shell.ok("earnings", "--month", "2026-12")["balance"]
    return {name: Decimal(shown[name]) for name in ("owed", "held")}


def event_line(step: str, when: str) -> bytes:
    """Return a feed's line of a step."""
    data = {"summary": "It was fixed."} if step == "dispute.filed" else {}
    return line(step, when, id=f"{step} {when}", claim="CL-2", **data)


# --- every path -----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("state", PATHS)
def test_every_state_takes_its_own_steps_and_no_other(states: Shell, state: str) -> None:
    """From commands and feeds alike: the listed steps succeed, all others are refused."""
    for day, step in enumerate(PATHS[state], 21):
        states.ok(*STEPS[step], "--at", f"2026-10-{day} 09:00")
    shown = states.ok("refunds", "show", "CL-2")
    assert shown["state"] == state
    when, reported_at = ("--at", "2026-10-25 09:00"), "10-25 09:00"
    for step, argv in STEPS.items():
        after = MOVES.get((ClaimState(state), step))
        path = feed(states, "step.jsonl", event_line(step, reported_at))
        if after is None:
            error = states.refuses(4, *argv, *when)
            assert error["code"] in ("claim_not_open", "wrong_state")
            assert error["details"]["state"] == state
            assert error["message"].startswith("Claim CL-2 ")
            assert error["hint"]
            if (
                step not in PATHS[state]
            ):  # A repeated step is confirmed, however often it is reported.
                assert states.refuses(4, "sync", path)["code"] == error["code"]
            continue
        done = states.ok(*argv, *when, "--dry-run")
        assert done["state"] == (after if step != "dispute.withdrawn" else "open")
        assert states.ok("sync", path, "--dry-run")["recorded"] == 1
    assert states.ok("refunds", "show", "CL-2") == shown


@pytest.mark.parametrize("state", PATHS)
def test_commands_and_feeds_lead_to_the_same_books(
    states: Shell, state: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same steps, typed or from a feed, give the same claim and the same money."""
    other = Shell(states.folder, tmp_path_factory.mktemp("other") / "ledger.db")
    other.ledger.write_bytes(states.ledger.read_bytes())
    for day, step in enumerate(PATHS[state], 21):
        states.ok(*STEPS[step], "--at", f"2026-10-{day} 09:00")
        other.ok(
            "sync",
            feed(states, f"{day}", event_line(step, f"10-{day} 09:00")),
            "--ledger",
            other.ledger,
        )
    for argv in (
        ("refunds", "list", "--fields", "id,state,amount,held,cost,decided_at,disputed_at"),
        ("earnings", "transactions"),
        ("earnings", "--month", "2026-10"),
    ):
        assert states.ok(*argv) == other.ok(*argv, "--ledger", other.ledger)


@pytest.mark.parametrize("state", [path for path in PATHS if path not in UNDECIDED])
def test_the_money_of_a_decision_is_in_its_result(states: Shell, state: str) -> None:
    """Released or deducted, the balance is the one after it, in the result itself."""
    before = balance(states)
    done: dict[str, Any] = {}
    for day, step in enumerate(PATHS[state], 21):
        done = states.ok(*STEPS[step], "--at", f"2026-10-{day} 09:00")
    back = (
        Decimal(0)
        if state not in RELEASED
        else Decimal(str(before["held"])) - held_by("CL-1", states)
    )
    after = balance(states)
    assert done["balance"] == {name: f"{value}" for name, value in after.items()}
    assert after["held"] == held_by("CL-1", states)
    assert after["owed"] - before["owed"] == back
    assert done["held"] == "0.00"
    assert Decimal(done["cost"]) == (0 if state in RELEASED else before["held"] - after["held"])


def held_by(claim: str, shell: Shell) -> Decimal:
    """Return the amount that a claim holds."""
    return Decimal(shell.ok("refunds", "show", claim)["held"])


# --- refunds --------------------------------------------------------------------------------------


def test_a_claim_says_what_it_asks(states: Shell) -> None:
    """Reason, cost under the session's own policy, hold, lateness, deadline, silence, history."""
    shown = states.ok("refunds", "show", "CL-2")
    assert (shown["reason"], shown["state"]) == ("slow", "open")
    assert shown["deadline"] == "no stated deadline"
    assert (shown["answer_by"], shown["left_seconds"]) == (None, None)
    assert shown["held"] == shown["cost"] != "0.00"
    assert shown["if_silent"] == f"No answer counts as consent: {shown['cost']} USD is deducted."
    assert (shown["late"], shown["late_by_seconds"]) == (False, None)
    assert [entry["type"] for entry in shown["history"]] == ["refund.claimed"]
    assert states.ok("refunds", "list", "--state", "open")[0]["id"] == "CL-2"


def window(shell: Shell, name: str, text: str) -> None:
    """Adopt a policy of these tables."""
    path = shell.file(f"{name}.toml", f'name = "{name}"\n{text}')
    shell.ok("policy", "use", path, "--yes")


def logged(shell: Shell, session: str, day: str, customer: str = "C-50") -> None:
    """Log a session of twenty minutes at $3.00."""
    shell.ok(
        *("sessions", "log", "--customer", customer, "--rate", "3.00", "--id", session),
        f"2026-{day} 10:00-10:20",
    )


def test_the_time_left_is_counted_down(empty: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """`dispute.window_hours`: until when, and how long that is, also once it is over."""
    empty.clock.set(at("10-06 09:00"))
    monkeypatch.setenv("NO_COLOR", "1")
    window(empty, "strict", '[dispute]\nwindow_hours = 48\nsilence = "none"\n')
    logged(empty, "S-1", "10-05")
    empty.ok("refunds", "claim", "S-1", "--id", "CL-9", "--at", "2026-10-05 12:00")
    shown = empty.ok("refunds", "show", "CL-9")
    assert shown["deadline"] == shown["answer_by"] == "2026-10-07T12:00:00Z"
    assert shown["left_seconds"] == 27 * 3600
    words = empty.run("refunds", "show", "CL-9", terminal=True).out
    assert re.search(r"\ntime left +1 d 3 h *\n", words)
    empty.clock.set(at("10-07 12:00:01"))
    assert empty.ok("refunds", "show", "CL-9")["left_seconds"] == -1
    assert "held until it decides" in shown["if_silent"]
    empty.ok("dispute", "file", "CL-9", "--summary", "x")
    shown = empty.ok("refunds", "show", "CL-9")
    assert (shown["deadline"], shown["left_seconds"], shown["answer_by"]) == (None, None, None)


@pytest.mark.parametrize(
    ("when", "late"),
    [("10:20:00", None), ("10:20:00.000001", 0), ("10:20:01", 1), ("11:20:00", 3600)],
)
def test_a_claim_is_late_by_so_much(empty: Shell, when: str, late: int | None) -> None:
    """R8: exactly at the window's end is in time; a microsecond later is late."""
    logged(empty, "S-1", "10-05")
    argv = (
        "refunds",
        "claim",
        "S-1",
        "--id",
        "CL-9",
        "--at",
        f"2026-10-06 {when}",
    )
    if late is not None:
        assert empty.refuses(4, *argv)["code"] == "late_claim"
    done = empty.ok(*argv, "--late")
    assert done["flags"] == (["late_claim"] if late is not None else [])
    shown = empty.ok("refunds", "show", "CL-9")
    assert (shown["late"], shown["late_by_seconds"]) == (late is not None, late)
    assert shown["window_closes"] == "2026-10-06T10:20:00Z"


def test_a_customers_earlier_claims_are_shown(empty: Shell) -> None:
    """That customer's only, with their outcome; each counts the earlier ones."""
    for number, customer in enumerate(("C-50", "C-50", "C-51", "C-50"), 1):
        logged(empty, f"S-{number}", f"10-0{number}", customer)
        when = ("--at", f"2026-10-0{number} 12:00")
        empty.ok("refunds", "claim", f"S-{number}", "--id", f"CL-{number}", *when)
        if number == 1:
            empty.ok("refunds", "deny", "CL-1", "--at", "2026-10-01 13:00")
    rows = empty.ok("refunds", "list")
    assert [row["earlier_claims"] for row in rows] == [0, 1, 0, 2]
    earlier = empty.ok("refunds", "show", "CL-4")["earlier"]
    assert [(row["claim"], row["session"], row["state"]) for row in earlier] == [
        ("CL-1", "S-1", "denied"),
        ("CL-2", "S-2", "open"),
    ]
    assert earlier[0]["amount"] == "60.00"


@pytest.mark.parametrize(("deducts", "cost"), [("share", "14.00"), ("gross", "20.00")])
def test_a_part_is_claimed_where_the_policy_knows_parts(
    empty: Shell, deducts: str, cost: str
) -> None:
    """`refund.partial`: a partial claim, and its cost by `refund.deducts`."""
    logged(empty, "S-0", "10-05")
    argv = ("refunds", "claim", "S-0", "--amount", "20.00", "--at", "2026-10-05 12:00")
    assert empty.refuses(4, *argv)["code"] == "partial_refund"
    window(empty, "parts", f'[refund]\npartial = true\ndeducts = "{deducts}"\n')
    assert empty.refuses(4, *argv)["code"] == "partial_refund", "its own policy is frozen"
    logged(empty, "S-1", "10-06")
    argv = ("refunds", "claim", "S-1", "--amount", "20.00", "--at", "2026-10-06 12:00")
    done = empty.ok(*argv, "--id", "CL-1")
    assert (done["amount"], done["cost"], done["held"]) == ("20.00", cost, "14.00")
    done = empty.ok("refunds", "concede", "CL-1", "--yes", "--at", "2026-10-06 13:00")
    assert (done["cost"], done["held"]) == (cost, "0.00")
    too_much = ("refunds", "claim", "S-1", "--amount", "40.01", "--at", "2026-10-06 14:00")
    assert empty.refuses(4, *too_much)["code"] == "refund_too_large"


def test_conceding_says_what_it_deducts(states: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The question names the amount; anything but yes does nothing."""
    error = states.refuses(7, "refunds", "concede", "CL-2")
    cost = states.ok("refunds", "show", "CL-2")["cost"]
    assert f"{cost} USD will be deducted" in error["message"]
    before = states.dump()
    monkeypatch.setattr("liveportal.cli.io.prompts._is_terminal", lambda _: True)
    ran = states.run("refunds", "concede", "CL-2", stdin=b"n\n", terminal=True)
    assert ran.code == 7
    assert f"{cost} USD will be deducted" in ran.err
    assert states.dump() == before
    ran = states.run("refunds", "concede", "CL-2", stdin=b"y\n", terminal=True)
    assert ran.code == 0
    assert states.ok("refunds", "show", "CL-2")["state"] == "conceded"


# --- filing ---------------------------------------------------------------------------------------


def test_a_summary_is_given_or_read(states: Shell) -> None:
    """--summary TEXT, or - for standard input; the review shows this text."""
    text = "Fixed at 14:17.\nSee the recording: \u00e9\u00e8."
    done = states.ok("dispute", "file", "CL-2", "--summary", "-", stdin=f"\n{text}\n\n".encode())
    assert (done["state"], done["balance"].keys()) == ("disputed", {"owed", "held"})
    assert states.ok("dispute", "show", "CL-2")["summary"] == text


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        ((), 2),
        (("--summary", "x", "--edit"), 2),
        (("--summary", ""), 1),
        (("--summary", " \n "), 1),
    ],
)
def test_a_summary_there_must_be(states: Shell, argv: tuple[str, ...], code: int) -> None:
    """One, and not an empty one."""
    states.refuses(code, "dispute", "file", "CL-2", *argv)


@pytest.mark.parametrize("stdin", [b"", b" \n\t\n", b"\xff\xfe", b"x" * 1_000_001])
def test_a_summary_that_cannot_be_read_is_refused(states: Shell, stdin: bytes) -> None:
    """Nothing, something that is no text, or a film."""
    states.refuses(1, "dispute", "file", "CL-2", "--summary", "-", stdin=stdin)


def test_many_claims_are_disputed_with_one_text(states: Shell) -> None:
    """Ids from standard input are for many claims; --edit and --attach are for one."""
    argv = ("dispute", "file", "-", "--summary", "It was fixed.")
    (done,) = states.ok(*argv, "--dry-run", stdin=b"CL-2\n")
    assert done["state"] == "disputed"
    ran = states.run(*argv, "--dry-run", stdin=b"CL-2\n", terminal=True)
    assert ran.code == 0, "also at a terminal"
    states.refuses(2, "dispute", "file", "-", "--summary", "-")
    states.refuses(2, "dispute", "file", "-", "--edit")
    states.refuses(2, *argv, "--attach", states.file("a.txt", "a"))


def test_evidence_comes_with_the_dispute(states: Shell) -> None:
    """--attach puts files into the vault; where the dispute would be refused, nothing."""
    files = [states.file("chat.txt", "Ana: hi\n"), states.file("Fix.shader", "float x;")]
    argv = ("dispute", "file", "CL-2", "--summary", "x", "--attach", files[0], "--attach", files[1])
    before = states.dump()
    states.ok(*argv, "--dry-run")
    assert states.dump() == before
    done = states.ok(*argv, "--key", "k")
    assert done["state"] == "disputed"
    assert states.ok("dispute", "show", "CL-2")["artifacts"] == 2
    assert states.ok(*argv, "--key", "k") == done | {"replayed": True}
    assert states.refuses(4, *argv)["code"] == "claim_not_open"
    assert states.ok("dispute", "show", "CL-2")["artifacts"] == 2
    more = states.file("more.txt", "more")
    assert states.refuses(4, "dispute", "file", "CL-1", "--summary", "x", "--attach", more)
    missing = ("--attach", states.folder / "missing")
    states.ok("dispute", "withdraw", "CL-2", "--yes")
    assert states.refuses(1, "dispute", "file", "CL-2", "--summary", "x", *missing)


def test_the_record_is_kept_and_warns(states: Shell) -> None:
    """R10: counts of filed, accepted, rejected, withdrawn; earlier losses warn beforehand."""
    assert states.ok("dispute", "show", "CL-2")["record"] == {
        "filed": 1,
        "accepted": 0,
        "rejected": 0,
        "withdrawn": 0,
    }
    assert states.ok("dispute", "show", "CL-2")["warning"] is None
    states.ok("dispute", "rule", "CL-1", "--rejected", "--at", "2026-10-21 09:00")
    shown = states.ok("dispute", "show", "CL-2")
    assert shown["record"]["rejected"] == 1
    assert "close an account" in shown["warning"]
    assert states.ok("dispute", "show", "CL-1")["warning"] is None, "that one is decided"
    ran = states.run("dispute", "file", "CL-2", "--summary", "one\ntwo\x1b[2J", terminal=True)
    assert ran.code == 0
    for output in (
        "You dispute claim CL-2: ",
        "  | one",
        "  | two",
        "1 filed, 0 accepted, 1 rejected",
        "close an",
    ):
        assert output in ran.err
    assert "\x1b[2J" not in ran.err
    states.ok("dispute", "withdraw", "CL-2", "--yes")
    shown = states.ok("dispute", "show", "CL-2")
    assert shown["record"] == {"filed": 2, "accepted": 0, "rejected": 1, "withdrawn": 1}
    assert shown["summary"] is None
    states.ok("dispute", "file", "CL-2", "--summary", "again")
    shown = states.ok("dispute", "show", "CL-2")
    assert (shown["summary"], shown["record"]["filed"]) == ("again", 3)
    assert [row["id"] for row in states.ok("dispute", "list")] == ["CL-1", "CL-2"]


def test_a_dry_run_at_a_terminal_only_shows(states: Shell) -> None:
    """The preview and the record so far; nothing is recorded."""
    before = states.dump()
    ran = states.run("dispute", "file", "CL-2", "--summary", "x", "--dry-run", terminal=True)
    assert (ran.code, states.dump()) == (0, before)
    assert "Your disputes so far: 1 filed" in ran.err


def test_a_ruling_says_which(states: Shell) -> None:
    """A ruling must accept or reject."""
    states.refuses(2, "dispute", "rule", "CL-1")


def test_what_is_shown_fits_a_terminal(states: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """In eighty columns, with its words whole."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    for argv in (("refunds", "list"), ("refunds", "show", "CL-2"), ("dispute", "show", "CL-1")):
        ran = states.run(*argv, terminal=True)
        assert ran.code == 0
        assert max(map(len, ran.out.splitlines())) <= 80
        assert "…" not in ran.out


# --- hostile --------------------------------------------------------------------------------------


def test_hostile_words_of_a_claim_do_no_harm(empty: Shell) -> None:
    """Whatever the customer's reason is, no escape sequence reaches the terminal."""
    reason = "\x1b[2J\x1b]0;owned\x07\u202eevil\ud800 =cmd|' /c'\n" + "x" * 10_000
    logged(empty, "S-1", "10-05")
    claimed = line(
        *("refund.claimed", "10-05 12:00"),
        id="c-1",
        claim="CL-1",
        session="S-1",
        reason=reason,
        amount=amount("60.00"),
    )
    empty.ok("sync", feed(empty, "claims.jsonl", claimed))
    for argv in (("refunds", "list"), ("refunds", "show", "CL-1"), ("dispute", "show", "CL-1")):
        for terminal in (False, True):
            ran = empty.run(*argv, terminal=terminal)
            assert ran.code == 0
            for bad in ("\x1b]0", "\x1b[2J", "\u202e", "\x07"):
                assert bad not in ran.out + ran.err
    ran = empty.run("dispute", "file", "CL-1", "--summary", reason[:60], "--dry-run", terminal=True)
    assert "\x1b]0" not in ran.err
