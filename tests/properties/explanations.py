"""Explanations of a book, as checks: leaves add up to roots, and an event booked each leaf.

Also other groupings of the same figures: groups, running balances, other zones, interpretations,
and the differences between two known-times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from liveportal.domain.calculations.months import Month
from liveportal.domain.calculations.provenance import CARRIED, PLACES, Node
from liveportal.domain.clock import from_text
from liveportal.domain.events.envelope import Event
from liveportal.domain.events.types import PolicyAdopted
from liveportal.ledger.queries import (
    as_known_diff,
    breakdown,
    earnings,
    interpretation_range,
    provenance,
    zone_comparison,
)
from liveportal.ledger.queries.earnings import WAYS
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.storage.driver import Connection
from tests.kit import quick_ledgers as ledgers
from tests.kit.quick_ledgers import empty_ledger, recorded
from tests.properties.trial import Check, Trial

COUNTED = (
    *("sessions", "free_sessions", "billed_us", "gross_minor", "fee_minor", "refund_claims"),
    *("disputes", "refunds", "refunded_minor", "deducted_minor", "tips_minor"),
    *("adjustments_minor", "net_minor"),
)


def check_tree(root: Node, seqs: set[int], *, carried: bool = False) -> None:
    """Every amount is the sum of its parts, and every leaf names an event that there is."""
    nodes = [root]
    while nodes:
        node = nodes.pop()
        nodes += node.parts
        if node.parts:
            assert node.minor == sum(part.minor for part in node.parts), node
        elif node is root:
            assert node.minor == 0, "what nothing made is nothing"
        elif node.rule == CARRIED:
            assert carried
        else:
            assert node.seq in seqs, node
    assert sum(leaf.minor for leaf in root.leaves()) == root.minor


def names(db: Connection, table: str) -> list[str]:
    """Return the ids of a table."""
    return [name for (name,) in db.execute(f'SELECT id FROM "{table}" ORDER BY id')]  # noqa: S608


def check_book(db: Connection) -> set[str]:
    """Compare every explanation of a book with its figures; return the cases reached."""
    reader = ledgers.reader(db)
    seqs = {seq for (seq,) in db.execute("SELECT seq FROM event")}
    reached: set[str] = set()
    for month in earnings.months(reader):
        net, owed = provenance.month(reader, month.month)
        assert reader.money(net.minor) == month.net
        assert reader.money(owed.minor) == month.balance.owed
        check_tree(net, seqs)
        check_tree(owed, seqs, carried=True)
        reached |= {part.what for part in (*net.parts, *owed.parts)}
    for session in names(db, "session"):
        net, where = provenance.session(reader, session)
        check_tree(net, seqs)
        check_tree(where, seqs)
        assert net.minor == where.minor, "all that was earned is somewhere"
        assert {part.what: part.minor for part in where.parts} == places(db, session)
        reached |= {part.what for part in (*net.parts, *where.parts)}
    for name, amount in db.execute("SELECT id, amount_minor FROM payout").fetchall():
        lines = provenance.payout(reader, name)
        check_tree(lines, seqs)
        assert lines.minor == amount
        reached |= {"Part" for part in lines.parts if part.what.startswith("Part of")}
    return reached


def places(db: Connection, session: str) -> dict[str, int]:
    """Return where a session's money is, from payouts and claims rather than postings."""
    items = "SELECT item.face_minor FROM item WHERE session = ?"
    net = sum(face for (face,) in db.execute(items, (session,)))
    held = sum(
        hold
        for hold, state in db.execute(
            "SELECT hold_minor, state FROM claim WHERE session = ?", (session,)
        )
        if state in ("open", "disputed")
    )
    lines = db.execute(
        "SELECT payout.state, sum(payout_line.amount_minor) FROM payout_line"
        " JOIN payout ON payout.id = payout_line.payout"
        ' JOIN item ON item."transaction" = payout_line.item'
        " WHERE item.session = ? GROUP BY payout.state",
        (session,),
    )
    paid = dict(lines.fetchall())
    amounts = {
        PLACES["assets:platform:held"]: held,
        PLACES["assets:transit"]: paid.get("sent", 0),
        PLACES["assets:bank"]: paid.get("paid", 0),
    }
    amounts[PLACES["assets:platform"]] = net - sum(amounts.values())
    return {name: minor for name, minor in amounts.items() if minor}


def leaves_add_up_to_roots(trial: Trial) -> None:
    """For every month, session and payout; no leaf is there to make a sum come out."""
    trial.seen.update(check_book(trial.db))


def explanations_need_nothing_that_can_be_erased(trial: Trial) -> None:
    """A forgotten customer's money is explained as before, without their texts."""
    with trial.copy() as db:
        for (seq,) in db.execute("SELECT seq FROM event_personal ORDER BY seq").fetchall():
            if trial.random.getrandbits(1):
                db.execute("DELETE FROM event_personal WHERE seq = ?", (seq,))
        check_book(db)


def groups_add_up_to_the_figures(trial: Trial) -> None:
    """By customer, skill, kind and weekday, of each month and of all of them."""
    zone = trial.random.choice(("Pacific/Auckland", "America/New_York", "UTC"))
    reader = trial.reader
    figures = earnings.figures_of(reader)
    spans = [(name, name) for name in figures] + [(earnings.FIRST, earnings.LAST)]
    for way in WAYS:
        for first, last in spans:
            groups = breakdown.groups(reader, way, first, last, zone).values()
            months = [figure for name, figure in figures.items() if first <= name <= last]
            assert summed(groups) == summed(months)


def summed(months: Iterable[Month]) -> dict[str, int]:
    """Return the sums of all figures but balances."""
    labels = list(months)
    return {name: sum(getattr(each, name) for each in labels) for name in COUNTED}


def the_running_balance_ends_at_what_is_owed(trial: Trial) -> None:
    """In one record of the whole book, and month by month."""
    reader = trial.reader
    owed = reader.money(ledgers.balance(trial.db)["owed"])
    everything = earnings.transactions(reader)
    assert not everything or everything[-1].balance == owed
    for month in earnings.months(reader):
        rows = earnings.transactions(reader, month.month, month.month)
        assert not rows or rows[-1].balance == month.balance.owed


def other_zones_are_answered_from_instants(trial: Trial) -> None:
    """In the book's own zone nothing moves; in another, exactly what its calendar moves."""
    zone = trial.random.choice(("Pacific/Apia", "Europe/Paris", "America/New_York", "UTC"))
    reader = trial.reader
    assert zone_comparison.moved_entries(reader, [reader.timezone]) == []
    by_start = reader.policy.period.session_month == "start"
    expected = set()
    for number, kind, time, period in trial.db.execute(
        'SELECT id, kind, time, period FROM "transaction"'
    ):
        local = from_text(time).astimezone(ZoneInfo(zone))
        if f"{local:%Y-%m}" != period and not (by_start and kind == "earning"):
            expected.add(number)
    sessions_moved = zone_comparison.moved_entries(reader, [zone])
    booked = {
        row["transaction"]
        for row in sessions_moved
        if row["transaction"] and not (by_start and row["kind"] == "earning")
    }
    assert booked == expected
    assert all(row["month"] != row["would_be"] for row in sessions_moved)


FIGURES = (
    *("sessions", "free_sessions", "refund_claims", "disputes", "refunds"),
    *("gross", "platform_fee", "refunded", "deducted", "tips", "adjustments"),
    *("owed", "held", "in_transit", "paid_out", "transfer_fees"),
)


def what_moves_makes_the_months_of_the_other_zone(trial: Trial) -> None:
    """Months and moved entries are those of the same book cut by that zone."""
    zone = trial.random.choice(("Pacific/Apia", "America/New_York"))
    with recorded(cut_by(trial.book.events, zone)) as other:
        reader = trial.reader
        figures = monthly(earnings.figures_of(reader))
        minutes: Counter[str] = Counter()
        for row in zone_comparison.moved_entries(reader, [zone]):
            for name in FIGURES:
                minor = getattr(row[name], "minor", row[name])
                assert isinstance(minor, int)
                figures[row.month, name] -= minor
                figures[row.would_be, name] += minor
            minutes[row.month] -= round(100 * float(row.minutes))
            minutes[row.would_be] += round(100 * float(row.minutes))
        expected = earnings.figures_of(ledgers.reader(other))
        assert +figures == +monthly(expected)
        assert -figures == -monthly(expected)
        was = earnings.figures_of(reader)
        for name in {*was, *expected, *minutes}:
            before, after = (each.get(name, Month(month=name)) for each in (was, expected))
            # Each row is rounded by itself.
            left = (after.billed_us - before.billed_us) / 600_000 - minutes[name]
            assert abs(left) <= len(trial.book.events)


def cut_by(events: Iterable[Event], zone: str) -> Iterator[Event]:
    """Yield a book's events with months cut by one zone in all its policies."""
    for event in events:
        if isinstance(event.data, PolicyAdopted):
            policy = replace(
                event.data.policy, period=replace(event.data.policy.period, timezone=zone)
            )
            yield replace(event, data=PolicyAdopted(policy=policy))
        else:
            yield event


def monthly(months: Mapping[str, Month]) -> Counter[tuple[str, str]]:
    """Return the figures of months, but for the minutes, by month and name."""
    named = {"platform_fee": "fee_minor"}
    totals: Counter[tuple[str, str]] = Counter()
    for name, month in months.items():
        for figure in FIGURES:
            field = named.get(figure, f"{figure}_minor")
            totals[name, figure] = getattr(month, field if hasattr(month, field) else figure)
    return totals


def differences_are_what_was_recorded_in_between(trial: Trial) -> None:
    """Before and after are the months as known then; every change is reported with its cause."""
    events = list(trial.book.events)
    known = trial.random.randint(1, len(events))
    with empty_ledger() as db:
        ledgers.portal(db).record(events[:known], allow=True)
        before = {row["month"]: row for row in ledgers.sql_months(db)}
        later = ledgers.NOW + timedelta(seconds=1)
        ledgers.portal(db, at=later).record(events[known:], allow=True)
        reader = ledgers.reader(db)
        after = {row["month"]: row for row in ledgers.sql_months(db)}
        with (
            as_known_diff.as_known(reader, ledgers.NOW) as first,
            as_known_diff.as_known(reader, later) as second,
        ):
            changes = as_known_diff.differences(first, second)
            assert changes == as_known_diff.differences(first, reader)
            assert as_known_diff.differences(second, reader) == []
            check_differences(changes, first, reader)
        own = {name for name in after if changed_by_itself(before.get(name), after[name])}
        assert own <= {row["month"] for row in changes}


def check_differences(
    found: list[as_known_diff.ChangedMonth], first: Reader, after: Reader
) -> None:
    """Each change is real and is caused by the events that are listed with it."""
    (last,) = first.all("SELECT max(seq) AS seq FROM event")
    for month in found:
        changed, events = month.changed, month.events
        was, now = earnings.month(first, month.month), earnings.month(after, month.month)
        for change in changed:
            outer, _, inner = change.figure.partition(".")
            pair = [side[outer] for side in (was, now)]
            shown = [side[inner] if inner else side for side in pair]
            assert [str(change.before), str(change.after)] == list(map(str, shown))
            assert change["after"] - change["before"] == change.difference
        assert all(event.seq > last["seq"] for event in events)
        nets = [change["difference"] for change in changed if change.figure == "net"]
        booked = sum(event.amount.minor for event in events)
        assert booked == sum(net.minor for net in nets)
        if any(not change.figure.startswith("balance.") for change in changed):
            assert events, "figures do not change by themselves"


def changed_by_itself(was: dict[str, object] | None, now: dict[str, object]) -> bool:
    """Return True if any figure but a balance differs."""
    if was is None:
        return False
    return {**was, "balance": None} != {**now, "balance": None}


def every_reading_can_be_asked_for(trial: Trial) -> None:
    """Entries that an interpretation refuses are listed; the others stay as booked."""
    reader = trial.reader
    readings = interpretation_range.interpretations(reader)
    asked = trial.random.sample(readings, min(3, len(readings)))
    booked, *others = interpretation_range.bounds(reader, earnings.FIRST, earnings.LAST, asked)
    assert len(others) == len(asked)
    assert booked.owed_minor == ledgers.balance(trial.db)["owed"]
    for bound in others:
        assert bound.reading in asked
        refused = {each.event.data.TYPE for each in bound.left_out}
        assert refused <= REFUSABLE


REFUSABLE = {"refund.claimed", "session.ended", "session.logged", "session.corrected"}
"""What another bill can make impossible; everything else is a fact under every reading."""


def the_reading_in_force_gives_the_books(trial: Trial) -> None:
    """Replayed under its own policy the book is unchanged, payouts included."""
    reader = trial.reader
    policy = reader.policy.switches()
    readings = [(name, policy[name]) for name in ("period.timezone", "period.session_month")]
    names = [*earnings.figures_of(reader), "2001-01", "2099-12"]
    for name in trial.random.sample(names, 2):
        booked, *same = interpretation_range.bounds(reader, name, name, readings)
        for each in same:
            assert (each.net_minor, each.owed_minor) == (booked.net_minor, booked.owed_minor)
            assert each.left_out == ()


LIGHT: tuple[Check, ...] = (
    leaves_add_up_to_roots,
    groups_add_up_to_the_figures,
    the_running_balance_ends_at_what_is_owed,
    other_zones_are_answered_from_instants,
)
"""What only reads the ledger of the book."""

HEAVY: tuple[Check, ...] = (
    explanations_need_nothing_that_can_be_erased,
    what_moves_makes_the_months_of_the_other_zone,
    differences_are_what_was_recorded_in_between,
    every_reading_can_be_asked_for,
    the_reading_in_force_gives_the_books,
)
"""What records the book again, or replays it."""
