"""A mapping to fill in, made from a file's own header."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import PurePath

from liveportal.domain.errors import BadEncoding, UnknownFormat
from liveportal.domain.patterns import pattern
from liveportal.tables.lines import Lines
from liveportal.tables.mapping import ROWS
from liveportal.tables.source import Place, Source
from liveportal.tables.table import Dialect, Header, normal, read_header, records

_WORDS: Mapping[str, Sequence[str]] = {
    "date": ("date", "datum", "fecha", "data", "buchungstag", "transaction date"),
    "time": ("time", "uhrzeit", "heure", "hora"),
    "zone": ("time zone", "timezone", "zeitzone"),
    "amount": ("amount", "betrag", "montant", "importe", "importo", "umsatz", "gross"),
    "credit": ("credit", "credit amount", "haben", "paid in", "money in", "deposit"),
    "debit": ("debit", "debit amount", "soll", "paid out", "money out", "withdrawal"),
    "fee": ("fee", "fees", "gebühr", "commission"),
    "currency": ("currency", "währung", "devise", "moneda", "valuta"),
    "balance": ("balance", "running balance", "saldo", "kontostand", "solde"),
    "id": ("id", "transaction id", "ref id", "reference id", "transaktions-id"),
    "type": ("type", "typ", "art", "tipo", "transaction type"),
    "text": ("description", "text", "memo", "verwendungszweck", "details", "narrative"),
    "payer": ("payer", "name", "counterparty", "auftraggeber", "empfänger", "payee"),
    "start": ("start", "start time", "started", "beginn", "from", "start date"),
    "end": ("end", "end time", "stop", "stop time", "ende", "to", "end date"),
    "duration": ("duration", "dauer", "duration (h)"),
    "customer": ("client", "customer", "kunde", "project"),
    "title": ("description", "task", "title"),
    "rate": ("rate", "billable rate", "hourly rate", "stundensatz"),
    "pauses": ("pauses", "break", "pause"),
}
_ABOUT = {
    "date": "the day on which a row was booked",
    "time": "the time, if it has a column of its own",
    "zone": "the time zone, if the file has one",
    "amount": "the amount with its sign; or credit and debit instead",
    "credit": "money that arrived, if it has a column of its own",
    "debit": "money that left, if it has a column of its own",
    "fee": "a fee outside the amount",
    "currency": "the currency; or [fixed] below",
    "balance": "the balance after the row: it proves that no row is missing",
    "id": "an id that only this row has",
    "parent": "the id of the row to which this one belongs",
    "type": "what kind of row it is",
    "text": "texts in which a payout's reference may be; several are joined",
    "payer": "who paid, or was paid",
    "start": "when the session began; a date and a time in two columns are a list",
    "end": "when it ended; or duration",
    "duration": "how long it was; or end",
    "customer": "the customer's name; of several columns, the first with a text counts",
    "customer_id": "the customer's id, if it is not made from the name",
    "title": "what it was about",
    "rate": "the rate for an hour; Rate (*) takes the currency from the column's name",
    "pauses": "how long the pauses were",
}
_ABOUT_HOURS = {"amount": "what the customer pays; or the rate"}
_DAYS = {"start": ("start date", *_WORDS["date"]), "end": ("end date", "stop date")}
"""Names of the column with the day of a time that has one of its own."""
_FORMAT = """
[format]
# dates = "dmy"        # the order of dates, if the file does not show it: dmy, mdy or ymd
# decimal = ","        # the decimal mark, if the file does not show it
# delimiter = "{delimiter}"
{known}encoding = "{encoding}"  # utf-8, cp1252, iso8859-1, ...
# zone = "UTC"         # the time zone of the file's times
# skip = 0             # the number of lines before the header

[fixed]
{fixed}currency = "EUR"

# Rows to leave out: the texts of a column.
# [skip]
# {column} = ["..."]
"""
_STATEMENT = """
# If amounts have no sign: the column that has it, and its texts for money that left. If money that
# left is positive: invert = true.
# [sign]
# column = "..."
# negative = ["..."]

# Payers that are named in texts.
# [payers]
# names = ["..."]

# Fees: of which sign they are, whether the amount has them taken off, and types that are fees.
# [fees]
# sign = "positive"
# included = false
# types = ["..."]
"""
_MOST_SAMPLES = 3
_LONGEST = 40
_BARE = pattern(r"[^a-z0-9]+")


def template(source: Source, rows: str = "statement") -> str:
    """Return a mapping to fill in, with what can be recognised from the names of the columns.

    Raises `UnknownFormat` for an empty file, `BadEncoding` for UTF-16, and `MalformedFile`.
    """
    dialect = Dialect()
    try:
        header, samples = _sampled(source, dialect)
    except BadEncoding:  # Not UTF-8: most likely saved by an old spreadsheet.
        dialect = Dialect(encoding="cp1252")
        header, samples = _sampled(source, dialect)
    roles = _guessed(header, rows)
    name = _BARE.sub("-", PurePath(source.name).stem.casefold()).strip("-") or "my-bank"
    parts = (
        _head(name, header, samples),
        _columns(header, roles, rows),
        _rest(header, roles, rows, dialect.encoding),
    )
    return "\n".join(line for part in parts for line in part)


def _sampled(source: Source, dialect: Dialect) -> tuple[Header, list[list[str]]]:
    header = read_header(source, dialect)
    if header is None:
        raise Place(source.name).error(UnknownFormat, 1, "the file is empty.")
    lines = Lines(source, encoding=dialect.encoding)
    return header, [cells for _, cells in islice(records(lines, header), _MOST_SAMPLES)]


def _guessed(header: Header, rows: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for role in ROWS[rows]:
        for word in _WORDS.get(role, ()):
            at = header.positions.get(normal(word)) or _with_currency(header, normal(word))
            if at and header.names[at[0]] not in found.values():
                found[role] = header.names[at[0]]
                break
    if {"credit", "debit"} & found.keys():
        found.pop("amount", None)
    return found


def _with_day(header: Header, role: str, column: str) -> str:
    """Return a column, or a list of the column with its day and itself, as TOML."""
    at = (header.positions.get(normal(word)) for word in _DAYS.get(role, ()))
    day = next((header.names[first] for first, *_ in filter(None, at)), column)
    return _quoted(column) if day == column else f"[{_quoted(day)}, {_quoted(column)}]"


def _with_currency(header: Header, word: str) -> tuple[int, ...]:
    """Return the place of a column such as `Amount (USD)`."""
    starts = (at for name, at in header.positions.items() if name.startswith(f"{word} ("))
    return next(starts, ())


def _head(name: str, header: Header, samples: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "# A mapping says what the columns of a file are. Lines that begin with # are comments."
    yield "# Check what was recognised, and complete the rest."
    yield "#"
    yield "# The columns of the file, and what its first rows have in them:"
    for at, column in enumerate(header.names):
        texts = [cells[at].strip() for cells in samples if at < len(cells)]
        shown = ", ".join(dict.fromkeys(_quoted(text[:_LONGEST]) for text in texts if text))
        yield f"#   {_quoted(column)}" + (f" such as {shown}" if shown else " (empty)")
    yield ""
    yield f"name = {_quoted(name)}"
    yield ""
    yield "# A file has this mapping if its header has these columns, in any order."
    yield "[match]"
    names = dict.fromkeys(column for column in header.names if column)
    yield f"header = [{', '.join(map(_quoted, names))}]"
    yield ""


def _columns(header: Header, roles: Mapping[str, str], rows: str) -> Iterator[str]:
    about = _ABOUT | (_ABOUT_HOURS if rows == "hours" else {})
    yield "[columns]"
    for role in ROWS[rows]:
        start = "" if role in roles else "# "
        column = _with_day(header, role, roles[role]) if role in roles else '"..."'
        yield f"{start}{role} = {column}  # {about[role]}"


def _rest(header: Header, roles: Mapping[str, str], rows: str, encoding: str) -> Iterator[str]:
    fixed = "# " if "currency" in roles or rows == "hours" else ""
    column = _quoted(roles.get("type") or header.names[0])
    delimiter = header.delimiter.replace("\t", "\\t")
    known = "# " if encoding == "utf-8" else ""
    yield _FORMAT.format(
        delimiter=delimiter, fixed=fixed, column=column, known=known, encoding=encoding
    ).rstrip("\n")
    if rows == "statement":
        yield _STATEMENT.rstrip("\n")
    yield ""


def _quoted(text: str) -> str:
    """Return a text of the file as one of TOML, with what a terminal would obey escaped."""
    escaped = json.dumps(text, ensure_ascii=False)
    return "".join(
        each if each.isprintable() else "".join(f"\\U{ord(each):08x}") for each in escaped
    )
