"""Calendly: the bodies of its webhooks.

An invitee is a booking. A moved one is reported twice, in either order: the old invitee as
cancelled, and the new one as created, which names the old.
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

SIGNATURE = "calendly-webhook-signature"
RESCHEDULED = Ignored("rescheduled")
"""The cancellation of an invitee who was moved: the new invitee says where to."""
UNMARKED = Ignored("no_show_unmarked")
_BY = {"host": "expert", "invitee": "customer"}


class Calendly:
    """Makes steps of Calendly's webhooks."""

    def steps(self, document: dict[str, Any], settings: Settings) -> Iterator[Step]:
        """Yield the steps of a body; raises `InvalidEvent` with the field that is wrong."""
        event = text_at(document, "event")
        payload = document.get("payload")
        if not isinstance(payload, Mapping):
            raise InvalidEvent("payload", "must be an object")
        user = optional_text(document, "created_by")
        bookings = Bookings(Source(f"urn:calendly:{_last(user) if user else 'unknown'}"), settings)
        match event:
            case "invitee.created":
                booking, before = _booking(document, payload), optional_text(payload, "old_invitee")
                if before:
                    yield bookings.moved(booking, _last(before))
                else:
                    yield from bookings.agreed(booking)
            case "invitee.canceled":
                if payload.get("rescheduled") is True:
                    yield RESCHEDULED
                    return
                by = _BY.get(optional_text(payload, "cancellation", "canceler_type") or "")
                reason = optional_text(payload, "cancellation", "reason")
                yield bookings.cancelled(_invitee(payload), _created(document), by, reason)
            case "invitee_no_show.created":
                invitee = _last(text_at(payload, "invitee"))
                yield bookings.missed(invitee, _created(document), "customer")
            case "invitee_no_show.deleted":
                yield UNMARKED
            case _:
                yield Ignored(event)

    def is_signed(self, headers: Mapping[str, str], body: bytes, secret: bytes) -> bool:
        """Return True if the header has the HMAC-SHA256 of its time and the body."""
        return is_time_signed(headers.get(SIGNATURE, ""), body, secret)


def is_time_signed(header: str, body: bytes, secret: bytes) -> bool:
    """Return True if one of the header's signatures (`t=...,v1=...`) fits; its age is not judged.

    A saved body may be of any age: a replay is known by its identity.
    """
    parts = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name.strip() == "t"]
    if len(times) != 1:
        return False
    signed = times[0].encode() + b"." + body
    expected = hmac.new(secret, signed, hashlib.sha256).hexdigest().encode()
    given = [value.strip().encode() for name, _, value in parts if name.strip() == "v1"]
    return any(hmac.compare_digest(signature, expected) for signature in given)


def _booking(document: Mapping[str, Any], payload: Mapping[str, Any]) -> Booking:
    if not isinstance(at(payload, "scheduled_event"), Mapping):
        raise InvalidEvent("payload.scheduled_event", "is missing, and the times are only there")
    answers = [
        f"{answer.get('question')}: {answer.get('answer')}"
        for answer in objects_at(payload, "questions_and_answers")
        if answer.get("answer")
    ]
    return Booking(
        id=_invitee(payload),
        time=_created(document),
        start=time_at(payload, "scheduled_event", "start_time"),
        end=time_at(payload, "scheduled_event", "end_time"),
        person=text_at(payload, "email"),
        name=optional_text(payload, "name"),
        timezone=optional_text(payload, "timezone"),
        title=optional_text(payload, "scheduled_event", "name") or "",
        description="\n".join(answers) or None,
    )


def _invitee(payload: Mapping[str, Any]) -> str:
    return _last(text_at(payload, "uri"))


def _last(uri: str) -> str:
    """Return the id at the end of a URI."""
    return uri.rstrip("/").rpartition("/")[2]


def _created(document: Mapping[str, Any]) -> datetime:
    return time_at(document, "created_at")
