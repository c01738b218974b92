"""`portal.payouts.reconcile`: statements compared from Python, and recorded once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liveportal import Portal, events
from liveportal.domain.errors import InvalidArgument, InvalidValue, OpenedReadOnly
from liveportal.domain.money import Money
from tests.kit.books import Clock
from tests.kit.events import at, usd
from tests.kit.paypal_files import PLATFORM, PayPalAccount, Transaction

NOW = at("12-20 10:00")
OURS = (PLATFORM,)


def sent(portal: Portal, name: str, amount: Money, day: str) -> None:
    """Record that the platform sent a payout."""
    payout = events.PayoutSent(payout=name, amount=amount, method="paypal")
    portal.execute(payout, at=at(f"11-{day} 09:00"), allow=True)


@pytest.fixture
def owed(tmp_path: Path) -> Iterator[Portal]:
    """Open a ledger to which the platform owes 1,000 dollars, with two payouts sent."""
    path = tmp_path / "book.db"
    Portal.create(path, now=Clock(at("10-01 00:00")))
    with Portal(path, now=Clock(NOW)) as portal:
        portal.execute(
            events.AdjustmentPosted(adjustment="AD-1", amount=usd("1000.00"), reason="start"),
            allow=True,
        )
        sent(portal, "PO-1", usd("42.00"), "10")
        sent(portal, "PO-2", usd("60.00"), "20")
        yield portal


@pytest.fixture
def statement(tmp_path: Path) -> Path:
    """Write a file in which both payouts arrived, one of them less a fee."""
    account = PayPalAccount()
    account.payout("42.00", "2026-11-11T09:00:00Z", fee="1.00", id="IN1")
    account.payout("60.00", "2026-11-21T09:00:00Z", id="IN2")
    path = tmp_path / "paypal.csv"
    path.write_bytes(account.file())
    return path


def test_it_compares_and_with_apply_records_once(owed: Portal, statement: Path) -> None:
    """The rows are typed, and their JSON is that of the command."""
    found = owed.payouts.reconcile(statement, payers=OURS)
    assert [(each.finding, each.payout, each.fee) for each in found.findings] == [
        ("arrived", "PO-1", usd("1.00")), ("arrived", "PO-2", usd("0.00")),
    ]  # fmt: skip
    assert (found.applied, found.recorded) == (False, 0)
    assert found.as_dict()["findings"][0]["fee"] == "1.00"
    assert {each.state for each in owed.payouts.list()} == {"sent"}
    done = owed.payouts.reconcile(str(statement), payers=OURS, apply=True)
    assert (done.applied, done.recorded) == (True, 2)
    again = owed.payouts.reconcile(statement, payers=OURS, apply=True)
    assert (again.findings, again.recorded) == ([], 0)
    assert {each.state for each in owed.payouts.list()} == {"paid"}


def test_what_is_called_before_recording_can_stop_it(owed: Portal, statement: Path) -> None:
    """It gets the findings; nothing is called where nothing is recorded."""
    seen: list[int] = []

    def stop(found: Any) -> None:  # noqa: ANN401 (a row)
        seen.append(len(found.findings))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        owed.payouts.reconcile(statement, payers=OURS, apply=True, before=stop)
    assert {each.state for each in owed.payouts.list()} == {"sent"}
    owed.payouts.reconcile(statement, payers=OURS, before=stop)
    assert seen == [2]


def test_a_portal_that_only_reads_compares_and_records_nothing(
    owed: Portal, statement: Path, tmp_path: Path
) -> None:
    """Also a copy as known earlier: then no payout was there."""
    owed.close()
    with Portal(tmp_path / "book.db", mode="r", now=Clock(NOW)) as portal:
        assert len(portal.payouts.reconcile(statement, payers=OURS).findings) == 2
        with pytest.raises(OpenedReadOnly):
            portal.payouts.reconcile(statement, payers=OURS, apply=True)
        before = portal.as_known("2026-10-01")
        found = before.payouts.reconcile(statement, payers=OURS)
        assert {each.finding for each in found.findings} == {"unknown"}


def test_a_dry_run_records_and_takes_it_back(owed: Portal, statement: Path, tmp_path: Path) -> None:
    """Later queries of the same portal see it."""
    owed.close()
    with Portal(tmp_path / "book.db", dry_run=True, now=Clock(NOW)) as portal:
        assert portal.payouts.reconcile(statement, payers=OURS, apply=True).recorded == 2
        assert portal.payouts.get("PO-1").state == "paid"
    with Portal(tmp_path / "book.db", mode="r", now=Clock(NOW)) as portal:
        assert portal.payouts.get("PO-1").state == "sent"


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ({"payers": "me@x.example"}, "payers"),
        ({"payers": [" "]}, "payers"),
        ({"payers": [7]}, "payers"),
        ({"pairs": [("PO-1", "IN1")]}, "pairs"),
        ({"pairs": {"PO-1": 7}}, "pairs"),
        ({"windows": {"paypall": 3}}, "windows"),
        ({"windows": {"paypal": -1}}, "windows"),
        ({"windows": {"paypal": "3"}}, "windows"),
        ({"kinds": {"Zahlung": "pay"}}, "kinds"),
        ({"kinds": {7: "payment"}}, "kinds"),
        ({"dates": "ydm"}, "dates"),
        ({"format": "pdf"}, "format"),
        ({"timezone": 1}, "timezone"),
    ],
)
def test_wrong_arguments_are_named(
    owed: Portal, statement: Path, given: dict[str, Any], argument: str
) -> None:
    """Before any file is read."""
    with pytest.raises(InvalidArgument) as caught:
        owed.payouts.reconcile(statement, **given)
    assert caught.value.details["argument"] == argument


def test_no_file_and_no_path_and_no_zone(owed: Portal, statement: Path) -> None:
    """Each is an error of its own."""
    with pytest.raises(InvalidArgument):
        owed.payouts.reconcile()
    with pytest.raises(InvalidArgument):
        owed.payouts.reconcile(7)  # type: ignore[arg-type]
    with pytest.raises(InvalidValue):
        owed.payouts.reconcile(statement, timezone="Mars/Base")


# --- at random --------------------------------------------------------------------------------


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(st.integers(100, 9_000), st.integers(0, 90), st.sampled_from("prurm")),
        max_size=6,
        unique_by=lambda each: each[0],
    ),
    st.booleans(),
)
def test_random_books_are_recorded_once_and_add_up(
    tmp_path_factory: pytest.TempPathFactory,
    fates: list[tuple[int, int, str]],
    by_hand: bool,
) -> None:
    """Paid by payer or reference, returned, unknown, missing: the books say so to the cent."""
    path = tmp_path_factory.mktemp("random") / "book.db"
    Portal.create(path, now=Clock(at("10-01 00:00")))
    account = PayPalAccount(opening={"USD": 100_000})
    start = datetime(2026, 11, 2, 9, tzinfo=UTC)
    expected = {"owed": 1_000_00, "fees": 0, "paid": 0}
    with Portal(path, now=Clock(NOW)) as portal:
        start_with = events.AdjustmentPosted(
            adjustment="AD-1", amount=usd("1000.00"), reason="start"
        )
        portal.execute(start_with, allow=True)
        for number, (minor, fee, fate) in enumerate(fates):
            when = start + timedelta(days=number, hours=1)
            if fate != "u":
                payout = events.PayoutSent(
                    payout=f"PO-{number}", amount=Money(minor, "USD"), method="paypal"
                )
                portal.execute(payout, at=start + timedelta(days=number), allow=True)
            subject = f"PO-{number}" if fate == "r" else ""
            came = Transaction("payout", when, minor, "USD", f"IN{number}", -fee,
                               email=PLATFORM, subject=subject)  # fmt: skip
            if fate == "m":
                expected["owed"] -= minor
                continue
            account.transactions.append(came)
            expected["owed"] -= minor
            expected["fees"] += fee
            expected["paid"] += minor
            if by_hand and fate == "p":
                paid = events.PayoutPaid(payout=f"PO-{number}")
                portal.execute(paid, at=when + timedelta(hours=2), allow=True)
        for day, name in ((0, "FIRST"), (28, "LAST")):
            withdrawal = Transaction("withdrawal", start + timedelta(days=day), -1, "USD", name)
            account.transactions.append(withdrawal)
        account.transactions.sort(key=lambda each: each.at)
        file = path.with_name("paypal.csv")
        file.write_bytes(account.file())
        done = portal.payouts.reconcile(file, payers=OURS, record_unknown=True, apply=True)
        unknown = sum(fate == "u" for *_, fate in fates)
        arrived = sum(fate in "pr" for *_, fate in fates)
        assert done.recorded == 2 * unknown + arrived
        balance = portal.earnings.month("2026-12").balance
        assert balance.owed == Money(expected["owed"], "USD")
        assert balance.paid_out == Money(expected["paid"], "USD")
        months = portal.earnings.months("2026-11", "2026-12")
        fees = sum((row.transfer_fees for row in months), usd("0.00"))
        assert fees == Money(expected["fees"], "USD")
        head = portal.head()
        again = portal.payouts.reconcile(file, payers=OURS, record_unknown=True, apply=True)
        assert (again.recorded, portal.head()) == (0, head)
