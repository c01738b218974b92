"""OFX, CAMT.053 and MT940: every shape read back, proved, and refused at the right line."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
from liveportal.statements.rows import Meaning, Proof
from tests.kit.bank_files import (
    DUTCH,
    GERMAN,
    MT940_SHAPES,
    OFX_SHAPES,
    PLAIN,
    SGML,
    XML,
    BankAccount,
    found,
    large_account,
    some_account,
)
from tests.kit.paypal_files import read
from tests.kit.work import calls, stopped_if_endless

Write = Callable[[BankAccount], bytes]

OFX: dict[str, Write] = {
    **{f"ofx {shape}": lambda account, shape=shape: account.ofx(shape) for shape in OFX_SHAPES},
    "ofx with times": lambda account: account.ofx(moment="%Y%m%d120000.000"),
    "ofx in utf-8": lambda account: account.ofx(encoding="utf-8-sig"),
}
PROVED: dict[str, Write] = {
    **{
        f"camt {version}": lambda account, version=version: account.camt(version)
        for version in ("02", "04", "08", "13")
    },
    "camt with a prefix": lambda account: account.camt(prefix="ns2:"),
    "camt newest first": lambda account: account.camt(newest_first=True),
    "camt on one line": lambda account: account.camt(on_one_line=True),
    "camt without ids": lambda account: account.camt(with_ids=False),
    "camt with the previous balance": lambda account: account.camt(balances="PRCD CLBD"),
    "camt in pages": lambda account: account.camt(balances="ITBD ITBD"),
    **{
        f"mt940 {shape}": lambda account, shape=shape: account.mt940(shape)
        for shape in MT940_SHAPES
    },
    "mt940 with LF": lambda account: account.mt940(GERMAN, end="\n"),
    "mt940 in latin-1": lambda account: account.mt940(encoding="latin-1"),
}
SHAPES = {**OFX, **PROVED}


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


def line_of(content: bytes, text: str, *, at: int = 0) -> int:
    """Return the line of a text; `at` counts, from 0, how often it appeared before."""
    lines = content.decode("latin-1").split("\n")
    return [number for number, line in enumerate(lines, 1) if text in line][at]


# --- round trips ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHAPES)
def test_what_the_bank_wrote_is_read(name: str) -> None:
    """Days, amounts, names and references; equal entries of one day are two."""
    account = some_account()
    (file,) = read(SHAPES[name](account))
    expected = account.expected()
    if name in OFX:  # It has no word for a reversal.
        expected = [(*fact[:3], Meaning.PAYMENT) for fact in expected]
    assert found(file) == expected
    assert (file.provider, file.digits) == ("bank", {"EUR": 2})
    assert account.number in (file.account or "")
    assert all(proof.rows == proof.proved for proof in file.proofs)
    assert len({row.row for row in file.rows}) == len(account.bookings)
    assert any("PO-1" in text for text in file.rows[0].references)
    if name.startswith(("ofx", "camt", f"mt940 {GERMAN}", f"mt940 {DUTCH}")):
        assert file.rows[1].names == ("Kunde & Söhne",)
        assert account.bookings[-1].reference in file.rows[-1].references
    if name in PROVED:
        assert file.proofs[1].rows >= 8
        assert file.unproved == ()
        assert [row.balance for row in file.rows][-1] == 123111
    else:
        assert "states no balance" in file.unproved[0]


@st.composite
def accounts(draw: st.DrawFn) -> BankAccount:
    """Return a random account in a currency with 0, 2 or 3 digits, overdrawn now and then."""
    currency = draw(st.sampled_from(["EUR", "JPY", "KWD"]))
    account = BankAccount(currency=currency, opening=draw(st.integers(-10_000, 10_000)))
    day = date(2026, 1, 30)
    for _ in range(draw(st.integers(0, 6))):
        day += timedelta(days=draw(st.integers(0, 40)))
        amount = account.text(draw(st.integers(-(10**9), 10**9).filter(bool)))
        text = draw(st.text("AZ09 ä&<>/?+:-", max_size=80))
        account.add(amount, day.isoformat(), text.strip(), "N", is_reversal=draw(st.booleans()))
    return account


@given(accounts(), st.sampled_from(sorted(PROVED)))
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
def test_any_account_is_read(account: BankAccount, name: str) -> None:
    """The entries are found and proved in every shape and currency."""
    (file,) = read(PROVED[name](account))
    assert found(file) == account.expected()
    assert all(proof.rows == proof.proved for proof in file.proofs)


@pytest.mark.parametrize("name", sorted(PROVED))
def test_months_join_and_the_same_row_is_one(name: str) -> None:
    """A month that was exported alone has the rows of the longer export, which it joins."""
    account = some_account()
    write = PROVED[name]
    months = [
        BankAccount(opening=opening, bookings=list(entries))
        for opening, _, entries in account.statements()
    ]
    september, october, november = (write(month) for month in months)
    files = read(november, september, october)
    assert [file.proofs[-1] for file in files if file.proofs[-1].proof == "joins"] == [
        Proof("joins", 1, 1)
    ] * 2
    whole, again = read(write(account), october)
    assert [row.row for row in again.rows] == [row.row for row in whole.rows[1:5]]
    assert all(row.duplicate for row in (*again.rows, *whole.rows)[: len(again.rows)])
    assert again.proofs[-1] == Proof("joins", 1, 1) or whole.proofs[-1] == Proof("joins", 1, 1)


def test_accounts_of_one_file_are_statements_of_their_own() -> None:
    """The ids of one account may be those of another, and neither is the other's duplicate."""
    first, second = some_account(), some_account()
    second.number, second.opening = "NL91ABNA0417164300", -5_00
    for join in (
        first.mt940() + second.mt940() + first.mt940().replace(b"DE02", b"DE03"),
        first.camt().replace(
            b"</BkToCstmrStmt>", second.camt().partition(b"<BkToCstmrStmt>")[2].partition(b"</BkTo")[0]
            + b"</BkToCstmrStmt>",
        ),
        first.ofx().replace(b"</OFX>", b"") + second.ofx().partition(b"</SIGNONMSGSRSV1>")[2],
    ):  # fmt: skip
        files = read(join)
        assert len(files) == 2 + (b":20:" in join)
        for file, account in zip(files, (first, second), strict=False):
            assert account.number in (file.account or "")
            assert [fact[:2] for fact in found(file)] == [f[:2] for f in account.expected()]
            assert not any(row.duplicate for row in file.rows)
            assert all(proof.rows == proof.proved for proof in file.proofs)


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
    write = PROVED[name]
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
    balances = list(right.statements())
    edited.statements = lambda **_: [  # type: ignore[method-assign,misc,assignment]
        (opening, closing, [each for each in edited.bookings if each.day.month == entries[0].day.month])
        for opening, closing, entries in balances
    ]  # fmt: skip
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
    refused(MalformedFile, content, line_of(content, "<STMTTRN>", at=3), "has the id REF00001")


CAMT_DAMAGES = [
    (">42.00000<", ">-42.00<", BadValue, "without a sign"),
    (">42.00000<", "><", BadValue, "is not an amount"),
    (">42.00000<", ">42.00001<", BadValue, "too many decimals"),
    ('Ccy="EUR">42', 'Ccy="USD">42', BadValue, "'USD' is not the currency of the account, 'EUR'"),
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
    ("C42,00", "C42.000,00", ":61:", "is not an entry"),
    ("C42,00", "C42,001", ":61:", "too many decimals"),
    ("C42,00", "X42,00", ":61:", "is not an entry"),
    (":61:2609290930", ":61:2613290930", ":61:", "is not a date"),
    (":61:2609290930", ":61:2609290931", ":61:", "is not a date"),
    (":60F:C261001EUR100,00", ":60F:C261001EUR", ":60F:", "is not an amount"),
    (":60F:C261001EUR100,00", ":60F:100,00", ":60F:", "is not a balance"),
    (":62F:C261001EUR", ":62F:C261001USD", ":62F:", "not in the currency of the opening balance"),
    (":62F:C261001EUR142,00\r\n", "", ":20:", "no closing balance (:62F:): the file was cut"),
    (":60F:C261001EUR100,00\r\n", "", ":61:", "not between two balances"),
    (":20:STARTUMSE\r\n:25:", ":25:", ":25:", "outside a statement"),
]


@pytest.mark.parametrize(("old", "new", "at", "words"), MT940_DAMAGES)
def test_damaged_mt940(old: str, new: str, at: str, words: str) -> None:
    """The line is that of the field."""
    content = some_account().mt940().decode().replace(old, new, 1).encode()
    kind = (
        MalformedFile if "'" not in words and "balance" in words or "outside" in words else BadValue
    )
    if (
        "is not" in words
        and "is not between" not in words
        or "too many" in words
        or "currency" in words
    ):
        kind = BadValue
    refused(kind, content, line_of(content, at), words)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_damage_at_random_is_refused_or_changes_no_money(name: str) -> None:
    """A cut or a changed byte is refused with a line, or the amounts are the same."""
    content, chance = SHAPES[name](some_account()), random.Random(name)  # noqa: S311
    (whole,) = read(content)
    for _ in range(10):
        at = chance.randrange(len(content))
        cut = chance.random() < 0.5
        damaged = content[:at] if cut else content[:at] + b"x" + content[at + 1 :]
        try:
            files = read(damaged)
        except LiveportalError as error:
            assert error.details["file"] == "1.csv"
            assert 1 <= int(str(error.details["line"])) <= content.count(b"\n") + 1
        else:
            if name in PROVED and not cut:
                assert sum(row.amount for file in files for row in file.rows) == sum(
                    row.amount for row in whole.rows
                )


# --- what is peculiar to a format -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "instant"),
    [
        ("20261005", None),
        ("20261005120000", None),
        ("20261005120000.000", None),
        ("20261005120000[-4:EDT]", datetime(2026, 10, 5, 16, tzinfo=UTC)),
        ("20261005000000.000[-7:MST]", datetime(2026, 10, 5, 7, tzinfo=UTC)),
        ("20261005233015[+9]", datetime(2026, 10, 5, 14, 30, 15, tzinfo=UTC)),
        ("20261005120000[0:GMT]", datetime(2026, 10, 5, 12, tzinfo=UTC)),
        ("20261005120000[-3.5:NST]", datetime(2026, 10, 5, 15, 30, tzinfo=UTC)),
        ("20261005120000[5.75]", datetime(2026, 10, 5, 6, 15, tzinfo=UTC)),
        ("202610051200[-5:EST]", datetime(2026, 10, 5, 17, tzinfo=UTC)),
    ],
)
def test_the_moments_of_ofx(moment: str, instant: datetime | None) -> None:
    """The day is that of the bank; without an offset the time is a placeholder."""
    account = BankAccount()
    account.add("1.00", "2026-10-05")
    (row,) = read(account.ofx(moment=moment))[0].rows
    assert (row.day, row.time) == (date(2026, 10, 5), instant)


def test_ofx_as_it_occurs() -> None:
    """Empty unclosed values, lower case, cards, a payee, pending entries, amounts with a comma."""
    content = b"""OFXHEADER:100 DATA:OFXSGML VERSION:102 ENCODING:UTF-8 CHARSET:NONE
<ofx><creditcardmsgsrsv1><ccstmttrnrs><ccstmtrs><curdef>usd
<ccacctfrom><acctid>4111</ccacctfrom><banktranlist>
<stmttrn><trntype>CREDIT<checknum><dtposted>20261005<trnamt>75,6000<fitid>2026/10 #1
<payee><name>Help &amp; Inc<addr1>1 Street</payee><memo>PO-7 a < b</stmttrn>
<stmttrnp><trntype>DEBIT<dttran>20261006<trnamt>-5<name>Shop</stmttrnp>
</banktranlist></ccstmtrs></ccstmttrnrs></creditcardmsgsrsv1></ofx>"""
    (file,) = read(content)
    row, pending = file.rows
    assert (row.amount, row.currency, row.line, file.account) == (75_60, "USD", 4, "4111")
    assert row.names == ("Help & Inc",)
    assert "PO-7 a < b" in row.references
    assert row.row.startswith("id-")
    assert (pending.amount, pending.meaning) == (-5_00, Meaning.MEMO)


def test_camt_as_it_occurs() -> None:
    """Statuses, returns with the payer's reference, other accounts, an entry without a reference."""
    account = BankAccount()
    account.add("10.00", "2026-10-05", "PO-1", "Help Inc")
    account.add("-10.00", "2026-10-06", "PO-1", "Help Inc", is_reversal=True)
    account.add("5.00", "2026-10-07")
    text = account.camt().decode().replace(">NOTPROVIDED<", ">E2E-1<", 2)
    text = text.replace("<IBAN>DE02120300000000202051</IBAN>", "<Othr><Id>123 4</Id></Othr>")
    assert text.count("<Cd>BOOK</Cd>") == 3
    first, _, last = text.rpartition("<Cd>BOOK</Cd>")
    text = f"{first}<Cd>PDNG</Cd>{last}".replace(">105.00000<", ">100.00<")
    file, = read(text.encode())  # fmt: skip
    arrived, back, pending = file.rows
    assert file.account == "1234"
    assert (arrived.row, arrived.type) == ("REF00001", "PMNT-RCDT-ESCT")
    assert "E2E-1" in arrived.references
    assert (back.meaning, back.parent) == (Meaning.RETURN, "REF00001")
    assert (pending.meaning, pending.balance) == (Meaning.MEMO, None)


@pytest.mark.parametrize(("message", "word"), [("052", "report of the day"), ("054", "notice")])
def test_relatives_of_camt_053_are_refused_by_name(message: str, word: str) -> None:
    """The hint says which message to download."""
    content = some_account().camt().replace(b"camt.053", f"camt.{message}".encode())
    assert "camt.053" in str(refused(UnknownFormat, content, 1, word).hint)


@pytest.mark.parametrize(
    ("dates", "day"),
    [
        ("2602300302", "2026-03-02"),
        ("260230", "2026-02-28"),
        ("280230", "2028-02-29"),
        ("2512310101", "2026-01-01"),
        ("2601011231", "2025-12-31"),
        ("260115    ", "2026-01-15"),
    ],
)
def test_the_dates_of_mt940(dates: str, day: str) -> None:
    """The entry date has no year, and some banks have a 30 February."""
    account = BankAccount()
    account.add("1.00", "2026-10-05")
    content = account.mt940().replace(b":61:2610041005", f":61:{dates}".encode())
    (row,) = read(content)[0].rows
    assert row.day.isoformat() == day


def test_mt940_as_it_occurs() -> None:
    """A frame, intermediate balances, a funds code, a long reference, a wrapped text."""
    content = b"""{1:F01BANKDEFFXXXX0000000000}{2:O9400000}{4:
:20:1
:25:NL91 ABNA 0417164300
:28C:1/1
:60F:C261001EUR0,
:61:2610051005CR500,NTRFPO-17//BANK-1
SUPPLEMENT
:86:/TRTP/SEPA/NAME/HELP
 INC/REMI/PO-
17/EREF/E-1
:62M:C261005EUR500,
-}
{1:F01BANKDEFFXXXX0000000000}{2:O9400000}{4:
:20:2
:25:NL91ABNA0417164300
:60M:C261005EUR500,
:61:261006RC0,5NMSCa-customer-reference-that-is-too-long//BANK-2
:86:999 free text
:62F:C261006EUR499,50
:64:C261006EUR499,50
-}
"""
    (file,) = read(content)
    arrived, back = file.rows
    assert file.account == "NL91ABNA0417164300"
    assert (arrived.amount, arrived.line, arrived.names) == (500_00, 6, ("HELP INC",))
    assert {"PO-17", "BANK-1", "SUPPLEMENT", "E-1"} <= set(arrived.references)
    assert (back.amount, back.meaning, back.line) == (-50, Meaning.RETURN, 17)
    assert "a-customer-reference-that-is-too-long" in back.references
    assert file.proofs[1] == Proof("balance", 3, 3)


# --- hostile files --------------------------------------------------------------------------------

_DTD = '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
_EXTERNAL = '<!DOCTYPE d SYSTEM "file:///etc/passwd">'


@pytest.mark.parametrize("declaration", [_DTD, _EXTERNAL])
@pytest.mark.parametrize("name", ["camt 08", "ofx xml"])
def test_document_types_and_entities_are_refused(declaration: str, name: str) -> None:
    """Nothing is expanded, and nothing is fetched."""
    text = SHAPES[name](some_account()).decode()
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
    [BankAccount.ofx, BankAccount.camt, BankAccount.mt940, lambda account: account.ofx(XML)],
)
def test_work_grows_with_the_entries(write: Write) -> None:
    """Twice the entries take twice the work."""
    small, large = (
        calls(lambda content=content: read(content))
        for content in (write(large_account(20)), write(large_account(40)))
    )
    assert large < 2.2 * small


def test_other_text_is_not_taken_for_mt940() -> None:
    """A text with a reference, and no statement."""
    refused(UnknownFormat, b":20:hello\nworld\n", 1, "header")
    assert read(some_account().mt940(PLAIN))[0].format == "mt940"
    assert read(some_account().ofx(SGML))[0].format == "ofx"
