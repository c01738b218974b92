"""Time trackers: the rows of an export, by a mapping, as sessions that were logged.

A file is read twice: first for what only all rows decide together (the order of dates, the decimal
mark), then row by row. A row that is wrong by itself is an error of its own; a file that
contradicts itself is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial

from liveportal.domain.clock import short_text
from liveportal.domain.currencies import listed_digits
from liveportal.domain.errors import BadValue, LiveportalError
from liveportal.feeds.adapters.logged import Row, Sessions
from liveportal.feeds.adapters.steps import (
    Ignored,
    Settings,
    Step,
)
from liveportal.feeds.jsonl import Line
from liveportal.tables.columns import CellReader, Cells
from liveportal.tables.dates import possible_orders, read_date, read_time
from liveportal.tables.durations import read_duration
from liveportal.tables.intervals import readings, settle
from liveportal.tables.lines import Lines
from liveportal.tables.mapped import mapped_reader
from liveportal.tables.mapping import MappingDocument
from liveportal.tables.numbers import possible_marks
from liveportal.tables.source import Source as TableFile
from liveportal.tables.survey import Wanted, survey
from liveportal.tables.zones import instants, named_zone, read_zone

OPEN_INTERVAL = Ignored("open_interval")
"""An interval that has not ended."""
NO_TIME = Ignored("no_time")
"""An interval that ends when it starts."""
LEFT_OUT = Ignored("left_out")
"""A row that the mapping leaves out."""
_MONEY = {"rate": "currency", "amount": "currency"}
_MOMENTS = ("start", "end")
_YEARS = range(1990, 2200)
_DAY = timedelta(days=1)


class Hours:
    """Makes steps of a time tracker's file."""

    def steps(
        self, file: TableFile, settings: Settings
    ) -> Iterator[tuple[Line, Step | LiveportalError]]:
        """Yield a session, or what is ignored or wrong, for each row; the file may be any table."""
        if settings.mapping is None:
            raise ValueError("a table needs a mapping")
        reader, mapping = mapped_reader(file, settings.mapping, partial(_prepare, settings))
        table = _Table(file, reader, mapping, settings)
        rows = list(table.rows())
        settled = iter(settle([row.intervals for row in rows if row.result is None]))
        sessions = Sessions(reader, mapping, settings, table.found)
        known = [row.result or next(settled) or _comes_twice(reader, row) for row in rows]
        sessions.number(rows, known)
        for at, (row, each) in enumerate(zip(rows, known, strict=True)):
            if not isinstance(each, tuple):
                yield row.line, each
                continue
            try:
                yield row.line, sessions.event(at, row, each)
            except LiveportalError as error:
                yield row.line, error


def _prepare(settings: Settings, mapping: MappingDocument, cells: dict[str, str]) -> None:
    """Split times from dates, and add what the file does not state, in place."""
    mapping.prepare(cells)
    cells["currency"] = cells.get("currency") or settings.currency
    cells["zone"] = cells.get("zone") or settings.timezone
    for role in _MOMENTS:
        text = cells.pop(role, "")
        cells[f"{role} given"] = text
        if not text or _instant(text):
            continue
        if read_time(text):
            cells[f"{role} time"] = text
            continue
        day, _, time = text.replace("T", " ", 1).partition(" ")
        cells |= {role: day, f"{role} time": time.strip()}


def _instant(text: str) -> datetime | None:
    """Return the instant of a text such as 20261005T090000Z or 2026-10-05T09:00+02:00, or None."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo and instant.year in _YEARS else None


class _Sound(CellReader):
    """The rows whose own cells can be read: others say nothing about the file as a whole."""

    def __init__(self, reader: CellReader, mapping: MappingDocument) -> None:
        super().__init__(reader.place)
        self._reader, self._mapping = reader, mapping
        self.column = reader.column  # type: ignore[method-assign]
        self._digits = listed_digits()

    def _rows(self, lines: Lines) -> Iterator[tuple[int, dict[str, str]]]:
        for line, cells in self._reader.rows(lines):
            if not self._mapping.skips(cells) and self._is_sound(line, cells):
                yield line, dict(cells)

    def _is_sound(self, line: int, cells: Cells) -> bool:
        amounts = [cells[role] for role in _MONEY if cells.get(role)]
        try:
            digits = self._digits.get(self.currency(line, cells)) if amounts else None
        except BadValue:
            return False
        return all(possible_marks(text, digits) for text in amounts) and all(
            possible_orders(cells[role]) for role in _MOMENTS if role in cells
        )


class _Table:
    """The rows of a file with what their times can be."""

    def __init__(
        self, file: TableFile, reader: CellReader, mapping: MappingDocument, settings: Settings
    ) -> None:
        self._file, self._reader, self._mapping = file, reader, mapping
        self._settings = settings
        self._zones: dict[str, tzinfo] = {}
        amounts = {role: unit for role, unit in _MONEY.items() if role in mapping.columns}
        wanted = Wanted(amounts, _MOMENTS, mapping.dates, mapping.decimal)
        self.found = survey(_Sound(reader, mapping), self._lines(), wanted, settings.dates)

    def _lines(self) -> Lines:
        encoding = self._mapping.dialect.encoding
        return Lines(self._file, encoding=encoding, longest=self._reader.longest_line)

    def rows(self) -> Iterator[Row]:
        """Yield the rows, with an error for one that cannot be read."""
        self._file.stream.seek(0)
        physical = self._file.stream.read().split(b"\n")
        lines = self._lines()
        is_json = self._mapping.json is not None
        for number, cells in self._reader.rows(lines):
            last = number if is_json else lines.number
            line = Line(number, b"\n".join(physical[number - 1 : last]).rstrip(b"\r"))
            try:
                yield self._row(line, cells)
            except LiveportalError as error:
                yield Row(line, cells, (), error)

    def _row(self, line: Line, cells: Cells) -> Row:
        if self._mapping.skips(cells):
            return Row(line, cells, (), LEFT_OUT)
        if self._is_open(cells):
            return Row(line, cells, (), OPEN_INTERVAL)
        number, length = line.number, self._length(line.number, cells, "duration")
        starts = self._moments(number, cells, "start")
        if cells["end given"]:
            ends = self._moments(number, cells, "end")
            intervals = readings(starts, ends, length)
            if not intervals and not cells.get("end"):  # Only a time of day: it is the next day's.
                intervals = readings(starts, self._moments(number, cells, "end", _DAY), length)
        elif length is None:
            raise self._bad(number, "end", "", "is empty, and so is the duration")
        else:
            whole = length + (self._length(number, cells, "pauses") or timedelta())
            intervals = [(start, start + whole) for start in starts]
        if not intervals:
            raise self._bad(number, "end", cells["end given"], "is before the start")
        is_empty = all(start == end for start, end in intervals)
        return Row(line, cells, intervals, NO_TIME if is_empty else None)

    def _is_open(self, cells: Cells) -> bool:
        """Return whether an interval has no end yet, whatever its length is until now."""
        ends = "end" if self._reader.has("end") else "duration"
        return not cells.get("end given" if ends == "end" else ends)

    def _length(self, number: int, cells: Cells, role: str) -> timedelta | None:
        text = cells.get(role)
        if not text:
            return None
        length = read_duration(text)
        if length is None:
            reason = "is not a length of time such as 1:30, 1.5 (hours) or 90m"
            raise self._bad(number, role, text, reason)
        return length

    def _moments(
        self, number: int, cells: Cells, role: str, later: timedelta = timedelta()
    ) -> Sequence[datetime]:
        """Return the instants, in UTC, that a start or an end can be."""
        text = cells[f"{role} given"]
        if instant := _instant(text):
            return (instant.astimezone(UTC),)
        day = read_date(cells.get(role) or cells.get("start", ""), self.found.order)
        if day is None:
            raise self._bad(number, role, text, "is not a date with a time")
        parts = read_time(cells.get(f"{role} time", ""))
        if parts is None:
            raise self._bad(number, role, text, "has no time of day such as 14:05 or 2:05 PM")
        local = datetime.combine(day, datetime.min.time()).replace(
            hour=parts[0], minute=parts[1], second=parts[2]
        )
        local += later
        possible = instants(local, self._zone(number, cells["zone"], local))
        if not possible:
            reason = f"does not exist in the zone {cells['zone']}: clocks go forward then"
            raise self._bad(number, role, text, reason)
        return possible

    def _zone(self, number: int, text: str, local: datetime) -> tzinfo:
        found = self._zones.get(text) or read_zone(text)
        if found is None:
            own = named_zone(text, local, self._settings.timezone)
            if own is None:
                raise self._bad(number, "zone", text, "is not a time zone with one meaning")
            return own
        self._zones[text] = found
        return found

    def _bad(self, number: int, role: str, text: str, reason: str) -> BadValue:
        return self._reader.bad_value(number, role, text, reason, None)


def _comes_twice(reader: CellReader, row: Row) -> BadValue:
    shown = [f"{short_text(start)} to {short_text(end)}" for start, end in row.intervals]
    return reader.place.error(
        BadValue,
        row.line.number,
        f"the time of this row comes twice, when clocks go back: it is {' or '.join(shown)}, and"
        " the order of the rows does not decide.",
        hint="Export the times in UTC, or with an offset such as +02:00.",
        readings=shown,
    )
