"""Several files of one account: the same row in two of them, and whether they join."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time

from liveportal.domain.errors import UnprovedFile
from liveportal.domain.frozen import build_compact, frozen, replace
from liveportal.statements.proofs import money_rows, moved
from liveportal.statements.registry import rank
from liveportal.statements.rows import Meaning, Proof, StatementFile, StatementRow
from liveportal.tables.source import Place


def joined(files: Sequence[StatementFile]) -> list[StatementFile]:
    """Return the files with the rows marked that another file has, too, and the proof `joins`.

    The order of the files does not matter. Raises `UnprovedFile` if a row of two files differs.
    """
    found = list(files)
    for account in dict.fromkeys((file.provider, file.account) for file in files):
        at = [
            n
            for n, file in enumerate(files)
            if (file.provider, file.account) == account and file.rows
        ]
        if len(at) > 1:
            for n, file in zip(at, _joined([files[n] for n in at]), strict=True):
                found[n] = file
    return found


def _joined(files: Sequence[StatementFile]) -> list[StatementFile]:
    marked = _marked(files)
    in_time = sorted(range(len(files)), key=lambda n: (_span(files[n]), files[n].name))
    balances = [_Balances.of(file) for file in files]
    for at, n in enumerate(in_time):
        before = [m for m in in_time[:at] if balances[m].may_join(balances[n])]
        if not before:
            continue
        latest = max(before, key=lambda m: _span(files[m])[1])
        is_proved = _meet(files[latest], files[n])
        proof = Proof("joins", 1, int(is_proved))
        unproved = marked[n].unproved
        if not is_proved:
            names = f"{files[latest].name} and {files[n].name}"
            unproved += (f"{names} do not join, so rows may be missing between them.",)
        marked[n] = replace(marked[n], proofs=(*marked[n].proofs, proof), unproved=unproved)
    return marked


@frozen
class _Balances:
    """What the balances of a file are about."""

    format: str
    keys: frozenset[tuple[str, str]]
    are_stated: bool

    @classmethod
    def of(cls, file: StatementFile) -> _Balances:
        are_stated = any(row.balance is not None for row in file.rows)
        return cls(file.format, frozenset(money_rows(file.rows)), are_stated)

    def may_join(self, later: _Balances) -> bool:
        """Return whether two files are about one balance, so that they may join."""
        if self.format != later.format and not (self.are_stated and later.are_stated):
            return False
        return not self.keys or not later.keys or not self.keys.isdisjoint(later.keys)


def _span(file: StatementFile) -> tuple[datetime, datetime]:
    return _when(file.rows[0]), _when(file.rows[-1])


def _when(row: StatementRow) -> datetime:
    return row.time or datetime.combine(row.day, time(), UTC)


def _marked(files: Sequence[StatementFile]) -> list[StatementFile]:
    """Mark all but one of the rows with one id: the fuller format's and the first file's is kept.

    A row that moved money is kept before its memo: the money moved after the memo's export.
    """
    order = sorted(
        range(len(files)), key=lambda n: (rank(files[n].format), _span(files[n]), files[n].name)
    )
    kept: dict[str, tuple[int, StatementRow]] = {}
    duplicates: dict[int, set[str]] = {n: set() for n in order}
    for n in order:
        for row in files[n].rows:
            first, other = kept.setdefault(row.row, (n, row))
            if other is row:
                continue
            if other.meaning is Meaning.MEMO and row.meaning is not Meaning.MEMO:
                duplicates[first].add(row.row)
                kept[row.row] = n, row
                continue
            duplicates[n].add(row.row)
            _check_same(files[first], other, files[n], row)
    return [
        replace(
            file,
            rows=tuple(
                build_compact(StatementRow, {**vars(row), "duplicate": True})
                if row.row in duplicates[n]
                else row
                for row in file.rows
            ),
        )
        if duplicates[n]
        else file
        for n, file in enumerate(files)
    ]


def _check_same(
    file: StatementFile, row: StatementRow, other_file: StatementFile, other: StatementRow
) -> None:
    if Meaning.MEMO in (row.meaning, other.meaning):
        return
    is_same = moved(row) == moved(other)
    if file.format != other_file.format:  # One of them may show a fee apart.
        is_same = not {row.amount, moved(row)}.isdisjoint({other.amount, moved(other)})
    if is_same and row.currency == other.currency:
        return
    raise Place(other_file.name).error(
        UnprovedFile,
        other.line,
        f"the row {other.row} is also in {file.name}, line {row.line}, with another amount.",
        hint="Download both files again.",
        proof="joins",
    )


def _meet(earlier: StatementFile, later: StatementFile) -> bool:
    """Return whether two files overlap without a gap, or one begins where the other ends."""
    ours, theirs = money_rows(earlier.rows), money_rows(later.rows)
    shared = ours.keys() & theirs.keys()
    return bool(shared) and all(_chains_meet(ours[code], theirs[code]) for code in shared)


def _chains_meet(ours: Sequence[StatementRow], theirs: Sequence[StatementRow]) -> bool:
    our_ids, their_ids = {row.row for row in ours}, {row.row for row in theirs}
    if our_ids & their_ids:
        first = max(_when(ours[0]), _when(theirs[0]))
        last = min(_when(ours[-1]), _when(theirs[-1]))
        return not any(
            first < _when(row) < last and row.row not in other
            for rows, other in ((ours, their_ids), (theirs, our_ids))
            for row in rows
        )
    end, start = ours[-1].balance, theirs[0].balance
    return end is not None and start is not None and end + moved(theirs[0]) == start
