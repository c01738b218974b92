"""A random book on trial: recorded once, and then held against everything that is promised.

Book N is the same for each check, in each run. The profile sets how many books are tried:
HYPOTHESIS_PROFILE=hunt tries thousands, and other ones each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from hypothesis import settings

from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.storage.driver import Connection
from tests.kit import quick_ledgers as ledgers
from tests.properties.author import Book

BOOKS = {"dev": 50, "ci": 100, "hunt": 4_000}.get(settings.get_current_profile_name(), 50)
QUICK = 8
"""So many books are tried by the quick tests."""


def seeds(first: int, last: int) -> range:
    """Return the seeds of some books: the same ones each time, but in a hunt others."""
    away = 0 if settings().derandomize else Random().randrange(10**9)  # noqa: S311
    return range(first + away, last + away)


@dataclass(frozen=True)
class Trial:
    """A book, a ledger in which it is recorded, and randomness for what is done with it.

    The ledger is for all checks, so it can only be read; `copy` is for one.
    """

    book: Book
    db: Connection
    random: Random
    seen: set[str] = field(default_factory=set)
    """The cases that were reached."""

    @property
    def reader(self) -> Reader:
        """Return a reader on the ledger."""
        return ledgers.reader(self.db)

    @contextmanager
    def copy(self) -> Iterator[Connection]:
        """Yield a copy of the ledger, which may be changed."""
        with ledgers.empty_ledger() as db:
            self.db.backup(db)
            yield db


Check = Callable[[Trial], None]


@contextmanager
def on_trial(seed: int, acts: int) -> Iterator[Trial]:
    """Write and record a book of so many acts; fewer acts are the beginning of the same book."""
    book = Book.of(Random(seed), acts)  # noqa: S311 (the same books each time)
    with ledgers.recorded(book.events) as db:
        db.execute("PRAGMA query_only = ON")
        yield Trial(book, db, Random(seed))  # noqa: S311


def judge(seed: int, checks: Sequence[Check]) -> set[str]:
    """Hold a book against some checks, and return the cases reached; a failure is shortened."""
    acts = 8 + seed % 40
    with on_trial(seed, acts) as trial:
        for check in checks:
            trial.random.seed(seed)
            try:
                check(trial)
            except BaseException as error:
                shown = _shortest(seed, acts, check)
                error.add_note(f"{check.__name__}: book {seed}, of {acts} acts. {shown}")
                raise
        return trial.seen


def _shortest(seed: int, acts: int, check: Check) -> str:
    """Return the shortest beginning of a book that fails a check."""
    for fewer in range(1, acts):
        with on_trial(seed, fewer) as trial:
            try:
                check(trial)
            except Exception:  # noqa: BLE001 -- Any failure is one.
                return f"After {fewer} acts it fails already: {trial.book}"
    return "No beginning fails."
