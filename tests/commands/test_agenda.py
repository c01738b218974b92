"""Planned sessions: the agenda, and the findings of `sessions check`."""

from __future__ import annotations

import re
import shlex
from datetime import datetime, timedelta

import pytest

from tests.kit.events import amount
from tests.kit.planned_sessions import SetNow, book, event_line, now, sync
from tests.kit.shell import Shell

__all__ = ["now"]  # A fixture.

ROWS = ("starts_in_seconds", "customer_local", "conflicts", "expected_earned", "too_close")


def upcoming(shell: Shell, *options: object) -> list[str]:
    """Return the ids of the agenda."""
    return [row["id"] for row in shell.ok("sessions", "upcoming", *options)]


# --- the agenda -----------------------------------------------------------------------------------


def test_the_agenda_shows_conflicts_and_earnings(empty: Shell, now: SetNow) -> None:
    """Time until the start, the customer's local time, conflicts, expected earnings."""
    del now
    sync(
        empty,
        book("A", "11-05 09:00"),
        book("B", "11-05 09:30", 30, zone="America/New_York"),
        book("C", "11-05 10:10", 5, zone=None),
    )
    empty.says(event_line("preferences.changed", "11-03 10:00", buffers={"before": 15}))
    rows = empty.ok("sessions", "upcoming")
    assert tuple(rows[0])[-len(ROWS) - 2 :] == (*ROWS, "refunded", "customer_id")
    shown = {row["id"]: {name: row[name] for name in ROWS} for row in rows}
    assert shown["S-A"] == {
        "starts_in_seconds": 21 * 3600,
        "customer_local": "2026-11-05T18:00+09:00",
        "conflicts": ["S-B"],
        "expected_earned": "126.00",
        "too_close": ["S-C"],
    }
    assert shown["S-B"]["customer_local"] == "2026-11-05T04:30-05:00"
    assert (shown["S-B"]["conflicts"], shown["S-B"]["too_close"]) == (["S-A"], ["S-C"])
    assert shown["S-C"] == {
        "starts_in_seconds": 22 * 3600 + 600,
        "customer_local": None,
        "conflicts": [],
        "expected_earned": "0.00",  # All of it is trial.
        "too_close": ["S-A", "S-B"],
    }


def test_overdue_sessions_come_first_and_then_what_is_live(states: Shell, now: SetNow) -> None:
    """Overdue starts need an answer and come first; then live sessions; then the days."""
    sync(states, book("Z", "11-04 18:00"))
    assert upcoming(states) == ["S-LIVE", "S-PAUSED", "S-Z", "S-UP"]
    now("11-05 09:00")
    assert upcoming(states) == ["S-Z", "S-LIVE", "S-PAUSED", "S-UP"]
    now("11-05 09:01")
    assert upcoming(states) == ["S-Z", "S-UP", "S-LIVE", "S-PAUSED"]
    assert states.ok("sessions", "upcoming")[0]["starts_in_seconds"] == -54_060


def test_the_agenda_of_so_many_days_or_hours(empty: Shell, now: SetNow) -> None:
    """Days end at midnight of the expert's zone; a length counts from now."""
    empty.says(event_line("preferences.changed", "11-03 10:00", timezone="Europe/Paris"))
    sync(
        empty,
        book("A", "11-04 22:59", 30),
        book("B", "11-04 23:00", 30),
        book("C", "11-06 12:00", 30),
    )
    assert upcoming(empty, "--days", "1") == ["S-A"]
    assert upcoming(empty, "--days", "1", "--timezone", "UTC") == ["S-A", "S-B"]
    assert upcoming(empty, "--days", "2") == ["S-A", "S-B"]
    assert upcoming(empty, "--within", "11h") == ["S-A", "S-B"]
    assert upcoming(empty, "--within", "48h") == ["S-A", "S-B", "S-C"]
    assert upcoming(empty, "--within", "10h 58min") == []
    assert upcoming(empty, "--days", "3660") == ["S-A", "S-B", "S-C"]
    now("11-06 12:30")
    assert upcoming(empty, "--days", "1") == ["S-A", "S-B", "S-C"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--days", "1", "--within", "1h"), 2),
        (("--days", "0"), 2),
        (("--days", "100000"), 2),
        (("--within", "soon"), 1),
        (("--within", "9999999999h"), 1),
    ],
)
def test_filters_that_cannot_be(empty: Shell, options: tuple[str, ...], code: int) -> None:
    """Two at once, no days, or no length."""
    assert empty.refuses(code, "sessions", "upcoming", *options)["code"] in (
        "usage",
        "invalid_time",
    )


def test_the_days_have_headings(empty: Shell, now: SetNow, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal: by the expert's days, today and tomorrow named, and another year."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "140")
    empty.says(event_line("preferences.changed", "11-03 10:00", timezone="Europe/Paris"))
    sync(
        empty,
        book("A", "11-04 10:00"),
        book("B", "11-04 22:30"),
        book("C", "11-04 23:30", 45),
        book("D", "11-08 09:00"),
        book("E", "2027-01-01T09:00:00Z"),
        event_line(
            "request.opened",
            "11-04 11:00",
            request="R-L",
            kind="instant",
            customer={"id": "C-L"},
            title="now",
            rate=amount("3.00"),
        ),
        event_line("request.accepted", "11-04 11:00", request="R-L", session="S-L"),
    )
    ran = empty.run("sessions", "upcoming", terminal=True)
    headings = [
        "Overdue: not started",
        "Now",
        "Wednesday 4 November, today",
        "Thursday 5 November, tomorrow",
        "Sunday 8 November",
        "Friday 1 January 2027",
    ]
    places = [ran.out.index(heading) for heading in headings]
    assert places == sorted(places)
    text = " ".join(ran.out.split())
    for output in (
        "S-A 2026-11-04 11:00-12:00 2 h late Mina Wed 19:00",
        "S-L 2026-11-04 12:00- live C-L",
        "S-B 23:30-00:30 in 10 h 30 min Mina Thu 07:30",
        "S-C 00:30-01:15",
        "S-B",
    ):
        assert output in text
    assert "sessions miss" in ran.err
    now("11-04 10:30")
    assert (
        "conflicts" not in empty.run("sessions", "upcoming", "--within", "30min", terminal=True).out
    )


def test_an_agenda_in_eighty_columns(
    empty: Shell, now: SetNow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With any customer name, no line is wider than the terminal or obeyed by it."""
    del now
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "80")
    evil = "\x1b[31m\u202e" + "wide " * 40
    sync(
        empty,
        book("A", "11-05 09:00", title=evil, called=evil, zone="../../etc/passwd"),
        book("B", "11-05 09:30", title=evil, called="\ud800\x00", zone="\ud800" * 10_000),
    )
    ran = empty.run("sessions", "upcoming", terminal=True)
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= 80
    assert not re.search("[\x1b\x00\u202e\ud800]", ran.out)
    assert [row["customer_local"] for row in empty.ok("sessions", "upcoming")] == [None, None]


def test_an_empty_agenda(empty: Shell) -> None:
    """Nothing planned is no failure."""
    assert empty.ok("sessions", "upcoming") == []
    assert (
        "No sessions are planned. `liveportal requests list`"
        in empty.run("sessions", "upcoming", terminal=True).out
    )


def test_the_ends_of_the_calendar(empty: Shell, now: SetNow) -> None:
    """A session in the last representable hour has no local time east of Greenwich."""
    del now
    sync(empty, book("A", "9999-12-31T23:30:00Z"))
    (row,) = empty.ok("sessions", "upcoming", "--timezone", "Asia/Seoul")
    assert row["customer_local"] is None
    assert empty.run("sessions", "upcoming", "--timezone", "Asia/Seoul", terminal=True).code == 0
    assert empty.ok("sessions", "calendar", "-o", "x.ics")["events"] == 1


def test_more_than_the_books_can_hold_is_no_failure(empty: Shell, now: SetNow) -> None:
    """A rate that could never be billed has no expected earning."""
    del now
    dear = book("A", "11-05 09:00").replace(b'"3.00"', b'"92233720368547758.07"')
    sync(empty, dear)
    assert empty.ok("sessions", "upcoming")[0]["expected_earned"] is None
    assert empty.ok("sessions", "calendar", "-o", "x.ics")["events"] == 1


# --- what is likely wrong -------------------------------------------------------------------------


def test_no_likely_mistakes(october: Shell, now: SetNow) -> None:
    """No findings: a sentence for a person, an empty list for a script."""
    del now
    assert october.ok("sessions", "check") == []
    assert october.output_of("sessions", "check") == ""
    assert "No likely mistakes found." in october.run("sessions", "check", terminal=True).out


def test_findings_have_a_command_that_mends_them(states: Shell, now: SetNow) -> None:
    """Running the suggested command (with a time filled in) removes the finding; exit 0."""
    now("11-05 12:00")
    sync(states, book("Z", "11-06 09:00"), book("Y", "11-06 09:30"))
    conflicts = states.ok("sessions", "check")
    assert [(row["finding"], row["session"], row["other"]) for row in conflicts] == [
        ("forgotten_timer", "S-LIVE", None),
        ("forgotten_timer", "S-PAUSED", None),
        ("double_booked", "S-Y", "S-Z"),
        ("not_started", "S-UP", None),
    ]
    assert list(conflicts[0]) == ["session", "finding", "message", "since", "other", "hint"]
    assert conflicts[0]["since"] == "2026-11-02T10:00:00Z"
    for row in conflicts:
        ended = row["finding"] == "forgotten_timer"
        time = "2026-11-02T11:00:00Z" if ended else "2026-11-07T12:00:00Z"
        argv = shlex.split(row["hint"].replace("TIME", time))
        assert argv[0] == "liveportal"
        states.ok(*argv[1:], *(() if ended else ("--anyway",)))  # That day is past by now.
    assert states.ok("sessions", "check") == []


def test_how_long_a_timer_is_believed(states: Shell, now: SetNow) -> None:
    """Four hours, or a length that is given."""
    states.ok("sessions", "end", "S-PAUSED", "--at", "2026-11-02 11:10", "--billed", "0")
    states.ok(
        "sessions",
        "correct",
        "S-PAUSED",
        "--start",
        "2026-11-01 11:00",
        "--end",
        "2026-11-01 11:10",
        "--no-pauses",
        "--reason",
        "x",
    )
    now("11-02 12:30")

    def check(*options: object) -> list[str]:
        return [row["finding"] for row in states.ok("sessions", "check", *options)]

    assert check() == []
    assert check("--longer-than", "2h30m") == []
    assert check("--longer-than", "2h") == ["forgotten_timer"]
    assert states.refuses(1, "sessions", "check", "--longer-than", "long")["code"] == "invalid_time"


def test_an_overlap_in_the_history(october: Shell, now: SetNow) -> None:
    """A logged session that overlaps a past one is found, and can be corrected."""
    del now
    held = october.ok("sessions", "show", "S-1002")
    start = datetime.fromisoformat(held["start"])
    span = f"{start + timedelta(minutes=5):%Y-%m-%d %H:%M}-{start + timedelta(minutes=20):%H:%M}"
    logged = october.ok("sessions", "log", span, "--customer", "C-1", "--rate", "3")
    (conflict,) = october.ok("sessions", "check")
    assert (conflict["finding"], conflict["session"], conflict["other"]) == (
        "overlap",
        logged["id"],
        "S-1002",
    )
    assert "15 min" in conflict["message"]


def test_findings_on_a_terminal(
    states: Shell, now: SetNow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In eighty columns, with the command beside each."""
    now("11-05 12:00")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "80")
    ran = states.run("sessions", "check", terminal=True)
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "forgotten timer" in ran.out
