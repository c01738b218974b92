"""Wise's files: the statement of a balance (CSV and JSON), and the history of transfers.

The statement's amounts are signed and include whatever the running balance includes; `Total fees`
is information, and never added to anything. The history's amounts have no signs, and its fees lie
outside of them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar

from liveportal.statements.candidate import Candidate
from liveportal.statements.formats import (
    Figures,
    Format,
    Refusal,
    is_negative,
    signed_id,
    split_moment,
    texts,
)
from liveportal.statements.rows import Meaning
from liveportal.tables.columns import CellReader, Cells, Columns
from liveportal.tables.json_rows import JsonObject, JsonReader, number_of, text_of

_FEE = "FEE-"


@cache
def words() -> Mapping[str, Any]:
    """Return the names of columns, keys and types."""
    return tomllib.loads(files(__package__).joinpath("wise.toml").read_text("utf-8"))


@cache
def _listed(table: str) -> Mapping[str, str]:
    return {word: meaning for meaning, listed in words()[table].items() for word in listed}


class _Wise(Format):
    provider = "wise"
    mark = "."
    exchanges_are_whole = False  # Each currency has a file of its own.
    shape: ClassVar[str]

    def columns(self) -> Sequence[Columns]:
        """Return the columns in each language."""
        shapes: Mapping[str, Any] = words()[self.shape]
        return [Columns.declared(language, names) for language, names in shapes.items()]

    def id_of(self, cells: Cells, figures: Figures) -> str:
        """Return the id; that of a row that took money has the amount, too."""
        return signed_id(cells["id"], figures.amount or 0, cells["currency"])

    def names_of(self, cells: Cells, amount: int) -> tuple[str, ...]:
        """Return the name of the payer or of the recipient."""
        return texts(cells, "payer" if amount >= 0 else "payee")

    def references_of(self, cells: Cells) -> tuple[str, ...]:
        """Return ids and texts in which a platform may have put its payout's id."""
        return texts(cells, "wise_id", "reference", "description", "note")


class WiseStatement(_Wise):
    """The statement of one balance, CSV: 19 columns, 20 or 21 since 2023, 23 since 2025."""

    name = "wise-statement"
    label = "Wise balance statement, CSV"
    shape = "statement"
    required = frozenset(("id", "date", "amount", "currency", "description", "balance"))
    amounts: Mapping[str, str] = dict.fromkeys(("amount", "balance"), "currency")

    def prepare(self, cells: dict[str, str]) -> None:
        """Take the time from its own column, and the parent from the id of what takes money."""
        _, _, time = cells.get("moment", "").partition(" ")
        if time:
            cells["time"] = time
        cells["wise_id"] = cells["parent"] = cells["id"].removeprefix(_FEE)
        cells["type"] = cells.get("type") or cells["id"].partition("-")[0]
        cells["is_fee"] = "FEE" if cells["id"].startswith(_FEE) else ""
        if cells["description"].endswith(f": {cells['id']}"):  # Such as "Wise Charges for: <id>".
            cells["is_fee"] = "FEE"
        if not cells["is_fee"] and not is_negative(cells["amount"]):
            cells["parent"] = ""

    def meaning(self, cells: Cells) -> Meaning:
        """Return what the type or, in older files, the id says."""
        if cells["is_fee"]:
            return Meaning.FEE
        known = _listed("types").get(cells["type"]) or _listed("prefixes").get(cells["type"])
        return Meaning(known or Meaning.OTHER)

    def figures(self, cells: Cells, given: Mapping[str, int | None]) -> Figures:
        """Return the amount and the balance after it; what a fee was is not known."""
        del cells
        return Figures(given["amount"], balance=given["balance"])


class WiseJson(WiseStatement):
    """The same statement as JSON, from Wise's interface for programs."""

    name = "wise-json"
    label = "Wise balance statement, JSON"
    order = "ymd"

    def reader(self, file: Candidate) -> CellReader | None:
        """Return the reader of a document that has transactions with running balances."""
        is_statement = file.head.startswith(b"{") and b'"transactions"' in file.head
        if not is_statement:
            return None
        return JsonReader(file.place, ("transactions",), _cells, self.prepare, words()["json"])

    def prepare(self, cells: dict[str, str]) -> None:
        """Split the instant, which is in UTC."""
        split_moment(cells)
        cells["time"], cells["zone"] = cells.get("time", "").rstrip("Z"), "UTC"
        super().prepare(cells)


def _cells(reader: CellReader, line: int, found: JsonObject) -> dict[str, str] | None:
    return {
        role: (number_of if role in WiseStatement.amounts else text_of)(
            reader, line, found, role, path
        )
        for role, path in words()["json"].items()
    }


class WiseHistory(_Wise):
    """The history of transfers, CSV: amounts without signs, and fees outside of them."""

    name = "wise-history"
    label = "Wise transaction history, CSV"
    shape = "history"
    required = frozenset(
        ("id", "status", "direction", "created", "source", "source_currency", "target",
         "target_currency")
    )  # fmt: skip
    amounts: Mapping[str, str] = {
        role: f"{role}_currency" for role in ("source", "source_fee", "target", "target_fee")
    }
    may_lack = frozenset(amounts)
    ids_repeat = True

    def prepare(self, cells: dict[str, str]) -> None:
        """Choose the side of the row that is the account's own."""
        cells["date"] = cells.get("finished") or cells["created"]
        split_moment(cells)
        cells["type"] = f"{cells['direction']} {cells['status']}"
        side = "target" if cells["direction"] == "IN" else "source"
        cells["currency"] = cells[f"{side}_currency"]
        for each in ("source", "target"):
            cells[f"{each}_fee_currency"] = (
                cells.get(f"{each}_fee_currency") or cells[f"{each}_currency"]
            )
        cells["wise_id"] = cells["id"]
        if cells["direction"] == "OUT" or self._is_returned(cells):
            cells["parent"] = cells["id"]

    @staticmethod
    def _is_returned(cells: Cells) -> bool:
        is_card = cells["id"].startswith("CARD")
        return (cells["direction"], cells["status"]) == ("IN", "REFUNDED") and not is_card

    def meaning(self, cells: Cells) -> Meaning:
        """Return what the direction and the status say."""
        if self._is_returned(cells):
            return Meaning.RETURN
        if cells["direction"] == "NEUTRAL":
            return Meaning.OWN_TRANSFER
        known = _listed("prefixes").get(cells["id"].partition("-")[0], Meaning.OTHER)
        return Meaning(known) if cells["direction"] in {"IN", "OUT"} else Meaning.UNLISTED

    def moves_money(self, cells: Cells, meaning: Meaning) -> bool | None:
        """Return False for what was not completed, or was undone before it left."""
        del meaning
        status = _listed("status").get(cells["status"])
        return status == "completed" or (status == "returned" and cells["direction"] == "IN")

    def refusal(self, cells: Cells) -> Refusal | None:
        """Refuse a status or a direction that is not known: it may hide an arrival."""
        if cells["status"] not in _listed("status"):
            reason = "is not a known status, so the row may or may not have moved money"
            return Refusal("status", reason)
        if cells["direction"] not in {"IN", "OUT", "NEUTRAL"}:
            return Refusal("direction", "is not a direction")
        return None

    def figures(self, cells: Cells, given: Mapping[str, int | None]) -> Figures:
        """Return what the payer sent, the fees, and what arrived; or what left the account.

        In one currency the row proves itself: the source's amount less the target's fee arrived.
        """
        source, target = given.get("source"), given.get("target")
        source_fee = given.get("source_fee") or 0
        target_fee = given.get("target_fee") or 0
        if cells["direction"] != "IN":
            own_fee = source_fee if self._is_own(cells, "source") else 0
            return Figures(None if source is None else -source, fee=-own_fee)
        if self._is_returned(cells):
            return Figures(None if target is None else -target)
        if target is None:
            return Figures(source)
        own_fee = target_fee if self._is_own(cells, "target") else 0
        if source is None or cells["source_currency"] != cells["target_currency"]:
            return Figures(target + own_fee, fee=-own_fee)
        paid = source_fee if self._is_own(cells, "source") else 0
        return Figures(source + paid, source + paid, -paid - own_fee, target)

    @staticmethod
    def _is_own(cells: Cells, side: str) -> bool:
        """Return whether a side's fee is in the row's currency."""
        return cells[f"{side}_fee_currency"] == cells["currency"]
