"""Lines of an export: ASCII, the same bytes each time, and read back unchanged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from liveportal.domain.errors import InvalidEvent
from liveportal.exports.events import line
from liveportal.feeds.exported import parse
from tests.kit.events import amount, event

RECORDED = "2026-10-05T09:00:00.000001Z"
OPENED = event(
    "request.opened",
    "10-05 08:00",
    id="evt \u2028\u202e🦊",
    request="R-1",
    kind="instant",
    customer={"id": "C-1", "name": "half \ud83e of a pair", "language": "fr"},
    title="\x1b[31m",
    description="",
    rate=amount("3.00"),
)


def exported(**options: Any) -> dict[str, Any]:  # noqa: ANN401 (options of any type)
    """Return the JSON of the event's line."""
    made: dict[str, Any] = json.loads(line(OPENED, RECORDED, **{"erased": False, **options}))
    return made


def test_a_line_is_ascii_and_reads_back() -> None:
    """Terminal control characters are escaped, and so is anything that UTF-8 cannot encode."""
    text = line(replace(OPENED, attributes={"subject": "R-1", "n": 7}), RECORDED, erased=False)
    assert text.isascii()
    assert text.isprintable()
    again, recorded_at, _ = parse(text.encode())
    assert recorded_at == RECORDED
    assert (again, again.attributes) == (OPENED, {"subject": "R-1", "n": 7})
    assert line(again, recorded_at, erased=False) == text


def test_an_amount_has_the_digits_of_its_currency() -> None:
    """Written in its canonical spelling, not as received."""
    spelt = event("tip.received", "10-05 09:00", session="S-1", amount=amount("5"))
    assert '"amount":"5.00"' in line(spelt, RECORDED, erased=False)


def test_names_of_the_export_are_its_own() -> None:
    """An attribute of a feed that is called as ours has no place."""
    named = replace(OPENED, attributes={"recordedat": "never", "erased": 1, "subject": "x"})
    document = json.loads(line(named, RECORDED, erased=False))
    assert (document["recordedat"], "erased" in document, document["subject"]) == (
        RECORDED,
        False,
        "x",
    )


def test_what_is_erased_has_facts_alone() -> None:
    """Erased and left out look the same; events without personal data are unchanged."""
    document = exported(erased=True)
    assert document == exported(without_personal=True)
    assert document["erased"] is True
    assert document["data"]["customer"] == {"id": "C-1"}
    assert "title" not in document["data"]
    again, *_ = parse(json.dumps(document).encode())
    assert again.erased
    started = event("session.started", "10-05 09:00", session="S-1")
    assert "erased" not in json.loads(line(started, RECORDED, erased=False, without_personal=True))
    signed = replace(started, attributes={"liveportalmachine": "a"})
    document = json.loads(line(signed, RECORDED, erased=False, without_personal=True))
    assert (document["erased"], "liveportalmachine" in document) == (True, False)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"erased": True}, "customer.name"),
        ({"erased": 1}, "erased"),
        ({"recordedat": "2026-10-05"}, "recordedat"),
        ({"recordedat": True}, "recordedat"),
        ({"type": "liveportal.session.started", "erased": True, "subject": "x"}, "subject"),
    ],
)
def test_a_line_that_is_wrong(change: dict[str, Any], field: str) -> None:
    """The error names the field; an erased line with personal data is invalid."""
    document = exported() | change
    if "subject" in change:
        document["data"] = {"session": "S-1"}
    with pytest.raises(InvalidEvent) as caught:
        parse(json.dumps(document).encode())
    assert caught.value.field == field
