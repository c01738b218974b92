"""What a person seldom means by recorded events: worked out when it is shown, and kept nowhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from liveportal.domain.clock import from_text
from liveportal.domain.entities import Request, Session
from liveportal.domain.handlers.cautions import hasty
from liveportal.ledger.format.row_mapping import REQUEST, SESSION
from liveportal.ledger.format.serialisation import read_event
from liveportal.ledger.queries.reader import Reader

_COLUMNS = (
    *("seq", "source", "id", "type", "time", "recorded_at", "facts", "body", "has_personal"),
)


def flags_of(reader: Reader) -> Callable[[Mapping[str, Any]], list[str]]:
    """Return a function from a row of the journal, with its personal body, to its flags."""
    return partial(_flags, _Things(reader))


def _flags(things: _Things, row: Mapping[str, Any]) -> list[str]:
    event = read_event(tuple(row[name] for name in _COLUMNS)).event
    found = hasty(event, things, from_text(row["recorded_at"]))
    return list(dict.fromkeys(caution.code for caution in found))


class _Things:
    """The requests and sessions of a ledger, as cautions look them up."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def request(self, request_id: str) -> Request | None:
        """Return a request."""
        found: Request | None = self._one(REQUEST, request_id)
        return found

    def session(self, session_id: str) -> Session | None:
        """Return a session, also by another name that the platform has for it."""
        alias = self._reader.one("SELECT session FROM session_alias WHERE alias = ?", session_id)
        found: Session | None = self._one(SESSION, alias["session"] if alias else session_id)
        return found

    def _one(self, kind: Any, name: str) -> Any:  # noqa: ANN401 (a kind says what it reads)
        row = self._reader.db.execute(f"{kind.select} WHERE id = ?", (name,)).fetchone()
        return kind.read(row) if row else None
