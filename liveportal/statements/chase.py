"""Chase's files: the activity of a card and of a bank account, in dollars, without ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from liveportal.statements.formats import Figures, Format, texts
from liveportal.statements.rows import Meaning
from liveportal.tables.columns import Cells, Columns

_TYPES = {"return": Meaning.RETURN, "fee": Meaning.FEE}
_COLUMNS = {
    "card": {
        "date": ["Post Date"],
        "bought": ["Transaction Date"],
        "description": ["Description"],
        "category": ["Category"],
        "type": ["Type"],
        "amount": ["Amount"],
        "memo": ["Memo"],
    },
    "account": {
        "date": ["Posting Date"],
        "category": ["Details"],
        "description": ["Description"],
        "type": ["Type"],
        "amount": ["Amount"],
        "balance": ["Balance"],
    },
}


class Chase(Format):
    """The activity of a card or of an account."""

    name = "chase"
    provider = "chase"
    label = "Chase activity, CSV"
    required = frozenset(("date", "description", "category", "type", "amount"))
    amounts: Mapping[str, str] = dict.fromkeys(("amount", "balance"), "currency")
    order = "mdy"
    mark = "."
    has_ids = False
    payers_in_text = True

    def columns(self) -> Sequence[Columns]:
        """Return the columns of the two kinds of file."""
        return [Columns.declared(kind, names) for kind, names in _COLUMNS.items()]

    def prepare(self, cells: dict[str, str]) -> None:
        """Add the currency, which the file does not state."""
        cells["currency"] = "USD"

    def meaning(self, cells: Cells) -> Meaning:
        """Return what the type says; it decides little."""
        return _TYPES.get(cells["type"].casefold(), Meaning.OTHER)

    def figures(self, cells: Cells, given: Mapping[str, int | None]) -> Figures:
        """Return the amount, and an account's balance."""
        del cells
        return Figures(given["amount"], balance=given.get("balance"))

    def references_of(self, cells: Cells) -> tuple[str, ...]:
        """Return the texts."""
        return texts(cells, "description", "memo")
