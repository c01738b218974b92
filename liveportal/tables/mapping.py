"""Mappings: a TOML document that says what the columns of a CSV or JSON file are.

Statements map a bank's columns, and feeds those of a time tracker. `docs/GUIDE.md` describes the
tables of a document; `template` makes one from a file's own header.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

from liveportal.domain.clock import zone
from liveportal.domain.currencies import listed_digits
from liveportal.domain.errors import InvalidValue, MalformedFile, NotFound, UnreadableFile
from liveportal.domain.frozen import frozen, replace
from liveportal.tables.columns import Columns
from liveportal.tables.dates import ORDERS
from liveportal.tables.lines import ENCODINGS
from liveportal.tables.numbers import MARKS
from liveportal.tables.source import Place, quoted
from liveportal.tables.table import Dialect, Header, normal

ROWS = {
    "statement": (
        *("date", "time", "zone", "amount", "credit", "debit", "fee", "currency", "balance"),
        *("id", "parent", "type", "text", "payer"),
    ),
    "hours": (
        *("start", "end", "duration", "zone", "customer", "customer_id", "title"),
        *("rate", "amount", "currency", "id", "pauses"),
    ),
}
"""What a file can have rows of, and the roles of its columns."""
LARGEST_BYTES = 100_000

_TABLES = {
    "match": ("header",),
    "format": ("dates", "decimal", "delimiter", "zone", "encoding", "skip", "json"),
    "sign": ("invert", "column", "negative"),
    "payers": ("names",),
    "fees": ("sign", "included", "types"),
}
"""The keys of the tables whose keys are the same for every file."""
_FREE = ("columns", "fixed", "skip")
_NAME = "abcdefghijklmnopqrstuvwxyz0123456789-"
_MOST_SKIPPED = 1_000
_PART = "+"  # Between a role and the number of a further column.
_FIRST_COUNTS = ("customer",)
"""Roles of which the first column with a text counts; other columns of a role are joined."""
_MONEY = ("rate", "amount")
_CURRENCY_OF = "(*)"
"""The end of a column's name that has the currency in the file, such as `Amount (USD)`."""


@frozen
class MappingDocument:
    """A mapping that was checked. `origin` is the file that it is from, for messages."""

    name: str
    origin: str
    rows: str  # A key of `ROWS`.
    header: tuple[str, ...]  # What a file's header must have to be recognised.
    columns: Mapping[str, tuple[str, ...]]  # By role; cells of several columns are joined.
    dates: str | None = None
    decimal: str | None = None
    dialect: Dialect = field(default_factory=Dialect)
    zone: str | None = None
    json: str | None = None  # The key of the array of objects; empty for one at the top.
    fixed: Mapping[str, str] = field(default_factory=dict)
    skip: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Rows to leave out: those with one of these cells in this column."""
    sign: Mapping[str, Any] = field(default_factory=dict)
    payers: tuple[str, ...] = ()
    fees: Mapping[str, Any] = field(default_factory=dict)

    def named_columns(self) -> Columns:
        """Return the columns with a role for each part, and one for each that is only looked at."""
        return Columns.declared(self.name, {role: [name] for role, name in self.parts().items()})

    def parts(self) -> dict[str, str]:
        """Return the name of each column by its role, and of those that are only looked at."""
        names = {
            f"{role}{_PART}{n}" if n else role: name
            for role, parts in self.columns.items()
            for n, name in enumerate(parts)
        }
        return names | {look_at(name): name for name in self._seen()}

    def for_header(self, place: Place, header: Header) -> MappingDocument:
        """Return the mapping with the columns that a header has for those named `... (*)`.

        The text in the header's brackets is the currency; a column without one does not count. An
        `Amount (EUR)` that is named whole has its currency, too. Raises `MalformedFile` if two
        columns fit.
        """
        columns, fixed = dict(self.columns), dict(self.fixed)
        for role, parts in self.columns.items():
            if not parts[0].endswith(_CURRENCY_OF):
                if role in _MONEY and (currency := currency_in(parts[0])):
                    fixed.setdefault("currency", currency)
                continue
            start = normal(parts[0].removesuffix(_CURRENCY_OF)) + " ("
            fitting = [n for n in header.names if normal(n).startswith(start) and n.endswith(")")]
            if len(fitting) > 1:
                names = " and ".join(map(quoted, fitting[:2]))
                raise place.error(
                    MalformedFile,
                    header.line,
                    f"two columns fit {quoted(parts[0])}: {names}.",
                    hint="Name one of them in a mapping of your own.",
                )
            del columns[role]
            if fitting and (currency := normal(fitting[0]).removeprefix(start)[:-1]):
                columns[role] = (fitting[0],)
                fixed.setdefault("currency", currency.upper())
        return replace(self, columns=columns, fixed=fixed)

    def _seen(self) -> Iterator[str]:
        yield from self.skip
        if "column" in self.sign:
            yield self.sign["column"]

    def needed(self) -> frozenset[str]:
        """Return the normal names that a header must have."""
        named = self.header or [name for parts in self.columns.values() for name in parts]
        always = [name for role in ("date", "start") for name in self.columns.get(role, ())]
        return frozenset(normal(name) for name in (*named, *always, *self._seen()))

    def prepare(self, cells: dict[str, str]) -> None:
        """Join the cells of columns that belong together, and add what is fixed, in place."""
        for role, parts in self.columns.items():
            if len(parts) > 1:
                several = [cells.pop(f"{role}{_PART}{n}", "") for n in range(1, len(parts))]
                given = [text for text in (cells.get(role, ""), *several) if text]
                cells[role] = " ".join(given[:1] if role in _FIRST_COUNTS else given)
        for role, text in self.fixed.items():
            cells[role] = cells.get(role) or text
        if self.zone:
            cells["zone"] = cells.get("zone") or self.zone

    def skips(self, cells: Mapping[str, str]) -> bool:
        """Return whether a row is to be left out."""
        return any(
            normal(cells.get(look_at(name), "")) in map(normal, texts)
            for name, texts in self.skip.items()
        )


def currency_in(column: str) -> str | None:
    """Return the currency that is in brackets at the end of a column's name, or None."""
    currency = column.rpartition("(")[2].removesuffix(")")
    return currency if column.endswith(f"({currency})") and currency in listed_digits() else None


def look_at(name: str) -> str:
    """Return the role of a column that is looked at under its own name."""
    return f"={normal(name)}"


def shipped(rows: str) -> tuple[MappingDocument, ...]:
    """Return the mappings that are shipped for a kind of rows."""
    folder = files("liveportal.tables.mappings")
    documents = sorted(
        (each for each in folder.iterdir() if each.name.endswith(".toml")),
        key=lambda each: each.name,
    )
    read = (read_mapping(each.read_bytes(), each.name) for each in documents)
    return tuple(each for each in read if each.rows == rows)


def find_mapping(
    name: str, rows: str, settings: Mapping[str, object] | None = None
) -> MappingDocument:
    """Return a mapping by its name in the settings, by that of a shipped one, or by its path.

    A value of the settings is a table as in a file, or a path. Raises `NotFound`, and
    `MalformedFile` for what is not a mapping of such rows.
    """
    known = {each.name: each for each in shipped(rows)}
    if settings and name in settings:
        found = _of_settings(name, settings[name])
    elif name in known:
        return known[name]
    elif Path(name).suffix or Path(name).exists():
        found = _from_file(Path(name))
    else:
        names = ", ".join((*(settings or {}), *known)) or "none"
        raise NotFound(
            f"There is no mapping called {name}.",
            hint=f"The known mappings are: {names}. The path of a TOML file is accepted, too.",
            mapping=name,
        )
    if found.rows != rows:
        reason = f"the mapping is for a {found.rows} file, not for a {rows} file."
        raise Place(found.origin).error(MalformedFile, 1, reason)
    return found


def mappings_of(rows: str, settings: Mapping[str, object]) -> list[MappingDocument]:
    """Return the mappings of the settings for a kind of rows; raises as `find_mapping` does."""
    found = (_of_settings(name, value) for name, value in settings.items())
    return [each for each in found if each.rows == rows]


def _of_settings(name: str, value: object) -> MappingDocument:
    if isinstance(value, Mapping):
        return checked({"name": name, **value}, Place(f"config.toml: {name}"), "")
    return _from_file(Path(str(value)).expanduser())


def _from_file(path: Path) -> MappingDocument:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(f"{path} does not exist.", file=str(path)) from None
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror}", file=str(path)) from None
    return read_mapping(content, str(path))


def read_mapping(content: bytes, origin: str) -> MappingDocument:
    """Return a mapping from the bytes of a TOML file; raises `MalformedFile` with its line."""
    place = Place(origin)
    if len(content) > LARGEST_BYTES:
        raise place.error(MalformedFile, 1, f"a mapping has at most {LARGEST_BYTES:,} bytes.")
    try:
        text = content.decode("utf-8-sig")
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise place.error(MalformedFile, line, "the mapping is not UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        line = next((int(word) for word in _words_after(str(error), "line")), 1)
        raise place.error(MalformedFile, line, f"this is not TOML: {error}.") from None
    return checked(document, place, text)


def _words_after(text: str, word: str) -> Iterator[str]:
    for before, after in pairwise(text.replace(",", " ").replace(")", " ").split()):
        if before == word and after.isdigit():
            yield after


# --- checking -------------------------------------------------------------------------------------


def checked(document: Mapping[str, Any], place: Place, text: str) -> MappingDocument:
    """Return a mapping from its tables; raises `MalformedFile` with the line of the wrong key."""
    return _Check(place, text).document(document)


class _Check:
    def __init__(self, place: Place, text: str) -> None:
        self._place, self._lines = place, text.splitlines()

    def document(self, document: Mapping[str, Any]) -> MappingDocument:
        tables = {name: self._table(document, name) for name in (*_TABLES, *_FREE)}
        if unknown := next((key for key in document if key not in (*tables, "name")), None):
            raise self._error(unknown, f"{quoted(unknown)} is not a table of a mapping")
        for name, keys in _TABLES.items():
            if unknown := next((key for key in tables[name] if key not in keys), None):
                known = ", ".join(keys)
                raise self._error(unknown, f"[{name}] has no {quoted(unknown)}; it has {known}")
        columns = {key: self._texts(key, value) for key, value in tables["columns"].items()}
        rows = "hours" if "start" in columns else "statement"
        fixed = {key: self._text(key, value) for key, value in tables["fixed"].items()}
        self._check_roles(rows, columns, fixed)
        written = tables["format"]
        return MappingDocument(
            name=self._name(document),
            origin=self._place.file,
            rows=rows,
            header=self._texts("header", tables["match"].get("header", [])),
            columns=columns,
            dates=self._one_of(written, "dates", ORDERS),
            decimal=self._one_of(written, "decimal", MARKS),
            dialect=self._dialect(written),
            zone=self._zone(written),
            json=self._json(written),
            fixed=fixed,
            skip={key: self._texts(key, value) for key, value in tables["skip"].items()},
            sign=self._sign(tables["sign"]),
            payers=self._texts("names", tables["payers"].get("names", [])),
            fees=self._fees(tables["fees"]),
        )

    def _table(self, document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        table = document.get(name, {})
        if not isinstance(table, Mapping):
            raise self._error(name, f"{name} must be a table: [{name}]")
        return table

    def _name(self, document: Mapping[str, Any]) -> str:
        name = self._text("name", document.get("name", ""))
        if not name or set(name) - set(_NAME):
            raise self._error("name", "name must be of small letters, digits and hyphens")
        return name

    def _check_roles(
        self, rows: str, columns: Mapping[str, tuple[str, ...]], fixed: Mapping[str, str]
    ) -> None:
        for key in (*columns, *fixed):
            if key not in ROWS[rows]:
                known = ", ".join(ROWS[rows])
                raise self._error(
                    key, f"{quoted(key)} is not a column of {rows}; these are {known}"
                )
        have = {*columns, *fixed}
        if rows == "hours":
            self._need(have, "end", "duration")
            self._need(have, "customer", "customer_id")
            return
        if "date" not in columns:
            raise self._error("columns", "[columns] must have date, or start for hours")
        self._need(columns.keys(), "amount", "credit", "debit")
        self._need(have, "currency")

    def _need(self, have: Iterable[str], *roles: str) -> None:
        if not set(roles) & set(have):
            raise self._error("columns", f"[columns] must have {' or '.join(roles)}")

    def _text(self, key: str, value: object) -> str:
        if not isinstance(value, str):
            raise self._error(key, f"{key} must be a string")
        return value.strip()

    def _texts(self, key: str, value: object) -> tuple[str, ...]:
        given: list[Any] = value if isinstance(value, list) else [value]
        if not all(isinstance(each, str) and each.strip() for each in given):
            raise self._error(key, f"{key} must be a string, or a list of strings")
        return tuple(each.strip() for each in given)

    def _one_of(self, table: Mapping[str, Any], key: str, known: Iterable[str]) -> str | None:
        value = table.get(key)
        if value is not None and (not isinstance(value, str) or value not in list(known)):
            raise self._error(key, f"{key} must be one of: {' '.join(known)}")
        return value

    def _dialect(self, written: Mapping[str, Any]) -> Dialect:
        delimiter = written.get("delimiter")
        is_character = isinstance(delimiter, str) and len(delimiter) == 1
        if delimiter is not None and (not is_character or delimiter in '"\r\n\0'):
            raise self._error("delimiter", "delimiter must be one character")
        skip = written.get("skip", 0)
        if type(skip) is not int or not 0 <= skip <= _MOST_SKIPPED:
            raise self._error("skip", f"skip must be 0 to {_MOST_SKIPPED} lines before the header")
        encoding = written.get("encoding", "utf-8")
        return Dialect(delimiter, skip, self._encoding(encoding))

    def _encoding(self, given: object) -> str:
        import codecs

        try:
            name = codecs.lookup(given).name if isinstance(given, str) else ""
        except (LookupError, ValueError):
            name = ""
        if name not in ENCODINGS:
            raise self._error("encoding", f"encoding must be one of: {', '.join(ENCODINGS)}")
        return name

    def _zone(self, written: Mapping[str, Any]) -> str | None:
        if "zone" not in written:
            return None
        name = self._text("zone", written["zone"])
        try:
            zone(name)
        except InvalidValue:
            reason = "zone must be the name of a time zone, such as Europe/Berlin"
            raise self._error("zone", reason) from None
        return name

    def _json(self, written: Mapping[str, Any]) -> str | None:
        value = written.get("json", False)
        if not isinstance(value, bool | str):
            raise self._error("json", "json must be true, or the key of the array of objects")
        return value if isinstance(value, str) else ("" if value else None)

    def _sign(self, table: Mapping[str, Any]) -> Mapping[str, Any]:
        if type(table.get("invert", False)) is not bool:
            raise self._error("invert", "invert must be true or false")
        if ("column" in table) != ("negative" in table):
            raise self._error("sign", "[sign] must have both column and negative, or neither")
        found = dict(table)
        if "column" in table:
            found["column"] = self._text("column", table["column"])
            found["negative"] = self._texts("negative", table["negative"])
        return found

    def _fees(self, table: Mapping[str, Any]) -> Mapping[str, Any]:
        self._one_of(table, "sign", ("positive", "negative"))
        if type(table.get("included", False)) is not bool:
            raise self._error("included", "included must be true or false")
        return {**table, "types": self._texts("types", table.get("types", []))}

    def _error(self, key: str, reason: str) -> MalformedFile:
        starts = tuple(start.format(key) for start in ("{}", '"{}"', "[{}]"))
        line = next(
            (n for n, text in enumerate(self._lines, 1) if text.strip().startswith(starts)), 1
        )
        return self._place.error(MalformedFile, line, f"{reason}.", mapping=self._place.file)
