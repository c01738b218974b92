"""The input of `payout profile set`: options or a file; secrets are never arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.commands.preferences.toml_document import content_of
from liveportal.cli.completion import choices
from liveportal.cli.io.prompts import STDIN, ask_hidden, can_ask, read_text
from liveportal.cli.io.render import hint
from liveportal.cli.io.usage import suggestion
from liveportal.cli.options import Options, options_in
from liveportal.cli.parse import toml_file
from liveportal.cli.parse.profile_fields import PARTS, field_error
from liveportal.cli.parse.times import read_time
from liveportal.domain.clock import local_date
from liveportal.domain.errors import InvalidTime, InvalidValue
from liveportal.domain.frozen import frozen
from liveportal.domain.patterns import pattern
from liveportal.domain.profile.fields import FIELDS, FORMS, METHODS
from liveportal.ledger.storage.atomic import is_open_to_others

_who_option = options_in("Who and where")
_paid_option = options_in("How you are paid")
_tax_option = options_in("Tax")

SECRETS = ("iban", "us_account", "tax_number")
DAYS = ("tax_signed", "tax_expires")
KEYS = tuple(name for name in FIELDS if name != "bic")
"""The keys of a file."""

_PLACE = pattern(r"\(at (?:line [0-9]+, column [0-9]+|end of document)\)")

Text = str | None


def _number_help(number: str) -> str:
    return f"Pass - to be asked for {number}."


@frozen
class Profile(Options):
    """The new values of the profile; None leaves a field unchanged, an empty text clears it."""

    name: Annotated[
        Text, _who_option("--name", metavar="TEXT", help="The payee, as the bank has it.")
    ] = None
    email: Annotated[Text, _who_option("--email", metavar="TEXT", help="Your e-mail address.")] = (
        None
    )
    country: Annotated[
        Text, _who_option("--country", metavar="TEXT", help="Your country: DE or Germany.")
    ] = None
    line: Annotated[
        list[str] | None,
        _who_option("--line", metavar="TEXT", help="Street and number; repeatable."),
    ] = None
    city: Annotated[Text, _who_option("--city", metavar="TEXT", help="The city.")] = None
    district: Annotated[
        Text, _who_option("--district", metavar="TEXT", help="The district of the city.")
    ] = None
    region: Annotated[
        Text, _who_option("--region", metavar="TEXT", help="The state or province.")
    ] = None
    postal_code: Annotated[
        Text, _who_option("--postal-code", metavar="TEXT", help="The postal code.")
    ] = None
    sorting_code: Annotated[
        Text, _who_option("--sorting-code", metavar="TEXT", help="Such as CEDEX.")
    ] = None
    method: Annotated[
        Text,
        _paid_option(
            "--method",
            metavar="METHOD",
            help="paypal, iban or us_account.",
            autocompletion=choices(METHODS),
        ),
    ] = None
    paypal: Annotated[
        Text,
        _paid_option(
            "--paypal", metavar="EMAIL", help="Your PayPal address, if not that of --email."
        ),
    ] = None
    iban: Annotated[Text, _paid_option("--iban", metavar="-", help=_number_help("the IBAN"))] = None
    us_routing: Annotated[
        Text, _paid_option("--us-routing", metavar="TEXT", help="The routing number of a US bank.")
    ] = None
    us_account: Annotated[
        Text, _paid_option("--us-account", metavar="-", help=_number_help("the account number"))
    ] = None
    tax_form: Annotated[
        Text,
        _tax_option(
            "--tax-form",
            metavar="FORM",
            help="w9 (US), w8ben (others) or vat (VAT number).",
            autocompletion=choices(FORMS),
        ),
    ] = None
    tax_number: Annotated[
        Text, _tax_option("--tax-number", metavar="-", help=_number_help("the tax number"))
    ] = None
    tax_signed: Annotated[
        Text,
        _tax_option("--tax-signed", metavar="DATE", help="The day of your signature."),
    ] = None
    tax_expires: Annotated[
        Text,
        _tax_option(
            "--tax-expires",
            metavar="DATE",
            help="The form's last valid day, if not the usual one.",
        ),
    ] = None

    @property
    def secrets(self) -> list[str]:
        """The names of the given secrets."""
        return [name for name in SECRETS if getattr(self, name) is not None]

    def values(self, zone: str) -> dict[str, Any]:
        """Return the given values by field; secrets are asked for, or read from standard input.

        A secret that was typed as an argument is a usage error.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        typed = {name: value for name, value in values.items() if value is not None}
        secrets = self.secrets
        for name in secrets:
            if typed[name] != STDIN:
                raise typer.BadParameter(
                    "give -, never the number, which the shell would remember",
                    param_hint=_option_name(name),
                )
        if len(secrets) > 1 and not can_ask():
            raise typer.BadParameter(
                "standard input can give one number only; use --from FILE for more",
                param_hint=_option_name(secrets[1]),
            )
        if address := {name: typed.pop(name) for name in ("line", *PARTS) if name in typed}:
            lines = address.pop("line", [])
            typed["address"] = {"lines": lines, **address}
        for name in DAYS:
            if typed.get(name):
                typed[name] = parse_day(name, typed[name], zone)
        return typed | {name: read_secret(name) for name in secrets}


def _option_name(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def read_secret(name: str) -> str:
    """Return a secret: asked for without echo, or else all of standard input.

    Raises `InvalidValue` if it is empty: the command that should have printed it may have failed.
    """
    text = ask_hidden(f"{name} (not shown):") if can_ask() else read_text(STDIN)
    if not text:
        raise field_error(name, "is empty", "Check the command that should print it.")
    return text


def parse_day(name: str, text: str, zone: str) -> str:
    """Parse a day as people type it, to an ISO date; raises `InvalidValue`."""
    try:
        moment = read_time(text, zone, utc_now(), past=name == "tax_signed", date_only=True)
    except InvalidTime:
        raise field_error(name, "is not a day", "Write it like 2026-01-31.") from None
    if name == "tax_signed" and moment > utc_now():
        raise field_error(name, "is in the future")
    return local_date(moment, zone).isoformat()


# --- a file -------------------------------------------------------------------------------------


def read_file(file: str, zone: str) -> dict[str, Any]:
    """Return the values of a TOML file by field; `-` is standard input.

    Errors name the key or the position, never a value. Raises `UnreadableFile`, `InvalidInput` and
    `InvalidValue`.
    """
    where, text = content_of(file)
    if file != STDIN:
        _hint_permissions(Path(file))
    try:
        document = toml_file.loads(text)
    except ValueError as error:
        place = _PLACE.search(str(error))
        raise InvalidValue(
            f"{where} is not a TOML file{f' {place[0]}' if place else ''}.",
            hint='Write one field on each line, such as name = "Anna Example".',
        ) from None
    return {name: _plain(name, document, zone) for name in document}


def _plain(name: str, document: Mapping[str, Any], zone: str) -> object:
    if name not in KEYS:
        # A key that does not look like a name may be a secret in the wrong place.
        is_name = re.fullmatch("[a-z_]{1,32}", name)
        subject = f"The key {name}" if is_name else "A key in the file"
        listing = "`liveportal payout profile set --help` lists the fields."
        raise InvalidValue(
            f"{subject} is not a field of the payout profile.",
            hint=suggestion(name if is_name else "", KEYS, listing),
        )
    value = document[name]
    if name not in DAYS:
        return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str):
        raise field_error(name, "must be a day such as 2026-01-31")
    return parse_day(name, value, zone) if value else ""


def _hint_permissions(file: Path) -> None:
    if is_open_to_others(file.stat().st_mode):
        hint(f"Others may read {file}: chmod 600, or remove it when it is no longer needed.")
