"""The expert's own calendar: when they are busy, from files of iCalendar (RFC 5545).

It is read again by each command, and nothing in it is recorded. Events that are cancelled, or that
leave the time free (TRANSP:TRANSPARENT), do not count. Recurrences are expanded here, with the
rules of python-dateutil, and only as far as a caller asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import chain
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, simplefilter

from liveportal.domain.clock import shifted, zone
from liveportal.domain.errors import MalformedFile
from liveportal.domain.schedule.schedule import OwnEvent
from liveportal.domain.text import clean
from liveportal.tables.source import Place, Source, quoted

if TYPE_CHECKING:
    from icalendar import Event

LARGEST_CALENDAR = 20 * 1024 * 1024
"""The most bytes in a calendar. One of ten years with 20,000 events has about 8 MB."""
MOST_OCCURRENCES = 200_000
"""The most times that one event is repeated, from its start until the time that is asked for."""
LONGEST_TITLE = 200

_DAY = timedelta(days=1)
_DAMAGES = (
    *(ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError),
    OSError,  # A zone of the name of a folder of zones, such as Europe.
)
"""What the library raises for text that is not a calendar."""
_CUT = "the calendar cannot be read: it was cut, or changed by hand"
_EXPORT = "Export the calendar again as an iCalendar file (.ics)."
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(slots=True)
class _Event:
    """One VEVENT. Local times have no zone; without `zone` they are in the expert's own."""

    line: int
    title: str
    start: datetime
    zone: tzinfo | None
    is_all_day: bool
    length: timedelta
    is_exact: bool  # The length is in hours, not from one local time to another.
    counts: bool
    original: datetime | None = None  # Of an exception: the start that it replaces,
    and_later: bool = False  # and whether it replaces all later ones, too.
    rules: list[tuple[str, datetime | None]] = field(default_factory=list)  # And their last times.
    dates: list[datetime] = field(default_factory=list)
    left_out: set[datetime] = field(default_factory=set)

    def span(self, start: datetime, own_zone: str) -> tuple[datetime, datetime]:
        """Return the instants at which an occurrence begins and ends."""
        tz = self.zone or zone(own_zone)
        begins = start.replace(tzinfo=tz).astimezone(UTC)
        ends = (start + self.length).replace(tzinfo=tz).astimezone(UTC)
        # A local end may be in the hour that clocks skip, and a day may have 23 or 25 hours.
        return begins, begins + self.length if self.is_exact or ends <= begins else ends


class OwnCalendar:
    """The events of one or several calendars."""

    def __init__(self, sources: Sequence[Source]) -> None:
        """Read calendars; raises `MalformedFile`, which names the file and the line."""
        self._series: list[tuple[Place, list[_Event]]] = []
        for source in sources:
            place = Place(source.name)
            by_uid: dict[object, list[_Event]] = {}
            with catch_warnings():
                simplefilter("ignore")  # They would write text from the file to the terminal.
                for number, (uid, event) in enumerate(_events(source, place)):
                    by_uid.setdefault(uid or number, []).append(event)
            self._series += [(place, events) for events in by_uid.values()]

    def between(self, start: datetime, end: datetime, own_zone: str) -> tuple[OwnEvent, ...]:
        """Return the events that overlap [start, end), in the order of their starts.

        `own_zone` is that of all-day events, and of times that have no zone.
        """
        found = []
        until = shifted(end, _DAY).replace(tzinfo=None)
        for place, series in self._series:
            for event, local in _occurrences(place, series, until):
                try:
                    begins, ends = event.span(local, own_zone)
                except OverflowError:
                    continue
                if event.counts and begins < end and start < ends:
                    found.append(OwnEvent(event.title, begins, ends))
        return tuple(sorted(found, key=lambda event: (event.start, event.end, event.title)))


def _occurrences(
    place: Place, series: Sequence[_Event], until: datetime
) -> Iterator[tuple[_Event, datetime]]:
    """Yield the occurrences of an event and its exceptions, with their local starts."""
    exceptions = {event.original: event for event in series if event.original}
    later = sorted(
        (event for event in series if event.original and event.and_later),
        key=lambda event: event.original or until,
    )
    for event in series:
        if event.original:
            yield event, event.start
            continue
        for local in _starts(place, event, until):
            if local in exceptions or local in event.left_out:
                continue
            changed = [each for each in later if each.original and each.original <= local]
            if changed and changed[-1].original:
                yield changed[-1], changed[-1].start + (local - changed[-1].original)
            else:
                yield event, local


def _starts(place: Place, event: _Event, until: datetime) -> Iterable[datetime]:
    """Return the local starts of an event, each once; the first is that of the event itself."""
    rules = [_repeated(place, event, *rule, until) for rule in event.rules]
    return dict.fromkeys(chain([event.start], event.dates, *rules))


def _repeated(
    place: Place, event: _Event, rule: str, last: datetime | None, until: datetime
) -> Iterator[datetime]:
    from dateutil.rrule import rrulestr

    try:
        starts = rrulestr(rule, dtstart=event.start)
    except (ValueError, TypeError):
        raise _malformed(place, event.line, f"the recurrence {quoted(rule)} is not valid") from None
    end = until if last is None else min(last, until)
    for number, start in enumerate(starts):
        if start > end:
            return
        if number >= MOST_OCCURRENCES:
            reason = f"the event {quoted(event.title)} recurs more than {MOST_OCCURRENCES:,} times"
            raise _malformed(place, event.line, reason)
        yield start


# --- reading --------------------------------------------------------------------------------------


def _events(source: Source, place: Place) -> Iterator[tuple[str, _Event]]:
    from icalendar import Calendar

    content = source.head(LARGEST_CALENDAR + 1)
    if len(content) > LARGEST_CALENDAR:
        raise _malformed(place, 1, f"the file is larger than {LARGEST_CALENDAR // 1024**2} MB")
    text = content.decode("utf-8-sig", "replace").lstrip()
    if not text[:15].upper().startswith("BEGIN:VCALENDAR"):
        raise _malformed(place, 1, "the file is not a calendar")
    lines = [
        number
        for number, line in enumerate(content.split(b"\n"), 1)
        if line.strip().upper() == b"BEGIN:VEVENT"
    ]
    try:
        calendars = Calendar.from_ical(text, multiple=True)
        events = [event for calendar in calendars for event in calendar.events]
    except _DAMAGES:
        raise _malformed(place, 1, _CUT) from None
    if not calendars or len(events) != len(lines):
        raise _malformed(place, len(content.splitlines()), _CUT)
    for event, line in zip(events, lines, strict=True):
        try:
            yield str(event.get("UID", "")), _read(place, line, event)
        except _DAMAGES as error:
            reason = f"the event cannot be read: {clean(str(error))[:LONGEST_TITLE]}"
            raise _malformed(place, line, reason) from None


def _read(place: Place, line: int, event: Event) -> _Event:
    title = clean(str(event.get("SUMMARY", "")))[:LONGEST_TITLE]
    start = _moment(place, line, event, "DTSTART")
    if start is None:
        raise _malformed(place, line, f"the event {quoted(title)} has no start (DTSTART)")
    tz = start.tzinfo if isinstance(start, datetime) else None
    read = _Event(
        line=line,
        title=title,
        start=_local(start, tz),
        zone=tz,
        is_all_day=not isinstance(start, datetime),
        length=_length(place, line, event, start),
        is_exact="DTEND" not in event and tz is not None,
        counts=_text(event, "TRANSP") != "TRANSPARENT" and _text(event, "STATUS") != "CANCELLED",
    )
    original = _moment(place, line, event, "RECURRENCE-ID")
    if original is not None:
        read.original = _same_day_or_time(read, original)
        read.and_later = event["RECURRENCE-ID"].params.get("RANGE") == "THISANDFUTURE"
        return read
    for rule in _listed(event, "RRULE"):
        if _is_possible(rule):
            read.rules.append(_rule(rule, tz))
    read.dates = [_local(each, tz) for each in _dates(place, line, event, "RDATE")]
    excluded = [*_dates(place, line, event, "EXDATE")]
    read.left_out = {_same_day_or_time(read, each) for each in excluded}
    return read


def _moment(place: Place, line: int, event: Event, name: str) -> date | None:
    """Return a date or a time of an event; refuse a time in a zone that is not known."""
    found = _listed(event, name)
    if not found:
        return None
    return _known(place, line, found[0], found[0].dt)


def _known(place: Place, line: int, prop: Any, value: date) -> date:  # noqa: ANN401 -- Any property.
    name = prop.params.get("TZID")
    if name and isinstance(value, datetime) and value.tzinfo is None:
        raise _malformed(place, line, f"the time zone {quoted(str(name))} is not known")
    return value


def _dates(place: Place, line: int, event: Event, name: str) -> Iterator[date]:
    for prop in _listed(event, name):
        for each in prop.dts:
            value = each.dt[0] if isinstance(each.dt, tuple) else each.dt  # A period has two.
            yield _known(place, line, prop, value)


def _listed(event: Event, name: str) -> list[Any]:
    found = event.get(name)
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _text(event: Event, name: str) -> str:
    return str(event.get(name, "")).strip().upper()


def _local(value: date, tz: tzinfo | None) -> datetime:
    """Return a date or a time as a local time in the zone of its event."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time())
    if value.tzinfo is None or tz is None:
        return value.replace(tzinfo=None)
    return value.astimezone(tz).replace(tzinfo=None)


def _same_day_or_time(event: _Event, value: date) -> datetime:
    """Return the start that an exception is about; some programs give only its day."""
    if isinstance(value, datetime) or event.is_all_day:
        return _local(value, event.zone)
    return datetime.combine(value, event.start.time())


def _length(place: Place, line: int, event: Event, start: date) -> timedelta:
    end = _moment(place, line, event, "DTEND")
    duration = event.get("DURATION")
    is_time = isinstance(start, datetime)
    if end is None:
        length = duration.dt if duration is not None else timedelta() if is_time else _DAY
    elif is_time != isinstance(end, datetime):
        raise _malformed(place, line, "the start and the end are not of one kind")
    else:
        tz = start.tzinfo if isinstance(start, datetime) else None
        length = _local(end, tz) - _local(start, tz)
    return max(length, timedelta())


def _rule(rule: Any, tz: tzinfo | None) -> tuple[str, datetime | None]:  # noqa: ANN401
    """Return a rule without its last time, and that as a local time; a day counts as a whole."""
    until = next(iter(rule.get("UNTIL") or ()), None)
    text = ";".join(
        part for part in rule.to_ical().decode().split(";") if not part.startswith("UNTIL=")
    )
    if until is None:
        return text, None
    is_day = not isinstance(until, datetime)
    return text, datetime.combine(until, time.max) if is_day else _local(until, tz)


def _is_possible(rule: Any) -> bool:  # noqa: ANN401
    """Return False for a rule about days such as 30 February, for which dateutil looks to 9999."""
    months, days = rule.get("BYMONTH") or (), rule.get("BYMONTHDAY") or ()
    if not months or not days:
        return True
    longest = max(_LENGTHS[int(month) - 1] for month in months)
    return min(abs(int(day)) for day in days) <= longest


def _malformed(place: Place, line: int, reason: str) -> MalformedFile:
    return place.error(MalformedFile, line, f"{reason}.", hint=_EXPORT)
