"""Money at risk, as a check of a book: final, still claimable, held; together the balance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from liveportal.domain.clock import utc_text
from liveportal.ledger.queries import earnings
from tests.kit import quick_ledgers as ledgers
from tests.kit.pools import MICROSECOND
from tests.properties.model import Model
from tests.properties.state import Session
from tests.properties.trial import Trial

EDGES = 6
"""So many are tried with each month."""


def left_of(model: Model, session: Session, last: str) -> tuple[int, int]:
    """The unrefunded part of a session's gross at a month's end, and how much of it is owed."""
    own = [
        entry
        for entry in model.entries
        if entry.session == session.id and entry.month <= last and not entry.tips
    ]
    return sum(event.gross - event.refunded for event in own), sum(event.owed for event in own)


def claimable(model: Model, last: str, as_of: datetime) -> int:
    """The owed amount of sessions that a customer can still claim back in time (R8).

    If refunds deduct the gross, a session may have cost more than it earned: that is final.
    """
    total = 0
    # As each session was billed by then: a later correction changes nothing of this month.
    by_then = {count.session: count for count in model.counts if count.month <= last}
    for count in by_then.values():
        if count.sessions > 0:
            session = model.sessions[count.session]
            hours = session.policy.refund.window_hours
            gross, owed = left_of(model, session, last)
            if gross > 0 and owed > 0 and as_of <= count.end + timedelta(hours=hours):
                total += owed
    return total


def moments(model: Model) -> Iterator[datetime]:
    """The instants at which a figure changes: the last of each refund window, and the next."""
    for count in model.counts:
        window = timedelta(hours=model.sessions[count.session].policy.refund.window_hours)
        closes = count.end + window
        yield from (count.end - MICROSECOND, count.end, closes, closes + MICROSECOND)


def month_end(model: Model, last: str) -> datetime:
    """The last instant of a month, found by trying each microsecond's neighbour."""
    year, number = map(int, last.split("-"))
    guess = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=ledgers.NOW.tzinfo)
    low, high = guess - timedelta(days=2), guess + timedelta(days=2)
    while high - low > MICROSECOND:
        middle = low + (high - low) // 2
        low, high = (middle, high) if model.month(middle) <= last else (low, middle)
    return low


def the_states_add_up_to_the_balance(trial: Trial) -> None:
    """Final + claimable + held = owed + held: at each month's end, and at edges of the windows.

    To the microsecond, under every reading of every switch.
    """
    model = trial.book.model
    edges = [*moments(model)]
    for row in model.months():
        last = str(row["month"])
        end, balance = month_end(model, last), model.balance(last)
        some = trial.random.sample(edges, min(EDGES, len(edges)))
        for now in {ledgers.NOW, end, end + MICROSECOND, *some}:
            as_of = min(now, end)
            actual = earnings.risk(trial.reader, last, now)
            expected = claimable(model, last, as_of)
            figures = {name: actual[name].minor for name in ("final", "claimable", "held")}
            assert figures == {
                "final": balance["owed"] - expected,
                "claimable": expected,
                "held": balance["held"],
            }, (last, utc_text(now))
            assert figures["claimable"] >= 0, "what can be lost is never less than nothing"
            assert actual.as_of == as_of
            assert sum(figures.values()) == balance["owed"] + balance["held"]
            trial.seen.update(name for name, minor in figures.items() if minor > 0)
            trial.seen.update(f"-{name}" for name, minor in figures.items() if minor < 0)
