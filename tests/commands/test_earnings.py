"""`liveportal earnings` as typed: chart, groups, zones, interpretations, differences, check."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from liveportal.cli.io.chart import BLOCKS, LETTERS, chart_lines
from liveportal.domain.calculations.months import Month
from tests.kit.events import amount, at, line
from tests.kit.shell import Shell, assert_no_traceback

OCTOBER = ("--month", "2026-10")
COLOUR = re.compile("\x1b\\[[0-9;?]*[a-zA-Z]")


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a terminal be 80 columns wide and without colour."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "80")


def seen(shell: Shell, *argv: object) -> list[str]:
    """Return the output of a terminal, whose lines must fit into its width."""
    ran = shell.run("earnings", *argv, terminal=True)
    assert ran.code == 0, ran
    assert_no_traceback(ran.err)
    lines = ran.out.splitlines()
    assert all(len(text) <= 80 for text in lines), lines
    return [text.rstrip() for text in lines]


def logged(session: str, start: str, end: str, **data: Any) -> bytes:  # noqa: ANN401 (as events have it)
    """Write a logged session of a feed."""
    given = {
        "customer": {"id": "C-1"},
        "rate": amount("5.00"),
        "start": at(start).isoformat(),
        "end": at(end).isoformat(),
    }
    return line("session.logged", end, id=f"log-{session}", session=session, **(given | data))


def sync(shell: Shell, *lines: bytes) -> None:
    """Record a feed."""
    shell.ok("sync", shell.file("feed.jsonl", b"".join(lines)))


# --- the chart ------------------------------------------------------------------------------------


def test_a_terminal_draws_the_last_months(states: Shell) -> None:
    """Below the figures: a line a month, with the figures beside the bar."""
    lines = seen(states, *OCTOBER)
    heading = next(n for n, text in enumerate(lines) if text.split()[:2] == ["month", "gross"])
    assert lines[heading + 1].split()[:5] == ["2026-10", "286.50", "85.95", "0.00", "210.55"]
    assert "#" in lines[heading + 1] or "\u2588" in lines[heading + 1]
    assert "net" in lines[heading + 2]
    assert "refunds" in lines[heading + 2]
    year = seen(states, "--year", 2026)
    assert sum(month.startswith("2026-") for month in year) == 3, "the book's months, no more"


def test_a_pipe_has_no_chart(states: Shell) -> None:
    """Nor has a terminal that asks for a format, or for fields."""
    assert len(states.output_of("earnings", *OCTOBER).splitlines()) == 1
    assert len(seen(states, *OCTOBER, "--fields", "net")) == 2
    assert len(states.run("earnings", *OCTOBER, "--csv", terminal=True).out.splitlines()) == 2
    assert "refunds" not in seen(states, "--month", "2001-01")[-1], "nothing happened by then"


MONTHS = [
    Month(month="2026-08", gross_minor=10_000, fee_minor=3000),
    Month(month="2026-09"),
    Month(month="2026-10", gross_minor=5000, fee_minor=1500, deducted_minor=7000),
]


def test_bars_divide_what_came_in() -> None:
    """Kept, given back, taken by the platform; negative is left of one line for all months."""
    lines = list(chart_lines(MONTHS, "USD", 80, BLOCKS))
    assert lines[1].split() == ["month", "gross", "fee", "refunds", "net", "USD"]
    august, september, october, legend = lines[2:]
    column = {chart.index("\u2502") for chart in (august, september, october)}
    assert len(column) == 1
    assert {len(chart) for chart in (august, september, october)} <= set(range(81))
    right = august.partition("\u2502")[2]
    assert set(right) == {"\u2588", "\u2592"}
    assert abs(right.count("\u2588") / len(right) - 0.7) < 0.05
    assert september.endswith("\u2502")
    left, _, right = october.partition("\u2502")
    assert "-35.00" in left
    assert left.endswith("\u2588")
    assert set(right) == {"\u2591", "\u2592"}
    assert "negative" in legend


def test_a_chart_in_ascii_and_in_little_room() -> None:
    """Letters if the encoding has nothing else; without room, the figures alone."""
    assert all(text.isascii() for text in chart_lines(MONTHS, "USD", 80, LETTERS))
    narrow = list(chart_lines(MONTHS, "USD", 40, BLOCKS))
    assert len(narrow) == 5
    assert "\u2588" not in "".join(narrow)
    huge = [Month(month="2026-10", gross_minor=2**63 - 1)]
    assert "92233720368547758.07" in "".join(chart_lines(huge, "USD", 80, BLOCKS))


# --- the session summary and the record -----------------------------------------------------------


def test_the_session_summary(states: Shell) -> None:
    """Sessions, claims, disputes and refunds by month."""
    october, *_ = states.ok("earnings", "sessions")
    assert list(october.items()) == [
        *(("month", "2026-10"), ("timezone", "UTC"), ("sessions", 3), ("free_sessions", 1)),
        *(("minutes", "95.50"), ("refund_claims", 2), ("disputes", 1), ("refunds", 0)),
        *(("refunded", "0.00"), ("currency", "USD")),
    ]
    assert [row["month"] for row in states.ok("earnings", "sessions", "--to", "2026-11")] == [
        *("2026-10", "2026-11"),
    ]
    assert states.ok("earnings", "sessions", "--year", 2025) == []


def test_the_record_has_a_running_balance(states: Shell) -> None:
    """It ends at the amount owed; a month's starts from the months before."""
    rows = states.ok("earnings", "transactions")
    total = Decimal()
    for row in rows:
        total += Decimal(row["owed"])
        assert Decimal(row["balance"]) == total
    december = states.ok("earnings", "transactions", "--month", "2026-12")
    owed = states.ok("earnings", "--month", "2026-11")["balance"]["owed"]
    assert Decimal(december[0]["balance"]) == Decimal(owed) + Decimal(december[0]["owed"])
    end = states.ok("earnings", "--month", "2026-12")["balance"]["owed"]
    assert december[-1]["balance"] == rows[-1]["balance"] == end


@pytest.mark.parametrize(
    "argv",
    [
        ("--month", "2026-10", "--year", 2026),
        ("transactions", "--month", "2026-10", "--from", "2026-01"),
        ("--by", "customer", "--bounds"),
        ("--bounds", "--compare-zones"),
        ("--by", "colour"),
        ("diff", "2026-11-02", "2026-11-01"),
        ("check", "--year", 2026, "--to", "2026-10"),
    ],
)
def test_what_does_not_go_together(states: Shell, argv: tuple[object, ...]) -> None:
    """It is a usage error with a message."""
    ran = states.run("earnings", *argv)
    assert (ran.code, ran.out) == (2, "")


# --- groups ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["customer", "skill", "kind", "weekday"])
def test_groups_add_up(states: Shell, way: str) -> None:
    """To the cent, for a month, a year or everything selected."""
    states.ok("earnings", "adjust", "-3.50", "--reason", "fee", "--at", "2026-10-30 09:00")
    for span in (OCTOBER, ("--year", 2026), ("--from", "2026-10")):
        rows = states.ok("earnings", *span, "--by", way)
        whole = states.ok("earnings", *span)
        for name in ("gross", "platform_fee", "earned", "refunded", "deducted", "tips", "net"):
            assert sum(Decimal(row[name]) for row in rows) == Decimal(whole[name]), name
        for name in ("sessions", "free_sessions", "refund_claims", "disputes", "refunds"):
            assert sum(row[name] for row in rows) == whole[name], name
        assert rows[-1]["group"] is None
        assert rows[-1]["net"] == "-3.50"


def test_a_session_counts_once_under_all_its_skills(october: Shell) -> None:
    """Case and order of skills do not matter; sessions without skills are a group."""
    rows = {row["group"]: row for row in october.ok("earnings", *OCTOBER, "--by", "skill")}
    assert rows["android, shaders, urp"]["sessions"] == 1
    assert rows["netcode"]["net"] == "105.55"


def test_weekdays_are_the_experts_own(empty: Shell) -> None:
    """By the start, in their zone, also across a change of the clocks; Monday comes first."""
    # 2026-10-25 is a Sunday; Paris goes from UTC+2 to UTC+1 that night.
    sync(
        empty,
        logged("S-1", "10-24 21:59", "10-24 22:30"),
        logged("S-2", "10-24 22:00", "10-24 22:30"),
        logged("S-3", "10-25 22:59", "10-25 23:30"),
        logged("S-4", "10-25 23:00", "10-25 23:30"),
    )
    empty.ok("preferences", "set", "--zone", "Europe/Paris")
    rows = empty.ok("earnings", *OCTOBER, "--by", "weekday")
    assert [(row["group"], row["sessions"]) for row in rows] == [("mon", 1), ("sat", 1), ("sun", 2)]
    utc = empty.ok("earnings", *OCTOBER, "--by", "weekday", "--timezone", "UTC")
    assert [(row["group"], row["sessions"]) for row in utc] == [("sat", 2), ("sun", 2)]


def test_groups_on_a_terminal(states: Shell) -> None:
    """A customer's name is cleaned; amounts without a session are under `none`."""
    evil = {"id": "C-9", "name": "\x1b[2J\u202eevil\x00"}
    sync(states, logged("S-9", "10-30 09:00", "10-30 10:00", customer=evil))
    states.ok("earnings", "adjust", "5.00", "--reason", "bonus", "--at", "2026-10-30 09:00")
    lines = seen(states, *OCTOBER, "--by", "customer")
    assert lines[0] == "Earnings for 2026-10 by customer (USD)"
    assert any("evil" in text for text in lines)
    assert "\x1b[2J" not in "".join(lines)
    assert lines[-1].startswith("none")


# --- zones ----------------------------------------------------------------------------------------


def test_what_would_be_in_another_month(empty: Shell) -> None:
    """From instants: a session, its tip and its payout move, each separately, and none twice."""
    sync(
        empty,
        logged("S-1", "10-31 22:00", "10-31 23:30"),
        logged("S-2", "10-30 22:00", "10-30 22:04"),
        logged("S-3", "10-31 23:00", "10-31 23:04"),
        line("tip.received", "11-01 00:10", id="tip", session="S-1", amount=amount("5.00")),
    )
    assert empty.ok("earnings", "months", "--compare-zones") == []
    empty.ok("preferences", "set", "--zone", "Asia/Seoul")
    rows = empty.ok("earnings", "months", "--compare-zones")
    assert [(row["kind"], row["session"], row["amount"]) for row in rows] == [
        ("earning", "S-1", "315.00"),
        ("session", "S-3", "0.00"),
    ]
    assert {(row["zone"], row["month"], row["would_be"]) for row in rows} == {
        ("Asia/Seoul", "2026-10", "2026-11"),
    }
    assert [(row["sessions"], row["free_sessions"]) for row in rows] == [(1, 0), (0, 1)]
    assert empty.ok("earnings", "--month", "2026-11", "--compare-zones") == rows
    assert empty.ok("earnings", "--month", "2026-12", "--compare-zones") == []
    lines = seen(empty, "months", "--compare-zones")
    assert "In Asia/Seoul, from 2026-10 to 2026-11: 2 sessions, net 315.00 USD" in lines


def test_the_books_own_zone_is_held_against_utc_too(nothing: Shell) -> None:
    """If the ledger's months are in another zone, UTC is one of the others compared."""
    policy = nothing.file("own.toml", 'name = "own"\n[period]\ntimezone = "America/New_York"\n')
    nothing.ok("init", "--policy", policy)
    sync(nothing, logged("S-1", "11-01 02:00", "11-01 03:00"))
    (row,) = nothing.ok("earnings", "months", "--compare-zones")
    assert (row["zone"], row["month"], row["would_be"]) == ("UTC", "2026-10", "2026-11")


def test_a_corrected_session_moves_as_it_was_booked(nothing: Shell) -> None:
    """Its first earning by the start that was billed first, its corrections by their own time."""
    policy = nothing.file("own.toml", 'name = "own"\n[period]\nsession_month = "start"\n')
    nothing.ok("init", "--policy", policy, "--timezone", "Asia/Seoul")
    sync(nothing, logged("S-1", "10-31 15:30", "10-31 16:00"))
    correct = ("sessions", "correct", "S-1", "--reason", "clock", "--at", "2026-11-05 09:00")
    nothing.ok(*correct, "--start", "2026-10-31 23:50", "--timezone", "Asia/Seoul")
    rows = nothing.ok("earnings", "months", "--compare-zones")
    assert [(row["kind"], row["sessions"]) for row in rows] == [("earning", 1)]
    nothing.ok(*correct[:-1], "2026-11-06 09:00", "--start", "2026-11-01 00:10")
    again = nothing.ok("earnings", "months", "--compare-zones")
    assert again == rows
    assert {(row["month"], row["would_be"]) for row in again} == {("2026-10", "2026-11")}


# --- readings -------------------------------------------------------------------------------------


def test_bounds_of_a_month(states: Shell) -> None:
    """The first row is as booked; lowest and highest are marked, and the rest add up."""
    booked, *others = rows = states.ok("earnings", *OCTOBER, "--bounds")
    summary = states.ok("earnings", *OCTOBER)
    assert (booked["switch"], booked["net"]) == (None, summary["net"])
    assert booked["owed"] == summary["balance"]["owed"]
    nets = [Decimal(row["net"]) for row in rows]
    assert {Decimal(row["net"]) for row in rows if row["lowest"]} == {min(nets)}
    assert {Decimal(row["net"]) for row in rows if row["highest"]} == {max(nets)}
    for row in others:
        assert Decimal(row["net"]) - Decimal(booked["net"]) == Decimal(row["difference"])
    assert ("trial.billed", "after-trial", "179.05") in [
        (row["switch"], row["reading"], row["net"]) for row in others
    ]


def test_bounds_on_a_terminal(states: Shell) -> None:
    """From the lowest to the highest; what is the same under all interpretations is named."""
    ran = states.run("earnings", *OCTOBER, "--bounds", terminal=True)
    assert ran.code == 0
    assert ran.out.startswith("Net for 2026-10: between 179.05 and 218.95 USD")
    assert "as booked" in ran.out
    assert "Amounts that the platform billed" in ran.err
    assert all(len(text) <= 80 for text in ran.out.splitlines())


def test_what_a_reading_refuses_is_said(nothing: Shell) -> None:
    """A claim for more than would have been billed is left out, in words and in rows."""
    policy = nothing.file("own.toml", 'name = "own"\n[refund]\npartial = true\n')
    nothing.ok("init", "--policy", policy)
    claimed: dict[str, Any] = {"claim": "CL-1", "session": "S-1", "amount": amount("80.00")}
    sync(
        nothing,
        logged("S-1", "10-05 09:00", "10-05 09:20"),
        line("refund.claimed", "10-05 10:00", id="c", **claimed),
        line("refund.granted", "10-05 11:00", id="g", claim="CL-1"),
    )
    rows = nothing.ok("earnings", *OCTOBER, "--bounds")
    (row,) = (row for row in rows if row["reading"] == "after-trial")
    (left_out,) = row["left_out"]
    assert left_out["seq"] == 3
    assert (left_out["thing"], left_out["code"]) == ("claim:CL-1", "refund_too_large")
    assert row["net"] == "52.50"
    assert "refund_too_large" in " ".join(seen(nothing, *OCTOBER, "--bounds"))


# --- differences ----------------------------------------------------------------------------------


def test_what_changed_since(october: Shell) -> None:
    """A claim rejected today is October's or November's by its time; the events are named."""
    assert october.ok("earnings", "diff", "now") == []
    before = october.ok("earnings", *OCTOBER)
    (last,) = october.ok("ledger", "info", "--fields", "last_recorded").values()
    october.ok("dispute", "rule", "CL-1", "--rejected", "--at", "2026-10-28 09:00")
    october.ok("sessions", "tip", "S-1002", "1.00", "--at", "2026-11-03 09:00")
    rows = october.ok("earnings", "diff", last)
    assert [row["month"] for row in rows] == ["2026-10", "2026-11"]
    changed = {row["figure"]: row for row in rows[0]["changed"]}
    assert set(changed) == {
        *("refunds", "refunded", "deducted", "net", "balance.held"),
    }
    after = october.ok("earnings", *OCTOBER)
    for name in ("refunds", "refunded", "deducted", "net"):
        assert (changed[name]["before"], changed[name]["after"]) == (before[name], after[name])
    assert changed["net"]["difference"] == "-42.00"
    (event,) = rows[0]["events"]
    assert [event[name] for name in ("type", "time", "thing", "amount")] == [
        *("dispute.rejected", "2026-10-28T09:00:00Z", "claim:CL-1", "-42.00"),
    ]
    assert set(event) == {"seq", "type", "time", "recorded_at", "thing", "amount"}
    (tip,) = rows[1]["events"]
    assert (tip["type"], tip["amount"]) == ("tip.received", "1.00")
    assert october.ok("earnings", "diff", last, last) == []
    assert october.ok("earnings", "diff", "2001-01-01", last)[0]["events"][0]["seq"] > 1


def test_sessions_without_a_booking_are_shown_too(states: Shell) -> None:
    """A dispute counts in its month, and so does a session that was free or moved away."""
    (last,) = states.ok("ledger", "info", "--fields", "last_recorded").values()
    states.ok("dispute", "file", "CL-2", "--summary", "fixed", "--at", "2026-10-21 09:00")
    (october,) = states.ok("earnings", "diff", last)
    assert [row["figure"] for row in october["changed"]] == ["disputes"]
    assert [event["type"] for event in october["events"]] == ["dispute.filed"]
    states.ok("sessions", "end", "S-LIVE", "--at", "2026-11-02 10:04")
    _, november = states.ok("earnings", "diff", last)
    assert [row["figure"] for row in november["changed"]] == ["free_sessions"]
    assert [event["thing"] for event in november["events"]] == ["session:S-LIVE"]


def test_differences_on_a_terminal(october: Shell) -> None:
    """Month by month: figures before and after, and a line an event."""
    assert seen(october, "diff", "now") == ["No month changed."]
    lines = seen(october, "diff", "2001-01-01")
    assert lines[0] == "2026-10"
    assert any(text.split() == ["minutes", "0.00", "95.50", "95.50"] for text in lines)
    assert any("session ended S-1001, 2026-10-05 14:21: net 42.00" in text for text in lines)


# --- check ----------------------------------------------------------------------------------------


def test_check_compares_bills_with_our_calculation(empty: Shell) -> None:
    """Only the differences, or all; with the interpretation that would explain each."""
    assert empty.ok("earnings", "check") == []
    sync(
        empty,
        logged("S-1", "10-05 09:00", "10-05 09:05:01", billed=amount("30.00")),
        logged("S-2", "10-06 09:00", "10-06 09:20"),
        logged("S-3", "11-06 09:00", "11-06 09:20", billed=amount("99.00")),
    )
    rows = empty.ok("earnings", "check")
    assert [(row["session"], row["difference"]) for row in rows] == [
        ("S-1", "4.92"),
        ("S-3", "-1.00"),
    ]
    assert rows[0]["explained_by"] == ["billing.rounding = up"]
    assert rows[1]["explained_by"] == []
    assert [row["session"] for row in empty.ok("earnings", "check", *OCTOBER, "--all")] == [
        *("S-1", "S-2"),
    ]
    lines = seen(empty, "check")
    assert lines[0] == "Billed differently from our calculation: 2 sessions, by 3.92 USD in total"
    assert seen(empty, "check", "--month", "2026-12") == [
        "Every bill agrees with our calculation. To list them, add --all."
    ]
