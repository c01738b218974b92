"""Cautions about recorded events: computed when they are shown, never stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from liveportal.domain.clock import from_text
from liveportal.domain.entities import Request, Session
from liveportal.domain.handlers.cautions import likely_mistakes
from liveportal.ledger.format.row_mapping import REQUEST, SESSION
from liveportal.ledger.format.serialisation import read_event
from liveportal.ledger.queries.reader import Reader

_COLUMNS = (
    *("seq", "source", "id", "type", "time", "recorded_at", "facts", "body", "has_personal"),
)


def flags_of(reader: Reader) -> Callable[[Mapping[str, Any]], list[str]]:
    """Return a function that maps a journal row, with its personal body, to its flags."""
    return partial(_flags, _Entities(reader))


def _flags(entities: _Entities, row: Mapping[str, Any]) -> list[str]:
    event = read_event(tuple(row[name] for name in _COLUMNS)).event
    cautions = likely_mistakes(event, entities, from_text(row["recorded_at"]))
    return list(dict.fromkeys(caution.code for caution in cautions))


class _Entities:
    """Looks up the requests and sessions of a ledger for the cautions."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def request(self, request_id: str) -> Request | None:
        """Return a request, or None."""
        request: Request | None = self._one(REQUEST, request_id)
        return request

    def session(self, session_id: str) -> Session | None:
        """Return a session by its id or by the platform's alias for it, or None."""
        alias = self._reader.one("SELECT session FROM session_alias WHERE alias = ?", session_id)
        session: Session | None = self._one(SESSION, alias["session"] if alias else session_id)
        return session

    def _one(self, mapping: Any, name: str) -> Any:  # noqa: ANN401 (depends on the mapping)
        row = self._reader.db.execute(f"{mapping.select} WHERE id = ?", (name,)).fetchone()
        return mapping.read(row) if row else None
