"""Files of bank accounts: the same entries as OFX, CAMT.053 and MT940, in every shape known.

    account = BankAccount()
    account.add("42.00", "2026-10-05", "PO-1", name="Help Inc")
    content = account.camt()                 # One statement a month; see the arguments.
    content = account.ofx(XML), account.mt940(GERMAN)

`found(file)` must equal `account.expected()`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from itertools import groupby
from xml.sax.saxutils import escape

from liveportal.domain.money import Money, digits_of
from liveportal.statements.options import Options
from liveportal.statements.rows import Meaning, StatementFile
from tests.kit.paypal_files import read as read_named

SGML, XML, TERSE, CLOSED = "sgml", "xml", "terse", "closed"
"""How OFX is written: with unclosed values, as XML, on one line, with closed values."""
OFX_SHAPES = (SGML, XML, TERSE, CLOSED)
PLAIN, GERMAN, DUTCH, FRAMED, PAGES = "plain", "german", "dutch", "framed", "pages"
"""How MT940 is written: the texts, lines of the bank's own around it, one statement an entry."""
MT940_SHAPES = (PLAIN, GERMAN, DUTCH, FRAMED, PAGES)

_OFX_HEADER = (
    "OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\nSECURITY:NONE\r\nENCODING:USASCII\r\n"
    "CHARSET:1252\r\nCOMPRESSION:NONE\r\nOLDFILEUID:NONE\r\nNEWFILEUID:NONE\r\n\r\n"
)
_XML_HEADER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE"'
    ' OLDFILEUID="NONE" NEWFILEUID="NONE"?>\n'
)


@dataclass(frozen=True)
class Booking:
    """One entry of an account; the amount is in minor units, signed."""

    amount: int
    day: date
    reference: str
    name: str
    id: str
    is_reversal: bool = False


@dataclass
class BankAccount:
    """An account, and the files that its bank makes of it."""

    number: str = "DE02120300000000202051"
    currency: str = "EUR"
    opening: int = 100_00
    bookings: list[Booking] = field(default_factory=list)

    def add(
        self, amount: str, day: str, reference: str = "", name: str = "", *,
        own_id: str = "", is_reversal: bool = False,
    ) -> str:  # fmt: skip
        """Add an entry, which must not be before the one added last; return its id."""
        minor = Money.parse(amount.lstrip("-"), self.currency).minor
        own = own_id or f"REF{len(self.bookings) + 1:05}"
        booking = Booking(
            -minor if amount.startswith("-") else minor,
            date.fromisoformat(day), reference, name, own, is_reversal,
        )  # fmt: skip
        self.bookings.append(booking)
        return own

    def expected(self) -> list[tuple[str, int, str, Meaning]]:
        """Return day, amount, currency and meaning of each entry, as they must be read."""
        return [
            (each.day.isoformat(), each.amount, self.currency, _meaning(each))
            for each in self.bookings
        ]

    def statements(self, *, by: str = "%Y-%m") -> Iterator[tuple[int, int, Sequence[Booking]]]:
        """Yield the opening and closing balance and the entries of each month."""
        balance = self.opening
        months = groupby(self.bookings, key=lambda each: each.day.strftime(by))
        for entries in [list(group) for _, group in months] or [[]]:
            closing = balance + sum(each.amount for each in entries)
            yield balance, closing, entries
            balance = closing

    def text(self, minor: int, mark: str = ".", *, digits: int = 0) -> str:
        """Return an amount in major units with a sign only if it is negative."""
        size = digits_of(self.currency)
        amount = Decimal(minor).scaleb(-size)
        text = f"{amount:.{max(size, digits)}f}"
        return text.replace(".", mark) if "." in text or mark == "." else f"{text}{mark}"

    # --- OFX --------------------------------------------------------------------------------------

    def ofx(self, shape: str = SGML, *, moment: str = "%Y%m%d", encoding: str = "cp1252") -> bytes:
        """Return the account as OFX; `moment` is how dates are written."""
        body = self._ofx_lines(moment)
        text = "\n".join(body)
        if shape == XML:
            return (_XML_HEADER + text).encode()
        if shape in {SGML, TERSE}:
            lines = (line if line.startswith("</") else line.split("</")[0] for line in body)
            text = ("" if shape == TERSE else "\n").join(lines)
        return (_OFX_HEADER + text).encode(encoding)

    def _ofx_lines(self, moment: str) -> list[str]:
        lines = [
            *("<OFX>", "<SIGNONMSGSRSV1>", "<SONRS>", "<STATUS>", "<CODE>0</CODE>"),
            *("<SEVERITY>INFO</SEVERITY>", "</STATUS>", "<LANGUAGE>ENG</LANGUAGE>", "</SONRS>"),
            *("</SIGNONMSGSRSV1>", "<BANKMSGSRSV1>", "<STMTTRNRS>", "<TRNUID>1</TRNUID>"),
            *("<STMTRS>", f"<CURDEF>{self.currency}</CURDEF>", "<BANKACCTFROM>"),
            *("<BANKID>12030000</BANKID>", f"<ACCTID>{self.number}</ACCTID>"),
            *("<ACCTTYPE>CHECKING</ACCTTYPE>", "</BANKACCTFROM>", "<BANKTRANLIST>"),
        ]
        for each in self.bookings:
            sign = "+" if each.amount > 0 else ""
            lines += [
                "<STMTTRN>",
                f"<TRNTYPE>{'CREDIT' if each.amount > 0 else 'DEBIT'}</TRNTYPE>",
                f"<DTPOSTED>{each.day.strftime(moment)}</DTPOSTED>",
                f"<TRNAMT>{sign}{self.text(each.amount, digits=4)}</TRNAMT>",
                f"<FITID>{each.id}</FITID>",
                f"<NAME>{escape(each.name)}</NAME>",
                f"<MEMO>{escape(each.reference)}</MEMO>",
                "</STMTTRN>",
            ]
        closing = self.opening + sum(each.amount for each in self.bookings)
        return [
            *lines, "</BANKTRANLIST>", "<LEDGERBAL>", f"<BALAMT>{self.text(closing)}</BALAMT>",
            "<DTASOF>20261231</DTASOF>", "</LEDGERBAL>", "</STMTRS>", "</STMTTRNRS>",
            "</BANKMSGSRSV1>", "</OFX>",
        ]  # fmt: skip

    # --- CAMT.053 ---------------------------------------------------------------------------------

    def camt(
        self, version: str = "08", *, prefix: str = "", newest_first: bool = False,
        with_ids: bool = True, on_one_line: bool = False, balances: str = "OPBD CLBD",
    ) -> bytes:  # fmt: skip
        """Return the account as CAMT.053, one statement for each month."""
        name = f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"
        kinds = balances.split()
        lines = []
        for opening, closing, entries in self.statements():
            lines += ["<Stmt>", "<Id>1</Id>", *self._camt_account()]
            for kind, amount in zip(kinds, (opening, closing), strict=True):
                lines += [
                    f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>",
                    *self._camt_amount(amount),
                    "<Dt><Dt>2026-10-01</Dt></Dt></Bal>",
                ]
            for each in entries[::-1] if newest_first else entries:
                lines += self._camt_entry(each, version, with_id=with_ids)
            lines.append("</Stmt>")
        attribute = f"xmlns:{prefix[:-1]}" if prefix else "xmlns"
        body = [f'<Document {attribute}="{name}">', "<BkToCstmrStmt>", *lines]
        text = "\n".join((*body, "</BkToCstmrStmt>", "</Document>"))
        if prefix:
            text = text.replace("<", f"<{prefix}").replace(f"<{prefix}/", f"</{prefix}")
        text = '<?xml version="1.0" encoding="UTF-8" ?>\n' + text
        return text.replace("\n", "").encode() if on_one_line else text.encode()

    def _camt_account(self) -> list[str]:
        return [f"<Acct><Id><IBAN>{self.number}</IBAN></Id><Ccy>{self.currency}</Ccy></Acct>"]

    def _camt_amount(self, minor: int) -> list[str]:
        return [
            f'<Amt Ccy="{self.currency}">{self.text(abs(minor), digits=5)}</Amt>',
            f"<CdtDbtInd>{'DBIT' if minor < 0 else 'CRDT'}</CdtDbtInd>",
        ]

    def _camt_entry(self, each: Booking, version: str, *, with_id: bool) -> list[str]:
        is_new = version >= "08"
        party = "Dbtr" if each.amount >= 0 else "Cdtr"
        name = f"<Nm>{escape(each.name)}</Nm>"
        return [
            "<Ntry>",
            *self._camt_amount(each.amount),
            *(["<RvslInd>true</RvslInd>"] if each.is_reversal else []),
            "<Sts><Cd>BOOK</Cd></Sts>" if is_new else "<Sts>BOOK</Sts>",
            f"<BookgDt><Dt>{each.day}</Dt></BookgDt>",
            *([f"<AcctSvcrRef>{each.id}</AcctSvcrRef>"] if with_id else []),
            "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>",
            "<NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>",
            f"<RltdPties><{party}>{f'<Pty>{name}</Pty>' if is_new else name}</{party}></RltdPties>",
            f"<RmtInf><Ustrd>{escape(each.reference)}</Ustrd></RmtInf></TxDtls></NtryDtls>",
            "</Ntry>",
        ]

    # --- MT940 ------------------------------------------------------------------------------------

    def mt940(self, shape: str = PLAIN, *, end: str = "\r\n", encoding: str = "utf-8") -> bytes:
        """Return the account as MT940; entry dates are a day after the value dates."""
        lines = []
        by = "%Y-%m-%d" if shape == PAGES else "%Y-%m"
        for opening, closing, entries in self.statements(by=by):
            if shape == FRAMED:
                lines += ["ABNANL2A", "940", "ABNANL2A"]
            lines += [":20:STARTUMSE", f":25:{self.number}", ":28C:00001/001"]
            lines.append(f":60F:{self._mt940_balance(opening)}")
            for each in entries:
                lines += self._mt940_entry(each, shape)
            lines += [f":62F:{self._mt940_balance(closing)}", ":86:end of day", "-"]
        return end.join((*lines, "")).encode(encoding)

    def _mt940_balance(self, minor: int) -> str:
        sign = "D" if minor < 0 else "C"
        return f"{sign}261001{self.currency}{self.text(abs(minor), ',')}"

    def _mt940_entry(self, each: Booking, shape: str) -> list[str]:
        sign = "D" if each.amount < 0 else "C"
        if each.is_reversal:
            sign = "RC" if each.amount < 0 else "RD"
        value = each.day - timedelta(days=1)
        entry = (
            f":61:{value:%y%m%d}{each.day:%m%d}{sign}{self.text(abs(each.amount), ',')}NTRFNONREF"
        )
        texts = {
            GERMAN: f"166?00GUTSCHRIFT?20EREF+{each.reference}?32{each.name}",
            DUTCH: f"/TRTP/SEPA OVERBOEKING/NAME/{each.name}/EREF/{each.reference}",
        }
        text = texts.get(shape, f"{each.name} {each.reference}")
        return [
            entry,
            *(
                f"{':86:' if not at else ''}{text[at : at + 65]}"
                for at in range(0, len(text) or 1, 65)
            ),
        ]


Write = Callable[[BankAccount], bytes]

"""Writes an account as a file."""

OFX_FILES: dict[str, Write] = {
    **{f"ofx {shape}": partial(BankAccount.ofx, shape=shape) for shape in OFX_SHAPES},
    "ofx with times": partial(BankAccount.ofx, moment="%Y%m%d120000.000"),
    "ofx in utf-8": partial(BankAccount.ofx, encoding="utf-8-sig"),
}
PROVED_FILES: dict[str, Write] = {
    **{f"camt {n}": partial(BankAccount.camt, version=n) for n in ("02", "04", "08", "13")},
    "camt with a prefix": partial(BankAccount.camt, prefix="ns2:"),
    "camt newest first": partial(BankAccount.camt, newest_first=True),
    "camt on one line": partial(BankAccount.camt, on_one_line=True),
    "camt without ids": partial(BankAccount.camt, with_ids=False),
    "camt with the previous balance": partial(BankAccount.camt, balances="PRCD CLBD"),
    "camt in pages": partial(BankAccount.camt, balances="ITBD ITBD"),
    **{f"mt940 {shape}": partial(BankAccount.mt940, shape=shape) for shape in MT940_SHAPES},
    "mt940 with LF": partial(BankAccount.mt940, shape=GERMAN, end="\n"),
    "mt940 in latin-1": partial(BankAccount.mt940, encoding="latin-1"),
}
BANK_FILES = {**OFX_FILES, **PROVED_FILES}
"""Every shape by its name; those that are proved have balances."""


def _meaning(each: Booking) -> Meaning:
    if not each.is_reversal:
        return Meaning.PAYMENT
    return Meaning.RETURN if each.amount < 0 else Meaning.OTHER


def found(file: StatementFile) -> list[tuple[str, int, str, Meaning]]:
    """Return what was read of a file, in the form of `BankAccount.expected`."""
    return [(row.day.isoformat(), row.amount, row.currency, row.meaning) for row in file.rows]


def read(*contents: bytes, options: Options | None = None) -> tuple[StatementFile, ...]:
    """Read files as the program does; they are called 1.csv, 2.csv and so on."""
    return read_named(*contents, options=options)


def some_account() -> BankAccount:
    """Return an account with two equal entries on one day, a debit and one that came back."""
    account = BankAccount()
    account.add("42.00", "2026-09-30", "PO-1", "Help Inc")
    account.add("10.00", "2026-10-01", "twice", "Kunde & Söhne")
    account.add("10.00", "2026-10-01", "twice", "Kunde & Söhne")
    account.add("-123.45", "2026-10-05", "Rent <October>", "Landlord")
    account.add("-42.00", "2026-10-05", "PO-1", "Help Inc", is_reversal=True)
    account.add(
        "1234.56",
        "2026-11-02",
        "PO-2 and a text that is longer than a line of sixty-five",
        "Help Inc",
    )
    return account


def large_account(size: int) -> BankAccount:
    """Return an account with many entries."""
    chance, account = random.Random(1), BankAccount()  # noqa: S311 -- Any amounts will do.
    for n in range(size):
        day = date(2026, 1, 1) + timedelta(days=n * 300 // size)
        account.add(f"{chance.randint(1, 99999) / 100:.2f}", day.isoformat(), f"PO-{n}", "Help Inc")
    return account
