"""The open items of payouts, read from the ledger."""

from __future__ import annotations

from liveportal.domain.clock import from_text
from liveportal.domain.entities import OpenItem
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
