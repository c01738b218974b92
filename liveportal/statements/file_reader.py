"""Read one file: identify it, survey it, make its rows, and prove them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from itertools import count, pairwise

from liveportal.domain.errors import FileChanged, MalformedFile
from liveportal.domain.frozen import replace
from liveportal.statements.formats import Format
from liveportal.statements.options import Doubts, Options
from liveportal.statements.proofs import prove_groups, prove_sums
from liveportal.statements.registry import identify
from liveportal.statements.row_reader import RowReader
from liveportal.statements.rows import Meaning, StatementFile, StatementRow
from liveportal.tables.columns import CellReader, Cells
from liveportal.tables.dates import read_date
from liveportal.tables.lines import Lines
from liveportal.tables.source import Place, Source
from liveportal.tables.survey import Wanted, survey

_EXCHANGES = {Meaning.CONVERSION}


def read_file(
    source: Source, options: Options, report: Callable[[int], None] | None = None
) -> list[StatementFile]:
    """Read a file that is not an archive; raises the errors of a statement, with file and line.

    A file with several accounts is one statement for each of them, and read again for each.
    """
    form, table = identify(source, options)
    found = [_read_account(source, form, table, options, report)]
    for account in table.others:
        form, again = identify(source, options)
        again.account = account
        found.append(_read_account(source, form, again, options))
    return found


def _read_account(
    source: Source,
    form: Format,
    table: CellReader,
    options: Options,
    report: Callable[[int], None] | None = None,
) -> StatementFile:
    place, encoding = table.place, form.dialect.encoding
    size = source.size()
    wanted = Wanted(form.amounts, order=form.order, mark=form.mark, observe=form.observe)
    first = Lines(source, report, encoding=encoding, longest=table.longest_line)
    found = survey(table, first, wanted, options.dates)
    doubts = Doubts(place, options)
    for sentence in form.surveyed(table):
        doubts.note(sentence)
    reader = RowReader(form, table, found, doubts, options)
    lines = Lines(
        source,
        report and (lambda done: report(size + done)),
        encoding=encoding,
        longest=table.longest_line,
    )
    records = table.rows(lines)
    if form.unordered:
        records = iter(_sorted(list(records), found.order))
    rows = [reader.row(line, cells) for line, cells in records]
    if lines.sha256 != found.sha256:
        raise FileChanged(
            f"{source.name} changed while it was read.", hint="Read it again.", file=source.name
        )
    newest_first = reader.settle(rows)
    proofs = (
        prove_sums(rows, found.digits, doubts.fail),
        form.prove_balances(table, rows, found.digits, doubts.fail, newest_first=newest_first),
        prove_groups(
            [row for row in rows if form.exchanges_are_whole or row.meaning not in _EXCHANGES],
            found.digits,
            doubts.fail,
            form.groups(rows),
        ),
    )
    given = [row for row in rows if row.row not in reader.digests]
    _refuse_equal_ids(place, given, may_repeat=form.ids_repeat)
    if newest_first:
        rows.reverse()
    rows.sort(key=_when)
    if rows and all(row.balance is None for row in rows):
        doubts.note(
            f"{source.name} states no balance after each row, so it does not show whether a row is"
            " missing."
        )
    rows = list(form.finished(rows))
    unlisted = {row.type: None for row in rows if row.meaning is Meaning.UNLISTED}
    return StatementFile(
        name=source.name,
        sha256=found.sha256,
        format=form.name,
        provider=form.provider,
        account=table.account,
        rows=tuple(_numbered(rows)),
        proofs=proofs,
        unproved=tuple(doubts.sentences),
        unlisted=tuple(unlisted),
        ignored_columns=table.ignored,
        digits=found.digits,
    )


def _sorted(records: list[tuple[int, Cells]], order: str) -> list[tuple[int, Cells]]:
    """Return records in the order of their times; those of one time keep the file's direction."""

    def when(record: tuple[int, Cells]) -> tuple[date, str]:
        _, cells = record
        return read_date(cells["date"], order) or date.min, cells.get("time", "")

    steps = [(when(above), when(below)) for above, below in pairwise(records)]
    if sum(below < above for above, below in steps) > sum(below > above for above, below in steps):
        records.reverse()
    return sorted(records, key=when)


def _when(row: StatementRow) -> datetime:
    return row.time or datetime.combine(row.day, time(), UTC)


def _refuse_equal_ids(place: Place, rows: list[StatementRow], *, may_repeat: bool) -> None:
    """Refuse the same row twice, and two rows with one id in a file without a balance."""
    if len({row.row for row in rows}) == len(rows):
        return
    first: dict[str, StatementRow] = {}
    for row in rows:
        earlier = first.setdefault(row.row, row)
        if earlier is row:
            continue
        is_same = replace(row, line=earlier.line) == earlier
        if is_same or (row.balance is None and not may_repeat):
            raise place.error(
                MalformedFile,
                row.line,
                f"the row has the id {row.row}, as the row in line {earlier.line} has.",
                hint="Download the file again. If rows were copied by hand, remove this one.",
                row=row.row,
            )


def _numbered(rows: list[StatementRow]) -> list[StatementRow]:
    """Give further rows of the same id ids of their own, in the order of time."""
    taken = {row.row for row in rows}
    if len(taken) == len(rows):
        return rows
    seen: set[str] = set()
    for at, row in enumerate(rows):
        if row.row in seen:
            name = next(name for n in count(2) if (name := f"{row.row}:{n}") not in taken)
            taken.add(name)
            rows[at] = replace(row, row=name)
        seen.add(row.row)
    return rows
