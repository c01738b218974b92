"""The provenance of amounts: months, sessions and payouts as trees over their transactions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from liveportal.domain.calculations.billing_steps import BillingStep, gross_steps
from liveportal.domain.calculations.provenance import (
    PLACES,
    LedgerEntry,
    Move,
    Node,
    earned,
    owed,
    paid,
    whereabouts,
)
from liveportal.domain.money import Money
from liveportal.domain.row import Row, row
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.format.row_mapping import SESSION, to_json
from liveportal.ledger.queries.reader import Reader


@row
class StepRow(Row):
    """A step from a session's time to its amount."""

    what: str
    comes_to: str
    rule: str | None
    seq: int | None


@row
class NodeRow(Row):
    """An amount, with the steps and the parts that it comes from."""

    IS_CELL = True

    what: str
    amount: Money
    currency: str
    rule: str | None
    seq: int | None
    steps: list[StepRow]
    parts: list[NodeRow]


@row
class ExplainedMonth(Row):
    """The earnings of a month, and the owed balance at its end."""

    month: str
    net: NodeRow
    owed: NodeRow


@row
class ExplainedSession(Row):
    """The earnings of a session, and where that money is."""

    session: str
    net: NodeRow
    where: NodeRow


@row
class ExplainedPayout(Row):
    """The lines of a payout."""

    payout: str
    lines: NodeRow


_ENTRIES = """
    SELECT record.id, record.seq, record.kind, record.gross, record.fee, record.net, record.owed,
           record.session, record.claim, record.payout, record.adjustment,
           opened.body AS opened_body, adjusted.body AS adjusted_body,
           record.kind IN ('earning', 'correction') AND record.id IS NOT session.earning
               AS superseded
    FROM transaction_record AS record
    LEFT JOIN session ON session.id = record.session
    LEFT JOIN request ON request.id = session.request
    LEFT JOIN event_personal AS opened
        ON opened.seq = coalesce(request.opened_seq, session.agreed_seq)
    LEFT JOIN adjustment ON adjustment.id = record.adjustment
    LEFT JOIN event_personal AS adjusted ON adjusted.seq = adjustment.seq
"""
_BEFORE = """
    SELECT coalesce(sum(owed), 0) AS owed, max(period) AS last FROM month_money WHERE period < ?
"""
_LEGS = """
    SELECT entry.id, entry.seq, entry.kind, entry.session, entry.claim, entry.payout,
           debit, credit, amount
    FROM "transaction" AS entry JOIN transfer ON transfer."transaction" = entry.id
"""
# There are few payouts and many lines: lines are looked up by their payout.
_PAID = """
    SELECT payout_line.payout, sum(payout_line.amount_minor) AS minor
    FROM payout CROSS JOIN "transaction" AS entry ON entry.session = ?
    JOIN payout_line ON payout_line.payout = payout.id AND payout_line.item = entry.id
    GROUP BY payout_line.payout ORDER BY payout.sent_at, payout.id
"""
# A step of a payout moves the money from one place to another: a transfer fee was paid out, too.
_STEPS_OF_PAYOUT = """
    SELECT DISTINCT entry.id, entry.seq, entry.kind, entry.session, entry.claim, entry.payout,
           replace(debit, 'expenses:transfer-fee', 'assets:bank') AS debit,
           replace(credit, 'expenses:transfer-fee', 'assets:bank') AS credit
    FROM "transaction" AS entry JOIN transfer ON transfer."transaction" = entry.id
    WHERE NOT (
        debit IN ('assets:bank', 'expenses:transfer-fee')
        AND credit IN ('assets:bank', 'expenses:transfer-fee')
    )
    AND entry.seq IN (
        SELECT seq FROM statement WHERE thing = 'payout:' || ?1
        UNION ALL SELECT reversal.seq FROM statement
            JOIN reversal ON reversal.reversed_seq = statement.seq
            WHERE thing = 'payout:' || ?1
    )
"""


def month(reader: Reader, name: str) -> tuple[Node, Node]:
    """Return the earnings of a month, and the owed balance at its end, as trees."""
    entries = _entries(reader, "record.period = ?", name)
    (before,) = reader.all(_BEFORE, name)
    net = earned(f"Net for {name}", entries, _steps(reader, entries))
    return net, owed(f"Owed at the end of {name}", before["owed"], before["last"], entries)


def session(reader: Reader, session_id: str) -> tuple[Node, Node]:
    """Return the earnings of a session, and where that money is, as trees."""
    entries = _entries(reader, "record.session = ?", session_id)
    net = earned(f"Net for session {session_id}", entries, _steps(reader, entries))
    legs = reader.all(f"{_LEGS} WHERE entry.session = ? ORDER BY entry.id, n", session_id)
    moves = list(_moves(legs))
    for line in reader.all(_PAID, session_id):
        steps = reader.all(f"{_STEPS_OF_PAYOUT} ORDER BY entry.id", line["payout"])
        # Each step of the payout counts only with this session's share of the money.
        moves += _moves(leg | {"amount": line["minor"]} for leg in steps)
    return net, whereabouts(f"Where the money of session {session_id} is", moves)


def payout(reader: Reader, payout_id: str) -> Node:
    """Return the amount of a payout as a tree of its lines and their transactions."""
    lines = reader.all(
        "SELECT item, amount_minor FROM payout_line WHERE payout = ? ORDER BY item", payout_id
    )
    # The items are close together, as payouts settle the oldest first.
    between = (lines[0]["item"], lines[-1]["item"])
    entries = {entry.id: entry for entry in _entries(reader, "record.id BETWEEN ? AND ?", *between)}
    pairs = [(entries[line["item"]], line["amount_minor"]) for line in lines]
    return paid(f"Payout {payout_id}", pairs, _steps(reader, [entry for entry, _ in pairs]))


def nested(reader: Reader, node: Node) -> NodeRow:
    """Return a tree as nested rows, as the JSON output has them."""
    return NodeRow(
        what=node.what,
        amount=reader.money(node.minor),
        currency=reader.currency,
        rule=node.rule or None,
        seq=node.seq,
        steps=[
            StepRow(what=step.what, comes_to=step.comes_to, rule=step.rule or None, seq=node.seq)
            for step in node.steps
        ],
        parts=[nested(reader, part) for part in node.parts],
    )


def _entries(reader: Reader, where: str, *values: object) -> list[LedgerEntry]:
    return [
        _entry(row) for row in reader.all(f"{_ENTRIES} WHERE {where} ORDER BY record.id", *values)
    ]


def _entry(row: dict[str, Any]) -> LedgerEntry:
    memo = personal(row["adjusted_body"]).get("reason") or personal(row["opened_body"]).get("title")
    return LedgerEntry(
        id=row["id"],
        seq=row["seq"],
        kind=row["kind"],
        gross_minor=row["gross"],
        fee_minor=row["fee"],
        net_minor=row["net"],
        owed_minor=row["owed"],
        session=row["session"],
        claim=row["claim"],
        payout=row["payout"],
        adjustment=row["adjustment"],
        memo=memo,
        superseded=bool(row["superseded"]),
    )


def _moves(legs: Iterable[dict[str, Any]]) -> Iterator[Move]:
    for leg in legs:
        entry = LedgerEntry(
            id=leg["id"],
            seq=leg["seq"],
            kind=leg["kind"],
            session=leg["session"],
            claim=leg["claim"],
            payout=leg["payout"],
        )
        for account, minor in ((leg["debit"], leg["amount"]), (leg["credit"], -leg["amount"])):
            if account in PLACES:
                yield Move(entry, account, minor)


def _steps(reader: Reader, entries: Sequence[LedgerEntry]) -> dict[int, list[BillingStep]]:
    """Return the billing steps of the entries' sessions, by the id of the earning now in force."""
    session_ids = to_json(sorted({entry.session for entry in entries if entry.session}))
    rows = reader.db.execute(
        f"{SESSION.select} WHERE id IN (SELECT value FROM json_each(?)) AND earning IS NOT NULL",  # noqa: S608 (our own names)
        (session_ids,),
    ).fetchall()
    steps = {}
    for values in rows:
        session = SESSION.read(values, reader.currency)
        if session.earning is not None:
            steps[session.earning] = gross_steps(session, reader.policy_at(session.policy))
    return steps
