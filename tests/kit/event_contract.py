"""The table of the event contract, written down once more so that the code can be held against it.

Of each type: a value for every field, and which fields are optional (`?`) and personal (`*`).
"""

from __future__ import annotations

from typing import Any

from liveportal.domain.policy import Policy

USD: dict[str, Any] = {"amount": "84.00", "currency": "USD"}
CUSTOMER: dict[str, Any] = {
    "id": "C-1",
    "name": "Mina",
    "timezone": "Asia/Seoul",
    "language": "ko",
}
T1, T2 = "2026-10-05T09:00:00Z", "2026-10-05T11:30:00+02:00"
REQUEST: dict[str, Any] = {"request": "R-1"}
SESSION: dict[str, Any] = {"session": "S-1"}
CLAIM: dict[str, Any] = {"claim": "CL-1"}
PAYOUT: dict[str, Any] = {"payout": "PO-1"}
PREFERENCES: dict[str, Any] = {
    "verification?": "verified",
    "role?": "expert",
    "skills?": ["shaders", "urp"],
    "languages?": ["en"],
    "experience_years?": 12,
    "minimum_rate?": USD,
    "direct_rate?": USD,
    "timezone?": "Asia/Seoul",
    "availability?": [{"days": ["mon"], "from": "09:00"}],
    "buffers?": {"before": 5, "after": 0},
    "vacations?": [{"start": "2026-12-24", "end": "2027-01-02"}],
    "auto_decline?": {"below": 3},
    "notifications?": {"email": True},
    "attachment_limit?": 1_000_000,
}


def names_of(fields: dict[str, Any]) -> set[str]:
    """Return the fields of a table without their marks."""
    return {name.rstrip("?*") for name in fields}


CONTRACT: dict[str, dict[str, Any]] = {
    "request.opened": {
        **REQUEST,
        "kind": "scheduled",
        "direct?": True,
        "customer": CUSTOMER,
        "title*": "Shader flickers",
        "description?*": "on Mali GPUs",
        "skills?*": ["shaders"],
        "rate": USD,
        "slots?": [{"start": T1, "minutes": 45}, {"start": T2, "minutes": 30}],
        "expires?": T2,
    },
    "request.accepted": {**REQUEST, "session?": "S-1", "slot?": 2},
    **{
        f"request.{state}": {**REQUEST, "reason?*": "busy"}
        for state in ("declined", "withdrawn", "taken", "expired")
    },
    "session.rescheduled": {**SESSION, "start": T1, "minutes?": 30, "alias?": "S-1b"},
    "session.cancelled": {**SESSION, "by": "platform", "reason?*": "ill"},
    "session.missed": {**SESSION, "by": "customer"},
    "session.started": SESSION,
    "session.paused": SESSION,
    "session.resumed": SESSION,
    "session.ended": {**SESSION, "billed?": USD},
    "session.logged": {
        **SESSION,
        "customer": CUSTOMER,
        "rate": USD,
        "start": T1,
        "end": T2,
        "pauses?": [[T1, T2]],
        "billed?": USD,
        "title?*": "Shader",
    },
    "session.corrected": {
        **SESSION,
        "start?": T1,
        "end?": T2,
        "pauses?": [[T1, T2]],
        "billed?": USD,
        "reason*": "typo",
    },
    "artifact.added": {
        **SESSION,
        "kind": "recording",
        "name*": "call.mp4",
        "sha256": "0123456789abcdef" * 4,
        "bytes": 1024,
        "media_type?": "video/mp4",
    },
    "review.posted": {**SESSION, "by": "customer", "rating": 5, "text?*": "good"},
    "refund.claimed": {**CLAIM, **SESSION, "reason*": "not solved", "amount?": USD},
    **{
        f"refund.{state}": {**CLAIM, "reason?*": "agreed"}
        for state in ("conceded", "granted", "denied", "withdrawn")
    },
    "dispute.filed": {**CLAIM, "summary*": "Fixed at 14:17."},
    "dispute.withdrawn": CLAIM,
    "dispute.accepted": {**CLAIM, "note?*": "right"},
    "dispute.rejected": {**CLAIM, "note?*": "wrong"},
    "tip.received": {**SESSION, "amount": USD, "again?": True},
    "adjustment.posted": {
        "adjustment": "A-1",
        "amount": {"amount": "-3.50", "currency": "USD"},
        "reason*": "fee",
    },
    "payout.sent": {**PAYOUT, "amount": USD, "method": "paypal", "reference?": "TX 7"},
    "payout.paid": {
        **PAYOUT,
        "reason?": "r",
        "fee?": USD,
        "received?": {"amount": "38.105", "currency": "KWD"},
        "evidence?": {"file_sha256": "ab" * 32, "line": 12, "row": "8XK41", "time": "2026-11-30"},
    },
    "payout.failed": {**PAYOUT, "reason?": "r"},
    "payout.returned": {**PAYOUT, "reason?": "r", "debited?": USD},
    "entry.reversed": {"event": {"source": "urn:x", "id": "e-1"}, "reason*": "mistake"},
    "preferences.changed": PREFERENCES,
    "payout_profile.changed": {
        "fields": ["name", "email"],
        "fingerprints?": {"name": "00ff"},
    },
    "payout_profile.revealed": {"fields": ["name"]},
    "customer.erasure_requested": {"customer": "C-1", "reason?*": "no longer a customer"},
    "customer.forgotten": {"customer": "C-1"},
    "policy.adopted": {"policy": Policy().document},
}

# The types that a feed must not report, or of which it may set only some fields.
BEYOND_FEEDS: dict[str, set[str]] = {
    "preferences.changed": names_of(PREFERENCES) - {"verification", "role"},
    "payout_profile.changed": {"type"},
    "payout_profile.revealed": {"type"},
    "customer.forgotten": {"type"},
    "policy.adopted": {"type"},
}

# The structs inside: which of their fields are optional, which personal.
INSIDE: dict[str, dict[str, str]] = {
    "customer": {"id": "", "name": "?*", "timezone": "?*", "language": "?*"},
    "event": {"source": "", "id": ""},
    "buffers": {"before": "?", "after": "?"},
}


def names(kind: str, *, optional: bool | None = None, personal: bool | None = None) -> set[str]:
    """Return the fields of a type, all of them or those that are (not) optional or personal."""
    return {
        name.rstrip("?*")
        for name in CONTRACT[kind]
        if optional in (None, "?" in name) and personal in (None, "*" in name)
    }


def full(kind: str) -> dict[str, Any]:
    """Return the data of a type with every field."""
    return {name.rstrip("?*"): value for name, value in CONTRACT[kind].items()}


def least(kind: str) -> dict[str, Any]:
    """Return the data of a type with the required fields only."""
    return {
        name: value for name, value in full(kind).items() if name in names(kind, optional=False)
    }
