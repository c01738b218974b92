"""Dataclasses whose methods are made when the first of them is: most commands make few kinds.

`dataclasses.dataclass` writes and compiles each class's methods when the class is made: 0.6 ms for
a frozen class with slots, and there are over a hundred of them, of which a command uses a handful.
Here a class costs 0.05 ms until its first object; that one's methods are the standard library's own,
so that all others are made, compared and hashed exactly as quickly as ever.

To a type checker this *is* `dataclasses.dataclass`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    import dataclasses
    from collections.abc import Callable

    _MADE = ("__init__", "__eq__", "__hash__", "__repr__")

    def dataclass(
        kind: type | None = None,
        /,
        *,
        frozen: bool = False,
        slots: bool = False,
        kw_only: bool = False,
    ) -> Any:
        """Make a class of values; only frozen ones are made late."""
        if kind is None:
            return lambda later: dataclass(later, frozen=frozen, slots=slots, kw_only=kw_only)
        if not frozen:
            return dataclasses.dataclass(kind, slots=slots, kw_only=kw_only)
        if not kind.__doc__:
            kind.__doc__ = f"A {kind.__name__}."  # Or its signature would be worked out for one.
        made = dataclasses.dataclass(
            kind, init=False, repr=False, eq=False, slots=slots, kw_only=kw_only
        )
        for name in _MADE:
            if name not in made.__dict__:
                setattr(made, name, _late(made, name))
        made.__setattr__ = _refuse_to_set
        made.__delattr__ = _refuse_to_delete
        if slots:
            made.__getstate__ = _state
            made.__setstate__ = _set_state
        return made

    def _late(kind: type, name: str) -> Callable[..., Any]:
        """Return a method that makes the real one, and then does what it is for."""

        def make_and_call(self: Any, /, *args: Any, **values: Any) -> Any:
            if kind.__dict__[name] is make_and_call:  # Not if another thread was quicker.
                setattr(kind, name, _made(kind, name))
            return kind.__dict__[name](self, *args, **values)

        make_and_call.__name__ = name
        return make_and_call

    def _made(kind: type, name: str) -> Callable[..., Any]:
        """Return the standard library's method of that name for a class's fields."""
        own = [
            (
                each.name,
                each.type,
                dataclasses.field(
                    default=each.default,
                    default_factory=each.default_factory,
                    init=each.init,
                    repr=each.repr,
                    hash=each.hash,
                    compare=each.compare,
                    kw_only=each.kw_only,
                ),
            )
            for each in dataclasses.fields(kind)
        ]
        twin = dataclasses.make_dataclass(
            kind.__name__,
            own,
            namespace={"__doc__": kind.__doc__}
            | ({"__post_init__": None} if hasattr(kind, "__post_init__") else {}),
            frozen=True,
            init=name == "__init__",
            repr=name == "__repr__",
            eq=name in {"__eq__", "__hash__"},
        )
        return twin.__dict__[name]

    def _refuse_to_set(_self: object, name: str, _value: object) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def _refuse_to_delete(_self: object, name: str) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")

    # As the standard library has it: what is frozen and has slots is otherwise not to be copied.
    def _state(self: Any) -> list[Any]:
        return [getattr(self, each.name) for each in dataclasses.fields(self)]

    def _set_state(self: Any, state: list[Any]) -> None:
        for each, value in zip(dataclasses.fields(self), state, strict=True):
            object.__setattr__(self, each.name, value)
