"""Reconcile payouts with statements: read the files, compare, and record what is certain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from liveportal.domain.calculations.payout_window import DAYS
from liveportal.domain.clock import zone
from liveportal.domain.currencies import listed_digits
from liveportal.domain.entities import PayoutState
from liveportal.domain.errors import BooksChanged, InvalidAmount, InvalidArgument
from liveportal.domain.frozen import frozen, replace
from liveportal.domain.hint import Hint
from liveportal.domain.hops import HOPS
from liveportal.domain.money import Currency, Money
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.queries.payouts import open_balance
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.reconciliation import booked_payouts, recorded_events
from liveportal.ledger.secrets.identity import IdentityKey
from liveportal.ledger.storage.ledger_paths import check_input
from liveportal.services import arguments
from liveportal.services.reconciled import (
    MORE_THAN_OWED,
    FindingRow,
    ProofRow,
    ReconciledRow,
    StatementFileRow,
)
from liveportal.services.statement_events import EventName, StatementEvents
from liveportal.statements.findings import (
    TAUGHT,
    BookPayout,
    Finding,
    MatchRules,
    Reconciliation,
    RecordedRow,
    plain,
)
from liveportal.statements.matching import other_rows, reconcile
from liveportal.statements.options import Options
from liveportal.statements.reading import read_statements
from liveportal.statements.registry import FORMATS
from liveportal.statements.rows import RowKind, StatementFile
from liveportal.tables.dates import ORDERS
from liveportal.tables.files import opened
from liveportal.tables.mapping import find_mapping, mappings_of
from liveportal.tables.source import Progress

T = TypeVar("T")


@frozen
class Compared:
    """The files, what they say about the books, and what was recorded."""

    files: tuple[StatementFile, ...]
    result: Reconciliation
    currency: str
    record_unknown: bool = False
    recorded: int | None = None
    replayed: int = 0

    def is_recordable(self, finding: Finding) -> bool:
        """Return True if a finding is certain and new."""
        if finding.finding == RowKind.UNKNOWN and not self.record_unknown:
            return False
        return finding.is_new

    @property
    def to_record(self) -> list[Finding]:
        """The findings that are recorded: arrivals first, since a return needs its arrival."""
        chosen = [each for each in self.result.findings if self.is_recordable(each)]
        return sorted(chosen, key=lambda each: each.finding != RowKind.ARRIVED)

    def row(self, *, everything: bool = False) -> ReconciledRow:
        """Return the result as a row; with `everything`, each other row of the files, too."""
        findings = list(self.result.findings)
        if everything:
            findings += [*self.result.pending, *other_rows(self.files, self.result)]
        return ReconciledRow(
            files=[
                _file_row(file, kinds)
                for file, kinds in zip(self.files, self.result.kinds, strict=True)
            ],
            findings=[_finding_row(finding, self) for finding in findings],
            applied=self.recorded is not None,
            recorded=self.recorded or 0,
            replayed=self.replayed,
            currency=self.currency,
            recorded_before=list(self.result.recorded),
        )


# --- arguments ------------------------------------------------------------------------------------


def rules(
    payers: Collection[str],
    pairs: Mapping[str, str],
    windows: Mapping[str, int],
    *,
    short_is_fee: bool,
    unproved: bool,
) -> MatchRules:
    """Return how to compare; raises `InvalidArgument`."""
    names = [plain(name) for name in arguments.words("payers", payers)]
    if not all(names):
        raise InvalidArgument("payers", "must not have an empty name")
    for provider, days in _mapping("windows", windows).items():
        arguments.one_of("windows", provider, DAYS)
        if arguments.of_type("windows", days, int, "a number of days") < 0:
            raise InvalidArgument("windows", "must be 0 days or more")
    for ends in _mapping("pairs", pairs).items():
        arguments.words("pairs", ends)
    return MatchRules(
        payers=frozenset(names),
        windows=windows,
        pairs=tuple(pairs.items()),
        short_is_fee=short_is_fee,
        unproved=unproved,
    )


def reading(how: Options, mapping: str | None, mappings: Mapping[str, object]) -> Options:
    """Return how to read files, with their mappings; raises `InvalidArgument`."""
    for name, value, known in (
        ("dates", how.dates, ORDERS),
        ("format", how.format, [form.name for form in FORMATS]),
        ("hop", how.hop, HOPS),
    ):
        if value is not None:
            arguments.one_of(name, value, known)
    for word, meaning in _mapping("kinds", how.kinds).items():
        arguments.of_type("kinds", word, str, "meanings by word")
        arguments.one_of("kinds", meaning, [known.value for known in TAUGHT])
    if how.timezone is not None:
        zone(arguments.of_type("timezone", how.timezone, str, "a time zone"))
    settings = _mapping("mappings", mappings)
    if mapping is not None:
        name = arguments.of_type("mapping", mapping, str, "a name or a path")
        return replace(how, mapping=find_mapping(name, "statement", settings))
    return replace(how, mappings=mappings_of("statement", settings))


def payers_of(how: Options) -> list[str]:
    """Return the payers that mappings name."""
    documents = [*how.mappings, *([how.mapping] if how.mapping else [])]
    return [name for document in documents for name in document.payers]


def _mapping(name: str, value: Mapping[str, T]) -> Mapping[str, T]:
    if not isinstance(value, Mapping):
        raise InvalidArgument(name, "must be a mapping")
    return value


def read_files(
    files: Sequence[arguments.StrPath], how: Options, progress: Progress
) -> tuple[StatementFile, ...]:
    """Read files, and prove them; raises the errors of a statement."""
    paths = [arguments.path(f"files, item {n}", path) for n, path in enumerate(files, 1)]
    if not paths:
        raise InvalidArgument("files", "must name a file")
    for path in paths:
        check_input(path)
    with opened(paths) as sources:
        return read_statements(sources, how, progress)


# --- comparing and recording ----------------------------------------------------------------------


def compare(
    reader: Reader,
    files: Sequence[StatementFile],
    how: MatchRules,
    *,
    record_unknown: bool = False,
) -> Compared:
    """Compare files with the books. Raises what `matching.reconcile` raises."""
    paired = [(reader.resolve_id("payout", payout), row) for payout, row in how.pairs]
    payouts = [
        BookPayout(
            id=booked.id,
            amount=_iso_minor(booked.amount),
            currency=str(booked.amount.currency),
            method=booked.method,
            state=PayoutState(booked.state),
            sent_at=booked.sent_at,
            reference=booked.reference,
            fee=None if booked.fee is None else _iso_minor(booked.fee),
            aliases=booked.aliases,
        )
        for booked in booked_payouts(reader)
    ]
    recorded = [
        RecordedRow(*name, was.payout, is_live=was.is_live)
        for was in recorded_events(reader)
        if (name := EventName.read(was.source, was.id))
    ]
    how = replace(how, pairs=tuple(paired))
    result = reconcile(files, payouts, recorded, how, str(reader.currency))
    compared = Compared(tuple(files), result, reader.currency, record_unknown=record_unknown)
    return _within_owed(compared, reader) if record_unknown else compared


def record(file: LedgerFile, shown: Compared, how: MatchRules, timezone: str | None) -> Compared:
    """Compare again, and record what is certain: everything in one transaction, or nothing.

    Raises `BooksChanged` if the books have changed what `shown`, a comparison before, would record,
    and what `compare` and a write raise.
    """
    with file.writing() as journal:
        reader = file.reader()
        compared = compare(reader, shown.files, how, record_unknown=shown.record_unknown)
        if shown.to_record != compared.to_record:
            raise BooksChanged(
                "The ledger changed while you were asked, and so did what would be recorded.",
                hint="Run the command again.",
            )
        identity = IdentityKey(file.db, file.path, keep=file.keep)
        maker = StatementEvents(reader, identity, file.now(), timezone or reader.own_timezone)
        events = [event for each in compared.to_record for event in maker.events(each)]
        journal.prefetch(events)
        statuses = Counter(journal.record(event, allow=True).status for event in events)
    replayed = statuses.pop("replayed", 0)
    return replace(compared, recorded=statuses.total(), replayed=replayed)


def _iso_minor(money: Money) -> int:
    """Return an amount in the minor units of ISO 4217, as statements have it."""
    return money.in_digits_of(str(money.currency)).minor


def _within_owed(compared: Compared, reader: Reader) -> Compared:
    """Return the comparison without unknown arrivals of more than the platform owes."""
    owed, short = open_balance(reader)["owed"], set[int]()
    for finding in compared.to_record:
        amount = _money(finding.amount, finding.currency, compared)
        if finding.finding == RowKind.RETURNED:
            owed += amount.minor
        elif finding.finding == RowKind.UNKNOWN and amount.minor > owed:
            short.add(id(finding))
        elif finding.finding == RowKind.UNKNOWN:
            owed -= amount.minor
    note = f"{MORE_THAN_OWED}: the platform owes you less, so it cannot be recorded."
    findings = tuple(
        replace(each, note=note, is_new=False) if id(each) in short else each
        for each in compared.result.findings
    )
    return replace(compared, result=replace(compared.result, findings=findings))


# --- rows -----------------------------------------------------------------------------------------


def _file_row(file: StatementFile, kinds: Sequence[RowKind]) -> StatementFileRow:
    counts = Counter(kinds)
    days = [row.day for row in file.rows]
    return StatementFileRow(
        file=file.name,
        format=file.format,
        rows=len(file.rows),
        account=file.account,
        proofs=[
            ProofRow(proof=each.proof, rows=each.rows, proved=each.proved)
            for each in file.proofs
            if each.rows  # Else there was nothing to prove.
        ],
        rows_by_kind={kind.value: counts[kind] for kind in RowKind if counts[kind]},
        unrecognised_types=list(file.unlisted),
        unproved=list(file.unproved),
        ignored_columns=file.ignored_columns,
        first=min(days, default=None),
        last=max(days, default=None),
    )


def _finding_row(finding: Finding, compared: Compared) -> FindingRow:
    row, file, payout = finding.row, finding.file, finding.payout
    received_currency = finding.received_currency or finding.currency
    return FindingRow(
        finding=str(finding.finding),
        payout=payout.id if payout else None,
        file=file.name if file else None,
        line=row.line if row else None,
        row=row.row if row else None,
        time=row.time if row else None,
        amount=_money(finding.amount, finding.currency, compared, file),
        fee=_maybe(finding.fee, finding.currency, compared, file),
        received=_maybe(finding.received, received_currency, compared, file),
        received_currency=None if finding.received is None else received_currency,
        currency=finding.currency,
        payer=finding.payer,
        candidates=list(finding.candidates),
        note=_note(finding.note),
        date=finding.day,
        days=finding.days,
        debited=_maybe(finding.debited, finding.currency, compared, file),
        recordable=compared.is_recordable(finding),
    )


def _note(note: Hint | str | None) -> Hint | None:
    return Hint("{said}", said=note) if isinstance(note, str) else note


def _maybe(
    minor: int | None, currency: str, compared: Compared, file: StatementFile | None
) -> Money | None:
    return None if minor is None else _money(minor, currency, compared, file)


def _money(
    minor: int, currency: str, compared: Compared, file: StatementFile | None = None
) -> Money:
    """Return an amount of a row: in the book's digits if it is the book's currency.

    A currency that is not listed has the digits that its file uses.
    """
    if currency not in listed_digits():
        code = Currency(currency)
        code.digits = file.digits.get(currency, 2) if file else 2
        return Money(minor, code)
    money = Money(minor, currency)
    if currency != compared.currency:
        return money
    try:
        return money.in_digits_of(compared.currency)
    except InvalidAmount:  # The file is more exact than the book.
        return money
