"""The projection of the journal: what the rules see, and what their decisions change.

It is a `RuleContext` over a unit of work, whose entities and rows follow from the events alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from liveportal.domain.accounts import Transaction, TransactionKind
from liveportal.domain.clock import utc_text
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
)
from liveportal.domain.events.envelope import STATEMENT_PREFIX, Event, EventData, is_statement
from liveportal.domain.events.types import PayoutSent, PreferencesChanged
from liveportal.domain.frozen import replace
from liveportal.domain.handlers.context import Assertion, Decision, Entity, RecordedEvent
from liveportal.domain.policy import Policy
from liveportal.ledger.format import row_mapping
from liveportal.ledger.journal import erasure as erasure_rows
from liveportal.ledger.journal.aliases import Aliases
from liveportal.ledger.journal.assertions import Assertions
from liveportal.ledger.journal.event_log import EventLog
from liveportal.ledger.journal.month_flows import MonthFlows
from liveportal.ledger.journal.open_items import OpenItems
from liveportal.ledger.journal.references import referenced_ids
from liveportal.ledger.journal.session_caches import Agenda, FirstBilledEnd
from liveportal.ledger.journal.settings import Settings
from liveportal.ledger.journal.unit_of_work import UnitOfWork
from liveportal.ledger.storage.driver import Connection

T = TypeVar("T")
BookedRows = tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], list[tuple[Any, ...]]]
"""Rows of `transaction`, `transfer` and `session_count`, as stored."""
NO_ROWS: BookedRows = ([], [], [])

_LAST = """
    SELECT (SELECT coalesce(max(id), 0) FROM "transaction"), (SELECT max(seq) FROM policy)
"""
_LEFT = """
    SELECT coalesce(sum(amount * (
        (credit IN ('income:sessions', 'income:refunds'))
        - (debit IN ('income:sessions', 'income:refunds'))
    )), 0)
    FROM "transaction" AS entry JOIN transfer ON transfer."transaction" = entry.id
    WHERE entry.session = ? AND entry.seq < ?
"""


_IN_STATEMENTS = """
    SELECT DISTINCT substr(thing, 8) FROM statement
    WHERE thing >= 'payout:' AND thing < 'payout;' AND type = 'payout.sent' AND source GLOB ?
"""


class Projection:
    """A `RuleContext` over a connection that is inside a write transaction.

    A replay sets `former_rules` for events that an earlier version of the rules judged.
    """

    former_rules = False

    def __init__(self, db: Connection, log: EventLog) -> None:
        self._db = db
        self._log = log
        self._unit = UnitOfWork(db, log)
        self._assertions = Assertions(self._unit)
        self._aliases = Aliases(self._unit, "session")
        self._payout_aliases = Aliases(self._unit, "payout")
        self._settings = Settings(self._unit)
        self._flows = MonthFlows(db)
        self._agenda = Agenda()
        self._open_items = OpenItems()
        self._first_end = FirstBilledEnd()
        self._in_statements: set[str] | None = None
        self._policies: dict[int, Policy] = {}
        self.next_transaction: int
        self._policy_seq: int | None
        last_transaction, self._policy_seq = self._unit.row(_LAST)
        self.next_transaction = last_transaction + 1

    # --- lookups for the rules --------------------------------------------------------------------

    @property
    def next_seq(self) -> int:
        """The position that the next event will have in the log."""
        return self._log.next_seq

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
            row = self._unit.row("SELECT document FROM policy WHERE seq = ?", seq)
            self._policies[seq] = Policy.from_recorded(json.loads(row[0])) if row else Policy()
        return self._policies[seq]

    def customer(self, customer_id: str) -> Customer | None:
        """Return a customer, or None."""
        return self._find(row_mapping.CUSTOMER, customer_id)

    def request(self, request_id: str) -> Request | None:
        """Return a request, or None."""
        return self._find(row_mapping.REQUEST, request_id)

    def session(self, session_id: str) -> Session | None:
        """Return the session with this id or alias, or None."""
        session = self._find(row_mapping.SESSION, session_id)
        if session is None and (real := self._aliases.load().get(session_id)):
            return self._find(row_mapping.SESSION, real)
        return session

    @property
    def nothing_renamed(self) -> bool:
        """True if the aliases are loaded and there are none."""
        return self._aliases.is_empty

    def claim(self, claim_id: str) -> Claim | None:
        """Return a claim, or None."""
        return self._find(row_mapping.CLAIM, claim_id)

    def adjustment(self, adjustment_id: str) -> Adjustment | None:
        """Return an adjustment, or None."""
        return self._find(row_mapping.ADJUSTMENT, adjustment_id)

    def payout(self, payout_id: str) -> Payout | None:
        """Return the payout with this id or alias, with its lines, or None."""
        payout_id = self._payout_aliases.load().get(payout_id, payout_id)
        if kept := self._unit.kept(Payout, payout_id):
            return kept
        row = self._unit.row(f"{row_mapping.PAYOUT.select} WHERE id = ?", payout_id)
        if row is None:
            return None
        lines = self._db.execute(
            "SELECT item, amount_minor FROM payout_line WHERE payout = ? ORDER BY item",
            (payout_id,),
        )
        header = row_mapping.PAYOUT.read(row)
        payout = replace(header, lines=tuple(Line(item, minor) for item, minor in lines))
        self._unit.keep(payout, payout_id)
        return payout

    def item(self, transaction: int) -> Item:
        """Return the item of a transaction; raises `KeyError`."""
        item = self._find(row_mapping.ITEM, transaction)
        if item is None:
            raise KeyError(transaction)
        return item

    def agenda(self) -> Iterable[Session]:
        """Return the sessions that are upcoming, live or paused."""
        if not self._agenda.is_loaded:
            self.flush()
            self._agenda.load(self._db, self.policy.currency)
        return self._agenda.sessions

    def open_items(self) -> list[OpenItem]:
        """Return the items that payouts have not fully settled, by time and transaction."""
        if not self._open_items.is_loaded:
            self.flush()
            self._open_items.load(self._db)
        return self._open_items.in_order()

    def ended_sessions(self) -> Iterable[Session]:
        """Return all ended sessions."""
        self.flush()
        ended = self._db.execute(f"{row_mapping.SESSION.select} WHERE state = 'ended'").fetchall()
        return [row_mapping.SESSION.read(row, self.policy.currency) for row in ended]

    def first_billed_end(self) -> datetime | None:
        """Return the earliest end of a billed session, or None."""
        if not self._first_end.is_loaded:
            self.flush()
            self._first_end.load(self._db)
        return self._first_end.value

    def owed_minor(self) -> int:
        """Return the balance that the platform owes, in minor units."""
        return self._flows.owed_minor

    @property
    def preferences(self) -> PreferencesChanged:
        """The preferences in force; at first, none is set."""
        return self._settings.preferences(self.policy.currency)

    @property
    def profile(self) -> Profile:
        """The fields of the payout profile that are filled in."""
        return self._settings.profile

    def recorded_event(self, source: str, event_id: str) -> RecordedEvent | None:
        """Return a recorded event with its transactions, or None."""
        stored = self._log.find(source, event_id)
        if stored is None:
            return None
        data, entity = stored.event.data, stored.event.data.entity
        if data.ENTITY == "session" and (session := self.session(getattr(data, data.ENTITY))):
            entity = f"session:{session.id}"
        elif data.ENTITY == "payout" and (payout := self.payout(getattr(data, data.ENTITY))):
            entity = f"payout:{payout.id}"
        assertions = self.assertions(entity, data.TYPE)
        confirms = next((item.confirms for item in assertions if item.seq == stored.seq), None)
        fact = stored.seq if confirms is None or self.former_rules else confirms
        return RecordedEvent(
            stored.seq,
            stored.event,
            self.transactions_of(stored.seq),
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

    def assertions(self, entity: str, kind: str) -> list[Assertion]:
        """Return the assertions of a type about an entity, in journal order."""
        return self._assertions.of(entity, kind)

    def left_minor_before(self, session_id: str, seq: int) -> int:
        """Return a session's unrefunded gross just before an event, in minor units."""
        self.flush()
        return int(self._unit.row(_LEFT, session_id, seq)[0])

    def payouts_since(self, since: datetime) -> list[Payout]:
        """Return the payouts sent at or after an instant, without their lines."""
        self.flush()
        rows = self._db.execute(
            f"{row_mapping.PAYOUT.select} WHERE sent_at >= ?", (utc_text(since),)
        )
        return [row_mapping.PAYOUT.read(row) for row in rows.fetchall()]

    def statement_payouts(self) -> list[Payout]:
        """Return the payouts that a statement of a bank or payment service reported as sent."""
        if self._in_statements is None:
            self.flush()
            rows = self._db.execute(_IN_STATEMENTS, (f"{STATEMENT_PREFIX}*",)).fetchall()
            self._in_statements = {name for (name,) in rows}
        found = (self.payout(name) for name in sorted(self._in_statements))
        return [payout for payout in found if payout is not None]

    def transactions_of(self, seq: int) -> tuple[Transaction, ...]:
        """Return the transactions that an event booked."""
        from liveportal.ledger.format.journal_entries import booked_by  # Few writes need it.

        unwritten = self._unit.pending("transaction")
        if unwritten and seq >= unwritten[0][1]:
            self.flush()
        return booked_by(self._db, seq)

    # --- writes by the journal --------------------------------------------------------------------

    def add_assertion(self, entity: str, kind: str, assertion: Assertion) -> None:
        """Add an assertion: that an event of this type is about an entity."""
        ids = self._in_statements
        if ids is not None and kind == PayoutSent.TYPE and is_statement(assertion.source):
            ids.add(entity.partition(":")[2])
        self._assertions.add(entity, kind, assertion)

    def check_turnover(self, decision: Decision) -> None:
        """Raise `AmountTooLarge` if the turnover would exceed the largest amount (rulebook 9)."""
        self._flows.check_turnover(decision.transactions)

    def apply(self, seq: int, decision: Decision, rows: BookedRows) -> None:
        """Apply a decision made on this projection, with the rows that event `seq` books."""
        if decision.policy:
            self._adopt(seq, decision.policy)
        if decision.alias:
            self._aliases.add(*decision.alias)
        if decision.payout_alias:
            self._payout_aliases.add(*decision.payout_alias)
        if decision.reverses:
            self._unit.append("reversal", (seq, decision.reverses))
            self.reversed_seqs.add(decision.reverses)
        if decision.forgets:
            self.flush()
            erasure_rows.erase(self._db, decision.forgets)
            self._forgotten[decision.forgets] = seq
        if decision.transactions or decision.counts:
            transactions, transfers, counts = rows
            self._unit.append("session_count", *counts)
            self._unit.append("transaction", *transactions)
            self._unit.append("transfer", *transfers)
            for transaction in decision.transactions:
                self._book(transaction)
        for entity in decision.entities:
            self._stage_entity(seq, entity)
        if self._open_items.is_loaded:
            self._update_open_items(decision.entities)

    def _adopt(self, seq: int, policy: Policy) -> None:
        self._policies[seq] = policy
        self._policy_seq = seq
        document = row_mapping.to_json(policy.recorded)
        row = (seq, policy.name, str(policy.currency), policy.period.timezone, document)
        self._unit.append("policy", row)

    def _book(self, transaction: Transaction) -> None:
        number = self.next_transaction
        self._flows.add(transaction)
        if net_minor := transaction.net_minor:
            booked = (number, transaction.time, transaction.period, net_minor)
            item = Item(*booked, session=transaction.session)
            self._unit.stage(item)
            self._open_items.book(item, refunds=transaction.kind is TransactionKind.REFUND)
        self.next_transaction = number + 1

    def _stage_entity(self, seq: int, entity: Entity) -> None:
        if type(entity) in row_mapping.MAPPINGS:
            if isinstance(entity, Payout):
                self._write_lines(self.payout(entity.id), entity)
            elif isinstance(entity, Session):
                self._update_session_caches(self._unit.kept(Session, entity.id), entity)
            elif isinstance(entity, Item):
                self._open_items.apply_settlement(entity)
            self._unit.stage(entity)
        elif isinstance(entity, PreferencesChanged):
            self._settings.set_preferences(seq, entity)
        elif isinstance(entity, Profile):
            self._settings.set_profile_fields(entity)

    def _write_lines(self, former: Payout | None, payout: Payout) -> None:
        """Write the lines of a payout that was sent; if it was sent again, replace them."""
        if former is not None and former.lines == payout.lines:
            return
        if former is not None:
            self.flush()
            self._db.execute("DELETE FROM payout_line WHERE payout = ?", (payout.id,))
        lines = [(payout.id, line.item, line.minor) for line in payout.lines]
        self._unit.append("payout_line", *lines)

    def _update_session_caches(self, former: Session | None, session: Session) -> None:
        """Update the agenda, the open items and the first billed end for a changed session."""
        self._agenda.update(session)
        if former is not None and former.earning != session.earning:
            self._open_items.detach_earning(former.earning)
        self._first_end.update(former, session)

    def _update_open_items(self, entities: Iterable[Entity]) -> None:
        """Update the open items for changed claims and sessions, once all of them are staged."""
        for entity in entities:
            session = self.session(entity.session) if isinstance(entity, Claim) else entity
            if isinstance(session, Session):
                undecided = session.claim if session.claim_undecided else None
                claim = self.claim(undecided) if undecided else None
                self._open_items.update_open_item(session, claim)

    def flush(self) -> None:
        """Write all that is pending, with the events."""
        self._unit.flush()
        self._flows.flush()

    def clear(self) -> None:
        """Drop the caches, once all pending rows are written."""
        self._unit.clear()
        self._assertions.clear()
        self._agenda.clear()
        self._open_items.clear()

    def prefetch(self, events: Sequence[Event]) -> None:
        """Bulk-load what these events will need, while nothing is pending."""
        self._assertions.prefetch({(event.data.entity, event.data.TYPE) for event in events})
        self._aliases.load()
        for kind, entity_ids in referenced_ids(events).items():
            self._unit.prefetch(_PREFETCHED[kind], entity_ids, self.policy.currency)
        # Loading these later would flush first.
        self.agenda()
        if any(type(event.data) is PayoutSent for event in events):
            self.open_items()
            self.first_billed_end()
            self.statement_payouts()

    def _find(self, mapping: row_mapping.Mapping[T], key: str | int) -> T | None:
        return self._unit.find(mapping, key, self.policy.currency)


_PREFETCHED: dict[str, row_mapping.Mapping[Any]] = {
    "customer": row_mapping.CUSTOMER,
    "request": row_mapping.REQUEST,
    "session": row_mapping.SESSION,
    "claim": row_mapping.CLAIM,
    "adjustment": row_mapping.ADJUSTMENT,
}
