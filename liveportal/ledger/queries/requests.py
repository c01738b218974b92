"""Requests as the expert sees them: what they ask for, what they pay, and their conflicts.

An open request whose `expires` is past is *shown* as expired; nothing is recorded for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from liveportal.domain.clock import from_text, utc_text
from liveportal.domain.entities import RequestState
from liveportal.domain.events.fields import in_currency
from liveportal.domain.events.types import Slot
from liveportal.domain.frozen import replace
from liveportal.domain.money import Money, half_up
from liveportal.domain.row import Row, row
from liveportal.domain.schedule.auto_decline import RequestFacts, matched, reason_to_decline
from liveportal.domain.schedule.preferences import parse_structured
from liveportal.domain.schedule.schedule import Schedule
from liveportal.domain.schedule.slots import earning, rank_slots
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.format.row_mapping import to_json
from liveportal.ledger.queries.calendar_conflicts import (
    Busy,
    CalendarConflict,
    calendar_conflicts,
    slot_spans,
)
from liveportal.ledger.queries.customers import CustomerDetail, CustomerName, customers
from liveportal.ledger.queries.history import HistoryRow, history, with_flags_of
from liveportal.ledger.queries.reader import Reader, instant
from liveportal.ledger.queries.request_filter import READS_AS, RequestFilter
from liveportal.ledger.queries.schedule import schedule as diary

if TYPE_CHECKING:
    from decimal import Decimal


@row
class SlotRow(Row):
    """A time that the customer proposes, with its number."""

    slot: int
    start: datetime
    minutes: int


@row
class SlotReason(Row):
    """What speaks for a slot, or against it."""

    code: str
    message: str


@row
class RankedSlotRow(SlotRow):
    """A slot with its place among them, which it has while the request is open."""

    local: str | None
    customer_local: str | None
    rank: int | None
    usable: bool | None
    reasons: list[SlotReason]
    earns: Money | None


@row
class RequestRow(Row):
    """A request as lists show it. Ages, times left and conflicts are of open ones only."""

    id: str
    kind: str
    state: str
    direct: bool
    customer: CustomerName
    title: str | None
    skills: list[str]
    rate: Money
    currency: str
    slots: Sequence[SlotRow]
    expires: datetime | None
    matches: bool
    conflicts: list[str]
    opened_at: datetime
    age_seconds: timedelta | None
    left_seconds: timedelta | None
    helped: int
    customer_rating: Decimal | None
    matched_skills: list[str]
    minimum: Money | None
    above_minimum: bool | None
    earns: Money | None
    earns_minutes: int
    seq: int
    customer_id: str
    customer_name: str | None
    calendar_conflicts: Sequence[CalendarConflict]

    LATER = ("customer_id", "customer_name", "calendar_conflicts")


@row
class RequestDetail(RequestRow):
    """A request with all its details, its slots with their ranks, and its history."""

    customer: CustomerDetail
    slots: Sequence[RankedSlotRow]
    description: str | None
    session: str | None
    closed_at: datetime | None
    flags: list[str]
    history: list[HistoryRow]

    COLUMNS = (
        *("id", "kind", "state", "direct", "customer.id", "customer.name", "title", "skills"),
        *("rate", "currency", "slots", "expires", "matches", "conflicts", "opened_at"),
        *("description", "customer.timezone", "customer.language", "session", "closed_at"),
        *("flags", "history", "age_seconds", "left_seconds", "helped", "customer_rating"),
        *("matched_skills", "minimum", "above_minimum", "earns", "earns_minutes", "seq"),
        *("customer_id", "customer_name", "calendar_conflicts"),
    )


@row
class Acceptance(Row):
    """What accepting a request came to: the session, its start and the slot."""

    session: str | None
    start: datetime | None
    slot: int | None


@row
class Declination(Row):
    """Why a request was declined."""

    reason: str | None


_SELECT = f"""
    SELECT request.*, {READS_AS} AS reads_as, opened.body AS opened_body,
           described.body AS described_body
    FROM request
    JOIN customer ON customer.id = request.customer
    LEFT JOIN event_personal AS opened ON opened.seq = request.opened_seq
    LEFT JOIN event_personal AS described ON described.seq = customer.described_seq
"""  # noqa: S608 (names of our own, here and below)
_ORDER = "ORDER BY opened_at, opened_seq"
_HELPED = """
    SELECT customer, count(*) AS helped FROM session
    WHERE state = 'ended' AND customer IN (SELECT value FROM json_each(?)) GROUP BY customer
"""
_RATED = """
    SELECT session.customer, count(*) AS reviews, sum(review.rating) AS total
    FROM session JOIN review ON review.session = session.id AND review."by" = 'customer'
    WHERE session.customer IN (SELECT value FROM json_each(?)) GROUP BY session.customer
"""
_CLOSING = """
    SELECT event.facts, event_personal.body FROM statement JOIN event USING (seq)
    LEFT JOIN event_personal USING (seq)
    WHERE thing = 'request:' || ? AND statement.type = ? AND confirms IS NULL
"""
_INSTANT_MINUTES = 60
"""The assumed length of an instant request, used to calculate what it would earn."""

_ALL = RequestFilter()


def requests(
    reader: Reader, now: datetime, wanted: RequestFilter = _ALL, busy: Busy | None = None
) -> list[RequestRow]:
    """Return the requests that match the filter, in its order; by default oldest first."""
    rows = _select(reader, now, wanted)
    formatter = _RequestFormatter(reader, now, rows, busy)
    return wanted.sorted_rows(wanted.select([formatter.row(row) for row in rows]))


def request(
    reader: Reader, request_id: str, now: datetime, busy: Busy | None = None
) -> RequestDetail:
    """Return one request with all its details, its slots with their ranks, and its history."""
    rows = _select(reader, now, RequestFilter(ids=[request_id]))
    formatter = _RequestFormatter(reader, now, rows, busy)
    (found,) = rows
    listed = formatter.row(found)
    events = history(reader, f"request:{request_id}")
    return RequestDetail(
        **{
            **listed,
            "customer": formatter.customers[found["customer"]],
            "slots": sorted(formatter.ranked(found), key=lambda slot: slot.slot),
        },
        description=personal(found["opened_body"]).get("description"),
        session=found["session"],
        closed_at=instant(found["closed_at"]),
        flags=with_flags_of(events, json.loads(found["flags"])),
        history=events,
    )


def ranked_slots(
    reader: Reader, request_id: str, now: datetime, busy: Busy | None = None
) -> list[RankedSlotRow]:
    """Return the slots of a request, best first; empty if the request is no longer open."""
    rows = _select(reader, now, RequestFilter(ids=[request_id]))
    (found,) = rows
    return (
        _RequestFormatter(reader, now, rows, busy).ranked(found)
        if found["state"] == RequestState.OPEN
        else []
    )


def auto_declines(
    reader: Reader, now: datetime, ids: Sequence[str] | None = None
) -> dict[str, str]:
    """Return the reasons of the open requests that an auto-decline rule matches, by request id.

    `ids` limits the check to these requests.
    """
    rules = parse_structured("auto_decline", reader.preferences.get("auto_decline"))
    if not rules:
        return {}
    rules = [in_currency(rule, reader.currency) for rule in rules]
    rows = _select(reader, now, RequestFilter(ids=ids, states=(RequestState.OPEN,)))
    formatter = _RequestFormatter(reader, now, rows)
    reasons = {
        row["id"]: reason_to_decline(
            rules, _facts(reader, row), formatter.own_skills, formatter.schedule, now
        )
        for row in rows
    }
    return {name: reason for name, reason in reasons.items() if reason is not None}


def accept_result(reader: Reader, request_id: str) -> Acceptance:
    """Return the result of accepting a request: the session, its start and the slot."""
    accepted = reader.one(
        "SELECT request.session, session.start, session.planned_start FROM request"
        " LEFT JOIN session ON session.id = request.session WHERE request.id = ?",
        request_id,
    )
    closing = reader.one(_CLOSING, request_id, "request.accepted")
    if accepted is None or closing is None:
        return Acceptance(session=None, start=None, slot=None)
    return Acceptance(
        session=accepted["session"],
        start=instant(accepted["start"] or accepted["planned_start"]),
        slot=json.loads(closing["facts"]).get("slot"),
    )


def decline_result(reader: Reader, request_id: str) -> Declination:
    """Return the result of declining a request: the reason that was given."""
    closing = reader.one(_CLOSING, request_id, "request.declined")
    return Declination(reason=personal(closing["body"]).get("reason") if closing else None)


def _select(reader: Reader, now: datetime, selection: RequestFilter) -> list[dict[str, Any]]:
    where, values = selection.where()
    return reader.all(f"{_SELECT} WHERE {where} {_ORDER}", utc_text(now), *values)


def _slots(row: Mapping[str, Any]) -> list[Slot]:
    return [
        Slot(start=from_text(slot["start"]), minutes=slot["minutes"])
        for slot in json.loads(row["slots"])
    ]


def _facts(reader: Reader, row: Mapping[str, Any]) -> RequestFacts:
    return RequestFacts(
        kind=row["kind"],
        customer=row["customer"],
        rate=Money(row["rate"], reader.currency_called(row["currency"])),
        skills=tuple(personal(row["opened_body"]).get("skills") or ()),
        slots=tuple(_slots(row)),
    )


@dataclass
class _RequestFormatter:
    """Formats selected requests. Data that they share is loaded once, on first use."""

    reader: Reader
    now: datetime
    rows: Sequence[Mapping[str, Any]]
    busy: Busy | None = None

    @cached_property
    def schedule(self) -> Schedule:
        found = diary(self.reader)
        spans = [
            span
            for row in self.rows
            if row["state"] == RequestState.OPEN
            for span in slot_spans(_slots(row))
        ]
        if not self.busy or not spans:
            return found
        starts, ends = zip(*spans, strict=True)
        return replace(found, own=tuple(self.busy(min(starts), max(ends), found.zone)))

    @cached_property
    def own_skills(self) -> list[str]:
        return list(self.reader.preferences.get("skills", ()))

    @cached_property
    def customers(self) -> dict[str, CustomerDetail]:
        latest = {row["customer"]: row["described_body"] for row in self.rows}
        return customers(self.reader, latest)

    @cached_property
    def helped(self) -> dict[str, int]:
        """The number of ended sessions by customer."""
        rows = self.reader.all(_HELPED, to_json(sorted(self.customers)))
        return {row["customer"]: row["helped"] for row in rows}

    @cached_property
    def ratings(self) -> dict[str, Decimal]:
        """The average rating by each customer, rounded half-up to two digits."""
        rows = self.reader.all(_RATED, to_json(sorted(self.customers)))
        if not rows:
            return {}
        from decimal import Decimal

        hundredths = {row["customer"]: half_up(100 * row["total"], row["reviews"]) for row in rows}
        return {name: Decimal(number).scaleb(-2) for name, number in hundredths.items()}

    @cached_property
    def minimums(self) -> dict[bool, Money | None]:
        """The expert's minimum rates per minute (R2), keyed by whether the booking is direct."""
        preferences = self.reader.preferences
        rates = {True: preferences.get("direct_rate"), False: preferences.get("minimum_rate")}
        return {
            direct: Money.parse(rate["amount"], self.reader.currency_called(rate["currency"]))
            if rate
            else None
            for direct, rate in rates.items()
        }

    def row(self, row: Mapping[str, Any]) -> RequestRow:
        """Return a request with the fields that lists show."""
        opened = personal(row["opened_body"])
        skills = opened.get("skills") or []
        slots = _slots(row)
        rate = Money(row["rate"], self.reader.currency_called(row["currency"]))
        minimum = self.minimums[bool(row["direct"])]
        if minimum and minimum.currency != rate.currency:
            minimum = None
        above = None if minimum is None else rate >= minimum
        mine = matched(skills, self.own_skills)
        customer = CustomerName(id=row["customer"], name=self.customers[row["customer"]].name)
        minutes = min((slot.minutes for slot in slots), default=_INSTANT_MINUTES)
        opened_at, expires = from_text(row["opened_at"]), instant(row["expires"])
        is_open = row["reads_as"] == RequestState.OPEN
        return RequestRow(
            id=row["id"],
            kind=row["kind"],
            state=row["reads_as"],
            direct=bool(row["direct"]),
            customer=customer,
            title=opened.get("title"),
            skills=skills,
            rate=rate,
            currency=row["currency"],
            slots=[
                SlotRow(slot=number, start=slot.start, minutes=slot.minutes)
                for number, slot in enumerate(slots, 1)
            ],
            expires=expires,
            # Rate (R2) and skills (R3). If the request or the expert names no skills, they match.
            matches=above is not False and (bool(mine) or not skills or not self.own_skills),
            conflicts=self._conflicts(slots) if is_open else [],
            opened_at=opened_at,
            age_seconds=self.now - opened_at if is_open else None,
            left_seconds=expires - self.now if is_open and expires else None,
            helped=self.helped.get(row["customer"], 0),
            customer_rating=self.ratings.get(row["customer"]),
            matched_skills=mine,
            minimum=minimum,
            above_minimum=above,
            earns=earning(rate, minutes, self.reader.policy),
            earns_minutes=minutes,
            seq=row["opened_seq"],
            customer_id=customer.id,
            customer_name=customer.name,
            calendar_conflicts=self._own_conflicts(slots) if is_open else [],
        )

    def ranked(self, row: Mapping[str, Any]) -> list[RankedSlotRow]:
        """Return a request's slots, best first, with the reasons for and against each of them.

        An answered request is not ranked: its own session is booked in one of the slots.
        """
        zone_name = self.customers[row["customer"]].timezone
        best_first = rank_slots(_slots(row), self.schedule, zone_name, self.now)
        rate = Money(row["rate"], self.reader.currency_called(row["currency"]))
        is_open = row["state"] == RequestState.OPEN
        return [
            RankedSlotRow(
                slot=slot.number,
                start=slot.start,
                minutes=slot.minutes,
                local=slot.local.isoformat() if slot.local else None,
                customer_local=slot.theirs.isoformat() if slot.theirs else None,
                rank=rank if is_open else None,
                usable=slot.is_usable if is_open else None,
                reasons=[
                    SlotReason(code=code, message=text) for code, text in slot.reasons if is_open
                ],
                earns=earning(rate, slot.minutes, self.reader.policy),
            )
            for rank, slot in enumerate(best_first, 1)
        ]

    def _conflicts(self, slots: Sequence[Slot]) -> list[str]:
        return sorted(
            {name for span in slot_spans(slots) for name in self.schedule.conflicts(*span)}
        )

    def _own_conflicts(self, slots: Sequence[Slot]) -> list[CalendarConflict]:
        return calendar_conflicts(
            event for span in slot_spans(slots) for event in self.schedule.own_conflicts(*span)
        )
