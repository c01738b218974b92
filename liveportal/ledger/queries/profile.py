"""The payout profile without its sealed values: which fields are set, and until when they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from liveportal.domain.entities import Profile
from liveportal.domain.profile import fields, requirements
from liveportal.domain.profile.requirements import Finding
from liveportal.ledger.queries.reader import Reader, Row, instant

FIELDS = (
    *fields.FIELDS,
    *("complete", "missing", "filled", "changed_at", "revealed_at"),
)
CHECK_FIELDS = ("requirement", "state", "blocks", "message", "hint", "until")


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


def check_rows(reader: Reader, on: date) -> list[Row]:
    """Return the findings of a day as rows."""
    return [
        {name: getattr(finding, name) for name in CHECK_FIELDS} for finding in findings(reader, on)
    ]


def profile_row(reader: Reader, values: Mapping[str, object]) -> Row:
    """Return the profile as a row: the given values, and its state in the ledger."""
    names, plain, lost = filled_fields(reader), facts(reader), enter_again(reader)
    signed = plain.get("tax_signed")
    missing = sorted(Profile(names).missing)
    return {
        **{name: values.get(name) for name in fields.FIELDS},
        "tax_signed": date.fromisoformat(signed) if signed else None,
        "tax_expires": fields.expiry(plain),
        "complete": not missing and not lost,
        "missing": missing,
        "filled": sorted(names),
        "changed_at": _last(reader, "payout_profile.changed"),
        "revealed_at": _last(reader, "payout_profile.revealed"),
        "enter_again": list(lost),
    }


def _last(reader: Reader, kind: str) -> object:
    row = reader.one(
        "SELECT time FROM statement JOIN event USING (seq)"
        " WHERE thing = 'book' AND statement.type = ? ORDER BY seq DESC LIMIT 1",
        kind,
    )
    return instant(row["time"]) if row else None
