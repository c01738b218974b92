"""What the portal reads: one look at the ledger, in one transaction, in a thread of its own.

The ledger is opened for each look and closed again, so no writer waits for the portal, and nothing
that is open crosses a thread; only rows do.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from liveportal.cli.commands.requests.busy import own_calendar
from liveportal.domain.entities import Session
from liveportal.domain.policy import Policy
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries.front_page import FrontPage, front_page
from liveportal.ledger.queries.live_figures import running_sessions
from liveportal.ledger.queries.reader import Reader

Query = Callable[[Reader, datetime], Any]
"""What a screen needs besides the front page."""
Mark = tuple[int, str] | None
"""The last event of a ledger: its position and its id; None if the ledger is empty."""

EVERY = timedelta(seconds=60)
"""How old a screen may be."""

_LAST_EVENT = "SELECT seq, id FROM event ORDER BY seq DESC LIMIT 1"


class Look(NamedTuple):
    """What a look saw, in one state of the ledger.

    `answer` is what the `query` of the screen returned.
    """

    mark: Mark
    now: datetime
    zone: str
    page: FrontPage
    running: list[tuple[Session, Policy]]
    query: Query
    answer: Any


def look(
    path: Path, query: Query, now: datetime, last: Look | None, *, always: bool
) -> Look | None:
    """Read a ledger; None if it is as at the `last` look, which is not old.

    Of the same ledger after a while only the front page is read again, whose deadlines pass
    without an event. With `always` everything is. Raises what `open_readonly` raises.
    """
    with open_readonly(path) as reader:
        event = reader.one(_LAST_EVENT)
        mark = (event["seq"], event["id"]) if event else None
        known = None if always or last is None or last.mark != mark else last
        if known and timedelta() <= now - known.now < EVERY:
            return None
        return Look(
            mark=mark,
            now=now,
            zone=reader.own_timezone,
            page=front_page(reader, now, own_calendar()),
            running=running_sessions(reader),
            query=query,
            answer=known.answer if known and same(query, known.query) else query(reader, now),
        )


def same(first: Query, second: Query) -> bool:
    """Return True if two queries ask the same."""
    if isinstance(first, partial) and isinstance(second, partial):
        return first.func is second.func and bool(first.args == second.args)
    return first is second
