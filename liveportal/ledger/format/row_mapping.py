"""Map entities to rows and back, as the entities declare their tables.

`write` converts an entity to values to bind (text and integers in the ledger's formats, never the
driver's date conversion); `read` converts a row back. Money takes two columns, minor units and
currency.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from json.encoder import encode_basestring_ascii
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from liveportal.domain.clock import from_text, utc_text
from liveportal.domain.entities import (
    Adjustment,
    Artifact,
    Claim,
    Customer,
    DisputeFiling,
    Item,
    Payout,
    Request,
    Review,
    Session,
    SessionCount,
    Table,
    table_of,
)
from liveportal.domain.frozen import field_names, frozen
from liveportal.domain.money import Money

if TYPE_CHECKING:
    from liveportal.domain.events.types import Evidence, Slot

T = TypeVar("T")
Value = Any  # The types that the driver binds and returns: str, int, bytes or None.


_ENCODER = json.JSONEncoder(separators=(",", ":"))
# `JSONEncoder.encode` creates a C encoder for every value: a sync then takes 6 % more. This one is
# created once.
_OPTIONS = {"sort_keys": False, "skipkeys": False, "allow_nan": True}
_make_encoder = getattr(json.encoder, "c_make_encoder", None)
_CHUNKS = _make_encoder and _make_encoder(
    None, _ENCODER.default, encode_basestring_ascii, None, ":", ",", **_OPTIONS
)


def to_json(value: object) -> str:
    """Return a value as JSON in the ledger's format: ASCII, no spaces, keys in the order given."""
    return "".join(_CHUNKS(value, 0)) if _CHUNKS else _ENCODER.encode(value)


NOTHING = "[]"
"""An empty list, as stored; most lists are empty, and need no JSON parser."""


def _write_slots(slots: tuple[Slot, ...]) -> str:
    if not slots:
        return NOTHING
    from liveportal.domain.events.fields import split

    return to_json([split(slot)[0] for slot in slots])


def _read_slots(text: str) -> tuple[Slot, ...]:
    if text == NOTHING:
        return ()
    from liveportal.domain.events.fields import decode
    from liveportal.domain.events.types import Slot  # Forty classes that few queries need.

    return tuple(decode(Slot, slot) for slot in json.loads(text))


def _write_evidence(evidence: Evidence) -> str:
    from liveportal.domain.events.fields import split

    return to_json(split(evidence)[0])


def _read_evidence(text: str) -> Evidence:
    from liveportal.domain.events.fields import decode
    from liveportal.domain.events.types import Evidence

    evidence: Evidence = decode(Evidence, json.loads(text))
    return evidence


def _write_pauses(pauses: Sequence[tuple[datetime, datetime]]) -> str:
    if not pauses:
        return NOTHING
    return to_json([[utc_text(since), utc_text(until)] for since, until in pauses])


def _read_pauses(text: str) -> tuple[tuple[datetime, datetime], ...]:
    if text == NOTHING:
        return ()
    return tuple((from_text(since), from_text(until)) for since, until in json.loads(text))


def _write_names(names: tuple[str, ...]) -> str:
    return to_json(names) if names else NOTHING


def _read_names(text: str) -> tuple[str, ...]:
    return () if text == NOTHING else tuple(json.loads(text))


Conversion = tuple[Callable[[Any], Any], Callable[[Any], Any]]
TIME: Conversion = (utc_text, from_text)
FLAG: Conversion = (int, bool)
NAMES: Conversion = (_write_names, _read_names)
SLOTS: Conversion = (_write_slots, _read_slots)
PAUSES: Conversion = (_write_pauses, _read_pauses)
EVIDENCE: Conversion = (_write_evidence, _read_evidence)


CONVERSIONS: dict[str, Conversion] = {
    "datetime": TIME,
    "bool": FLAG,
    "tuple[str, ...]": NAMES,
    "tuple[Slot, ...]": SLOTS,
    "tuple[Pause, ...]": PAUSES,
    "Evidence": EVIDENCE,
}
"""The types of fields that are not stored as they are."""


@frozen
class Mapping(Generic[T]):
    """The mapping of a class of entities to its table; None is stored as NULL in any column."""

    entity_class: type[T]

    @cached_property
    def _table(self) -> Table:
        return table_of(self.entity_class)

    @property
    def table(self) -> str:
        """The name of the table."""
        return self._table.name

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key."""
        return self._table.key

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that an entity has values for: not those that only number the rows."""
        own = field_names(self.entity_class)
        return tuple(name for name in self._table.columns if name in own or name not in self.key)

    @cached_property
    def money(self) -> str | None:
        """The field that takes two columns, or None."""
        return next((name for name, kind in self._table.columns.items() if kind == "Money"), None)

    @cached_property
    def converted(self) -> dict[str, Conversion]:
        """The conversions of the columns that are not stored as they are."""
        kinds = {name: kind.removesuffix(" | None") for name, kind in self._table.columns.items()}
        conversions = {
            name: CONVERSIONS[kind] for name, kind in kinds.items() if kind in CONVERSIONS
        }
        for name, states in self._table.states.items():
            by_text = {str(state): state for state in states}  # Quicker than to call the enum.
            conversions[name] = (str, by_text.__getitem__)
        return conversions

    def write(self, entity: T) -> tuple[Value, ...]:
        """Return the values to bind for an entity, in the order of the columns."""
        values = list(self._values(entity))
        for index, write in self._writers:
            if (value := values[index]) is not None:
                values[index] = write(value)
        return tuple(values)

    def read(self, row: Sequence[Value], currency: str = "") -> T:
        """Return the entity of a row that holds the columns in their order.

        `currency` is the book's currency, with the number of digits that the book uses for it.
        """
        values = dict(zip(self.columns, row, strict=True))
        if self.money:
            code = values.pop("currency")
            values[self.money] = Money(values[self.money], currency if code == currency else code)
        for name, (_, read) in self.converted.items():
            if (value := values[name]) is not None:
                values[name] = read(value)
        return self.entity_class(**values)

    @cached_property
    def _values(self) -> Callable[[T], Any]:
        """A function that returns the values of all columns from an entity."""
        money = f"{self.money}.currency"
        return attrgetter(*(money if name == "currency" else name for name in self.columns))

    @cached_property
    def _writers(self) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
        """The indexes of the columns whose values are converted, with the conversions."""
        writers = {name: write for name, (write, _) in self.converted.items()}
        if self.money:
            writers |= {self.money: attrgetter("minor"), "currency": str}
        return tuple((self.columns.index(name), write) for name, write in writers.items())

    @cached_property
    def key_of(self) -> Callable[[T], Any]:
        """A function that returns an entity's key: one value, or a tuple of several."""
        return attrgetter(*self.key)

    @cached_property
    def select(self) -> str:
        """The SELECT statement for rows, without a WHERE clause."""
        return f'SELECT {self.names} FROM "{self.table}"'  # noqa: S608 (names of our own)

    @cached_property
    def names(self) -> str:
        """The quoted column names, as SQL."""
        return ", ".join(f'"{name}"' for name in self.columns)


CUSTOMER = Mapping(Customer)
REQUEST = Mapping(Request)
SESSION = Mapping(Session)
CLAIM = Mapping(Claim)
DISPUTE = Mapping(DisputeFiling)
ADJUSTMENT = Mapping(Adjustment)
ARTIFACT = Mapping(Artifact)
REVIEW = Mapping(Review)
ITEM = Mapping(Item)
PAYOUT = Mapping(Payout)
SESSION_COUNT = Mapping(SessionCount)

MAPPINGS: dict[type, Mapping[Any]] = {
    mapping.entity_class: mapping
    for mapping in (
        *(CUSTOMER, REQUEST, SESSION, CLAIM, DISPUTE, ADJUSTMENT, ARTIFACT, REVIEW),
        *(ITEM, PAYOUT),
    )
}
"""The mappings by entity class, in an order in which no row refers to one written later."""
