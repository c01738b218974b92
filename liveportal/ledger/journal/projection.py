"""The book as rules see it, on a database connection: a unit of work over the things.

Things are looked up once, kept, changed in memory, and written back together by `flush`, each once
however often it changed. Inside one database transaction nobody else can change them meanwhile.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from liveportal.domain.accounts import Account, Transaction, TransactionKind, Transfer
from liveportal.domain.changing import changed
from liveportal.domain.clock import from_text, utc_text
from liveportal.domain.entities import (
    Adjustment,
    Claim,
    Customer,
    Line,
    OpenItem,
    Payout,
    Profile,
    Request,
    Session,
)
from liveportal.domain.errors import AmountTooLarge
from liveportal.domain.events.envelope import Event, EventData
from liveportal.domain.events.fields import decode, in_currency, split
from liveportal.domain.events.types import PreferencesChanged
from liveportal.domain.handlers.context import Assertion, Decision, Entity, RecordedEvent
from liveportal.domain.money import LARGEST_MINOR
from liveportal.domain.policy import Policy
from liveportal.ledger.format import row_mapping
from liveportal.ledger.format.open_items import OpenItems, open_items
from liveportal.ledger.format.serialisation import stored_event
from liveportal.ledger.journal import erasure as erasure_rows
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.sql import ADD_FLOW, INSERT, UPSERT

T = TypeVar("T")
Booked = tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], list[tuple[Any, ...]]]
"""Rows of `transaction`, `transfer` and `session_count`, as stored."""
NOTHING_BOOKED: Booked = ([], [], [])

_SUMS = """
    SELECT coalesce(sum(amount), 0),
           coalesce(sum(amount * ((debit = ?1) - (credit = ?1))), 0)
    FROM month_flow
"""
_LAST = """
    SELECT (SELECT coalesce(max(seq), 0) FROM event),
           (SELECT coalesce(max(id), 0) FROM "transaction"),
           (SELECT max(seq) FROM policy)
"""
LEFT = """
    SELECT coalesce(sum(amount * (
        (credit IN ('income:sessions', 'income:refunds'))
        - (debit IN ('income:sessions', 'income:refunds'))
    )), 0)
    FROM "transaction" AS entry JOIN transfer ON transfer."transaction" = entry.id
    WHERE entry.session = ? AND entry.seq < ?
"""
_AGENDA = f"{row_mapping.SESSION.select} WHERE state IN ('upcoming', 'live', 'paused')"


class Projection:
    """A `RuleContext` over a connection that is inside a write transaction.

    `former_rules` is set by a replay, for events that were recorded by an earlier version.
    """

    former_rules = False

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._kept: dict[tuple[type, Any], Any] = {}
        self._dirty: dict[type, dict[Any, Any]] = defaultdict(dict)
        self._appended: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self._flows: dict[tuple[str, Account, Account], list[int]] = {}
        self._policies: dict[int, Policy] = {}
        self._statements: dict[tuple[str, str], list[Assertion]] = {}
        self._unwritten: dict[tuple[str, str], list[Assertion]] = defaultdict(list)
        self._agenda: dict[str, Session] | None = None
        self._open: OpenItems | None = None
        self._first_end: datetime | None = None
        self._knows_first_end = False
        self._aliases: dict[str, str] | None = None
        self._turnover_minor: int
        self._owed_minor: int
        self._turnover_minor, self._owed_minor = self._row(_SUMS, str(Account.PLATFORM))
        last_seq, last_transaction, policy_seq = self._row(_LAST)
        self.next_seq: int = last_seq + 1
        self._unflushed_from: int = self.next_seq
        self.next_transaction: int = last_transaction + 1
        self._policy_seq: int | None = policy_seq

    # --- what rules look up -----------------------------------------------------------------------

    @property
    def policy_seq(self) -> int:
        """The event that adopted the policy in force; 0 before the first."""
        return self._policy_seq or 0

    @property
    def policy(self) -> Policy:
        """The policy in force; before the first is adopted, the default profile."""
        return self._policies.get(self._policy_seq or 0) or self.policy_at(self.policy_seq)

    def is_forgotten(self, data: EventData, seq: int) -> bool:
        """Tell whether the customer that an event is about was forgotten after event `seq`."""
        if not self._forgotten:
            return False  # As in nearly every book: nothing is looked up for every fact told again.
        return self._forgotten.get(erasure_rows.customer_of(self, data) or "", 0) > seq

    def policy_at(self, seq: int) -> Policy:
        """Return the policy that the event adopted."""
        if seq not in self._policies:
            row = self._row("SELECT document FROM policy WHERE seq = ?", seq)
            self._policies[seq] = Policy.from_recorded(json.loads(row[0])) if row else Policy()
        return self._policies[seq]

    def customer(self, customer_id: str) -> Customer | None:
        """Return a customer."""
        return self._look_up(row_mapping.CUSTOMER, customer_id)

    def request(self, request_id: str) -> Request | None:
        """Return a request."""
        return self._look_up(row_mapping.REQUEST, request_id)

    def session(self, session_id: str) -> Session | None:
        """Return the session of that id, or that the id is another name for."""
        found = self._look_up(row_mapping.SESSION, session_id)
        if found is None and (real := self.alias(session_id)):
            return self._look_up(row_mapping.SESSION, real)
        return found

    @property
    def nothing_renamed(self) -> bool:
        """Whether it is known that no session has another name."""
        return self._aliases is not None and not self._aliases

    def alias(self, alias: str) -> str | None:
        """Return the session that an id is only another name for; they are few, so all are kept."""
        if self._aliases is None:
            found = self._db.execute("SELECT alias, session FROM session_alias").fetchall()
            self._aliases = dict(found)
        return self._aliases.get(alias)

    def claim(self, claim_id: str) -> Claim | None:
        """Return a claim."""
        return self._look_up(row_mapping.CLAIM, claim_id)

    def adjustment(self, adjustment_id: str) -> Adjustment | None:
        """Return an adjustment."""
        return self._look_up(row_mapping.ADJUSTMENT, adjustment_id)

    def payout(self, payout_id: str) -> Payout | None:
        """Return a payout with its lines."""
        if (Payout, payout_id) in self._kept:
            return self._kept[Payout, payout_id]  # type: ignore[no-any-return]
        row = self._row(f"{row_mapping.PAYOUT.select} WHERE id = ?", payout_id)
        if row is None:
            return None
        lines = self._db.execute(
            "SELECT item, amount_minor FROM payout_line WHERE payout = ? ORDER BY item",
            (payout_id,),
        )
        found = row_mapping.PAYOUT.read(row)
        payout = changed(found, lines=tuple(Line(item, part) for item, part in lines))
        self._kept[Payout, payout_id] = payout
        return payout

    def item(self, transaction: int) -> OpenItem:
        """Return what a transaction earned or took, as payouts pay it."""
        found = self._look_up(row_mapping.ITEM, transaction)
        if found is None:
            raise KeyError(transaction)
        return found

    def agenda(self) -> Iterable[Session]:
        """Return the sessions that are upcoming, live or paused: few, so they are all kept."""
        return self._agenda_by_id().values()

    def open_items(self) -> list[OpenItem]:
        """Return the items with an open part, by time and transaction."""
        if self._open is None:
            self.flush()
            self._open = OpenItems(open_items(self._db))
        return self._open.in_order()

    def ended_sessions(self) -> Iterable[Session]:
        """Return every ended session."""
        self.flush()
        ended = self._db.execute(f"{row_mapping.SESSION.select} WHERE state = 'ended'").fetchall()
        return [row_mapping.SESSION.read(row, self.policy.currency) for row in ended]

    def first_billed_end(self) -> datetime | None:
        """Return when the first billed session ended."""
        if not self._knows_first_end:
            self.flush()
            first: str | None = self._one(
                'SELECT min("end") FROM session INDEXED BY session_by_end WHERE gross_minor > 0'
            )
            self._first_end = from_text(first) if first else None
            self._knows_first_end = True
        return self._first_end

    def owed_minor(self) -> int:
        """Return the balance of what is owed."""
        return self._owed_minor

    @property
    def preferences(self) -> PreferencesChanged:
        """The preferences in force, none of them set at first."""
        if (PreferencesChanged, 0) not in self._kept:
            row = self._row("SELECT document FROM preferences ORDER BY seq DESC LIMIT 1")
            found = decode(PreferencesChanged, json.loads(row[0])) if row else PreferencesChanged()
            self._kept[PreferencesChanged, 0] = in_currency(found, self.policy.currency)
        return self._kept[PreferencesChanged, 0]  # type: ignore[no-any-return]

    @property
    def profile(self) -> Profile:
        """Which fields of the payout profile are filled in."""
        if (Profile, 0) not in self._kept:
            names = self._db.execute("SELECT name FROM profile_field").fetchall()
            self._kept[Profile, 0] = Profile(frozenset(name for (name,) in names))
        return self._kept[Profile, 0]  # type: ignore[no-any-return]

    def past(self, source: str, event_id: str) -> RecordedEvent | None:
        """Return a recorded event with what it booked."""
        self.flush()
        row = stored_event(self._db, source, event_id)
        if row is None:
            return None
        return self._past(row.seq, row.event)

    def _past(self, seq: int, event: Event) -> RecordedEvent:
        data, thing = event.data, event.data.thing
        if data.THING == "session" and (session := self.session(getattr(data, data.THING))):
            thing = f"session:{session.id}"
        told = self.statements(thing, data.TYPE)
        confirms = next((each.confirms for each in told if each.seq == seq), None)
        fact = seq if confirms is None or self.former_rules else confirms
        return RecordedEvent(
            seq,
            event,
            self.transactions_of(seq),
            reversed=fact in self.reversed_seqs,
            confirms=confirms,
        )

    @cached_property
    def _forgotten(self) -> dict[str, int]:
        return erasure_rows.forgotten(self._db)

    @cached_property
    def reversed_seqs(self) -> set[int]:
        """The events that were reversed: few, so they are all kept."""
        found = self._db.execute("SELECT reversed_seq FROM reversal").fetchall()
        return {seq for (seq,) in found}

    def is_reversed(self, seq: int) -> bool:
        """Return True if the event was reversed."""
        return seq in self.reversed_seqs

    def statements(self, thing: str, kind: str) -> list[Assertion]:
        """Return the events of a type that are about a thing, in journal order."""
        key = thing, kind
        if key not in self._statements:
            found = self._db.execute(
                "SELECT seq, source, confirms FROM statement WHERE thing = ? AND type = ?"
                " ORDER BY seq",
                key,
            ).fetchall()
            told = {row[0]: Assertion(*row) for row in found}
            told.update({each.seq: each for each in self._unwritten[key]})
            self._statements[key] = list(told.values())
        return self._statements[key]

    def left_minor_before(self, session_id: str, seq: int) -> int:
        """Return what of a session's gross was not refunded just before an event, minor units."""
        self.flush()
        return int(self._one(LEFT, session_id, seq))

    def payouts_since(self, since: datetime) -> list[Payout]:
        """Return the payouts sent at or after an instant, without their lines."""
        self.flush()
        found = self._db.execute(
            f"{row_mapping.PAYOUT.select} WHERE sent_at >= ?", (utc_text(since),)
        )
        return [row_mapping.PAYOUT.read(row) for row in found.fetchall()]

    def transactions_of(self, seq: int) -> tuple[Transaction, ...]:
        """Return what an event booked."""
        if seq >= self._unflushed_from:
            self.flush()
        found = self._db.execute(
            "SELECT id, kind, time, period, session, claim, payout, adjustment"
            ' FROM "transaction" WHERE seq = ? ORDER BY id',
            (seq,),
        ).fetchall()
        return tuple(
            Transaction(
                TransactionKind(kind), from_text(time), period, self._transfers_of(number), *about
            )
            for number, kind, time, period, *about in found
        )

    def _transfers_of(self, transaction: int) -> tuple[Transfer, ...]:
        found = self._db.execute(
            'SELECT debit, credit, amount FROM transfer WHERE "transaction" = ? ORDER BY n',
            (transaction,),
        )
        return tuple(Transfer(Account(dr), Account(cr), minor) for dr, cr, minor in found)

    # --- what the journal writes ------------------------------------------------------------------

    def append(self, table: str, *values: Any) -> None:  # noqa: ANN401
        """Add a row to a table that only ever grows."""
        self._appended[table].append(values)

    def tell(self, thing: str, kind: str, told: Assertion) -> None:
        """Add a statement: that an event of a type is about a thing."""
        self.append("statement", thing, kind, *told)
        known = self._statements.get((thing, kind))
        (self._unwritten[thing, kind] if known is None else known).append(told)

    def booked(self, seq: int, change: Decision) -> Booked:
        """Return the rows, as stored, of what an event books from the next transaction on."""
        transactions: list[tuple[Any, ...]] = []
        transfers: list[tuple[Any, ...]] = []
        for number, entry in enumerate(change.transactions, self.next_transaction):
            about = (entry.session, entry.claim, entry.payout, entry.adjustment)
            time = utc_text(entry.time)
            transactions.append((number, seq, str(entry.kind), time, entry.period, *about))
            transfers += [
                (number, n, str(each.debit), str(each.credit), each.minor, entry.period)
                for n, each in enumerate(entry.transfers, 1)
            ]
        write = row_mapping.SESSION_COUNT.write
        counts = [(seq, n, *write(each)) for n, each in enumerate(change.counts, 1)]
        return transactions, transfers, counts

    def apply(self, seq: int, change: Decision, booked: Booked) -> None:
        """Take over what an event changed and booked, as decided on this very book."""
        if change.policy:
            self._adopt(seq, change.policy)
        if change.alias:
            self._rename(*change.alias)
        if change.reverses:
            self.append("reversal", seq, change.reverses)
            self.reversed_seqs.add(change.reverses)
        if change.forgets:
            self.flush()
            erasure_rows.erase(self._db, change.forgets)
            self._forgotten[change.forgets] = seq
        if change.transactions or change.counts:
            transactions, transfers, counts = booked
            self._appended["session_count"] += counts
            self._appended["transaction"] += transactions
            self._appended["transfer"] += transfers
            for entry in change.transactions:
                self._book(entry)
        for thing in change.things:
            self._put(seq, thing)
        if self._open is not None:
            self._weigh(change.things)
        self.next_seq = seq + 1

    def _rename(self, alias: str, session: str) -> None:
        self.alias(alias)
        self._aliases = {**(self._aliases or {}), alias: session}
        self.append("session_alias", alias, session)

    def check_turnover(self, change: Decision) -> None:
        """Refuse what the books could not add up any more (rulebook 9), with `AmountTooLarge`."""
        if not change.transactions:
            return
        moved = sum([each.minor for entry in change.transactions for each in entry.transfers])
        if self._turnover_minor + moved > LARGEST_MINOR:
            raise AmountTooLarge(
                "the books would hold more than they can add up",
                hint=f"The largest turnover is {LARGEST_MINOR} minor units.",
            )

    def _adopt(self, seq: int, policy: Policy) -> None:
        self._policies[seq] = policy
        self._policy_seq = seq
        document = row_mapping.compact(policy.recorded)
        row = (policy.name, str(policy.currency), policy.period.timezone, document)
        self.append("policy", seq, *row)

    def _book(self, entry: Transaction) -> None:
        number = self.next_transaction
        for each in entry.transfers:
            flow = self._flows.setdefault((entry.period, each.debit, each.credit), [0, 0])
            flow[0] += each.minor
            flow[1] += 1
            self._turnover_minor += each.minor
        self._owed_minor += entry.effect_on(Account.PLATFORM)
        if net_minor := entry.net_minor:
            item = OpenItem(number, entry.time, entry.period, net_minor, session=entry.session)
            self._keep(item)
            if self._open is not None:
                self._open.book(item, refunds=entry.kind is TransactionKind.REFUND)
        self.next_transaction = number + 1

    def _put(self, seq: int, thing: Entity) -> None:
        kind = type(thing)
        if kind in row_mapping.MAPPINGS:
            if isinstance(thing, Payout):
                self._write_lines(self.payout(thing.id), thing)
            if isinstance(thing, Session):
                self._follow(self._kept.get((Session, thing.id)), thing)
            elif (
                isinstance(thing, OpenItem)
                and self._open is not None
                and not self._open.settle(thing)
            ):
                self._open = None
            self._keep(thing)
        elif isinstance(thing, PreferencesChanged):
            self._kept[PreferencesChanged, 0] = thing
            self.append("preferences", seq, row_mapping.compact(split(thing)[0]))
        elif isinstance(thing, Profile):
            self._fill(thing)

    def _write_lines(self, was: Payout | None, payout: Payout) -> None:
        """Write the lines of a payout that was sent, or sent again: then they replace the old."""
        if was is not None and was.lines == payout.lines:
            return
        if was is not None:
            self.flush()
            self._db.execute("DELETE FROM payout_line WHERE payout = ?", (payout.id,))
        for line in payout.lines:
            self.append("payout_line", payout.id, line.item, line.minor)

    def _follow(self, was: Session | None, session: Session) -> None:
        """Keep up what is known of sessions as a whole."""
        if self._agenda is not None:
            if session.state in ("upcoming", "live", "paused"):
                self._agenda[session.id] = session
            else:
                self._agenda.pop(session.id, None)
        if self._open is not None and was is not None and was.earning != session.earning:
            self._open.detach_earning(was.earning)
        if was is not None and was.end is not None and was.end == self._first_end:
            self._knows_first_end = False  # Another may be the first now.
        elif session.gross_minor and session.end is not None:
            self._first_end = min(self._first_end or session.end, session.end)

    def _weigh(self, things: Iterable[Entity]) -> None:
        """Tell the open items of what a claim or a bill does to them, once all of it is known."""
        for thing in things:
            session = self.session(thing.session) if isinstance(thing, Claim) else thing
            if isinstance(session, Session) and self._open is not None:
                undecided = session.claim if session.claim_undecided else None
                self._open.weigh(session, self.claim(undecided) if undecided else None)

    def _fill(self, profile: Profile) -> None:
        if cleared := self.profile.fields - profile.fields:
            self.flush()  # Whatever was filled in is there before it goes.
            names = [(name,) for name in sorted(cleared)]
            self._db.executemany("DELETE FROM profile_field WHERE name = ?", names)
        for name in sorted(profile.fields - self.profile.fields):
            self.append("profile_field", name)
        self._kept[Profile, 0] = profile

    def _keep(self, thing: Any) -> None:  # noqa: ANN401 (anything that has a mapping)
        kind = type(thing)
        key = row_mapping.MAPPINGS[kind].key_of(thing)
        self._kept[kind, key] = thing
        self._dirty[kind][key] = thing

    def flush(self) -> None:
        """Write everything that is pending, parents before children."""
        for table in _APPEND_FIRST:
            self._insert(table)
        flows = [
            (period, str(debit), str(credit), minor, count)
            for (period, debit, credit), (minor, count) in self._flows.items()
        ]
        self._db.executemany(ADD_FLOW, flows)
        self._flows.clear()
        for kind, mapping in row_mapping.MAPPINGS.items():
            if things := self._dirty.pop(kind, None):
                written = [mapping.write(thing) for thing in things.values()]
                self._db.executemany(UPSERT[mapping.table], written)
        for table in list(self._appended):
            self._insert(table)
        self._unflushed_from = self.next_seq

    def flush_and_clear(self) -> None:
        """Flush, and drop what was looked up, so that memory stays flat over a long feed."""
        self.flush()
        self._kept.clear()
        self._statements.clear()
        self._unwritten.clear()
        self._agenda = self._open = None

    def prefetch_statements(self, asked: Iterable[tuple[str, str]]) -> None:
        """Look up the statements of many things, each with a type, at once."""
        wanted = list(asked)
        found = self._db.execute(
            "SELECT told.thing, told.type, told.seq, told.source, told.confirms"
            " FROM json_each(?) AS wanted JOIN statement AS told"
            " ON told.thing = wanted.value ->> 0 AND told.type = wanted.value ->> 1"
            " ORDER BY told.seq",
            (row_mapping.compact(wanted),),
        ).fetchall()
        self._statements = {key: [] for key in wanted}
        for thing, kind, *statement in found:
            self._statements[thing, kind].append(Assertion(*statement))

    def prefetch(self, kind: str, ids: Iterable[str]) -> None:
        """Look up many things of a kind at once; what is not there is remembered as missing."""
        self.alias("")  # Any look-up learns of all of them.
        mapping = _PREFETCHED[kind]
        wanted = [each for each in ids if (mapping.thing, each) not in self._kept]
        if not wanted:
            return
        statement = f"{mapping.select} WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608
        found = self._db.execute(statement, (row_mapping.compact(wanted),)).fetchall()
        self._kept.update({(mapping.thing, each): None for each in wanted})
        read, currency = mapping.read, self.policy.currency
        self._kept.update({(mapping.thing, row[0]): read(row, currency) for row in found})

    # --- small change -----------------------------------------------------------------------------

    def _insert(self, table: str) -> None:
        if values := self._appended.pop(table, None):
            self._db.executemany(INSERT[table], values)

    def _look_up(self, mapping: row_mapping.Mapping[T], key: str | int) -> T | None:
        kept = (mapping.thing, key)
        if kept not in self._kept:
            column = mapping.key[0]
            row = self._row(f'{mapping.select} WHERE "{column}" = ?', key)
            self._kept[kept] = mapping.read(row, self.policy.currency) if row else None
        return self._kept[kept]  # type: ignore[no-any-return]

    def _agenda_by_id(self) -> dict[str, Session]:
        if self._agenda is None:
            self.flush()
            found = self._db.execute(_AGENDA).fetchall()
            read, currency = row_mapping.SESSION.read, self.policy.currency
            self._agenda = {row[0]: read(row, currency) for row in found}
        return self._agenda

    def _row(self, statement: str, *values: Any) -> Any:  # noqa: ANN401
        return self._db.execute(statement, values).fetchone()

    def _one(self, statement: str, *values: Any) -> Any:  # noqa: ANN401
        return self._row(statement, *values)[0]


_PREFETCHED: dict[str, row_mapping.Mapping[Any]] = {
    "customer": row_mapping.CUSTOMER,
    "request": row_mapping.REQUEST,
    "session": row_mapping.SESSION,
    "claim": row_mapping.CLAIM,
    "adjustment": row_mapping.ADJUSTMENT,
}
_APPEND_FIRST = ("event", "event_personal", "transaction", "transfer", "policy")
