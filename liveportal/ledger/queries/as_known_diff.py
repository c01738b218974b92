"""What changed in the months between two known-times, and which events did it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from liveportal.domain.calculations.months import Month, names_in_a_row, run_up
from liveportal.domain.clock import from_text
from liveportal.domain.events.envelope import PREFIX
from liveportal.ledger.format.row_mapping import compact
from liveportal.ledger.queries import earnings
from liveportal.ledger.queries.reader import Reader, Row

FIELDS = ("month", "currency", "changed", "events")
Nets = dict[int, int]
"""What events added to the net of a month, by their position in the journal."""

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
def known(reader: Reader, until: datetime | None) -> Iterator[Reader]:
    """Give the windows as of what was recorded by an instant; None: as they are."""
    if until is None:
        yield reader
        return
    from liveportal.ledger.replay.replay import replayed_copy  # The whole door; few reads need it.

    copy = replayed_copy(reader.db, until=until, messages=False)
    try:
        yield Reader(copy, reader.path, until)
    finally:
        copy.close()


def differences(before: Reader, after: Reader) -> list[Row]:
    """Return the months whose figures changed, oldest first, each with what was recorded for it."""
    was, now = earnings.figures_of(before), earnings.figures_of(after)
    # A month outside of a book answers zeros, with the balance as it was then.
    names = names_in_a_row({*was, *now})
    pairs = zip(run_up(was, names), run_up(now, names), strict=True)
    responsible = _responsible(before, after)
    found = []
    for old, new in pairs:
        if changed := _changed(old, new, after):
            nets = responsible.get(new.month, {})
            found.append((new.month, changed, nets))
    events = _events(after, {seq for _, _, nets in found for seq in nets})
    return [
        {
            "month": name,
            "currency": after.currency,
            "changed": changed,
            "events": [events[seq] | {"amount": after.money(nets[seq])} for seq in sorted(nets)],
        }
        for name, changed, nets in found
    ]


def _changed(old: Month, new: Month, reader: Reader) -> list[dict[str, Any]]:
    """Return each figure that differs, as it was and as it is."""
    was, now = (_flat(each.row(reader.timezone, reader.currency)) for each in (old, new))
    return [
        {
            "figure": name,
            "before": was[name],
            "after": now[name],
            "difference": now[name] - was[name],
        }
        for name in now
        if was[name] != now[name]
    ]


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    balance = {f"balance.{name}": value for name, value in row["balance"].items()}
    flat = {name: value for name, value in row.items() if name != "balance"} | balance
    return flat | {"minutes": Decimal(flat["minutes"])}


def _responsible(before: Reader, after: Reader) -> dict[str, Nets]:
    """Return, by month, the events recorded in between that booked into it or count in it."""
    (last,) = before.all("SELECT coalesce(max(seq), 0) AS seq FROM event")
    since = last["seq"]
    found: dict[str, Nets] = defaultdict(dict)
    for row in after.all(_BOOKED, since):
        found[row["period"]][row["seq"]] = row["net"]
    for row in (*after.all(_DISPUTED, since), *after.all(_COUNTED, since)):
        found[row["period"]].setdefault(row["seq"], 0)
    return found


def _events(reader: Reader, seqs: set[int]) -> dict[int, dict[str, Any]]:
    found = reader.all(_EVENTS, compact(sorted(seqs)))
    return {
        row["seq"]: {
            "seq": row["seq"],
            "type": row["type"].removeprefix(PREFIX),
            "time": from_text(row["time"]),
            "recorded_at": from_text(row["recorded_at"]),
            "thing": row["thing"],
        }
        for row in found
    }
