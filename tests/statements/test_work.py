"""How much work reading is: it grows with the rows, and no faster."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest

from liveportal.domain.errors import MalformedFile, UnknownFormat
from liveportal.statements.options import Options
from tests.kit.paypal_files import DEFAULT, PayPalAccount, Transaction, read
from tests.kit.paypal_locales import DE, EN, Locale
from tests.kit.work import calls, stopped_if_endless

CALLS_A_ROW = 600


def long_account(rows: int, minutes: int = 9) -> PayPalAccount:
    """Return an account with many payouts."""
    account = PayPalAccount()
    account.payout("1.00", "2026-01-13T00:00:00Z")
    first = account.transactions[0]
    account.transactions = [
        Transaction(
            "payout", first.at + timedelta(minutes=minutes * n), 1_00 + n, "USD", f"8XK{n}",
            -(n % 7), name=f"Customer {n}", subject=f"PO-{n}",
        )
        for n in range(rows)
    ]  # fmt: skip
    return account


def test_the_calls_grow_with_the_rows() -> None:
    """Ten times as many rows take ten times as many calls."""
    few, many = (long_account(rows).file() for rows in (100, 1_000))
    read(few)
    some = calls(lambda: read(few))
    more = calls(lambda: read(many), most=11 * some)
    assert more < CALLS_A_ROW * 1_000


def test_several_files_and_hours_that_come_twice_take_linear_time() -> None:
    """Thousands of rows in one hour, in two files, take no more than their number."""
    locale = Locale(**{**vars(DE), "zone": "Europe/Berlin"})
    shape = DEFAULT.__class__(**{**vars(DEFAULT), "zone_style": "iana"})
    account = long_account(4_000, minutes=0)
    hour = account.transactions[0].at.replace(month=10, day=25, hour=0, minute=10)
    account.transactions = [
        Transaction("payout", hour, each.gross, "USD", each.id) for each in account.transactions
    ]
    content = account.file(shape, locale)
    with stopped_if_endless(8):
        one, two = read(content, content, options=Options(unproved=True))
    assert len(one.unproved) == 1
    assert all(row.duplicate for row in two.rows)


def test_a_hostile_header_takes_linear_time() -> None:
    """Hundreds of thousands of columns of one name, and lines of quotation marks."""
    for content in (b"a," * 400_000, b'"' * 900_000, b'","' * 300_000, b"\t;," * 250_000):
        with stopped_if_endless(8), pytest.raises((UnknownFormat, MalformedFile)):
            read(content)


def test_the_program_starts_without_the_readers() -> None:
    """Only what reads a statement loads what reads one."""
    code = (
        "import sys, liveportal.cli.main;"
        "print([name for name in sys.modules if 'liveportal.statements' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert EN.name == "en"
