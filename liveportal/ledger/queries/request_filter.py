"""Which requests are asked for, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from liveportal.domain.clock import utc_text
from liveportal.domain.money import Money
from liveportal.domain.schedule.auto_decline import matched
from liveportal.domain.values import dataclass
from liveportal.ledger.format.row_mapping import compact
from liveportal.ledger.queries.reader import Row

SORTS = {
    "opened": "opened_at",
    "expires": "expires",
    "rate": "rate",
    "earns": "earns",
    "left": "left_seconds",
}
"""The field that each order goes by."""

# Time alone moves nothing: that a request has lapsed is shown, and recorded when the platform says
# so. ?1 is the instant from which that is seen.
LAPSED = "state = 'open' AND expires < ?1"
READS_AS = f"CASE WHEN {LAPSED} THEN 'expired' ELSE state END"
_READS_AS_ONE_OF = f"{READS_AS} IN (SELECT value FROM json_each(?))"  # noqa: S608 (our own words)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter:
    """What a request must be to be listed: all that is given here, and at first nothing is.

    `since` is when it was opened, included; `after_seq` a position of the journal after which it
    was. Of `skills` it asks for one at least. `sort` is one of `SORTS`, with a `-` before it the
    other way round.
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
        """Return the condition in SQL, and the values of its parameters after ?1."""
        given: list[tuple[str, object]] = []
        of_few: list[str] = []
        if self.ids is not None:
            given.append(("request.id IN (SELECT value FROM json_each(?))", compact(self.ids)))
        if self.states:
            if set(self.states) == {"open"}:
                of_few.append("state = 'open'")  # Word for word as their index has it.
            given.append((_READS_AS_ONE_OF, compact(self.states)))
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
        conditions = [*of_few, *(condition for condition, _ in given)]
        return " AND ".join(conditions) or "TRUE", [value for _, value in given]

    def chosen(self, rows: Sequence[Row]) -> list[Row]:
        """Return those of the rows that SQL cannot tell: by what is personal or in preferences."""
        return [row for row in rows if self._is_wanted(row)]

    def _is_wanted(self, row: dict[str, Any]) -> bool:
        if self.matching and not row["matches"]:
            return False
        return not self.skills or bool(matched(row["skills"], self.skills))

    def ordered(self, rows: Sequence[Row]) -> list[Row]:
        """Return rows in the order asked for; those without the value come last, either way.

        Rows with the same value stay in the order in which they came: as they were opened.
        """
        name = SORTS[self.sort.removeprefix("-")]
        valued = [row for row in rows if row[name] is not None]
        valued.sort(key=lambda row: _comparable(row[name]), reverse=self.sort.startswith("-"))
        return valued + [row for row in rows if row[name] is None]


def _comparable(value: Any) -> datetime | timedelta | int:  # noqa: ANN401 (of a row)
    return value.minor if isinstance(value, Money) else value
