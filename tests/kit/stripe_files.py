"""Stripe's files in every shape."""

from __future__ import annotations

import json

from liveportal.domain.money import digits_of
from liveportal.statements.options import Options
from tests.kit.statement_shape import CURRENCIES, Shape, Write, Written

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
