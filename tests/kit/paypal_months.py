"""Random months of a PayPal account, for properties of everything that reads its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from tests.kit.paypal_files import PLATFORM, PayPalAccount, Transaction

TEXTS = st.text(st.sampled_from("aé, \"'\n;|=日-0€\t\u00a0\U0001f600"), max_size=12).map(str.strip)


@st.composite
def accounts(draw: st.DrawFn, most: int = 12) -> PayPalAccount:
    """Return an account with a random month of transactions in up to three currencies."""
    year, month = draw(st.integers(2012, 2027)), draw(st.integers(1, 12))
    currencies = draw(st.lists(st.sampled_from(("USD", "EUR", "JPY")), min_size=1, unique=True))
    account = PayPalAccount(opening={code: draw(st.integers(0, 5_000_00)) for code in currencies})
    minutes = sorted(draw(st.lists(st.integers(0, 27 * 24 * 60), max_size=most)))
    for n, minute in enumerate(minutes):
        at = datetime(
            year, month, 1 + minute // 1440, minute // 60 % 24, minute % 60, n, tzinfo=UTC
        )
        account.transactions += draw(_groups(at, f"{n:04d}", currencies))
    return account


@st.composite
def _groups(draw: st.DrawFn, at: datetime, number: str, currencies: list[str]) -> list[Transaction]:
    """Return one transaction, or those that belong together."""
    amount = draw(st.integers(1, 3_000_000))
    fee = draw(st.sampled_from((0, 0, -draw(st.integers(0, amount)))))
    texts = {name: draw(TEXTS) for name in ("name", "subject", "note", "invoice", "custom")}
    first = Transaction(
        draw(st.sampled_from(("payout", "payment"))),
        at,
        amount,
        draw(st.sampled_from(currencies)),
        f"{number}A",
        fee,
        email=draw(st.sampled_from((PLATFORM, "x@y.example", ""))),
        **texts,
    )
    kind = draw(
        st.sampled_from(
            ("in", "out", "withdrawal", "memo", "order", "held", "returned", "exchanged")
        )
    )
    return _MAKERS[kind](first, number, currencies)


def _exchanged(first: Transaction, number: str, currencies: list[str]) -> list[Transaction]:
    if len(currencies) == 1:
        return [first]
    other = next(code for code in currencies if code != first.currency)
    legs = (("C", -first.gross, first.currency), ("D", first.gross // 3 + 1, other))
    return [
        first,
        *(
            replace(
                first,
                kind="conversion",
                id=f"{number}{letter}",
                parent=first.id,
                gross=gross,
                currency=code,
                fee=0,
                email="",
                name="",
            )
            for letter, gross, code in legs
        ),
    ]


def _held(first: Transaction, number: str, _: list[str]) -> list[Transaction]:
    hold = replace(first, kind="hold", id=f"{number}H", parent=first.id, gross=-first.gross, fee=0)
    return [first, hold, replace(hold, kind="release", id=f"{number}R", gross=first.gross)]


_Maker = Callable[[Transaction, str, list[str]], list[Transaction]]
_MAKERS: dict[str, _Maker] = {
    "in": lambda first, _n, _c: [first],
    "out": lambda first, _n, _c: [replace(first, kind="purchase", gross=-first.gross)],
    "withdrawal": lambda first, _n, _c: [
        replace(first, kind="withdrawal", gross=-first.gross, fee=0)
    ],
    "memo": lambda first, _n, _c: [replace(first, kind="authorization", fee=0)],
    "order": lambda first, _n, _c: [replace(first, kind="order", gross=-first.gross)],
    "held": _held,
    "returned": lambda first, number, _c: [
        first,
        replace(
            first,
            kind="returned",
            id=f"{number}B",
            parent=first.id,
            gross=-first.gross,
            fee=-first.fee,
        ),
    ],
    "exchanged": _exchanged,
}
