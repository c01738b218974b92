"""The open items of payouts, as they are read for a rule and for a preview alike."""

from __future__ import annotations

from collections.abc import Iterable

from liveportal.domain.changing import changed
from liveportal.domain.clock import from_text
from liveportal.domain.entities import NOT_LOOKED_UP, Claim, OpenItem, Session
from liveportal.ledger.storage.driver import Connection

# What an undecided claim holds lies on the earning that it would take back. An earning counts for
# what is left of its gross; a refund for nothing more, since that gross is without it already.
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
    """Return the items that payouts have not settled whole, by time and transaction."""
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
    """The open items of a book, followed from what was read on: nothing need be read again.

    It says what `open_items` would once all that is pending is written.
    """

    def __init__(self, read: Iterable[OpenItem]) -> None:
        self._items = {item.transaction: item for item in read}

    def in_order(self) -> list[OpenItem]:
        """Return the items by time and transaction."""
        return sorted(self._items.values(), key=lambda item: (item.time, item.transaction))

    def book(self, item: OpenItem, *, refunds: bool) -> None:
        """Take in what is booked now; what `refunds` counts for no gross of its own."""
        self._items[item.transaction] = changed(item, gross_minor=0) if refunds else item

    def settle(self, item: OpenItem) -> bool:
        """Take over what payouts have settled; False if that opens an item that is not known."""
        known = self._items.pop(item.transaction, None)
        if item.settled_minor == item.face_minor:
            return True
        if known is not None:
            self._items[item.transaction] = changed(known, settled_minor=item.settled_minor)
        return known is not None

    def weigh(self, session: Session, claim: Claim | None) -> None:
        """Take over what is left of a session's gross, and what an undecided claim holds of it."""
        if item := self._items.get(session.earning or 0):
            self._items[item.transaction] = changed(
                item,
                held_minor=claim.hold_minor if claim else 0,
                gross_minor=session.left_minor,
                ended=session.end,
                policy=session.policy,
            )

    def detach_earning(self, earning: int | None) -> None:
        """Take it that no session has this earning any more: it stands for itself."""
        if item := self._items.get(earning or 0):
            self._items[item.transaction] = changed(item, **NOT_LOOKED_UP)
