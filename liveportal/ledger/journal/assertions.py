"""The assertions of a book: which events assert which fact, and which of them confirm another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from liveportal.domain.handlers.context import Assertion
from liveportal.ledger.format.row_mapping import to_json
from liveportal.ledger.journal.unit_of_work import UnitOfWork

Key = tuple[str, str]
"""An entity, such as `session:S-1`, and an event type."""

_OF_ENTITY = "SELECT seq, source, confirms FROM statement WHERE thing = ? AND type = ? ORDER BY seq"
_OF_MANY = """
    SELECT statement.thing, statement.type, seq, source, confirms
    FROM json_each(?) AS wanted JOIN statement
    ON statement.thing = wanted.value ->> 0 AND statement.type = wanted.value ->> 1
    ORDER BY seq
"""


class Assertions:
    """The assertions in a unit of work, by entity and event type; loaded when first needed."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit
        self._known: dict[Key, list[Assertion]] = {}
        self._unwritten: dict[Key, list[Assertion]] = defaultdict(list)

    def of(self, entity: str, kind: str) -> list[Assertion]:
        """Return the assertions of a type about an entity, in journal order."""
        key = entity, kind
        if key not in self._known:
            rows = self._unit.db.execute(_OF_ENTITY, key).fetchall()
            assertions = {row[0]: Assertion(*row) for row in rows}
            assertions.update({assertion.seq: assertion for assertion in self._unwritten[key]})
            self._known[key] = list(assertions.values())
        return self._known[key]

    def add(self, entity: str, kind: str, assertion: Assertion) -> None:
        """Add an assertion: that an event of this type is about an entity."""
        self._unit.append("statement", (entity, kind, *assertion))
        known = self._known.get((entity, kind))
        (self._unwritten[entity, kind] if known is None else known).append(assertion)

    def prefetch(self, keys: Iterable[Key]) -> None:
        """Load the assertions about many entities in one query; nothing must be unwritten."""
        pairs = list(keys)
        rows = self._unit.db.execute(_OF_MANY, (to_json(pairs),)).fetchall()
        self._known = {pair: [] for pair in pairs}
        for entity, kind, *assertion in rows:
            self._known[entity, kind].append(Assertion(*assertion))

    def clear(self) -> None:
        """Drop the loaded assertions, once the new ones are written."""
        self._known.clear()
        self._unwritten.clear()
