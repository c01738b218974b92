"""A book for each test of the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.helpers import Book, book, policy

NewBook = Callable[..., Book]


@pytest.fixture
def new_book() -> Iterator[NewBook]:
    """Make books: `new_book(fee={"percent": 20})` is one under the default policy but for that."""
    with ExitStack() as stack:
        yield lambda **tables: stack.enter_context(book(policy(**tables)))


@pytest.fixture
def books(new_book: NewBook) -> Book:
    """Return a book under the default policy."""
    return new_book()
