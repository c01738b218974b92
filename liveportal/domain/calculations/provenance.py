"""Where each cent comes from: amounts as trees whose leaves add up to the root.

A node's amount is the sum of its parts'; a leaf was booked by one event, which it names, or is the
balance of an earlier month, which can be asked for its own tree. Nothing else is a leaf: there is
no row that makes a sum come out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from liveportal.domain.calculations.billing_steps import BillingStep
from liveportal.domain.values import dataclass

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Sessions": ("earning",),
    "Corrections and reversals": ("reversal", "correction"),
    "Refunds": ("refund",),
    "Tips": ("tip",),
    "Adjustments": ("adjustment",),
    "Held by claims": ("hold",),
    "Released by claims": ("release",),
    "Payouts": ("payout", "payout_paid", "payout_failed", "payout_returned"),
}
"""How a month's transactions are put together; every kind of transaction is in one group."""

PLACES: Mapping[str, str] = {
    "assets:platform": "Owed by the platform",
    "assets:platform:held": "Held by claims",
    "assets:transit": "On its way",
    "assets:bank": "Paid out",
}
"""Where money can be, by the account that it lies on."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A transaction by its effects, in minor units: on what was earned, and on what is owed.

    `superseded` tells of a session's earning that was corrected since.
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


@dataclass(frozen=True, slots=True)
class Move:
    """What a transaction adds to one of the `PLACES`, by its account, or takes from it."""

    entry: LedgerEntry
    place: str
    minor: int


@dataclass(frozen=True, slots=True)
class Node:
    """An amount and what it is made of. `steps` tell how time became a leaf's amount."""

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
"""How the time of a session became the amount of a transaction, by the transaction's number."""


def earned(what: str, entries: Sequence[LedgerEntry], steps: Steps) -> Node:
    """Return what transactions earned, by groups: the month's `net`, or a session's."""
    moving = [entry for entry in entries if entry.net_minor or entry.gross_minor]
    groups = _grouped(moving, lambda entry: _net(entry, steps.get(entry.id, ())))
    return _sum(what, groups)


def owed(what: str, before: int, earlier: str | None, entries: Sequence[LedgerEntry]) -> Node:
    """Return what is owed at the end of a month: what was owed before, and what changed it."""
    moving = [entry for entry in entries if entry.owed_minor]
    groups = _grouped(moving, lambda entry: _moved(entry, entry.owed_minor))
    if before:
        carried = Node(f"Owed at the end of {earlier}", before, CARRIED)
        groups = (carried, *groups)
    return _sum(what, groups)


def whereabouts(what: str, moves: Sequence[Move]) -> Node:
    """Return where money is: owed, held, on its way or paid out, each with what brought it there.

    A place from which everything has gone again is left out.
    """
    found = []
    for place, name in PLACES.items():
        parts = tuple(_moved(move.entry, move.minor) for move in moves if move.place == place)
        group = _sum(name, parts)
        if group.minor:
            found.append(group)
    return _sum(what, tuple(found))


def paid(what: str, lines: Sequence[tuple[LedgerEntry, int]], steps: Steps) -> Node:
    """Return what a payout paid: its lines, each with what it is of, and whole or in part."""
    parts = []
    for entry, minor in lines:
        whole = _net(entry, steps.get(entry.id, ()))
        if minor == whole.minor:
            parts.append(whole)
        else:
            parts.append(Node(f"Part of {whole.what}", minor, "the oldest first", entry.seq))
    return _sum(what, tuple(parts))


def _grouped(
    entries: Sequence[LedgerEntry], node: Callable[[LedgerEntry], Node]
) -> tuple[Node, ...]:
    found = []
    for name, kinds in GROUPS.items():
        if parts := tuple(node(entry) for entry in entries if entry.kind in kinds):
            found.append(_sum(name, parts))
    return tuple(found)


def _sum(what: str, parts: tuple[Node, ...]) -> Node:
    return Node(what, sum(part.minor for part in parts), parts=parts)


def _net(entry: LedgerEntry, steps: Sequence[BillingStep]) -> Node:
    """Return what a transaction earned: what the customer paid, less what the platform took."""
    name, rule = _name(entry), _rule(entry)
    if not entry.gross_minor and not entry.fee_minor:
        return Node(name, entry.net_minor, rule, entry.seq)
    refunded = entry.kind == "refund"
    gross = Node(
        "Given back to the customer" if refunded else "Billed to the customer",
        entry.gross_minor,
        "R8, refund.deducts" if refunded else "R1, R4, R5, R6",
        entry.seq,
        steps=tuple(steps),
    )
    fee = Node(
        "The platform's part of it" if refunded else "The platform's part",
        -entry.fee_minor,
        "R11, fee.percent",
        entry.seq,
    )
    parts = (gross, fee) if entry.fee_minor else (gross,)
    return Node(name, entry.net_minor, rule, entry.seq, parts=parts)


def _moved(entry: LedgerEntry, minor: int) -> Node:
    return Node(_name(entry), minor, _rule(entry), entry.seq)


def _name(entry: LedgerEntry) -> str:
    about = entry.payout or entry.claim or entry.session or entry.adjustment
    memo = f" ({entry.memo})" if entry.memo else ""
    return f"{entry.kind.replace('_', ' ')} {about}{memo}" if about else f"{entry.kind}{memo}"


def _rule(entry: LedgerEntry) -> str:
    return f"{_RULES[entry.kind]}{', corrected later' if entry.superseded else ''}"


CARRIED = "the balance is carried over"
_RULES = {
    "earning": "R11",
    "hold": "a claim holds its share",
    "release": "nothing is deducted",
    "refund": "R8, R9",
    "tip": "no fee on tips",
    "adjustment": "the platform's own",
    "payout": "R12, R13",
    "payout_paid": "arrived",
    "payout_failed": "owed again",
    "payout_returned": "owed again",
    "correction": "as it really was",
    "reversal": "taken back",
}
