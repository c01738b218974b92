"""The payout profile: masks, dependent fields, what a payout requires and until when."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain import errors
from liveportal.domain.entities import Profile
from liveportal.domain.profile import fields, requirements
from liveportal.domain.profile.fields import Changes, Value, changes, expiry, judge
from tests.kit.books import Book

TODAY = date(2026, 11, 23)
BANK = ("paypal", "bank")
GERMAN = {
    "name": "Anna Example",
    "email": "anna@example.com",
    "method": "iban",
    "iban": "DE89370400440532013000",
    "bic": "COBADEFFXXX",
    "country": "DE",
    "address": json.dumps({"lines": ["Torstr. 1"], "city": "BERLIN", "country": "DE"}),
    "tax_form": "w8ben",
    "tax_number": "65 929 970 489",
    "tax_signed": "2026-01-05",
}
FORCE = changes(GERMAN).values


def judged(
    change: Changes, force: fields.Values = FORCE, methods: tuple[str, ...] = BANK
) -> list[str]:
    """Return the codes of the cautions on a change."""
    return [caution.code for caution in judge(change, force, methods=methods, today=TODAY)]


def refused(change: Changes, force: fields.Values = FORCE) -> errors.LiveportalError:
    """Return the error with which a change is refused."""
    with pytest.raises((errors.IncompleteProfile, errors.InvalidValue)) as caught:
        judged(change, force)
    return caught.value


# --- masks ----------------------------------------------------------------------------------------

numbers = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ -./+", min_size=1, max_size=40)


@given(numbers)
def test_never_more_than_four_characters_of_a_number_survive(number: str) -> None:
    """The mask shows a tail of four, or nothing of a short number."""
    compact = "".join(filter(str.isalnum, number))
    for mask in (fields.mask_account, fields.mask_tax_number):
        left = mask(number).translate(dict.fromkeys(map(ord, "*- ")))
        assert len(left) <= 4
        assert compact.endswith(left)
        assert bool(left) == (len(compact) >= 9)


@pytest.mark.parametrize(
    ("field", "text", "shown"),
    [
        ("iban", "DE89370400440532013000", "**** 3000"),
        ("us_account", "000123456789", "**** 6789"),
        ("us_account", "12345678", "****"),
        ("tax_number", "536-90-4399", "***-**-4399"),
        ("tax_number", "04-2103594", "**-***3594"),
        ("tax_number", "DE136695976", "****5976"),
        ("tax_number", "1234", "****"),
        ("email", "anna@example.com", "a***@example.com"),
        ("paypal", "bob@example.com", "***@example.com"),
        ("paypal", '"a@b"@example.com', '"***@example.com'),
        ("paypal", "no address", "***"),
        ("name", "Anna Example", "Anna Example"),
        ("country", "DE", "DE"),
    ],
)
def test_what_is_shown(field: str, text: str, shown: str) -> None:
    """By type: account and tax numbers end in four characters, an e-mail begins with one."""
    value = Value(field, text)
    assert str(value) == f"{value}" == shown
    assert value.plain == text


@given(st.sampled_from(sorted(fields.FIELDS)), st.text(min_size=1))
def test_a_value_is_written_out_by_no_accident(field: str, text: str) -> None:
    """Neither its repr nor a container's holds it, and nothing pickles or copies it."""
    value = Value(field, text)
    assert repr(value) == f"<{field}>"
    assert repr({"a": [value]}) == f"{{'a': [<{field}>]}}"
    with pytest.raises(TypeError):
        pickle.dumps(value)
    with pytest.raises(TypeError):
        copy.deepcopy(value)
    with pytest.raises(TypeError):
        json.dumps({"a": value})


def test_values_are_equal_by_field_and_text() -> None:
    """A set holds equal values once."""
    assert Value("iban", "1") == Value("iban", "1")
    assert Value("iban", "1") != Value("us_account", "1")
    assert Value("iban", "1") != "1"
    assert len({Value("iban", "1"), Value("iban", "1"), Value("iban", "2")}) == 2


# --- changes --------------------------------------------------------------------------------------


def test_a_change_of_method_clears_the_others() -> None:
    """An account number does not outlive the method that it was for."""
    change = changes({"method": "paypal"})
    assert change.cleared == {"iban", "bic", "us_routing", "us_account"}
    assert change.event_fields == ("method", "iban", "us_routing", "us_account")  # The BIC follows.
    assert not change.after(FORCE).keys() & {"iban", "bic"}


def test_a_form_is_given_whole() -> None:
    """A new tax form resets number, date and end; a new date resets the end."""
    assert changes({"tax_form": "vat"}).cleared == {"tax_number", "tax_signed", "tax_expires"}
    assert changes({"tax_signed": "2026-01-01"}).cleared == {"tax_expires"}
    given_both = changes({"tax_signed": "2026-01-01", "tax_expires": "2027-01-01"})
    assert not given_both.cleared


def test_afresh_forgets_all_else() -> None:
    """Every field that is not given is cleared."""
    change = changes({"name": "Anna"}, afresh=True)
    assert change.cleared == fields.FIELDS.keys() - {"name"}
    assert change.after(FORCE) == {"name": Value("name", "Anna")}
    assert judged(change) == []


@given(
    st.dictionaries(st.sampled_from(sorted(GERMAN)), st.sampled_from(["", "x"])),
    st.dictionaries(st.sampled_from(sorted(GERMAN)), st.sampled_from(["y"])),
)
def test_a_change_is_what_was_given_and_can_be_repeated(
    texts: dict[str, str], before: dict[str, str]
) -> None:
    """It does not depend on the previous values, and is idempotent."""
    change, force = changes(texts), changes(before).values
    after = change.after(force)
    assert change.after(after) == after
    assert {name for name, text in texts.items() if text} == change.values.keys()
    assert not change.cleared & after.keys()
    assert set(change.event_fields) == (change.values.keys() | change.cleared) - {"bic"}


@pytest.mark.parametrize("field", [*sorted(Profile.REQUIRED), "country"])
def test_what_a_payout_needs_is_not_cleared(field: str) -> None:
    """A required field can only be replaced, or the whole profile started afresh."""
    error = refused(changes({field: ""}))
    assert (error.code, error.details["field"]) == ("invalid_value", field)


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ({"method": "us_account"}, "The method us_account needs us_routing and us_account."),
        ({"method": "us_account", "us_routing": "1"}, "needs us_account"),
        ({"us_account": "1"}, "The field us_account belongs to the method us_account, but"),
        ({"iban": ""}, "The method iban needs iban."),
        ({"method": "paypal", "iban": "1"}, "The field iban belongs to the method iban, but"),
        ({"tax_form": "w9"}, "The tax form w9 needs tax_number and tax_signed."),
        ({"tax_form": "vat"}, "The tax form vat needs tax_number."),
        ({"tax_number": ""}, "The tax form w8ben needs tax_number."),
        ({"tax_signed": ""}, "The tax form w8ben needs tax_signed."),
        ({"country": "FR"}, "The address in the profile is in another country."),
        ({"tax_signed": "2026-11-24"}, "(tax_signed), 2026-11-24, is in the future."),
        ({"tax_expires": "2026-01-04"}, "(tax_expires) is before the day of signature"),
    ],
)
def test_what_cannot_be(texts: dict[str, str], says: str) -> None:
    """A method or tax form needs its fields, an address its country, a form its dates in order."""
    error = refused(changes(texts))
    assert says in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ({"method": "paypal"}, "The method paypal needs email."),
        ({"tax_signed": "2026-01-01"}, "The field tax_signed needs tax_form."),
    ],
)
def test_what_cannot_be_at_first(texts: dict[str, str], says: str) -> None:
    """PayPal needs an account address; a date needs the form that was signed on it."""
    assert says in refused(changes(texts), {}).message


@pytest.mark.parametrize(
    ("texts", "codes"),
    [
        ({"name": "Anna"}, []),
        ({"tax_form": "w9", "tax_number": "1", "tax_signed": "2026-01-01"}, ["unfitting_tax_form"]),
        ({"tax_form": "vat", "tax_number": "1"}, []),
        ({"country": "US", "address": "{}"}, ["unfitting_tax_form"]),
        ({"country": "FR", "address": "{}"}, []),
        ({"tax_signed": "2022-12-31"}, ["expired_tax_form"]),
        ({"tax_signed": "2023-01-01"}, []),
        ({"tax_signed": "2022-12-31", "tax_expires": "2026-11-23"}, []),
        ({"tax_expires": "2026-11-22"}, ["expired_tax_form"]),
    ],
)
def test_what_is_seldom_meant(texts: dict[str, str], codes: list[str]) -> None:
    """A form for another country or an expired one: allowed if confirmed (R14)."""
    assert judged(changes(texts)) == codes


@pytest.mark.parametrize(
    ("methods", "ours"),
    [
        (("paypal",), ["paypal"]),
        (("paypal", "bank"), ["paypal", "iban", "us_account"]),
        (("bank",), ["iban", "us_account"]),
        (("iban",), ["iban"]),
        (("cheque",), []),
    ],
)
def test_methods_are_the_policys(methods: tuple[str, ...], ours: list[str]) -> None:
    """R12: a method missing from `payout.methods` is a caution; `bank` is any transfer."""
    assert list(fields.allowed(methods)) == ours
    given_all = {"us_routing": "1", "us_account": "1", "iban": "1"}
    for method, needs in fields.METHODS.items():
        change = changes({"method": method, **{name: given_all[name] for name in needs}})
        assert (judged(change, methods=methods) == []) == (method in ours)


# --- expiry ---------------------------------------------------------------------------------------


@given(st.dates(date(1990, 1, 1), date(9999, 12, 31)))
def test_a_w8ben_ends_with_the_third_year_after(signed: date) -> None:
    """On the last day of that year, whatever the day it was signed; the calendar is enough."""
    ends = expiry({"tax_form": "w8ben", "tax_signed": signed.isoformat()})
    assert ends == date(min(signed.year + 3, 9999), 12, 31)


def test_what_else_ends() -> None:
    """A W-9 and a VAT number expire only if an end is given; without a date nothing is known."""
    signed = {"tax_signed": "2020-01-01"}
    assert expiry({"tax_form": "w9", **signed}) is None
    assert expiry({"tax_form": "vat"}) is None
    assert expiry({"tax_form": "w8ben"}) is None
    assert expiry({}) is None
    given_end = {"tax_expires": "2021-06-30", **signed}
    assert expiry({"tax_form": "w8ben", **given_end}) == date(2021, 6, 30)


# --- findings -------------------------------------------------------------------------------------

FACTS = {name: GERMAN[name] for name in ("method", "country", "tax_form", "tax_signed")}


def found(on: date = TODAY, methods: tuple[str, ...] = BANK, **texts: str) -> dict[str, str]:
    """Return the state of each requirement of a profile with these fields."""
    facts = {name: text for name, text in (FACTS | texts).items() if text}
    rows = requirements.findings(Profile.REQUIRED, facts, methods=methods, on=on)
    blocks = requirements.blocking(Profile.REQUIRED, facts, methods=methods, on=on)
    assert blocks == {row.requirement for row in rows if row.blocks}
    assert all((row.message is None) == (row.state == "ok") for row in rows)
    assert all((row.hint is None) == (row.message is None) for row in rows)
    return {row.requirement: row.state for row in rows}


def test_all_is_there() -> None:
    """A complete profile has no problems."""
    assert found() == dict.fromkeys(("name", "email", "method", "address", "tax_form"), "ok")


@given(st.sets(st.sampled_from(sorted(Profile.REQUIRED))))
def test_what_is_missing_blocks(filled: set[str]) -> None:
    """R12, R14: each of the five, with the reason and the remedy; the same as the handlers say."""
    rows = requirements.findings(filled, {}, methods=BANK, on=TODAY)
    missing = {row.requirement for row in rows if row.state == "missing"}
    assert missing == {row.requirement for row in rows if row.blocks}
    assert missing == Profile(frozenset(filled)).missing
    assert all(row.message and row.hint for row in rows if row.blocks)


@pytest.mark.parametrize(
    ("on", "state"),
    [
        (date(2029, 10, 31), "ok"),
        (date(2029, 11, 1), "expires_soon"),
        (date(2029, 12, 31), "expires_soon"),
        (date(2030, 1, 1), "expired"),
    ],
)
def test_a_form_that_ends(on: date, state: str) -> None:
    """It is spoken of sixty days before, and blocks from the day after its last."""
    assert found(on)["tax_form"] == state


@pytest.mark.parametrize(
    ("form", "country", "fits"),
    [
        ("w9", "US", True),
        ("w9", "PR", True),
        ("w9", "DE", False),
        ("w8ben", "DE", True),
        ("w8ben", "US", False),
        ("vat", "DE", True),
        ("vat", "US", False),
        ("w9", "", True),
        ("", "US", True),
    ],
)
def test_the_form_depends_on_the_country(form: str, country: str, fits: bool) -> None:
    """R14; fields that only a feed filled in are not checked."""
    assert found(tax_form=form, country=country)["tax_form"] == ("ok" if fits else "unfitting")


def test_a_method_that_the_policy_in_force_does_not_have() -> None:
    """It may have been allowed when it was set; an unknown method is accepted."""
    assert found(methods=("paypal",))["method"] == "not_allowed"
    assert found(methods=("paypal",), method="")["method"] == "ok"


# --- the rule -------------------------------------------------------------------------------------


def test_a_null_fingerprint_clears_its_field(books: Book) -> None:
    """An event with only names fills the fields in; a cleared field is missing again."""
    books.record("payout_profile.changed", "10-01 09:00", fields=["name", "iban"])
    marks = {"iban": None, "email": "00", "other": None}
    books.record(
        "payout_profile.changed", "10-01 10:00", fields=["iban", "email"], fingerprints=marks
    )
    assert books.journal.book.profile.fields == {"name", "email"}
    books.journal.flush()
    assert books.journal.book.profile.fields == {"name", "email"}
    books.record("payout_profile.changed", "10-01 11:00", fields=["iban"], fingerprints=[None])
    assert books.journal.book.profile.fields == {"name", "email", "iban"}
