"""Money: integers, a currency's own digits, one rounding half-up, no floats."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.errors import AmountTooLarge, CurrencyMismatch, InvalidAmount
from liveportal.domain.money import (
    LARGEST_MINOR,
    Money,
    Percent,
    digits_of,
    format_minor,
    half_up,
    share_of,
    take_back,
)
from tests.kit.events import short, usd

minors = st.integers(0, 10**7) | st.integers(0, 20)
percents = st.sampled_from([Percent.parse(p) for p in (0, 1, 30, "12.5", "33.333", 99, 100)])


@pytest.mark.parametrize(
    ("currency", "digits"), [("USD", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)]
)
def test_digits(currency: str, digits: int) -> None:
    """A currency has its own number of digits."""
    assert digits_of(currency) == digits


@pytest.mark.parametrize("currency", ["usd", "", "USDT", "ZZZ", "€", "US\x00", "XX"], ids=short)
def test_what_is_no_currency(currency: str) -> None:
    """A code that ISO 4217 does not have is refused."""
    with pytest.raises(InvalidAmount):
        digits_of(currency)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("84.00", "USD", 8400),
        ("84.0", "USD", 8400),
        ("84", "USD", 8400),
        ("0.01", "USD", 1),
        ("-3.5", "USD", -350),
        ("007", "USD", 700),
        ("-0", "USD", 0),
        ("84", "JPY", 84),
        ("84.001", "KWD", 84001),
    ],
)
def test_parse(text: str, currency: str, minor: int) -> None:
    """A decimal string with at most the currency's digits is read exactly."""
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ".", "-", "1.", ".5", "+1", "--1", "1,000", "1_000", "1e3", "0x10", "$1"),
        *(
            "NaN",
            "Infinity",
            "-inf",
            "1.234",
            "1 ",
            " 1",
            "1\n",
            "1.0\x00",
            "\u0661",
            "\uff11",
            "²",
        ),
        "\ud800",
    ],
    ids=short,
)
def test_parse_refuses(text: str) -> None:
    """Anything but a plain decimal number is refused, never guessed at."""
    with pytest.raises(InvalidAmount):
        Money.parse(text, "USD")


def test_a_currency_without_digits_has_no_fraction() -> None:
    """Yen have no decimals, not even zeros."""
    with pytest.raises(InvalidAmount):
        Money.parse("84.0", "JPY")


def test_the_largest_amount() -> None:
    """2^63-1 minor units are the largest amount; one more is refused, however it is written."""
    largest = Money.parse("92233720368547758.07", "USD")
    assert largest.minor == LARGEST_MINOR == 2**63 - 1
    assert str(Money.parse("-92233720368547758.07", "USD")) == "-92233720368547758.07"
    for text in ("92233720368547758.08", "-92233720368547758.08", "9" * 5_000, "1" + "0" * 400):
        with pytest.raises(AmountTooLarge):
            Money.parse(text, "USD")
    assert Money.parse("0" * 5_000 + "1", "USD") == usd("1.00")


def test_sums_too_large_are_refused() -> None:
    """Sums have the same bound as amounts."""
    with pytest.raises(AmountTooLarge):
        Money(LARGEST_MINOR, "USD") + Money(1, "USD")
    with pytest.raises(AmountTooLarge):
        -Money(LARGEST_MINOR, "USD") - Money(1, "USD")


def test_arithmetic() -> None:
    """Amounts of one currency add, subtract, negate and compare."""
    assert usd("1.00") + usd("0.50") - usd("2.00") == usd("-0.50") == -usd("0.50")
    assert usd("1.00") < usd("1.01") <= usd("1.01")
    assert max(usd("1.00"), usd("3.00"), usd("2.00")) == usd("3.00")
    assert not usd("0.00")
    assert usd("-0.01")


def test_currencies_do_not_mix() -> None:
    """Amounts of two currencies neither add nor compare, and are never equal."""
    euro = Money(100, "EUR")
    for mix in (Money.__add__, Money.__sub__, Money.__lt__):
        with pytest.raises(CurrencyMismatch):
            mix(usd("1.00"), euro)
    assert usd("1.00") != euro


def test_an_amount_and_a_number() -> None:
    """They neither add nor compare: a number has no currency."""
    for mix in (Money.__add__, Money.__sub__, Money.__lt__):
        with pytest.raises(TypeError, match="amounts only"):
            mix(Money(1, "USD"), 1)  # type: ignore[operator]


@given(st.integers(-LARGEST_MINOR, LARGEST_MINOR), st.sampled_from(["USD", "JPY", "KWD"]))
def test_written_and_read_back(minor: int, currency: str) -> None:
    """Every amount reads back from its text."""
    assert Money.parse(str(Money(minor, currency)), currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("minor", "digits", "text"),
    [(5, 2, "0.05"), (-5, 2, "-0.05"), (-100, 2, "-1.00"), (7, 0, "7"), (-7, 0, "-7")],
)
def test_format(minor: int, digits: int, text: str) -> None:
    """All of the currency's digits are written, and the sign once."""
    assert format_minor(minor, digits) == text


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"),
    [(5, 10, 1), (4, 10, 0), (15, 10, 2), (-5, 10, -1), (-4, 10, 0), (0, 3, 0), (7, 7, 1)],
)
def test_half_up(numerator: int, denominator: int, quotient: int) -> None:
    """Half is rounded away from zero."""
    assert half_up(numerator, denominator) == quotient


# --- percentages and shares -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"), [(30, "30"), ("30", "30"), ("12.5", "12.5"), (0, "0"), ("100", "100")]
)
def test_percent(value: int | str, text: str) -> None:
    """A percentage is an integer or a string, and is written back as it was read."""
    assert str(Percent.parse(value)) == text
    assert Percent.parse(text) == Percent.parse(value)


@pytest.mark.parametrize(
    "value", [-1, 101, "100.01", "-0.1", "a", "", True, "1e1", "9" * 5_000], ids=short
)
def test_percent_refuses(value: int | str) -> None:
    """Only 0 to 100, in plain decimals."""
    with pytest.raises(InvalidAmount):
        Percent.parse(value)


@pytest.mark.parametrize(
    ("gross", "percent", "share"),
    [
        (6000, 30, 4200),
        (1, 30, 1),
        (5, 30, 4),  # 3.5 rounds up.
        (1, 50, 1),
        (10000, "12.5", 8750),
        (1, "12.5", 1),
        (100, 100, 0),
        (100, 0, 100),
    ],
)
def test_share(gross: int, percent: int | str, share: int) -> None:
    """The share is gross x (100 - fee)%, rounded half-up."""
    assert share_of(gross, Percent.parse(percent)) == share


@given(minors, percents)
def test_fee_and_share_add_up(gross: int, fee: Percent) -> None:
    """The fee is the remainder, so neither is negative and both add up to the gross."""
    share = share_of(gross, fee)
    assert 0 <= share <= gross


@given(st.lists(minors, min_size=1, max_size=5), percents)
def test_any_split_takes_back_the_share(parts: list[int], fee: Percent) -> None:
    """A full refund takes back exactly the share, however it is split."""
    taken = sum(take_back(part, sum(parts[:n]), fee) for n, part in enumerate(parts))
    assert taken == share_of(sum(parts), fee)
