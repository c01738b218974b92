"""Parse spans of time as people type them; a span with several interpretations is refused.

    span   = side sep side [[","] "paused" pauses]      yesterday 14:00-14:45, paused 14:10-14:15
    pauses = side sep side {("," | "and") side sep side}
    side   = [day] clock [zone]                         2026-10-05 14:00 UTC
    sep    = "-" | en dash | "to"                       with or without spaces around it
    clock  = "noon" | 9am | 14:00[:30[.25]] [am | pm] | 24:00 (only as an end)
    zone   = "z" | "utc" | ("+" | "-") HH [":"] MM      an offset that is in use somewhere

A day is one that `times.read_time` accepts. Without a day, a span begins today, and ends the next
time that clocks show its end; a pause is on the day on which it lies within the span. A zone at one
side applies to both sides and to the pauses. Without a zone, times are in the caller's zone.

A hyphen can precede an end or an offset, so every split of the text that fits the grammar is tried.
A span of over twelve hours is ignored if there is a shorter one. If two interpretations are left,
the text is refused, and the error shows both in an unambiguous spelling:
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
    LocalTime,
    has_date_time_separator,
    local_instants,
    normalise,
    read_clock,
    resolve_day,
    unreadable_time,
)
from liveportal.domain.clock import zone
from liveportal.domain.errors import InvalidTime
from liveportal.domain.handlers.cautions import LONGEST_SESSION
from liveportal.domain.patterns import pattern

Span = tuple[datetime, datetime]
"""An instant, and a later or the same one, in UTC."""

_ONE_DAY = timedelta(days=1)
_ONE_HOUR = timedelta(hours=1)
_HALF_AN_HOUR = timedelta(minutes=30)
_DAYS_OF_A_PAUSE = 3  # Trying three days suffices: with more, the pause is ambiguous anyway.
_SIDE = pattern(rf"(?:([^:]*[^:\s])\s+)??({CLOCK})")
_SEPARATOR = pattern(r"\s?(?:[-\u2013]|to)\s?")
_SECONDS = pattern(r":[0-9]{2}:[0-9]{2}")
_PAUSED = pattern(r",?\s*\bpaused?\b\s*")
_BETWEEN_PAUSES = pattern(r"\s*(?:,|\band\b)\s*")


class _Side(NamedTuple):
    """A start or an end: its day in words, if given, and its time of day."""

    day: str | None
    clock: Clock


class _Split(NamedTuple):
    """One way to split a text into a start and an end."""

    first: _Side
    last: _Side

    @property
    def offset(self) -> tzinfo | None:
        """The only offset in the text; None if it has none, or two different ones."""
        given = {side.clock.offset for side in self} - {None}
        return given.pop() if len(given) == 1 else None


class _Interpretation(NamedTuple):
    """A meaning of a split, with its local times that clocks show twice or skip."""

    start: datetime
    end: datetime
    ambiguous_times: tuple[LocalTime, ...] = ()

    @property
    def span(self) -> Span:
        """The start and the end."""
        return self.start, self.end


_Interpret = Callable[[_Split], list[_Interpretation]]


def read_span(text: str, zone_name: str, now: datetime) -> tuple[datetime, datetime, list[Span]]:
    """Parse a span with pauses, such as `yesterday 14:00-14:45, paused 14:10-14:15`.

    Returns the start, the end and the pauses, in UTC. Raises `InvalidTime` for a text that does not
    fit the grammar (see the module), is ambiguous, or has a pause outside the span; `InvalidValue`
    for an unknown zone.
    """
    main, *rest = _PAUSED.split(normalise(text))
    pauses = [pause for part in rest for pause in _BETWEEN_PAUSES.split(part)]
    parser, main = _SpanParser(zone_name, now), main.replace(",", " ").strip()
    try:
        split, span = parser.parse(main, is_instant=has_date_time_separator(text))
        parsed_pauses = [parser.parse_pause(pause, span, split.offset) for pause in pauses]
        if not any(side.clock.offset for side in split):
            parser.check_zone_of_pauses(main, pauses, span)
    except (OverflowError, ValueError):
        raise unreadable_time(text) from None
    return *span, parsed_pauses


def read_pause(text: str, zone_name: str, session: Span, now: datetime) -> Span:
    """Parse a pause of a session, such as `14:10-14:15`; raises as `read_span` does."""
    try:
        return _SpanParser(zone_name, now).parse_pause(normalise(text), session, None)
    except (OverflowError, ValueError):
        raise unreadable_time(text) from None


class _SpanParser:
    """Parses spans in a zone; relative days count from `now`."""

    def __init__(self, zone_name: str, now: datetime) -> None:
        self.zone_name = zone_name
        self.zone = zone(zone_name)
        self.now = now

    def parse(
        self, text: str, *, is_instant: bool = False, offset: tzinfo | None = None
    ) -> tuple[_Split, Span]:
        """Return the only interpretation of a text, and its split.

        `offset` applies to sides without one. `is_instant` says that a T joins a date and a time
        of the text, as in ISO 8601.
        """
        splits = _interpret_splits(text, lambda split: self._interpretations(split, offset))
        interpretations = [
            interpretation for _, candidates in splits for interpretation in candidates
        ]
        if instant := self._as_instant(text, interpretations, is_instant=is_instant):
            raise self._ambiguous(text, [instant, *map(self._format, interpretations)])
        self._check_single(text, interpretations)
        return splits[0][0], interpretations[0].span

    def parse_pause(self, text: str, session: Span, offset: tzinfo | None) -> Span:
        """Return the only interpretation of a pause that lies within the session."""
        splits = _interpret_splits(
            text, lambda split: self._pause_interpretations(split, session, offset)
        )
        interpretations = [
            interpretation for _, candidates in splits for interpretation in candidates
        ]
        inside = [
            interpretation
            for interpretation in interpretations
            if _is_within(interpretation.span, session)
        ]
        if not inside:
            raise InvalidTime(
                f"The pause from {self._format(interpretations[0])} is not within the session"
                f" from {self._format(_Interpretation(*session))}.",
                hint="Give a pause that is between the session's start and end.",
            )
        self._check_single(text, inside)
        return inside[0].span

    def check_zone_of_pauses(self, main: str, pauses: Sequence[str], span: Span) -> None:
        """Refuse an offset that only the pauses have, if it may apply to the whole span."""
        offsets = {split.offset for pause in pauses for split in _splits(pause)} - {None}
        for offset in offsets:
            try:
                _, other = self.parse(main, offset=offset)
                for pause in pauses:
                    self.parse_pause(pause, other, offset)
            except InvalidTime:
                continue
            if other != span:
                texts = [self._format(_Interpretation(*candidate)) for candidate in (span, other)]
                raise self._ambiguous(main, texts)

    # --- all interpretations --------------------------------------------------------------------

    def _interpretations(
        self, split: _Split, offset: tzinfo | None, days: Sequence[date] | None = None
    ) -> list[_Interpretation]:
        """Return all interpretations of a split; `days` are those on which it can begin."""
        starts, ends = (side.clock.offset for side in split)
        offset = starts or ends or offset
        interpretations = list(self._in_zones(split, starts or offset, ends or offset, days))
        if (starts is None) is not (ends is None):
            # If it is the zone's own offset, it may only select one of two equal local times.
            spans = {interpretation.span for interpretation in interpretations}
            interpretations += [
                interpretation
                for interpretation in self._in_zones(split, starts, ends, days)
                if interpretation.span not in spans
                and self._has_offset(offset, interpretation.start if starts else interpretation.end)
            ]
        return interpretations

    def _pause_interpretations(
        self, split: _Split, session: Span, offset: tzinfo | None
    ) -> list[_Interpretation]:
        """Return all interpretations of a pause; without a day it is on one of the session's."""
        if split.first.day:
            return self._interpretations(split, offset)
        tz = split.first.clock.offset or split.last.clock.offset or offset or self.zone
        first, last = (instant.astimezone(tz).date() for instant in session)
        count = min((last - first).days + 1, _DAYS_OF_A_PAUSE)
        return self._interpretations(split, offset, [first + n * _ONE_DAY for n in range(count)])

    def _in_zones(
        self,
        split: _Split,
        starts: tzinfo | None,
        ends: tzinfo | None,
        days: Sequence[date] | None,
    ) -> Iterator[_Interpretation]:
        """Yield the interpretations with the sides in these zones; None is the parser's own."""
        first, last = split
        for day in days or self._days(first, starts):
            start = local_instants(day, first.clock, starts or self.zone)
            for began in start.instants:
                for end in self._ends(last, ends, began):
                    ambiguous_times = tuple(local for local in (start, end) if local.is_ambiguous)
                    yield from (
                        _Interpretation(began, ended, ambiguous_times) for ended in end.instants
                    )

    def _ends(self, side: _Side, offset: tzinfo | None, start: datetime) -> Iterator[LocalTime]:
        """Yield the possible ends of a span: on its day, or the next time that clocks show it."""
        tz = offset or self.zone
        if side.day:
            for day in self._days(side, offset):
                yield local_instants(day, side.clock, tz)
            return
        began = start.astimezone(tz).date()
        for day in (began, began + _ONE_DAY):
            end = local_instants(day, side.clock, tz)
            if later := tuple(instant for instant in end.instants if instant >= start):
                yield end._replace(instants=later)
                return

    def _days(self, side: _Side, offset: tzinfo | None) -> list[date]:
        """Return the days that a side's words can mean: in the zone, and at its offset."""
        places = (self.zone, offset) if offset else (self.zone,)
        words, clock = side.day or "today", side.clock
        return sorted({resolve_day(words, clock, self.now, tz, past=True) for tz in places})

    def _has_offset(self, offset: tzinfo | None, instant: datetime) -> bool:
        return instant.astimezone(self.zone).utcoffset() == instant.astimezone(offset).utcoffset()

    # --- one interpretation, or an error --------------------------------------------------------

    def _as_instant(
        self, text: str, spans: Sequence[_Interpretation], *, is_instant: bool
    ) -> str | None:
        """Return the instant with an offset that a text can mean, such as `…T14:00-05:00`, or None.

        Without a T or seconds, a span of usual length is not an instant, unless it ends on another
        day and its end is the zone's own offset.
        """
        side = _parse_side(text)
        if side is None or side.clock.offset is None or not ISO_DATE.fullmatch(side.day or ""):
            return None
        local = datetime.combine(date.fromisoformat(side.day or ""), side.clock.time)
        instant = local.replace(tzinfo=side.clock.offset)
        is_usual = any(
            interpretation.end - interpretation.start <= LONGEST_SESSION for interpretation in spans
        )
        if is_usual and not (is_instant or _SECONDS.search(text)):
            days = {
                side.astimezone(self.zone).date()
                for interpretation in spans
                for side in interpretation.span
            }
            if len(days) == 1 or not self._has_offset(side.clock.offset, instant):
                return None
        return instant.isoformat()

    def _check_single(self, text: str, interpretations: Sequence[_Interpretation]) -> None:
        """Raise `InvalidTime` for several interpretations, and for a time that clocks skip."""
        spans = {interpretation.span: interpretation for interpretation in interpretations}
        ambiguous_times = [
            ambiguous_time
            for interpretation in interpretations
            for ambiguous_time in interpretation.ambiguous_times
        ]
        if len(spans) == 1 and not any(
            ambiguous_time.is_skipped for ambiguous_time in ambiguous_times
        ):
            return
        texts = [self._format(interpretation) for interpretation in spans.values()]
        if not ambiguous_times:
            raise self._ambiguous(text, texts)
        error = ambiguous_times[0].error(self.zone_name)
        error.hint = _hint_for(texts)
        raise error

    def _ambiguous(self, text: str, texts: list[str]) -> InvalidTime:
        return InvalidTime(
            f"{text[:60]!r} can be read in several ways.",
            hint=_hint_for(texts),
            timezone=self.zone_name,
            readings=texts,
        )

    def _format(self, interpretation: _Interpretation) -> str:
        """Format a span unambiguously."""
        return " to ".join(side.astimezone(self.zone).isoformat() for side in interpretation.span)


def _hint_for(texts: Iterable[str]) -> str:
    return f"Write {', or '.join(texts)}."


def _interpret_splits(
    text: str, interpret: _Interpret
) -> list[tuple[_Split, list[_Interpretation]]]:
    """Return each split with its interpretations, without long spans if there is a shorter one.

    Raises `InvalidTime` if no split has an interpretation.
    """
    splits: list[tuple[_Split, list[_Interpretation]]] = []
    failure: InvalidTime | None = None
    for split in _splits(text):
        try:
            if interpretations := interpret(split):
                splits.append((split, interpretations))
        except InvalidTime as error:
            failure = failure or error
    if not splits:
        raise failure or InvalidTime(
            f"{text[:40]!r} is not a span of time.",
            hint="Write it like yesterday 14:00-14:45, paused 14:10-14:15.",
        )
    shorter = [
        (split, interpretations)
        for split, interpretations in splits
        if any(
            interpretation.end - interpretation.start <= LONGEST_SESSION
            for interpretation in interpretations
        )
    ]
    return shorter or splits


def _splits(text: str) -> Iterator[_Split]:
    """Yield every way to split a text into a start and an end."""
    for separator in _SEPARATOR.finditer(text):
        first, last = _parse_side(text[: separator.start()]), _parse_side(text[separator.end() :])
        if first and last and not first.clock.is_midnight:
            yield _Split(first, last)


def _parse_side(text: str) -> _Side | None:
    match = _SIDE.fullmatch(text.strip())
    if match is None:
        return None
    try:
        clock = read_clock(match[2])
    except ValueError:
        return None
    return _Side(match[1], clock) if _is_in_use(clock.offset) else None


def _is_in_use(offset: tzinfo | None) -> bool:
    """Return False for an offset that no zone has: -00:15 is the end of 23:30-00:15."""
    behind = -(offset.utcoffset(None) or timedelta()) if offset else timedelta()
    return behind <= timedelta() or (behind >= _ONE_HOUR and behind % _HALF_AN_HOUR == timedelta())


def _is_within(pause: Span, session: Span) -> bool:
    return session[0] <= pause[0] <= pause[1] <= session[1]
