"""The open items of payouts, read from the ledger, or updated in memory."""

from __future__ import annotations

from collections.abc import Iterable

from liveportal.domain.clock import from_text
from liveportal.domain.entities import Claim, Item, OpenItem, Session
from liveportal.domain.frozen import replace
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


class OpenItems:
    """The open items of a book, kept up to date in memory.

    They equal the result of `open_items` after all pending changes are written.
    """

    def __init__(self, items: Iterable[OpenItem]) -> None:
        self._items = {open_item.item.transaction: open_item for open_item in items}

    def in_order(self) -> list[OpenItem]:
        """Return the items by time and transaction."""
        by_transaction = sorted(self._items.items(), key=lambda pair: (pair[1].item.time, pair[0]))
        return [open_item for _, open_item in by_transaction]

    def book(self, item: Item, *, refunds: bool) -> None:
        """Add a newly booked item; one that `refunds` has a gross of zero."""
        self._items[item.transaction] = OpenItem(item, gross_minor=0 if refunds else None)

    def settle(self, item: Item) -> bool:
        """Apply a payout's settlement of an item; return False if it reopens an unknown item."""
        known = self._items.pop(item.transaction, None)
        if item.settled_minor == item.face_minor:
            return True
        if known is not None:
            self._items[item.transaction] = replace(known, item=item)
        return known is not None

    def weigh(self, session: Session, claim: Claim | None) -> None:
        """Update an earning with its session's remaining gross and the hold of its open claim."""
        if known := self._items.get(session.earning or 0):
            self._items[known.item.transaction] = OpenItem(
                known.item,
                held_minor=claim.hold_minor if claim else 0,
                gross_minor=session.left_minor,
                ended=session.end,
                policy=session.policy,
            )

    def detach_earning(self, earning: int | None) -> None:
        """Clear the session data of an item that is no longer any session's earning."""
        if known := self._items.get(earning or 0):
            self._items[known.item.transaction] = OpenItem(known.item)
