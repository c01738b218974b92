"""Field types: how event data is read from JSON, checked, written and split for erasure.

A `FieldType` handles one type of value: it reads it from JSON (`read`, which may convert),
validates it (`check`) and writes it (`write`). An event's dataclass declares the type of each field
with `of`; reading, checking, splitting and comparing all follow from that.

The path of a field in an error is its path in the JSON below `data`: `customer.id`,
`slots[2].start`.

Nearly all input is valid, so there are two ways to read it. The fast one (`taken`) accepts valid
input and keeps no paths; anything it rejects is read again by the slow one, which names the error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import MISSING, field, fields, replace
from datetime import UTC, date, datetime
from types import EllipsisType
from typing import Any

from liveportal.domain.clock import parse_instant
from liveportal.domain.errors import (
    AmountTooLarge,
    InvalidAmount,
    InvalidEvent,
    InvalidPolicy,
    InvalidTime,
)
from liveportal.domain.frozen import build
from liveportal.domain.money import Money, digits_of
from liveportal.domain.patterns import pattern as late
from liveportal.domain.policy import Policy


class FieldType:
    """One type of value. The base class accepts any JSON."""

    def read(self, path: str, raw: Any) -> Any:  # noqa: ARG002 (subclasses use it)
        """Read a value from JSON; raises `InvalidEvent` with the path."""
        return raw

    def check(self, path: str, value: Any) -> None:
        """Raise `InvalidEvent` if the value is not valid for this field type."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the value."""
        return {}

    def taken(self, raw: Any) -> Any:
        """Read and check a value on the fast path; errors carry no path."""
        value = self.read("", raw)
        self.check("", value)
        return value

    def write(self, value: Any) -> Any:
        """Return the value as JSON."""
        return value


class Text(FieldType):
    """A text with any characters; clean it before printing."""

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}

    def read(self, path: str, raw: Any) -> str:
        if not isinstance(raw, str):
            raise InvalidEvent(path, "must be a text")
        return raw

    def check(self, path: str, value: Any) -> None:
        if not isinstance(value, str):
            raise InvalidEvent(path, "must be a text")

    def taken(self, raw: Any) -> Any:
        self.check("", raw)  # Rejects JSON that is not a text, too.
        return raw


class Pattern(Text):
    """A text that matches a pattern."""

    def __init__(self, pattern: str, form: str) -> None:
        self._pattern = late(pattern, re.ASCII)
        self._form = form

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^(?:{self._pattern.pattern})$"}

    def check(self, path: str, value: Any) -> None:
        if not isinstance(value, str) or not self._pattern.fullmatch(value):
            raise InvalidEvent(path, f"must be {self._form}")

    def taken(self, raw: Any) -> Any:
        if type(raw) is str and self._pattern.fullmatch(raw):
            return raw
        raise InvalidEvent("", "is of another form")


class Choice(Text):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self._words = words

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self._words)}

    def check(self, path: str, value: Any) -> None:
        if value not in self._words:
            raise InvalidEvent(path, f"must be one of {', '.join(self._words)}")


class Integer(FieldType):
    """An integer in a range, both ends included."""

    def __init__(self, lowest: int, highest: int) -> None:
        self._lowest, self._highest = lowest, highest

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self._lowest, "maximum": self._highest}

    def check(self, path: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidEvent(path, "must be a whole number")
        if not self._lowest <= value <= self._highest:
            raise InvalidEvent(path, f"must be from {self._lowest} to {self._highest}")


class Boolean(FieldType):
    """True or false."""

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def check(self, path: str, value: Any) -> None:
        if not isinstance(value, bool):
            raise InvalidEvent(path, "must be true or false")


class Instant(FieldType):
    """An instant, with its offset as given."""

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}

    def read(self, path: str, raw: Any) -> datetime:
        if not isinstance(raw, str):
            raise InvalidEvent(path, "must be a time with an offset, as text")
        try:
            return parse_instant(raw)
        except InvalidTime as error:
            raise InvalidEvent(path, error.message) from None

    def taken(self, raw: Any) -> datetime:
        return self.read("", raw)  # A parsed instant always has an offset.

    def check(self, path: str, value: Any) -> None:
        if not isinstance(value, datetime) or value.utcoffset() is None:
            raise InvalidEvent(path, "must be a time with an offset")

    def write(self, value: datetime) -> str:
        text = value.isoformat()
        return f"{text[:-6]}Z" if value.tzinfo is UTC else text


class Day(FieldType):
    """A calendar day."""

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}

    def read(self, path: str, raw: Any) -> date:
        try:
            return date.fromisoformat(raw)
        except (TypeError, ValueError):
            raise InvalidEvent(path, "must be a date such as 2026-10-05") from None

    def check(self, path: str, value: Any) -> None:
        if not isinstance(value, date):
            raise InvalidEvent(path, "must be a date")

    def write(self, value: date) -> str:
        return value.isoformat()


class Amount(FieldType):
    """An amount of money: `{"amount": "84.00", "currency": "USD"}`."""

    def __init__(self, lowest_minor: int | None) -> None:
        self._lowest_minor = lowest_minor

    def schema(self) -> dict[str, Any]:
        sign = "-?" if self._lowest_minor is None else ""
        above = "" if self._lowest_minor == 0 else "(?=.*[1-9])"
        amount = {"type": "string", "pattern": rf"^{sign}{above}[0-9]+(\.[0-9]+)?$"}
        return object_schema({"amount": amount, "currency": {"type": "string"}})

    def read(self, path: str, raw: Any) -> Money:
        if not isinstance(raw, dict) or raw.keys() != {"amount", "currency"}:
            raise InvalidEvent(path, 'must be {"amount": "84.00", "currency": "USD"}')
        amount, currency = raw["amount"], raw["currency"]
        if not isinstance(amount, str) or not isinstance(currency, str):
            raise InvalidEvent(path, "must have its amount as a decimal text, never a number")
        try:
            return Money.parse(amount, currency)
        except InvalidAmount as error:
            raise InvalidEvent(path, error.message) from None
        except AmountTooLarge as error:
            raise error.located(path, field=path) from None

    def check(self, path: str, value: Any) -> None:
        if not isinstance(value, Money):
            raise InvalidEvent(path, "must be an amount")
        if self._lowest_minor is not None and value.minor < self._lowest_minor:
            least = "above zero" if self._lowest_minor else "zero or more"
            raise InvalidEvent(path, f"must be {least}")

    def write(self, value: Money) -> dict[str, str]:
        return {"amount": str(value), "currency": value.currency}


class SignedAmount(Amount):
    """An amount of either sign, but not zero."""

    def check(self, path: str, value: Any) -> None:
        super().check(path, value)
        if not value:
            raise InvalidEvent(path, "must not be zero")


class ListOf(FieldType):
    """A list of values of one type, of limited length."""

    def __init__(self, kind: FieldType, lowest: int = 0, highest: int = 10_000) -> None:
        self._kind, self._lowest, self._highest = kind, lowest, highest

    def schema(self) -> dict[str, Any]:
        items = self._kind.schema()
        return {
            "type": "array",
            "items": items,
            "minItems": self._lowest,
            "maxItems": self._highest,
        }

    def read(self, path: str, raw: Any) -> tuple[Any, ...]:
        if not isinstance(raw, list):
            raise InvalidEvent(path, "must be a list")
        return tuple(self._kind.read(f"{path}[{n}]", item) for n, item in enumerate(raw, 1))

    def taken(self, raw: Any) -> tuple[Any, ...]:
        if not isinstance(raw, list) or not self._lowest <= len(raw) <= self._highest:
            raise InvalidEvent("", "is not such a list")
        return tuple([self._kind.taken(item) for item in raw])

    def check(self, path: str, value: Any) -> None:
        if not isinstance(value, tuple):
            raise InvalidEvent(path, "must be a tuple")
        if not self._lowest <= len(value) <= self._highest:
            raise InvalidEvent(path, f"must have from {self._lowest} to {self._highest} entries")
        for n, item in enumerate(value, 1):
            self._kind.check(f"{path}[{n}]", item)

    def write(self, value: tuple[Any, ...]) -> list[Any]:
        return [self._kind.write(item) for item in value]


class Interval(FieldType):
    """An interval as `[from, to]`; the rules check its order."""

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": INSTANT.schema(), "minItems": 2, "maxItems": 2}

    def read(self, path: str, raw: Any) -> tuple[datetime, datetime]:
        if not isinstance(raw, list) or len(raw) != 2:  # noqa: PLR2004
            raise InvalidEvent(path, "must be [from, to]")
        return INSTANT.read(f"{path}[1]", raw[0]), INSTANT.read(f"{path}[2]", raw[1])

    def check(self, path: str, value: Any) -> None:
        if not isinstance(value, tuple) or len(value) != 2:  # noqa: PLR2004
            raise InvalidEvent(path, "must be (from, to)")
        for number, instant in enumerate(value, 1):
            INSTANT.check(f"{path}[{number}]", instant)

    def write(self, value: tuple[datetime, datetime]) -> list[str]:
        return [INSTANT.write(value[0]), INSTANT.write(value[1])]


class Struct(FieldType):
    """An object with declared fields: a nested `EventRecord`."""

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def schema(self) -> dict[str, Any]:
        return record_schema(self._kind)

    def read(self, path: str, raw: Any) -> Any:
        return decode(self._kind, raw, path)

    def check(self, path: str, value: Any) -> None:
        if not isinstance(value, self._kind):
            raise InvalidEvent(path, "must be an object")

    def taken(self, raw: Any) -> Any:
        return _taken(self._kind, raw)

    def write(self, value: Any) -> dict[str, Any]:
        facts, personal = split(value)
        return facts | personal


class Document(FieldType):
    """A JSON object or list with any content, of limited depth."""

    DEEPEST = 32  # Writing it must not exhaust the stack.

    def schema(self) -> dict[str, Any]:
        return {"type": ["object", "array"]}

    def check(self, path: str, value: Any) -> None:
        if not isinstance(value, dict | list):
            raise InvalidEvent(path, "must be an object or a list")
        level: list[Any] = [value]
        for _ in range(self.DEEPEST):
            children = [node.values() if isinstance(node, dict) else node for node in level]
            level = [
                child for nodes in children for child in nodes if isinstance(child, dict | list)
            ]
        if level:
            raise InvalidEvent(path, f"is nested deeper than {self.DEEPEST} levels")


class PolicyDocument(FieldType):
    """A complete policy."""

    def schema(self) -> dict[str, Any]:
        return {"type": "object"}

    def read(self, path: str, raw: Any) -> Policy:
        try:
            return Policy.from_recorded(raw)
        except InvalidPolicy as error:
            switch, reason = error.details["switch"], error.details["reason"]
            raise InvalidEvent(f"{path}.{switch}", str(reason)) from None

    def check(self, path: str, value: Any) -> None:
        if not isinstance(value, Policy):
            raise InvalidEvent(path, "must be a policy")

    def write(self, value: Policy) -> dict[str, Any]:
        return value.recorded


ID_FORM = "1-64 of letters, digits, '.', '_', ':' and '-'"
ID = Pattern(r"[A-Za-z0-9._:-]{1,64}", ID_FORM)
TEXT = Text()
INSTANT = Instant()
POSITIVE = Amount(1)
BILLED = Amount(0)
SIGNED = SignedAmount(None)
BOOLEAN = Boolean()

# --- records: values whose fields are declared with `of` -----------------------------------------


def of(kind: FieldType, *, default: EllipsisType | None = ..., personal: bool = False) -> Any:
    """Declare a field: its type, whether it is optional (`default=None`) and personal."""
    metadata = {"kind": kind, "personal": personal}
    if default is None:
        return field(default=None, metadata=metadata)
    return field(metadata=metadata)


class EventRecord:
    """A value whose fields are checked on construction, so an invalid one cannot exist."""

    def __init__(self, **values: Any) -> None:
        own: dict[str, Any] = {}
        for name, kind, optional, _ in field_specs(type(self)):
            own[name] = given = values.pop(name, None)
            if given is not None:
                kind.check(name, given)
            elif not optional:
                raise InvalidEvent(name, "is missing")
        if values:
            raise TypeError(f"{type(self).__name__} has no {', '.join(values)}")
        object.__setattr__(self, "__dict__", own)
        self.check_whole()

    def check_whole(self) -> None:
        """Raise `InvalidEvent` for errors that no single field shows."""


Plan = tuple[tuple[str, FieldType, bool, bool], ...]
_PLANS: dict[type, Plan] = {}


def field_specs(kind: type) -> Plan:
    """Return the fields of a record class: name, type, optional, personal. Cached."""
    if kind not in _PLANS:
        _PLANS[kind] = tuple(
            (
                spec.name,
                spec.metadata["kind"],
                spec.default is not MISSING,
                spec.metadata["personal"],
            )
            for spec in fields(kind)
        )
    return _PLANS[kind]


def record_schema(kind: type, names: Container[str] | None = None) -> dict[str, Any]:
    """Return the JSON Schema of a record; `names` are the fields that it may have, if not all."""
    specs = [spec for spec in field_specs(kind) if names is None or spec[0] in names]
    return object_schema(
        {name: field_type.schema() for name, field_type, *_ in specs},
        required=[name for name, _, optional, _ in specs if not optional],
    )


def object_schema(
    properties: dict[str, Any], required: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return the JSON Schema of an object with these properties only; by default all required."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties if required is None else required),
        "additionalProperties": False,
    }


def decode(kind: type, raw: Any, path: str = "", *, erased: bool = False) -> Any:
    """Read a record from a JSON object; raises `InvalidEvent` with the first invalid field.

    If the record is `erased`, missing personal texts are read as empty.
    """
    try:
        return _taken(kind, raw)
    except (InvalidEvent, AmountTooLarge):
        return _decoded(kind, raw, path, erased=erased)


def _taken(kind: type, raw: Any) -> Any:
    """Read a record on the fast path; raises for anything but plainly valid input."""
    if not isinstance(raw, dict):
        raise InvalidEvent("", "must be an object")
    takers, check_whole = _TAKERS.get(kind) or _takers(kind)
    own = {}
    missing = 0
    for name, take, optional in takers:
        value = raw.get(name)
        if value is not None:
            own[name] = take(value)
        elif optional:
            own[name] = None
            missing += 1
        else:
            raise InvalidEvent(name, "is missing")
    if len(own) - missing != len(raw):
        raise InvalidEvent("", "has a field that is none, or null")
    new: Any = build(kind, own)
    if check_whole:
        check_whole(new)
    return new


Takers = tuple[
    tuple[tuple[str, Callable[[Any], Any], bool], ...], Callable[[EventRecord], None] | None
]
_TAKERS: dict[type, Takers] = {}


def _takers(kind: type[EventRecord]) -> Takers:
    """Return the reader of each field, and the check of the whole record if it has one."""
    whole = kind.check_whole
    _TAKERS[kind] = (
        tuple(
            (name, field_type.taken, optional)
            for name, field_type, optional, _ in field_specs(kind)
        ),
        None if whole is EventRecord.check_whole else whole,
    )
    return _TAKERS[kind]


def _decoded(kind: type, raw: Any, path: str, *, erased: bool) -> Any:
    """Read a record on the slow path, which names the invalid field."""
    if not isinstance(raw, dict):
        raise InvalidEvent(path or "data", "must be an object")
    prefix = f"{path}." if path else ""
    values = {}
    gone = {}
    for name, field_kind, optional, personal in field_specs(kind):
        value = raw.get(name)
        if value is not None:
            values[name] = field_kind.read(prefix + name, value)
        elif name in raw:
            raise InvalidEvent(prefix + name, "must not be null; leave it out instead")
        elif not optional:
            if not (erased and personal):
                _check_names(kind, raw, prefix)  # A misspelt name explains what is missing.
                raise InvalidEvent(prefix + name, "is missing")
            gone[name] = ""
    if len(values) != len(raw):
        _check_names(kind, raw, prefix)
    try:
        return kind(**values, **gone)
    except InvalidEvent as error:
        raise InvalidEvent(prefix + error.field, error.reason) if path else error from None


def _check_names(kind: type, raw: dict[str, Any], prefix: str) -> None:
    known = {name for name, *_ in field_specs(kind)}
    for name in raw:
        if name not in known:
            raise InvalidEvent(prefix + name[:64], "is not a field of this event")


def split(record: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write a record as two JSON objects: facts, and personal data that can be erased."""
    facts: dict[str, Any] = {}
    personal: dict[str, Any] = {}
    own = record.__dict__
    kind = type(record)
    for name, write, is_personal, is_struct in _WRITERS.get(kind) or _writers(kind):
        value = own[name]
        if value is None:
            continue
        if is_struct:
            facts[name], nested = split(value)
            if nested:
                personal[name] = nested
        else:
            (personal if is_personal else facts)[name] = write(value) if write else value
    return facts, personal


Writers = tuple[tuple[str, Callable[[Any], Any] | None, bool, bool], ...]
_WRITERS: dict[type, Writers] = {}


def _writers(kind: type) -> Writers:
    """Return each field's name, writer (None: as is), and whether it is personal or a struct."""
    _WRITERS[kind] = tuple(
        (
            name,
            None if type(field_type).write is FieldType.write else field_type.write,
            personal,
            type(field_type) is Struct and not personal,
        )
        for name, field_type, _, personal in field_specs(kind)
    )
    return _WRITERS[kind]


def in_currency(record: Any, currency: str) -> Any:
    """Return a record with its amounts in the digits that the book uses for its currency.

    Amounts are parsed before the book is known, with the digits of ISO 4217. Raises `InvalidEvent`
    if an amount, or a policy, has more digits than the book.
    """
    converted = {}
    for name, *_ in field_specs(type(record)):
        value = getattr(record, name)
        code = getattr(value, "currency", None)
        if code != currency or digits_of(code) == digits_of(currency):
            continue
        try:
            converted[name] = value.in_digits_of(currency)
        except InvalidAmount as error:
            raise InvalidEvent(name, error.message) from None
        except InvalidPolicy as error:
            switch, reason = error.details["switch"], error.details["reason"]
            raise InvalidEvent(f"{name}.{switch}", str(reason)) from None
    return replace(record, **converted) if converted else record


def joined(facts: Mapping[str, Any], personal: Mapping[str, Any]) -> dict[str, Any]:
    """Merge the two objects that `split` returned."""
    whole = dict(facts)
    for name, value in personal.items():
        nested = whole.get(name)
        whole[name] = {**nested, **value} if isinstance(nested, dict) else value
    return whole
