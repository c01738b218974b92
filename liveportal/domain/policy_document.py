"""The policy as a document, in TOML or JSON: each switch with its reader."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Any

from liveportal.domain.clock import zone
from liveportal.domain.frozen import replace
from liveportal.domain.money import Percent, digits_of
from liveportal.domain.patterns import pattern
from liveportal.domain.policy import (
    NO_LIMIT,
    Counts,
    Deducts,
    Policy,
    Rate,
    Rounding,
    SessionMonth,
    Silence,
    TrialBilled,
    TrialBoundary,
    invalid,
    parse_amount,
    translate_errors,
)

Reader = Callable[[str, object], Any]
_LARGEST_NUMBER = 1_000_000
_NAME = pattern(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}", re.ASCII)


def read_policy(document: object) -> Policy:
    """Parse a policy document; raises `InvalidPolicy`, naming the switch and the reason."""
    if not isinstance(document, Mapping):
        raise invalid("policy", "must be a table of switches")
    known: dict[str, Any] = {spec.name: spec for spec in fields(Policy)}
    values: dict[str, Any] = {}
    for key, value in document.items():
        if key not in known:
            raise invalid(str(key)[:64], "does not exist")
        if key == "source":
            values[key] = _read_sources(value)
        elif key in READERS:
            values[key] = READERS[key](key, value)
        else:
            values[key] = _read_table(key, known[key].default_factory, value)
    if "name" not in values:
        raise invalid("name", "is missing")
    return _normalise(Policy(**values))


def _normalise(policy: Policy) -> Policy:
    """Normalise the amounts, so that policies with the same meaning are equal."""
    texts = {
        "payout.minimum": policy.payout.minimum,
        "rate.minimum": policy.rate.minimum,
        "rate.maximum": policy.rate.maximum,
    }
    normalised = {
        name: text if text == NO_LIMIT else str(parse_amount(name, text, policy.currency))
        for name, text in texts.items()
    }
    return replace(
        policy,
        payout=replace(policy.payout, minimum=normalised["payout.minimum"]),
        rate=Rate(normalised["rate.minimum"], normalised["rate.maximum"]),
    )


def _read_table(table: str, kind: type, value: object) -> object:
    if not isinstance(value, Mapping):
        raise invalid(table, "must be a table of switches")
    known = {part.name for part in fields(kind)}
    for key in value:
        if key not in known:
            raise invalid(f"{table}.{str(key)[:64]}", "does not exist")
    return kind(**{key: READERS[f"{table}.{key}"](f"{table}.{key}", v) for key, v in value.items()})


def _number_reader(lowest: int) -> Reader:
    def read(switch: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise invalid(switch, "must be a whole number")
        if not lowest <= value <= _LARGEST_NUMBER:
            raise invalid(switch, f"must be from {lowest} to {_LARGEST_NUMBER}")
        return value

    return read


def _choice_reader(kind: type[StrEnum]) -> Reader:
    def read(switch: str, value: object) -> StrEnum:
        choices = [str(choice) for choice in kind]
        if value not in choices:
            raise invalid(switch, f"must be one of {', '.join(choices)}")
        return kind(value)

    return read


def _read_optional_number(switch: str, value: object) -> int | None:
    return None if value in (None, "none") else _number_reader(0)(switch, value)


def _read_boolean(switch: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise invalid(switch, "must be true or false")
    return value


def _read_name(switch: str, value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise invalid(switch, "must be 1 to 64 letters, digits, spaces, '.', '_' or '-'")
    return value


def _read_names(switch: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise invalid(switch, "must be a list of names")
    return tuple(_read_name(switch, name) for name in value)


def _read_percent(switch: str, value: object) -> Percent:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise invalid(switch, "must be a whole number, or a string such as '12.5'")
    return translate_errors(switch, lambda: Percent.parse(value))


def _read_amount(switch: str, value: object) -> str:
    if not isinstance(value, str):
        raise invalid(switch, "must be a string such as '100.00', or 'none'")
    return value  # Checked against the currency later, when both are known.


def _read_currency(switch: str, value: object) -> str:
    if not isinstance(value, str):
        raise invalid(switch, "must be a currency code such as 'USD'")
    translate_errors(switch, lambda: digits_of(value))
    return value


def _read_timezone(switch: str, value: object) -> str:
    if not isinstance(value, str):
        raise invalid(switch, "must be a time zone such as 'UTC'")
    if value != "UTC":  # UTC always exists, and needs no zone data.
        translate_errors(switch, lambda: zone(value))
    return value


def _read_sources(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise invalid("source", "must be a table")
    for switch, where in value.items():
        if switch not in READERS or not isinstance(where, str):
            raise invalid(
                f"source.{str(switch)[:64]}", "must be a switch, with its source as a string"
            )
    return dict(value)


READERS: dict[str, Reader] = {
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
