"""The open items of payouts, read from the ledger: one by one, or summed up by month."""

from __future__ import annotations

from liveportal.domain.clock import from_text
from liveportal.domain.entities import Item, OpenItem
from liveportal.ledger.format.row_mapping import ITEM
from liveportal.ledger.storage.driver import Connection

_COLUMNS = ", ".join(f'item."{name}"' for name in ITEM.columns)
# An undecided claim holds an amount of the earning that it would take back. The gross of an earning
# is what is left of it; that of a refund is zero, since the earning's gross is already reduced.
_OPEN = f"""
    SELECT coalesce(claim.hold_minor, 0),
           CASE WHEN entry.kind = 'refund' THEN 0
                ELSE session.gross_minor - session.refunded_minor END,
           session."end", session.policy,
           {_COLUMNS}
    FROM item
    JOIN "transaction" AS entry ON entry.id = item."transaction"
    LEFT JOIN session ON session.earning = item."transaction"
    LEFT JOIN claim ON claim.id = session.claim AND session.claim_undecided
    WHERE settled_minor <> face_minor
    ORDER BY item.time, item."transaction"
"""  # noqa: S608 (names of our own)


def open_items(db: Connection) -> list[OpenItem]:
    """Return the items that payouts have not fully settled, by time and transaction."""
    return [
        OpenItem(ITEM.read(item), held, gross, from_text(ended) if ended else None, policy)
        for held, gross, ended, policy, *item in db.execute(_OPEN).fetchall()
    ]


_SUMS = """
    SELECT period, min(time), max(time), sum(max(face_minor - settled_minor, 0))
    FROM item WHERE settled_minor <> face_minor AND face_minor >= 0 GROUP BY period ORDER BY period
"""
_NEGATIVE_SUMS = """
    SELECT period, min(time), sum(face_minor - settled_minor)
    FROM item WHERE settled_minor <> face_minor AND face_minor < 0 GROUP BY period
"""
_HELD = f"""
    SELECT claim.hold_minor, {_COLUMNS} FROM session INDEXED BY session_undecided
    JOIN claim ON claim.id = session.claim
    JOIN item ON item."transaction" = session.earning
    WHERE session.claim_undecided AND item.settled_minor <> item.face_minor
"""  # noqa: S608 (names of our own)


def open_months(db: Connection) -> list[OpenItem] | None:
    """Return the open items of each month as one item, those to take back as another.

    Payouts pay the oldest items first: the months give the same amounts as the items, unless items
    of different months alternate. Then returns None.
    """
    held: dict[tuple[str, bool], int] = {}
    for hold, *values in db.execute(_HELD).fetchall():
        item = ITEM.read(values)
        key = (item.period, item.face_minor < 0)
        less = OpenItem(item).open_minor - OpenItem(item, hold).open_minor
        held[key] = held.get(key, 0) + less
    items, before = list[Item](), ""
    for period, first, last, minor in db.execute(_SUMS).fetchall():
        if first <= before:
            return None
        before = last
        items.append(_sum(len(items), first, period, minor - held.get((period, False), 0)))
    for period, first, minor in db.execute(_NEGATIVE_SUMS).fetchall():
        items.append(_sum(len(items), first, period, minor - held.get((period, True), 0)))
    return [OpenItem(item) for item in items]


def _sum(number: int, time: str, period: str, minor: int) -> Item:
    return Item(transaction=-number, time=from_text(time), period=period, face_minor=minor)
