"""The policy: every rule of the platform, and every reading of it, as one immutable value.

A switch `table.key` of the rulebook is the attribute `policy.table.key`. Policies are written as
TOML or as the same document in JSON (in a `policy.adopted` event); a switch that is not given takes
the default profile's value, which is the value the classes below declare.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field, fields, is_dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any

from liveportal.domain.changing import Value, quick
from liveportal.domain.clock import zone
from liveportal.domain.errors import InvalidPolicy, LiveportalError
from liveportal.domain.money import LARGEST_MINOR, Money, Percent, currency_of, digits_of
from liveportal.domain.patterns import pattern
from liveportal.domain.values import dataclass

DEFAULT_NAME = "unity-live-help"
NO_LIMIT = "none"
"""What an amount of a policy says where nothing limits it."""


class TrialBilled(StrEnum):
    """What is billed of a session that outlasts its trial (R5)."""

    WHOLE_SESSION = "whole-session"
    AFTER_TRIAL = "after-trial"
    NONE = "none"


class TrialBoundary(StrEnum):
    """Whether a session of exactly the trial's length is free (`over`) or billed (`from`)."""

    OVER = "over"
    FROM = "from"


class Rounding(StrEnum):
    """How billed time is shaped to the increment."""

    EXACT = "exact"
    UP = "up"
    DOWN = "down"
    NEAREST = "nearest"


class Deducts(StrEnum):
    """What a refund takes from the expert: what the session earned, or what the customer paid."""

    SHARE = "share"
    GROSS = "gross"


class Silence(StrEnum):
    """What it means when a claim is not answered."""

    DEDUCT = "deduct"
    NONE = "none"


class SessionMonth(StrEnum):
    """Which instant of a session decides its month."""

    END = "end"
    START = "start"


class Counts(StrEnum):
    """What the payout minimum is counted on."""

    SHARE = "share"
    GROSS = "gross"


@quick
class TrialTerms(Value):
    """The free minutes at the start (R5)."""

    minutes: int = 5
    billed: TrialBilled = TrialBilled.WHOLE_SESSION
    boundary: TrialBoundary = TrialBoundary.OVER


@quick
class BillingTerms(Value):
    """How time becomes billed time."""

    rounding: Rounding = Rounding.EXACT
    increment_seconds: int = 60
    minimum_minutes: int = 0


@quick
class FeeTerms(Value):
    """The platform's part (R11)."""

    percent: Percent = Percent(30, 100)


@quick
class RefundTerms(Value):
    """Claims (R8)."""

    deducts: Deducts = Deducts.SHARE
    window_hours: int = 24
    partial: bool = False


@quick
class DisputeTerms(Value):
    """Answers to claims; without `window_hours` no deadline was stated."""

    window_hours: int | None = None
    silence: Silence = Silence.DEDUCT


@quick
class Evidence(Value):
    """How long the platform keeps recordings and files; without `kept_days` none was stated."""

    kept_days: int | None = None


@quick
class PeriodTerms(Value):
    """What cuts calendar months, and which month a session is in."""

    timezone: str = "UTC"
    session_month: SessionMonth = SessionMonth.END


@quick
class PayoutTerms(Value):
    """When and how money is paid out (R12, R13)."""

    minimum: str = "100.00"
    minimum_counts: Counts = Counts.SHARE
    due_days_after_month_end: int = 60
    first_wait_days: int = 60
    methods: tuple[str, ...] = ("paypal",)


@quick
class Rate(Value):
    """The bounds of a rate a minute (R1)."""

    minimum: str = "1.00"
    maximum: str = "5.00"


@dataclass(frozen=True, slots=True)
class Policy:
    """All the switches of rulebook 3. Raises `InvalidPolicy` for values that cannot be."""

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
                raise _wrong(name, "must not be negative")
        if self._amounts()["rate.minimum"] > self._amounts()["rate.maximum"]:
            raise _wrong("rate.minimum", "is above rate.maximum")

    def _amounts(self) -> dict[str, Money]:
        texts = {
            "payout.minimum": self.payout.minimum,
            "rate.minimum": self.rate.minimum,
            "rate.maximum": self.rate.maximum,
        }
        return {name: _amount(name, text, self.currency) for name, text in texts.items()}

    @property
    def payout_minimum(self) -> Money:
        """The balance below which nothing is paid out (R12)."""
        return self._amounts()["payout.minimum"]

    @property
    def rate_bounds(self) -> tuple[Money, Money]:
        """The lowest and the highest rate a minute (R1)."""
        return (
            _amount("rate.minimum", self.rate.minimum, self.currency),
            _amount("rate.maximum", self.rate.maximum, self.currency),
        )

    def in_currency(self, currency: str) -> Policy:
        """Return the policy for books in a currency.

        Its amounts are in its own currency. They limit nothing in another one, so there the rate
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
        written = {part.name: _document(getattr(self, part.name)) for part in fields(self)}
        # A table whose switches are all without a value is left out, as each of them would be.
        return {name: value for name, value in written.items() if value != {}}

    @property
    def recorded(self) -> dict[str, Any]:
        """The policy as the journal keeps it: its document, and the digits of its currency.

        They are written down when a book is made, and no policy file has a say in them.
        """
        written = self.document
        digits = {"currency": str(self.currency), "digits": digits_of(self.currency)}
        return {"name": written.pop("name"), **digits, **(written | digits)}

    @classmethod
    def from_recorded(cls, recorded: object) -> Policy:
        """Read a policy of the journal; raises `InvalidPolicy`.

        Where the digits are not written down, its amounts have as many as the book's amounts had.
        """
        if not isinstance(recorded, Mapping):
            return cls.from_document(recorded)
        document = dict(recorded)
        code, digits = document.get("currency", _DEFAULTS.currency), document.pop("digits", None)
        if isinstance(code, str):
            if digits is None:
                from liveportal.domain.currencies import earlier_digits  # Older events only.

                rate = document.get("rate")
                written = rate.get("minimum", "") if isinstance(rate, Mapping) else ""
                digits = earlier_digits(code, str(written))
            elif isinstance(digits, bool) or not isinstance(digits, int) or not 0 <= digits <= 4:  # noqa: PLR2004
                raise _wrong("digits", "must be from 0 to 4")
            if digits is not None:
                known: int = digits
                document["currency"] = _by_domain("currency", lambda: currency_of(code, known))
        return cls.from_document(document)

    def in_digits_of(self, currency: str) -> Policy:
        """Return the policy with its amounts in the digits that a book keeps of its currency.

        Raises `InvalidPolicy` if an amount has more of them than the book.
        """
        return Policy.from_document({**self.document, "currency": currency})

    @classmethod
    def from_document(cls, document: object) -> Policy:
        """Read a policy document; raises `InvalidPolicy`, naming the switch and the reason."""
        if not isinstance(document, Mapping):
            raise _wrong("policy", "must be a table of switches")
        known = {part.name: part for part in fields(cls)}
        values: dict[str, Any] = {}
        for key, value in document.items():
            if key not in known:
                raise _wrong(str(key)[:64], "is not a switch")
            default = getattr(_DEFAULTS, key)
            if key == "source":
                values[key] = _sources(value)
            elif is_dataclass(default):
                values[key] = _read_table(key, type(default), value)
            else:
                values[key] = _READERS[key](key, value)
        if "name" not in values:
            raise _wrong("name", "is missing")
        return _as_meant(cls(**values))

    def switches(self) -> dict[str, Any]:
        """Return each switch by its name, `table.key`, as a document has it; None: not stated."""
        document = self.document
        found = {}
        for switch in _READERS:
            table, _, key = switch.partition(".")
            if switch != "name":
                found[switch] = document.get(table, {}).get(key) if key else document[table]
        return found


def _as_meant(policy: Policy) -> Policy:
    """Write the amounts in one way, so that policies that mean the same are equal."""
    texts = {
        "payout.minimum": policy.payout.minimum,
        "rate.minimum": policy.rate.minimum,
        "rate.maximum": policy.rate.maximum,
    }
    meant = {
        name: text if text == NO_LIMIT else str(_amount(name, text, policy.currency))
        for name, text in texts.items()
    }
    return replace(
        policy,
        payout=replace(policy.payout, minimum=meant["payout.minimum"]),
        rate=Rate(meant["rate.minimum"], meant["rate.maximum"]),
    )


def _document(value: object) -> Any:  # noqa: ANN401 (a JSON value)
    if is_dataclass(value) and not isinstance(value, Percent):
        switches = {part.name: _document(getattr(value, part.name)) for part in fields(value)}
        # TOML has no null: a switch without a value ("none stated") is written by leaving it out.
        return {name: setting for name, setting in switches.items() if setting is not None}
    if isinstance(value, Percent):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value) if isinstance(value, StrEnum) else value


def _wrong(switch: str, reason: str) -> InvalidPolicy:
    return InvalidPolicy(
        f"policy: {switch} {reason}",
        hint="`liveportal policy show` lists every switch with its value.",
        switch=switch,
        reason=reason,
    )


# --- how each switch is read -------------------------------------------------------------------

Reader = Callable[[str, object], Any]
_LONGEST_NUMBER = 1_000_000
_NAME = pattern(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}", re.ASCII)


def _read_table(table: str, kind: type, value: object) -> object:
    if not isinstance(value, Mapping):
        raise _wrong(table, "must be a table of switches")
    known = {part.name for part in fields(kind)}
    for key in value:
        if key not in known:
            raise _wrong(f"{table}.{str(key)[:64]}", "is not a switch")
    return kind(
        **{key: _READERS[f"{table}.{key}"](f"{table}.{key}", v) for key, v in value.items()}
    )


def _number(lowest: int) -> Reader:
    def read(switch: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong(switch, "must be a whole number")
        if not lowest <= value <= _LONGEST_NUMBER:
            raise _wrong(switch, f"must be from {lowest} to {_LONGEST_NUMBER}")
        return value

    return read


def _one_of(kind: type[StrEnum]) -> Reader:
    def read(switch: str, value: object) -> StrEnum:
        readings = [str(reading) for reading in kind]
        if value not in readings:
            raise _wrong(switch, f"must be one of {', '.join(readings)}")
        return kind(value)

    return read


def _optional_number(switch: str, value: object) -> int | None:
    return None if value in (None, "none") else _number(0)(switch, value)


def _truth(switch: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(switch, "must be true or false")
    return value


def _text(switch: str, value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise _wrong(switch, "must be 1-64 of letters, digits, spaces, '.', '_' and '-'")
    return value


def _names(switch: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise _wrong(switch, "must be a list of names")
    return tuple(_text(switch, name) for name in value)


def _percent(switch: str, value: object) -> Percent:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _wrong(switch, "must be an integer or a string such as '12.5'")
    return _by_domain(switch, lambda: Percent.parse(value))  # type: ignore[no-any-return]


def _amount_text(switch: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(switch, "must be a string such as '100.00', or 'none'")
    return value  # Checked against the currency once both are known.


def _amount(switch: str, text: str, currency: str) -> Money:
    return _cached_amount(switch, text, currency, getattr(currency, "digits", None))


@cache  # Books of one currency can differ in their digits, and their codes are equal.
def _cached_amount(switch: str, text: str, currency: str, _digits: int | None) -> Money:
    if text == NO_LIMIT:
        return Money(LARGEST_MINOR if switch == "rate.maximum" else 0, currency)
    if "." in text:
        text = text.rstrip("0").rstrip(".")  # The defaults serve a currency without cents, too.
    return _by_domain(switch, lambda: Money.parse(text, currency))  # type: ignore[no-any-return]


def _currency(switch: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(switch, "must be a currency code such as 'USD'")
    _by_domain(switch, lambda: digits_of(value))
    return value


def _timezone(switch: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(switch, "must be a time zone such as 'UTC'")
    if value != "UTC":  # There is always that one, and no table need be read for it.
        _by_domain(switch, lambda: zone(value))
    return value


def _by_domain(switch: str, read: Callable[[], Any]) -> Any:  # noqa: ANN401
    try:
        return read()
    except InvalidPolicy:
        raise
    except LiveportalError as error:
        raise _wrong(switch, f"is wrong: {error.message}") from None


def _sources(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise _wrong("source", "must be a table")
    for switch, where in value.items():
        if switch not in _READERS or not isinstance(where, str):
            raise _wrong(f"source.{str(switch)[:64]}", "must be a switch with its source as text")
    return dict(value)


_READERS: dict[str, Reader] = {
    "name": _text,
    "currency": _currency,
    "trial.minutes": _number(0),
    "trial.billed": _one_of(TrialBilled),
    "trial.boundary": _one_of(TrialBoundary),
    "billing.rounding": _one_of(Rounding),
    "billing.increment_seconds": _number(1),
    "billing.minimum_minutes": _number(0),
    "fee.percent": _percent,
    "refund.deducts": _one_of(Deducts),
    "refund.window_hours": _number(0),
    "refund.partial": _truth,
    "dispute.window_hours": _optional_number,
    "dispute.silence": _one_of(Silence),
    "evidence.kept_days": _optional_number,
    "period.timezone": _timezone,
    "period.session_month": _one_of(SessionMonth),
    "payout.minimum": _amount_text,
    "payout.minimum_counts": _one_of(Counts),
    "payout.due_days_after_month_end": _number(0),
    "payout.first_wait_days": _number(0),
    "payout.methods": _names,
    "rate.minimum": _amount_text,
    "rate.maximum": _amount_text,
}

_DEFAULTS = Policy()
