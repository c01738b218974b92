"""A whole customer story, with a canary in every personal field of every event type.

The personal fields are read from the event classes, so that a new one cannot be missed: a type or a
field type that the story does not know fails.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from liveportal.domain.events.envelope import PREFIX
from liveportal.domain.events.field_types import ListOf, Text
from liveportal.domain.events.fields import Struct, field_specs
from liveportal.domain.events.types import TYPES
from tests.kit.events import FEED, OTHER, amount, at

NO_CUSTOMER = {"adjustment.posted"}
"""What has personal text and belongs to no customer."""

END = 14
"""So many letters at its end are a canary: tokens of an index may lack those before."""

SLOT = {"start": "2026-10-20T09:00:00Z", "minutes": 30}

# Each line: type, time, facts ({} is replaced by the customer's own suffix of an id).
_STORY: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("request.opened", "10-05 08:00", {"request": "R1{}", "kind": "instant"}),
    ("request.accepted", "10-05 09:00", {"request": "R1{}", "session": "S1{}"}),
    ("session.paused", "10-05 09:05", {"session": "S1{}"}),
    ("session.resumed", "10-05 09:06", {"session": "S1{}"}),
    ("session.ended", "10-05 09:30", {"session": "S1{}"}),
    ("review.posted", "10-05 10:00", {"session": "S1{}", "by": "customer", "rating": 1}),
    ("review.posted", "10-05 10:01", {"session": "S1{}", "by": "expert", "rating": 5}),
    ("artifact.added", "10-05 10:02", {"session": "S1{}", "kind": "code", "bytes": 1}),
    ("artifact.added", "10-05 10:03", {"session": "S1{}", "kind": "recording", "bytes": 2}),
    ("tip.received", "10-05 10:04", {"session": "S1{}", "amount": amount("5.00")}),
    ("entry.reversed", "10-05 10:05", {"event": "tip.received"}),
    ("refund.claimed", "10-05 11:00", {"claim": "CL1{}", "session": "S1{}"}),
    ("dispute.filed", "10-05 11:01", {"claim": "CL1{}"}),
    ("dispute.withdrawn", "10-05 11:02", {"claim": "CL1{}"}),
    ("refund.denied", "10-05 11:03", {"claim": "CL1{}"}),
    ("session.corrected", "10-06 09:00", {"session": "S1{}", "billed": amount("50.00")}),
    ("request.opened", "10-06 10:00", {"request": "R2{}", "kind": "scheduled", "slots": [SLOT]}),
    ("request.accepted", "10-06 10:01", {"request": "R2{}", "session": "S2{}", "slot": 1}),
    ("session.rescheduled", "10-06 10:02", {"session": "S2{}", "start": "2026-10-21T09:00:00Z"}),
    ("session.cancelled", "10-06 10:03", {"session": "S2{}", "by": "customer"}),
    ("request.opened", "10-06 11:00", {"request": "R3{}", "kind": "scheduled", "slots": [SLOT]}),
    ("request.accepted", "10-06 11:01", {"request": "R3{}", "session": "S3{}", "slot": 1}),
    ("session.missed", "10-20 09:30", {"session": "S3{}", "by": "customer"}),
    ("request.opened", "10-06 12:00", {"request": "R4{}", "kind": "scheduled", "slots": [SLOT]}),
    ("request.accepted", "10-06 12:01", {"request": "R4{}", "session": "S4{}", "slot": 1}),
    ("session.started", "10-20 09:00", {"session": "S4{}"}),
    ("session.ended", "10-20 09:30", {"session": "S4{}"}),
    ("refund.claimed", "10-20 10:00", {"claim": "CL4{}", "session": "S4{}"}),
    ("dispute.filed", "10-20 10:01", {"claim": "CL4{}"}),
    ("dispute.accepted", "10-20 10:02", {"claim": "CL4{}"}),
    *(
        line
        for n, verdict in enumerate(("conceded", "granted", "withdrawn"), 5)
        for line in (
            ("session.logged", "10-20 12:00", {"session": f"S{n}{{}}"}),
            ("refund.claimed", "10-20 13:00", {"claim": f"CL{n}{{}}", "session": f"S{n}{{}}"}),
            (f"refund.{verdict}", "10-20 14:00", {"claim": f"CL{n}{{}}"}),
        )
    ),
    ("customer.erasure_requested", "10-20 11:00", {"customer": "{}"}),
    ("session.logged", "10-20 12:00", {"session": "S8{}"}),
    ("refund.claimed", "10-20 13:00", {"claim": "CL8{}", "session": "S8{}"}),
    ("dispute.filed", "10-20 13:01", {"claim": "CL8{}"}),
    ("dispute.rejected", "10-20 13:02", {"claim": "CL8{}"}),
    *(
        line
        for verdict in ("declined", "withdrawn", "taken", "expired")
        for line in (
            ("request.opened", "10-07 08:00", {"request": f"R-{verdict}{{}}", "kind": "instant"}),
            (f"request.{verdict}", "10-07 09:00", {"request": f"R-{verdict}{{}}"}),
        )
    ),
)


def canary(*about: object) -> str:
    """Return a word of 24 letters that is in no other text; equal arguments give an equal word."""
    digest = hashlib.sha256(repr(about).encode()).hexdigest()[:24]
    return digest.translate(str.maketrans("0123456789", "ghijklmnop"))


def personal_paths(kind: type, prefix: str = "") -> Iterator[str]:
    """Yield the paths of a record's personal fields."""
    for name, each, _, personal in field_specs(kind):
        if isinstance(each, Struct):
            yield from personal_paths(each._kind, f"{prefix}{name}.")  # noqa: SLF001
        elif personal:
            yield prefix + name


@dataclass
class StoryWriter:
    """Writes stories, and keeps the canaries of each customer and the fields used."""

    canaries: dict[str, list[str]] = field(default_factory=dict)
    paths: set[tuple[str, str]] = field(default_factory=set)
    words: int = 1

    def line(self, source: str, name: str, kind: str, when: str, data: Any, owner: str) -> bytes:  # noqa: ANN401
        """Return an event as a line of a feed, with canaries in all its personal fields."""
        whole = {**data, **self._filled(TYPES[kind], data, kind, name, owner)}
        document = {
            "specversion": "1.0",
            "id": name,
            "source": source,
            "type": PREFIX + kind,
            "time": at(when).isoformat(),
            "data": whole,
            "remark": self._canary(owner, name, "attribute"),
        }
        return json.dumps(document).encode() + b"\n"

    def story(self, customer: str, source: str = FEED) -> bytes:
        """Return the whole story of a customer as a feed of that source."""
        lines = []
        for n, (kind, when, facts) in enumerate(_STORY):
            if kind == "entry.reversed" and source != FEED:
                continue  # A feed reverses events of its own source only.
            name = f"{customer}-{n}-{len(source)}"
            data = {key: self._own(key, value, customer, source) for key, value in facts.items()}
            data |= self._given(kind, customer, n)
            lines.append(self.line(source, name, kind, when, data, customer))
        return b"".join(lines)

    def mirrored(self, customer: str) -> bytes:
        """Return the same story from another source, which uses another session id."""
        return self.story(customer, OTHER)

    def forgotten(self, customer: str, name: str = "") -> bytes:
        """Return the event that erases a customer."""
        event_id = f"forget-{customer}{name}"
        data = {"customer": customer}
        return self.line(FEED, event_id, "customer.forgotten", "12-01 09:00", data, customer)

    def _own(self, key: str, value: Any, customer: str, source: str) -> Any:  # noqa: ANN401
        if key == "event":
            n = next(n for n, (kind, *_) in enumerate(_STORY) if kind == value)
            return {"source": FEED, "id": f"{customer}-{n}-{len(FEED)}"}
        if not isinstance(value, str):
            return value
        if source == OTHER and key == "session" and value == "S1{}":
            return f"alias-S1{customer}"
        return value.format(customer)

    @staticmethod
    def _given(kind: str, customer: str, n: int) -> dict[str, Any]:
        who = {"customer": {"id": customer}, "rate": amount("3.00")}
        if kind == "request.opened":
            return who
        if kind == "session.logged":
            return who | {"start": "2026-10-20T11:00:00Z", "end": "2026-10-20T12:00:00Z"}
        if kind == "artifact.added":
            return {"sha256": hashlib.sha256(f"{customer}{n}".encode()).hexdigest()}
        return {}

    def _filled(self, kind: type, data: Any, type_: str, name: str, owner: str) -> dict[str, Any]:  # noqa: ANN401
        """Return a canary for each personal field; in a struct, next to its other fields."""
        values: dict[str, Any] = {}
        for field_name, each, _, personal in field_specs(kind):
            if isinstance(each, Struct) and field_name in data:
                inside = data[field_name]
                below = self._filled(each._kind, inside, f"{type_}:{field_name}", name, owner)  # noqa: SLF001
                values[field_name] = {**inside, **below}
            elif personal:
                outer, _, inner = type_.partition(":")
                self.paths.add((outer, f"{inner}.{field_name}" if inner else field_name))
                text = self._canary(owner, name, type_, field_name)
                values[field_name] = _value(each, text)
        return values

    def _canary(self, owner: str, *about: object) -> str:
        word = canary(owner, *about)
        self.canaries.setdefault(owner, []).append(word)
        return " ".join([word] * self.words)


def _value(kind: object, text: str) -> object:
    if isinstance(kind, ListOf):
        return [text]
    assert type(kind) is Text, "a personal field of a new kind: say here what a canary of it is"
    return text


def all_paths() -> set[tuple[str, str]]:
    """Return every personal field of every event type: its type, and its path."""
    return {(name, path) for name, kind in TYPES.items() for path in personal_paths(kind)}


def canaries_in(words: list[str], content: bytes) -> list[str]:
    """Return the canaries in some bytes, also as index tokens that lack their first letters."""
    ends = {word[-END:].encode(): word for word in words}
    matches = {}
    for text in (content, content.replace(b"\0", b"")):  # The second for UTF-16.
        for run in re.findall(rb"[a-p]{%d,}" % END, text):
            for n in range(len(run) - END + 1):
                if word := ends.get(run[n : n + END]):
                    matches[word] = word
    return list(matches)
