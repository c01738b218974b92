"""A month's figures under each interpretation of the rules that the platform leaves open."""

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
from liveportal.domain.interpretations import Interpretation, has_no_effect, other_interpretations
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy
from liveportal.domain.row import Row, row
from liveportal.ledger.queries import earnings
from liveportal.ledger.queries.reader import Reader


@row
class LeftOutRow(Row):
    """An event that an interpretation refuses, with the error's code."""

    seq: int
    type: str
    thing: str
    code: str


@row
class BoundRow(Row):
    """The figures of a span under one interpretation; without a switch, as booked."""

    month: str
    switch: str | None
    reading: str | int | None
    net: Money
    difference: Money
    owed: Money
    currency: str
    lowest: bool
    highest: bool
    left_out: list[LeftOutRow]


_PAID = """
    SELECT entry.time, sum(
        amount * ((debit = 'assets:platform') - (credit = 'assets:platform'))
    ) AS owed
    FROM "transaction" AS entry JOIN transfer ON transfer."transaction" = entry.id
    WHERE entry.payout IS NOT NULL GROUP BY entry.id
"""
# A claim is for the whole amount if it refunded the rest of a session, or would refund it.
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
    """Return the interpretations that differ from the policies in force."""
    return other_interpretations(_policies(reader), reader.own_timezone)


def _policies(reader: Reader) -> list[Policy]:
    return [reader.policy_at(row["seq"]) for row in reader.all("SELECT seq FROM policy")]


def bounds(
    reader: Reader, first: str, last: str, asked: Sequence[Interpretation]
) -> Iterator[Bound]:
    """Yield the booked figures of the months, then those under each interpretation in turn."""
    booked = _bound(reader, first, last)
    yield booked
    policies = _policies(reader)
    whole_claims = {row["id"] for row in reader.all(_WHOLE_CLAIMS)}
    payouts = [(from_text(row["time"]), row["owed"]) for row in reader.all(_PAID)]
    for interpretation in asked:
        if has_no_effect(interpretation, policies):
            yield replace(booked, reading=interpretation)  # Saves a slow replay of a long book.
            continue
        rewriter = EventRewriter(interpretation, whole_claims)
        with _replayed(reader, rewriter) as replayed:
            # Payouts were sent under any interpretation; only their month may differ.
            sent = sum(owed for time, owed in payouts if month_of(time, replayed.timezone) <= last)
            bound = _bound(replayed, first, last)
        yield replace(
            bound,
            reading=interpretation,
            owed_minor=bound.owed_minor + sent,
            left_out=tuple(rewriter.left_out),
        )


def rows(reader: Reader, name: str, results: Sequence[Bound]) -> list[BoundRow]:
    """Return the bounds as rows; the first one holds the booked figures."""
    lowest, highest = extremes(results)
    return [
        BoundRow(
            month=name,
            switch=bound.reading and bound.reading[0],
            reading=bound.reading and bound.reading[1],
            net=reader.money(bound.net_minor),
            difference=reader.money(bound.net_minor - results[0].net_minor),
            owed=reader.money(bound.owed_minor),
            currency=reader.currency,
            lowest=bound.net_minor == lowest,
            highest=bound.net_minor == highest,
            left_out=[_left_out_row(event) for event in bound.left_out],
        )
        for bound in results
    ]


@contextmanager
def _replayed(reader: Reader, rewriter: EventRewriter) -> Iterator[Reader]:
    from liveportal.ledger.replay.replay import replayed_copy  # Heavy: imports the journal.

    with closing(replayed_copy(reader.db, messages=False, retelling=rewriter)) as copy:
        yield Reader(copy, reader.path)


def _bound(reader: Reader, first: str, last: str) -> Bound:
    months = earnings.figures_of(reader, first, last).values()
    return Bound(None, sum(month.net_minor for month in months), earnings.owed_at(reader, last))


def _left_out_row(event: LeftOut) -> LeftOutRow:
    data = event.event.data
    return LeftOutRow(seq=event.seq, type=data.TYPE, thing=data.thing, code=event.error.code)
