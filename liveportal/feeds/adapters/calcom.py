"""cal.com: the bodies of its webhooks.

A body has a trigger and a booking. A moved booking gets a new id and names the old one; a meeting's
start and end are reported at the planned times, whatever happened, and their fields lie at the top.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from liveportal.domain.errors import InvalidEvent
from liveportal.feeds.adapters.bookings import Booking, Bookings
from liveportal.feeds.adapters.steps import (
    Ignored,
    Settings,
    Source,
    Step,
    at,
    objects_at,
    optional_text,
    text_at,
    time_at,
)

SIGNATURE = "x-cal-signature-256"
UNMARKED = Ignored("no_show_unmarked")


class CalCom:
    """Makes steps of cal.com's webhooks."""

    def steps(self, document: dict[str, Any], settings: Settings) -> Iterator[Step]:
        """Yield the steps of a body; raises `InvalidEvent` with the field that is wrong."""
        trigger = text_at(document, "triggerEvent")
        payload = document.get("payload", document)
        if not isinstance(payload, Mapping):
            raise InvalidEvent("payload", "must be an object")
        bookings = Bookings(Source(f"urn:calcom:{_organizer(payload, settings)}"), settings)
        match trigger:
            case "BOOKING_REQUESTED":
                yield bookings.requested(_booking(document, payload))
            case "BOOKING_CREATED":
                yield from bookings.agreed(_booking(document, payload))
            case "BOOKING_RESCHEDULED":
                is_agreed = optional_text(payload, "status") != "PENDING"
                before = text_at(payload, "rescheduleUid")
                yield bookings.moved(_booking(document, payload), before, is_agreed=is_agreed)
            case "BOOKING_CANCELLED":
                reason = optional_text(payload, "cancellationReason")
                by = _canceller(payload)
                yield bookings.cancelled(_uid(payload), _created(document), by, reason)
            case "BOOKING_REJECTED":
                reason = optional_text(payload, "rejectionReason")
                yield bookings.rejected(_uid(payload), _created(document), reason)
            case "BOOKING_NO_SHOW_UPDATED":
                yield _no_show(bookings, document, payload)
            case "MEETING_STARTED" if settings.trust_schedule:
                yield from bookings.started(_booking(document, payload))
            case "MEETING_ENDED" if settings.trust_schedule:
                yield from bookings.ended(_booking(document, payload))
            case _:
                yield Ignored(trigger)

    def is_signed(self, headers: Mapping[str, str], body: bytes, secret: bytes) -> bool:
        """Return True if the header has the HMAC-SHA256 of the body, in hex."""
        expected = hmac.new(secret, body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(headers.get(SIGNATURE, "").lower().encode(), expected.encode())


def _organizer(payload: Mapping[str, Any], settings: Settings) -> str:
    """Return who the webhook is about, without anything personal: cal.com's own number if given."""
    number = at(payload, "organizer", "id") or payload.get("userId")
    if isinstance(number, int) and not isinstance(number, bool):
        return str(number)
    mail = optional_text(payload, "organizer", "email") or optional_text(
        payload, "userPrimaryEmail"
    )
    return settings.customer_id(mail) if mail else "unknown"


def _booking(document: Mapping[str, Any], payload: Mapping[str, Any]) -> Booking:
    attendee = objects_at(payload, "attendees")[:1]
    if not attendee:
        raise InvalidEvent("attendees", "is missing or empty")
    person = attendee[0]
    start = time_at(payload, "startTime")
    return Booking(
        id=_uid(payload),
        time=_created(document) if document.get("createdAt") else start,
        start=start,
        end=time_at(payload, "endTime"),
        person=text_at(person, "email"),
        name=optional_text(person, "name"),
        timezone=optional_text(person, "timeZone"),
        language=optional_text(person, "language", "locale"),
        title=optional_text(payload, "title") or "",
        description=optional_text(payload, "additionalNotes")
        or optional_text(payload, "description"),
    )


def _uid(payload: Mapping[str, Any]) -> str:
    return optional_text(payload, "bookingUid") or text_at(payload, "uid")


def _created(document: Mapping[str, Any]) -> datetime:
    return time_at(document, "createdAt")


def _canceller(payload: Mapping[str, Any]) -> str | None:
    """Return who cancelled: `expert`, `customer`, or None if the body does not say."""
    by = optional_text(payload, "cancelledBy")
    if by is None:
        return None
    mails = {str(person.get("email", "")).casefold() for person in objects_at(payload, "attendees")}
    if by.casefold() == (optional_text(payload, "organizer", "email") or "").casefold():
        return "expert"
    return "customer" if by.casefold() in mails else None


def _no_show(bookings: Bookings, document: Mapping[str, Any], payload: Mapping[str, Any]) -> Step:
    if payload.get("noShowHost") is True:
        return bookings.missed(_uid(payload), _created(document), "expert")
    if any(person.get("noShow") is True for person in objects_at(payload, "attendees")):
        return bookings.missed(_uid(payload), _created(document), "customer")
    return UNMARKED
