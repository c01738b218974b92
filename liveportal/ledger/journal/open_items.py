"""The open items of a book, kept up to date in memory once they are loaded.

They equal what the ledger has after all pending changes are written.
"""

from __future__ import annotations

from liveportal.domain.entities import Claim, Item, OpenItem, Session
from liveportal.domain.frozen import replace
from liveportal.ledger.format.open_items import open_items
from liveportal.ledger.storage.driver import Connection


class OpenItems:
    """The items that payouts have not fully settled, by transaction.

    Until they are loaded, nothing is kept, and updates have no effect.
    """

    def __init__(self) -> None:
        self._items: dict[int, OpenItem] = {}
        self.is_loaded = False

    def load(self, db: Connection) -> None:
        """Load the items, once all pending rows are written."""
        self._items = {found.item.transaction: found for found in open_items(db)}
        self.is_loaded = True

    def clear(self) -> None:
        """Drop the items, to be loaded again."""
        self._items = {}
        self.is_loaded = False

    def in_order(self) -> list[OpenItem]:
        """Return the items by time and transaction."""
        by_transaction = sorted(self._items.items(), key=lambda pair: (pair[1].item.time, pair[0]))
        return [open_item for _, open_item in by_transaction]

    def book(self, item: Item, *, refunds: bool) -> None:
        """Add a newly booked item; one that `refunds` has a gross of zero."""
        if self.is_loaded:
            self._items[item.transaction] = OpenItem(item, gross_minor=0 if refunds else None)

    def apply_settlement(self, item: Item) -> None:
        """Apply a payout's settlement of an item; one that it reopens is loaded when needed."""
        known = self._items.pop(item.transaction, None)
        if item.settled_minor == item.face_minor:
            return
        if known is None:
            self.clear()
        else:
            self._items[item.transaction] = replace(known, item=item)

    def update_open_item(self, session: Session, claim: Claim | None) -> None:
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
