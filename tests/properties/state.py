"""The state of a book in plain values, and the figures derived from it.

It keeps no accounts: an entry is a row of figures (what it adds to the gross, to what is owed, …).
Months, balances, items and payout lines are sums over them, written from the rulebook's text alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any, NoReturn

from liveportal.domain.events.envelope import Event
from liveportal.domain.events.types import Slot
from liveportal.domain.policy import Policy
from tests.properties import arithmetic

FIGURES = (
    *("gross", "fee", "refunded", "deducted", "tips", "adjustments"),
    *("owed", "held", "in_transit", "paid_out", "transfer_fees"),
)
BALANCES = FIGURES[6:10]


FOREIGN_HOURS = {"days": "some platform's own form"}
"""Availability that is kept, and cannot be read."""


class Refusal(Exception):
    """The event is refused; `code` is what a script would see.

    If another source reported the same fact differently, a refusal that `clashes` is a conflict.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.clashes = code in ("wrong_state", "claim_not_open", "already_exists")


def refuse(code: str) -> NoReturn:
    """Raise `Refusal`; nothing has changed yet."""
    raise Refusal(code)


@dataclass(eq=False)
class Entry:
    """One row of the Transaction Record. `settled` is the part that payouts have paid."""

    kind: str
    time: datetime
    month: str
    session: str | None = None
    claim: str | None = None
    payout: str | None = None
    adjustment: str | None = None
    gross: int = 0
    fee: int = 0
    refunded: int = 0
    deducted: int = 0
    tips: int = 0
    adjustments: int = 0
    owed: int = 0
    held: int = 0
    in_transit: int = 0
    paid_out: int = 0
    transfer_fees: int = 0
    settled: int = 0

    @property
    def net(self) -> int:
        """The change in the expert's earnings."""
        return self.gross - self.fee - self.deducted + self.tips + self.adjustments

    @property
    def moved(self) -> bool:
        """Whether any figure is not zero."""
        return any(getattr(self, name) for name in FIGURES)


@dataclass(eq=False)
class Count:
    """The minutes and sessions that a bill adds to a month, or removes from it.

    `end` is the session's end as billed then.
    """

    month: str
    session: str
    end: datetime
    minutes: Fraction
    sessions: int
    free: int


@dataclass(eq=False)
class Request:
    """A request; `currency` is that of its rate."""

    rate: int
    currency: str
    state: str = "open"
    slots: tuple[Slot, ...] = ()
    expires: datetime | None = None
    session: Session | None = None


@dataclass(eq=False)
class Session:
    """A session, with the policy that it froze.

    `bill` is the last bill given from outside, or None for our own calculation.
    """

    id: str
    policy: Policy
    rate: int
    state: str
    last: datetime
    start: datetime | None = None
    end: datetime | None = None
    planned: Slot | None = None
    paused_since: datetime | None = None
    pauses: list[tuple[datetime, datetime]] = field(default_factory=list)
    minutes: Fraction = Fraction()
    gross: int = 0
    bill: int | None = None
    corrected: bool = False
    ended_by: str | None = None
    refunded: int = 0
    earning: Entry | None = None
    undecided: Claim | None = None
    month: str | None = None

    @property
    def times(self) -> tuple[datetime, datetime]:
        """Start and end of a session that has both."""
        assert self.start
        assert self.end
        return self.start, self.end


@dataclass(eq=False)
class Claim:
    """A claim: `amount` is claimed, `hold` is held until the decision."""

    session: Session
    amount: int
    hold: int
    time: datetime
    month: str
    state: str = "open"


@dataclass(eq=False)
class Payout:
    """A payout and its lines; `fee` and `debited` are None until a report states them."""

    amount: int
    sent_at: datetime
    state: str = "sent"
    fee: int | None = None
    debited: int | None = None
    lines: list[tuple[Entry, int]] = field(default_factory=list)


@dataclass(eq=False)
class RecordedEvent:
    """A recorded event, and the earlier event that it confirms, if any.

    `original_minor` is the amount at that time: the gross of a session that ended, the amount of a
    claim; `left` is the unrefunded gross of the session when a claim was first made.
    """

    event: Event
    data: Any  # The event's data, but with the book's own ids.
    confirms: RecordedEvent | None = None
    entries: list[Entry] = field(default_factory=list)
    original_minor: int = 0
    left: int = 0
    undone: bool = False


class Ledger:
    """The state of a book, and the figures derived from it."""

    def __init__(self) -> None:
        self.policy = Policy()
        self.preferences: dict[str, Any] = {}
        self.profile: set[str] = set()
        self.customers: set[str] = set()
        self.requests: dict[str, Request] = {}
        self.sessions: dict[str, Session] = {}
        self.aliases: dict[str, str] = {}
        self.claims: dict[str, Claim] = {}
        self.disputes: list[str] = []
        self.payouts: dict[str, Payout] = {}
        self.adjustments: set[str] = set()
        self.entries: list[Entry] = []
        self.counts: list[Count] = []
        self.recorded: dict[tuple[str, str], RecordedEvent] = {}
        self.flags: list[str] = []

    # --- balances, items, months ----------------------------------------------------------------

    def balance(self, until: str = "9999-12") -> dict[str, int]:
        """Rulebook 5: the sum over all entries of the months up to one."""
        counted = [entry for entry in self.entries if entry.month <= until]
        return {name: sum(getattr(count, name) for count in counted) for name in BALANCES}

    @property
    def owed(self) -> int:
        """The amount that the platform owes."""
        return sum(entry.owed for entry in self.entries)

    def items(self) -> list[tuple[Entry, int]]:
        """Rulebook 8: entries that changed the earnings, with their open part, in payout order."""
        held = {
            id(session.earning): session.undecided.hold
            for session in self.sessions.values()
            if session.undecided
        }
        open_items = []
        for entry in self.entries:
            left = entry.net - entry.settled
            if entry.net > 0:
                left = max(left - held.get(id(entry), 0), 0)
            if left:
                open_items.append((entry, left))
        return sorted(open_items, key=lambda item: item[0].time)  # Stable: then by position.

    def lines(self, amount: int) -> list[tuple[Entry, int]]:
        """Rulebook 8: all negatives in full, then positives, the last perhaps in part."""
        items = self.items()
        paid = [(item, left) for item, left in items if left < 0]
        missing = amount - sum(left for _, left in paid)
        for item, left in items:
            if left > 0 and missing > 0:
                paid.append((item, min(left, missing)))
                missing -= left
        return paid

    def months(self) -> list[dict[str, object]]:
        """Rulebook 9: every month from the first to the last with a figure.

        Figures that cancel out within a month do not count.
        """
        # A refund counts even if a later bill had left nothing to refund.
        names = {entry.month for entry in self.entries if entry.kind == "refund"}
        names |= {claim.month for claim in self.claims.values()} | set(self.disputes)
        sums: Counter[tuple[str, str]] = Counter()
        for entry in self.entries:
            sums.update({(entry.month, name): getattr(entry, name) for name in FIGURES})
        for count in self.counts:
            figures = {"minutes": count.minutes, "sessions": count.sessions, "free": count.free}
            sums.update({(count.month, name): value for name, value in figures.items()})
        names |= {month for (month, _), value in sums.items() if value}
        return [self.row(name) for name in arithmetic.months_through(names)]

    def count(self, session: Session, month: str, sign: int = 1) -> None:
        """Count a session in a month as it is billed now, or with `sign` -1 remove it."""
        assert session.month
        minutes = sign * session.minutes if session.gross else Fraction()
        billed = int(bool(session.gross))
        self.counts.append(
            Count(month, session.id, session.times[1], minutes, sign * billed, sign * (1 - billed))
        )

    def row(self, name: str) -> dict[str, object]:
        """One month as the contract prints it."""
        currency = self.policy.currency
        entries = [entry for entry in self.entries if entry.month == name]
        total = {figure: sum(getattr(entry, figure) for entry in entries) for figure in FIGURES[:6]}
        counted = [count for count in self.counts if count.month == name]
        minutes = arithmetic.rounded(sum((count.minutes for count in counted), Fraction()) * 100)
        sign = "-" if minutes < 0 else ""
        counts: dict[str, object] = {
            "month": name,
            "timezone": self.policy.period.timezone,
            "currency": currency,
            "sessions": sum(count.sessions for count in counted),
            "free_sessions": sum(count.free for count in counted),
            "minutes": f"{sign}{abs(minutes) // 100}.{abs(minutes) % 100:02d}",
            "refund_claims": sum(claim.month == name for claim in self.claims.values()),
            "disputes": self.disputes.count(name),
            "refunds": sum(entry.kind == "refund" for entry in entries),
        }
        money = {
            "gross": total["gross"],
            "platform_fee": total["fee"],
            "earned": total["gross"] - total["fee"],
            "refunded": total["refunded"],
            "deducted": total["deducted"],
            "tips": total["tips"],
            "adjustments": total["adjustments"],
            "net": sum(entry.net for entry in entries),
        }
        shown = {each: arithmetic.text(minor, currency) for each, minor in money.items()}
        balance = {
            each: arithmetic.text(minor, currency) for each, minor in self.balance(name).items()
        }
        fees = sum(entry.transfer_fees for entry in entries)
        return {
            **counts,
            **shown,
            "balance": balance,
            "transfer_fees": arithmetic.text(fees, currency),
        }

    def records(self) -> list[dict[str, object]]:
        """The Transaction Record, without the fields that only a ledger has (numbers, memos)."""
        return [
            {
                "time": entry.time,
                "period": entry.month,
                "kind": entry.kind,
                "session": entry.session,
                "claim": entry.claim,
                "payout": entry.payout,
                "gross": arithmetic.text(entry.gross - entry.refunded, self.policy.currency),
                "fee": arithmetic.text(
                    entry.fee - (entry.refunded - entry.deducted), self.policy.currency
                ),
                "amount": arithmetic.text(entry.net, self.policy.currency),
                "owed": arithmetic.text(entry.owed, self.policy.currency),
                "transfer_fee": arithmetic.text(entry.transfer_fees, self.policy.currency),
            }
            for entry in self.entries
        ]

    def states(self) -> dict[str, str]:
        """The state of every request, session, claim and payout."""
        kinds = {
            "request": self.requests,
            "session": self.sessions,
            "claim": self.claims,
            "payout": self.payouts,
        }
        return {
            f"{kind} {name}": thing.state
            for kind, entities in kinds.items()
            for name, thing in entities.items()  # type: ignore[attr-defined]
        }

    # --- helpers --------------------------------------------------------------------------------

    def month(self, instant: datetime) -> str:
        """The month of an instant, as the book cuts months."""
        return arithmetic.month(instant, self.policy.period.timezone)

    def session(self, name: str) -> Session:
        """A known session, by its id or by another name."""
        match = self.sessions.get(self.aliases.get(name, name))
        return match or refuse("not_found")

    def agenda(self) -> Iterator[Session]:
        """Sessions that are not over."""
        live = ("upcoming", "live", "paused")
        return (session for session in self.sessions.values() if session.state in live)

    def check_currency(self, currency: str) -> None:
        """Rulebook 9: one book is one currency."""
        if currency != self.policy.currency:
            refuse("currency_mismatch")

    def month_of_session(self, session: Session) -> str:
        """`period.session_month`."""
        start, end = session.times
        return self.month(start if self.policy.period.session_month == "start" else end)
