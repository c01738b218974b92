"""Stripe's objects as JSON: events of webhooks, payouts, and balance transactions.

Amounts are whole numbers of minor units, with Stripe's own digits for each currency, and times are
seconds since 1970. What has no amount says nothing about money, and is not a row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from liveportal.domain.money import format_minor
from liveportal.statements.candidate import Candidate
from liveportal.statements.formats import texts
from liveportal.statements.options import Options
from liveportal.statements.rows import Meaning
from liveportal.statements.stripe import Stripe, hop_needed, words
from liveportal.tables.columns import CellReader, Cells
from liveportal.tables.json_rows import JsonObject, JsonReader, number_of, text_of, value_at

_OBJECTS = (b"event", b"balance_transaction", b"payout", b"charge", b"list")
_IS_OBJECT = re.compile(rb'"object"\s*:\s*"(?:' + b"|".join(_OBJECTS) + rb')"')
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_LATEST = 4_102_444_800  # The year 2100.
_PAYOUT_DONE = {"paid", "payout.paid"}
_PAYOUT_UNDONE = {"payout.failed"}
_CHARGED = {"charge.succeeded", "charge"}
_ROLES = {
    "id": "id",
    "gross": "amount",
    "fee": "fee",
    "net": "net",
    "currency": "currency",
    "date": "created",
    "category": "type",
}


class StripeEvents(Stripe):
    """Events, payouts and balance transactions, one a line or in arrays."""

    name = "stripe-events"
    label = "Stripe events or objects, JSON"
    mark = "."

    def begin(self, options: Options) -> None:
        """Begin to note events: one may be delivered more than once."""
        super().begin(options)
        self._events: set[str] = set()

    def surveyed(self, reader: CellReader) -> Sequence[str]:
        """Forget the events before the second pass."""
        del reader
        self._events.clear()
        return ()

    def reader(self, file: Candidate) -> CellReader | None:
        """Return the reader; raises `InvalidArgument` if the user has not said the hop."""
        if not file.head.startswith((b"{", b"[")) or not _IS_OBJECT.search(file.head):
            return None
        if not self.hop:
            raise hop_needed(file)
        return JsonReader(file.place, ("data",), self._cells, self.prepare, _ROLES)

    def prepare(self, cells: dict[str, str]) -> None:
        """Add what every row has."""
        cells["type"] = cells["category"]

    def moves_money(self, cells: Cells, meaning: Meaning) -> bool | None:
        """Return False for what only announces a payment."""
        return meaning is not Meaning.MEMO and cells["moves"] == "yes"

    def references_of(self, cells: Cells) -> tuple[str, ...]:
        """Return the source's id first, then what else may name a payout."""
        return (cells["source"], *texts(cells, "id", "description", "metadata"))

    def _cells(self, reader: CellReader, line: int, found: JsonObject) -> dict[str, str] | None:
        kind = text_of(reader, line, found, "category", "object")
        event = ""
        if kind == "event":
            name = text_of(reader, line, found, "id", "id")
            if name in self._events:
                return None
            self._events.add(name)
            event = text_of(reader, line, found, "category", "type")
            inner = value_at(found, "data.object")
            if not isinstance(inner, dict):
                raise reader.bad_value(line, "data.object", str(inner), "is not an object", None)
            found = {**inner, "created": found.get("created")}
            kind = text_of(reader, line, found, "category", "object")
        make = _KINDS.get(kind)
        if make is None or value_at(found, "amount") is None:
            return None
        return make(_Object(reader, line, found, event))


class _Object:
    """An object of a known kind, with the type of its event, if it came in one."""

    def __init__(self, reader: CellReader, line: int, found: JsonObject, event: str) -> None:
        self._reader, self._line, self._found = reader, line, found
        self.event = event

    def text(self, path: str) -> str:
        """Return a text; an object that was expanded has an id in its place."""
        value = value_at(self._found, path)
        if isinstance(value, dict):
            path = f"{path}.id"
        return text_of(self._reader, self._line, self._found, path, path)

    def whole(self, path: str) -> int:
        """Return a whole number; raises `BadValue` for anything else, such as a text."""
        given = number_of(self._reader, self._line, self._found, path, path)
        if not _WHOLE.fullmatch(given):
            reason = "is not a whole number of minor units"
            raise self._reader.bad_value(self._line, path, given, reason, None)
        return int(given)

    def amount(self, path: str, sign: int = 1) -> str:
        """Return an amount in units of its currency."""
        currency = self.text("currency").upper()
        listed: Mapping[str, list[str]] = words()["digits"]
        digits = next((int(n) for n, codes in listed.items() if currency in codes), 2)
        return format_minor(sign * self.whole(path), digits)

    def cells(self, category: str, *, moves: bool, moment: str = "created") -> dict[str, str]:
        """Return the cells that all kinds have."""
        seconds = self.whole(moment)
        if not 0 <= seconds <= _LATEST:
            reason = "is not a time in seconds since 1970"
            raise self._reader.bad_value(self._line, "date", str(seconds), reason, None)
        at = datetime.fromtimestamp(seconds, UTC)
        metadata = value_at(self._found, "metadata")
        values = metadata.values() if isinstance(metadata, dict) else ()
        return {
            "date": f"{at:%Y-%m-%d}",
            "time": f"{at:%H:%M:%S}",
            "zone": "UTC",
            "currency": self.text("currency"),
            "category": category,
            "moves": "yes" if moves else "no",
            "source": self.text("id"),
            "parent": "",
            "description": self.text("description"),
            "metadata": " ".join(value for value in values if isinstance(value, str)),
        }


def _balance_transaction(found: _Object) -> dict[str, str]:
    category = found.text("reporting_category") or found.text("type")
    return {
        **found.cells(category, moves=True),
        "id": found.text("id"),
        "source": found.text("source"),
        "gross": found.amount("amount"),
        "fee": found.amount("fee"),
        "net": found.amount("net"),
    }


def _payout(found: _Object) -> dict[str, str]:
    """Return a payout as its row in Stripe's balance, whose id it has, so that both are one row."""
    own, row = found.text("id"), found.text("balance_transaction")
    is_undone = found.event in _PAYOUT_UNDONE
    state = found.event or found.text("status")
    is_done = state in _PAYOUT_DONE
    category = "payout_failure" if is_undone else "payout"
    cells = found.cells(category, moves=is_done or is_undone, moment="created")
    if is_undone:
        row = found.text("failure_balance_transaction") or f"{own}:failed"
    elif not is_done:
        row = f"{own}:{state}"
    sign = 1 if is_undone else -1
    return {**cells, "id": row or own, "parent": own, "gross": found.amount("amount", sign)}


def _charge(found: _Object) -> dict[str, str]:
    is_done = (found.event or "charge") in _CHARGED and found.text("status") == "succeeded"
    name = found.text("balance_transaction") or found.text("id")
    if not is_done:
        name = f"{found.text('id')}:{found.event or found.text('status')}"
    cells = found.cells("charge", moves=is_done)
    return {**cells, "id": name, "gross": found.amount("amount")}


_KINDS: Mapping[str, Callable[[_Object], dict[str, str]]] = {
    "balance_transaction": _balance_transaction,
    "payout": _payout,
    "charge": _charge,
}
