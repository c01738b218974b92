"""Compare payouts of the books with the rows of statements: what arrived, and what did not.

Pure, and the same for every provider. Each row ends in exactly one kind, and nothing is guessed:
what fits in more than one way is reported with everything that it could be. The order of the files
makes no difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from liveportal.domain.currencies import listed_digits
from liveportal.domain.entities import PayoutState
from liveportal.domain.errors import InvalidValue, UnknownEntity
from liveportal.domain.hint import Hint
from liveportal.statements import arrivals
from liveportal.statements.coverage import absences
from liveportal.statements.findings import (
    BookPayout,
    Finding,
    MatchRules,
    Reconciliation,
    RecordedRow,
    Step,
    in_order,
)
from liveportal.statements.returns import Arrival, Key, followers
from liveportal.statements.rows import Meaning, RowKind, StatementFile
from liveportal.statements.suggestions import with_suggestions
from liveportal.statements.tying import Entry, Tie, Tied, tie

CREDITS = (Meaning.PAYMENT, Meaning.OTHER, Meaning.UNLISTED)
"""What a row may mean that pays a payout, if money arrived with it."""
_FIXED = {
    Meaning.MEMO: RowKind.MEMO,
    Meaning.OWN_TRANSFER: RowKind.OWN_TRANSFER,
    Meaning.CONVERSION: RowKind.CONVERSION,
    Meaning.HOLD: RowKind.HOLD,
    Meaning.RELEASE: RowKind.RELEASE,
}
"""The kinds of rows that no payout can change."""


def reconcile(
    files: Sequence[StatementFile],
    payouts: Iterable[BookPayout],
    recorded: Iterable[RecordedRow],
    rules: MatchRules,
    currency: str,
) -> Reconciliation:
    """Return what the files say about the payouts of a book, and the kind of every row.

    `recorded` are rows of earlier statements, `currency` is the book's. Raises `UnknownEntity` if a
    pair names something that does not exist, `InvalidValue` if it cannot be one, and `UnknownRow`
    for a debit of an unlisted type that follows an arrival, unless `rules.unproved`.
    """
    live = [was for was in recorded if was.is_live]
    rows = _Rows(files, live)
    known = {payout.id: payout for payout in payouts if payout.state != PayoutState.REVERSED}
    settled = {was.payout: was for was in live if was.step == Step.PAID}
    open_payouts = [payout for payout in known.values() if payout.id not in settled]
    by_hand = [_pair(*pair, rows, known, settled) for pair in rules.pairs]
    _check_distinct(by_hand)
    tied = tie(open_payouts, list(rows.credits()), rules, by_hand)
    fees = rows.separate_fees()
    found = [arrivals.arrival(each, fees.get(each.entry.key, 0), rules) for each in tied.ties]
    for each, finding in zip(tied.ties, found, strict=True):
        rows.kinds[each.entry.position] = RowKind(finding.finding)
    following = followers(rows.open(), _arrivals(found, live, known, files), rules)
    findings = [
        arrivals.on_hold(each) if each.payout and each.payout.id in following.on_hold else each
        for each in found
    ]
    for doubt in tied.doubts:
        findings.extend(arrivals.in_doubt(doubt, rules))
        for entry in doubt.entries:
            rows.kinds[entry.position] = RowKind.AMBIGUOUS
    for entry, kind, returned in following.rows:
        rows.kinds[entry.position] = kind
        findings.extend([returned] if returned else ())
    findings.extend(_unknown(rows, fees, rules, currency))
    rows.sort_others()
    absent = list(absences(files, _unseen(open_payouts, tied), tied.strangers, rules))
    pending = in_order(each for each in absent if each.finding == RowKind.PENDING)
    findings.extend(each for each in absent if each.finding != RowKind.PENDING)
    ordered = with_suggestions(in_order(findings), rules)
    return Reconciliation(tuple(ordered), rows.kinds_by_file(), pending, rows.recorded(live))


def other_rows(files: Sequence[StatementFile], result: Reconciliation) -> Iterator[Finding]:
    """Yield every row that no finding is about, with its kind."""
    about = {(id(each.file), each.row.line) for each in result.findings if each.row}
    for file, kinds in zip(files, result.kinds, strict=True):
        for position, (row, kind) in enumerate(zip(file.rows, kinds, strict=True)):
            if (id(file), row.line) not in about:
                yield arrivals.other(Entry(file, row, position), kind)


class _Rows:
    """All rows of all files, and the kind of each as far as it is decided."""

    def __init__(self, files: Sequence[StatementFile], live: Iterable[RecordedRow]) -> None:
        self._files = files
        self.kinds: list[RowKind | None] = [
            _FIXED.get(row.meaning) for file in files for row in file.rows
        ]
        recorded = {(was.provider, was.row) for was in live if was.step != Step.SENT}
        for entry in self:
            is_memo = self.kinds[entry.position] == RowKind.MEMO
            if entry.row.duplicate or (entry.key in recorded and not is_memo):
                self.kinds[entry.position] = RowKind.DUPLICATE

    def __iter__(self) -> Iterator[Entry]:
        """Yield every row; kept as a list they would take as much memory as the rows."""
        position = 0
        for file in self._files:
            for row in file.rows:
                yield Entry(file, row, position)
                position += 1

    def recorded(self, live: Iterable[RecordedRow]) -> tuple[str, ...]:
        """Return the payouts with an arrival among the rows that was recorded earlier."""
        payouts = {(was.provider, was.row): was.payout for was in live if was.step == Step.PAID}
        if not payouts:
            return ()
        found = (payouts.get(entry.key) for entry in self)
        return tuple(dict.fromkeys(payout for payout in found if payout))

    def open(self) -> Iterator[Entry]:
        """Yield the rows that are not repeated, and moved money."""
        for entry in self:
            if self.kinds[entry.position] not in (RowKind.DUPLICATE, RowKind.MEMO):
                yield entry

    def credits(self) -> Iterator[Entry]:
        """Yield the rows that could be a payout that arrived."""
        for entry in self:
            if (
                entry.row.amount > 0
                and self.kinds[entry.position] is None
                and entry.row.meaning in CREDITS
                and entry.row.currency in listed_digits()
            ):
                yield entry

    def separate_fees(self) -> dict[Key, int]:
        """Return the fees that are rows of their own, by the row that they were taken from."""
        fees: dict[Key, int] = defaultdict(int)
        for entry in self.open():
            if entry.row.parent and entry.row.meaning == Meaning.FEE:
                fees[entry.file.provider, entry.row.parent] += entry.row.amount
        return fees

    def named(self, text: str) -> list[Entry]:
        """Return the rows that an id or `FILE:LINE` names; repeated ones only if no other is."""
        name, _, line = text.rpartition(":")
        found = [entry for entry in self if entry.row.row == text]
        if not found and name and line.isascii() and line.isdigit():
            found = [
                entry
                for entry in self
                if entry.row.line == int(line) and name in (entry.file.name, _base(entry.file))
            ]
        first = [each for each in found if self.kinds[each.position] != RowKind.DUPLICATE]
        return first or found

    def sort_others(self) -> None:
        """Decide the kinds of the rows that are still open, by their sign and type."""
        for entry in self:
            if self.kinds[entry.position] is None:
                if entry.row.meaning == Meaning.UNLISTED:
                    kind = RowKind.UNRECOGNISED
                elif entry.row.amount > 0:
                    kind = RowKind.OTHER_INCOME
                else:
                    kind = RowKind.UNRELATED
                self.kinds[entry.position] = kind

    def kinds_by_file(self) -> tuple[tuple[RowKind, ...], ...]:
        """Return the kinds of the rows, file by file; all are decided."""
        kinds = iter(self.kinds)
        return tuple(
            tuple(kind for kind in (next(kinds) for _ in file.rows) if kind) for file in self._files
        )


def _base(file: StatementFile) -> str:
    return file.name.replace("\\", "/").rpartition("/")[2]


def _pair(
    name: str,
    row: str,
    rows: _Rows,
    payouts: Mapping[str, BookPayout],
    settled: Mapping[str, RecordedRow],
) -> Tie:
    """Return the tie that the user made of a payout and a row."""
    if name not in payouts:
        raise UnknownEntity(
            f"The books have no payout {name}.", hint=Hint.listing("payout"), kind="payout", id=name
        )
    named = rows.named(row)
    if not named:
        raise UnknownEntity(
            f"No row of the files is called {row}.",
            hint=Hint("Give the id of a row, or FILE:LINE; {all_rows} lists them."),
            kind="row",
            id=row,
        )
    if len(named) > 1:
        lines = ", ".join(f"{_base(entry.file)}:{entry.row.line}" for entry in named)
        raise InvalidValue(f"More than one row is called {row}.", hint=f"Choose one: {lines}.")
    (entry,) = named
    place = f"{_base(entry.file)}, line {entry.row.line}"
    taken = [was for was in settled.values() if (was.provider, was.row) == entry.key]
    if taken or name in settled:
        was = taken[0] if taken else settled[name]
        raise InvalidValue(
            f"Payout {was.payout} is recorded as arrived with the row {was.row} already.",
            hint=Hint("Take that back first: {the_payout} shows how.", payout=was.payout),
        )
    if entry.row.amount <= 0 or rows.kinds[entry.position] in (RowKind.MEMO, RowKind.DUPLICATE):
        raise InvalidValue(
            f"No money arrived with {place} ({entry.row.type}).",
            hint="Pair the payout with a row that brought money.",
        )
    return Tie(payouts[name], entry)


def _check_distinct(pairs: Sequence[Tie]) -> None:
    """Raise `InvalidValue` if a payout or a row is in two pairs."""
    for ends in (
        [pair.payout.id for pair in pairs],
        [f"{_base(pair.entry.file)}:{pair.entry.row.line}" for pair in pairs],
    ):
        if twice := sorted({end for end in ends if ends.count(end) > 1}):
            raise InvalidValue(
                f"{twice[0]} is in two pairs.", hint="A payout arrives with one row: pair it once."
            )


def _arrivals(
    found: Iterable[Finding],
    live: Iterable[RecordedRow],
    payouts: Mapping[str, BookPayout],
    files: Iterable[StatementFile],
) -> dict[Key, Arrival]:
    """Return the arrivals by the rows that show them: of the files, and of earlier ones.

    The reference of a payout that is not in the files may be the id of its row, too.
    """
    arrivals_by_row: dict[Key, Arrival] = {}
    seen = {finding.payout.id for finding in found if finding.payout}
    for provider in {file.provider for file in files}:
        for payout in payouts.values():
            if payout.reference and payout.id not in seen:
                is_paid = payout.state == PayoutState.PAID
                arrivals_by_row[provider, payout.reference] = Arrival(
                    payout, payout.amount, payout.currency, is_paid
                )
    for was in live:
        if was.step == Step.PAID and (known := payouts.get(was.payout)):
            arrivals_by_row[was.provider, was.row] = Arrival(
                known, known.amount, known.currency, known.state == PayoutState.PAID
            )
    for finding in found:
        if finding.payout and finding.file and finding.row:
            will_be_paid = finding.is_new or finding.payout.state == PayoutState.PAID
            arrivals_by_row[finding.file.provider, finding.row.row] = Arrival(
                finding.payout, finding.row.amount, finding.row.currency, will_be_paid
            )
    return arrivals_by_row


def _unknown(
    rows: _Rows, fees: Mapping[Key, int], rules: MatchRules, currency: str
) -> Iterator[Finding]:
    """Yield the money of named payers that no payout of the books explains."""
    for entry in list(rows.credits()):
        if payer := rules.named_payer(entry.row):
            rows.kinds[entry.position] = RowKind.UNKNOWN
            yield arrivals.unknown(entry, fees.get(entry.key, 0), payer, currency)


def _unseen(payouts: Iterable[BookPayout], tied: Tied) -> list[BookPayout]:
    """Return the payouts that are neither tied nor in doubt."""
    seen = {each.payout.id for each in tied.ties}
    seen.update(payout.id for doubt in tied.doubts for payout in doubt.payouts)
    return [payout for payout in payouts if payout.id not in seen]
