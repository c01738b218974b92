"""Idempotency keys: what identifies a write for ever must be a valid name."""

from __future__ import annotations

import pytest

from tests.kit.shell import Shell


@pytest.mark.parametrize("key", ["\udcff", "a\nb", "\x00", ""])
def test_a_key_is_printable(october: Shell, key: str) -> None:
    """A key that no journal can store is refused, and nothing is recorded."""
    error = october.refuses(1, "requests", "decline", "REQ-1006", f"--key={key}")
    assert error["code"] == "invalid_event"
    assert "printable" in str(error["message"])
