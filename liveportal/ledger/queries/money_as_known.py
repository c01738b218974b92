"""Money as it was booked by an event: the stored rows up to it, without a replay.

Transactions, counts, policies and preferences are never changed once they are stored, so what was
known by an event is the rows up to it. Temporary views with the names of the tables have these
rows only, so that every query on money reads them as it reads the tables. Entities have no stored
past: what asks for their state needs a replay.
"""

from __future__ import annotations

from datetime import datetime

from liveportal.domain.clock import utc_text
from liveportal.ledger.storage.driver import Connection

_BY_SEQ = ("event", "transaction", "session_count", "dispute", "policy", "preferences")
"""The tables whose rows have the number of the event that stored them."""

_LAST = "SELECT coalesce(max(seq), 0) FROM event WHERE recorded_at <= ?"
_TRANSFERS = """
    SELECT transfer.* FROM main.transfer AS transfer
    JOIN main."transaction" AS entry ON entry.id = transfer."transaction" WHERE entry.seq <= {seq}
"""
# A claim is known from the event that made it; its own row has no number.
_CLAIMS = """
    SELECT claim.* FROM main.claim AS claim WHERE EXISTS (
        SELECT 1 FROM main.statement AS claimed WHERE claimed.thing = 'claim:' || claim.id
        AND claimed.type = 'refund.claimed' AND claimed.seq <= {seq}
    )
"""
_FLOWS_UNTIL = """
    SELECT transfer.period, debit, credit, sum(amount) AS amount, count(*) AS count
    FROM main."transaction" AS entry JOIN main.transfer AS transfer
        ON transfer."transaction" = entry.id
    WHERE entry.seq <= {seq} GROUP BY transfer.period, debit, credit
"""
# The flows of the whole book less what came later: quicker where less came later than before.
_FLOWS_WITHOUT_LATER = """
    SELECT period, debit, credit, sum(amount) AS amount, sum(count) AS count FROM (
        SELECT period, debit, credit, amount, count FROM main.month_flow
        UNION ALL
        SELECT transfer.period, debit, credit, -amount, -1
        FROM main."transaction" AS entry JOIN main.transfer AS transfer
            ON transfer."transaction" = entry.id
        WHERE entry.seq > {seq}
    ) GROUP BY period, debit, credit HAVING sum(count) > 0
"""


def limit(db: Connection, until: datetime) -> int:
    """Limit a connection to the money that was booked by an instant; it must only be read.

    Returns the position of the last event that was recorded by then.

    Views of the ledger are made again over the limited tables.
    """
    seq = int(db.execute(_LAST, (utc_text(until),)).fetchone()[0])
    (last,) = db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
    flows = _FLOWS_UNTIL if seq < last // 2 else _FLOWS_WITHOUT_LATER
    limited = {name: f'SELECT * FROM main."{name}" WHERE seq <= {{seq}}' for name in _BY_SEQ}  # noqa: S608
    limited |= {"transfer": _TRANSFERS, "claim": _CLAIMS}
    for name, select in limited.items():
        db.execute(f'CREATE TEMP VIEW "{name}" AS {select.format(seq=seq)}')
    # A table, since several queries read it: the sums are made once.
    db.execute(f"CREATE TEMP TABLE month_flow AS {flows.format(seq=seq)}")
    views = "SELECT sql FROM main.sqlite_schema WHERE type = 'view'"
    for (sql,) in db.execute(views).fetchall():
        db.execute(sql.replace("CREATE VIEW", "CREATE TEMP VIEW", 1))
    return seq
