"""A past month stays as it was, at the shell: corrections, statements, zones, far years."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.kit.events import amount, at, line
from tests.kit.shell import Shell

pytestmark = pytest.mark.slow

OCTOBER = ("earnings", "--month", "2026-10")
NOVEMBER = ("earnings", "--month", "2026-11")


def logged(name: str, start: str, end: str, **data: Any) -> bytes:  # noqa: ANN401 (as events have it)
    """Write a logged session of a feed, at 5.00 a minute."""
    given = {
        "customer": {"id": "C-1"},
        "rate": amount("5.00"),
        "start": at(start).isoformat(),
        "end": at(end).isoformat(),
    }
    return line("session.logged", end, id=f"log-{name}", session=name, **(given | data))


@pytest.fixture
def shell(empty: Shell) -> Shell:
    """Give a ledger of an October: a session of 20 minutes, and one that was free."""
    feed = logged("S-1", "10-05 09:00", "10-05 09:20") + logged("S-2", "10-06 09:00", "10-06 09:04")
    empty.ok("sync", empty.file("october.jsonl", feed))
    return empty


def correct(shell: Shell, name: str, when: str, *argv: str) -> None:
    """Correct a session at a time."""
    time = ("--at", at(when).isoformat(), "--anyway")  # Whenever the test is run.
    shell.ok("sessions", "correct", name, *argv, "--reason", "x", *time)


def counts(shell: Shell, *argv: str) -> tuple[int, int, str, str]:
    """Return the counts and the bill of a month."""
    row = shell.ok(*argv)
    return row["sessions"], row["free_sessions"], row["minutes"], row["gross"]


def test_a_correction_counts_in_its_own_month(shell: Shell) -> None:
    """Minutes and sessions move with the money; October is not touched."""
    before = shell.ok(*OCTOBER)
    assert counts(shell, *OCTOBER) == (1, 1, "20.00", "100.00")
    correct(shell, "S-1", "11-02 09:00", "--end", "2026-10-05T09:10:00Z")
    correct(shell, "S-2", "11-03 09:00", "--end", "2026-10-06T09:30:00Z")
    assert shell.ok(*OCTOBER) == before
    # One is ten minutes shorter; the other is no longer free.
    assert counts(shell, *NOVEMBER) == (1, -1, "20.00", "100.00")
    correct(shell, "S-1", "12-01 00:00", "--end", "2026-10-05T09:05:00Z")
    assert counts(shell, *NOVEMBER) == (1, -1, "20.00", "100.00")
    assert counts(shell, "earnings", "--month", "2026-12") == (-1, 1, "-10.00", "-50.00")
    assert counts(shell, "earnings", "--year", "2026") == (1, 1, "30.00", "150.00")
    assert [row["id"] for row in shell.ok("sessions", "list", "--month", "2026-10")] == [
        "S-1",
        "S-2",
    ], "a session stays listed where it was first billed"
    assert shell.ok("sessions", "list", "--month", "2026-11") == []
    assert shell.ok("ledger", "verify")["ok"] is True


def test_a_session_that_moves_stays_where_it_was_billed(shell: Shell) -> None:
    """Also when its real end is in another month."""
    correct(
        shell, "S-1", "11-02 09:00", "--start", "2026-11-01T09:00Z", "--end", "2026-11-01T10:00Z"
    )
    assert counts(shell, *OCTOBER) == (1, 1, "20.00", "100.00")
    assert counts(shell, *NOVEMBER) == (0, 0, "40.00", "200.00")
    assert shell.ok("sessions", "show", "S-1")["period"] == "2026-10"


def test_every_command_agrees(shell: Shell) -> None:
    """Months, the Session Summary, groups, trees, --as-known and differences."""
    correct(shell, "S-1", "11-02 09:00", "--end", "2026-10-05T09:10:00Z")
    correct(shell, "S-2", "11-03 09:00", "--end", "2026-10-06T09:30:00Z")
    for name in ("2026-10", "2026-11"):
        month = shell.ok("earnings", "--month", name)
        (row,) = shell.ok("earnings", "months", "--from", name, "--to", name)
        assert {**month, "risk": None} == {**row, "risk": None}
        (summary,) = shell.ok("earnings", "sessions", "--from", name, "--to", name)
        assert all(
            summary[field] == month[field] for field in ("sessions", "free_sessions", "minutes")
        )
        groups = shell.ok("earnings", "--month", name, "--by", "customer")
        assert sum(group["sessions"] for group in groups) == month["sessions"]
        assert sum(float(group["minutes"]) for group in groups) == float(month["minutes"])
        tree = json.dumps(shell.ok("earnings", "explain", name))
        assert f'"amount": "{month["net"]}"' in tree
    known = shell.ok(*NOVEMBER, "--as-known", "2999-01-01")
    assert known["minutes"] == shell.ok(*NOVEMBER)["minutes"]


def test_a_statement_adds_up(shell: Shell, tmp_path: Path) -> None:
    """Its session rows, corrections among them, come to its summary; October's stays the same."""
    paths = {name: tmp_path / f"{name}.html" for name in ("october", "again", "november")}
    shell.ok("earnings", "statement", "2026-10", "-o", paths["october"])
    correct(shell, "S-1", "11-02 09:00", "--end", "2026-10-05T09:10:00Z")
    correct(shell, "S-2", "11-03 09:00", "--end", "2026-10-06T09:30:00Z")
    shell.ok("earnings", "statement", "2026-10", "-o", paths["again"])
    shell.ok("earnings", "statement", "2026-11", "-o", paths["november"])
    old, new = (sessions_of(paths[name].read_text()) for name in ("october", "again"))
    assert old == new
    assert "Former bill" not in new
    rows = sessions_of(paths["november"].read_text())
    assert [rows.count(kind) for kind in ("Former bill, cancelled", "Corrected bill")] == [2, 2]
    for path in paths.values():
        assert shell.ok("ledger", "verify", "--statement", path)["ok"] is True
    earlier = tmp_path / "earlier.html"
    earlier.write_text(paths["november"].read_text().replace("statement.v3", "statement.v1"))
    error = shell.refuses(6, "ledger", "verify", "--statement", earlier)
    assert "have had another format" in error["hint"]
    for ending in ("pdf", "csv"):
        path = tmp_path / f"november.{ending}"
        shell.ok("earnings", "statement", "2026-11", "-o", path)
        assert shell.ok("ledger", "verify", "--statement", path)["ok"] is True


def sessions_of(page: str) -> str:
    """Return the table of the sessions of a statement."""
    return page.partition("<h2>Sessions</h2>")[2].partition("</table>")[0]


def test_risk_of_a_month_that_is_over(empty: Shell) -> None:
    """The amount claimable at its end stays the same after later corrections."""
    empty.ok("sync", empty.file("o.jsonl", logged("S-1", "10-31 20:00", "10-31 20:20")))
    before = empty.ok(*OCTOBER)["risk"]
    assert before["claimable"] == "70.00"
    correct(
        empty, "S-1", "11-20 09:00", "--start", "2026-10-20T09:00Z", "--end", "2026-10-20T09:10Z"
    )
    assert empty.ok(*OCTOBER)["risk"] == before


# --- which months there are -----------------------------------------------------------------------


def test_what_cancels_out_opens_no_month(shell: Shell) -> None:
    """A correction to the same bill, a tip and its reversal: nothing happened in that month."""
    correct(shell, "S-1", "12-02 09:00", "--end", "2026-10-05T09:20:00Z")
    time = ("--at", "2026-12-03T09:00:00Z", "--anyway")
    tip = shell.ok("sessions", "tip", "S-1", "5.00", *time, "--key", "T")
    assert tip["event"] == "T"
    shell.ok("ledger", "reverse", "T", "--reason", "x", "--yes", *time)
    assert [row["month"] for row in shell.ok("earnings", "months")] == ["2026-10"]
    assert len(shell.ok("earnings", "transactions")) == 5
    assert shell.ok("ledger", "verify")["ok"] is True


def test_a_far_year_is_no_flood(shell: Shell) -> None:
    """A long run of empty months is left out, and a note names it (rulebook 9)."""
    far = logged("S-9", "9999-12-01T09:00:00Z", "9999-12-01T09:30:00Z")
    shell.ok("sync", shell.file("far.jsonl", far))
    for command in ("months", "sessions"):
        ran = shell.run("earnings", command, "--json")
        rows = json.loads(ran.out)
        assert [row["month"] for row in rows] == ["2026-10", "9999-12"]
        assert ran.err == ("note: No entries from 2026-11 to 9999-11: these months are left out.\n")
    ran = shell.run("earnings", "months", "--year", "2026", "--json")
    assert [row["month"] for row in json.loads(ran.out)] == ["2026-10"]
    assert "No entries from 2026-11 to 2026-12" in ran.err
    assert shell.run("earnings", "months", "--year", "2030", "--json").out == "[]\n"
    assert len(shell.run(*OCTOBER, terminal=True).out.splitlines()) < 40
    assert shell.ok("earnings", "--month", "3000-01")["balance"]["owed"] == "70.00"
    shell.ok("earnings", "statement", "2026", "-o", shell.folder / "far.html")
    assert shell.ok("ledger", "verify")["ok"] is True


# --- other zones ----------------------------------------------------------------------------------


def test_disputes_and_claims_move_between_zones(shell: Shell) -> None:
    """What is counted moves, too: claims, disputes and refunds, with and without money."""
    shell.ok("preferences", "set", "--zone", "Pacific/Auckland")
    end = "10-31 14:00"
    feed = [
        logged("S-3", "10-31 13:00", end),
        line("refund.claimed", "10-31 15:00", id="c", claim="CL-1", session="S-3"),
        line("dispute.filed", "10-31 16:00", id="d", claim="CL-1", summary="No."),
        line("dispute.rejected", "10-31 17:00", id="r", claim="CL-1"),
    ]
    shell.ok("sync", shell.file("zones.jsonl", b"".join(feed)))
    rows = shell.ok("earnings", "months", "--compare-zones")
    assert {(row["month"], row["would_be"]) for row in rows} == {("2026-10", "2026-11")}
    october = shell.ok(*OCTOBER)
    moved = {name: sum(row[name] for row in rows) for name in COUNTED}
    assert moved == {"sessions": 1, "free_sessions": 0, **dict.fromkeys(COUNTED[2:], 1)}
    assert {name: october[name] - moved[name] for name in COUNTED[2:]} == dict.fromkeys(
        COUNTED[2:], 0
    )
    assert [row["kind"] for row in rows] == ["earning", "hold", "refund", "dispute"]
    (dispute,) = (row for row in rows if row["kind"] == "dispute")
    assert (dispute["claim"], dispute["session"], dispute["amount"]) == ("CL-1", "S-3", "0.00")
    (earning,) = (row for row in rows if row["kind"] == "earning")
    assert (earning["minutes"], earning["gross"], earning["platform_fee"]) == (
        "60.00",
        "300.00",
        "90.00",
    )


COUNTED = ("sessions", "free_sessions", "refund_claims", "disputes", "refunds")
