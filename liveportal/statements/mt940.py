"""MT940: the statements of accounts by SWIFT, in lines of text.

The library mt-940 reads the fields of banks; we divide the file into fields, because refusals name
lines. Entries have no ids, and an entry date has no year.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from re import MULTILINE
from typing import TYPE_CHECKING, Any, Self

from liveportal.domain.patterns import pattern
from liveportal.statements.bank import (
    RESTORED,
    RETURNED,
    Balance,
    BankFormat,
    BankReader,
    BankStatement,
    Entry,
)
from liveportal.statements.candidate import Candidate
from liveportal.statements.options import Options
from liveportal.tables.columns import CellReader
from liveportal.tables.lines import Lines
from liveportal.tables.source import Source
from liveportal.tables.table import Dialect

if TYPE_CHECKING:
    import re

_START = pattern(r"^:20:", MULTILINE)
_BALANCE_FIELD = pattern(r"^:(60[FM]|62[FM]|25P?|28C?):", MULTILINE)
_FIELD = pattern(r":([0-9]{2}[A-Z]?|NS):(.*)")
_LABELLED = pattern(r"/([A-Z]{4})/([^/]+)")  # Of Dutch banks.
_ENDS = {"-", "-}"}
_SIGNS = {"C": "", "D": "-", "RC": "-", "RD": ""}
_LONGEST_FIELD = 20_000
_FEBRUARY, _MOST_DAYS = 2, 30
_LAST_OF_2000S = 80  # Of the years with two digits.
_CHUNK = 1024 * 1024
_NO_REFERENCE = {"", "NONREF"}


class Mt940(BankFormat):
    """What banks offer as MT940, SWIFT or STA."""

    name = "mt940"
    label = "MT940 of a bank"

    def for_file(self, options: Options) -> Self:
        """Return a copy, which has the encoding of the file."""
        del options
        return type(self)()

    def reader(self, file: Candidate) -> CellReader | None:
        """Return the reader of an MT940 file; banks may put lines of their own before it."""
        head = file.head.decode("latin-1").replace("\r", "")
        if not _START.search(head) or not _BALANCE_FIELD.search(head):
            return None
        self.dialect = Dialect(encoding=_encoding(file.source))
        return _Reader(file.place)


def _encoding(source: Source) -> str:
    """Return UTF-8 if the whole file is that; no file says what else it is, mostly Latin-1."""
    decoder = getincrementaldecoder("utf-8")()
    source.stream.seek(0)
    try:
        while chunk := source.stream.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "iso8859-1"
    return "utf-8"


@dataclass(slots=True)
class _Field:
    line: int
    tag: str
    lines: list[str]


class _Reader(BankReader):
    tags = {"net": ":61:", "date": ":61:", "balance": ":60F:", "currency": ":60F:"}  # noqa: RUF012

    def statements(self, lines: Lines) -> Iterator[BankStatement]:
        """Yield the statements, each from its reference to its closing balance."""
        statement: BankStatement | None = None
        for each in self._fields(lines):
            if each.tag == "20":
                self._check_closed(statement)
                statement = BankStatement(each.line)
            elif statement is None:
                raise self.malformed(each.line, f":{each.tag}: appears outside a statement.")
            elif each.tag in {"62F", "62M"}:
                self._close(statement, each)
                yield statement
            else:
                self._add(statement, each)
        self._check_closed(statement)

    def _add(self, statement: BankStatement, field: _Field) -> None:
        if field.tag in {"25", "25P"}:
            statement.account = field.lines[0].replace(" ", "")
        elif field.tag in {"60F", "60M"}:
            statement.currency, statement.opening = self._balance(field)
        elif field.tag == "61":
            if statement.opening is None or statement.closing:
                raise self.malformed(field.line, "the entry is not between two balances.")
            statement.entries.append(self._entry(statement, field))
        elif field.tag == "86" and statement.entries and not statement.closing:
            _describe(statement.entries[-1], field.lines)

    def _close(self, statement: BankStatement, field: _Field) -> None:
        if statement.opening is None or statement.closing:
            raise self.malformed(field.line, "the closing balance has no opening balance before.")
        currency, statement.closing = self._balance(field)
        if currency != statement.currency:
            reason = f"is not in the currency of the opening balance, {statement.currency}"
            raise self.bad(field.line, f":{field.tag}:", field.lines[0], reason)

    def _check_closed(self, statement: BankStatement | None) -> None:
        if statement and not statement.closing:
            reason = "the statement has no closing balance (:62F:): the file was cut."
            raise self.malformed(statement.line, reason)

    def _fields(self, lines: Lines) -> Iterator[_Field]:
        """Yield the fields of the messages, without lines before, between and after these."""
        found: _Field | None = None
        size = 0
        for raw in lines:
            text = raw.rstrip("\r\n ")
            match = _FIELD.fullmatch(text)
            if match or text in _ENDS or text.startswith("{"):
                if found:
                    yield found
                found, size = None, 0
                if match:
                    found = _Field(lines.number, match[1], [match[2]])
            elif found:
                size += len(text)
                if size > _LONGEST_FIELD:
                    reason = f"the field is longer than {_LONGEST_FIELD:,} characters."
                    raise self.malformed(found.line, reason)
                found.lines.append(text)
        if found:
            yield found

    def _balance(self, field: _Field) -> tuple[str, Balance]:
        """Return the currency and the amount of a balance."""
        match = _patterns()["balance"].match(field.lines[0])
        tag = f":{field.tag}:"
        if not match or match.end() != len(field.lines[0]) or not field.lines[0].isascii():
            raise self.bad(field.line, tag, field.lines[0], "is not a balance")
        amount = self._signed(field, match["status"].upper(), match["amount"])
        return self.code(field.line, tag, match["currency"]), Balance(field.line, amount)

    def _entry(self, statement: BankStatement, field: _Field) -> Entry:
        first, *more = field.lines
        text = "\n".join((first, " ".join(more))) if more else first
        match = _patterns()["entry"].match(text)
        # The library takes what follows a wrong amount for a reference.
        if not match or not match["id"] or not text[: match.end("amount")].isascii():
            raise self.bad(field.line, ":61:", first, "is not an entry")
        mark = match["status"].upper()
        amount = self._signed(field, mark, match["amount"])
        parts = ("customer_reference", "bank_reference", "extra_details")
        return Entry(
            line=field.line,
            day=self._booked(field, match).isoformat(),
            amount=amount,
            currency=statement.currency,
            type=(match["id"] or "").strip(),
            status={"RC": RETURNED, "RD": RESTORED}.get(mark, ""),
            references=[match[part] for part in parts if match[part] not in _NO_REFERENCE | {None}],
        )

    def _signed(self, field: _Field, mark: str, text: str) -> Decimal:
        amount = self.amount(field.line, f":{field.tag}:", text)
        return -amount if _SIGNS[mark] else amount

    def _booked(self, field: _Field, match: re.Match[str]) -> date:
        """Return the entry date, in the year nearest to the value date, or the value date."""
        short = int(match["year"])
        year = short + (1900 if short >= _LAST_OF_2000S else 2000)
        value = self._date(field, year, match["month"], match["day"])
        month, day = match["entry_month"] or "", match["entry_day"] or ""
        if not month.strip() or not day.strip():
            return value
        near = [self._date(field, each, month, day) for each in (year - 1, year, year + 1)]
        return min(near, key=lambda booked: abs(booked - value))

    def _date(self, field: _Field, year: int, month: str, day: str) -> date:
        """Return a date; banks that count 30 days in every month date interest 30 February."""
        text, number = field.lines[0], int(day)
        if int(month) == _FEBRUARY and number <= _MOST_DAYS:
            last = 29 if year % 4 == 0 else 28  # Right from 1901 to 2099.
            number = min(number, last)
        return self.day(field.line, ":61:", text, (year, int(month), number))


@cache
def _patterns() -> dict[str, Any]:
    """Return the library's patterns of fields; importing it takes 0.2 seconds."""
    from mt940 import tags

    return {
        "balance": tags.FinalOpeningBalance().re,
        "entry": tags.StatementGLS().re,  # Its references have any length.
    }


def _describe(entry: Entry, lines: list[str]) -> None:
    """Add the texts of :86: to an entry; a reference may be cut where a line ends."""
    found = _subfields("".join(lines))
    labelled = dict(_LABELLED.findall("".join(lines)))
    names = (found.get("applicant_name"), labelled.get("NAME"))
    texts = (
        *(found.get(key) for key in ("end_to_end_reference", "customer_reference", "purpose")),
        *(labelled.get(key) for key in ("EREF", "REMI")),
        *("".join(lines), " ".join(lines)),
    )
    entry.names = [*entry.names, *filter(None, names)]
    entry.references = [*entry.references, *filter(None, texts)]


def _subfields(text: str) -> dict[str, str | None]:
    """Return the parts of a structured text as German banks have it, by the library's names."""
    from mt940 import Options as Switches
    from mt940.models import Transactions
    from mt940.processors import transaction_details_post_processor as structured
    from mt940.tags import TransactionDetails

    details: dict[str, Any] = {"transaction_details": text}
    return structured(
        Transactions(options=Switches.all()), TransactionDetails(), details, dict(details)
    )
