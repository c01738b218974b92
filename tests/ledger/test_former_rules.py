"""History is kept: events judged by the rules of an earlier version replay with its result."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from liveportal.domain.errors import Conflict
from liveportal.domain.events.envelope import CLI_SOURCE
from liveportal.domain.policy import Policy
from liveportal.ledger.opening import open_ledger
from liveportal.ledger.replay.replay import replayed_copy
from liveportal.ledger.replay.replay_journal import former_until
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.verify.verify import verify
from liveportal.portal import Portal
from tests.kit.events import OTHER, amount, event
from tests.kit.old_ledgers import FIXTURES
from tests.kit.quick_ledgers import tables
from tests.ledger import make_facts3


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a ledger of schema 3 with facts that today's rules would judge differently."""
    ledger = tmp_path / "ledger.db"
    ledger.write_bytes(gzip.decompress((FIXTURES / "facts3.db.gz").read_bytes()))
    ledger.chmod(0o600)
    return ledger


@pytest.fixture
def upgraded(path: Path) -> Iterator[Connection]:
    """Return the ledger after its upgrade to the current schema."""
    with closing(open_ledger(path, readonly=True)) as db:
        yield db


def test_the_fixture_is_the_story(upgraded: Connection) -> None:
    """It contains the events of `make_facts3.py`, so that its contents can be read there."""
    events = [(each.source, each.data.TYPE) for each in make_facts3.story()]
    stored = upgraded.execute("SELECT source, substr(type, 12) FROM event WHERE seq > 1")
    assert stored.fetchall() == events


def test_an_upgraded_ledger_stays_as_it_was_booked(upgraded: Connection) -> None:
    """It verifies, no rule has changed for it, and a replay gives the same tables."""
    assert verify(upgraded).rules_changed == ()
    assert former_until(upgraded) == upgraded.execute("SELECT max(seq) FROM event").fetchone()[0]
    with closing(replayed_copy(upgraded)) as copy:
        assert tables(copy, replayed=True) == tables(upgraded, replayed=True)
        assert former_until(copy) == former_until(upgraded), "also for who replays the copy"


def test_the_last_bill_is_derived(upgraded: Connection) -> None:
    """The migration knows which gross was given from outside, and which is our own calculation."""
    billed = dict(upgraded.execute("SELECT id, billed_minor FROM session ORDER BY id").fetchall())
    bills = {"S-2": 70_00, "S-3": 70_00, "S-4": 50_00, "S-6": 60_00}
    assert billed == {f"S-{number}": bills.get(f"S-{number}") for number in range(1, 8)}


def test_new_events_are_judged_by_the_rules_of_today(path: Path) -> None:
    """From the upgrade on: a correction keeps the last bill, and a claim is as first recorded."""
    with Portal(path) as portal:
        fix: dict[str, Any] = {"session": "S-6", "reason": "x", "source": CLI_SOURCE}
        end: dict[str, Any] = {"end": "2026-10-05T09:10:00Z"}
        portal.record([event("session.corrected", "10-07 09:00", **fix, **end)], allow=True)
        claim: dict[str, Any] = {"claim": "CL-2", "session": "S-2", "source": OTHER}
        with pytest.raises(Conflict):
            portal.record(
                [event("refund.claimed", "10-05 12:00", amount=amount("70.00"), **claim)],
                allow=True,
            )
        (same,) = portal.record(
            [event("refund.claimed", "10-05 12:00", amount=amount("60.00"), **claim)], allow=True
        )
        assert same.status == "confirmed"
    with closing(open_ledger(path, readonly=True)) as db:
        session = db.execute("SELECT gross_minor, expected_minor FROM session WHERE id = 'S-6'")
        assert session.fetchall() == [(60_00, 30_00)]
        assert verify(db).rules_changed == ()
        with closing(replayed_copy(db)) as copy:
            assert tables(copy, replayed=True) == tables(db, replayed=True)


def test_a_new_ledger_has_no_former_rules(tmp_path: Path) -> None:
    """Everything in it is judged by the rules of today."""
    Portal.create(tmp_path / "new.db", Policy())
    with closing(open_ledger(tmp_path / "new.db", readonly=True)) as db:
        assert former_until(db) == 0
