"""Frozen values behave as the standard library's frozen dataclasses do."""

from __future__ import annotations

import dataclasses
import pickle
from copy import copy, deepcopy
from dataclasses import FrozenInstanceError, asdict, field, fields, is_dataclass
from functools import cached_property
from typing import Any

import pytest

from liveportal.domain.frozen import build, build_compact, field_names, frozen, replace


@frozen
class Point:
    """A place, and what it is called."""

    x: int
    y: int
    name: str = "here"

    @cached_property
    def length(self) -> int:
        """What is worked out once."""
        return self.x + self.y


@frozen
class Place(Point):
    """A point with notes, which are not compared."""

    notes: list[str] = field(default_factory=list, compare=False, repr=False)


@frozen(kw_only=True)
class Span:
    """Two numbers in order, checked."""

    last: int = 9
    first: int

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise ValueError("it ends before it begins")


@frozen
class Unnamed:  # noqa: D101 -- The test looks at what `frozen` writes here.
    x: int = 0


def test_a_value_is_made_by_position_and_by_name() -> None:
    """Defaults fill what is not given; a factory makes a new object each time."""
    assert Point(1, y=2) == Point(x=1, y=2, name="here") == Point(1, 2, "here")
    assert repr(Point(1, 2)) == "Point(x=1, y=2, name='here')"
    first, second = Place(1, 2), Place(1, 2)
    first.notes.append("a note")
    assert (second.notes, Place(1, 2, "here", ["b"]).notes) == ([], ["b"])
    assert repr(first) == "Place(x=1, y=2, name='here')"


@pytest.mark.parametrize(
    ("args", "values"),
    [
        pytest.param((1,), {}, id="missing"),
        pytest.param((), {"x": 1, "name": "there"}, id="missing beside a default"),
        pytest.param((1, 2), {"z": 3}, id="unknown"),
        pytest.param((1, 2), {"x": 1}, id="twice"),
        pytest.param((1, 2, "here", 4), {}, id="too many"),
    ],
)
def test_wrong_arguments_are_refused(args: Any, values: Any) -> None:  # noqa: ANN401
    """The error is the one of any function, the first time and later."""
    for _ in range(2):
        with pytest.raises(TypeError, match=r"Point\.__init__\(\)"):
            Point(*args, **values)


def test_a_value_never_changes() -> None:
    """Setting and deleting raise the error of a frozen dataclass, also before the first use."""
    for value in (Point(1, 2), Span(first=1), Unnamed()):
        name = field_names(type(value))[0]
        with pytest.raises(FrozenInstanceError, match=name):
            setattr(value, name, 3)
        with pytest.raises(FrozenInstanceError, match=name):
            delattr(value, name)


def test_values_are_equal_by_their_fields_and_class() -> None:
    """However they were made, whatever is cached on them, and whatever is not compared."""
    cached = Point(1, 2)
    assert cached.length == 3
    one, other = replace(Point(2, 1), x=1, y=2), build(Point, {"name": "here", "y": 2, "x": 1})
    assert cached == one == other == Point(1, 2)
    assert {hash(cached), hash(one), hash(other)} == {hash(Point(1, 2))}
    assert Place(1, 2, "here", ["a"]) == Place(1, 2, "here", ["b"])
    assert hash(Place(1, 2, "here", ["a"])) == hash(Place(1, 2))
    others: tuple[object, ...] = (Place(1, 2), (1, 2, "here"), Point(1, 3))
    assert not [other for other in others if other == Point(1, 2)]


def test_a_replaced_value_leaves_the_first_as_it_was() -> None:
    """Only the named fields differ; nothing cached is taken along, and no other name is taken."""
    first = Point(1, 2)
    assert first.length == 3
    second = replace(first, y=3)
    assert (second, second.length, first) == (Point(1, 3), 4, Point(1, 2))
    with pytest.raises(TypeError, match="Point has the fields x, y, name"):
        replace(first, z=3)
    with pytest.raises(TypeError, match="Point has the fields"):
        replace(Point(1, 2), z=3)


def test_a_check_runs_however_a_value_is_made() -> None:
    """By the constructor, by both ways to replace, but not by `build`."""
    span = Span(first=1)
    with pytest.raises(ValueError, match="ends before"):
        Span(first=10)
    with pytest.raises(ValueError, match="ends before"):
        replace(span, first=10)
    with pytest.raises(ValueError, match="ends before"):
        dataclasses.replace(span, first=10)
    with pytest.raises(TypeError):
        Span(1, 2)  # type: ignore[call-arg]


def test_the_tools_for_dataclasses_work() -> None:
    """`fields`, `asdict`, `replace`, copies and pickles."""
    point = Point(1, 2, "there")
    assert is_dataclass(point)
    assert [each.name for each in fields(point)] == ["x", "y", "name"] == [*field_names(Point)]
    assert dataclasses.replace(point, x=4) == Point(4, 2, "there")
    assert asdict(point) == {"x": 1, "y": 2, "name": "there"}
    assert copy(point) == deepcopy(point) == pickle.loads(pickle.dumps(point)) == point  # noqa: S301
    assert Unnamed.__doc__ == "Unnamed"


def test_a_value_matches_by_position() -> None:
    """As that of a dataclass does, also before anything else asks for its fields."""

    @frozen
    class Pair:
        """Two numbers."""

        first: int
        second: int

    @frozen
    class Triple(Pair):
        """Three numbers."""

        third: int

    match build(Triple, {"first": 1, "second": 2, "third": 3}):
        case Triple(first, second, third):
            assert (first, second, third) == (1, 2, 3)
        case _:
            pytest.fail("it does not match its own class")
    assert Triple(1, 2, 3).third == 3
    assert field_names(Pair) == ("first", "second")


def test_a_compact_value_is_like_any_other() -> None:
    """It is equal, frozen, copied and replaced; only its memory differs."""
    compact = build_compact(Point, {"x": 1, "y": 2, "name": "there"})
    assert compact == Point(1, 2, "there")
    assert hash(compact) == hash(Point(1, 2, "there"))
    assert replace(compact, x=3) == Point(3, 2, "there")
    assert copy(compact) == pickle.loads(pickle.dumps(compact)) == compact  # noqa: S301
    with pytest.raises(FrozenInstanceError):
        compact.x = 4  # type: ignore[misc]
