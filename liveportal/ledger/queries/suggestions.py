"""What a shell may complete: ids with a word on each, and months. Never more than a page of rows.

Every statement takes a bounded number of steps, however large the ledger is: it follows an index,
or looks at no more than the newest entities of a kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from liveportal.domain.frozen import frozen
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.queries.reader import NOT_OVER, Reader

MOST = 50
"""The most ids that are suggested."""
_LOOKED_AT = 500
"""How many of the newest are looked at to find those in a state that has no index."""
_MOST_MONTHS = 120

_CUSTOMER = """
    LEFT JOIN customer ON customer.id = {customer}
    LEFT JOIN event_personal AS described ON described.seq = customer.described_seq
"""
_SESSION = f"""
    LEFT JOIN request ON request.id = session.request
    LEFT JOIN event_personal AS opened
        ON opened.seq = coalesce(request.opened_seq, session.agreed_seq)
    {_CUSTOMER.format(customer="session.customer")}
"""
_TITLE_AND_NAME = "opened.body AS opened_body, described.body AS described_body"


@frozen
class _Kind:
    """How the entities of a kind are looked up, and what is said about one.

    `indexed` are the states that an index finds, by the condition and the order of that index.
    """

    columns: str
    joins: str
    about: Callable[[Reader, Mapping[str, Any]], list[str | None]]
    indexed: tuple[str, ...] = ()
    condition: str = ""
    order: str = "rowid"


def _title_and_name(_reader: Reader, row: Mapping[str, Any]) -> list[str | None]:
    title, name = personal(row["opened_body"]).get("title"), _name(_reader, row)
    return [title, *name]


def _name(_reader: Reader, row: Mapping[str, Any]) -> list[str | None]:
    return [personal(row["described_body"]).get("name")]


def _claimed(reader: Reader, row: Mapping[str, Any]) -> list[str | None]:
    amount = f"{reader.money(row['amount_minor'])} {reader.currency}"
    return [amount, *_title_and_name(reader, row)]


def _sent(reader: Reader, row: Mapping[str, Any]) -> list[str | None]:
    return [f"{reader.money(row['amount_minor'])} {reader.currency}", row["sent_at"][:10]]


_KINDS = {
    "request": _Kind(
        _TITLE_AND_NAME,
        "LEFT JOIN event_personal AS opened ON opened.seq = request.opened_seq"
        + _CUSTOMER.format(customer="request.customer"),
        _title_and_name,
        indexed=("open",),
        condition="state = 'open'",
        order="opened_at",
    ),
    "session": _Kind(
        _TITLE_AND_NAME,
        _SESSION,
        _title_and_name,
        indexed=("upcoming", "live", "paused"),
        condition=NOT_OVER,
    ),
    "claim": _Kind(
        f"claim.amount_minor, {_TITLE_AND_NAME}",
        "LEFT JOIN session ON session.id = claim.session" + _SESSION,
        _claimed,
    ),
    "payout": _Kind("payout.amount_minor, payout.sent_at", "", _sent),
    "customer": _Kind(
        "described.body AS described_body",
        "LEFT JOIN event_personal AS described ON described.seq = customer.described_seq",
        _name,
    ),
    "adjustment": _Kind(
        "adjusted.body AS adjusted_body",
        "LEFT JOIN event_personal AS adjusted ON adjusted.seq = adjustment.seq",
        lambda _, row: [personal(row["adjusted_body"]).get("reason")],
    ),
}


def entities(
    reader: Reader, kind: str, states: tuple[str, ...], prefix: str
) -> list[tuple[str, str]]:
    """Return the newest ids with a prefix, and about each its title, customer or amount.

    With `states`, only of entities in these. Without a prefix the newest are those recorded last,
    with one those that sort last.
    """
    if not prefix.isascii():
        return []
    how = _KINDS[kind]
    # Ids are ASCII without "~", so every id with this prefix sorts below the prefix and "~".
    begins = "id >= ?1 AND id < ?1 || '~'" if prefix else "TRUE"
    in_states = f"state IN ({', '.join(map(repr, states))})" if states else "TRUE"
    newest = [_newest(kind, begins, "id" if prefix else "rowid", in_states)]
    if states and set(states) <= set(how.indexed):
        newest.insert(0, _newest(kind, f"{how.condition} AND {in_states}", how.order, begins))
    # More may be in such a state than are looked at: a long prefix finds one by its id.
    for source in newest:
        statement = f"""
            SELECT "{kind}".id, {how.columns} FROM ({source}) AS "{kind}" {how.joins}
        """  # noqa: S608 (names of our own)
        if rows := reader.all(statement, *((prefix,) if prefix else ())):
            return [(row["id"], ", ".join(filter(None, how.about(reader, row)))) for row in rows]
    return []


def _newest(kind: str, among: str, order: str, condition: str) -> str:
    """Return a statement for those of the newest that meet the condition."""
    return f"""
        SELECT * FROM (
            SELECT * FROM "{kind}" WHERE {among} ORDER BY {order} DESC LIMIT {_LOOKED_AT}
        ) WHERE {condition} LIMIT {MOST}
    """  # noqa: S608 (names of our own)


_BEFORE = """
    SELECT max(period) FROM (
        SELECT max(period) AS period FROM "transaction" WHERE period < {limit}
        UNION ALL SELECT max(period) FROM session_count WHERE period < {limit}
    )
"""
_MONTHS = f"""
    WITH RECURSIVE month (period) AS (
        {_BEFORE.format(limit="'~'")}
        UNION ALL SELECT ({_BEFORE.format(limit="month.period")}) FROM month
        WHERE month.period IS NOT NULL LIMIT {_MOST_MONTHS}
    )
    SELECT period FROM month WHERE period IS NOT NULL
"""  # noqa: S608


def booked_months(reader: Reader) -> list[str]:
    """Return the months in which something was booked, the newest first."""
    return [row["period"] for row in reader.all(_MONTHS)]
