"""Shared steps of the deduplication tests: a session at the shell, and events of any source."""

from __future__ import annotations

from collections.abc import Iterator

from liveportal.domain.events.envelope import CLI_SOURCE
from liveportal.ledger.journal.journal import Outcome
from liveportal.ledger.replay.replay import replayed_copy
from tests.kit.books import Book
from tests.kit.events import FEED, amount
from tests.kit.quick_ledgers import tables

SHELL = {"source": CLI_SOURCE}


def replay(books: Book) -> Iterator[None]:
    """Check that the recorded events replay to the same tables."""
    yield
    books.journal.flush()
    books.db.execute("COMMIT")
    copy = replayed_copy(books.db)
    assert tables(copy, replayed=True) == tables(books.db, replayed=True)
    copy.close()


def hosted(books: Book, *, minutes: int = 20, billed: str | None = None) -> None:
    """Accept and end session S-1 at the shell: 20 minutes at $3.00 are $60.00."""
    books.open()
    books.record("request.accepted", "10-05 09:00", request="R-1", session="S-1", **SHELL)
    end(books, f"10-05 09:{minutes:02d}", billed, source=CLI_SOURCE)


def end(books: Book, when: str, billed: str | None = None, source: str = FEED) -> Outcome:
    """Report the end of session S-1."""
    given = {} if billed is None else {"billed": amount(billed)}
    return books.record("session.ended", when, session="S-1", source=source, **given)


def correct(books: Book, when: str = "10-05 12:00", **data: object) -> Outcome:
    """Correct session S-1 at the shell, unless another source is given."""
    given = {"session": "S-1", "reason": "wrong", **SHELL, **data}
    return books.record("session.corrected", when, **given)


def reverse(books: Book, event: str, when: str = "12-20 10:00", **who: str) -> Outcome:
    """Reverse an event; the shell's own unless another source is given."""
    source = who.get("source", CLI_SOURCE)
    of = {"source": who.get("of", source), "id": event}
    return books.record("entry.reversed", when, event=of, reason="mistake", source=source)


def sent(books: Book, text: str, **data: str) -> Outcome:
    """Record that PO-1 was sent, at the shell unless another source is given."""
    given = {"amount": amount(text), "method": "paypal", **SHELL, **data}
    return books.record("payout.sent", "12-10 09:00", payout="PO-1", **given)
