"""A book in memory, as a journal's facts make it anew: what `verify` holds a ledger against.

Rules see it as they see a ledger's (it is a `Projection`), but no look-up of theirs reaches a file.
What changed of late is kept as it is; what did not is kept as the row that it would be, packed. At
the end each table of the ledger is compared with these rows.

What events said and booked is read from the ledger itself where a rule asks for it, since it is
proved before it is judged; but nothing of what comes later in the journal.
"""

from __future__ import annotations

import marshal
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import repeat
from operator import eq, itemgetter
from typing import Any, TypeVar

from liveportal.domain.accounts import Transaction, TransactionKind
from liveportal.domain.entities import Item, Line, OpenItem, Payout, Profile, Session, SessionState
from liveportal.domain.events.types import PreferencesChanged
from liveportal.domain.frozen import replace
from liveportal.domain.handlers.context import Assertion, Decision, RecordedEvent
from liveportal.domain.policy import Policy
from liveportal.ledger.format import row_mapping
from liveportal.ledger.format.event_log import booked_by
from liveportal.ledger.format.open_items import OpenItems
from liveportal.ledger.format.serialisation import stored_event
from liveportal.ledger.journal.projection import LEFT, Booked, Projection
from liveportal.ledger.storage.driver import Connection

T = TypeVar("T")
Row = tuple[Any, ...]

_AS_WRITTEN = 2
"""The form of `marshal` in which equal rows are equal bytes, whoever else has their values."""
_FETCHED = 2_000
_BY_TABLE = {mapping.table: mapping for mapping in row_mapping.MAPPINGS.values()}
_SMALL = ("reversal", "policy", "session_alias", "preferences")
"""Tables that grow by a row now and then, with the row as it was written."""
_LINES = "payout_line"
_SETTINGS = (PreferencesChanged, Profile)


class MemoryBook(Projection):
    """`liveportal.domain.handlers.context.RuleContext`, with everything in memory.

    Of a `Projection` it has what a change does to a book. It has no connection (`_db`), so that
    a look-up that was forgotten here fails instead of finding what is to be verified.
    """

    def __init__(self, journal: Connection) -> None:
        self._journal = journal
        self._kept = {(PreferencesChanged, 0): PreferencesChanged(), (Profile, 0): Profile()}
        self._dirty = defaultdict(dict)
        self._older: dict[type, dict[Any, Any]] = defaultdict(dict)
        """What changed in the chunk before; `_dirty` is what changed in this one."""
        self._packed: dict[type, dict[Any, bytes]] = {kind: {} for kind in row_mapping.MAPPINGS}
        self._appended = defaultdict(list)
        self._rows: dict[str, list[Row]] = {table: [] for table in _SMALL}
        self._told: dict[str, dict[str, dict[str, int | list[Assertion]]]] = {}
        self._flows = {}
        self._policies = {}
        self._agenda = {}
        self._aliases = {}
        self._turnover_minor = self._owed_minor = 0
        self.next_seq = self.next_transaction = 1
        self._policy_seq = None
        self.reversed_seqs = set()
        self._open = OpenItems([])
        self._first_end = None
        self._knows_first_end = True
        self._refunds: set[int] = set()

    # --- what rules look up -----------------------------------------------------------------------

    def policy_at(self, seq: int) -> Policy:
        """Return the policy that the event adopted."""
        return self._policies.get(seq) or Policy()

    def payout(self, payout_id: str) -> Payout | None:
        """Return a payout with its lines."""
        return self._look_up(row_mapping.PAYOUT, payout_id)

    def open_items(self) -> list[OpenItem]:
        """Return the items with an open part, by time and transaction."""
        if self._open is None:  # One was opened again.
            open_ = filter(_is_open, self._things(row_mapping.ITEM))
            self._open = OpenItems(map(self._looked_up, open_))
        return self._open.in_order()

    def _looked_up(self, item: Item) -> OpenItem:
        """Return an item with what its session says of it, and an undecided claim."""
        session = self.session(item.session) if item.session else None
        found = OpenItem(item)
        if session and session.earning == item.transaction:
            claim = self.claim(session.claim) if session.claim_undecided and session.claim else None
            found = OpenItem(
                item,
                held_minor=claim.hold_minor if claim else 0,
                gross_minor=session.left_minor,
                ended=session.end,
                policy=session.policy,
            )
        return replace(found, gross_minor=0) if item.transaction in self._refunds else found

    def ended_sessions(self) -> Iterable[Session]:
        """Return every ended session."""
        return [
            each for each in self._things(row_mapping.SESSION) if each.state == SessionState.ENDED
        ]

    def first_billed_end(self) -> datetime | None:
        """Return when the first billed session ended."""
        if not self._knows_first_end:
            sessions = self._things(row_mapping.SESSION)
            ends = (each.end for each in sessions if each.end and each.gross_minor > 0)
            self._first_end = min(ends, default=None)
            self._knows_first_end = True
        return self._first_end

    def past(self, source: str, event_id: str) -> RecordedEvent | None:
        """Return a recorded event with what it booked."""
        found = stored_event(self._journal, source, event_id)
        if found is None or found.seq >= self.next_seq:
            return None
        return self._past(found.seq, found.event)

    def transactions_of(self, seq: int) -> tuple[Transaction, ...]:
        """Return what an event booked, which is proved."""
        return booked_by(self._journal, seq)

    def left_minor_before(self, session_id: str, seq: int) -> int:
        """Return what of a session's gross was not refunded just before an event, minor units."""
        return int(self._journal.execute(LEFT, (session_id, seq)).fetchone()[0])

    # --- who told what ----------------------------------------------------------------------------

    def tell(self, thing: str, kind: str, told: Assertion) -> None:
        """Take note that an event of that type told something of a thing."""
        by_source = self._told.setdefault(kind, {}).setdefault(told.source, {})
        before = by_source.get(thing)
        if before is None and told.confirms is None:
            by_source[thing] = told.seq  # As nearly always: one event, and nothing but its number.
        else:
            by_source[thing] = [*self._listed(before or [], told.source), told]

    def statements(self, thing: str, kind: str) -> list[Assertion]:
        """Return which events told this of a thing, in their order."""
        found: list[Assertion] = []
        for source, things in self._told.get(kind, {}).items():
            if (told := things.get(thing)) is not None:
                found += self._listed(told, source)
        return sorted(found) if len(found) > 1 else found

    @staticmethod
    def _listed(told: int | list[Assertion], source: str) -> list[Assertion]:
        return [Assertion(told, source, None)] if isinstance(told, int) else told

    # --- what the journal writes ------------------------------------------------------------------

    def apply(self, seq: int, change: Decision, booked: Booked) -> None:
        """Take over what an event changed and booked; personal data is gone from the ledger."""
        super().apply(seq, replace(change, forgets=None) if change.forgets else change, booked)

    def _book(self, entry: Transaction) -> None:
        if entry.kind is TransactionKind.REFUND:
            self._refunds.add(self.next_transaction)
        super()._book(entry)

    def _fill(self, profile: Profile) -> None:
        self._kept[Profile, 0] = profile

    def _write_lines(self, was: Payout | None, payout: Payout) -> None:
        """Write nothing: the lines are packed with their payout."""

    def flush(self) -> None:
        """Write nothing: there is no file."""

    def flush_and_clear(self) -> None:
        """Pack what did not change for a while, so that memory does not grow by much."""
        self._forget(finally_=False)

    def _forget(self, *, finally_: bool) -> None:
        for table, kept in self._rows.items():
            kept.extend(self._appended.pop(table, ()))
        self._appended.clear()
        self._flows.clear()  # They are compared with the transfers, which are proved.
        older, self._older = self._older, self._dirty
        self._dirty = defaultdict(dict)
        for kind, things in older.items():
            newer = self._older[kind]
            rest = [(key, each) for key, each in things.items() if key not in newer]
            if kind is Item and not finally_:  # What is open changes when it is paid.
                newer.update((key, each) for key, each in rest if _is_open(each))
                rest = [(key, each) for key, each in rest if not _is_open(each)]
            self._pack(kind, rest)
        settings = {(kind, 0): self._kept[kind, 0] for kind in _SETTINGS}
        self._kept = {
            (kind, key): thing
            for kind, things in self._older.items()
            for key, thing in things.items()
        } | settings

    def _pack(self, kind: type, things: Iterable[tuple[Any, Any]]) -> None:
        packed, write = self._packed[kind], row_mapping.MAPPINGS[kind].write
        if kind is Payout:
            for key, each in things:
                lines = sorted((line.item, line.minor) for line in each.lines)
                packed[key] = marshal.dumps((*write(each), lines), _AS_WRITTEN)
        else:
            for key, each in things:
                packed[key] = marshal.dumps(write(each), _AS_WRITTEN)

    def _look_up(self, mapping: row_mapping.Mapping[T], key: str | int) -> T | None:
        kind = mapping.thing
        found: T | None = self._kept.get((kind, key))
        if found is None and (packed := self._packed[kind].get(key)):
            found = self._kept[kind, key] = _unpacked(mapping, packed, self.policy.currency)
        return found

    def prefetch(self, kind: str, ids: Iterable[str]) -> None:
        """Do nothing: all is at hand."""

    def _things(self, mapping: row_mapping.Mapping[T]) -> Iterator[T]:
        """Yield everything of a kind, as it stands."""
        recent = {**self._older.get(mapping.thing, {}), **self._dirty.get(mapping.thing, {})}
        yield from recent.values()
        for key, packed in self._packed[mapping.thing].items():
            if key not in recent:
                yield _unpacked(mapping, packed, self.policy.currency)

    # --- what it came to --------------------------------------------------------------------------

    def finish(self) -> None:
        """Pack everything, to be compared."""
        self._forget(finally_=True)
        self._forget(finally_=True)

    def rows(self, table: str) -> Iterator[Row]:
        """Yield the rows that a table should have, in no order."""
        if table == "statement":
            yield from self._statement_rows()
        elif table == "profile_field":
            yield from ((name,) for name in self.profile.fields)
        elif table == _LINES:
            for payout, packed in self._packed[Payout].items():
                *_, lines = marshal.loads(packed)  # noqa: S302 (packed by ourselves)
                yield from ((payout, *line) for line in lines)
        elif table in self._rows:
            yield from self._rows[table]
        else:
            mapping = _BY_TABLE[table]
            width = len(mapping.columns)
            for packed in self._packed[mapping.thing].values():
                yield tuple(marshal.loads(packed)[:width])  # noqa: S302 (packed by ourselves)

    def _statement_rows(self) -> Iterator[Row]:
        for kind, by_source in self._told.items():
            for source, things in by_source.items():
                for thing, told in things.items():
                    yield from ((thing, kind, *each) for each in self._listed(told, source))

    def has_exactly(self, table: str, found: Any) -> bool:  # noqa: ANN401 (a driver's cursor)
        """Tell whether a table has these rows, and no others: `found` yields them in any order."""
        mapping = _BY_TABLE.get(table)
        if table == "statement":
            return self._was_told(found)
        if mapping is None or mapping.thing is Payout:
            ours = set(self.rows(table))
            count = 0
            while chunk := found.fetchmany(_FETCHED):
                count += len(chunk)
                if not ours.issuperset(chunk):
                    return False
            return count == len(ours)
        packed, key = self._packed[mapping.thing], _key(mapping.key)
        count = 0
        while chunk := found.fetchmany(_FETCHED):
            count += len(chunk)
            theirs = map(marshal.dumps, chunk, repeat(_AS_WRITTEN))
            if not all(map(eq, map(packed.get, map(key, chunk)), theirs)):
                return False
        return count == len(packed)

    def _was_told(self, found: Iterable[Row]) -> bool:
        """Tell whether exactly these statements were made."""
        told, count = self._told, 0
        for thing, kind, seq, source, confirms in found:
            count += 1
            try:
                ours = told[kind][source][thing]
            except KeyError:
                return False
            if ours != seq if isinstance(ours, int) else (seq, source, confirms) not in ours:
                return False
            if isinstance(ours, int) and confirms is not None:
                return False
        return count == sum(
            1 if isinstance(each, int) else len(each)
            for by_source in told.values()
            for things in by_source.values()
            for each in things.values()
        )


def _key(columns: Sequence[str]) -> itemgetter[Any]:
    """Return what takes a thing's key from its row, in which it comes first."""
    return itemgetter(*range(len(columns)))


def _is_open(item: Item) -> bool:
    return item.settled_minor != item.face_minor


def _unpacked(mapping: row_mapping.Mapping[T], packed: bytes, currency: str) -> T:
    row = marshal.loads(packed)  # noqa: S302 (packed by ourselves)
    if mapping.thing is Payout:
        *row, lines = row
        payout: Any = mapping.read(row)
        return replace(payout, lines=tuple(Line(item, minor) for item, minor in lines))  # type: ignore[no-any-return]
    return mapping.read(row, currency)
