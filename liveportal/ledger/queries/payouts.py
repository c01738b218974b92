"""Payouts: previews, forecasts and sent payouts, with the earnings that each of them pays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, ClassVar

from liveportal.domain.calculations.forecast import ONE_DAY, Overdue, forecast, letter, overdue
from liveportal.domain.calculations.payout_plan import (
    PayoutPosition,
    due_date,
    open_by_month,
    preview,
)
from liveportal.domain.clock import day_ends, from_text, local_date
from liveportal.domain.money import Money
from liveportal.domain.policy import Counts
from liveportal.domain.row import Row, pick, row
from liveportal.ledger.format.open_items import open_items, open_months
from liveportal.ledger.queries import profile
from liveportal.ledger.queries.history import HistoryRow, history, with_flags_of
from liveportal.ledger.queries.reader import Reader, instant


@row
class EvidenceRow(Row):
    """The row of a file that shows an arrival; `time` is the row's own instant or date."""

    IS_CELL = True

    file_sha256: str
    line: int
    row: str
    time: str | None


@row
class PayoutRow(Row):
    """A payout as lists show it.

    `fee` was charged for the transfer, `received` credited in a currency of its own. Details of an
    arrival that no report states are None.
    """

    LATER: ClassVar[tuple[str, ...]] = (
        "fee",
        "received",
        "received_currency",
        "arrived_at",
        "evidence",
    )

    id: str
    state: str
    amount: Money
    currency: str
    method: str
    sent_at: datetime
    reference: str | None
    flags: list[str]
    fee: Money | None
    received: Money | None
    received_currency: str | None
    arrived_at: datetime | None
    evidence: EvidenceRow | None


@row
class PayoutLine(Row):
    """What a payout pays of a transaction: the whole, or a part."""

    transaction: int
    kind: str
    session: str | None
    adjustment: str | None
    period: str
    amount: Money


@row
class PayoutDetail(PayoutRow):
    """A payout with its lines and its history; `aliases` are its other ids."""

    LATER = (*PayoutRow.LATER, "aliases")

    lines: list[PayoutLine]
    history: list[HistoryRow]
    aliases: list[str]


@row
class PayoutResult(Row):
    """What commands show after they changed a payout."""

    amount: Money
    currency: str
    method: str
    reference: str | None


@row
class Blocker(Row):
    """A reason why nothing is paid out."""

    code: str
    message: str


@row
class OpenMonth(Row):
    """What no payout has paid of a month, and when it is due."""

    month: str
    due_on: date | None
    amount: Money


@row
class PayoutPreview(Row):
    """The payout that would be made on the day `as_of`, and what blocks it."""

    as_of: date
    eligible: Money
    currency: str
    minimum: Money
    due_on: date | None
    carried: Money
    blocked: list[Blocker]
    lines: list[PayoutLine]
    owed: Money
    held: Money
    overdue: Money
    months: list[OpenMonth]


@row
class ForecastRow(Row):
    """An expected payout, with the total of all up to it; `blocked` are codes."""

    on: date
    months: list[str]
    amount: Money
    total: Money
    carried: Money
    currency: str
    blocked: list[str]


@row
class LatePayout(Row):
    """A payout that was sent and has not arrived, `days` after it was sent."""

    id: str
    amount: Money
    method: str
    sent_at: datetime
    days: int


@row
class OverdueRow(Row):
    """What is overdue, with a letter to request it; `late` are payouts that have not arrived."""

    as_of: date
    amount: Money
    currency: str
    months: list[OpenMonth]
    letter: str
    late: list[LatePayout]


_LINES = """
    SELECT payout_line.item AS "transaction", entry.kind, entry.session, entry.adjustment,
           entry.period, payout_line.amount_minor
    FROM payout_line JOIN "transaction" AS entry ON entry.id = payout_line.item
    WHERE payout_line.payout = ? ORDER BY entry.time, entry.id
"""


def payout_position(reader: Reader, *, items: bool = False) -> PayoutPosition:
    """Return the data from which payouts are calculated: open items, or sums by month.

    With `items`, the items are those of the ledger, as the lines of a payout need them.
    """
    # Parts of items count in gross, each with its own rounding.
    by_month = not items and reader.policy.payout.minimum_counts is Counts.SHARE
    sums = open_months(reader.db) if by_month else None
    first = reader.one('SELECT min("end") AS ended FROM session WHERE gross_minor > 0')
    return PayoutPosition(
        owed_minor=open_balance(reader)["owed"],
        items=open_items(reader.db) if sums is None else sums,
        first_billed_end=instant(first["ended"]) if first else None,
        missing_on=profile.missing_on(reader),
        policy=reader.policy,
    )


def preview_on(reader: Reader, on: date, *, lines: bool = True) -> PayoutPreview:
    """Return the payout that would be made on a day, and what blocks it (rulebook 8).

    Without `lines` it has none: they take much longer than the rest.
    """
    position, balance = payout_position(reader, items=lines), open_balance(reader)
    late = overdue(position, on)
    plan = preview(position, on)
    shown = plan.lines if lines else ()
    kinds = _kinds(reader, [line.item for line in shown])
    return PayoutPreview(
        as_of=plan.as_of,
        eligible=reader.money(plan.eligible_minor),
        currency=reader.currency,
        minimum=reader.policy.payout_minimum,
        due_on=plan.due_on,
        carried=reader.money(plan.carried_minor),
        blocked=[Blocker(code=block.code, message=block.message) for block in plan.blocked],
        lines=[_line(reader, kinds[line.item], line.minor) for line in shown],
        owed=reader.money(balance["owed"]),
        held=reader.money(balance["held"]),
        overdue=reader.money(late.minor if late else 0),
        months=[
            OpenMonth(
                month=month, due_on=due_date(month, reader.policy), amount=reader.money(minor)
            )
            for month, minor in open_by_month(position.items)
        ],
    )


def forecast_on(reader: Reader, on: date) -> list[ForecastRow]:
    """Return the expected payouts, each with its amount and the running total."""
    total_minor, rows = 0, []
    for expected in forecast(payout_position(reader), on):
        total_minor += expected.minor
        rows.append(
            ForecastRow(
                on=expected.on,
                months=list(expected.months),
                amount=reader.money(expected.minor),
                total=reader.money(total_minor),
                carried=reader.money(expected.carried_minor),
                currency=reader.currency,
                blocked=[block.code for block in expected.blocked],
            )
        )
    return rows


def overdue_on(reader: Reader, on: date) -> OverdueRow | None:
    """Return the payout that is overdue on a day, and those that are late, with a letter; or None.

    A payout is late once the days of its method have passed (`payout_window`).
    """
    unpaid = overdue(payout_position(reader), on)
    late = _late(reader, on)
    if unpaid is None and not late:
        return None
    owed = unpaid or Overdue(0, ())
    policy = reader.policy.payout
    return OverdueRow(
        as_of=on,
        amount=reader.money(owed.minor),
        currency=reader.currency,
        months=[
            OpenMonth(month=month, due_on=due, amount=reader.money(minor))
            for month, due, minor in owed.months
        ],
        letter=letter(
            unpaid,
            [(each.id, each.amount, local_date(each.sent_at, reader.timezone)) for each in late],
            on,
            reader.currency,
            policy.due_days_after_month_end,
        ),
        late=late,
    )


def _late(reader: Reader, on: date) -> list[LatePayout]:
    """Return the payouts that were sent, and should have arrived before a day."""
    from liveportal.domain.calculations.payout_window import is_late  # No other read needs them.
    from liveportal.ledger.format.row_mapping import PAYOUT

    if on == date.min:
        return []
    now = day_ends(on - ONE_DAY, reader.timezone)
    rows = reader.db.execute(
        f"{PAYOUT.select} WHERE state = 'sent' ORDER BY sent_at, id"
    ).fetchall()
    return [
        LatePayout(
            id=payout.id,
            amount=reader.money(payout.amount_minor),
            method=payout.method,
            sent_at=payout.sent_at,
            days=(now - payout.sent_at).days,
        )
        for payout in map(PAYOUT.read, rows)
        if is_late(payout, now)
    ]


def open_balance(reader: Reader) -> dict[str, Any]:
    """Return what the platform owes and holds, in minor units."""
    (balance,) = reader.all(
        "SELECT coalesce(sum(owed), 0) AS owed, coalesce(sum(held), 0) AS held FROM month_money"
    )
    return balance


def payouts(reader: Reader, states: Sequence[str] = ()) -> list[PayoutRow]:
    """Return the payouts of the given states, or all, ordered by when they were sent."""
    where = f" WHERE state IN ({', '.join('?' * len(states))})" if states else ""
    rows = reader.all(f"SELECT * FROM payout{where} ORDER BY sent_at, id", *states)  # noqa: S608
    return [_row(reader, row) for row in rows]


def payout(reader: Reader, payout_id: str) -> PayoutDetail:
    """Return one payout with its lines and its history."""
    lines = [_line(reader, line, line["amount_minor"]) for line in reader.all(_LINES, payout_id)]
    events, listed = history(reader, f"payout:{payout_id}"), _one(reader, payout_id)
    flags = with_flags_of(events, listed.flags)
    aliases = reader.all(
        "SELECT alias FROM payout_alias WHERE payout = ? ORDER BY alias", payout_id
    )
    return PayoutDetail(
        **{**listed, "flags": flags},
        lines=lines,
        history=events,
        aliases=[row["alias"] for row in aliases],
    )


def result_fields(reader: Reader, payout_id: str) -> PayoutResult:
    """Return the fields that commands show after they changed a payout."""
    return pick(PayoutResult, _one(reader, payout_id))


def _one(reader: Reader, payout_id: str) -> PayoutRow:
    (payout_row,) = reader.all("SELECT * FROM payout WHERE id = ?", payout_id)
    return _row(reader, payout_row)


def _row(reader: Reader, payout_row: dict[str, Any]) -> PayoutRow:
    return PayoutRow(
        id=payout_row["id"],
        state=payout_row["state"],
        amount=reader.money(payout_row["amount_minor"]),
        currency=reader.currency,
        method=payout_row["method"],
        sent_at=from_text(payout_row["sent_at"]),
        reference=payout_row["reference"],
        flags=json.loads(payout_row["flags"]),
        fee=reader.money(payout_row["fee_minor"]),
        received=_received(reader, payout_row),
        received_currency=payout_row["received_currency"],
        arrived_at=instant(payout_row["arrived_at"]),
        evidence=_evidence(payout_row["evidence"]),
    )


def _received(reader: Reader, payout_row: dict[str, Any]) -> Money | None:
    """Return what was credited: in the digits of the book if it is in the book's currency."""
    minor, code = payout_row["received_minor"], payout_row["received_currency"]
    if minor is None:
        return None
    return Money(minor, reader.currency if code == reader.currency else code)


def _evidence(text: str | None) -> EvidenceRow | None:
    return EvidenceRow(**{"time": None, **json.loads(text)}) if text else None


def _line(reader: Reader, entry: dict[str, Any], minor: int) -> PayoutLine:
    return pick(PayoutLine, {**entry, "amount": reader.money(minor)})


def _kinds(reader: Reader, transactions: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = reader.all(
        'SELECT id AS "transaction", kind, session, adjustment, period FROM "transaction"'
        " WHERE id IN (SELECT value FROM json_each(?))",
        json.dumps(transactions),
    )
    return {row["transaction"]: row for row in rows}
