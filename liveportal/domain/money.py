"""Money: integer minor units of one ISO 4217 currency, and its only roundings.

No floats are used. Every rounding is half-up and happens in exactly one place: the gross
(`billing.gross_of`) and the share (`share_of`). The amount that a refund takes back is a difference
of two shares (`take_back`), so any split of a full refund takes back exactly the share.
"""

from __future__ import annotations

import re
from functools import lru_cache, total_ordering

from liveportal.domain.errors import AmountTooLarge, CurrencyMismatch, InvalidAmount
from liveportal.domain.frozen import frozen

LARGEST_MINOR = 2**63 - 1
"""The largest amount (rulebook 9): the largest INTEGER of SQLite."""

_DECIMAL = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?", re.ASCII)


class Currency(str):
    """A currency code for which the book uses another number of digits than ISO 4217.

    It equals the plain code: only amounts, and the code that parses and formats them, distinguish
    the two. Created by `currency_of`; most books have none.
    """

    __slots__ = ("digits",)
    digits: int


def currency_of(code: str, digits: int) -> str:
    """Return a currency with this number of digits: the plain code if ISO 4217 agrees.

    Raises `InvalidAmount` if it is not a currency code.
    """
    if digits == digits_of(str(code)):
        return str(code)
    currency = Currency(code)
    currency.digits = digits
    return currency


def digits_of(currency: str) -> int:
    """Return the number of decimal digits: JPY 0, USD and HUF 2, KWD 3 (rulebook 4).

    A `Currency` carries its own number (see `currency_of`). Raises `InvalidAmount` if it is not a
    currency code.
    """
    if type(currency) is Currency:
        return currency.digits
    if currency == "USD":
        return 2  # The platform's own currency: most commands need no table.
    from liveportal.domain.currencies import listed_digits

    try:
        return listed_digits()[currency]
    except KeyError:
        raise InvalidAmount(f"{currency!r} is not an ISO 4217 currency code.") from None


@total_ordering
@frozen
class Money:
    """An amount in minor units of a currency; compares and adds within one currency only."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise InvalidAmount(
                f"{_quote(str(self.minor))} is not a whole number of minor units.",
                hint='Money.parse("84.00", "USD") reads a decimal number.',
            )
        if not -LARGEST_MINOR <= self.minor <= LARGEST_MINOR:
            raise AmountTooLarge(
                "The amount is larger than the books can hold.",
                hint=f"The largest is {LARGEST_MINOR} minor units.",
            )

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Parse a decimal string such as `84.00` or `-3.5`; raises `InvalidAmount`."""
        if not isinstance(text, str):
            raise InvalidAmount(f"{_quote(str(text))} is not a string, such as '84.00'.")
        return _parse(text, currency, digits_of(currency))

    def __str__(self) -> str:
        """Return the decimal string with all the currency's digits, such as `84.00`."""
        return format_minor(self.minor, digits_of(self.currency))

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._require_same_currency(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._require_same_currency(other).minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._require_same_currency(other).minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def in_digits_of(self, currency: str) -> Money:
        """Return the amount in the digits that the book uses for its currency.

        Raises `InvalidAmount` if it has more significant digits than the book.
        """
        digits = digits_of(currency)
        more = digits - digits_of(self.currency)
        if more >= 0:
            return Money(self.minor * 10**more, currency)
        minor, rest = divmod(self.minor, 10**-more)
        if rest:
            raise InvalidAmount(
                f"{str(self)!r} has more than the {digits} decimal places of {currency}."
            )
        return Money(minor, currency)

    def _require_same_currency(self, other: Money) -> Money:
        if not isinstance(other, Money):
            raise TypeError(f"an amount adds to and compares with amounts only, not {other!r}")
        if type(other.currency) is not type(self.currency):
            raise ValueError("amounts with different numbers of digits cannot be compared")
        if other.currency != self.currency:
            raise CurrencyMismatch(
                f"The currency of the books is {self.currency}, not {other.currency}.",
                hint="A ledger has one currency. Keep another ledger for the other currency.",
                currency=other.currency,
                expected=self.currency,
            )
        return other


@lru_cache(maxsize=1024)  # A feed repeats few different amounts.
def _parse(text: str, currency: str, digits: int) -> Money:
    match = _DECIMAL.fullmatch(text)
    if not match:
        raise InvalidAmount(
            f"{_quote(text)} is not an amount.", hint="Write a decimal number, such as 84.00."
        )
    sign, whole, fraction = match[1], match[2], match[3] or ""
    if len(fraction) > digits:
        raise InvalidAmount(
            f"{_quote(text)} has more than the {digits} decimal places of {currency}."
        )
    significant = whole.lstrip("0") + fraction.ljust(digits, "0")
    if len(significant) > len(str(LARGEST_MINOR)):
        raise AmountTooLarge(
            f"{_quote(text)} {currency} is larger than the books can hold.",
            hint=f"The largest is {format_minor(LARGEST_MINOR, digits)} {currency}.",
        )
    minor = int(significant or "0")
    return Money(-minor if sign else minor, currency)


def format_minor(minor: int, digits: int) -> str:
    """Format minor units as a decimal string with exactly `digits` digits."""
    if not digits:
        return str(minor)
    whole, fraction = divmod(abs(minor), 10**digits)
    return f"{'-' if minor < 0 else ''}{whole}.{fraction:0{digits}d}"


def half_up(numerator: int, denominator: int) -> int:
    """Divide and round half away from zero; the only rounding in the books."""
    quotient = (2 * abs(numerator) + denominator) // (2 * denominator)
    return quotient if numerator >= 0 else -quotient


@frozen
class Percent:
    """An exact percentage as a ratio: 30 is 30/100, `12.5` is 125/1000."""

    numerator: int
    denominator: int

    @classmethod
    def parse(cls, value: int | str) -> Percent:
        """Parse an integer or a decimal string from 0 to 100; raises `InvalidAmount`."""
        match = _DECIMAL.fullmatch(str(value)) if not isinstance(value, bool) else None
        if not match or match[1] or len(str(value)) > 12:  # noqa: PLR2004 (no fee is finer)
            raise InvalidAmount(f"{_quote(str(value))} is not a percentage, such as 30 or 12.5.")
        fraction = (match[3] or "").rstrip("0")  # 30.0 is 30.
        percent = cls(int(match[2] + fraction), 100 * 10 ** len(fraction))
        if percent.numerator > percent.denominator:
            raise InvalidAmount(f"{value} percent is more than 100 percent.")
        return percent

    def __str__(self) -> str:
        digits = len(str(self.denominator)) - len("100")
        return format_minor(self.numerator, digits)


def share_of(gross_minor: int, fee: Percent) -> int:
    """Return the expert's share of a gross, half-up (R11, `fee.percent`); the fee is the rest."""
    return half_up(gross_minor * (fee.denominator - fee.numerator), fee.denominator)


def take_back(refund_minor: int, refunded_minor: int, fee: Percent) -> int:
    """Return the share that a refund takes back, after earlier refunds (rulebook 4)."""
    return share_of(refunded_minor + refund_minor, fee) - share_of(refunded_minor, fee)


def _quote(text: str) -> str:
    """Quote an input for a message, cut to a readable length."""
    return repr(text if len(text) <= 40 else text[:40] + "…")  # noqa: PLR2004
