"""A month's figures under each interpretation of the rules that the platform leaves open."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from liveportal.domain.calculations.billing import bill
from liveportal.domain.calculations.interpretation_range import (
    Bound,
    EventRewriter,
    LeftOut,
    extremes,
)
from liveportal.domain.calculations.other_bills import PlainBook, PlainSession, Tip
from liveportal.domain.clock import from_text, month_of
from liveportal.domain.interpretations import Interpretation, has_no_effect, other_interpretations
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy
from liveportal.domain.row import Row, row
from liveportal.ledger.format.row_mapping import to_json
from liveportal.ledger.queries import earnings
from liveportal.ledger.queries.reader import Reader

if TYPE_CHECKING:
    from liveportal.ledger.replay.replay import DecodedEntry


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


# See `other_bills`. A reversal of any event about a session, or about its request, is its history.
_PLAIN = """
    SELECT session.id, session.request, active_us, rate, policy, start, "end", period,
           ended.seq, gross_minor
    FROM session JOIN statement AS ended
        ON ended.thing = 'session:' || session.id
        AND ended.type IN ('session.ended', 'session.logged')
    WHERE state = 'ended' AND billed_minor IS NULL AND flags = '[]' AND session.claim IS NULL
        AND id NOT IN (SELECT session FROM session_alias)
        AND NOT EXISTS (
            SELECT 1 FROM statement WHERE thing = ended.thing AND (
                confirms IS NOT NULL OR seq IN (SELECT reversed_seq FROM reversal)
                OR type IN ('session.corrected', 'session.cancelled', 'session.missed')
            )
        )
        AND NOT EXISTS (
            SELECT 1 FROM statement WHERE thing = 'request:' || session.request
                AND (confirms IS NOT NULL OR seq IN (SELECT reversed_seq FROM reversal))
        )
        AND NOT EXISTS (SELECT 1 FROM claim WHERE claim.session = session.id)
"""
_TIPS = """
    SELECT entry.session, entry.time, entry.period, transfer.amount
    FROM "transaction" AS entry JOIN transfer ON transfer."transaction" = entry.id
    WHERE entry.kind = 'tip'
"""
_WITH_HISTORY = """
    SELECT seq FROM event WHERE seq NOT IN (
        SELECT seq FROM statement WHERE thing IN (SELECT value FROM json_each(?))
    )
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
    plain, entries = _split(reader)
    for interpretation in asked:
        if has_no_effect(interpretation, policies):
            yield replace(booked, reading=interpretation)
            continue
        rewriter = EventRewriter(interpretation, whole_claims)
        months = plain.net_by_month(interpretation)
        with _replayed(reader, rewriter, entries) as replayed:
            # Payouts were sent under any interpretation; only their month may differ.
            sent = sum(owed for time, owed in payouts if month_of(time, replayed.timezone) <= last)
            bound = _bound(replayed, first, last)
        net = sum(minor for month, minor in months.items() if first <= month <= last)
        owed = sum(minor for month, minor in months.items() if month <= last)
        yield replace(
            bound,
            reading=interpretation,
            net_minor=bound.net_minor + net,
            owed_minor=bound.owed_minor + owed + sent,
            left_out=tuple(rewriter.left_out),
        )


def _split(reader: Reader) -> tuple[PlainBook, list[DecodedEntry]]:
    """Return the plain sessions of the book, and the events about everything else."""
    from liveportal.ledger.format.journal_entries import iter_journal
    from liveportal.ledger.replay.replay import decoded  # Heavy: imports the journal.

    adopted = [row["seq"] for row in reader.all("SELECT seq FROM policy ORDER BY seq")]
    sessions, plain_ids, things = list[PlainSession](), set[str](), list[str]()
    terms = {(rules.period, rules.currency) for rules in _policies(reader)}
    if len(terms) > 1:  # Whether these may change depends on whether anything was billed before.
        nothing = PlainBook((), (), reader.policy_at, reader.currency)
        return nothing, decoded(iter_journal(reader.db))
    for name, request, active_us, rate, policy, start, end, period, seq, gross in reader.db.execute(
        _PLAIN
    ).fetchall():
        rules = reader.policy_at(policy)
        if bill(active_us, Money(rate, reader.currency), rules).gross.minor != gross:
            continue  # By rules of an earlier version.
        in_force = adopted[bisect_left(adopted, seq) - 1]
        sessions.append(
            PlainSession(
                active_us, rate, policy, in_force, from_text(start), from_text(end), period
            )
        )
        plain_ids.add(name)
        things += [f"session:{name}", f"request:{request}"]
    tips = [
        Tip(from_text(time), period, minor)
        for name, time, period, minor in reader.db.execute(_TIPS).fetchall()
        if name in plain_ids
    ]
    seqs = reader.db.execute(_WITH_HISTORY, (to_json(things),)).fetchall()
    entries = decoded(iter_journal(reader.db, seqs=[seq for (seq,) in seqs]))
    return PlainBook(sessions, tips, reader.policy_at, reader.currency), entries


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
def _replayed(
    reader: Reader, rewriter: EventRewriter, entries: Sequence[DecodedEntry]
) -> Iterator[Reader]:
    from liveportal.ledger.replay.replay import rewritten_copy  # Heavy: imports the journal.

    with closing(rewritten_copy(reader.db, entries, rewriter)) as copy:
        yield Reader(copy, reader.path)


def _bound(reader: Reader, first: str, last: str) -> Bound:
    months = earnings.figures_of(reader, first, last).values()
    return Bound(None, sum(month.net_minor for month in months), earnings.owed_at(reader, last))


def _left_out_row(event: LeftOut) -> LeftOutRow:
    data = event.event.data
    return LeftOutRow(seq=event.seq, type=data.TYPE, thing=data.entity, code=event.error.code)
