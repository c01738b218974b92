"""What every event has: a name for ever, a time, and data of one type.

`THING` names the field of the data that says which thing it is about; two sources that tell of the
same type and thing tell of the same fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, Final, TypeVar, dataclass_transform

from liveportal.domain.changing import quick
from liveportal.domain.events.fields import EventRecord, Pattern, of
from liveportal.domain.values import dataclass

PREFIX = "liveportal."
CLI_SOURCE = "urn:liveportal:cli"
MACHINE = "liveportalmachine"
"""The CloudEvents attribute of the expert's events that names the machine and its user."""

EXPERT_PREFIX = "urn:liveportal:"
"""What the source of every event of the expert's begins with."""

EVERY_FIELD: Final = None
"""As `EventData.FEED_FIELDS`: a feed may report events of this type, with any of its fields."""

T = TypeVar("T")


_MOST_DECODED = 4
"""So often a percent-encoded source may be encoded again; to look for more would cost too much."""


@lru_cache(maxsize=256)  # A feed has one source or two.
def is_experts(source: str) -> bool:
    """Return True if a source is the expert's, however it is spelt.

    A URN's scheme and namespace have no case (RFC 8141). Percent-encoding, compatibility forms,
    spaces and invisible characters are looked through, too: what reads as the expert's name is not
    for feeds.
    """
    if source.startswith(EXPERT_PREFIX):
        return True
    if source.isascii() and "%" not in source and " " not in source:
        return source.lower().startswith(EXPERT_PREFIX)
    return _folded(source).startswith(EXPERT_PREFIX)


def _folded(source: str) -> str:
    """Return a source without what does not show, or shows the same."""
    import unicodedata
    from urllib.parse import unquote

    for _ in range(_MOST_DECODED):
        source = unquote(source)
    same = unicodedata.normalize("NFKC", source)
    return "".join(each for each in same if unicodedata.category(each)[0] not in "CZ").casefold()


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(of,))
def event_data(kind: type[T]) -> type[T]:
    """Declare a record's class: a value, built by the names of its fields."""
    return quick(kind)


NAME = Pattern(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,1024}", "1-1024 printable characters")
"""What an event, its source or a key is called."""


class EventData(EventRecord):
    """What an event says; one class a type.

    `FEED_FIELDS` declares who may record the type (2-events, "Who may say what"): the fields that a
    feed may set. A type that declares nothing is the expert's alone. `OWN_SOURCE_FIELD` names the
    field, if there is one, that must refer to an event of the feed's own source.
    """

    TYPE: ClassVar[str]
    THING: ClassVar[str]
    FEED_FIELDS: ClassVar[frozenset[str] | None] = frozenset()
    OWN_SOURCE_FIELD: ClassVar[str | None] = None

    @property
    def thing(self) -> str:
        """The thing that the event is about, such as `session:S-1`."""
        return f"{self.THING}:{getattr(self, self.THING)}"


@dataclass(frozen=True, slots=True)
class Event:
    """One fact: what (`data`), when it happened (`time`), and its name for ever (`source`, `id`).

    `attributes` are the other CloudEvents attributes: kept, never compared. `assumed` names what
    the sender left to us (`time`, or fields of the data): a replay is not compared on them.
    `erased` tells that the personal part was erased or left out before the event came here.
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
        """The type as the contract spells it, such as `liveportal.session.ended`."""
        return PREFIX + self.data.TYPE
