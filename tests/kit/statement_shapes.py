"""Statements of every provider but PayPal, in every shape: made from one list of movements.

A shape says how a movement is written, and which of its facts a reader can find again. Tests take
all of `SHAPES`; a new format adds its shapes here, and is tested with all the others.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from hypothesis import strategies as st

from liveportal.domain.money import digits_of, format_minor
from liveportal.statements.options import Options
from liveportal.statements.proofs import moved
from liveportal.statements.rows import StatementFile
from liveportal.tables.mapping import read_mapping

Texts = Mapping[str, str]


@dataclass(frozen=True)
class Movement:
    """Money that arrived or left; `amount` and `fee` in minor units, a fee is negative."""

    at: datetime
    amount: int
    currency: str = "USD"
    number: int = 1
    party: str = "Live Help"
    text: str = ""
    fee: int = 0


@dataclass(frozen=True)
class Written:
    """A movement with the balance after it, and helpers to spell its parts."""

    move: Movement
    balance: int
    mark: str = "."

    def amount(self, minor: int, *, grouped: bool = False) -> str:
        """Return an amount in the movement's currency."""
        text = format_minor(minor, digits_of(self.move.currency))
        if grouped:
            whole, _, fraction = text.lstrip("-").partition(".")
            text = "-" * (minor < 0) + f"{int(whole):,}" + (f".{fraction}" if fraction else "")
        return text.replace(".", self.mark) if self.mark == "," else text


CURRENCIES = ("USD", "EUR", "JPY")
Write = Callable[[Written], Sequence[str]]


@dataclass(frozen=True)
class Shape:
    """One kind of file; `row` returns a movement's cells."""

    name: str
    form: str
    header: tuple[str, ...]
    row: Write
    amount_column: str
    date_column: str
    provider: str = ""
    newest_first: bool = False
    has_balance: bool = True
    has_fee: bool = False
    has_ids: bool = True
    has_sums: bool = False  # Rows have gross, fee and net.
    quoting: Literal[0, 1, 2, 3] = csv.QUOTE_MINIMAL
    currencies: tuple[str, ...] = CURRENCIES
    mark: str = "."
    delimiter: str = ","
    options: Options = field(default_factory=Options)

    def fields(self, moves: Sequence[Movement], opening: int = 0) -> list[list[str]]:
        """Return the cells of the header and of each row."""
        rows, balance = [], opening
        for move in moves:
            balance += move.amount + move.fee
            rows.append(list(self.row(Written(move, balance, self.mark))))
        if self.newest_first:
            rows.reverse()
        return [list(self.header), *rows]

    def write(self, fields: Sequence[Sequence[str]]) -> bytes:
        """Return cells as the bytes of a file."""
        if self.header[:1] == ("{",):
            return _json(fields)
        text = io.StringIO()
        writer = csv.writer(
            text, quoting=self.quoting, delimiter=self.delimiter, lineterminator="\n"
        )
        writer.writerows(fields)
        return text.getvalue().encode()

    def file(self, moves: Sequence[Movement], opening: int = 0) -> bytes:
        """Return the file of movements."""
        return self.write(self.fields(moves, opening))

    def expected(self, moves: Sequence[Movement], opening: int = 0) -> list[tuple[object, ...]]:
        """Return what reading must find: see `facts`."""
        balance, rows = opening, []
        for move in moves:
            balance += move.amount + move.fee
            shown = move.amount if self.has_fee else move.amount + move.fee
            rows.append(
                (
                    move.at.date(),
                    shown,
                    move.amount + move.fee,
                    balance if self.has_balance else None,
                    move.currency,
                )
            )
        return sorted(rows, key=repr)


def facts(file: StatementFile) -> list[tuple[object, ...]]:
    """Return what was read in the form of `Shape.expected`."""
    rows = [(row.day, row.amount, moved(row), row.balance, row.currency) for row in file.rows]
    return sorted(rows, key=repr)


def _json(fields: Sequence[Sequence[str]]) -> bytes:
    """Return the document whose parts are the cells: one row a line, as a program writes them."""
    start, end = "".join(fields[0]).split("...")
    return (start + ",\n".join("".join(row) for row in fields[1:]) + end).encode()


# --- Wise -----------------------------------------------------------------------------------------

_WISE_19 = (
    "TransferWise ID,Date,Amount,Currency,Description,Payment Reference,Running Balance,"
    "Exchange From,Exchange To,Exchange Rate,Payer Name,Payee Name,Payee Account Number,Merchant,"
    "Card Last Four Digits,Card Holder Full Name,Attachment,Note,Total fees"
)
_WISE_20 = f"{_WISE_19},Exchange To Amount"
_WISE_23 = (
    f"{_WISE_20.replace('Date,', 'Date,Date Time,', 1)},Transaction Type,Transaction Details Type"
)
_HISTORY_EN = (
    "ID,Status,Direction,Created on,Finished on,Source fee amount,Source fee currency,"
    "Target fee amount,Target fee currency,Source name,Source amount (after fees),Source currency,"
    "Target name,Target amount (after fees),Target currency,Exchange rate,Reference,Batch,"
    "Created by,Category,Note"
)
_HISTORY_DE = (
    "ID,Status,Richtung,Erstellt am,Abgeschlossen am,Betrag der Ausgangsgebühr,"
    "Währung der Ausgangsgebühr,Betrag der Zielgebühr,Währung der Zielgebühr,Quellenname,"
    "Ausgangsbetrag (nach Gebühren),Ausgangswährung,Name des Empfängers,"
    "Zielbetrag (nach Gebühren),Zielwährung,Wechselkurs,Referenz,Batch,Erstellt von,Kategorie,Notiz"
)


def _wise_statement(header: str) -> Write:
    names = header.split(",")

    def row(w: Written) -> list[str]:
        move, arrives = w.move, w.move.amount >= 0
        cells = {
            "TransferWise ID": f"TRANSFER-{move.number}",
            "Date": f"{move.at:%d-%m-%Y}",
            "Date Time": f"{move.at:%d-%m-%Y %H:%M:%S}.833",
            "Amount": w.amount(move.amount + move.fee),
            "Currency": move.currency,
            "Description": "Beérkezett utalás",
            "Payment Reference": move.text,
            "Running Balance": w.amount(w.balance),
            "Payer Name" if arrives else "Payee Name": move.party,
            "Total fees": w.amount(-move.fee),
            "Transaction Type": "CREDIT" if arrives else "DEBIT",
            "Transaction Details Type": "DEPOSIT" if arrives else "TRANSFER",
        }
        return [cells.get(name, "") for name in names]

    return row


def _wise_history(w: Written) -> list[str]:
    move, arrives = w.move, w.move.amount >= 0
    source = abs(move.amount) if not arrives else move.amount + move.fee
    own = "Alex Example"
    source_name, target_name = (move.party, own) if arrives else (own, move.party)
    moment = f"{move.at:%Y-%m-%d %H:%M:%S}"
    return [
        *(f"TRANSFER-{move.number}", "COMPLETED", "IN" if arrives else "OUT", moment, moment),
        *(w.amount(-move.fee), move.currency, "", "", source_name, w.amount(source)),
        *(move.currency, target_name, w.amount(source), move.currency, "1.0", move.text),
        *("", "", "", ""),
    ]


def _wise_json(w: Written) -> list[str]:
    move, arrives = w.move, w.move.amount >= 0

    def value(minor: int) -> dict[str, object]:
        return {"value": f"@{w.amount(minor)}@", "currency": move.currency}

    details: dict[str, object] = {
        "type": "DEPOSIT" if arrives else "TRANSFER",
        "description": "Received money",
        "paymentReference": move.text,
    }
    details |= {"senderName": move.party} if arrives else {"recipient": {"name": move.party}}
    found = {
        "type": "CREDIT" if arrives else "DEBIT",
        "date": f"{move.at:%Y-%m-%dT%H:%M:%S}.123Z",
        "amount": value(move.amount + move.fee),
        "totalFees": value(-move.fee),
        "details": details,
        "runningBalance": value(w.balance),
        "referenceNumber": f"TRANSFER-{move.number}",
    }
    text = json.dumps(found, ensure_ascii=False).replace('"@', "\x00").replace('@"', "\x00")
    first, amount, *rest = text.split("\x00")
    return [first, amount, *rest]


_WISE_DOCUMENT = '{"accountHolder": {"type": "PERSONAL"}, "transactions": [\n...\n], "query": {}}'

WISE = (
    *(
        Shape(
            f"wise-statement-{len(header.split(','))}", "wise-statement", tuple(header.split(",")),
            _wise_statement(header), "Amount", "Date", "wise", newest_first=True,
            currencies=(*CURRENCIES, "KWD"),
        )
        for header in (_WISE_19, _WISE_20, _WISE_23)
    ),
    *(
        Shape(
            f"wise-history-{language}", "wise-history", tuple(header.split(",")), _wise_history,
            header.split(",")[10], header.split(",")[4], "wise", newest_first=True,
            has_balance=False, has_fee=True,
        )
        for language, header in (("en", _HISTORY_EN), ("de", _HISTORY_DE))
    ),
    Shape(
        "wise-json", "wise-json", ("{", _WISE_DOCUMENT[1:]), _wise_json, "1", "0", "wise",
        newest_first=True, currencies=(*CURRENCIES, "KWD"),
    ),
)  # fmt: skip

# --- mappings -------------------------------------------------------------------------------------

_PAYONEER = (
    "Transaction Date,Time,Time Zone,Transaction ID,Description,Credit Amount,Debit Amount,"
    "Currency,Transfer Amount,Transfer Amount Currency,Status,Running Balance,"
    "Additional Description,Store Name,Source,Target,Reference ID"
)


def _payoneer(w: Written) -> list[str]:
    move = w.move
    moved_by = move.amount + move.fee
    arrived = w.amount(moved_by) if moved_by > 0 else ""
    left = w.amount(-moved_by) if moved_by < 0 else ""
    return [
        *(f"{move.at:%m/%d/%Y}", f"{move.at:%H:%M:%S}", "UTC", f"PN{move.number}", move.text),
        *(arrived, left, move.currency, "", "", "Completed", w.amount(w.balance)),
        *("P 77", "", move.party, "", ""),
    ]


BANK = b"""
name = "my-bank"
[columns]
date = "Buchungstag"
amount = "Betrag"
text = ["Verwendungszweck", "Vorgang"]
payer = "Auftraggeber"
balance = "Saldo"
[format]
delimiter = ";"
[fixed]
currency = "EUR"
[payers]
names = ["Live Help"]
"""
_BANK_OPTIONS = Options(mapping=read_mapping(BANK, "my-bank.toml"))


def _bank(w: Written) -> list[str]:
    move = w.move
    return [
        *(f"{move.at:%d.%m.%Y}", "Gutschrift", move.party, move.text),
        *(w.amount(move.amount + move.fee), w.amount(w.balance)),
    ]


MAPPED = (
    Shape(
        "payoneer", "csv", tuple(_PAYONEER.split(",")), _payoneer, "Debit Amount",
        "Transaction Date", "payoneer",
    ),
    Shape(
        "mapped-bank", "csv",
        ("Buchungstag", "Vorgang", "Auftraggeber", "Verwendungszweck", "Betrag", "Saldo"),
        _bank, "Betrag", "Buchungstag", "my-bank", has_ids=False, currencies=("EUR",), mark=",",
        delimiter=";", options=_BANK_OPTIONS,
    ),
)  # fmt: skip

# --- Stripe ---------------------------------------------------------------------------------------

_ITEMISED_11 = (
    "automatic_payout_id,automatic_payout_effective_at,balance_transaction_id,created,currency,"
    "gross,fee,net,source_id,description,reporting_category"
)
_ITEMISED_18 = (
    "balance_transaction_id,created_utc,created,available_on_utc,available_on,currency,gross,fee,net,"
    "reporting_category,source_id,description,customer_id,charge_id,payment_intent_id,"
    "payment_metadata[order],automatic_payout_id,automatic_payout_effective_at"
)
_ALL_STRIPE = (
    "id,Type,Source,Amount,Fee,Destination Platform Fee,Net,Currency,Created (UTC),"
    "Available On (UTC),Description,Transfer,order (metadata)"
)
_STRIPE = Options(hop="transfer")


def _stripe(header: str) -> Write:
    names = header.split(",")

    def row(w: Written) -> list[str]:
        move = w.move
        arrives = move.amount > 0
        cells = {
            "balance_transaction_id": f"txn_{move.number}",
            "created": f"{move.at:%Y-%m-%d %H:%M:%S}",
            "created_utc": f"{move.at:%Y-%m-%d %H:%M:%S}",
            "currency": move.currency.lower(),
            "gross": w.amount(move.amount),
            "fee": w.amount(-move.fee),
            "net": w.amount(move.amount + move.fee),
            "reporting_category": "charge" if arrives else "fee",
            "source_id": f"py_{move.number}" if arrives else "",
            "description": move.text,
            "payment_metadata[order]": "A-1",
        }
        cells |= {
            "id": cells["balance_transaction_id"],
            "Type": "payment" if arrives else "stripe_fee",
            "Source": cells["source_id"],
            "Amount": cells["gross"],
            "Fee": cells["fee"],
            "Net": cells["net"],
            "Currency": cells["currency"],
            "Created (UTC)": f"{move.at:%Y-%m-%d %H:%M}",
            "Description": move.text,
            "order (metadata)": "A-1",
        }
        return [cells.get(name, "") for name in names]

    return row


def _stripe_json(w: Written) -> list[str]:
    move = w.move
    digits = {"JPY": 0, "KWD": 3}.get(move.currency, 2)
    assert digits == digits_of(move.currency)
    found = {
        "object": "balance_transaction",
        "id": f"txn_{move.number}",
        "amount": "@",
        "fee": -move.fee,
        "net": move.amount + move.fee,
        "currency": move.currency.lower(),
        "created": f"@{int(move.at.timestamp())}@",
        "type": "payment" if move.amount > 0 else "stripe_fee",
        "source": {"object": "charge", "id": f"py_{move.number}"} if move.amount > 0 else None,
        "description": move.text or None,
    }
    text = json.dumps(found, ensure_ascii=False).replace('"@"', "\x00")
    first, rest = text.split("\x00")
    before, moment, after = rest.replace('"@', "\x00").replace('@"', "\x00").split("\x00")
    return [first, str(move.amount), before, moment, after]


STRIPE = (
    *(
        Shape(
            f"stripe-itemised-{len(header.split(','))}{'-comma' if mark == ',' else ''}",
            "stripe-itemised", tuple(header.split(",")), _stripe(header), "gross",
            "created_utc" if "created_utc" in header else "created", "stripe", has_balance=False,
            has_fee=True, has_sums=True, mark=mark, options=_STRIPE,
        )
        for header in (_ITEMISED_11, _ITEMISED_18)
        for mark in ".,"
    ),
    *(
        Shape(
            f"stripe-transactions-{'comma' if mark == ',' else 'point'}", "stripe-transactions",
            tuple(_ALL_STRIPE.split(",")), _stripe(_ALL_STRIPE), "Amount", "Created (UTC)",
            "stripe", has_balance=False, has_fee=True, has_sums=True, mark=mark, options=_STRIPE,
            newest_first=True,
        )
        for mark in ",."
    ),
    Shape(
        "stripe-events", "stripe-events", ("{", '"object": "list", "data": [\n...\n]}'),
        _stripe_json, "1", "3", "stripe", has_balance=False, has_fee=True, has_sums=True,
        options=_STRIPE, currencies=(*CURRENCIES, "KWD"),
    ),
)  # fmt: skip

# --- Revolut and Chase ----------------------------------------------------------------------------

_PERSONAL = {
    "en": (
        "Type,Product,Started Date,Completed Date,Description,Amount,Fee,Currency,State,Balance",
        "Current,COMPLETED",
    ),
    "de": (
        (
            "Art,Produkt,Datum des Beginns,Datum des Abschlusses,Beschreibung,Betrag,Gebühr,"
            "Währung,Status,Kontostand"
        ),
        "Giro,ABGESCHLOSSEN",
    ),
    "it": (
        (
            "Tipo,Prodotto,Data di inizio,Data di completamento,Descrizione,Importo,Costo,"
            "Valuta,State,Saldo"
        ),
        "Attuale,COMPLETATO",
    ),
}
_BUSINESS_19 = (
    "Date started (UTC),Date completed (UTC),ID,Type,Description,Reference,Payer,Card number,"
    "Orig currency,Orig amount,Payment currency,Amount,Fee,Balance,Account,"
    "Beneficiary account number,Beneficiary sort code or routing number,Beneficiary IBAN,"
    "Beneficiary BIC"
)
_BUSINESS_21 = _BUSINESS_19.replace("Type,", "Type,State,").replace("Fee,", "Fee,Fee currency,")
_BUSINESS_23 = f"{_BUSINESS_21},MCC,Related transaction id"
_BUSINESS_29 = (
    "Date started (UTC),Date completed (UTC),ID,Type,State,Description,Reference,Payer,"
    "Card number,Card label,Card state,Orig currency,Orig amount,Payment currency,Amount,"
    "Total amount,Exchange rate,Fee,Fee currency,Balance,Account,Beneficiary account number,"
    "Beneficiary sort code or routing number,Beneficiary IBAN,Beneficiary BIC,MCC,"
    "Related transaction id,Spend program,Description"
)


def _personal(product: str, state: str) -> Write:
    def row(w: Written) -> list[str]:
        move = w.move
        began = f"{move.at - timedelta(hours=5):%Y-%m-%d %H:%M:%S}"
        done = f"{move.at:%Y-%m-%d %H:%M:%S}"
        return [
            *("TRANSFER", product, began, done, f"{move.party} {move.text}", w.amount(move.amount)),
            *(w.amount(-move.fee), move.currency, state, w.amount(w.balance)),
        ]

    return row


def _business(header: str, day: str) -> Write:
    names = header.split(",")

    def row(w: Written) -> list[str]:
        move = w.move
        at = move.at.strftime(day)
        is_newer = "Total amount" in names
        cells = {
            "Date started (UTC)": at,
            "Date completed (UTC)": at,
            "ID": f"0199-{move.number}",
            "Type": "TOPUP" if move.amount > 0 else "TRANSFER",
            "State": "COMPLETED",
            "Description": f"Money from {move.party}".strip(),
            "Reference": move.text,
            "Payer": move.party,
            "Payment currency": move.currency,
            "Amount": w.amount(move.amount),
            "Total amount": w.amount(move.amount + move.fee),
            "Fee": w.amount(-move.fee if is_newer else move.fee),
            "Fee currency": move.currency,
            "Balance": w.amount(w.balance),
            "Account": f"{move.currency} Main",
        }
        return [cells.get(name, "") for name in names]

    return row


_CHASE = "Transaction Date,Post Date,Description,Category,Type,Amount,Memo"
_CHASE_ACCOUNT = "Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #"


def _chase(w: Written) -> list[str]:
    move = w.move
    day, amount = f"{move.at:%m/%d/%Y}", w.amount(move.amount + move.fee)
    return [day, day, f"{move.party} {move.text}", "Travel", "Sale", amount, ""]


def _chase_account(w: Written) -> list[str]:
    move = w.move
    amount = w.amount(move.amount + move.fee)
    kind = "CREDIT" if move.amount > 0 else "DEBIT"
    texts = (kind, f"{move.at:%m/%d/%Y}", f"{move.party} {move.text}")
    return [*texts, amount, "ACH_CREDIT", w.amount(w.balance), "", ""]


BANKS = (
    *(
        Shape(
            f"revolut-personal-{language}", "revolut-personal", tuple(header.split(",")),
            _personal(*words.split(",")), header.split(",")[5], header.split(",")[3], "revolut",
            has_fee=True, has_ids=False, newest_first=language == "de",
        )
        for language, (header, words) in _PERSONAL.items()
    ),
    *(
        Shape(
            f"revolut-business-{len(header.split(','))}", "revolut-business",
            tuple(header.split(",")), _business(header, day), "Amount", "Date completed (UTC)",
            "revolut", has_fee=True, newest_first=True, has_sums="Total" in header,
        )
        for header, day in (
            (_BUSINESS_19, "%Y-%m-%d"), (_BUSINESS_21, "%Y-%m-%d %H:%M:%S"),
            (_BUSINESS_23, "%m-%d-%Y"), (_BUSINESS_29, "%d/%m/%Y"),
        )
    ),
    Shape(
        "chase-card", "chase", tuple(_CHASE.split(",")), _chase, "Amount", "Post Date",
        has_balance=False, has_ids=False, currencies=("USD",), newest_first=True,
    ),
    Shape(
        "chase-account", "chase", tuple(_CHASE_ACCOUNT.split(",")), _chase_account, "Amount",
        "Posting Date", has_ids=False, currencies=("USD",), newest_first=True,
    ),
)  # fmt: skip

SHAPES: tuple[Shape, ...] = (*WISE, *MAPPED, *STRIPE, *BANKS)


# --- movements ------------------------------------------------------------------------------------

FIRST_DAY = date(2026, 1, 13)


def some_moves(currency: str = "USD", count: int = 6) -> list[Movement]:
    """Return movements in one currency, a day apart, the dates of which have one order only."""
    start = datetime(2026, 1, 13, 9, 30, 15, tzinfo=UTC)
    amounts = (1_234_50, -20_00, 42_00, 99, -500_00, 7_00)
    return [
        Movement(
            start + timedelta(days=3 * n, minutes=n), amounts[n % 6], currency, 1001 + n,
            "Live Help" if amounts[n % 6] > 0 else "A shop", f"PO-{n} for you",
            -1_00 if n % 6 == 0 else 0,
        )
        for n in range(count)
    ]  # fmt: skip


_TEXTS = st.text(st.sampled_from("aé, \"'\n;|=日-0€\t\u00a0\U0001f600"), max_size=12).map(str.strip)


@st.composite
def moves(draw: st.DrawFn, shape: Shape, most: int = 8) -> tuple[list[Movement], int]:
    """Return random movements for a shape, and the balance before them."""
    currency = draw(st.sampled_from(shape.currencies))
    minutes = sorted(draw(st.lists(st.integers(0, 27 * 24 * 60), max_size=most)))
    start = datetime(draw(st.integers(2012, 2027)), draw(st.integers(1, 12)), 1, tzinfo=UTC)
    found = []
    for n, minute in enumerate(minutes):
        amount = draw(st.integers(-3_000_000, 3_000_000).filter(bool))
        fee = draw(st.sampled_from((0, -draw(st.integers(0, 5_000))))) if amount > 0 else 0
        if amount + fee <= 0 < amount:
            fee = 0
        at = start + timedelta(minutes=minute, seconds=n)
        found.append(Movement(at, amount, currency, 1001 + n, draw(_TEXTS), draw(_TEXTS), fee))
    return found, draw(st.integers(0, 5_000_00))
