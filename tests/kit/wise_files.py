"""Wise's files in every shape."""

from __future__ import annotations

import json

from tests.kit.statement_shape import CURRENCIES, Shape, Write, Written

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
