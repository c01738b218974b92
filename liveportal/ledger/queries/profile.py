"""The payout profile without its sealed values: which fields are set, and until when they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from liveportal.domain.entities import Profile
from liveportal.domain.profile import fields, requirements
from liveportal.domain.profile.requirements import Finding
from liveportal.domain.row import Row, row
from liveportal.ledger.queries.reader import Reader, instant


@row
class ProfileRow(Row):
    """The payout profile, and its state in the ledger; sealed values are masked, or None."""

    name: str | None
    email: str | None
    method: str | None
    paypal: str | None
    iban: str | None
    bic: str | None
    us_routing: str | None
    us_account: str | None
    country: str | None
    address: Mapping[str, Any] | None
    tax_form: str | None
    tax_number: str | None
    tax_signed: date | None
    tax_expires: date | None
    complete: bool
    missing: list[str]
    filled: list[str]
    changed_at: datetime | None
    revealed_at: datetime | None
    revealed: bool
    enter_again: list[str]


def filled_fields(reader: Reader) -> frozenset[str]:
    """Return the fields that are set, without those whose values must be entered again."""
    rows = reader.all(
        "SELECT name FROM profile_field WHERE name NOT IN (SELECT field FROM missing_value)"
    )
    return frozenset(row["name"] for row in rows)


def enter_again(reader: Reader) -> tuple[str, ...]:
    """Return the fields whose values an import could not restore, in the order of `FIELDS`."""
    missing = {row["field"] for row in reader.all("SELECT field FROM missing_value")}
    return tuple(name for name in fields.FIELDS if name in missing)


def facts(reader: Reader) -> dict[str, str]:
    """Return the values that are stored unsealed, by field.

    Empty as of an earlier time: the journal records only the names of fields.
    """
    return {row["field"]: row["value"] for row in reader.all("SELECT * FROM profile_fact")}


def is_sealed(reader: Reader) -> bool:
    """Return True if any value is sealed, so that a key is needed."""
    return reader.one("SELECT 1 FROM fingerprint_key") is not None


def missing_on(reader: Reader) -> Callable[[date], frozenset[str]]:
    """Return a function from a day to the requirements that block a payout on that day."""
    methods, names, plain = reader.policy.payout.methods, filled_fields(reader), facts(reader)
    lost = enter_again(reader)
    return lambda on: requirements.blocking(names, plain, methods=methods, on=on, lost=lost)


def findings(reader: Reader, on: date) -> tuple[Finding, ...]:
    """Return the requirements for a payout on a day, with their states (R12, R14)."""
    methods = reader.policy.payout.methods
    lost = enter_again(reader)
    return requirements.findings(
        filled_fields(reader), facts(reader), methods=methods, on=on, lost=lost
    )


def profile_row(
    reader: Reader, values: Mapping[str, object], *, revealed: bool = False
) -> ProfileRow:
    """Return the profile as a row: the given values, and its state in the ledger."""
    plain, lost = facts(reader), enter_again(reader)
    missing = missing_fields(reader)
    signed = plain.get("tax_signed")
    known: dict[str, Any] = {name: values.get(name) for name in fields.FIELDS}
    known["tax_signed"] = date.fromisoformat(signed) if signed else None
    known["tax_expires"] = fields.expiry(plain)
    return ProfileRow(
        **known,
        complete=not missing and not lost,
        missing=missing,
        filled=sorted(filled_fields(reader)),
        changed_at=_last(reader, "payout_profile.changed"),
        revealed_at=_last(reader, "payout_profile.revealed"),
        revealed=revealed,
        enter_again=list(lost),
    )


def missing_fields(reader: Reader) -> list[str]:
    """Return the fields that a payout needs and that are not set, by name."""
    return sorted(Profile(filled_fields(reader)).missing)


def _last(reader: Reader, kind: str) -> datetime | None:
    last = reader.one(
        "SELECT time FROM statement JOIN event USING (seq)"
        " WHERE thing = 'book' AND statement.type = ? ORDER BY seq DESC LIMIT 1",
        kind,
    )
    return instant(last["time"]) if last else None
