"""What all events share: a permanent name, a time, and data of one type.

`ENTITY` names the field of the data that holds the id of the entity concerned. Two sources that
report the same type for the same entity assert the same fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, Final, TypeVar, dataclass_transform

from liveportal.domain.events.field_types import Pattern
from liveportal.domain.events.fields import EventRecord, of
from liveportal.domain.frozen import frozen

PREFIX = "liveportal."
CLI_SOURCE = "urn:liveportal:cli"
MACHINE = "liveportalmachine"
"""The CloudEvents attribute that names the machine and its user, on the expert's own events."""

EXPERT_PREFIX = "urn:liveportal:"
"""The prefix of the source of every event that the expert records."""

STATEMENT_PREFIX = "urn:liveportal:statement:"
"""The prefix of the sources of events that were recorded from a bank's or service's statement."""

EVERY_FIELD: Final = None
"""A value of `EventData.FEED_FIELDS`: a feed may report this type, with any of its fields."""

T = TypeVar("T")


_MAX_DECODINGS = 4
"""How many layers of percent-encoding are decoded; more would cost too much."""


@lru_cache(maxsize=256)  # A feed has one or two sources.
def is_experts(source: str) -> bool:
    """Return True if a source belongs to the expert, in any spelling.

    A URN's scheme and namespace are case-insensitive (RFC 8141). Percent-encoding, compatibility
    forms, spaces and invisible characters are ignored too: a feed must not use a source that reads
    as the expert's.
    """
    if source.startswith(EXPERT_PREFIX):
        return True
    if source.isascii() and "%" not in source and " " not in source:
        return source.lower().startswith(EXPERT_PREFIX)
    return _fold_source(source).startswith(EXPERT_PREFIX)


def is_statement(source: str) -> bool:
    """Return True if a source is a statement of a bank or payment service."""
    return source.startswith(STATEMENT_PREFIX)


def _fold_source(source: str) -> str:
    """Return a source in canonical form, without characters that are not visible."""
    import unicodedata
    from urllib.parse import unquote

    for _ in range(_MAX_DECODINGS):
        source = unquote(source)
    normalised = unicodedata.normalize("NFKC", source)
    return "".join(
        char for char in normalised if unicodedata.category(char)[0] not in "CZ"
    ).casefold()


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(of,))
def event_data(cls: type[T]) -> type[T]:
    """Declare the class of an event's data, or of a part: frozen, built by keyword."""
    return frozen(cls)


NAME = Pattern(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,1024}", "1 to 1024 printable characters")
"""The form of an event's id, of its source and of a key."""


class EventData(EventRecord):
    """The data of an event: one class for each type.

    `FEED_FIELDS` declares the fields that a feed may set. A type
    that does not declare it can be recorded by the expert only. `OWN_SOURCE_FIELD` names the field,
    if any, that must refer to an event of the feed's own source.
    """

    TYPE: ClassVar[str]
    ENTITY: ClassVar[str]
    FEED_FIELDS: ClassVar[frozenset[str] | None] = frozenset()
    OWN_SOURCE_FIELD: ClassVar[str | None] = None

    @property
    def entity(self) -> str:
        """The entity that the event is about, such as `session:S-1`."""
        return f"{self.ENTITY}:{getattr(self, self.ENTITY)}"


@frozen
class Event:
    """One fact: its data, when it happened (`time`), and its permanent name (`source`, `id`).

    `attributes` are the other CloudEvents attributes: stored, never compared. `assumed` names what
    the sender omitted and we filled in (`time`, or fields of the data): replays are not compared on
    these. `erased` is True if the personal part was erased or left out before the event was read.
    """

    source: str
    id: str
    time: datetime
    data: EventData
    attributes: Mapping[str, Any] = field(default_factory=dict, compare=False)
    assumed: frozenset[str] = field(default=frozenset(), compare=False)
    erased: bool = field(default=False, compare=False)

    @property
    def type(self) -> str:
        """The type with its prefix, such as `liveportal.session.ended`."""
        return PREFIX + self.data.TYPE
