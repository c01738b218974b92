"""Write results in the requested format; commands do not format them.

A command passes typed values (`liveportal.cli.io.view_model`). Fields have their JSON names;
`customer.id` is the `id` within `customer`, and a column of its own in rows.

A terminal gets a table or a listing, and a pipe tab-separated rows of the same columns without a
header; options choose JSON, JSON Lines, CSV or TSV with the same names. Rows may be any iterable
and are written as they come. When reading a ledger, fetch all rows and close it first (an open
cursor blocks writers). If iterating has side effects, build a list first, since a reader such as
`head` may stop early.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as _quote
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from liveportal.cli.io.errors import UnknownField, wrapped
from liveportal.cli.io.output_file import check_target, open_output
from liveportal.cli.io.text import clean, csv_safe
from liveportal.cli.io.view_model import (
    Detail,
    Fields,
    Row,
    Table,
    format_cell,
    is_number,
    names_of,
    to_json_value,
    value_of,
)
from liveportal.domain.errors import LiveportalError
from liveportal.domain.money import Money
from liveportal.domain.row import TO_JSON

if TYPE_CHECKING:
    from liveportal.cli.options import OutputOptions

EVERY_FIELD = "all"
"""What `--fields` calls every field."""


def render(
    result: Table | Detail,
    out: OutputOptions,
    *,
    zone: str | None = None,
    stdout: TextIO | None = None,
    width: int | None = None,
    now: datetime | None = None,
) -> None:
    """Write a result in the format and to the destination of the options.

    For a terminal, `zone` is the zone of times (None: the machine's), `now` the instant from which
    ages count, and `width` the number of columns. Raises `UnknownField` before anything is written,
    `OutputFailed` if the output cannot be written, and `BrokenPipeError`.
    """
    fields = _select_fields(result.columns, out.columns)
    page = paged(out) if stdout is None else nullcontext()
    left_out: tuple[str, ...] = ()
    with page, open_output(out.output, stdout) as stream:
        if out.json:
            _write_json(result, fields, stream)
        elif out.jsonl:
            to_text = _json_writer(result.fields, fields)
            stream.writelines(f"{to_text(row)}\n" for row in _rows(result))
        elif out.csv:
            _write_csv(result, fields, stream)
        else:
            shown = fields if out.columns else _select_fields(result.columns, result.human)
            if out.tsv or not stream.isatty():
                _write_tsv(result, shown, stream, header=out.header)
                return
            from liveportal.cli.io.terminal import (
                show,  # Imports rich, which takes longer than a read.
            )

            left_out = show(
                result,
                shown,
                stream,
                zone=zone,
                width=width,
                now=now,
                are_chosen=out.columns is not None,
                short_forms=_short_forms,
            )
    if left_out:
        note(
            f"Columns that do not fit: {', '.join(left_out)}."
            " Widen the terminal, or choose columns with --fields."
        )


def check_output_possible(
    fields: Fields, out: OutputOptions, *, spared: Iterable[Path] = ()
) -> None:
    """Check, before anything is recorded, that a result with these fields can be written.

    `spared` are files that the output must not replace. Raises `UnknownField`, `OutputFailed`.
    """
    _select_fields(names_of(fields), out.columns)
    check_target(out.output, spared)


def for_person(out: OutputOptions) -> bool:
    """Return True if a result would be shown to a person, in a terminal's format."""
    formats = (out.json, out.jsonl, out.csv, out.tsv, out.output)
    return not any(formats) and sys.stdout is not None and sys.stdout.isatty()


def paged(out: OutputOptions) -> AbstractContextManager[None]:
    """Show what is written within to a person in a pager, if it is taller than the screen."""
    if not for_person(out) or out.no_pager:
        return nullcontext()
    from liveportal.cli.io import pager  # Needed on terminals only.

    return pager.paged()


_hints_enabled = ContextVar("hinting", default=True)


@contextmanager
def suppress_hints() -> Iterator[None]:
    """Suppress hints, for the demo."""
    token = _hints_enabled.set(False)
    try:
        yield
    finally:
        _hints_enabled.reset(token)


def hint(text: str) -> None:
    """Show a person at a terminal what to do next; scripts get no hints."""
    if _hints_enabled.get() and sys.stderr is not None and sys.stderr.isatty():
        with suppress(OSError):
            sys.stderr.write(wrapped(clean(text)) + "\n")


def note(text: str) -> None:
    """Write a note about the result to standard error, for persons and scripts."""
    if sys.stderr is not None:
        with suppress(OSError):
            line = f"note: {clean(text)}"
            sys.stderr.write((wrapped(line) if sys.stderr.isatty() else line) + "\n")


# --- short ids ----------------------------------------------------------------------------------

_UTC_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d(?:\.\d+)?)?) UTC\b", re.ASCII)
"""An instant as `domain.clock.readable` formats it."""
_ledger: ContextVar[Path | None] = ContextVar("ledger", default=None)


def use_ledger(path: Path) -> None:
    """Name the ledger of this run, which knows what a terminal may shorten ids to."""
    _ledger.set(path)


def with_short_ids(text: str, ids: Iterable[object]) -> str:
    """Return a text in which the long ones among these ids have their short forms."""
    names = [name for name in ids if isinstance(name, str) and "/" not in name]
    for whole, short in _short_forms(names).items():
        text = text.replace(whole, short)
    return text


def with_local_times(text: str) -> str:
    """Return a text in which the times that it gives in UTC are the expert's, to the second."""
    path = _ledger.get()
    if path is None or not _UTC_TIME.search(text):
        return text
    from liveportal.domain.clock import zone
    from liveportal.ledger.opening import open_readonly
    from liveportal.ledger.storage.driver import DatabaseError

    try:
        with open_readonly(path) as reader:
            name = reader.own_timezone
        local = zone(name)
    except (LiveportalError, DatabaseError, OSError):  # Times in UTC are right, too.
        return text

    def converted(found: re.Match[str]) -> str:
        instant = datetime.fromisoformat(found[1]).replace(tzinfo=UTC, microsecond=0)
        try:
            shown = instant.astimezone(local)
        except OverflowError:  # At an end of the calendar.
            return found[0]
        return f"{shown.replace(tzinfo=None).isoformat(' ').removesuffix(':00')} {name}"

    return _UTC_TIME.sub(converted, text)


def _short_forms(ids: Iterable[str]) -> Mapping[str, str]:
    """Return the short forms of the long ids among these, as the ledger of this run knows them."""
    from liveportal.ledger.queries.short_ids import LONGEST_ID, short_ids

    path, long_ids = _ledger.get(), [name for name in ids if len(name) > LONGEST_ID]
    if path is None or not long_ids:
        return {}
    from liveportal.ledger.opening import open_readonly
    from liveportal.ledger.storage.driver import DatabaseError

    try:
        with open_readonly(path) as reader:
            return short_ids(reader, long_ids)
    except (LiveportalError, DatabaseError, OSError):  # Whole ids are right, too.
        return {}


# --- fields -----------------------------------------------------------------------------------


def _select_fields(fields: tuple[str, ...], names: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the named fields; all for None and `all`. `customer` selects all of `customer.…`."""
    if names is None or names == (EVERY_FIELD,):
        return fields
    chosen: dict[str, None] = {}
    for name in names:
        matches = [f for f in fields if f == name or f.startswith(f"{name}.")]
        if not matches:
            from liveportal.cli.io.usage import suggestion  # Only this error needs it.

            raise UnknownField(
                f"There is no field {name!r}.",
                hint=suggestion(name, fields, "`--help` lists the fields of the command."),
                field=name,
                fields=fields,
            )
        chosen.update(dict.fromkeys(matches))
    return tuple(chosen)


def _rows(result: Table | Detail) -> Iterable[Row]:
    return [result.row] if isinstance(result, Detail) else result.rows


def _nest(row: Row, fields: tuple[str, ...]) -> dict[str, object]:
    """Return a row for JSON, with dotted fields nested."""
    document: dict[str, object] = {}
    for field in fields:
        *outer, last = field.split(".")
        inner = document
        for name in outer:
            inner = inner.setdefault(name, {})  # type: ignore[assignment]
        inner[last] = to_json_value(value_of(row, field))
    return document


def _to_json(value: object, indent: int | None = None) -> str:
    """Format JSON in ASCII, so that terminal control characters are escaped."""
    return json.dumps(value, indent=indent)


def _json_writer(
    declared: Fields, fields: tuple[str, ...], indent: int | None = None
) -> Callable[[Row], str]:
    """Return a function that formats a row as JSON.

    For rows of a class, the text around the cells is made once.
    """
    if indent is not None or not isinstance(declared, type):
        return lambda row: _to_json(_nest(row, fields), indent)
    places = _nest(dict.fromkeys(fields, _PLACE), fields)
    template = _to_json(places).replace("%", "%%").replace(_to_json(_PLACE), "%s")
    cells_of = _cells_reader(declared, tuple(_paths(places)))
    return lambda row: template % tuple(map(_cell_to_json, cells_of(row)))


def _cells_reader(declared: Fields, fields: tuple[str, ...]) -> Callable[[Row], Sequence[object]]:
    """Return a function that gives the values of these fields of a row."""

    def find(row: Row) -> list[object]:
        return [value_of(row, field) for field in fields]

    if not isinstance(declared, type) or len(fields) < 2:  # noqa: PLR2004 -- Else it is no tuple.
        return find
    attributes: Callable[[Row], tuple[object, ...]] = attrgetter(*fields)

    def read(row: Row) -> Sequence[object]:
        if type(row) is not declared:  # With cells for a terminal.
            return find(row)
        try:
            return attributes(row)
        except AttributeError:  # An object that has columns of its own is None.
            return find(row)

    return read


_PLACE = "\0"  # Not in the name of any field.


def _paths(places: Mapping[str, Any], outer: str = "") -> Iterator[str]:
    for name, inner in places.items():
        if isinstance(inner, dict):
            yield from _paths(inner, f"{outer}{name}.")
        else:
            yield outer + name


def _cell_to_json(value: object) -> str:
    to_text = _TEXTS.get(type(value))
    return to_text(value) if to_text else _to_json(to_json_value(value))


def _quoting(to_text: Callable[[Any], Any]) -> Callable[[Any], str]:
    return lambda value: _quote(to_text(value))


_TEXTS: dict[type, Callable[[Any], str]] = {
    str: _quote,
    int: str,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): {None: "null"}.__getitem__,
    **{kind: _quoting(TO_JSON[kind]) for kind in (Money, datetime)},
}
"""The usual types of cells. For a long list, `json.dumps` takes three times as long."""


# --- formats ----------------------------------------------------------------------------------


def _write_json(result: Table | Detail, fields: tuple[str, ...], stream: TextIO) -> None:
    indent = 2 if stream.isatty() else None
    if isinstance(result, Detail):
        stream.write(_to_json(_nest(result.row, fields), indent) + "\n")
        return
    to_text = _json_writer(result.fields, fields, indent)
    separator = "["
    for row in result.rows:
        stream.write(f"{separator}\n{to_text(row)}")
        separator = ","
    stream.write("\n]\n" if separator == "," else "[]\n")


def _write_csv(result: Table | Detail, fields: tuple[str, ...], stream: TextIO) -> None:
    import csv  # Takes half a millisecond, which other formats save.

    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(fields)
    cells_of = _cells_reader(result.fields, fields)
    writer.writerows(map(_csv_cell, cells_of(row)) for row in _rows(result))


def _csv_cell(value: object) -> str:
    return format_cell(value) if is_number(value) else csv_safe(format_cell(value))


def _write_tsv(
    result: Table | Detail, fields: tuple[str, ...], stream: TextIO, *, header: bool
) -> None:
    if header:
        stream.write("\t".join(fields) + "\n")
    cells_of = _cells_reader(result.fields, fields)
    stream.writelines("\t".join(map(format_cell, cells_of(row))) + "\n" for row in _rows(result))
