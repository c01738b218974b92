"""The second pass over a file: rows from cells, and what the order of the rows decides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, tzinfo
from hashlib import sha256
from itertools import pairwise
from typing import TypeVar, cast

from liveportal.domain.clock import short_text
from liveportal.domain.errors import BadValue
from liveportal.domain.frozen import build_compact, replace
from liveportal.domain.hint import Hint
from liveportal.domain.patterns import pattern
from liveportal.statements.formats import Figures, Format
from liveportal.statements.options import UNPROVED_HINT, Doubts, Options
from liveportal.statements.proofs import proved_steps, times_fall
from liveportal.statements.rows import Meaning, StatementRow
from liveportal.tables.columns import CellReader, Cells
from liveportal.tables.dates import read_date, read_time
from liveportal.tables.numbers import minor_units
from liveportal.tables.survey import NOT_STATED, Survey
from liveportal.tables.table import normal
from liveportal.tables.zones import instants, named_zone, read_zone

T = TypeVar("T")

_WORD = pattern(r"\w+")
_ID = pattern(r"[A-Za-z0-9._:-]{1,100}", re.ASCII)
_ID_HINT = "If a spreadsheet changed the file, download it from the provider again."
_ZONE_HINT = Hint("If your own time zone uses this abbreviation, give {your_time_zone}.")
_DIGEST_LENGTH = 16
_IDENTITY = ("day", "amount", "currency", "balance", "names", "references")


class RowReader:
    """Makes the rows of one file; `settle` then decides what their order decides."""

    def __init__(
        self, form: Format, table: CellReader, found: Survey, doubts: Doubts, options: Options
    ) -> None:
        self._form, self._table, self._found, self._doubts = form, table, found, doubts
        self._kinds = {normal(words): Meaning(kind) for words, kind in options.kinds.items()}
        self._zones: dict[str, tzinfo] = {}
        self._days: dict[str, date] = {}
        self._shared: dict[object, object] = {}
        self._timezone = options.timezone
        payers = (*options.payers, *form.payers) if form.payers_in_text else ()
        self._payers = [(name, _words(name)) for name in dict.fromkeys(payers)]
        self.digests: set[str] = set()
        """The ids of rows without an id of their own; equal rows have equal ones."""
        self._lacking: set[str] = set()
        self._rows = 0
        self._maybe_memo: set[int] = set()
        self._twice: dict[int, tuple[datetime, ...]] = {}

    def row(self, line: int, cells: Cells) -> StatementRow:
        """Return a row; in the hour that comes twice, with the earlier instant for now."""
        currency = self._once(self._table.currency(line, cells))
        words = self._once(cells.get("type", ""))
        meaning = self._kinds.get(normal(words)) or self._form.meaning(cells)
        if refusal := self._form.refusal(cells):
            text = cells[refusal.role]
            bad = self._table.bad_value(line, refusal.role, text, refusal.reason, UNPROVED_HINT)
            error = refusal.kind(bad.message, hint=bad.hint, **bad.details)
            self._doubts.refuse(error)
        moves = self._form.moves_money(cells, meaning)
        if moves is False:
            meaning = Meaning.MEMO
        elif moves is None:
            self._maybe_memo.add(self._rows)
        figures = self._figures(line, cells, currency, may_lack=moves is not True)
        amount = figures.amount or 0
        references = self._form.references_of(cells)
        names = self._form.names_of(cells, amount)
        if self._payers:
            names = (*self._payers_in(" ".join((*names, *references))), *names)
        fields = {
            "line": line,
            "row": "",
            "parent": cells.get("parent") or None,
            "time": self._instant(line, cells),
            "day": self._day(line, cells["date"]),
            "amount": amount,
            "gross": figures.gross,
            "fee": figures.fee,
            "net": figures.net,
            "balance": figures.balance,
            "currency": currency,
            "type": words,
            "meaning": meaning,
            "names": self._once(names),
            "references": references,
            "pot": self._once(self._form.pot_of(cells)),
            "duplicate": False,
        }
        may_lack_id = moves is not True or not (self._form.has_ids and self._table.has("id"))
        given = self._form.id_of(cells, figures)
        fields["row"] = self._id(line, cells, given, fields, may_lack=may_lack_id)
        self._rows += 1
        return build_compact(StatementRow, fields)

    def _payers_in(self, text: str) -> Iterator[str]:
        """Yield the payers that are whole words of a bank's text."""
        words = _words(text)
        return (name for name, wanted in self._payers if wanted.strip() and wanted in words)

    def _once(self, value: T) -> T:
        """Return the first value that equals this one, so that memory has it once."""
        return cast("T", self._shared.setdefault(value, value))

    def _id(
        self, line: int, cells: Cells, given: str, fields: Mapping[str, object], *, may_lack: bool
    ) -> str:
        """Return the provider's id of a row or, if it has none, a digest of what identifies it.

        These are the day, the amounts, and the texts: no words that depend on a language.
        """
        if _ID.fullmatch(given):
            return given
        if given or not may_lack:
            raise self._table.bad_value(
                line, "id", cells.get("id", given), "is not an id", _ID_HINT
            )
        content = "\0".join(
            (cells.get("time", ""), *(str(fields[name]) for name in _IDENTITY)),
        )
        digest = f"row-{sha256(content.encode()).hexdigest()[:_DIGEST_LENGTH]}"
        self.digests.add(digest)
        return digest

    def _figures(self, line: int, cells: Cells, currency: str, *, may_lack: bool) -> Figures:
        form = self._form
        given: dict[str, int | None] = {}
        for role, in_role in form.amounts.items():
            if role not in cells:
                continue
            unit = currency
            if in_role != "currency" and cells[role]:
                unit = self._table.currency(line, cells, in_role)
            optional = may_lack or role in form.may_lack
            given[role] = self._amount(line, role, cells[role], unit, may_lack=optional)
        figures = form.figures(cells, given)
        if figures.amount is None and not may_lack and form.may_lack:
            role = next(iter(given), "amount")
            reason = "is not an amount, and no other column has one"
            self._doubts.refuse(
                self._table.bad_value(line, role, cells.get(role, ""), reason, UNPROVED_HINT)
            )
        return figures

    def _amount(
        self, line: int, role: str, text: str, currency: str, *, may_lack: bool
    ) -> int | None:
        if text in NOT_STATED:
            if not may_lack and role not in self._lacking:
                self._lacking.add(role)  # With --unproved, one sentence a column is enough.
                reason = "is not an amount; only rows that move no money may lack one"
                self._doubts.refuse(self._table.bad_value(line, role, text, reason, UNPROVED_HINT))
            return None
        try:
            return minor_units(text, self._found.mark, self._found.digits[currency])
        except ValueError:  # It was an amount under the mark that a later line ruled out.
            reason = f"is not an amount with the decimal mark {self._found.mark!r} of this file"
            raise self._table.bad_value(line, role, text, reason, None) from None

    def _day(self, line: int, text: str) -> date:
        day = self._days.get(text) or read_date(text, self._found.order)
        if day is None:
            raise self._table.bad_value(line, "date", text, "is not a date", None)
        self._days[text] = day
        return day

    def _instant(self, line: int, cells: Cells) -> datetime | None:
        """Return the instant of a row, and note both if its local time comes twice.

        None if the file has no times, or states no zone and the user gave none.
        """
        zone_text = cells.get("zone", self._timezone)
        if not cells.get("time") or zone_text is None:
            return None
        parts = read_time(cells["time"])
        if parts is None:
            raise self._table.bad_value(line, "time", cells["time"], "is not a time of day", None)
        day = self._day(line, cells["date"])
        local = datetime(day.year, day.month, day.day, *parts)  # noqa: DTZ001
        tz = self._zone(line, zone_text, local)
        try:
            possible = instants(local, tz)
        except OverflowError:
            possible = ()
        if not possible:
            reason = f"does not exist on {day} in the zone {zone_text}"
            raise self._table.bad_value(line, "time", cells["time"], reason, None)
        if len(possible) > 1:
            self._twice[self._rows] = possible
        return possible[0]

    def _zone(self, line: int, text: str, local: datetime) -> tzinfo:
        found = self._zones.get(text) or read_zone(text)
        named = found is None and self._timezone and named_zone(text, local, self._timezone)
        if named:
            return named
        if found is None:
            raise self._table.bad_value(
                line, "zone", text, "is not a time zone with one meaning", _ZONE_HINT
            )
        self._zones[text] = found
        return found

    def settle(self, rows: list[StatementRow]) -> bool:
        """Decide in place what depends on the order of rows; return whether it is newest first.

        The direction is the one in which more balances follow from each other, or else times.
        """
        oldest, newest = (self._with_memos(rows, newest_first=turned) for turned in (False, True))
        scores = [proved_steps(oldest, newest_first=False), proved_steps(newest, newest_first=True)]
        newest_first = scores[1] > scores[0] or (scores[0] == scores[1] and times_fall(rows))
        rows[:] = newest if newest_first else oldest
        if self._twice:
            self._settle_hours(rows, _in_time(rows, newest_first=newest_first))
        return newest_first

    def _with_memos(self, rows: list[StatementRow], *, newest_first: bool) -> list[StatementRow]:
        """Return the rows with those as memos that may be one and did not move the balance."""
        if not self._maybe_memo:
            return rows
        settled = rows.copy()
        balances: dict[str, int] = {}
        for at in _in_time(rows, newest_first=newest_first):
            row = rows[at]
            before = balances.get(row.currency)
            if at in self._maybe_memo:
                if row.balance is None or before is None or row.balance == before:
                    settled[at] = replace(row, meaning=Meaning.MEMO)
                elif row.meaning is Meaning.MEMO:
                    settled[at] = replace(row, meaning=Meaning.OTHER)
            if row.balance is not None and settled[at].meaning is not Meaning.MEMO:
                balances[row.currency] = row.balance
        return settled

    def _settle_hours(self, rows: list[StatementRow], in_time: Sequence[int]) -> None:
        for sequence in self._sequences(rows, in_time):
            for before, run, after in self._runs(rows, sequence):
                self._settle_run(rows, before, run, after)

    def _sequences(
        self, rows: Sequence[StatementRow], in_time: Sequence[int]
    ) -> list[Sequence[int]]:
        """Return rows that are in the order of time: all, or those of each currency."""
        sure = [_time(rows[at]) for at in in_time if at not in self._twice]
        if all(a <= b for a, b in pairwise(sure)):
            return [in_time]
        by_currency: dict[str, list[int]] = {}
        for at in in_time:
            by_currency.setdefault(rows[at].currency, []).append(at)
        return list(by_currency.values())

    def _runs(
        self, rows: Sequence[StatementRow], sequence: Sequence[int]
    ) -> Iterator[tuple[datetime | None, list[int], datetime | None]]:
        """Yield the rows next to each other in a repeated hour, and the instants around them."""
        before: datetime | None = None
        run: list[int] = []
        for at in sequence:
            if at in self._twice:
                if run and self._twice[run[0]][0].date() != self._twice[at][0].date():
                    yield before, run, self._twice[at][0]
                    before, run = self._twice[run[-1]][0], []
                run.append(at)
                continue
            if run:
                yield before, run, _time(rows[at])
                run = []
            before = _time(rows[at])
        if run:
            yield before, run, None

    def _settle_run(
        self,
        rows: list[StatementRow],
        before: datetime | None,
        run: list[int],
        after: datetime | None,
    ) -> None:
        """Find where in a run the second hour begins, so that no row is before the one above.

        Rows keep the earlier instant if the file is read although that is not decided.
        """
        earlier = [self._twice[at][0] for at in run]
        drops = [n for n, (above, below) in enumerate(pairwise(earlier), 1) if below < above]
        first, last = (drops[0], drops[-1]) if drops else (0, len(run))
        if before and earlier[0] < before:
            last = 0
        if after and self._twice[run[-1]][1] > after:
            first = len(run)
        if first != last:
            self._doubts.refuse(self._twice_error(rows[run[0]], run[0]))
            return
        for at in run[first:]:
            rows[at] = replace(rows[at], time=self._twice[at][1])

    def _twice_error(self, row: StatementRow, at: int) -> BadValue:
        first, second = (short_text(instant) for instant in self._twice[at])
        return self._table.place.error(
            BadValue,
            row.line,
            f"the time of this row comes twice on {row.day}, when clocks go back: it is {first} or"
            f" {second}, and the order of the rows does not decide.",
            hint=Hint("{Reading_it_unproved} takes the earlier one."),
            readings=[first, second],
        )


def _words(text: str) -> str:
    """Return a text as its words with spaces around, so that whole words can be looked for."""
    return f" {' '.join(_WORD.findall(text.casefold()))} "


def _in_time(rows: Sequence[StatementRow], *, newest_first: bool) -> Sequence[int]:
    """Return the places of the rows in the order of time."""
    return range(len(rows))[::-1] if newest_first else range(len(rows))


def _time(row: StatementRow) -> datetime:
    if row.time is None:
        raise TypeError("a row without a time has no place in an order of instants")
    return row.time
