"""Bodies of webhooks as cal.com, Calendly and Stripe send them, and captures of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

EXPERT = "anna@example.com"
MINA = "mina@example.org"


def booking(trigger: str, uid: str, start: str, *, created: str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a body of cal.com; times are of October 2026, such as `05T09:30`, for an hour."""
    payload: dict[str, Any] = {
        "uid": uid,
        "bookingId": 91,
        "type": "60min",
        "title": "Netcode review between Anna and Mina",
        "startTime": f"2026-10-{start}:00Z",
        "endTime": f"2026-10-{_later(start)}:00+00:00",
        "organizer": {"id": 5, "name": "Anna", "email": EXPERT, "timeZone": "Europe/Paris"},
        "attendees": [
            {
                "email": MINA,
                "name": "Mina",
                "timeZone": "Asia/Seoul",
                "language": {"locale": "ko"},
            }
        ],
        "price": 0,
        "currency": "usd",
        "length": 60,
        "status": "ACCEPTED",
        **changed,
    }
    return {"triggerEvent": trigger, "createdAt": f"2026-10-{created}:00.500Z", "payload": payload}


def meeting(trigger: str, uid: str, start: str) -> dict[str, Any]:
    """Return a body of cal.com about a planned start or end: its fields are at the top."""
    body = booking(trigger, uid, start, created=start)
    return {"triggerEvent": trigger, "id": 91, "userId": 5, **body["payload"]}


def no_show(uid: str, *, created: str, marked: bool = True) -> dict[str, Any]:
    """Return a body of cal.com about a no-show, or about one that was unmarked."""
    payload = {"bookingUid": uid, "attendees": [{"email": MINA, "noShow": marked}]}
    return {
        "triggerEvent": "BOOKING_NO_SHOW_UPDATED",
        "createdAt": f"2026-10-{created}:00Z",
        "payload": payload,
    }


def invitee(event: str, name: str, start: str, *, created: str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a body of Calendly."""
    events = "https://api.calendly.com/scheduled_events/E-1"
    return {
        "event": event,
        "created_at": f"2026-10-{created}:00.000000Z",
        "created_by": "https://api.calendly.com/users/U-1",
        "payload": {
            "uri": f"{events}/invitees/{name}",
            "email": MINA,
            "name": "Mina",
            "timezone": "Asia/Seoul",
            "event": events,
            "scheduled_event": {
                "name": "Netcode review",
                "start_time": f"2026-10-{start}:00Z",
                "end_time": f"2026-10-{_later(start)}:00Z",
            },
            "old_invitee": None,
            "rescheduled": False,
            "questions_and_answers": [{"question": "What?", "answer": "Rollback"}],
            **changed,
        },
    }


def invitee_uri(name: str) -> str:
    """Return the URI by which Calendly names an invitee."""
    return f"https://api.calendly.com/scheduled_events/E-1/invitees/{name}"


def stripe(kind: str, name: str, created: int, **thing: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return an event of Stripe."""
    thing = {"id": name, "created": created, "currency": "usd", **thing}
    return {"id": f"evt_{name}", "type": kind, "created": created, "data": {"object": thing}}


def lines(*bodies: dict[str, Any]) -> str:
    """Return bodies as JSON Lines."""
    return "".join(json.dumps(body) + "\n" for body in bodies)


def capture(body: dict[str, Any], header: str, secret: str, *, time: str | None = None) -> str:
    """Return a body as a captured webhook, signed; with a `time` as Calendly and Stripe sign."""
    raw = json.dumps(body).encode()
    signed = raw if time is None else f"{time}.".encode() + raw
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    value = digest if time is None else f"t={time},v0=old,v1={digest}"
    document = {"headers": {header: value}, "body": base64.b64encode(raw).decode()}
    return json.dumps(document) + "\n"


def _later(start: str) -> str:
    """Return the time an hour later; stories end before midnight."""
    return f"{start[:3]}{int(start[3:5]) + 1:02d}{start[5:]}"
