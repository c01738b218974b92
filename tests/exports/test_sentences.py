"""Every event of a case has a sentence in the third person, also after personal data is erased."""

from __future__ import annotations

import re
from typing import Any

import pytest

from liveportal.domain.events.fields import decode, field_specs, joined, split
from liveportal.domain.events.types import TYPES
from liveportal.exports.sentences import sentence
from tests.exports.test_sentences_1 import OF_A_CASE, WHOLE, stored
from tests.kit.events import amount

ZONE = "Europe/Paris"
TIME = "2026-10-05T14:00:00Z"


@pytest.mark.parametrize("kind", OF_A_CASE)
def test_every_event_is_a_sentence(kind: str) -> None:
    """It ends with a full stop or a quotation, and speaks to nobody in the second person."""
    said = sentence(kind, stored(kind, erased=False), ZONE)
    assert said[0].isupper()
    assert said.endswith((".", "\u201ca secret\u201d"))
    assert not re.search(r"\b(you|your|None|another event)\b|[{}']|T14:00", said, re.IGNORECASE)


@pytest.mark.parametrize("kind", OF_A_CASE)
def test_what_was_erased_leaves_a_sentence(kind: str) -> None:
    """The forgotten customer's words are gone; the description of the event stays."""
    said = sentence(kind, stored(kind, erased=True), ZONE)
    assert "secret" not in said
    assert said.endswith(".")


@pytest.mark.parametrize("kind", OF_A_CASE)
def test_only_what_must_be_said_is_enough(kind: str) -> None:
    """Every optional field of an event can be missing."""
    needed = {name for name, _, optional, _ in field_specs(TYPES[kind]) if not optional}
    least = {name: value for name, value in WHOLE[kind].items() if name in needed}
    said = sentence(kind, joined(*split(decode(TYPES[kind], least))), ZONE)
    assert said.endswith((".", "\u201ca secret\u201d"))


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        (
            "request.opened",
            {"rate": amount("3.00"), "direct": True},
            "The customer asked for this expert in person, at 3.00 USD a minute.",
        ),
        (
            "request.accepted",
            {"slot": 2},
            "The expert accepted the request, for proposed time number 2.",
        ),
        (
            "session.ended",
            {"billed": amount("60")},
            "The session ended. The customer was billed 60 USD.",
        ),
        (
            "session.rescheduled",
            {"start": TIME, "minutes": 30},
            "The session was moved to 2026-10-05 16:00:00, for 30 minutes.",
        ),
        (
            "session.logged",
            {"start": TIME, "end": TIME, "rate": amount("3.00"), "title": "Shaders"},
            (
                "The session took place from 2026-10-05 16:00:00 to 2026-10-05 16:00:00, at"
                " 3.00 USD a minute. It was about \u201cShaders\u201d."
            ),
        ),
        (
            "session.corrected",
            {"end": TIME, "pauses": [], "billed": amount("5.00"), "reason": "typo"},
            (
                "The record of the session was corrected, so that the end is 2026-10-05 16:00:00"
                " and the number of pauses is 0 and the bill is 5.00 USD: \u201ctypo\u201d"
            ),
        ),
        ("refund.claimed", {"reason": ""}, "The customer asked for the whole amount back."),
        (
            "refund.claimed",
            {"amount": amount("20.00"), "reason": "slow"},
            "The customer asked for 20.00 USD back: \u201cslow\u201d",
        ),
        ("artifact.added", {"kind": "attachment", "bytes": 7}, "An attachment was added."),
        ("some.later_type", {}, "Another event was recorded: some later type."),
    ],
)
def test_what_some_of_them_say(kind: str, data: dict[str, Any], said: str) -> None:
    """Worked examples; a type that this version does not know is named."""
    assert sentence(kind, data, ZONE) == said
