"""The aliases of sessions and payouts: other ids under which a source reports them."""

from __future__ import annotations

from liveportal.ledger.journal.unit_of_work import UnitOfWork


class Aliases:
    """The aliases of one kind in a unit of work; they are few, so all are kept once loaded."""

    def __init__(self, unit: UnitOfWork, kind: str) -> None:
        self._unit = unit
        self._table, self._kind = f"{kind}_alias", kind
        self._ids: dict[str, str] | None = None

    def load(self) -> dict[str, str]:
        """Return the ids of the entities by alias."""
        if self._ids is None:
            rows = self._unit.db.execute(
                f"SELECT alias, {self._kind} FROM {self._table}"  # noqa: S608 (names of our own)
            ).fetchall()
            self._ids = dict(rows)
        return self._ids

    @property
    def is_empty(self) -> bool:
        """True if the aliases are loaded and there are none."""
        return self._ids is not None and not self._ids

    def add(self, alias: str, entity_id: str) -> None:
        """Give an entity an alias."""
        self.load()[alias] = entity_id
        self._unit.append(self._table, (alias, entity_id))
