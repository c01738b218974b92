"""The one place where results become text.

A command hands over typed values and says nothing of formats: `Money`, `Decimal`, aware
`datetime`, `date`, `bool`, `int`, `str`, `None`, and lists and mappings of these. Fields are named
as in JSON; `customer.id` is the `id` within `customer`, and is a column of its own in rows.

A terminal gets a table or a listing, a pipe tab-separated rows without a header, and whoever asks
gets JSON, JSON Lines, CSV or TSV with the same names. Rows may be any iterable and are written as
they come: fetch and close first where a ledger is read (an open cursor keeps writers out), and make
a list first where each row *does* something, since a reader such as `head` may leave early.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from liveportal.cli.errors import OutputFailed, UnknownField
from liveportal.cli.text import clean, csv_safe
from liveportal.domain.clock import short_text
from liveportal.domain.money import Money

if TYPE_CHECKING:
    from liveportal.cli.options import OutputOptions

Row = Mapping[str, object]
"""A result: values by field; nested mappings, or dotted names, or both."""


@dataclass(frozen=True)
class Table:
    """Any number of results with the same fields.

    `fields` are all that JSON and rows have, in order; they only ever grow, at the end. `human` are
    those that a terminal shows, `empty` what it says where there are none.
    """

    fields: tuple[str, ...]
    rows: Iterable[Row]
    human: tuple[str, ...] | None = None
    title: str | None = None
    empty: str = "Nothing to show."


@dataclass(frozen=True)
class Item:
    """One result."""

    fields: tuple[str, ...]
    row: Row
    human: tuple[str, ...] | None = None
    title: str | None = None


def render(
    result: Table | Item,
    out: OutputOptions,
    *,
    zone: str | None = None,
    stdout: TextIO | None = None,
    width: int | None = None,
    now: datetime | None = None,
) -> None:
    """Write a result as the options say.

    `zone` is the one that a terminal shows times in (None: the machine's), `now` what it counts
    from, `width` its columns. Raises `UnknownField` before anything is written, `OutputFailed` if
    the output cannot be written, and lets `BrokenPipeError` pass.
    """
    chosen = _chosen(result.fields, out.columns)
    with opened(out.output, stdout) as stream:
        if out.json:
            _write_json(result, chosen, stream)
        elif out.jsonl:
            stream.writelines(_json(_nested(row, chosen)) + "\n" for row in _rows(result))
        elif out.csv:
            _write_csv(result, chosen, stream)
        elif out.tsv or not stream.isatty():
            _write_tsv(result, chosen, stream, header=out.header)
        else:
            from liveportal.cli.terminal import show  # rich costs more than a whole read.

            shown = chosen if out.columns else _chosen(result.fields, result.human)
            show(result, shown, stream, zone=zone, width=width, now=now)


def ready(fields: tuple[str, ...], out: OutputOptions, *, spared: Iterable[Path] = ()) -> None:
    """Make sure, before anything is recorded, that a result with these fields can be shown.

    `spared` are files that no output may take the place of. Raises `UnknownField`, `OutputFailed`.
    """
    _chosen(fields, out.columns)
    check_target(out.output, spared)


def check_target(path: Path | None, spared: Iterable[Path]) -> None:
    """Refuse, with `OutputFailed`, to write where nothing can be written, or over what is used."""
    if path is None or path == Path("-"):
        return
    try:
        exists = path.exists()
        taken = exists and any(each.exists() and path.samefile(each) for each in spared)
    except OSError as error:  # A name that is too long, a folder that may not be entered.
        raise _unwritable(path, error) from error
    if taken:
        raise OutputFailed(f"{path} is in use itself", hint="Choose another file for the output.")
    if _is_device(path):
        return
    if path.is_symlink() or (exists and not path.is_file()):
        raise OutputFailed(
            f"{path} is not a regular file",
            hint="Use the shell's > to write to a device or through a link.",
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputFailed(f"the folder {path.parent} is not there, or cannot be written")


def _is_device(path: Path) -> bool:
    """Tell whether a path is such a thing as /dev/null, which is written to, never replaced."""
    return not path.is_symlink() and (path.is_char_device() or path.is_fifo())


_hinting = ContextVar("hinting", default=True)


@contextmanager
def no_hints() -> Iterator[None]:
    """Keep hints back, where a story is told that they would interrupt."""
    token = _hinting.set(False)
    try:
        yield
    finally:
        _hinting.reset(token)


def hint(text: str) -> None:
    """Tell a person at a terminal what to do next; say nothing to a script."""
    if _hinting.get() and sys.stderr is not None and sys.stderr.isatty():
        with suppress(OSError):
            sys.stderr.write(clean(text) + "\n")


# --- fields -----------------------------------------------------------------------------------


def _chosen(fields: tuple[str, ...], names: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the fields of those names, `customer` being all of `customer.…`; all if None."""
    if names is None:
        return fields
    chosen: dict[str, None] = {}
    for name in names:
        found = [f for f in fields if f == name or f.startswith(f"{name}.")]
        if not found:
            raise UnknownField(
                f"there is no field {name!r}",
                hint=f"The fields are: {', '.join(fields)}.",
                field=name,
                fields=fields,
            )
        chosen.update(dict.fromkeys(found))
    return tuple(chosen)


def value_of(row: Row, field: str) -> object:
    """Return the value of a field; None where what it stands in is None.

    Raises `KeyError` for a row that lacks it, which is a bug of the command.
    """
    if field in row:
        return row[field]
    outer, _, inner = field.partition(".")
    value = row[outer]
    if value is None and inner:
        return None
    if not isinstance(value, Mapping) or not inner:
        raise KeyError(field)
    return value_of(value, inner)


def _rows(result: Table | Item) -> Iterable[Row]:
    return [result.row] if isinstance(result, Item) else result.rows


def _nested(row: Row, fields: tuple[str, ...]) -> dict[str, object]:
    """Return a row as JSON has it, dotted fields within one another."""
    nested: dict[str, object] = {}
    for field in fields:
        *outer, last = field.split(".")
        target = nested
        for name in outer:
            target = target.setdefault(name, {})  # type: ignore[assignment]
        target[last] = plain(value_of(row, field))
    return nested


# --- values -----------------------------------------------------------------------------------


def plain(value: object) -> object:  # noqa: PLR0911 -- A table: one line a type.
    """Return a value as JSON has it; raises `TypeError` for a type that results do not have."""
    match value:
        case Enum():
            return plain(value.value)
        case None | bool() | int() | str():
            return value
        case Money() | Path():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case datetime() if value.tzinfo is not None:
            return short_text(value)
        case date() if not isinstance(value, datetime):
            return value.isoformat()
        case Mapping():
            return {str(name): plain(each) for name, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
    # A float is no amount, and a time without a zone is no instant.
    raise TypeError(f"a result cannot hold {value!r}")


def is_number(value: object) -> bool:
    """Say whether a value is a number, which is aligned right and never taken for a formula."""
    return isinstance(value, int | Decimal | Money) and not isinstance(value, bool)


def cell(value: object) -> str:
    """Return a value as one cell of a row: text cleaned, scalars of a list joined by commas."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | tuple() if not any(isinstance(v, Mapping | list | tuple) for v in value):
            return ",".join(cell(each) for each in value)
        case Mapping() | list() | tuple():
            return clean(json.dumps(plain(value), ensure_ascii=False, separators=(",", ":")))
    return clean(str(plain(value)))


def _json(value: object, indent: int | None = None) -> str:
    """Write JSON in ASCII: whatever a terminal would obey is escaped."""
    return json.dumps(value, indent=indent)


# --- formats ----------------------------------------------------------------------------------


def _write_json(result: Table | Item, fields: tuple[str, ...], stream: TextIO) -> None:
    indent = 2 if stream.isatty() else None
    if isinstance(result, Item):
        stream.write(_json(_nested(result.row, fields), indent) + "\n")
        return
    before = "["
    for row in result.rows:
        stream.write(f"{before}\n{_json(_nested(row, fields), indent)}")
        before = ","
    stream.write("\n]\n" if before == "," else "[]\n")


def _write_csv(result: Table | Item, fields: tuple[str, ...], stream: TextIO) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(fields)
    writer.writerows([_csv_cell(value_of(row, field)) for field in fields] for row in _rows(result))


def _csv_cell(value: object) -> str:
    return cell(value) if is_number(value) else csv_safe(cell(value))


def _write_tsv(
    result: Table | Item, fields: tuple[str, ...], stream: TextIO, *, header: bool
) -> None:
    if header:
        stream.write("\t".join(fields) + "\n")
    stream.writelines(
        "\t".join(cell(value_of(row, field)) for field in fields) + "\n" for row in _rows(result)
    )


# --- where it goes ----------------------------------------------------------------------------


@contextmanager
def opened(path: Path | None, stdout: TextIO | None = None) -> Iterator[TextIO]:
    """Open what `--output` names: standard output, or a file that appears when all is written.

    A file is made beside its place with mode 0600 and moved there at the end, so that no half of
    it is ever seen, and nothing is written through a link. Raises `OutputFailed`.
    """
    try:
        if path is not None and path != Path("-"):
            with _replaced(path) as stream:
                yield stream
            return
        if (target := stdout or sys.stdout) is None:
            raise OutputFailed("there is no standard output", hint="Use --output FILE.")
        yield target
        target.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename is not None:
            raise  # A file that the command itself wanted; a stream has no name.
        raise _unwritable(path, error) from error


def _unwritable(path: Path | None, error: OSError) -> OutputFailed:
    where = "the output" if path is None else clean(str(path))
    return OutputFailed(f"{where} could not be written: {error.strerror}")


@contextmanager
def _replaced(path: Path) -> Iterator[TextIO]:
    """Open a new file that takes the place of `path` at the end, and goes if anything fails."""
    check_target(path, ())
    if _is_device(path):
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    part = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
