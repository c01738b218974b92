"""Whose fault it is: ours, or that of a file which is not what was written.

The windows and rules trust what the door wrote. In a damaged file a time may be none, or a document
no JSON, and whoever reads it stumbles. So whatever goes wrong unexpectedly is looked into: is the
ledger what was written? Only then it is a bug.
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
    """Raise `VerificationFailed` for what goes wrong unexpectedly, if the ledger is to blame."""
    try:
        yield
    except _UNEXPECTED as error:
        from liveportal.ledger.verify.verify import (
            verify,  # The whole door; nobody else pays for it.
        )

        try:
            verify(db)
        except DatabaseError:
            raise error from None  # Another program is in the way: nobody knows.
        raise
