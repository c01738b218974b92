"""Ask for the payout profile on a terminal, field by field; each answer is checked at once."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

from liveportal.cli.commands.payouts.profile.options import parse_day
from liveportal.cli.io.hints import spell
from liveportal.cli.io.prompts import ask_hidden, ask_line
from liveportal.cli.io.text import clean
from liveportal.cli.parse import profile_fields as checks
from liveportal.domain.errors import InvalidValue, LiveportalError
from liveportal.domain.profile.fields import FORMS, METHODS, Changes, Values, allowed, usual_forms

Check = Callable[[str], str]

_LABELS = {
    "country": "Country of residence",
    "name": "Name of the payee",
    "email": "E-mail address",
    "method": "Payout method",
    "paypal": "PayPal e-mail address, if different",
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


WHOLES = (
    ("name",),
    ("email",),
    ("method", "paypal", "iban", "us_routing", "us_account"),
    ("country", "address"),
    ("country", "tax_form", "tax_number", "tax_signed"),
)
"""The answers that are set together, in the order of the questions."""


class ProfileAnswers:
    """The answers so far by field, in the form of the options, on top of the profile in force."""

    def __init__(self, in_force: Values, methods: Collection[str], zone: str) -> None:
        self.given: dict[str, Any] = {}
        self._in_force = in_force
        self._methods = methods
        self._zone = zone

    def ask_all(self) -> dict[str, Any]:
        """Ask for everything that a payout needs; the questions depend on the country.

        An empty answer keeps the present value. Raises `Declined` at the end of the input.
        """
        _write_line("Press Enter to keep the value in brackets, or Ctrl-C to stop.")
        self._ask("country", checks.country)
        self._ask("name", str)
        self._ask("email", checks.email)
        self._ask_method()
        self._ask_address()
        self._ask_tax()
        if {"address", "tax_number"} & self.given.keys():
            self.given.setdefault("country", self._current("country"))
        return self.given

    def _current(self, field: str) -> str:
        """Return the value of a field so far; empty if it has none."""
        if field in self.given:
            return str(self.given[field])
        return self._in_force[field].plain if field in self._in_force else ""

    def _ask(
        self,
        field: str,
        check: Check,
        *,
        label: str | None = None,
        default: str = "",
        secret: bool = False,
        needed: bool = True,
        replace: bool = False,
    ) -> None:
        """Ask until the answer is valid.

        An empty answer keeps the present value or, without one, means `default`. With `replace` the
        present value is ignored.
        """
        present = None if replace else self._in_force.get(field)
        shown_default = str(present) if present is not None else default
        question = f"{label or _LABELS[field]}{f' [{shown_default}]' if shown_default else ''}:"
        while True:
            text = ask_hidden(question) if secret else ask_line(question)
            if not text and (present is not None or not (default or needed)):
                return
            try:
                self.given[field] = check(text or default) if text or default else _raise_needed()
            except LiveportalError as error:
                _write_line(f"{error.message} {spell(error.hint)}")
            else:
                return

    def _ask_method(self) -> None:
        known = allowed(self._methods) or tuple(METHODS)
        before = self._current("method")
        if len(known) > 1 or before not in ("", *known):
            label = f"{_LABELS['method']} ({', '.join(known)})"
            choice = dict.fromkeys(known)
            self._ask(
                "method",
                lambda text: checks.one_of("method", text, choice),
                label=label,
                default=known[0],
                replace=before not in known,
            )
        elif not before:
            self.given["method"] = known[0]
        match self._current("method"):
            case "paypal":
                self._ask("paypal", lambda text: checks.email(text, "paypal"), needed=False)
            case "iban":
                self._ask("iban", checks.iban, secret=True)
            case _:
                self._ask("us_routing", checks.us_routing)
                self._ask("us_account", checks.us_account, secret=True)
        if self.given.get("method") == before:
            del self.given["method"]

    def _ask_address(self) -> None:
        """Ask for the parts of an address in the country's order, until the address is valid."""
        code = self._current("country")
        present = json.loads(self._in_force["address"].plain) if "address" in self._in_force else {}
        if present.get("country") != code:
            present = {}
        while True:
            parts: dict[str, Any] = {}
            for name, label, needed in checks.order_of(code):
                if name == "lines":
                    parts["lines"] = _ask_lines(label, present.get("lines", []))
                else:
                    parts[name] = _ask_part(label, present.get(name, ""), needed=needed)
            try:
                document = checks.address(parts, code)
            except LiveportalError as error:
                _write_line(f"{error.message} {spell(error.hint)}")
                present = parts
                continue
            if "address" not in self._in_force or document != self._in_force["address"].plain:
                self.given["address"] = parts
            return

    def _ask_tax(self) -> None:
        before, fitting = self._current("tax_form"), usual_forms(self._current("country"))
        label = f"{_LABELS['tax_form']} ({', '.join(FORMS)})"
        self._ask(
            "tax_form",
            lambda text: checks.one_of("tax_form", text, FORMS),
            label=label,
            default=fitting[0],
            replace=before not in fitting,
        )
        form = self._current("tax_form")
        another = form != before
        self._ask("tax_number", str, label=_NUMBERS[form], secret=True, replace=another)
        while number := self.given.get("tax_number"):
            try:
                country = self._current("country")
                checks.check_fields({"tax_form": form, "tax_number": number, "country": country})
                break
            except LiveportalError as error:
                _write_line(f"{error.message} {spell(error.hint)}")
                self._ask("tax_number", str, label=_NUMBERS[form], secret=True, replace=True)
        if "tax_signed" in FORMS[form]:
            read: Check = lambda text: parse_day("tax_signed", text, self._zone)  # noqa: E731
            self._ask("tax_signed", read, replace=another)
        if "tax_number" in self.given:
            # A number is set together with its form, and the form with its date.
            self.given["tax_form"] = form
            if "tax_signed" in FORMS[form]:
                self.given.setdefault("tax_signed", self._current("tax_signed"))
        else:
            self.given.pop("tax_form", None)


def _ask_lines(label: str, present: list[str]) -> list[str]:
    lines: list[str] = []
    while len(lines) < checks.MOST_LINES:
        number = len(lines)
        shown_default = present[number] if number < len(present) else ""
        more = ", or Enter" if lines and not shown_default else ""
        text = (
            ask_line(f"{label.capitalize()}, line {number + 1}{more}{_format_kept(shown_default)}:")
            or shown_default
        )
        if not text:
            break
        lines.append(text)
    return lines


def _ask_part(label: str, shown_default: str, *, needed: bool) -> str:
    optional = "" if needed else ", if any"
    return (
        ask_line(f"{label.capitalize()}{optional}{_format_kept(shown_default)}:") or shown_default
    )


def _format_kept(text: str) -> str:
    return f" [{text}]" if text else ""


def _raise_needed() -> str:
    raise InvalidValue("This answer is required.", hint="To stop without saving, press Ctrl-C.")


def whole_part(
    given: Mapping[str, Any], check: Callable[[Mapping[str, Any]], object]
) -> dict[str, Any]:
    """Return those answers that can be set without the ones still missing.

    `check` raises what is wrong with a part, such as a method without its account.
    """
    part: dict[str, Any] = {}
    for fields in WHOLES:
        more = {**part, **{name: given[name] for name in fields if name in given}}
        with suppress(LiveportalError):
            check(more)
            part = more
    return part


def write_summary(change: Changes, in_force: Values) -> None:
    """Write what a change of the profile in force would record, masked."""
    _write_line("")
    for field in change.event_fields:
        if value := change.values.get(field):
            is_address = field == "address"
            text = ", ".join(checks.address_lines(value.plain)) if is_address else str(value)
            _write_line(f"{field.replace('_', ' ')}: {text}")
        elif field in in_force:
            _write_line(f"{field.replace('_', ' ')}: (cleared)")


def _write_line(text: str) -> None:
    sys.stderr.write(clean(text) + "\n")
    sys.stderr.flush()
