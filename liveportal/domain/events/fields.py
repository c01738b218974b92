"""Records with declared fields: how event data is read from JSON, written and split for erasure.

A record is a frozen class that declares the type of each of its fields with `of`. Its reading, its
checks on construction, its JSON Schema and its split into facts and personal data follow from that.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import MISSING, field, fields, replace
from types import EllipsisType
from typing import Any

from liveportal.domain.errors import InvalidAmount, InvalidEvent, InvalidPolicy
from liveportal.domain.events.field_types import FieldType, object_schema
from liveportal.domain.frozen import build
from liveportal.domain.money import digits_of


def of(
    kind: FieldType,
    *,
    default: EllipsisType | None = ...,
    personal: bool = False,
    doc: str | None = None,
) -> Any:
    """Declare a field: its type, whether it is optional (`default=None`) and personal.

    `doc` is what the field means, for the documentation and the JSON Schema.
    """
    metadata = {"kind": kind, "personal": personal, "doc": doc}
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


class Struct(FieldType):
    """An object with declared fields: a nested `EventRecord`."""

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def parse(self, path: str, raw: Any) -> Any:
        return decode(self._kind, raw, path)

    def check(self, path: str, value: Any) -> None:
        if not isinstance(value, self._kind):
            raise InvalidEvent(path, "must be an object")

    def write(self, value: Any) -> dict[str, Any]:
        facts, personal = split(value)
        return facts | personal

    def schema(self) -> dict[str, Any]:
        return record_schema(self._kind)


FieldSpecs = tuple[tuple[str, FieldType, bool, bool], ...]
_FIELD_SPECS: dict[type, FieldSpecs] = {}


def field_specs(kind: type) -> FieldSpecs:
    """Return the fields of a record class: name, type, optional, personal. Cached."""
    specs = _FIELD_SPECS.get(kind)
    if specs is None:
        specs = _FIELD_SPECS[kind] = tuple(
            (
                spec.name,
                spec.metadata["kind"],
                spec.default is not MISSING,
                spec.metadata["personal"],
            )
            for spec in fields(kind)
        )
    return specs


def record_schema(kind: type, names: Container[str] | None = None) -> dict[str, Any]:
    """Return the JSON Schema of a record; `names` are the fields that it may have, if not all."""
    specs = [spec for spec in field_specs(kind) if names is None or spec[0] in names]
    docs = field_docs(kind)
    return object_schema(
        {name: field_type.schema() | docs.get(name, {}) for name, field_type, *_ in specs},
        required=[name for name, _, optional, _ in specs if not optional],
    )


def field_docs(kind: type) -> dict[str, dict[str, str]]:
    """Return what the documented fields of a record class mean, as parts of a JSON Schema."""
    return {
        spec.name: {"description": doc} for spec in fields(kind) if (doc := spec.metadata["doc"])
    }


# --- reading --------------------------------------------------------------------------------------


def decode(kind: type, raw: Any, path: str = "", *, erased: bool = False) -> Any:
    """Read a record from a JSON object; raises `InvalidEvent` with the first invalid field.

    If the record is `erased`, missing personal texts are read as empty.
    """
    if not isinstance(raw, dict):
        raise InvalidEvent(path or "data", "must be an object")
    prefix = f"{path}." if path else ""
    values: dict[str, Any] = {}
    absent = 0
    for name, field_type, optional, personal in field_specs(kind):
        value = raw.get(name)
        if value is not None:
            values[name] = field_type.read(prefix + name, value)
        elif name in raw:
            raise InvalidEvent(prefix + name, "must not be null; leave it out instead")
        elif optional or (erased and personal):
            values[name] = None if optional else ""
            absent += 1
        else:
            _check_names(kind, raw, prefix)  # A misspelt name explains what is missing.
            raise InvalidEvent(prefix + name, "is missing")
    if len(values) - absent != len(raw):
        _check_names(kind, raw, prefix)
    record: Any = build(kind, values)
    try:
        record.check_whole()
    except InvalidEvent as error:
        raise InvalidEvent(prefix + error.field, error.reason) from None
    return record


def _check_names(kind: type, raw: dict[str, Any], prefix: str) -> None:
    known = {name for name, *_ in field_specs(kind)}
    for name in raw:
        if name not in known:
            raise InvalidEvent(prefix + name[:64], "is not a field of this event")


# --- writing --------------------------------------------------------------------------------------


def split(record: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write a record as two JSON objects: facts, and personal data that can be erased."""
    facts: dict[str, Any] = {}
    personal: dict[str, Any] = {}
    own = record.__dict__
    for name, field_type, _, is_personal in field_specs(type(record)):
        value = own[name]
        if value is None:
            continue
        if is_personal:
            personal[name] = field_type.write(value)
        elif type(field_type) is Struct:
            facts[name], nested = split(value)
            if nested:
                personal[name] = nested
        else:
            facts[name] = field_type.write(value)
    return facts, personal


def joined(facts: Mapping[str, Any], personal: Mapping[str, Any]) -> dict[str, Any]:
    """Merge the two objects that `split` returned."""
    whole = dict(facts)
    for name, value in personal.items():
        nested = whole.get(name)
        whole[name] = {**nested, **value} if isinstance(nested, dict) else value
    return whole


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
