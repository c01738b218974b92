"""Values whose methods are made late are what the standard library's dataclasses are."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import field
from typing import Any

import pytest

from liveportal.domain import values


def _kinds(dataclass: Callable[..., Any]) -> dict[str, type[Any]]:
    """Make the same classes by one decorator or the other."""

    @dataclass(frozen=True, slots=True)
    class Plain:
        """Two fields, one with a default."""

        minor: int
        currency: str = "USD"

    @dataclass(frozen=True)
    class Made:
        """A field that is made, and one that is not compared."""

        name: str
        given: dict[str, int] = field(default_factory=dict)
        seen: int = field(default=0, compare=False)

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Named:
        """Fields by their names alone, checked."""

        last: int = 9
        first: int

        def __post_init__(self) -> None:
            if self.first > self.last:
                raise ValueError("it ends before it begins")

    @dataclass(frozen=True)
    class Base:
        """What another builds on."""

        one: int

    @dataclass(frozen=True)
    class Derived(Base):
        """Has the field of its base first, and words of its own."""

        two: int = 2

        def __repr__(self) -> str:
            return f"<{self.one}, {self.two}>"

    return {each.__name__: each for each in (Plain, Made, Named, Base, Derived)}


OURS, THEIRS = _kinds(values.dataclass), _kinds(dataclasses.dataclass)

CALLS: tuple[tuple[str, tuple[Any, ...], dict[str, Any]], ...] = (
    ("Plain", (1,), {}),
    ("Plain", (1, "EUR"), {}),
    ("Plain", (), {"minor": 1, "currency": "EUR"}),
    ("Plain", (), {}),
    ("Plain", (1, "EUR", 3), {}),
    ("Plain", (1,), {"minor": 2}),
    ("Plain", (1,), {"nobody": 2}),
    ("Made", ("a",), {}),
    ("Made", ("a", {"b": 1}, 3), {}),
    ("Named", (), {"first": 3}),
    ("Named", (), {"first": 3, "last": 4}),
    ("Named", (3,), {}),
    ("Named", (), {"first": 30}),
    ("Base", (1,), {}),
    ("Derived", (1,), {}),
    ("Derived", (1, 3), {}),
)


def _outcome(kinds: dict[str, type[Any]], call: tuple[str, tuple[Any, ...], dict[str, Any]]) -> Any:  # noqa: ANN401
    name, places, names = call
    try:
        made = kinds[name](*places, **names)
    except (TypeError, ValueError) as error:
        return type(error)
    fields = [(each.name, getattr(made, each.name)) for each in dataclasses.fields(made)]
    return fields, repr(made), made.__match_args__


@pytest.mark.parametrize("call", CALLS)
def test_a_value_is_made_as_ever(call: tuple[str, tuple[Any, ...], dict[str, Any]]) -> None:
    """By place and by name, with defaults, or refused."""
    assert _outcome(OURS, call) == _outcome(THEIRS, call)


@pytest.mark.parametrize("kinds", [OURS, THEIRS], ids=["ours", "theirs"])
def test_values_are_compared_and_hashed_by_their_fields(kinds: dict[str, type[Any]]) -> None:
    """Of one class; a field that is not compared makes no difference."""
    plain, made = kinds["Plain"], kinds["Made"]
    assert plain(1) == plain(1, "USD")
    assert plain(1) != plain(2)
    assert plain(1) != (1, "USD")
    assert hash(plain(1)) == hash(plain(1))
    assert {plain(1): "found"}[plain(1)] == "found"
    assert made("a", seen=1) == made("a", seen=2)
    assert made("a").given is not made("a").given


@pytest.mark.parametrize("kinds", [OURS, THEIRS], ids=["ours", "theirs"])
def test_a_value_never_changes(kinds: dict[str, type[Any]]) -> None:
    """It is frozen, and another is made of it."""
    value = kinds["Plain"](1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.minor = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del value.minor
    other = dataclasses.replace(value, minor=2)
    assert (value.minor, other.minor, other.currency) == (1, 2, "USD")


@values.dataclass(frozen=True, slots=True)
class Kept:
    """A class that pickle finds by its name."""

    name: str
    number: int = 1


def test_a_value_can_be_copied_and_kept() -> None:
    """Although it is frozen and has slots."""
    value = Kept("a", 2)
    assert copy.copy(value) == copy.deepcopy(value) == value
    assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301 -- Our own bytes.


def test_the_methods_are_made_when_they_are_first_called() -> None:
    """And are the class's own from then on, each by itself."""

    @values.dataclass(frozen=True, slots=True)
    class Late:
        """Nobody has made one yet."""

        name: str

    late = {name: vars(Late)[name] for name in ("__init__", "__eq__", "__hash__", "__repr__")}
    value = Late("a")
    assert vars(Late)["__init__"] is not late["__init__"]
    assert vars(Late)["__eq__"] is late["__eq__"]
    assert value == Late("a")
    assert vars(Late)["__eq__"] is not late["__eq__"]


def test_what_can_change_is_made_by_the_standard_library_alone() -> None:
    """Only frozen values are made late."""

    @values.dataclass(slots=True)
    class Open:
        """A class whose objects change."""

        name: str

    value = Open("a")
    value.name = "b"
    assert value == Open("b")
