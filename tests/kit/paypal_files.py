"""PayPal's files of an account: the same transactions written in every shape that PayPal has.

    account = PayPalAccount()
    account.payout("42.00", "2026-10-05T09:00:00Z", fee="1.00", subject="PO-1")
    content = account.file()                        # The default activity download, in English.
    content = account.file(STATEMENT, DE)           # The monthly statement, in German.

`read` reads such files as the program does; `found(file)` must equal `account.expected(shape)`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from liveportal.domain.money import Money, digits_of, format_minor
from liveportal.statements.options import Options
from liveportal.statements.reading import read_statements
from liveportal.statements.rows import Meaning, StatementFile
from liveportal.tables.source import Source
from tests.kit.paypal_locales import EN, Locale

OWN = "me@expert.example"
PLATFORM = "payouts@help.example"

MEANINGS = {
    "payout": Meaning.PAYMENT,
    "payment": Meaning.PAYMENT,
    "withdrawal": Meaning.OWN_TRANSFER,
    "deposit": Meaning.OWN_TRANSFER,
    "conversion": Meaning.CONVERSION,
    "hold": Meaning.HOLD,
    "release": Meaning.RELEASE,
    "returned": Meaning.RETURN,
    "purchase": Meaning.OTHER,
    "authorization": Meaning.MEMO,
    "order": Meaning.MEMO,
}
"""What each kind of transaction means."""


@dataclass(frozen=True)
class Transaction:
    """One transaction of an account; amounts are in minor units, signed."""

    kind: str
    at: datetime
    gross: int
    currency: str
    id: str
    fee: int = 0
    parent: str = ""
    name: str = ""
    email: str = ""
    invoice: str = ""
    custom: str = ""
    subject: str = ""
    note: str = ""

    @property
    def is_memo(self) -> bool:
        """Whether no money moves."""
        return MEANINGS[self.kind] is Meaning.MEMO


@dataclass(frozen=True)
class Shape:
    """One kind of file: its columns, and how it is written."""

    name: str
    form: str = "paypal-activity"
    only: str = ""  # The roles of a custom subset; empty for all.
    extra: int = 0  # More columns, which are not used.
    doubles: str = ""  # A role whose column appears twice.
    bom: bool = False
    newest_first: bool = False
    header_space: str = ""
    empty_columns: int = 0  # In the header only, at its end.
    quoting: Literal[0, 1] = csv.QUOTE_ALL
    old: bool = False
    delimiter: str = ","
    end: str = "\n"
    zone: str | None = None  # Else the locale's.
    zone_style: str = "abbreviation"


DEFAULT = Shape("default", bom=True)
FULL = Shape("full", extra=40, doubles="invoice")
OLD = Shape("2014", newest_first=True, header_space=" ", empty_columns=1, old=True)
CUSTOM = Shape(
    "custom",
    only=(
        "date time zone name type status currency gross fee net from to id parent invoice custom"
        " balance subject note"
    ),
    quoting=csv.QUOTE_MINIMAL,
    old=True,
)
SMALL = Shape(
    "small",
    only="date time zone name type status currency gross fee net from to id impact",
    quoting=csv.QUOTE_MINIMAL,
)
STATEMENT = Shape("statement", form="paypal-statement", empty_columns=6, zone_style="iana")
SHAPES = (DEFAULT, FULL, OLD, CUSTOM, SMALL, STATEMENT)
ZONE_STYLES = ("abbreviation", "iana", "offset")


@dataclass
class PayPalAccount:
    """The transactions of an account, in the order of time."""

    transactions: list[Transaction] = field(default_factory=list)
    opening: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, amount: str, at: str, **fields: str) -> str:
        """Add a transaction and return its id; `fee` is positive, as for `payout`."""
        currency = fields.pop("currency", "USD")
        number = len(self.transactions) + 1
        own_id = fields.pop("id", f"8XK41{number:012d}")
        fee = -Money.parse(fields.pop("fee", "0"), currency).minor
        when = datetime.fromisoformat(at)
        gross = Money.parse(amount, currency).minor
        self.transactions.append(Transaction(kind, when, gross, currency, own_id, fee, **fields))
        self.transactions.sort(key=lambda each: each.at)
        return own_id

    def payout(self, amount: str, at: str, **fields: str) -> str:
        """Add a platform's payout that arrived, and return its transaction's id."""
        fields = {"name": "Live Help", "email": PLATFORM, **fields}
        return self.add(fields.pop("kind", "payout"), amount, at, **fields)

    def file(self, shape: Shape = DEFAULT, locale: Locale = EN) -> bytes:
        """Return the account's file in a shape and a language."""
        return write(self.lines(shape, locale), shape)

    def lines(self, shape: Shape = DEFAULT, locale: Locale = EN) -> list[list[str]]:
        """Return the cells of the header and of each row."""
        columns, roles = _columns(shape, locale)
        header = [shape.header_space + name for name in columns] + [""] * shape.empty_columns
        rows = [[texts.get(role, "") for role in roles] for texts in self._texts(shape, locale)]
        return [header, *rows]

    def _texts(self, shape: Shape, locale: Locale) -> list[dict[str, str]]:
        """Return the text of each role for each row, in the order of the shape."""
        balances = dict(self.opening)
        texts: list[tuple[str, dict[str, str]]] = []
        for each in self.transactions:
            if not each.is_memo:
                balances[each.currency] = balances.get(each.currency, 0) + each.gross + each.fee
            elif shape is STATEMENT or shape.form == "paypal-statement":
                continue
            balance = balances.get(each.currency, 0)
            texts.append((each.currency, _cells(each, balance, shape, locale)))
        if shape.form == "paypal-statement":
            texts.sort(key=lambda pair: pair[0])
        rows = [row for _, row in texts]
        return rows[::-1] if shape.newest_first else rows

    def expected(self, shape: Shape = DEFAULT) -> list[tuple[object, ...]]:
        """Return what reading the file must find: see `found`."""
        balances, rows = dict(self.opening), []
        stated = set(shape.only.split()) or {"parent", "balance"}
        for each in self.transactions:
            net: int | None = each.gross + each.fee
            if not each.is_memo:
                balances[each.currency] = balances.get(each.currency, 0) + each.gross + each.fee
            elif shape.form == "paypal-statement":
                continue
            balance: int | None = balances.get(each.currency, 0)
            fee: int | None = each.fee
            if each.kind == "order":
                fee = net = balance = None
            rows.append(
                (
                    each.id,
                    (each.parent if "parent" in stated else "") or None,
                    each.at.astimezone(UTC),
                    each.gross,
                    fee,
                    net,
                    balance if "balance" in stated else None,
                    each.currency,
                    MEANINGS[each.kind],
                )
            )
        return sorted(rows, key=repr)


def found(file: StatementFile) -> list[tuple[object, ...]]:
    """Return what was read in the form of `PayPalAccount.expected`."""
    rows: list[tuple[object, ...]] = [
        (r.row, r.parent, r.time, r.gross, r.fee, r.net, r.balance, r.currency, r.meaning)
        for r in file.rows
    ]
    return sorted(rows, key=repr)


def read(*contents: bytes, options: Options | None = None) -> tuple[StatementFile, ...]:
    """Read contents as files named `1.csv`, `2.csv` and so on."""
    sources = [Source(f"{n}.csv", io.BytesIO(content)) for n, content in enumerate(contents, 1)]
    return read_statements(sources, options)


def write(lines: Iterable[Iterable[str]], shape: Shape = DEFAULT) -> bytes:
    """Return lines of cells as the bytes of a file."""
    text = io.StringIO()
    writer = csv.writer(
        text, quoting=shape.quoting, delimiter=shape.delimiter, lineterminator=shape.end
    )
    writer.writerows(lines)
    return text.getvalue().encode("utf-8-sig" if shape.bom else "utf-8")


def _columns(shape: Shape, locale: Locale) -> tuple[list[str], list[str]]:
    """Return the names of the columns, and the role of each."""
    is_statement = shape.form == "paypal-statement"
    names = (locale.statement if is_statement else locale.columns).split("|")
    by_name = {
        name: role
        for role, name in (locale.statement_roles if is_statement else locale.roles).items()
    }
    roles = [by_name.get(name, "") for name in names]
    if shape.only:
        kept = [n for n, role in enumerate(roles) if role in shape.only.split()]
        names, roles = [names[n] for n in kept], [roles[n] for n in kept]
    if shape.doubles:
        names.append(locale.roles[shape.doubles])
        roles.append(shape.doubles)
    names += [f"More {n}" for n in range(shape.extra)]
    roles += [""] * shape.extra
    if shape.old:
        names = [locale.old.get(name, name) for name in names]
    return names, roles


def _cells(each: Transaction, balance: int, shape: Shape, locale: Locale) -> dict[str, str]:
    day, time, zone = _local(each.at, shape, locale)

    def amount(minor: int) -> str:
        return amount_text(minor, each.currency, locale.mark)

    is_credit = each.gross >= 0
    impact = locale.impact[2 if each.is_memo else not is_credit]
    is_unstated = each.kind == "order"
    return {
        "date": day,
        "time": time,
        "zone": zone,
        "name": each.name,
        "id": each.id,
        "type": locale.words[each.kind],
        "currency": each.currency,
        "impact": impact,
        "status": locale.pending if each.is_memo else locale.completed,
        "gross": amount(each.gross),
        "fee": "..." if is_unstated else amount(each.fee),
        "net": "..." if is_unstated else amount(each.gross + each.fee),
        "balance": "..." if is_unstated else amount(balance),
        "from": each.email if is_credit else OWN,
        "to": OWN if is_credit else each.email,
        "parent": each.parent,
        "invoice": each.invoice,
        "custom": each.custom,
        "subject": each.subject,
        "note": each.note,
    }


def amount_text(minor: int, currency: str, mark: str) -> str:
    """Return an amount with grouped thousands: `1,234.50` or `1.234,50`."""
    digits = digits_of(currency) if currency.isalpha() and len(currency) == 3 else 2
    whole, _, fraction = format_minor(abs(minor), digits).partition(".")
    grouped = f"{int(whole):,}".replace(",", "," if mark == "." else ".")
    sign = "-" if minor < 0 else ""
    return f"{sign}{grouped}{mark}{fraction}" if fraction else f"{sign}{grouped}"


def _local(at: datetime, shape: Shape, locale: Locale) -> tuple[str, str, str]:
    local = at.astimezone(ZoneInfo(shape.zone or locale.zone))
    day = (
        locale.date_format.replace("yyyy", f"{local.year:04d}")
        .replace("dd", f"{local.day:02d}")
        .replace("mm", f"{local.month:02d}")
    )
    day = _unpadded(day, local)
    offset = local.strftime("%z")
    zones = {
        "abbreviation": local.tzname() or "",
        "iana": shape.zone or locale.zone,
        "offset": f"GMT{offset[:3]}:{offset[3:]}",
    }
    return day, local.strftime("%H:%M:%S"), zones[shape.zone_style]


def _unpadded(day: str, local: datetime) -> str:
    return "/".join(
        {"d": str(local.day), "m": str(local.month)}.get(part, part) for part in day.split("/")
    )
