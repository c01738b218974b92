"""Every event of a case has a sentence, also after its personal data was erased."""

from __future__ import annotations

from typing import Any

import pytest

from liveportal.domain.events.fields import decode, field_specs, joined, split
from liveportal.domain.events.types import TYPES
from liveportal.exports.sentences_1 import describe
from tests.kit.events import amount

TIME = "2026-10-05T14:00:00Z"
ABOUT_SESSION = {"session": "S-1"}
ABOUT_CLAIM = {"claim": "CL-1"}
ABOUT_REQUEST = {"request": "R-1"}
CUSTOMER = {"id": "C-1", "name": "a secret"}

# Each type with all of its fields; `a secret` is the value of every personal field.
WHOLE: dict[str, dict[str, Any]] = {
    "request.opened": {
        **ABOUT_REQUEST,
        "kind": "instant",
        "direct": True,
        "customer": CUSTOMER,
        "title": "a secret",
        "description": "a secret",
        "rate": amount("3.00"),
    },
    "request.accepted": {**ABOUT_REQUEST, "session": "S-1", "slot": 2},
    **{
        name: {**ABOUT_REQUEST, "reason": "a secret"}
        for name in ("request.declined", "request.withdrawn", "request.taken", "request.expired")
    },
    "session.rescheduled": {**ABOUT_SESSION, "start": TIME, "minutes": 30},
    "session.cancelled": {**ABOUT_SESSION, "by": "platform", "reason": "a secret"},
    "session.missed": {**ABOUT_SESSION, "by": "customer"},
    "session.started": ABOUT_SESSION,
    "session.paused": ABOUT_SESSION,
    "session.resumed": ABOUT_SESSION,
    "session.ended": {**ABOUT_SESSION, "billed": amount("60.00")},
    "session.logged": {
        **ABOUT_SESSION,
        "customer": CUSTOMER,
        "rate": amount("3.00"),
        "start": TIME,
        "end": TIME,
        "title": "a secret",
    },
    "session.corrected": {**ABOUT_SESSION, "billed": amount("0"), "reason": "a secret"},
    "artifact.added": {
        **ABOUT_SESSION,
        "kind": "code",
        "name": "a secret",
        "sha256": "ab" * 32,
        "bytes": 7,
    },
    "review.posted": {**ABOUT_SESSION, "by": "expert", "rating": 5, "text": "a secret"},
    "tip.received": {**ABOUT_SESSION, "amount": amount("5.00")},
    "refund.claimed": {
        **ABOUT_CLAIM,
        "session": "S-1",
        "reason": "a secret",
        "amount": amount("20"),
    },
    **{
        name: {**ABOUT_CLAIM, "reason": "a secret"}
        for name in ("refund.conceded", "refund.granted", "refund.denied", "refund.withdrawn")
    },
    "dispute.filed": {**ABOUT_CLAIM, "summary": "a secret"},
    "dispute.withdrawn": ABOUT_CLAIM,
    **{
        name: {**ABOUT_CLAIM, "note": "a secret"}
        for name in ("dispute.accepted", "dispute.rejected")
    },
}
OF_A_CASE = [name for name, data in TYPES.items() if data.ENTITY in ("request", "session", "claim")]


def stored(kind: str, *, erased: bool) -> dict[str, Any]:
    """Return an event's data as the journal gives it back."""
    facts, personal = split(decode(TYPES[kind], WHOLE[kind]))
    return joined(facts, {} if erased else personal)


def test_every_type_of_a_case_is_tried() -> None:
    """A type that comes later has to say something, too."""
    assert sorted(WHOLE) == sorted(OF_A_CASE)


@pytest.mark.parametrize("kind", OF_A_CASE)
def test_every_event_is_a_sentence(kind: str) -> None:
    """With a capital and a full stop or a quotation; never an event type or code."""
    said = describe(kind, stored(kind, erased=False))
    assert said[0].isupper()
    assert said.endswith((".", "a secret"))
    assert said != kind.replace(".", " ")
    for code in ("None", "{", "}", "'"):
        assert code not in said


@pytest.mark.parametrize("kind", OF_A_CASE)
def test_what_was_erased_leaves_a_sentence(kind: str) -> None:
    """The forgotten customer's words are gone; the description of the event stays."""
    said = describe(kind, stored(kind, erased=True))
    assert "secret" not in said
    assert said.endswith(".")


@pytest.mark.parametrize("kind", OF_A_CASE)
def test_only_what_must_be_said_is_enough(kind: str) -> None:
    """Every optional field of an event can be missing."""
    needed = {name for name, _, optional, _ in field_specs(TYPES[kind]) if not optional}
    least = {name: value for name, value in WHOLE[kind].items() if name in needed}
    said = describe(kind, joined(*split(decode(TYPES[kind], least))))
    assert said[0].isupper()
    assert said.endswith((".", "a secret"))


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        (
            "request.opened",
            {"rate": amount("3.00")},
            "The customer asked for help, at 3.00 USD a minute.",
        ),
        ("request.accepted", {"slot": 2}, "The request was accepted, slot 2."),
        (
            "session.ended",
            {"billed": amount("60")},
            "The session ended; the platform billed 60 USD.",
        ),
        ("refund.claimed", {"reason": ""}, "The customer claimed back all of it."),
        (
            "refund.claimed",
            {"amount": amount("20.00"), "reason": "slow"},
            "The customer claimed back 20.00 USD: slow",
        ),
        ("artifact.added", {"kind": "code", "bytes": 7}, "A file was added: code, 7 bytes."),
        ("some.later_type", {}, "some later_type"),
    ],
)
def test_what_some_of_them_say(kind: str, data: dict[str, Any], said: str) -> None:
    """Worked examples; a type that this version does not know is named."""
    assert describe(kind, data) == said
