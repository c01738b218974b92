"""Requests as the expert sees them: what is asked, what it pays, what it would collide with.

A request that is open and whose `expires` is past *reads* as expired; nothing is recorded for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from liveportal.domain.clock import from_text, shifted, utc_text
from liveportal.domain.events.fields import in_currency
from liveportal.domain.events.types import Slot
from liveportal.domain.handlers.preferences import structured
from liveportal.domain.money import Money, half_up
from liveportal.domain.schedule.auto_decline import RequestFacts, matched, reason_to_decline
from liveportal.domain.schedule.schedule import Schedule
from liveportal.domain.schedule.slots import earning, ranked
from liveportal.domain.values import dataclass
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.format.row_mapping import compact
from liveportal.ledger.queries.customers import customers
from liveportal.ledger.queries.history import history, with_flags_of
from liveportal.ledger.queries.reader import Reader, Row, instant
from liveportal.ledger.queries.request_filter import READS_AS, RequestFilter
from liveportal.ledger.queries.schedule import diary

if TYPE_CHECKING:
    from decimal import Decimal

_FIRST = (
    *("id", "kind", "state", "direct", "customer.id", "customer.name", "title", "skills", "rate"),
    *("currency", "slots", "expires", "matches", "conflicts", "opened_at"),
)
_GLANCE = (
    *("age_seconds", "left_seconds", "helped", "customer_rating", "matched_skills"),
    *("minimum", "above_minimum", "earns", "earns_minutes", "seq"),
)
FIELDS = (*_FIRST, *_GLANCE)
SHOW_FIELDS = (
    *_FIRST,
    *("description", "customer.timezone", "customer.language", "session", "closed_at", "flags"),
    "history",
    *_GLANCE,
)

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
"""How long an instant request is taken to last, for what it would earn."""

_ALL = RequestFilter()


def requests(reader: Reader, now: datetime, wanted: RequestFilter = _ALL) -> list[Row]:
    """Return the requests that are asked for, those opened first first unless otherwise asked."""
    found = _found(reader, now, wanted)
    seen = _Seen(reader, now, found)
    return wanted.ordered(wanted.chosen([seen.row(each) for each in found]))


def request(reader: Reader, request_id: str, now: datetime) -> Row:
    """Return one request with everything that is known of it, its slots ranked, its history."""
    found = _found(reader, now, RequestFilter(ids=[request_id]))
    seen = _Seen(reader, now, found)
    (one,) = found
    row = seen.row(one)
    told = seen.people[one["customer"]]
    happened = history(reader, f"request:{request_id}")
    person = {"timezone": told.get("timezone"), "language": told.get("language")}
    return row | {
        "customer": row["customer"] | person,  # type: ignore[operator]
        "slots": sorted(seen.ranked(one), key=lambda slot: slot["slot"]),
        "description": personal(one["opened_body"]).get("description"),
        "session": one["session"],
        "closed_at": instant(one["closed_at"]),
        "flags": with_flags_of(happened, json.loads(one["flags"])),
        "history": happened,
    }


def to_choose(reader: Reader, request_id: str, now: datetime) -> list[dict[str, Any]]:
    """Return the slots of a request, best first; none where there is nothing to choose any more."""
    found = _found(reader, now, RequestFilter(ids=[request_id]))
    (one,) = found
    return _Seen(reader, now, found).ranked(one) if one["state"] == "open" else []


def to_decline(reader: Reader, now: datetime, ids: Sequence[str] | None = None) -> dict[str, str]:
    """Return the open requests, of these or of all, that a rule declines, each with its reason."""
    rules = structured("auto_decline", reader.preferences.get("auto_decline"))
    if not rules:
        return {}
    rules = [in_currency(each, reader.currency) for each in rules]
    found = _found(reader, now, RequestFilter(ids=ids, states=("open",)))
    seen = _Seen(reader, now, found)
    reasons = {
        each["id"]: reason_to_decline(rules, _asked(reader, each), seen.own_skills, seen.diary, now)
        for each in found
    }
    return {name: reason for name, reason in reasons.items() if reason is not None}


def accepted(reader: Reader, request_id: str) -> Row:
    """Return what an accept shows once it is done: the session, its start, the slot."""
    row = reader.one(
        "SELECT request.session, session.start, session.planned_start FROM request"
        " LEFT JOIN session ON session.id = request.session WHERE request.id = ?",
        request_id,
    )
    told = reader.one(_CLOSING, request_id, "request.accepted")
    if row is None or told is None:
        return {"session": None, "start": None, "slot": None}
    return {
        "session": row["session"],
        "start": instant(row["start"] or row["planned_start"]),
        "slot": json.loads(told["facts"]).get("slot"),
    }


def declined(reader: Reader, request_id: str) -> Row:
    """Return what a decline shows once it is done: the reason that was given."""
    told = reader.one(_CLOSING, request_id, "request.declined")
    return {"reason": personal(told["body"]).get("reason") if told else None}


def _found(reader: Reader, now: datetime, wanted: RequestFilter) -> list[dict[str, Any]]:
    where, values = wanted.where()
    return reader.all(f"{_SELECT} WHERE {where} {_ORDER}", utc_text(now), *values)


def _slots(found: Mapping[str, Any]) -> list[Slot]:
    return [
        Slot(start=from_text(each["start"]), minutes=each["minutes"])
        for each in json.loads(found["slots"])
    ]


def _asked(reader: Reader, found: Mapping[str, Any]) -> RequestFacts:
    return RequestFacts(
        kind=found["kind"],
        customer=found["customer"],
        rate=Money(found["rate"], reader.currency_called(found["currency"])),
        skills=tuple(personal(found["opened_body"]).get("skills") or ()),
        slots=tuple(_slots(found)),
    )


@dataclass
class _Seen:
    """Requests as found, with all that they are held against: looked up once for all of them."""

    reader: Reader
    now: datetime
    found: Sequence[Mapping[str, Any]]

    @cached_property
    def diary(self) -> Schedule:
        return diary(self.reader)

    @cached_property
    def own_skills(self) -> list[str]:
        return list(self.reader.preferences.get("skills", ()))

    @cached_property
    def people(self) -> dict[str, dict[str, Any]]:
        latest = {each["customer"]: each["described_body"] for each in self.found}
        return customers(self.reader, latest)

    @cached_property
    def helped(self) -> dict[str, int]:
        rows = self.reader.all(_HELPED, compact(sorted(self.people)))
        return {row["customer"]: row["helped"] for row in rows}

    @cached_property
    def ratings(self) -> dict[str, Decimal]:
        """What each customer gave on average, rounded half-up to two digits."""
        rows = self.reader.all(_RATED, compact(sorted(self.people)))
        if not rows:
            return {}
        from decimal import Decimal

        hundredths = {row["customer"]: half_up(100 * row["total"], row["reviews"]) for row in rows}
        return {name: Decimal(number).scaleb(-2) for name, number in hundredths.items()}

    @cached_property
    def minimums(self) -> dict[bool, Money | None]:
        """What a minute should pay (R2), by whether it is a direct booking."""
        wanted = self.reader.preferences
        amounts = {True: wanted.get("direct_rate"), False: wanted.get("minimum_rate")}
        return {
            direct: Money.parse(each["amount"], self.reader.currency_called(each["currency"]))
            if each
            else None
            for direct, each in amounts.items()
        }

    def row(self, found: Mapping[str, Any]) -> Row:
        """Return a request as every listing has it."""
        opened = personal(found["opened_body"])
        skills = opened.get("skills") or []
        slots = _slots(found)
        rate = Money(found["rate"], self.reader.currency_called(found["currency"]))
        minimum = self.minimums[bool(found["direct"])]
        if minimum and minimum.currency != rate.currency:
            minimum = None
        above = None if minimum is None else rate >= minimum
        mine = matched(skills, self.own_skills)
        minutes = min((slot.minutes for slot in slots), default=_INSTANT_MINUTES)
        opened_at, expires = from_text(found["opened_at"]), instant(found["expires"])
        is_open = found["reads_as"] == "open"
        return {
            "id": found["id"],
            "kind": found["kind"],
            "state": found["reads_as"],
            "direct": bool(found["direct"]),
            "customer": {
                "id": found["customer"],
                "name": self.people[found["customer"]].get("name"),
            },
            "title": opened.get("title"),
            "skills": skills,
            "rate": rate,
            "currency": found["currency"],
            "slots": [
                {"slot": number, "start": slot.start, "minutes": slot.minutes}
                for number, slot in enumerate(slots, 1)
            ],
            "expires": expires,
            # Rate (R2) and skills (R3); who asks for none, or has set none, matches every skill.
            "matches": above is not False and (bool(mine) or not skills or not self.own_skills),
            "conflicts": self._conflicts(slots) if is_open else [],
            "opened_at": opened_at,
            "age_seconds": self.now - opened_at if is_open else None,
            "left_seconds": expires - self.now if is_open and expires else None,
            "helped": self.helped.get(found["customer"], 0),
            "customer_rating": self.ratings.get(found["customer"]),
            "matched_skills": mine,
            "minimum": minimum,
            "above_minimum": above,
            "earns": earning(rate, minutes, self.reader.policy),
            "earns_minutes": minutes,
            "seq": found["opened_seq"],
        }

    def ranked(self, found: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return a request's slots, best first, each with what speaks for it and against.

        Of a request that was answered there is nothing to rank: its own session is booked there.
        """
        zone_name = self.people[found["customer"]].get("timezone")
        best_first = ranked(_slots(found), self.diary, zone_name, self.now)
        rate = Money(found["rate"], self.reader.currency_called(found["currency"]))
        is_open = found["state"] == "open"
        return [
            {
                "slot": slot.number,
                "start": slot.start,
                "minutes": slot.minutes,
                "local": slot.local.isoformat() if slot.local else None,
                "customer_local": slot.theirs.isoformat() if slot.theirs else None,
                "rank": rank if is_open else None,
                "usable": slot.is_usable if is_open else None,
                "reasons": [
                    {"code": code, "message": said} for code, said in slot.reasons if is_open
                ],
                "earns": earning(rate, slot.minutes, self.reader.policy),
            }
            for rank, slot in enumerate(best_first, 1)
        ]

    def _conflicts(self, slots: Sequence[Slot]) -> list[str]:
        ends = [
            (each.start, shifted(each.start, timedelta(minutes=each.minutes))) for each in slots
        ]
        return sorted({name for span in ends for name in self.diary.conflicts(*span)})
