"""One process for the commands of all documents."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.quick_program import serving


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Give the address of the process that runs the commands."""
    with serving() as address:
        yield address
