"""The policy: all rules of the platform, and their interpretation, as one immutable value.

A switch `table.key` of the rulebook is the attribute `policy.table.key`. Policies are written as
TOML or as the same document in JSON (in a `policy.adopted` event); a switch that is not given takes
the default profile's value, which is the default declared by the classes below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field, fields, is_dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any

from liveportal.domain.clock import zone
from liveportal.domain.errors import InvalidPolicy, LiveportalError
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.domain.money import LARGEST_MINOR, Money, Percent, currency_of, digits_of
from liveportal.domain.patterns import pattern

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
    trial: TrialTerms = TrialTerms()
    billing: BillingTerms = BillingTerms()
    fee: FeeTerms = FeeTerms()
    refund: RefundTerms = RefundTerms()
    dispute: DisputeTerms = DisputeTerms()
    evidence: Evidence = Evidence()
    period: PeriodTerms = PeriodTerms()
    payout: PayoutTerms = PayoutTerms()
    rate: Rate = Rate()
    source: Mapping[str, str] = field(default_factory=dict, compare=False, hash=False)

    def __post_init__(self) -> None:
        for name, amount in self._amounts().items():
            if amount.minor < 0:
                raise _invalid(name, "must not be negative")
        if self._amounts()["rate.minimum"] > self._amounts()["rate.maximum"]:
            raise _invalid("rate.minimum", "is above rate.maximum")

    def _amounts(self) -> dict[str, Money]:
        texts = {
            "payout.minimum": self.payout.minimum,
            "rate.minimum": self.rate.minimum,
            "rate.maximum": self.rate.maximum,
        }
        return {name: _parse_amount(name, text, self.currency) for name, text in texts.items()}

    @property
    def payout_minimum(self) -> Money:
        """The balance below which nothing is paid out (R12)."""
        return self._amounts()["payout.minimum"]

    @property
    def rate_bounds(self) -> tuple[Money, Money]:
        """The lowest and the highest rate per minute (R1)."""
        return (
            _parse_amount("rate.minimum", self.rate.minimum, self.currency),
            _parse_amount("rate.maximum", self.rate.maximum, self.currency),
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
        code, digits = document.get("currency", _DEFAULTS.currency), document.pop("digits", None)
        if isinstance(code, str):
            if digits is None:
                from liveportal.domain.currencies import earlier_digits  # Older events only.

                rate = document.get("rate")
                amount = rate.get("minimum", "") if isinstance(rate, Mapping) else ""
                digits = earlier_digits(code, str(amount))
            elif isinstance(digits, bool) or not isinstance(digits, int) or not 0 <= digits <= 4:  # noqa: PLR2004
                raise _invalid("digits", "must be from 0 to 4")
            if digits is not None:
                checked_digits: int = digits
                document["currency"] = _translate_errors(
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
        if not isinstance(document, Mapping):
            raise _invalid("policy", "must be a table of switches")
        known = {spec.name: spec for spec in fields(cls)}
        values: dict[str, Any] = {}
        for key, value in document.items():
            if key not in known:
                raise _invalid(str(key)[:64], "is not a switch")
            default = getattr(_DEFAULTS, key)
            if key == "source":
                values[key] = _read_sources(value)
            elif is_dataclass(default):
                values[key] = _read_table(key, type(default), value)
            else:
                values[key] = _READERS[key](key, value)
        if "name" not in values:
            raise _invalid("name", "is missing")
        return _normalise(cls(**values))

    def switches(self) -> dict[str, Any]:
        """Return all switches by name, `table.key`, as in a document; None: not stated."""
        document = self.document
        values = {}
        for switch in _READERS:
            table, _, key = switch.partition(".")
            if switch != "name":
                values[switch] = document.get(table, {}).get(key) if key else document[table]
        return values


def _normalise(policy: Policy) -> Policy:
    """Normalise the amounts, so that policies with the same meaning are equal."""
    texts = {
        "payout.minimum": policy.payout.minimum,
        "rate.minimum": policy.rate.minimum,
        "rate.maximum": policy.rate.maximum,
    }
    normalised = {
        name: text if text == NO_LIMIT else str(_parse_amount(name, text, policy.currency))
        for name, text in texts.items()
    }
    return replace(
        policy,
        payout=replace(policy.payout, minimum=normalised["payout.minimum"]),
        rate=Rate(normalised["rate.minimum"], normalised["rate.maximum"]),
    )


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


def _invalid(switch: str, reason: str) -> InvalidPolicy:
    return InvalidPolicy(
        f"policy: {switch} {reason}",
        hint=Hint("{The_policy} lists every switch with its value."),
        switch=switch,
        reason=reason,
    )


# --- parsing the switches ----------------------------------------------------------------------

Reader = Callable[[str, object], Any]
_LARGEST_NUMBER = 1_000_000
_NAME = pattern(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}", re.ASCII)


def _read_table(table: str, kind: type, value: object) -> object:
    if not isinstance(value, Mapping):
        raise _invalid(table, "must be a table of switches")
    known = {part.name for part in fields(kind)}
    for key in value:
        if key not in known:
            raise _invalid(f"{table}.{str(key)[:64]}", "is not a switch")
    return kind(
        **{key: _READERS[f"{table}.{key}"](f"{table}.{key}", v) for key, v in value.items()}
    )


def _number_reader(lowest: int) -> Reader:
    def read(switch: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _invalid(switch, "must be a whole number")
        if not lowest <= value <= _LARGEST_NUMBER:
            raise _invalid(switch, f"must be from {lowest} to {_LARGEST_NUMBER}")
        return value

    return read


def _choice_reader(kind: type[StrEnum]) -> Reader:
    def read(switch: str, value: object) -> StrEnum:
        choices = [str(choice) for choice in kind]
        if value not in choices:
            raise _invalid(switch, f"must be one of {', '.join(choices)}")
        return kind(value)

    return read


def _read_optional_number(switch: str, value: object) -> int | None:
    return None if value in (None, "none") else _number_reader(0)(switch, value)


def _read_boolean(switch: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _invalid(switch, "must be true or false")
    return value


def _read_name(switch: str, value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise _invalid(switch, "must be 1-64 of letters, digits, spaces, '.', '_' and '-'")
    return value


def _read_names(switch: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise _invalid(switch, "must be a list of names")
    return tuple(_read_name(switch, name) for name in value)


def _read_percent(switch: str, value: object) -> Percent:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _invalid(switch, "must be an integer or a string such as '12.5'")
    return _translate_errors(switch, lambda: Percent.parse(value))  # type: ignore[no-any-return]


def _read_amount(switch: str, value: object) -> str:
    if not isinstance(value, str):
        raise _invalid(switch, "must be a string such as '100.00', or 'none'")
    return value  # Checked against the currency later, when both are known.


def _parse_amount(switch: str, text: str, currency: str) -> Money:
    return _cached_amount(switch, text, currency, getattr(currency, "digits", None))


@cache  # `_digits` is part of the key: codes with different digits are equal.
def _cached_amount(switch: str, text: str, currency: str, _digits: int | None) -> Money:
    if text == NO_LIMIT:
        return Money(LARGEST_MINOR if switch == "rate.maximum" else 0, currency)
    if "." in text:
        text = text.rstrip("0").rstrip(".")  # So the defaults also suit a currency without cents.
    return _translate_errors(switch, lambda: Money.parse(text, currency))  # type: ignore[no-any-return]


def _read_currency(switch: str, value: object) -> str:
    if not isinstance(value, str):
        raise _invalid(switch, "must be a currency code such as 'USD'")
    _translate_errors(switch, lambda: digits_of(value))
    return value


def _read_timezone(switch: str, value: object) -> str:
    if not isinstance(value, str):
        raise _invalid(switch, "must be a time zone such as 'UTC'")
    if value != "UTC":  # UTC always exists, and needs no zone data.
        _translate_errors(switch, lambda: zone(value))
    return value


def _translate_errors(switch: str, read: Callable[[], Any]) -> Any:  # noqa: ANN401
    try:
        return read()
    except InvalidPolicy:
        raise
    except LiveportalError as error:
        raise _invalid(switch, f"is wrong: {error.message}") from None


def _read_sources(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise _invalid("source", "must be a table")
    for switch, where in value.items():
        if switch not in _READERS or not isinstance(where, str):
            raise _invalid(f"source.{str(switch)[:64]}", "must be a switch with its source as text")
    return dict(value)


_READERS: dict[str, Reader] = {
    "name": _read_name,
    "currency": _read_currency,
    "trial.minutes": _number_reader(0),
    "trial.billed": _choice_reader(TrialBilled),
    "trial.boundary": _choice_reader(TrialBoundary),
    "billing.rounding": _choice_reader(Rounding),
    "billing.increment_seconds": _number_reader(1),
    "billing.minimum_minutes": _number_reader(0),
    "fee.percent": _read_percent,
    "refund.deducts": _choice_reader(Deducts),
    "refund.window_hours": _number_reader(0),
    "refund.partial": _read_boolean,
    "dispute.window_hours": _read_optional_number,
    "dispute.silence": _choice_reader(Silence),
    "evidence.kept_days": _read_optional_number,
    "period.timezone": _read_timezone,
    "period.session_month": _choice_reader(SessionMonth),
    "payout.minimum": _read_amount,
    "payout.minimum_counts": _choice_reader(Counts),
    "payout.due_days_after_month_end": _number_reader(0),
    "payout.first_wait_days": _number_reader(0),
    "payout.methods": _read_names,
    "rate.minimum": _read_amount,
    "rate.maximum": _read_amount,
}

_DEFAULTS = Policy()
