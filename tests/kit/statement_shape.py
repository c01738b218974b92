"""Statements of every provider but PayPal, in every shape: made from one list of movements.

A shape says how a movement is written, and which of its facts a reader can find again. Tests take
all of `SHAPES`; a new format adds its shapes here, and is tested with all the others.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from hypothesis import strategies as st

from liveportal.domain.money import digits_of, format_minor
from liveportal.statements.options import Options
from liveportal.statements.proofs import moved
from liveportal.statements.rows import StatementFile

Texts = Mapping[str, str]


@dataclass(frozen=True)
class Movement:
    """Money that arrived or left; `amount` and `fee` in minor units, a fee is negative."""

    at: datetime
    amount: int
    currency: str = "USD"
    number: int = 1
    party: str = "Live Help"
    text: str = ""
    fee: int = 0


@dataclass(frozen=True)
class Written:
    """A movement with the balance after it, and helpers to spell its parts."""

    move: Movement
    balance: int
    mark: str = "."

    def amount(self, minor: int, *, grouped: bool = False) -> str:
        """Return an amount in the movement's currency."""
        text = format_minor(minor, digits_of(self.move.currency))
        if grouped:
            whole, _, fraction = text.lstrip("-").partition(".")
            text = "-" * (minor < 0) + f"{int(whole):,}" + (f".{fraction}" if fraction else "")
        return text.replace(".", self.mark) if self.mark == "," else text


CURRENCIES = ("USD", "EUR", "JPY")
Write = Callable[[Written], Sequence[str]]


@dataclass(frozen=True)
class Shape:
    """One kind of file; `row` returns a movement's cells."""

    name: str
    form: str
    header: tuple[str, ...]
    row: Write
    amount_column: str
    date_column: str
    provider: str = ""
    newest_first: bool = False
    has_balance: bool = True
    has_fee: bool = False
    has_ids: bool = True
    has_sums: bool = False  # Rows have gross, fee and net.
    quoting: Literal[0, 1, 2, 3] = csv.QUOTE_MINIMAL
    currencies: tuple[str, ...] = CURRENCIES
    mark: str = "."
    dates: str = "dmy"  # The order that a user would name.
    delimiter: str = ","
    options: Options = field(default_factory=Options)

    def fields(self, moves: Sequence[Movement], opening: int = 0) -> list[list[str]]:
        """Return the cells of the header and of each row."""
        rows, balance = [], opening
        for move in moves:
            balance += move.amount + move.fee
            rows.append(list(self.row(Written(move, balance, self.mark))))
        if self.newest_first:
            rows.reverse()
        return [list(self.header), *rows]

    def write(self, fields: Sequence[Sequence[str]]) -> bytes:
        """Return cells as the bytes of a file."""
        if self.header[:1] == ("{",):
            return _json(fields)
        text = io.StringIO()
        writer = csv.writer(
            text, quoting=self.quoting, delimiter=self.delimiter, lineterminator="\n"
        )
        writer.writerows(fields)
        return text.getvalue().encode()

    def file(self, moves: Sequence[Movement], opening: int = 0) -> bytes:
        """Return the file of movements."""
        return self.write(self.fields(moves, opening))

    def expected(self, moves: Sequence[Movement], opening: int = 0) -> list[tuple[object, ...]]:
        """Return what reading must find: see `facts`."""
        balance, rows = opening, []
        for move in moves:
            balance += move.amount + move.fee
            shown = move.amount if self.has_fee else move.amount + move.fee
            rows.append(
                (
                    move.at.date(),
                    shown,
                    move.amount + move.fee,
                    balance if self.has_balance else None,
                    move.currency,
                )
            )
        return sorted(rows, key=repr)


def facts(file: StatementFile) -> list[tuple[object, ...]]:
    """Return what was read in the form of `Shape.expected`."""
    rows = [(row.day, row.amount, moved(row), row.balance, row.currency) for row in file.rows]
    return sorted(rows, key=repr)


def _json(fields: Sequence[Sequence[str]]) -> bytes:
    """Return the document whose parts are the cells: one row a line, as a program writes them."""
    start, end = "".join(fields[0]).split("...")
    return (start + ",\n".join("".join(row) for row in fields[1:]) + end).encode()


# --- movements ------------------------------------------------------------------------------------

FIRST_DAY = date(2026, 1, 13)


def some_moves(currency: str = "USD", count: int = 6) -> list[Movement]:
    """Return movements in one currency, a day apart, the dates of which have one order only."""
    start = datetime(2026, 1, 13, 9, 30, 15, tzinfo=UTC)
    amounts = (1_234_50, -20_00, 42_00, 99, -500_00, 7_00)
    return [
        Movement(
            start + timedelta(days=3 * n, minutes=n), amounts[n % 6], currency, 1001 + n,
            "Live Help" if amounts[n % 6] > 0 else "A shop", f"PO-{n} for you",
            -1_00 if n % 6 == 0 else 0,
        )
        for n in range(count)
    ]  # fmt: skip


_TEXTS = st.text(st.sampled_from("aé, \"'\n;|=日-0€\t\u00a0\U0001f600"), max_size=12).map(str.strip)


@st.composite
def moves(draw: st.DrawFn, shape: Shape, most: int = 8) -> tuple[list[Movement], int]:
    """Return random movements for a shape, and the balance before them."""
    currency = draw(st.sampled_from(shape.currencies))
    minutes = sorted(draw(st.lists(st.integers(0, 27 * 24 * 60), max_size=most)))
    start = datetime(draw(st.integers(2012, 2027)), draw(st.integers(1, 12)), 1, tzinfo=UTC)
    found = []
    for n, minute in enumerate(minutes):
        amount = draw(st.integers(-3_000_000, 3_000_000).filter(bool))
        fee = draw(st.sampled_from((0, -draw(st.integers(0, 5_000))))) if amount > 0 else 0
        if amount + fee <= 0 < amount:
            fee = 0
        at = start + timedelta(minutes=minute, seconds=n)
        found.append(Movement(at, amount, currency, 1001 + n, draw(_TEXTS), draw(_TEXTS), fee))
    return found, draw(st.integers(0, 5_000_00))
