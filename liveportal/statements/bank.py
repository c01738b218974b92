"""What the files of banks have in common: statements of accounts, with entries and balances.

A statement states the balance before its first entry and after its last one. Its entries have no
balances of their own; they get the running one, so that files can be joined and equal entries told
apart. A file may have statements of several accounts; a reader reads one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal
from hashlib import sha256
from itertools import pairwise
from typing import ClassVar

from liveportal.domain.errors import BadValue, MalformedFile
from liveportal.domain.frozen import frozen
from liveportal.domain.patterns import pattern
from liveportal.statements.formats import Format
from liveportal.statements.proofs import Fail
from liveportal.statements.rows import Meaning, Proof, StatementRow
from liveportal.tables.columns import CellReader, Cells
from liveportal.tables.lines import Lines
from liveportal.tables.source import Place, quoted

MOST_ACCOUNTS = 50
"""The most accounts in one file, which is read once for each."""
PENDING, RETURNED, RESTORED = "pending", "returned", "restored"
"""What an entry may be other than booked; `restored` is money that was taken and came back."""

_MEANINGS = {PENDING: Meaning.MEMO, RETURNED: Meaning.RETURN, RESTORED: Meaning.OTHER}
_AMOUNT = pattern(r"([-+]?)([0-9]{0,15})(?:[.,]([0-9]{0,20}))?")
_CURRENCY = pattern(r"[A-Z]{3}")
_ID = pattern(r"[A-Za-z0-9._:-]{1,90}")
_EXACT = Context(prec=80)
_SEPARATOR = "\n"
_DIGEST_LENGTH = 16
_POT_LENGTH = 4


@frozen
class Balance:
    """A balance that a statement states, with its line."""

    line: int
    amount: Decimal


@dataclass(slots=True)
class Entry:
    """One booking; `day` is ISO 8601, `amount` is signed."""

    line: int
    day: str
    amount: Decimal
    currency: str
    type: str = ""
    id: str = ""
    status: str = ""
    parent: str = ""
    time: str = ""
    zone: str = ""
    names: Sequence[str] = ()
    references: Sequence[str] = ()

    def cells(self, balance: Decimal | None, pot: str) -> dict[str, str]:
        """Return the entry as the cells of a row; `pot` is what its account is called in ids."""
        cells = {
            "pot": pot,
            "date": self.day,
            "currency": self.currency,
            "net": plain(self.amount),
            "type": self.type,
            "id": usable_id(self.id, pot),
            "parent": usable_id(self.parent, pot),
            "status": self.status,
            "names": _SEPARATOR.join(distinct(self.names)),
            "references": _SEPARATOR.join(distinct(self.references)),
        }
        if self.time:
            cells |= {"time": self.time, "zone": self.zone}
        if self.status != PENDING:
            cells["balance"] = "" if balance is None else plain(balance)
        return cells


@dataclass(slots=True)
class BankStatement:
    """What a bank says about an account in some days."""

    line: int
    account: str = ""
    currency: str = ""
    opening: Balance | None = None
    closing: Balance | None = None
    entries: list[Entry] = field(default_factory=list)

    def booked(self) -> list[Entry]:
        """Return the entries that changed the balance."""
        return [entry for entry in self.entries if entry.status != PENDING]

    def running(self) -> list[tuple[Entry, Decimal | None]]:
        """Return the entries with the balance after each, if the opening balance is stated."""
        if self.opening is None:
            return [(entry, None) for entry in self.entries]
        days = [entry.day for entry in self.entries]
        falls = sum((later < earlier) - (later > earlier) for earlier, later in pairwise(days)) > 0
        balance, found = self.opening.amount, list[tuple[Entry, Decimal | None]]()
        for entry in self.entries[::-1] if falls else self.entries:
            if entry.status != PENDING:
                balance = _EXACT.add(balance, entry.amount)
            found.append((entry, balance))
        return found[::-1] if falls else found


class BankReader(CellReader):
    """The entries of one account in a file, as cells. `account` is the first, unless it is set."""

    tags: ClassVar[Mapping[str, str]] = {}
    """What the format calls each role, for messages."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.stated: list[BankStatement] = []

    def statements(self, lines: Lines) -> Iterator[BankStatement]:
        """Yield the statements in the order of the file; raises `BadValue` or `MalformedFile`."""
        raise NotImplementedError

    def _rows(self, lines: Lines) -> Iterator[tuple[int, dict[str, str]]]:
        accounts: dict[str, int] = {}
        self.stated = []
        for statement in self.statements(lines):
            accounts.setdefault(statement.account, statement.line)
            if len(accounts) > MOST_ACCOUNTS:
                reason = f"the file has statements of more than {MOST_ACCOUNTS} accounts."
                raise self.malformed(statement.line, reason)
            if self.account is None:
                self.account = statement.account
            if statement.account == self.account:
                pot = _pot(statement.account)
                for entry, balance in statement.running():
                    yield entry.line, entry.cells(balance, pot)
                self.stated.append(statement)
        if not accounts:
            raise self.malformed(1, "the file contains no statement of a bank account.")
        self.others = tuple(account for account in accounts if account != self.account)

    def has(self, role: str) -> bool:
        """Return whether entries have a role; ids may be missing."""
        return role in {"date", "currency", "net", "balance", "type"}

    def column(self, role: str) -> str:
        """Return what the format calls a role."""
        return self.tags.get(role, role)

    def malformed(self, line: int, reason: str) -> MalformedFile:
        """Return the refusal of a file that is cut or damaged."""
        return self.place.error(
            MalformedFile, line, reason, hint="Download the file from the bank again."
        )

    def bad(self, line: int, tag: str, text: str, reason: str) -> BadValue:
        """Return the refusal of a value, with the format's own name of its place."""
        return self.place.error(
            BadValue,
            line,
            f"in {tag}, {quoted(text)} {reason}.",
            hint="Download the file from the bank again.",
            column=tag,
            value=text[:100],
        )

    def amount(self, line: int, tag: str, text: str) -> Decimal:
        """Return an amount exactly; thousands are never separated. Raises `BadValue`."""
        match = _AMOUNT.fullmatch(text)
        if not match or not (match[2] or match[3]):
            raise self.bad(line, tag, text, "is not an amount")
        return Decimal(f"{match[1]}{match[2] or 0}.{match[3] or 0}")

    def code(self, line: int, tag: str, text: str) -> str:
        """Return the code of a currency; raises `BadValue`."""
        if not _CURRENCY.fullmatch(text):
            raise self.bad(line, tag, text, "is not a currency code")
        return text

    def day(self, line: int, tag: str, text: str, parts: Sequence[int]) -> date:
        """Return the date of a year, a month and a day; raises `BadValue` naming the text."""
        year, month, day = parts
        try:
            return date(year, month, day)
        except ValueError:
            raise self.bad(line, tag, text, "is not a date") from None

    def prove(self, fail: Fail) -> Proof:
        """Prove that entries lead from each opening to each closing balance, without gaps.

        Each entry is a step, and so is each pair of statements that follow each other.
        """
        steps = proved = 0
        for statement in self.stated:
            if statement.opening is None or statement.closing is None:
                continue
            size = len(statement.booked()) or 1
            problem = _sum_problem(statement, statement.opening, statement.closing)
            if problem and proved == steps:
                fail("balance", statement.closing.line, problem)
            steps, proved = steps + size, proved + (0 if problem else size)
        for problem, line in _seams(self.stated):
            if problem and proved == steps:
                fail("balance", line, problem)
            steps, proved = steps + 1, proved + (not problem)
        return Proof("balance", steps, proved)


class BankFormat(Format):
    """A format of banks. Entries are payments by their sign, and dates are ISO 8601 as cells."""

    provider = "bank"
    may_lack = frozenset({"balance"})
    has_ids = False
    payers_in_text = True
    order = "ymd"
    mark = "."

    def meaning(self, cells: Cells) -> Meaning:
        """Return what the status of an entry says; types of banks decide nothing."""
        return _MEANINGS.get(cells["status"], Meaning.PAYMENT)

    def pot_of(self, cells: Cells) -> str:
        """Return the account, so that entries of two accounts are never the same."""
        return cells["pot"]

    def names_of(self, cells: Cells, amount: int) -> tuple[str, ...]:
        """Return the other party's names."""
        del amount
        return _parts(cells["names"])

    def references_of(self, cells: Cells) -> tuple[str, ...]:
        """Return the references and texts of an entry."""
        return _parts(cells["references"])

    def prove_balances(
        self,
        reader: CellReader,
        rows: Sequence[StatementRow],
        digits: Mapping[str, int],
        fail: Fail,
        *,
        newest_first: bool,
    ) -> Proof:
        """Prove the balances that the statements state; those of the rows follow from them."""
        if isinstance(reader, BankReader):
            return reader.prove(fail)
        return super().prove_balances(reader, rows, digits, fail, newest_first=newest_first)


def _sum_problem(statement: BankStatement, opening: Balance, closing: Balance) -> str | None:
    total = Decimal(0)
    for entry in statement.booked():
        total = _EXACT.add(total, entry.amount)
    expected = _EXACT.add(opening.amount, total)
    if expected == closing.amount:
        return None
    return (
        f"the closing balance is {plain(closing.amount)} {statement.currency}, but the opening"
        f" balance {plain(opening.amount)} in line {opening.line} and the entries, {plain(total)},"
        f" make {plain(expected)}. An entry is missing or appears twice, or an amount was changed."
    )


def _seams(statements: Sequence[BankStatement]) -> list[tuple[str | None, int]]:
    """Return what is wrong between statements that follow each other, or None, with lines."""
    by_currency: dict[str, list[BankStatement]] = {}
    for statement in statements:
        by_currency.setdefault(statement.currency, []).append(statement)
    found = []
    for chain in by_currency.values():
        ways = [_seam_problems(chain), _seam_problems(chain[::-1])]
        found += min(ways, key=lambda way: sum(problem is not None for problem, _ in way))
    return found


def _seam_problems(chain: Sequence[BankStatement]) -> list[tuple[str | None, int]]:
    found: list[tuple[str | None, int]] = []
    for earlier, later in pairwise(chain):
        end, start = earlier.closing, later.opening
        if end is None or start is None:
            continue
        problem = None
        if end.amount != start.amount:
            problem = (
                f"the opening balance is {plain(start.amount)} {later.currency}, but the statement"
                f" before it closes with {plain(end.amount)} in line {end.line}. A statement"
                " between them is missing, or one appears twice."
            )
        found.append((problem, start.line))
    return found


def plain(amount: Decimal) -> str:
    """Return an amount as digits with a decimal point, without zeros at the end."""
    text = f"{amount:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def usable_id(text: str, pot: str) -> str:
    """Return an id of the bank's, which may have any characters, as one of its account."""
    if not text:
        return ""
    known = text if _ID.fullmatch(text) else _digest(text)
    return f"{pot}-{known}" if pot else known


def _pot(account: str) -> str:
    """Return a short name of an account: the ids of one may be those of another.

    It is recorded as part of ids, so it is too short to find out the number of the account from it.
    """
    return _digest(account)[:_POT_LENGTH] if account else ""


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]


def distinct(texts: Sequence[str]) -> list[str]:
    """Return texts without spaces around them, each once, and none that is empty."""
    return list(dict.fromkeys(joined for text in texts if (joined := " ".join(text.split()))))


def _parts(text: str) -> tuple[str, ...]:
    return tuple(text.split(_SEPARATOR)) if text else ()
