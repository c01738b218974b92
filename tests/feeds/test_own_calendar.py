"""The expert's own calendar: recurrences, exceptions, zones, whole days, and what is refused."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest

from liveportal.domain.clock import from_text
from liveportal.domain.errors import MalformedFile
from liveportal.feeds import own_calendar
from liveportal.feeds.own_calendar import OwnCalendar
from liveportal.tables.source import Source
from tests.kit.work import stopped_if_endless

HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//test//EN\r\n"
BERLIN = ";TZID=Europe/Berlin"


def event(*lines: str, title: str = "Dentist") -> str:
    """Return a VEVENT; a title of its own makes it an event of its own."""
    body = (f"UID:{title}", "DTSTAMP:20261001T000000Z", f"SUMMARY:{title}", *lines)
    return "\r\n".join(("BEGIN:VEVENT", *body, "END:VEVENT", ""))


def calendar(*events: str) -> bytes:
    """Return a calendar."""
    return f"{HEAD}{''.join(events)}END:VCALENDAR\r\n".encode()


def busy(
    content: bytes, start: str = "2026-10-01", end: str = "2026-11-15", zone: str = "Europe/Berlin"
) -> list[str]:
    """Return the events between two days as `10-05T07:00/08:00 Title`, in UTC."""
    found = OwnCalendar([Source("own.ics", io.BytesIO(content))]).between(
        from_text(f"{start}T00:00:00.000000Z"), from_text(f"{end}T00:00:00.000000Z"), zone
    )
    return [f"{each.start:%m-%dT%H:%M}/{each.end:%H:%M} {each.title}" for each in found]


def test_an_event_and_a_day() -> None:
    """A time in UTC, one with a duration, one without a zone, and a day of the expert's."""
    content = calendar(
        event("DTSTART:20261005T070000Z", "DTEND:20261005T080000Z"),
        event(f"DTSTART{BERLIN}:20261006T090000", "DURATION:PT30M", title="Call"),
        event("DTSTART:20261007T090000", "DTEND:20261007T100000", title="Floating"),
        event("DTSTART;VALUE=DATE:20261008", title="Day"),
        event("DTSTART:20261009T090000Z", title="A moment"),
    )
    assert busy(content) == [
        "10-05T07:00/08:00 Dentist",
        "10-06T07:00/07:30 Call",
        "10-07T07:00/08:00 Floating",
        "10-07T22:00/22:00 Day",
        "10-09T09:00/09:00 A moment",
    ]
    assert busy(content, zone="America/New_York")[2:4] == [
        "10-07T13:00/14:00 Floating",
        "10-08T04:00/04:00 Day",
    ]


def test_a_recurrence_keeps_its_local_time() -> None:
    """The clocks of Berlin go back on 25 October; an all-day event then has 25 hours."""
    content = calendar(
        event(
            f"DTSTART{BERLIN}:20260105T090000", f"DTEND{BERLIN}:20260105T100000",
            "RRULE:FREQ=WEEKLY;BYDAY=MO",
        ),
        event("DTSTART;VALUE=DATE:20261024", "DTEND;VALUE=DATE:20261027", title="Trip"),
    )  # fmt: skip
    assert busy(content, "2026-10-18", "2026-11-03") == [
        "10-19T07:00/08:00 Dentist",
        "10-23T22:00/23:00 Trip",
        "10-26T08:00/09:00 Dentist",
        "11-02T08:00/09:00 Dentist",
    ]


def test_an_endless_recurrence_is_bounded() -> None:
    """Only the time that is asked for is looked at, however late it is."""
    daily = calendar(event("DTSTART:20200101T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"))
    assert len(busy(daily, "2026-10-05", "2026-10-12")) == 7
    assert busy(daily, "2036-10-05", "2036-10-06") == ["10-05T10:00/11:00 Dentist"]


EXCEPTIONS = [
    (["EXDATE;TZID=Europe/Berlin:20261012T090000"], [], "05 19 26"),
    (["EXDATE:20261012T070000Z,20261019T070000Z"], [], "05 26"),
    (["EXDATE;VALUE=DATE:20261012"], [], "05 19 26"),
    (["RDATE;TZID=Europe/Berlin:20261014T090000"], [], "05 12 14 19 26"),
    ([], [f"RECURRENCE-ID{BERLIN}:20261012T090000", "STATUS:CANCELLED"], "05 19 26"),
    ([], ["RECURRENCE-ID:20261012T070000Z", "TRANSP:TRANSPARENT"], "05 19 26"),
    ([], ["RECURRENCE-ID;VALUE=DATE:20261012", "STATUS:CANCELLED"], "05 19 26"),
    (["UNTIL=20261019T070000Z"], [], "05 12 19"),
    (["UNTIL=20261018T235959Z"], [], "05 12"),
    (["UNTIL=20261019"], [], "05 12 19"),
    (["COUNT=2"], [], "05 12"),
    (["TRANSP:TRANSPARENT"], [], ""),
    (["STATUS:CANCELLED"], [], ""),
    (["STATUS:TENTATIVE", "TRANSP:OPAQUE"], [], "05 12 19 26"),
]


@pytest.mark.parametrize(("lines", "exception", "days"), EXCEPTIONS)
def test_exceptions(lines: Sequence[str], exception: Sequence[str], days: str) -> None:
    """What is left out, added, cancelled, free, or at an end; zones may be mixed."""
    times = (f"DTSTART{BERLIN}:20261005T090000", f"DTEND{BERLIN}:20261005T100000")
    last = next((line for line in lines if line.startswith(("UNTIL", "COUNT"))), "INTERVAL=1")
    rule = f"RRULE:FREQ=WEEKLY;{last}"
    others = [line for line in lines if line != last]
    changed = event(*exception, f"DTSTART{BERLIN}:20261012T090000") if exception else ""
    found = busy(calendar(event(*times, rule, *others), changed), end="2026-11-01")
    assert " ".join(each[3:5] for each in found) == days


def test_an_occurrence_that_was_moved_is_where_it_is_now() -> None:
    """An exception may have another title and length; THISANDFUTURE moves all later ones."""
    first = event(
        f"DTSTART{BERLIN}:20261005T090000", f"DTEND{BERLIN}:20261005T100000", "RRULE:FREQ=WEEKLY"
    )
    moved = event(
        f"RECURRENCE-ID{BERLIN}:20261012T090000", f"DTSTART{BERLIN}:20261013T110000",
        "DURATION:PT2H",
    )  # fmt: skip
    expected = ["10-05T07:00/08:00", "10-13T09:00/11:00", "10-19T07:00/08:00"]
    assert [each.split()[0] for each in busy(calendar(first, moved), end="2026-10-20")] == expected
    later = moved.replace("RECURRENCE-ID", "RECURRENCE-ID;RANGE=THISANDFUTURE")
    expected[2:] = ["10-20T09:00/11:00", "10-27T10:00/12:00"]
    assert [each.split()[0] for each in busy(calendar(later, first), end="2026-11-01")] == expected


def test_zones_of_the_file_itself() -> None:
    """A zone may be defined in the calendar, or have the name that Windows has for it."""
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Own\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
        "TZOFFSETFROM:+0530\r\nTZOFFSETTO:+0530\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )
    content = calendar(
        zone,
        event("DTSTART;TZID=Own:20261005T120000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2"),
        event("DTSTART;TZID=W. Europe Standard Time:20261007T090000", "DURATION:PT1H"),
    )
    assert [each[:11] for each in busy(content)] == ["10-05T06:30", "10-06T06:30", "10-07T07:00"]


@pytest.mark.filterwarnings("error")
def test_the_zones_of_other_programs_are_known() -> None:
    """Some have a prefix of their own; nothing is written about that."""
    content = calendar(
        event("DTSTART;TZID=/x.org/1/Europe/Berlin:20261005T090000", "DURATION:PT1H")
    )
    assert busy(content) == ["10-05T07:00/08:00 Dentist"]


def test_titles_are_text_from_outside() -> None:
    """They are one short line without anything that controls a terminal."""
    content = calendar(
        event("DTSTART:20261005T070000Z", "DURATION:PT1H", title="\x1b[2Ja\\nb" * 200)
    )
    (found,) = busy(content)
    assert found.isprintable()
    assert len(found) <= 20 + own_calendar.LONGEST_TITLE


REFUSED = [
    (b"", 1, "is not a calendar"),
    (b"%PDF-1.7", 1, "is not a calendar"),
    (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", 2, "was cut"),
    (calendar(event("DTEND:20261005T070000Z")), 4, "'Dentist' has no start (DTSTART)"),
    (calendar(event("DTSTART:tomorrow")), 4, "Wrong date format tomorrow"),
    (calendar(event("DTSTART;TZID=Mars/Base:20261005T070000")), 4, "'Mars/Base' is not known"),
    (
        calendar(event("DTSTART:20261005T070000Z", "DTEND;VALUE=DATE:20261006")),
        4,
        "not of one kind",
    ),
    (
        calendar(event("DTSTART:20000105T070000Z", "RRULE:FREQ=MINUTELY")),
        4,
        "'Dentist' recurs more than 200,000 times",
    ),
]


@pytest.mark.parametrize(("content", "line", "words"), REFUSED)
def test_what_cannot_be_read_is_refused(content: bytes, line: int, words: str) -> None:
    """The message names the file, the line of the event, and what is wrong."""
    with pytest.raises(MalformedFile) as caught:
        busy(content)
    assert caught.value.message.startswith(f"own.ics, line {line}: ")
    assert words in caught.value.message
    assert caught.value.message.isprintable()


def test_a_calendar_has_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is far above any calendar."""
    content = calendar(event("DTSTART:20261005T070000Z"))
    monkeypatch.setattr(own_calendar, "LARGEST_CALENDAR", len(content))
    assert busy(content)
    with pytest.raises(MalformedFile, match="is larger than 0 MB"):
        busy(content + b"\n")


def test_a_day_that_never_comes_takes_no_time() -> None:
    """The rules of dateutil look for it until the year 9999."""
    rule = "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"
    with stopped_if_endless():
        assert busy(calendar(event("DTSTART:20261005T070000Z", "DURATION:PT1H", rule))) == [
            "10-05T07:00/08:00 Dentist"
        ]
