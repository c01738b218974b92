"""The books of a month, written as PayPal writes them, are read back equal: every shape."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise, product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liveportal.domain.errors import AmbiguousDates
from liveportal.domain.frozen import field_names
from liveportal.statements.options import Options
from liveportal.statements.reading import read_statements
from liveportal.statements.rows import Meaning, StatementRow
from liveportal.tables.source import Source
from tests.kit.paypal_files import (
    DEFAULT,
    FULL,
    OLD,
    SHAPES,
    SMALL,
    STATEMENT,
    ZONE_STYLES,
    PayPalAccount,
    Shape,
    found,
    read,
)
from tests.kit.paypal_locales import DE, EN, LOCALES, Locale
from tests.kit.paypal_months import accounts

ZONES = ("America/Los_Angeles", "Europe/Berlin", "Asia/Tokyo", "Australia/Adelaide")


def some_account() -> PayPalAccount:
    """Return an account with a transaction of every kind, in two currencies."""
    account = PayPalAccount(opening={"USD": 1_00})
    payout = account.payout("1234.50", "2026-10-05T09:00:00Z", fee="1.00", subject="PO-1")
    account.add("hold", "-1234.50", "2026-10-05T09:00:00Z", parent=payout)
    account.add("release", "1234.50", "2026-10-06T11:00:00Z", parent=payout)
    account.add("order", "-3.00", "2026-10-07T09:00:00Z")
    account.add("authorization", "-3.00", "2026-10-07T09:30:00Z")
    other = account.payout("0.99", "2026-10-17T09:00:00Z", name='Some, "one"\nelse')
    account.add("returned", "-0.99", "2026-10-18T09:00:00Z", parent=other)
    bought = account.add("purchase", "-20.00", "2026-10-20T09:00:00Z", currency="EUR")
    account.add("conversion", "-22.40", "2026-10-20T09:00:00Z", parent=bought)
    account.add("conversion", "20.00", "2026-10-20T09:00:00Z", parent=bought, currency="EUR")
    account.add("withdrawal", "-1000.00", "2026-10-22T09:00:00Z")
    account.add("deposit", "5.00", "2026-10-23T09:00:00Z")
    account.add("payment", "7.00", "2026-10-24T09:00:00Z", fee="0.31")
    return account


@pytest.mark.parametrize(
    ("shape", "locale"),
    [pytest.param(*pair, id=f"{pair[0].name}-{pair[1].name}") for pair in product(SHAPES, LOCALES)],
)
def test_every_shape_in_every_language(shape: Shape, locale: Locale) -> None:
    """Every row has its meaning, and every proof that the shape allows is complete."""
    account = some_account()
    (file,) = read(account.file(shape, locale))
    assert found(file) == account.expected(shape)
    assert file.format == shape.form
    assert file.provider == "paypal"
    assert file.unlisted == ()
    assert file.digits == {"USD": 2, "EUR": 2}
    assert {proof.proof for proof in file.proofs} == {"sums", "balance", "groups"}
    assert all(proof.rows == proof.proved for proof in file.proofs)
    assert bool(file.unproved) == (shape is SMALL)


def test_unused_columns_are_counted() -> None:
    """The full shape has 40 more columns than the default one."""
    account = some_account()
    (default,) = read(account.file(DEFAULT))
    (full,) = read(account.file(FULL))
    assert full.ignored_columns == default.ignored_columns + 40


def test_rows_have_names_references_and_all_fields() -> None:
    """The payer of money that arrives is its sender, that of money sent its recipient."""
    account = PayPalAccount()
    account.payout("42.00", "2026-10-05T09:00:00Z", subject="PO-1", invoice="I-1", note="n")
    account.add("purchase", "-1.00", "2026-10-16T09:00:00Z", name="Shop", email="s@shop.example")
    (file,) = read(account.file())
    payout, purchase = file.rows
    assert payout.names == ("Live Help", "payouts@help.example")
    assert payout.references == ("8XK41000000000001", "I-1", "PO-1", "n")
    assert purchase.names == ("Shop", "s@shop.example")
    assert (payout.line, payout.type) == (2, "Mass Pay Payment")
    assert tuple(vars(payout)) == field_names(StatementRow)


def is_in_the_hour_that_comes_twice(account: PayPalAccount, zone: str) -> bool:
    """Return whether a local time of the account has two readings in a zone."""
    tz = ZoneInfo(zone)
    times = [each.at.astimezone(tz) for each in account.transactions]
    return any(
        time.replace(fold=0).utcoffset() != time.replace(fold=1).utcoffset() for time in times
    )


@given(
    accounts(),
    st.sampled_from(SHAPES),
    st.sampled_from(LOCALES),
    st.sampled_from(ZONE_STYLES),
    st.sampled_from(ZONES),
    st.sampled_from(("\n", "\r\n")),
    st.sampled_from(",;\t"),
    st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_a_random_month(
    account: PayPalAccount,
    shape: Shape,
    locale: Locale,
    style: str,
    zone: str,
    end: str,
    delimiter: str,
    bom: bool,
) -> None:
    """Whatever happened, however it is written: the rows are read back, or the dates are asked."""
    if style == "abbreviation" and zone == "Asia/Tokyo":
        style = "iana"
    if style == "iana" and is_in_the_hour_that_comes_twice(account, zone):
        style = "offset"
    written = replace(shape, zone=zone, zone_style=style, end=end, delimiter=delimiter, bom=bom)
    content = account.file(written, locale)
    (file,) = read(content, options=Options(dates=locale.dates))
    assert found(file) == account.expected(shape)
    assert [row.time for row in file.rows] == sorted(row.time for row in file.rows if row.time)
    try:
        (again,) = read(content)
    except AmbiguousDates as error:
        readings = error.details["readings"]
        assert isinstance(readings, dict)
        assert locale.dates in readings
    else:
        assert again == file


@given(accounts(most=20), st.sampled_from((DEFAULT, OLD)), st.sampled_from(LOCALES))
def test_rows_of_one_instant_keep_the_order_of_their_balances(
    account: PayPalAccount, shape: Shape, locale: Locale
) -> None:
    """Sorted by time, each balance still follows from the one before it."""
    (file,) = read(account.file(shape, locale), options=Options(dates=locale.dates))
    for currency in file.digits:
        chain = [
            row for row in file.rows if row.currency == currency and row.meaning is not Meaning.MEMO
        ]
        for earlier, later in pairwise(chain):
            assert earlier.balance is not None
            assert later.net is not None
            assert earlier.balance + later.net == later.balance


def test_progress_reaches_the_end_and_never_goes_back() -> None:
    """Bytes of both passes over all files are counted."""
    account = PayPalAccount()
    for n in range(3_000):
        moment = account.transactions[-1].at + timedelta(minutes=9) if n else None
        account.payout("1.00", moment.isoformat() if moment else "2026-01-01T00:00:00Z")
    content = account.file()
    seen: list[tuple[int, int]] = []
    sources = [Source(name, io.BytesIO(content)) for name in ("a.csv", "b.csv")]
    read_statements(sources, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert len(seen) > 4
    assert seen[-1] == (4 * len(content), 4 * len(content))


def test_an_empty_period_has_no_rows() -> None:
    """A header alone is a statement of a period in which nothing happened."""
    (file,) = read(PayPalAccount().file(STATEMENT, DE))
    assert file.rows == ()
    assert all(proof.rows == 0 for proof in file.proofs)
    assert read(PayPalAccount().file(DEFAULT, EN))[0].rows == ()
