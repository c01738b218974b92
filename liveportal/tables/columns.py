"""The columns of a table by their names, and the cells of its rows by role."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import chain

from liveportal.domain.errors import BadValue, MalformedFile
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.domain.patterns import pattern
from liveportal.tables.lines import LONGEST_LINE, Lines
from liveportal.tables.source import Place, quoted
from liveportal.tables.table import Header, normal, records

Cells = Mapping[str, str]
"""The cells of a row by role, stripped; roles without a column are absent."""
Prepare = Callable[[dict[str, str]], None]
"""Adds to the cells of a row what a file says without a cell of its own, in place."""

_CURRENCY = pattern(r"[A-Z0-9]{3,12}")


@frozen
class Columns:
    """The names of a format's columns in one language, by role; a role may have several names."""

    language: str
    names: Mapping[str, tuple[str, ...]]  # Normal names.

    @classmethod
    def declared(cls, language: str, names: Mapping[str, Sequence[str]]) -> Columns:
        """Return columns from names as they appear in files."""
        return cls(
            language,
            {role: tuple(normal(name) for name in spelled) for role, spelled in names.items()},
        )

    def present(self, header: Collection[str]) -> frozenset[str]:
        """Return the roles that have a column in a header of normal names."""
        return frozenset(
            role for role, names in self.names.items() if any(name in header for name in names)
        )


class CellReader:
    """The rows of a file as texts by role, whatever the file is; and refusals of its cells."""

    ignored = 0
    """How many columns are not used."""
    account: str | None = None
    """The account that the file names, once its rows were read."""
    others: Sequence[str] = ()
    """More accounts in the file, once its rows were read: a reader reads one of them."""
    longest_line = LONGEST_LINE

    def __init__(self, place: Place, prepare: Prepare | None = None) -> None:
        self.place = place
        self._prepare = prepare

    def rows(self, lines: Lines) -> Iterator[tuple[int, Cells]]:
        """Yield the line, on which it begins, and the cells of each row."""
        for line, cells in self._rows(lines):
            if self._prepare:
                self._prepare(cells)
            yield line, cells

    def _rows(self, lines: Lines) -> Iterator[tuple[int, dict[str, str]]]:
        raise NotImplementedError

    def has(self, role: str) -> bool:
        """Return whether the file has a column for a role."""
        raise NotImplementedError

    def column(self, role: str) -> str:
        """Return the name of a role's column in the file."""
        return role

    def bad_value(
        self,
        line: int,
        role: str,
        text: str,
        reason: str,
        hint: Hint | str | None,
    ) -> BadValue:
        """Return the refusal of a cell."""
        column = self.column(role)
        return self.place.error(
            BadValue,
            line,
            f"in the column {column}, {quoted(text)} {reason}.",
            hint=hint,
            column=column,
            value=text[:100],
        )

    def currency(self, line: int, cells: Cells, role: str = "currency") -> str:
        """Return a row's currency, which need not be one of ISO 4217."""
        text = cells.get(role, "").upper()
        if not _CURRENCY.fullmatch(text):
            raise self.bad_value(line, role, text, "is not a currency code", None)
        return text


class TableReader(CellReader):
    """The rows of a CSV file."""

    def __init__(
        self, place: Place, columns: Columns, header: Header, prepare: Prepare | None = None
    ) -> None:
        super().__init__(place, prepare)
        self.header = header
        self._single: list[tuple[str, int]] = []
        self._several: list[tuple[str, tuple[int, ...]]] = []
        used: set[int] = set()
        for role, names in columns.names.items():
            at = tuple(chain.from_iterable(header.positions.get(name, ()) for name in names))
            used.update(at)
            if len(at) > 1:
                self._several.append((role, at))
            elif at:
                self._single.append((role, at[0]))
        self.ignored = len(header.names) - len(used)

    def _rows(self, lines: Lines) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield rows; refuse doubled columns that differ."""
        for line, cells in records(lines, self.header):
            row = {role: cells[at].strip() for role, at in self._single}
            for role, positions in self._several:
                row[role] = self._only(line, [cells[at].strip() for at in positions], positions)
            yield line, row

    def _only(self, line: int, texts: list[str], positions: tuple[int, ...]) -> str:
        given = [text for text in texts if text]
        if any(text != given[0] for text in given):
            names = " and ".join(dict.fromkeys(self.header.names[at] for at in positions))
            raise self.place.error(
                MalformedFile,
                line,
                f"the columns {names} mean the same, but contain {quoted(given[0])} and"
                f" {quoted(given[-1])}.",
                hint="Remove the column that does not belong to the file.",
            )
        return given[0] if given else ""

    def has(self, role: str) -> bool:
        """Return whether the file has a column for a role."""
        return any(role == known for known, _ in (*self._single, *self._several))

    def column(self, role: str) -> str:
        """Return the name of a role's column in the file; a time may be in that of the date."""
        at = dict(self._single).get(role)
        positions = dict(self._several).get(role, ()) if at is None else (at,)
        if not positions and role == "time":
            return self.column("date")
        return self.header.names[positions[0]] if positions else role
