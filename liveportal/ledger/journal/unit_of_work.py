"""Unit of work: loads entities on demand, keeps changes in memory, writes them in one batch.

`flush` writes each changed entity once, however often it changed. The caller's database transaction
ensures that no other program changes the entities in the meantime.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeVar

from liveportal.ledger.format.row_mapping import MAPPINGS, Mapping, to_json
from liveportal.ledger.journal.event_log import EventLog
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.tables import insert, upsert

T = TypeVar("T")

_BEFORE_ENTITIES = ("transaction", "transfer", "policy")
"""The append-only tables to which rows of entities refer."""


class UnitOfWork:
    """The entities of a connection that is inside a write transaction, and their pending rows."""

    def __init__(self, db: Connection, log: EventLog) -> None:
        self.db = db
        self._log = log
        self._kept: dict[tuple[type, Any], Any] = {}
        self._dirty: dict[type, dict[Any, Any]] = defaultdict(dict)
        self._appended: dict[str, list[tuple[Any, ...]]] = defaultdict(list)

    def row(self, query: str, *values: Any) -> Any:  # noqa: ANN401
        """Return the first row of a query, or None."""
        return self.db.execute(query, values).fetchone()

    def find(self, mapping: Mapping[T], key: str | int, currency: str) -> T | None:
        """Return the entity with this key, or None; `currency` is the book's."""
        cache_key = (mapping.entity_class, key)
        if cache_key not in self._kept:
            row = self.row(f'{mapping.select} WHERE "{mapping.key[0]}" = ?', key)
            self._kept[cache_key] = mapping.read(row, currency) if row else None
        return self._kept[cache_key]  # type: ignore[no-any-return]

    def kept(self, entity_type: type[T], key: str | int) -> T | None:
        """Return the entity with this key if it is in memory, else None."""
        return self._kept.get((entity_type, key))

    def keep(self, entity: object, key: str | int) -> None:
        """Keep a loaded entity in memory."""
        self._kept[type(entity), key] = entity

    def prefetch(self, mapping: Mapping[Any], ids: Iterable[str], currency: str) -> None:
        """Load many entities in one query; ids without a row are kept as missing."""
        entity_type = mapping.entity_class
        unknown = [entity_id for entity_id in ids if (entity_type, entity_id) not in self._kept]
        if not unknown:
            return
        query = f"{mapping.select} WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608
        rows = self.db.execute(query, (to_json(unknown),)).fetchall()
        self._kept.update({(entity_type, entity_id): None for entity_id in unknown})
        self._kept.update({(entity_type, row[0]): mapping.read(row, currency) for row in rows})

    def stage(self, entity: Any) -> None:  # noqa: ANN401 (any entity that has a mapping)
        """Keep a new or changed entity, to be written."""
        entity_type = type(entity)
        key = MAPPINGS[entity_type].key_of(entity)
        self._kept[entity_type, key] = entity
        self._dirty[entity_type][key] = entity

    def append(self, table: str, *rows: tuple[Any, ...]) -> None:
        """Add rows to an append-only table, to be written."""
        self._appended[table] += rows

    def pending(self, table: str) -> list[tuple[Any, ...]]:
        """Return the rows that are not written yet to an append-only table."""
        return self._appended.get(table, [])

    def flush(self) -> None:
        """Write the events and all pending rows, parents before children."""
        self._log.flush()
        for table in _BEFORE_ENTITIES:
            self._insert(table)
        for entity_type, mapping in MAPPINGS.items():
            if entities := self._dirty.pop(entity_type, None):
                rows = [mapping.write(entity) for entity in entities.values()]
                self.db.executemany(upsert(mapping.table), rows)
        for table in list(self._appended):
            self._insert(table)

    def clear(self) -> None:
        """Drop the entities, once all pending rows are written."""
        self._kept.clear()

    def _insert(self, table: str) -> None:
        if rows := self._appended.pop(table, None):
            self.db.executemany(insert(table), rows)
