"""A new ledger has the digits of ISO 4217, and records them in its first event (rulebook 4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.kit.events import amount, line
from tests.kit.old_ledgers import asked
from tests.kit.shell import Shell

POLICY = 'name = "own"\ncurrency = "{}"\nrate = {{ minimum = "1", maximum = "999" }}\n'


@pytest.mark.parametrize(
    ("code", "digits", "rate", "gross"),
    [
        ("HUF", 2, "500.00", "21000.00"),
        ("COP", 2, "500.25", "21010.50"),
        ("IDR", 2, "500.01", "21000.42"),
        ("IQD", 3, "500.125", "21005.250"),
        ("KWD", 3, "1.001", "42.042"),
        ("JPY", 0, "500", "21000"),
        ("USD", 2, "5.00", "210.00"),
    ],
)
def test_a_new_book(nothing: Shell, code: str, digits: int, rate: str, gross: str) -> None:
    """Its amounts have the digits of ISO 4217, in feeds, events and output."""
    nothing.ok("init", "--policy", nothing.file("own.toml", POLICY.format(code)))
    (facts,) = asked(nothing.ledger, "SELECT facts FROM event WHERE seq = 1")[0]
    assert json.loads(facts)["policy"]["digits"] == digits
    session: dict[str, Any] = {
        "session": "S-1",
        "customer": {"id": "C-1"},
        "rate": amount(rate, code),
        "start": "2026-10-05T09:00:00Z",
        "end": "2026-10-05T09:42:00Z",
    }
    feed = line("session.logged", "10-05 10:00", id="1", **session)
    assert nothing.ok("sync", nothing.file("f.jsonl", feed))["recorded"] == 1
    assert nothing.ok("earnings", "--month", "2026-10")["gross"] == gross
    more = {
        **session,
        "session": "S-2",
        "rate": amount(f"{rate}{'.' if not digits else ''}0", code),
    }
    feed = line("session.logged", "10-05 10:00", id="2", **more)
    nothing.refuses(1, "sync", nothing.file("more.jsonl", feed))
    assert nothing.ok("ledger", "verify")["ok"] is True
