"""Requirements of a payout: which are missing in the profile, and which are invalid (R12, R14)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta

from liveportal.domain.hint import Hint
from liveportal.domain.profile.fields import expiry, fits, is_listed, join_forms, usual_forms
from liveportal.domain.row import Row, row

SOON = timedelta(days=60)
"""How long before its expiry a tax form is mentioned: as long as a payout takes (R13)."""


@row
class Finding(Row):
    """Whether the profile meets one requirement of a payout.

    `blocks` is True if nothing is paid out until it is met.
    """

    requirement: str
    state: str = "ok"
    blocks: bool = False
    message: str | None = None
    hint: Hint | None = None
    until: date | None = None


_WHY = {
    "name": ("The payee's name is missing.", "{the_name}"),
    "email": ("The payee's e-mail address is missing.", "{the_email}"),
    "method": ("The payout method is missing.", "{the_method}"),
    "address": ("The payee's address is missing.", "{the_address}"),
    "tax_form": ("The tax form is missing. Everyone needs one.", "{the_tax_form}"),
}


def findings(
    filled: Collection[str],
    facts: Mapping[str, str],
    *,
    methods: Collection[str],
    on: date,
    lost: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Return the state of each requirement of a payout on a day (R12, R14).

    `lost` are the fields whose values an import could not restore; each of them blocks.
    """
    names = (*_WHY, *(name for name in lost if name not in _WHY))
    return tuple(
        _lost_finding(name)
        if name in lost
        else _check_field(name, facts, methods, on)
        if name in filled
        else _missing_finding(name)
        for name in names
    )


def blocking(
    filled: Collection[str],
    facts: Mapping[str, str],
    *,
    methods: Collection[str],
    on: date,
    lost: Collection[str] = (),
) -> frozenset[str]:
    """Return the requirements that block payouts on a day."""
    states = findings(filled, facts, methods=methods, on=on, lost=lost)
    return frozenset(finding.requirement for finding in states if finding.blocks)


def _missing_finding(name: str) -> Finding:
    why, value = _WHY[name]
    return Finding(
        requirement=name,
        state="missing",
        blocks=True,
        message=why,
        hint=Hint(f"Use {{setting_the_profile}} with {value}."),
    )


def _lost_finding(name: str) -> Finding:
    value = f" with {_WHY[name][1]}" if name in _WHY else ""
    return Finding(
        requirement=name,
        state="enter_again",
        blocks=True,
        message="The import could not restore its value, because exports do not contain it.",
        hint=Hint(f"Enter it again with {{setting_the_profile}}{value}."),
    )


def _check_field(
    name: str, facts: Mapping[str, str], methods: Collection[str], on: date
) -> Finding:
    method = facts.get("method")
    if name == "method" and method and not is_listed(method, methods):
        return Finding(
            requirement=name,
            state="not_allowed",
            blocks=True,
            message=f"The policy in force pays by {', '.join(methods)}, not by {method}.",
            hint=Hint("Choose another method with {another_method}."),
        )
    return _check_tax_form(facts, on) if name == "tax_form" else Finding(requirement=name)


def _check_tax_form(facts: Mapping[str, str], on: date) -> Finding:
    name, ends = "tax_form", expiry(facts)
    renew = Hint("Sign a new one, then {give_its_date}.")
    if not fits(facts):
        forms = join_forms(usual_forms(facts["country"]))
        return Finding(
            requirement=name,
            state="unfitting",
            blocks=True,
            message=(
                f"The tax form {facts['tax_form']} is not the usual one for"
                f" {facts['country']}, which is {forms}."
            ),
            hint=Hint(
                "Use {setting_the_profile} with {the_tax_form} and its number, or with"
                " {another_country}."
            ),
            until=ends,
        )
    if ends and ends < on:
        message = f"The tax form expired on {ends}."
        return Finding(
            requirement=name, state="expired", blocks=True, message=message, hint=renew, until=ends
        )
    if ends and ends - on <= SOON:
        message = f"The tax form expires soon, on {ends}."
        return Finding(
            requirement=name, state="expires_soon", message=message, hint=renew, until=ends
        )
    return Finding(requirement=name, until=ends)
