"""What users of other importers complain about: each complaint as a case that is read right.

The name of each test says the complaint; its docstring says who had it.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from itertools import pairwise

import pytest

from liveportal.domain.errors import MalformedFile
from liveportal.statements.rows import Meaning
from tests.kit.paypal_files import (
    DEFAULT,
    OLD,
    SMALL,
    PayPalAccount,
    found,
    read,
    write,
)
from tests.kit.paypal_locales import DE, FR, IT
from tests.statements.test_round_trips import some_account


def test_fees_vanish_and_only_the_gross_amount_is_booked() -> None:
    """firefly-III-paypal-importer 23: fees are negative, so a test for `> 0` never sees them."""
    account = PayPalAccount()
    account.payout("42.00", "2026-10-15T09:00:00Z", fee="1.00")
    (row,) = read(account.file())[0].rows
    assert (row.gross, row.fee, row.net, row.amount) == (42_00, -1_00, 41_00, 42_00)


def test_a_refund_in_another_currency_is_missing_or_in_the_wrong_currency() -> None:
    """firefly-III-paypal-importer 12 and 14, actual 5666: dollars booked as euros."""
    account = PayPalAccount(opening={"EUR": 100_00})
    bought = account.add("purchase", "-10.00", "2026-10-15T09:00:00Z")
    account.add("conversion", "-9.00", "2026-10-15T09:00:00Z", parent=bought, currency="EUR")
    account.add("conversion", "10.00", "2026-10-15T09:00:00Z", parent=bought)
    account.add("returned", "10.00", "2026-10-18T09:00:00Z", parent=bought)
    back = account.add("conversion", "-10.00", "2026-10-18T09:00:01Z", parent=bought)
    account.add("conversion", "8.80", "2026-10-18T09:00:01Z", parent=bought, currency="EUR")
    (file,) = read(account.file())
    assert found(file) == account.expected()
    by_id = {row.row: row for row in file.rows}
    assert by_id[back].currency == "USD"
    assert sum(row.meaning is Meaning.CONVERSION for row in file.rows) == 4
    assert sum(row.net or 0 for row in file.rows if row.currency == "EUR") == -20


def test_a_payment_that_the_bank_converts_has_no_conversion_rows() -> None:
    """firefly-iii 746: the payment is read as it is, and nothing is missing."""
    account = PayPalAccount()
    account.payout("10.00", "2026-10-15T09:00:00Z")
    account.add("purchase", "-5.00", "2026-10-16T09:00:00Z", currency="EUR")
    (file,) = read(account.file())
    assert found(file) == account.expected()
    assert all(proof.rows == proof.proved for proof in file.proofs)


def test_refunds_are_dropped_thousands_ignored_and_german_columns_elsewhere() -> None:
    """A public tracker, on German files."""
    account = PayPalAccount()
    payout = account.payout("12345.67", "2026-10-15T09:00:00Z")
    account.add("returned", "-12345.67", "2026-10-16T09:00:00Z", parent=payout)
    lines = account.lines(DEFAULT, DE)
    turned = [row[::-1] for row in lines]
    (file,) = read(write(turned))
    assert found(file) == account.expected()
    assert "12.345,67" in lines[1]


def test_one_sale_is_three_rows() -> None:
    """Lexoffice 5248830: a payment, its hold and its release; only the payment is money."""
    account = PayPalAccount()
    payout = account.payout("10.00", "2026-10-15T09:00:00Z")
    account.add("hold", "-10.00", "2026-10-15T09:00:00Z", parent=payout)
    account.add("release", "10.00", "2026-10-17T09:00:00Z", parent=payout)
    (file,) = read(account.file())
    assert [row.meaning for row in file.rows] == [Meaning.PAYMENT, Meaning.HOLD, Meaning.RELEASE]
    assert [row.parent for row in file.rows] == [None, payout, payout]


def test_rows_that_are_really_equal_are_dropped_or_doubled_on_the_next_import() -> None:
    """firefly-iii 1556, 2610, 4228, 5083, 11293, actual 2432, 5627, sure 3391, tallybook 312."""
    account = PayPalAccount()
    for _ in range(3):
        account.payout("10.00", "2026-10-15T09:00:00Z")
    one, two = read(account.file(), account.file(OLD, FR))
    assert len(one.rows) == 3
    assert [row.duplicate for row in (*one.rows, *two.rows)].count(False) == 3
    assert len({row.row for row in one.rows}) == 3


def test_rows_that_were_posted_late_are_skipped() -> None:
    """Hledger 1837, 1862, 1943, moneymanagerex 6771: no date decides which rows are new."""
    account = PayPalAccount()
    account.payout("10.00", "2026-10-15T09:00:00Z")
    account.payout("5.00", "2026-10-20T09:00:00Z")
    early = account.file(SMALL)
    late = account.payout("7.00", "2026-10-18T09:00:00Z", id="LATE")
    files = read(early, account.file(SMALL))
    kept = [row.row for file in files for row in file.rows if not row.duplicate]
    assert sorted(kept) == sorted(each.id for each in account.transactions)
    assert late in kept


def test_the_order_of_one_day_is_reversed() -> None:
    """Actual 6588, sure 2774: newest first, and many rows of one second."""
    account = PayPalAccount()
    for amount in ("1.00", "2.00", "3.00", "4.00"):
        account.payout(amount, "2026-10-15T09:00:00Z")
    for shape in (DEFAULT, OLD):
        (file,) = read(account.file(shape))
        assert [row.amount for row in file.rows] == [1_00, 2_00, 3_00, 4_00]
        assert all(
            earlier.balance == (later.balance or 0) - (later.net or 0)
            for earlier, later in pairwise(file.rows)
        )


def test_amounts_have_the_dust_of_floats() -> None:
    """stripe-lexoffice-csv 6: ten times 0.10 is 1.00, and amounts are whole minor units."""
    account = PayPalAccount()
    for day in range(10, 20):
        account.payout("0.10", f"2026-10-{day}T09:00:00Z")
    (file,) = read(account.file())
    assert file.rows[-1].balance == 1_00
    assert all(type(row.amount) is int for row in file.rows)


def test_rows_are_dropped_without_a_reason() -> None:
    """firefly-III-paypal-importer 9: 828 rows were reported, and 85 imported."""
    account = some_account()
    for shape in (DEFAULT, OLD):
        content = account.file(shape, IT)
        (file,) = read(content)
        assert len(file.rows) == len(account.transactions) == len(content.split(b"\n")) - 3


def test_a_byte_order_mark_makes_a_column_and_no_transactions() -> None:
    """RechnungsFee 248: the mark became a part of the first column's name."""
    account = some_account()
    for shape in (DEFAULT, replace(DEFAULT, quoting=csv.QUOTE_MINIMAL)):
        content = account.file(shape)
        assert content.startswith(b"\xef\xbb\xbf")
        assert found(read(content)[0]) == account.expected()


def test_columns_are_read_by_position() -> None:
    """PayPal warns that integrations that do so break; a column in front changes nothing."""
    account = some_account()
    lines = [["New" if n == 0 else "x", *row] for n, row in enumerate(account.lines())]
    assert found(read(write(lines))[0]) == account.expected()


def test_a_file_without_line_breaks_in_cells_is_assumed() -> None:
    """A note of several lines is one row; a lost quotation mark is refused, not read as rows."""
    account = PayPalAccount()
    account.payout("1.00", "2026-10-15T09:00:00Z", note='one\n"two"\n\nfour,five')
    account.payout("2.00", "2026-10-16T09:00:00Z")
    content = account.file()
    assert [row.line for row in read(content)[0].rows] == [2, 6]
    with pytest.raises(MalformedFile):
        read(content.replace(b'"one\n', b"one\n"))
