"""The first pass over a file: what only the whole file decides.

Which decimal mark it uses, in which order its dates are, and how many digits amounts have in
currencies that are not ISO 4217's. Both passes take the cells of a row from a `CellReader`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from liveportal.domain.currencies import listed_digits
from liveportal.domain.errors import AmbiguousDates, BadValue, MalformedFile
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.tables.columns import CellReader, Cells
from liveportal.tables.dates import (
    IN_WORDS,
    ORDERS,
    in_words,
    is_monotonic,
    possible_orders,
    read_date,
)
from liveportal.tables.lines import Lines
from liveportal.tables.numbers import MARKS, fraction_digits, possible_marks
from liveportal.tables.source import quoted
from liveportal.tables.table import normal

NOT_STATED = ("", "...")
"""Cells in which a row does not state an amount; `...` is PayPal's, and for memo rows only."""

_LEAST_DIGITS = 2
_MARK_NAMES = {".": "a point", ",": "a comma"}
_DATE_HINT = "Dates are written such as 28/02/2026, 28.02.2026, 2/28/2026 or 2026-02-28."
_AMOUNT_HINT = (
    "If a spreadsheet changed the file, download it from the provider again and do not open it."
)


@frozen
class Survey:
    """What the first pass found."""

    rows: int
    order: str  # Of the dates; a name in `ORDERS`.
    mark: str  # The decimal mark.
    digits: Mapping[str, int]  # Of each currency in the file.
    sha256: str


@frozen
class Wanted:
    """What a survey looks at, and what is known beforehand.

    `amounts` has the role of the currency of each role that is an amount. `order` and `mark` are
    what the format says that all its files have.
    """

    amounts: Mapping[str, str]
    dates: Sequence[str] = ("date",)
    order: str | None = None
    mark: str | None = None
    observe: Callable[[int, Cells], None] | None = None


def survey(reader: CellReader, lines: Lines, wanted: Wanted, dates: str | None = None) -> Survey:
    """Read a file once; `dates` is the order to assume where the file leaves it open.

    Raises `BadValue` and `AmbiguousDates`, and what `Lines` and `records` raise.
    """
    found_dates = _Dates(reader, dates, wanted.order)
    numbers, rows = _Numbers(reader, wanted.mark), 0
    for line, cells in reader.rows(lines):
        rows += 1
        for role in wanted.dates:
            if role in cells:
                found_dates.add(line, role, cells[role], cells.get("currency", ""))
        currencies: dict[str, str] = {}
        for role, in_role in wanted.amounts.items():
            text = cells.get(role, "")
            if text not in NOT_STATED:
                if in_role not in currencies:
                    currencies[in_role] = reader.currency(line, cells, in_role)
                numbers.add(line, role, text, currencies[in_role])
        if wanted.observe:
            wanted.observe(line, cells)
    digits = numbers.digits()
    return Survey(rows, found_dates.order(), numbers.mark, digits, lines.sha256)


class _Dates:
    def __init__(self, reader: CellReader, preferred: str | None, known: str | None) -> None:
        self._reader, self._preferred, self._known = reader, preferred, known
        self._first: dict[str, int] = {}  # The first line of each date.
        self._sequences: dict[tuple[str, str], list[str]] = {}
        self._open = [known] if known else list(ORDERS)
        self._decided_by = (0, "")

    def add(self, line: int, role: str, text: str, currency: str) -> None:
        sequence = self._sequences.setdefault((role, currency), [])
        if not sequence or sequence[-1] != text:
            sequence.append(text)
        if text not in self._first:
            self._first[text] = line
            self._narrow(line, role, text)

    def _narrow(self, line: int, role: str, text: str) -> None:
        possible = possible_orders(text)
        still = [order for order in self._open if order in possible]
        if not still:
            raise self._refusal(line, role, text, contradicts=bool(possible))
        if still != self._open:
            self._open, self._decided_by = still, (line, text)

    def _refusal(self, line: int, role: str, text: str, *, contradicts: bool) -> Exception:
        if contradicts and self._known:
            reason = f"is not a date with the {IN_WORDS[self._known]}"
        elif contradicts:
            at, other = self._decided_by
            reason = (
                f"is not a date with the {IN_WORDS[self._open[0]]}, as {quoted(other)} in line {at}"
                " is"
            )
        elif normal(text) == normal(self._reader.column(role)):
            return self._reader.place.error(
                MalformedFile,
                line,
                "the header is repeated here: several files seem to have been joined.",
                hint="Give the original files instead. Several files can be read at once.",
            )
        else:
            reason = "is not a date"
        return self._reader.bad_value(line, role, text, reason, _DATE_HINT)

    def order(self) -> str:
        """Return the order of the file's dates; raises `AmbiguousDates`."""
        still = self._open
        if self._is_same_in(still):
            return still[0]
        if self._preferred in still:
            return self._preferred
        monotonic = [o for o in still if is_monotonic(self._sequences.values(), o)]
        if len(monotonic) == 1:
            return monotonic[0]
        raise self._ambiguous(monotonic or still)

    def _is_same_in(self, orders: list[str]) -> bool:
        return all(len({read_date(text, o) for o in orders}) == 1 for text in self._first)

    def _ambiguous(self, orders: list[str]) -> AmbiguousDates:
        text, line = next(
            (text, line)
            for text, line in self._first.items()
            if len({read_date(text, o) for o in orders}) > 1
        )
        readings = {o: day for o in orders if (day := read_date(text, o))}
        spelled = " or ".join(f"{in_words(day)} ({IN_WORDS[o]})" for o, day in readings.items())
        return self._reader.place.error(
            AmbiguousDates,
            line,
            f"the dates of this file can be read in two ways: {text} is {spelled}.",
            hint=Hint("Choose {day_first} or {month_first}."),
            value=text,
            readings={o: day.isoformat() for o, day in readings.items()},
        )


class _Numbers:
    def __init__(self, reader: CellReader, known: str | None) -> None:
        self._reader = reader
        self._listed = listed_digits()
        self._currencies: set[str] = set()
        self._unlisted: dict[str, dict[str, int]] = {}
        self.mark = known or MARKS
        self._decided_by: tuple[int, str] | None = None
        self._undecided: tuple[int, str, str] | None = None

    def add(self, line: int, role: str, text: str, currency: str) -> None:
        self._currencies.add(currency)
        digits = self._listed.get(currency)
        possible = possible_marks(text, digits)
        if digits is None:
            most = self._unlisted.setdefault(currency, dict.fromkeys(MARKS, _LEAST_DIGITS))
            for mark in possible:
                most[mark] = max(most[mark], fraction_digits(text, mark))
        if self.mark in possible:
            if len(self.mark) > 1 and not self._undecided and any(mark in text for mark in MARKS):
                self._undecided = line, role, text
            return
        still = "".join(mark for mark in self.mark if mark in possible)
        if not still:
            raise self._refusal(line, role, text, currency, possible)
        self.mark, self._decided_by = still, (line, text)

    def _refusal(self, line: int, role: str, text: str, currency: str, possible: str) -> BadValue:
        if possible and self._decided_by:
            at, other = self._decided_by
            reason = (
                f"has {_MARK_NAMES[possible]} as its decimal mark, but {quoted(other)} in line {at}"
                f" has {_MARK_NAMES[self.mark]}"
            )
        elif any(possible_marks(text, None)):
            reason = f"is not an amount in {currency}: it has too many decimals"
        else:
            reason = "is not an amount"
        return self._reader.bad_value(line, role, text, reason, _AMOUNT_HINT)

    def digits(self) -> dict[str, int]:
        """Return the digits of each currency, and settle on one decimal mark."""
        if len(self.mark) > 1:
            if self._undecided:
                line, role, text = self._undecided
                reason = "can be read with a decimal point or a decimal comma"
                raise self._reader.bad_value(line, role, text, reason, _AMOUNT_HINT)
            self.mark = MARKS[0]  # All amounts are whole.
        unlisted = {currency: most[self.mark] for currency, most in self._unlisted.items()}
        return {c: self._listed[c] for c in self._currencies if c in self._listed} | unlisted
