"""What a format declares: its header in every language, and what its rows mean.

One file a format. A new one subclasses `Format`, and `registry` lists it; nothing else changes. A
format that is not CSV returns a `CellReader` of its own from `reader`; everything else is shared.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

from liveportal.domain.errors import BadValue, UnknownRow
from liveportal.statements.proofs import Fail, Problem, prove_balances
from liveportal.statements.rows import Meaning, Proof
from liveportal.tables.columns import CellReader, Cells, Columns, TableReader
from liveportal.tables.table import Dialect

if TYPE_CHECKING:
    from liveportal.statements.candidate import Candidate
    from liveportal.statements.options import Options
    from liveportal.statements.rows import StatementRow

AMOUNTS = dict.fromkeys(("gross", "fee", "net", "balance"), "currency")
"""The roles whose cells are amounts, and the role of the currency of each."""


class Figures(NamedTuple):
    """The amounts of a row, signed minor units; `amount` is None if the row states none."""

    amount: int | None
    gross: int | None = None
    fee: int | None = None
    net: int | None = None
    balance: int | None = None


class Refusal(NamedTuple):
    """A cell that says something that cannot be judged."""

    role: str
    reason: str
    kind: type[BadValue | UnknownRow] = BadValue


class Format:
    """A kind of file of a provider.

    Unless `figures` says else, amounts are signed, and `gross + fee = net`.
    """

    name: ClassVar[str]
    provider: str
    label: ClassVar[str]  # What users know the file as.
    required: frozenset[str]
    forbidden: ClassVar[frozenset[str]] = frozenset()
    dialect: Dialect = Dialect()
    amounts: Mapping[str, str] = AMOUNTS
    may_lack: ClassVar[frozenset[str]] = frozenset()  # Amounts whose cells may be empty.
    ids_repeat: ClassVar[bool] = False  # Different rows without a balance may have one id.
    has_ids: ClassVar[bool] = True  # Rows that moved money have ids, if there is a column for them.
    exchanges_are_whole: ClassVar[bool] = True  # A file has both sides of each exchange.
    unordered: ClassVar[bool] = False  # Rows are to be sorted by their times before the proofs.
    payers_in_text: ClassVar[bool] = False  # Texts of the provider's own may name the payer.
    payers: Sequence[str] = ()  # Names that are payers in every file of this format.
    order: str | None = None  # Of the dates of every file; None: each file decides.
    mark: str | None = None  # The decimal mark of every file; None: each file decides.

    def columns(self) -> Sequence[Columns]:
        """Return the columns in each language."""
        raise NotImplementedError

    def reader(self, file: Candidate) -> CellReader | None:
        """Return what reads a file's rows, or None if the file has another format."""
        header = file.header(self.dialect)
        columns = self.fit(header.positions) if header else None
        if header is None or columns is None:
            return None
        return TableReader(file.place, columns, header, self.prepare)

    def fit(self, header: Collection[str]) -> Columns | None:
        """Return the columns of the language that fits a header best, or None if none fits."""
        fitting = [
            (len(present), columns)
            for columns in self.columns()
            if self.required <= (present := columns.present(header))
            and not self.forbidden & present
        ]
        return max(fitting, key=lambda pair: pair[0])[1] if fitting else None

    def for_file(self, options: Options) -> Self:
        """Return a copy of the format for one file, which may gather what the file shows."""
        own = copy(self)
        own.begin(options)
        return own

    def begin(self, options: Options) -> None:
        """Take what a file of this format needs from the options."""

    def prepare(self, cells: dict[str, str]) -> None:
        """Change the cells of a row, in place, to what the rest of the reading expects."""

    def observe(self, line: int, cells: Cells) -> None:
        """Take notice of a row in the first pass over the file."""

    def surveyed(self, reader: CellReader) -> Sequence[str]:
        """Decide, after the first pass, what the whole file decides; return sentences of doubt."""
        del reader
        return ()

    def meaning(self, cells: Cells) -> Meaning:
        """Return what a row's words say that it is."""
        raise NotImplementedError

    def moves_money(self, cells: Cells, meaning: Meaning) -> bool | None:
        """Return whether a row changes the balance; None if only the balance itself can say."""
        del cells
        return meaning is not Meaning.MEMO

    def refusal(self, cells: Cells) -> Refusal | None:
        """Return why a row cannot be judged, which refuses the file."""
        del cells
        return None

    def figures(self, cells: Cells, given: Mapping[str, int | None]) -> Figures:
        """Return the amounts of a row from those that its cells state, by role."""
        del cells
        gross, net = given.get("gross"), given.get("net")
        amount = net if gross is None else gross
        return Figures(amount, gross, given.get("fee"), net, given.get("balance"))

    def id_of(self, cells: Cells, figures: Figures) -> str:
        """Return the id of a row, the same in every file that has the row; empty if it has none."""
        del figures
        return cells.get("id", "")

    def pot_of(self, cells: Cells) -> str:
        """Return which of several balances in one currency a row changes."""
        del cells
        return ""

    def names_of(self, cells: Cells, amount: int) -> tuple[str, ...]:
        """Return the other party's names."""
        del cells, amount
        return ()

    def references_of(self, cells: Cells) -> tuple[str, ...]:
        """Return the texts in which a payout's reference may be."""
        del cells
        return ()

    def prove_balances(
        self,
        reader: CellReader,
        rows: Sequence[StatementRow],
        digits: Mapping[str, int],
        fail: Fail,
        *,
        newest_first: bool,
    ) -> Proof:
        """Prove that no row is missing between those of a file, which are in its own order."""
        del reader
        return prove_balances(rows, digits, fail, newest_first=newest_first)

    def groups(self, rows: Sequence[StatementRow]) -> Iterable[Problem | None]:
        """Judge groups of rows that belong together: None for one that proves itself."""
        del rows
        return ()

    def finished(self, rows: Sequence[StatementRow]) -> Sequence[StatementRow]:
        """Return the rows, once they are proved, as the expert's account sees them."""
        return rows


def texts(cells: Cells, *roles: str) -> tuple[str, ...]:
    """Return the cells of roles that are not empty."""
    return tuple(text for role in roles if (text := cells.get(role)))


def split_moment(cells: dict[str, str]) -> None:
    """Split a date with a time in the cell `date`, such as 2024-04-12 14:00:47, in two cells."""
    day, _, time = cells["date"].replace("T", " ", 1).partition(" ")
    if time:
        cells["date"] = day
        cells["time"] = time.strip()


def is_negative(text: str) -> bool:
    """Return whether the text of an amount has a minus, wherever it is."""
    return any(minus in text for minus in "-\u2212")


def signed_id(given: str, amount: int, currency: str) -> str:
    """Return an id that only a credit has alone.

    A charge, its fee and its reversal may share one id. The credit keeps it, so that an arrival has
    the same id in every file, whatever its fees are.
    """
    return given if not given or amount >= 0 else f"{given}:{amount}:{currency}"
