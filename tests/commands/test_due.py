"""What is due: every deadline, sorted, with the meaning of silence and the command to type."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from tests.commands.test_forecast import complete_profile
from tests.commands.test_sync import feed
from tests.kit.events import amount, at, line
from tests.kit.shell import SetClock, Shell

NOW = at("11-02 12:00")
KINDS = {
    "request_expiry": ("REQ-1", "2026-11-02T18:00:00Z", True),
    "slot_start": ("REQ-2", "2026-11-03T09:00:00Z", True),
    "session_start": ("S-9", "2026-11-05T09:00:00Z", True),
    "claim_answer": ("CL-1", "2026-11-03T15:00:00Z", True),
    "refund_window": ("S-3", "2026-11-03T10:20:00Z", False),
    "evidence": ("S-3", "2026-11-09T11:00:00Z", True),
    "payout_due": ("2026-11", "2027-01-29T23:59:59.999999Z", False),
    "payout_profile": ("profile", "2027-01-29T23:59:59.999999Z", True),
    "tax_form": ("profile", "2027-01-29T23:59:59.999999Z", True),
}
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _noon(clock: SetClock) -> None:
    """Set the clock to noon of the day after the sessions."""
    clock.set(NOW)


def opened(name: str, **data: object) -> bytes:
    """Return a feed's line of a request."""
    given: dict[str, object] = {
        "kind": "instant",
        "customer": {"id": "C-1", "name": "Zo\u00eb \x1b[2J"},
        "title": "help \u202e",
        "rate": amount("3.00"),
    }
    return line("request.opened", "11-02 11:00", id=f"o-{name}", request=name, **(given | data))  # type: ignore[arg-type]


def logged(name: str, start: str, end: str) -> bytes:
    """Return a feed's line of a session at $3.00 a minute."""
    return line(
        *("session.logged", end),
        id=f"l-{name}",
        session=name,
        customer={"id": "C-2"},
        rate=amount("3.00"),
        start=at(start).isoformat(),
        end=at(end).isoformat(),
    )


def slots(*starts: str) -> list[dict[str, object]]:
    """Return slots of an hour."""
    return [{"start": at(start).isoformat(), "minutes": 60} for start in starts]


POLICY = 'name = "own"\n[dispute]\nwindow_hours = 48\n[evidence]\nkept_days = 7\n'
LINES = (
    opened("REQ-1", expires="2026-11-02T18:00:00Z"),
    opened("REQ-2", kind="scheduled", slots=slots("11-04 09:00", "11-03 09:00")),
    opened("REQ-9", kind="scheduled", slots=slots("11-05 09:00")),
    line("request.accepted", "11-02 11:30", id="y-9", request="REQ-9", session="S-9", slot=1),
    logged("S-1", "11-01 10:00", "11-01 10:20"),
    line("refund.claimed", "11-01 15:00", id="c-1", claim="CL-1", session="S-1", reason="slow"),
    logged("S-3", "11-02 10:00", "11-02 10:20"),
    line(
        *("artifact.added", "11-02 11:00"),
        id="a-3",
        session="S-3",
        kind="recording",
        name="call.mp4",
        sha256="ab" * 32,
        bytes=10,
    ),
)


@pytest.fixture
def busy(empty: Shell) -> Shell:
    """Give a shell whose ledger has a deadline of each kind ahead."""
    empty.ok("policy", "use", empty.file("own.toml", POLICY), "--yes")
    empty.ok("sync", feed(empty, "due.jsonl", *LINES))
    return empty


def due(shell: Shell, *argv: object) -> list[dict[str, object]]:
    """Return the rows of `due`, whatever its exit code."""
    ran = shell.run("due", *argv, "--json")
    assert ran.err == ""
    rows: list[dict[str, object]] = json.loads(ran.out)
    assert ran.code == (10 if any(row["asks"] for row in rows) else 0)
    return rows


def by_kind(rows: list[dict[str, object]]) -> dict[str, dict[str, object]]:
    """Return one row of each kind."""
    return {str(row["kind"]): row for row in rows}


# --- what there is --------------------------------------------------------------------------------


def test_every_kind_of_deadline_is_there(busy: Shell) -> None:
    """With its entity, its time, whether it needs an answer, and what silence means."""
    rows = due(busy)
    shown = by_kind(rows)
    assert {
        kind: (row["id"], row["due"], row["asks"]) for kind, row in shown.items() if kind in KINDS
    } == KINDS
    for row in rows:
        assert str(row["means"]).endswith(".")
        assert row["command"] or not row["asks"]
    assert shown["claim_answer"]["amount"] == "42.00"
    assert shown["claim_answer"]["means"] == "No answer counts as consent: 42.00 USD is deducted."
    assert shown["slot_start"]["means"] == "Slot 2 passes, and 1 other slot is left."
    assert shown["payout_due"]["amount"] == "42.00", "what a claim holds is not expected"
    assert shown["claim_answer"]["left_seconds"] == 27 * 3600


def test_the_next_is_first(busy: Shell) -> None:
    """Sorted by when they are due."""
    times = [str(row["due"]) for row in due(busy)]
    assert times == sorted(times)
    assert len(times) >= len(KINDS)


def test_what_has_no_stated_deadline_is_first(busy: Shell) -> None:
    """It may be due any time, and is within any length of time."""
    busy.ok("policy", "use", busy.file("none.toml", 'name = "none"\n'), "--yes")
    more = (
        logged("S-5", "11-02 11:00", "11-02 11:20"),
        line("refund.claimed", "11-02 11:30", id="c-5", claim="CL-5", session="S-5", reason="x"),
    )
    busy.ok("sync", feed(busy, "more.jsonl", *more))
    first = due(busy)[0]
    assert (first["id"], first["due"], first["left_seconds"]) == ("CL-5", None, None)
    assert [row["id"] for row in due(busy, "--within", "0h")] == ["CL-5"]


def test_every_command_can_be_typed(busy: Shell) -> None:
    """The command in a row exists, and takes the arguments shown."""
    busy.file("FILE", "a recording")
    for row in due(busy):
        if not row["command"]:
            continue
        argv = str(row["command"]).split()
        assert argv.pop(0) == "liveportal"
        if "--edit" in argv:
            argv[argv.index("--edit") :] = ["--summary", "It was fixed."]
        writes = argv[0] != "payout"
        ran = busy.run(*argv, *(("--dry-run",) if writes else ()))
        assert ran.code in (0, 4), (argv, ran)  # 4: a caution about another session's time.
        assert "usage" not in ran.err.lower()


# --- how much of it -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("within", "kinds"),
    [
        ("0h", set()),
        ("359 min", set()),
        ("6h", {"request_expiry"}),
        ("21h", {"request_expiry", "slot_start"}),
        ("22h20m", {"request_expiry", "slot_start", "refund_window"}),
        ("1d 3h", {"request_expiry", "slot_start", "refund_window", "claim_answer"}),
        ("999999w", set(KINDS)),
    ],
)
def test_only_what_is_due_by_then(busy: Shell, within: str, kinds: set[str]) -> None:
    """--within counts from now; exactly then is within."""
    assert {row["kind"] for row in due(busy, "--within", within)} == kinds


@pytest.mark.parametrize(
    "within",
    [
        *("", "48", "h", "-5h", "soon", "5 parsecs", "1.5h", "1y", "1h x"),
        *("999999w" * 200, "9" * 10_000),
    ],
    ids=lambda text: text[:12],
)
def test_a_length_of_time_that_is_none_is_refused(busy: Shell, within: str) -> None:
    """The error shows the format; nothing is guessed."""
    assert busy.refuses(1, "due", "--within", within)["code"] == "invalid_time"


def test_nothing_to_do_is_exit_0(busy: Shell, empty: Shell) -> None:
    """Cron mails only if there is something to do."""
    quiet = busy.run("due", "--within", "1h")
    assert (quiet.code, quiet.out) == (0, "")
    assert busy.run("due").code == 10
    assert busy.run("due", "--csv", "-o", "due.csv").code == 10
    assert (busy.folder / "due.csv").read_text().startswith("kind,id,due")
    assert busy.run("due", "--fields", "id", "--within", "6h").out == "REQ-1\n"
    complete_profile(busy)
    for argv in (
        ("requests", "decline", "REQ-1"),
        ("requests", "decline", "REQ-2"),
        ("sessions", "cancel", "S-9", "--by", "expert"),
        ("dispute", "file", "CL-1", "--summary", "x"),
        ("sessions", "attach", "S-3", busy.file("call.mp4", "x"), "--kind", "recording"),
    ):
        empty.ok(*argv)
    left = due(busy, "--within", "60h")
    assert {row["kind"] for row in left} <= {"refund_window", "evidence"}


# --- when -----------------------------------------------------------------------------------------


def test_each_deadline_passes_at_its_own_instant(busy: Shell) -> None:
    """What can no longer be done disappears; what still can be done stays."""
    for kind, gone in {
        "request_expiry": True,
        "slot_start": False,  # The other slot is next.
        "session_start": False,
        "claim_answer": False,
        "refund_window": True,
    }.items():
        thing, text, _ = KINDS[kind]
        last = datetime.fromisoformat(text)
        busy.clock.set(last - MICROSECOND)
        assert thing in {row["id"] for row in due(busy) if row["kind"] == kind}
        busy.clock.set(last + MICROSECOND)
        still = {row["id"]: row for row in due(busy) if row["kind"] == kind}
        assert (thing in still) is not gone, kind
        if kind in ("session_start", "claim_answer"):
            assert still[thing]["left_seconds"] == -1
            assert still[thing]["asks"] is True


def test_what_is_overdue_asks(busy: Shell) -> None:
    """A payout that did not arrive: without held money, and not below the minimum."""
    busy.clock.set(at("11-02 12:00").replace(year=2027))
    payout = by_kind(due(busy))["payout_due"]
    assert payout["asks"] is False
    assert str(payout["means"]).startswith("It is carried over. The payout profile is incomplete.")
    low = POLICY.replace("own", "low") + '[payout]\nminimum = "1.00"\n'
    busy.ok("policy", "use", busy.file("low.toml", low), "--yes")
    payout = by_kind(due(busy))["payout_due"]
    assert (payout["asks"], payout["amount"]) == (True, "42.00")


def test_as_known_then_is_what_was_due_then(empty: Shell) -> None:
    """An earlier state of the ledger, counted from that moment."""
    recorded = at("11-02 11:45")
    empty.clock.set(recorded)
    empty.ok("policy", "use", empty.file("own.toml", POLICY), "--yes")
    empty.ok("sync", feed(empty, "due.jsonl", *LINES))
    assert due(empty, "--as-known", "2001-01-01") == []
    now = {row["id"]: row for row in due(empty)}
    known = {row["id"]: row for row in due(empty, "--as-known", "2999-01-01")}
    assert now.keys() == known.keys()


# --- at a terminal --------------------------------------------------------------------------------


def test_it_fits_a_terminal(busy: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """In eighty columns, with no text of a stranger's that a terminal would obey."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    ran = busy.run("due", terminal=True)
    assert ran.code == 10
    assert max(map(len, ran.out.splitlines())) <= 80
    flat = " ".join(ran.out.split())
    for output in ("2026-11-02", "CL-1", "yes", "Zoë"):
        assert output in flat
    for bad in ("\x1b", "\u202e"):
        assert bad not in ran.out


def test_nothing_is_due_in_an_empty_book(empty: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """In words at a terminal, silently in a pipe; the exit code is 0."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert empty.output_of("due", "--within", "1h") == ""
    nothing = empty.run("due", "--within", "1h", terminal=True).out
    assert nothing == "Nothing is due. Planned sessions: `liveportal sessions upcoming`.\n"
    assert empty.ok("due", "--within", "1h") == []


# --- what keeps a payout back ---------------------------------------------------------------------

REQUIRED = "address, email, method, name, tax_form"


def test_from_the_first_earning_on_the_profile_is_asked_for(empty: Shell) -> None:
    """`due`, `payout preview` and `payout forecast` agree about the date and about the blocks."""
    assert due(empty) == []  # Nothing was earned yet.
    empty.ok("sync", feed(empty, "one.jsonl", logged("S-1", "11-01 10:00", "11-01 11:00")))
    shown = by_kind(due(empty))
    lacking, form, payout = (shown[field] for field in ("payout_profile", "tax_form", "payout_due"))
    assert (lacking["asks"], form["asks"], payout["asks"]) == (True, True, False)
    assert "The payee's name is missing" in str(lacking["means"])
    assert "The tax form is missing" in str(form["means"])
    assert str(payout["means"]).startswith(
        "Nothing is paid out then. The payout profile is incomplete."
    )
    outlook = empty.ok("payout", "preview", "--on", "2027-01-29")
    (coming,) = empty.ok("payout", "forecast", "--on", "2026-11-02")
    dates = {str(row["due_on"]) for row in (lacking, form, payout)}
    assert dates == {outlook["due_on"], coming["on"]} == {"2027-01-29"}
    assert [row["code"] for row in outlook["blocked"]] == coming["blocked"]
    assert coming["blocked"] == ["profile_incomplete"]
    assert (coming["amount"], coming["carried"]) == ("0.00", "126.00")
    complete_profile(empty)
    shown = by_kind(due(empty))
    assert "payout_profile" not in shown
    assert "tax_form" not in shown or not shown["tax_form"]["asks"]
    assert shown["payout_due"]["means"] == "Nothing. The platform pays it by then."
    (coming,) = empty.ok("payout", "forecast", "--on", "2026-11-02")
    assert (coming["amount"], coming["blocked"]) == ("126.00", [])


def test_a_person_reads_the_day_of_the_platform(empty: Shell) -> None:
    """The end of its day is the next morning in Seoul, and yet it is the same date everywhere."""
    empty.ok("preferences", "set", "--zone", "Asia/Seoul")
    empty.ok("sync", feed(empty, "one.jsonl", logged("S-1", "11-01 10:00", "11-01 11:00")))
    shown = empty.run("due", "--fields", "due,kind", terminal=True).out
    assert "2027-01-29" in shown
    assert "01-30" not in shown
