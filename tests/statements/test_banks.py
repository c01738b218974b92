"""OFX, CAMT.053 and MT940: every shape read back, proved, and refused at the right line."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liveportal.domain.errors import (
    UnknownFormat,
)
from liveportal.statements.rows import Meaning, Proof
from tests.kit.bank_files import (
    BANK_FILES,
    DUTCH,
    GERMAN,
    OFX_FILES,
    PROVED_FILES,
    BankAccount,
    found,
    some_account,
)
from tests.kit.paypal_files import read
from tests.statements.test_damaged_banks import refused

# --- round trips ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BANK_FILES)
def test_what_the_bank_wrote_is_read(name: str) -> None:
    """Days, amounts, names and references; equal entries of one day are two."""
    account = some_account()
    (file,) = read(BANK_FILES[name](account))
    expected = account.expected()
    if name in OFX_FILES:  # It has no word for a reversal.
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
    if name in PROVED_FILES:
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


@given(accounts(), st.sampled_from(sorted(PROVED_FILES)))
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
def test_any_account_is_read(account: BankAccount, name: str) -> None:
    """The entries are found and proved in every shape and currency."""
    (file,) = read(PROVED_FILES[name](account))
    assert found(file) == account.expected()
    assert all(proof.rows == proof.proved for proof in file.proofs)


@pytest.mark.parametrize("name", sorted(PROVED_FILES))
def test_months_join_and_the_same_row_is_one(name: str) -> None:
    """A month that was exported alone has the rows of the longer export, which it joins."""
    account = some_account()
    write = PROVED_FILES[name]
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
        first.camt().partition(b"</BkToCstmrStmt>")[0] + second.camt().partition(b"Stmt>")[2],
        first.ofx().replace(b"</OFX>", b"") + second.ofx().partition(b"</SIGNONMSGSRSV1>")[2],
    ):  # fmt: skip
        files = read(join)
        assert len(files) == 2 + (b":20:" in join)
        for file, account in zip(files, (first, second), strict=False):
            assert account.number in (file.account or "")
            assert [fact[:2] for fact in found(file)] == [f[:2] for f in account.expected()]
            assert not any(row.duplicate for row in file.rows)
            assert all(proof.rows == proof.proved for proof in file.proofs)
        assert not {row.row for row in files[0].rows} & {row.row for row in files[1].rows}


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
    assert re.fullmatch(r"[0-9a-f]{4}-[0-9a-f]{16}", row.row)
    assert (pending.amount, pending.meaning) == (-5_00, Meaning.MEMO)


def test_camt_as_it_occurs() -> None:
    """Statuses, returns with the payer's reference, accounts that are not IBANs."""
    account = BankAccount()
    account.add("10.00", "2026-10-05", "PO-1", "Help Inc")
    account.add("-10.00", "2026-10-06", "PO-1", "Help Inc", is_reversal=True)
    account.add("5.00", "2026-10-07")
    text = account.camt().decode().replace(">NOTPROVIDED<", ">E2E-1<", 2)
    text = text.replace("<IBAN>DE02120300000000202051</IBAN>", "<Othr><Id>123 4</Id></Othr>")
    assert text.count("<Cd>BOOK</Cd>") == 3
    first, _, last = text.rpartition("<Cd>BOOK</Cd>")
    text = f"{first}<Cd>PDNG</Cd>{last}".replace(">105.00000<", ">100.00<")
    (file,) = read(text.encode())
    arrived, back, pending = file.rows
    assert file.account == "1234"
    assert (arrived.row[4:], arrived.type) == ("-REF00001", "PMNT-RCDT-ESCT")
    assert "E2E-1" in arrived.references
    assert (back.meaning, back.parent) == (Meaning.RETURN, arrived.row)
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
