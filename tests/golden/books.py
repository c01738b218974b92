"""The ledgers of the golden run: the same journal bytes on every machine, in every year.

Each is made by commands at a fixed clock and with fixed randomness, so that ids, salts and the head
of the chain are the same each time. A book is a list of steps; a step is a time and a command.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import time_machine

from liveportal.cli.main import main
from tests.kit import rich_ledger as rich
from tests.kit import states
from tests.kit.shell import OCTOBER
from tests.samples.test_samples import HERE as SAMPLES


class Step(NamedTuple):
    """A command and when it is typed."""

    when: str
    argv: str


class Book(NamedTuple):
    """How a ledger is made, in which zone the machine is, and when it is read."""

    steps: tuple[Step, ...]
    read_at: str
    as_known: str
    month: str
    machine_zone: str = "UTC"


_RICH = rich.feed().splitlines(keepends=True)
FILES: dict[str, bytes] = {
    "october.jsonl": OCTOBER.read_bytes(),
    "states.jsonl": b"".join(states.FEED),
    "winter.jsonl": (SAMPLES / "winter.jsonl").read_bytes(),
    "winter.policy.toml": (SAMPLES / "winter.policy.toml").read_bytes(),
    "rich-1.jsonl": b"".join(_RICH[:40]),
    "rich-2.jsonl": b"".join(_RICH[40:]),
    "talk.vtt": rich.TRANSCRIPT.encode(),
    "fix.shader": rich.CODE.encode(),
}
"""What the steps name; each book is made in a folder that has them."""

BOOKS: dict[str, Book] = {
    "october": Book(
        (
            Step("2026-10-01T00:00Z", "init"),
            Step("2026-10-31T12:00Z", "sync october.jsonl"),
        ),
        read_at="2026-11-04T12:00Z",
        as_known="2026-10-15",
        month="2026-10",
    ),
    "states": Book(
        (
            Step("2026-10-01T00:00Z", "init"),
            Step("2026-10-31T12:00Z", "sync october.jsonl"),
            Step("2026-11-03T12:00Z", "sync states.jsonl"),
        ),
        read_at="2026-11-04T12:00Z",
        as_known="2026-11-01",
        month="2026-10",
    ),
    "winter": Book(
        (
            Step("2026-01-01T00:00Z", "init --policy winter.policy.toml"),
            Step("2026-01-01T00:01Z", "preferences set --zone Europe/Paris"),
            Step("2026-07-31T12:00Z", "sync winter.jsonl"),
        ),
        read_at="2026-08-04T12:00Z",
        as_known="2026-07-31",
        month="2026-03",
        machine_zone="Pacific/Auckland",
    ),
    "rich": Book(
        (
            Step("2026-10-01T00:00Z", "init"),
            Step("2026-11-01T00:00Z", "sync rich-1.jsonl"),
            Step("2026-12-06T12:00Z", "sync rich-2.jsonl"),
            Step("2026-12-07T09:00Z", "preferences set --skill urp --minimum-rate 2.50"),
            Step("2026-12-07T09:00Z", "earnings adjust 1.00 --reason typed"),
            Step("2026-12-07T10:00Z", "preferences set --zone Europe/Paris"),
            Step("2026-12-07T10:01Z", "preferences set --hours mon-fri~9:00-17:00"),
            Step("2026-12-08T09:00Z", "sessions attach S-1 talk.vtt"),
            Step("2026-12-08T09:01Z", "sessions attach S-1 fix.shader"),
            Step("2026-12-08T10:00Z", "payout profile set --name Anna~Example --country IE"),
            Step("2026-12-08T10:01Z", "payout profile set --method paypal --email a@example.org"),
            Step("2026-12-09T09:00Z", "sessions correct S-6 --billed 100.00 --reason agreed"),
            Step("2026-12-09T10:00Z", "ledger forget C-99 --yes"),
        ),
        read_at="2027-01-05T12:00Z",
        as_known="2026-11-20",
        month="2026-10",
    ),
}


@contextmanager
def fixed_clock(when: str, seed: str = "") -> Iterator[None]:
    """Hold the clock at an instant, and give the same random bytes each time."""
    seeded = random.Random(f"{when} {seed}")  # noqa: S311 -- The same each time is the point.
    with time_machine.travel(when, tick=False), patch.object(os, "urandom", seeded.randbytes):
        yield


def make(name: str, folder: Path) -> Path:
    """Make a book's ledger in the current folder, which is empty; return its path."""
    for file, content in FILES.items():
        (folder / file).write_bytes(content)
    ledger = folder / "ledger.db"
    for step in BOOKS[name].steps:
        argv = [word.replace("~", " ") for word in step.argv.split()]
        zone = patch.dict(os.environ, TZ=BOOKS[name].machine_zone)
        with zone, fixed_clock(step.when, step.argv):
            code = main([*argv, "--ledger", str(ledger), "-o", str(folder / "out")])
        if code:
            message = f"{step.argv!r} of the book {name} failed: {code}"
            raise RuntimeError(message)
    return ledger
