"""What a month would be under each other reading that the platform leaves open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace

from liveportal.domain.calculations.interpretation_range import (
    Bound,
    EventRewriter,
    LeftOut,
    extremes,
)
from liveportal.domain.clock import from_text, month_of
from liveportal.domain.interpretations import Interpretation, means_nothing, other_readings
from liveportal.domain.policy import Policy
from liveportal.ledger.queries import earnings
from liveportal.ledger.queries.reader import Reader, Row

FIELDS = (
    *("month", "switch", "reading", "net", "difference", "owed", "currency", "lowest", "highest"),
    "left_out",
)

_PAID = """
    SELECT entry.time, sum(
        amount * ((debit = 'assets:platform') - (credit = 'assets:platform'))
    ) AS owed
    FROM "transaction" AS entry JOIN transfer ON transfer."transaction" = entry.id
    WHERE entry.payout IS NOT NULL GROUP BY entry.id
"""
# A claim is for everything if it took the last of a session, or would take it.
_WHOLE_CLAIMS = """
    SELECT claim.id FROM claim JOIN session ON session.id = claim.session
    WHERE CASE
        WHEN claim.state IN ('conceded', 'granted', 'rejected') THEN
            session.refunded_minor = session.gross_minor AND claim.id = (
                SELECT entry.claim FROM "transaction" AS entry
                WHERE entry.session = session.id AND entry.kind = 'refund'
                ORDER BY entry.id DESC LIMIT 1
            )
        ELSE claim.amount_minor = session.gross_minor - session.refunded_minor
    END
"""


def interpretations(reader: Reader) -> list[Interpretation]:
    """Return the readings to ask for."""
    return other_readings(_policies(reader), reader.own_timezone)


def _policies(reader: Reader) -> list[Policy]:
    return [reader.policy_at(row["seq"]) for row in reader.all("SELECT seq FROM policy")]


def bounds(
    reader: Reader, first: str, last: str, asked: Sequence[Interpretation]
) -> Iterator[Bound]:
    """Yield what the months from first to last came to, and would under each reading in turn."""
    booked = _bound(reader, first, last)
    yield booked
    policies = _policies(reader)
    whole = {row["id"] for row in reader.all(_WHOLE_CLAIMS)}
    paid = [(from_text(row["time"]), row["owed"]) for row in reader.all(_PAID)]
    for reading in asked:
        if means_nothing(reading, policies):
            yield replace(booked, reading=reading)  # Replaying takes a while in a long book.
            continue
        retelling = EventRewriter(reading, whole)
        with _retold(reader, retelling) as seen:
            # Payouts were sent whatever the reading; only their month may be another.
            sent = sum(owed for time, owed in paid if month_of(time, seen.timezone) <= last)
            bound = _bound(seen, first, last)
        yield replace(
            bound,
            reading=reading,
            owed_minor=bound.owed_minor + sent,
            left_out=tuple(retelling.left_out),
        )


def rows(reader: Reader, name: str, found: Sequence[Bound]) -> list[Row]:
    """Return readings as they are shown, the first being what was booked."""
    lowest, highest = extremes(found)
    return [
        {
            "month": name,
            "switch": each.reading and each.reading[0],
            "reading": each.reading and each.reading[1],
            "net": reader.money(each.net_minor),
            "difference": reader.money(each.net_minor - found[0].net_minor),
            "owed": reader.money(each.owed_minor),
            "currency": reader.currency,
            "lowest": each.net_minor == lowest,
            "highest": each.net_minor == highest,
            "left_out": [_shown(event) for event in each.left_out],
        }
        for each in found
    ]


@contextmanager
def _retold(reader: Reader, retelling: EventRewriter) -> Iterator[Reader]:
    from liveportal.ledger.replay.replay import replayed_copy  # The whole door; few reads need it.

    with closing(replayed_copy(reader.db, messages=False, retelling=retelling)) as copy:
        yield Reader(copy, reader.path)


def _bound(reader: Reader, first: str, last: str) -> Bound:
    found = earnings.figures_of(reader, first, last).values()
    return Bound(None, sum(month.net_minor for month in found), earnings.owed_at(reader, last))


def _shown(event: LeftOut) -> dict[str, object]:
    data = event.event.data
    return {"seq": event.seq, "type": data.TYPE, "thing": data.thing, "code": event.error.code}
