"""CAMT.053: the statements of accounts by ISO 20022, in XML, in all versions of the message.

Amounts are unsigned and have an indicator. The bank's own reference of an entry is its identity.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Self

from liveportal.domain.errors import UnknownFormat
from liveportal.domain.patterns import pattern
from liveportal.statements.bank import (
    PENDING,
    RESTORED,
    RETURNED,
    Balance,
    BankFormat,
    BankReader,
    BankStatement,
    Entry,
)
from liveportal.statements.candidate import Candidate
from liveportal.statements.markup import LONGEST_LINE, Node, Tree, xml_encoding, xml_nodes
from liveportal.statements.options import Options
from liveportal.tables.columns import CellReader
from liveportal.tables.lines import Lines
from liveportal.tables.source import Place
from liveportal.tables.table import Dialect

_MESSAGE = pattern(r"\bcamt\.(05[234])\.001\.[0-9]{2}\b")
_DATE = pattern(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T+Z-].{0,40})?")
_STATUSES = {"BOOK": "", "PDNG": PENDING, "INFO": PENDING, "FUTR": PENDING}
_SIGNS = {"CRDT": "", "DBIT": "-"}
_BALANCES = {"OPBD", "PRCD", "CLBD", "ITBD"}
_BETWEEN = {"ITBD"}
_NOT_GIVEN = {"", "NOTPROVIDED", "NOT PROVIDED", "NONREF"}
_REFERENCES = (
    *("AcctSvcrRef", "EndToEndId", "TxId", "InstrId", "MsgId", "PmtInfId", "ClrSysRef"),
    *("Ref", "Ustrd", "AddtlNtryInf", "AddtlTxInf"),
)
_OTHER_MESSAGES = {
    "052": "a report of the day (camt.052), whose entries may still change",
    "054": "a notice of single entries (camt.054), without balances",
}


class Camt053(BankFormat):
    """What banks offer as CAMT.053 or as an electronic statement in XML."""

    name = "camt053"
    label = "CAMT.053 of a bank"
    ids_repeat = True  # Of the bank's references, for its fees.

    def for_file(self, options: Options) -> Self:
        """Return a copy, which has the encoding of the file."""
        del options
        return type(self)()

    def reader(self, file: Candidate) -> CellReader | None:
        """Return the reader of a CAMT.053 file; raises `UnknownFormat` for its relatives."""
        head = file.head[:4096].decode("latin-1")
        message = _MESSAGE.search(head) if head.startswith("<") else None
        if not message:
            return None
        if message[1] in _OTHER_MESSAGES:
            raise file.place.error(
                UnknownFormat,
                1,
                f"this is {_OTHER_MESSAGES[message[1]]}.",
                hint="Download the statement of the account as camt.053 instead.",
                formats=[self.name],
            )
        self.dialect = Dialect(encoding=xml_encoding(file.place, file.head))
        return _Reader(file.place)


class _Reader(BankReader):
    longest_line = LONGEST_LINE
    tags = {"net": "Amt", "date": "BookgDt", "currency": "Ccy", "balance": "Bal"}  # noqa: RUF012

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._arrived: dict[str, str] = {}  # The bank's references of credits, by the payer's.

    def statements(self, lines: Lines) -> Iterator[BankStatement]:
        """Yield the statements (`Stmt`) of the file."""
        begins, wanted = frozenset({"Stmt"}), frozenset({"Acct", "Bal", "Ntry"})
        tree = Tree(self.place, begins=begins, wanted=wanted)
        self._arrived = {}
        statement: BankStatement | None = None
        balances: list[tuple[str, Balance]] = []
        for node in xml_nodes(lines, tree):
            if node.tag == "Stmt":
                if statement:
                    yield self._balanced(statement, balances)
                statement, balances = BankStatement(node.line), []
            elif statement is None:
                continue
            elif node.tag == "Acct":
                account = node.text_at("Id", "IBAN") or node.text_at("Id", "Othr", "Id")
                statement.account = account.replace(" ", "")
                statement.currency = node.text_at("Ccy") and self.code(
                    node.line, "Ccy", node.text_at("Ccy")
                )
            elif node.tag == "Bal":
                kind = node.text_at("Tp", "CdOrPrtry", "Cd")
                if kind in _BALANCES:
                    balances.append((kind, Balance(node.line, self._amount(statement, node))))
            else:
                statement.entries.append(self._entry(statement, node))
        if statement:
            yield self._balanced(statement, balances)

    def _balanced(
        self, statement: BankStatement, balances: list[tuple[str, Balance]]
    ) -> BankStatement:
        """Set the balances; those between the pages of a statement take the missing places."""
        given: dict[str, Balance] = {}
        for kind, balance in balances:
            other = given.setdefault(kind, balance)
            if kind not in _BETWEEN and other.amount != balance.amount:
                reason = f"the statement has another balance {kind} in line {other.line}."
                raise self.malformed(balance.line, reason)
        between = [balance for kind, balance in balances if kind in _BETWEEN]
        statement.opening = given.get("OPBD") or given.get("PRCD")
        if statement.opening is None and between:
            statement.opening = between.pop(0)
        statement.closing = given.get("CLBD") or (between[-1] if between else None)
        return statement

    def _amount(self, statement: BankStatement, node: Node) -> Decimal:
        """Return the signed amount of an entry or a balance, which is in the account's currency."""
        amount = node.find("Amt")
        indicator = node.text_at("CdtDbtInd")
        if amount is None:
            raise self.malformed(node.line, f"{node.tag} has no amount (Amt).")
        if indicator not in _SIGNS:
            raise self.bad(node.line, "CdtDbtInd", indicator, "is neither CRDT nor DBIT")
        if not amount.text[:1].isdigit():
            raise self.bad(amount.line, "Amt", amount.text, "is not an amount without a sign")
        currency = self.code(amount.line, "Ccy", amount.attributes.get("Ccy", ""))
        statement.currency = statement.currency or currency
        if currency != statement.currency:
            reason = f"is not the currency of the account, {statement.currency}"
            raise self.bad(amount.line, "Ccy", currency, reason)
        unsigned = self.amount(amount.line, "Amt", amount.text)
        return -unsigned if _SIGNS[indicator] else unsigned

    def _entry(self, statement: BankStatement, node: Node) -> Entry:
        amount = self._amount(statement, node)
        is_credit = amount >= 0
        own = _reference(node.text_at("AcctSvcrRef"))
        payers = [text for each in node.all("EndToEndId") if (text := _reference(each.text))]
        status = self._status(node)
        is_return = node.text_at("RvslInd") in {"true", "1"} or any(node.all("RtrInf"))
        parent = ""
        if is_return and not status:
            status = RESTORED if is_credit else RETURNED
            parent = next((self._arrived[text] for text in payers if text in self._arrived), "")
        elif is_credit and own and not status:
            self._arrived |= dict.fromkeys(payers, own)
        texts = (each.text for each in node.all(*_REFERENCES))
        return Entry(
            line=node.line,
            day=self._day(node),
            amount=amount,
            currency=statement.currency,
            type=_kind(node),
            id=own,
            status=status,
            parent=parent,
            names=list(_names(node, "Dbtr" if is_credit else "Cdtr")),
            references=[text for each in texts if (text := _reference(each))],
        )

    def _status(self, node: Node) -> str:
        """Return whether the entry is booked: text in old versions, a code within in new ones."""
        status = node.find("Sts")
        text = (status.text_at("Cd") or status.text) if status else ""
        if text not in _STATUSES:
            line = status.line if status else node.line
            raise self.bad(line, "Sts", text, "is not the status of an entry")
        return _STATUSES[text]

    def _day(self, node: Node) -> str:
        """Return the day of booking or, without one, the value date."""
        for tag in ("BookgDt", "ValDt"):
            found = node.find(tag)
            if found is None:
                continue
            text = found.text_at("Dt") or found.text_at("DtTm")
            match = _DATE.fullmatch(text)
            if not match:
                raise self.bad(found.line, tag, text, "is not a date")
            parts = [int(part) for part in match.groups()]
            return self.day(found.line, tag, text, parts).isoformat()
        raise self.malformed(node.line, "the entry has no date (BookgDt, ValDt).")


def _reference(text: str) -> str:
    return "" if text in _NOT_GIVEN else text


def _names(node: Node, role: str) -> Iterator[str]:
    """Yield the names of the other party, and of the one for whom it acts."""
    for party in node.all(role, f"Ultmt{role}"):
        yield party.text_at("Nm") or party.text_at("Pty", "Nm")


def _kind(node: Node) -> str:
    """Return the bank's own code of a transaction or, without one, ISO's."""
    code = node.find("BkTxCd")
    if code is None:
        return ""
    parts = (("Domn", "Cd"), ("Domn", "Fmly", "Cd"), ("Domn", "Fmly", "SubFmlyCd"))
    return code.text_at("Prtry", "Cd") or "-".join(filter(None, (code.text_at(*p) for p in parts)))
