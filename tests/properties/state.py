"""What a book holds, in plain values, and what can be read from it.

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
from tests.properties import reckoning

FIGURES = (
    *("gross", "fee", "refunded", "deducted", "tips", "adjustments"),
    *("owed", "held", "in_transit", "paid_out"),
)
BALANCES = FIGURES[6:]


FOREIGN_HOURS = {"days": "some platform's own form"}
"""Availability that is kept, and cannot be read."""


class Refusal(Exception):
    """The event cannot be, and why: the code that a script would see.

    Where another source told the same fact otherwise, what `clashes` with it is a conflict instead.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.clashes = code in ("wrong_state", "claim_not_open", "already_exists")


def refuse(code: str) -> NoReturn:
    """End the judgement of an event; nothing was changed yet."""
    raise Refusal(code)


@dataclass(eq=False)
class Entry:
    """One row of the Transaction Record. `settled` is what payouts paid of it."""

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
    settled: int = 0

    @property
    def net(self) -> int:
        """What it adds to what the expert has earned."""
        return self.gross - self.fee - self.deducted + self.tips + self.adjustments

    @property
    def moved(self) -> bool:
        """Whether any money moved at all."""
        return any(getattr(self, name) for name in FIGURES)


@dataclass(eq=False)
class Count:
    """What a bill adds to the minutes and sessions of a month, or takes from them.

    `end` is when the session ended as it was billed then.
    """

    month: str
    session: str
    end: datetime
    minutes: Fraction
    sessions: int
    free: int


@dataclass(eq=False)
class Request:
    """A request; `currency` is the one that its rate was in."""

    rate: int
    currency: str
    state: str = "open"
    slots: tuple[Slot, ...] = ()
    expires: datetime | None = None
    session: Session | None = None


@dataclass(eq=False)
class Session:
    """A session, with the policy that it froze.

    `bill` is the last bill that was given from outside, None where it is our own calculation.
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
        """Start and end, of a session that has both."""
        assert self.start
        assert self.end
        return self.start, self.end


@dataclass(eq=False)
class Claim:
    """A claim; `amount` is what it is for, `hold` what is held meanwhile."""

    session: Session
    amount: int
    hold: int
    time: datetime
    month: str
    state: str = "open"


@dataclass(eq=False)
class Payout:
    """A payout and the lines it was made of."""

    amount: int
    sent_at: datetime
    state: str = "sent"
    lines: list[tuple[Entry, int]] = field(default_factory=list)


@dataclass(eq=False)
class Told:
    """An event that was recorded: its source, and the earlier event that it confirms, if any.

    `came_to` is what the first telling came to then: the gross of a session that ended, the amount
    of a claim; `left` is what was left of the session's gross when a claim was first made.
    """

    event: Event
    data: Any  # The event's, but with the ids by which the book knows its thing.
    confirms: Told | None = None
    entries: list[Entry] = field(default_factory=list)
    came_to: int = 0
    left: int = 0
    undone: bool = False


class Ledger:
    """What a book holds, and what can be read from it."""

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
        self.told: dict[tuple[str, str], Told] = {}
        self.flags: list[str] = []

    # --- balances, items, months ----------------------------------------------------------------

    def balance(self, until: str = "9999-12") -> dict[str, int]:
        """Rulebook 5: the sum over all entries of the months up to one."""
        counted = [each for each in self.entries if each.month <= until]
        return {name: sum(getattr(each, name) for each in counted) for name in BALANCES}

    @property
    def owed(self) -> int:
        """What the platform owes."""
        return sum(each.owed for each in self.entries)

    def items(self) -> list[tuple[Entry, int]]:
        """Rulebook 8: what changed the earnings, with its open part, in the order of payouts."""
        held = {
            id(each.earning): each.undecided.hold
            for each in self.sessions.values()
            if each.undecided
        }
        found = []
        for each in self.entries:
            left = each.net - each.settled
            if each.net > 0:
                left = max(left - held.get(id(each), 0), 0)
            if left:
                found.append((each, left))
        return sorted(found, key=lambda item: item[0].time)  # Stable: then by position.

    def lines(self, amount: int) -> list[tuple[Entry, int]]:
        """Rulebook 8: all negatives whole, then positives, the last perhaps in part."""
        items = self.items()
        found = [(each, left) for each, left in items if left < 0]
        missing = amount - sum(left for _, left in found)
        for each, left in items:
            if left > 0 and missing > 0:
                found.append((each, min(left, missing)))
                missing -= left
        return found

    def months(self) -> list[dict[str, object]]:
        """Rulebook 9: every month from the first to the last in which something happened.

        What cancels out within a month did not happen in it.
        """
        # A refund happened even where another bill had left nothing to give back.
        names = {each.month for each in self.entries if each.kind == "refund"}
        names |= {each.month for each in self.claims.values()} | set(self.disputes)
        sums: Counter[tuple[str, str]] = Counter()
        for entry in self.entries:
            sums.update({(entry.month, name): getattr(entry, name) for name in FIGURES})
        for count in self.counts:
            figures = {"minutes": count.minutes, "sessions": count.sessions, "free": count.free}
            sums.update({(count.month, name): value for name, value in figures.items()})
        names |= {month for (month, _), value in sums.items() if value}
        return [self.row(name) for name in reckoning.months_through(names)]

    def count(self, session: Session, month: str, sign: int = 1) -> None:
        """Count a session in a month as it is billed now, or take that away."""
        assert session.month
        minutes = sign * session.minutes if session.gross else Fraction()
        billed = int(bool(session.gross))
        self.counts.append(
            Count(month, session.id, session.times[1], minutes, sign * billed, sign * (1 - billed))
        )

    def row(self, name: str) -> dict[str, object]:
        """One month as the contract prints it."""
        currency = self.policy.currency
        entries = [each for each in self.entries if each.month == name]
        total = {each: sum(getattr(entry, each) for entry in entries) for each in FIGURES[:6]}
        counted = [each for each in self.counts if each.month == name]
        minutes = reckoning.rounded(sum((each.minutes for each in counted), Fraction()) * 100)
        sign = "-" if minutes < 0 else ""
        counts: dict[str, object] = {
            "month": name,
            "timezone": self.policy.period.timezone,
            "currency": currency,
            "sessions": sum(each.sessions for each in counted),
            "free_sessions": sum(each.free for each in counted),
            "minutes": f"{sign}{abs(minutes) // 100}.{abs(minutes) % 100:02d}",
            "refund_claims": sum(each.month == name for each in self.claims.values()),
            "disputes": self.disputes.count(name),
            "refunds": sum(each.kind == "refund" for each in entries),
        }
        money = {
            "gross": total["gross"],
            "platform_fee": total["fee"],
            "earned": total["gross"] - total["fee"],
            "refunded": total["refunded"],
            "deducted": total["deducted"],
            "tips": total["tips"],
            "adjustments": total["adjustments"],
            "net": sum(each.net for each in entries),
        }
        shown = {each: reckoning.text(minor, currency) for each, minor in money.items()}
        balance = {
            each: reckoning.text(minor, currency) for each, minor in self.balance(name).items()
        }
        return {**counts, **shown, "balance": balance}

    def records(self) -> list[dict[str, object]]:
        """The Transaction Record, without what only a ledger knows (numbers, memos)."""
        return [
            {
                "time": each.time,
                "period": each.month,
                "kind": each.kind,
                "session": each.session,
                "claim": each.claim,
                "payout": each.payout,
                "gross": reckoning.text(each.gross - each.refunded, self.policy.currency),
                "fee": reckoning.text(
                    each.fee - (each.refunded - each.deducted), self.policy.currency
                ),
                "amount": reckoning.text(each.net, self.policy.currency),
                "owed": reckoning.text(each.owed, self.policy.currency),
            }
            for each in self.entries
        ]

    def states(self) -> dict[str, str]:
        """Where every request, session, claim and payout stands."""
        kinds = {
            "request": self.requests,
            "session": self.sessions,
            "claim": self.claims,
            "payout": self.payouts,
        }
        return {
            f"{kind} {name}": thing.state
            for kind, things in kinds.items()
            for name, thing in things.items()  # type: ignore[attr-defined]
        }

    # --- small things ---------------------------------------------------------------------------

    def month(self, instant: datetime) -> str:
        """The month of an instant, as the book cuts months."""
        return reckoning.month(instant, self.policy.period.timezone)

    def session(self, name: str) -> Session:
        """A known session, by its id or by another name."""
        found = self.sessions.get(self.aliases.get(name, name))
        return found or refuse("not_found")

    def agenda(self) -> Iterator[Session]:
        """Sessions that are not over."""
        live = ("upcoming", "live", "paused")
        return (each for each in self.sessions.values() if each.state in live)

    def check_currency(self, currency: str) -> None:
        """Rulebook 9: one book is one currency."""
        if currency != self.policy.currency:
            refuse("currency_mismatch")

    def month_of_session(self, session: Session) -> str:
        """`period.session_month`."""
        start, end = session.times
        return self.month(start if self.policy.period.session_month == "start" else end)
