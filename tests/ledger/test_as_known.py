"""`--as-known T`: every query answers as of the last event recorded by T."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from liveportal.domain.events.envelope import CLI_SOURCE
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries import earnings
from liveportal.ledger.queries.reader import Reader
from liveportal.portal import Portal
from tests.kit.books import Clock, plain
from tests.kit.events import OTHER, amount, at, event, policy
from tests.kit.ledger_files import contents
from tests.kit.shell import OCTOBER, Shell

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


def month(path: Path, as_known: datetime | None = None) -> dict[str, Any]:
    """Return October's figures, now or as known then."""
    with open_readonly(path, as_known=as_known) as reader:
        figures: dict[str, Any] = plain(earnings.month(reader, "2026-10"))
        return figures


@contextmanager
def days(path: Path, clock: Clock) -> Iterator[list[tuple[datetime, Any]]]:
    """Record an event each day, and keep October's figures at the end of each day."""
    noted: list[tuple[datetime, Any]] = []
    with Portal(path, now=clock) as portal:
        for number, events in enumerate(STORY, 1):
            clock.now = at("11-01 12:00") + number * DAY
            portal.record([event(kind, when, **data) for kind, when, data in events], allow=True)
            noted.append((clock.now, month(path)))
    yield noted


SESSION = {"session": "S-1"}
SHELL = {"session": "S-1", "source": CLI_SOURCE}
PAID = {"payout": "P-1", "amount": amount("30.00"), "method": "paypal"}
OPENED = {
    "request": "R-1",
    "kind": "instant",
    "customer": {"id": "C-1", "name": "Mina"},
    "title": "Shader",
    "rate": amount("3.00"),
}
STORY: list[list[tuple[str, str, dict[str, Any]]]] = [
    [("request.opened", "10-05 08:00", OPENED)],
    [("request.accepted", "10-05 09:00", {"request": "R-1", "session": "S-1", "source": OTHER})],
    [("session.ended", "10-05 09:20", SHELL)],
    [("request.accepted", "10-05 09:00", {"request": "R-1", "session": "S-x"})],
    [("session.ended", "10-05 09:20", {"session": "S-x", "billed": amount("70.00")})],
    [("tip.received", "10-05 10:00", {**SESSION, "id": "tip", "amount": amount("5.00")})],
    [("payout.sent", "10-05 11:00", PAID)],
    [("payout.failed", "10-05 12:00", {"payout": "P-1"})],
    [
        (
            "entry.reversed",
            "10-06 12:00",
            {"event": {"source": "https://help.example/experts/7", "id": "tip"}, "reason": "x"},
        )
    ],
    [("refund.claimed", "10-05 12:00", {**SESSION, "claim": "CL-1"})],
    [("dispute.filed", "10-05 13:00", {"claim": "CL-1", "summary": "No."})],
    [("dispute.rejected", "10-05 14:00", {"claim": "CL-1"})],
    [("policy.adopted", "10-07 00:00", {"policy": policy(fee={"percent": 10}).document})],
]


def test_every_day_answers_as_it_was(ledger: Path, clock: Clock) -> None:
    """As known on any day: the book's figures at the end of that day."""
    with days(ledger, clock) as noted:
        assert len({str(shown) for _, shown in noted}) == 8  # On five days another figure shows.
        for when, shown in noted:
            assert month(ledger, when) == shown
            assert month(ledger, when + DAY - TICK) == shown


def test_the_instant_itself_counts(ledger: Path, clock: Clock) -> None:
    """An event recorded at T is known at T, and not a microsecond before."""
    with days(ledger, clock) as noted:
        (before, shown_before), (when, shown) = noted[4], noted[5]
        assert shown_before != shown
        assert month(ledger, when) == shown
        assert month(ledger, when - TICK) == month(ledger, before) == shown_before


def test_it_is_what_was_recorded_not_what_had_happened(ledger: Path, clock: Clock) -> None:
    """In October nothing about October was known yet; afterwards all of it is."""
    with days(ledger, clock) as noted:
        assert month(ledger, at("10-31 00:00"))["sessions"] == 0
        assert month(ledger, at("9999-12-31T00:00:00Z")) == noted[-1][1] == month(ledger)


def test_before_the_ledger_was_made(ledger: Path, clock: Clock) -> None:
    """Nothing is known: an empty book under the default policy."""
    with days(ledger, clock), open_readonly(ledger, as_known=at("2020-01-01T00:00:00Z")) as reader:
        assert earnings.months(reader) == []
        assert reader.policy == policy(name="unity-live-help")


def test_other_windows_open_on_it_too(ledger: Path, clock: Clock) -> None:
    """The policy, the Transaction Record and the ids are as they were known."""
    with days(ledger, clock) as noted:
        with open_readonly(ledger, as_known=noted[-2][0]) as reader:
            assert reader.policy == policy(name="unity-live-help")
        with open_readonly(ledger, as_known=noted[2][0]) as reader:
            (entry,) = earnings.transactions(reader)
            assert (entry["kind"], str(entry["gross"]), entry["memo"]) == (
                "earning",
                "60.00",
                "Shader",
            )
        with open_readonly(ledger, as_known=noted[4][0]) as reader:
            assert reader.resolve_id("session", "S-x") == "S-1"


def test_looking_back_changes_nothing(ledger: Path, clock: Clock) -> None:
    """The ledger's file is only read."""
    with days(ledger, clock) as noted:
        before = contents(ledger)
        for when, _ in noted:
            month(ledger, when)
        assert contents(ledger) == before


DERIVED = [
    *("transaction", "transfer", "month_flow", "policy", "customer", "request", "session"),
    *("session_alias", "claim", "dispute", "adjustment", "artifact", "review", "item", "payout"),
    *("payout_line", "payout_alias", "preferences", "profile_field", "statement", "reversal"),
]


@pytest.mark.parametrize("erased", [False, True])
def test_a_replay_gives_the_same_derived_tables(ledger: Path, clock: Clock, erased: bool) -> None:
    """Replaying the facts into an empty ledger derives the same, also after an erasure."""
    with days(ledger, clock):
        if erased:
            with Portal(ledger, now=clock) as portal:
                portal.record(
                    [event("customer.forgotten", "12-01 00:00", customer="C-1")], allow=True
                )

        def derived(reader: Reader) -> dict[str, list[dict[str, Any]]]:
            return {name: reader.all(f'SELECT * FROM "{name}"') for name in DERIVED}  # noqa: S608

        with open_readonly(ledger) as now, open_readonly(ledger, as_known=clock.now) as replayed:
            assert derived(replayed) == derived(now)


def test_money_as_known_replays_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was booked is read, so that it is quick in a long book."""

    def replayed(*_: object, **__: object) -> None:
        raise AssertionError("the journal was replayed")

    monkeypatch.setattr("liveportal.ledger.replay.replay.replayed_copy", replayed)
    shell = Shell(tmp_path, tmp_path / "ledger.db")
    at_ledger = ("--ledger", shell.ledger)
    assert shell.run(*at_ledger, "init").code == 0
    assert shell.run(*at_ledger, "sync", OCTOBER).code == 0
    for command in (("--month", "2026-10"), ("months",), ("sessions",), ("transactions",)):
        ran = shell.run(*at_ledger, "earnings", *command, "--as-known", "2030-01-01", "--json")
        assert ran.code == 0, ran
        assert ran.out == shell.run(*at_ledger, "earnings", *command, "--json").out
