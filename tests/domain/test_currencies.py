"""Currencies: the digits of ISO 4217 for a new book, and those that an older one was made with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.currencies import earlier_digits, listed_digits
from liveportal.domain.errors import InvalidAmount, InvalidEvent, InvalidPolicy
from liveportal.domain.events.fields import decode, in_currency, split
from liveportal.domain.events.types import PolicyAdopted, TipReceived
from liveportal.domain.money import Currency, Money, currency_of, digits_of
from liveportal.domain.policy import Policy

CODES = st.sampled_from(sorted(listed_digits()))
FORINTS = currency_of("HUF", 0)


@pytest.mark.parametrize(
    ("code", "digits"),
    [
        *(("USD", 2), ("EUR", 2), ("HUF", 2), ("COP", 2), ("IDR", 2), ("AFN", 2), ("RSD", 2)),
        *(("IQD", 3), ("KWD", 3), ("TND", 3), ("JPY", 0), ("CLP", 0), ("UGX", 0), ("CLF", 4)),
        *(("BGN", 2), ("HRK", 2)),  # On the list no more.
    ],
)
def test_the_digits_of_iso_4217(code: str, digits: int) -> None:
    """Those of the standard, not those that a locale shows (rulebook 4)."""
    assert digits_of(code) == digits
    assert Policy.from_document({"name": "x", "currency": code}).recorded["digits"] == digits


@pytest.mark.parametrize("code", ["", "usd", "US", "EURO", "ABC", "\u20ac"])
def test_what_is_no_currency(code: str) -> None:
    """A code that there is not is refused."""
    with pytest.raises(InvalidAmount):
        digits_of(code)


@pytest.mark.parametrize(
    ("code", "written", "digits"),
    [
        ("HUF", "300", 0),  # As Babel 2.19 has it.
        ("HUF", "300.00", 2),  # As in Babel until 2.18.
        ("RSD", "1", 0),
        ("RSD", "1.00", 2),
        ("IQD", "1", 0),
        ("IQD", "1.00", 0),
        ("HUF", "1.5", 0),
        ("JPY", "1.00", 0),  # A policy made in Python can have any spelling.
        ("USD", "1.00", 2),
        ("ABC", "1.00", None),
    ],
)
def test_the_digits_of_an_older_book(code: str, written: str, digits: int | None) -> None:
    """Its policy was recorded with all digits of its amounts."""
    assert earlier_digits(code, written) == digits


@given(CODES, st.integers(0, 4), st.integers(-(10**12), 10**12))
def test_amounts_are_written_and_read_in_the_book_s_digits(
    code: str, digits: int, minor: int
) -> None:
    """For any number of digits an amount reads back unchanged."""
    currency = currency_of(code, digits)
    assert digits_of(currency) == digits
    assert (currency == code, hash(currency)) == (True, hash(code))
    assert type(currency) is (str if digits == digits_of(code) else Currency)
    money = Money(minor, currency)
    text = str(money)
    assert len(text.partition(".")[2]) == digits
    assert Money.parse(text, currency) == money
    assert digits_of(Money.parse(text, currency).currency) == digits


@given(st.integers(-(10**12), 10**12), st.integers(0, 4), st.integers(0, 4))
def test_an_amount_in_other_digits(minor: int, ours: int, theirs: int) -> None:
    """It is the same amount, or refused where it has more digits than the book."""
    money, other = Money(minor, currency_of("HUF", ours)), currency_of("HUF", theirs)
    if minor % 10 ** max(ours - theirs, 0):
        with pytest.raises(InvalidAmount):
            money.in_digits_of(other)
    else:
        assert minor * 10**theirs == money.in_digits_of(other).minor * 10**ours


def test_digits_are_never_mixed() -> None:
    """Amounts of other digits are added and compared by mistake only."""
    for wrong in (
        lambda: Money(1, FORINTS) + Money(1, "HUF"),
        lambda: Money(1, "HUF") < Money(1, FORINTS),
    ):
        with pytest.raises(ValueError, match="different numbers of digits"):
            wrong()


def test_an_event_of_a_book() -> None:
    """Amounts are read before the book is known, and then taken into its digits."""
    amount = {"amount": "500.00", "currency": "HUF"}
    tip = decode(TipReceived, {"session": "S-1", "amount": amount})
    assert tip.amount == Money(50_000, "HUF")
    ours = in_currency(tip, FORINTS)
    assert (ours.amount.minor, str(ours.amount)) == (500, "500")
    assert in_currency(ours, FORINTS) is ours
    assert in_currency(tip, "HUF") is tip
    assert in_currency(tip, "EUR") is tip
    finer = decode(TipReceived, {"session": "S-1", "amount": amount | {"amount": "500.50"}})
    with pytest.raises(InvalidEvent, match="more than the 0 decimal places"):
        in_currency(finer, FORINTS)


# --- policies -------------------------------------------------------------------------------------

DOCUMENT = {
    "name": "forints",
    "currency": "HUF",
    "rate": {"minimum": "300.00", "maximum": "900.00"},
    "payout": {"minimum": "20000.00"},
}


@given(CODES, st.integers(0, 4))
def test_a_policy_is_recorded_with_its_digits(code: str, digits: int) -> None:
    """The recorded document reads back as the same policy, with the same digits."""
    policy = Policy.from_document({"name": "x", "currency": currency_of(code, digits)})
    recorded = split(PolicyAdopted(policy=policy))[0]["policy"]
    again = decode(PolicyAdopted, {"policy": recorded}).policy
    assert (again, again.recorded) == (policy, recorded)
    assert (recorded["digits"], digits_of(again.currency)) == (digits, digits)
    assert type(recorded["currency"]) is str


def test_a_policy_that_was_recorded_without() -> None:
    """Its amounts show how many digits the book had."""
    older = {**DOCUMENT, "rate": {"minimum": "300", "maximum": "900"}, "payout": {"minimum": "9"}}
    assert str(Policy.from_recorded(older).payout_minimum) == "9"
    assert str(Policy.from_recorded(DOCUMENT).payout_minimum) == "20000.00"
    assert Policy.from_recorded({"name": "x"}) == Policy(name="x")


@pytest.mark.parametrize("digits", [-1, 5, "2", True, 2.0, [], {}])
def test_digits_that_cannot_be(digits: object) -> None:
    """A recorded policy with wrong digits names them."""
    with pytest.raises(InvalidPolicy, match="digits"):
        Policy.from_recorded({**DOCUMENT, "digits": digits})
    with pytest.raises(InvalidEvent) as caught:
        decode(PolicyAdopted, {"policy": {**DOCUMENT, "digits": digits}})
    assert caught.value.field == "policy.digits"


def test_a_policy_file_has_no_digits() -> None:
    """They are fixed when a book is made: no file chooses them."""
    with pytest.raises(InvalidPolicy, match="switch digits of the policy does not exist"):
        Policy.from_document({**DOCUMENT, "digits": 0})
    assert "digits" not in Policy.from_document(DOCUMENT).document
    assert "digits" not in Policy.from_document(DOCUMENT).switches()


def test_another_policy_takes_the_book_s_digits() -> None:
    """A policy file for a book without digits loses zeros, and nothing else."""
    policy = Policy.from_document(DOCUMENT)
    ours = in_currency(PolicyAdopted(policy=policy), FORINTS).policy
    assert ours.recorded["digits"] == 0
    assert str(ours.payout_minimum) == "20000"
    finer = Policy.from_document({**DOCUMENT, "payout": {"minimum": "0.50"}})
    with pytest.raises(InvalidEvent) as caught:
        in_currency(PolicyAdopted(policy=finer), FORINTS)
    assert caught.value.field == "policy.payout.minimum"
