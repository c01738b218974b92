"""The aliases of sessions: other ids under which a source reports a session."""

from __future__ import annotations

from liveportal.ledger.journal.unit_of_work import UnitOfWork


class Aliases:
    """The aliases in a unit of work; they are few, so all are kept once loaded."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit
        self._sessions: dict[str, str] | None = None

    def load(self) -> dict[str, str]:
        """Return the ids of the sessions by alias."""
        if self._sessions is None:
            rows = self._unit.db.execute("SELECT alias, session FROM session_alias").fetchall()
            self._sessions = dict(rows)
        return self._sessions

    @property
    def is_empty(self) -> bool:
        """True if the aliases are loaded and there are none."""
        return self._sessions is not None and not self._sessions

    def add(self, alias: str, session: str) -> None:
        """Give a session an alias."""
        self.load()[alias] = session
        self._unit.append("session_alias", (alias, session))
