"""`payout reconcile` with the files of every provider: one test a format, and mappings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from liveportal.statements.registry import FORMATS
from tests.kit.bank_files import BankAccount
from tests.kit.other_files import BANK
from tests.kit.paypal_files import STATEMENT, PayPalAccount
from tests.kit.shell import SetClock, Shell
from tests.kit.statement_shape import some_moves
from tests.kit.statement_shapes import SHAPES

FORMS = {shape.form: shape for shape in reversed(SHAPES) if "USD" in shape.currencies}
HOP = {"stripe": ("--hop", "transfer")}


def files() -> dict[str, bytes]:
    """Return a file of every format, in each of which PO-0 arrived less a fee of 1.00."""
    bank = BankAccount(currency="USD")
    bank.add("1233.50", "2026-01-13", "PO-0", "Live Help")
    paypal = PayPalAccount()
    paypal.payout("1234.50", "2026-01-13T09:00:00Z", fee="1.00", invoice="PO-0")
    return {
        **{form: shape.file(some_moves()) for form, shape in FORMS.items()},
        "paypal-activity": paypal.file(),
        "paypal-statement": paypal.file(STATEMENT),
        "ofx": bank.ofx(),
        "camt053": bank.camt(),
        "mt940": bank.mt940(),
    }


@pytest.fixture
def books(empty: Shell, clock: SetClock) -> Shell:
    """Give a shell whose books have a payout that was sent a day before it arrived."""
    clock.set(datetime.fromisoformat("2026-02-10T12:00Z"))
    empty.ok("earnings", "adjust", "2000.00", "--reason", "start", "--id", "AD-1")
    empty.ok("payout", "record", "1234.50", "--id", "PO-0", "--at", "2026-01-12 09:00")
    return empty


@pytest.mark.parametrize("form", [form.name for form in FORMATS])
def test_a_file_of_each_format(books: Shell, form: str) -> None:
    """The payout arrived by its reference; every row is counted, and applied twice it is once."""
    books.file("file", files()[form])
    argv = ("payout", "reconcile", "file", *HOP.get(form.split("-", maxsplit=1)[0], ()))
    result: dict[str, Any] = books.ok(*argv, "--short-is-fee", "--dates", "mdy")
    (file,) = result["files"]
    assert file["format"] == form
    assert sum(file["rows_by_kind"].values()) == file["rows"]
    (found,) = [each for each in result["findings"] if each["payout"] == "PO-0"]
    assert (found["finding"], found["fee"], found["received"]) == ("arrived", "1.00", "1233.50")
    apply = (*argv, "--short-is-fee", "--dates", "mdy", "--apply", "--yes")
    assert books.ok(*apply)["recorded"] == 1
    assert books.ok(*apply)["recorded"] == 0
    shown = books.ok("payout", "show", "PO-0")
    assert (shown["state"], shown["fee"]) == ("paid", "1.00")


def test_stripe_needs_a_hop(books: Shell) -> None:
    """Without it, the command line is wrong; with it, the other one is not tried."""
    books.file("file", FORMS["stripe-itemised"].file(some_moves()))
    refused = books.refuses(2, "payout", "reconcile", "file")
    assert "--hop payout" in str(refused)
    assert "--hop" in str(books.refuses(2, "payout", "reconcile", "file", "--hop", "x"))
    bank = books.ok("payout", "reconcile", "file", "--hop", "payout")
    assert bank["files"][0]["rows_by_kind"] == {"memo": 6}


def test_a_mapping_from_the_settings_from_a_file_and_by_name(books: Shell) -> None:
    """A bank's CSV is read by a path, by a table of the settings, or by a path in them."""
    shape = next(each for each in SHAPES if each.name == "mapped-bank")
    books.file("bank.csv", shape.file(some_moves("USD")))
    books.file("bank.toml", BANK.replace(b"EUR", b"USD"))
    assert "--mapping" in str(books.refuses(1, "payout", "reconcile", "bank.csv"))
    by_path = books.ok("payout", "reconcile", "bank.csv", "--mapping", "bank.toml")
    assert by_path["findings"][0]["payout"] == "PO-0"
    config = books.folder / "home" / "config" / "liveportal" / "config.toml"
    config.parent.mkdir(parents=True)
    path = books.folder / "bank.toml"
    table = (
        '[reconcile.mappings.own]\nformat.delimiter = ";"\nfixed.currency = "USD"\ncolumns = '
        '{date = "Buchungstag", amount = "Betrag", text = "Verwendungszweck", balance = "Saldo"}\n'
    )
    for settings in (f'[reconcile.mappings]\nown = "{path.as_posix()}"\n', table):
        config.write_text(settings)
        for argv in ((), ("--mapping", "own")):
            found = books.ok("payout", "reconcile", "bank.csv", *argv)
            assert found["files"][0]["format"] == "csv"
            assert found["findings"][0]["payout"] == "PO-0"
    config.write_text("[reconcile.mappings]\nown = 5\n")
    assert "a table" in str(books.refuses(1, "payout", "reconcile", "bank.csv"))
    config.unlink()
    assert "payoneer" in str(books.refuses(3, "payout", "reconcile", "x.csv", "--mapping", "x"))


def test_a_template_is_printed(books: Shell) -> None:
    """It names the columns that were recognised, and needs no ledger."""
    shape = next(each for each in SHAPES if each.name == "payoneer")
    books.file("payoneer.csv", shape.file(some_moves()))
    text = books.output_of("payout", "reconcile", "payoneer.csv", "--mapping-help")
    assert 'credit = "Credit Amount"' in text
    books.file("mine.toml", text.encode())
    found = books.ok("payout", "reconcile", "payoneer.csv", "--mapping", "mine.toml")
    assert found["findings"][0]["payout"] == "PO-0"


def test_a_payer_in_a_banks_text_is_whole_words(books: Shell) -> None:
    """`Live Help` names the payer of `Live Help PO-7`, and not of `Olive Helpers`."""
    shape = FORMS["chase"]
    first = some_moves(count=1)[0]
    books.file("chase.csv", shape.file([first]).replace(b"PO-0 for you", b"payment"))
    argv = ("payout", "reconcile", "chase.csv", "--short-is-fee")
    named = books.ok(*argv, "--payer", "live help")
    assert named["findings"][0]["payer"] == "live help"
    other = books.ok(*argv, "--payer", "live hel")
    assert all(each["finding"] != "unknown" for each in other["findings"])
