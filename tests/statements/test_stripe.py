"""What is particular to Stripe: hops, zones of reports, sums of payouts, and objects as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.errors import BadValue, InvalidArgument, UnknownRow, UnprovedFile
from liveportal.domain.frozen import replace
from liveportal.domain.money import format_minor
from liveportal.statements.options import Options
from liveportal.statements.rows import Meaning, StatementFile
from tests.kit.paypal_files import read, write
from tests.kit.statement_shape import some_moves
from tests.kit.stripe_files import STRIPE

TRANSFER, PAYOUT = Options(hop="transfer"), Options(hop="payout")
HEADER = [
    *("automatic_payout_id", "automatic_payout_effective_at", "balance_transaction_id", "created"),
    *("currency", "gross", "fee", "net", "reporting_category", "source_id", "charge_id"),
]
Row = tuple[str, str, str, str, str]


def itemised(*rows: Row, effective: str = "", header: list[str] | None = None) -> bytes:
    """Return a report from rows of created, amount, category, source and payout."""
    header = header or HEADER
    lines = [header]
    for number, (created, amount, category, source, payout) in enumerate(rows, 1):
        cells = {
            "automatic_payout_id": payout,
            "automatic_payout_effective_at": effective,
            "balance_transaction_id": f"txn_{number}",
            "created": created,
            "created_utc": created,
            "currency": "usd",
            "gross": amount,
            "fee": "0.00",
            "net": amount,
            "reporting_category": category,
            "source_id": source,
            "charge_id": "py_1" if category == "refund" else "",
        }
        lines.append([cells[name] for name in header])
    return write(lines)


def one(content: bytes, options: Options = TRANSFER) -> StatementFile:
    """Read one file."""
    return read(content, options=options)[0]


PAID: tuple[Row, ...] = (
    ("2026-01-13 10:00:00", "42.00", "charge", "py_1", "po_1"),
    ("2026-01-14 10:00:00", "-42.00", "payout", "po_1", "po_1"),
    ("2026-01-16 10:00:00", "42.00", "payout_reversal", "po_1", ""),
)


@pytest.mark.parametrize("shape", STRIPE, ids=lambda shape: str(shape.name))
def test_the_hop_must_be_named(shape: object) -> None:
    """In a Stripe balance, what arrives and what leaves may both be the platform's payout."""
    content = next(each for each in STRIPE if each is shape).file(some_moves())
    with pytest.raises(InvalidArgument) as caught:
        read(content)
    assert caught.value.details["argument"] == "hop"
    assert "1.csv is from Stripe" in caught.value.message


def test_the_hop_transfer() -> None:
    """Payments into the balance are what arrived, and a refund follows its payment."""
    refund = ("2026-01-15 10:00:00", "-42.00", "refund", "re_1", "")
    file = one(itemised(*PAID, refund))
    assert [row.meaning for row in file.rows] == [
        *(Meaning.PAYMENT, Meaning.OWN_TRANSFER, Meaning.RETURN, Meaning.OWN_TRANSFER)
    ]
    assert file.rows[2].parent == file.rows[0].row == "txn_1"
    assert file.rows[0].references[0] == "py_1"


def test_the_hop_payout() -> None:
    """Payouts reach the bank, and one that failed leaves it; all else the bank does not see."""
    file = one(itemised(*PAID), PAYOUT)
    assert [(row.meaning, row.amount) for row in file.rows] == [
        (Meaning.MEMO, 42_00),
        (Meaning.PAYMENT, 42_00),
        (Meaning.RETURN, -42_00),
    ]
    assert file.rows[2].parent == file.rows[1].row
    alone = one(itemised(PAID[2]), PAYOUT)
    assert alone.rows[0].parent == "po_1"


@pytest.mark.parametrize(("hop", "source"), [("payout", "po_1"), ("transfer", "py_1")])
def test_an_unlisted_category_stops_a_payouts_own_row_only(hop: str, source: str) -> None:
    """Other rows of it are read, and the category is reported."""
    row = ("2026-01-13 10:00:00", "-42.00", "novelty", source, "")
    with pytest.raises(UnknownRow) as caught:
        one(itemised(row), Options(hop=hop))
    assert caught.value.details["line"] == 2
    assert one(itemised(row), Options(hop=hop, unproved=True)).unproved
    file = one(itemised((*row[:3], "xx_1", "")), Options(hop=hop))
    assert file.unlisted == ("novelty",)


# --- zones ----------------------------------------------------------------------------------------


def test_a_zone_is_proved_by_midnight_in_utc() -> None:
    """Payouts take effect at midnight UTC: 02:00 is two hours east, in summer."""
    row = ("2023-10-13 08:20:04", "5.00", "charge", "py_1", "po_1")
    file = one(itemised(row, effective="2023-10-16 02:00:00"))
    assert file.rows[0].time == datetime(2023, 10, 13, 6, 20, 4, tzinfo=UTC)
    west = one(itemised(row, effective="2023-10-15 17:00:00"))
    assert west.rows[0].time == datetime(2023, 10, 13, 15, 20, 4, tzinfo=UTC)


def test_what_is_not_proved_stays_open() -> None:
    """In winter, zones with the same summer offset differ; and without payouts nothing is known."""
    row = ("2023-12-13 08:20:04", "5.00", "charge", "py_1", "po_1")
    file = one(itemised(row, effective="2023-10-16 02:00:00"))
    assert (file.rows[0].time, file.rows[0].day) == (None, date(2023, 12, 13))
    unknown = one(itemised(row))
    assert unknown.rows[0].time is None
    assert "does not show its time zone" in unknown.unproved[0]
    named = one(itemised(row), Options(hop="transfer", timezone="Europe/Berlin"))
    assert named.rows[0].time == datetime(2023, 12, 13, 7, 20, 4, tzinfo=UTC)
    assert len(named.unproved) == 1


def test_a_zone_that_the_file_contradicts_is_refused() -> None:
    """The one that the user names, or payouts that no zone explains."""
    row = ("2023-10-13 08:20:04", "5.00", "charge", "py_1", "po_1")
    content = itemised(row, effective="2023-10-16 02:00:00")
    with pytest.raises(BadValue) as caught:
        one(content, Options(hop="transfer", timezone="America/New_York"))
    assert caught.value.details["line"] == 2
    assert one(content, Options(hop="transfer", timezone="Europe/Berlin")).rows[0].time
    with pytest.raises(BadValue, match="is not midnight in UTC"):
        one(itemised(row, effective="2023-10-16 02:07:00"))


def test_a_column_in_utc_settles_everything() -> None:
    """Then the report's zone does not matter."""
    header = [*HEADER, "created_utc"]
    row = ("2023-10-13 06:20:04", "5.00", "charge", "py_1", "po_1")
    file = one(itemised(row, effective="2023-10-16 02:07:00", header=header))
    assert file.rows[0].time == datetime(2023, 10, 13, 6, 20, 4, tzinfo=UTC)


# --- sums of payouts ------------------------------------------------------------------------------


def test_the_rows_of_a_payout_add_up_to_nothing() -> None:
    """A payout of the file's first month may have older rows; a later one must be whole."""
    assert one(itemised(*PAID[:2])).proofs[2].proved == 1
    early = (PAID[1], ("2026-01-13 11:00:00", "40.00", "charge", "py_2", "po_1"))
    assert one(itemised(*early)).proofs[2].rows == 0
    old = ("2025-11-01 10:00:00", "1.00", "charge", "py_0", "")
    with pytest.raises(UnprovedFile) as caught:
        one(itemised(old, *early))
    assert (caught.value.details["proof"], caught.value.details["line"]) == ("groups", 3)
    assert one(itemised(old, PAID[1])).proofs[2].rows == 0


def test_a_payout_that_came_back_or_was_made_by_hand() -> None:
    """Its return does not count in its sum; without transactions, its sum is not proved."""
    old = ("2025-11-01 10:00:00", "1.00", "charge", "py_0", "")
    file = one(itemised(old, *PAID))
    assert file.proofs[2].proved == 1
    by_hand = one(itemised(PAID[1], ("2026-01-15 10:00:00", "-5.00", "payout", "po_2", "")))
    assert "transactions of the payout po_1 and 1 more" in by_hand.unproved[1]


def test_a_row_without_any_date_is_refused() -> None:
    """Whatever columns the report has."""
    with pytest.raises(BadValue) as caught:
        one(itemised(("", "5.00", "charge", "py_1", "")))
    assert caught.value.details["line"] == 2


def test_both_reports_of_one_balance_are_merged() -> None:
    """Ids, currency and net are the same; times to the minute and names of types are not."""
    by_name = {shape.name: shape for shape in STRIPE}
    found = some_moves()
    exported = by_name["stripe-transactions-comma"].file(found)
    files = read(by_name["stripe-itemised-18"].file(found), exported, options=TRANSFER)
    assert all(row.duplicate for row in files[1].rows)
    assert not any(row.duplicate for row in files[0].rows)
    changed = [replace(move, amount=move.amount + 1) for move in found]
    other = by_name["stripe-itemised-18"].file(changed)
    with pytest.raises(UnprovedFile):
        read(exported, other, options=TRANSFER)


# --- objects --------------------------------------------------------------------------------------

PAYOUT_OBJECT: Mapping[str, object] = {
    "object": "payout",
    "id": "po_1",
    "amount": 4200,
    "currency": "usd",
    "created": 1_768_298_400,
    "balance_transaction": "txn_2",
    "status": "in_transit",
    "metadata": {"reference": "PO-1"},
}


def event(kind: str, number: int, **fields: object) -> str:
    """Return a webhook's event about the payout."""
    found = {
        "object": "event",
        "id": f"evt_{number}",
        "type": kind,
        "created": 1_768_298_400 + number * 86_400,
        "data": {"object": {**PAYOUT_OBJECT, **fields}},
    }
    return json.dumps(found)


def test_events_of_a_payout() -> None:
    """In any order and delivered twice; what only announces is a memo."""
    lines = [
        event("payout.paid", 2, status="paid"),
        event("payout.created", 1),
        event("payout.failed", 3, status="failed", failure_balance_transaction="txn_9"),
        event("payout.paid", 2, status="paid"),
        '{"object": "event", "id": "evt_8", "type": "ping", "created": 1, "data": {"object": {}}}',
    ]
    file = one("\n".join(lines).encode(), PAYOUT)
    assert [(row.row, row.meaning, row.amount, row.line) for row in file.rows] == [
        ("po_1:payout.created", Meaning.MEMO, -42_00, 2),
        ("txn_2", Meaning.PAYMENT, 42_00, 1),
        ("txn_9", Meaning.RETURN, -42_00, 3),
    ]
    assert file.rows[2].parent == "txn_2"
    assert "PO-1" in file.rows[1].references
    bank, report = read("\n".join(lines).encode(), itemised(*PAID), options=PAYOUT)
    assert sum(row.duplicate for row in (*bank.rows, *report.rows)) == 1


def test_payouts_and_charges_from_the_interface_for_programs() -> None:
    """By their states."""
    payouts = [
        {**PAYOUT_OBJECT, "status": status, "id": f"po_{n}", "balance_transaction": f"txn_{n}"}
        for n, status in enumerate(("paid", "failed", "pending", "canceled"))
    ]
    file = one(json.dumps({"object": "list", "data": payouts}).encode(), PAYOUT)
    assert [row.meaning for row in file.rows].count(Meaning.PAYMENT) == 1
    assert [row.meaning for row in file.rows].count(Meaning.MEMO) == 3
    charge = {**PAYOUT_OBJECT, "object": "charge", "id": "py_1", "status": "succeeded"}
    assert one(json.dumps([charge]).encode()).rows[0].meaning is Meaning.PAYMENT
    failed = json.dumps([{**charge, "status": "failed"}]).encode()
    assert one(failed).rows[0].meaning is Meaning.MEMO


@pytest.mark.parametrize(
    ("currency", "minor", "amount", "digits"),
    [
        ("jpy", 500, 500, 0),
        ("kwd", 1500, 1_500, 3),
        ("mga", 500, 500_00, 2),
        ("isk", 500, 5, 0),
        ("usd", -1, -1, 2),
    ],
)
def test_minor_units_are_stripes_own(currency: str, minor: int, amount: int, digits: int) -> None:
    """Whole ariary, and krónur in hundredths, whatever ISO 4217 says."""
    found = {
        "object": "balance_transaction", "id": "txn_1", "amount": minor, "fee": 0, "net": minor,
        "currency": currency, "created": 1_768_298_400, "type": "payment", "source": "py_1",
    }  # fmt: skip
    file = one(json.dumps([found]).encode())
    assert (file.rows[0].amount, file.digits[currency.upper()]) == (amount, digits)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("amount", "42.00"),
        ("amount", 42.5),
        ("amount", 1e3),
        ("created", "2026-01-13"),
        ("created", -1),
        ("created", 10**13),
        ("currency", 5),
        ("currency", "x"),
    ],
)
def test_objects_that_are_refused(key: str, value: object) -> None:
    """A text is never taken for an amount."""
    with pytest.raises(BadValue) as caught:
        one(json.dumps([{**PAYOUT_OBJECT, "status": "paid", key: value}]).encode(), PAYOUT)
    assert caught.value.details["line"] == 1


@given(st.integers(-(10**9), 10**9), st.sampled_from(("USD", "JPY", "KWD")))
def test_minor_units_are_read_back(minor: int, currency: str) -> None:
    """As they were written, whatever the currency is."""
    found = {
        "object": "balance_transaction", "id": "txn_1", "amount": minor, "fee": 0, "net": minor,
        "currency": currency.lower(), "created": 1_768_298_400, "type": "adjustment",
    }  # fmt: skip
    file = one(json.dumps([found]).encode())
    assert file.rows[0].amount == minor
    assert format_minor(minor, file.digits[currency])
