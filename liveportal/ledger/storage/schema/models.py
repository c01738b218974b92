"""The tables of a ledger as Python classes, for whoever reads one with SQLModel or SQLAlchemy.

Reading through them is fine (`session.exec(select(SessionRow))`); writing is the door's alone: a
row that is added here passes no rule, is in no journal and unbalances the books. What the columns
hold is said in `migrations/0001_first.sql`: the numbered SQL makes a ledger, these classes mirror
its columns, keys and constraints (not its indexes and triggers), and a test compares the two.

The statements that the door executes are compiled from these tables, into a module that imports
nothing. After a change, write what `python -m liveportal.ledger.storage.schema.models` prints into
`sql.py` beside this file.
"""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, MetaData, Text, UniqueConstraint
from sqlalchemy.dialects.sqlite import dialect, insert
from sqlmodel import Field, SQLModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Table
    from sqlalchemy.dialects.sqlite import Insert
    from sqlalchemy.schema import SchemaItem


def _text(*constraints: SchemaItem, key: bool = False) -> Any:  # noqa: ANN401 (as Field does)
    # Without a type of its own it would be VARCHAR, which a STRICT table refuses.
    return Field(sa_type=Text, primary_key=key, sa_column_args=constraints)


def _integer(*constraints: SchemaItem, key: bool = False) -> Any:  # noqa: ANN401 (as Field does)
    return Field(primary_key=key, sa_column_args=constraints)


class LedgerRow(SQLModel):
    """A row of a ledger. Its tables are a `metadata` of their own, apart from the reader's own."""

    metadata = MetaData(naming_convention={"pk": "%(table_name)s_pk"})


class EventRow(LedgerRow, table=True):
    """An event of the journal, chained to the one before it by its hash."""

    __tablename__ = "event"
    __table_args__ = (UniqueConstraint("source", "id", name="event_named_once"),)

    seq: int = _integer(CheckConstraint("seq >= 1", name="event_seq_from_1"), key=True)
    source: str = _text()
    id: str = _text()
    type: str = _text()
    time: str = _text()
    recorded_at: str = _text()
    facts: str = _text()
    personal_digest: bytes
    effects_digest: bytes
    prev_hash: bytes
    hash: bytes


class EventPersonalRow(LedgerRow, table=True):
    """The personal part of an event, which can be erased."""

    __tablename__ = "event_personal"

    seq: int = _integer(ForeignKey("event.seq", name="event_personal_event"), key=True)
    salt: bytes
    body: str = _text()


class StatementRow(LedgerRow, table=True):
    """What an event says of a thing; `confirms` is the event that said it first."""

    __tablename__ = "statement"

    thing: str = _text(key=True)
    type: str = _text(key=True)
    seq: int = _integer(ForeignKey("event.seq", name="statement_event"), key=True)
    source: str = _text()
    confirms: int | None = _integer(ForeignKey("event.seq", name="statement_confirms"))


class ReversalRow(LedgerRow, table=True):
    """An event that takes another back."""

    __tablename__ = "reversal"
    __table_args__ = (UniqueConstraint("reversed_seq", name="reversed_once"),)

    seq: int = _integer(ForeignKey("event.seq", name="reversal_event"), key=True)
    reversed_seq: int = _integer(ForeignKey("event.seq", name="reversal_reversed"))


class TransactionRow(LedgerRow, table=True):
    """What an event means in money: the head of its transfers."""

    __tablename__ = "transaction"

    id: int = _integer(key=True)
    seq: int = _integer(ForeignKey("event.seq", name="transaction_event"))
    kind: str = _text()
    time: str = _text()
    period: str = _text()
    session: str | None = _text()
    claim: str | None = _text()
    payout: str | None = _text()
    adjustment: str | None = _text()


class TransferRow(LedgerRow, table=True):
    """A positive amount from the credited account to the debited one."""

    __tablename__ = "transfer"
    __table_args__ = (CheckConstraint("debit <> credit", name="transfer_between_two"),)

    transaction: int = _integer(ForeignKey("transaction.id", name="transfer_transaction"), key=True)
    n: int = _integer(key=True)
    debit: str = _text()
    credit: str = _text()
    amount: int = _integer(CheckConstraint("amount > 0", name="transfer_moves_something"))
    period: str = _text()


class SessionCountRow(LedgerRow, table=True):
    """What a bill, its reversal or its correction adds to the counts of a month."""

    __tablename__ = "session_count"

    seq: int = _integer(ForeignKey("event.seq", name="session_count_event"), key=True)
    n: int = _integer(key=True)
    session: str = _text(ForeignKey("session.id", name="session_count_session"))
    kind: str = _text()
    time: str = _text()
    period: str = _text()
    start: str = _text()
    end: str = _text()
    billed_us: int
    sessions: int
    free_sessions: int
    transaction: int | None = _integer(
        ForeignKey("transaction.id", name="session_count_transaction")
    )


class MonthFlowRow(LedgerRow, table=True):
    """The sum of a month's transfers between two accounts."""

    __tablename__ = "month_flow"

    period: str = _text(key=True)
    debit: str = _text(key=True)
    credit: str = _text(key=True)
    amount: int
    count: int


class PolicyRow(LedgerRow, table=True):
    """A policy, by the event that adopted it."""

    __tablename__ = "policy"

    seq: int = _integer(ForeignKey("event.seq", name="policy_event"), key=True)
    name: str = _text()
    currency: str = _text()
    timezone: str = _text()
    document: str = _text()


class FormerRulesRow(LedgerRow, table=True):
    """Up to which event an earlier edition of the rules judged."""

    __tablename__ = "former_rules"

    edition: int = _integer(key=True)
    until_seq: int


class CustomerRow(LedgerRow, table=True):
    """A customer, whose name is in the personal part of the event that described them last."""

    __tablename__ = "customer"

    id: str = _text(key=True)
    described_seq: int = _integer(ForeignKey("event.seq", name="customer_event"))


class RequestRow(LedgerRow, table=True):
    """A request for help as it stands."""

    __tablename__ = "request"
    __table_args__ = (
        CheckConstraint(
            "state IN ('open', 'accepted', 'declined', 'withdrawn', 'taken', 'expired')",
            name="request_state",
        ),
    )

    id: str = _text(key=True)
    kind: str = _text()
    direct: int
    customer: str = _text(ForeignKey("customer.id", name="request_customer"))
    rate: int
    currency: str = _text()
    state: str = _text()
    opened_at: str = _text()
    opened_seq: int = _integer(ForeignKey("event.seq", name="request_event"))
    slots: str = _text()
    expires: str | None = _text()
    session: str | None = _text()
    closed_at: str | None = _text()
    flags: str = _text()


class SessionRow(LedgerRow, table=True):
    """A session as it stands, with what it billed."""

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint(
            "state IN ('upcoming', 'live', 'paused', 'ended', 'cancelled', 'missed')",
            name="session_state",
        ),
    )

    id: str = _text(key=True)
    customer: str = _text(ForeignKey("customer.id", name="session_customer"))
    state: str = _text()
    rate: int
    currency: str = _text()
    policy: int = _integer(ForeignKey("policy.seq", name="session_policy"))
    agreed_seq: int = _integer(ForeignKey("event.seq", name="session_event"))
    last_time: str = _text()
    request: str | None = _text(ForeignKey("request.id", name="session_request"))
    planned_start: str | None = _text()
    planned_minutes: int | None
    start: str | None = _text()
    end: str | None = _text()
    paused_since: str | None = _text()
    pauses: str = _text()
    active_us: int
    billed_us: int
    gross_minor: int
    fee_minor: int
    expected_minor: int
    refunded_minor: int
    earning: int | None = _integer(ForeignKey("transaction.id", name="session_earning"))
    claim: str | None = _text()
    claim_undecided: int
    period: str | None = _text()
    flags: str = _text()
    billed_minor: int | None


class SessionAliasRow(LedgerRow, table=True):
    """Another name that the platform uses for a session."""

    __tablename__ = "session_alias"

    alias: str = _text(key=True)
    session: str = _text(ForeignKey("session.id", name="session_alias_session"))


class ClaimRow(LedgerRow, table=True):
    """A claim to a refund as it stands."""

    __tablename__ = "claim"
    __table_args__ = (
        CheckConstraint(
            "state IN ('open', 'disputed', 'conceded', 'granted', 'rejected', 'denied',"
            " 'withdrawn', 'accepted')",
            name="claim_state",
        ),
    )

    id: str = _text(key=True)
    session: str = _text(ForeignKey("session.id", name="claim_session"))
    state: str = _text()
    amount_minor: int
    hold_minor: int
    claimed_at: str = _text()
    period: str = _text()
    late: int
    disputed_at: str | None = _text()
    decided_at: str | None = _text()
    cost_minor: int


class DisputeRow(LedgerRow, table=True):
    """A dispute that was filed against a claim, by its event."""

    __tablename__ = "dispute"

    seq: int = _integer(ForeignKey("event.seq", name="dispute_event"), key=True)
    claim: str = _text(ForeignKey("claim.id", name="dispute_claim"))
    filed_at: str = _text()
    period: str = _text()


class AdjustmentRow(LedgerRow, table=True):
    """An adjustment of the earnings that no session explains."""

    __tablename__ = "adjustment"

    id: str = _text(key=True)
    amount_minor: int
    time: str = _text()
    seq: int = _integer(ForeignKey("event.seq", name="adjustment_event"))


class ArtifactRow(LedgerRow, table=True):
    """A file that belongs to a session, by its SHA-256."""

    __tablename__ = "artifact"

    seq: int = _integer(ForeignKey("event.seq", name="artifact_event"), key=True)
    session: str = _text(ForeignKey("session.id", name="artifact_session"))
    kind: str = _text()
    sha256: str = _text()
    bytes: int
    media_type: str | None = _text()


class MessageRow(LedgerRow, table=True):
    """What somebody said in a session, as a transcript has it; erased with the person."""

    __tablename__ = "message"
    __table_args__ = (UniqueConstraint("artifact", "n", name="message_once"),)

    id: int = _integer(key=True)
    artifact: int = _integer(ForeignKey("artifact.seq", name="message_artifact"))
    n: int
    offset_ms: int | None
    speaker: str | None = _text()
    text: str = _text()


class TranscriptRow(LedgerRow, table=True):
    """By which version of the readers a transcript's messages were read; none: by the first."""

    __tablename__ = "transcript"

    artifact: int = _integer(ForeignKey("artifact.seq", name="transcript_artifact"), key=True)
    reader: int


class ReviewRow(LedgerRow, table=True):
    """What one side of a session thought of it."""

    __tablename__ = "review"

    session: str = _text(ForeignKey("session.id", name="review_session"), key=True)
    by: str = _text(key=True)
    rating: int
    time: str = _text()
    seq: int = _integer(ForeignKey("event.seq", name="review_event"))


class ItemRow(LedgerRow, table=True):
    """A transaction that changed what was earned, and how much of it payouts have settled."""

    __tablename__ = "item"

    transaction: int = _integer(ForeignKey("transaction.id", name="item_transaction"), key=True)
    time: str = _text()
    period: str = _text()
    face_minor: int
    settled_minor: int
    session: str | None = _text()


class PayoutRow(LedgerRow, table=True):
    """A payout as it stands."""

    __tablename__ = "payout"
    __table_args__ = (
        CheckConstraint(
            "state IN ('sent', 'paid', 'failed', 'returned', 'reversed')", name="payout_state"
        ),
    )

    id: str = _text(key=True)
    amount_minor: int
    method: str = _text()
    state: str = _text()
    sent_at: str = _text()
    reference: str | None = _text()
    flags: str = _text()


class PayoutLineRow(LedgerRow, table=True):
    """How much of an item a payout settles."""

    __tablename__ = "payout_line"

    payout: str = _text(ForeignKey("payout.id", name="payout_line_payout"), key=True)
    item: int = _integer(ForeignKey("item.transaction", name="payout_line_item"), key=True)
    amount_minor: int


class PreferencesRow(LedgerRow, table=True):
    """The preferences, by the event that changed them."""

    __tablename__ = "preferences"

    seq: int = _integer(ForeignKey("event.seq", name="preferences_event"), key=True)
    document: str = _text()


class ProfileFieldRow(LedgerRow, table=True):
    """A field of the payout profile that is filled in."""

    __tablename__ = "profile_field"

    name: str = _text(key=True)


class SealedValueRow(LedgerRow, table=True):
    """A value of the payout profile, encrypted, by the event that set it."""

    __tablename__ = "sealed_value"

    field: str = _text(key=True)
    seq: int = _integer(ForeignKey("event.seq", name="sealed_value_event"))
    key_id: str = _text()
    nonce: bytes
    body: bytes


class ProfileFactRow(LedgerRow, table=True):
    """A value of the payout profile that is no secret, by the event that set it."""

    __tablename__ = "profile_fact"

    field: str = _text(key=True)
    seq: int = _integer(ForeignKey("event.seq", name="profile_fact_event"))
    value: str = _text()


class FingerprintKeyRow(LedgerRow, table=True):
    """What made fingerprints in the journal, sealed under the book's key of today."""

    __tablename__ = "fingerprint_key"

    key_id: str = _text(key=True)
    sealed_by: str = _text()
    nonce: bytes
    body: bytes


class MissingValueRow(LedgerRow, table=True):
    """A value of the payout profile that an import could not bring, by the event that set it."""

    __tablename__ = "missing_value"

    field: str = _text(key=True)
    seq: int = _integer(ForeignKey("event.seq", name="missing_value_event"))


class MissingFileRow(LedgerRow, table=True):
    """A file that an import could not bring, by the artifact that it belongs to."""

    __tablename__ = "missing_file"

    artifact: int = _integer(ForeignKey("artifact.seq", name="missing_file_artifact"), key=True)


# The things as they stand. Rows of the other tables are not replaced once they are written.
_UPSERTED = (
    *("customer", "request", "session", "claim", "dispute", "adjustment", "artifact", "review"),
    *("item", "payout"),
)
_WIDTH = 100
_HEAD = '''\
"""The statements that write a ledger; their parameters are the columns of the table in order.

Generated by `python -m liveportal.ledger.storage.schema.models`: change the tables, not this. It
imports nothing, so that a write need not wait for SQLModel.
"""
'''


def statements_module() -> str:
    """Return the text of `liveportal/ledger/storage/schema/sql.py`."""
    tables = LedgerRow.metadata.tables
    name = "ADD_FLOW: str = "
    add_flow = _literal(_sql(_add_flow(tables["month_flow"])), len(name), "")
    return "\n".join(
        (
            _HEAD,
            _dict("INSERT", {table: _sql(insert(tables[table])) for table in tables}),
            _dict("UPSERT", {table: _sql(_upsert(tables[table])) for table in _UPSERTED}),
            f"{name}{add_flow}\n",
        )
    )


def _upsert(table: Table) -> Insert:
    statement = insert(table)
    values = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if not column.primary_key
    }
    return statement.on_conflict_do_update(index_elements=table.primary_key, set_=values)


def _add_flow(table: Table) -> Insert:
    statement = insert(table)
    sums = {name: table.c[name] + statement.excluded[name] for name in ("amount", "count")}
    return statement.on_conflict_do_update(index_elements=table.primary_key, set_=sums)


def _sql(statement: Insert) -> str:
    return str(statement.compile(dialect=dialect(paramstyle="qmark")))


def _dict(name: str, statements: Mapping[str, str]) -> str:
    lines = (
        f'    "{table}": {_literal(sql, len(table) + 8, "    ")},\n'
        for table, sql in statements.items()
    )
    return f"{name}: dict[str, str] = {{\n{''.join(lines)}}}\n"


def _literal(sql: str, column: int, indent: str) -> str:
    # Laid out as the formatter would, so that it leaves the module as it was generated.
    if column + len(_quoted(sql)) + len(",") <= _WIDTH:
        return _quoted(sql)
    wrapper = textwrap.TextWrapper(
        _WIDTH - len(indent) - 6, drop_whitespace=False, break_long_words=False
    )
    lines = (f"{indent}    {_quoted(line)}\n" for line in wrapper.wrap(sql))
    return f"(\n{''.join(lines)}{indent})"


def _quoted(text: str) -> str:
    return f"'{text}'" if '"' in text else f'"{text}"'


if __name__ == "__main__":
    sys.stdout.write(statements_module())
