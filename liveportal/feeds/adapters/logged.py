"""What the rows of a time tracker's file are once their times are known: sessions, with ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple

from liveportal.domain.clock import utc_text
from liveportal.domain.errors import BadValue, InvalidEvent, LiveportalError
from liveportal.domain.events.envelope import Event
from liveportal.domain.events.field_types import ID, ID_FORM
from liveportal.domain.frozen import replace
from liveportal.domain.money import Money
from liveportal.feeds.adapters.steps import Ignored, Settings, Source, amount_of, rate_of
from liveportal.feeds.jsonl import Line
from liveportal.tables.columns import CellReader, Cells
from liveportal.tables.durations import read_duration
from liveportal.tables.intervals import Interval
from liveportal.tables.mapping import MappingDocument
from liveportal.tables.numbers import minor_units
from liveportal.tables.survey import Survey

_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)
_ID_DIGITS = 16
_LONGEST_PREFIX = 40


class Row(NamedTuple):
    """A row of a time tracker's file."""

    line: Line
    cells: Cells
    intervals: Sequence[Interval]
    """What the row's times can be: more than one in the hour that comes twice."""
    result: Ignored | LiveportalError | None = None


class Sessions:
    """Makes the events of rows whose times are known."""

    def __init__(
        self, reader: CellReader, mapping: MappingDocument, settings: Settings, found: Survey
    ) -> None:
        self._reader, self._mapping = reader, mapping
        self._settings, self._found = settings, found
        self._source = Source(f"urn:csv:{mapping.name}")
        self._ids: dict[int, str] = {}

    def number(
        self, rows: Sequence[Row], known: Sequence[Interval | Ignored | LiveportalError]
    ) -> None:
        """Give an id to each row that has none: a digest of its times and its customer.

        Equal rows are distinguished by an ordinal, in an order that their order in the file does
        not change.
        """
        equal: dict[str, list[int]] = {}
        for at, (row, interval) in enumerate(zip(rows, known, strict=True)):
            if row.cells.get("id") or not isinstance(interval, tuple):
                continue
            who = row.cells.get("customer_id") or self._pseudonym(row.cells)
            content = "\0".join((*map(utc_text, interval), who))
            digest = sha256(content.encode()).hexdigest()[:_ID_DIGITS]
            equal.setdefault(f"{self._mapping.name[:_LONGEST_PREFIX]}-{digest}", []).append(at)
        for name, same in equal.items():
            same.sort(key=lambda at: _content(rows[at]))
            for ordinal, at in enumerate(same, 1):
                self._ids[at] = name if ordinal == 1 else f"{name}-{ordinal}"

    def event(self, at: int, row: Row, interval: Interval) -> Event:
        """Return the event of the row at a place.

        Raises `BadValue`, `RateNeeded` and `InvalidEvent`.
        """
        number, cells, (start, end) = row.line.number, row.cells, interval
        session = self._ids.get(at) or self._id(number, cells, "id")
        pause = self._pause(number, cells)
        if pause > end - start:
            raise self._bad(number, cells, "pauses", "is longer than the whole session")
        price, not_stated = self._price(number, cells, end - start - pause)
        event = self._source.event(
            f"{session}:logged",
            "session.logged",
            end,
            session=session,
            customer=self._customer(number, cells),
            start=utc_text(start),
            end=utc_text(end),
            pauses=[[utc_text(end - pause), utc_text(end)]] if pause else None,
            title=cells.get("title") or None,
            **price,
        )
        return replace(event, assumed=event.assumed | not_stated)

    def _pause(self, number: int, cells: Cells) -> timedelta:
        text = cells.get("pauses")
        pause = read_duration(text) if text else timedelta()
        if pause is None:
            raise self._bad(number, cells, "pauses", "is not a length of time such as 0:15 or 15m")
        return pause

    def _pseudonym(self, cells: Cells) -> str:
        name = cells.get("customer", "")
        return self._settings.customer_id(" ".join(name.split())) if name else ""

    def _customer(self, number: int, cells: Cells) -> dict[str, str]:
        name = cells.get("customer", "")
        if cells.get("customer_id"):
            who = self._id(number, cells, "customer_id")
        elif name:
            who = self._pseudonym(cells)
        else:
            raise self._bad(number, cells, "customer", "does not name a customer")
        return {"id": who, "name": name} if name else {"id": who}

    def _id(self, number: int, cells: Cells, role: str) -> str:
        try:
            ID.check(role, cells[role])
        except InvalidEvent:
            raise self._bad(number, cells, role, f"is not an id: {ID_FORM}") from None
        return cells[role]

    def _price(
        self, number: int, cells: Cells, active: timedelta
    ) -> tuple[dict[str, dict[str, str] | None], set[str]]:
        """Return the rate and the bill of a row, and what is not compared when it is read again.

        That is what the file does not state, and the title, which may be edited in the tracker.
        A file's rate is for an hour. The bill is the policy's, unless the row states it, or the
        rate for a minute is not a whole number of the currency's smallest unit.
        """
        hourly = self._amount(number, cells, "rate")
        billed = self._amount(number, cells, "amount")
        not_stated = {"title"} if billed is not None else {"title", "billed"}
        if hourly is not None and hourly.minor:
            per_minute = max(1, _half_up(hourly.minor * _MINUTE, _HOUR))
            if billed is None and hourly.minor != per_minute * (_HOUR // _MINUTE):
                billed = replace(hourly, minor=_half_up(hourly.minor * active, _HOUR))
            rate = amount_of(replace(hourly, minor=per_minute))
        else:
            not_stated.add("rate")
            if self._settings.rate is None and billed is not None and billed.minor and active:
                per_minute = max(1, _half_up(billed.minor * _MINUTE, active))
                rate = amount_of(replace(billed, minor=per_minute))
            else:
                rate = rate_of(self._settings, "A session")
        return {"rate": rate, "billed": None if billed is None else amount_of(billed)}, not_stated

    def _amount(self, number: int, cells: Cells, role: str) -> Money | None:
        text = cells.get(role)
        if not text:
            return None
        currency = self._reader.currency(number, cells)
        digits = self._found.digits.get(currency, 0)
        try:
            minor = minor_units(text, self._found.mark, digits)
        except ValueError:
            raise self._bad(number, cells, role, f"is not an amount in {currency}") from None
        if minor < 0:
            raise self._bad(number, cells, role, "is negative")
        return Money(minor, currency)

    def _bad(self, number: int, cells: Cells, role: str, reason: str) -> BadValue:
        return self._reader.bad_value(number, role, cells.get(role, ""), reason, None)


def _content(row: Row) -> tuple[str, ...]:
    return tuple(row.cells.get(role, "") for role in ("amount", "rate", "pauses", "title"))


def _half_up(amount: timedelta, unit: timedelta) -> int:
    """Return how many units a length has, rounded half up."""
    return (2 * amount + unit) // (2 * unit)
