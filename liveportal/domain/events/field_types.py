"""Field types: how one value is read from JSON, checked and written.

A `FieldType` reads a value in two steps: `parse` turns JSON into a value, and `check` says whether
the value is valid. A value that Python code gives is only checked. `read` does both; the types that
most fields have do it in a quicker way, with the same result.

Every error names the path of the field in the JSON below `data`: `customer.id`, `slots[2].start`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from liveportal.domain.clock import parse_instant
from liveportal.domain.errors import (
    AmountTooLarge,
    InvalidAmount,
    InvalidEvent,
    InvalidPolicy,
    InvalidTime,
)
from liveportal.domain.money import Money
from liveportal.domain.patterns import pattern as late
from liveportal.domain.policy import Policy


class FieldType:
    """One type of value. The base class accepts any JSON."""

    def parse(self, path: str, raw: Any) -> Any:  # noqa: ARG002 (subclasses use it)
        """Return the value of JSON; raises `InvalidEvent` if it is JSON of another type."""
        return raw

    def check(self, path: str, value: Any) -> None:
        """Raise `InvalidEvent` if the value is not valid for this field type."""

    def read(self, path: str, raw: Any) -> Any:
        """Return the valid value of JSON; raises the errors of `parse` and `check`."""
        value = self.parse(path, raw)
        self.check(path, value)
        return value

    def write(self, value: Any) -> Any:
        """Return the value as JSON."""
        return value

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the value."""
        return {}


class Text(FieldType):
    """A text with any characters; clean it before printing."""

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}

    def parse(self, path: str, raw: Any) -> str:
        if not isinstance(raw, str):
            raise InvalidEvent(path, "must be a string")
        return raw

    def check(self, path: str, value: Any) -> None:
        if not isinstance(value, str):
            raise InvalidEvent(path, "must be a string")

    def read(self, path: str, raw: Any) -> str:
        value = raw if type(raw) is str else self.parse(path, raw)
        self.check(path, value)
        return value


class Pattern(Text):
    """A text that matches a pattern."""

    def __init__(self, pattern: str, form: str) -> None:
        self._pattern = late(pattern, re.ASCII)
        self._form = form

    def schema(self) -> dict[str, Any]:
        pattern = f"^(?:{self._pattern.pattern})$"
        return {"type": "string", "pattern": pattern, "description": self._form}

    def check(self, path: str, value: Any) -> None:
        if not isinstance(value, str) or not self._pattern.fullmatch(value):
            raise InvalidEvent(path, f"must be {self._form}")

    def read(self, path: str, raw: Any) -> str:
        if type(raw) is str and self._pattern.fullmatch(raw):
            return raw
        return super().read(path, raw)


class Choice(Text):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.words)}

    def check(self, path: str, value: Any) -> None:
        if value not in self.words:
            raise InvalidEvent(path, f"must be one of {', '.join(self.words)}")


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

    def parse(self, path: str, raw: Any) -> datetime:
        if not isinstance(raw, str):
            raise InvalidEvent(path, "must be a time with its offset, such as 2026-10-05T09:00:00Z")
        try:
            return parse_instant(raw)
        except InvalidTime as error:
            raise InvalidEvent(path, error.message) from None

    read = parse  # A parsed instant always has an offset.

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

    def parse(self, path: str, raw: Any) -> date:
        try:
            return date.fromisoformat(raw)
        except (TypeError, ValueError):
            raise InvalidEvent(path, "must be a date, such as 2026-10-05") from None

    def check(self, path: str, value: Any) -> None:
        if not isinstance(value, date):
            raise InvalidEvent(path, "must be a date")

    def write(self, value: date) -> str:
        return value.isoformat()


class InstantOrDay(Text):
    """An instant with its offset, or a calendar day, kept as the text that was given."""

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}

    def check(self, path: str, value: Any) -> None:
        super().check(path, value)
        try:
            is_day = Day().parse(path, value).isoformat() == value
        except InvalidEvent:
            is_day = False
        if not is_day:
            INSTANT.parse(path, value)


class Amount(FieldType):
    """An amount of money: `{"amount": "84.00", "currency": "USD"}`."""

    def __init__(self, lowest_minor: int | None) -> None:
        self._lowest_minor = lowest_minor

    def schema(self) -> dict[str, Any]:
        sign = "-?" if self._lowest_minor is None else ""
        above = "" if self._lowest_minor == 0 else "(?=.*[1-9])"
        amount = {"type": "string", "pattern": rf"^{sign}{above}[0-9]+(\.[0-9]+)?$"}
        return object_schema({"amount": amount, "currency": {"type": "string"}})

    def parse(self, path: str, raw: Any) -> Money:
        if not isinstance(raw, dict) or raw.keys() != {"amount", "currency"}:
            raise InvalidEvent(
                path, 'must be an object such as {"amount": "84.00", "currency": "USD"}'
            )
        amount, currency = raw["amount"], raw["currency"]
        if not isinstance(amount, str) or not isinstance(currency, str):
            raise InvalidEvent(path, "must have its amount and its currency as strings")
        try:
            return Money.parse(amount, currency)
        except InvalidAmount as error:
            raise InvalidEvent(path, error.message) from None
        except AmountTooLarge as error:
            raise error.located(f"The field {path}", field=path) from None

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

    def parse(self, path: str, raw: Any) -> tuple[Any, ...]:
        if not isinstance(raw, list):
            raise InvalidEvent(path, "must be a list")
        return tuple(self._kind.parse(f"{path}[{n}]", item) for n, item in enumerate(raw, 1))

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

    def parse(self, path: str, raw: Any) -> tuple[datetime, datetime]:
        if not isinstance(raw, list) or len(raw) != 2:  # noqa: PLR2004
            raise InvalidEvent(path, "must be a list of two times, [from, to]")
        return INSTANT.parse(f"{path}[1]", raw[0]), INSTANT.parse(f"{path}[2]", raw[1])

    def check(self, path: str, value: Any) -> None:
        if not isinstance(value, tuple) or len(value) != 2:  # noqa: PLR2004
            raise InvalidEvent(path, "must be a tuple of two times, (from, to)")
        for number, instant in enumerate(value, 1):
            INSTANT.check(f"{path}[{number}]", instant)

    def write(self, value: tuple[datetime, datetime]) -> list[str]:
        return [INSTANT.write(value[0]), INSTANT.write(value[1])]


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

    def parse(self, path: str, raw: Any) -> Policy:
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


ID_FORM = "1 to 64 letters, digits, '.', '_', ':' or '-'"
ID = Pattern(r"[A-Za-z0-9._:-]{1,64}", ID_FORM)
TEXT = Text()
INSTANT = Instant()
POSITIVE = Amount(1)
BILLED = Amount(0)
SIGNED = SignedAmount(None)
BOOLEAN = Boolean()


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
