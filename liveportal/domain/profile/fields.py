"""The payout profile: its fields, their secrecy, and what a payout needs (R12, R14).

Values are texts: dates as `2026-01-31`, the address as JSON. No event holds them. Sealed values are
stored encrypted in the ledger, the others in plain text, so that deadlines are known without a key.

A method and a tax form must be set together with what they need, and an address as a whole. So a
field that is filled in is complete, and the effect of a change depends only on what is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import NoReturn

from liveportal.domain.entities import Profile
from liveportal.domain.errors import (
    Caution,
    ExpiredTaxForm,
    IncompleteProfile,
    InvalidValue,
    UnfittingTaxForm,
    UnlistedMethod,
)
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint

SHOWN_CHARACTERS = 4
"""How many characters of a secret are shown."""

LONG_ENOUGH = 9
"""The length from which a secret shows them; a shorter one shows none."""


# --- masks ------------------------------------------------------------------------------------


def _tail(text: str) -> str:
    """Return the last characters of a secret, or none if it is too short to hide the rest."""
    compact = "".join(filter(str.isalnum, text))
    return compact[-SHOWN_CHARACTERS:] if len(compact) >= LONG_ENOUGH else ""


def mask_account(text: str) -> str:
    """Return an account number as displayed, masked."""
    return f"**** {_tail(text)}".rstrip()


def mask_tax_number(text: str) -> str:
    """Return a tax number as displayed, masked; a US one keeps the format of its kind."""
    if re.fullmatch(r"[0-9]{3}-[0-9]{2}-[0-9]{4}", text, re.ASCII):
        return f"***-**-{_tail(text)}"
    if re.fullmatch(r"[0-9]{2}-[0-9]{7}", text, re.ASCII):
        return f"**-***{_tail(text)}"
    return f"****{_tail(text)}"


def mask_email(text: str) -> str:
    """Return an e-mail address as displayed: its domain, and its first letter if it is long."""
    local, at, domain = text.rpartition("@")
    return f"{local[:1] if len(local) >= SHOWN_CHARACTERS else ''}***{at}{domain if at else ''}"


# --- fields -----------------------------------------------------------------------------------


@frozen
class Field:
    """Whether a field is stored encrypted, and how it is masked by default."""

    sealed: bool = True
    mask: Callable[[str], str] | None = None


FIELDS: Mapping[str, Field] = {
    "name": Field(),
    "email": Field(mask=mask_email),
    "method": Field(sealed=False),
    "paypal": Field(mask=mask_email),
    "iban": Field(mask=mask_account),
    "bic": Field(),
    "us_routing": Field(),
    "us_account": Field(mask=mask_account),
    "country": Field(sealed=False),
    "address": Field(),
    "tax_form": Field(sealed=False),
    "tax_number": Field(mask=mask_tax_number),
    "tax_signed": Field(sealed=False),
    "tax_expires": Field(sealed=False),
}
MASKED = tuple(name for name, field in FIELDS.items() if field.mask)

METHODS: Mapping[str, tuple[str, ...]] = {
    "paypal": (),
    "iban": ("iban",),
    "us_account": ("us_routing", "us_account"),
}
"""The methods, and the fields that each needs besides an e-mail address."""
BANK = "bank"
"""A policy's name for all methods except PayPal."""
_METHOD_OF = {
    "paypal": "paypal",
    **dict.fromkeys(("iban", "bic"), "iban"),
    **dict.fromkeys(("us_routing", "us_account"), "us_account"),
}
DERIVED_FROM = {"bic": "iban"}
"""Fields derived from another one: stored with it, and not named in events."""

FORMS: Mapping[str, tuple[str, ...]] = {
    "w9": ("tax_number", "tax_signed"),
    "w8ben": ("tax_number", "tax_signed"),
    "vat": ("tax_number",),
}
"""The tax forms, and the fields that each needs; `vat`: no US form, but a VAT number (R14)."""
_FORM_FIELDS = {"tax_number", "tax_signed", "tax_expires"}
W9_COUNTRIES = frozenset({"US", "AS", "GU", "MP", "PR", "UM", "VI"})
"""The United States and their territories, whose residents file a W-9."""
_W8BEN_YEARS = 3


class Value:
    """The text of a field. It is masked when printed; only `plain` returns the text."""

    __slots__ = ("_text", "field")

    def __init__(self, field: str, text: str) -> None:
        self.field = field
        self._text = text

    @property
    def plain(self) -> str:
        """The text itself."""
        return self._text

    def __str__(self) -> str:
        mask = FIELDS[self.field].mask
        return mask(self._text) if mask else self._text

    def __repr__(self) -> str:
        return f"<{self.field}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value):
            return NotImplemented
        return (self.field, self._text) == (other.field, other._text)

    def __hash__(self) -> int:
        return hash((self.field, self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self!r} is not written out")


Values = Mapping[str, Value]


# --- changing it ------------------------------------------------------------------------------


@frozen
class Changes:
    """What a change sets and clears; with `afresh`, it replaces the whole profile."""

    values: Values
    cleared: frozenset[str]
    afresh: bool = False

    @property
    def event_fields(self) -> tuple[str, ...]:
        """The fields that the event names, in the order of `FIELDS`."""
        return tuple(
            name
            for name in FIELDS
            if (name in self.values or name in self.cleared) and name not in DERIVED_FROM
        )

    def after(self, in_force: Values) -> dict[str, Value]:
        """Return the profile after the change."""
        kept = {} if self.afresh else in_force
        return {name: kept[name] for name in kept if name not in self.cleared} | {**self.values}


def changes(given: Mapping[str, str], *, afresh: bool = False) -> Changes:
    """Return the change for the given checked texts; an empty text clears its field.

    Changing the method clears the account of another method; changing the form clears its tax
    number, date and expiry.
    """
    values = {name: Value(name, text) for name, text in given.items() if text}
    cleared = {name for name, text in given.items() if not text}
    if method := given.get("method"):
        cleared |= {name for name, owner in _METHOD_OF.items() if owner != method}
    if "iban" in given:
        cleared.add("bic")
    if "tax_form" in given:
        cleared |= _FORM_FIELDS
    if "tax_signed" in given:
        cleared.add("tax_expires")
    if afresh:
        cleared |= FIELDS.keys()
    return Changes(values, frozenset(cleared - values.keys()), afresh)


def judge(
    change: Changes, in_force: Values, *, methods: Collection[str], today: date
) -> tuple[Caution, ...]:
    """Return the cautions about a change of the profile in force.

    Raises `InvalidValue` and `IncompleteProfile` for an invalid change.
    """
    after = change.after(in_force)
    if not change.afresh:
        _check_cleared(change.cleared)
    _check_method(change, after)
    _check_form(change, after, today)
    _check_address(change, after, in_force)
    facts = {name: value.plain for name, value in after.items()}
    cautions: list[Caution] = []
    if "method" in change.values and not is_listed(facts["method"], methods):
        cautions.append(
            UnlistedMethod(
                f"The policy pays by {', '.join(methods)}, not by {facts['method']}.",
                hint=Hint("{Overriding_this} sets it regardless."),
            )
        )
    if change.values.keys() & {"tax_form", "country"} and not fits(facts):
        cautions.append(
            UnfittingTaxForm(
                f"The usual tax form for {facts['country']} is"
                f" {join_forms(usual_forms(facts['country']))}, not {facts['tax_form']}.",
                hint=Hint(
                    "Correct {the_tax_form} or {the_country}. {Overriding_this} sets it regardless."
                ),
            )
        )
    ends = expiry(facts)
    if change.values.keys() & {"tax_signed", "tax_expires"} and ends and ends < today:
        cautions.append(
            ExpiredTaxForm(
                f"The tax form expired on {ends}.",
                hint=Hint("Sign a new form first. {Overriding_this} sets it regardless."),
            )
        )
    return tuple(cautions)


def _check_cleared(cleared: Collection[str]) -> None:
    for name in (*Profile.REQUIRED, "country"):
        if name in cleared:
            raise InvalidValue(
                f"The field {name} cannot be cleared, because every payout needs it.",
                hint="Give another value, or leave it as it is.",
                field=name,
            )


def _check_method(change: Changes, after: Values) -> None:
    if "method" not in after:
        return
    method = after["method"].plain
    for name in change.values:
        if _METHOD_OF.get(name, method) != method:
            raise IncompleteProfile(
                (
                    f"The field {name} belongs to the method {_METHOD_OF[name]}, but the method is"
                    f" {method}."
                ),
                hint=Hint("Add {the_method} {method}.", method=_METHOD_OF[name]),
                field=name,
            )
    lacking = [name for name in METHODS[method] if name not in after]
    if method == "paypal" and not after.keys() & {"paypal", "email"}:
        lacking = ["email"]
    _check_lacking(f"The method {method}", lacking)


def _check_form(change: Changes, after: Values, today: date) -> None:
    if "tax_form" in after:
        form = after["tax_form"].plain
        _check_lacking(f"The tax form {form}", [name for name in FORMS[form] if name not in after])
    elif of_form := sorted(change.values.keys() & _FORM_FIELDS):
        _check_lacking(f"The field {of_form[0]}", ["tax_form"])
    if "tax_signed" not in after:
        return
    signed = date.fromisoformat(after["tax_signed"].plain)
    if signed > today:
        raise InvalidValue(
            f"The day of signature (tax_signed), {signed}, is in the future.",
            hint="Give the day on which you signed the form.",
            field="tax_signed",
        )
    if "tax_expires" in after and date.fromisoformat(after["tax_expires"].plain) < signed:
        raise InvalidValue(
            "The last day of the form (tax_expires) is before the day of signature (tax_signed).",
            hint="Check both days.",
            field="tax_expires",
        )


def _check_address(change: Changes, after: Values, in_force: Values) -> None:
    has_moved = "country" in in_force and in_force["country"] != after.get("country")
    if has_moved and "address" in after and "address" not in change.values:
        raise IncompleteProfile(
            "The address in the profile is in another country.",
            hint=Hint(
                "Give the whole address with {the_country}: {the_street}, {the_city} and so on."
            ),
            field="address",
        )


def _check_lacking(what: str, names: Collection[str]) -> None:
    if names:
        raise IncompleteProfile(
            f"{what} needs {' and '.join(names)}.",
            hint=Hint(
                "Give these fields together. On a terminal, {setting_the_profile} asks for"
                " all of them."
            ),
            fields=list(names),
        )


# --- what a payout needs ----------------------------------------------------------------------


def is_listed(method: str, methods: Collection[str]) -> bool:
    """Return True if the policy's methods include this one: `bank` is any transfer (R12)."""
    return method in methods or (method != "paypal" and BANK in methods)


def allowed(methods: Collection[str]) -> tuple[str, ...]:
    """Return the methods that a policy allows."""
    return tuple(method for method in METHODS if is_listed(method, methods))


def usual_forms(country: str) -> tuple[str, ...]:
    """Return the tax forms for residents of a country, the usual one first (R14)."""
    return ("w9",) if country in W9_COUNTRIES else ("w8ben", "vat")


def fits(facts: Mapping[str, str]) -> bool:
    """Return True if the tax form is valid for the country (R14), or if either is not known."""
    form, country = facts.get("tax_form"), facts.get("country")
    return form is None or country is None or form in usual_forms(country)


def expiry(facts: Mapping[str, str]) -> date | None:
    """Return the last day on which the tax form is valid; None if unlimited or not known.

    As given, or by the form: a W-8BEN expires with the third calendar year after that of its
    signature, a W-9 does not expire.
    """
    if given := facts.get("tax_expires"):
        return date.fromisoformat(given)
    signed = facts.get("tax_signed")
    if facts.get("tax_form") != "w8ben" or signed is None:
        return None
    year = date.fromisoformat(signed).year + _W8BEN_YEARS
    return date(min(year, date.max.year), 12, 31)


def join_forms(forms: Collection[str]) -> str:
    """Return the forms as an English enumeration."""
    return " or ".join(forms)
