"""The open items of payouts, read from the ledger."""

from __future__ import annotations

from liveportal.domain.clock import from_text
from liveportal.domain.entities import OpenItem
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
