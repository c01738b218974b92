"""Revolut's files: the statement of a personal account, and the transactions of a business."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar

from liveportal.statements.formats import Figures, Format, signed_id, split_moment, texts
from liveportal.statements.rows import Meaning
from liveportal.tables.columns import Cells, Columns
from liveportal.tables.table import normal


@cache
def words() -> Mapping[str, Any]:
    """Return the names of columns, states and types."""
    return tomllib.loads(files(__package__).joinpath("revolut.toml").read_text("utf-8"))


@cache
def _listed(table: str) -> Mapping[str, str]:
    return {normal(word): name for name, listed in words()[table].items() for word in listed}


class _Revolut(Format):
    provider = "revolut"
    exchanges_are_whole = False  # A file may have one side of an exchange only.
    shape: ClassVar[str]

    def columns(self) -> Sequence[Columns]:
        """Return the columns in each language."""
        shapes: Mapping[str, Any] = words()[self.shape]
        return [Columns.declared(language, names) for language, names in shapes.items()]

    def prepare(self, cells: dict[str, str]) -> None:
        """Take the moment at which a row was completed; one that was not has its beginning."""
        cells["date"] = cells.get("completed") or cells["started"]
        split_moment(cells)

    def meaning(self, cells: Cells) -> Meaning:
        """Return what the type says; it decides little."""
        return Meaning(_listed("types").get(normal(cells["type"]), Meaning.OTHER))

    def moves_money(self, cells: Cells, meaning: Meaning) -> bool | None:
        """Return True for a completed row; the balance decides on any other state."""
        del meaning
        is_done = normal(cells.get("state", "completed")) in _listed("states")
        return True if is_done else None

    def references_of(self, cells: Cells) -> tuple[str, ...]:
        """Return the id and the texts."""
        return texts(cells, "own_id", "reference", "description")


class RevolutPersonal(_Revolut):
    """A personal account: no ids, fees outside of amounts, a balance for each product."""

    name = "revolut-personal"
    label = "Revolut personal statement, CSV"
    shape = "personal"
    required = frozenset(
        ("type", "product", "started", "completed", "description", "amount", "fee", "currency",
         "state", "balance")
    )  # fmt: skip
    amounts: Mapping[str, str] = dict.fromkeys(("amount", "fee", "balance"), "currency")
    has_ids = False
    payers_in_text = True
    unordered = True

    def figures(self, cells: Cells, given: Mapping[str, int | None]) -> Figures:
        """Return the amounts; the fee is positive in the file."""
        del cells
        return Figures(given["amount"], fee=-(given["fee"] or 0), balance=given["balance"])

    def pot_of(self, cells: Cells) -> str:
        """Return the product: each has a balance of its own."""
        return cells["product"]


class RevolutBusiness(_Revolut):
    """A business: ids, dates in UTC, fees that are negative or in the total amount."""

    name = "revolut-business"
    label = "Revolut Business transactions, CSV"
    shape = "business"
    required = frozenset(
        ("id", "type", "started", "completed", "description", "currency", "amount", "balance")
    )
    amounts: Mapping[str, str] = {
        **dict.fromkeys(("amount", "total", "balance"), "currency"),
        "fee": "fee_currency",
    }
    may_lack = frozenset(("total", "fee"))

    def prepare(self, cells: dict[str, str]) -> None:
        """Add the zone and the parent."""
        super().prepare(cells)
        cells["zone"], cells["own_id"] = "UTC", cells["id"]
        cells["parent"] = cells.get("related", "")
        cells["fee_currency"] = cells.get("fee_currency") or cells["currency"]

    def figures(self, cells: Cells, given: Mapping[str, int | None]) -> Figures:
        """Return the amount, the fee, and the total where the file has it.

        A fee that was taken is positive beside a total, and negative without one.
        """
        amount, fee, total = given["amount"], given.get("fee") or 0, given.get("total")
        balance = given["balance"]
        if cells["fee_currency"] != cells["currency"]:
            return Figures(amount, net=total, balance=balance)
        if amount is None or total is None:
            return Figures(amount, fee=fee, balance=balance)
        fee = abs(fee) if total > amount else -abs(fee)
        return Figures(amount, amount, fee, total, balance)

    def id_of(self, cells: Cells, figures: Figures) -> str:
        """Return the id; both legs of an exchange may have the same."""
        return signed_id(cells["id"], figures.amount or 0, cells["currency"])

    def pot_of(self, cells: Cells) -> str:
        """Return the account: each has a balance of its own."""
        return cells.get("account", "")

    def names_of(self, cells: Cells, amount: int) -> tuple[str, ...]:
        """Return the sender and the payer, or the recipient."""
        return texts(cells, "sender", "payer") if amount >= 0 else texts(cells, "payee")
