"""The quick way of reading takes what the careful way takes, as the same value, and no more."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from liveportal.domain.errors import AmountTooLarge, InvalidEvent
from liveportal.domain.events import fields
from liveportal.domain.events.types import TYPES
from tests.kit.event_contract import CONTRACT, T1, USD, full

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SLOT = {"start": T1, "minutes": 30}
_ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 6, 11, 1441, 2**63 - 1, 2**63, 2**200, 0.0, 1.5),
    *("", " ", "S-1", "a" * 64, "a" * 65, "x\n", "é", "expert", "instant", "0" * 64, "G" * 64),
    *(T1, T1.replace("Z", ""), "2026-10-05T09:00:00.1234567Z", "2026-10-05", "2026-02-30"),
    *([], [T1], [T1, T1], [[T1, T1]], [[T1]], ["a"], ["a"] * 65, [_SLOT] * 10, [_SLOT] * 11),
    *([_SLOT | {"minutes": 0}], [_SLOT | {"more": 1}], [{"start": T1}], [None], [[]]),
    *({}, {"id": "C-1"}, {"id": "C 1"}, {"id": None}, {"id": "C-1", "name": None}, {"x": 1}),
    *(USD, USD | {"amount": "0"}, USD | {"amount": "-1"}, USD | {"amount": 3}, {"amount": "3"}),
    *(USD | {"amount": "9" * 30}, USD | {"currency": "XXX"}, USD | {"amount": "1.005"}),
)


def _read(way: Callable[..., object], *args: object, **more: object) -> object:
    try:
        return way(*args, **more)
    except (InvalidEvent, AmountTooLarge):
        return "refused"


def _variants(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the data whole, without each field, and with each odd value in each place."""
    yield data
    for name in (*data, "unheard_of"):
        yield {other: value for other, value in data.items() if other != name}
        for odd in _ODD:
            yield data | {name: odd}
        below = data.get(name)
        if isinstance(below, dict):
            for variant in _variants(below):
                yield data | {name: variant}


@pytest.mark.parametrize("kind", CONTRACT)
def test_both_ways_read_the_same(kind: str) -> None:
    """Or else what is read would depend on which way was asked first."""
    for data in _variants(deepcopy(full(kind))):
        careful = _read(fields._decoded, TYPES[kind], data, "", erased=False)  # noqa: SLF001
        assert _read(fields._taken, TYPES[kind], data) == careful, data  # noqa: SLF001


@pytest.mark.parametrize("kind", CONTRACT)
def test_what_is_right_is_taken(kind: str) -> None:
    """The careful way is for what is wrong: nothing that is right pays for it."""
    taken = fields._taken(TYPES[kind], full(kind))  # noqa: SLF001
    assert taken == fields._decoded(TYPES[kind], full(kind), "", erased=False)  # noqa: SLF001
