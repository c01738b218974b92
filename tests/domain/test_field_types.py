"""A field is read in one way, and an event with several invalid fields names the first of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from liveportal.domain.errors import AmountTooLarge, InvalidEvent
from liveportal.domain.events.field_types import FieldType
from liveportal.domain.events.fields import decode, field_specs
from liveportal.domain.events.types import TYPES, RequestOpened
from tests.kit.event_contract import T1, USD, full

if TYPE_CHECKING:
    from collections.abc import Callable

FIELD_TYPES = {
    f"{name}.{field}": field_type
    for name, data_class in TYPES.items()
    for field, field_type, *_ in field_specs(data_class)
}
QUICK = [name for name, kind in FIELD_TYPES.items() if type(kind).read is not FieldType.read]
_SLOT = {"start": T1, "minutes": 30}
ODD: tuple[Any, ...] = (
    *(True, False, 0, 1, -1, 6, 11, 1441, 2**63 - 1, 2**63, 2**200, 0.0, 1.5),
    *("", " ", "S-1", "a" * 64, "a" * 65, "x\n", "é", "expert", "instant", "0" * 64, "G" * 64),
    *(T1, T1.replace("Z", ""), "2026-10-05T09:00:00.1234567Z", "2026-10-05", "2026-02-30"),
    *([], [T1], [T1, T1], [[T1, T1]], [[T1]], ["a"], ["a"] * 65, [_SLOT] * 10, [_SLOT] * 11),
    *([_SLOT | {"minutes": 0}], [_SLOT | {"more": 1}], [{"start": T1}], [None], [[]]),
    *({}, {"id": "C-1"}, {"id": "C 1"}, {"id": None}, {"id": "C-1", "name": None}, {"x": 1}),
    *(USD, USD | {"amount": "0"}, USD | {"amount": "-1"}, USD | {"amount": 3}, {"amount": "3"}),
    *(USD | {"amount": "9" * 30}, USD | {"currency": "XXX"}, USD | {"amount": "1.005"}),
)


def result(read: Callable[[str, Any], object], raw: object) -> object:
    """Return the value that is read at `field`, or the error with its message."""
    try:
        return read("field", raw)
    except (InvalidEvent, AmountTooLarge) as error:
        return type(error), error.message, error.details


@pytest.mark.parametrize("name", QUICK)
def test_the_quick_way_reads_what_parse_and_check_read(name: str) -> None:
    """It returns the same value, or raises the same error."""
    field_type = FIELD_TYPES[name]
    for raw in ODD:
        in_two_steps = result(lambda path, raw: FieldType.read(field_type, path, raw), raw)
        assert result(field_type.read, raw) == in_two_steps, raw


def test_fields_that_are_quick() -> None:
    """Texts, ids and times are; or the test above would compare nothing."""
    assert {"tip.received.session", "request.opened.title", "request.opened.expires"} <= {*QUICK}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"request": "R 1", "rate": 5, "more": 1}, "request"),
        ({"kind": "later", "title": 7}, "kind"),
        ({"title": None, "description": 7}, "title"),
        ({"rate": USD | {"amount": "0"}, "slots": "now"}, "rate"),
        ({"slots": [_SLOT | {"minutes": 0}, {}], "expires": "today"}, "slots[1].minutes"),
    ],
)
def test_the_first_invalid_field_is_named(wrong: dict[str, Any], named: str) -> None:
    """The first in the order of the declaration, whatever is wrong with it."""
    with pytest.raises(InvalidEvent) as caught:
        decode(RequestOpened, full("request.opened") | wrong)
    assert caught.value.field == named


def test_a_misspelt_name_is_named_before_what_is_missing() -> None:
    """It explains what is missing."""
    data = full("request.opened")
    data["titel"] = data.pop("title")
    with pytest.raises(InvalidEvent) as caught:
        decode(RequestOpened, data)
    assert caught.value.field == "titel"
