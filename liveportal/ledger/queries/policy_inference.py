"""Which rules explain the payouts of a book: its facts, and what the search finds as rows."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from liveportal.domain.calculations.inference.facts import (
    Facts,
    OtherMoney,
    PastPayout,
    PastSession,
    claims_of,
)
from liveportal.domain.calculations.inference.readings import Reading, Value, kept_value
from liveportal.domain.calculations.inference.search import Inference, Search
from liveportal.domain.clock import from_text, zone
from liveportal.domain.entities import ClaimState
from liveportal.domain.errors import LiveportalError
from liveportal.domain.money import Money
from liveportal.domain.row import Row, row
from liveportal.ledger.queries.customers import customers_by_id
from liveportal.ledger.queries.reader import Reader, instant


@row
class UnexplainedPayout(Row):
    """A payout that a reading does not explain, and the amount that it gives instead."""

    payout: str
    amount: Money
    expected: Money


@row
class ReadingRow(Row):
    """A reading of the rules: the switches that matter, and how many payouts it explains.

    `changed` are the switches that differ from the policy in force.
    """

    switches: dict[str, str | int]
    explains: int
    of: int
    changed: list[str]
    unexplained: list[UnexplainedPayout]


@row
class PolicyInference(Row):
    """The readings of the rules that explain the payouts that arrived, best first.

    `undecided` are the switches of which every value explains the same payouts; `ambiguous` are the
    others of which several values do, alone or together with another switch. `equal` are the other
    values of a switch with which the first reading explains the same payouts.
    """

    payouts: int
    readings: list[ReadingRow]
    undecided: list[str]
    ambiguous: list[str]
    equal: dict[str, list[str | int]]
    equally_good: int
    currency: str
    complete: bool
    steps_done: int
    steps: int


_DEDUCTED = (ClaimState.CONCEDED, ClaimState.GRANTED, ClaimState.REJECTED)
_SESSIONS = """
    SELECT id, customer, start, "end", active_us, rate, gross_minor, billed_minor, policy
    FROM session WHERE state = 'ended' ORDER BY "end", id
"""
_CLAIMS = """
    SELECT session, state, amount_minor, claimed_at, decided_at
    FROM claim ORDER BY claimed_at, decided_at IS NULL, decided_at, id
"""
# A reversed tip or adjustment was a mistake: neither it nor its reversal counts.
_OTHERS = """
    SELECT entry.time, sum(
        amount * ((debit = 'assets:platform') - (credit = 'assets:platform'))
    ) AS minor
    FROM "transaction" AS entry JOIN transfer ON transfer."transaction" = entry.id
    WHERE entry.kind IN ('tip', 'adjustment')
        AND entry.seq NOT IN (SELECT reversed_seq FROM reversal)
    GROUP BY entry.id ORDER BY entry.time, entry.id
"""
_PAYOUTS = """
    SELECT payout.id, payout.amount_minor, payout.sent_at, (
        SELECT max(entry.time) FROM "transaction" AS entry
        WHERE payout.state IN ('failed', 'returned') AND entry.payout = payout.id
            AND entry.kind IN ('payout_failed', 'payout_returned')
    ) AS came_back_at
    FROM payout WHERE payout.state <> 'reversed' ORDER BY payout.sent_at, payout.id
"""


def facts(reader: Reader) -> Facts:
    """Return the sessions, claims, other money and payouts of a book."""
    numbers = {row["seq"]: number for number, row in enumerate(_policies(reader))}
    claims: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for claim in reader.all(_CLAIMS):
        claims[claim["session"]].append(
            {
                "minor": claim["amount_minor"],
                "claimed_at": from_text(claim["claimed_at"]),
                "decided_at": instant(claim["decided_at"]),
                "is_deducted": claim["state"] in _DEDUCTED,
            }
        )
    rows = reader.all(_SESSIONS)
    rates = {row["rate"]: Money(row["rate"], reader.currency) for row in rows}
    sessions = tuple(
        PastSession(
            start=from_text(row["start"]),
            end=from_text(row["end"]),
            active_us=row["active_us"],
            rate=rates[row["rate"]],
            billed_minor=row["billed_minor"],
            policy=numbers[row["policy"]],
            claims=claims_of(row["gross_minor"], claims.get(row["id"], ())),
        )
        for row in rows
    )
    return Facts(
        adopted=reader.policy,
        policies=tuple(reader.policy_at(seq) for seq in numbers) or (reader.policy,),
        zones=_zones(reader, {row["customer"] for row in rows}),
        sessions=sessions,
        others=tuple(
            OtherMoney(from_text(row["time"]), row["minor"]) for row in reader.all(_OTHERS)
        ),
        payouts=tuple(
            PastPayout(
                row["id"],
                row["amount_minor"],
                from_text(row["sent_at"]),
                instant(row["came_back_at"]),
            )
            for row in reader.all(_PAYOUTS)
        ),
    )


def _policies(reader: Reader) -> list[dict[str, Any]]:
    """Return the policies under which sessions were agreed."""
    return reader.all("SELECT seq FROM policy WHERE seq IN (SELECT policy FROM session)")


def _zones(reader: Reader, customers: set[str]) -> tuple[str, ...]:
    """Return the zones in which months may be cut: UTC, the book's, the expert's, customers'."""
    named = {each.timezone for each in customers_by_id(reader, customers).values()}
    known = ("UTC", reader.timezone, reader.own_timezone, *sorted(filter(None, named)))
    return tuple(dict.fromkeys(name for name in known if _exists(name)))


def _exists(name: str) -> bool:
    try:
        zone(name)
    except LiveportalError:  # A customer's zone is text from outside.
        return False
    return True


def infer(known: Facts) -> PolicyInference:
    """Search to the end, and return what was found."""
    search = Search(known)
    for _ in search.run():
        pass
    return inference_row(known, search.result())


def inference_row(known: Facts, found: Inference) -> PolicyInference:
    """Return what was found as a row."""
    equal = {
        switch: [
            value
            for value in (kept_value(switch, known) if value is None else value for value in values)
            if value is not None and value != found.value_of(switch, known)
        ]
        for switch, values in found.equal.items()
        if switch not in found.undecided
    }
    return PolicyInference(
        payouts=len(found.payouts),
        readings=[_reading_row(known, found, reading) for reading in found.readings],
        undecided=list(found.undecided),
        ambiguous=list(found.ambiguous),
        equal={switch: values for switch, values in equal.items() if values},
        equally_good=found.equally_good,
        currency=known.adopted.currency,
        complete=found.is_complete,
        steps_done=found.steps_done,
        steps=found.steps,
    )


def _reading_row(known: Facts, found: Inference, reading: Reading) -> ReadingRow:
    currency = known.adopted.currency
    shown = (
        switch
        for switch in found.equal
        if switch in reading.changes or switch not in found.undecided
    )
    values: dict[str, Value | None] = {
        switch: reading.changes.get(switch, kept_value(switch, known)) for switch in shown
    }
    return ReadingRow(
        switches={switch: value for switch, value in values.items() if value is not None},
        explains=len(reading.explained),
        of=len(found.payouts),
        changed=list(reading.changes),
        unexplained=[
            UnexplainedPayout(
                payout=payout.id,
                amount=Money(payout.minor, currency),
                expected=Money(reading.given[number], currency),
            )
            for number, payout in enumerate(found.payouts)
            if number in reading.given and number not in reading.explained
        ],
    )
