"""Frozen values that cost little to declare, to make and to change.

The standard library's dataclasses write and compile the methods of each class when it is declared:
half a millisecond a class, for a hundred classes in every command; and a frozen one sets its fields
one call at a time. `quick` declares the same dataclass (its `fields`, `replace` and `asdict` work)
with the methods of `Value`, which are written once, below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, fields
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")
V = TypeVar("V", bound="Value")


@dataclass_transform(frozen_default=True)
def quick(kind: type[T]) -> type[T]:
    """Declare a class below `Value` as a dataclass of it: frozen, equal by its fields."""
    if kind.__doc__ is None:  # Else one is made up of the signature, which is costly to find.
        kind.__doc__ = kind.__name__
    return dataclass(init=False, repr=False, eq=False, match_args=False)(kind)


class Value:
    """A value that never changes: what it is made with is what it is."""

    def __init__(self, *args: Any, **values: Any) -> None:
        kind = type(self)
        setattr(kind, "__init__", _initialiser(kind))  # noqa: B010 -- From now on it makes them.
        kind.__init__(self, *args, **values)

    def __setattr__(self, name: str, _value: object) -> NoReturn:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        own = self.__dict__
        return hash(tuple([own[name] for name in form(type(self))]))

    def __repr__(self) -> str:
        own = ", ".join(f"{name}={getattr(self, name)!r}" for name in form(type(self)))
        return f"{type(self).__qualname__}({own})"


_FORMS: dict[type, tuple[str, ...]] = {}


def form(kind: type) -> tuple[str, ...]:
    """Return the names of a value's fields."""
    if kind not in _FORMS:
        _FORMS[kind] = tuple(each.name for each in fields(kind))
    return _FORMS[kind]


def _initialiser(kind: type) -> Callable[..., None]:
    """Write the `__init__` of a class: its fields are the parameters, all set at once.

    It is written when the first value is made: most commands make values of few classes.
    """
    names: dict[str, Any] = {"set_": object.__setattr__}
    parameters = ["self"]
    for each in fields(kind):
        is_needed = each.default is MISSING
        parameters.append(each.name if is_needed else f"{each.name}=default_{each.name}")
        names[f"default_{each.name}"] = each.default
    own = ", ".join(f"{name!r}: {name}" for name in form(kind))
    body = f"def __init__({', '.join(parameters)}):\n    set_(self, '__dict__', {{{own}}})"
    exec(body, names)  # noqa: S102 -- Names of our own.
    written: Callable[..., None] = names["__init__"]
    written.__qualname__ = f"{kind.__qualname__}.__init__"
    return written


def made(kind: type[V], own: dict[str, Any]) -> V:
    """Make a value of exactly these fields, which are known to be right."""
    new = object.__new__(kind)
    object.__setattr__(new, "__dict__", own)
    return new


def changed(was: V, **values: Any) -> V:
    """Return a value that differs in some fields: `dataclasses.replace`, ten times as quick.

    For values that check nothing when they are made; raises `TypeError` for what is no field.
    """
    own = {**was.__dict__, **values}
    if len(own) != len(was.__dict__):
        raise TypeError(f"{type(was).__name__} has the fields {', '.join(was.__dict__)}")
    new = object.__new__(type(was))
    object.__setattr__(new, "__dict__", own)
    return new
