"""Values that are made and changed by the thousand are dataclasses to whoever uses them."""

from __future__ import annotations

import pickle
from copy import copy, deepcopy
from dataclasses import FrozenInstanceError, asdict, fields, is_dataclass, replace
from typing import Any

import pytest

from liveportal.domain.changing import Value, changed, made, quick


@quick
class Point(Value):
    """A place, and what it is called."""

    x: int
    y: int
    name: str = "here"


@quick
class Unnamed(Value):  # noqa: D101 -- What it is then called is tested.
    x: int = 0


def test_a_value_is_made_by_place_and_by_name() -> None:
    """Defaults stand where nothing is given."""
    point = Point(1, y=2)
    assert (point.x, point.y, point.name) == (1, 2, "here")
    assert point == Point(x=1, y=2, name="here") == Point(1, 2, "here")
    assert repr(point) == "Point(x=1, y=2, name='here')"


@pytest.mark.parametrize(
    ("args", "values"),
    [
        pytest.param((1,), {}, id="missing"),
        pytest.param((), {"x": 1, "name": "there"}, id="missing beside a default"),
        pytest.param((1, 2), {"z": 3}, id="unknown"),
        pytest.param((1,), {"z": 3}, id="unknown in the place of what is missing"),
        pytest.param((1, 2), {"x": 1}, id="twice"),
        pytest.param((1, 2), {"x": 1, "y": 2}, id="all twice"),
        pytest.param((1, 2, "here", 4), {}, id="too many"),
    ],
)
def test_other_fields_than_its_own_are_refused(args: Any, values: Any) -> None:  # noqa: ANN401
    """As a dataclass does: nothing is made of what does not fit."""
    with pytest.raises(TypeError, match=r"Point\.__init__\(\)"):
        Point(*args, **values)


def test_a_value_never_changes() -> None:
    """It is frozen, and refuses with the error of a frozen dataclass."""
    point = Point(1, 2)
    with pytest.raises(FrozenInstanceError, match="x"):
        point.x = 3  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="x"):
        del point.x
    with pytest.raises(FrozenInstanceError, match="z"):
        point.z = 3
    assert point == Point(1, 2)


def test_values_are_equal_by_their_fields_and_kind() -> None:
    """Equal values have equal hashes, however they were made; other kinds are never equal."""
    one, other = changed(Point(2, 1), x=1, y=2), made(Point, {"name": "here", "y": 2, "x": 1})
    assert one == other == Point(1, 2)
    assert hash(one) == hash(other) == hash(Point(1, 2))
    assert len({one, other, Point(1, 2), Point(2, 1)}) == 2
    assert made(Unnamed, {"x": 1}) != Point(1, 1)
    assert Point(1, 2) != (1, 2, "here")


def test_a_changed_value_leaves_the_first_as_it_was() -> None:
    """Only the named fields differ; what is no field cannot."""
    first = Point(1, 2)
    assert changed(first, y=3) == Point(1, 3)
    assert first == Point(1, 2)
    with pytest.raises(TypeError, match="Point has the fields"):
        changed(first, z=3)


def test_the_tools_for_dataclasses_work() -> None:
    """`replace`, `fields`, `asdict`, copies and pickles."""
    point = Point(1, 2, "there")
    assert is_dataclass(point)
    assert [each.name for each in fields(point)] == ["x", "y", "name"]
    assert replace(point, x=4) == Point(4, 2, "there")
    assert asdict(point) == {"x": 1, "y": 2, "name": "there"}
    assert copy(point) == deepcopy(point) == pickle.loads(pickle.dumps(point)) == point  # noqa: S301
    assert Unnamed.__doc__ == "Unnamed"
