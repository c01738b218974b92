"""The format `csv`: any bank's or provider's table, with the columns that a mapping names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache

from liveportal.statements.candidate import Candidate
from liveportal.statements.formats import Figures, Format, split_moment, texts
from liveportal.statements.rows import Meaning
from liveportal.tables.columns import CellReader, Cells, Columns
from liveportal.tables.mapped import json_reader
from liveportal.tables.mapping import MappingDocument, look_at, shipped
from liveportal.tables.table import normal


class MappedFormat(Format):
    """The format of one mapping."""

    name = "csv"
    label = "CSV, by a mapping"
    amounts: Mapping[str, str] = dict.fromkeys(
        ("amount", "credit", "debit", "fee", "balance"), "currency"
    )
    may_lack = frozenset(("credit", "debit", "fee"))
    payers_in_text = True

    def __init__(self, mapping: MappingDocument) -> None:
        self.mapping = mapping
        self.provider = mapping.name
        self.dialect = mapping.dialect
        self.order = mapping.dates
        self.mark = mapping.decimal
        self._names = mapping.named_columns()
        self.payers = mapping.payers
        self._fee_types = {normal(word) for word in mapping.fees.get("types", ())}
        negative = mapping.sign.get("negative", ())
        self._negative = {normal(word) for word in negative}

    def columns(self) -> Sequence[Columns]:
        """Return the columns that the mapping names."""
        return [self._names]

    def fit(self, header: Collection[str]) -> Columns | None:
        """Return the columns if a header has all that the mapping needs."""
        return self._names if self.mapping.needed() <= set(header) else None

    def reader(self, file: Candidate) -> CellReader | None:
        """Return the reader of a table, or of JSON if the mapping says so."""
        if self.mapping.json is None:
            return super().reader(file)
        if not file.head.startswith((b"[", b"{")):
            return None
        return json_reader(file.place, self.mapping, self.prepare)

    def prepare(self, cells: dict[str, str]) -> None:
        """Join columns, add what is fixed, and split a date with a time in one cell."""
        self.mapping.prepare(cells)
        if "time" not in self.mapping.columns:
            split_moment(cells)

    def meaning(self, cells: Cells) -> Meaning:
        """Return what the mapping says of a row's type; types decide nothing else."""
        words = normal(cells.get("type") or cells.get("text", ""))
        return Meaning.FEE if words in self._fee_types else Meaning.OTHER

    def moves_money(self, cells: Cells, meaning: Meaning) -> bool | None:
        """Return False for a row that the mapping leaves out."""
        del meaning
        return not self.mapping.skips(cells)

    def figures(self, cells: Cells, given: Mapping[str, int | None]) -> Figures:
        """Return the amount with its sign, before the fee; some files state it after the fee."""
        amount = self._amount(cells, given)
        fee = given.get("fee")
        if fee is not None and self.mapping.fees.get("sign", "positive") == "positive":
            fee = -fee
        if amount is not None and self.mapping.fees.get("included"):
            amount -= fee or 0
        return Figures(amount, fee=fee, balance=given.get("balance"))

    def _amount(self, cells: Cells, given: Mapping[str, int | None]) -> int | None:
        amount, credit, debit = (given.get(role) for role in ("amount", "credit", "debit"))
        if amount is None and (credit is not None or debit is not None):
            amount = (credit or 0) - abs(debit or 0)
        if amount is None:
            return None
        column = self.mapping.sign.get("column")
        if column is not None:
            is_negative = normal(cells.get(look_at(column), "")) in self._negative
            amount = -abs(amount) if is_negative else abs(amount)
        return -amount if self.mapping.sign.get("invert") else amount

    def names_of(self, cells: Cells, amount: int) -> tuple[str, ...]:
        """Return the other party."""
        del amount
        return texts(cells, "payer")

    def references_of(self, cells: Cells) -> tuple[str, ...]:
        """Return the id and the text."""
        return texts(cells, "id", "parent", "text")


@cache
def shipped_formats() -> tuple[MappedFormat, ...]:
    """Return the formats of the mappings that are shipped."""
    return tuple(MappedFormat(mapping) for mapping in shipped("statement"))
