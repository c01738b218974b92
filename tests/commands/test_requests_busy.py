"""`--busy`: what is in the expert's own calendar is a conflict, as a session is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.test_sync import feed, opened
from tests.feeds.test_own_calendar import calendar, event
from tests.kit.requests_ledger import BEST, NOW, SLOTS, nine_o_clock
from tests.kit.shell import Shell

STANDUP = event(
    "DTSTART;TZID=America/New_York:20260107T083000", "DTEND;TZID=America/New_York:20260107T091500",
    "RRULE:FREQ=WEEKLY;BYDAY=WE", title="Stand-up",
)  # fmt: skip
"""Every Wednesday in New York; in October it overlaps the best slot by fifteen minutes."""


@pytest.fixture
def requests_book(empty: Shell) -> Shell:
    """Give a ledger in Paris with requests of every kind, at nine o'clock on 5 October."""
    nine_o_clock(empty)
    return empty


@pytest.fixture
def own(requests_book: Shell) -> Path:
    """Give the expert's calendar, with a weekly event and whole days."""
    return write(requests_book, STANDUP, event("DTSTART;VALUE=DATE:20261014", title="Away"))


def write(shell: Shell, *events: str, name: str = "own.ics") -> Path:
    """Write a calendar, and return its path."""
    path = shell.folder / name
    path.write_bytes(calendar(*events))
    return path


def test_a_recurring_event_keeps_a_slot_from_being_best(requests_book: Shell, own: Path) -> None:
    """`show` says why, and --best takes the next one; without the calendar it is the first."""
    assert [slot["rank"] for slot in requests_book.ok("requests", "show", "PLAN")["slots"]] == [
        *(4, 2, 1, 3, 5)
    ]
    row = requests_book.ok("requests", "show", "PLAN", "--busy", own)
    assert [slot["rank"] for slot in row["slots"]] == [4, 1, 3, 2, 5]
    assert row["slots"][BEST - 1]["usable"] is False
    assert row["slots"][BEST - 1]["reasons"][0] == {
        "code": "busy",
        "message": "overlaps Stand-up in your calendar",
    }
    assert row["conflicts"] == []
    assert list(row)[-1] == "calendar_conflicts"
    assert row["calendar_conflicts"] == [
        {"title": "Away", "start": "2026-10-13T22:00:00Z", "end": "2026-10-14T22:00:00Z"},
        {"title": "Stand-up", "start": "2026-10-07T12:30:00Z", "end": "2026-10-07T13:15:00Z"},
    ]
    argv = ("requests", "accept", "PLAN", "--best", "--busy", own, "--at", NOW)
    assert requests_book.ok(*argv)["slot"] == 2


def test_a_busy_slot_is_refused_without_overlap(requests_book: Shell, own: Path) -> None:
    """Neither --anyway nor --yes overrides it; what is recorded says nothing about a calendar."""
    argv = ("requests", "accept", "PLAN", "--slot", "3", "--busy", own, "--at", NOW)
    for more in ((), ("--anyway",), ("--dry-run",)):
        error = requests_book.refuses(4, *argv, *more)
        assert error["code"] == "double_booking"
        assert error["message"] == (
            "Your calendar has 'Stand-up' at that time, from 2026-10-07 12:30 UTC to"
            " 2026-10-07 13:15 UTC."
        )
        assert "--overlap" in error["hint"]
    row = requests_book.ok(*argv, "--overlap")
    assert (row["slot"], row["flags"]) == (3, [])
    assert requests_book.ok("ledger", "verify")["ok"] is True
    assert b"Stand-up" not in requests_book.ledger.read_bytes()
    # The answer was given; to repeat it is no new booking.
    assert requests_book.refuses(4, *argv)["code"] == "wrong_state"


def test_several_calendars_and_many_requests(requests_book: Shell, own: Path) -> None:
    """--busy may be repeated, and each request is checked on its own."""
    second = opened("TWO", "10-05 08:50", kind="scheduled", slots=SLOTS[1:3])
    requests_book.ok("sync", feed(requests_book, "two.jsonl", second))
    more = write(
        requests_book,
        event("DTSTART:20261007T073000Z", "DURATION:PT15M", title="Dentist"),
        name="more.ics",
    )
    argv = ("requests", "accept", "TWO", "PLAN", "--best", "--at", NOW, "--busy", own)
    result = requests_book.run(*argv, "--busy", more, "--json")
    assert result.code == 4
    assert [(row["id"], row["slot"], row["error"]) for row in json.loads(result.out)] == [
        ("TWO", None, "double_booking"),
        ("PLAN", 4, None),
    ]


def test_free_and_cancelled_time_is_free(requests_book: Shell) -> None:
    """So is an occurrence that was left out."""
    for line in ("TRANSP:TRANSPARENT", "STATUS:CANCELLED", "EXDATE:20261007T123000Z"):
        own = write(requests_book, STANDUP.replace("END:VEVENT", f"{line}\r\nEND:VEVENT"))
        row = requests_book.ok("requests", "show", "PLAN", "--busy", own)
        assert row["slots"][BEST - 1]["rank"] == 1
        assert row["calendar_conflicts"] == []


def test_a_calendar_is_read_again_each_time(requests_book: Shell, own: Path) -> None:
    """A change counts at once; an answered request has no conflicts."""
    show = ("requests", "show", "OTHER", "--busy", own)
    assert [each["title"] for each in requests_book.ok(*show)["calendar_conflicts"]] == ["Stand-up"]
    write(requests_book)
    assert requests_book.ok(*show)["calendar_conflicts"] == []
    write(requests_book, STANDUP)
    requests_book.ok("requests", "decline", "OTHER", "--at", NOW)
    assert requests_book.ok(*show)["calendar_conflicts"] == []


def test_watching_shows_what_a_new_request_overlaps(requests_book: Shell, own: Path) -> None:
    """In the row, and in the line for a person."""
    new = feed(
        requests_book, "new.jsonl", opened("NEW", "10-05 08:55", kind="scheduled", slots=SLOTS[2:3])
    )
    argv = ("requests", "watch", new, "--once", "--no-bell", "--busy", own)
    (row,) = requests_book.ok(*argv, "--json")
    assert [each["title"] for each in row["calendar_conflicts"]] == ["Stand-up"]
    again = opened("MORE", "10-05 08:56", kind="scheduled", slots=SLOTS[2:3])
    argv = ("requests", "watch", feed(requests_book, "more.jsonl", again), *argv[3:])
    assert "clashes with Stand-up" in requests_book.run(*argv, terminal=True).out


def test_a_person_sees_the_titles(requests_book: Shell) -> None:
    """They are text from outside, so nothing in them reaches the terminal."""
    own = write(requests_book, STANDUP.replace("Stand-up", "\x1b[31mStand-up\x07"))
    shown = requests_book.run("requests", "show", "PLAN", "--busy", own, terminal=True).out
    assert "Stand-up" in shown
    assert "\x1b[31mStand" not in shown


def test_what_is_not_a_calendar_is_refused(requests_book: Shell) -> None:
    """Before anything is recorded, also by `watch`."""
    bad = requests_book.folder / "bad.ics"
    for argv in (
        ("requests", "show", "PLAN"),
        ("requests", "accept", "PLAN", "--best"),
        ("requests", "watch", feed(requests_book, "x.jsonl", opened("X", "10-05 08:55")), "--once"),
    ):
        assert requests_book.refuses(3, *argv, "--busy", bad)["code"] == "not_found"
        bad.write_text("Dear Sir")
        error = requests_book.refuses(1, *argv, "--busy", bad)
        assert error["code"] == "malformed_file"
        assert (error["details"]["file"], error["details"]["line"]) == (str(bad), 1)
        bad.unlink()
    assert requests_book.refuses(3, "requests", "show", "X")["code"] == "not_found"


def test_the_settings_may_name_calendars(
    requests_book: Shell, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists and the front page look at them, too; a path is one from the folder of the settings."""
    folder = requests_book.folder / "config" / "liveportal"
    folder.mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder.parent))
    for name in (str(own), f"../../{own.name}"):
        (folder / "config.toml").write_text(f'[calendar]\nbusy = ["{name}"]\n')
        for rows in (requests_book.ok("requests", "list"), requests_book.ok()["requests"]):
            (row,) = (row for row in rows if row["id"] == "OTHER")
            assert [each["title"] for each in row["calendar_conflicts"]] == ["Stand-up"]
    table = ("requests", "list", "--fields", "id,conflicts")
    assert "Stand-up" in requests_book.run(*table, terminal=True).out
    argv = ("requests", "accept", "OTHER", "--best", "--anyway", "--at", NOW)
    assert requests_book.refuses(4, *argv)["code"] == "double_booking"
    own.unlink()
    assert requests_book.refuses(3, "requests", "list")["code"] == "not_found"
    (folder / "config.toml").write_text("[calendar]\nbusy = 1\n")
    assert requests_book.refuses(1, "requests", "list")["details"]["key"] == "calendar.busy"
