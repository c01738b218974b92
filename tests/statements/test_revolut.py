"""What is particular to Revolut: states, products, the order of completion, and exchanges."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from liveportal.domain.errors import UnprovedFile
from liveportal.statements.options import Options
from liveportal.statements.rows import Meaning, StatementRow
from tests.kit.other_files import BANKS
from tests.kit.paypal_files import read, write

BY_NAME = {shape.name: shape for shape in BANKS}
PERSONAL, BUSINESS = BY_NAME["revolut-personal-en"], BY_NAME["revolut-business-29"]
Row = tuple[str, ...]


def personal(*rows: Row, options: Options | None = None) -> tuple[StatementRow, ...]:
    """Return what is read from rows of began, completed, amount, fee, state, balance, product."""
    lines = [list(PERSONAL.header)]
    for began, done, amount, fee, state, balance, *product in rows:
        cells = ["CARD_PAYMENT", *(product or ["Current"]), began, done, "A shop", amount, fee]
        lines.append([*cells, "EUR", state, balance])
    return read(write(lines), options=options)[0].rows


DAY = "2026-01-{} 10:00:00"


def test_rows_are_proved_in_the_order_in_which_they_were_completed() -> None:
    """A card payment of Monday may be completed after one of Tuesday."""
    rows = personal(
        (DAY.format(13), DAY.format(19), "-5.00", "0.50", "COMPLETED", "84.50"),
        (DAY.format(14), DAY.format(15), "-10.00", "0.00", "COMPLETED", "90.00"),
    )
    assert [(row.line, row.amount, row.fee) for row in rows] == [(3, -10_00, 0), (2, -5_00, -50)]
    with pytest.raises(UnprovedFile):
        personal(
            (DAY.format(13), DAY.format(19), "-5.00", "0.50", "COMPLETED", "85.00"),
            (DAY.format(14), DAY.format(15), "-10.00", "0.00", "COMPLETED", "90.00"),
        )


def test_only_completed_rows_moved_money() -> None:
    """Others have no balance; one of an unknown state with a balance is proved like any other."""
    rows = personal(
        (DAY.format(13), DAY.format(13), "100.00", "0.00", "COMPLETED", "100.00"),
        (DAY.format(14), "", "-5.00", "0.00", "PENDING", ""),
        (DAY.format(15), DAY.format(15), "-5.00", "0.00", "REVERTED", ""),
        (DAY.format(16), DAY.format(16), "-5.00", "0.00", "TERMINÉ", "95.00"),
    )
    assert [row.meaning for row in rows] == [
        *(Meaning.OTHER, Meaning.MEMO, Meaning.MEMO, Meaning.OTHER)
    ]


def test_each_product_has_a_balance_of_its_own() -> None:
    """Savings and the current account are in one file."""
    rows = personal(
        (DAY.format(13), DAY.format(13), "-40.00", "0.00", "COMPLETED", "60.00"),
        (DAY.format(13), DAY.format(13), "40.00", "0.00", "COMPLETED", "940.00", "Savings"),
        (DAY.format(14), DAY.format(14), "-1.00", "0.00", "COMPLETED", "59.00"),
        (DAY.format(14), DAY.format(14), "1.00", "0.00", "COMPLETED", "941.00", "Savings"),
    )
    assert {row.pot for row in rows} == {"Current", "Savings"}


def test_equal_rows_of_one_second_are_distinct() -> None:
    """Three charges of one price, in a file that begins with the newest one or the oldest."""
    charges = [
        (DAY.format(13), DAY.format(13), "-4.00", "0.00", "COMPLETED", balance)
        for balance in ("96.00", "92.00", "88.00")
    ]
    found = [(DAY.format(12), DAY.format(12), "1.00", "0", "COMPLETED", "100.00"), *charges]
    for order in (found, found[::-1]):
        assert len({row.row for row in personal(*order)}) == 4


def test_times_need_a_zone() -> None:
    """The personal statement does not name it."""
    row = (DAY.format(13), DAY.format(13), "1.00", "0.00", "COMPLETED", "1.00")
    assert personal(row)[0].time is None
    named = personal(row, options=Options(timezone="Europe/Berlin"))
    assert named[0].time == datetime(2026, 1, 13, 9, tzinfo=UTC)


def business(*rows: tuple[str, str, str, str, str]) -> tuple[StatementRow, ...]:
    """Return what is read from rows of id, type, amount, currency and balance."""
    lines = [list(BUSINESS.header)]
    for given, kind, amount, currency, balance in rows:
        cells = {
            "Date started (UTC)": "13/01/2026",
            "Date completed (UTC)": "13/01/2026",
            "ID": given,
            "Type": kind,
            "State": "COMPLETED",
            "Payment currency": currency,
            "Amount": amount,
            "Total amount": amount,
            "Fee": "0.00",
            "Balance": balance,
            "Account": f"{currency} Main",
        }
        lines.append([cells.get(name, "") for name in BUSINESS.header])
    return read(write(lines))[0].rows


def test_both_legs_of_an_exchange_are_rows() -> None:
    """They may share an id; the one that took money has its amount in its own."""
    taken, given = business(
        ("0199-1", "EXCHANGE", "-100.00", "EUR", "0.00"),
        ("0199-1", "EXCHANGE", "108.00", "USD", "108.00"),
    )
    assert (taken.row, given.row) == ("0199-1:-10000:EUR", "0199-1")
    assert {taken.meaning, given.meaning} == {Meaning.CONVERSION}
    (alone,) = business(("0199-1", "EXCHANGE", "108.00", "USD", "108.00"))
    assert alone.row == "0199-1"
