"""Sessions as an iCalendar file (RFC 5545): write a new file, or update an existing one.

A client identifies an event by its UID and keeps the one with the higher SEQUENCE, then the later
DTSTAMP, so importing the file again never creates a second event. All times are UTC, so that no
change of the clocks moves a session. Entries of other programs in the file stay unchanged. It has
no METHOD: this is a calendar, not an invitation (RFC 5546 would require an organizer per event).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from liveportal.domain.errors import NotACalendar
from liveportal.domain.frozen import frozen

if TYPE_CHECKING:
    from icalendar import Event, vText

PRODUCT = "-//liveportal//sessions//EN"
NAME = "Live help sessions"
CATEGORY = "Live help"
LEDGER_PROPERTY = "X-LIVEPORTAL-BOOK"
"""The property that holds the id of the ledger: it identifies events whose session is gone."""

# Characters that a text must not contain (RFC 5545, 3.3.11), other control characters of terminals,
# and lone surrogates, which UTF-8 cannot encode.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_NAME = re.compile(rb"[A-Za-z0-9-]+(?=[;:])")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_BOM = b"\xef\xbb\xbf"


@frozen
class CalendarEvent:
    """A session as a calendar event.

    `changes` counts the changes of its time and status, `changed_at` is when the last event about
    it was recorded; both only grow. Without an `end` the event is an instant. `alarms` are in
    minutes before the start.
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


@frozen
class CalendarFile:
    """A calendar file, with the number of the ledger's events in it and of the cancelled ones."""

    content: bytes
    events: int
    cancelled: int


def uid(book: str, session: str) -> str:
    """Return the permanent UID of a session's event, which differs between ledgers."""
    from uuid import NAMESPACE_URL, uuid5  # Slow to import: only calendars need it.

    return str(uuid5(NAMESPACE_URL, f"urn:liveportal:{book}:{session}"))


def write_calendar(
    book: str, entries: Sequence[CalendarEvent], existing: bytes = b""
) -> CalendarFile:
    """Return a calendar with the sessions of a ledger, merged into an existing calendar if given.

    `book` is the id of the ledger. Events in the existing calendar whose session the ledger does
    not have are kept as cancelled. Raises `NotACalendar`.
    """
    ours = {uid(book, entry.session): _build_event(book, entry) for entry in entries}
    blocks = list(_split_blocks(existing if existing.strip() else _empty_calendar()))
    others: list[_IcsBlock] = []
    for block in blocks:
        if not block.belongs_to(book, ours):
            others.append(block)
            continue
        name, previous = _parse_event(block)
        ours[name] = _supersede(ours[name], previous) if name in ours else _cancel(previous)
    end = next(index for index, block in enumerate(others) if block.closes_calendar)
    lines = [
        *chain.from_iterable(block.lines for block in others[:end]),
        *chain.from_iterable(event.to_ical().splitlines() for event in ours.values()),
        *chain.from_iterable(block.lines for block in others[end:]),
    ]
    cancelled = sum(event["STATUS"] == "CANCELLED" for event in ours.values())
    return CalendarFile(b"".join(line + b"\r\n" for line in lines), len(ours), cancelled)


# --- the ledger's events --------------------------------------------------------------------------


def _empty_calendar() -> bytes:
    from icalendar import Calendar  # Slow to import: only calendars need it.

    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCT)
    calendar.add("x-wr-calname", NAME)
    return bytes(calendar.to_ical())


def _build_event(book: str, entry: CalendarEvent) -> Event:
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
    event.add("summary", _text_value(" ".join(entry.summary.split())))
    event.add("description", _text_value(entry.description))
    event.add("categories", [CATEGORY])
    event.add(LEDGER_PROPERTY, book)
    for minutes in entry.alarms:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", _text_value(" ".join(entry.summary.split())))
        alarm.add("trigger", -timedelta(minutes=minutes))
        event.add_component(alarm)
    return event


def _to_second(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(microsecond=0)


def _text_value(text: str) -> vText:
    """Return a text as a property value, without the characters that iCalendar forbids."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _text_class()(_FORBIDDEN.sub("", lines))


@cache
def _text_class() -> type[vText]:
    from icalendar import vText

    class Escaped(vText):
        r"""Escapes as RFC 5545 says; the library would turn a literal `\N` into a line break."""

        def to_ical(self) -> bytes:
            escaped = str(self).replace("\\", "\\\\").replace("\n", "\\n")
            return escaped.replace(";", "\\;").replace(",", "\\,").encode()

    return Escaped


def _supersede(event: Event, existing: Event) -> Event:
    """Replace the event that a file has for a session; SEQUENCE never decreases.

    If the file has another schedule under an equal or higher number (from a later state of the
    ledger, for example), clients would keep that one, so the number is raised above it.
    """
    number = _sequence(existing)
    if any(event.get(name) != existing.get(name) for name in ("DTSTART", "DTEND", "STATUS")):
        number += 1
    del event["SEQUENCE"]
    event.add("sequence", max(_sequence(event), number))
    return event


def _cancel(event: Event) -> Event:
    """Cancel an event whose session the ledger does not have; clients would keep it otherwise."""
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


# --- reading a file -------------------------------------------------------------------------------


@frozen
class _IcsBlock:
    """A block of lines: one property of a calendar itself, or a whole component in it.

    `lines` are the lines as in the file, `unfolded` the same with folded lines joined.
    """

    lines: list[bytes]
    unfolded: list[bytes]

    def value(self, name: bytes) -> bytes | None:
        """Return the value of the first property with that name, or None."""
        return next(
            (value for key, value in map(_parse_property, self.unfolded) if key == name), None
        )

    @property
    def closes_calendar(self) -> bool:
        """Return True if the block is the end of a calendar."""
        return self.value(b"END") == b"VCALENDAR"

    def belongs_to(self, book: str, known: Collection[str]) -> bool:
        """Return True for an event of the ledger: one that has its id, or a UID in `known`."""
        if self.value(b"BEGIN") != b"VEVENT":
            return False
        name = self.value(b"UID") or b""
        return (
            self.value(LEDGER_PROPERTY.encode()) == book.encode()
            or name.decode("utf-8", "replace") in known
        )


def _split_blocks(content: bytes) -> Iterator[_IcsBlock]:
    """Yield the blocks of a file, in order; raises `NotACalendar`."""
    open_components: list[bytes] = []
    calendars = versions = 0
    block = _IcsBlock([], [])
    for number, (lines, unfolded) in enumerate(_unfold(content.removeprefix(_BOM)), 1):
        if not _NAME.match(unfolded) or b":" not in unfolded or _CONTROL.search(unfolded):
            raise _not_a_calendar(f"line {number} is not iCalendar")
        name, value = _parse_property(unfolded)
        if name == b"BEGIN":
            open_components.append(value)
            calendars += value == b"VCALENDAR"
        if open_components[:1] != [b"VCALENDAR"] or calendars > 1:
            raise _not_a_calendar("it does not begin with BEGIN:VCALENDAR")
        versions += len(open_components) == 1 and (name, value) == (b"VERSION", b"2.0")
        block.lines.extend(lines)
        block.unfolded.append(unfolded)
        if name == b"END":
            if open_components.pop() != value:
                raise _not_a_calendar(f"line {number} ends a component that was not begun")
            calendars -= value == b"VCALENDAR"
        if len(open_components) <= 1:
            yield block
            block = _IcsBlock([], [])
    if open_components:
        raise _not_a_calendar("its end is missing")
    if not versions:
        raise _not_a_calendar("its version is not 2.0")


def _unfold(content: bytes) -> Iterator[tuple[list[bytes], bytes]]:
    """Yield the lines of each property, with the property joined from them; skip blank lines.

    Any line ending is accepted. A fold may split a multi-byte character, so the lines are bytes.
    """
    lines: list[bytes] = []
    for raw in content.split(b"\n"):
        line = raw.removesuffix(b"\r")
        if line[:1] in (b" ", b"\t") and lines:
            lines.append(line)
            continue
        if lines:
            yield lines, _join_folded(lines)
        lines = [line] if line else []
    if lines:
        yield lines, _join_folded(lines)


def _join_folded(lines: list[bytes]) -> bytes:
    return lines[0] + b"".join(line[1:] for line in lines[1:])


def _parse_property(line: bytes) -> tuple[bytes, bytes]:
    """Return the name of a property, in capitals and with its parameters, and its value."""
    name, _, value = line.partition(b":")
    name = name.upper()
    # Component names are case-insensitive.
    return name, value.strip().upper() if name in (b"BEGIN", b"END") else value.strip()


def _parse_event(block: _IcsBlock) -> tuple[str, Event]:
    from icalendar import Event

    try:
        event = Event.from_ical(b"\r\n".join(block.lines))
    except ValueError as error:
        raise _not_a_calendar(f"an event of this ledger cannot be read: {error}") from None
    if not isinstance(event, Event):
        raise TypeError("a block that begins with VEVENT is an event")
    return str(event.get("UID")), event


def _not_a_calendar(why: str) -> NotACalendar:
    return NotACalendar(
        f"The file is not a calendar: {why}.",
        hint="The file was not changed. Choose another file, or move this one away.",
    )
