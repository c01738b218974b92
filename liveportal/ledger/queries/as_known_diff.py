"""Compares the months as known at two instants, with the events that changed them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from liveportal.domain.calculations.months import (
    Month,
    MonthRow,
    fill_gaps,
    with_running_balances,
)
from liveportal.domain.clock import from_text
from liveportal.domain.events.envelope import PREFIX
from liveportal.domain.money import Money
from liveportal.domain.row import Row, row
from liveportal.ledger.format.row_mapping import to_json
from liveportal.ledger.queries import earnings
from liveportal.ledger.queries.reader import Reader

Nets = dict[int, int]
"""Each event's contribution to the net of a month (minor units), by its seq."""


@row
class FigureChange(Row):
    """A figure of a month, such as `net` or `balance.owed`, before and after."""

    figure: str
    before: Money | Decimal | int
    after: Money | Decimal | int
    difference: Money | Decimal | int


@row
class ChangingEvent(Row):
    """An event that changed a month; `amount` is what it adds to the month's net."""

    seq: int
    type: str
    time: datetime
    recorded_at: datetime
    thing: str
    amount: Money


@row
class ChangedMonth(Row):
    """A month whose figures changed, with the events that changed them."""

    month: str
    currency: str
    changed: list[FigureChange]
    events: list[ChangingEvent]


_BOOKED = """
    SELECT period, seq, sum(net) AS net FROM transaction_record WHERE seq > ? GROUP BY period, seq
"""
_DISPUTED = "SELECT period, seq FROM dispute WHERE seq > ?"
_COUNTED = "SELECT period, seq FROM session_count WHERE seq > ?"
_EVENTS = """
    SELECT event.seq, event.type, event.time, event.recorded_at, statement.thing
    FROM statement JOIN event ON event.seq = statement.seq
    WHERE statement.seq IN (SELECT value FROM json_each(?))
    ORDER BY event.seq
"""


@contextmanager
def as_known(reader: Reader, until: datetime | None) -> Iterator[Reader]:
    """Give a reader of the ledger as recorded by an instant; None gives the current state."""
    if until is None:
        yield reader
        return
    from liveportal.ledger.replay.replay import replayed_copy  # Heavy: imports the journal.

    copy = replayed_copy(reader.db, until=until, messages=False)
    try:
        yield Reader(copy, reader.path, until)
    finally:
        copy.close()


def differences(before: Reader, after: Reader) -> list[ChangedMonth]:
    """Return the months whose figures changed, oldest first, with the events that changed them."""
    was, now = earnings.figures_of(before), earnings.figures_of(after)
    # A month outside a book has zero figures and the balance of that time.
    names = fill_gaps({*was, *now})
    pairs = zip(with_running_balances(was, names), with_running_balances(now, names), strict=True)
    responsible = _nets_by_month(before, after)
    changes = []
    for old, new in pairs:
        if figures := _changed_figures(old, new, after):
            nets = responsible.get(new.month, {})
            changes.append((new.month, figures, nets))
    events = _events(after, {seq for _, _, nets in changes for seq in nets})
    return [
        ChangedMonth(
            month=name,
            currency=after.currency,
            changed=figures,
            events=[
                ChangingEvent(**events[seq], amount=after.money(nets[seq])) for seq in sorted(nets)
            ],
        )
        for name, figures, nets in changes
    ]


def _changed_figures(old: Month, new: Month, reader: Reader) -> list[FigureChange]:
    """Return the figures that differ, with their values before and after."""
    was, now = (_flatten(month.row(reader.timezone, reader.currency)) for month in (old, new))
    return [
        FigureChange(
            figure=name, before=was[name], after=now[name], difference=now[name] - was[name]
        )
        for name in now
        if was[name] != now[name]
    ]


def _flatten(row: MonthRow) -> dict[str, Any]:
    balance = {f"balance.{account}": amount for account, amount in row.balance.items()}
    figures = {name: value for name, value in row.items() if name != "balance"}
    return figures | balance | {"minutes": Decimal(row.minutes)}


def _nets_by_month(before: Reader, after: Reader) -> dict[str, Nets]:
    """Return, by month, the events recorded in between that affect the month's figures."""
    (last,) = before.all("SELECT coalesce(max(seq), 0) AS seq FROM event")
    since = last["seq"]
    nets: dict[str, Nets] = defaultdict(dict)
    for booked in after.all(_BOOKED, since):
        nets[booked["period"]][booked["seq"]] = booked["net"]
    for entry in (*after.all(_DISPUTED, since), *after.all(_COUNTED, since)):
        nets[entry["period"]].setdefault(entry["seq"], 0)
    return nets


def _events(reader: Reader, seqs: set[int]) -> dict[int, dict[str, Any]]:
    rows = reader.all(_EVENTS, to_json(sorted(seqs)))
    return {
        row["seq"]: {
            "seq": row["seq"],
            "type": row["type"].removeprefix(PREFIX),
            "time": from_text(row["time"]),
            "recorded_at": from_text(row["recorded_at"]),
            "thing": row["thing"],
        }
        for row in rows
    }
