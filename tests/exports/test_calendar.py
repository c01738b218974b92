"""The iCalendar file: valid for any text, right in every zone, and without duplicate events."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.errors import NotACalendar
from liveportal.exports.calendar import LEDGER_PROPERTY, CalendarEvent, uid, write_calendar
from tests.kit.events import at

pytestmark = pytest.mark.slow


NAME = "0123456789abcdef"
NUL_TO_BIDI = "a\x00b\x07c\x1b[31md\x7fe\x85f\x9bg\ud800h\udfffi\u202ej\u2028k"
HOSTILE = (
    *(NUL_TO_BIDI, "a,b;c:d\"e'f", "\\n \\N \\, C:\\New\\", "one\r\ntwo\rthree\nfour", "\t", ""),
    *("END:VEVENT\r\nBEGIN:VALARM", "x" * 100_000, "é👩‍👩‍👧" * 100, " \ud83d", "\n\n"),
)
FOREIGN = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//somebody//else//EN\r\n"
    b"X-WR-CALNAME:Mine\r\n"
    b"BEGIN:VTIMEZONE\r\nTZID:Odd/Zone\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
    b"TZOFFSETFROM:+0000\r\nTZOFFSETTO:+0000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    b"BEGIN:VEVENT\r\nUID:dentist@example.org\r\nDTSTAMP:20260101T000000Z\r\n"
    b"SUMMARY;LANGUAGE=en:Den\r\n tist\r\nDTSTART;TZID=Odd/Zone:20261105T090000\r\n"
    b'ATTENDEE;CN="a;b:c":mailto:a@example.org\r\n'
    b"BEGIN:VALARM\r\nACTION:AUDIO\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\n"
    b"BEGIN:X-WHATEVER\r\nX-DATA:1\r\nEND:X-WHATEVER\r\n"
    b"BEGIN:VTODO\r\nUID:tax\r\nDTSTAMP:20260101T000000Z\r\nEND:VTODO\r\n"
    b"END:VCALENDAR\r\n"
)


def entry(session: str = "S-1", **more: Any) -> CalendarEvent:  # noqa: ANN401
    """Return a session of an hour, except for the given fields."""
    made = CalendarEvent(
        session=session,
        start=at("11-05 09:00"),
        end=at("11-05 10:00"),
        cancelled=False,
        changes=0,
        changed_at=at("11-01 12:00"),
        summary="Shader flickers (Mina)",
        description="on Mali GPUs\n\nSession S-1",
        alarms=(15,),
    )
    return replace(made, **more)


def events(content: bytes) -> dict[str, Any]:
    """Parse a calendar as clients do: the latest version of each event, by UID."""
    by_uid: dict[str, Any] = {}
    calendar = icalendar.Calendar.from_ical(content)
    for event in calendar.walk("VEVENT"):
        assert not event.errors
        name = str(event["UID"])
        assert name not in by_uid, "an event stands there twice"
        by_uid[name] = event
    return by_uid


def valid(content: bytes) -> None:
    """Check RFC 5545's rules for lines: CRLF, and at most 75 octets."""
    assert content.endswith(b"END:VCALENDAR\r\n")
    lines = content.split(b"\r\n")[:-1]
    assert not [line for line in lines if len(line) > 75]
    assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", b"".join(lines))
    content.decode()


class Client:
    """A calendar that imports files: by UID, the highest SEQUENCE, then the latest DTSTAMP."""

    def __init__(self) -> None:
        self.events: dict[str, Any] = {}

    def take(self, content: bytes) -> None:
        """Import a file."""
        for name, event in events(content).items():
            known = self.events.get(name)
            if known is None or self._rank(known) < self._rank(event):
                self.events[name] = event

    @staticmethod
    def _rank(event: Any) -> tuple[int, datetime]:  # noqa: ANN401
        return event["SEQUENCE"], event["DTSTAMP"].dt

    @property
    def shown(self) -> dict[str, tuple[str, datetime]]:
        """Return the status and the start of each event."""
        return {
            name: (str(event["STATUS"]), event["DTSTART"].dt) for name, event in self.events.items()
        }


# --- output ---------------------------------------------------------------------------------------


def test_an_event_has_what_clients_want() -> None:
    """Its times in UTC, its number, its standing, a reminder, and a name for ever."""
    written = write_calendar(NAME, [entry(changes=2, alarms=(60, 0))])
    valid(written.content)
    assert (written.events, written.cancelled) == (1, 0)
    calendar = icalendar.Calendar.from_ical(written.content)
    assert str(calendar["VERSION"]) == "2.0"
    assert calendar["PRODID"]
    assert "METHOD" not in calendar
    assert str(calendar["X-WR-CALNAME"]) == "Live help sessions"
    ((name, event),) = events(written.content).items()
    assert name == uid(NAME, "S-1")
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (at("11-05 09:00"), at("11-05 10:00"))
    assert event["DTSTAMP"].dt == event["LAST-MODIFIED"].dt == at("11-01 12:00")
    assert (event["SEQUENCE"], str(event["STATUS"])) == (2, "CONFIRMED")
    assert str(event["SUMMARY"]) == "Shader flickers (Mina)"
    assert str(event["DESCRIPTION"]) == "on Mali GPUs\n\nSession S-1"
    assert event.categories == ["Live help"]
    alarms = event.walk("VALARM")
    assert [alarm["TRIGGER"].dt for alarm in alarms] == [-timedelta(hours=1), timedelta(0)]
    assert {str(alarm["ACTION"]) for alarm in alarms} == {"DISPLAY"}
    assert b"DTSTART:20261105T090000Z\r\n" in written.content
    assert b"TRIGGER:-PT1H\r\n" in written.content


def test_the_same_gives_the_same_bytes() -> None:
    """Only the sessions determine the output; written into the file again, it is unchanged."""
    first = write_calendar(NAME, [entry("S-1"), entry("S-2", cancelled=True, changes=1)])
    assert write_calendar(NAME, [entry("S-1"), entry("S-2", cancelled=True, changes=1)]) == first
    again = write_calendar(
        NAME, [entry("S-1"), entry("S-2", cancelled=True, changes=1)], first.content
    )
    assert again == first
    assert (first.events, first.cancelled) == (2, 1)


def test_no_sessions_make_an_empty_calendar() -> None:
    """A new book has a calendar, too."""
    written = write_calendar(NAME, [])
    valid(written.content)
    assert events(written.content) == {}
    assert write_calendar(NAME, [], b" \r\n") == written


def test_two_books_never_share_an_event() -> None:
    """The same session id in another book is another event, and neither touches the other's."""
    both = write_calendar("other", [entry()], write_calendar(NAME, [entry()]).content).content
    assert set(events(both)) == {uid(NAME, "S-1"), uid("other", "S-1")}
    assert (
        events(write_calendar("other", [], both).content)[uid(NAME, "S-1")]["STATUS"] == "CONFIRMED"
    )


@pytest.mark.parametrize("end", [None, at("11-05 09:00"), at("11-05 09:00:00.9")])
def test_an_end_is_later_than_the_start_or_left_out(end: datetime | None) -> None:
    """RFC 5545 requires it; the end of a live session without a plan is unknown."""
    (event,) = events(write_calendar(NAME, [entry(end=end)]).content).values()
    assert "DTEND" not in event


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Pacific/Apia", "UTC"])
def test_half_past_seven_stays_half_past_seven(zone: str) -> None:
    """In the weeks in which clocks change, a reader in any zone sees the time that was agreed."""
    there = ZoneInfo(zone)
    days = [
        datetime(2026, month, day, 7, 30, tzinfo=there)
        for month in (3, 4, 10, 11)
        for day in range(1, 31)
    ]
    entries = [
        entry(f"S-{n}", start=day.astimezone(UTC), end=(day + timedelta(hours=1)).astimezone(UTC))
        for n, day in enumerate(days)
    ]
    parsed = events(write_calendar(NAME, entries).content)
    for n, day in enumerate(days):
        event = parsed[uid(NAME, f"S-{n}")]
        read = event["DTSTART"].dt.astimezone(there)
        assert (read.date(), f"{read:%H:%M}") == (day.date(), "07:30")
        assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(hours=1)


def test_a_session_over_the_change_of_the_clocks_is_as_long_as_it_was() -> None:
    """From 01:30 to 03:30 in Paris it is three hours in October and one in March."""
    paris = ZoneInfo("Europe/Paris")
    for month, day, hours in ((10, 25, 3), (3, 29, 1)):
        start = datetime(2026, month, day, 1, 30, tzinfo=paris).astimezone(UTC)
        end = datetime(2026, month, day, 3, 30, tzinfo=paris).astimezone(UTC)
        (event,) = events(write_calendar(NAME, [entry(start=start, end=end)]).content).values()
        assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(hours=hours)


# --- hostile text ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_valid_and_reads_back(text: str) -> None:
    """For any text by strangers the file is valid, and only impossible characters are lost."""
    written = write_calendar(NAME, [entry(summary=text, description=text), entry("S-2")])
    valid(written.content)
    parsed = events(written.content)
    assert set(parsed) == {uid(NAME, "S-1"), uid(NAME, "S-2")}
    assert len(parsed[uid(NAME, "S-1")].walk("VALARM")) == 1
    kept = "".join(
        each for each in text.replace("\r\n", "\n").replace("\r", "\n") if _allowed(each)
    )
    assert str(parsed[uid(NAME, "S-1")]["DESCRIPTION"]) == kept
    assert (
        write_calendar(NAME, [entry(summary=text, description=text), entry("S-2")], written.content)
        == written
    )


def _allowed(letter: str) -> bool:
    return letter in "\t\n" or not (
        ord(letter) < 32 or 127 <= ord(letter) < 160 or 0xD800 <= ord(letter) < 0xE000
    )


@given(st.text(st.characters(codec=None, categories=None, exclude_characters="\r")))
def test_any_text_reads_back(text: str) -> None:
    """Every text, of any characters that there are."""
    written = write_calendar(NAME, [entry(description=text, summary=text)])
    valid(written.content)
    (event,) = events(written.content).values()
    assert str(event["DESCRIPTION"]) == "".join(filter(_allowed, text))
    assert "\n" not in str(event["SUMMARY"])


# --- a file that there is -------------------------------------------------------------------------


def test_what_others_wrote_stays_as_they_wrote_it() -> None:
    """Events, zones, tasks and unknown components: byte for byte, folding included."""
    written = write_calendar(NAME, [entry()], FOREIGN)
    valid(written.content)
    head = FOREIGN.removesuffix(b"END:VCALENDAR\r\n")
    assert written.content.startswith(head)
    assert written.events == 1
    assert set(events(written.content)) == {"dentist@example.org", uid(NAME, "S-1")}
    assert write_calendar(NAME, [], FOREIGN).content == FOREIGN
    later = write_calendar(
        NAME, [entry(start=at("11-06 09:00"), end=None, changes=1)], written.content
    )
    assert later.content.startswith(head)
    assert len(events(later.content)) == 2


def test_line_ends_of_other_systems_are_read() -> None:
    """A file from elsewhere may have bare line feeds, a byte order mark, or a blank line."""
    plain = b"\xef\xbb\xbf" + FOREIGN.replace(b"\r\n", b"\n") + b"\n"
    assert write_calendar(NAME, [entry()], plain) == write_calendar(NAME, [entry()], FOREIGN)


def test_a_character_that_a_fold_cut_in_two_stays_whole() -> None:
    """Folds are counted in octets, and some programs cut wherever that falls."""
    cut = "SUMMARY:é".encode()[:-1] + b"\r\n " + "é".encode()[1:]
    foreign = FOREIGN.replace(b"SUMMARY;LANGUAGE=en:Den\r\n tist", cut)
    assert cut in write_calendar(NAME, [entry()], foreign).content


def test_a_session_that_is_gone_is_cancelled_and_stays_so() -> None:
    """Clients would keep it for ever; it gets a higher number once, and no reminder."""
    before = write_calendar(NAME, [entry("S-1"), entry("S-2", changes=3)])
    after = write_calendar(NAME, [entry("S-1")], before.content)
    valid(after.content)
    assert (after.events, after.cancelled) == (2, 1)
    gone = events(after.content)[uid(NAME, "S-2")]
    assert (str(gone["STATUS"]), gone["SEQUENCE"], gone.walk("VALARM")) == ("CANCELLED", 4, [])
    assert str(gone["TRANSP"]) == "TRANSPARENT"
    assert write_calendar(NAME, [entry("S-1")], after.content) == after


def test_a_session_that_comes_back_is_believed() -> None:
    """After an older state of the book the newer one has a higher number again."""
    client = Client()
    whole = [entry("S-1"), entry("S-2", changes=3)]
    file = write_calendar(NAME, whole).content
    client.take(file)
    file = write_calendar(NAME, whole[:1], file).content
    client.take(file)
    assert client.shown[uid(NAME, "S-2")][0] == "CANCELLED"
    file = write_calendar(NAME, whole, file).content
    client.take(file)
    assert client.shown[uid(NAME, "S-2")] == ("CONFIRMED", at("11-05 09:00"))
    assert write_calendar(NAME, whole, file).content == file


def test_an_older_state_of_the_book_is_believed_too() -> None:
    """An as-known schedule has a sequence number that no client has seen."""
    client = Client()
    file = write_calendar(NAME, [entry(start=at("11-06 09:00"), end=None, changes=2)]).content
    client.take(file)
    file = write_calendar(NAME, [entry(end=None, changes=1)], file).content
    client.take(file)
    assert client.shown[uid(NAME, "S-1")] == ("CONFIRMED", at("11-05 09:00"))


def test_an_event_that_lost_its_mark_is_known_by_its_name() -> None:
    """Programs that save a calendar may leave out properties that they do not know."""
    plain = re.sub(rb"X-LIVEPORTAL-BOOK:.*\r\n", b"", write_calendar(NAME, [entry()]).content)
    assert len(events(write_calendar(NAME, [entry()], plain).content)) == 1


def test_an_event_of_ours_that_somebody_broke_is_made_whole() -> None:
    """An unreadable sequence number counts as zero."""
    broken = write_calendar(NAME, [entry()]).content.replace(b"SEQUENCE:0", b"SEQUENCE:many")
    (event,) = events(write_calendar(NAME, [entry()], broken).content).values()
    assert event["SEQUENCE"] == 0


steps = st.lists(
    st.tuples(
        st.sampled_from(["move", "cancel", "again", "forget", "rename"]), st.sampled_from("AB")
    ),
    max_size=6,
)


@given(steps)
def test_importing_every_file_ends_with_what_the_last_one_says(
    taken: list[tuple[str, str]],
) -> None:
    """A client that knows events by name and number never has two of one, nor an old one."""
    client = Client()
    known = {name: entry(name) for name in "AB"}
    book = dict(known)
    file = b""
    for what, name in [("again", "A"), *taken]:
        each = known[name]
        if what == "move":
            moved = each.start + timedelta(days=1)
            book[name] = replace(each, start=moved, end=None, changes=each.changes + 1)
        elif what == "cancel":
            book[name] = replace(each, cancelled=True, changes=each.changes + 1)
        elif what == "rename":
            later = each.changed_at + timedelta(seconds=1)
            book[name] = replace(each, summary="Another title", changed_at=later)
        elif what == "forget":
            book.pop(name, None)
        known |= book
        file = write_calendar(NAME, list(book.values()), file).content
        client.take(file)
        valid(file)
    last = Client()
    last.take(file)
    assert client.shown == last.shown
    assert {str(event["SUMMARY"]) for event in client.events.values()} == {
        str(event["SUMMARY"]) for event in last.events.values()
    }
    for name, each in book.items():
        standing = "CANCELLED" if each.cancelled else "CONFIRMED"
        assert client.shown[uid(NAME, name)] == (standing, each.start)


# --- invalid calendars ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"hello",
        b"hello:world",
        b"\x89PNG\r\n\x1a\n",
        b"BEGIN:VCARD\r\nVERSION:2.0\r\nEND:VCARD\r\n",
        b"BEGIN:VCALENDAR\r\nVERSION:1.0\r\nEND:VCALENDAR\r\n",
        b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        FOREIGN[:-20],
        FOREIGN.replace(b"END:VTODO", b"END:VEVENT"),
        FOREIGN.replace(b"END:VCALENDAR", b"END:VCALENDAR\r\nEND:VCALENDAR"),
        FOREIGN.replace(b":VTODO", b":VCALENDAR"),
        FOREIGN.replace(b"UID:tax", b"UID"),
        FOREIGN.replace(b"UID:tax", b"UID:t\x00x"),
        FOREIGN.replace(b"UID:tax", b"UID tax:1"),
        FOREIGN + b"trailing",
        FOREIGN + b"X-TRAILING:1",
        b":" * 1_000_000 + b"\x00",
        write_calendar(NAME, [entry()]).content.replace(b"TRIGGER:", b"TRIGGER;;=:"),
    ],
    ids=range(17),
)
def test_what_is_no_calendar_is_refused(content: bytes) -> None:
    """No file is changed that would not be a valid calendar afterwards."""
    with pytest.raises(NotACalendar) as caught:
        write_calendar(NAME, [entry()], content)
    assert caught.value.hint


def test_several_calendars_in_one_file_are_kept() -> None:
    """RFC 5545 allows it; the book's events are in the first one, once."""
    two = FOREIGN + write_calendar(NAME, [entry("S-9")]).content
    written = write_calendar(NAME, [entry()], two)
    first, second = written.content.split(b"END:VCALENDAR\r\n")[:2]
    assert first.count(LEDGER_PROPERTY.encode()) == 2
    assert second.count(LEDGER_PROPERTY.encode()) == 0
    assert b"BEGIN:VCALENDAR" in second
