"""Spans of time as people type them: read if there is one way to read them, refused otherwise.

    span   = side sep side [[","] "paused" pauses]      yesterday 14:00-14:45, paused 14:10-14:15
    pauses = side sep side {("," | "and") side sep side}
    side   = [day] clock [zone]                         2026-10-05 14:00 UTC
    sep    = "-" | en dash | "to"                       with or without spaces around it
    clock  = "noon" | 9am | 14:00[:30[.25]] [am | pm] | 24:00 (only as an end)
    zone   = "z" | "utc" | ("+" | "-") HH [":"] MM, an offset that is in use somewhere

A day is one that `times.read_time` reads. Without a day, a span begins today, and ends the next
time that the clock shows its end; a pause is on the day on which it lies within the span. A zone at
one side holds for both sides, and for the pauses. Without a zone, the clocks are those of the zone
that the caller names.

A hyphen can begin an end or an offset, so every split of the text that fits the grammar is read.
A span of over twelve hours is no rival of a shorter one. If two readings are left, the text is
refused, and both are shown in a spelling that has one reading only:
`2026-10-25T02:30:00+02:00 to 2026-10-25T03:30:00+01:00`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

from liveportal.cli.parse.times import (
    CLOCK,
    ISO_DATE,
    Clock,
    Local,
    day_of,
    has_t,
    local_time,
    read_clock,
    unreadable,
    words_of,
)
from liveportal.domain.clock import zone
from liveportal.domain.errors import InvalidTime
from liveportal.domain.handlers.cautions import LONGEST_SESSION
from liveportal.domain.patterns import pattern

Span = tuple[datetime, datetime]
"""From an instant to a later or the same one, in UTC."""

_ONE_DAY = timedelta(days=1)
_ONE_HOUR = timedelta(hours=1)
_HALF_AN_HOUR = timedelta(minutes=30)
_DAYS_OF_A_PAUSE = 3  # On a third day it is ambiguous already.
_SIDE = pattern(rf"(?:([^:]*[^:\s])\s+)??({CLOCK})")
_SEPARATOR = pattern(r"\s?(?:[-\u2013]|to)\s?")
_SECONDS = pattern(r":[0-9]{2}:[0-9]{2}")
_PAUSED = pattern(r",?\s*\bpaused?\b\s*")
_BETWEEN_PAUSES = pattern(r"\s*(?:,|\band\b)\s*")


class _Side(NamedTuple):
    """A start or an end: its day in words, or None where it is understood, and its clock."""

    day: str | None
    clock: Clock


class _Split(NamedTuple):
    """One way to split a text into a start and an end."""

    first: _Side
    last: _Side

    @property
    def offset(self) -> tzinfo | None:
        """The one offset that the text gives; None if it gives none, or two."""
        given = {side.clock.offset for side in self} - {None}
        return given.pop() if len(given) == 1 else None


class _Reading(NamedTuple):
    """What a split can mean, and the local times of it that come twice or never."""

    start: datetime
    end: datetime
    doubts: tuple[Local, ...] = ()

    @property
    def span(self) -> Span:
        """The start and the end."""
        return self.start, self.end


_Read = Callable[[_Split], list[_Reading]]


def read_span(text: str, zone_name: str, now: datetime) -> tuple[datetime, datetime, list[Span]]:
    """Read when something began, ended and was paused: `yesterday 14:00-14:45, paused 14:10-14:15`.

    All instants are in UTC. Raises `InvalidTime` for what is not in the grammar (above), for two
    readings, and for a pause that is not within the span; `InvalidValue` for the zone.
    """
    main, *rest = _PAUSED.split(words_of(text))
    pauses = [pause for part in rest for pause in _BETWEEN_PAUSES.split(part)]
    reader, main = _Reader(zone_name, now), main.replace(",", " ").strip()
    try:
        split, span = reader.one(main, is_instant=has_t(text))
        read = [reader.pause(pause, span, split.offset) for pause in pauses]
        if not any(side.clock.offset for side in split):
            reader.check_zone_of_pauses(main, pauses, span)
    except (OverflowError, ValueError):
        raise unreadable(text) from None
    return *span, read


def read_pause(text: str, zone_name: str, session: Span, now: datetime) -> Span:
    """Read a pause of a session, such as `14:10-14:15`; raises as `read_span` does."""
    try:
        return _Reader(zone_name, now).pause(words_of(text), session, None)
    except (OverflowError, ValueError):
        raise unreadable(text) from None


class _Reader:
    """Reads spans in a zone; relative days count from `now`."""

    def __init__(self, zone_name: str, now: datetime) -> None:
        self.zone_name = zone_name
        self.zone = zone(zone_name)
        self.now = now

    def one(
        self, text: str, *, is_instant: bool = False, offset: tzinfo | None = None
    ) -> tuple[_Split, Span]:
        """Return the one reading of a text, and the split that it is of.

        `offset` holds for sides that have none. `is_instant` says that a date and a time of the
        text are joined by a T, as those of instants are.
        """
        found = _found(text, lambda split: self._readings(split, offset))
        readings = [reading for _, those in found for reading in those]
        if instant := self._as_instant(text, readings, is_instant=is_instant):
            raise self._two_readings(text, [instant, *map(self._text, readings)])
        self._check_single(text, readings)
        return found[0][0], readings[0].span

    def pause(self, text: str, session: Span, offset: tzinfo | None) -> Span:
        """Return the one reading of a pause that lies within the session."""
        found = _found(text, lambda split: self._pauses(split, session, offset))
        readings = [reading for _, those in found for reading in those]
        inside = [each for each in readings if _is_within(each.span, session)]
        if not inside:
            raise InvalidTime(
                f"the pause from {self._text(readings[0])} is not within the session"
                f" from {self._text(_Reading(*session))}",
                hint="A pause begins and ends between the session's start and end.",
            )
        self._check_single(text, inside)
        return inside[0].span

    def check_zone_of_pauses(self, main: str, pauses: Sequence[str], span: Span) -> None:
        """Refuse an offset that only pauses have, if it can be meant for the whole span."""
        offsets = {split.offset for pause in pauses for split in _splits(pause)} - {None}
        for offset in offsets:
            try:
                _, other = self.one(main, offset=offset)
                for pause in pauses:
                    self.pause(pause, other, offset)
            except InvalidTime:
                continue
            if other != span:
                texts = [self._text(_Reading(*each)) for each in (span, other)]
                raise self._two_readings(main, texts)

    # --- every reading --------------------------------------------------------------------------

    def _readings(
        self, split: _Split, offset: tzinfo | None, days: Sequence[date] | None = None
    ) -> list[_Reading]:
        """Return every way to read a split; `days` are those on which it can begin."""
        starts, ends = (side.clock.offset for side in split)
        offset = starts or ends or offset
        found = list(self._between(split, starts or offset, ends or offset, days))
        if (starts is None) is not (ends is None):
            # An offset that the zone itself has then may only say which of two hours is meant.
            spans = {each.span for each in found}
            found += [
                each
                for each in self._between(split, starts, ends, days)
                if each.span not in spans and self._has(offset, each.start if starts else each.end)
            ]
        return found

    def _pauses(self, split: _Split, session: Span, offset: tzinfo | None) -> list[_Reading]:
        """Return every way to read a pause: without a day, it is on one of the session's."""
        if split.first.day:
            return self._readings(split, offset)
        place = split.first.clock.offset or split.last.clock.offset or offset or self.zone
        first, last = (instant.astimezone(place).date() for instant in session)
        count = min((last - first).days + 1, _DAYS_OF_A_PAUSE)
        return self._readings(split, offset, [first + n * _ONE_DAY for n in range(count)])

    def _between(
        self,
        split: _Split,
        starts: tzinfo | None,
        ends: tzinfo | None,
        days: Sequence[date] | None,
    ) -> Iterator[_Reading]:
        """Yield the readings whose sides are in these zones; None is the reader's own."""
        first, last = split
        for day in days or self._days(first, starts):
            start = local_time(day, first.clock, starts or self.zone)
            for began in start.instants:
                for end in self._ends(last, ends, began):
                    doubts = tuple(each for each in (start, end) if each.doubt)
                    yield from (_Reading(began, ended, doubts) for ended in end.instants)

    def _ends(self, side: _Side, offset: tzinfo | None, start: datetime) -> Iterator[Local]:
        """Yield when a span can end: on its day, or the next time that the clock shows it."""
        place = offset or self.zone
        if side.day:
            for day in self._days(side, offset):
                yield local_time(day, side.clock, place)
            return
        began = start.astimezone(place).date()
        for day in (began, began + _ONE_DAY):
            end = local_time(day, side.clock, place)
            if later := tuple(each for each in end.instants if each >= start):
                yield end._replace(instants=later)
                return

    def _days(self, side: _Side, offset: tzinfo | None) -> list[date]:
        """Return the days that a side's words can mean: here, and where its offset is."""
        places = (self.zone, offset) if offset else (self.zone,)
        words, clock = side.day or "today", side.clock
        return sorted({day_of(words, clock, self.now, place, past=True) for place in places})

    def _has(self, offset: tzinfo | None, instant: datetime) -> bool:
        return instant.astimezone(self.zone).utcoffset() == instant.astimezone(offset).utcoffset()

    # --- one reading, or a refusal --------------------------------------------------------------

    def _as_instant(self, text: str, spans: Sequence[_Reading], *, is_instant: bool) -> str | None:
        """Return the instant with an offset that a text can be read as, such as `…T14:00-05:00`.

        Without a T or seconds, a span of usual length is none, unless it ends on another day and
        its end is the zone's own offset.
        """
        side = _side(text)
        if side is None or side.clock.offset is None or not ISO_DATE.fullmatch(side.day or ""):
            return None
        local = datetime.combine(date.fromisoformat(side.day or ""), side.clock.time)
        instant = local.replace(tzinfo=side.clock.offset)
        is_usual = any(each.end - each.start <= LONGEST_SESSION for each in spans)
        if is_usual and not (is_instant or _SECONDS.search(text)):
            days = {moment.astimezone(self.zone).date() for each in spans for moment in each.span}
            if len(days) == 1 or not self._has(side.clock.offset, instant):
                return None
        return instant.isoformat()

    def _check_single(self, text: str, readings: Sequence[_Reading]) -> None:
        """Refuse several readings, and one of a time that the clocks do not show."""
        spans = {each.span: each for each in readings}
        doubts = [doubt for each in readings for doubt in each.doubts]
        if len(spans) == 1 and not any(doubt.is_skipped for doubt in doubts):
            return
        texts = [self._text(each) for each in spans.values()]
        if not doubts:
            raise self._two_readings(text, texts)
        error = doubts[0].error(self.zone_name)
        error.hint = _either(texts)
        raise error

    def _two_readings(self, text: str, texts: list[str]) -> InvalidTime:
        return InvalidTime(
            f"{text[:60]!r} can be read in several ways: {', or '.join(texts)}",
            hint=_either(texts),
            timezone=self.zone_name,
            readings=texts,
        )

    def _text(self, reading: _Reading) -> str:
        """Write a span so that it has one reading."""
        return " to ".join(each.astimezone(self.zone).isoformat() for each in reading.span)


def _either(texts: Iterable[str]) -> str:
    return f"Write {', or '.join(texts)}."


def _found(text: str, read: _Read) -> list[tuple[_Split, list[_Reading]]]:
    """Return each split with its readings; a long span is no rival of a shorter one.

    Raises `InvalidTime` if there is none.
    """
    found: list[tuple[_Split, list[_Reading]]] = []
    failure: InvalidTime | None = None
    for split in _splits(text):
        try:
            if readings := read(split):
                found.append((split, readings))
        except InvalidTime as error:
            failure = failure or error
    if not found:
        raise failure or InvalidTime(
            f"{text[:40]!r} cannot be read as a span of time",
            hint="Write it like yesterday 14:00-14:45, paused 14:10-14:15.",
        )
    shorter = [
        (split, readings)
        for split, readings in found
        if any(each.end - each.start <= LONGEST_SESSION for each in readings)
    ]
    return shorter or found


def _splits(text: str) -> Iterator[_Split]:
    """Yield every way to split a text into a start and an end."""
    for separator in _SEPARATOR.finditer(text):
        first, last = _side(text[: separator.start()]), _side(text[separator.end() :])
        if first and last and not first.clock.is_midnight:
            yield _Split(first, last)


def _side(text: str) -> _Side | None:
    match = _SIDE.fullmatch(text.strip())
    if match is None:
        return None
    try:
        clock = read_clock(match[2])
    except ValueError:
        return None
    return _Side(match[1], clock) if _is_in_use(clock.offset) else None


def _is_in_use(offset: tzinfo | None) -> bool:
    """Return True unless it is an offset that no zone has: -00:15 is the end of 23:30-00:15."""
    behind = -(offset.utcoffset(None) or timedelta()) if offset else timedelta()
    return behind <= timedelta() or (behind >= _ONE_HOUR and behind % _HALF_AN_HOUR == timedelta())


def _is_within(pause: Span, session: Span) -> bool:
    return session[0] <= pause[0] <= pause[1] <= session[1]
