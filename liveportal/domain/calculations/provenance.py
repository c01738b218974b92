"""The provenance of every amount: trees whose leaves add up to the root.

A node's amount is the sum of its parts. A leaf was booked by one event, which it names, or is the
balance of an earlier month, which has a tree of its own. There are no other leaves, and no
balancing rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from liveportal.domain.calculations.billing_steps import BillingStep
from liveportal.domain.frozen import frozen

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Sessions": ("earning",),
    "Corrections and reversals": ("reversal", "correction"),
    "Refunds": ("refund",),
    "Tips": ("tip",),
    "Adjustments": ("adjustment",),
    "Held for claims": ("hold",),
    "Released by claims": ("release",),
    "Payouts": ("payout", "payout_paid", "payout_failed", "payout_returned"),
}
"""The groups of a month's transactions; every kind of transaction is in one group."""

PLACES: Mapping[str, str] = {
    "assets:platform": "Owed by the platform",
    "assets:platform:held": "Held for claims",
    "assets:transit": "On its way to you",
    "assets:bank": "Paid out",
}
"""The places where money can be, by account."""


@frozen
class LedgerEntry:
    """A transaction with its effects on earnings and on what is owed, in minor units.

    `superseded` is True for a session's earning that was corrected later.
    """

    id: int
    seq: int
    kind: str
    gross_minor: int = 0
    fee_minor: int = 0
    net_minor: int = 0
    owed_minor: int = 0
    session: str | None = None
    claim: str | None = None
    payout: str | None = None
    adjustment: str | None = None
    memo: str | None = None
    superseded: bool = False


@frozen
class Move:
    """The change that a transaction makes to one of the `PLACES`."""

    entry: LedgerEntry
    place: str
    minor: int


@frozen
class Node:
    """An amount and its parts. `steps` show how a leaf's amount was calculated from time."""

    what: str
    minor: int
    rule: str = ""
    seq: int | None = None
    parts: tuple[Node, ...] = ()
    steps: tuple[BillingStep, ...] = ()

    def leaves(self) -> Iterable[Node]:
        """Yield the nodes without parts."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()


Steps = Mapping[int, Sequence[BillingStep]]
"""The billing steps behind a transaction's amount, by the transaction's number."""


def earned(what: str, entries: Sequence[LedgerEntry], steps: Steps) -> Node:
    """Return the earnings of transactions, by group: a month's `net`, or a session's."""
    moving = [entry for entry in entries if entry.net_minor or entry.gross_minor]
    groups = _group(moving, lambda entry: _net_node(entry, steps.get(entry.id, ())))
    return _sum_node(what, groups)


def owed(what: str, before: int, earlier: str | None, entries: Sequence[LedgerEntry]) -> Node:
    """Return the balance owed at the end of a month: the earlier balance, and its changes."""
    moving = [entry for entry in entries if entry.owed_minor]
    groups = _group(moving, lambda entry: _effect_node(entry, entry.owed_minor))
    if before:
        carried = Node(f"Owed at the end of {earlier}", before, CARRIED)
        groups = (carried, *groups)
    return _sum_node(what, groups)


def whereabouts(what: str, moves: Sequence[Move]) -> Node:
    """Return where the money is: owed, held, in transit or paid out, each with its transactions.

    A place whose balance is zero is left out.
    """
    groups = []
    for place, name in PLACES.items():
        parts = tuple(_effect_node(move.entry, move.minor) for move in moves if move.place == place)
        group = _sum_node(name, parts)
        if group.minor:
            groups.append(group)
    return _sum_node(what, tuple(groups))


def paid(what: str, lines: Sequence[tuple[LedgerEntry, int]], steps: Steps) -> Node:
    """Return a payout's lines: each with its item, paid in full or in part."""
    parts = []
    for entry, minor in lines:
        whole = _net_node(entry, steps.get(entry.id, ()))
        if minor == whole.minor:
            parts.append(whole)
        else:
            name = f"Part of {whole.what[0].lower()}{whole.what[1:]}"
            parts.append(Node(name, minor, "the oldest first", entry.seq))
    return _sum_node(what, tuple(parts))


def _group(entries: Sequence[LedgerEntry], node: Callable[[LedgerEntry], Node]) -> tuple[Node, ...]:
    groups = []
    for name, kinds in GROUPS.items():
        if parts := tuple(node(entry) for entry in entries if entry.kind in kinds):
            groups.append(_sum_node(name, parts))
    return tuple(groups)


def _sum_node(what: str, parts: tuple[Node, ...]) -> Node:
    return Node(what, sum(part.minor for part in parts), parts=parts)


def _net_node(entry: LedgerEntry, steps: Sequence[BillingStep]) -> Node:
    """Return the net of a transaction: the customer's payment minus the platform's part."""
    name, rule = _name(entry), _rule(entry)
    if not entry.gross_minor and not entry.fee_minor:
        return Node(name, entry.net_minor, rule, entry.seq)
    is_refund = entry.kind == "refund"
    gross = Node(
        "Refunded to the customer" if is_refund else "Billed to the customer",
        entry.gross_minor,
        "R8, refund.deducts" if is_refund else "R1, R4, R5, R6",
        entry.seq,
        steps=tuple(steps),
    )
    fee = Node(
        "Fee given back by the platform" if is_refund else "The platform's fee",
        -entry.fee_minor,
        "R11, fee.percent",
        entry.seq,
    )
    parts = (gross, fee) if entry.fee_minor else (gross,)
    return Node(name, entry.net_minor, rule, entry.seq, parts=parts)


def _effect_node(entry: LedgerEntry, minor: int) -> Node:
    return Node(_name(entry), minor, _rule(entry), entry.seq)


def _name(entry: LedgerEntry) -> str:
    subject = entry.payout or entry.claim or entry.session or entry.adjustment
    memo = f" ({entry.memo})" if entry.memo else ""
    return f"{_NAMES[entry.kind]} {subject}{memo}" if subject else f"{_NAMES[entry.kind]}{memo}"


def _rule(entry: LedgerEntry) -> str:
    return f"{_RULES[entry.kind]}{', corrected later' if entry.superseded else ''}"


CARRIED = "the balance is carried over"
_RULES = {
    "earning": "R11",
    "hold": "until the claim is decided",
    "release": "nothing is deducted",
    "refund": "R8, R9",
    "tip": "no fee on tips",
    "adjustment": "posted by the platform",
    "payout": "R12, R13",
    "payout_paid": "arrived",
    "payout_failed": "owed again",
    "payout_returned": "owed again",
    "correction": "corrected amount",
    "reversal": "earlier amount, taken back",
}
_NAMES = {
    "earning": "Session",
    "hold": "Held for claim",
    "release": "Released by claim",
    "refund": "Refund of claim",
    "tip": "Tip for session",
    "adjustment": "Adjustment",
    "payout": "Sent in payout",
    "payout_paid": "Arrived in payout",
    "payout_failed": "Failed payout",
    "payout_returned": "Returned payout",
    "correction": "Correction of",
    "reversal": "Reversal of",
}
