"""Files of Revolut and Chase, and files that need a mapping, in every shape."""

from __future__ import annotations

from datetime import timedelta

from liveportal.statements.options import Options
from liveportal.tables.mapping import read_mapping
from tests.kit.statement_shape import Shape, Write, Written

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
            dates="mdy" if day.startswith("%m") else "dmy",
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
