"""Books whose payouts follow a hidden policy: what `policy infer` must find out.

The ledger itself decides what is eligible under the hidden policy, event by event in order of time.
Nothing here knows how rules are inferred.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from liveportal.domain.calculations.inference.facts import Facts
from liveportal.domain.calculations.inference.readings import Changes, Value, changed
from liveportal.domain.clock import local_date, zone
from liveportal.domain.frozen import replace
from liveportal.domain.policy import Policy
from liveportal.ledger.queries import policy_inference
from liveportal.ledger.queries.payouts import PayoutPreview, preview_on
from tests.kit.books import Book
from tests.kit.events import amount, usd

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
ZONES = ("Europe/Paris", "America/New_York", "Asia/Tokyo")
"""The expert's own zone, and those of customers."""
HIDDEN: Mapping[str, tuple[Value, ...]] = {
    "trial.minutes": (0, 3, 5, 10, 15),
    "trial.billed": ("whole-session", "after-trial", "none"),
    "trial.boundary": ("over", "from"),
    "billing.rounding": ("exact", "up", "down", "nearest"),
    "billing.increment_seconds": (1, 60, 300, 360, 900, 3600),
    "billing.minimum_minutes": (0, 10, 30),
    "fee.percent": ("0", "12", "20", "25", "30", "47"),
    "refund.deducts": ("share", "gross"),
    "period.timezone": ("UTC", *ZONES),
    "period.session_month": ("end", "start"),
    "payout.minimum": ("0", "50", "100", "200"),
    "payout.minimum_counts": ("share", "gross"),
}
"""The values that a hidden policy may have; half of the switches are as adopted."""


@dataclass(frozen=True)
class Step:
    """An event to record; a payout's amount is found when it is recorded."""

    time: datetime
    kind: str
    data: dict[str, Any]


@dataclass(frozen=True)
class HiddenBook:
    """The steps of a book with payouts by a hidden policy, and its facts under the adopted one."""

    adopted: Policy
    hidden: Changes
    steps: tuple[Step, ...]
    facts: Facts

    @classmethod
    def of(cls, random: Random, sessions: int) -> HiddenBook:
        """Write a book of so many sessions."""
        due_days = random.choice((60, 30, 0))
        document = {"payout": {"due_days_after_month_end": due_days}, "refund": {"partial": True}}
        adopted = Policy.from_document({"name": "adopted", **document})
        hidden = {
            switch: random.choice(values)
            for switch, values in HIDDEN.items()
            if random.random() < 0.5
        }
        with_payouts, book = record(changed(adopted, hidden), _steps(random, sessions))
        facts = policy_inference.facts(book.reader())
        book.db.close()
        return cls(adopted, hidden, with_payouts, as_adopted(facts, adopted))


def as_adopted(facts: Facts, adopted: Policy) -> Facts:
    """Return the facts of a book whose expert knows nothing of the hidden policy."""
    zones = dict.fromkeys(("UTC", *ZONES))
    return replace(facts, adopted=adopted, policies=(adopted,), zones=tuple(zones))


def record(policy: Policy, steps: Iterable[Step]) -> tuple[tuple[Step, ...], Book]:
    """Record steps under a policy, in order; payouts without an amount pay what is eligible."""
    book, done = _new_book(policy), []
    for step in sorted(steps, key=lambda step: step.time):
        if step.kind == "payout.sent" and "amount" not in step.data:
            preview = eligible(book, step)
            if is_paid(preview):
                data = {**step.data, "amount": amount(str(preview.eligible))}
                done.append(Step(step.time, step.kind, data))
                _record(book, done[-1])
        elif _is_possible(book, step):
            done.append(step)
            _record(book, step)
    return tuple(done), book


def agrees(policy: Policy, steps: Sequence[Step]) -> bool:
    """Return True if every payout that arrived is what a policy makes eligible, in a book of it.

    What came back is not compared: under this policy another amount was sent and came back.
    """
    came_back = {
        step.data["payout"] for step in steps if step.kind in ("payout.failed", "payout.returned")
    }
    book = _new_book(policy)
    try:
        for step in steps:
            sent = step
            if step.kind == "payout.sent":
                preview = eligible(book, step)
                real = amount(str(preview.eligible))
                if step.data["payout"] in came_back:
                    if preview.eligible.minor <= 0:
                        continue
                    sent = Step(step.time, step.kind, {**step.data, "amount": real})
                elif real != step.data["amount"] or not is_paid(preview):
                    return False
            if _is_possible(book, sent):
                _record(book, sent)
    finally:
        book.db.close()
    return True


def _new_book(policy: Policy) -> Book:
    book = Book(policy)
    book.record("preferences.changed", "01-02 00:00", timezone=ZONES[0])
    return book


def eligible(book: Book, step: Step) -> PayoutPreview:
    """Return what is eligible when a payout is sent."""
    reader = book.reader()
    return preview_on(reader, local_date(step.time, reader.timezone))


def is_paid(preview: PayoutPreview) -> bool:
    """Return True if a platform would pay that."""
    return not {"nothing_eligible", "below_minimum"} & {each.code for each in preview.blocked}


def _record(book: Book, step: Step) -> None:
    book.record(step.kind, step.time.isoformat(), **step.data)


def _is_possible(book: Book, step: Step) -> bool:
    """Return False for a claim on a free session, and for what follows a thing that is not."""
    if step.kind == "refund.claimed":
        session, claimed = book.session(step.data["session"]), step.data.get("amount")
        part_minor = usd(claimed["amount"]).minor if claimed else 1
        return session.left_minor >= part_minor and not session.claim_undecided
    if step.kind.startswith("refund."):
        return book.journal.book.claim(step.data["claim"]) is not None
    if step.kind.startswith("payout.") and step.kind != "payout.sent":
        return book.journal.book.payout(step.data["payout"]) is not None
    return True


# --- writing --------------------------------------------------------------------------------------


def _steps(random: Random, sessions: int) -> list[Step]:
    steps = []
    for number in range(sessions):
        steps += _session(random, f"S-{number}")
    for number in range(random.randrange(4)):
        when = BEGIN + timedelta(seconds=random.randrange(150 * 86400))
        minor = random.choice((-1, 1)) * random.randrange(1, 2000)
        data = {"adjustment": f"A-{number}", "amount": _amount(minor), "reason": "a reason"}
        steps.append(Step(when, "adjustment.posted", data))
    sent_at = BEGIN + timedelta(days=26, seconds=random.randrange(86400))
    for number in range(9):
        steps += _payout(random, f"PO-{number}", sent_at)
        sent_at += timedelta(
            days=random.choice((20, 29, 30, 31, 62)), seconds=random.randrange(86400)
        )
    return steps


def _session(random: Random, name: str) -> list[Step]:
    """Return a session, often over a month's end or a round number of minutes long."""
    start = BEGIN + timedelta(seconds=random.randrange(150 * 86400))
    if random.random() < 0.3:
        month = datetime(2026, start.month, 1, tzinfo=zone(random.choice(("UTC", *ZONES))))
        start = max(month - timedelta(seconds=random.randrange(-900, 3600)), BEGIN).astimezone(UTC)
    seconds = random.choice(
        (
            random.randrange(1, 5400),
            random.randrange(1, 900),
            random.randrange(1, 90) * 60,
            random.choice((180, 300, 600, 900)),
        )
    )
    end = start + timedelta(seconds=seconds)
    data: dict[str, Any] = {
        "session": name,
        "customer": {"id": "C-1", "timezone": random.choice(ZONES[1:])},
        "rate": _amount(random.choice((100, 150, 225, 333, 500))),
        "start": start.isoformat(),
        "end": end.isoformat(),
    }
    if random.random() < 0.1:
        data["billed"] = _amount(random.randrange(10000))
    if random.random() < 0.2:
        pause = start + timedelta(seconds=seconds // 3), start + timedelta(seconds=seconds // 2)
        data["pauses"] = [[moment.isoformat() for moment in pause]]
    steps = [Step(end, "session.logged", data)]
    if random.random() < 0.1:
        when = end + timedelta(hours=random.randrange(1, 50))
        tip = {"session": name, "amount": _amount(random.randrange(1, 2000))}
        steps.append(Step(when, "tip.received", tip))
    if random.random() < 0.15:
        steps += _claim(random, name, end)
    return steps


def _claim(random: Random, session: str, end: datetime) -> list[Step]:
    """Return a claim and its decision; a claim for a part may be followed by one for the rest."""
    claimed = end + timedelta(hours=random.randrange(24))
    steps = []
    if random.random() < 0.3:
        part = {"amount": _amount(random.randrange(1, 2000))}
        steps += _claim_of(random, f"CL-{session}-1", session, claimed, part)
        claimed = steps[-1].time + timedelta(days=random.randrange(1, 40))
    return [*steps, *_claim_of(random, f"CL-{session}", session, claimed, {})]


def _claim_of(
    random: Random, claim: str, session: str, claimed: datetime, part: dict[str, Any]
) -> list[Step]:
    steps = [Step(claimed, "refund.claimed", {"claim": claim, "session": session, **part})]
    verb = random.choice(("granted", "granted", "conceded", "denied", "withdrawn", None))
    if verb:
        decided = claimed + timedelta(days=random.choice((1, 10, 60, 100)), seconds=1)
        steps.append(Step(decided, f"refund.{verb}", {"claim": claim}))
    return steps


def _payout(random: Random, name: str, sent_at: datetime) -> list[Step]:
    steps = [Step(sent_at, "payout.sent", {"payout": name, "method": "paypal"})]
    end = random.choice(("paid", "paid", "paid", "paid", "failed", "returned", None))
    if end:
        days = random.choice((1, 2, 12, 40))
        if end == "returned":
            steps.append(Step(sent_at + timedelta(hours=9), "payout.paid", {"payout": name}))
        steps.append(Step(sent_at + timedelta(days=days), f"payout.{end}", {"payout": name}))
    return steps


def _amount(minor: int) -> dict[str, str]:
    sign = "-" if minor < 0 else ""
    return amount(f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}")
