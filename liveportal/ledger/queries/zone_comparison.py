"""Finds the entries that other time zones would put in another month, from their instants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from liveportal.domain.accounts import TransactionKind
from liveportal.domain.calculations.months import Month, effects
from liveportal.domain.clock import from_text, month_of
from liveportal.domain.money import Money
from liveportal.domain.policy import SessionMonth
from liveportal.domain.row import Row, pick, row
from liveportal.ledger.queries.breakdown import booked_transactions
from liveportal.ledger.queries.earnings import FIRST, LAST
from liveportal.ledger.queries.reader import Reader


@row
class MovedRow(Row):
    """An entry that another zone puts in the month `would_be`.

    It has all figures of a month, so that the moved amounts add up in each of them.
    """

    zone: str
    month: str
    would_be: str
    kind: str
    session: str | None
    claim: str | None
    payout: str | None
    transaction: int | None
    time: datetime
    sessions: int
    free_sessions: int
    amount: Money
    owed: Money
    currency: str
    minutes: str
    gross: Money
    platform_fee: Money
    refund_claims: int
    disputes: int
    refunds: int
    refunded: Money
    deducted: Money
    tips: Money
    adjustments: Money
    held: Money
    in_transit: Money
    paid_out: Money
    transfer_fees: Money


_COUNTS = """
    SELECT session, kind, time, period, start, "end", billed_us, sessions, free_sessions,
           "transaction"
    FROM session_count ORDER BY seq, n
"""
_DISPUTES = """
    SELECT claim.session, dispute.claim, dispute.filed_at, dispute.period
    FROM dispute JOIN claim ON claim.id = dispute.claim ORDER BY dispute.seq
"""


class _MonthlyEntry(NamedTuple):
    """An entry that counts in a month, with its subjects and the instant that decides its month.

    `figures` are those of a `Month`.
    """

    kind: str
    month: str
    instant: datetime
    time: datetime
    figures: Mapping[str, int]
    session: str | None = None
    claim: str | None = None
    payout: str | None = None
    transaction: int | None = None


def moved_entries(reader: Reader, zones: Sequence[str]) -> list[MovedRow]:
    """Return the entries that fall in another month in each of the zones, by zone and book month.

    A session and its earning are one row, as are a correction and its transaction; entries without
    money (a free session, the filing of a dispute) are separate rows.
    """
    entries = [*_transactions(reader), *_disputes(reader)]
    moves = [
        (zone, would_be, entry)
        for zone in zones
        for entry in entries
        if (would_be := month_of(entry.instant, zone)) != entry.month
    ]
    moves.sort(key=lambda move: (zones.index(move[0]), move[2].month, move[1]))
    return [_row(reader, *move) for move in moves]


def _row(reader: Reader, zone: str, would_be: str, entry: _MonthlyEntry) -> MovedRow:
    month = Month(month=entry.month, **entry.figures).row(zone, reader.currency)
    values = {**month, **month.balance, **entry._asdict()}
    return pick(MovedRow, values | {"amount": month.net, "zone": zone, "would_be": would_be})


def _transactions(reader: Reader) -> Iterator[_MonthlyEntry]:
    """Yield all transactions with their counts, then the counts that have no transaction."""
    counts = [_Count.of(row, reader) for row in reader.all(_COUNTS)]
    with_money = {count.transaction: count for count in counts if count.transaction is not None}
    for number, entry in booked_transactions(reader, FIRST, LAST):
        figures: Mapping[str, int] = effects(entry)
        if entry.kind is TransactionKind.HOLD:
            figures = {**figures, "refund_claims": 1}
        count = with_money.get(number)
        yield _MonthlyEntry(
            kind=str(entry.kind),
            month=entry.period,
            instant=count.instant if count else entry.time,
            time=entry.time,
            figures={**figures, **count.figures} if count else figures,
            session=entry.session,
            claim=entry.claim,
            payout=entry.payout,
            transaction=number,
        )
    netted: Counter[tuple[object, ...]] = Counter()
    for count in counts:
        netted[count[:4]] += count.figures["free_sessions"]
    for count in counts:
        # If another policy moved a free session to another month, it cancels out in the first one.
        if count.transaction is None and netted[count[:4]]:
            kind = "session" if count.kind == TransactionKind.EARNING else count.kind
            yield _MonthlyEntry(
                kind, count.month, count.instant, count.time, count.figures, count.session
            )


class _Count(NamedTuple):
    """The contribution of a bill or a correction to the counts of a month."""

    session: str
    kind: str
    month: str
    instant: datetime
    time: datetime
    figures: Mapping[str, int]
    transaction: int | None

    @classmethod
    def of(cls, row: Mapping[str, Any], reader: Reader) -> _Count:
        """Read a row. A bill counts in the month of its session, a correction in its own month."""
        time = from_text(row["time"])
        by_start = reader.policy.period.session_month is SessionMonth.START
        billed = row["kind"] == TransactionKind.EARNING
        return cls(
            session=row["session"],
            kind=row["kind"],
            month=row["period"],
            instant=from_text(row["start" if by_start else "end"]) if billed else time,
            time=from_text(row["end"]) if billed else time,
            figures={name: row[name] for name in ("billed_us", "sessions", "free_sessions")},
            transaction=row["transaction"],
        )


def _disputes(reader: Reader) -> Iterator[_MonthlyEntry]:
    for dispute in reader.all(_DISPUTES):
        filed = from_text(dispute["filed_at"])
        subjects = dispute["session"], dispute["claim"]
        yield _MonthlyEntry("dispute", dispute["period"], filed, filed, {"disputes": 1}, *subjects)
