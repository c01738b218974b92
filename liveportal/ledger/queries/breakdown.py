"""Earnings grouped by customer, skill, kind of request or weekday.

The groups of a span add up to its figures, since every amount and count is in exactly one group.
Amounts and counts belong to the group of their session, in the month in which they count; those
without a session (adjustments) are a group of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from liveportal.domain.accounts import Account, Transaction, TransactionKind, Transfer
from liveportal.domain.calculations.months import Figures, Month, effects
from liveportal.domain.clock import from_text, local_date
from liveportal.domain.row import Row, pick, row
from liveportal.domain.schedule.working_hours import WEEKDAYS
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.format.row_mapping import to_json
from liveportal.ledger.queries.customers import customers
from liveportal.ledger.queries.reader import Reader

NO_REQUEST = "logged"
"""The kind shown for sessions that were entered by hand, without a request."""


@row
class _Label(Row):
    group: str | None
    name: str | None


@row
class GroupRow(Figures, _Label):  # The fields of the last base come first.
    """The figures of a group; `name` is that of a customer. The group None is of no session."""

    currency: str


_SESSIONS = """
    SELECT session.id, session.customer, request.kind,
           opened.body AS opened_body, described.body AS described_body,
           -- A correction moves nothing from a past month to another weekday.
           coalesce((
               SELECT start FROM session_count AS first WHERE first.session = session.id
               ORDER BY seq, n LIMIT 1
           ), session.start) AS start
    FROM session
    JOIN customer ON customer.id = session.customer
    LEFT JOIN request ON request.id = session.request
    LEFT JOIN event_personal AS opened
        ON opened.seq = coalesce(request.opened_seq, session.agreed_seq)
    LEFT JOIN event_personal AS described ON described.seq = customer.described_seq
    WHERE session.id IN (SELECT value FROM json_each(?))
    ORDER BY session.agreed_seq
"""
_COUNTED = """
    SELECT session, sessions, free_sessions, billed_us, 0 AS refund_claims, 0 AS disputes
        FROM session_count WHERE period BETWEEN ?1 AND ?2
    UNION ALL SELECT session, 0, 0, 0, 1, 0 FROM claim WHERE period BETWEEN ?1 AND ?2
    UNION ALL SELECT claim.session, 0, 0, 0, 0, 1 FROM dispute
        JOIN claim ON claim.id = dispute.claim WHERE dispute.period BETWEEN ?1 AND ?2
"""
_MOVED = """
    SELECT entry.id, entry.kind, entry.time, entry.period, entry.session, entry.claim,
           entry.payout, entry.adjustment, debit, credit, amount
    FROM "transaction" AS entry LEFT JOIN transfer ON transfer."transaction" = entry.id
    WHERE entry.period BETWEEN ? AND ?
    ORDER BY entry.id, n
"""

Group = tuple[str, ...] | None
"""The value that sessions share; None for amounts without a session, or for erased data."""


def groups(reader: Reader, way: str, first: str, last: str, zone: str) -> dict[Group, Month]:
    """Return the figures of these months by `way`: customer, skill, kind or weekday."""
    counts = reader.all(_COUNTED, first, last)
    entries = [entry for _, entry in booked_transactions(reader, first, last)]
    session_ids = {count["session"] for count in counts}
    session_ids |= {entry.session for entry in entries if entry.session}
    sessions = _sessions(reader, session_ids)
    group_of = _grouping(way, sessions, zone)
    totals: dict[Group, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for count in counts:
        figures = totals[group_of(count.pop("session"))]
        for name, value in count.items():
            figures[name] += value
    for entry in entries:
        changes = effects(entry)
        # Transactions that only move money between accounts, such as payouts, are not counted.
        if entry.net_minor or changes["gross_minor"] or entry.kind is TransactionKind.REFUND:
            figures = totals[group_of(entry.session)]
            for name, value in changes.items():
                figures[name] += value
    return {group: Month(month=first, **figures) for group, figures in totals.items()}


def rows(reader: Reader, way: str, first: str, last: str, zone: str) -> list[GroupRow]:
    """Return the groups for display, by net amount in descending order; weekdays from Monday on."""
    figures = groups(reader, way, first, last, zone)
    names = _names(reader, figures) if way == "customer" else {}
    order = sorted(figures, key=lambda group: _sort_key(way, group, figures[group]))
    return [_row(reader, figures[group], group, names) for group in order]


def _row(reader: Reader, figures: Month, group: Group, names: Mapping[str, str | None]) -> GroupRow:
    text = None if group is None else ", ".join(group)
    month = figures.row(reader.timezone, reader.currency)
    return pick(GroupRow, {**month, "group": text, "name": names.get(text) if text else None})


def _sort_key(way: str, group: Group, figures: Month) -> tuple[bool, int, Group]:
    if group is None:
        return True, 0, group
    if way == "weekday":
        return False, WEEKDAYS.index(group[0]), group
    return False, -figures.net_minor, group


def _grouping(
    way: str, sessions: Mapping[str, Mapping[str, Any]], zone: str
) -> Callable[[str | None], Group]:
    """Return a function that maps a session id to its group.

    A session counts once, under all its skills together: it is not known how much each skill
    earned. Skills are compared without case; the first spelling is shown.
    """
    spellings: dict[tuple[str, ...], Group] = {}

    def group_of(session: Mapping[str, Any]) -> Group:
        if way == "customer":
            return (session["customer"],)
        if way == "kind":
            return (session["kind"] or NO_REQUEST,)
        if way == "weekday":
            return (WEEKDAYS[local_date(from_text(session["start"]), zone).weekday()],)
        listed = personal(session["opened_body"]).get("skills") or ()
        skills = {skill.casefold(): skill for skill in listed}
        key = tuple(sorted(skills))
        return spellings.setdefault(key, tuple(skills[folded] for folded in key) or None)

    known = {name: group_of(session) for name, session in sessions.items()}
    return lambda name: known[name] if name else None


def _sessions(reader: Reader, names: set[str]) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in reader.all(_SESSIONS, to_json(sorted(names)))}


def _names(reader: Reader, groups: Mapping[Group, Month]) -> dict[str, str | None]:
    """Return the current names of the customers that the groups represent."""
    ids = to_json(sorted(group[0] for group in groups if group))
    latest = reader.all(
        "SELECT customer.id, body FROM customer"
        " LEFT JOIN event_personal ON event_personal.seq = customer.described_seq"
        " WHERE customer.id IN (SELECT value FROM json_each(?))",
        ids,
    )
    details = customers(reader, {row["id"]: row["body"] for row in latest})
    return {customer_id: customer.name for customer_id, customer in details.items()}


def booked_transactions(reader: Reader, first: str, last: str) -> Iterator[tuple[int, Transaction]]:
    """Yield the transactions of the months from `first` to `last`, with their numbers."""
    rows = reader.all(_MOVED, first, last)
    for number, legs in groupby(rows, key=lambda leg: leg["id"]):
        first_leg, *others = list(legs)
        yield (
            number,
            Transaction(
                TransactionKind(first_leg["kind"]),
                from_text(first_leg["time"]),
                first_leg["period"],
                tuple(
                    Transfer(Account(leg["debit"]), Account(leg["credit"]), leg["amount"])
                    for leg in (first_leg, *others)
                    if leg["amount"]
                ),
                session=first_leg["session"],
                claim=first_leg["claim"],
                payout=first_leg["payout"],
                adjustment=first_leg["adjustment"],
            ),
        )
