"""The policy: all rules of the platform, and their interpretation, as one immutable value.

A switch `table.key` of the rulebook is the attribute `policy.table.key`. Policies are written as
TOML or as the same document in JSON (in a `policy.adopted` event); a switch that is not given takes
the default profile's value, which is the default declared by the classes below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from liveportal.domain.errors import InvalidPolicy, LiveportalError, about
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.domain.money import LARGEST_MINOR, Money, Percent, currency_of, digits_of

T = TypeVar("T")

DEFAULT_NAME = "unity-live-help"
NO_LIMIT = "none"
"""The value of an amount that sets no limit."""


class TrialBilled(StrEnum):
    """The part that is billed of a session that exceeds its trial (R5)."""

    WHOLE_SESSION = "whole-session"
    AFTER_TRIAL = "after-trial"
    NONE = "none"


class TrialBoundary(StrEnum):
    """Whether a session of exactly the trial's length is free (`over`) or billed (`from`)."""

    OVER = "over"
    FROM = "from"


class Rounding(StrEnum):
    """How billed time is rounded to the increment."""

    EXACT = "exact"
    UP = "up"
    DOWN = "down"
    NEAREST = "nearest"


class Deducts(StrEnum):
    """What a refund deducts from the expert: the session's share, or its whole gross."""

    SHARE = "share"
    GROSS = "gross"


class Silence(StrEnum):
    """The consequence of not answering a claim."""

    DEDUCT = "deduct"
    NONE = "none"


class SessionMonth(StrEnum):
    """The instant of a session that determines its month."""

    END = "end"
    START = "start"


class Counts(StrEnum):
    """The amount to which the payout minimum applies."""

    SHARE = "share"
    GROSS = "gross"


@frozen
class TrialTerms:
    """The free minutes at the start of a session (R5)."""

    minutes: int = 5
    billed: TrialBilled = TrialBilled.WHOLE_SESSION
    boundary: TrialBoundary = TrialBoundary.OVER


@frozen
class BillingTerms:
    """How time on the timer becomes billed time."""

    rounding: Rounding = Rounding.EXACT
    increment_seconds: int = 60
    minimum_minutes: int = 0


@frozen
class FeeTerms:
    """The platform's fee (R11)."""

    percent: Percent = Percent(30, 100)


@frozen
class RefundTerms:
    """Refund claims (R8)."""

    deducts: Deducts = Deducts.SHARE
    window_hours: int = 24
    partial: bool = False


@frozen
class DisputeTerms:
    """Answers to claims; `window_hours` is None if no deadline was stated."""

    window_hours: int | None = None
    silence: Silence = Silence.DEDUCT


@frozen
class Evidence:
    """How long the platform keeps files; `kept_days` is None if it was not stated."""

    kept_days: int | None = None


@frozen
class PeriodTerms:
    """The zone of calendar months, and the month of a session."""

    timezone: str = "UTC"
    session_month: SessionMonth = SessionMonth.END


@frozen
class PayoutTerms:
    """When and how money is paid out (R12, R13)."""

    minimum: str = "100.00"
    minimum_counts: Counts = Counts.SHARE
    due_days_after_month_end: int = 60
    first_wait_days: int = 60
    methods: tuple[str, ...] = ("paypal",)


@frozen
class Rate:
    """The bounds of a rate per minute (R1)."""

    minimum: str = "1.00"
    maximum: str = "5.00"


@frozen
class Policy:
    """All switches of rulebook 3. Raises `InvalidPolicy` for values that are not allowed."""

    name: str = DEFAULT_NAME
    currency: str = "USD"
    trial: TrialTerms = field(default_factory=TrialTerms)
    billing: BillingTerms = field(default_factory=BillingTerms)
    fee: FeeTerms = field(default_factory=FeeTerms)
    refund: RefundTerms = field(default_factory=RefundTerms)
    dispute: DisputeTerms = field(default_factory=DisputeTerms)
    evidence: Evidence = field(default_factory=Evidence)
    period: PeriodTerms = field(default_factory=PeriodTerms)
    payout: PayoutTerms = field(default_factory=PayoutTerms)
    rate: Rate = field(default_factory=Rate)
    source: Mapping[str, str] = field(default_factory=dict, compare=False, hash=False)

    def __post_init__(self) -> None:
        for name, amount in self._amounts().items():
            if amount.minor < 0:
                raise invalid(name, "must not be negative")
        if self._amounts()["rate.minimum"] > self._amounts()["rate.maximum"]:
            raise invalid("rate.minimum", "must not be above rate.maximum")

    def _amounts(self) -> dict[str, Money]:
        texts = {
            "payout.minimum": self.payout.minimum,
            "rate.minimum": self.rate.minimum,
            "rate.maximum": self.rate.maximum,
        }
        return {name: parse_amount(name, text, self.currency) for name, text in texts.items()}

    @property
    def payout_minimum(self) -> Money:
        """The balance below which nothing is paid out (R12)."""
        return self._amounts()["payout.minimum"]

    @property
    def rate_bounds(self) -> tuple[Money, Money]:
        """The lowest and the highest rate per minute (R1)."""
        return (
            parse_amount("rate.minimum", self.rate.minimum, self.currency),
            parse_amount("rate.maximum", self.rate.maximum, self.currency),
        )

    def in_currency(self, currency: str) -> Policy:
        """Return the policy for books in a currency.

        Amounts are in the policy's own currency and set no limits in another one, so there the rate
        bounds and the payout minimum are left out. Raises `InvalidPolicy`.
        """
        if currency == self.currency:
            return self
        document = self.document
        bounds = {"minimum": NO_LIMIT, "maximum": NO_LIMIT}
        payout = {**document["payout"], "minimum": NO_LIMIT}
        return Policy.from_document(
            {**document, "currency": currency, "rate": bounds, "payout": payout}
        )

    @property
    def document(self) -> dict[str, Any]:
        """The policy as a JSON or TOML document: every switch, in its table."""
        tables = {spec.name: _to_document(getattr(self, spec.name)) for spec in fields(self)}
        # A table is left out if all its switches are, for lack of a value.
        return {name: value for name, value in tables.items() if value != {}}

    @property
    def recorded(self) -> dict[str, Any]:
        """The policy as the journal stores it: its document, and the digits of its currency.

        The digits are stored when the book is created; a policy file cannot set them.
        """
        document = self.document
        digits = {"currency": str(self.currency), "digits": digits_of(self.currency)}
        return {"name": document.pop("name"), **digits, **(document | digits)}

    @classmethod
    def from_recorded(cls, recorded: object) -> Policy:
        """Parse a policy of the journal; raises `InvalidPolicy`.

        If the digits were not stored, its amounts have as many as the book's amounts had.
        """
        if not isinstance(recorded, Mapping):
            return cls.from_document(recorded)
        document = dict(recorded)
        code, digits = document.get("currency", cls.currency), document.pop("digits", None)
        if isinstance(code, str):
            if digits is None:
                from liveportal.domain.currencies import earlier_digits  # Older events only.

                rate = document.get("rate")
                amount = rate.get("minimum", "") if isinstance(rate, Mapping) else ""
                digits = earlier_digits(code, str(amount))
            elif isinstance(digits, bool) or not isinstance(digits, int) or not 0 <= digits <= 4:  # noqa: PLR2004
                raise invalid("digits", "must be from 0 to 4")
            if digits is not None:
                checked_digits: int = digits
                document["currency"] = translate_errors(
                    "currency", lambda: currency_of(code, checked_digits)
                )
        return cls.from_document(document)

    def in_digits_of(self, currency: str) -> Policy:
        """Return the policy with its amounts in the digits that the book uses.

        Raises `InvalidPolicy` if an amount has more significant digits than the book.
        """
        return Policy.from_document({**self.document, "currency": currency})

    @classmethod
    def from_document(cls, document: object) -> Policy:
        """Parse a policy document; raises `InvalidPolicy`, naming the switch and the reason."""
        from liveportal.domain.policy_document import read_policy  # Half the reads need none.

        return read_policy(document)

    def switches(self) -> dict[str, Any]:
        """Return all switches by name, `table.key`, as in a document; None: not stated."""
        from liveportal.domain.policy_document import READERS

        document = self.document
        values = {}
        for switch in READERS:
            table, _, key = switch.partition(".")
            if switch != "name":
                values[switch] = document.get(table, {}).get(key) if key else document[table]
        return values


def _to_document(value: object) -> Any:  # noqa: ANN401 (a JSON value)
    if is_dataclass(value) and not isinstance(value, Percent):
        switches = {part.name: _to_document(getattr(value, part.name)) for part in fields(value)}
        # TOML has no null: a switch without a value ("not stated") is left out.
        return {name: setting for name, setting in switches.items() if setting is not None}
    if isinstance(value, Percent):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value) if isinstance(value, StrEnum) else value


def invalid(switch: str, reason: str) -> InvalidPolicy:
    """Return the error of a switch that has an invalid value."""
    return InvalidPolicy(
        about(f"The switch {switch} of the policy", reason),
        hint=Hint("{The_policy} lists every switch with its value."),
        switch=switch,
        reason=reason,
    )


def parse_amount(switch: str, text: str, currency: str) -> Money:
    """Parse the amount of a switch; raises `InvalidPolicy`."""
    return _cached_amount(switch, text, currency, getattr(currency, "digits", None))


@cache  # `_digits` is part of the key: codes with different digits are equal.
def _cached_amount(switch: str, text: str, currency: str, _digits: int | None) -> Money:
    if text == NO_LIMIT:
        return Money(LARGEST_MINOR if switch == "rate.maximum" else 0, currency)
    if "." in text:
        text = text.rstrip("0").rstrip(".")  # So the defaults also suit a currency without cents.
    return translate_errors(switch, lambda: Money.parse(text, currency))


def translate_errors(switch: str, read: Callable[[], T]) -> T:
    """Call a function; its errors become an `InvalidPolicy` that names the switch."""
    try:
        return read()
    except InvalidPolicy:
        raise
    except LiveportalError as error:
        raise invalid(switch, error.message) from None
