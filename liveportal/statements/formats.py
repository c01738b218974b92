"""What a format declares: its header in every language, and what its rows mean.

One file a format. A new one subclasses `Format`, and `registry` lists it; nothing else changes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from liveportal.statements.rows import Meaning
from liveportal.tables.columns import Cells, Columns

AMOUNTS = dict.fromkeys(("gross", "fee", "net", "balance"), "currency")
"""The roles whose cells are amounts, and the role of the currency of each."""


class Format:
    """A kind of CSV file of a provider. Amounts are signed, and `gross + fee = net`."""

    name: ClassVar[str]
    provider: ClassVar[str]
    label: ClassVar[str]  # What users know the file as.
    required: ClassVar[frozenset[str]]
    forbidden: ClassVar[frozenset[str]] = frozenset()

    def columns(self) -> Sequence[Columns]:
        """Return the columns in each language."""
        raise NotImplementedError

    def fit(self, header: Collection[str]) -> Columns | None:
        """Return the columns of the language that fits a header best, or None if none fits."""
        fitting = [
            (len(present), columns)
            for columns in self.columns()
            if self.required <= (present := columns.present(header))
            and not self.forbidden & present
        ]
        return max(fitting, key=lambda pair: pair[0])[1] if fitting else None

    def meaning(self, cells: Cells) -> Meaning:
        """Return what a row's words say that it is."""
        raise NotImplementedError

    def moves_money(self, cells: Cells, meaning: Meaning) -> bool | None:
        """Return whether a row changes the balance; None if only the balance itself can say."""
        del cells
        return meaning is not Meaning.MEMO

    def names_of(self, cells: Cells, amount: int) -> tuple[str, ...]:
        """Return the other party's names."""
        del cells, amount
        return ()

    def references_of(self, cells: Cells) -> tuple[str, ...]:
        """Return the texts in which a payout's reference may be."""
        del cells
        return ()
