"""PayPal's files: the activity download and the monthly or custom statement.

Amounts are signed from the account's point of view, and fees that were taken are negative.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar

from liveportal.statements.formats import Format
from liveportal.statements.rows import Meaning
from liveportal.tables.columns import Cells, Columns
from liveportal.tables.table import normal

_GROUP = 3  # A code's group is its first three characters: T00 of T0001.


@cache
def words() -> Mapping[str, Any]:
    """Return the names of columns and types."""
    return tomllib.loads(files(__package__).joinpath("paypal.toml").read_text("utf-8"))


@cache
def _meanings() -> Mapping[str, Meaning]:
    """Return the meaning of every listed type, by its normal words."""
    return {
        normal(name): Meaning(meaning)
        for meaning, names in words()["types"].items()
        for name in names
    }


@cache
def _listed(table: str, key: str) -> frozenset[str]:
    return frozenset(normal(name) for name in words()[table][key])


@cache
def _columns(shape: str) -> Sequence[Columns]:
    return [Columns.declared(language, names) for language, names in words()[shape].items()]


class _PayPal(Format):
    provider = "paypal"
    shape: ClassVar[str]

    def columns(self) -> Sequence[Columns]:
        return _columns(self.shape)

    def meaning(self, cells: Cells) -> Meaning:
        """Return the meaning of the type's words or, if they are not listed, of its code."""
        code = cells.get("code", "")
        codes = words()["codes"]
        by_code = codes.get(code) or codes.get(code[:_GROUP]) or Meaning.UNLISTED
        return _meanings().get(normal(cells["type"])) or Meaning(by_code)

    def names_of(self, cells: Cells, amount: int) -> tuple[str, ...]:
        """Return the name and the e-mail address of the other party."""
        other = cells.get("from" if amount >= 0 else "to", "")
        return tuple(name for name in (cells.get("name", ""), other) if name)

    def references_of(self, cells: Cells) -> tuple[str, ...]:
        """Return ids and texts in which a platform may have put its payout's id."""
        roles = ("id", "parent", "invoice", "custom", "subject", "note")
        return tuple(text for role in roles if (text := cells.get(role)))


class PayPalActivity(_PayPal):
    """Reports > Activity download: every transaction, with its effect on the balance."""

    name = "paypal-activity"
    label = "PayPal activity download, CSV"
    shape = "activity"
    required = frozenset(
        ("date", "time", "zone", "type", "status", "currency", "gross", "fee", "net", "id")
    )

    def moves_money(self, cells: Cells, meaning: Meaning) -> bool | None:
        """Say what the column for the impact says; without it, the balance decides on a memo."""
        impact = normal(cells.get("impact", ""))
        if impact in _listed("impact", "memo"):
            return False
        if impact in _listed("impact", "money"):
            return True
        is_unsettled = normal(cells["status"]) in _listed("status", "unsettled")
        return None if meaning is Meaning.MEMO or is_unsettled else True


class PayPalStatement(_PayPal):
    """The monthly or custom statement: only what changed the balance, grouped by currency."""

    name = "paypal-statement"
    label = "PayPal monthly or custom statement, CSV"
    shape = "statement"
    # The names of the columns of the bank are not known in every language.
    required = frozenset(
        ("date", "time", "zone", "type", "currency", "gross", "fee", "net", "balance", "id")
    )
    forbidden = frozenset(("status", "impact", "own_type"))

    def moves_money(self, cells: Cells, meaning: Meaning) -> bool | None:
        """Every row of a statement moves money."""
        del cells, meaning
        return True
