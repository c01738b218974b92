"""What the rules ask about all sessions: the agenda, and when the first billed one ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from liveportal.domain.clock import from_text
from liveportal.domain.entities import UNFINISHED, Session
from liveportal.ledger.format.row_mapping import SESSION
from liveportal.ledger.storage.driver import Connection

_AGENDA = f"{SESSION.select} WHERE state IN ('upcoming', 'live', 'paused')"
_FIRST_END = 'SELECT min("end") FROM session INDEXED BY session_by_end WHERE gross_minor > 0'


class Agenda:
    """The sessions that are upcoming, live or paused, by id: few, so all are kept once loaded."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] | None = None

    @property
    def is_loaded(self) -> bool:
        """True if the sessions are known."""
        return self._sessions is not None

    @property
    def sessions(self) -> Iterable[Session]:
        """The sessions; they must be loaded."""
        return (self._sessions or {}).values()

    def load(self, db: Connection, currency: str) -> None:
        """Load the sessions, once all pending rows are written."""
        rows = db.execute(_AGENDA).fetchall()
        self._sessions = {row[0]: SESSION.read(row, currency) for row in rows}

    def update(self, session: Session) -> None:
        """Add, replace or remove a changed session."""
        if self._sessions is None:
            return
        if session.state in UNFINISHED:
            self._sessions[session.id] = session
        else:
            self._sessions.pop(session.id, None)

    def clear(self) -> None:
        """Drop the sessions, to be loaded again."""
        self._sessions = None


class FirstBilledEnd:
    """The earliest end of a billed session; `value` is None if there is no such session."""

    def __init__(self) -> None:
        self.value: datetime | None = None
        self.is_loaded = False

    def load(self, db: Connection) -> None:
        """Load the end, once all pending rows are written."""
        (first,) = db.execute(_FIRST_END).fetchone()
        self.value = from_text(first) if first else None
        self.is_loaded = True

    def update(self, former: Session | None, session: Session) -> None:
        """Take a changed session into account; `former` is the session before, if it is known."""
        if former is not None and former.end is not None and former.end == self.value:
            self.is_loaded = False  # Another session may be the first now.
        elif session.gross_minor and session.end is not None:
            self.value = min(self.value or session.end, session.end)
