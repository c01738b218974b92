"""`sessions calendar`: the file as clients read it, and the places where it may be written."""

from __future__ import annotations

import os
import re
import stat
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest

from tests.kit.events import at
from tests.kit.planned_sessions import SetNow, book, event_line, now, sync
from tests.kit.shell import Shell

pytestmark = pytest.mark.slow

__all__ = ["now"]  # A fixture.


def events(content: str | bytes) -> dict[str, Any]:
    """Parse a calendar; return its events by the session that their description names."""
    by_uid = {}
    for event in icalendar.Calendar.from_ical(content).walk("VEVENT"):
        assert not event.errors
        name = re.search(r"Session (\S+?)(,|\n|$)", str(event.get("DESCRIPTION", "")))
        by_uid[name[1] if name else str(event["UID"])] = event
    return by_uid


def calendar(shell: Shell, *options: object) -> dict[str, Any]:
    """Write a calendar to standard output and read it back."""
    ran = shell.process("sessions", "calendar", *options)
    assert (ran.code, ran.err) == (0, "")
    return events(ran.out)


def test_every_session_is_in_the_calendar(states: Shell) -> None:
    """Planned ones with their planned times, past ones with their real times."""
    events = calendar(states)
    listed = {row["id"]: row for row in states.ok("sessions", "list")}
    assert set(events) == set(listed)
    for name, event in events.items():
        assert event["DTSTART"].dt == datetime.fromisoformat(listed[name]["start"])
        if listed[name]["end"] and listed[name]["end"] != listed[name]["start"]:
            assert event["DTEND"].dt == datetime.fromisoformat(listed[name]["end"])
        cancelled = listed[name]["state"] in ("cancelled", "missed")
        assert str(event["STATUS"]) == ("CANCELLED" if cancelled else "CONFIRMED")
    held = str(events["S-1002"]["DESCRIPTION"])
    assert "Billed 136.50 USD, earned 95.55 USD" in held
    assert "3.00 USD a minute" in str(events["S-UP"]["DESCRIPTION"])


def test_it_goes_to_standard_output_as_it_is(states: Shell) -> None:
    """The same bytes as in a file: CRLF, and no line longer than 75 octets."""
    ran = states.process("sessions", "calendar")
    assert states.ok("sessions", "calendar", "-o", "c.ics")["events"] == len(events(ran.out))
    content = (states.folder / "c.ics").read_bytes()
    assert ran.out.encode() == content.replace(b"\r\n", b"\n") or ran.out.encode() == content
    assert content.startswith(b"BEGIN:VCALENDAR\r\n")
    assert not [row for row in content.split(b"\r\n") if len(row) > 75 or b"\n" in row]
    assert states.process("sessions", "calendar", "-o", "-").out == ran.out


def test_a_file_is_private_and_written_whole(states: Shell) -> None:
    """Mode 0600; a summary of the changes; a second run changes nothing."""
    done = states.ok("sessions", "calendar", "-o", "c.ics")
    path = states.folder / "c.ics"
    first = path.read_bytes()
    assert done == {
        "events": len(events(first)),
        "cancelled": sum(event["STATUS"] == "CANCELLED" for event in events(first).values()),
        "path": "c.ics",
        "calendar": None,
    }
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert states.ok("sessions", "calendar", "-o", "c.ics") == done
    assert path.read_bytes() == first
    assert states.output_of("sessions", "calendar", "-o", "d.ics", "--fields", "events") == (
        f"{done['events']}\n"
    )
    assert (states.folder / "d.ics").read_bytes() == first


def test_a_format_without_a_file_has_the_calendar_in_it(states: Shell) -> None:
    """With --json the output is JSON, and the calendar a field of it."""
    done = states.ok("sessions", "calendar")
    assert done["path"] is None
    assert len(events(done["calendar"])) == done["events"]


def test_a_hint_on_a_terminal(states: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person gets a hint what to do with the file."""
    monkeypatch.setenv("TERM", "dumb")
    ran = states.run("sessions", "calendar", "-o", "c.ics", terminal=True)
    assert ran.code == 0
    assert "c.ics" in ran.out
    assert "Import the file" in ran.err


def test_moving_and_cancelling_raise_the_number(empty: Shell, now: SetNow) -> None:
    """A client that imports each time has one event, as it was agreed last."""
    del now
    sync(empty, book("A", "11-05 09:00"))
    before = calendar(empty)["S-A"]
    empty.ok(
        "sessions", "reschedule", "S-A", "--start", "2026-11-06 09:00", "--at", "2026-11-04 09:00"
    )
    moved = calendar(empty)["S-A"]
    empty.ok("sessions", "cancel", "S-A", "--at", "2026-11-04 10:00")
    gone = calendar(empty)["S-A"]
    assert {str(event["UID"]) for event in (before, moved, gone)} == {str(before["UID"])}
    assert [event["SEQUENCE"] for event in (before, moved, gone)] == [0, 1, 2]
    assert [str(event["STATUS"]) for event in (before, moved, gone)] == [
        *("CONFIRMED", "CONFIRMED", "CANCELLED")
    ]
    assert moved["DTSTART"].dt == at("11-06 09:00")
    stamps = [event["DTSTAMP"].dt for event in (before, moved, gone)]
    assert stamps == sorted(stamps)


def test_a_name_that_is_told_or_erased_later_counts(empty: Shell, now: SetNow) -> None:
    """The schedule is the same, so the number is; the event was changed later all the same."""
    del now
    sync(empty, book("A", "11-05 09:00"))
    before = calendar(empty)["S-A"]
    empty.says(event_line("customer.forgotten", "11-04 09:00", customer="C-A"))
    after = calendar(empty)["S-A"]
    assert str(before["SUMMARY"]) == "Shader (Mina)"
    assert str(after["SUMMARY"]) == "Live help"
    assert "Mali" not in str(after["DESCRIPTION"])
    assert after["SEQUENCE"] == before["SEQUENCE"]
    assert after["LAST-MODIFIED"].dt >= before["LAST-MODIFIED"].dt


def test_as_known_names_events_the_same(states: Shell) -> None:
    """An earlier state of a ledger is the same ledger, with the same UIDs."""
    now = calendar(states)
    then = calendar(states, "--as-known", "2999-01-01")
    assert {name: str(event["UID"]) for name, event in now.items()} == {
        name: str(event["UID"]) for name, event in then.items()
    }


def test_reminders(empty: Shell, now: SetNow) -> None:
    """From --alarm, else the preferences, else 15 minutes; none for past or cancelled ones."""
    sync(empty, book("A", "11-05 09:00"), book("B", "11-05 12:00"), book("C", "11-04 11:00"))
    empty.ok("sessions", "cancel", "S-B", "--at", "2026-11-04 11:00")

    def alarms(*options: object) -> dict[str, list[int]]:
        ran = empty.ok("sessions", "calendar", *options)
        return {
            name: [-alarm["TRIGGER"].dt // timedelta(minutes=1) for alarm in event.walk("VALARM")]
            for name, event in events(ran["calendar"]).items()
        }

    assert alarms() == {"S-A": [15], "S-B": [], "S-C": []}
    assert alarms("--alarm", "60", "--alarm", "5")["S-A"] == [60, 5]
    empty.says(event_line("preferences.changed", "11-04 11:30", notifications={"alarms": [30, 0]}))
    assert alarms()["S-A"] == [30, 0]
    assert alarms("--alarm", "1")["S-A"] == [1]
    empty.says(event_line("preferences.changed", "11-04 11:31", notifications={"alarms": []}))
    assert alarms()["S-A"] == []
    empty.says(
        event_line("preferences.changed", "11-04 11:32", notifications={"of": "another form"})
    )
    assert alarms()["S-A"] == [15]
    now("11-05 09:00")
    assert alarms()["S-A"] == []
    for wrong in ("-1", "1000000", "soon"):
        assert empty.run("sessions", "calendar", "--alarm", wrong).code == 2


def test_private_leaves_out_what_customers_said(empty: Shell, now: SetNow) -> None:
    """Names, titles and details stay at home; times and earnings do not."""
    del now
    sync(empty, book("A", "11-05 09:00"))
    text = empty.ok("sessions", "calendar", "--private")["calendar"]
    for output in ("Mina", "Shader", "Mali", "spring"):
        assert output not in text
    event = events(text)["S-A"]
    assert str(event["SUMMARY"]) == "Live help"
    assert "Would earn 126.00 USD" in str(event["DESCRIPTION"])


def test_half_past_seven_is_half_past_seven_in_every_week(empty: Shell, now: SetNow) -> None:
    """Booked for 7:30 in Paris in the weeks in which clocks change, it is read as 7:30 there."""
    del now
    paris = ZoneInfo("Europe/Paris")
    days = [(3, 28), (3, 29), (3, 30), (10, 24), (10, 25), (10, 26), (11, 1), (11, 2)]
    for month, day in days:
        when = f"2027-{month:02}-{day:02} 07:30"
        argv = ("requests", "add", "--customer", "C-1", "--title", "x", "--rate", "3.00")
        added = empty.ok(*argv, "--slot", f"{when}, 60", "--timezone", "Europe/Paris")
        empty.ok("requests", "accept", added["id"], "--slot", "1", "--anyway")
    events = calendar(empty).values()
    local = [event["DTSTART"].dt.astimezone(paris) for event in events]
    assert [(start.month, start.day, f"{start:%H:%M}") for start in local] == [
        (month, day, "07:30") for month, day in days
    ]


def test_what_others_wrote_into_the_file_stays(states: Shell) -> None:
    """Foreign events stay as they were; the ledger's own are updated."""
    foreign = (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n"
        b"BEGIN:VEVENT\r\nUID:dentist\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Den\r\n tist\r\n"
        b"DTSTART:20261105T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    path = states.file("c.ics", foreign)
    done = states.ok("sessions", "calendar", "-o", path)
    content = path.read_bytes()
    assert content.startswith(foreign.removesuffix(b"END:VCALENDAR\r\n"))
    assert len(events(content)) == done["events"] + 1
    states.ok("sessions", "cancel", "S-UP", "--at", "2026-11-04 09:00")
    states.ok("sessions", "calendar", "-o", path)
    assert len(events(path.read_bytes())) == done["events"] + 1
    assert str(events(path.read_bytes())["S-UP"]["STATUS"]) == "CANCELLED"


def test_a_session_that_the_book_lost_is_cancelled(empty: Shell, now: SetNow) -> None:
    """A ledger restored from an older copy lacks a session of the file: it is cancelled."""
    del now
    copy = empty.ledger.read_bytes()
    sync(empty, book("A", "11-05 09:00"))
    empty.ok("sessions", "calendar", "-o", "c.ics")
    for beside in empty.folder.glob("ledger.db-*"):
        beside.unlink()
    empty.ledger.write_bytes(copy)
    done = empty.ok("sessions", "calendar", "-o", "c.ics")
    assert (done["events"], done["cancelled"]) == (1, 1)
    gone = events((empty.folder / "c.ics").read_bytes())["S-A"]
    assert (str(gone["STATUS"]), gone["SEQUENCE"]) == ("CANCELLED", 1)


@pytest.mark.parametrize(
    "content", [b"# Notes\n", b"BEGIN:VCARD\r\nEND:VCARD\r\n", b"\x00\x01", b"BEGIN:VCALENDAR\r\n"]
)
def test_what_is_no_calendar_is_left_alone(states: Shell, content: bytes) -> None:
    """A mistyped path costs nothing."""
    path = states.file("notes", content)
    error = states.refuses(1, "sessions", "calendar", "-o", path)
    assert error["code"] == "not_a_calendar"
    assert path.read_bytes() == content


def test_places_where_no_calendar_goes(states: Shell) -> None:
    """The ledger itself, a link, a folder, a missing folder."""
    link = states.folder / "link.ics"
    link.symlink_to(states.folder / "elsewhere.ics")
    for path in (states.ledger, link, states.folder, Path("no/where.ics")):
        error = states.refuses(74, "sessions", "calendar", "-o", path)
        assert error["code"] == "output_failed"
    assert not (states.folder / "elsewhere.ics").exists()
    assert states.run("sessions", "calendar", "-o", os.devnull).code == 0


def test_a_file_that_cannot_be_read_is_not_replaced(
    states: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in it would be lost."""
    path = states.file("c.ics", b"BEGIN:VCALENDAR\r\n")

    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    ran = states.run("sessions", "calendar", "-o", path, "--json")
    assert ran.code == 1
    assert "unreadable_file" in ran.err


def test_hostile_titles_are_harmless_in_a_calendar(empty: Shell, now: SetNow) -> None:
    """Any title gives one event that parses back, and a terminal obeys nothing in it."""
    del now
    evil = "a,b;c\\n\r\nEND:VEVENT\x00\x1b[31m\u202e\ud800é" + "x" * 1_000_000
    sync(empty, book("A", "11-05 09:00", title=evil, called="Mina\r\nBEGIN:VEVENT"))
    ran = empty.process("sessions", "calendar")
    assert ran.code == 0
    assert not re.search("[\x00\x1b\u202e\ud800]", ran.out)
    (event,) = events(ran.out).values()
    assert str(event["SUMMARY"]).startswith("a,b;c\\n END:VEVENTéxxx")
    assert str(event["SUMMARY"]).endswith("xxx (Mina BEGIN:VEVENT)")


def test_a_book_without_sessions_has_a_calendar(empty: Shell) -> None:
    """Empty, and valid."""
    assert calendar(empty) == {}
