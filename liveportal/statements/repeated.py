"""Rows that are in more than one file of a call: overlapping exports, or two of the same days."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from liveportal.statements.rows import Meaning, StatementRow
from liveportal.statements.tying import Entry


def repeated(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the rows that another file has, too, but for one of each: the one that shows most.

    Of two that show the same, that of the earlier file is the first; earlier by their rows.
    """
    copies: dict[object, list[Entry]] = defaultdict(list)
    for of_file in _by_file(entries):
        seen = Counter[object]()
        for entry in of_file:
            same = (*entry.key, _identity(entry.row))
            copies[same, seen[same]].append(entry)
            seen[same] += 1  # Equal rows of one file are different rows.
    for each in copies.values():
        if len(each) > 1:
            first = max(each, key=lambda entry: _shows(entry.row))  # The first of the greatest.
            yield from (entry for entry in each if entry is not first)


def _by_file(entries: Iterable[Entry]) -> list[Sequence[Entry]]:
    """Return the rows of each file, the file with the earliest rows first."""
    files: dict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        files[id(entry.file)].append(entry)
    return sorted(
        files.values(),
        key=lambda of_file: (
            min(entry.row.day for entry in of_file),
            max(entry.row.day for entry in of_file),
            of_file[0].file.format,
            of_file[0].file.sha256,
            of_file[0].file.name,
        ),
    )


def _identity(row: StatementRow) -> tuple[object, ...]:
    """Return what all files say of a row alike.

    A payment that was announced (a memo) and came later has one id, and is two rows.
    """
    moved = row.net if row.net is not None else row.amount
    return row.currency, moved, row.meaning == Meaning.MEMO


def _shows(row: StatementRow) -> tuple[int, ...]:
    """Return how much a row shows of itself."""
    stated = sum(value is not None for value in (row.time, row.gross, row.fee, row.parent))
    return stated, len(row.names), len(row.references)
