"""The one place where results become text.

A command hands over typed values (`liveportal.cli.io.view_model`) and says nothing of formats.
Fields are named as in JSON; `customer.id` is the `id` within `customer`, and is a column of its own
in rows.

A terminal gets a table or a listing, a pipe tab-separated rows without a header, and whoever asks
gets JSON, JSON Lines, CSV or TSV with the same names. Rows may be any iterable and are written as
they come: fetch and close first where a ledger is read (an open cursor keeps writers out), and make
a list first where each row *does* something, since a reader such as `head` may leave early.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from liveportal.cli.io.errors import UnknownField
from liveportal.cli.io.output_file import check_target, opened
from liveportal.cli.io.text import clean, csv_safe
from liveportal.cli.io.view_model import Detail, Row, Table, cell, is_number, plain, value_of

if TYPE_CHECKING:
    from liveportal.cli.options import OutputOptions


def render(
    result: Table | Detail,
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
            from liveportal.cli.io.rich_output import show  # rich costs more than a whole read.

            shown = chosen if out.columns else _chosen(result.fields, result.human)
            show(result, shown, stream, zone=zone, width=width, now=now)


def check_output_possible(
    fields: tuple[str, ...], out: OutputOptions, *, spared: Iterable[Path] = ()
) -> None:
    """Make sure, before anything is recorded, that a result with these fields can be shown.

    `spared` are files that no output may take the place of. Raises `UnknownField`, `OutputFailed`.
    """
    _chosen(fields, out.columns)
    check_target(out.output, spared)


def for_person(out: OutputOptions) -> bool:
    """Say whether a result would be shown as a terminal shows it: to a person."""
    formats = (out.json, out.jsonl, out.csv, out.tsv, out.output)
    return not any(formats) and sys.stdout is not None and sys.stdout.isatty()


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


def note(text: str) -> None:
    """Write to standard error something about the result that a script must not miss either."""
    if sys.stderr is not None:
        with suppress(OSError):
            sys.stderr.write(f"note: {clean(text)}\n")


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


def _rows(result: Table | Detail) -> Iterable[Row]:
    return [result.row] if isinstance(result, Detail) else result.rows


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


def _json(value: object, indent: int | None = None) -> str:
    """Write JSON in ASCII: whatever a terminal would obey is escaped."""
    return json.dumps(value, indent=indent)


# --- formats ----------------------------------------------------------------------------------


def _write_json(result: Table | Detail, fields: tuple[str, ...], stream: TextIO) -> None:
    indent = 2 if stream.isatty() else None
    if isinstance(result, Detail):
        stream.write(_json(_nested(result.row, fields), indent) + "\n")
        return
    before = "["
    for row in result.rows:
        stream.write(f"{before}\n{_json(_nested(row, fields), indent)}")
        before = ","
    stream.write("\n]\n" if before == "," else "[]\n")


def _write_csv(result: Table | Detail, fields: tuple[str, ...], stream: TextIO) -> None:
    import csv  # Half a millisecond that other formats need not pay.

    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(fields)
    writer.writerows([_csv_cell(value_of(row, field)) for field in fields] for row in _rows(result))


def _csv_cell(value: object) -> str:
    return cell(value) if is_number(value) else csv_safe(cell(value))


def _write_tsv(
    result: Table | Detail, fields: tuple[str, ...], stream: TextIO, *, header: bool
) -> None:
    if header:
        stream.write("\t".join(fields) + "\n")
    stream.writelines(
        "\t".join(cell(value_of(row, field)) for field in fields) + "\n" for row in _rows(result)
    )
