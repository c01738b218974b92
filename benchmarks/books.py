"""Generate ledgers to measure with: the career of a fictional expert, of a given size.

The random numbers are seeded, so the same number of transactions gives the same ledger. It always
covers the same ten years: a larger one is denser. It has sessions with tips, claims and
adjustments, and a payout per month; one session in a thousand came from a request, and some
requests are still open at the end. Some sessions have transcripts to search.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

FIRST = datetime(2016, 11, 1, tzinfo=UTC)
LAST = datetime(2026, 10, 31, 20, tzinfo=UTC)
"""The start of the first and of the last session: ten years, 120 months."""

MONTH = "2021-06"
"""The month that is queried, in the middle of the ledger."""

OPEN_REQUESTS = 40
SEARCHED = "shaders"
MESSAGES = 2_000
TRANSCRIPTS = 10
"""The number of sessions with a transcript, and of messages per transcript."""

SEED = 20261128

_SHARE_PERCENT = 70
_SESSIONS_A_CUSTOMER = 25
_REQUEST_EVERY = 1000
_TIPPED, _CLAIMED, _ADJUSTED = 0.02, 0.02, 0.002
_SKILLS = ("urp", "shaders", "physics", "netcode", "ui", "build", "audio", "animation")
_NAMES = ("Mina", "Otto", "Ada", "Noor", "Lin", "Paz", "Ivo", "Kei", "Tomás", "Wren")

Event = dict[str, Any]


def _event(number: int, name: str, at: datetime, **data: object) -> Event:
    return {
        "specversion": "1.0",
        "id": f"bench-{number}",
        "source": "urn:bench",
        "type": f"liveportal.{name}",
        "time": at.isoformat(),
        "data": data,
    }


def _amount(cents: int) -> dict[str, str]:
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return {"amount": f"{sign}{whole}.{rest:02d}", "currency": "USD"}


class _Career:
    """Generates the events of one career; counts the transactions that they book."""

    def __init__(self, transactions: int) -> None:
        self.left = transactions
        self.customers = max(40, transactions // _SESSIONS_A_CUSTOMER)
        self.dice = random.Random(SEED)  # noqa: S311 -- Reproducible, not secret.
        self.events = 0
        self.earned: dict[str, int] = {}
        self.owed = 0

    def event(self, name: str, at: datetime, /, booked: int = 0, **data: object) -> Event:
        self.events += 1
        self.left -= booked
        return _event(self.events, name, at, **data)

    def customer(self) -> dict[str, str]:
        number = self.dice.randrange(self.customers)
        return {"id": f"C-{number}", "name": _NAMES[number % len(_NAMES)]}

    def earn(self, at: datetime, cents: int) -> None:
        """Add to the amount owed, in cents; an earning is paid out two months later."""
        month = at.strftime("%Y-%m")
        self.earned[month] = self.earned.get(month, 0) + cents
        self.owed += cents

    def session(self, number: int, start: datetime) -> Iterator[Event]:
        """Yield the events of one session; rates and minutes always give whole cents."""
        minutes = self.dice.randrange(6, 90)
        rate = 10 * self.dice.randrange(10, 51)
        end = start + timedelta(minutes=minutes)
        name, share = f"S-{number}", rate * minutes * _SHARE_PERCENT // 100
        title = f"{self.dice.choice(_SKILLS)} trouble {number}"
        if number % _REQUEST_EVERY == 0:
            yield from self._requested(name, start, end, rate, title)
        else:
            yield self.event(
                "session.logged",
                end,
                booked=1,
                session=name,
                customer=self.customer(),
                rate=_amount(rate),
                start=start.isoformat(),
                end=end.isoformat(),
                title=title,
            )
        self.earn(end, share)
        if self.dice.random() < _TIPPED:
            yield self.event("tip.received", end, booked=1, session=name, amount=_amount(500))
            self.earn(end, 500)
        if self.dice.random() < _CLAIMED:
            yield from self._claim(number, name, end, share)
        if self.dice.random() < _ADJUSTED:
            cents = self.dice.choice((2500, -350))
            yield self.event(
                "adjustment.posted",
                end,
                booked=1,
                adjustment=f"AD-{number}",
                amount=_amount(cents),
                reason="bonus" if cents > 0 else "fee",
            )
            self.earn(end, cents)

    def _requested(
        self, name: str, start: datetime, end: datetime, rate: int, title: str
    ) -> Iterator[Event]:
        request = f"R-{name}"
        yield self.event(
            "request.opened",
            start,
            request=request,
            kind="instant",
            customer=self.customer(),
            title=title,
            skills=[self.dice.choice(_SKILLS)],
            rate=_amount(rate),
        )
        yield self.event("request.accepted", start, request=request, session=name)
        yield self.event("session.ended", end, booked=1, session=name)

    def _claim(self, number: int, name: str, end: datetime, share: int) -> Iterator[Event]:
        claim, at = f"CL-{number}", end + timedelta(hours=2)
        yield self.event(
            "refund.claimed", at, booked=1, claim=claim, session=name, reason="It came back."
        )
        granted = bool(self.dice.getrandbits(1))
        at += timedelta(hours=20)
        yield self.event(
            "refund.granted" if granted else "refund.denied", at, booked=1, claim=claim
        )
        if granted:
            self.earn(at, -share)

    def payout(self, at: datetime) -> Iterator[Event]:
        """Yield a payout of the earnings up to the month before last."""
        due = [month for month in self.earned if month < _months_before(at, 1)]
        cents = sum(self.earned[month] for month in due)
        if not 0 < cents <= self.owed:
            return
        for month in due:
            del self.earned[month]
        self.owed -= cents
        name = at.strftime("PO-%Y-%m")
        yield self.event(
            "payout.sent", at, booked=1, payout=name, amount=_amount(cents), method="paypal"
        )
        yield self.event("payout.paid", at + timedelta(days=1), booked=1, payout=name)

    def open_requests(self) -> Iterator[Event]:
        """Yield unanswered requests; half of them propose times, which may already be taken."""
        at = LAST + timedelta(days=1)
        for number in range(OPEN_REQUESTS):
            start = at + timedelta(days=30, hours=number)
            slots = [{"start": start.isoformat(), "minutes": 60}] if number % 2 else []
            yield self.event(
                "request.opened",
                at,
                request=f"OPEN-{number}",
                kind="scheduled" if slots else "instant",
                customer=self.customer(),
                title=f"{self.dice.choice(_SKILLS)} question {number}",
                skills=[self.dice.choice(_SKILLS)],
                rate=_amount(300),
                **({"slots": slots} if slots else {}),  # type: ignore[arg-type]
            )


def _months_before(at: datetime, count: int) -> str:
    months = at.year * 12 + at.month - 1 - count
    return f"{months // 12:04d}-{months % 12 + 1:02d}"


def events(transactions: int) -> Iterator[Event]:
    """Yield the events of a ledger with about this many transactions."""
    career = _Career(transactions)
    # The shares above give 1.088 transactions per session; the rest is logged at the end.
    sessions = max(1, round(transactions / 1.088))
    step = (LAST - FIRST) / sessions
    month = FIRST.month
    for number in range(2 * sessions):
        if career.left <= 0:
            break
        start = min(FIRST + number * step, LAST)
        if start.month != month:
            month = start.month
            yield from career.payout(start)
        yield from career.session(number, start)
    yield from career.open_requests()


def lines(events: Iterable[Event]) -> Iterator[str]:
    """Yield events as the lines of a feed."""
    return (json.dumps(event, separators=(",", ":")) + "\n" for event in events)


def transcript(number: int) -> str:
    """Return the transcript of a long session; one message in 500 is about shaders."""
    dice = random.Random(SEED + number)  # noqa: S311
    words = [word for word in _SKILLS if word != SEARCHED]
    message_lines = []
    for second_of_session in range(MESSAGES):
        word = SEARCHED if dice.randrange(500) == 0 else dice.choice(words)
        minute, second = divmod(second_of_session, 60)
        hour, minute = divmod(minute, 60)
        message_lines.append(
            f"[{hour:02d}:{minute:02d}:{second:02d}] Mina: about {word} in step {second_of_session}"
        )
    return "\n".join(message_lines) + "\n"
