"""Sessions as an iCalendar file (RFC 5545), made anew or brought up to date in one that there is.

A client knows an event by its UID and takes the one with the higher SEQUENCE, then the later
DTSTAMP: importing the file again never makes a second event. All times are UTC, so that no change
of the clocks moves a session. What others wrote into the file stays as they wrote it. There is no
METHOD: this is a calendar, not an invitation (RFC 5546 would want an organizer in each event).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from liveportal.domain.errors import NotACalendar

if TYPE_CHECKING:
    from icalendar import Event, vText

PRODUCT = "-//liveportal//sessions//EN"
NAME = "Live help sessions"
CATEGORY = "Live help"
BOOK = "X-LIVEPORTAL-BOOK"
"""Names the book that an event of ours is of: so those are found that the book has no longer."""

# Characters that a text must not have (RFC 5545, 3.3.11), others that a terminal obeys, and halves
# of pairs that no UTF-8 has.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_NAME = re.compile(rb"[A-Za-z0-9-]+(?=[;:])")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """A session as a calendar has it.

    `changes` counts what happened to its time or standing, `changed_at` is when anything of it was
    last recorded; both only ever grow. Without an `end` it is an instant. `alarms` are minutes
    before the start.
    """

    session: str
    start: datetime
    end: datetime | None
    cancelled: bool
    changes: int
    changed_at: datetime
    summary: str
    description: str
    alarms: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A calendar, and how many events of the book are in it: all, and those that are cancelled."""

    content: bytes
    events: int
    cancelled: int


def uid(book: str, session: str) -> str:
    """Return the name of a session's event for ever; of two books it is never the same."""
    from uuid import NAMESPACE_URL, uuid5  # Looks at the platform: only a calendar waits for it.

    return str(uuid5(NAMESPACE_URL, f"urn:liveportal:{book}:{session}"))


def write(book: str, entries: Sequence[CalendarEvent], existing: bytes = b"") -> Written:
    """Return a calendar with the sessions of a book, put into an existing one if there is any.

    `book` is its name. Events that the existing calendar has of sessions that the book does not
    know (any more) are kept as cancelled. Raises `NotACalendar`.
    """
    ours = {uid(book, each.session): _event(book, each) for each in entries}
    parts = list(_parts(existing if existing.strip() else _frame()))
    others: list[_Part] = []
    for part in parts:
        if not part.is_of(book, ours):
            others.append(part)
            continue
        name, before = _read(part)
        ours[name] = _following(ours[name], before) if name in ours else _gone(before)
    end = next(place for place, part in enumerate(others) if part.ends)
    lines = [
        *chain.from_iterable(part.lines for part in others[:end]),
        *chain.from_iterable(event.to_ical().splitlines() for event in ours.values()),
        *chain.from_iterable(part.lines for part in others[end:]),
    ]
    cancelled = sum(event["STATUS"] == "CANCELLED" for event in ours.values())
    return Written(b"".join(line + b"\r\n" for line in lines), len(ours), cancelled)


# --- the book's events ----------------------------------------------------------------------------


def _frame() -> bytes:
    from icalendar import Calendar  # With all it imports: nothing else needs it.

    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCT)
    calendar.add("x-wr-calname", NAME)
    return bytes(calendar.to_ical())


def _event(book: str, entry: CalendarEvent) -> Event:
    from icalendar import Alarm, Event

    event = Event()
    event.add("uid", uid(book, entry.session))
    event.add("sequence", entry.changes)
    event.add("dtstamp", _to_second(entry.changed_at))
    event.add("last-modified", _to_second(entry.changed_at))
    event.add("dtstart", _to_second(entry.start))
    if entry.end is not None and _to_second(entry.end) > _to_second(entry.start):
        event.add("dtend", _to_second(entry.end))  # It must be later than the start.
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if entry.cancelled else "OPAQUE")
    event.add("summary", _text(" ".join(entry.summary.split())))
    event.add("description", _text(entry.description))
    event.add("categories", [CATEGORY])
    event.add(BOOK, book)
    for minutes in entry.alarms:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", _text(" ".join(entry.summary.split())))
        alarm.add("trigger", -timedelta(minutes=minutes))
        event.add_component(alarm)
    return event


def _to_second(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(microsecond=0)


def _text(text: str) -> vText:
    """Return a text as a property's value, without what no iCalendar may hold."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _escaped()(_FORBIDDEN.sub("", lines))


@cache
def _escaped() -> type[vText]:
    from icalendar import vText

    class Escaped(vText):
        r"""Escapes as RFC 5545 says; the library's own way makes a line break of a `\N`."""

        def to_ical(self) -> bytes:
            escaped = str(self).replace("\\", "\\\\").replace("\n", "\\n")
            return escaped.replace(";", "\\;").replace(",", "\\,").encode()

    return Escaped


def _following(event: Event, before: Event) -> Event:
    """Let an event take the place of what a file had of it: its SEQUENCE never falls.

    If the file has another schedule under a number that is as high (of a later state of the book,
    say), clients would keep that one.
    """
    number = _sequence(before)
    if any(event.get(name) != before.get(name) for name in ("DTSTART", "DTEND", "STATUS")):
        number += 1
    del event["SEQUENCE"]
    event.add("sequence", max(_sequence(event), number))
    return event


def _gone(event: Event) -> Event:
    """Cancel an event whose session the book does not know; clients would keep it otherwise."""
    if event.get("STATUS") == "CANCELLED":
        return event
    number = _sequence(event) + 1
    for name, value in (("sequence", number), ("status", "CANCELLED"), ("transp", "TRANSPARENT")):
        event.pop(name, None)
        event.add(name, value)
    event.subcomponents = []  # Its alarms.
    return event


def _sequence(event: Event) -> int:
    number = event.get("SEQUENCE", 0)
    return number if isinstance(number, int) else 0


# --- what a file holds ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """Lines of a file: one of a calendar itself, or all of a component in it.

    `lines` are as they stand, `meant` as they are meant: put together where they were folded.
    """

    lines: list[bytes]
    meant: list[bytes]

    def value(self, name: bytes) -> bytes | None:
        """Return the value of the first line of that name; None where there is none."""
        return next((value for each, value in map(_property, self.meant) if each == name), None)

    @property
    def ends(self) -> bool:
        """Whether a calendar ends here."""
        return self.value(b"END") == b"VCALENDAR"

    def is_of(self, book: str, known: Collection[str]) -> bool:
        """Tell whether it is an event of the book: marked as one, or of a name that is known."""
        if self.value(b"BEGIN") != b"VEVENT":
            return False
        name = self.value(b"UID") or b""
        return (
            self.value(BOOK.encode()) == book.encode() or name.decode("utf-8", "replace") in known
        )


def _parts(content: bytes) -> Iterator[_Part]:
    """Yield what a file holds, in its order; raises `NotACalendar`."""
    open_components: list[bytes] = []
    calendars = versions = 0
    part = _Part([], [])
    for number, (lines, meant) in enumerate(_unfolded(content.removeprefix(_BOM)), 1):
        if not _NAME.match(meant) or b":" not in meant or _CONTROL.search(meant):
            raise _not_a_calendar(f"line {number} is none of iCalendar")
        name, value = _property(meant)
        if name == b"BEGIN":
            open_components.append(value)
            calendars += value == b"VCALENDAR"
        if open_components[:1] != [b"VCALENDAR"] or calendars > 1:
            raise _not_a_calendar("it does not begin with BEGIN:VCALENDAR")
        versions += len(open_components) == 1 and (name, value) == (b"VERSION", b"2.0")
        part.lines.extend(lines)
        part.meant.append(meant)
        if name == b"END":
            if open_components.pop() != value:
                raise _not_a_calendar(f"line {number} ends what did not begin")
            calendars -= value == b"VCALENDAR"
        if len(open_components) <= 1:
            yield part
            part = _Part([], [])
    if open_components:
        raise _not_a_calendar("it was cut short")
    if not versions:
        raise _not_a_calendar("it is not of version 2.0")


def _unfolded(content: bytes) -> Iterator[tuple[list[bytes], bytes]]:
    """Yield each line as it stands and as it is meant; blank ones, which say nothing, are left out.

    Lines may end as they do on any system. A fold may cut a character in two, so these are bytes.
    """
    lines: list[bytes] = []
    for raw in content.split(b"\n"):
        line = raw.removesuffix(b"\r")
        if line[:1] in (b" ", b"\t") and lines:
            lines.append(line)
            continue
        if lines:
            yield lines, _joined(lines)
        lines = [line] if line else []
    if lines:
        yield lines, _joined(lines)


def _joined(lines: list[bytes]) -> bytes:
    return lines[0] + b"".join(line[1:] for line in lines[1:])


def _property(line: bytes) -> tuple[bytes, bytes]:
    """Return the name, in capitals, and the value of a line; parameters count to the name."""
    name, _, value = line.partition(b":")
    name = name.upper()
    # The names of components are the same in any letters.
    return name, value.strip().upper() if name in (b"BEGIN", b"END") else value.strip()


def _read(part: _Part) -> tuple[str, Event]:
    from icalendar import Event

    try:
        event = Event.from_ical(b"\r\n".join(part.lines))
    except ValueError as error:
        raise _not_a_calendar(f"an event of this book cannot be read: {error}") from None
    if not isinstance(event, Event):
        raise TypeError("what begins as an event is one")
    return str(event.get("UID")), event


def _not_a_calendar(why: str) -> NotACalendar:
    return NotACalendar(
        f"the file is no calendar: {why}",
        hint="It was left as it is. Choose another file, or move it away.",
    )
