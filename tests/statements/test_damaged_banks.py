"""Damaged, edited and hostile files of banks are refused at the right line."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from unittest.mock import patch

import pytest

from liveportal.domain.errors import (
    BadEncoding,
    BadValue,
    LiveportalError,
    MalformedFile,
    UnknownFormat,
    UnprovedFile,
)
from liveportal.statements.markup import DEEPEST
from liveportal.statements.options import Options
from liveportal.statements.rows import Proof, StatementFile
from tests.kit.bank_files import (
    BANK_FILES,
    PLAIN,
    PROVED_FILES,
    SGML,
    XML,
    BankAccount,
    Write,
    large_account,
    some_account,
)
from tests.kit.paypal_files import read
from tests.kit.work import calls, stopped_if_endless


def refused(kind: type[LiveportalError], content: bytes, line: int, *words: str) -> LiveportalError:
    """Read a file that must be refused, at this line and with these words in the message."""
    with pytest.raises(kind) as caught:
        read(content)
    error = caught.value
    assert (error.details["file"], error.details["line"]) == ("1.csv", line)
    assert error.message.startswith(f"1.csv, line {line}: ")
    for word in words:
        assert word in error.message
    assert error.message.isprintable()
    return error


def attempt(content: bytes) -> tuple[Sequence[StatementFile], LiveportalError | None]:
    """Return what is read of a file, or why it is refused."""
    try:
        return read(content), None
    except LiveportalError as error:
        return (), error


def line_of(content: bytes, text: str, *, at: int = 0) -> int:
    """Return the line of a text; `at` counts, from 0, how often it appeared before."""
    lines = content.decode("latin-1").split("\n")
    return [number for number, line in enumerate(lines, 1) if text in line][at]


# --- mutations ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "camt 02",
        "camt in pages",
        "camt newest first",
        "camt on one line",
        "mt940 plain",
        "mt940 framed",
    ],
)
def test_a_changed_missing_or_doubled_entry_is_refused(name: str) -> None:
    """The line is that of the closing balance which does not follow."""
    account = some_account()
    write = PROVED_FILES[name]
    content = write(account)
    closing = ":62F:" if name.startswith("mt940") else "CLBD" if "CLBD" in str(content) else "ITBD"
    for at in (0, 1, 4, 5):
        month = account.bookings[at].day.month - 9
        for change in ("changed", "missing", "doubled"):
            edited = some_account()
            bookings = edited.bookings
            if change == "changed":
                bookings[at] = replace(bookings[at], amount=bookings[at].amount + 1)
            elif change == "doubled":
                bookings.insert(at, replace(bookings[at], id=f"{bookings[at].id}X"))
            else:
                del bookings[at]
            if len({each.day.month for each in bookings}) < 3:
                continue
            wrong = _with_balances_of(account, edited, write)
            is_one_line = b"\n" not in wrong
            before = 0 if is_one_line else month + (month + 1 if closing == "ITBD" else 0)
            seen = line_of(wrong, closing, at=before)
            error = refused(UnprovedFile, wrong, seen, "An entry is missing or appears twice")
            assert error.details["proof"] == "balance"
            (file,) = read(wrong, options=Options(unproved=True))
            assert len(file.rows) == len(bookings)
            assert error.message in file.unproved


def _with_balances_of(right: BankAccount, edited: BankAccount, write: Write) -> bytes:
    """Return the file of edited entries with the balances that are right."""
    months = [
        (opening, closing, [each for each in edited.bookings if each.day.month == month])
        for month, (opening, closing, _) in enumerate(right.statements(), 9)
    ]
    with patch.object(edited, "statements", lambda **_: months):
        return write(edited)


def test_a_missing_statement_is_refused() -> None:
    """The closing balance of one is the opening balance of the next, in either order."""
    account = some_account()
    first, second, third = account.mt940().split(b"-\r\n")[:3]
    assert read(b"-\r\n".join((third, second, first)))[0].proofs[1] == Proof("balance", 8, 8)
    content = b"-\r\n".join((first, third))
    refused(UnprovedFile, content, line_of(content, ":60F:", at=1), "closes with 142 in line 7")


OFX_DAMAGES = [
    ("<TRNAMT>+42.0000", "<TRNAMT>1,042.00", BadValue, "<STMTTRN>", "'1,042.00' is not an amount"),
    ("<TRNAMT>+42.0000", "<TRNAMT>", BadValue, "<STMTTRN>", "is not an amount"),
    ("<TRNAMT>+42.0000", "<TRNAMT>42.005", BadValue, "<STMTTRN>", "too many decimals"),
    ("<DTPOSTED>20260930", "<DTPOSTED>20260931", BadValue, "<STMTTRN>", "'20260931' is not a date"),
    ("<DTPOSTED>20260930", "<DTPOSTED>30/09/2026", BadValue, "<STMTTRN>", "is not a date"),
    ("<FITID>REF00001", "<FITID>", MalformedFile, "<STMTTRN>", "no id (FITID)"),
    ("<CURDEF>EUR", "<CURDEF>", MalformedFile, "<BANKACCTFROM>", "inside another element"),
    ("<CURDEF>EUR", "<CURDEF>E", BadValue, "<STMTTRN>", "is not a currency code"),
    ("</STMTTRN>", "", MalformedFile, "<STMTTRN>", "STMTTRN is inside another element"),
    ("</LEDGERBAL>", "", MalformedFile, "<LEDGERBAL>", "LEDGERBAL is never closed"),
    ("</OFX>", "", MalformedFile, "</BANKMSGSRSV1>", "the file was cut"),
    ("</STMTTRN>", "</STMTTRNX>", MalformedFile, "</STMTTRNX>", "an element that is not open"),
    ("CHARSET:1252", "CHARSET:UTF-7", BadEncoding, "OFXHEADER", "'UTF-7', which is not read"),
    ("Söhne", "S\x81hne", BadEncoding, "S\x81hne", "0x81"),
    ("STMTRS>", "X>", MalformedFile, "OFXHEADER", "no statement of a bank account"),
]


@pytest.mark.parametrize(("old", "new", "kind", "at", "words"), OFX_DAMAGES)
def test_damaged_ofx(old: str, new: str, kind: type[LiveportalError], at: str, words: str) -> None:
    """The line is that of the transaction, or of what is damaged."""
    text = some_account().ofx().decode("cp1252")
    text = text.replace(old, new, 2 if old == "STMTRS>" else 1)
    content = text.encode("latin-1")
    is_second = "STMTTRN is inside" in words
    refused(kind, content, line_of(content, at, at=int(is_second)), words)


def test_one_id_twice_is_refused_at_the_second() -> None:
    """Without a balance, nothing shows whether the row was copied."""
    account = some_account()
    account.bookings[3] = replace(account.bookings[3], id="REF00001")
    content = account.ofx()
    refused(MalformedFile, content, line_of(content, "<STMTTRN>", at=3), "has the id", "-REF00001")


CAMT_DAMAGES = [
    (">42.00000<", ">-42.00<", BadValue, "without a sign"),
    (">42.00000<", "><", BadValue, "is not an amount"),
    (">42.00000<", ">42.00001<", BadValue, "too many decimals"),
    ('Ccy="EUR">42', 'Ccy="USD">42', BadValue, "'USD' is not the currency of the account, EUR"),
    ("<CdtDbtInd>CRDT</CdtDbtInd>\n<Sts>", "<Sts>", BadValue, "neither CRDT nor DBIT"),
    ("<Cd>BOOK</Cd>", "<Cd>BOOKED</Cd>", BadValue, "'BOOKED' is not the status"),
    ("<BookgDt><Dt>2026-09-30", "<BookgDt><Dt>2026-09-31", BadValue, "'2026-09-31' is not a date"),
    ("<BookgDt><Dt>2026-09-30</Dt></BookgDt>", "", MalformedFile, "the entry has no date"),
]


@pytest.mark.parametrize(("old", "new", "kind", "words"), CAMT_DAMAGES)
def test_damaged_camt(old: str, new: str, kind: type[LiveportalError], words: str) -> None:
    """The line is that of the entry, or of the element in it."""
    content = some_account().camt().decode().replace(old, new, 1).encode()
    changed = {"amount": "<Amt", "sign": "<Amt", "USD": "USD", "BOOKED": "BOOKED", "31": "09-31"}
    mark = next((mark for word, mark in changed.items() if word in words), "<Ntry>")
    at = 2 if mark == "<Amt" else 0  # Below the amounts of two balances.
    refused(kind, content, line_of(content, mark, at=at), words)


MT940_DAMAGES = [
    ("C42,00", "C42.000,00", BadValue, ":61:", "is not an entry"),
    ("C42,00", "C42,001", BadValue, ":61:", "too many decimals"),
    ("C42,00", "X42,00", BadValue, ":61:", "is not an entry"),
    (":61:2609290930", ":61:2613290930", BadValue, ":61:", "is not a date"),
    (":61:2609290930", ":61:2609290931", BadValue, ":61:", "is not a date"),
    (":60F:C261001EUR100,00", ":60F:C261001EUR", BadValue, ":60F:", "is not an amount"),
    (":60F:C261001EUR100,00", ":60F:100,00", BadValue, ":60F:", "is not a balance"),
    (":62F:C261001EUR", ":62F:C261001USD", BadValue, ":62F:", "not in the currency"),
    (":62F:C261001EUR142,00\r\n", "", MalformedFile, ":20:", "the file was cut"),
    (":60F:C261001EUR100,00\r\n", "", MalformedFile, ":61:", "not between two balances"),
    (":20:STARTUMSE\r\n:25:", ":25:", MalformedFile, ":25:", "outside a statement"),
]


@pytest.mark.parametrize(("old", "new", "kind", "at", "words"), MT940_DAMAGES)
def test_damaged_mt940(
    old: str, new: str, kind: type[LiveportalError], at: str, words: str
) -> None:
    """The line is that of the field."""
    content = some_account().mt940().decode().replace(old, new, 1).encode()
    refused(kind, content, line_of(content, at), words)


@pytest.mark.parametrize("name", sorted(BANK_FILES))
def test_damage_at_random_is_refused_or_changes_no_money(name: str) -> None:
    """A cut or a changed byte is refused with a line, or the amounts are the same."""
    content, chance = BANK_FILES[name](some_account()), random.Random(name)  # noqa: S311
    (whole,) = read(content)
    for _ in range(10):
        at = chance.randrange(len(content))
        cut = chance.random() < 0.5
        damaged = content[:at] if cut else content[:at] + b"x" + content[at + 1 :]
        files, error = attempt(damaged)
        if error:
            assert error.details["file"] == "1.csv"
            assert 1 <= int(str(error.details["line"])) <= content.count(b"\n") + 1
        elif name in PROVED_FILES and not cut:
            total = sum(row.amount for file in files for row in file.rows)
            assert total == sum(row.amount for row in whole.rows)


# --- hostile files --------------------------------------------------------------------------------

_DTD = '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
_EXTERNAL = '<!DOCTYPE d SYSTEM "file:///etc/passwd">'


@pytest.mark.parametrize("declaration", [_DTD, _EXTERNAL])
@pytest.mark.parametrize("name", ["camt 08", "ofx xml"])
def test_document_types_and_entities_are_refused(declaration: str, name: str) -> None:
    """Nothing is expanded, and nothing is fetched."""
    text = BANK_FILES[name](some_account()).decode()
    start = "<Document" if "camt" in name else "<OFX>"
    content = text.replace(start, f"{declaration}\n{start}", 1).encode()
    refused(MalformedFile, content, line_of(content, "<!DOCTYPE"), "document type or an entity")


def test_files_without_measure_are_refused() -> None:
    """Depth, text, elements and fields have limits."""
    camt = some_account().camt().decode()
    at = line_of(camt.encode(), "<BkTxCd>")
    for inside, words in (
        ("<a>" * DEEPEST + "</a>" * DEEPEST, "inside each other"),
        ("y" * 100_001, "the text of BkTxCd is longer"),
        ("<a/>" * 20_000, "more than 20,000 elements"),
    ):
        refused(MalformedFile, camt.replace("<BkTxCd>", f"<BkTxCd>{inside}", 1).encode(), at, words)
    with stopped_if_endless():
        refused(MalformedFile, some_account().ofx() + b"<A>" * 300_000, 88, "inside each other")
        deep = some_account().mt940().replace(b":86:", b":86:" + b"\n/".join([b"ABCD"] * 9_000), 1)
        refused(MalformedFile, deep, 6, "longer than 20,000")
        refused(BadValue, some_account().mt940().replace(b"NTRF", b"," * 9_000, 1), 5, "entry")


@pytest.mark.parametrize("name", ["utf-16", "utf-7", "x"])
def test_rare_encodings_are_refused(name: str) -> None:
    """Those of banks are read: also Latin-1."""
    text = some_account().camt().decode()
    latin = text.replace("UTF-8", "ISO-8859-1").encode("latin-1")
    assert read(latin)[0].rows[1].names == ("Kunde & Söhne",)
    refused(BadEncoding, text.replace("UTF-8", name).encode(), 1, f"'{name}'")


@pytest.mark.parametrize(
    "write",
    [BankAccount.ofx, BankAccount.camt, BankAccount.mt940, partial(BankAccount.ofx, shape=XML)],
)
def test_work_grows_with_the_entries(write: Write) -> None:
    """Twice the entries take twice the work."""
    small, large = (calls(partial(read, write(large_account(size)))) for size in (20, 40))
    assert large < 2.2 * small


def test_other_text_is_not_taken_for_mt940() -> None:
    """A text with a reference, and no statement."""
    refused(UnknownFormat, b":20:hello\nworld\n", 1, "header")
    assert read(some_account().mt940(PLAIN))[0].format == "mt940"
    assert read(some_account().ofx(SGML))[0].format == "ofx"
