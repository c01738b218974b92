"""Dataclasses whose methods are made when the first of them is: most commands make few kinds.

`dataclasses.dataclass` writes and compiles each class's methods when the class is made: 0.6 ms for
a frozen class with slots, and there are over a hundred of them, of which a command uses a handful.
Here a class costs 0.05 ms, and a method what it always did when it is first called; from then on it
is the class's own, and as quick as ever.

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
        """Return the method of that name for a class's fields."""
        if name == "__init__":
            return _initialiser(kind)
        own = [(each.name, each.type, _twin(each)) for each in dataclasses.fields(kind)]
        standard = dataclasses.make_dataclass(
            kind.__name__,
            own,
            namespace={"__doc__": kind.__doc__},
            frozen=True,
            init=False,
            repr=name == "__repr__",
            eq=name != "__repr__",
        )
        return standard.__dict__[name]

    def _twin(field: dataclasses.Field) -> dataclasses.Field:
        return dataclasses.field(
            default=field.default, repr=field.repr, hash=field.hash, compare=field.compare
        )

    def _initialiser(kind: type) -> Callable[..., None]:
        """Write `__init__` as the standard library does for a frozen class.

        It makes no other method on the way, as that would: most classes need none.
        """
        names: dict[str, Any] = {"set_": object.__setattr__}
        places, by_name, steps = ["self"], [], []
        for each in dataclasses.fields(kind):
            given = each.name
            if each.default_factory is not dataclasses.MISSING:
                names[f"make_{given}"] = each.default_factory
                names["MISSING"] = dataclasses.MISSING
                default = "=MISSING"
                value = f"make_{given}() if {given} is MISSING else {given}"
            else:
                names[f"default_{given}"] = each.default
                default = "" if each.default is dataclasses.MISSING else f"=default_{given}"
                value = given
            (by_name if each.kw_only else places).append(f"{given}{default}")
            steps.append(f"set_(self, {given!r}, {value})")
        if hasattr(kind, "__post_init__"):
            steps.append("self.__post_init__()")
        parameters = ", ".join([*places, *(["*", *by_name] if by_name else [])])
        body = "\n    ".join(steps or ["pass"])
        exec(f"def __init__({parameters}):\n    {body}", names)  # noqa: S102 -- Names of our own.
        made = names["__init__"]
        made.__qualname__ = f"{kind.__qualname__}.__init__"
        return made

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
