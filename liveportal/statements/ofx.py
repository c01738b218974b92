"""OFX, also as QFX: the statements of banks and cards in SGML with unclosed tags, or in XML.

We read it ourselves: the library for it is under the GPL. An id (FITID) is unique in its account.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Self

from liveportal.domain.patterns import pattern
from liveportal.statements.bank import PENDING, BankFormat, BankReader, BankStatement, Entry
from liveportal.statements.candidate import Candidate
from liveportal.statements.markup import (
    LONGEST_LINE,
    Node,
    Tree,
    known_encoding,
    sgml_nodes,
    xml_encoding,
    xml_nodes,
)
from liveportal.statements.options import Options
from liveportal.tables.columns import CellReader
from liveportal.tables.lines import Lines
from liveportal.tables.source import Place
from liveportal.tables.table import Dialect

_STATEMENTS = frozenset({"STMTRS", "CCSTMTRS"})
_WANTED = frozenset({"CURDEF", "BANKACCTFROM", "CCACCTFROM", "STMTTRN", "STMTTRNP", "LEDGERBAL"})
_START = pattern(r"(OFXHEADER\s*:|(<\?xml[^>]*\?>\s*)?(<!--|<\?OFX|<OFX>))", 2)  # re.IGNORECASE
_HEADER = pattern(r"(ENCODING|CHARSET)\s*:\s*([A-Za-z0-9_-]+?)(?=CHARSET|COMPRESSION|\s|<|$)")
_MOMENT = pattern(
    r"([0-9]{4})([0-9]{2})([0-9]{2})"
    r"(?:([0-9]{2})([0-9]{2})([0-9]{2})?(?:\.[0-9]{1,6})?)?"
    r"(?:\s?\[([-+]?)([0-9]{1,2})(?:[.:]([0-9]{1,2}))?(?::[A-Za-z]{0,10})?\])?"
)
_CHARSETS = {"NONE": "ascii", "1252": "cp1252", "1250": "cp1250", "1251": "cp1251"}
_HALVES = {"": "00", "5": "30", "50": "30", "25": "15", "75": "45"}
_TEXTS = ("NAME", "EXTDNAME", "MEMO", "REFNUM", "CHECKNUM", "PAYEEID")


class Ofx(BankFormat):
    """What banks offer as OFX, QFX, Money or Quicken."""

    name = "ofx"
    label = "OFX or QFX of a bank"

    def for_file(self, options: Options) -> Self:
        """Return a copy, which has the encoding of the file."""
        del options
        return type(self)()

    def reader(self, file: Candidate) -> CellReader | None:
        """Return the reader of an OFX file."""
        head = file.head.decode("latin-1")
        if not _START.match(head) or "<ofx" not in head.lower():
            return None
        is_xml = head.startswith("<?")
        if file.source.head(3) == BOM_UTF8:  # It is more certain than the header.
            found = "utf-8"
        elif is_xml:
            found = xml_encoding(file.place, file.head)
        else:
            found = _encoding(file.place, head)
        self.dialect = Dialect(encoding=found)
        return _Reader(file.place, is_xml=is_xml)


def _encoding(place: Place, head: str) -> str:
    """Return the encoding that the header declares; without one it is UTF-8."""
    header = dict(_HEADER.findall(head[: head.index("<")].upper()))
    encoding, charset = header.get("ENCODING", "UTF-8"), header.get("CHARSET", "NONE")
    if encoding in {"UTF-8", "UNICODE"}:
        return "utf-8"
    if encoding == "USASCII":
        return _CHARSETS.get(charset) or known_encoding(place, charset)
    return known_encoding(place, encoding)


class _Reader(BankReader):
    longest_line = LONGEST_LINE
    tags = {"net": "TRNAMT", "date": "DTPOSTED", "currency": "CURDEF"}  # noqa: RUF012

    def __init__(self, place: Place, *, is_xml: bool) -> None:
        super().__init__(place)
        self._is_xml = is_xml

    def statements(self, lines: Lines) -> Iterator[BankStatement]:
        """Yield one statement for each account; OFX has no opening balance."""
        tree = Tree(self.place, begins=_STATEMENTS, wanted=_WANTED)
        statement: BankStatement | None = None
        for node in (xml_nodes if self._is_xml else sgml_nodes)(lines, tree):
            if node.tag in _STATEMENTS:
                if statement:
                    yield statement
                statement = BankStatement(node.line)
            elif statement:
                self._add(statement, node)
        if statement:
            yield statement

    def _add(self, statement: BankStatement, node: Node) -> None:
        if node.tag == "CURDEF":
            statement.currency = node.text
        elif node.tag in {"BANKACCTFROM", "CCACCTFROM"}:
            parts = (node.text_at(tag) for tag in ("BANKID", "ACCTID"))
            statement.account = ":".join(part for part in parts if part)
        elif node.tag in {"STMTTRN", "STMTTRNP"}:
            statement.entries.append(self._entry(statement, node))

    def _entry(self, statement: BankStatement, node: Node) -> Entry:
        is_pending = node.tag == "STMTTRNP"
        posted = "DTTRAN" if is_pending else "DTPOSTED"
        day, time, zone = self._moment(node, posted)
        if not is_pending and not node.text_at("FITID"):
            raise self.malformed(node.line, "the transaction has no id (FITID).")
        payee = node.text_at("PAYEE", "NAME")
        texts = [node.text_at(tag) for tag in _TEXTS]
        return Entry(
            line=node.line,
            day=day,
            time=time,
            zone=zone,
            amount=self.amount(node.line, "TRNAMT", node.text_at("TRNAMT")),
            currency=node.text_at("CURRENCY", "CURSYM") or statement.currency,
            type=node.text_at("TRNTYPE"),
            id=node.text_at("FITID"),
            status=PENDING if is_pending else "",
            names=[payee, *texts[:2]],
            references=[node.text_at("FITID"), *texts],
        )

    def _moment(self, node: Node, tag: str) -> tuple[str, str, str]:
        """Return the day and, if an offset is stated, the time of day and the zone.

        Without an offset the time is a placeholder (midnight, noon) in most files.
        """
        text = node.text_at(tag)
        match = _MOMENT.fullmatch(text)
        if not match:
            raise self.bad(node.line, tag, text, "is not a date")
        year, month, day, hour, minute, second, sign, hours, part = match.groups(default="")
        parts = (int(year), int(month), int(day))
        posted = self.day(node.line, tag, text, parts).isoformat()
        if not hour or not hours:
            return posted, "", ""
        minutes = _HALVES.get(part, part.rjust(2, "0"))
        return posted, f"{hour}:{minute}:{second or '00'}", f"{sign or '+'}{hours}:{minutes}"
