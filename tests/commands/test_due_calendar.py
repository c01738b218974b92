"""The deadlines in a calendar, and the tax form among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from icalendar import Calendar

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kit.shell import Shell

FORM = ("--country", "IE", "--line", "1 Main St", "--city", "Cork", "--region", "Co. Cork")


def _events(path: Path) -> dict[str, str]:
    """Return the summary and status of every event of a file."""
    calendar = Calendar.from_ical(path.read_bytes())
    return {str(node["SUMMARY"]): str(node["STATUS"]) for node in calendar.walk("VEVENT")}


def test_the_deadlines_go_into_a_calendar(states: Shell) -> None:
    """Each that has a day is an event, with alarms where something is to be done."""
    rows = states.ok("due", "--calendar", "due.ics")
    dated = [row for row in rows if row["due"]]
    events = _events(states.folder / "due.ics")
    assert len(events) == len(dated) > 1
    assert set(events.values()) == {"CONFIRMED"}
    assert any("S-UP" in name for name in events)
    assert b"BEGIN:VALARM" in (states.folder / "due.ics").read_bytes()


def test_what_is_no_longer_due_is_cancelled_in_it(states: Shell) -> None:
    """An existing file is updated; the sessions in it stay as they are."""
    path = states.folder / "due.ics"
    states.ok("due", "--calendar", path)
    states.output_of("sessions", "calendar", "-o", path)
    (start,) = (name for name in _events(path) if name.startswith("session start S-UP"))
    states.ok("sessions", "start", "S-UP", "--at", "2026-11-05 09:00")
    before = _events(path)
    states.ok("due", "--calendar", path)
    after = _events(path)
    assert after[start] == "CANCELLED"
    assert {name: after[name] for name in before if name != start} == {
        name: status for name, status in before.items() if name != start
    }


def test_the_tax_form_is_due_when_it_expires(states: Shell) -> None:
    """W-8BEN holds to the end of the third year after its signature (R14)."""
    given = ("--tax-form", "w8ben", "--tax-signed", "2026-11-02", "--tax-number", "-")
    states.ok("payout", "profile", "set", *FORM, *given, "--yes", stdin=b"1234567TW\n")
    (row,) = (row for row in states.ok("due") if row["kind"] == "tax_form")
    assert (row["id"], row["due"], row["asks"]) == ("profile", "2029-12-31T23:59:59.999999Z", False)
    assert not any(row["kind"] == "tax_form" for row in states.ok("due", "--within", "30d"))


def test_a_calendar_never_takes_the_ledgers_place(states: Shell) -> None:
    """Nor that of the output."""
    states.refuses(74, "due", "--calendar", states.ledger)
    states.refuses(74, "due", "--calendar", "same.txt", "-o", "same.txt")
    states.file("note.txt", "not a calendar")
    assert states.refuses(1, "due", "--calendar", "note.txt")["code"] == "not_a_calendar"
    assert (states.folder / "note.txt").read_text() == "not a calendar"
