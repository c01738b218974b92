"""`RequestFilter`: which requests to list, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from liveportal.domain.clock import utc_text
from liveportal.domain.entities import RequestState
from liveportal.domain.frozen import frozen
from liveportal.domain.money import Money
from liveportal.domain.schedule.auto_decline import matched
from liveportal.ledger.format.row_mapping import to_json

if TYPE_CHECKING:
    from liveportal.ledger.queries.requests import RequestRow

SORTS = {
    "opened": "opened_at",
    "expires": "expires",
    "rate": "rate",
    "earns": "earns",
    "left": "left_seconds",
}
"""The field that each sort order uses."""

# Time alone changes no state: a lapsed request is shown as expired, but its expiry is recorded only
# when the platform reports it. ?1 is the current instant.
LAPSED = "state = 'open' AND expires < ?1"
READS_AS = f"CASE WHEN {LAPSED} THEN 'expired' ELSE state END"
_READS_AS_ONE_OF = f"{READS_AS} IN (SELECT value FROM json_each(?))"  # noqa: S608 (our own words)


@frozen(kw_only=True)
class RequestFilter:
    """The conditions that a listed request must meet, all of them; by default there are none.

    `since` is the earliest opening time, inclusive; `after_seq` selects requests opened after that
    position of the journal. A request needs at least one of the `skills`. `sort` is one of `SORTS`;
    a leading `-` reverses the order.
    """

    ids: Sequence[str] | None = None
    states: Sequence[str] = ()
    kind: str | None = None
    direct: bool | None = None
    customer: str | None = None
    min_rate: Money | None = None
    since: datetime | None = None
    after_seq: int | None = None
    skills: Sequence[str] = ()
    matching: bool = False
    sort: str = "opened"

    def where(self) -> tuple[str, list[object]]:
        """Return the SQL condition, and the values of its parameters after ?1."""
        given: list[tuple[str, object]] = []
        index_conditions: list[str] = []
        if self.ids is not None:
            given.append(("request.id IN (SELECT value FROM json_each(?))", to_json(self.ids)))
        if self.states:
            if set(self.states) == {RequestState.OPEN}:
                index_conditions.append("state = 'open'")  # Must match the partial index.
            given.append((_READS_AS_ONE_OF, to_json(self.states)))
        if self.kind is not None:
            given.append(("kind = ?", self.kind))
        if self.direct is not None:
            given.append(("direct = ?", int(self.direct)))
        if self.customer is not None:
            given.append(("request.customer = ?", self.customer))
        if self.min_rate is not None:
            given.append(("rate >= ?", self.min_rate.minor))
            given.append(("currency = ?", self.min_rate.currency))
        if self.since is not None:
            given.append(("opened_at >= ?", utc_text(self.since)))
        if self.after_seq is not None:
            given.append(("opened_seq > ?", self.after_seq))
        conditions = [*index_conditions, *(condition for condition, _ in given)]
        return " AND ".join(conditions) or "TRUE", [value for _, value in given]

    def select(self, rows: Sequence[RequestRow]) -> list[RequestRow]:
        """Return the rows that also meet the conditions on personal data and on preferences.

        SQL cannot check these.
        """
        return [row for row in rows if self._is_selected(row)]

    def _is_selected(self, row: RequestRow) -> bool:
        if self.matching and not row.matches:
            return False
        return not self.skills or bool(matched(row.skills, self.skills))

    def sorted_rows(self, rows: Sequence[RequestRow]) -> list[RequestRow]:
        """Return the rows in the requested order; rows without the value come last either way.

        Rows with equal values keep their order, which is the order in which they were opened.
        """
        name = SORTS[self.sort.removeprefix("-")]
        valued = [row for row in rows if row[name] is not None]
        valued.sort(key=lambda row: _comparable(row[name]), reverse=self.sort.startswith("-"))
        return valued + [row for row in rows if row[name] is None]


def _comparable(value: Any) -> datetime | timedelta | int:  # noqa: ANN401 (of a row)
    return value.minor if isinstance(value, Money) else value
