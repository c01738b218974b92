"""Stripe's reports of balance transactions: the itemised report, and the export of all of them.

In a Stripe balance a platform's money arrives as a payment, and leaves as a payout to the bank.
Which of the two is the platform's payout depends on the account, so the user says it (`hop`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar

from liveportal.domain.errors import InvalidArgument, UnknownRow
from liveportal.domain.frozen import replace
from liveportal.domain.hint import Hint
from liveportal.statements.candidate import Candidate
from liveportal.statements.formats import Figures, Format, Refusal, is_negative, split_moment, texts
from liveportal.statements.options import Options
from liveportal.statements.proofs import Problem, moved
from liveportal.statements.report_zone import ReportZone
from liveportal.statements.rows import Meaning, StatementRow
from liveportal.tables.columns import CellReader, Cells, Columns
from liveportal.tables.dates import read_date, read_time

_OWN_ROWS = {"payout": ("po_",), "transfer": ("py_", "ch_", "tr_")}
"""How the ids of what a hop is begin."""
_WHOLE_AFTER = timedelta(days=31)  # No payout has rows that are older.
_LEAST_GROUP = 2
_ZONE_HINT = Hint("Give the time zone that you chose for the report: {your_time_zone}.")


@cache
def words() -> Mapping[str, Any]:
    """Return the names of columns and categories."""
    return tomllib.loads(files(__package__).joinpath("stripe.toml").read_text("utf-8"))


@cache
def _group(category: str) -> str | None:
    """Return what a category or type means, None if it is not listed."""
    return next(
        (name for name, listed in words()["categories"].items() if category in listed), None
    )


class Stripe(Format):
    """What all of Stripe's files share. Fees are positive, and `gross - fee = net`."""

    provider = "stripe"
    amounts: Mapping[str, str] = dict.fromkeys(("gross", "fee", "net"), "currency")
    order = "ymd"
    shape: ClassVar[str]
    hop = ""

    def columns(self) -> Sequence[Columns]:
        """Return the columns, which are in English."""
        return [Columns.declared("en", words()[self.shape]["en"])]

    def begin(self, options: Options) -> None:
        """Take the hop."""
        self.hop = options.hop or ""
        self._payouts: set[str] = set()
        self._explained: set[str] = set()

    def observe(self, line: int, cells: Cells) -> None:
        """Notice payouts, and those that have rows."""
        del line
        if "payout" in cells and _group(cells["category"]) == "payout":
            self._payouts.add(cells.get("source", ""))
        elif "payout" in cells:
            self._explained.add(cells["payout"])

    def surveyed(self, reader: CellReader) -> Sequence[str]:
        """Note payouts of which no transactions are named, as of those made by hand."""
        alone = sorted(self._payouts - self._explained - {""})
        if not alone:
            return ()
        more = f" and {len(alone) - 1} more" if len(alone) > 1 else ""
        file = reader.place.file
        return (f"{file} does not name the transactions of the payout {alone[0]}{more}.",)

    def reader(self, file: Candidate) -> CellReader | None:
        """Return the reader; raises `InvalidArgument` if the user has not said the hop."""
        found = super().reader(file)
        if found and not self.hop:
            raise hop_needed(file)
        return found

    def fit(self, header: Collection[str]) -> Columns | None:
        """Return the columns, with those for metadata, whose names users choose."""
        found = super().fit(header)
        if found is None:
            return None
        extra = {
            f"metadata {name}": (name,)
            for name in header
            if name.endswith("(metadata)") or "metadata[" in name
        }
        return replace(found, names={**found.names, **extra})

    def meaning(self, cells: Cells) -> Meaning:
        """Return what the category means on the hop that the user named."""
        group = _group(cells["category"])
        if group is None:
            return Meaning.UNLISTED
        if self.hop == "payout" and group not in {"payout", "undone"}:
            return Meaning.OTHER  # In `finished` it becomes a memo: the bank does not see it.
        by_hop = {"payout": Meaning.OWN_TRANSFER, "undone": Meaning.OWN_TRANSFER}
        if self.hop == "payout":
            by_hop = {"payout": Meaning.PAYMENT, "undone": Meaning.RETURN}
        if group == "hold" and not is_negative(cells.get("gross") or cells["net"]):
            return Meaning.RELEASE
        return by_hop.get(group) or Meaning(group)

    def refusal(self, cells: Cells) -> Refusal | None:
        """Refuse a payout's own row of a category that is not listed."""
        is_own = cells.get("source", "").startswith(_OWN_ROWS[self.hop])
        if is_own and _group(cells["category"]) is None:
            reason = "is not a known category, and the row is a payout's own"
            return Refusal("category", reason, UnknownRow)
        return None

    def figures(self, cells: Cells, given: Mapping[str, int | None]) -> Figures:
        """Return the amounts with the fee as what it takes."""
        del cells
        gross, fee, net = (given.get(role) for role in ("gross", "fee", "net"))
        fee = None if fee is None else -fee
        return Figures(net if gross is None else gross, gross, fee, net)

    def references_of(self, cells: Cells) -> tuple[str, ...]:
        """Return the source's id first, then what else may name a payout."""
        metadata = (text for role, text in cells.items() if role.startswith("metadata ") and text)
        return (cells.get("source", ""), *texts(cells, "payout", "id", "description"), *metadata)

    def prepare(self, cells: dict[str, str]) -> None:
        """Take the moment in UTC, and the parent: the payout, or the charge that went back."""
        cells["category"] = cells["category"].casefold()
        cells["type"] = cells["category"]
        cells["parent"] = cells.get("charge", "")
        cells["date"] = cells.get("created_utc", "")
        cells["zone"] = "UTC"
        split_moment(cells)

    def finished(self, rows: Sequence[StatementRow]) -> Sequence[StatementRow]:
        """Return the rows with parents as ids of rows; for the hop payout, as the bank has them."""
        by_source: dict[str, str] = {}
        for row in rows:
            if row.meaning not in {Meaning.MEMO, Meaning.RETURN}:
                by_source.setdefault(row.references[0], row.row)
        return [self._seen(row, by_source) for row in rows]

    def _seen(self, row: StatementRow, by_source: Mapping[str, str]) -> StatementRow:
        source = row.references[0]
        parent = by_source.get(row.parent or "", row.parent)
        if row.meaning is Meaning.RETURN and self.hop == "payout":
            parent = by_source.get(source, source)
        parent = None if parent == row.row else parent
        if self.hop != "payout" or row.meaning is Meaning.UNLISTED:
            return replace(row, parent=parent)
        if row.meaning in {Meaning.PAYMENT, Meaning.RETURN}:
            arrived = -moved(row)  # What Stripe keeps of a payout never reaches the bank.
            return replace(row, parent=parent, amount=arrived, gross=None, fee=None, net=None)
        return replace(row, parent=parent, meaning=Meaning.MEMO)

    def groups(self, rows: Sequence[StatementRow]) -> Iterable[Problem | None]:
        """Judge the rows of each payout, which add up to nothing, where the file has all of them.

        A payout may have rows from before the file begins, so one of its first month is not judged
        unless it is whole. A payout that was made by hand has no rows but its own.
        """
        of_payout: dict[str, list[StatementRow]] = {}
        for row in rows:
            if _group(row.type) == "undone":  # It comes back after the payout was made.
                continue
            for name in {row.references[0], *row.references[1:2]}:
                if name.startswith("po_"):
                    of_payout.setdefault(name, []).append(row)
        begins = min((row.day for row in rows), default=None)
        for name, group in of_payout.items():
            own = next((row for row in group if row.references[0] == name), None)
            if own is None or begins is None or len(group) < _LEAST_GROUP:
                continue
            total = sum(moved(row) for row in group)
            if not total:
                yield None
            elif own.day - begins > _WHOLE_AFTER:
                yield own.line, f"the rows of the payout {name} do not add up to zero."


class StripeTransactions(Stripe):
    """The export of all transactions: types, and times in UTC to the minute."""

    name = "stripe-transactions"
    label = "Stripe export of all transactions, CSV"
    shape = "transactions"
    required = frozenset(
        ("id", "category", "source", "gross", "fee", "net", "currency", "created_utc")
    )


class StripeItemised(Stripe):
    """The itemised report: the user chooses columns, and local times have the report's zone."""

    name = "stripe-itemised"
    label = "Stripe itemised report, CSV"
    shape = "itemised"
    required = frozenset(("id", "category", "currency", "net"))
    _zone: ReportZone
    _contradictions: list[tuple[int, str, str]]
    _is_settled = False
    _has_local_times = False

    def begin(self, options: Options) -> None:
        """Begin to look for the report's zone."""
        super().begin(options)
        self._zone = ReportZone(options.timezone)
        self._contradictions = []

    def fit(self, header: Collection[str]) -> Columns | None:
        """Return the columns if one of them has a date."""
        found = super().fit(header)
        dates = {"created", "created_utc", "available", "available_utc"}
        return found if found and dates & found.present(header) else None

    def prepare(self, cells: dict[str, str]) -> None:
        """Take the moment in UTC, or else in the report's zone as far as it is proved."""
        super().prepare(cells)
        if cells["date"]:
            return
        known = cells.get("available_utc", "")
        local = cells.get("created") or ("" if known else cells.get("available", ""))
        cells["date"] = local or known
        split_moment(cells)
        if not local:
            return
        self._has_local_times = True
        moment = _moment(cells["date"], cells.get("time", ""))
        found = self._zone.offset(moment) if moment and self._is_settled else None
        cells["zone"] = found or "UTC"
        if self._is_settled and not found:
            cells["time"] = ""

    def observe(self, line: int, cells: Cells) -> None:
        """Compare local times with those that are known in UTC."""
        super().observe(line, cells)
        if cells.get("created_utc"):
            return
        for role in ("effective", "available"):
            local, known = _whole(cells.get(role, "")), _whole(cells.get(f"{role}_utc", ""))
            if local is None or (known is None and role == "available"):
                continue
            if self._zone.contradicts(local, known and known.replace(tzinfo=UTC)):
                self._contradictions.append((line, role, cells[role]))

    def surveyed(self, reader: CellReader) -> Sequence[str]:
        """Settle the zone; raises `BadValue` where the file contradicts it."""
        self._is_settled = True
        for line, role, text in self._contradictions:
            where = f"in the zone {self._zone.given}" if self._zone.given else "in a zone"
            reason = f"is not midnight in UTC, {where} that fits the rows before"
            raise reader.bad_value(line, role, text, reason, _ZONE_HINT)
        if self._has_local_times and not (self._zone.is_proved or self._zone.given):
            sentence = (
                f"{reader.place.file} does not show its time zone, so its rows have days only."
            )
            return (sentence, *super().surveyed(reader))
        return super().surveyed(reader)


def _whole(text: str) -> datetime | None:
    day, _, clock = text.replace("T", " ", 1).partition(" ")
    return _moment(day, clock)


def _moment(day: str, clock: str) -> datetime | None:
    date, parts = read_date(day, "ymd"), read_time(clock.strip())
    if date is None or parts is None:
        return None
    return datetime(date.year, date.month, date.day, *parts)  # noqa: DTZ001 -- Local.


def hop_needed(file: Candidate) -> InvalidArgument:
    """Return the refusal of a Stripe file without a hop."""
    return InvalidArgument(
        "hop",
        f"{file.place.file} is from Stripe, where a payout of the platform is either a transfer"
        " into the Stripe balance or a payout from it to the bank.",
    )
