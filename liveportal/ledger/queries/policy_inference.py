"""The facts of a book from which the platform's rules are inferred (`policy infer`)."""

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
from liveportal.domain.clock import from_text, zone
from liveportal.domain.entities import ClaimState
from liveportal.domain.errors import LiveportalError
from liveportal.domain.money import Money
from liveportal.ledger.queries.customers import customers_by_id
from liveportal.ledger.queries.reader import Reader, instant

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
