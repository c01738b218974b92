"""Sessions: planned, running and ended ones, with their bills and details."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from liveportal.domain.calculations.months import minutes_text
from liveportal.domain.clock import from_text, shifted
from liveportal.domain.entities import SessionState
from liveportal.domain.money import Money
from liveportal.domain.row import Row, extend, pick, row
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.format.row_mapping import to_json
from liveportal.ledger.queries.customers import CustomerDetail, CustomerName, customers
from liveportal.ledger.queries.history import HistoryRow, history, with_flags_of
from liveportal.ledger.queries.reader import Reader, instant
from liveportal.ledger.queries.session_filter import DISPUTED, LAST_SEQ, START, SessionFilter
from liveportal.ledger.queries.transcripts import ArtifactRow, artifacts


@row
class SessionSummary(Row):
    """What every view of a session has. Of one that has not ended, the bill is None.

    `start` and `end` are the planned ones until it starts and ends. `minutes` are the billed ones.
    """

    id: str
    request: str | None
    customer: str
    state: str
    start: datetime
    end: datetime | None
    minutes: str | None
    rate: Money
    gross: Money | None
    fee: Money | None
    earned: Money | None
    currency: str
    policy: str
    claim: str | None
    customer_name: str | None
    title: str | None


@row
class SessionRow(SessionSummary):
    """A session as lists show it. `seq` is the position of the last event about it.

    `refunded` is what the customer got back of `gross`.
    """

    rating: int | None
    disputed: bool
    seq: int
    refunded: Money | None
    customer_id: str

    LATER = ("refunded", "customer_id")


@row
class SessionClaim(Row):
    """A refund claim of a session."""

    id: str
    state: str


@row
class SessionReview(Row):
    """A review of a session, by `expert` or `customer`."""

    by: str
    rating: int
    time: datetime
    text: str | None


@row
class SessionTransaction(Row):
    """A transaction about a session, with the amounts that it changed."""

    transaction: int
    kind: str
    time: datetime
    gross: Money
    fee: Money
    amount: Money
    owed: Money


@row
class SessionDetail(SessionSummary):
    """A session with everything that concerns it. The last of the pauses may be open."""

    pauses: list[list[datetime | None]]
    paused_minutes: str
    expected: Money | None
    refunded: Money | None
    period: str | None
    flags: list[str]
    aliases: list[str]
    claims: list[SessionClaim]
    reviews: list[SessionReview]
    artifacts: list[ArtifactRow]
    transactions: list[SessionTransaction]
    history: list[HistoryRow]
    customer_id: str

    LATER = ("customer_id",)


@row
class SessionResult(Row):
    """What commands show after they changed a session."""

    start: datetime
    end: datetime | None
    minutes: str | None
    gross: Money | None
    fee: Money | None
    earned: Money | None
    currency: str


@row
class PlannedTimes(Row):
    """What a command that only moves a session shows."""

    start: datetime
    end: datetime | None


@row
class TipResult(Row):
    """What a command that records a tip shows."""

    amount: Money
    currency: str


_COLUMNS = """
    session.id, session.request, session.customer, session.state, session.start, session."end",
    session.planned_start, session.planned_minutes, session.billed_us, session.rate,
    session.currency, session.gross_minor, session.fee_minor, session.refunded_minor, session.claim,
    policy.name AS policy_name, opened.body AS opened_body,
    described.body AS described_body
"""
_FROM = """
    FROM session
    JOIN policy ON policy.seq = session.policy
    JOIN customer ON customer.id = session.customer
    LEFT JOIN request ON request.id = session.request
    LEFT JOIN event_personal AS opened
        ON opened.seq = coalesce(request.opened_seq, session.agreed_seq)
    LEFT JOIN event_personal AS described ON described.seq = customer.described_seq
"""
_SELECT = f"SELECT {_COLUMNS} {_FROM}"
_DETAIL = f"""
    SELECT {_COLUMNS}, session.paused_since, session.pauses, session.expected_minor, session.period,
        session.flags
    {_FROM}
"""
_LISTED = f"""
    SELECT {_COLUMNS}, review.rating, {DISPUTED} AS disputed, {LAST_SEQ} AS last_seq
    {_FROM.replace("session", "json_each(?) AS listed CROSS JOIN session ON session.id = value", 1)}
    LEFT JOIN review ON review.session = session.id AND review.by = 'customer'
    ORDER BY listed.key
"""
_ALL = SessionFilter()


def sessions(reader: Reader, selection: SessionFilter = _ALL) -> list[SessionRow]:
    """Return the sessions that match the filter, in its order; by default by start."""
    return selection.sorted_rows(sessions_by_id(reader, _by_start(reader, selection)))


def session_ids(reader: Reader, selection: SessionFilter = _ALL) -> list[str]:
    """Return the ids of the sessions that match the filter, in its order.

    For lists that are too long to keep: another order than by start reads every row to sort it.
    """
    ids = _by_start(reader, selection)
    if selection.sort == "start":
        return ids
    valued = (
        selection.sort_value(row)
        for first in range(0, len(ids), _SORTED_AT_ONCE)
        for row in sessions_by_id(reader, ids[first : first + _SORTED_AT_ONCE])
    )
    return selection.in_order(list(zip(valued, ids, strict=True)))


_SORTED_AT_ONCE = 1_000


def _by_start(reader: Reader, selection: SessionFilter) -> list[str]:
    where, values = selection.where(reader)
    rows = reader.db.execute(
        f"SELECT id FROM session WHERE {where} ORDER BY {START}, agreed_seq",  # noqa: S608 (ours)
        values,
    )
    return [session_id for (session_id,) in rows]


def sessions_by_id(reader: Reader, ids: Sequence[str]) -> list[SessionRow]:
    """Return these sessions, in this order."""
    rows = reader.all(_LISTED, to_json(ids))
    details = _customers_of(reader, rows)
    return [
        SessionRow(
            **_summarise(reader, row, details[row["customer"]]),
            rating=row["rating"],
            disputed=bool(row["disputed"]),
            seq=row["last_seq"],
            refunded=_refunded(reader, row),
            customer_id=row["customer"],
        )
        for row in rows
    ]


def session(reader: Reader, session_id: str) -> SessionDetail:
    """Return one session with its claims, reviews, evidence, transactions and history."""
    (row,) = reader.all(f"{_DETAIL} WHERE session.id = ?", session_id)
    (summary,) = _summaries(reader, [row])
    pauses: list[list[datetime | None]] = [
        [from_text(since), from_text(until)] for since, until in json.loads(row["pauses"])
    ]
    if row["paused_since"]:
        pauses.append([from_text(row["paused_since"]), None])
    claims = reader.all("SELECT id, state FROM claim WHERE session = ? ORDER BY id", session_id)
    aliases = reader.all("SELECT alias FROM session_alias WHERE session = ?", session_id)
    entities = [f"session:{session_id}", *(f"claim:{claim['id']}" for claim in claims)]
    if row["request"]:
        entities.append(f"request:{row['request']}")
    ended = row["state"] == SessionState.ENDED
    events = history(reader, *entities)
    return extend(
        SessionDetail,
        summary,
        pauses=pauses,
        paused_minutes=minutes_text(_microseconds(pauses)),
        expected=Money(row["expected_minor"], summary.currency) if ended else None,
        refunded=_refunded(reader, row),
        period=row["period"],
        flags=with_flags_of(events, json.loads(row["flags"])),
        aliases=[row["alias"] for row in aliases],
        claims=[SessionClaim(**claim) for claim in claims],
        reviews=_reviews(reader, session_id),
        artifacts=artifacts(reader, session_id),
        transactions=_transactions(reader, session_id),
        history=events,
        customer_id=summary.customer,
    )


def with_open_claim(reader: Reader, session_ids: Sequence[str]) -> list[str]:
    """Return those of the sessions that have an open claim, in their order."""
    found = reader.all(
        "SELECT session FROM claim WHERE state = 'open'"
        " AND session IN (SELECT value FROM json_each(?))",
        json.dumps(session_ids),
    )
    claimed = {row["session"] for row in found}
    return [session_id for session_id in session_ids if session_id in claimed]


def result_fields(reader: Reader, session_id: str) -> SessionResult:
    """Return the fields that commands show after they changed a session."""
    return pick(SessionResult, session_summary(reader, session_id))


def session_summary(reader: Reader, session_id: str) -> SessionSummary:
    """Return what every view of a session has."""
    rows = reader.all(f"{_SELECT} WHERE session.id = ?", session_id)
    (summary,) = _summaries(reader, rows)
    return summary


def _summaries(reader: Reader, rows: Sequence[dict[str, Any]]) -> list[SessionSummary]:
    details = _customers_of(reader, rows)
    return [SessionSummary(**_summarise(reader, row, details[row["customer"]])) for row in rows]


def _customers_of(reader: Reader, rows: Sequence[dict[str, Any]]) -> dict[str, CustomerDetail]:
    return customers(reader, {row["customer"]: row["described_body"] for row in rows})


def _summarise(reader: Reader, row: dict[str, Any], customer: CustomerName) -> dict[str, Any]:
    """Return the values of the fields of a `SessionSummary`."""
    ended = row["state"] == SessionState.ENDED
    start = from_text(row["start"] or row["planned_start"])
    end = instant(row["end"])
    if end is None and row["planned_start"]:
        # A session that started late is planned to end that much later.
        end = shifted(start, timedelta(minutes=row["planned_minutes"]))
    currency = reader.currency_called(row["currency"])
    gross, fee = row["gross_minor"], row["fee_minor"]
    return {
        "id": row["id"],
        "request": row["request"],
        "customer": row["customer"],
        "state": row["state"],
        "start": start,
        "end": end,
        "minutes": minutes_text(row["billed_us"]) if ended else None,
        "rate": Money(row["rate"], currency),
        "gross": Money(gross, currency) if ended else None,
        "fee": Money(fee, currency) if ended else None,
        "earned": Money(gross - fee, currency) if ended else None,
        "currency": currency,
        "policy": row["policy_name"],
        "claim": row["claim"],
        "customer_name": customer.name,
        "title": personal(row["opened_body"]).get("title"),
    }


def _refunded(reader: Reader, row: dict[str, Any]) -> Money | None:
    if row["state"] != SessionState.ENDED:
        return None
    return Money(row["refunded_minor"], reader.currency_called(row["currency"]))


def _microseconds(pauses: Sequence[Sequence[datetime | None]]) -> int:
    spans = [until - since for since, until in pauses if since and until]
    return sum(spans, timedelta()) // timedelta(microseconds=1)


def _reviews(reader: Reader, session_id: str) -> list[SessionReview]:
    rows = reader.all(
        "SELECT by, rating, time, body FROM review LEFT JOIN event_personal USING (seq)"
        " WHERE session = ? ORDER BY by",
        session_id,
    )
    return [
        SessionReview(
            by=row["by"],
            rating=row["rating"],
            time=from_text(row["time"]),
            text=personal(row["body"]).get("text"),
        )
        for row in rows
    ]


def _transactions(reader: Reader, session_id: str) -> list[SessionTransaction]:
    rows = reader.all(
        "SELECT id, kind, time, gross, fee, net, owed FROM transaction_record"
        " WHERE session = ? ORDER BY id",
        session_id,
    )
    return [
        SessionTransaction(
            transaction=row["id"],
            kind=row["kind"],
            time=from_text(row["time"]),
            gross=Money(row["gross"], reader.currency),
            fee=Money(row["fee"], reader.currency),
            amount=Money(row["net"], reader.currency),
            owed=Money(row["owed"], reader.currency),
        )
        for row in rows
    ]


def planned_times(reader: Reader, session_id: str) -> PlannedTimes:
    """Return the planned start and end of a session, shown by commands that only move it."""
    return pick(PlannedTimes, session_summary(reader, session_id))


def actual_times(reader: Reader, session_id: str) -> tuple[datetime | None, datetime | None]:
    """Return the start and end of a session (UTC); None for one that has not happened."""
    (row,) = reader.all('SELECT start, "end" AS ended FROM session WHERE id = ?', session_id)
    return instant(row["start"]), instant(row["ended"])


def latest_correction(reader: Reader, session_id: str) -> Mapping[str, Any] | None:
    """Return what the expert's latest correction of a session says; None if it is a feed's."""
    from liveportal.domain.events.envelope import CLI_SOURCE  # No list needs it.

    kind = "session.corrected"
    corrections = [row for row in history(reader, f"session:{session_id}") if row.type == kind]
    if not corrections or corrections[-1].source != CLI_SOURCE:
        return None
    return corrections[-1].data


def latest_tip(reader: Reader, session_id: str) -> TipResult:
    """Return the most recently booked tip of a session."""
    (row,) = reader.all(
        "SELECT net FROM transaction_record WHERE session = ? AND kind = 'tip'"
        " ORDER BY id DESC LIMIT 1",
        session_id,
    )
    return TipResult(amount=Money(row["net"], reader.currency), currency=reader.currency)
