"""How much of the faults is injected: a quick set with every test run, or the whole of it."""

from __future__ import annotations

from typing import Protocol

import pytest


class Amount(Protocol):
    """Tells how many of something a test does."""

    def __call__(self, *, quick: int, whole: int) -> int:
        """Return the first number, or the second where the whole set was asked for."""
        ...


@pytest.fixture
def amount(request: pytest.FixtureRequest) -> Amount:
    """Return how often a test injects its fault: `amount(quick=20, whole=400)`."""
    is_whole = request.config.getoption("--faults") == "whole"

    def chosen(*, quick: int, whole: int) -> int:
        return whole if is_whole else quick

    return chosen
