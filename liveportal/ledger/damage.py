"""Find out whether an unexpected error is a bug or comes from a damaged ledger.

Queries and rules trust what the journal wrote. In a damaged file, a time or a JSON document may be
invalid, and any code that reads it fails. So after an unexpected error the ledger is verified; only
if it is intact is the error a bug.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from liveportal.ledger.storage.driver import Connection, DatabaseError

_UNEXPECTED = (
    *(DatabaseError, ArithmeticError, AssertionError, AttributeError, LookupError, TypeError),
    *(ValueError, RecursionError),
)


@contextmanager
def diagnosing_damage(db: Connection) -> Iterator[None]:
    """Raise `VerificationFailed` instead of an unexpected error if the ledger is damaged."""
    try:
        yield
    except _UNEXPECTED as error:
        from liveportal.ledger.verify.verify import (
            verify,  # Imports the write side; needed only here.
        )

        try:
            verify(db)
        except DatabaseError:
            raise error from None  # Another program has locked the ledger: it cannot be verified.
        raise
