"""`SessionFilter`: which sessions of the history to list, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar, Union

from liveportal.domain.clock import utc_text
from liveportal.domain.entities import UNFINISHED
from liveportal.domain.frozen import frozen
from liveportal.domain.money import Money
from liveportal.domain.row import Row
from liveportal.ledger.format.row_mapping import to_json
from liveportal.ledger.queries.reader import NOT_OVER, Reader

if TYPE_CHECKING:
    from decimal import Decimal

T = TypeVar("T")
R = TypeVar("R", bound=Row)
SortValue = Union[datetime, "Decimal", int]

SORTS = ("start", "end", "earned", "minutes", "rate", "seq")

START = "coalesce(session.start, session.planned_start)"
DISPUTED = (
    "EXISTS (SELECT 1 FROM claim JOIN dispute ON dispute.claim = claim.id"
    " WHERE claim.session = session.id)"
)
# Each event concerns only one of these entities, so no two sessions have the same position.
LAST_SEQ = """
    max(
        session.agreed_seq,
        coalesce((SELECT max(seq) FROM statement WHERE thing = 'session:' || session.id), 0),
        coalesce((SELECT max(seq) FROM statement WHERE thing = 'request:' || session.request), 0),
        coalesce((SELECT max(statement.seq) FROM claim
                  JOIN statement ON statement.thing = 'claim:' || claim.id
                  WHERE claim.session = session.id), 0)
    )
"""


@frozen(kw_only=True)
class SessionFilter:
    """The conditions that a listed session must meet, all of them; by default there are none.

    `first_month` and `last_month` apply to the month of an ended session; `since` and `until` to
    the start, both inclusive; `after_seq` selects sessions with events after that position of the
    journal. `sort` is one of `SORTS`; a leading `-` reverses the order.
    """

    states: Sequence[str] = ()
    customer: str | None = None
    first_month: str | None = None
    last_month: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    claimed: bool = False
    disputed: bool = False
    after_seq: int | None = None
    words: Sequence[str] = ()
    sort: str = "start"

    def where(self, reader: Reader) -> tuple[str, list[object]]:
        """Return the SQL condition, and the values of its parameters."""
        given: dict[str, object] = {
            _one_of("session.state"): to_json(list(self.states)) if self.states else None,
            _one_of("session.customer"): None
            if self.customer is None
            else to_json([self.customer]),
            "session.period >= ?": self.first_month,
            "session.period <= ?": self.last_month,
            f"{START} >= ?": self.since and utc_text(self.since),
            f"{START} <= ?": self.until and utc_text(self.until),
            f"{LAST_SEQ} > ?": self.after_seq,
            _one_of("session.id"): self._mentioning(reader),
        }
        active = {condition: value for condition, value in given.items() if value is not None}
        conditions = list(active)
        if self.states and set(self.states) <= set(UNFINISHED):
            conditions.append(NOT_OVER)
        if self.claimed:
            conditions.append("EXISTS (SELECT 1 FROM claim WHERE claim.session = session.id)")
        if self.disputed:
            conditions.append(DISPUTED)
        return " AND ".join(conditions) or "TRUE", list(active.values())

    def _mentioning(self, reader: Reader) -> str | None:
        """Return the ids of the sessions that mention the words, as JSON; None without words."""
        if not self.words:
            return None
        from liveportal.ledger.queries.session_mentions import sessions_mentioning

        return to_json(sessions_mentioning(reader, self.words))

    def sorted_rows(self, rows: Sequence[R]) -> list[R]:
        """Return rows, which are by start, in the requested order."""
        return self.in_order([(self.sort_value(row), row) for row in rows])

    def sort_value(self, row: Row) -> SortValue | None:
        """Return the value by which a row is sorted."""
        value = row[self.sort.removeprefix("-")]
        return None if value is None else _comparable(value)

    def in_order(self, valued: Sequence[tuple[SortValue | None, T]]) -> list[T]:
        """Return what the values belong to in the requested order; None comes last either way.

        Those with equal values keep their order.
        """
        present = [pair for pair in valued if pair[0] is not None]
        present.sort(key=itemgetter(0), reverse=self.sort.startswith("-"))
        return [thing for _, thing in present] + [thing for value, thing in valued if value is None]


def _one_of(column: str) -> str:
    return f"{column} IN (SELECT value FROM json_each(?))"  # noqa: S608 (a name of our own)


def _comparable(value: object) -> SortValue:
    match value:
        case Money():
            return value.minor  # All are of one currency: a book with money has only one.
        case datetime() | int():
            return value
    from decimal import Decimal

    return Decimal(str(value))  # Minutes are written as a decimal number.
