"""Unit of work: loads entities on demand, keeps changes in memory, writes them in one batch.

`flush` writes each changed entity once, however often it changed. The caller's database transaction
ensures that no other program changes the entities in the meantime.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from liveportal.domain.accounts import Account, Transaction, TransactionKind, Transfer
from liveportal.domain.clock import from_text, utc_text
from liveportal.domain.entities import (
    Adjustment,
    Claim,
    Customer,
    Item,
    Line,
    OpenItem,
    Payout,
    Profile,
    Request,
    Session,
    SessionState,
)
from liveportal.domain.errors import AmountTooLarge
from liveportal.domain.events.envelope import Event, EventData
from liveportal.domain.events.fields import decode, in_currency, split
from liveportal.domain.events.types import PreferencesChanged
from liveportal.domain.frozen import replace
from liveportal.domain.handlers.context import Assertion, Decision, Entity, RecordedEvent
from liveportal.domain.money import LARGEST_MINOR
from liveportal.domain.policy import Policy
from liveportal.ledger.format import row_mapping
from liveportal.ledger.format.open_items import OpenItems, open_items
from liveportal.ledger.format.serialisation import stored_event
from liveportal.ledger.journal import erasure as erasure_rows
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.tables import add_flow, insert, upsert

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

    A replay sets `former_rules` for events that an earlier version of the rules judged.
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

    # --- lookups for the rules --------------------------------------------------------------------

    @property
    def policy_seq(self) -> int:
        """The `seq` of the event that adopted the policy in force; 0 before the first."""
        return self._policy_seq or 0

    @property
    def policy(self) -> Policy:
        """The policy in force; the default profile until one is adopted."""
        return self._policies.get(self._policy_seq or 0) or self.policy_at(self.policy_seq)

    def is_forgotten(self, data: EventData, seq: int) -> bool:
        """Return True if the customer an event concerns was forgotten after event `seq`."""
        if not self._forgotten:
            return False  # The usual case: confirmations then need no lookup.
        return self._forgotten.get(erasure_rows.customer_of(self, data) or "", 0) > seq

    def policy_at(self, seq: int) -> Policy:
        """Return the policy adopted by event `seq`, or the default policy."""
        if seq not in self._policies:
            row = self._row("SELECT document FROM policy WHERE seq = ?", seq)
            self._policies[seq] = Policy.from_recorded(json.loads(row[0])) if row else Policy()
        return self._policies[seq]

    def customer(self, customer_id: str) -> Customer | None:
        """Return a customer, or None."""
        return self._look_up(row_mapping.CUSTOMER, customer_id)

    def request(self, request_id: str) -> Request | None:
        """Return a request, or None."""
        return self._look_up(row_mapping.REQUEST, request_id)

    def session(self, session_id: str) -> Session | None:
        """Return the session with this id or alias, or None."""
        session = self._look_up(row_mapping.SESSION, session_id)
        if session is None and (real := self.alias(session_id)):
            return self._look_up(row_mapping.SESSION, real)
        return session

    @property
    def nothing_renamed(self) -> bool:
        """True if the aliases are loaded and there are none."""
        return self._aliases is not None and not self._aliases

    def alias(self, alias: str) -> str | None:
        """Return the id of the session with this alias, or None; all aliases are cached."""
        if self._aliases is None:
            rows = self._db.execute("SELECT alias, session FROM session_alias").fetchall()
            self._aliases = dict(rows)
        return self._aliases.get(alias)

    def claim(self, claim_id: str) -> Claim | None:
        """Return a claim, or None."""
        return self._look_up(row_mapping.CLAIM, claim_id)

    def adjustment(self, adjustment_id: str) -> Adjustment | None:
        """Return an adjustment, or None."""
        return self._look_up(row_mapping.ADJUSTMENT, adjustment_id)

    def payout(self, payout_id: str) -> Payout | None:
        """Return a payout with its lines, or None."""
        if (Payout, payout_id) in self._kept:
            return self._kept[Payout, payout_id]  # type: ignore[no-any-return]
        row = self._row(f"{row_mapping.PAYOUT.select} WHERE id = ?", payout_id)
        if row is None:
            return None
        lines = self._db.execute(
            "SELECT item, amount_minor FROM payout_line WHERE payout = ? ORDER BY item",
            (payout_id,),
        )
        header = row_mapping.PAYOUT.read(row)
        payout = replace(header, lines=tuple(Line(item, minor) for item, minor in lines))
        self._kept[Payout, payout_id] = payout
        return payout

    def item(self, transaction: int) -> Item:
        """Return the item of a transaction; raises `KeyError`."""
        item = self._look_up(row_mapping.ITEM, transaction)
        if item is None:
            raise KeyError(transaction)
        return item

    def agenda(self) -> Iterable[Session]:
        """Return the sessions that are upcoming, live or paused: few, so all are cached."""
        return self._agenda_by_id().values()

    def open_items(self) -> list[OpenItem]:
        """Return the items that payouts have not fully settled, by time and transaction."""
        if self._open is None:
            self.flush()
            self._open = OpenItems(open_items(self._db))
        return self._open.in_order()

    def ended_sessions(self) -> Iterable[Session]:
        """Return all ended sessions."""
        self.flush()
        ended = self._db.execute(f"{row_mapping.SESSION.select} WHERE state = 'ended'").fetchall()
        return [row_mapping.SESSION.read(row, self.policy.currency) for row in ended]

    def first_billed_end(self) -> datetime | None:
        """Return the earliest end of a billed session, or None."""
        if not self._knows_first_end:
            self.flush()
            first: str | None = self._one(
                'SELECT min("end") FROM session INDEXED BY session_by_end WHERE gross_minor > 0'
            )
            self._first_end = from_text(first) if first else None
            self._knows_first_end = True
        return self._first_end

    def owed_minor(self) -> int:
        """Return the balance that the platform owes, in minor units."""
        return self._owed_minor

    @property
    def preferences(self) -> PreferencesChanged:
        """The preferences in force; at first, none is set."""
        if (PreferencesChanged, 0) not in self._kept:
            row = self._row("SELECT document FROM preferences ORDER BY seq DESC LIMIT 1")
            stored = decode(PreferencesChanged, json.loads(row[0])) if row else PreferencesChanged()
            self._kept[PreferencesChanged, 0] = in_currency(stored, self.policy.currency)
        return self._kept[PreferencesChanged, 0]  # type: ignore[no-any-return]

    @property
    def profile(self) -> Profile:
        """The fields of the payout profile that are filled in."""
        if (Profile, 0) not in self._kept:
            names = self._db.execute("SELECT name FROM profile_field").fetchall()
            self._kept[Profile, 0] = Profile(frozenset(name for (name,) in names))
        return self._kept[Profile, 0]  # type: ignore[no-any-return]

    def past(self, source: str, event_id: str) -> RecordedEvent | None:
        """Return a recorded event with its transactions, or None."""
        self.flush()
        row = stored_event(self._db, source, event_id)
        if row is None:
            return None
        return self._past(row.seq, row.event)

    def _past(self, seq: int, event: Event) -> RecordedEvent:
        data, thing = event.data, event.data.thing
        if data.THING == "session" and (session := self.session(getattr(data, data.THING))):
            thing = f"session:{session.id}"
        assertions = self.statements(thing, data.TYPE)
        confirms = next((item.confirms for item in assertions if item.seq == seq), None)
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
        return erasure_rows.last_erasures(self._db)

    @cached_property
    def reversed_seqs(self) -> set[int]:
        """The `seq`s of all reversed events; all are cached, as they are few."""
        rows = self._db.execute("SELECT reversed_seq FROM reversal").fetchall()
        return {seq for (seq,) in rows}

    def is_reversed(self, seq: int) -> bool:
        """Return True if the event was reversed."""
        return seq in self.reversed_seqs

    def statements(self, thing: str, kind: str) -> list[Assertion]:
        """Return the assertions of a type about an entity, in journal order."""
        key = thing, kind
        if key not in self._statements:
            rows = self._db.execute(
                "SELECT seq, source, confirms FROM statement WHERE thing = ? AND type = ?"
                " ORDER BY seq",
                key,
            ).fetchall()
            assertions = {row[0]: Assertion(*row) for row in rows}
            assertions.update({assertion.seq: assertion for assertion in self._unwritten[key]})
            self._statements[key] = list(assertions.values())
        return self._statements[key]

    def left_minor_before(self, session_id: str, seq: int) -> int:
        """Return a session's unrefunded gross just before an event, in minor units."""
        self.flush()
        return int(self._one(LEFT, session_id, seq))

    def payouts_since(self, since: datetime) -> list[Payout]:
        """Return the payouts sent at or after an instant, without their lines."""
        self.flush()
        rows = self._db.execute(
            f"{row_mapping.PAYOUT.select} WHERE sent_at >= ?", (utc_text(since),)
        )
        return [row_mapping.PAYOUT.read(row) for row in rows.fetchall()]

    def transactions_of(self, seq: int) -> tuple[Transaction, ...]:
        """Return the transactions that an event booked."""
        if seq >= self._unflushed_from:
            self.flush()
        rows = self._db.execute(
            "SELECT id, kind, time, period, session, claim, payout, adjustment"
            ' FROM "transaction" WHERE seq = ? ORDER BY id',
            (seq,),
        ).fetchall()
        return tuple(
            Transaction(
                TransactionKind(kind), from_text(time), period, self._transfers_of(number), *about
            )
            for number, kind, time, period, *about in rows
        )

    def _transfers_of(self, transaction: int) -> tuple[Transfer, ...]:
        rows = self._db.execute(
            'SELECT debit, credit, amount FROM transfer WHERE "transaction" = ? ORDER BY n',
            (transaction,),
        )
        return tuple(Transfer(Account(dr), Account(cr), minor) for dr, cr, minor in rows)

    # --- writes by the journal --------------------------------------------------------------------

    def append(self, table: str, *values: Any) -> None:  # noqa: ANN401
        """Add a row to an append-only table."""
        self._appended[table].append(values)

    def tell(self, thing: str, kind: str, assertion: Assertion) -> None:
        """Record an assertion: that an event of this type is about an entity."""
        self.append("statement", thing, kind, *assertion)
        known = self._statements.get((thing, kind))
        (self._unwritten[thing, kind] if known is None else known).append(assertion)

    def booked(self, seq: int, decision: Decision) -> Booked:
        """Return the rows to store for a decision, numbered from the next transaction on."""
        transactions: list[tuple[Any, ...]] = []
        transfers: list[tuple[Any, ...]] = []
        for number, entry in enumerate(decision.transactions, self.next_transaction):
            about = (entry.session, entry.claim, entry.payout, entry.adjustment)
            time = utc_text(entry.time)
            transactions.append((number, seq, str(entry.kind), time, entry.period, *about))
            transfers += [
                (number, n, str(move.debit), str(move.credit), move.minor, entry.period)
                for n, move in enumerate(entry.transfers, 1)
            ]
        write = row_mapping.SESSION_COUNT.write
        counts = [(seq, n, *write(count)) for n, count in enumerate(decision.counts, 1)]
        return transactions, transfers, counts

    def apply(self, seq: int, decision: Decision, rows: Booked) -> None:
        """Apply a decision made on this projection, with the rows that `booked` returned for it."""
        if decision.policy:
            self._adopt(seq, decision.policy)
        if decision.alias:
            self._add_alias(*decision.alias)
        if decision.reverses:
            self.append("reversal", seq, decision.reverses)
            self.reversed_seqs.add(decision.reverses)
        if decision.forgets:
            self.flush()
            erasure_rows.erase(self._db, decision.forgets)
            self._forgotten[decision.forgets] = seq
        if decision.transactions or decision.counts:
            transactions, transfers, counts = rows
            self._appended["session_count"] += counts
            self._appended["transaction"] += transactions
            self._appended["transfer"] += transfers
            for entry in decision.transactions:
                self._book(entry)
        for entity in decision.things:
            self._stage_entity(seq, entity)
        if self._open is not None:
            self._update_open_items(decision.things)
        self.next_seq = seq + 1

    def _add_alias(self, alias: str, session: str) -> None:
        self.alias(alias)
        self._aliases = {**(self._aliases or {}), alias: session}
        self.append("session_alias", alias, session)

    def check_turnover(self, decision: Decision) -> None:
        """Raise `AmountTooLarge` if the turnover would exceed the largest amount (rulebook 9)."""
        if not decision.transactions:
            return
        moved_minor = sum(
            [move.minor for entry in decision.transactions for move in entry.transfers]
        )
        if self._turnover_minor + moved_minor > LARGEST_MINOR:
            raise AmountTooLarge(
                "the books would hold more than they can add up",
                hint=f"The largest turnover is {LARGEST_MINOR} minor units.",
            )

    def _adopt(self, seq: int, policy: Policy) -> None:
        self._policies[seq] = policy
        self._policy_seq = seq
        document = row_mapping.to_json(policy.recorded)
        row = (policy.name, str(policy.currency), policy.period.timezone, document)
        self.append("policy", seq, *row)

    def _book(self, entry: Transaction) -> None:
        number = self.next_transaction
        for move in entry.transfers:
            flow = self._flows.setdefault((entry.period, move.debit, move.credit), [0, 0])
            flow[0] += move.minor
            flow[1] += 1
            self._turnover_minor += move.minor
        self._owed_minor += entry.effect_on(Account.PLATFORM)
        if net_minor := entry.net_minor:
            item = Item(number, entry.time, entry.period, net_minor, session=entry.session)
            self._stage(item)
            if self._open is not None:
                self._open.book(item, refunds=entry.kind is TransactionKind.REFUND)
        self.next_transaction = number + 1

    def _stage_entity(self, seq: int, entity: Entity) -> None:
        entity_type = type(entity)
        if entity_type in row_mapping.MAPPINGS:
            if isinstance(entity, Payout):
                self._write_lines(self.payout(entity.id), entity)
            if isinstance(entity, Session):
                self._update_session_caches(self._kept.get((Session, entity.id)), entity)
            elif (
                isinstance(entity, Item)
                and self._open is not None
                and not self._open.settle(entity)
            ):
                self._open = None
            self._stage(entity)
        elif isinstance(entity, PreferencesChanged):
            self._kept[PreferencesChanged, 0] = entity
            self.append("preferences", seq, row_mapping.to_json(split(entity)[0]))
        elif isinstance(entity, Profile):
            self._fill(entity)

    def _write_lines(self, former: Payout | None, payout: Payout) -> None:
        """Write the lines of a payout that was sent; if it was sent again, replace them."""
        if former is not None and former.lines == payout.lines:
            return
        if former is not None:
            self.flush()
            self._db.execute("DELETE FROM payout_line WHERE payout = ?", (payout.id,))
        for line in payout.lines:
            self.append("payout_line", payout.id, line.item, line.minor)

    def _update_session_caches(self, former: Session | None, session: Session) -> None:
        """Update the agenda, the open items and the first billed end for a changed session."""
        if self._agenda is not None:
            if session.state in (SessionState.UPCOMING, SessionState.LIVE, SessionState.PAUSED):
                self._agenda[session.id] = session
            else:
                self._agenda.pop(session.id, None)
        if self._open is not None and former is not None and former.earning != session.earning:
            self._open.detach_earning(former.earning)
        if former is not None and former.end is not None and former.end == self._first_end:
            self._knows_first_end = False  # Another session may be the first now.
        elif session.gross_minor and session.end is not None:
            self._first_end = min(self._first_end or session.end, session.end)

    def _update_open_items(self, entities: Iterable[Entity]) -> None:
        """Update the open items for changed claims and sessions, once all of them are staged."""
        for entity in entities:
            session = self.session(entity.session) if isinstance(entity, Claim) else entity
            if isinstance(session, Session) and self._open is not None:
                undecided = session.claim if session.claim_undecided else None
                self._open.weigh(session, self.claim(undecided) if undecided else None)

    def _fill(self, profile: Profile) -> None:
        if cleared := self.profile.fields - profile.fields:
            self.flush()  # A pending row must be written before it can be deleted.
            names = [(name,) for name in sorted(cleared)]
            self._db.executemany("DELETE FROM profile_field WHERE name = ?", names)
        for name in sorted(profile.fields - self.profile.fields):
            self.append("profile_field", name)
        self._kept[Profile, 0] = profile

    def _stage(self, entity: Any) -> None:  # noqa: ANN401 (any entity that has a mapping)
        entity_type = type(entity)
        key = row_mapping.MAPPINGS[entity_type].key_of(entity)
        self._kept[entity_type, key] = entity
        self._dirty[entity_type][key] = entity

    def flush(self) -> None:
        """Write all pending rows, parents before children."""
        for table in _APPEND_FIRST:
            self._insert(table)
        flows = [
            (period, str(debit), str(credit), minor, count)
            for (period, debit, credit), (minor, count) in self._flows.items()
        ]
        self._db.executemany(add_flow(), flows)
        self._flows.clear()
        for entity_type, mapping in row_mapping.MAPPINGS.items():
            if entities := self._dirty.pop(entity_type, None):
                rows = [mapping.write(entity) for entity in entities.values()]
                self._db.executemany(upsert(mapping.table), rows)
        for table in list(self._appended):
            self._insert(table)
        self._unflushed_from = self.next_seq

    def flush_and_clear(self) -> None:
        """Flush and drop the caches, so that memory use stays constant over a long feed."""
        self.flush()
        self._kept.clear()
        self._statements.clear()
        self._unwritten.clear()
        self._agenda = self._open = None

    def prefetch_statements(self, keys: Iterable[tuple[str, str]]) -> None:
        """Load the assertions for many (entity, event type) pairs in one query."""
        pairs = list(keys)
        rows = self._db.execute(
            "SELECT told.thing, told.type, told.seq, told.source, told.confirms"
            " FROM json_each(?) AS wanted JOIN statement AS told"
            " ON told.thing = wanted.value ->> 0 AND told.type = wanted.value ->> 1"
            " ORDER BY told.seq",
            (row_mapping.to_json(pairs),),
        ).fetchall()
        self._statements = {pair: [] for pair in pairs}
        for thing, kind, *assertion in rows:
            self._statements[thing, kind].append(Assertion(*assertion))

    def prefetch(self, kind: str, ids: Iterable[str]) -> None:
        """Load many entities of a kind in one query; ids without a row are cached as missing."""
        self.alias("")  # Loads all aliases.
        mapping = _PREFETCHED[kind]
        unknown = [entity_id for entity_id in ids if (mapping.thing, entity_id) not in self._kept]
        if not unknown:
            return
        query = f"{mapping.select} WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608
        rows = self._db.execute(query, (row_mapping.to_json(unknown),)).fetchall()
        self._kept.update({(mapping.thing, entity_id): None for entity_id in unknown})
        read, currency = mapping.read, self.policy.currency
        self._kept.update({(mapping.thing, row[0]): read(row, currency) for row in rows})

    # --- helpers ----------------------------------------------------------------------------------

    def _insert(self, table: str) -> None:
        if rows := self._appended.pop(table, None):
            self._db.executemany(insert(table), rows)

    def _look_up(self, mapping: row_mapping.Mapping[T], key: str | int) -> T | None:
        cache_key = (mapping.thing, key)
        if cache_key not in self._kept:
            column = mapping.key[0]
            row = self._row(f'{mapping.select} WHERE "{column}" = ?', key)
            self._kept[cache_key] = mapping.read(row, self.policy.currency) if row else None
        return self._kept[cache_key]  # type: ignore[no-any-return]

    def _agenda_by_id(self) -> dict[str, Session]:
        if self._agenda is None:
            self.flush()
            rows = self._db.execute(_AGENDA).fetchall()
            read, currency = row_mapping.SESSION.read, self.policy.currency
            self._agenda = {row[0]: read(row, currency) for row in rows}
        return self._agenda

    def _row(self, query: str, *values: Any) -> Any:  # noqa: ANN401
        return self._db.execute(query, values).fetchone()

    def _one(self, query: str, *values: Any) -> Any:  # noqa: ANN401
        return self._row(query, *values)[0]


_PREFETCHED: dict[str, row_mapping.Mapping[Any]] = {
    "customer": row_mapping.CUSTOMER,
    "request": row_mapping.REQUEST,
    "session": row_mapping.SESSION,
    "claim": row_mapping.CLAIM,
    "adjustment": row_mapping.ADJUSTMENT,
}
_APPEND_FIRST = ("event", "event_personal", "transaction", "transfer", "policy")
