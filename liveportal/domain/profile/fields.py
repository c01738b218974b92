"""The payout profile: what it consists of, what of it is secret, what a payout needs (R12, R14).

Its values are texts: days as `2026-01-31`, the address as JSON. They are in no event; those that
are sealed lie in the ledger encrypted, the others plain, so that deadlines are known without a key.

A method and a tax form are set together with what they need, and an address whole. So a field that
is filled in is complete, and what a change is depends on nothing but what was given.
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
from liveportal.domain.values import dataclass

LEFT = 4
"""How many characters of a secret are shown, and of a short one none."""
LONG_ENOUGH = 9


# --- masks ------------------------------------------------------------------------------------


def _tail(text: str) -> str:
    """Return the last characters of a secret that is long enough to keep the others."""
    compact = "".join(filter(str.isalnum, text))
    return compact[-LEFT:] if len(compact) >= LONG_ENOUGH else ""


def mask_account(text: str) -> str:
    """Return what is shown of an account number."""
    return f"**** {_tail(text)}".rstrip()


def mask_tax_number(text: str) -> str:
    """Return what is shown of a tax number; a US one keeps its form, which tells its kind."""
    if re.fullmatch(r"[0-9]{3}-[0-9]{2}-[0-9]{4}", text, re.ASCII):
        return f"***-**-{_tail(text)}"
    if re.fullmatch(r"[0-9]{2}-[0-9]{7}", text, re.ASCII):
        return f"**-***{_tail(text)}"
    return f"****{_tail(text)}"


def mask_email(text: str) -> str:
    """Return what is shown of an e-mail address: where it is, and how it begins if it is long."""
    local, at, domain = text.rpartition("@")
    return f"{local[:1] if len(local) >= LEFT else ''}***{at}{domain if at else ''}"


# --- fields -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """Whether a field is sealed, and how it is shown to whoever did not ask for the whole of it."""

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
FACTS = tuple(name for name, field in FIELDS.items() if not field.sealed)

METHODS: Mapping[str, tuple[str, ...]] = {
    "paypal": (),
    "iban": ("iban",),
    "us_account": ("us_routing", "us_account"),
}
"""The methods, and what each needs besides an e-mail address."""
BANK = "bank"
"""What a policy calls all methods but PayPal."""
_METHOD_OF = {
    "paypal": "paypal",
    **dict.fromkeys(("iban", "bic"), "iban"),
    **dict.fromkeys(("us_routing", "us_account"), "us_account"),
}
DERIVED_FROM = {"bic": "iban"}
"""Fields that follow from another: they are kept with it, and no event tells of them."""

FORMS: Mapping[str, tuple[str, ...]] = {
    "w9": ("tax_number", "tax_signed"),
    "w8ben": ("tax_number", "tax_signed"),
    "vat": ("tax_number",),
}
"""The tax forms, and what each needs; `vat` is none of the US's own, and a VAT number (R14)."""
_OF_FORM = {"tax_number", "tax_signed", "tax_expires"}
W9_COUNTRIES = frozenset({"US", "AS", "GU", "MP", "PR", "UM", "VI"})
"""The United States and their territories, whose residents file a W-9."""
_W8BEN_YEARS = 3


class Value:
    """The text of a field. It shows itself masked, whoever prints it: `plain` alone is the text."""

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


@dataclass(frozen=True, slots=True)
class Changes:
    """What a change sets and clears; `afresh` tells that nothing of what was there stays."""

    values: Values
    cleared: frozenset[str]
    afresh: bool = False

    @property
    def told(self) -> tuple[str, ...]:
        """The fields that the event names, in the order of fields."""
        return tuple(
            name
            for name in FIELDS
            if (name in self.values or name in self.cleared) and name not in DERIVED_FROM
        )

    def after(self, force: Values) -> dict[str, Value]:
        """Return the profile that it makes of the one in force."""
        kept = {} if self.afresh else force
        return {name: kept[name] for name in kept if name not in self.cleared} | {**self.values}


def changes(given: Mapping[str, str], *, afresh: bool = False) -> Changes:
    """Return what a change is that was given as checked texts; an empty one clears its field.

    The account of another method does not outlive a change of the method, nor a tax number, date or
    expiry the form that it was given for.
    """
    values = {name: Value(name, text) for name, text in given.items() if text}
    cleared = {name for name, text in given.items() if not text}
    if method := given.get("method"):
        cleared |= {name for name, of in _METHOD_OF.items() if of != method}
    if "iban" in given:
        cleared.add("bic")
    if "tax_form" in given:
        cleared |= _OF_FORM
    if "tax_signed" in given:
        cleared.add("tax_expires")
    if afresh:
        cleared |= FIELDS.keys()
    return Changes(values, frozenset(cleared - values.keys()), afresh)


def judge(
    change: Changes, force: Values, *, methods: Collection[str], today: date
) -> tuple[Caution, ...]:
    """Return what speaks against a change of the profile in force.

    Raises `InvalidValue` and `IncompleteProfile` for what cannot be.
    """
    after = change.after(force)
    if not change.afresh:
        _check_cleared(change.cleared)
    _check_method(change, after)
    _check_form(change, after, today)
    _check_address(change, after, force)
    facts = {name: value.plain for name, value in after.items()}
    found: list[Caution] = []
    if "method" in change.values and not is_listed(facts["method"], methods):
        found.append(
            UnlistedMethod(
                f"the policy pays by {', '.join(methods)}, not by {facts['method']}",
                hint="--anyway sets it all the same.",
            )
        )
    if change.values.keys() & {"tax_form", "country"} and not fits(facts):
        found.append(
            UnfittingTaxForm(
                f"the form for {facts['country']} is"
                f" {worded(usual_forms(facts['country']))}, not {facts['tax_form']}",
                hint="Correct --tax-form or --country; --anyway sets it all the same.",
            )
        )
    ends = expiry(facts)
    if change.values.keys() & {"tax_signed", "tax_expires"} and ends and ends < today:
        found.append(
            ExpiredTaxForm(
                f"the tax form was valid until {ends}",
                hint="Sign a new one first; --anyway sets it all the same.",
            )
        )
    return tuple(found)


def _check_cleared(cleared: Collection[str]) -> None:
    for name in (*Profile.REQUIRED, "country"):
        if name in cleared:
            raise InvalidValue(
                f"{name} cannot be cleared: no payout goes without it",
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
                f"{name} belongs to the method {_METHOD_OF[name]}, and the method is {method}",
                hint=f"Give --method {_METHOD_OF[name]} too.",
                field=name,
            )
    lacking = [name for name in METHODS[method] if name not in after]
    if method == "paypal" and not after.keys() & {"paypal", "email"}:
        lacking = ["email"]
    _refuse_lacking(f"the method {method}", lacking)


def _check_form(change: Changes, after: Values, today: date) -> None:
    if "tax_form" in after:
        form = after["tax_form"].plain
        _refuse_lacking(f"the tax form {form}", [name for name in FORMS[form] if name not in after])
    elif of_form := sorted(change.values.keys() & _OF_FORM):
        _refuse_lacking(of_form[0], ["tax_form"])
    if "tax_signed" not in after:
        return
    signed = date.fromisoformat(after["tax_signed"].plain)
    if signed > today:
        raise InvalidValue(f"tax_signed: {signed} is still to come", field="tax_signed")
    if "tax_expires" in after and date.fromisoformat(after["tax_expires"].plain) < signed:
        raise InvalidValue("tax_expires: is before the day of signature", field="tax_expires")


def _check_address(change: Changes, after: Values, force: Values) -> None:
    moved = "country" in force and force["country"] != after.get("country")
    if moved and "address" in after and "address" not in change.values:
        raise IncompleteProfile(
            "the address is in another country",
            hint="Give the address together with --country: --line, --city and so on.",
            field="address",
        )


def _refuse_lacking(what: str, names: Collection[str]) -> None:
    if names:
        raise IncompleteProfile(
            f"{what} needs {' and '.join(names)}",
            hint="Give them together; `liveportal payout profile set` on a terminal asks for all.",
            fields=list(names),
        )


# --- what a payout needs ----------------------------------------------------------------------


def is_listed(method: str, methods: Collection[str]) -> bool:
    """Tell whether a policy's methods have one of ours: `bank` is any transfer (R12)."""
    return method in methods or (method != "paypal" and BANK in methods)


def allowed(methods: Collection[str]) -> tuple[str, ...]:
    """Return our methods that a policy pays by."""
    return tuple(each for each in METHODS if is_listed(each, methods))


def usual_forms(country: str) -> tuple[str, ...]:
    """Return the tax forms for residents of a country, the usual one first (R14)."""
    return ("w9",) if country in W9_COUNTRIES else ("w8ben", "vat")


def fits(facts: Mapping[str, str]) -> bool:
    """Tell whether the tax form is one for the country (R14); the unknown speaks against none."""
    form, country = facts.get("tax_form"), facts.get("country")
    return form is None or country is None or form in usual_forms(country)


def expiry(facts: Mapping[str, str]) -> date | None:
    """Return the last day on which the tax form is valid; None if it has no end, or is not known.

    As it was given, or by the form: a W-8BEN ends with the third calendar year after that of its
    signature, a W-9 does not end.
    """
    if given := facts.get("tax_expires"):
        return date.fromisoformat(given)
    signed = facts.get("tax_signed")
    if facts.get("tax_form") != "w8ben" or signed is None:
        return None
    year = date.fromisoformat(signed).year + _W8BEN_YEARS
    return date(min(year, date.max.year), 12, 31)


def worded(forms: Collection[str]) -> str:
    """Return forms as a sentence names them."""
    return " or ".join(forms)
