"""Books in memory: the journal of a ledger file without the file.

`book.record("session.ended", "10-05 09:30", session="S-1")` records an event as a feed reports it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from liveportal.domain.entities import Claim, Payout, Request, Session
from liveportal.domain.errors import LiveportalError
from liveportal.domain.events.envelope import CLI_SOURCE
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy
from liveportal.ledger.journal.journal import Outcome, open_journal
from liveportal.ledger.queries import earnings
from liveportal.ledger.queries.reader import Reader
from tests.kit.events import amount, at, event
from tests.kit.ledger_files import dump
from tests.kit.quick_ledgers import new_ledger

ADOPTED = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2029, 1, 1, tzinfo=UTC)


class Clock:
    """A clock that shows a set time."""

    def __init__(self, now: datetime = ADOPTED) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the set time."""
        return self.now


class Book:
    """A book in memory, with the same journal as a ledger file."""

    def __init__(self, rules: Policy | None = None) -> None:
        self.db = new_ledger()
        self.db.execute("BEGIN IMMEDIATE")
        self.clock = Clock()
        self.journal = open_journal(self.db, self.clock)
        document = (rules or Policy()).recorded
        self.record("policy.adopted", "01-01 00:00", source=CLI_SOURCE, policy=document)
        self.clock.now = LATER  # So that nothing that the tests record is in the future.

    # --- recording --------------------------------------------------------------------------------

    def record(self, kind: str, when: str, /, **data: Any) -> Outcome:  # noqa: ANN401
        """Record an event as from a feed: cautions are flagged, never refused."""
        return self.journal.record(event(kind, when, **data))

    def command(self, kind: str, when: str, /, **data: Any) -> Outcome:  # noqa: ANN401
        """Record an event as from a command that overrides no caution."""
        return self.journal.record(event(kind, when, **data), allow=frozenset())

    def refuses(self, kind: str, when: str, /, **data: Any) -> LiveportalError:  # noqa: ANN401
        """Return the error that refuses an event; the book must be unchanged."""
        return self._refused(self.record, kind, when, data)

    def command_refuses(self, kind: str, when: str, /, **data: Any) -> LiveportalError:  # noqa: ANN401
        """Return the error that refuses a command."""
        return self._refused(self.command, kind, when, data)

    def _refused(self, do: Any, kind: str, when: str, data: dict[str, Any]) -> LiveportalError:  # noqa: ANN401
        before = self.dump()
        with pytest.raises(LiveportalError) as caught:
            do(kind, when, **data)
        assert self.dump() == before, "a refused event left something behind"
        return caught.value

    def open(
        self,
        request: str = "R-1",
        when: str = "10-05 08:00",
        **data: Any,  # noqa: ANN401 (JSON)
    ) -> Outcome:
        """Open a request: instant, at $3.00 a minute, unless given otherwise."""
        given: dict[str, object] = {
            "kind": "instant",
            "customer": {"id": "C-1"},
            "title": "help",
            "rate": amount("3.00"),
        }
        return self.record("request.opened", when, request=request, **(given | data))

    def live(self, session: str = "S-1", when: str = "10-05 09:00", rate: str = "5.00") -> None:
        """Open and accept an instant request: the session is live from then on."""
        self.open(f"R-{session}", when, rate=amount(rate))
        self.record("request.accepted", when, request=f"R-{session}", session=session)

    def log(
        self, session: str = "S-1", end: str = "10-05 10:00", gross: str = "60.00", **data: object
    ) -> None:
        """Log a session of one hour that ended then, with this gross."""
        until = at(end)
        start = until.replace(hour=until.hour - 1).isoformat()
        given: dict[str, object] = {
            "customer": {"id": "C-1"},
            "rate": amount("5.00"),
            "start": start,
            "end": until.isoformat(),
            "billed": amount(gross),
        }
        self.record("session.logged", end, session=session, **(given | data))

    def claim(self, claim: str = "CL-1", when: str = "10-05 11:00", **data: object) -> Outcome:
        """Claim the whole remaining amount of session S-1, unless given otherwise."""
        return self.record("refund.claimed", when, claim=claim, **({"session": "S-1"} | data))

    # --- asking -----------------------------------------------------------------------------------

    def request(self, name: str = "R-1") -> Request:
        """Return the current state of a request."""
        request = self.journal.book.request(name)
        assert request
        return request

    def session(self, name: str = "S-1") -> Session:
        """Return the current state of a session."""
        session = self.journal.book.session(name)
        assert session
        return session

    def claimed(self, name: str = "CL-1") -> Claim:
        """Return the current state of a claim."""
        found = self.journal.book.claim(name)
        assert found
        return found

    def payout(self, name: str = "PO-1") -> Payout:
        """Return the current state of a payout."""
        payout = self.journal.book.payout(name)
        assert payout
        return payout

    def gross(self, name: str = "S-1") -> str:
        """Return the gross of a session."""
        return str(Money(self.session(name).gross_minor, self.session(name).currency))

    def reader(self) -> Reader:
        """Return a reader on the current book."""
        self.journal.book.flush()
        return Reader(self.db, Path("memory"))

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        return self.reader().all(statement, *values)

    def month(self, name: str = "2026-10") -> dict[str, Any]:
        """Return a month's figures with the amounts as text."""
        figures: dict[str, Any] = plain(earnings.month(self.reader(), name))
        return figures

    def balance(self, name: str = "2026-12") -> tuple[str, str, str, str]:
        """Return the amounts owed, held, in transit and paid out at a month's end."""
        shown = self.month(name)["balance"]
        return shown["owed"], shown["held"], shown["in_transit"], shown["paid_out"]

    def legs(self, seq: int) -> list[dict[str, str]]:
        """Return the signed legs of each transaction that an event booked; debit is positive."""
        transactions: dict[int, dict[str, int]] = {}
        for row in self.rows('SELECT id FROM "transaction" WHERE seq = ? ORDER BY id', seq):
            transactions[row["id"]] = {}
            for leg in self.rows('SELECT * FROM posting WHERE "transaction" = ?', row["id"]):
                legs = transactions[row["id"]]
                legs[leg["account"]] = legs.get(leg["account"], 0) + leg["amount"]
        return [
            {account: f"{Money(minor, 'USD')}" for account, minor in legs.items() if minor}
            for legs in transactions.values()
        ]

    def kinds(self) -> list[str]:
        """Return the kinds of all transactions in their order."""
        return [row["kind"] for row in self.rows('SELECT kind FROM "transaction" ORDER BY id')]

    def statuses(self) -> list[int | None]:
        """Return for each event, in order, the event that it confirms, or None."""
        return [row["confirms"] for row in self.rows("SELECT confirms FROM statement ORDER BY seq")]

    def dump(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """Return the whole contents of the book, table by table."""
        return dump(self.reader())


def plain(row: Any) -> Any:  # noqa: ANN401 (whatever a window answers)
    """Return a query's result as JSON shows it: amounts as decimal strings."""
    if isinstance(row, Mapping):
        return {name: plain(value) for name, value in row.items()}
    if isinstance(row, list | tuple):
        return [plain(value) for value in row]
    return str(row) if isinstance(row, Money) else row


@contextmanager
def book(rules: Policy | None = None) -> Iterator[Book]:
    """Yield a book in memory under a policy; close it at the end."""
    made = Book(rules)
    try:
        yield made
    finally:
        made.db.close()


NewBook = Callable[..., Book]
