"""What would be in another month if another zone cut them: from instants, never from periods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from liveportal.domain.accounts import TransactionKind
from liveportal.domain.calculations.months import Month, effects
from liveportal.domain.clock import from_text, month_of
from liveportal.domain.policy import SessionMonth
from liveportal.ledger.queries.breakdown import booked
from liveportal.ledger.queries.earnings import FIRST, LAST
from liveportal.ledger.queries.reader import Reader, Row

FIELDS = (
    *("zone", "month", "would_be", "kind", "session", "claim", "payout", "transaction", "time"),
    *("sessions", "free_sessions", "amount", "owed", "currency", "minutes", "gross"),
    *("platform_fee", "refund_claims", "disputes", "refunds", "refunded", "deducted", "tips"),
    *("adjustments", "held", "in_transit", "paid_out"),
)
"""Each row has every figure of a month, so that what moves adds up in all of them."""

_COUNTS = """
    SELECT session, kind, time, period, start, "end", billed_us, sessions, free_sessions,
           "transaction"
    FROM session_count ORDER BY seq, n
"""
_DISPUTES = """
    SELECT claim.session, dispute.claim, dispute.filed_at, dispute.period
    FROM dispute JOIN claim ON claim.id = dispute.claim ORDER BY dispute.seq
"""


class _Moved(NamedTuple):
    """Something that counts in a month: what it is about, and the instant that decides its month.

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


def moved(reader: Reader, zones: Sequence[str]) -> list[Row]:
    """Return what falls in another month in each of the zones, by zone and by the book's month.

    A session is one row with its earning, and a correction one with what it booked; what moves no
    money (a free session, the filing of a dispute) is a row of its own.
    """
    things = [*_booked(reader), *_disputes(reader)]
    found = [
        (zone, would_be, thing)
        for zone in zones
        for thing in things
        if (would_be := month_of(thing.instant, zone)) != thing.month
    ]
    found.sort(key=lambda each: (zones.index(each[0]), each[2].month, each[1]))
    return [_row(reader, *each) for each in found]


def _row(reader: Reader, zone: str, would_be: str, thing: _Moved) -> Row:
    month: dict[str, Any] = Month(month=thing.month, **thing.figures).row(zone, reader.currency)
    figures = month | month["balance"] | {"amount": month["net"]} | thing._asdict()
    row = figures | {"zone": zone, "would_be": would_be}
    return {name: row[name] for name in FIELDS}


def _booked(reader: Reader) -> Iterator[_Moved]:
    """Yield all transactions, each with what it counts, and what counts without a transaction."""
    counts = [_Count.of(row, reader) for row in reader.all(_COUNTS)]
    with_money = {each.transaction: each for each in counts if each.transaction is not None}
    for number, entry in booked(reader, FIRST, LAST):
        figures: Mapping[str, int] = effects(entry)
        if entry.kind is TransactionKind.HOLD:
            figures = {**figures, "refund_claims": 1}
        count = with_money.get(number)
        yield _Moved(
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
        # A free session that another policy moved between months cancels out in the first.
        if count.transaction is None and netted[count[:4]]:
            kind = "session" if count.kind == TransactionKind.EARNING else count.kind
            yield _Moved(kind, count.month, count.instant, count.time, count.figures, count.session)


class _Count(NamedTuple):
    """What a bill or a correction adds to the counts of a month."""

    session: str
    kind: str
    month: str
    instant: datetime
    time: datetime
    figures: Mapping[str, int]
    transaction: int | None

    @classmethod
    def of(cls, row: Mapping[str, Any], reader: Reader) -> _Count:
        """Read a row; a bill is in the month of its session, a correction in its own."""
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


def _disputes(reader: Reader) -> Iterator[_Moved]:
    for row in reader.all(_DISPUTES):
        filed = from_text(row["filed_at"])
        figures = {"disputes": 1}
        yield _Moved("dispute", row["period"], filed, filed, figures, row["session"], row["claim"])
