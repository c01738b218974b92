"""The open items of payouts, read from the ledger, or updated in memory."""

from __future__ import annotations

from collections.abc import Iterable

from liveportal.domain.clock import from_text
from liveportal.domain.entities import NOT_LOOKED_UP, Claim, OpenItem, Session
from liveportal.domain.frozen import replace
from liveportal.ledger.storage.driver import Connection

# An undecided claim holds an amount of the earning that it would take back. The gross of an earning
# is what is left of it; that of a refund is zero, since the earning's gross is already reduced.
_OPEN = """
    SELECT item."transaction", item.time, item.period, face_minor, settled_minor, item.session,
           coalesce(claim.hold_minor, 0),
           CASE WHEN entry.kind = 'refund' THEN 0
                ELSE session.gross_minor - session.refunded_minor END,
           session."end", session.policy
    FROM item
    JOIN "transaction" AS entry ON entry.id = item."transaction"
    LEFT JOIN session ON session.earning = item."transaction"
    LEFT JOIN claim ON claim.id = session.claim AND session.claim_undecided
    WHERE settled_minor <> face_minor
    ORDER BY item.time, item."transaction"
"""


def open_items(db: Connection) -> list[OpenItem]:
    """Return the items that payouts have not fully settled, by time and transaction."""
    return [
        OpenItem(
            transaction=number,
            time=from_text(time),
            period=period,
            face_minor=face,
            settled_minor=settled,
            session=session,
            held_minor=held,
            gross_minor=gross,
            ended=from_text(ended) if ended else None,
            policy=policy,
        )
        for number, time, period, face, settled, session, held, gross, ended, policy in db.execute(
            _OPEN
        ).fetchall()
    ]


class OpenItems:
    """The open items of a book, kept up to date in memory.

    They equal the result of `open_items` after all pending changes are written.
    """

    def __init__(self, items: Iterable[OpenItem]) -> None:
        self._items = {item.transaction: item for item in items}

    def in_order(self) -> list[OpenItem]:
        """Return the items by time and transaction."""
        return sorted(self._items.values(), key=lambda item: (item.time, item.transaction))

    def book(self, item: OpenItem, *, refunds: bool) -> None:
        """Add a newly booked item; one that `refunds` has a gross of zero."""
        self._items[item.transaction] = replace(item, gross_minor=0) if refunds else item

    def settle(self, item: OpenItem) -> bool:
        """Apply a payout's settlement of an item; return False if it reopens an unknown item."""
        known = self._items.pop(item.transaction, None)
        if item.settled_minor == item.face_minor:
            return True
        if known is not None:
            self._items[item.transaction] = replace(known, settled_minor=item.settled_minor)
        return known is not None

    def weigh(self, session: Session, claim: Claim | None) -> None:
        """Update an earning with its session's remaining gross and the hold of its open claim."""
        if item := self._items.get(session.earning or 0):
            self._items[item.transaction] = replace(
                item,
                held_minor=claim.hold_minor if claim else 0,
                gross_minor=session.left_minor,
                ended=session.end,
                policy=session.policy,
            )

    def detach_earning(self, earning: int | None) -> None:
        """Clear the session data of an item that is no longer any session's earning."""
        if item := self._items.get(earning or 0):
            self._items[item.transaction] = replace(item, **NOT_LOOKED_UP)
