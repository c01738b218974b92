"""Every event type of the contract: its fields, their types, the personal ones, and no others."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from liveportal.domain.errors import AmountTooLarge, InvalidEvent
from liveportal.domain.events.envelope import EventData
from liveportal.domain.events.fields import decode, joined, split
from liveportal.domain.events.types import TYPES, PreferencesChanged
from tests.kit.event_contract import CONTRACT, INSIDE, T1, USD, full, least, names
from tests.kit.events import short

each_type = pytest.mark.parametrize("kind", CONTRACT)


def fields(*, optional: bool | None = None) -> list[Any]:
    """Return parameters: every field of every type."""
    return [
        pytest.param(kind, name, id=f"{kind}-{name}")
        for kind in CONTRACT
        for name in sorted(names(kind, optional=optional))
    ]


def read(kind: str, data: object) -> EventData:
    """Read the data of an event."""
    decoded: EventData = decode(TYPES[kind], data)
    return decoded


def refused(kind: str, data: object) -> InvalidEvent:
    """Return the error with which data is refused."""
    with pytest.raises(InvalidEvent) as caught:
        read(kind, data)
    assert caught.value.reason
    assert caught.value.message.startswith(f"The field {caught.value.field} ")
    assert caught.value.message.endswith(".")
    return caught.value


def changed(kind: str, path: str, value: object) -> dict[str, Any]:
    """Return a type's full data with the value at `a.b` or `a[1].b` (1-based) replaced."""
    data = deepcopy(full(kind))
    *above, last = path.replace("[", ".").replace("]", "").split(".")
    place: Any = data
    for step in above:
        place = place[int(step) - 1] if step.isdigit() else place[step]
    place[int(last) - 1 if last.isdigit() else last] = value
    return data


def test_the_types_are_those_of_the_contract() -> None:
    """No type is missing, and no other type exists."""
    assert set(TYPES) == set(CONTRACT)


@each_type
def test_every_field_is_read_and_written_back(kind: str) -> None:
    """Facts and personal data together are the input, and read back as the same event."""
    data = full(kind)
    decoded = read(kind, data)
    facts, personal = split(decoded)
    written = joined(json.loads(json.dumps(facts)), json.loads(json.dumps(personal)))
    assert written.keys() == data.keys()
    assert read(kind, written) == decoded
    if kind != "policy.adopted":
        assert json.dumps(written, sort_keys=True) == json.dumps(data, sort_keys=True)


@each_type
def test_the_least_is_enough(kind: str) -> None:
    """Optional fields may be missing, and are then not written."""
    if kind == "preferences.changed":
        return  # All fields are optional, but a rule requires at least one of them.
    decoded = read(kind, least(kind))
    facts, personal = split(decoded)
    assert facts.keys() | personal.keys() == names(kind, optional=False)


@each_type
def test_personal_is_what_the_contract_writes_in_italics(kind: str) -> None:
    """Facts contain no personal text; personal data contains no fact."""
    facts, personal = split(read(kind, full(kind)))
    structs = {name for name in INSIDE if isinstance(full(kind).get(name), dict)}
    for name in structs:
        wanted = {each for each, marks in INSIDE[name].items() if "*" in marks}
        assert set(personal.pop(name, {})) == wanted
        assert set(facts[name]) == set(INSIDE[name]) - wanted
    assert set(personal) == names(kind, personal=True)
    assert set(facts) == names(kind, personal=False)


@pytest.mark.parametrize(("kind", "name"), fields(optional=False))
def test_a_missing_field(kind: str, name: str) -> None:
    """A required field that is missing is refused by its name."""
    data = full(kind)
    del data[name]
    assert refused(kind, data).field == name


@pytest.mark.parametrize(("kind", "name"), fields())
@pytest.mark.parametrize("value", [None, 5.5, object], ids=["null", "float", "struct"])
def test_a_mistyped_field(kind: str, name: str, value: object) -> None:
    """A value of another type, null included, is refused by the field's name."""
    free = {"availability", "auto_decline", "notifications", "fingerprints"}
    if value is object:
        value = {"x": 1}
        if name in free:
            return  # Any object will do there.
    error = refused(kind, full(kind) | {name: value})
    assert error.field == name or error.field.startswith(f"{name}.")


@each_type
def test_an_unknown_field(kind: str) -> None:
    """A field that the type does not have is refused by its name."""
    assert refused(kind, full(kind) | {"colour": "red"}).field == "colour"


@each_type
@pytest.mark.parametrize("data", [None, [], "x", 5, True])
def test_data_is_an_object(kind: str, data: object) -> None:
    """Data that is not an object is refused."""
    assert refused(kind, data).field == "data"


@pytest.mark.parametrize(
    ("kind", "path", "value", "field"),
    [
        ("request.opened", "kind", "urgent", "kind"),
        ("request.opened", "direct", 1, "direct"),
        ("request.opened", "customer", "C-1", "customer"),
        ("request.opened", "customer.id", "C 1", "customer.id"),
        ("request.opened", "customer.id", None, "customer.id"),
        ("request.opened", "customer.name", 5, "customer.name"),
        ("request.opened", "customer.colour", "red", "customer.colour"),
        ("request.opened", "skills[1]", 5, "skills[1]"),
        ("request.opened", "slots[2].start", "2026-10-05", "slots[2].start"),
        ("request.opened", "slots[2].start", "2026-10-05T09:00:00", "slots[2].start"),
        ("request.opened", "slots[1].minutes", 0, "slots[1].minutes"),
        ("request.opened", "slots[1].minutes", 1.5, "slots[1].minutes"),
        ("request.opened", "slots[1].minutes", True, "slots[1].minutes"),
        ("request.opened", "slots[1].minutes", 10**30, "slots[1].minutes"),
        ("request.opened", "slots[1].colour", 1, "slots[1].colour"),
        ("request.opened", "slots[1]", None, "slots[1]"),
        ("request.opened", "slots", [], "slots"),
        ("request.opened", "slots", [{"start": T1, "minutes": 5}] * 11, "slots"),
        ("request.opened", "rate.amount", 84.0, "rate"),
        ("request.opened", "rate.amount", 84, "rate"),
        ("request.opened", "rate.amount", "84.001", "rate"),
        ("request.opened", "rate.amount", "0.00", "rate"),
        ("request.opened", "rate.amount", "-1.00", "rate"),
        ("request.opened", "rate", "84.00", "rate"),
        ("request.opened", "rate", {"amount": "84.00"}, "rate"),
        ("request.opened", "rate", {**USD, "x": 1}, "rate"),
        ("request.opened", "expires", 1_790_000_000, "expires"),
        ("request.accepted", "slot", 0, "slot"),
        ("request.accepted", "slot", "1", "slot"),
        ("session.cancelled", "by", "dog", "by"),
        ("session.missed", "by", "platform", "by"),
        ("session.ended", "billed.amount", "-0.01", "billed"),
        ("session.logged", "pauses[1]", [T1], "pauses[1]"),
        ("session.logged", "pauses[1][2]", "soon", "pauses[1][2]"),
        ("artifact.added", "sha256", "0" * 63, "sha256"),
        ("artifact.added", "sha256", "G" * 64, "sha256"),
        ("artifact.added", "bytes", -1, "bytes"),
        ("artifact.added", "bytes", 2**63, "bytes"),
        ("artifact.added", "kind", "virus", "kind"),
        ("artifact.added", "media_type", "a\nb", "media_type"),
        ("review.posted", "rating", 0, "rating"),
        ("review.posted", "rating", 6, "rating"),
        ("review.posted", "by", "platform", "by"),
        ("adjustment.posted", "amount.amount", "0.00", "amount"),
        ("tip.received", "amount.amount", "0", "amount"),
        ("payout.sent", "method", "", "method"),
        ("payout.sent", "method", "pay\npal", "method"),
        ("entry.reversed", "event", "e-1", "event"),
        ("entry.reversed", "event.id", 5, "event.id"),
        ("preferences.changed", "vacations[1].end", "soon", "vacations[1].end"),
        ("preferences.changed", "buffers.before", -1, "buffers.before"),
        ("preferences.changed", "experience_years", -1, "experience_years"),
        ("policy.adopted", "policy.trial.minutes", "5", "policy.trial.minutes"),
        ("policy.adopted", "policy.colour", 1, "policy.colour"),
    ],
)
def test_a_wrong_value_is_named_by_its_path(
    kind: str, path: str, value: object, field: str
) -> None:
    """The path is relative to `data` in the JSON; list entries count from 1."""
    assert refused(kind, changed(kind, path, value)).field == field


@pytest.mark.parametrize(
    "name",
    ["", " ", "a" * 65, "R 1", "R/1", "Zoë", "R-1\n", "R\x001", "\ud800", 7, "%", "a,b"],
    ids=short,
)
@pytest.mark.parametrize("kind", ["request.opened", "session.started", "refund.claimed"])
def test_ids(kind: str, name: object) -> None:
    """Ids are 1-64 of letters, digits, `.`, `_`, `:`, `-`."""
    thing = TYPES[kind].ENTITY
    assert refused(kind, full(kind) | {thing: name}).field == thing
    for good in ("a", "A" * 64, "9.x_y:z-0"):
        assert read(kind, full(kind) | {thing: good}).entity == f"{thing}:{good}"


def test_billed_may_be_nothing_and_adjustments_negative() -> None:
    """Amounts are above zero, except adjustments (signed) and `billed` (0 or more)."""
    read("session.ended", changed("session.ended", "billed.amount", "0.00"))
    read("adjustment.posted", changed("adjustment.posted", "amount.amount", "-0.01"))


def test_amounts_are_what_they_mean() -> None:
    """84.0 is 84.00."""
    long = read("tip.received", full("tip.received"))
    assert read("tip.received", changed("tip.received", "amount.amount", "84.0")) == long
    assert read("tip.received", changed("tip.received", "amount.amount", "84.01")) != long


def test_instants_are_what_they_mean() -> None:
    """The offset's spelling does not count, and the offset is kept."""
    data = least("session.rescheduled")
    other = read("session.rescheduled", data | {"start": "2026-10-05T11:00:00+02:00"})
    assert other == read("session.rescheduled", data)
    assert split(other)[0]["start"] == "2026-10-05T11:00:00+02:00"


def test_an_amount_too_large() -> None:
    """2^63-1 minor units are read; one more is refused as too large."""
    largest = changed("tip.received", "amount.amount", "92233720368547758.07")
    assert split(read("tip.received", largest))[0]["amount"]["amount"] == "92233720368547758.07"
    with pytest.raises(AmountTooLarge):
        read("tip.received", changed("tip.received", "amount.amount", "92233720368547758.08"))


@each_type
def test_an_illegal_event_cannot_be_built(kind: str) -> None:
    """The value object checks itself: nothing illegal can be made in Python either."""
    cls = TYPES[kind]
    required = sorted(names(kind, optional=False))
    if required:
        with pytest.raises((InvalidEvent, TypeError)):
            cls(**dict.fromkeys(required, 5.5))
        with pytest.raises(InvalidEvent):
            cls(**dict.fromkeys(required))


@pytest.mark.parametrize(
    "text", ["", "a" * 10_000, "\x00\x1b[31m", "\ud800", "\u202e", "💥"], ids=short
)
def test_free_text_may_be_anything(text: str) -> None:
    """Free text is stored as received; the code that prints it sanitises it."""
    decoded = read("request.opened", full("request.opened") | {"title": text})
    facts, personal = split(decoded)
    assert personal["title"] == text
    assert read("request.opened", joined(facts, personal)) == decoded


def test_erased_events_read_without_their_personal_data() -> None:
    """Of an erased event the facts are enough; a fact that is missing is still refused."""
    for kind in CONTRACT:
        facts, _ = split(read(kind, full(kind)))
        again = decode(TYPES[kind], facts, erased=True)
        assert split(again)[0] == facts
    facts, _ = split(read("request.opened", full("request.opened")))
    del facts["rate"]
    with pytest.raises(InvalidEvent):
        decode(TYPES["request.opened"], facts, erased=True)


@pytest.mark.parametrize(("depth", "fits"), [(32, True), (33, False), (400, False)])
def test_free_documents_have_a_depth(depth: int, fits: bool) -> None:
    """Documents nested too deeply are refused on input: printing them would overflow the stack."""
    nested: list[object] = []
    for _ in range(depth - 1):
        nested = [nested]
    if fits:
        assert decode(PreferencesChanged, {"availability": nested}).availability == nested
        return
    with pytest.raises(InvalidEvent, match="nested deeper"):
        decode(PreferencesChanged, {"availability": nested})
