"""The payout profile asked for on a terminal, field by field; each answer is checked at once."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection
from typing import Any

from liveportal.cli.commands.payouts.profile.options import day
from liveportal.cli.io.prompts import answer, hidden
from liveportal.cli.io.text import clean
from liveportal.cli.parse import profile_fields as checks
from liveportal.domain.errors import InvalidValue, LiveportalError
from liveportal.domain.profile.fields import FORMS, METHODS, Changes, Values, allowed, usual_forms

Check = Callable[[str], str]

_LABELS = {
    "country": "Country of residence",
    "name": "Name of the payee",
    "email": "E-mail address",
    "method": "Method",
    "paypal": "PayPal's e-mail address, if another",
    "iban": "IBAN (not shown)",
    "us_routing": "Routing number of the bank",
    "us_account": "Account number (not shown)",
    "tax_form": "Tax form",
    "tax_number": "Tax number (not shown)",
    "tax_signed": "Signed on",
}
_NUMBERS = {
    "w9": "SSN, ITIN or EIN, with its dashes (not shown)",
    "w8ben": "Your country's tax number (not shown)",
    "vat": "VAT number (not shown)",
}


class ProfileAnswers:
    """The answers so far, by field as an option would give them, over the profile in force."""

    def __init__(self, force: Values, methods: Collection[str], zone: str) -> None:
        self.given: dict[str, Any] = {}
        self._force = force
        self._methods = methods
        self._zone = zone

    def everything(self) -> dict[str, Any]:
        """Ask for all that a payout needs, in the order that depends on the country.

        An empty answer keeps what is there. Raises `Declined` at the end of the input.
        """
        _say("Enter keeps what stands in brackets; Ctrl-C ends it, and nothing is recorded.")
        self._ask("country", checks.country)
        self._ask("name", str)
        self._ask("email", checks.email)
        self._method()
        self._address()
        self._tax()
        if {"address", "tax_number"} & self.given.keys():
            self.given.setdefault("country", self._now("country"))
        return self.given

    def _now(self, field: str) -> str:
        """Return what a field is by now; empty if nothing was said of it."""
        if field in self.given:
            return str(self.given[field])
        return self._force[field].plain if field in self._force else ""

    def _ask(
        self,
        field: str,
        check: Check,
        *,
        label: str | None = None,
        usual: str = "",
        secret: bool = False,
        needed: bool = True,
        anew: bool = False,
    ) -> None:
        """Ask until an answer is one; `usual` is what an empty one means where nothing is there.

        What is there does not count where it is to be given `anew`.
        """
        there = None if anew else self._force.get(field)
        kept = str(there) if there is not None else usual
        question = f"{label or _LABELS[field]}{f' [{kept}]' if kept else ''}:"
        while True:
            text = hidden(question) if secret else answer(question)
            if not text and (there is not None or not (usual or needed)):
                return
            try:
                self.given[field] = check(text or usual) if text or usual else _needed()
            except LiveportalError as error:
                _say(f"{error.message}. {error.hint}")
            else:
                return

    def _method(self) -> None:
        known = allowed(self._methods) or tuple(METHODS)
        before = self._now("method")
        if len(known) > 1 or before not in ("", *known):
            label = f"{_LABELS['method']} ({', '.join(known)})"
            choice = dict.fromkeys(known)
            self._ask(
                "method",
                lambda text: checks.one_of("method", text, choice),
                label=label,
                usual=known[0],
                anew=before not in known,
            )
        elif not before:
            self.given["method"] = known[0]
        match self._now("method"):
            case "paypal":
                self._ask("paypal", lambda text: checks.email(text, "paypal"), needed=False)
            case "iban":
                self._ask("iban", checks.iban, secret=True)
            case _:
                self._ask("us_routing", checks.us_routing)
                self._ask("us_account", checks.us_account, secret=True)
        if self.given.get("method") == before:
            del self.given["method"]

    def _address(self) -> None:
        """Ask for the parts of an address in their country's own order, until they make one."""
        code = self._now("country")
        there = json.loads(self._force["address"].plain) if "address" in self._force else {}
        if there.get("country") != code:
            there = {}
        while True:
            parts: dict[str, Any] = {}
            for name, called, needed in checks.order_of(code):
                if name == "lines":
                    parts["lines"] = _lines(called, there.get("lines", []))
                else:
                    parts[name] = _part(called, there.get(name, ""), needed=needed)
            try:
                document = checks.address(parts, code)
            except LiveportalError as error:
                _say(f"{error.message}. {error.hint}")
                there = parts
                continue
            if "address" not in self._force or document != self._force["address"].plain:
                self.given["address"] = parts
            return

    def _tax(self) -> None:
        before, fitting = self._now("tax_form"), usual_forms(self._now("country"))
        label = f"{_LABELS['tax_form']} ({', '.join(FORMS)})"
        self._ask(
            "tax_form",
            lambda text: checks.one_of("tax_form", text, FORMS),
            label=label,
            usual=fitting[0],
            anew=before not in fitting,
        )
        form = self._now("tax_form")
        another = form != before
        self._ask("tax_number", str, label=_NUMBERS[form], secret=True, anew=another)
        while number := self.given.get("tax_number"):
            try:
                country = self._now("country")
                checks.checked({"tax_form": form, "tax_number": number, "country": country})
                break
            except LiveportalError as error:
                _say(f"{error.message}. {error.hint}")
                self._ask("tax_number", str, label=_NUMBERS[form], secret=True, anew=True)
        if "tax_signed" in FORMS[form]:
            read: Check = lambda text: day("tax_signed", text, self._zone)  # noqa: E731
            self._ask("tax_signed", read, anew=another)
        if "tax_number" in self.given:
            # A number is given with its form, and the form with its day.
            self.given["tax_form"] = form
            if "tax_signed" in FORMS[form]:
                self.given.setdefault("tax_signed", self._now("tax_signed"))
        else:
            self.given.pop("tax_form", None)


def _lines(called: str, there: list[str]) -> list[str]:
    found: list[str] = []
    while len(found) < checks.MOST_LINES:
        number = len(found)
        kept = there[number] if number < len(there) else ""
        more = ", or Enter" if found and not kept else ""
        text = answer(f"{called.capitalize()}, line {number + 1}{more}{_kept(kept)}:") or kept
        if not text:
            break
        found.append(text)
    return found


def _part(called: str, kept: str, *, needed: bool) -> str:
    optional = "" if needed else ", if any"
    return answer(f"{called.capitalize()}{optional}{_kept(kept)}:") or kept


def _kept(text: str) -> str:
    return f" [{text}]" if text else ""


def _needed() -> str:
    raise InvalidValue("This is needed", hint="Ctrl-C ends it.")


def summary(change: Changes, force: Values) -> None:
    """Say what a change of the profile in force would record, masked."""
    _say("")
    for field in change.told:
        if value := change.values.get(field):
            whole = field == "address"
            text = ", ".join(checks.address_lines(value.plain)) if whole else str(value)
            _say(f"{field.replace('_', ' ')}: {text}")
        elif field in force:
            _say(f"{field.replace('_', ' ')}: (cleared)")


def _say(text: str) -> None:
    sys.stderr.write(clean(text) + "\n")
    sys.stderr.flush()
