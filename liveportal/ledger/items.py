"""The open items of payouts, as they are read for a rule and for a preview alike."""

from __future__ import annotations

from liveportal.domain.clock import from_text
from liveportal.domain.things import Item
from liveportal.ledger.driver import Connection

# What an undecided claim holds lies on the earning that it would take back. An earning counts for
# what is left of its gross; a refund for nothing more, since that gross is without it already.
_OPEN = """
    SELECT item."transaction", item.time, item.period, face_minor, settled_minor, item.session,
           coalesce(claim.hold_minor, 0),
           CASE WHEN entry.kind = 'refund' THEN 0
                ELSE session.gross_minor - session.refunded_minor END
    FROM item
    JOIN "transaction" AS entry ON entry.id = item."transaction"
    LEFT JOIN session ON session.earning = item."transaction"
    LEFT JOIN claim ON claim.id = session.claim AND session.claim_undecided
    WHERE settled_minor <> face_minor
    ORDER BY item.time, item."transaction"
"""


def open_items(db: Connection) -> list[Item]:
    """Return the items that payouts have not settled whole, by time and transaction."""
    return [
        Item(
            transaction=number,
            time=from_text(time),
            period=period,
            face_minor=face,
            settled_minor=settled,
            session=session,
            held_minor=held,
            gross_minor=gross,
        )
        for number, time, period, face, settled, session, held, gross in db.execute(
            _OPEN
        ).fetchall()
    ]
